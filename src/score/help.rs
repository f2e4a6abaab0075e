//! The help as pages: what the tables of parameters and signals say, for every stage alike.
//!
//! Pure. The page of keys is made where the keys are, in `control::help`, which puts all of them in order.

use super::param::PARAMS;
use super::signal::SIGNALS;

/// Rows of a table on one page: with their longest helps on two lines each, a page fits a screen of 24 lines and a
/// window of 720.
const ROWS: usize = 10;
/// Between the names and what is said of them.
const GAP: usize = 2;

/// A page of the help.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HelpPage {
    pub title: String,
    /// What it is about, and what is said of it.
    pub lines: Vec<(String, String)>,
}

impl HelpPage {
    /// The page in `columns`: the left side padded to one width, the right side broken between words, with nothing on
    /// the left where it goes on. Every character is taken as one column wide.
    pub fn rows(&self, columns: usize) -> Vec<(String, String)> {
        let left = self.lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0) + GAP;
        let room = columns.saturating_sub(left).max(16);
        let mut rows = Vec::new();
        for (name, text) in &self.lines {
            for (i, part) in broken(text, room).into_iter().enumerate() {
                rows.push((format!("{:<left$}", if i == 0 { name } else { "" }), part));
            }
        }
        rows
    }
}

/// A text in lines of at most `room` characters; a longer word stands in a line of its own. Never without a line.
fn broken(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let last = lines.last_mut().expect("there is always a line");
        if !last.is_empty() && last.chars().count() + word.trim_end().chars().count() > room {
            last.truncate(last.trim_end().len());
            lines.push(word.to_string());
        } else {
            last.push_str(word);
        }
    }
    lines
}

/// The parameters, a page or more for each group, in the order of the table.
pub fn params() -> Vec<HelpPage> {
    let mut groups: Vec<(&str, Vec<(String, String)>)> = Vec::new();
    for spec in &PARAMS {
        let (group, name) = spec.name.split_once('.').unwrap_or((spec.name, spec.name));
        let unit = if spec.unit.is_empty() { String::new() } else { format!(" {}", spec.unit) };
        let text = format!("{} … {}{unit} ({})  {}", spec.min, spec.max, spec.default, spec.help);
        match groups.last_mut().filter(|(known, _)| *known == group) {
            Some((_, lines)) => lines.push((name.to_string(), text)),
            None => groups.push((group, vec![(name.to_string(), text)])),
        }
    }
    groups.into_iter().flat_map(|(group, lines)| paged(&format!("parameters: {group}"), lines, ROWS)).collect()
}

/// The signals, with the range that the matrix takes as nothing to all.
pub fn signals() -> Vec<HelpPage> {
    let lines = SIGNALS.iter().map(|spec| {
        let unit = if spec.unit.is_empty() { String::new() } else { format!(" {}", spec.unit) };
        (spec.name.to_string(), format!("{} … {}{unit}  {}", spec.min, spec.max, spec.help))
    });
    paged("signals", lines.collect(), ROWS)
}

/// Parts lines into pages of about the same length, at most `most` lines.
pub fn paged(title: &str, lines: Vec<(String, String)>, most: usize) -> Vec<HelpPage> {
    let count = lines.len().div_ceil(most).max(1);
    let each = lines.len().div_ceil(count).max(1);
    let pages = lines.chunks(each).enumerate().map(|(i, lines)| {
        let title = if count > 1 { format!("{title} {}/{count}", i + 1) } else { title.to_string() };
        HelpPage { title, lines: lines.to_vec() }
    });
    pages.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_and_every_signal_stands_on_a_page() {
        let pages = params();
        let names: Vec<String> = pages
            .iter()
            .flat_map(|page| {
                let group = page.title.split([' ', '/']).nth(1).unwrap().to_string();
                page.lines.iter().map(move |(name, _)| format!("{group}.{name}"))
            })
            .collect();
        assert_eq!(names, PARAMS.iter().map(|spec| spec.name).collect::<Vec<_>>());
        assert_eq!(signals().iter().map(|page| page.lines.len()).sum::<usize>(), SIGNALS.len());
        assert_eq!(pages[0].title, "parameters: sampler 1/3");
        let (name, text) = &pages[0].lines[1];
        assert_eq!(name, "top_k");
        assert!(text.starts_with("0 … 500 tokens (40)  Only the k likeliest"), "{text}");
    }

    #[test]
    fn pages_fit_a_common_terminal_and_a_window() {
        for page in params().iter().chain(&signals()) {
            // 80 columns with a frame, and 137 of a window's small letters.
            for (columns, most) in [(76, 22), (137, 20)] {
                let rows = page.rows(columns);
                assert!(rows.len() <= most, "{} has {} rows at {columns}", page.title, rows.len());
                assert!(rows.iter().all(|(l, r)| l.chars().count() + r.chars().count() <= columns), "{rows:#?}");
            }
        }
    }

    #[test]
    fn what_goes_on_stands_below_its_beginning() {
        let page = HelpPage { title: "t".into(), lines: vec![("k".into(), "one two three four five".into())] };
        let rows = page.rows(20);
        assert_eq!(rows, [("k  ".into(), "one two three".into()), ("   ".into(), "four five".into())]);
        assert_eq!(page.rows(3)[0].1, "one two three", "a column too narrow for words has them all the same");
    }
}
