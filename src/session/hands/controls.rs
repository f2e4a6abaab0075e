//! What controllers, gamepads and the patch's own keys say, by the patch's mapping.

use super::{LONGEST_S, State};
use crate::control;
use crate::patch::{Kind, Source};
use crate::score::{Hand, Key, ParamId, Way};

/// Whose hand moves such a control.
fn hand(kind: Kind) -> Hand {
    match kind {
        Kind::Midi => Hand::Midi,
        Kind::Gamepad => Hand::Gamepad,
        Kind::Keyboard => Hand::Key,
    }
}

impl State {
    /// True if the patch binds the control to anything.
    pub(super) fn midi(&mut self, message: &control::Message) -> bool {
        if self.learn_from(message) {
            return true;
        }
        let params = self.hands.params.clone();
        let mut actions = Vec::new();
        let mapped =
            self.mapping.message(&message.port, message.bytes(), &|id| params.get(id), &mut actions, &mut |_| {});
        actions.into_iter().for_each(|action| self.act(action, Hand::Midi));
        mapped
    }

    /// The same for what a gamepad said.
    #[cfg(feature = "gamepad")]
    pub(super) fn pad(&mut self, name: &str, said: control::decoder::Said) -> bool {
        if self.learn_from_pad(name, said) {
            return true;
        }
        let params = self.hands.params.clone();
        let mut actions = Vec::new();
        let mapped = self.mapping.said(Kind::Gamepad, name, said, &|id| params.get(id), &mut actions);
        actions.into_iter().for_each(|action| self.act(action, Hand::Gamepad));
        mapped
    }

    /// Plays a key of the patch's own; false if it is none.
    pub(super) fn own_key(&mut self, key: Key, way: Way) -> bool {
        let Some(source) = Source::of_key(key) else { return false };
        let (params, now_ns) = (self.hands.params.clone(), self.hands.bus.clock().now_ns());
        let mut actions = Vec::new();
        let own = self.mapping.key(source, way, now_ns, &|id| params.get(id), &mut actions);
        actions.into_iter().for_each(|action| self.act(action, Hand::Key));
        own
    }

    /// Moves on what a stick or a held button moves at a speed, to be called at each tick. While a control is learnt
    /// they rest.
    pub(super) fn tend_speeds(&mut self) {
        let now_ns = self.hands.bus.clock().now_ns();
        let passed_ns = now_ns.saturating_sub(std::mem::replace(&mut self.tended_ns, now_ns));
        if self.learning.is_some() {
            return;
        }
        let params = self.hands.params.clone();
        let mut moved: Vec<(Kind, ParamId, f32)> = Vec::new();
        let time_s = (passed_ns as f32 * 1e-9).min(LONGEST_S);
        self.mapping.passes(time_s, &|id| params.get(id), &mut |kind, id, value| moved.push((kind, id, value)));
        moved.into_iter().for_each(|(kind, id, value)| self.slide(id, value, hand(kind)));
    }

    /// Lets go what is pressed at a port, or at all: nobody else will, where the cable was pulled out or the binding is
    /// another.
    pub(super) fn let_go(&mut self, port: Option<&str>) {
        let params = self.hands.params.clone();
        for (kind, action) in self.mapping.let_go(port, &|id| params.get(id)) {
            self.act(action, hand(kind));
        }
    }
}
