//! The hands' part in prompts: they choose from the bank, and follow what is played of it.

#[cfg(test)]
mod tests;

use super::State;
use crate::model::Command;
use crate::patch::Template;
use crate::score::{Event, ParamId, When};

impl State {
    /// Plays a prompt of the bank when `generator.queue` lets it.
    pub(super) fn choose(&mut self, at: usize) {
        self.play(at, When::of(self.hands.params.get(ParamId::Queue)));
    }

    pub(super) fn play(&mut self, at: usize, when: When) {
        self.prompt = at;
        let prompt = &self.hands.patch.prompts[at];
        self.command(Command::Prompt { name: Some(prompt.name.clone()), text: prompt.template.clone(), when });
    }

    /// Plays a prompt until it is let go.
    pub(super) fn hold_prompt(&mut self, name: String) {
        if let Some(text) = self.prompt_text(&name) {
            self.command(Command::Hold { name, text });
        }
    }

    /// Puts the words of a prompt into the piece.
    pub(super) fn layer(&mut self, name: String) {
        if let Some(text) = self.prompt_text(&name) {
            self.command(Command::Layer { name: Some(name), text });
        }
    }

    fn prompt_text(&self, name: &str) -> Option<Template> {
        let found = self.hands.patch.prompts.iter().find(|prompt| prompt.name == name);
        if found.is_none() {
            self.hands.bus.emit(Event::Notice { text: format!("the patch has no prompt {name:?}") });
        }
        found.map(|prompt| prompt.template.clone())
    }

    /// Makes the last error the prompt: the patch's own for that, or the error's words alone.
    pub(super) fn feed_error_back(&mut self) {
        if !self.erred {
            let text = "nothing has gone wrong yet that could be fed back".to_string();
            self.hands.bus.emit(Event::Notice { text });
        } else if let Some(at) = self.hands.patch.error {
            self.choose(at);
        } else if let Ok(text) = Template::read("{error}", &self.hands.patch.slots) {
            let when = When::of(self.hands.params.get(ParamId::Queue));
            self.command(Command::Prompt { name: None, text, when });
        }
    }

    /// Takes in what has become of the prompt that was chosen: after one that was taken back, the bank is gone through
    /// from the one that is played.
    pub(super) fn hear_prompt(&mut self, event: &Event) {
        match event {
            Event::Prompt { name: Some(name), .. } | Event::Restore { name: Some(name), .. } => {
                let at = self.hands.patch.prompts.iter().position(|prompt| prompt.name == *name);
                self.playing = at.unwrap_or(self.playing);
            }
            Event::Queued { text, .. } if text.is_empty() => self.prompt = self.playing,
            Event::Flaw(_) | Event::Fault { .. } => self.erred = true,
            _ => {}
        }
    }
}
