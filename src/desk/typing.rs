//! The line that the performer types, as every stage and page shows it: with its cursor, and what an input method has
//! not settled yet. Pure.

use super::clean;

/// A line that is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typing {
    pub text: String,
    /// How many characters stand before the cursor.
    pub at: u32,
    /// What is being composed at the cursor.
    pub composed: String,
}

/// The mark before the line, and the cursor.
const MARK: &str = "» ";
const CURSOR: &str = "▏";

impl Typing {
    /// The line in so many columns, of which `wide` says how many a text takes: what is before the cursor gives way.
    pub fn line(&self, columns: usize, wide: impl Fn(&str) -> usize) -> String {
        let split = self.text.char_indices().nth(self.at as usize).map_or(self.text.len(), |(at, _)| at);
        let (before, after) = self.text.split_at(split);
        let before = clean::line(&format!("{before}{}", self.composed));
        let room = columns.saturating_sub(wide(MARK) + wide(CURSOR));
        // From its end, and once: this is done for each frame, and a line may be pasted.
        let (mut first, mut taken) = (before.len(), 0);
        for (at, letter) in before.char_indices().rev() {
            taken += wide(letter.encode_utf8(&mut [0; 4]));
            if taken > room {
                break;
            }
            first = at;
        }
        let shown = &before[first..];
        format!("{MARK}{shown}{CURSOR}{}", clean::line(after))
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn the_cursor_is_always_in_sight() {
        let line = |text: &str, at, composed: &str, columns| {
            let typing = Typing { text: text.into(), at, composed: composed.into() };
            typing.line(columns, UnicodeWidthStr::width)
        };
        assert_eq!(line("The moon", 3, "", 40), "» The▏ moon");
        assert_eq!(line("春江", 1, "chao", 40), "» 春chao▏江");
        assert_eq!(line("春江潮水", 4, "", 8), "» 潮水▏");
        assert_eq!(line("a\nb\x1b", 99, "", 40), "» a b▏");
        assert_eq!(line("abc", 0, "", 40), "» ▏abc");
        assert_eq!(line("abc", 3, "", 0), "» ▏");
    }
}
