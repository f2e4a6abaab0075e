//! Reads a patch: TOML in, a checked [`Patch`] or every problem found out.
//!
//! Only the document's own sections are here; `value` reads single values and `midi` the mappings.

use toml_edit::{Document, Item, TableLike};

use super::error::{Problems, did_you_mean};
use super::matrix::{MAX_ROUTES, Shape};
use super::value::{described, fits, items, key_span, number, text};
use super::{Matrix, Patch, PatchError, Prompt, Route, SamplerSpec, midi, sampler};
use crate::score::{ParamId, SignalId, param::PARAMS, signal::SIGNALS};

const SECTIONS: [&str; 8] = ["title", "model", "shader", "prompts", "params", "sampler", "midi", "matrix"];

/// Words that follow `prompt.` in a mapping, so that no prompt may be called so.
pub(super) const STEPS: [&str; 3] = ["next", "previous", "again"];

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
    let shader = word("shader").unwrap_or("field".into());
    if !is_name(&shader) {
        let message = format!("\"shader\" is a name without folder or \".wgsl\", as in \"field\", not {shader:?}");
        problems.add(root.get("shader").and_then(Item::span), message);
    }
    let prompts = prompts(root, &mut problems);
    let mut params = Vec::new();
    if let Some(table) = section(root, "params", &mut problems) {
        read_params(table, "", &mut params, &mut problems);
    }
    let sampler = match section(root, "sampler", &mut problems) {
        Some(table) => sampler::read(table, &mut problems),
        None => SamplerSpec::default(),
    };
    let midi = match section(root, "midi", &mut problems) {
        Some(table) => midi::devices(table, &prompts, &mut problems),
        None => Vec::new(),
    };
    let matrix = matrix(root, &mut problems);
    problems.finish(file)?;
    Ok(Patch { title, model, shader, prompts, params, sampler, midi, matrix })
}

fn section<'a>(root: &'a dyn TableLike, name: &str, problems: &mut Problems) -> Option<&'a dyn TableLike> {
    let item = root.get(name)?;
    if item.as_table_like().is_none() {
        problems.add(key_span(root, name), format!("[{name}] is a table of its own, not {}", described(item)));
    }
    item.as_table_like()
}

/// Letters and digits of any script, `-` and `_`.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

fn prompts(root: &dyn TableLike, problems: &mut Problems) -> Vec<Prompt> {
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
            prompts.push(Prompt { name: name.to_string(), text });
        }
    }
    prompts
}

/// Takes `"sampler.temperature" = 0.8` and the same without quotes, which TOML reads as a table within a table.
fn read_params(table: &dyn TableLike, above: &str, params: &mut Vec<(ParamId, f32)>, problems: &mut Problems) {
    for (key, item) in table.iter() {
        let name = if above.is_empty() { key.to_string() } else { format!("{above}.{key}") };
        match (ParamId::from_name(&name), item.as_table_like()) {
            (Some(id), _) if params.iter().any(|(other, _)| *other == id) => {
                problems.add(key_span(table, key), format!("[params] sets \"{name}\" twice"));
            }
            (Some(id), _) => {
                if let Some(value) = fits(id, item, &format!("[params] \"{name}\""), problems) {
                    params.push((id, value));
                }
            }
            (None, Some(inner)) => read_params(inner, &name, params, problems),
            (None, None) => problems.add(key_span(table, key), no_parameter("[params]", &name)),
        }
    }
}

fn no_parameter(place: &str, name: &str) -> String {
    match did_you_mean(name, PARAMS.iter().map(|p| p.name)) {
        near if near.is_empty() => format!("{place} has no \"{name}\"; `xiao params` lists every parameter"),
        near => format!("{place} has no \"{name}\"{near}"),
    }
}

fn matrix(root: &dyn TableLike, problems: &mut Problems) -> Matrix {
    let mut matrix = Matrix::default();
    let Some(item) = root.get("matrix") else { return matrix };
    let Some(tables) = items(item) else {
        let message = "write [[matrix]], with two brackets, above each route".to_string();
        problems.add(key_span(root, "matrix"), message);
        return matrix;
    };
    for (i, (table, span)) in tables.into_iter().enumerate() {
        if i == MAX_ROUTES {
            problems.add(span.clone(), format!("[[matrix]] has more than {MAX_ROUTES} routes; take some out"));
        }
        if let Some(route) = route(table, span, problems) {
            matrix.routes.push(route);
        }
    }
    matrix
}

fn route(table: &dyn TableLike, span: Option<std::ops::Range<usize>>, problems: &mut Problems) -> Option<Route> {
    const KEYS: [&str; 5] = ["from", "to", "amount", "curve", "lag_ms"];
    for (key, _) in table.iter().filter(|(key, _)| !KEYS.contains(key)) {
        problems.add(key_span(table, key), format!("[[matrix]] has no \"{key}\"{}", did_you_mean(key, KEYS)));
    }
    for key in &KEYS[..3] {
        if !table.contains_key(key) {
            problems.add(span.clone(), format!("[[matrix]] lacks \"{key}\"; a route needs from, to and amount"));
        }
    }
    let mut word = |key: &str, right: &[&str], list: &str| {
        let item = table.get(key)?;
        let word = text(item, &format!("[[matrix]] {key}"), problems)?;
        let found = right.iter().position(|r| *r == word);
        if found.is_none() {
            let near = did_you_mean(&word, right.iter().copied());
            let remedy = if near.is_empty() { format!("; {list}") } else { near };
            problems.add(item.span(), format!("[[matrix]] {key}: there is no \"{word}\"{remedy}"));
        }
        found
    };
    let from = word("from", &SIGNALS.map(|s| s.name), "`xiao signals` lists every signal").map(|i| SignalId::ALL[i]);
    let to = word("to", &PARAMS.map(|p| p.name), "`xiao params` lists every parameter").map(|i| ParamId::ALL[i]);
    let shapes = Shape::WORDS.map(|(word, _)| word);
    let shape = word("curve", &shapes, "it is one of lin, exp, log, s, inverse").map(|i| Shape::WORDS[i].1);
    let mut value = |key: &str, min: f32, max: f32| {
        table.get(key).and_then(|item| number(item, &format!("[[matrix]] {key}"), min, max, "", problems))
    };
    let (amount, lag_ms) = (value("amount", -1.0, 1.0), value("lag_ms", 0.0, 600_000.0));
    let shape = shape.unwrap_or_default();
    Some(Route { from: from?, to: to?, amount: amount?, shape, lag_s: lag_ms.unwrap_or(0.0) / 1000.0 })
}
