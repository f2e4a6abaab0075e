//! The MIDI inputs as the hands have them: looked for where there were none, polled, and told of.

use std::time::{Duration, Instant};

use super::State;
use super::activity::Activity;
use crate::control::{Message, Midi};
use crate::score::{Bus, Event};

/// How often MIDI is looked for on a machine that had none.
const RETRY: Duration = Duration::from_secs(5);

/// Every input and what is known of them.
pub(super) struct Controllers {
    midi: Option<Midi>,
    looked: Instant,
    /// Messages lost, as far as that was told.
    dropped: u64,
    messages: Vec<Message>,
    clocks: Vec<Message>,
    notices: Vec<String>,
    activity: Activity,
}

impl Controllers {
    /// Opens the machine's MIDI; where there is none, says so.
    pub fn open(bus: &Bus) -> Controllers {
        let midi = Midi::open().map_err(|why| bus.emit(Event::Notice { text: why.to_string() })).ok();
        Controllers {
            midi,
            looked: Instant::now(),
            dropped: 0,
            messages: Vec::new(),
            clocks: Vec::new(),
            notices: Vec::new(),
            activity: Activity::default(),
        }
    }

    /// Hands on what has come, to be called at each tick.
    pub fn tend(&mut self, state: &mut State) {
        match &mut self.midi {
            Some(midi) => {
                midi.poll(&mut self.messages, &mut self.notices);
                for text in self.notices.drain(..) {
                    state.hands.bus.emit(Event::Notice { text });
                }
                // One after the other: pickup asks where the parameter stands now.
                for message in self.messages.drain(..) {
                    let mapped = state.midi(&message);
                    self.activity.heard(&message.port, message.bytes(), mapped);
                }
                self.activity.tend(&state.hands.bus);
                midi.poll_clocks(&mut self.clocks);
                for message in self.clocks.drain(..) {
                    let t_ns = state.hands.bus.clock().at_ns(message.at);
                    state.hear_clock(t_ns, &message.port, message.bytes());
                }
                state.tend_clock(&|port| midi.has(port));
            }
            None => {
                state.tend_clock(&|_| false);
                if self.looked.elapsed() >= RETRY {
                    self.looked = Instant::now();
                    self.midi = Midi::open().ok();
                }
            }
        }
    }

    /// The JACK server took the ports with it. Closing them crashes inside libjack, so they are left as they are, and
    /// others are opened when a server is there again.
    pub fn server_is_gone(&mut self) {
        std::mem::forget(self.midi.take());
        self.looked = Instant::now();
    }

    /// Says how many messages were lost since the last time.
    pub fn tell_losses(&mut self, bus: &Bus) {
        let dropped = self.midi.as_ref().map_or(0, Midi::dropped);
        if dropped > self.dropped {
            let text = format!("MIDI: {} messages came too fast and were lost", dropped - self.dropped);
            bus.emit(Event::Notice { text });
        }
        self.dropped = dropped;
    }
}
