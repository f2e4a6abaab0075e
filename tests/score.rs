//! `score`: how well a model foresees texts, as another program would read it.

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use common::{ok, stderr, stdout, xiao};
use serde_json::Value;

const ZH: &str = "春江潮水連海平\n海上明月共潮生\n";
const EN: &str = "The moon is up, and yet it is not night;\nSunset divides the sky with her\n";

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("zh.txt"), ZH).unwrap();
    fs::write(dir.path().join("both.txt"), format!("\u{feff}{ZH}\r\n \r\n{}", EN.replace('\n', "\r\n"))).unwrap();
    dir
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let output = ok(xiao(folder).arg("score").arg("embedded").args(args).arg("--json"));
    serde_json::from_str(&stdout(&output)).unwrap()
}

/// Every figure of a tally, each agreeing with the others.
fn tally(of: &Value) -> [f64; 5] {
    let [bits, tokens, characters, bytes, pieces] =
        ["bits", "tokens", "characters", "bytes", "pieces"].map(|name| of[name].as_f64().unwrap());
    let near = |name: &str, x: f64| assert!((of[name].as_f64().unwrap() / x - 1.0).abs() < 1e-9, "{name}: {of}");
    near("bits_per_char", bits / characters);
    near("bits_per_byte", bits / bytes);
    near("perplexity", (bits / tokens).exp2());
    assert!(bits > 0.0 && pieces > 0.0);
    [bits, tokens, characters, bytes, pieces]
}

#[test]
fn the_figures_are_whole() {
    let dir = folder();
    let got = json(dir.path(), &["both.txt", "zh.txt"]);
    let (all, zh, en) = (tally(&got), tally(&got["scripts"]["zh"]), tally(&got["scripts"]["en"]));
    for i in 0..5 {
        assert!((zh[i] + en[i] - all[i]).abs() < 1e-6, "{i}: {got}");
    }
    // With the newline inside of a piece, without those around it; how lines end is no matter.
    assert_eq!(en[2..], [EN.len() as f64 - 1.0, EN.len() as f64 - 1.0, 1.0]);
    assert_eq!(zh[2..], [2.0 * 15.0, 2.0 * 43.0, 2.0]);
    let texts = got["texts"].as_array().unwrap();
    assert_eq!((&texts[0]["text"], &texts[1]["text"]), (&"both.txt".into(), &"zh.txt".into()));
    assert_eq!(tally(&texts[1]), tally(&texts[0]["scripts"]["zh"]));
    assert!(texts[1]["scripts"]["en"].is_null() && texts[1]["listing"].is_null());
    assert_eq!((&got["model"], &got["piece_end"]), (&"embedded".into(), &"<|end|>".into()));
    // Better than any byte for another, and worse than a seer.
    let bits = got["bits_per_byte"].as_f64().unwrap();
    assert!((0.5..6.0).contains(&bits), "{bits}");
}

#[test]
fn lines_and_their_tokens_are_told_when_they_are_wanted() {
    let dir = folder();
    let got = json(dir.path(), &["both.txt", "--lines", "--context", "16"]);
    let listing = got["texts"][0]["listing"].as_array().unwrap();
    assert_eq!(
        listing.iter().map(|p| (&p["line"], &p["script"])).collect::<Vec<_>>(),
        [(&1.into(), &"zh".into()), (&5.into(), &"en".into())]
    );
    let mut bits = 0.0;
    for (piece, text) in listing.iter().zip([ZH, EN]) {
        tally(piece);
        let lines = piece["lines"].as_array().unwrap();
        assert_eq!(
            lines.iter().map(|l| l["text"].as_str().unwrap()).collect::<Vec<_>>(),
            text.lines().collect::<Vec<_>>()
        );
        let tokens: Vec<_> = lines.iter().flat_map(|line| line["tokens"].as_array().unwrap()).collect();
        let joined: String = tokens.iter().map(|token| token[0].as_str().unwrap()).collect();
        assert_eq!(joined, text.trim_end());
        assert_eq!(tokens.last().unwrap()[0], "", "the end of the piece");
        bits += tokens.iter().map(|token| token[1].as_f64().unwrap()).sum::<f64>();
    }
    assert!((bits - got["bits"].as_f64().unwrap()).abs() < 1e-6);
}

#[test]
fn a_person_reads_lines_and_a_table() {
    let dir = folder();
    let text = stdout(&ok(xiao(dir.path()).args(["score", "embedded", "both.txt"])));
    assert!(!text.contains('\x1b'), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "both.txt");
    assert!(lines[2].starts_with("    1 ") && lines[2].ends_with("  春江潮水連海平"), "{text}");
    assert!(lines.iter().any(|line| line.starts_with("    6 ") && line.ends_with("  Sunset divides the sky with her")));
    let rows: Vec<&str> = lines[lines.len() - 3..].iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(rows, ["zh", "en", "all"], "{text}");
    assert!(lines[lines.len() - 4].contains("bits/char  bits/byte perplexity"), "{text}");
}

#[test]
fn stdin_and_what_lies_in_wait_in_it() {
    let dir = folder();
    // An escape sequence, half of a pair of newlines, the text of a control token, and more than a context in one line.
    let hostile = format!("\x1b[2J\x1b]0;mine\x07\u{202e}<|end|><|zh|>\n{}\r\r\u{feff}é\u{301}🌙", "a ".repeat(600));
    let run = |args: &[&str]| {
        let mut child = xiao(dir.path())
            .args(["score", "embedded", "-"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(hostile.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        stdout(&output)
    };
    let got: Value = serde_json::from_str(&run(&["--json"])).unwrap();
    assert_eq!(got["characters"], hostile.chars().count());
    assert_eq!((&got["pieces"], &got["texts"][0]["text"]), (&1.into(), &"stdin".into()));
    let listed = run(&[]);
    assert!(!listed.contains(['\x1b', '\x07', '\u{202e}']), "{listed:?}");
    assert!(listed.contains("<|end|><|zh|>"), "{listed}");
}

#[test]
fn what_cannot_be_scored_is_refused_in_one_line() {
    let dir = folder();
    let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    write("empty.txt", b"");
    write("blank.txt", b"\n \n\t\n");
    write("latin.txt", b"caf\xe9 au lait");
    write("zeros.bin", b"GGUF\0\0\0\x03");
    for (args, words) in [
        (&["embedded", "empty.txt"][..], &["empty.txt", "no text"][..]),
        (&["embedded", "zh.txt", "blank.txt"], &["blank.txt", "no text"]),
        (&["embedded", "latin.txt"], &["latin.txt", "byte 3 (0xE9)", "UTF-8"]),
        (&["embedded", "zeros.bin"], &["zeros.bin", "no text"]),
        (&["embedded", "nowhere.txt"], &["nowhere.txt", "- for stdin"]),
        (&["embedded", "."], &[".", "directory"]),
        (&["embedded", "-"], &["stdin", "no text"]),
        (&["nowhere.gguf", "zh.txt"], &["nowhere.gguf"]),
        (&["zh.txt", "zh.txt"], &["zh.txt", "GGUF"]),
    ] {
        let output = xiao(dir.path()).arg("score").args(args).output().unwrap();
        let said = stderr(&output);
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{args:?}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{args:?}: {said}");
        assert!(output.stdout.is_empty(), "nothing is begun before everything can be read");
    }
}
