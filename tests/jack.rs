//! A real device: a JACK server of the test's own, with the dummy driver, played through cpal.
//!
//! Where `jackd` is missing or cannot start, the test says so and passes. It asserts no timing: only that the sound
//! goes out, that what was recorded is what was made, and that the player survives the death of the server.
#![cfg(feature = "jack")]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use xiao::audio::output::{OutputError, OutputOptions, choose, list};
use xiao::audio::{Engine, Recorder, Report, Silent, link};
use xiao::patch::Matrix;
use xiao::score::{Event, Stamped};

struct Server(Child);

impl Server {
    fn start(name: &str) -> Option<Server> {
        let child = Command::new("jackd")
            .args(["-n", name, "--no-realtime", "--no-mlock", "-d", "dummy", "-r", "44100", "-p", "1024"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut server = Server(child.ok()?);
        for _ in 0..100 {
            std::thread::sleep(Duration::from_millis(100));
            if server.0.try_wait().ok()?.is_some() {
                return None;
            }
            if choose(&jack()).is_ok() {
                return Some(server);
            }
        }
        None
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGTERM: after a SIGKILL the server's name stays in /dev/shm, and after eight of them no server starts.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

fn jack() -> OutputOptions {
    OutputOptions { host: Some("jack".into()), ..OutputOptions::default() }
}

#[test]
fn jack_plays_is_lost_and_the_sound_goes_on() {
    let name = format!("xiao-test-{}", std::process::id());
    // SAFETY: the only test of this binary; no other thread reads the environment yet.
    unsafe {
        std::env::set_var("JACK_DEFAULT_SERVER", &name);
        std::env::set_var("JACK_NO_START_SERVER", "1");
    }
    assert!(matches!(choose(&jack()), Err(OutputError::NoJack)), "no server runs yet");
    let Some(server) = Server::start(&name) else {
        println!("skipped: jackd is not here or cannot start");
        return;
    };
    let listed = list();
    assert!(listed.iter().any(|h| h.host == "jack" && h.devices.iter().any(|d| d.config.is_some())), "{listed:?}");
    let device = choose(&OutputOptions::default()).unwrap();
    assert_eq!(device.rate_hz(), 44_100, "the rate is the server's");

    let (mut desk, player) = link(Engine::new(device.rate_hz(), 1, Matrix::default()));
    let dir = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(desk.tape().unwrap(), &dir.path().join("sound.wav")).unwrap();
    let send = desk.cue_sender();
    let output = device.open(player).unwrap_or_else(|e| panic!("{e}"));
    send(&Stamped { seq: 0, t_ns: 0, event: Event::Prompt { name: None, text: "a".into(), tokens: 1 } });
    let heard = |desk: &mut xiao::audio::Desk, of| {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if desk.reports().any(|r| matches!(r, Report::Heard { of: seq, .. } if seq == of)) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    };
    assert!(heard(&mut desk, 0), "the callback runs");
    std::thread::sleep(Duration::from_millis(1000));

    drop(server);
    let deadline = Instant::now() + Duration::from_secs(20);
    while output.lost().is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(output.lost().is_some(), "the server's death is told");
    let player = output.close().expect("the player comes back");
    let silent = Silent::start(player).unwrap();
    send(&Stamped { seq: 1, t_ns: 0, event: Event::PieceEnd { tokens: 1 } });
    assert!(heard(&mut desk, 1), "and plays on without a device");
    assert!(silent.stop().is_some());
    let recorded = recorder.stop().unwrap();
    assert_eq!(recorded.gap_frames, 0);
    assert!(recorded.written.frames > 44_100 / 2 && recorded.written.peak > 0.01, "{recorded:?}");
}
