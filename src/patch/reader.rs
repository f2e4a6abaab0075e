//! Reads one table of a patch key by key, and says of each mistake where it stands and what is right.

use std::ops::Range;

use toml_edit::{Item, TableLike};

use super::error::{Problems, did_you_mean};
use super::value::{key_span, number, pair, text};

/// One table, with how problems call it.
pub(super) struct Reader<'a, 'p> {
    /// As in `[lfo.tide]`.
    pub place: String,
    pub table: &'a dyn TableLike,
    pub span: Option<Range<usize>>,
    pub problems: &'a mut Problems<'p>,
}

impl Reader<'_, '_> {
    /// Keys that may stand here, and those that must.
    pub fn keys(&mut self, may: &[&str], must: &[&str]) {
        let Reader { place, table, span, problems } = self;
        for (key, _) in table.iter().filter(|(key, _)| !may.contains(key)) {
            problems.add(
                key_span(*table, key),
                format!("{place} has no \"{key}\"{}", did_you_mean(key, may.iter().copied())),
            );
        }
        for key in must.iter().filter(|key| !table.contains_key(key)) {
            problems.add(span.clone(), format!("{place} lacks \"{key}\"; it needs {}", must.join(", ")));
        }
    }

    pub fn number(&mut self, key: &str, min: f32, max: f32) -> Option<f32> {
        let item = self.table.get(key)?;
        number(item, &format!("{} {key}", self.place), min, max, "", self.problems)
    }

    /// One of these words.
    pub fn word<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let list = format!("it is one of {}", words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", "));
        self.find(key, &list, words.iter().copied())
    }

    /// One of these words; what else helps is said in `list`.
    pub fn find<'w, T>(
        &mut self,
        key: &str,
        list: &str,
        words: impl Iterator<Item = (&'w str, T)> + Clone,
    ) -> Option<T> {
        let item = self.table.get(key)?;
        let word = text(item, &format!("{} {key}", self.place), self.problems)?;
        let found = words.clone().find(|(right, _)| *right == word);
        if found.is_none() {
            let near = did_you_mean(&word, words.map(|(word, _)| word));
            let remedy = if near.is_empty() { format!("; {list}") } else { near };
            self.problems.add(item.span(), format!("{} {key}: there is no \"{word}\"{remedy}", self.place));
        }
        found.map(|(_, value)| value)
    }

    /// A whole number.
    pub fn whole(&mut self, key: &str, min: u8, max: u8) -> Option<u8> {
        let item = self.table.get(key)?;
        whole(item, &format!("{} {key}", self.place), min, max, self.problems)
    }

    /// Two numbers within the same bounds; the second may be the smaller.
    pub fn pair(&mut self, key: &str, min: f32, max: f32, example: &str) -> Option<[f32; 2]> {
        let ends = self.ends(key, example)?;
        let name = format!("{} {key}", self.place);
        let ends = ends.map(|end| number(&end, &name, min, max, "", self.problems));
        Some([ends[0]?, ends[1]?])
    }

    /// The same of whole numbers.
    pub fn wholes(&mut self, key: &str, min: u8, max: u8, example: &str) -> Option<[u8; 2]> {
        let ends = self.ends(key, example)?;
        let name = format!("{} {key}", self.place);
        let ends = ends.map(|end| whole(&end, &name, min, max, self.problems));
        Some([ends[0]?, ends[1]?])
    }

    fn ends(&mut self, key: &str, example: &str) -> Option<[Item; 2]> {
        let item = self.table.get(key)?;
        let ends = pair(item);
        if ends.is_none() {
            let message = format!("{} {key} takes two numbers, as in {example}", self.place);
            self.problems.add(item.span(), message);
        }
        ends
    }
}

/// A whole number within `min..=max`.
pub(super) fn whole(item: &Item, name: &str, min: u8, max: u8, problems: &mut Problems) -> Option<u8> {
    let value = number(item, name, f32::from(min), f32::from(max), "", problems)?;
    if value.fract() != 0.0 {
        problems.add(item.span(), format!("{name} takes whole numbers, not {value}"));
        return None;
    }
    Some(value as u8)
}
