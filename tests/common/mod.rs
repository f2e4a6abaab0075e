//! What the tests of the program share.

#![allow(dead_code)]

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The program, run in `folder` with no display, so that it behaves the same on every machine.
pub fn xiao(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xiao"));
    command.current_dir(folder).stdin(Stdio::null()).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    // A test machine may have sound; no test should be heard, nor depend on it.
    command.env("JACK_NO_START_SERVER", "1");
    command
}

/// Runs to the end and wants success.
pub fn ok(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}\n{}", stdout(&output), stderr(&output));
    output
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The events of a recording, parsed as plain JSON: what another program would see.
pub fn journal(folder: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(folder.join("journal.jsonl")).unwrap();
    text.lines().skip(1).filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The words of a recording: the texts of its tokens.
pub fn words(events: &[serde_json::Value]) -> String {
    events.iter().filter(|e| e["event"] == "token").map(|e| e["text"].as_str().unwrap()).collect()
}

/// The ids of a recording's tokens.
pub fn ids(events: &[serde_json::Value]) -> Vec<u64> {
    events.iter().filter(|e| e["event"] == "token").map(|e| e["id"].as_u64().unwrap()).collect()
}
