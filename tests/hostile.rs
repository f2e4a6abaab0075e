//! Model files that are spoilt in thousands of ways: none may panic, none may make the program allocate more than the
//! file's size and 64 MB, and each is either played or refused with an error that says where the fault is.
//!
//! `XIAO_MUTATIONS=100000` makes more of them; `XIAO_MUTATIONS=4711..4712` a certain one.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use xiao::model::GgufWriter;

#[path = "common/fixture.rs"]
mod fixture;
#[path = "common/hostile.rs"]
mod hostile;
#[path = "common/mutate.rs"]
mod mutate;
#[path = "common/opaque.rs"]
mod opaque;

use fixture::{Random, TINY};
use mutate::Parts;

/// Counts what is allocated, on all threads.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn grown(by: usize) {
    MOST.fetch_max(NOW.fetch_add(by, Ordering::Relaxed) + by, Ordering::Relaxed);
}

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new may both be there for a moment.
        grown(size);
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const ROOM: usize = 64 << 20;
/// Spoilt files in a usual run.
const USUAL: u64 = 3000;

/// What the last panic said, on whichever thread it was, whether or not it was caught.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

fn range() -> Range<u64> {
    let Ok(wanted) = std::env::var("XIAO_MUTATIONS") else { return 0..USUAL };
    match wanted.split_once("..") {
        Some((from, to)) => from.parse().unwrap()..to.parse().unwrap(),
        None => 0..wanted.parse().unwrap(),
    }
}

/// The valid files: every tiny model that is not too large, and vocabularies without weights.
fn valid() -> Vec<(String, Parts)> {
    let mut files = Vec::new();
    for tiny in TINY {
        for kind in tiny.types.iter().filter(|kind| **kind != "f32" || tiny.width == 64) {
            files.push((format!("{} {kind}", tiny.name()), Parts::of(&tiny.write(kind, 1))));
        }
    }
    files.extend(opaque::opaque().into_iter().map(|(name, file)| (name.to_string(), Parts::of(&file))));
    for words in [fixture::Words::SentencePiece, fixture::Words::ByteLevel("qwen2")] {
        let mut writer = GgufWriter::new();
        writer.key("general.architecture", "llama");
        fixture::vocabulary(&mut writer, words);
        files.push(("vocabulary".to_string(), Parts::of(&writer.finish())));
    }
    files
}

/// Valid files that ask for as much as a header can: by their counts alone, none of them by its size.
fn greedy() -> Vec<(&'static str, Vec<u8>)> {
    let words = |change: &dyn Fn(&mut GgufWriter)| {
        let mut writer = GgufWriter::new();
        writer.key("general.architecture", "llama");
        writer.key("tokenizer.ggml.model", "llama");
        change(&mut writer);
        writer.finish()
    };
    let tokens = |tokens: &[String]| {
        words(&|writer| {
            writer.key("tokenizer.ggml.tokens", tokens);
            writer.key("tokenizer.ggml.scores", &vec![0f32; tokens.len()][..]);
            writer.key("tokenizer.ggml.token_type", &vec![1i32; tokens.len()][..]);
        })
    };
    let numbered = |n: usize, digits: usize| (0..n).map(|i| format!("{i:0digits$}")).collect::<Vec<_>>();
    let merges = |n: usize| {
        let letters: Vec<String> = ('a'..='z').map(String::from).collect();
        let mut writer = GgufWriter::new();
        writer.key("general.architecture", "llama");
        writer.key("tokenizer.ggml.model", "gpt2");
        writer.key("tokenizer.ggml.tokens", &letters[..]);
        writer.key("tokenizer.ggml.merges", &vec!["a b"; n][..]);
        writer.finish()
    };
    // Found by spoilt files: the width of joined matrices was the file's own.
    let joined = Parts::of(&fixture::tiny("phi3", "plain", "f32", 1));
    vec![
        ("joined matrices of half the width", joined.with_shape("blk.0.attn_qkv.weight", &[32, 192])),
        ("400,000 empty tokens", tokens(&vec![String::new(); 400_000])),
        ("1,000,000 empty tokens", tokens(&vec![String::new(); 1_000_000])),
        ("500,000 tokens of 6 digits", tokens(&numbered(500_000, 6))),
        ("2,000,000 tokens of 7 digits", tokens(&numbered(2_000_000, 7))),
        ("300 tokens of 16 kB", tokens(&numbered(300, 16_000))),
        ("20,000 tokens of 500 bytes", tokens(&numbered(20_000, 500))),
        ("1,000,000 merges", merges(1_000_000)),
        (
            "4000 keys with long names",
            words(&|writer| (0..4000).for_each(|i| writer.key(&format!("{i:0250}"), &[0u8; 200][..]))),
        ),
        ("1,000,000 bytes as numbers", words(&|writer| writer.key("k", &vec![7u8; 1 << 20][..]))),
        (
            "32,000 tensors",
            words(&|writer| {
                (0..32_000).for_each(|i| writer.encoded_tensor(&format!("{i:0120}"), &[1, 1, 1, 1], 24, &[0]))
            }),
        ),
        (
            "texts of 1 MiB",
            words(&|writer| {
                for key in ["name", "author", "organization", "license", "url", "description", "languages", "datasets"]
                {
                    writer.key(&format!("general.{key}"), "e ".repeat(1 << 19));
                }
            }),
        ),
    ]
}

/// A model that plays, with chat templates that never end, grow without end or nest without end.
fn templates() -> Vec<(&'static str, Vec<u8>)> {
    const TEMPLATES: &[&str] = &[
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% for i in range(99999) %}{{ 'many and many and many a year ago' }}{% endfor %}",
        "{{ 'a' * 1000000000 }}",
        "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=[]) %}{% for i in range(90000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
        "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
        "{{ messages | tojson | replace('e', 'many' * 99999) | replace('a', 'many' * 99999) }}",
        "{{ range(99999) | list | join('many' * 999) }}",
        "{{ '%0999999999d' | format(1) }}{{ 'a'.ljust(999999999) }}{{ 'a'.center(999999999) }}",
    ];
    let valid = Parts::of(&fixture::tiny("qwen3", "plain", "q8_0", 1));
    let nested: &[&str] =
        &["{{ (((( and so on", "{% if a %}{% if a %} and so on", "{{ [[[[ and so on", "{{ - - - - and so on"];
    let deep = ["(", "{% if a %}", "[", "-"].map(|part| format!("{{{{ {}", part.repeat(60_000)));
    let deep = nested.iter().zip(deep).map(|(name, text)| (*name, text));
    let all = TEMPLATES.iter().map(|text| (*text, text.to_string())).chain(deep);
    all.map(|(name, text)| (name, valid.with_text("tokenizer.chat_template", &text))).collect()
}

/// One function, since what is allocated is counted for the whole process.
#[test]
fn spoilt_files_are_played_or_refused_in_words() {
    let files = valid();
    for (name, parts) in &files {
        let said = hostile::play(&parts.file().0);
        let expected = if name == "vocabulary" { said.is_err() } else { said.is_ok() };
        assert!(expected, "{name}: {said:?}");
    }
    // candle's errors take a backtrace where the environment asks for it; the first one loads 55 MB of symbols.
    let _ = std::backtrace::Backtrace::force_capture().to_string();
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(|info| *PANIC.lock().unwrap() = Some(info.to_string())));
    let (mut played, mut refused, mut bad) = (0, BTreeMap::<String, u64>::new(), Vec::new());
    for (name, file) in greedy().into_iter().chain(templates()) {
        let start = Instant::now();
        let (said, over) = measured(&file);
        println!("{name}: {} MB, {} MB beyond, {:?}", file.len() >> 20, over >> 20, start.elapsed());
        if over > ROOM {
            bad.push(format!("{name}: {} MB beyond the file's size", over >> 20));
        }
        // All but the templates lack what a model needs.
        match said {
            Ok(said) if said.is_ok() == name.contains('{') => {}
            Ok(said) => bad.push(format!("{name}: {said:?}")),
            Err(panic) => bad.push(format!("{name}: {panic}")),
        }
    }
    let (mut slowest, mut largest) = ((Duration::ZERO, 0), (0, 0));
    for i in range() {
        let mut random = Random::named("mutation", i);
        let (name, parts) = &files[random.below(files.len())];
        let (file, done) = mutate::mutate(parts, &mut random);
        let start = Instant::now();
        let (said, over) = measured(&file);
        slowest = slowest.max((start.elapsed(), i));
        largest = largest.max((over, i));
        let what = format!("mutation {i} of {name} ({done})");
        if over > ROOM {
            bad.push(format!("{what}: {} MB beyond the file's size", over >> 20));
        }
        match said {
            Ok(Ok(())) => played += 1,
            // By their first words after the place, so that a run can be looked over.
            Ok(Err(text)) => *refused.entry(kind_of(&text)).or_default() += 1,
            Err(panic) => bad.push(format!("{what}: {panic}")),
        }
    }
    std::panic::set_hook(usual);
    println!("{played} played, refused: {refused:#?}");
    println!("slowest {slowest:?}, largest {} MB beyond the file's size: {}", largest.0 >> 20, largest.1);
    for text in bad.iter().take(40) {
        println!("{text}");
    }
    assert!(bad.is_empty(), "{} of {} files", bad.len(), range().count());
    // If nothing is refused, or nothing played, the test is not what it was.
    let refused: u64 = refused.values().sum();
    assert!(range().count() < 1000 || refused > played && played > 0, "{played} played, {refused} refused");
}

/// What is said of the file, or what a panic said, and how much was allocated beyond the file's size.
fn measured(file: &[u8]) -> (Result<Result<(), String>, String>, usize) {
    let before = NOW.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let said = std::panic::catch_unwind(|| hostile::play(file));
    let over = (MOST.load(Ordering::Relaxed) - before).saturating_sub(file.len());
    let panic = PANIC.lock().unwrap().take();
    (panic.map_or_else(|| said.map_err(|_| "a panic without words".to_string()), Err), over)
}

/// An error without its numbers and names.
fn kind_of(text: &str) -> String {
    let words = text.split_whitespace().skip(1).filter(|word| !word.contains(|c: char| c.is_ascii_digit() || c == '.'));
    words.take(9).collect::<Vec<_>>().join(" ")
}
