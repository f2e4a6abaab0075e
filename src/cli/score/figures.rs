//! A score as JSON.

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::{Foreseen, Foresight, Tally};

/// A tally in JSON.
#[derive(Serialize)]
struct Figures {
    bits_per_char: f64,
    bits_per_byte: f64,
    perplexity: f64,
    bits: f64,
    tokens: u64,
    characters: u64,
    bytes: u64,
    pieces: u64,
}

impl From<Tally> for Figures {
    fn from(tally: Tally) -> Figures {
        Figures {
            bits_per_char: tally.bits_per_character(),
            bits_per_byte: tally.bits_per_byte(),
            perplexity: tally.perplexity(),
            bits: tally.bits(),
            tokens: tally.tokens,
            characters: tally.characters,
            bytes: tally.bytes,
            pieces: tally.pieces,
        }
    }
}

pub fn sums(sum: &Foresight) -> anyhow::Result<Value> {
    let mut value = serde_json::to_value(Figures::from(sum.all))?;
    for (script, tally) in sum.scripts() {
        value["scripts"][script] = serde_json::to_value(Figures::from(tally))?;
    }
    Ok(value)
}

pub fn extend(value: &mut Value, with: Value) {
    if let (Some(value), Value::Object(with)) = (value.as_object_mut(), with) {
        value.extend(with);
    }
}

/// A piece of which the first line has this number in its text.
pub fn piece_json(number: usize, seen: &Foreseen) -> anyhow::Result<Value> {
    let lines = seen.lines().zip(number..).map(|(line, number)| {
        let tokens = line.words(&seen.text).into_iter();
        let tokens: Vec<_> = tokens.map(|(at, nats)| json!([&seen.text[at], nats / std::f64::consts::LN_2])).collect();
        let bits = line.tally.bits();
        json!({"line": number, "text": line.text, "bits_per_char": line.tally.bits_per_character(), "bits": bits,
               "tokens": tokens})
    });
    let lines: Vec<_> = lines.collect();
    let mut value = json!({"line": number, "script": seen.script, "lines": lines});
    extend(&mut value, serde_json::to_value(Figures::from(seen.tally()))?);
    Ok(value)
}
