//! Keeps control characters away from the terminal.
//!
//! A model may write any byte, and an escape sequence can retitle, recolour or even type into a terminal. Pure.

/// The character as it may be written to a terminal: `None` for control characters, for what turns the direction of
/// writing and for invisible tags; line and paragraph separators become newlines. Newline and tab stay.
pub fn visible(c: char) -> Option<char> {
    match c {
        '\n' | '\t' => Some(c),
        '\u{2028}' | '\u{2029}' => Some('\n'),
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        '\u{feff}' | '\u{e0000}'..='\u{e007f}' => None,
        // C0, DEL and C1: among the last is 0x9b, an escape sequence's beginning in one character.
        _ if c.is_control() => None,
        _ => Some(c),
    }
}

/// The text with only its [`visible`] characters.
pub fn text(text: &str) -> String {
    text.chars().filter_map(visible).collect()
}

/// The same in one line: newlines and tabs become spaces.
pub fn line(text: &str) -> String {
    text.chars().filter_map(visible).map(|c| if matches!(c, '\n' | '\t') { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_go_and_words_stay() {
        assert_eq!(text("\x1b]0;mine\x07a\x1b[31mb\u{9b}2Jc\r\nd\te"), "]0;minea[31mb2Jc\nd\te");
        assert_eq!(text("春\u{202e}風\u{feff}\u{2028}e\u{301}"), "春風\ne\u{301}");
        assert_eq!(line("one\ntwo\tthree\x00"), "one two three");
    }
}
