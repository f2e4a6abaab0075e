//! `[sampler]`: the order of the sampler's stages and the words that it favours, shuns or bans.
//!
//! Pure. What a word is in tokens is the model's matter; here it is text or a number.

use std::ops::Range;

use toml_edit::{Item, TableLike, Value};

use super::error::{Problems, did_you_mean};
use super::value::{described, key_span, number};
use crate::score::ParamId;

/// What a patch says about the sampler beyond its parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SamplerSpec {
    /// The stages in the order in which they act; one that is left out does not act. None: the model's or the usual order.
    pub order: Option<Vec<Stage>>,
    /// Words that are not drawn.
    pub ban: Vec<Word>,
    /// Words and what is added to their logits.
    pub bias: Vec<(Word, f32)>,
    /// Texts at which DRY stops looking for repetitions; none: the usual ones.
    pub dry_breakers: Option<Vec<String>>,
}

/// A word of the patch.
#[derive(Clone, Debug, PartialEq)]
pub enum Word {
    Text(String),
    /// A token by its number.
    Id(u32),
}

/// A stage whose place in the order can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Penalties,
    Dry,
    TopK,
    Typical,
    TopP,
    MinP,
    Xtc,
    Temperature,
}

impl Stage {
    /// The words of the patch, in the usual order, which is llama.cpp's.
    pub const WORDS: [(&'static str, Stage); 8] = [
        ("penalties", Stage::Penalties),
        ("dry", Stage::Dry),
        ("top_k", Stage::TopK),
        ("typical", Stage::Typical),
        ("top_p", Stage::TopP),
        ("min_p", Stage::MinP),
        ("xtc", Stage::Xtc),
        ("temperature", Stage::Temperature),
    ];

    /// Names that other programs use for the same stages.
    const OTHER: [(&'static str, Stage); 5] = [
        ("typ_p", Stage::Typical),
        ("typical_p", Stage::Typical),
        ("typ", Stage::Typical),
        ("nucleus", Stage::TopP),
        ("temp", Stage::Temperature),
    ];

    /// The stage that a word means, with `-` for `_` and in either case, as other programs write it.
    pub fn from_name(name: &str) -> Option<Stage> {
        let name = name.trim().to_lowercase().replace('-', "_");
        // `topk` and the like.
        let bare = |word: &str| word == name || word.replace('_', "") == name;
        Stage::WORDS.iter().chain(&Stage::OTHER).find(|(word, _)| bare(word)).map(|(_, stage)| *stage)
    }

    pub fn name(self) -> &'static str {
        Stage::WORDS[self as usize].0
    }
}

/// Token numbers above this are slips: no vocabulary comes near.
const MOST_ID: i64 = 1 << 24;
/// What a bias may be; 100 towers over any model's logits.
const MOST_BIAS: f32 = 100.0;
const KEYS: [&str; 4] = ["order", "ban", "bias", "dry_breakers"];

/// Reads the section.
pub(super) fn read(table: &dyn TableLike, problems: &mut Problems) -> SamplerSpec {
    for (key, _) in table.iter().filter(|(key, _)| !KEYS.contains(key)) {
        let param = ParamId::from_name(&format!("sampler.{key}")).is_some();
        let near = match did_you_mean(key, KEYS) {
            _ if param => format!("; write \"sampler.{key}\" below [params]"),
            near => near,
        };
        problems.add(key_span(table, key), format!("[sampler] has no \"{key}\"{near}"));
    }
    let mut spec = SamplerSpec::default();
    if let Some(values) = list(table, "order", "stages, as in [\"top_k\", \"temperature\"]", problems) {
        spec.order = Some(order(values, problems));
    }
    if let Some(values) = list(table, "ban", "words, as in [\" moon\", 123]", problems) {
        spec.ban = values.into_iter().filter_map(|(value, span)| banned(value, span, problems)).collect();
    }
    if let Some(item) = table.get("bias") {
        spec.bias = biases(item, problems);
    }
    if let Some(values) = list(table, "dry_breakers", "texts, as in [\"\\n\", \":\"]", problems) {
        let texts = values.into_iter().filter_map(|(value, span)| {
            let text = value.as_str().filter(|text| !text.is_empty());
            if text.is_none() {
                let found = said(value);
                problems.add(span, format!("[sampler] dry_breakers takes text of at least one character, not {found}"));
            }
            text.map(str::to_string)
        });
        spec.dry_breakers = Some(texts.collect());
    }
    spec
}

/// A value as a problem calls it.
fn said(value: &Value) -> String {
    match value.as_str() {
        Some(text) => format!("{text:?}"),
        None => described(&Item::Value(value.clone())).to_string(),
    }
}

/// A value of a list with its place.
type Entry<'a> = (&'a Value, Option<Range<usize>>);

/// The values of a list.
fn list<'a>(table: &'a dyn TableLike, key: &str, wanted: &str, problems: &mut Problems) -> Option<Vec<Entry<'a>>> {
    let item = table.get(key)?;
    let Some(array) = item.as_array() else {
        problems.add(item.span(), format!("[sampler] {key} takes a list of {wanted}, not {}", described(item)));
        return None;
    };
    Some(array.iter().map(|value| (value, value.span())).collect())
}

fn order(values: Vec<Entry>, problems: &mut Problems) -> Vec<Stage> {
    let mut order = Vec::new();
    for (value, span) in values {
        let found = value.as_str().and_then(Stage::from_name);
        match (found, value.as_str()) {
            (Some(stage), _) if order.contains(&stage) => {
                problems.add(span, format!("[sampler] order names \"{}\" twice", stage.name()));
            }
            (Some(stage), _) => order.push(stage),
            (None, Some(word)) => {
                let near = did_you_mean(word, Stage::WORDS.map(|(word, _)| word));
                let all = Stage::WORDS.map(|(word, _)| word).join(", ");
                let remedy = if near.is_empty() { format!("; the stages are {all}") } else { near };
                problems.add(span, format!("[sampler] order: there is no \"{word}\"{remedy}"));
            }
            (None, None) => problems.add(span, format!("[sampler] order takes names in quotes, not {}", said(value))),
        }
    }
    order
}

fn banned(value: &Value, span: Option<Range<usize>>, problems: &mut Problems) -> Option<Word> {
    match (value.as_str(), value.as_integer()) {
        (Some(""), _) => problems.add(span, "[sampler] ban: an empty text is no word; take it out".to_string()),
        (Some(text), _) => return Some(Word::Text(text.to_string())),
        (_, Some(id)) if (0..=MOST_ID).contains(&id) => return Some(Word::Id(id as u32)),
        (_, Some(id)) => problems.add(span, format!("[sampler] ban: no token has the number {id}")),
        _ => problems.add(span, format!("[sampler] ban takes text or token numbers, not {}", said(value))),
    }
    None
}

/// Keys are text, or a token's number where they are digits alone: TOML knows no other keys than text.
fn biases(item: &Item, problems: &mut Problems) -> Vec<(Word, f32)> {
    let Some(table) = item.as_table_like() else {
        let found = described(item);
        problems.add(item.span(), format!("[sampler] bias is a table, as in {{ \" moon\" = 2.0 }}, not {found}"));
        return Vec::new();
    };
    let mut found = Vec::new();
    for (key, item) in table.iter() {
        let digits = !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit());
        let word = match key.parse::<i64>() {
            _ if key.is_empty() => None,
            Ok(id) if digits => (id <= MOST_ID).then_some(Word::Id(id as u32)),
            Err(_) if digits => None,
            _ => Some(Word::Text(key.to_string())),
        };
        let Some(word) = word else {
            let what = if digits { "no token has this number" } else { "an empty text is no word; take it out" };
            problems.add(key_span(table, key), format!("[sampler] bias {key:?}: {what}"));
            continue;
        };
        let name = format!("[sampler] bias {key:?}");
        if let Some(value) = number(item, &name, -MOST_BIAS, MOST_BIAS, "", problems) {
            found.push((word, value));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_go_by_their_names_and_those_of_others() {
        for (i, (word, stage)) in Stage::WORDS.iter().enumerate() {
            assert_eq!((*stage as usize, stage.name()), (i, *word));
            assert_eq!(Stage::from_name(word), Some(*stage));
        }
        for (word, stage) in [("Top-K", Stage::TopK), ("minp", Stage::MinP), ("typ_p", Stage::Typical)] {
            assert_eq!(Stage::from_name(word), Some(stage), "{word}");
        }
        assert_eq!(Stage::from_name("temp"), Some(Stage::Temperature));
        assert_eq!(Stage::from_name("top"), None);
    }
}
