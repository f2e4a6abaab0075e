//! Panic: silence and no further token, until it is taken back.

use super::State;
use crate::model::Command;
use crate::score::{Event, Hand, ParamId};

/// What a panic holds.
const HELD: [ParamId; 2] = [ParamId::Mute, ParamId::Hold];

impl State {
    /// Silence and no further token, whatever a plan, a patch or another hand sets meanwhile; again, both are what they
    /// would be without it, and the parameters what they are in the settings that were recalled or stored last.
    pub(super) fn panic(&mut self, by: Hand) {
        if self.panicked.is_none() {
            self.hands.bus.emit(Event::Panic);
            self.drop_what_waits();
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

    /// No prompt that waits begins meanwhile, and the hands are free: what is typed, learnt or awaited is dropped.
    fn drop_what_waits(&mut self) {
        self.command(Command::Unqueue);
        self.close_line();
        (self.learning, self.awaited) = (None, None);
    }

    /// A parameter as it would stand without a panic.
    pub(super) fn without_panic(&self, wanted: ParamId) -> f32 {
        let after = self.panicked.iter().flatten().find(|(id, _)| *id == wanted);
        after.map_or_else(|| self.hands.params.get(wanted), |(_, value)| *value)
    }
}
