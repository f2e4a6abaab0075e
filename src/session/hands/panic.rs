//! Panic: silence and no further token, until it is taken back.

use super::State;
use crate::score::{Event, Hand, ParamId};

/// What a panic holds.
const HELD: [ParamId; 2] = [ParamId::Mute, ParamId::Hold];

impl State {
    /// Silence and no further token, whatever a plan, a patch or another hand sets meanwhile; again, both are what they
    /// would be without it, and the parameters what they are in the settings that were recalled or stored last.
    pub(super) fn panic(&mut self, by: Hand) {
        if self.panicked.is_none() {
            self.hands.bus.emit(Event::Panic);
            let before = HELD.map(|id| self.hands.params.get(id));
            HELD.into_iter().for_each(|id| self.set(id, 1.0, by));
            self.panicked = Some(HELD.into_iter().zip(before).collect());
            return;
        }
        self.hands.bus.emit(Event::Notice { text: "the panic is over".into() });
        self.recall_last();
        let after = self.panicked.take().unwrap_or_default();
        after.into_iter().for_each(|(id, value)| self.set(id, value, by));
    }
}
