//! The window on a display of the test's own (Xvfb, drawn by Mesa in software): it opens, shows the words, and ends.
//!
//! Skipped, with a line that says so, where Xvfb, xwd or a Vulkan driver is missing. A window that opens but shows
//! nothing, or does not end, fails.
#![cfg(all(target_os = "linux", feature = "window"))]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A display that ends with the test.
struct Display(Child, String);

impl Display {
    fn open() -> Option<Display> {
        let name = format!(":{}", 200 + std::process::id() % 1000);
        let child = Command::new("Xvfb")
            .args([&name, "-screen", "0", "640x360x24", "-nolisten", "tcp"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let display = Display(child.ok()?, name);
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if display.picture().is_some() {
                return Some(display);
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        None
    }

    /// The screen's pixels, four bytes each, as `xwd` gives them: a header whose length stands in its first four bytes,
    /// then colours of 12 bytes each, then the rows.
    fn picture(&self) -> Option<Vec<u8>> {
        let output = Command::new("xwd")
            .args(["-root", "-silent", "-display", &self.1])
            .stderr(Stdio::null())
            .output()
            .ok()
            .filter(|o| o.status.success())?;
        let word = |at: usize| output.stdout.get(4 * at..4 * at + 4).map(|b| u32::from_be_bytes(b.try_into().unwrap()));
        let (header, colours) = (word(0)? as usize, word(19)? as usize);
        output.stdout.get(header + 12 * colours..).map(<[u8]>::to_vec)
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Pixels as light as words are: the field behind them never is.
fn bright(picture: &[u8]) -> usize {
    picture.chunks_exact(4).filter(|p| p[..3].iter().all(|v| *v > 130)).count()
}

/// Pixels that are neither black nor words: the field.
fn lit(picture: &[u8]) -> usize {
    picture.chunks_exact(4).filter(|p| p[..3].iter().any(|v| (8..100).contains(v))).count()
}

#[test]
fn the_window_shows_words_over_the_field_and_ends() {
    let adapters = xiao::visuals::adapters();
    let Some(display) = Display::open().filter(|_| !adapters.is_empty()) else {
        println!("skipped: no Xvfb with xwd, or no graphics adapter ({adapters:?})");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let patch = "title = \"t\"\n[prompts]\nboth = \"The moon, 明月\"\n[params]\n\"stage.meters\" = 0\n";
    std::fs::write(dir.path().join("t.toml"), patch).unwrap();
    let mut show = Command::new(env!("CARGO_BIN_EXE_xiao"))
        .args(["play", "t.toml", "--stage", "window", "--sound", "none", "--seconds", "30", "--record", "rec"])
        .current_dir(dir.path())
        .env("DISPLAY", &display.1)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(25);
    let mut seen = Vec::new();
    while Instant::now() < deadline && (bright(&seen) < 300 || lit(&seen) < 2000) {
        std::thread::sleep(Duration::from_millis(500));
        seen = display.picture().unwrap_or_default();
    }
    // SIGTERM, as a window manager or a service would end it.
    let _ = Command::new("kill").arg(show.id().to_string()).status();
    let status = show.wait().unwrap();
    assert!(bright(&seen) >= 300, "no words: {} bright pixels", bright(&seen));
    assert!(lit(&seen) >= 2000, "no field: {} lit pixels", lit(&seen));
    assert!(status.success(), "{status}");
    let journal = std::fs::read_to_string(dir.path().join("rec/journal.jsonl")).unwrap();
    assert!(journal.contains(r#""event":"token""#) && journal.contains(r#""event":"end""#));
    assert!(!journal.contains("the window failed"));
}
