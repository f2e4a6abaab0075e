//! `models`, and names in the place of files: a home of its own with models in the usual places.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{ok, stderr, stdout, xiao};

/// A home with the embedded model's file under several names.
fn home() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let verse = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/models/verse.gguf")).unwrap();
    let write = |path: &str, bytes: &[u8]| {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    write("models/Small-Poet-Q8_0.gguf", &verse);
    write("models/half.gguf", &verse[..verse.len() / 2]);
    write(".ollama/models/blobs/sha256-ab", &verse);
    let layer = r#"{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:ab"}"#;
    write(
        ".ollama/models/manifests/registry.ollama.ai/library/poet/1b",
        format!("{{\"layers\": [{layer}]}}").as_bytes(),
    );
    write("work/patch.toml", b"title = \"x\"\nmodel = \"small-poet\"\n[prompts]\na = \"b\"\n");
    dir
}

fn at_home(home: &tempfile::TempDir) -> Command {
    let mut command = xiao(&home.path().join("work"));
    for name in ["OLLAMA_MODELS", "LLAMA_CACHE", "HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME"] {
        command.env_remove(name);
    }
    command.env("HOME", home.path());
    command
}

#[test]
fn the_list_fits_a_terminal_and_says_why_not() {
    let home = home();
    let text = stdout(&ok(at_home(&home).arg("models")));
    for word in ["~/models", "Small-Poet-Q8_0", "poet:1b", "llama", "4.52 M", "Q8_0", "cut short", "Mistral 7B"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&ok(at_home(&home).args(["models", "--json"])))).unwrap();
    let models = json["models"].as_array().unwrap();
    let find = |name: &str| models.iter().find(|m| m["name"] == name).unwrap();
    assert_eq!(find("Small-Poet-Q8_0")["plays"], "own");
    assert_eq!(find("half")["plays"], "not");
    assert_eq!(find("poet:1b")["place"], "ollama");
    assert!(json["recommended"].as_array().unwrap().len() >= 6);
}

#[test]
fn names_stand_for_files() {
    let home = home();
    let inspected = stdout(&ok(at_home(&home).args(["inspect", "small-poet"])));
    assert!(inspected.contains("Small-Poet-Q8_0.gguf"), "{inspected}");
    ok(at_home(&home).args(["say", "The moon", "--tokens", "3", "--model", "poet:1b", "--context", "64"]));
    ok(at_home(&home).args(["check", "patch.toml"]));
    let output = at_home(&home).args(["say", "x", "--model", "smal-poet"]).output().unwrap();
    assert!(stderr(&output).contains("did you mean \"Small-Poet-Q8_0\""), "{}", stderr(&output));
    assert_eq!((output.status.code(), stderr(&output).lines().count()), (Some(2), 1));
}
