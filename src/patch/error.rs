//! What is wrong with a patch, and where: every problem in one line with file, line, column, key and remedy.

use std::fmt;
use std::ops::Range;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line and column, both from 1, the column in characters; none where the whole file is meant.
    pub at: Option<(usize, usize)>,
    /// What is wrong and what to do, one line without the place.
    pub message: String,
}

/// A patch that was refused. Displays as the first problem and how many more there are; [`PatchError::lines`] has all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct PatchError {
    /// The file as the performer named it.
    pub file: String,
    /// In the order of the file; never empty.
    pub problems: Vec<Problem>,
}

impl PatchError {
    /// A problem of the whole file.
    pub fn whole(file: &str, message: String) -> PatchError {
        PatchError { file: file.to_string(), problems: vec![Problem { at: None, message }] }
    }

    /// Every problem as one line with its place.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.problems.iter().map(|problem| match problem.at {
            Some((line, column)) => format!("{}:{line}:{column}: {}", self.file, problem.message),
            None => format!("{}: {}", self.file, problem.message),
        })
    }
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().next().unwrap_or_default())?;
        match self.problems.len() {
            0 | 1 => Ok(()),
            n => write!(f, " (and {} more)", n - 1),
        }
    }
}

/// Problems as they are found, with the text they are found in.
pub(super) struct Problems<'a> {
    text: &'a str,
    found: Vec<(usize, Problem)>,
}

impl<'a> Problems<'a> {
    pub fn new(text: &'a str) -> Problems<'a> {
        Problems { text, found: Vec::new() }
    }

    /// Notes a problem at the span's beginning; without a span, the whole file is meant.
    pub fn add(&mut self, span: Option<Range<usize>>, message: String) {
        let at = span.as_ref().map(|span| place(self.text, span.start));
        self.found.push((span.map_or(0, |s| s.start), Problem { at, message }));
    }

    /// Where the `n`th of a character stands within a span, counted from 0; the span where it has fewer.
    pub fn nth(&self, span: Option<Range<usize>>, character: char, n: usize) -> Option<Range<usize>> {
        let span = span?;
        let at = self.text.get(span.clone()).and_then(|text| text.match_indices(character).nth(n));
        Some(at.map_or(span.clone(), |(at, _)| span.start + at..span.end))
    }

    /// Fails with all that was noted, in the order of the file.
    pub fn finish(mut self, file: &str) -> Result<(), PatchError> {
        if self.found.is_empty() {
            return Ok(());
        }
        self.found.sort_by_key(|(offset, _)| *offset);
        Err(PatchError { file: file.to_string(), problems: self.found.into_iter().map(|(_, p)| p).collect() })
    }
}

/// Line and column, from 1, of a byte offset; the column counts characters.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    (line, String::from_utf8_lossy(&before[start..]).chars().count() + 1)
}

/// `; did you mean "…"?` with the nearest of the right words, or nothing where none is near.
pub(super) fn did_you_mean<'w>(word: &str, right: impl IntoIterator<Item = &'w str>) -> String {
    match nearest(word, right) {
        Some(near) => format!("; did you mean \"{near}\"?"),
        None => String::new(),
    }
}

/// The right word that is nearest to a wrong one, if any is near enough to be meant.
fn nearest<'w>(word: &str, right: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let word = word.to_lowercase().replace(['-', '/'], ".");
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_string();
    right
        .into_iter()
        .map(|name| {
            // The last part alone ("temperature") is how people remember a name, so it may stand for the whole.
            let whole = strsim::normalized_damerau_levenshtein(&word, name);
            let part = strsim::normalized_damerau_levenshtein(&last(&word), &last(name)) - 0.1;
            (whole.max(part), name)
        })
        .filter(|(likeness, _)| *likeness >= 0.5)
        // The first of equals wins: `max_by` would give the last.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters() {
        let text = "a\n春 = 1\nlast";
        assert_eq!(place(text, 0), (1, 1));
        assert_eq!(place(text, text.find('=').unwrap()), (2, 3));
        assert_eq!(place(text, text.len()), (3, 5));
        assert_eq!(place(text, 9999), (3, 5));
    }

    #[test]
    fn the_nearest_word_is_the_one_meant() {
        let names = ["sampler.temperature", "sampler.top_k", "sound.hum.level_db", "stage.hue"];
        assert_eq!(nearest("sampler.temprature", names), Some("sampler.temperature"));
        assert_eq!(nearest("temperature", names), Some("sampler.temperature"));
        assert_eq!(nearest("Sampler/Top-K", names), Some("sampler.top_k"));
        assert_eq!(nearest("xyzzy", names), None);
    }

    #[test]
    fn problems_come_in_the_order_of_the_file() {
        let mut problems = Problems::new("one\ntwo\n");
        problems.add(Some(4..5), "second".into());
        problems.add(Some(0..1), "first".into());
        let error = problems.finish("p.toml").unwrap_err();
        assert_eq!(error.to_string(), "p.toml:1:1: first (and 1 more)");
        assert_eq!(error.lines().nth(1).unwrap(), "p.toml:2:1: second");
    }
}
