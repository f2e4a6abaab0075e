//! A text's pieces, as blank lines part them. Pure.

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it begins: its first line, counted from 1.
    pub line: usize,
    /// Its lines joined by `\n`, without one at the end.
    pub text: String,
}

/// The pieces of a text, in their order. A line of nothing but white space is blank. A mark at the beginning that says how
/// the text is encoded and carriage returns at the ends of lines are no part of it; everything else is taken as it is.
pub fn pieces(text: &str) -> impl Iterator<Item = Piece> + '_ {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().zip(1..).skip_while(|(line, _)| is_blank(line)).peekable();
    std::iter::from_fn(move || {
        let (first, line) = lines.find(|(line, _)| !is_blank(line))?;
        let mut text = first.to_string();
        while let Some((more, _)) = lines.next_if(|(line, _)| !is_blank(line)) {
            text.push('\n');
            text.push_str(more);
        }
        Some(Piece { line, text })
    })
}

fn is_blank(line: &str) -> bool {
    line.chars().all(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_part_them() {
        let of = |text: &str| pieces(text).map(|p| (p.line, p.text)).collect::<Vec<_>>();
        let two = [(3, "a\n b ".to_string()), (7, "春\u{3000}".to_string())];
        assert_eq!(of("\u{feff}\n\na\n b \n\n\t\u{3000}\n春\u{3000}\n\n\n"), two);
        assert_eq!(of("\r\n\r\na\r\n b \r\n\r\n \r\n春\u{3000}"), two);
        assert_eq!(of(""), []);
        assert_eq!(of(" \n\u{3000}\n"), []);
        assert_eq!(of("one"), [(1, "one".to_string())]);
    }
}
