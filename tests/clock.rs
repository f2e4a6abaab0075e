//! A MIDI clock through a JACK server of its own: a virtual master is followed, tokens come on its beats, and a virtual
//! slave is sent them. What is asserted is what the recording says.
//!
//! Skipped, with a line that says so, where jackd is missing or does not start.
#![cfg(all(target_os = "linux", feature = "midi-jack"))]

mod common;

#[path = "common/server.rs"]
mod server;

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use midir::os::unix::{VirtualInput, VirtualOutput};
use midir::{Ignore, MidiInput, MidiOutput, MidiOutputConnection};

/// The master's tempo.
const BPM: f64 = 150.0;

const PATCH: &str = r#"
[prompts]
moon = "The moon"
[params]
"generator.grid"  = "1/16"
"sound.tempo.bpm" = 90
[tempo]
from   = "midi"
device = "*TEST-master*"
stop   = "hold"
[midi_out."*TEST-slave*"]
clock = "tempo"
"#;

#[test]
fn a_master_is_followed_and_a_slave_follows() {
    server::apart("a_master_is_followed_and_a_slave_follows", play);
}

/// Ticks evenly, whatever the machine does meanwhile: a tick that is late is sent at once, and the next in its time.
fn tick(master: &mut MidiOutputConnection, beats: f64) {
    let began = Instant::now();
    for i in 0..(24.0 * beats) as u32 {
        let due = began + Duration::from_secs_f64(f64::from(i) * 60.0 / BPM / 24.0);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        master.send(&[0xf8]).unwrap();
    }
}

fn play(name: &str) {
    let Some(_server) = server::Server::start(name) else { return };
    let mut master = MidiOutput::new("xiao-test-master").unwrap().create_virtual("clock").unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (mut slave, to) = (MidiInput::new("xiao-test-slave").unwrap(), heard.clone());
    slave.ignore(Ignore::None);
    let hear = move |_: u64, bytes: &[u8], _: &mut ()| to.lock().unwrap().push(bytes.to_vec());
    let _slave = slave.create_virtual("clock", hear, ()).unwrap();

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.toml"), PATCH).unwrap();
    let mut command = common::xiao(folder.path());
    command.args(["play", "p.toml", "--stage", "none", "--seconds", "60", "--sound", "none", "--record", "r"]);
    let mut playing = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // It has found both when the slave is sent a clock.
    let deadline = Instant::now() + Duration::from_secs(40);
    while !heard.lock().unwrap().contains(&vec![0xf8]) {
        assert!(Instant::now() < deadline, "no clock came");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_secs(1));
    master.send(&[0xfa]).unwrap();
    tick(&mut master, 16.0);
    master.send(&[0xfc]).unwrap();
    // More than two beats of silence, and then the end.
    std::thread::sleep(Duration::from_secs(2));
    let _ = Command::new("kill").arg(playing.id().to_string()).status();
    assert!(playing.wait().unwrap().success());

    let events = common::journal(&folder.path().join("r"));
    let of = |kind: &str| events.iter().filter(|e| e["event"] == kind).collect::<Vec<_>>();
    let said = |words: &str| of("notice").iter().any(|e| e["text"].as_str().unwrap().contains(words));
    assert!(said("the tempo follows the clock of xiao-test-master:clock"));
    assert!(said("the clock of xiao-test-master:clock is silent"));
    let tempos = of("tempo");
    assert_eq!((tempos[0]["bpm"].as_f64(), tempos[0]["from"].as_str()), (Some(90.0), Some("")));
    let followed: Vec<_> = tempos.iter().filter(|e| e["from"] == "xiao-test-master:clock").collect();
    let bpm = followed.last().unwrap()["bpm"].as_f64().unwrap();
    assert!((bpm - BPM).abs() < 0.03 * BPM, "{bpm}");
    let last = tempos.last().unwrap();
    assert_eq!((last["from"].as_str(), last["bpm"].as_f64()), (Some(""), Some(bpm)), "silent, it stays");
    let by_clock = |id: &str| of("param").iter().filter(|e| e["id"] == id && e["by"] == "clock").count();
    assert!(by_clock("sound.tempo.bpm") > 0);
    assert_eq!(by_clock("generator.hold"), 1, "the master's stop withholds the tokens");
    assert!(of("token").len() > 8, "tokens came on its beats");
    // Another where its tempo was found later than its beat.
    let starts = heard.lock().unwrap().iter().filter(|bytes| bytes.as_slice() == [0xfa]).count();
    assert!(starts >= 2, "one of ours, and one for its beat: {starts}");
}
