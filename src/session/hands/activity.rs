//! What arrives from controllers, told as events at most ten times a second for each port.
//!
//! Of a storm only the last message of each tenth is put into words; the others cost a look through the ports.

use std::sync::Arc;

use crate::control;
#[cfg(feature = "gamepad")]
use crate::control::decoder::Said;
use crate::score::{Bus, Event};

const TELL_EVERY_NS: u64 = 100_000_000;

/// Every port that has spoken.
#[derive(Default)]
pub(super) struct Activity(Vec<Port>);

struct Port {
    name: Arc<str>,
    /// The last message, until it is told.
    last: Option<Last>,
    told_ns: Option<u64>,
}

struct Last {
    what: What,
    mapped: bool,
}

/// What was said, before it is put into words.
enum What {
    Midi {
        bytes: [u8; 3],
        len: usize,
    },
    #[cfg(feature = "gamepad")]
    Pad(Said),
}

impl Activity {
    /// A message came; `mapped` says whether the patch binds its control to anything.
    pub fn heard(&mut self, port: &Arc<str>, message: &[u8], mapped: bool) {
        let (mut bytes, len) = ([0; 3], message.len().min(3));
        bytes[..len].copy_from_slice(&message[..len]);
        self.keep(port, Last { what: What::Midi { bytes, len }, mapped });
    }

    /// The same for a gamepad.
    #[cfg(feature = "gamepad")]
    pub fn said(&mut self, port: &Arc<str>, said: Said, mapped: bool) {
        self.keep(port, Last { what: What::Pad(said), mapped });
    }

    fn keep(&mut self, port: &Arc<str>, last: Last) {
        match self.0.iter_mut().find(|known| Arc::ptr_eq(&known.name, port) || known.name == *port) {
            Some(known) => known.last = Some(last),
            None => self.0.push(Port { name: port.clone(), last: Some(last), told_ns: None }),
        }
    }

    /// Tells what is due.
    pub fn tend(&mut self, bus: &Bus) {
        if self.0.iter().all(|port| port.last.is_none()) {
            return;
        }
        let now_ns = bus.clock().now_ns();
        for port in &mut self.0 {
            if port.told_ns.is_some_and(|told_ns| now_ns.saturating_sub(told_ns) < TELL_EVERY_NS) {
                continue;
            }
            let Some(last) = port.last.take() else { continue };
            port.told_ns = Some(now_ns);
            let what = match last.what {
                What::Midi { bytes, len } => control::described(&bytes[..len]),
                #[cfg(feature = "gamepad")]
                What::Pad(said) => control::described_said(said),
            };
            let what = if last.mapped { what } else { format!("{what}, not mapped") };
            bus.emit(Event::Control { port: port.name.to_string(), what });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::{Clock, Policy};

    #[test]
    fn a_storm_is_told_ten_times_a_second_and_its_last_message_always() {
        let bus = Bus::new(Clock::at_rest());
        let events = bus.subscribe("test", Policy::Whole, 9999);
        let (knobs, pads): (Arc<str>, Arc<str>) = ("knobs".into(), "pads".into());
        let mut activity = Activity::default();
        // Ten thousand a second, for a second, and one note of another port meanwhile.
        for i in 0..10_000u64 {
            bus.clock().advance_to(i * 100_000);
            activity.heard(&knobs, &[0xb0, 7, (i % 128) as u8], true);
            if i == 5_000 {
                activity.heard(&pads, &[0x90, 36, 1], false);
            }
            activity.tend(&bus);
        }
        bus.clock().advance_to(2_000_000_000);
        activity.tend(&bus);
        activity.tend(&bus);
        let mut heard = Vec::new();
        events.drain(&mut heard);
        let told = |name: &str| -> Vec<String> {
            let events = heard.iter().filter_map(|stamped| match &stamped.event {
                Event::Control { port, what } if port == name => Some(what.clone()),
                _ => None,
            });
            events.collect()
        };
        let (knobs, pads) = (told("knobs"), told("pads"));
        assert_eq!((knobs.len(), knobs[0].as_str(), knobs[10].as_str()), (11, "cc7 = 0", "cc7 = 15"));
        assert_eq!(pads, ["note 36 on, not mapped"]);
    }
}
