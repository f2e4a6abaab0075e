//! Reads single values of a patch, each with its place and its range.

use std::ops::Range;

use toml_edit::{Item, TableLike, Value};

use super::error::{Problems, did_you_mean};
use crate::score::{ParamId, param::Curve};

/// Where a key stands in the file.
pub(super) fn key_span(table: &dyn TableLike, key: &str) -> Option<Range<usize>> {
    table.get_key_value(key).and_then(|(key, item)| key.span().or_else(|| item.span()))
}

/// What a value is, for people.
pub(super) fn described(item: &Item) -> &'static str {
    match item.type_name() {
        "string" => "text",
        "integer" | "float" => "a number",
        "boolean" => "true or false",
        "datetime" => "a date",
        "array" | "array of tables" => "a list",
        _ => "a table",
    }
}

/// Text in quotes; `name` is how the problem calls it.
pub(super) fn text(item: &Item, name: &str, problems: &mut Problems) -> Option<String> {
    if item.as_str().is_none() {
        problems.add(item.span(), format!("{name} takes text in quotes, not {}", described(item)));
    }
    item.as_str().map(str::to_string)
}

/// True or false.
pub(super) fn switch(item: &Item, name: &str, problems: &mut Problems) -> Option<bool> {
    if item.as_bool().is_none() {
        problems.add(item.span(), format!("{name} is true or false, not {}", described(item)));
    }
    item.as_bool()
}

/// A number within `min..=max`; `unit` is said with the range.
pub(super) fn number(item: &Item, name: &str, min: f32, max: f32, unit: &str, problems: &mut Problems) -> Option<f32> {
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    let Some(value) = item.as_float().or_else(|| item.as_integer().map(|i| i as f64)) else {
        problems.add(item.span(), format!("{name} takes a number from {min} to {max}{unit}, not {}", described(item)));
        return None;
    };
    // Compared as f32, for 0.05 as f64 lies below 0.05 as f32; NaN is in no range.
    if !(min..=max).contains(&(value as f32)) {
        problems.add(item.span(), format!("{name} is {value}, outside {min} to {max}{unit}"));
        return None;
    }
    Some(value as f32)
}

/// A value that the parameter may take, in its own unit.
pub(super) fn fits(id: ParamId, item: &Item, name: &str, problems: &mut Problems) -> Option<f32> {
    let spec = id.spec();
    if let (Curve::Switch, Some(on)) = (spec.curve, item.as_bool()) {
        return Some(f32::from(on));
    }
    if spec.curve == Curve::Switch && item.as_integer().is_none_or(|i| i != 0 && i != 1) {
        problems.add(item.span(), format!("{name} takes true or false"));
        return None;
    }
    if let (Some(word), false) = (item.as_str(), spec.names().is_empty()) {
        let value = spec.named(word);
        if value.is_none() {
            let near = did_you_mean(word, spec.names().iter().copied());
            problems.add(item.span(), format!("{name} takes {}, not {word:?}{near}", spec.names().join(", ")));
        }
        return value;
    }
    let value = number(item, name, spec.min, spec.max, spec.unit, problems)?;
    if spec.curve == Curve::Step && value.fract() != 0.0 {
        problems.add(item.span(), format!("{name} takes whole numbers, not {value}"));
        return None;
    }
    Some(value)
}

/// A table of a list, with where it stands.
type Entry<'a> = (&'a dyn TableLike, Option<Range<usize>>);

/// The tables of `[[name]]`, or of a list of inline tables, which is the same to TOML.
pub(super) fn items(item: &Item) -> Option<Vec<Entry<'_>>> {
    if let Some(tables) = item.as_array_of_tables() {
        return Some(tables.iter().map(|t| (t as &dyn TableLike, t.span())).collect());
    }
    item.as_array()?.iter().map(|v| v.as_inline_table().map(|t| (t as &dyn TableLike, t.span()))).collect()
}

/// The two numbers of a list.
pub(super) fn pair(item: &Item) -> Option<[Item; 2]> {
    let values: Vec<Item> = item.as_array()?.iter().cloned().map(Item::Value).collect();
    values
        .try_into()
        .ok()
        .filter(|pair: &[Item; 2]| pair.iter().all(|i| matches!(i, Item::Value(Value::Integer(_) | Value::Float(_)))))
}
