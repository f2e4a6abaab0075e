//! `bench`: its figures are there and its peer may fail. How large they are is not for a test to say.

mod common;

use std::path::Path;

use common::{ok, stdout, xiao};
use serde_json::Value;

const EMBEDDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/models/verse.gguf");

fn bench(folder: &Path, args: &[&str]) -> Value {
    let small = ["--rounds", "2", "--contexts", "8,4096", "--tokens", "2", "--json"];
    serde_json::from_str(&stdout(&ok(xiao(folder).arg("bench").args(args).args(small)))).unwrap()
}

fn row<'a>(report: &'a Value, what: &str, context: u64) -> &'a Value {
    let rows = report["rows"].as_array().unwrap();
    rows.iter().find(|row| row["what"] == what && row["context"] == context).unwrap()
}

#[test]
fn the_embedded_model_is_measured() {
    let dir = tempfile::tempdir().unwrap();
    let report = bench(dir.path(), &["embedded", "--threads", "1"]);
    // The model has room for 512 tokens: 510 and the 2 behind them.
    for (what, context) in [("prefill", 8), ("decode", 8), ("prefill", 510), ("decode", 510), ("first_token", 0)] {
        let row = row(&report, what, context);
        let rounds = row["ours"]["rounds"].as_array().unwrap();
        assert!(rounds.len() == 2 && rounds.iter().all(|x| x.as_f64().unwrap() > 0.0), "{row}");
        assert!(row["peer"].is_null() && row["ratio"].is_null());
    }
    assert!(row(&report, "decode", 8)["of_bandwidth"].as_f64().unwrap() > 0.0);
    assert!(report["load_first_s"].as_f64().unwrap() > 0.0 && report["load_warm_s"].as_f64().unwrap() > 0.0);
    assert_eq!(report["memory"]["peak_bytes"].is_u64(), cfg!(target_os = "linux"));
    assert_eq!(report["threads"], 1);
}

#[cfg(unix)]
#[test]
fn a_peer_runs_in_turn_or_is_left_out() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let script = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    };
    let print = r#"echo "[{\"n_prompt\": $4, \"n_gen\": $6, \"n_depth\": $8, \"avg_ts\": 50.0}]""#;
    let good = bench(dir.path(), &[EMBEDDED, "--vs", &script("good", print)]);
    let decode = row(&good, "decode", 8);
    assert_eq!(decode["peer"]["rounds"], serde_json::json!([50.0, 50.0]));
    let (ours, ratio) = (&decode["ours"]["rounds"][0], &decode["ratio"]["rounds"][0]);
    assert!((ours.as_f64().unwrap() / 50.0 - ratio.as_f64().unwrap()).abs() < 1e-9);
    assert!(good["peer_memory"].is_object() && good["notes"].as_array().unwrap().is_empty());
    for (name, text) in [("garbage", "echo 春眠不觉晓"), ("failing", "echo out of luck >&2; exit 1")] {
        let report = bench(dir.path(), &[EMBEDDED, "--vs", &script(name, text)]);
        assert!(row(&report, "decode", 510)["ratio"].is_null());
        let note = report["notes"][0].as_str().unwrap();
        assert!(note.contains("left out") && note.contains(name), "{note}");
    }
}
