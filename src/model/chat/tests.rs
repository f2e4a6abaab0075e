//! Tests of conversations, on the embedded vocabulary with the control tokens of other families put into it.

use std::path::PathBuf;

use super::published::{FAMILIES, Family};
use super::*;

/// A file of this family: its control tokens stand at the end of the embedded vocabulary.
fn file(tokens: &[&str], template: Option<&str>) -> Gguf {
    let mut gguf = Gguf::read(&Source::Embedded).unwrap();
    let Some(Value::Texts(texts)) = gguf.get("tokenizer.ggml.tokens") else { panic!() };
    let mut texts: Vec<String> = texts.iter().map(String::from).collect();
    let mut kinds = vec![1i64; texts.len()];
    let first = texts.len() - tokens.len();
    for (i, token) in tokens.iter().enumerate() {
        texts[first + i] = token.to_string();
        kinds[first + i] = 3;
    }
    // The embedded vocabulary has an `<|end|>` of its own, which would end every family's turns.
    texts[0] = "<none>".to_string();
    let id = |i: usize| Value::Unsigned((first + i) as u64);
    for (key, value) in [
        ("tokenizer.ggml.tokens", Value::Texts(texts.iter().map(String::as_str).collect())),
        ("tokenizer.ggml.token_type", Value::Integers(kinds)),
        ("tokenizer.ggml.bos_token_id", id(0)),
        ("tokenizer.ggml.eos_token_id", id(1)),
        ("tokenizer.ggml.add_bos_token", Value::Bool(false)),
    ] {
        gguf.keys.retain(|(k, _)| k != key);
        gguf.keys.push((key.to_string(), value));
    }
    gguf.keys.extend(template.map(|source| (KEY.to_string(), Value::Text(source.to_string()))));
    gguf
}

fn chat(family: &Family) -> (Tokenizer, Chat) {
    let gguf = file(family.tokens, Some(family.source));
    let tokenizer = Tokenizer::new(&gguf).unwrap();
    let chat = Chat::of(&gguf, &tokenizer).unwrap().unwrap();
    assert_eq!((chat.about(), chat.warnings()), ("the file's own template", &[][..]), "{}", family.name);
    (tokenizer, chat)
}

fn turns(texts: &[&str]) -> Vec<Turn> {
    let role = |i| if i % 2 == 0 { Role::User } else { Role::Assistant };
    texts.iter().enumerate().map(|(i, text)| Turn { role: role(i), text: text.to_string() }).collect()
}

/// What tokens read like, control tokens by their names.
fn read(tokenizer: &Tokenizer, ids: &[u32]) -> String {
    let bytes = ids.iter().flat_map(|id| match tokenizer.is_control(*id) {
        true => tokenizer.name(*id).as_bytes(),
        false => tokenizer.bytes(*id),
    });
    String::from_utf8(bytes.copied().collect()).unwrap()
}

fn controls(tokenizer: &Tokenizer, ids: &[u32]) -> Vec<u32> {
    ids.iter().copied().filter(|id| tokenizer.is_control(*id)).collect()
}

#[test]
fn families_write_what_they_publish() {
    for family in FAMILIES {
        let (tokenizer, chat) = chat(family);
        let written = chat.tokens(&tokenizer, Some("S"), &turns(&["A", "B", "C"])).unwrap();
        assert_eq!(read(&tokenizer, &written.ids), family.reads, "{}", family.name);
        // The same tokens as of the text without any marks.
        assert_eq!(written.ids, tokenizer.encode_special(family.reads), "{}", family.name);
    }
}

#[test]
fn turns_begin_where_they_are_said_to() {
    for family in FAMILIES {
        let (tokenizer, chat) = chat(family);
        let talk = turns(&["alpha", "beta", "gamma", "delta", "epsilon"]);
        let whole = chat.tokens(&tokenizer, Some("sigma"), &talk).unwrap();
        let text = |from: usize, to: usize| read(&tokenizer, &whole.ids[from..to]);
        let name = family.name;
        assert!(whole.head <= whole.turns[0] && whole.turns.is_sorted(), "{name}: {whole:?}");
        let ends = whole.turns[1..].iter().copied().chain([whole.ids.len()]);
        for ((from, to), turn) in whole.turns.iter().zip(ends).zip(&talk) {
            let text = text(*from, to);
            assert!(text.contains(&turn.text), "{name}: {text:?}");
            let others = talk.iter().filter(|other| *other != turn);
            assert!(others.into_iter().all(|other| !text.contains(&other.text)), "{name}: {text:?}");
        }
        // Without its first two turns it is what it would have been had they never been.
        let shorter = chat.tokens(&tokenizer, Some("sigma"), &talk[2..]).unwrap();
        let shifted = text(0, whole.head) + &text(whole.turns[2], whole.ids.len());
        match ["mistral v3", "llama 2", "gemma 2", "gemma 3"].contains(&name) {
            // Where the system speaks inside of a turn, that turn's head stays with it.
            true => assert!(shifted.ends_with(&text(whole.turns[2], whole.ids.len())), "{name}: {shifted:?}"),
            false => assert_eq!(shifted, read(&tokenizer, &shorter.ids), "{name}"),
        }
        let head = text(0, whole.head);
        assert!(head.contains("sigma") || name == "mistral v3", "{name}: {head:?}");
    }
}

#[test]
fn an_open_turn_is_gone_on_with() {
    for family in FAMILIES {
        let (tokenizer, chat) = chat(family);
        let written = chat.tokens(&tokenizer, None, &turns(&["A", "The moon is"])).unwrap();
        assert!(read(&tokenizer, &written.ids).ends_with("The moon is"), "{}", family.name);
    }
}

#[test]
fn one_side_may_speak_twice_and_the_model_may_begin() {
    for family in FAMILIES {
        let (tokenizer, chat) = chat(family);
        let mut talk = turns(&["one", "two", "three"]);
        talk.swap(0, 1);
        let written = chat.tokens(&tokenizer, None, &talk).unwrap();
        let text = read(&tokenizer, &written.ids);
        let places = ["two", "one", "three"].map(|word| text.find(word).unwrap());
        assert!(places.is_sorted() && written.turns.is_sorted(), "{}: {text}", family.name);
        assert!(chat.tokens(&tokenizer, None, &[]).is_err());
    }
}

/// Texts that a performer might type to leave the turn, and what could join with its surroundings.
const TRICKS: &[&str] = &[
    "<|im_end|>",
    "<|im_start|>system\n",
    "<|eot_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "</s>",
    "<s>",
    "[INST]",
    "[/INST]",
    "<end_of_turn>",
    "<start_of_turn>",
    "<|end|>",
    "<|user|>",
    "<|assistant|>",
    "<bos>",
    "<eos>",
    "<|endoftext|>",
    "<|im_",
    "end|>",
    "<",
    "|>",
    "[/",
    "INST]",
    "</",
    "s>",
    "\u{FDD0}",
    "\u{FDD1}\u{FDE2}",
    "<|im_\u{FDE2}end|>",
    " ",
    "\n",
    "\n\n",
    "  ",
    "春",
    "moon",
    "é",
    "{{ bos_token }}",
    "{% raw %}",
    "<think>",
    "</think>",
    "system",
    "<<SYS>>",
];

#[test]
fn no_text_leaves_its_turn() {
    let mut state = 5u64;
    let mut next = |n: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % n
    };
    let known = known::all().map(|known| {
        let tokens: Vec<&str> = [&["<s>", "</s>"], known.tokens()].concat();
        let mut unique: Vec<&str> = Vec::new();
        tokens.iter().for_each(|token| {
            if !unique.contains(token) {
                unique.push(token)
            }
        });
        (known.name, unique, known.template())
    });
    let published = FAMILIES.iter().map(|family| (family.name, family.tokens.to_vec(), family.source.to_string()));
    for (name, tokens, source) in known.chain(published) {
        let gguf = file(&tokens, Some(&source));
        let tokenizer = Tokenizer::new(&gguf).unwrap();
        let chat = Chat::of(&gguf, &tokenizer).unwrap().unwrap();
        let plain = chat.tokens(&tokenizer, Some("x"), &turns(&["x", "x", "x"])).unwrap();
        for _ in 0..60 {
            let mut text = || (0..1 + next(7)).map(|_| TRICKS[next(TRICKS.len())]).collect::<String>();
            let texts: Vec<String> = (0..4).map(|_| text() + "x").collect();
            let cut = turns(&[&texts[0], &texts[1], &texts[2]]);
            let written = chat.tokens(&tokenizer, Some(&texts[3]), &cut).unwrap();
            assert_eq!(controls(&tokenizer, &written.ids), controls(&tokenizer, &plain.ids), "{name}: {texts:?}");
            // Some templates cut the model's turns at `</think>`.
            let second = texts[1].replace("</think>", "");
            let talk = turns(&[&texts[0], &second, &texts[2]]);
            let written = chat.tokens(&tokenizer, Some(&texts[3]), &talk).unwrap();
            let shown = read(&tokenizer, &written.ids);
            assert_eq!(
                controls(&tokenizer, &written.ids),
                controls(&tokenizer, &plain.ids),
                "{name}: {texts:?} {shown:?}"
            );
            for text in [&texts[0], &second, &texts[2], &texts[3]] {
                let clean: String = text.chars().filter(|c| !('\u{FDD0}'..='\u{FDEF}').contains(c)).collect();
                assert!(shown.contains(clean.trim()), "{name}: {text:?} in {shown:?}");
            }
            assert!(!shown.contains(['\u{FDD0}', '\u{FDD1}', '\u{FDE2}']), "{name}: {shown:?}");
        }
    }
}

#[test]
fn a_file_without_a_template_is_known_by_its_tokens() {
    let told = |tokens: &[&str], name: &str| {
        let mut gguf = file(tokens, None);
        gguf.keys.retain(|(key, _)| key != "general.name");
        gguf.keys.push(("general.name".to_string(), Value::Text(name.to_string())));
        let tokenizer = Tokenizer::new(&gguf).unwrap();
        Chat::of(&gguf, &tokenizer).unwrap().map(|chat| chat.about().split(' ').next().unwrap().to_string())
    };
    let llama3 = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"];
    assert_eq!(told(&llama3, "Meta Llama 3 8B"), None, "a base model has the same tokens");
    assert_eq!(told(&llama3, "Meta Llama 3 8B Instruct").as_deref(), Some("llama3"));
    assert_eq!(told(&["<a>", "<|im_end|>", "<|im_start|>"], "Some model").as_deref(), Some("chatml"));
    assert_eq!(told(&["<a>", "<|endoftext|>", "<|im_end|>", "<|im_start|>"], "Some model"), None);
    assert_eq!(told(&["<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"], "gemma-2b-it").as_deref(), Some("gemma"));
    assert_eq!(told(&["<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"], "gemma-2b-items"), None);
    assert_eq!(told(&["<s>", "</s>"], "LLaMA 2 7B Chat").as_deref(), Some("llama2"));
    assert_eq!(told(&["<s>", "</s>"], "Mistral 7B Instruct v0.2").as_deref(), Some("mistral-v1"));
    assert_eq!(told(&["<s>", "</s>"], "Mistral 7B v0.1"), None);
    assert_eq!(told(&["<s>", "</s>"], "TinyLlama 1.1B Chat").as_deref(), Some("zephyr"));
    let gguf = Gguf::read(&Source::Embedded).unwrap();
    assert!(
        Chat::of(&gguf, &Tokenizer::new(&gguf).unwrap()).unwrap().is_none(),
        "the embedded model goes on with text"
    );
}

#[test]
fn a_broken_template_is_said_in_one_line() {
    let chatml = ["<|endoftext|>", "<|im_end|>", "<|im_start|>"];
    for (source, word) in [
        ("{% for m in messages %}{{ m.content", "line 1"),
        ("{{ raise_exception('not\nme') }}", "not\\nme"),
        ("{% for m in messages %}{{ m.content }}{% endfor %}{{ nothing() }}", "nothing"),
        ("The moon", "leaves out"),
    ] {
        let gguf = file(&chatml, Some(source));
        let tokenizer = Tokenizer::new(&gguf).unwrap();
        let chat = Chat::of(&gguf, &tokenizer).unwrap().unwrap();
        let [warning] = chat.warnings() else { panic!("{source}") };
        let begins = "embedded: key tokenizer.chat_template: the template";
        assert!(warning.starts_with(begins) && warning.contains(word) && !warning.contains('\n'), "{warning}");
        assert!(chat.about().starts_with("chatml"));
        let gguf = file(&["<a>", "<b>"], Some(source));
        let error = Chat::of(&gguf, &Tokenizer::new(&gguf).unwrap()).err().unwrap().to_string();
        assert!(error.starts_with(begins) && error.contains(word) && error.contains("--raw"), "{error}");
    }
}

#[test]
fn a_hostile_template_ends_soon() {
    let deep = |open: &str, close: &str| format!("{{{{ {}1{} }}}}", open.repeat(100_000), close.repeat(100_000));
    let doubles =
        "{% set ns = namespace(a=['aaaaaaaa']) %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}";
    let strings =
        "{% set ns = namespace(a='aaaaaaaa') %}{% for i in range(60) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}";
    let nests = "{% set ns = namespace(a=[], b=[]) %}{% for i in range(99) %}{% for j in range(9999) %}\
                 {% set ns.a = [ns.a] %}{% set ns.b = [ns.b] %}{% if i * 9999 + j > 18000 %}{% break %}{% endif %}\
                 {% endfor %}{% endfor %}";
    let sources = [
        "{% for i in range(99999) %}{% for j in range(99999) %}{% for k in range(99999) %}x{% endfor %}{% endfor %}{% endfor %}"
            .to_string(),
        "{% macro a() %}{{ a() }}{{ a() }}{% endmacro %}{{ a() }}".to_string(),
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}".to_string(),
        format!("{doubles}{{{{ ns.a }}}}"),
        format!("{doubles}{{{{ ns.a | tojson }}}}"),
        format!("{doubles}{{{{ ns.a == [ns.a] }}}}"),
        format!("{doubles}{{{{ raise_exception(ns.a) }}}}"),
        format!("{strings}{{{{ ns.a }}}}"),
        format!("{strings}{{{{ ns.a.replace('', ns.a) }}}}"),
        format!("{nests}{{{{ ns.a }}}}"),
        format!("{nests}{{{{ ns.a | tojson }}}}"),
        format!("{nests}{{{{ ns.a ~ 'x' }}}}"),
        format!("{nests}{{{{ ns.a == ns.b }}}}"),
        format!("{nests}{{{{ {{ns.a: 1}} }}}}{{{{ ns.a | unique | list | length }}}}"),
        "{{ 'a' * 1000000000000 }}".to_string(),
        "{{ '{:>99999999999}'.format(1) }}".to_string(),
        "{{ '%99999999999d' | format(1) }}".to_string(),
        "{{ '%99999999999d' % 1 }}".to_string(),
        "{{ [1] | tojson(indent=99999999999) }}".to_string(),
        "{{ 'x' | indent(99999999999) }}".to_string(),
        "{{ strftime_now('%Y' * 1000000) }}".to_string(),
        "{{ strftime_now('%99999999999Y') }}".to_string(),
        "{{ 2 ** 99999999999 }}{{ -9223372036854775808 // -1 }}{{ 1 % 0 }}".to_string(),
        "{% include 'chat' %}".to_string(),
        "{% extends 'chat' %}".to_string(),
        deep("(", ")"),
        deep("[", "]"),
        deep("-", ""),
        deep("not ", ""),
        "{% if 1 %}".repeat(100_000),
        format!("{{{{ {} }}}}", vec!["1"; 100_000].join("~")),
        format!("{{{{ x{} }}}}", ".y".repeat(100_000)),
        format!("{{{{ x{} }}}}", "|trim".repeat(100_000)),
        "x".repeat(1 << 21),
        "{%".repeat(100_000),
        "{% generation".repeat(50_000),
    ];
    for source in sources {
        let gguf = file(&["<a>", "<b>"], Some(&source));
        let tokenizer = Tokenizer::new(&gguf).unwrap();
        let error = Chat::of(&gguf, &tokenizer).err().map(|e| e.to_string());
        let source: String = source.chars().take(120).collect();
        let error = error.unwrap_or_else(|| panic!("{source}"));
        assert!(error.len() < 500 && !error.contains('\n'), "{source}: {error}");
    }
}

/// With `XIAO_TEMPLATES` naming a folder of templates (llama.cpp has some), each of them is tried.
#[test]
fn templates_of_a_folder() {
    let Some(folder) = std::env::var_os("XIAO_TEMPLATES").map(PathBuf::from) else {
        eprintln!("skipped: XIAO_TEMPLATES does not name a folder of templates (*.jinja)");
        return;
    };
    let (mut works, mut all) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "jinja") {
            continue;
        }
        let gguf = file(&["<s>", "</s>"], Some(&std::fs::read_to_string(&path).unwrap()));
        all += 1;
        match Chat::of(&gguf, &Tokenizer::new(&gguf).unwrap()) {
            Ok(Some(chat)) if chat.warnings().is_empty() => works += 1,
            Ok(chat) => eprintln!("{}: {:?}", path.display(), chat.map(|chat| chat.warnings().to_vec())),
            Err(e) => eprintln!("{}: {e}", path.display()),
        }
    }
    eprintln!("{works} of {all} templates work");
    assert!(works * 10 > all * 9);
}
