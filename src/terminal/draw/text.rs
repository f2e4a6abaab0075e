//! Words in a given room: cut, padded, spelled. Pure.

use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A heading with a rule behind it.
pub fn heading(title: &str, width: usize) -> String {
    let room = width.saturating_sub(title.width() + 1);
    format!("{title} {}", "─".repeat(room))
}

/// A text in exactly `width` columns: cut with an ellipsis, or filled up with spaces.
pub fn fitted(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    let whole = text.width() <= width;
    let room = if whole { width } else { width.saturating_sub(1) };
    for ch in text.chars() {
        let wide = ch.width().unwrap_or(0);
        if used + wide > room {
            break;
        }
        used += wide;
        out.push(ch);
    }
    if !whole && width > 0 {
        out.push('…');
        used += 1;
    }
    out.push_str(&" ".repeat(width - used));
    out
}

/// Cuts a line to a width, with an ellipsis where something was cut off.
pub fn cut(line: Line<'static>, width: usize) -> Line<'static> {
    if line.width() <= width {
        return line;
    }
    let mut left = width.saturating_sub(1);
    let mut kept = Vec::new();
    for span in line.spans {
        let mut text = String::new();
        for ch in span.content.chars() {
            let wide = ch.width().unwrap_or(0);
            if wide > left {
                left = 0;
                break;
            }
            left -= wide;
            text.push(ch);
        }
        kept.push(Span::styled(text, span.style));
    }
    kept.push(Span::raw("…"));
    Line::from(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_keep_columns_straight() {
        assert_eq!(fitted("春江", 6), "春江  ");
        assert_eq!(fitted("春江潮水", 6), "春江… ");
        assert_eq!(fitted("春江潮水", 8), "春江潮水");
        assert_eq!((fitted("ab", 0).as_str(), fitted("ab", 1).as_str()), ("", "…"));
        for width in 0..9 {
            assert_eq!(fitted("a春b江c", width).width(), width);
        }
    }
}
