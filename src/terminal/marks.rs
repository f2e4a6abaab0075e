//! xiao's own marks (blocks, arrows, frames) in plain ASCII, for terminals that do not have them. Pure.
//!
//! The words stay as they are: they are what is played, and a locale that says nothing does not mean that the terminal
//! cannot show them.

use ratatui::buffer::Buffer;

/// Whether the terminal's own font or its locale lacks the marks.
///
/// By POSIX the first of these three that says anything decides. The Linux console has 256 or 512 characters, and half
/// of the blocks are not among them.
pub fn are_plain(get: impl Fn(&str) -> Option<String>) -> bool {
    let get = |name| get(name).unwrap_or_default();
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().map(get).find(|said| !said.is_empty());
    let utf8 = locale.map_or(cfg!(not(unix)), |said| {
        let said = said.to_ascii_lowercase();
        said.contains("utf-8") || said.contains("utf8")
    });
    !utf8 || matches!(get("TERM").as_str(), "linux" | "dumb" | "vt100" | "vt102" | "vt220")
}

/// Marks and what stands for each of them.
const PLAIN: [(&str, char); 24] = [
    ("▁", '_'),
    ("▂", '.'),
    ("▃", ','),
    ("▄", '-'),
    ("▅", '='),
    ("▆", '+'),
    ("▇", '*'),
    ("█▉▊", '#'),
    ("▋▌▍", '='),
    ("▎", '-'),
    ("▏│", '|'),
    ("░·", '.'),
    ("▸→»", '>'),
    ("←", '<'),
    ("↑", '^'),
    ("↓", 'v'),
    ("●", '*'),
    ("○", 'o'),
    ("…", '~'),
    ("♪", '~'),
    ("□⏎⇥", '$'),
    ("─–—", '-'),
    ("┌┐└┘", '+'),
    ("×", 'x'),
];

/// Puts the plain ones in their places.
pub fn make_plain(buf: &mut Buffer) {
    for cell in &mut buf.content {
        let symbol = cell.symbol();
        if symbol.is_ascii() {
            continue;
        }
        let mut chars = symbol.chars();
        let (Some(mark), None) = (chars.next(), chars.next()) else { continue };
        let plain = PLAIN.iter().find(|(marks, _)| marks.contains(mark)).map(|(_, plain)| *plain);
        if let Some(plain) = plain {
            cell.set_char(plain);
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn the_locale_decides_and_some_terminals_do() {
        let plain =
            |vars: &[(&str, &str)]| are_plain(|name| vars.iter().find(|v| v.0 == name).map(|v| v.1.to_string()));
        assert!(!plain(&[("LANG", "de_DE.UTF-8"), ("TERM", "xterm")]));
        assert!(!plain(&[("LC_ALL", "C.utf8"), ("LANG", "C")]));
        assert!(plain(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]));
        assert!(!plain(&[("LC_ALL", ""), ("LANG", "de_DE.UTF-8")]));
        assert!(plain(&[("LANG", "de_DE.ISO-8859-1")]));
        assert!(plain(&[("LANG", "C.UTF-8"), ("TERM", "linux")]));
        assert_eq!(plain(&[]), cfg!(unix));
    }

    #[test]
    fn marks_become_ascii_and_words_stay() {
        assert!(PLAIN.iter().all(|(_, plain)| plain.is_ascii()));
        let mut buf = Buffer::empty(Rect::new(0, 0, 20, 1));
        buf.set_string(0, 0, "→春 █░ ▁▸ é ● a", Style::default());
        make_plain(&mut buf);
        let text: String = buf.content.iter().map(|cell| cell.symbol()).collect();
        assert_eq!(text.replace("春 ", "春").trim_end(), ">春 #. _> é * a");
    }
}
