//! What a control may play: parameters, prompts, scenes and moments, by their words.

use std::fmt;

use toml_edit::Item;

use crate::patch::error::{Problems, did_you_mean};
use crate::patch::load::STEPS;
use crate::patch::settings::{PLACES, Setting};
use crate::patch::{Prompt, Scene, scenes};
use crate::score::{Action, MorphSide, ParamId, SettingsAsk, param::PARAMS};

/// What a binding moves.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A parameter, over `from..=to` in the parameter's own unit (a falling range turns the control round).
    Param { id: ParamId, from: f32, to: f32 },
    /// `prompt.NAME`: plays a prompt of the bank.
    Prompt(String),
    /// `prompt.next`, `generator.crash` and their like: a moment without a value.
    Trigger(Action),
}

/// The words of a patch for it.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Param { id, .. } => f.write_str(id.name()),
            Target::Prompt(name) => write!(f, "prompt.{name}"),
            Target::Trigger(Action::BlendWith(name)) => write!(f, "blend.{name}"),
            Target::Trigger(Action::Scene(name)) => write!(f, "scene.{name}"),
            Target::Trigger(Action::PromptNth(at)) => write!(f, "prompt.nth.{}", at + 1),
            Target::Trigger(Action::BlendNth(Some(at))) => write!(f, "blend.nth.{}", at + 1),
            Target::Trigger(Action::Rewind(n)) if *n != 1 => write!(f, "generator.rewind.{n}"),
            Target::Trigger(Action::Snapshot(at)) => write!(f, "generator.snapshot.{}", at + 1),
            Target::Trigger(Action::Restore(at)) => write!(f, "generator.restore.{}", at + 1),
            Target::Trigger(Action::Settings(SettingsAsk::Store(at))) => write!(f, "settings.store.{}", at + 1),
            Target::Trigger(Action::Settings(SettingsAsk::RecallNth(at))) => write!(f, "settings.recall.{}", at + 1),
            Target::Trigger(Action::Settings(SettingsAsk::Recall(name))) => write!(f, "settings.recall.{name}"),
            Target::Trigger(action) => {
                let word = TRIGGERS.iter().find(|(_, known)| known == action);
                f.write_str(word.map_or("a moment without a word", |(word, _)| word))
            }
        }
    }
}

/// What is written in a mapping, and what it does. Other numbers may stand where one does.
pub static TRIGGERS: [(&str, Action); 23] = [
    ("prompt.next", Action::PromptStep(1)),
    ("prompt.previous", Action::PromptStep(-1)),
    ("prompt.again", Action::Again),
    ("prompt.error", Action::PromptError),
    ("scene.next", Action::SceneStep(1)),
    ("scene.previous", Action::SceneStep(-1)),
    ("generator.rewind", Action::Rewind(1)),
    ("generator.branch", Action::Branch),
    ("generator.leap", Action::BranchAtLeap),
    ("generator.escape", Action::Escape),
    ("generator.crash", Action::Crash),
    ("sound.panic", Action::Panic),
    ("sound.keep.first", Action::Keep(MorphSide::First)),
    ("sound.keep.second", Action::Keep(MorphSide::Second)),
    ("generator.rewind.8", Action::Rewind(8)),
    ("generator.snapshot.1", Action::Snapshot(0)),
    ("generator.restore.1", Action::Restore(0)),
    ("settings.recall.1", Action::Settings(SettingsAsk::RecallNth(0))),
    ("settings.store.1", Action::Settings(SettingsAsk::Store(0))),
    ("settings.undo", Action::Settings(SettingsAsk::Undo)),
    ("settings.save", Action::Settings(SettingsAsk::Save)),
    ("prompt.nth.1", Action::PromptNth(0)),
    ("blend.nth.1", Action::BlendNth(Some(0))),
];

/// A trigger by its word, with any number where the table shows one.
pub fn trigger(word: &str) -> Option<Action> {
    if let Some((_, action)) = TRIGGERS.iter().find(|(name, _)| *name == word) {
        return Some(action.clone());
    }
    let (name, number) = word.rsplit_once('.')?;
    let n: u32 = number.parse().ok().filter(|_| !number.starts_with(['+', '0']))?;
    match name {
        "generator.rewind" if n <= 1024 => Some(Action::Rewind(n)),
        "generator.snapshot" if n <= 8 => Some(Action::Snapshot(n as u8 - 1)),
        "generator.restore" if n <= 8 => Some(Action::Restore(n as u8 - 1)),
        "settings.recall" if n as usize <= PLACES => Some(Action::Settings(SettingsAsk::RecallNth(n as u8 - 1))),
        "settings.store" if n as usize <= PLACES => Some(Action::Settings(SettingsAsk::Store(n as u8 - 1))),
        "prompt.nth" if n <= 99 => Some(Action::PromptNth(n as usize - 1)),
        "blend.nth" if n <= 99 => Some(Action::BlendNth(Some(n as usize - 1))),
        _ => None,
    }
}

/// What a mapping may call by the patch's own names.
#[derive(Clone, Copy)]
pub struct Bank<'a> {
    pub prompts: &'a [Prompt],
    pub scenes: &'a [Scene],
    pub settings: &'a [Setting],
}

pub fn target(to: &str, item: &Item, place: &str, bank: Bank, problems: &mut Problems) -> Option<Target> {
    if let Some(action) = trigger(to) {
        return Some(Target::Trigger(action));
    }
    if let Some(id) = ParamId::from_name(to) {
        return Some(Target::Param { id, from: id.spec().min, to: id.spec().max });
    }
    if let Some((of, name)) = to.split_once('.').filter(|(of, _)| ["prompt", "blend", "layer"].contains(of)) {
        if bank.prompts.iter().any(|p| p.name == name) {
            return Some(match of {
                "blend" => Target::Trigger(Action::BlendWith(name.to_string())),
                "layer" => Target::Trigger(Action::Layer(name.to_string())),
                _ => Target::Prompt(name.to_string()),
            });
        }
        let near = did_you_mean(name, bank.prompts.iter().map(|p| p.name.as_str()).chain(STEPS));
        problems.add(item.span(), format!("{place}: [prompts] has no \"{name}\"{near}"));
        return None;
    }
    if let Some(name) = to.strip_prefix("scene.") {
        if bank.scenes.iter().any(|scene| scene.name == name) {
            return Some(Target::Trigger(Action::Scene(name.to_string())));
        }
        let near = did_you_mean(name, bank.scenes.iter().map(|scene| scene.name.as_str()).chain(scenes::STEPS));
        problems.add(item.span(), format!("{place}: there is no [[scene]] of the name \"{name}\"{near}"));
        return None;
    }
    if let Some(name) = to.strip_prefix("settings.recall.") {
        if bank.settings.iter().any(|setting| setting.name == name) {
            return Some(Target::Trigger(Action::Settings(SettingsAsk::Recall(name.to_string()))));
        }
        let near = did_you_mean(name, bank.settings.iter().map(|setting| setting.name.as_str()));
        problems.add(item.span(), format!("{place}: [settings] has no \"{name}\"{near}"));
        return None;
    }
    let near = did_you_mean(to, PARAMS.iter().map(|p| p.name).chain(TRIGGERS.iter().map(|(word, _)| *word)));
    let remedy = if near.is_empty() { "; `xiao params` lists every parameter".into() } else { near };
    problems.add(item.span(), format!("{place}: there is no \"{to}\"{remedy}"));
    None
}
