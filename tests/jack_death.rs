//! A performance whose JACK server is killed and started again: sound and MIDI ports go with it, the show goes on
//! meanwhile, and the sound is back soon after the server is.
//!
//! Skipped, with a line that says so, where jackd is missing or does not start.
#![cfg(all(target_os = "linux", feature = "jack", feature = "midi-jack"))]

#[path = "common/jackd.rs"]
mod jackd;

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use jackd::Server;
use xiao::journal;
use xiao::score::Event;

/// From the moment at which the server takes clients again.
const BACK_WITHIN: Duration = Duration::from_secs(3);

/// Hears the player's first output, and the loudest that came.
struct Ear {
    input: jack::Port<jack::AudioIn>,
    peak: Arc<AtomicU32>,
}

impl jack::ProcessHandler for Ear {
    fn process(&mut self, _: &jack::Client, scope: &jack::ProcessScope) -> jack::Control {
        let peak = self.input.as_slice(scope).iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
        // Positive numbers are ordered as their bits are.
        self.peak.fetch_max(peak.to_bits(), Ordering::Relaxed);
        jack::Control::Continue
    }
}

/// Waits for sound from the player; the time it took.
fn hear(within: Duration) -> Option<Duration> {
    let begun = Instant::now();
    let (client, _) = jack::Client::new("xiao-ear", jack::ClientOptions::NO_START_SERVER).ok()?;
    let input = client.register_port("in", jack::AudioIn::default()).ok()?;
    let (name, peak) = (input.name().ok()?, Arc::<AtomicU32>::default());
    let client = client.activate_async((), Ear { input, peak: peak.clone() }).ok()?;
    let mut joined = false;
    while begun.elapsed() < within {
        let ports = client.as_client().ports(Some("cpal_client.*:out_0"), None, jack::PortFlags::IS_OUTPUT);
        joined =
            joined || ports.first().is_some_and(|port| client.as_client().connect_ports_by_name(port, &name).is_ok());
        if f32::from_bits(peak.load(Ordering::Relaxed)) > 1e-3 {
            return Some(begun.elapsed());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    None
}

#[test]
fn a_performance_outlives_the_server_and_takes_up_the_next() {
    let name = format!("xiao-play-{}", std::process::id());
    jackd::hush_libjack();
    // SAFETY: the only test of this binary; no other thread reads the environment.
    let Some(mut server) = (unsafe { Server::start(&name) }) else {
        println!("skipped: jackd is not here or does not start");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut show = Command::new(env!("CARGO_BIN_EXE_xiao"))
        .args(["play", "--stage", "none", "--seconds", "14", "--record", "rec", "--set", "generator.pace=20"])
        .args(["--set", "generator.rest_s=0"])
        .current_dir(dir.path())
        .env_remove("DISPLAY")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    std::thread::sleep(Duration::from_secs(3));
    server.kill();
    std::thread::sleep(Duration::from_secs(2));
    let server = Server::again(&name);
    let back = begun.elapsed();
    let heard = server.as_ref().and_then(|_| hear(Duration::from_secs(8)));
    let status = show.wait().unwrap();
    assert!(status.success(), "{status}");
    assert!(server.is_some(), "jackd does not start again under its name");

    let events = journal::read(&dir.path().join("rec")).unwrap().events;
    assert!(events.iter().any(|e| matches!(e.event, Event::End { .. })));
    assert!(events.iter().any(|e| matches!(&e.event, Event::Sound { output, .. } if output.starts_with("jack"))));
    let at = |of: &dyn Fn(&Event) -> bool| events.iter().find(|e| of(&e.event)).map(|e| e.t_ns as f64 / 1e9);
    let gone = at(&|e| matches!(e, Event::Fault { what, .. } if what.starts_with("the device is gone")));
    let told = at(&|e| matches!(e, Event::Notice { text } if text.starts_with("sound: jack")));
    let (Some(gone), Some(told)) = (gone, told) else { panic!("lost at {gone:?}, back at {told:?}") };
    let tokens: Vec<f64> =
        events.iter().filter(|e| matches!(e.event, Event::Token(_))).map(|e| e.t_ns as f64 / 1e9).collect();
    let meanwhile = tokens.iter().filter(|t| (gone..told).contains(*t)).count();
    let pause = tokens.windows(2).map(|t| t[1] - t[0]).fold(0.0, f64::max);
    println!(
        "lost at {gone:.3} s, server back at about {:.3} s, sound told back at {told:.3} s and heard {heard:?} after the \
         server; {meanwhile} tokens meanwhile, the longest pause {pause:.3} s",
        back.as_secs_f64(),
    );
    let heard = heard.expect("no sound from the second server");
    assert!(heard < BACK_WITHIN, "the sound came {heard:?} after the server");
    // Twenty a second are asked for; half of them are enough on a busy machine.
    assert!(meanwhile as f64 > 10.0 * (told - gone), "{meanwhile} tokens in {} s", told - gone);
    // No frame is missing in the recording: it played for nobody at the same pace.
    let wav = hound::WavReader::open(dir.path().join("rec").join(journal::SOUND)).unwrap();
    let recorded_s = f64::from(wav.duration()) / f64::from(wav.spec().sample_rate);
    println!("{recorded_s:.2} s of sound recorded");
    assert!((recorded_s - 14.0).abs() < 1.5, "{recorded_s} s of sound");
}
