//! The hands' part in Ableton Link: they join when the patch asks for it, follow what is shared, and share what a hand sets.

use super::State;
use super::tempo::not_followed;
use crate::control::link::{Heard, Link};
use crate::patch::TempoFrom;
use crate::score::Event;

/// Our place among those that share, and how many they were when that was told.
#[derive(Default)]
pub(super) struct Shared {
    link: Option<Link>,
    peers: u64,
    /// The shared tempo is none that is followed, and that was said.
    outside: bool,
}

impl Shared {
    /// How a timeline that is shared is called.
    pub fn name(&self) -> &'static str {
        if self.peers > 0 && !self.outside { "Link" } else { "" }
    }

    pub fn set_tempo(&mut self, bpm: f64) {
        if let Some(link) = &mut self.link {
            link.set_tempo(bpm);
        }
    }
}

impl State {
    /// Follows the others, to be called at each tick.
    pub(super) fn tend_link(&mut self) {
        let wanted = self.hands.patch.tempo.from == TempoFrom::Link;
        let shared = &mut self.tempo.shared;
        if wanted != shared.link.is_some() {
            shared.link = wanted.then(|| Link::join(self.tempo.line.bpm()));
        }
        let peers = shared.link.as_ref().map_or(0, Link::peers);
        let others = std::mem::replace(&mut shared.peers, peers) != peers;
        let bus = &self.hands.bus;
        let heard = shared.link.as_mut().and_then(|link| link.hear(&self.tempo.line, &|| bus.clock().now_ns()));
        let outside = matches!(heard, Some(Heard::Outside(_)));
        let turned = std::mem::replace(&mut shared.outside, outside) != outside;
        if others {
            let text = match peers {
                0 => "Link: nobody else is there".to_string(),
                1 => "Link: the tempo is shared with another".to_string(),
                _ => format!("Link: the tempo is shared with {peers} others"),
            };
            bus.emit(Event::Notice { text });
        }
        match heard {
            Some(Heard::Off(right)) => return self.follow(right),
            Some(Heard::Outside(bpm)) if turned => {
                bus.emit(Event::Notice { text: not_followed("Link is at", bpm) });
            }
            _ => {}
        }
        if others || turned {
            self.tell_whose();
        }
    }
}
