//! MIDI through a JACK server of its own: ports are found while playing, controls become actions, and a controller
//! that was pulled out works again when it is back.
//!
//! Skipped, with a line that says so, where jackd is missing or does not start.
#![cfg(all(target_os = "linux", feature = "midi-jack"))]

#[path = "common/server.rs"]
mod server;

use std::time::{Duration, Instant};

use midir::os::unix::VirtualOutput;
use midir::{MidiOutput, MidiOutputConnection};
use xiao::control::{Mapping, Message, Midi};
use xiao::patch;
use xiao::score::{Action, ParamId, Params};

#[test]
fn a_controller_plays_through_jack() {
    server::apart("a_controller_plays_through_jack", play);
}

/// A controller with one virtual output, called `xiao-test-knobs:knobs` by JACK.
fn plug_in() -> MidiOutputConnection {
    MidiOutput::new("xiao-test-knobs").unwrap().create_virtual("knobs").unwrap()
}

/// What the hands thread holds.
struct Hands {
    midi: Midi,
    messages: Vec<Message>,
    notices: Vec<String>,
}

impl Hands {
    /// Polls until `done` says so, doing `each` in between; false after 20 s.
    fn until(&mut self, mut each: impl FnMut(), done: impl Fn(&Hands) -> bool) -> bool {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !done(self) {
            if Instant::now() > deadline {
                return false;
            }
            each();
            self.midi.poll(&mut self.messages, &mut self.notices);
            std::thread::sleep(Duration::from_millis(2));
        }
        true
    }

    fn was_told(&self, end: &str) -> bool {
        self.notices.iter().any(|n| n.contains("xiao-test-knobs:knobs") && n.ends_with(end))
    }

    fn hears(&mut self, knobs: &mut MidiOutputConnection, bytes: [u8; 3]) -> bool {
        // A server that is not real-time may lose a message under load: send until one comes.
        let send = || knobs.send(&bytes).unwrap();
        self.until(send, |h| h.messages.iter().any(|m| m.bytes() == bytes && &*m.port == "xiao-test-knobs:knobs"))
    }

    fn forget(&mut self) {
        self.messages.clear();
        self.notices.clear();
    }
}

fn play(name: &str) {
    assert!(Midi::open().is_err(), "no server is running yet");
    let Some(_server) = server::Server::start(name) else { return };
    let midi = Midi::open().unwrap();
    let mut hands = Hands { midi, messages: Vec::new(), notices: Vec::new() };
    hands.midi.poll(&mut hands.messages, &mut hands.notices);
    assert!(!hands.was_told("is here"));

    // Plugged in while playing.
    let mut knobs = plug_in();
    assert!(hands.until(|| (), |h| h.was_told("is here")), "{:?}", hands.notices);
    assert!(hands.hears(&mut knobs, [0xb0, 7, 127]));

    let text =
        "[prompts]\na = \"a\"\n[midi.\"XIAO-test-knobs*\"]\ncc7 = { to = \"sampler.temperature\", range = [0, 1.5] }";
    let mut mapping = Mapping::new(&patch::parse("p.toml", text).unwrap().controllers);
    let params = Params::default();
    let mut actions = Vec::new();
    let message = &hands.messages[0];
    mapping.message(&message.port, message.bytes(), &|id| params.get(id), &mut actions, &mut |_| {});
    assert_eq!(actions, [Action::Set(ParamId::Temperature, 1.5)]);

    // What is no control does not come through.
    hands.forget();
    for _ in 0..10 {
        knobs.send(&[0xf8]).unwrap();
    }
    assert!(hands.hears(&mut knobs, [0x90, 36, 100]));
    assert!(hands.messages.iter().all(|m| m.bytes()[0] < 0xf0));

    // Pulled out and put back.
    drop(knobs);
    assert!(hands.until(|| (), |h| h.was_told("is gone")), "{:?}", hands.notices);
    hands.forget();
    let mut knobs = plug_in();
    assert!(hands.until(|| (), |h| h.was_told("is here")), "{:?}", hands.notices);
    assert!(hands.hears(&mut knobs, [0xb0, 7, 1]));
    assert_eq!(hands.midi.dropped(), 0);
}
