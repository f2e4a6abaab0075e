//! The help as pages: what the tables of parameters and signals say, for every stage alike.
//!
//! Pure. The page of keys is made where the keys are, in `control::help`, which puts all of them in order.

use super::param::PARAMS;
use super::signal::SIGNALS;

/// Rows of a table on one page: with their longest helps on two lines each, a page fits a screen of 24 lines and a
/// window of 720.
pub const ROWS: usize = 10;
/// Between the names and what is said of them.
const GAP: usize = 2;
/// Words in a narrower column are hard to read.
const LEAST: usize = 20;

/// A page of the help.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HelpPage {
    pub title: String,
    /// What it is about, and what is said of it.
    pub lines: Vec<(String, String)>,
}

impl HelpPage {
    /// The page in `columns`: the left side padded to one width, the right side broken between words, with nothing on
    /// the left where it goes on. Where that leaves too little room, the right side stands below the left. Every
    /// character is taken as one column wide.
    pub fn rows(&self, columns: usize) -> Vec<(String, String)> {
        self.blocks(columns).into_iter().flatten().collect()
    }

    /// The rows of each line of the page.
    pub fn blocks(&self, columns: usize) -> Vec<Vec<(String, String)>> {
        let left = self.lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0) + GAP;
        let beside = columns >= left + LEAST;
        let (left, room) = if beside { (left, columns - left) } else { (GAP, columns.saturating_sub(GAP).max(1)) };
        let block = |(name, text): &(String, String)| {
            let texts = broken(text, room);
            if beside {
                let names = std::iter::once(name.as_str()).chain(std::iter::repeat(""));
                return names.zip(texts).map(|(name, text)| (format!("{name:<left$}"), text)).collect();
            }
            let names = broken(name, columns.max(1)).into_iter().map(|name| (name, String::new()));
            names.chain(texts.into_iter().map(|text| (" ".repeat(GAP), text))).collect()
        };
        self.lines.iter().map(block).collect()
    }

    /// The page as pages of about the same length, at most `most` lines.
    pub fn paged(self, most: usize) -> Vec<HelpPage> {
        let count = self.lines.len().div_ceil(most).max(1);
        let each = self.lines.len().div_ceil(count).max(1);
        let pages = self.lines.chunks(each).enumerate().map(|(i, lines)| {
            let title = if count > 1 { format!("{} {}/{count}", self.title, i + 1) } else { self.title.clone() };
            HelpPage { title, lines: lines.to_vec() }
        });
        pages.collect()
    }
}

/// All pages, with those of a patch's own keys behind the keys.
pub fn with_own(pages: &[HelpPage], own: &[HelpPage]) -> Vec<HelpPage> {
    let keys = pages.iter().take_while(|page| page.title.starts_with("keys")).count();
    [&pages[..keys], own, &pages[keys..]].concat()
}

/// A text in lines of at most `room` characters; a longer word goes on in the next. Never without a line.
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
        while let Some(last) = lines.last_mut()
            && let Some((cut, c)) = last.char_indices().nth(room)
            && c != ' '
        {
            let rest = last.split_off(cut);
            lines.push(rest);
        }
    }
    lines
}

/// The parameters, a page for each group, in the order of the table.
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
    groups.into_iter().map(|(group, lines)| HelpPage { title: format!("parameters: {group}"), lines }).collect()
}

/// The signals, with the range that the matrix takes as nothing to all.
pub fn signals() -> HelpPage {
    let lines = SIGNALS.iter().map(|spec| {
        let unit = if spec.unit.is_empty() { String::new() } else { format!(" {}", spec.unit) };
        (spec.name.to_string(), format!("{} … {}{unit}  {}", spec.min, spec.max, spec.help))
    });
    HelpPage { title: "signals".to_string(), lines: lines.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_and_every_signal_stands_on_a_page() {
        let pages: Vec<HelpPage> = params().into_iter().flat_map(|page| page.paged(ROWS)).collect();
        let names: Vec<String> = pages
            .iter()
            .flat_map(|page| {
                let group = page.title.split([' ', '/']).nth(1).unwrap().to_string();
                page.lines.iter().map(move |(name, _)| format!("{group}.{name}"))
            })
            .collect();
        assert_eq!(names, PARAMS.iter().map(|spec| spec.name).collect::<Vec<_>>());
        assert_eq!(signals().lines.len(), SIGNALS.len());
        assert_eq!(pages[0].title, "parameters: sampler 1/3");
        let (name, text) = &pages[0].lines[1];
        assert_eq!(name, "top_k");
        assert!(text.starts_with("0 … 500 tokens (40)  Only the k likeliest"), "{text}");
    }

    #[test]
    fn pages_fit_a_common_terminal_and_a_window() {
        for page in params().into_iter().chain([signals()]).flat_map(|page| page.paged(ROWS)) {
            // 80 columns with a frame, and 137 of a window's small letters.
            for (columns, most) in [(76, 22), (137, 20)] {
                let rows = page.rows(columns);
                assert!(rows.len() <= most, "{} has {} rows at {columns}", page.title, rows.len());
                assert!(rows.iter().all(|(l, r)| l.chars().count() + r.chars().count() <= columns), "{rows:#?}");
            }
        }
    }

    #[test]
    fn a_patchs_own_keys_stand_behind_the_keys() {
        let page = |title: &str| HelpPage { title: title.into(), lines: vec![] };
        let pages = ["keys 1/2", "keys 2/2", "signals"].map(page);
        let titles = |own: &[HelpPage]| with_own(&pages, own).into_iter().map(|page| page.title).collect::<Vec<_>>();
        assert_eq!(titles(&[page("own")]), ["keys 1/2", "keys 2/2", "own", "signals"]);
        assert_eq!(titles(&[]).len(), 3);
    }

    #[test]
    fn what_goes_on_stands_below_its_beginning() {
        let page = HelpPage { title: "t".into(), lines: vec![("key".into(), "one two three four five six".into())] };
        let row = |left: &str, right: &str| (left.to_string(), right.to_string());
        assert_eq!(page.rows(25), [row("key  ", "one two three four"), row("     ", "five six")]);
        // A column too narrow for both has one below the other, and breaks words if it must.
        assert_eq!(page.rows(20), [row("key", ""), row("  ", "one two three four"), row("  ", "five six")]);
        assert_eq!(page.rows(5)[3..5], [row("  ", "thr"), row("  ", "ee")]);
        assert!(page.rows(2).iter().all(|(left, right)| left.chars().count() <= 2 && right.chars().count() <= 1));
    }
}
