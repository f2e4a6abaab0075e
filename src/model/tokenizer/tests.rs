//! Tests of the tokenizer on the embedded model's vocabulary and, where `XIAO_VECTORS` names a folder with llama.cpp's
//! vocabulary files and vectors, on those.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::Source;
use super::super::gguf::Value;
use super::*;

fn starter() -> Arc<Tokenizer> {
    Arc::new(Tokenizer::new(&Gguf::read(&Source::Embedded).unwrap()).unwrap())
}

#[test]
fn text_comes_back_whole() {
    let tokenizer = starter();
    for text in ["The moon, and I", "春眠不觉晓，处处闻啼鸟。", " a\n\n  b\t", "🌕 é ﷽", "", "<|zh|>"]
    {
        let ids = tokenizer.encode(text);
        let bytes: Vec<u8> = ids.iter().flat_map(|id| tokenizer.bytes(*id).to_vec()).collect();
        assert_eq!(String::from_utf8(bytes).unwrap(), text);
    }
}

#[test]
fn control_text_is_text_unless_asked_for() {
    let tokenizer = starter();
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
    let tokenizer = starter();
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
    assert!(warning.starts_with("embedded: key tokenizer.ggml.pre: the rule \"unheard-of\" is not known"), "{warning}");
    assert!(tokenizer.about().contains("default") && !tokenizer.encode("The moon").is_empty());
    assert!(changed("tokenizer.ggml.pre", "smollm").unwrap().warnings().is_empty());
    gguf.keys.retain(|(k, _)| k != "tokenizer.ggml.merges");
    assert!(Tokenizer::new(&gguf).err().unwrap().to_string().contains("tokenizer.ggml.merges is missing"));
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
