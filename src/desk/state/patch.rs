//! What the desk shows of a patch.

use super::State;
use crate::patch::{self, Modulator};

impl State {
    pub(super) fn take_patch(&mut self, name: &str, text: &str) {
        // One that does not parse is a recording of another version; what is known stays.
        let Ok(patch) = patch::parse(name, text) else { return };
        self.own_keys = patch.own_keys();
        self.modulator = Modulator::new(patch.matrix);
        self.prompts = patch.prompts;
        self.order = patch.sampler.order;
        self.course.take_plan(patch.plan);
    }
}
