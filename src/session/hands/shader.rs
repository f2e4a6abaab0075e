//! The hands' part in shaders: they look whether the file was saved, and take up another one when patch or plan ask.

#[cfg(test)]
mod tests;

use super::State;
use crate::score::{Event, Hand, ParamId};
use crate::session::shade::{self, Shade};
use crate::visuals::shader::{Input, Watch};

impl State {
    /// Takes up the shader's file where it was saved since the last look.
    pub(super) fn look_at_shader(&mut self) {
        let Some(read) = self.hands.shader.changed() else { return };
        match read.map_err(|e| e.to_string()).and_then(shade::check) {
            Ok(shade) => self.take_shade(shade),
            Err(what) => self.shader_fault(what, "the last good one runs on; mend the file and save it"),
        }
    }

    /// Takes up another shader by its name.
    pub(super) fn shade(&mut self, name: &str) {
        if self.hands.shader.name() == name {
            return;
        }
        self.hands.shader = Watch::new(name, &self.hands.shader_folders);
        // Nothing of what is there belongs to this one, also when its file comes or is mended later.
        self.hands.inputs.clear();
        match shade::find(name, &self.hands.shader_folders) {
            Ok(shade) => self.take_shade(shade),
            Err(what) => self.shader_fault(what, "the last shader stays until that file is there and good"),
        }
    }

    /// An input that the shader had before stays where the hands left it, also in another slot; one that is new goes to
    /// where the file wants it, unless the patch says where.
    fn take_shade(&mut self, shade: Shade) {
        self.hands.bus.emit(shade.event());
        for notice in shade.notices() {
            self.hands.bus.emit(notice);
        }
        let before = std::mem::replace(&mut self.hands.inputs, shade.program.inputs.clone());
        let known = |id: ParamId| shade::slot(id).and_then(|slot| earlier(&before, &shade.program.inputs, slot));
        let values = self.hands.params.values();
        for (id, default) in shade.defaults() {
            let value = match known(id).and_then(shade::param) {
                Some(there) if there == id => continue,
                Some(there) => values.get(there),
                None => match self.hands.patch.params.iter().find(|(wanted, _)| *wanted == id) {
                    // Set when the patch was taken up, and a scene may have led it on.
                    Some(_) if before.is_empty() => continue,
                    Some((_, value)) => *value,
                    None => default,
                },
            };
            self.set(id, value, Hand::Patch);
        }
    }

    fn shader_fault(&self, what: String, remedy: &str) {
        self.hands.bus.emit(Event::Fault { place: "shader".into(), what, remedy: remedy.into() });
    }
}

/// The slot that an input's slot was before: of the same name, and of as many components.
fn earlier(before: &[Input], now: &[Input], slot: usize) -> Option<usize> {
    let input = now.iter().find(|input| input.slots.contains(&slot))?;
    let old = before.iter().find(|old| old.name == input.name && old.slots.len() == input.slots.len())?;
    Some(old.slots.start + slot - input.slots.start)
}
