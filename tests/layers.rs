//! Keeps the import rule of `src/lib.rs`: imports point downwards only, siblings do not import each other, and each
//! heavy dependency is seen by one module alone.

use std::fs;
use std::path::{Path, PathBuf};

/// Each module and its layer.
const LAYERS: [(&str, u32); 14] = [
    ("cli", 7),
    ("session", 6),
    ("train", 5),
    ("model", 4),
    ("machine", 4),
    ("control", 4),
    ("audio", 4),
    ("visuals", 4),
    ("terminal", 4),
    ("journal", 4),
    ("network", 4),
    ("desk", 3),
    ("patch", 2),
    ("score", 1),
];

/// Crates that only these places may name, by the beginning of their paths below `src/`.
const KEPT: [(&str, &[&str]); 27] = [
    ("candle_core", &["model/", "train/"]),
    ("candle_nn", &["model/", "train/"]),
    ("tokenizers", &["model/", "train/"]),
    ("nannou", &["visuals/"]),
    ("winit", &["visuals/"]),
    ("wgpu", &["visuals/"]),
    ("naga", &["visuals/shader/"]),
    // The spectrogram is a picture too; its letters are the stage's.
    ("unifont", &["visuals/", "audio/spectrogram"]),
    ("cpal", &["audio/output"]),
    ("rodio", &["audio/bank"]),
    ("rubato", &["audio/bank"]),
    ("fundsp", &["audio/"]),
    ("flac_codec", &["audio/file"]),
    ("hound", &["audio/"]),
    ("midir", &["control/midi"]),
    ("gilrs", &["control/gamepad"]),
    ("rusty_link", &["control/link"]),
    ("rosc", &["network/packet"]),
    ("httparse", &["network/query"]),
    ("UdpSocket", &["network/", "session/network"]),
    ("TcpListener", &["network/"]),
    ("ratatui", &["terminal/"]),
    ("crossterm", &["terminal/"]),
    ("sysinfo", &["machine/"]),
    ("gemm", &["train/"]),
    ("lzma_rust2", &["train/yardstick/"]),
    ("ppmd_rust", &["train/yardstick/"]),
];

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// Every module of ours that a line of code names after `crate::` or `xiao::`, braces included.
fn named(line: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        for (module, _) in LAYERS {
            let here = |s: &str| {
                s.starts_with(module) && !s[module.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
            };
            let in_braces = rest.starts_with('{') && rest.split(['{', ',', ' ']).any(here);
            if here(rest) || in_braces {
                found.push(module);
            }
        }
    }
    found
}

/// The code of a file without its comments, numbered from 1.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(i, line)| (i + 1, line.split("//").next().unwrap_or("")))
}

#[test]
fn imports_point_downwards_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 30, "only {} sources found below {}", files.len(), root.display());
    let mut wrong = Vec::new();
    for file in files {
        let below = file.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let module = below.split('/').next().unwrap();
        let Some((_, layer)) = LAYERS.iter().find(|(name, _)| *name == module) else { continue };
        for (number, line) in code(&fs::read_to_string(&file).unwrap()) {
            for other in named(line) {
                let other_layer = LAYERS.iter().find(|(name, _)| *name == other).unwrap().1;
                if other != module && other_layer >= *layer {
                    wrong.push(format!("src/{below}:{number}: {module} may not import {other}"));
                }
            }
            for (krate, homes) in KEPT {
                let names = line.match_indices(krate).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    line[at + krate.len()..].starts_with("::")
                        && !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
                });
                if names && !homes.iter().any(|home| below.starts_with(home)) {
                    wrong.push(format!("src/{below}:{number}: only {homes:?} may name {krate}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_rule_is_one_that_can_be_broken() {
    assert_eq!(named("use crate::audio::Engine;"), ["audio"]);
    assert_eq!(named("use crate::{score, model::Model};"), ["model", "score"]);
    assert_eq!(named("let x = crate::session::play();"), ["session"]);
    assert!(named("use super::modelling;").is_empty());
    assert!(named("use crate::models::x;").is_empty());
}

#[test]
fn every_file_says_what_it_owns() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let silent: Vec<_> = files.iter().filter(|f| !fs::read_to_string(f).unwrap().starts_with("//!")).collect();
    assert!(silent.is_empty(), "these files do not open with //!: {silent:?}");
}
