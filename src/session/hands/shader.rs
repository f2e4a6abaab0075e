//! The hands' part in shaders: they look whether the file was saved, and take up another one when patch or plan ask.

use super::State;
use crate::score::{Event, Hand};
use crate::session::shade::{self, Shade};
use crate::visuals::shader::Watch;

impl State {
    /// Takes up the shader's file where it was saved since the last look. Its inputs stay where the hands left them.
    pub(super) fn look_at_shader(&mut self) {
        let Some(read) = self.hands.shader.changed() else { return };
        match read.map_err(|e| e.to_string()).and_then(shade::check) {
            Ok(shade) => self.take_shade(&shade),
            Err(what) => self.shader_fault(what, "the last good one runs on; mend the file and save it"),
        }
    }

    /// Takes up another shader by its name; its inputs go to where its file wants them, unless the patch says where.
    pub(super) fn shade(&mut self, name: &str) {
        if self.hands.shader.name() == name {
            return;
        }
        self.hands.shader = Watch::new(name, &self.hands.shader_folders);
        match shade::find(name, &self.hands.shader_folders) {
            Ok(shade) => {
                self.take_shade(&shade);
                for (id, value) in shade.defaults() {
                    if !self.hands.patch.params.iter().any(|(known, _)| *known == id) {
                        self.set(id, value, Hand::Patch);
                    }
                }
            }
            Err(what) => self.shader_fault(what, "the last shader stays until that file is there and good"),
        }
    }

    fn take_shade(&self, shade: &Shade) {
        self.hands.bus.emit(shade.event());
        for notice in shade.notices() {
            self.hands.bus.emit(notice);
        }
    }

    fn shader_fault(&self, what: String, remedy: &str) {
        self.hands.bus.emit(Event::Fault { place: "shader".into(), what, remedy: remedy.into() });
    }
}
