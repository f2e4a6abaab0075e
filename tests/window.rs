//! The windows on a display of the test's own (Xvfb, drawn by Mesa in software): they open, show, obey and end, and a
//! display that dies takes no show with it.
//!
//! Skipped, with a line that says so, where Xvfb, xwd, xdotool or a Vulkan driver is missing; the full screen where
//! openbox is, since without a window manager there is none. A window that opens but shows
//! nothing, or does not end, fails.
#![cfg(all(target_os = "linux", feature = "window"))]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A display that ends with the test.
struct Display(Child, String);

impl Display {
    /// `place` keeps the displays of one process apart.
    fn open(place: u32, screen: &str) -> Option<Display> {
        let name = format!(":{}", 200 + 3 * (std::process::id() % 1000) + place);
        let child = Command::new("Xvfb")
            .args([&name, "-screen", "0", screen, "-nolisten", "tcp"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let display = Display(child.ok()?, name);
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if display.picture("-root").is_some() {
                return Some(display);
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        None
    }

    /// The pixels of the screen (`-root`) or of a window, four bytes each, as `xwd` gives them: a header whose length stands in its first four bytes,
    /// then colours of 12 bytes each, then the rows.
    fn picture(&self, of: &str) -> Option<Vec<u8>> {
        let of: &[&str] = if of == "-root" { &[of] } else { &["-id", of] };
        let output = Command::new("xwd")
            .args(of)
            .args(["-silent", "-display", &self.1])
            .stderr(Stdio::null())
            .output()
            .ok()
            .filter(|o| o.status.success())?;
        let word = |at: usize| output.stdout.get(4 * at..4 * at + 4).map(|b| u32::from_be_bytes(b.try_into().unwrap()));
        let (header, colours) = (word(0)? as usize, word(19)? as usize);
        output.stdout.get(header + 12 * colours..).map(<[u8]>::to_vec)
    }
}

impl Display {
    /// What xdotool says; nothing where it fails or is not there.
    fn xdotool(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("xdotool").args(arguments).env("DISPLAY", &self.1).stderr(Stdio::null()).output();
        output.ok().filter(|o| o.status.success()).map(|o| String::from_utf8_lossy(&o.stdout).into_owned())
    }

    /// The windows that are shown whose titles have this part.
    fn windows(&self, title: &str) -> Vec<String> {
        let found = self.xdotool(&["search", "--onlyvisible", "--name", title]).unwrap_or_default();
        found.lines().map(str::to_string).collect()
    }

    fn press(&self, window: &str, key: &str) {
        self.xdotool(&["windowfocus", "--sync", window]);
        self.xdotool(&["key", key]);
    }

    /// Asks the window to close, as a window manager does.
    fn close(&self, window: &str) {
        use x11rb::protocol::xproto::{ClientMessageEvent, ConnectionExt, EventMask};
        let (x, _) = x11rb::connect(Some(&self.1)).unwrap();
        let atom = |name: &str| x.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
        let (protocols, delete) = (atom("WM_PROTOCOLS"), atom("WM_DELETE_WINDOW"));
        let window = window.parse().unwrap();
        let message = ClientMessageEvent::new(32, window, protocols, [delete, 0, 0, 0, 0]);
        x.send_event(false, window, EventMask::NO_EVENT, message).unwrap();
        // An answer, so that the server has read the message before the connection is gone.
        x.get_input_focus().unwrap().reply().unwrap();
    }
}

/// Waits until it is so; else says what was not.
fn until(what: &str, seconds: u64, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !so() {
        assert!(Instant::now() < deadline, "{what} did not come to be in {seconds} s");
        std::thread::sleep(Duration::from_millis(250));
    }
}

/// A show in a folder of its own.
fn show(display: &Display, folder: &std::path::Path, arguments: &[&str]) -> Child {
    let patch = "title = \"t\"\n[prompts]\nboth = \"The moon, 明月\"\n[params]\n\"stage.meters\" = 1\n";
    std::fs::write(folder.join("t.toml"), patch).unwrap();
    Command::new(env!("CARGO_BIN_EXE_xiao"))
        .args(["play", "t.toml", "--stage", "window", "--sound", "none", "--record", "rec"])
        .args(arguments)
        .current_dir(folder)
        .env("DISPLAY", &display.1)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A display with all that the tests of more than one window need.
fn equipped(place: u32) -> Option<Display> {
    let display = Display::open(place, "1700x1000x24").filter(|d| d.xdotool(&["version"]).is_some());
    if display.is_none() || xiao::visuals::adapters().is_empty() {
        println!("skipped: no Xvfb with xwd and xdotool, or no graphics adapter");
        return None;
    }
    display
}

#[test]
fn two_windows_obey_and_the_view_may_be_closed() {
    let Some(display) = equipped(1) else { return };
    let manager = Command::new("openbox").env("DISPLAY", &display.1).stderr(Stdio::null()).spawn().ok();
    let folder = tempfile::tempdir().unwrap();
    let mut show = show(&display, folder.path(), &["--view", "window", "--seconds", "80"]);
    until("two windows", 30, || display.windows("^t").len() == 2);
    let view = display.windows("view").remove(0);
    let stage = display.windows("^t$").remove(0);
    display.xdotool(&["windowmove", &stage, "0", "300"]);
    display.xdotool(&["windowraise", &view]);
    display.xdotool(&["windowsize", &view, "900", "600"]);
    until("the view's words", 20, || {
        display.xdotool(&["windowraise", &view]);
        display.picture(&view).is_some_and(|p| bright(&p) > 3000)
    });
    let pictures = folder.path().join("rec/pictures");
    until("a picture", 20, || {
        display.press(&view, "g");
        std::thread::sleep(Duration::from_secs(1));
        std::fs::read_dir(&pictures).is_ok_and(|files| files.count() > 0)
    });
    for size in [["1", "1"], ["1500", "900"], ["700", "200"], ["1280", "720"]] {
        display.xdotool(&["windowsize", &stage, size[0], size[1]]);
        std::thread::sleep(Duration::from_millis(400));
    }
    display.close(&view);
    until("the view's end", 15, || display.windows("^t").len() == 1);
    if let Some(mut manager) = manager {
        let size = |wanted: &str| display.xdotool(&["getwindowgeometry", &stage]).is_some_and(|g| g.contains(wanted));
        display.press(&stage, "f");
        until("a full screen", 15, || size("1700x1000"));
        display.press(&stage, "F11");
        until("a window again", 15, || !size("1700x1000"));
        manager.kill().unwrap();
        manager.wait().unwrap();
    } else {
        println!("the full screen is not tried: no openbox");
    }
    assert!(show.try_wait().unwrap().is_none(), "the show ended with its view");
    display.press(&stage, "q");
    until("the end", 15, || show.try_wait().unwrap().is_some());
    assert!(show.wait().unwrap().success());
    let journal = std::fs::read_to_string(folder.path().join("rec/journal.jsonl")).unwrap();
    for said in
        ["the performer's view was closed", r#""event":"picture","file":"pictures/001-"#, "the performer ended it"]
    {
        assert!(journal.contains(said), "{said}");
    }
    assert!(!journal.contains("the window failed"));
    let picture = std::fs::read_dir(&pictures).unwrap().next().unwrap().unwrap().path();
    let picture = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(picture).unwrap()));
    assert_eq!(picture.read_info().unwrap().info().size(), (1280, 720));
}

#[test]
fn a_display_that_dies_and_a_lost_device_end_no_show() {
    let Some(mut display) = equipped(2) else { return };
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    // In a terminal of its own, which takes the window's place.
    let xiao = env!("CARGO_BIN_EXE_xiao");
    let play = format!("stty rows 24 cols 100; exec {xiao} play --stage window --sound none --seconds 20 --record rec");
    let mut lost = Command::new("script");
    lost.args(["-qefc", &play, "typescript"]).env("TERM", "xterm-256color");
    lost.current_dir(folders[1].path()).env("DISPLAY", &display.1).env("XIAO_LOSE_DEVICE_S", "6");
    let mut lost = lost.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    assert!(lost.wait().unwrap().success());
    if cfg!(debug_assertions) {
        let written = std::fs::read(folders[1].path().join("typescript")).unwrap();
        // Said at the beginning, to the window.
        assert!(String::from_utf8_lossy(&written).contains("First light"), "the terminal begins with nothing");
    }
    let mut show = show(&display, folders[0].path(), &["--seconds", "20"]);
    until("a window", 15, || display.windows("^t$").len() == 1);
    std::thread::sleep(Duration::from_secs(3));
    display.0.kill().unwrap();
    assert!(show.wait().unwrap().success());
    for (folder, lost) in folders.iter().zip([true, cfg!(debug_assertions)]) {
        let journal = std::fs::read_to_string(folder.path().join("rec/journal.jsonl")).unwrap();
        assert!(journal.contains("the time was up"));
        let Some((_, after)) = journal.split_once("the window failed") else {
            assert!(!lost, "no fault was said");
            continue;
        };
        assert!(after.matches(r#""event":"token""#).count() > 10, "the model fell silent with the window");
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
    let Some(display) = Display::open(0, "640x360x24").filter(|_| !adapters.is_empty()) else {
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
        seen = display.picture("-root").unwrap_or_default();
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
