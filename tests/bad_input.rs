//! Bad input: a one-line error with the place and the remedy, exit code 2, and no panic.

mod common;

use std::fs;
use std::path::Path;

use common::{stderr, xiao};

/// Runs the program and wants one line on stderr that holds every one of `words`, and exit code 2.
fn refuses(folder: &Path, args: &[&str], words: &[&str]) {
    let output = xiao(folder).args(args).output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{args:?}: {word:?} is missing in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

fn model(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/models").join(name)).unwrap()
}

#[test]
fn models() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::write(at("poem.gguf"), "the moon is not a model\n".repeat(100)).unwrap();
    let whole = model("verse.gguf");
    fs::write(at("half.gguf"), &whole[..whole.len() / 2]).unwrap();
    fs::write(at("head.gguf"), &whole[..5000]).unwrap();
    fs::write(at("empty.gguf"), "").unwrap();
    // The same file with another architecture's name of the same length.
    let mut other = whole.clone();
    let place = other.windows(5).position(|w| w == b"llama").unwrap();
    other[place..place + 5].copy_from_slice(b"mamba");
    fs::write(at("other.gguf"), other).unwrap();
    for command in
        [vec!["say", "x", "--model"], vec!["play", "--stage", "plain", "--no-record", "--model"], vec!["inspect"]]
    {
        let with = |file| [command.clone(), vec![file]].concat();
        refuses(dir.path(), &with("poem.gguf"), &["poem.gguf", "GGUF"]);
        refuses(dir.path(), &with("half.gguf"), &["half.gguf", "byte"]);
        refuses(dir.path(), &with("head.gguf"), &["head.gguf", "byte"]);
        refuses(dir.path(), &with("empty.gguf"), &["empty.gguf"]);
        refuses(dir.path(), &with("nowhere.gguf"), &["nowhere.gguf"]);
        refuses(dir.path(), &with("."), &["."]);
    }
    refuses(dir.path(), &["say", "x", "--model", "other.gguf"], &["other.gguf", "mamba", "llama"]);
    refuses(dir.path(), &["play", "--no-record", "--model", "other.gguf"], &["other.gguf", "mamba", "llama"]);
}

#[test]
fn patches() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write("key.toml", "title = \"x\"\n[prompts]\na = \"b\"\n[params]\n\"sampler.temprature\" = 0.5\n");
    write("range.toml", "title = \"x\"\n[prompts]\na = \"b\"\n[params]\n\"sampler.temperature\" = 7\n");
    write("broken.toml", "title = \"x\"\n[prompts\na = 1\n");
    for command in [vec!["check"], vec!["play", "--stage", "plain", "--no-record"]] {
        let with = |file| [command.clone(), vec![file]].concat();
        refuses(dir.path(), &with("key.toml"), &["key.toml:5", "sampler.temprature", "sampler.temperature"]);
        refuses(dir.path(), &with("range.toml"), &["range.toml:5", "sampler.temperature", "2"]);
        refuses(dir.path(), &with("broken.toml"), &["broken.toml:2"]);
        refuses(dir.path(), &with("nowhere.toml"), &["nowhere.toml"]);
    }
}

#[test]
fn recordings() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("taken")).unwrap();
    fs::write(dir.path().join("taken/mine.txt"), "keep me").unwrap();
    fs::write(dir.path().join("file"), "not a folder").unwrap();
    let play = |folder| ["play", "--stage", "plain", "--sound", "none", "--seconds", "1", "--record", folder];
    refuses(dir.path(), &play("taken"), &["taken", "empty"]);
    // What is wrong with the sound is said before a folder is made, so that the next try finds none.
    fs::write(dir.path().join("there.wav"), "mine").unwrap();
    for sound in ["there.wav", "nowhere/x.wav"] {
        refuses(dir.path(), &["play", "--stage", "plain", "--sound", sound, "--record", "new"], &[sound]);
        assert!(!dir.path().join("new").exists());
    }
    assert_eq!(fs::read_to_string(dir.path().join("there.wav")).unwrap(), "mine");
    refuses(dir.path(), &play("file/below"), &["file/below"]);
    refuses(dir.path(), &["replay", "taken", "--stage", "plain"], &["taken"]);
    refuses(dir.path(), &["replay", "nowhere", "--stage", "plain"], &["nowhere"]);
    refuses(dir.path(), &["render", "nowhere", "--wav", "x.wav"], &["nowhere"]);
    assert_eq!(fs::read_to_string(dir.path().join("taken/mine.txt")).unwrap(), "keep me");
    assert_eq!(fs::read_dir(dir.path().join("taken")).unwrap().count(), 1);
}

#[test]
fn looking_into_a_model() {
    let dir = tempfile::tempdir().unwrap();
    refuses(dir.path(), &["peek", "embedded", "--ids", "7,999999"], &["999999"]);
    refuses(dir.path(), &["peek", "embedded", ""], &["text"]);
    refuses(dir.path(), &["tokenize", "embedded", "--file", "nowhere.txt"], &["nowhere.txt"]);
}

#[test]
fn a_check_tells_everything_that_is_wrong_and_what_keys_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let check = |text: &str, more: &[&str]| {
        std::fs::write(folder.path().join("p.toml"), text).unwrap();
        let output = common::xiao(folder.path()).args(["check", "p.toml"]).args(more).output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.success(), out, err)
    };
    let wrong = "[prompts]\nmoon = \"m\"\n[params]\n\"sampler.temperatur\" = 1\n[keys]\nff = \"prompt.moon\"\n";
    let (fine, _, err) = check(wrong, &[]);
    assert!(!fine && err.contains("p.toml:4:1: ") && err.contains("p.toml:6:1: ") && !err.contains("more"), "{err}");
    let (fine, out, _) = check(wrong, &["--json"]);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(!fine);
    assert_eq!((told["problems"][1]["line"].as_u64(), told["problems"].as_array().unwrap().len()), (Some(6), 2));
    let (fine, out, _) = check("[prompts]\nmoon = \"m\"\n[keys]\n\"!\" = \"prompt.moon\"\no = \"prompt.moon\"\n", &[]);
    assert!(fine && out.contains("[keys] takes ! from what they do otherwise"), "{out}");
}
