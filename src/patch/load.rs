//! Reads a patch: TOML in, a checked [`Patch`] or every problem found out.
//!
//! Only the document's own sections are here; `value` reads single values, `hands` the mappings, `midi_out` the synthesisers, `cables` the matrix.

use toml_edit::{Document, Item, TableLike};

use super::error::{Problems, did_you_mean};
use super::template::{KNOBS, Wrong};
use super::value::{described, fits, key_span, switch, text};
use super::{Chat, Patch, PatchError, Prompt, SamplerSpec, Slots, Template, Tempo};
use super::{cables, hands, midi_out, osc, sampler, scenes, settings, tempo};
use crate::score::{ParamId, param::PARAMS};

const SECTIONS: [&str; 28] = [
    "title",
    "model",
    "shader",
    "tuning",
    "keyboard",
    "samples",
    "chat",
    "blend",
    "error",
    "missing",
    "words",
    "prompts",
    "params",
    "morph",
    "settings",
    "sampler",
    "midi",
    "gamepad",
    "keys",
    "midi_out",
    "tempo",
    "osc",
    "lfo",
    "envelope",
    "matrix",
    "plan",
    "scene",
    "controllers",
];

/// Words that follow `prompt.` in a mapping, so that no prompt may be called so.
pub(super) const STEPS: [&str; 4] = ["next", "previous", "again", "error"];

/// Reads and checks a patch. `file` is how errors call it; its stem is the title of a patch without one.
pub fn parse(file: &str, source: &str) -> Result<Patch, PatchError> {
    let mut problems = Problems::new(source);
    let document = match Document::parse(source) {
        Ok(document) => document,
        Err(error) => {
            let message = error.message().lines().collect::<Vec<_>>().join("; ");
            problems.add(error.span().or(Some(0..0)), format!("not valid TOML: {message}"));
            return Err(problems.finish(file).expect_err("a problem was just added"));
        }
    };
    let root: &dyn TableLike = document.as_table();
    for (key, _) in root.iter().filter(|(key, _)| !SECTIONS.contains(key)) {
        problems.add(key_span(root, key), format!("a patch has no \"{key}\"{}", did_you_mean(key, SECTIONS)));
    }
    let stem = std::path::Path::new(file).file_stem().unwrap_or_default().to_string_lossy();
    let mut word = |key| root.get(key).and_then(|item| text(item, key, &mut problems));
    let (title, model) = (word("title").unwrap_or(stem.into()), word("model"));
    let (tuning, keyboard, samples) = (word("tuning"), word("keyboard"), word("samples"));
    let shader = word("shader").unwrap_or("field".into());
    if !is_name(&shader) {
        let message = format!("\"shader\" is a name without folder or ending, as in \"field\", not {shader:?}");
        problems.add(root.get("shader").and_then(Item::span), message);
    }
    let slots = slots(root, &mut problems);
    let prompts = prompts(root, &slots, &mut problems);
    let chat = match section(root, "chat", &mut problems) {
        Some(table) => chat(table, &mut problems),
        None => Chat::default(),
    };
    let [blend, error] = ["blend", "error"].map(|key| of_bank(root, key, &prompts, &mut problems));
    let mut params = Vec::new();
    if let Some(table) = section(root, "params", &mut problems) {
        read_params("[params]", table, "", &mut params, &mut problems);
    }
    let sampler = match section(root, "sampler", &mut problems) {
        Some(table) => sampler::read(table, &mut problems),
        None => SamplerSpec::default(),
    };
    let morph = match section(root, "morph", &mut problems) {
        Some(table) => morph(table, &mut problems),
        None => Default::default(),
    };
    let settings = settings::read(root, &prompts, &mut problems);
    let plan = scenes::plan(root, (&prompts, &settings), &mut problems);
    let bank = hands::Bank { prompts: &prompts, scenes: &plan.scenes, settings: &settings.named };
    let controllers = hands::controllers(root, bank, &mut problems);
    let midi_out = match section(root, "midi_out", &mut problems) {
        Some(table) => midi_out::synths(table, &mut problems),
        None => Vec::new(),
    };
    let tempo = match section(root, "tempo", &mut problems) {
        Some(table) => tempo::tempo(table, &mut problems),
        None => Tempo::default(),
    };
    let osc = section(root, "osc", &mut problems).map(|table| osc::osc(table, &mut problems));
    let matrix = cables::matrix(root, &mut problems);
    let known = root.get("controllers").and_then(|item| switch(item, "controllers", &mut problems));
    problems.finish(file)?;
    Ok(Patch {
        title,
        model,
        shader,
        tuning,
        keyboard,
        samples,
        chat,
        blend,
        error,
        slots,
        prompts,
        params,
        morph,
        settings,
        sampler,
        controllers,
        midi_out,
        tempo,
        osc,
        matrix,
        plan,
        known_controllers: known.unwrap_or(true),
    })
}

pub(super) fn section<'a>(root: &'a dyn TableLike, name: &str, problems: &mut Problems) -> Option<&'a dyn TableLike> {
    let item = root.get(name)?;
    if item.as_table_like().is_none() {
        problems.add(key_span(root, name), format!("[{name}] is a table of its own, not {}", described(item)));
    }
    item.as_table_like()
}

fn chat(table: &dyn TableLike, problems: &mut Problems) -> Chat {
    const KEYS: [&str; 3] = ["raw", "system", "memory"];
    for (key, _) in table.iter().filter(|(key, _)| !KEYS.contains(key)) {
        problems.add(key_span(table, key), format!("[chat] has no \"{key}\"{}", did_you_mean(key, KEYS)));
    }
    let mut on = |key: &str| {
        let item = table.get(key);
        item.and_then(|item| switch(item, &format!("[chat] {key}"), problems)).unwrap_or(false)
    };
    let (raw, memory) = (on("raw"), on("memory"));
    let system = table.get("system").and_then(|item| text(item, "[chat] system", problems));
    Chat { raw, system, memory }
}

/// The two ends of `sound.morph`.
fn morph(table: &dyn TableLike, problems: &mut Problems) -> [Vec<(ParamId, f32)>; 2] {
    const ENDS: [&str; 2] = ["first", "second"];
    for (key, _) in table.iter().filter(|(key, _)| !ENDS.contains(key)) {
        problems.add(key_span(table, key), format!("[morph] has no \"{key}\"{}", did_you_mean(key, ENDS)));
    }
    ENDS.map(|end| {
        let mut params = Vec::new();
        let Some(item) = table.get(end) else { return params };
        let place = format!("[morph.{end}]");
        let Some(inner) = item.as_table_like() else {
            problems.add(key_span(table, end), format!("{place} is a table of its own, not {}", described(item)));
            return params;
        };
        read_params(&place, inner, "", &mut params, problems);
        for (id, _) in params.iter().filter(|(id, _)| !id.morphs()) {
            let message = format!("{place} crosses parameters of the sound only, not \"{}\"; take it out", id.name());
            problems.add(key_span(table, end), message);
        }
        params
    })
}

/// Letters and digits of any script, `-` and `_`.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

/// A prompt of the bank that a key names.
fn of_bank(root: &dyn TableLike, key: &str, prompts: &[Prompt], problems: &mut Problems) -> Option<usize> {
    let item = root.get(key)?;
    let name = text(item, key, problems)?;
    let at = prompts.iter().position(|p| p.name == name);
    if at.is_none() {
        let near = did_you_mean(&name, prompts.iter().map(|p| p.name.as_str()));
        problems.add(item.span(), format!("{key}: [prompts] has no \"{name}\"{near}"));
    }
    at
}

/// The lists of words and what is said where there is nothing to say.
fn slots(root: &dyn TableLike, problems: &mut Problems) -> Slots {
    let mut slots = Slots::default();
    if let Some(missing) = root.get("missing").and_then(|item| text(item, "missing", problems)) {
        slots.missing = missing;
    }
    let Some(table) = section(root, "words", problems) else { return slots };
    for (i, (name, item)) in table.iter().enumerate() {
        let at = key_span(table, name);
        if i == KNOBS.len() {
            problems
                .add(at, "[words] has more than four lists, and there are four knobs for them; take one out".into());
            break;
        }
        if !is_name(name) {
            problems.add(at, format!("[words] {name:?} may hold only letters, digits, - and _"));
        }
        let words = item.as_array().and_then(|list| {
            let words = list.iter().map(|word| word.as_str().filter(|word| !word.is_empty()).map(str::to_string));
            words.collect::<Option<Vec<_>>>().filter(|words| !words.is_empty())
        });
        match words {
            Some(words) => slots.words.push((name.to_string(), words)),
            None => {
                let message = format!("[words] {name} is a list of texts, as in [\"春\", \"夏\"]");
                problems.add(item.span(), message);
            }
        }
    }
    slots
}

fn prompts(root: &dyn TableLike, slots: &Slots, problems: &mut Problems) -> Vec<Prompt> {
    let mut prompts = Vec::new();
    let example = "write one below [prompts], as in: moon = \"The moon\"";
    if !root.contains_key("prompts") {
        problems.add(None, format!("there is no prompt to play; {example}"));
    }
    let Some(table) = section(root, "prompts", problems) else { return prompts };
    if table.is_empty() {
        problems.add(key_span(root, "prompts"), format!("[prompts] is empty; {example}"));
    }
    for (name, item) in table.iter() {
        let at = key_span(table, name);
        if STEPS.contains(&name) {
            problems.add(at, format!("[prompts] may not use \"{name}\": \"prompt.{name}\" is an action; rename it"));
        } else if !is_name(name) {
            problems.add(at, format!("[prompts] {name:?} may hold only letters, digits, - and _"));
        }
        if let Some(text) = text(item, &format!("[prompts] {name}"), problems) {
            if text.is_empty() {
                problems.add(item.span(), format!("[prompts] {name} is empty; give it at least one character"));
            }
            let template = Template::read(&text, slots).unwrap_or_else(|wrong| {
                for Wrong { brace, message } in wrong {
                    let at = problems.nth(item.span(), '{', brace);
                    problems.add(at, format!("[prompts] {name}: {message}"));
                }
                Template::plain(&text)
            });
            prompts.push(Prompt { name: name.to_string(), text, template });
        }
    }
    prompts
}

/// Takes `"sampler.temperature" = 0.8` and the same without quotes, which TOML reads as a table within a table.
pub(super) fn read_params(
    place: &str,
    table: &dyn TableLike,
    above: &str,
    params: &mut Vec<(ParamId, f32)>,
    problems: &mut Problems,
) {
    table.iter().for_each(|(key, item)| read_param(place, table, (key, item), above, params, problems));
}

/// Takes one key of such a table.
pub(super) fn read_param(
    place: &str,
    table: &dyn TableLike,
    (key, item): (&str, &Item),
    above: &str,
    params: &mut Vec<(ParamId, f32)>,
    problems: &mut Problems,
) {
    let name = if above.is_empty() { key.to_string() } else { format!("{above}.{key}") };
    match (ParamId::from_name(&name), item.as_table_like()) {
        (Some(id), _) if params.iter().any(|(other, _)| *other == id) => {
            problems.add(key_span(table, key), format!("{place} sets \"{name}\" twice"));
        }
        (Some(id), _) => {
            if let Some(value) = fits(id, item, &format!("{place} \"{name}\""), problems) {
                params.push((id, value));
            }
        }
        (None, Some(inner)) => read_params(place, inner, &name, params, problems),
        (None, None) => problems.add(key_span(table, key), no_parameter(place, &name)),
    }
}

fn no_parameter(place: &str, name: &str) -> String {
    match did_you_mean(name, PARAMS.iter().map(|p| p.name)) {
        near if near.is_empty() => format!("{place} has no \"{name}\"; `xiao params` lists every parameter"),
        near => format!("{place} has no \"{name}\"{near}"),
    }
}
