//! The plan of a piece: its scenes in their order, `[[scene]]`, and what comes after the last, `plan`.
//!
//! Only what is written and whether it holds together; `session::course` plays it.

#[cfg(test)]
mod tests;

use std::ops::Range;

use toml_edit::{Item, TableLike};

use super::error::{Problems, did_you_mean};
use super::load::{is_name, read_params};
use super::reader::Reader;
use super::settings::Setting;
use super::value::{described, items, key_span, number, text};
use super::{Prompt, Settings};
use crate::score::{FlawKind, ParamId};

pub const MAX_SCENES: usize = 64;

/// Words that follow `scene.` in a mapping, so that no scene may be called so.
pub(super) const STEPS: [&str; 2] = ["next", "previous"];

/// What a wait may last, in seconds: a blink to a day.
const WAITS_S: (f32, f32) = (0.1, 86_400.0);
/// The slowest glide takes an hour.
const LONGEST_GLIDE_S: f32 = 3600.0;
const MOST_TOKENS: f32 = 1_000_000.0;

/// The scenes in the order in which they are played.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    pub scenes: Vec<Scene>,
    /// After the last scene comes the first; else the last one stays.
    pub round: bool,
}

/// Some minutes of a piece: what it begins with, where it leads, and when the next one comes.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    pub name: String,
    /// Played as the scene begins, an index into the bank; none: the text goes on.
    pub prompt: Option<usize>,
    /// The settings that it leads to, by name; its other fields have them already.
    pub settings: Option<String>,
    /// The second prompt of `generator.blend`, an index into the bank; none: it stays.
    pub blend: Option<usize>,
    /// The shader that is taken up as the scene begins; none: the one that is there stays.
    pub shader: Option<String>,
    pub next: Next,
    /// Seconds in which the parameters glide to their places; 0: at once.
    pub over_s: f32,
    /// Where this scene leads; what it does not name stays where it is.
    pub params: Vec<(ParamId, f32)>,
}

/// When the next scene begins: at whichever comes first. Without any, the performer leads on; so too with all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Next {
    /// Seconds since the scene began.
    pub s: Option<f32>,
    /// Tokens since the scene began.
    pub tokens: Option<u32>,
    /// Pieces that ended since the scene began.
    pub pieces: Option<u32>,
    /// A flaw of one of these kinds.
    pub flaws: &'static [FlawKind],
    /// Seconds without a token.
    pub waiting_s: Option<f32>,
}

/// Words of the patch for the flaws that end a scene; they are those of the journal.
const FLAWS: [(&str, &[FlawKind]); 8] = [
    (
        "any",
        &[
            FlawKind::Repetition,
            FlawKind::ScriptMix,
            FlawKind::Leap,
            FlawKind::BrokenCharacter,
            FlawKind::Hesitation,
            FlawKind::EarlyEnd,
            FlawKind::TemplateLeak,
        ],
    ),
    ("repetition", &[FlawKind::Repetition]),
    ("script_mix", &[FlawKind::ScriptMix]),
    ("leap", &[FlawKind::Leap]),
    ("broken_character", &[FlawKind::BrokenCharacter]),
    ("hesitation", &[FlawKind::Hesitation]),
    ("early_end", &[FlawKind::EarlyEnd]),
    ("template_leak", &[FlawKind::TemplateLeak]),
];

impl Plan {
    /// The place of a scene, counted from 0.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.scenes.iter().position(|scene| scene.name == name)
    }

    /// The same for a name that a person gave.
    ///
    /// # Errors
    /// No scene is called so; one line with the nearest that is.
    pub fn find(&self, name: &str) -> Result<usize, String> {
        let near = || match did_you_mean(name, self.scenes.iter().map(|scene| scene.name.as_str())) {
            _ if self.scenes.is_empty() => "; the patch has no scenes".to_string(),
            near => near,
        };
        self.place(name).ok_or_else(|| format!("there is no scene {name:?}{}", near()))
    }

    /// Seconds from the first scene's beginning until the last one stays or the first comes again; None where a scene
    /// waits for something else than time.
    pub fn length_s(&self) -> Option<f32> {
        let ending = self.scenes.len() - usize::from(!self.round && !self.scenes.is_empty());
        self.scenes[..ending].iter().map(|scene| scene.next.s).sum()
    }

    /// Whether a scene may end before its seconds have passed.
    pub fn may_be_shorter(&self) -> bool {
        self.scenes.iter().any(|scene| scene.next != Next { s: scene.next.s, ..Next::default() })
    }
}

pub(super) fn plan(root: &dyn TableLike, (prompts, settings): (&[Prompt], &Settings), problems: &mut Problems) -> Plan {
    let round = root.get("plan").is_some_and(|item| match text(item, "plan", problems).as_deref() {
        Some("loop") => true,
        Some("stay") | None => false,
        Some(word) => {
            problems.add(item.span(), format!("plan is \"stay\" or \"loop\", not \"{word}\""));
            false
        }
    });
    let mut plan = Plan { scenes: Vec::new(), round };
    let Some(item) = root.get("scene") else {
        if root.contains_key("plan") {
            problems
                .add(key_span(root, "plan"), "plan needs scenes; write [[scene]] above each, or take it out".into());
        }
        return plan;
    };
    let Some(tables) = items(item) else {
        problems.add(key_span(root, "scene"), "write [[scene]], with two brackets, above each scene".into());
        return plan;
    };
    if tables.is_empty() {
        problems.add(key_span(root, "scene"), "the plan is empty; write [[scene]] above each scene".into());
    }
    let count = tables.len();
    for (i, (table, span)) in tables.into_iter().enumerate() {
        if i == MAX_SCENES {
            problems.add(span.clone(), format!("[[scene]]: there are more than {MAX_SCENES}; take some out"));
        }
        let scene = scene(table, span.clone(), &plan.scenes, (prompts, settings), problems);
        let place = format!("[[scene]] {}", scene.name);
        match (i + 1 == count && !round, table.contains_key("next")) {
            (true, true) => {
                let message = format!("{place} is the last and has no \"next\"; take it out, or write plan = \"loop\"");
                problems.add(key_span(table, "next"), message);
            }
            (false, false) => {
                let message = format!("{place} lacks \"next\", as in next = {{ s = 60 }} or next = \"hand\"");
                problems.add(span, message);
            }
            _ => {}
        }
        plan.scenes.push(scene);
    }
    plan
}

fn scene(
    table: &dyn TableLike,
    span: Option<Range<usize>>,
    before: &[Scene],
    (prompts, settings): (&[Prompt], &Settings),
    problems: &mut Problems,
) -> Scene {
    let name = table.get("name").and_then(|item| text(item, "[[scene]] name", problems)).unwrap_or_default();
    let at = table.get("name").and_then(Item::span);
    if STEPS.contains(&name.as_str()) {
        problems.add(at, format!("[[scene]] may not be called \"{name}\": \"scene.{name}\" is an action; rename it"));
    } else if before.iter().any(|scene| !name.is_empty() && scene.name == name) {
        problems.add(at, format!("[[scene]] {name} is the name of a scene above; rename one"));
    } else if table.get("name").is_some_and(|item| item.is_str()) && !is_name(&name) {
        problems.add(at, format!("[[scene]] name {name:?} may hold only letters, digits, - and _"));
    }
    let place = if name.is_empty() { "[[scene]]".to_string() } else { format!("[[scene]] {name}") };
    let mut read = Reader { place: place.clone(), table, span, problems };
    read.keys(&["name", "prompt", "settings", "shader", "next", "over_s", "params"], &["name"]);
    let led = settings.named.iter().map(|setting| (setting.name.as_str(), setting));
    let led: Option<&Setting> = read.find("settings", "[settings] has it not", led);
    let over_s = read.seconds("over_s", 0.0, LONGEST_GLIDE_S).or(led.and_then(|setting| setting.over_s)).unwrap_or(0.0);
    let prompt = table.get("prompt").and_then(|item| {
        let name = text(item, &format!("{place} prompt"), problems)?;
        let at = prompts.iter().position(|p| p.name == name);
        if at.is_none() {
            let near = did_you_mean(&name, prompts.iter().map(|p| p.name.as_str()));
            problems.add(item.span(), format!("{place} prompt: [prompts] has no \"{name}\"{near}"));
        }
        at
    });
    let shader = table.get("shader").and_then(|item| {
        let name = text(item, &format!("{place} shader"), problems)?;
        if !is_name(&name) {
            let message = format!("{place} shader is a name without folder or ending, as in \"ink\", not {name:?}");
            problems.add(item.span(), message);
        }
        Some(name)
    });
    let next = table.get("next").map(|item| next(item, format!("{place} next"), problems)).unwrap_or_default();
    let mut params = Vec::new();
    if let Some(item) = table.get("params") {
        match item.as_table_like() {
            Some(table) => read_params("[scene.params]", table, "", &mut params, problems),
            None => {
                let message = format!("[scene.params] is a table of its own, not {}", described(item));
                problems.add(key_span(table, "params"), message);
            }
        }
    }
    let Some(led) = led else {
        return Scene { name, prompt, settings: None, blend: None, shader, next, over_s, params };
    };
    // What the scene says itself goes before.
    let own: Vec<ParamId> = params.iter().map(|(id, _)| *id).collect();
    params.extend(led.params.iter().filter(|(id, _)| !own.contains(id)));
    Scene {
        name,
        prompt: prompt.or(led.prompt),
        settings: Some(led.name.clone()),
        blend: led.blend,
        shader,
        next,
        over_s,
        params,
    }
}

fn next(item: &Item, place: String, problems: &mut Problems) -> Next {
    const KEYS: [&str; 5] = ["s", "tokens", "pieces", "flaw", "waiting_s"];
    if item.as_str() == Some("hand") {
        return Next::default();
    }
    let Some(table) = item.as_table_like() else {
        let found = item.as_str().map_or(described(item).to_string(), |word| format!("{word:?}"));
        problems.add(item.span(), format!("{place} is \"hand\" or a table, as in {{ s = 60 }}, not {found}"));
        return Next::default();
    };
    if table.is_empty() {
        problems.add(item.span(), format!("{place} never comes; name one of {}, or write \"hand\"", KEYS.join(", ")));
    }
    for (key, _) in table.iter().filter(|(key, _)| !KEYS.contains(key)) {
        let near = match did_you_mean(key, KEYS) {
            near if near.is_empty() => format!("; it has {}", KEYS.join(", ")),
            near => near,
        };
        problems.add(key_span(table, key), format!("{place} has no \"{key}\"{near}"));
    }
    let mut read = Reader { place, table, span: item.span(), problems };
    Next {
        s: read.seconds("s", WAITS_S.0, WAITS_S.1),
        tokens: read.count("tokens"),
        pieces: read.count("pieces"),
        flaws: read.word("flaw", &FLAWS).unwrap_or_default(),
        waiting_s: read.seconds("waiting_s", WAITS_S.0, WAITS_S.1),
    }
}

impl Reader<'_, '_> {
    fn seconds(&mut self, key: &str, min: f32, max: f32) -> Option<f32> {
        number(self.table.get(key)?, &format!("{} {key}", self.place), min, max, "s", self.problems)
    }

    /// A whole number from 1.
    fn count(&mut self, key: &str) -> Option<u32> {
        let count = self.number(key, 1.0, MOST_TOKENS)?;
        if count.fract() != 0.0 {
            let message = format!("{} {key} is a whole number, not {count}", self.place);
            self.problems.add(self.table.get(key).and_then(Item::span), message);
        }
        Some(count as u32)
    }
}
