//! A performance whose JACK server dies: sound and MIDI ports go with it, and the show goes on.
//!
//! Skipped, with a line that says so, where jackd is missing or does not start.
#![cfg(all(target_os = "linux", feature = "jack", feature = "midi-jack"))]

use std::process::{Child, Command, Stdio};
use std::time::Duration;

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // SIGTERM: after a SIGKILL the server's name stays in /dev/shm, and after eight of them no server starts.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// It ends in order, with its recording closed.
#[test]
fn a_performance_outlives_the_server() {
    let name = format!("xiao-play-{}", std::process::id());
    let server = Command::new("jackd")
        .args(["-n", &name, "--no-realtime", "--no-mlock", "-d", "dummy", "-r", "48000", "-p", "1024"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(server) = server.map(Server) else {
        println!("skipped: jackd is not here");
        return;
    };
    std::thread::sleep(Duration::from_secs(2));
    let dir = tempfile::tempdir().unwrap();
    let show = Command::new(env!("CARGO_BIN_EXE_xiao"))
        .args(["play", "--stage", "plain", "--seconds", "8", "--record", "rec"])
        .current_dir(dir.path())
        .env("JACK_DEFAULT_SERVER", &name)
        .env("JACK_NO_START_SERVER", "1")
        .env_remove("DISPLAY")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut show = show.unwrap();
    std::thread::sleep(Duration::from_secs(3));
    drop(server);
    let status = show.wait().unwrap();
    let journal = std::fs::read_to_string(dir.path().join("rec/journal.jsonl")).unwrap();
    assert!(status.success(), "{status}");
    assert!(journal.contains(r#""event":"end""#));
    if !journal.contains(r#""output":"jack"#) {
        println!("skipped: jackd does not start here");
        return;
    }
    assert!(journal.contains("the device is gone"), "the loss was not said");
}
