//! Text to pieces: one form of every character, of every blank and of every line end. Pure.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// A text without blank lines is one long piece: it is cut between lines into pieces of at most so many characters.
const PART: usize = 2_000;
/// So is a piece that is longer than any that one would write: blank lines are few and far between there.
const LONGEST: usize = 10_000;

/// The pieces of a text: what stands between blank lines, each line without blanks at its ends.
pub(super) fn pieces(text: &str) -> Vec<String> {
    let (mut pieces, mut piece, mut line) = (Vec::new(), String::new(), String::new());
    let mut close = |piece: &mut String| {
        if !piece.is_empty() {
            pieces.push(std::mem::take(piece).into_boxed_str().into_string());
        }
    };
    // "\r\n" gives an empty line between two ends, which is none.
    let text = if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) };
    for raw in text.split(['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']) {
        clean(raw, &mut line);
        if line.is_empty() {
            close(&mut piece);
            continue;
        }
        if !piece.is_empty() {
            piece.push('\n');
        }
        piece.push_str(&line);
    }
    close(&mut piece);
    let longest = if pieces.len() == 1 { PART } else { LONGEST };
    if pieces.iter().all(|piece| piece.len() <= longest) {
        return pieces;
    }
    let cut = |piece: String| if piece.chars().nth(longest).is_some() { part(&piece, PART) } else { vec![piece] };
    pieces.into_iter().flat_map(cut).collect()
}

/// A line in its one form: Unicode NFC, no invisible characters, every run of blanks one space, none at its ends.
fn clean(raw: &str, line: &mut String) {
    line.clear();
    let mut blank = false;
    let mut put = |c: char| {
        if c.is_whitespace() {
            blank = !line.is_empty();
        } else {
            if std::mem::take(&mut blank) {
                line.push(' ');
            }
            line.push(c);
        }
    };
    let seen = || raw.chars().filter(|c| c.is_whitespace() || !is_invisible(*c));
    if raw.is_ascii() || is_nfc_quick(seen()) == IsNormalized::Yes {
        seen().for_each(&mut put);
    } else {
        seen().nfc().for_each(&mut put);
    }
}

/// Control characters, soft hyphens, marks of direction, joiners, byte order marks, selectors of variants.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Cuts a piece between lines into pieces of at most `most` characters; a longer line behind a sentence or a blank.
pub(super) fn part(piece: &str, most: usize) -> Vec<String> {
    let (mut parts, mut characters) = (vec![String::new()], 0);
    for line in piece.lines().flat_map(|line| part_line(line, most)) {
        let count = line.chars().count();
        if characters + 1 + count > most && characters > 0 {
            parts.push(String::new());
            characters = 0;
        }
        if let Some(part) = parts.last_mut() {
            if characters > 0 {
                part.push('\n');
                characters += 1;
            }
            part.push_str(line);
            characters += count;
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn part_line(mut line: &str, most: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    while let Some((end, _)) = line.char_indices().nth(most) {
        let head = &line[..end];
        let sentence = head.rfind(['。', '！', '？', '.', '!', '?']);
        let place = sentence.filter(|at| *at > 0).or_else(|| head.rfind(' ').filter(|at| *at > 0));
        // Behind the character that was found.
        let cut = place.and_then(|at| Some(at + head[at..].chars().next()?.len_utf8())).unwrap_or(end);
        parts.push(line[..cut].trim());
        line = line[cut..].trim_start();
    }
    parts.push(line);
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_end_and_blank_is_one() {
        let raw = "\u{feff}The\tmoon \u{a0} is \r\nup\u{200b}.  \r\n \u{3000} \r\n\r\n　月\u{3000}明\r星\u{0} 稀\u{2028}乌\u{2029}\u{2029}e\u{301}\u{c}";
        assert_eq!(pieces(raw), ["The moon is\nup.", "月 明\n星 稀\n乌", "é"]);
        assert!(pieces(" \r\n\t\n").is_empty() && pieces("").is_empty());
        assert_eq!(pieces("\u{f900}"), ["豈"], "a compatible form is its usual one");
    }

    #[test]
    fn a_text_without_blank_lines_is_cut_between_lines() {
        let line = "Over the hill and under the moon goes he.";
        let text = [line; 200].join("\n");
        let parts = pieces(&text);
        assert_eq!(parts.join("\n"), text);
        assert!(parts.len() == 5 && parts.iter().all(|part| part.len() <= PART), "{}", parts.len());
        // With a blank line it is taken as its writer parted it, up to what nobody writes.
        assert_eq!(pieces(&format!("{text}\n\nmoon")).len(), 2);
        assert_eq!(pieces(&format!("{text}\n{text}\n\nmoon")).len(), 10);
    }

    #[test]
    fn a_line_without_end_is_cut_behind_a_sentence() {
        assert_eq!(part("春眠。不觉晓。处处闻", 4), ["春眠。", "不觉晓。", "处处闻"]);
        assert_eq!(part("over the hill", 8), ["over", "the hill"]);
        assert_eq!(part("春眠不觉晓", 2), ["春眠", "不觉", "晓"]);
        assert_eq!(part(". . .", 2), [".", ".", "."]);
    }
}
