//! The MIDI inputs and gamepads as the hands have them: looked for where there were none, polled, and told of.

use std::time::{Duration, Instant};

use super::State;
use super::activity::Activity;
#[cfg(feature = "gamepad")]
use crate::control::gamepad::{Gamepads, Heard};
use crate::control::mapping::matches;
use crate::control::{Message, Midi, known};
use crate::patch::{Controller, Patch};
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
    #[cfg(feature = "gamepad")]
    pads: Option<Gamepads>,
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
            #[cfg(feature = "gamepad")]
            pads: open_pads(bus),
        }
    }

    /// Hands on what has come, to be called at each tick.
    pub fn tend(&mut self, state: &mut State) {
        match &mut self.midi {
            Some(midi) => {
                midi.poll(&mut self.messages, &mut self.notices);
                if !self.notices.is_empty() {
                    state.light(midi.ports());
                }
                for text in self.notices.drain(..) {
                    state.hands.bus.emit(Event::Notice { text });
                }
                // One after the other: pickup asks where the parameter stands now.
                for message in self.messages.drain(..) {
                    let mapped = state.midi(&message);
                    self.activity.heard(&message.port, message.bytes(), mapped);
                }
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
        #[cfg(feature = "gamepad")]
        self.tend_pads(state);
        self.activity.tend(&state.hands.bus);
    }

    #[cfg(feature = "gamepad")]
    fn tend_pads(&mut self, state: &mut State) {
        let Some(pads) = &mut self.pads else { return };
        let mut heard = Vec::new();
        pads.poll(&mut heard);
        for heard in heard {
            match heard {
                Heard::Here(name) => {
                    state.pads += 1;
                    state.say(&format!("gamepad: {name} is here"));
                }
                Heard::Gone(name) => {
                    state.pads = state.pads.saturating_sub(1);
                    state.say(&format!("gamepad: {name} is gone"));
                    state.let_go(Some(&name));
                }
                Heard::Said(name, said) => {
                    let mapped = state.pad(&name, said);
                    self.activity.said(&name, said, mapped);
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

impl State {
    /// Tells the controllers that are here what they show, those that the patch tells anything and those that are known.
    fn light<'a>(&mut self, ports: impl Iterator<Item = &'a str>) {
        let ports: Vec<String> = ports.map(str::to_string).collect();
        let gone: Vec<String> = self.ports.iter().filter(|port| !ports.contains(port)).cloned().collect();
        self.ports = ports;
        gone.iter().for_each(|port| self.let_go(Some(port)));
        self.tell_listeners();
    }

    /// Lets the MIDI-out thread know whoever is told anything.
    pub(super) fn tell_listeners(&mut self) {
        let mut listeners = self.hands.patch.listeners();
        listeners.controllers.extend(lit(&self.hands.patch, &self.ports));
        self.hands.synths.take(&listeners);
        // A thread that begins now has not heard of the beats.
        self.hands.synths.retime(self.tempo.line);
    }
}

/// The controllers that xiao knows, that are here and have lamps, but for those that a table of the patch is about.
fn lit(patch: &Patch, ports: &[String]) -> Vec<Controller> {
    let about =
        |port: &String| patch.controllers.iter().any(|c| c.pattern != "*" && !c.gives_way && matches(&c.pattern, port));
    let here = |known: &Controller| ports.iter().any(|port| matches(&known.pattern, port) && !about(port));
    known::behind(patch).into_iter().filter(|c| c.known && c.feedback.is_some() && here(c)).collect()
}

#[cfg(feature = "gamepad")]
fn open_pads(bus: &Bus) -> Option<Gamepads> {
    let opened = Gamepads::open();
    opened.map_err(|why| bus.emit(Event::Notice { text: format!("no gamepads on this machine ({why})") })).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch;

    #[test]
    fn lamps_of_known_controllers_follow_where_no_table_is_about_them() {
        let lit = |text: &str, port: &str| {
            let patch = patch::parse("p.toml", &format!("{text}\n[prompts]\na = \"a\"\n")).unwrap();
            lit(&patch, &[port.to_string()]).len()
        };
        assert_eq!(lit("", "MIDI Mix:MIDI Mix MIDI 1"), 1);
        assert_eq!(lit("[midi.\"*\"]\ncc1 = \"prompt.a\"", "MIDI Mix"), 1);
        assert_eq!(lit("[midi.\"MIDI*\"]\ncc1 = \"prompt.a\"", "MIDI Mix"), 0);
        assert_eq!(lit("controllers = false", "MIDI Mix"), 0);
        assert_eq!(lit("", "nanoKONTROL2"), 0, "its lamps want another mode");
    }
}
