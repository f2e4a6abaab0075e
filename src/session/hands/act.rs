//! What each action does: one arm for each.

use super::{State, moves};
use crate::control::travel;
use crate::model::Command;
use crate::patch::Template;
use crate::score::{Action, Digit, Event, Hand, ParamId};

/// What is said where a picture is asked for and there is no window.
const NO_WINDOW: &str = "pictures need the window; `xiao render --picture` makes one of any moment";

impl State {
    /// Does what a hand asks for.
    pub(super) fn act(&mut self, action: Action, by: Hand) {
        if !moves::is_move(&action) {
            // What was moved before it is told before it.
            self.tell_moves_now();
        }
        let bus = &self.hands.bus;
        match action {
            Action::Set(id, value) => self.set(id, value, by),
            Action::Nudge(id, part) => self.set(id, travel::nudged(id, self.hands.params.get(id), part), by),
            Action::NudgeSelected(part) => self.act(Action::Nudge(self.selected, part), by),
            Action::Turn(id, steps) => self.set(id, travel::turned(id, self.hands.params.get(id), steps), by),
            Action::Toggle(id) => self.set(id, travel::toggled(id, self.hands.params.get(id)), by),
            Action::Prompt(name) => match self.hands.patch.prompts.iter().position(|p| p.name == name) {
                Some(at) => self.choose(at),
                None => {
                    bus.emit(Event::Notice { text: format!("the patch has no prompt {name:?}") });
                }
            },
            Action::PromptDown(name) => self.hold_prompt(name),
            Action::PromptUp(name) => self.command(Command::LetGo(name)),
            Action::Layer(name) => self.layer(name),
            Action::PromptNth(nth) if nth < self.hands.patch.prompts.len() => self.choose(nth),
            Action::PromptNth(nth) => {
                bus.emit(Event::Notice { text: format!("the patch has no prompt {}", nth + 1) });
            }
            Action::PromptStep(step) => {
                let count = self.hands.patch.prompts.len() as i64;
                self.choose((self.prompt as i64 + i64::from(step)).rem_euclid(count) as usize);
            }
            Action::SceneStep(step) => self.scene_step(step),
            Action::Scene(name) => self.scene_named(&name),
            Action::PromptError => self.feed_error_back(),
            Action::Type => self.open_line(),
            Action::Again => self.command(Command::Again),
            Action::Rewind(n) => self.command(Command::Rewind(n)),
            Action::Branch => self.command(Command::Branch),
            Action::BranchAtLeap => self.command(Command::BranchAtLeap),
            Action::Escape => {
                self.set(ParamId::Lock, 0.0, by);
                self.command(Command::Escape);
            }
            Action::Await(digit) => {
                self.awaited = Some(digit);
                bus.emit(Event::Notice { text: asked(digit).into() });
            }
            Action::Snapshot(8..) => {
                bus.emit(Event::Notice { text: "a piece is kept in one of the places 1 to 8".into() });
            }
            Action::Snapshot(slot) => self.command(Command::Snapshot(slot)),
            Action::Restore(slot) => self.command(Command::Restore(slot)),
            Action::Settings(ask) => self.settings(ask, by),
            Action::BlendWith(name) => match self.hands.patch.prompts.iter().find(|p| p.name == name) {
                Some(prompt) => {
                    let (name, text) = (Some(prompt.name.clone()), prompt.template.clone());
                    self.command(Command::Blend { name, text });
                }
                None => {
                    bus.emit(Event::Notice { text: format!("the patch has no prompt {name:?}") });
                }
            },
            Action::BlendNth(None) => self.command(Command::Blend { name: None, text: Template::default() }),
            Action::BlendNth(Some(nth)) => match self.hands.patch.prompts.get(nth).map(|prompt| prompt.name.clone()) {
                Some(name) => self.act(Action::BlendWith(name), by),
                None => drop(bus.emit(Event::Notice { text: format!("the patch has no prompt {}", nth + 1) })),
            },
            Action::Crash => self.command(Command::Crash),
            Action::Panic => self.panic(by),
            Action::Keep(side) => {
                let values = ParamId::ALL
                    .iter()
                    .filter(|id| id.morphs() && !of_time(**id))
                    .map(|id| (*id, self.hands.params.get(*id)));
                bus.emit(Event::Morph { side, values: values.collect() });
            }
            Action::Note(text) => {
                bus.emit(Event::Note { text });
            }
            Action::Picture => {
                bus.emit(match self.hands.pictures.next(bus.clock().now_ns()) {
                    Some(file) => Event::Picture { file },
                    None => Event::Notice { text: NO_WINDOW.into() },
                });
            }
            Action::SelectStep(step) => self.select(travel::selected(self.selected, step)),
            Action::SelectGroup(step) => self.select(travel::selected_group(self.selected, step)),
            Action::Learn => self.learn(),
            Action::Unlearn => self.unlearn(),
            Action::Help => self.show_help(Some(self.help.map_or(0, |page| page.saturating_add(1)))),
            Action::HideHelp if self.help.is_none() => self.command(Command::Unqueue),
            Action::HideHelp => self.show_help(None),
            Action::Quit => self.hands.shutdown.request("the performer ended it"),
        }
    }
}

/// The beats are everybody's, so the ends of the morph that a hand keeps leave them out.
fn of_time(id: ParamId) -> bool {
    id.name().starts_with("sound.tempo.")
}

/// What is said while a digit is awaited.
fn asked(digit: Digit) -> &'static str {
    match digit {
        Digit::Keep => "a digit, 1 to 8: where the piece is kept",
        Digit::Restore => "a digit, 1 to 8: what was kept there comes back",
        Digit::Recall => "a digit, 1 to 8: the settings there are recalled",
        Digit::Store => "a digit, 1 to 8: where the settings are stored; 0 writes them into the patch",
        Digit::Blend => "a digit: the second prompt by its place; 0 is none",
    }
}
