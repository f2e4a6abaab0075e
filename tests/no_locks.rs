//! Nothing that the audio callback runs can wait: no lock, no file, no print stands in its sources.
//!
//! A lock that nobody else holds makes no system call, so no guard sees it at run time; this reads the sources instead.

use std::path::{Path, PathBuf};

/// Of `src/audio`, what other threads run. Whatever is added is the callback's until it is named here.
const ELSEWHERE: [&str; 12] = [
    "bank.rs",
    "bank",
    "file.rs",
    "hush.rs",
    "output",
    "recorder.rs",
    "render",
    "render.rs",
    "silent.rs",
    "spectrogram.rs",
    "tests",
    "tests.rs",
];
/// What would wait, or ask the system for something.
const WAITS: [&str; 14] = [
    "Mutex",
    "RwLock",
    "Condvar",
    "OnceLock",
    "LazyLock",
    "OnceCell",
    "thread_local!",
    ".lock(",
    "channel::",
    "std::fs",
    "std::io",
    "println!",
    "sleep(",
    "dbg!(",
];

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if ELSEWHERE.iter().any(|name| path.ends_with(Path::new("src/audio").join(name))) {
            continue;
        }
        match path.is_dir() {
            true => sources(&path, out),
            false => out.push(path),
        }
    }
}

#[test]
fn nothing_in_the_callback_waits() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src.join("audio"), &mut files);
    sources(&src.join("patch/matrix"), &mut files);
    assert!(files.len() > 25, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        // The rings' file has the session's side too, which may: the callback's is one block of it.
        let text = match file.ends_with("link.rs") {
            true => text.split_once("\nimpl Player {").unwrap().1.split_once("\n}\n").unwrap().0,
            false => text,
        };
        for waits in WAITS {
            assert!(!text.contains(waits), "{} has {waits:?}", file.display());
        }
    }
}
