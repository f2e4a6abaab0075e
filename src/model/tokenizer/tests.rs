//! Tests of the tokenizer on the embedded model's vocabulary and, where `XIAO_VECTORS` names a folder with llama.cpp's
//! vocabulary files and vectors, on those.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::Source;
use super::super::gguf::Value;
use super::*;

fn embedded() -> Arc<Tokenizer> {
    Arc::new(Tokenizer::new(&Gguf::read(&Source::Embedded).unwrap()).unwrap())
}

#[test]
fn text_comes_back_whole() {
    let tokenizer = embedded();
    for text in ["The moon, and I", "春眠不觉晓，处处闻啼鸟。", " a\n\n  b\t", "🌕 é ﷽", "", "<|zh|>"]
    {
        let ids = tokenizer.encode(text);
        let bytes: Vec<u8> = ids.iter().flat_map(|id| tokenizer.bytes(*id).to_vec()).collect();
        assert_eq!(String::from_utf8(bytes).unwrap(), text);
    }
}

#[test]
fn control_text_is_text_unless_asked_for() {
    let tokenizer = embedded();
    let zh = tokenizer.control("<|zh|>").unwrap();
    assert!(!tokenizer.encode("<|zh|>春").contains(&zh));
    let ids = tokenizer.encode_special("<|zh|>春<|end|>");
    assert_eq!((ids[0], *ids.last().unwrap()), (zh, 0));
    assert_eq!(ids[1..ids.len() - 1], tokenizer.encode("春"));
    assert!(tokenizer.bytes(zh).is_empty());
    assert_eq!(tokenizer.piece(zh), "<|zh|>");
    assert!(tokenizer.is_end(0) && !tokenizer.is_end(zh));
    assert!(!tokenizer.add_bos());
}

#[test]
fn half_characters_are_held() {
    let tokenizer = embedded();
    // A rare sign that the vocabulary writes byte by byte.
    let ids = tokenizer.encode("🌕");
    assert!(ids.len() > 1);
    let mut stream = TextStream::new(tokenizer.clone());
    let texts: Vec<String> = ids.iter().map(|id| stream.push(*id)).collect();
    assert_eq!(texts.last().unwrap(), "🌕");
    assert!(texts[..texts.len() - 1].iter().all(String::is_empty));
    assert!(!stream.broken());
    stream.push(ids[0]);
    let moon = tokenizer.encode("moon");
    assert_eq!(stream.push(moon[0]).chars().next(), Some('\u{FFFD}'));
    assert!(stream.broken());
    stream.push(ids[0]);
    assert_eq!(stream.finish(), "\u{FFFD}");
    assert_eq!(stream.finish(), "");
}

#[test]
fn unknown_kinds_are_refused_and_unknown_rules_are_said() {
    let mut gguf = Gguf::read(&Source::Embedded).unwrap();
    let changed = |key: &str, word: &str| {
        let mut changed = gguf.clone();
        changed.keys.iter_mut().find(|(k, _)| k == key).unwrap().1 = Value::Text(word.into());
        Tokenizer::new(&changed)
    };
    let error = changed("tokenizer.ggml.model", "t5").err().unwrap().to_string();
    assert!(error.contains("tokenizer.ggml.model") && error.contains("t5"), "{error}");
    let tokenizer = changed("tokenizer.ggml.pre", "unheard-of").unwrap();
    let [warning] = tokenizer.warnings() else { panic!("{:?}", tokenizer.warnings()) };
    assert!(warning.starts_with("embedded: key tokenizer.ggml.pre at byte offset"), "{warning}");
    assert!(warning.contains("the rule \"unheard-of\" is not known"), "{warning}");
    assert!(tokenizer.about().contains("default") && !tokenizer.encode("The moon").is_empty());
    assert!(changed("tokenizer.ggml.pre", "smollm").unwrap().warnings().is_empty());
    gguf.keys.retain(|(k, _)| k != "tokenizer.ggml.merges");
    assert!(Tokenizer::new(&gguf).err().unwrap().to_string().contains("tokenizer.ggml.merges is missing"));
}

/// A SentencePiece file: the marks, 256 bytes, then these words with the best score first.
fn sentence_piece(words: &[&str], more: &[(&str, Value)]) -> Gguf {
    let mut texts: Vec<String> = ["<unk>", "<s>", "</s>"].map(String::from).into();
    let mut kinds = vec![2i64, 3, 3];
    texts.extend((0..256).map(|byte| format!("<0x{byte:02X}>")));
    kinds.extend([6; 256]);
    texts.extend(words.iter().map(|word| word.to_string()));
    kinds.extend(words.iter().map(|word| if word.starts_with("<|") { 3 } else { 1 }));
    let scores = (0..texts.len()).map(|i| -(i as f32)).collect();
    let mut gguf = Gguf::read(&Source::Embedded).unwrap();
    gguf.keys.retain(|(key, _)| !key.starts_with("tokenizer.") && key != "general.name");
    let keys = [
        ("tokenizer.ggml.model", Value::Text("llama".to_string())),
        ("tokenizer.ggml.tokens", Value::Texts(texts.iter().map(String::as_str).collect())),
        ("tokenizer.ggml.token_type", Value::Integers(kinds)),
        ("tokenizer.ggml.scores", Value::Floats(scores)),
    ];
    gguf.keys.extend(keys.into_iter().chain(more.iter().cloned()).map(|(key, value)| (key.to_string(), value)));
    gguf
}

const WORDS: &[&str] = &["▁moon", "mo", "on", "▁mo", "moon", "▁", "m", "o", "n", "<|end|>", "s>"];

#[test]
fn sentence_piece_merges_the_best_and_spells_the_rest() {
    let tokenizer = Tokenizer::new(&sentence_piece(WORDS, &[])).unwrap();
    let pieces = |ids: Vec<u32>| ids.iter().map(|id| tokenizer.piece(*id)).collect::<Vec<_>>();
    assert_eq!(pieces(tokenizer.encode_with_bos("moon moo")), ["<s>", " moon", " mo", "o"]);
    assert_eq!(pieces(tokenizer.encode("é")), [" ", "<0xC3>", "<0xA9>"]);
    let shown = tokenizer.encode("moon é").iter().map(|id| tokenizer.shown(*id)).collect::<Vec<_>>();
    assert_eq!(shown, [" moon", " ", "·C3", "·A9"]);
    assert!(tokenizer.encode("").is_empty() && tokenizer.warnings().is_empty());
    // "</s>" could be merged of "</" and "s>", and is text all the same.
    assert!(!tokenizer.encode("</s>").contains(&2) && tokenizer.encode_special("moon</s>").contains(&2));
    let key = ("tokenizer.ggml.add_space_prefix", Value::Bool(false));
    let bare = Tokenizer::new(&sentence_piece(WORDS, &[key])).unwrap();
    assert_eq!(bare.encode("moon").iter().map(|id| bare.piece(*id)).collect::<Vec<_>>(), ["moon"]);
}

#[test]
fn a_turn_begins_without_the_space_that_nobody_wrote() {
    let tokenizer = Arc::new(Tokenizer::new(&sentence_piece(WORDS, &[])).unwrap());
    let ids = tokenizer.encode("moon 春 moon");
    let said = |mut stream: TextStream| ids.iter().map(|id| stream.push(*id)).collect::<Vec<_>>();
    assert_eq!(said(TextStream::new(tokenizer.clone())), [" moon", " ", "", "", "春", " moon"]);
    assert_eq!(said(TextStream::of_turn(tokenizer.clone())), ["moon", " ", "", "", "春", " moon"]);
    let plain = embedded();
    let id = plain.encode(" moon")[0];
    assert_eq!(TextStream::of_turn(plain).push(id), " moon", "byte-level vocabularies add no space");
}

#[test]
fn phi3_swallows_blanks_and_ends_are_known() {
    let name = ("general.name", Value::Text("Phi-3 mini".to_string()));
    let phi3 = Tokenizer::new(&sentence_piece(WORDS, &[name])).unwrap();
    let other = Tokenizer::new(&sentence_piece(WORDS, &[])).unwrap();
    assert_eq!(phi3.encode_special("<|end|>\n moon"), phi3.encode_special("<|end|>moon"));
    assert_ne!(other.encode_special("<|end|>\n moon"), other.encode_special("<|end|>moon"));
    let end = phi3.control("<|end|>").unwrap();
    assert_eq!(phi3.ends(), [2, end]);
}

#[test]
fn a_wrong_id_is_said_and_passed_over() {
    let wrong = ("tokenizer.ggml.eos_token_id", Value::Unsigned(7_000_000));
    let tokenizer = Tokenizer::new(&sentence_piece(WORDS, &[wrong])).unwrap();
    assert_eq!(tokenizer.eos(), Some(2));
    assert!(
        tokenizer.warnings()[0].contains("tokenizer.ggml.eos_token_id") && tokenizer.warnings()[0].contains("7000000"),
        "{:?}",
        tokenizer.warnings()
    );
}

#[test]
fn hostile_vocabularies_take_no_longer() {
    let long = "a".repeat(1 << 20);
    let growing: Vec<String> = (1..1500).map(|n| "a".repeat(n)).collect();
    let equal = vec!["▁a"; 300_000];
    let growing: Vec<&str> = growing.iter().map(String::as_str).collect();
    for words in [&[long.as_str(), "a", "aa"][..], &growing, &equal, &["", "", "<", ">"]] {
        let tokenizer = Tokenizer::new(&sentence_piece(&[words, &["▁"]].concat(), &[])).unwrap();
        for text in ["a".repeat(20_000), "<a>".repeat(3000), " ".repeat(20_000), "é春🌕".repeat(2000)] {
            let ids = tokenizer.encode_special(&text);
            let bytes: Vec<u8> = ids.iter().flat_map(|id| tokenizer.bytes(*id).to_vec()).collect();
            assert!(String::from_utf8(bytes).unwrap() == format!(" {text}"), "{}", &words[0][..words[0].len().min(9)]);
        }
    }
    // Lists of merges that grow without end, name nothing or are no merges at all.
    let mut gguf = Gguf::read(&Source::Embedded).unwrap();
    let mut lines: Vec<String> = (0..14).map(|n| format!("{0} {0}", "a".repeat(1 << n))).collect();
    lines.extend(["", " ", "  ", "a", "é è", "a  b", "春 眠"].map(String::from));
    lines.extend(std::iter::repeat_n("x y".to_string(), 300_000));
    gguf.keys.iter_mut().find(|(key, _)| key == "tokenizer.ggml.merges").unwrap().1 =
        Value::Texts(lines.iter().map(String::as_str).collect());
    let tokenizer = Tokenizer::new(&gguf).unwrap();
    assert!(!tokenizer.encode(&"a".repeat(100_000)).is_empty());
    // Half a million control tokens, none of which is in the text.
    let many: Vec<String> = (0..500_000).map(|n| format!("<|{n}|>")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let tokenizer = Tokenizer::new(&sentence_piece(&many, &[])).unwrap();
    assert_eq!(tokenizer.encode_special("<|7|>").len(), 1);
}

/// The folder with llama.cpp's vocabulary files and vectors, if there is one.
fn vectors() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    std::env::var_os("XIAO_VECTORS").map(PathBuf::from).or_else(|| Some(beside).filter(|folder| folder.is_dir()))
}

#[test]
fn llama_cpp_vectors() {
    let Some(folder) = vectors() else {
        eprintln!("skipped: neither XIAO_VECTORS nor ../shared/vectors has llama.cpp's vocabulary files and vectors");
        return;
    };
    let mut texts = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "gguf") {
            texts += check_vectors(&path);
        }
    }
    assert!(texts > 0);
}

fn check_vectors(path: &Path) -> usize {
    let tokenizer = Tokenizer::new(&Gguf::read(&Source::File(path.into())).unwrap()).unwrap();
    let read = |ending: &str| std::fs::read_to_string(format!("{}.{ending}", path.display())).unwrap();
    let (inputs, outputs) = (read("inp"), read("out"));
    let inputs: Vec<&str> = inputs.split("\n__ggml_vocab_test__\n").collect();
    for (text, line) in inputs.iter().zip(outputs.lines()) {
        let expected: Vec<u32> = line.split_whitespace().map(|id| id.parse().unwrap()).collect();
        assert_eq!(tokenizer.encode(text), expected, "{}: {text:?}", path.display());
    }
    inputs.len().min(outputs.lines().count())
}
