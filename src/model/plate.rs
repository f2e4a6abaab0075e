//! The plate beside a model: the card that its file carries, or what the header tells of it.
//!
//! Pure. Nothing in a file is trusted: whatever it holds, a plate is at most [`LINES`] lines of [`COLUMNS`] columns.

use std::collections::BTreeMap;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Info;
use super::gguf::{Gguf, Value};

/// The keys of the card and of the training's record, which is for programs and not shown.
const CARD: &str = "xiao.card";
const RECORD: &str = "xiao.record";
/// How much fits onto a plate.
pub const LINES: usize = 12;
pub const COLUMNS: usize = 60;
/// Longer records, more notes and longer ones are none of ours.
const MOST_RECORD_BYTES: usize = 16 << 20;
const MOST_NOTES: usize = 24;
const MOST_CHARACTERS: usize = 240;

/// The card in a model's file.
pub(super) fn card(gguf: &Gguf) -> Option<String> {
    gguf.text(CARD).map(fitted).filter(|card| !card.is_empty())
}

/// The record of its training, JSON.
pub(super) fn record(gguf: &Gguf) -> Option<String> {
    gguf.text(RECORD).filter(|text| text.len() <= MOST_RECORD_BYTES).map(str::to_string)
}

/// What the other keys that begin with `xiao.` say.
pub(super) fn notes(gguf: &Gguf) -> BTreeMap<String, String> {
    let cut = |text: &str| text.chars().take(MOST_CHARACTERS).collect::<String>();
    let said = |value: &Value| match value {
        Value::Text(text) => Some(cut(text)),
        Value::Unsigned(n) => Some(n.to_string()),
        Value::Signed(n) => Some(n.to_string()),
        // Four decimals tell two models apart.
        Value::Float(n) => Some(((n * 1e4).round() / 1e4).to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    };
    let ours = gguf.keys.iter().filter(|(key, _)| key.starts_with("xiao.") && key != CARD && key != RECORD);
    ours.filter_map(|(key, value)| Some((cut(key), said(value)?))).take(MOST_NOTES).collect()
}

/// A text brought to the size of a plate: what is longer is cut, with an ellipsis.
pub fn fitted(text: &str) -> String {
    let lines: Vec<String> = text.trim_matches('\n').lines().take(LINES).map(line).collect();
    lines.join("\n")
}

fn line(text: &str) -> String {
    // A character may have no width at all, so they are counted as well.
    let whole: String = text.trim_end().chars().filter(|c| !c.is_control()).take(MOST_CHARACTERS).collect();
    if whole.width() <= COLUMNS {
        return whole;
    }
    let mut left = COLUMNS - 1;
    let fits = |c: &char| {
        let rest = left.checked_sub(c.width().unwrap_or(0));
        left = rest.unwrap_or(0);
        rest.is_some()
    };
    let cut: String = whole.chars().take_while(fits).collect();
    format!("{}…", cut.trim_end())
}

impl Info {
    /// The model's card, or one made from its header.
    pub fn plate(&self) -> String {
        self.card.clone().unwrap_or_else(|| self.plain_plate())
    }

    fn plain_plate(&self) -> String {
        let name = if self.name == "unknown" { file_name(&self.file) } else { &self.name };
        let kind = self.types.first().map_or("", |sum| sum.kind.as_str());
        fitted(&format!(
            "{name}\n{}, {} parameters in {kind}\n{} layers of {}, a vocabulary of {}, {} tokens in mind\nlicence {}, author {}",
            self.architecture,
            count(self.parameters),
            self.layers,
            self.width,
            self.vocabulary,
            self.context,
            self.lineage.licence,
            self.lineage.author
        ))
    }
}

/// A path without its folders.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A large number for people.
fn count(n: u64) -> String {
    if n < 1_000_000_000 { format!("{:.1} million", n as f64 / 1e6) } else { format!("{:.1} billion", n as f64 / 1e9) }
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    #[test]
    fn a_model_without_a_card_has_a_plate_from_its_header() {
        let mut info = Info::read(&Source::Embedded).unwrap();
        info.card = None;
        let plate = info.plate();
        assert!(plate.contains("4.5 million parameters in Q8_0\n4 layers of 256"), "{plate}");
        info.name = "unknown".into();
        info.file = "/home/me/models/poet.gguf".into();
        assert!(info.plate().starts_with("poet.gguf\n"));
        info.card = Some("A card".into());
        assert_eq!(info.plate(), "A card");
    }

    #[test]
    fn a_card_of_any_length_becomes_a_plate() {
        for text in ["长".repeat(100_000), "x\n".repeat(5000), "\u{301}".repeat(10_000), "\u{1b}[2J\0a".repeat(900)] {
            let plate = fitted(&text);
            assert!(plate.lines().count() <= LINES && plate.chars().count() <= LINES * (MOST_CHARACTERS + 1));
            assert!(plate.lines().all(|line| line.width() <= COLUMNS && !line.contains(char::is_control)), "{plate}");
        }
        assert_eq!(fitted(&"长".repeat(40)), format!("{}…", "长".repeat(29)));
        assert_eq!(fitted("\n\na \n\nb\n"), "a\n\nb");
        assert_eq!(fitted(&"a".repeat(60)).len(), 60);
    }

    #[test]
    fn hostile_keys_are_bounded() {
        let mut gguf = Gguf::read(&Source::Embedded).unwrap();
        gguf.keys.retain(|(key, _)| !key.starts_with("xiao."));
        for i in 0..1000 {
            gguf.keys.push((format!("xiao.{i}.{}", "k".repeat(1000)), Value::Text("v".repeat(100_000))));
        }
        gguf.keys.insert(0, ("xiao.list".into(), Value::Integers(vec![1])));
        gguf.keys.insert(0, ("xiao.bits".into(), Value::Float(6.512345)));
        gguf.keys.push((RECORD.into(), Value::Text("r".repeat(MOST_RECORD_BYTES + 1))));
        let notes = notes(&gguf);
        assert_eq!((notes.len(), notes["xiao.bits"].as_str()), (MOST_NOTES, "6.5123"));
        assert!(notes.iter().all(|(key, value)| key.len() <= MOST_CHARACTERS && value.len() <= MOST_CHARACTERS));
        assert_eq!((record(&gguf), card(&gguf)), (None, None));
    }
}
