//! `train` from outside: texts in, a model out that plays; interruptions; what cannot be trained from.

mod common;

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{ok, stderr, stdout, xiao};
use xiao::model::{Floats, Source};
use xiao::train::{RECORD, Record};

/// Sizes that train in seconds.
const TINY: [&str; 14] = [
    "--width",
    "64",
    "--layers",
    "2",
    "--heads",
    "2",
    "--kv-heads",
    "1",
    "--ffn",
    "96",
    "--context",
    "64",
    "--vocabulary",
    "400",
];

/// Verse of a kind: pieces whose lines follow a rule, in both scripts.
fn verse(pieces: usize) -> String {
    let nouns = ["wind", "moon", "water", "stone", "lamp", "river", "night", "snow"];
    let verbs = ["turns", "falls", "waits", "sings", "burns", "sleeps"];
    let han = ["山", "水", "風", "月", "花", "雪", "人", "夜"];
    let mut state = 7u64;
    let mut pick = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let mut text = String::new();
    for piece in 0..pieces {
        for _ in 0..4 {
            if piece % 3 == 0 {
                (0..5).for_each(|_| text.push_str(han[pick(8)]));
                text.push('，');
                (0..5).for_each(|_| text.push_str(han[pick(8)]));
                text.push_str("。\n");
            } else {
                let (a, b, verb) = (pick(8), pick(8), pick(6));
                writeln!(text, "The {} {} and the {} {}", nouns[a], verbs[verb], nouns[b], verbs[(verb + 1) % 6])
                    .unwrap();
            }
        }
        text.push('\n');
    }
    text
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("verse.txt"), verse(400)).unwrap();
    folder
}

/// Files that a training leaves only while it runs.
fn left_over(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| [".part", ".checkpoint", ".lock"].iter().any(|end| name.ends_with(end))).collect()
}

fn train(folder: &Path, output: &str, more: &[&str]) -> Command {
    let mut command = xiao(folder);
    command.args(["train", "verse.txt", "-o", output, "--threads", "2"]).args(TINY).args(more);
    command
}

fn record(path: &Path) -> Record {
    let floats = Floats::open(&Source::File(path.into())).unwrap();
    serde_json::from_str(floats.text(RECORD).unwrap()).unwrap()
}

#[test]
fn texts_become_a_model_that_plays_and_can_be_trained_on() {
    let folder = folder();
    let path = folder.path().join("mine.gguf");
    let output =
        ok(train(folder.path(), "mine.gguf", &["--tokens", "150000", "--licence", "CC0-1.0", "--author", "nobody"])
            .env_remove("RUST_BACKTRACE"));
    assert_eq!(stdout(&output).lines().collect::<Vec<_>>(), ["mine.gguf", "mine.md", "mine.svg"]);
    let said = stderr(&output);
    assert!(said.contains("held out zh") && said.contains("held out en"), "{said}");
    // A sample in each script on the way.
    assert!(said.contains("The ") && said.contains('|'), "{said}");
    assert!(left_over(folder.path()).is_empty(), "{:?}", left_over(folder.path()));

    let card = std::fs::read_to_string(folder.path().join("mine.md")).unwrap();
    assert!(card.contains("CC0-1.0") && card.contains("verse.txt") && card.contains("mine.svg"), "{card}");
    let inspected = stdout(&ok(xiao(folder.path()).args(["inspect", "mine.gguf"])));
    assert!(inspected.contains("bits a character") || inspected.contains("bits/char"), "{inspected}");

    let about = record(&path);
    let untrained = about.untrained.unwrap();
    assert!((untrained - (about.shape.vocabulary as f64).ln()).abs() < 0.2, "{untrained}");
    for part in &about.held_out {
        assert!(part.nats_per_token() < untrained / 2.0, "{part:?}");
    }
    assert!(about.curve.len() > 20 && about.curve.iter().all(|mark| mark.loss.is_finite()));
    assert_eq!(about.corpus.sources[0].name, "verse.txt");
    assert_eq!(about.corpus.sha256.len(), 64);

    let english = stdout(&ok(xiao(folder.path()).args(["say", "--model", "mine.gguf", "The moon", "--tokens", "30"])));
    assert!(english.contains("the ") && english.is_ascii(), "{english:?}");
    let chinese = stdout(&ok(xiao(folder.path()).args(["say", "--model", "mine.gguf", "風", "--tokens", "30"])));
    assert!(chinese.chars().filter(|c| "山水風月花雪人夜".contains(*c)).count() > 8, "{chinese:?}");

    // On from there, with other texts and its own tokens.
    let more = verse(400).replace("wind", "flute").replace("風", "簫");
    std::fs::write(folder.path().join("flute.txt"), more).unwrap();
    ok(xiao(folder.path()).args([
        "train",
        "flute.txt",
        "--from",
        "mine.gguf",
        "-o",
        "flute.gguf",
        "--tokens",
        "60000",
    ]));
    let flute = record(&folder.path().join("flute.gguf"));
    assert_eq!((flute.shape, flute.base.map(|base| base.0)), (about.shape, Some("mine".to_string())));
    assert_eq!(flute.base_licence.as_deref(), Some("CC0-1.0"), "the base's licence is not lost");
    assert!(flute.untrained.unwrap() < untrained * 0.7, "it begins with what it knows: {:?}", flute.untrained);
    assert!(flute.held_out.iter().all(|part| part.nats_per_token() < flute.untrained.unwrap()));

    // What is finished is not written over unasked.
    let again = train(folder.path(), "mine.gguf", &["--tokens", "1000"]).output().unwrap();
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("mine.gguf") && stderr(&again).contains("--force"), "{}", stderr(&again));
}

#[test]
fn a_killed_training_goes_on_to_the_same_model() {
    let folder = folder();
    let long = ["--tokens", "400000", "--checkpoint", "0.1"];
    ok(&mut train(folder.path(), "whole.gguf", &long));
    let checkpoint = folder.path().join("killed.gguf.checkpoint");
    let mut child =
        train(folder.path(), "killed.gguf", &long).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    let first = loop {
        assert!(begun.elapsed() < Duration::from_secs(120), "no checkpoint came");
        std::thread::sleep(Duration::from_millis(20));
        if let Ok(about) = std::fs::metadata(&checkpoint) {
            break about.modified().unwrap();
        }
    };
    // Two more, so that it is in the middle of its work.
    while std::fs::metadata(&checkpoint).and_then(|about| about.modified()).is_ok_and(|at| at == first) {
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(checkpoint.exists() && !folder.path().join("killed.gguf").exists());

    // Another command must not go on from it, nor harm it.
    let bytes = std::fs::read(&checkpoint).unwrap();
    let other = train(folder.path(), "killed.gguf", &["--tokens", "400000", "--seed", "9"]).output().unwrap();
    assert_eq!(other.status.code(), Some(2));
    assert!(stderr(&other).contains("another training (not the same: the recipe"), "{}", stderr(&other));
    let smaller = TINY.map(|word| if word == "400" { "380" } else { word });
    let mut other = xiao(folder.path());
    other.args(["train", "verse.txt", "-o", "killed.gguf", "--threads", "2"]).args(smaller).args(long);
    let other = other.output().unwrap();
    assert!(stderr(&other).contains("another training (not the same: the shape"), "{}", stderr(&other));
    assert_eq!(std::fs::read(&checkpoint).unwrap(), bytes);

    let resumed = ok(&mut train(folder.path(), "killed.gguf", &long));
    assert!(stderr(&resumed).contains("going on from killed.gguf.checkpoint"), "{}", stderr(&resumed));
    let (whole, killed) = (record(&folder.path().join("whole.gguf")), record(&folder.path().join("killed.gguf")));
    assert_eq!((whole.tokens, &whole.held_out), (killed.tokens, &killed.held_out), "to the last bit");
}

#[test]
fn ctrl_c_leaves_a_checkpoint() {
    let folder = folder();
    let child = train(folder.path(), "mine.gguf", &["--minutes", "60"]).stderr(Stdio::piped()).spawn().unwrap();
    let checkpoint = folder.path().join("mine.gguf.checkpoint");
    let begun = Instant::now();
    while !checkpoint.exists() {
        assert!(begun.elapsed() < Duration::from_secs(120));
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(300));
    ok(Command::new("kill").args(["-INT", &child.id().to_string()]));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(stderr(&output).contains("the same command goes on"), "{}", stderr(&output));
    assert!(checkpoint.exists());
}

#[test]
fn what_cannot_be_trained_from_is_said() {
    let folder = folder();
    let path = folder.path();
    std::fs::write(path.join("empty.txt"), "\n\n \n").unwrap();
    std::fs::write(path.join("short.txt"), "The moon\n").unwrap();
    std::fs::write(path.join("binary.txt"), [b"moon \0\x01\xff".as_slice(), &[0; 3000]].concat()).unwrap();
    std::fs::write(path.join("little.txt"), verse(30)).unwrap();
    std::fs::write(path.join("many.txt"), "O sea\n\n".repeat(600)).unwrap();
    std::fs::write(path.join("text.gguf"), "no model, but dear to somebody").unwrap();
    std::fs::create_dir(path.join("nothing")).unwrap();
    std::fs::create_dir(path.join("folder.gguf")).unwrap();
    for (args, words) in [
        (vec!["none.txt", "-o", "a.gguf"], vec!["none.txt", "cannot be read"]),
        (vec!["empty.txt", "-o", "a.gguf"], vec!["no text"]),
        (vec!["short.txt", "-o", "a.gguf"], vec!["bytes"]),
        (vec!["binary.txt", "-o", "a.gguf"], vec!["binary.txt"]),
        (vec!["nothing", "-o", "a.gguf"], vec!["nothing"]),
        (vec!["verse.txt", "-o", "none/a.gguf"], vec!["none/a.gguf", "make it first"]),
        (vec!["little.txt", "-o", "a.gguf", "--context", "8000", "--tokens", "9"], vec!["context"]),
        (vec!["many.txt", "-o", "a.gguf"], vec!["tokens long", "exact double"]),
        (vec!["verse.txt", "-o", "verse.txt", "--force"], vec!["verse.txt", "ends in .gguf"]),
        (vec!["verse.txt", "-o", "verse.md", "--force"], vec!["verse.md", "ends in .gguf"]),
        (vec!["verse.txt", "-o", "folder.gguf", "--force"], vec!["folder.gguf", "folder"]),
        (vec!["verse.txt", "-o", "text.gguf", "--force"], vec!["text.gguf", "no model"]),
        (vec!["text.gguf", "-o", "text.gguf", "--force"], vec!["text.gguf", "made from"]),
        (vec!["verse.txt", "-o", "a.gguf", "--weight-decay", "inf"], vec!["0 to 1"]),
        (vec!["verse.txt", "-o", "a.gguf", "--learning-rate", "1e30"], vec!["0 to 1"]),
        (vec!["verse.txt", "-o", "a.gguf", "--width", "100"], vec!["multiples of 32"]),
        (vec!["verse.txt", "-o", "a.gguf", "--kind", "Q2_K"], vec!["Q2_K", "choose Q8_0"]),
        (vec!["verse.txt", "-o", "a.gguf", "--from", "verse.txt"], vec!["verse.txt", "not a GGUF"]),
        (vec!["verse.txt", "-o", "a.gguf", "--weight", "sea.txt=2"], vec!["sea.txt"]),
    ] {
        let output = xiao(path).arg("train").args(&args).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{args:?} should say {words:?}: {said}");
        assert!(!path.join("a.gguf").exists() && !said.contains("panicked"), "{said}");
    }
}

#[test]
fn nobody_trains_where_another_training_writes() {
    let folder = folder();
    let mut first = train(folder.path(), "mine.gguf", &["--minutes", "60"]).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while !folder.path().join("mine.gguf.checkpoint").exists() {
        assert!(begun.elapsed() < Duration::from_secs(120));
        std::thread::sleep(Duration::from_millis(50));
    }
    let second = train(folder.path(), "mine.gguf", &["--minutes", "60"]).output().unwrap();
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(second.status.code(), Some(2));
    assert!(stderr(&second).contains("another training writes there"), "{}", stderr(&second));
}

/// Emoji and points have no runs by which pieces could be compared.
#[test]
fn a_text_of_which_nothing_can_be_held_out_is_trained_from_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let points = |i: usize| format!("{}{}{}\n\n", "!?".repeat(2 + i % 7), "…!".repeat(1 + i % 5), ".,".repeat(i % 11));
    std::fs::write(folder.path().join("verse.txt"), (0..900).map(points).collect::<String>()).unwrap();
    let output = ok(&mut train(folder.path(), "points.gguf", &["--tokens", "3000"]));
    assert!(stderr(&output).contains("nothing could be held out"), "{}", stderr(&output));
    let about = record(&folder.path().join("points.gguf"));
    assert_eq!((about.untrained, about.held_out, about.taken.as_str()), (None, vec![], "the last weights"));
}

/// A file may grow to 40 kB only: the next best thing to a full disk.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_before_the_work_begins() {
    let folder = folder();
    let mut command = Command::new("bash");
    let program = env!("CARGO_BIN_EXE_xiao");
    let args = [&["train", "verse.txt", "-o", "mine.gguf", "--tokens", "9000"][..], &TINY].concat().join(" ");
    command.current_dir(folder.path()).args(["-c", &format!("trap '' XFSZ; ulimit -f 40; exec {program} {args}")]);
    let output = command.output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("mine.gguf.checkpoint: cannot be written"), "{said}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["verse.txt"]);
}

#[test]
fn the_profile_tells_each_part() {
    let folder = tempfile::tempdir().unwrap();
    let output = stdout(&ok(xiao(folder.path()).args(["train", "--profile"]).args(TINY)));
    for word in ["tokens/s", "matrix products alone", "attention", "optimizer", "training reaches"] {
        assert!(output.contains(word), "{output}");
    }
}

#[test]
fn the_card_is_written_though_nobody_listens() {
    let folder = folder();
    let mut child = train(folder.path(), "mine.gguf", &["--tokens", "20000"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child.wait().unwrap();
    assert!(["mine.gguf", "mine.md", "mine.svg"].iter().all(|name| folder.path().join(name).is_file()));
}
