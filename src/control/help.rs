//! All pages of the help in their order: the keys, then parameters and signals from their tables. Pure; any thread.

use super::keyboard;
use crate::score::{HelpPage, help};

/// Keys on one page; each has a line of its own, and a screen of 24 lines has room for 22.
const KEYS: usize = 21;

/// The sections of the help, each whole, for a stage that cuts them to its own size.
pub fn sections() -> Vec<HelpPage> {
    let keys = HelpPage { title: "keys".to_string(), lines: keyboard::help() };
    std::iter::once(keys).chain(help::params()).chain([help::signals()]).collect()
}

/// The same as pages of a common size.
pub fn pages() -> Vec<HelpPage> {
    let mut sections = sections();
    let keys = sections.remove(0).paged(KEYS);
    keys.into_iter().chain(sections.into_iter().flat_map(|section| section.paged(help::ROWS))).collect()
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn the_keys_come_first_and_every_character_is_one_column() {
        let pages = pages();
        assert_eq!(pages[0].title, "keys 1/2");
        assert!(pages.len() > 10 && pages[2].title.starts_with("parameters: sampler"));
        let lines = |pages: &[HelpPage]| pages.iter().map(|page| page.lines.len()).sum::<usize>();
        assert_eq!(lines(&sections()), lines(&pages));
        for (left, right) in pages.iter().flat_map(|page| &page.lines) {
            for text in [left, right] {
                assert_eq!(text.width(), text.chars().count(), "{text}");
            }
        }
    }
}
