//! A score for the eye: the lines of a text and where they surprised, and a table of what it came to.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Scored, together};
use crate::model::{Foreseen, Line, Tally};
use crate::terminal::paint::Paint;
use crate::terminal::palette::Role;

/// Columns that the most surprising word of a line may take.
const WORD: usize = 14;

/// What stands above the lines of a text.
pub fn header(paint: Paint, name: &str) -> String {
    let heads = format!("{:>5} {:>9}  {:<width$}", "line", "bits/char", "most surprising, bits", width = WORD + 8);
    format!("{}\n{}", paint.text(Role::Strong, name), paint.text(Role::Quiet, heads.trim_end()))
}

/// The lines of a piece, of which the first has this number in its text.
pub fn listed(paint: Paint, number: usize, seen: &Foreseen) -> String {
    let lines: Vec<_> = seen.lines().zip(number..).map(|(line, number)| row(paint, number, &line, seen)).collect();
    lines.join("\n")
}

fn row(paint: Paint, number: usize, line: &Line, seen: &Foreseen) -> String {
    let words = line.words(&seen.text);
    let most = words.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let mut shown = String::new();
    for (at, nats) in &words {
        // The newline is seen only where it surprised most; what a line before it began is its own.
        let text = seen.text[at.clone()].replace('\n', "");
        shown.push_str(&paint.word((-nats).exp() as f32, most.is_some_and(|most| most.0 == *at), &text));
    }
    let begun = words.first().map_or(line.text.len(), |(at, _)| at.start.saturating_sub(line.start));
    shown.insert_str(0, &paint.text(Role::Plain, &line.text[..begun.min(line.text.len())]));
    let word = most.map_or(String::new(), |(at, _)| word(&seen.text[at.clone()], at.start == seen.text.len()));
    let bits = most.map_or(String::new(), |(_, nats)| format!("{:.1}", nats / std::f64::consts::LN_2));
    let gap = " ".repeat(WORD.saturating_sub(word.width()));
    format!(
        "{} {:>7.2} {}  {}{gap} {bits:>5}  {shown}",
        paint.text(Role::Quiet, &format!("{number:>5}")),
        line.tally.bits_per_character(),
        paint.text(Role::Bar, bar(line.tally.bits_per_byte())),
        paint.text(Role::Improbable, &word),
    )
}

/// A word as it can be seen, in at most so many columns.
fn word(text: &str, end: bool) -> String {
    if end {
        return "∎".to_string();
    }
    let text = crate::terminal::clean::text(text).replace('\n', "⏎");
    let text = text.trim();
    match text.width() {
        0 => "␣".to_string(),
        width if width <= WORD => text.to_string(),
        _ => {
            let mut left = WORD - 1;
            let short = text.chars().take_while(|c| {
                let width = c.width().unwrap_or(0);
                let fits = width <= left;
                left = left.saturating_sub(width);
                fits
            });
            short.chain(['…']).collect()
        }
    }
}

/// Bits per byte as a bar: by bytes, the scripts can be compared.
fn bar(bits: f64) -> &'static str {
    ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"][((bits * 2.0) as usize).min(7)]
}

/// What it came to: each text and each script where there are several, and all together.
pub fn table(paint: Paint, scored: &[Scored]) -> String {
    let all = together(scored);
    let mut rows: Vec<(&str, Tally)> = Vec::new();
    if scored.len() > 1 {
        rows.extend(scored.iter().map(|of| (of.name.as_str(), of.sum.all)));
    }
    if all.scripts().count() > 1 {
        all.scripts().for_each(|row| rows.push(row));
    }
    rows.push(("all", all.all));
    let name = rows.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    let heads = ["bits/char", "bits/byte", "perplexity", "tokens", "characters", "bytes", "pieces"];
    let head: String = heads.map(|head| format!("{head:>11}")).concat();
    let mut lines = vec![paint.text(Role::Quiet, &format!("{:name$}{head}", ""))];
    for (of, t) in rows {
        let gap = " ".repeat(name - of.width());
        let (bits, tokens) = (format!("{:>11.3}{:>11.3}", t.bits_per_character(), t.bits_per_byte()), t.tokens);
        let rest = format!("{:>11.1}{tokens:>11}{:>11}{:>11}{:>11}", t.perplexity(), t.characters, t.bytes, t.pieces);
        lines.push(format!("{}{gap}{}{rest}", paint.text(Role::Plain, of), paint.text(Role::Strong, &bits)));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_seen_and_fits() {
        for (text, end, seen) in [
            (" moon", false, "moon"),
            ("曉", false, "曉"),
            (",\n", false, ",⏎"),
            ("  ", false, "␣"),
            ("", true, "∎"),
            ("\x1b[2J", false, "[2J"),
            ("antidisestablishment", false, "antidisestabl…"),
            ("春江潮水連海平", false, "春江潮水連海平"),
            ("春江潮水連海平海", false, "春江潮水連海…"),
        ] {
            assert_eq!(word(text, end), seen);
            assert!(word(text, end).width() <= WORD);
        }
    }

    #[test]
    fn bars_never_leave_their_scale() {
        assert_eq!([0.0, 0.6, 3.9, 1e9, f64::NAN].map(bar), ["▁", "▂", "█", "█", "▁"]);
    }
}
