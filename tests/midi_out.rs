//! MIDI out through a JACK server of its own: a synthesiser is found while playing, hears notes that begin and end, and
//! plays again when it is back.
//!
//! Skipped, with a line that says so, where jackd is missing or does not start.
#![cfg(all(target_os = "linux", feature = "midi-jack"))]

#[path = "common/server.rs"]
mod server;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use midir::os::unix::VirtualInput;
use midir::{Ignore, MidiInput, MidiInputConnection};
use xiao::control::midi;
use xiao::patch::{self, Listeners};
use xiao::score::{Bus, Clock, Event, Flaw, FlawKind, Params, Policy, Queue};
use xiao::session::midi_out::Synths;

#[test]
fn a_synthesiser_is_played_through_jack() {
    server::apart("a_synthesiser_is_played_through_jack", play);
}

type Heard = Arc<Mutex<Vec<(Instant, Vec<u8>)>>>;

/// A synthesiser with one virtual input, called `xiao-test-synth:keys` by JACK.
fn plug_in(heard: &Heard) -> MidiInputConnection<()> {
    let heard = heard.clone();
    let mut input = MidiInput::new("xiao-test-synth").unwrap();
    input.ignore(Ignore::None);
    let hear = move |_: u64, bytes: &[u8], _: &mut ()| heard.lock().unwrap().push((Instant::now(), bytes.to_vec()));
    input.create_virtual("keys", hear, ()).unwrap()
}

/// Waits until `done`, doing `each` in between; false after 20 s.
fn until(mut each: impl FnMut(), done: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        if Instant::now() > deadline {
            return false;
        }
        each();
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

/// Whether something was said since the last look.
fn told_now(told: &Queue, words: &str) -> bool {
    let mut events = Vec::new();
    told.drain(&mut events);
    events.iter().any(|e| matches!(&e.event, Event::Notice { text } if text.contains(words)))
}

fn synths(rows: &str) -> Listeners {
    let text = format!("[prompts]\na = \"a\"\n[midi_out.\"*TEST-synth*\"]\n{rows}");
    patch::parse("p.toml", &text).unwrap().listeners()
}

fn play(name: &str) {
    let Some(_server) = server::Server::start(name) else { return };
    let bus = Bus::new(Clock::live());
    let told = bus.subscribe("test", Policy::Coalesce, 1 << 14);
    let heard = Heard::default();
    let has = |wanted: &dyn Fn(&[u8]) -> bool| heard.lock().unwrap().iter().any(|(_, bytes)| wanted(bytes));
    let flaw = || {
        let kind = FlawKind::Leap;
        bus.emit(Event::Flaw(Flaw { kind, index: 0, period: 1, count: 1, cause: String::new() }));
    };

    let mut playing =
        Synths::start(&bus, &Arc::new(Params::default()), &synths("flaws = { note = 36, length_ms = 60000 }"));
    assert!(until(|| (), || told_now(&told, "no port matches \"*TEST-synth*\" yet")));
    let synth = plug_in(&heard);
    assert!(until(|| (), || told_now(&told, "playing to xiao-test-synth:keys")));
    assert!(midi::list().outputs.contains(&"xiao-test-synth:keys".to_string()));
    assert!(midi::list().outputs.iter().all(|name| !name.starts_with("xiao-out")));

    // A note; another map ends it.
    assert!(until(flaw, || has(&|b| b == [0x90, 38, 100])));
    playing.take(&synths("channel = 2\nflaws = { note = 36, length_ms = 60000 }\nclock = { bpm = 120 }"));
    assert!(until(|| (), || has(&|b| b == [0x80, 38, 0]) && has(&|b| b == [0xfa]) && has(&|b| b == [0xf8])));
    assert!(until(flaw, || has(&|b| b == [0x91, 38, 100])));
    std::thread::sleep(Duration::from_secs(3));
    lateness(&heard.lock().unwrap());

    // Pulled out with a note in it, and put back: the note ends, and the next is heard.
    drop(synth);
    assert!(until(|| (), || told_now(&told, "xiao-test-synth:keys is gone")));
    heard.lock().unwrap().clear();
    let _synth = plug_in(&heard);
    assert!(until(|| (), || has(&|b| b == [0x81, 38, 0]) && has(&|b| b == [0xb1, 123, 0])));
    assert!(until(flaw, || has(&|b| b == [0x91, 38, 100])));
    bus.emit(Event::Panic);
    assert!(until(|| (), || has(&|b| b == [0xbf, 120, 0])));
    assert!(until(flaw, || heard.lock().unwrap().iter().filter(|(_, b)| *b == [0x91, 38, 100]).count() > 1));

    // The end ends everything.
    heard.lock().unwrap().clear();
    drop(playing);
    assert!(until(|| (), || has(&|b| b == [0x81, 38, 0]) && has(&|b| b == [0xfc])));
    assert!(has(&|b| b == [0xb1, 123, 0]));
}

/// Prints how far the ticks of the clock are from even, JACK's blocks of 5.3 ms included.
fn lateness(heard: &[(Instant, Vec<u8>)]) {
    let ticks: Vec<Instant> = heard.iter().filter(|(_, b)| *b == [0xf8]).map(|(t, _)| *t).collect();
    let mut steps: Vec<f64> = ticks.windows(2).map(|w| (w[1] - w[0]).as_secs_f64() * 1e3).collect();
    steps.sort_by(f64::total_cmp);
    if let (Some(first), Some(last)) = (steps.first(), steps.last()) {
        println!("{} ticks, {first:.2} to {last:.2} ms apart where 20.83 are even", ticks.len());
    }
}
