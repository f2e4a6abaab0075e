//! The hands' part in a typed prompt: while its line is open, keys write in it and are no shortcuts.

use super::State;
use super::line::Typed;
use crate::model::Command;
use crate::patch::Template;
use crate::score::{Event, Key, ParamId, When};

impl State {
    pub(super) fn open_line(&mut self) {
        self.awaited = None;
        self.line.open();
        self.tell_line();
    }

    /// Whether a key belongs to the line. Ctrl-C ends the performance and Ctrl-G panics in any case, F1 to F12 are no text,
    /// and what was pasted is no shortcut.
    pub(super) fn is_typed(&mut self, key: Key) -> bool {
        if !self.line.is_open() {
            return matches!(key, Key::Written(_));
        }
        if matches!(key, Key::Ctrl(_) | Key::Function(_)) {
            return false;
        }
        let typed = self.line.key(key);
        if typed != Typed::Nothing {
            self.tell_line();
        }
        match typed {
            Typed::Play(text) => {
                let when = When::of(self.hands.params.get(ParamId::Queue));
                self.command(Command::Prompt { name: None, text: self.read(&text), when });
            }
            Typed::Layer(text) => self.command(Command::Layer { name: None, text: self.read(&text) }),
            Typed::Changed | Typed::Dropped | Typed::Nothing => {}
        }
        true
    }

    /// Drops what is typed.
    pub(super) fn close_line(&mut self) {
        if self.line.is_open() {
            self.line.key(Key::Escape);
            self.tell_line();
        }
    }

    /// What was typed may have slots; what is none of those is text.
    fn read(&self, text: &str) -> Template {
        Template::read(text, &self.hands.patch.slots).unwrap_or_else(|_| {
            self.say("a slot is not known or not closed: the line is played as it was typed");
            Template::plain(text)
        })
    }

    fn tell_line(&self) {
        let on = self.line.is_open();
        let text = if on { self.line.text() } else { String::new() };
        let at = if on { self.line.at() as u32 } else { 0 };
        self.hands.bus.emit(Event::Typing { on, text, at });
    }
}
