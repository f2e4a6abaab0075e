//! All pages of the help in their order: the keys, then parameters and signals from their tables. Pure; any thread.

use super::keyboard;
use crate::score::{HelpPage, help};

/// Keys on one page; each has a line of its own, and a screen of 24 lines has room for 22.
const KEYS: usize = 20;

/// The pages through which `?` steps.
pub fn pages() -> Vec<HelpPage> {
    let mut pages = help::paged("keys", keyboard::help(), KEYS);
    pages.extend(help::params());
    pages.extend(help::signals());
    pages
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
        for (left, right) in pages.iter().flat_map(|page| &page.lines) {
            for text in [left, right] {
                assert_eq!(text.width(), text.chars().count(), "{text}");
            }
        }
    }
}
