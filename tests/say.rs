//! `say`, `peek`, `tokenize`, `inspect`: the model from outside.

mod common;

use common::{ok, stdout, xiao};
use serde_json::Value;

fn say(args: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    stdout(&ok(xiao(dir.path()).arg("say").args(args)))
}

fn json(args: &[&str]) -> Value {
    let dir = tempfile::tempdir().unwrap();
    serde_json::from_str(&stdout(&ok(xiao(dir.path()).args(args).arg("--json")))).unwrap()
}

#[test]
fn the_same_seed_says_the_same() {
    let a = say(&["The moon", "--tokens", "40", "--seed", "7"]);
    assert_eq!(a, say(&["The moon", "--tokens", "40", "--seed", "7"]));
    assert_ne!(a, say(&["The moon", "--tokens", "40", "--seed", "8"]));
    assert!(a.trim().chars().filter(|c| c.is_alphabetic()).count() > 20, "{a:?}");
}

#[test]
fn a_prompt_is_answered_in_its_script() {
    let han = |text: &str| text.chars().filter(|c| ('\u{4e00}'..'\u{9fff}').contains(c)).count();
    let chinese = say(&["春", "--tokens", "40", "--temperature", "0.5"]);
    assert!(han(&chinese) > 15, "{chinese:?}");
    let english = say(&["The moon", "--tokens", "40", "--temperature", "0.5"]);
    assert_eq!(han(&english), 0, "{english:?}");
}

#[test]
fn a_prompt_longer_than_the_context_is_continued() {
    // The embedded model's context holds 512 tokens.
    let verse = "The moon is up, and yet it is not night;\n".repeat(80);
    let said = say(&[&verse, "--tokens", "40", "--seed", "3", "--temperature", "0.5"]);
    assert!(said.trim().chars().count() > 20, "{said:?}");
}

#[test]
fn peek_gives_a_distribution() {
    let all = json(&["peek", "embedded", "--ids", "7,19,300", "--top", "0"]);
    assert_eq!(all["ids"], serde_json::json!([7, 19, 300]));
    let rows = all["top"].as_array().unwrap();
    assert_eq!(rows.len(), 6144);
    assert!(rows.iter().enumerate().all(|(i, row)| row["id"] == i));
    let sum: f64 = rows.iter().map(|row| row["p"].as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-4, "{sum}");
    let entropy: f64 =
        rows.iter().map(|row| row["p"].as_f64().unwrap()).filter(|p| *p > 0.0).map(|p| -p * p.log2()).sum();
    assert!((entropy - all["entropy_bits"].as_f64().unwrap()).abs() < 1e-2);
    let three = json(&["peek", "embedded", "--ids", "7,19,300", "--top", "3"]);
    let best = rows.iter().map(|row| row["logit"].as_f64().unwrap()).fold(f64::MIN, f64::max);
    assert_eq!(three["top"].as_array().unwrap().len(), 3);
    assert_eq!(three["top"][0]["logit"].as_f64().unwrap(), best);
}

#[test]
fn peek_shows_the_stages() {
    let args = ["peek", "embedded", "The moon", "--stages", "--top", "4", "--set", "sampler.top_k=5"];
    let got =
        json(&[&args[..], &["--set", "sampler.xtc_probability=1", "--set", "sampler.xtc_threshold=0.01"]].concat());
    let stages = got["stages"].as_array().unwrap();
    let stage = |name: &str| stages.iter().find(|s| s["stage"] == name).unwrap();
    assert_eq!(stages[0]["stage"], "model");
    assert_eq!((&stage("model")["left"], &stage("top_k")["left"]), (&6144.into(), &5.into()));
    assert_eq!(stage("dry")["on"], false);
    assert!(stage("xtc")["left"].as_u64().unwrap() < 5);
    let held = |name: &str| stage(name)["held"].as_f64().unwrap();
    assert!(held("model") > held("top_k") && held("top_k") > held("xtc"));
    let best = &stage("top_k")["top"][0];
    assert!(best["after"].as_f64().unwrap() > best["before"].as_f64().unwrap());
    let lost = stage("xtc")["top"].as_array().unwrap().iter().filter(|t| t["after"] == 0.0).count();
    assert!(lost > 0);
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("p.toml"),
        "[prompts]\na = \"b\"\n[sampler]\norder = [\"temperature\"]\nban = [\"月\", 99999]\n",
    )
    .unwrap();
    let table = stdout(&ok(xiao(dir.path()).args(["peek", "embedded", "月", "--stages", "--patch", "p.toml"])));
    assert!(table.contains("none with number 99999") && table.contains("ban          leaves 6143 tokens"), "{table}");
    assert!(!table.contains("top_k"), "{table}");
}

#[test]
fn any_parameter_can_be_set_for_what_is_said() {
    let plain = say(&["The moon", "--tokens", "30", "--seed", "7"]);
    assert_eq!(plain, say(&["The moon", "--tokens", "30", "--set", "sampler.seed=7"]));
    let cold = ["The moon", "--tokens", "30", "--set", "sampler.temperature=0", "--seed"];
    assert_eq!(say(&[&cold[..], &["1"]].concat()), say(&[&cold[..], &["2"]].concat()));
    let steered = say(&["The moon", "--tokens", "30", "--seed", "7", "--set", "sampler.mirostat=2"]);
    assert_ne!(plain, steered);
}

#[test]
fn tokens_joined_are_the_text() {
    for text in ["春江花月夜", "The moon is up, and yet it is not night", "  two  spaces\n\tand lines", "<|end|>"]
    {
        let got = json(&["tokenize", "embedded", text]);
        let pieces: String = got["pieces"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
        assert_eq!(pieces, text);
        assert!(got["ids"].as_array().unwrap().iter().all(|id| id.as_u64().unwrap() > 3), "{got}");
    }
    let special = json(&["tokenize", "embedded", "<|end|>", "--special"]);
    assert_eq!(special["ids"], serde_json::json!([0]));
}

#[test]
fn inspect_tells_the_anatomy_and_says_unknown() {
    let info = json(&["inspect", "embedded"]);
    assert_eq!(info["architecture"], "llama");
    assert_eq!(info["vocabulary"], 6144);
    assert_eq!(info["layers"], 4);
    assert!(info.to_string().contains("CC0"), "{info}");
    assert!(info.to_string().contains("unknown"), "{info}");
    assert!(info["machine"].is_object());
}

#[test]
fn the_tables_are_data() {
    assert!(json(&["params"]).as_array().unwrap().iter().any(|p| p["name"] == "sampler.temperature"));
    assert!(json(&["signals"]).as_array().unwrap().iter().any(|s| s["name"] == "machine.cpu"));
    let devices = json(&["devices"]);
    for kind in ["sound", "midi", "displays", "sensors"] {
        assert!(!devices[kind].is_null(), "{devices}");
    }
}
