//! Reads the `[midi."device"]` tables of a patch: which control plays what.

use toml_edit::{Item, TableLike};

use super::error::{Problems, did_you_mean};
use super::load::STEPS;
use super::scenes;
use super::value::{described, fits, key_span, pair, text};
use super::{Binding, MidiDevice, MidiSource, Prompt, Scene, Takeover, Target};
use crate::score::{Action, MorphSide, ParamId, param::PARAMS};

/// What is written in a mapping, and what it does. Other numbers may stand where one does.
pub static TRIGGERS: [(&str, Action); 16] = [
    ("prompt.next", Action::PromptStep(1)),
    ("prompt.previous", Action::PromptStep(-1)),
    ("prompt.again", Action::Again),
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
        _ => None,
    }
}

const TAKEOVERS: [(&str, Takeover); 2] = [("jump", Takeover::Jump), ("pickup", Takeover::Pickup)];

/// What a mapping may call by the patch's own names.
#[derive(Clone, Copy)]
pub(super) struct Bank<'a> {
    pub prompts: &'a [Prompt],
    pub scenes: &'a [Scene],
}

/// Every device of the `[midi]` table, in the order of the file.
pub(super) fn devices(table: &dyn TableLike, bank: Bank, problems: &mut Problems) -> Vec<MidiDevice> {
    let mut devices = Vec::new();
    for (pattern, item) in table.iter() {
        match item.as_table_like() {
            Some(controls) => devices.push(device(pattern, controls, bank, problems)),
            None => {
                let message = format!("[midi] names a device first: write [midi.\"*\"] above \"{pattern}\"");
                problems.add(key_span(table, pattern), message);
            }
        }
    }
    devices
}

fn device(pattern: &str, controls: &dyn TableLike, bank: Bank, problems: &mut Problems) -> MidiDevice {
    let mut bindings: Vec<Binding> = Vec::new();
    for (control, item) in controls.iter() {
        let place = format!("[midi.\"{pattern}\"] {control}");
        let Some(source) = source(control) else {
            let message = format!("{place}: a control is written cc0 to cc127 or note0 to note127");
            problems.add(key_span(controls, control), message);
            continue;
        };
        if bindings.iter().any(|b| b.source == source) {
            problems.add(key_span(controls, control), format!("{place} is the same control as one above"));
        } else if let Some((target, takeover)) = binding(item, &place, bank, problems) {
            bindings.push(Binding { source, target, takeover });
        }
    }
    MidiDevice { pattern: pattern.to_string(), bindings }
}

/// `cc7` or `note36`.
fn source(control: &str) -> Option<MidiSource> {
    let number = |digits: &str| digits.parse().ok().filter(|n: &u8| *n <= 127 && !digits.starts_with('+'));
    match (control.strip_prefix("cc"), control.strip_prefix("note")) {
        (Some(digits), _) => number(digits).map(MidiSource::Cc),
        (_, Some(digits)) => number(digits).map(MidiSource::Note),
        _ => None,
    }
}

fn binding(item: &Item, place: &str, bank: Bank, problems: &mut Problems) -> Option<(Target, Takeover)> {
    if let Some(to) = item.as_str() {
        return Some((target(to, item, place, bank, problems)?, Takeover::default()));
    }
    let Some(table) = item.as_table_like() else {
        let found = described(item);
        problems.add(item.span(), format!("{place} takes a target in quotes or {{ to = \"…\" }}, not {found}"));
        return None;
    };
    const KEYS: [&str; 3] = ["to", "takeover", "range"];
    for (key, _) in table.iter().filter(|(key, _)| !KEYS.contains(key)) {
        problems.add(key_span(table, key), format!("{place} has no \"{key}\"{}", did_you_mean(key, KEYS)));
    }
    let takeover = table.get("takeover").and_then(|item| {
        let word = text(item, &format!("{place} takeover"), problems)?;
        let found = TAKEOVERS.iter().find(|(right, _)| *right == word);
        if found.is_none() {
            problems.add(item.span(), format!("{place} takeover is \"jump\" or \"pickup\", not \"{word}\""));
        }
        found.map(|(_, takeover)| *takeover)
    });
    let Some(to) = table.get("to") else {
        problems.add(item.span(), format!("{place} lacks \"to\", the target it plays"));
        return None;
    };
    let mut target = target(&text(to, &format!("{place} to"), problems)?, to, place, bank, problems)?;
    if let Target::Param { id, from, to } = &mut target {
        if let Some(item) = table.get("range") {
            (*from, *to) = range(*id, item, place, problems)?;
        }
    } else if let Some(key) = ["range", "takeover"].iter().find(|key| table.contains_key(key)) {
        problems.add(key_span(table, key), format!("{place}: only a parameter has a \"{key}\"; take it out"));
    }
    Some((target, takeover.unwrap_or_default()))
}

fn range(id: ParamId, item: &Item, place: &str, problems: &mut Problems) -> Option<(f32, f32)> {
    let spec = id.spec();
    let Some([from, to]) = pair(item) else {
        let message = format!("{place} range takes two numbers, as in [{}, {}]", spec.min, spec.max);
        problems.add(item.span(), message);
        return None;
    };
    let name = format!("{place} range");
    let ends = [&from, &to].map(|end| fits(id, end, &name, problems));
    Some((ends[0]?, ends[1]?))
}

fn target(to: &str, item: &Item, place: &str, bank: Bank, problems: &mut Problems) -> Option<Target> {
    if let Some(action) = trigger(to) {
        return Some(Target::Trigger(action));
    }
    if let Some(id) = ParamId::from_name(to) {
        return Some(Target::Param { id, from: id.spec().min, to: id.spec().max });
    }
    if let Some((of, name)) = to.split_once('.').filter(|(of, _)| ["prompt", "blend"].contains(of)) {
        if bank.prompts.iter().any(|p| p.name == name) {
            return Some(match of {
                "blend" => Target::Trigger(Action::BlendWith(name.to_string())),
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
    let near = did_you_mean(to, PARAMS.iter().map(|p| p.name).chain(TRIGGERS.iter().map(|(word, _)| *word)));
    let remedy = if near.is_empty() { "; `xiao params` lists every parameter".into() } else { near };
    problems.add(item.span(), format!("{place}: there is no \"{to}\"{remedy}"));
    None
}
