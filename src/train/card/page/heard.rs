//! The parts of the page that were heard when the model was played: recitation, metre, flaws, samples.

use std::fmt::Write as _;

use super::super::Card;
use super::super::pieces::{MOST_TOKENS, Piece};
use super::super::recitation::{LEAST_CHARACTERS, LEAST_WORDS, Recitation, Recited, TEMPERATURE, Unit};
use super::super::samples::{Faults, TEMPERATURES};
use super::super::words::{grouped, language, percent};
use super::{block, inline, table};
use crate::score::ParamId;
use crate::train::Script;

pub fn recitation(out: &mut String, card: &Card) {
    let Some(Recitation { recited, own, corpus_sha256 }) =
        card.measured.as_ref().and_then(|measured| measured.recitation.as_ref())
    else {
        if card.record.is_some() {
            out.push_str("## Whether it recites\n\nNot measured: the texts were not at hand.\n\n");
        }
        return;
    };
    out.push_str("## Whether it recites\n\n");
    if card.record.as_ref().is_some_and(|record| record.corpus.sha256 != *corpus_sha256) {
        return in_other_texts(out, recited, corpus_sha256);
    }
    let rows = recited.iter().map(|r| {
        let own = own.iter().find(|(script, unit, _)| (*script, *unit) == (r.script, r.unit));
        vec![
            format!("{}, {}", language(r.script), unit(r.script, r.unit)),
            grouped(r.lines),
            percent(r.training, r.lines),
            percent(r.held_out, r.lines),
            own.map_or("–".to_string(), |(_, _, [lines, there])| percent(*there, *lines)),
        ]
    });
    table(
        out,
        &[
            "lines it wrote",
            "compared",
            "stand in the training part",
            "only in the held-out part",
            "of the held-out part itself",
        ],
        rows,
    );
    let _ = writeln!(
        out,
        "At temperature {}, word for word but for spaces, marks and case; lines of fewer than {LEAST_CHARACTERS} Chinese \
         characters or {LEAST_WORDS} words were left out ({}). The last column says how often the poets of the held-out \
         part themselves wrote a line that stands in the training part.\n",
        TEMPERATURE,
        grouped(recited.iter().map(|r| r.short).sum())
    );
}

/// Texts that are not those of the training have no part of it that was held out.
fn in_other_texts(out: &mut String, recited: &[Recited], corpus_sha256: &str) {
    let rows = recited.iter().map(|r| {
        let there = percent(r.training + r.held_out, r.lines);
        vec![format!("{}, {}", language(r.script), unit(r.script, r.unit)), grouped(r.lines), there]
    });
    table(out, &["lines it wrote", "compared", "stand in these texts"], rows);
    let _ = writeln!(
        out,
        "At temperature {TEMPERATURE}, word for word but for spaces, marks and case. The lines were looked up in other texts \
         than those it was trained from, or in the same in another order (SHA-256 `{}`).\n",
        inline(corpus_sha256)
    );
}

fn unit(script: Script, unit: Unit) -> &'static str {
    match (script, unit) {
        (Script::Chinese, Unit::Verse) => "verses between two marks",
        (Script::Chinese, Unit::Line) => "written lines, often couplets",
        (Script::English, _) => "written lines",
    }
}

pub fn metre(out: &mut String, card: &Card) {
    let Some(measured) = card.measured.as_ref().filter(|measured| !measured.metre.is_empty()) else { return };
    out.push_str("## Whether it keeps the metre\n\n");
    let rows = measured.metre.iter().map(|(temperature, metre)| {
        vec![
            format!("{temperature:.1}"),
            grouped(metre.pieces),
            grouped(metre.five),
            grouped(metre.seven),
            percent(metre.five + metre.seven, metre.pieces),
        ]
    });
    table(out, &["temperature", "pieces", "five characters", "seven characters", "kept"], rows);
    out.push_str(
        "Chinese pieces that were opened with five characters. The metre counts as kept where nine verses in ten or more \
         have five characters, or seven.\n\n",
    );
}

pub fn flaws(out: &mut String, card: &Card) {
    let Some(measured) = card.measured.as_ref().filter(|measured| !measured.samples.is_empty()) else { return };
    let groups = groups(&measured.samples);
    let faults: Vec<Faults> = groups.iter().map(|(_, _, pieces)| Faults::of(pieces.iter().copied())).collect();
    out.push_str("## Its flaws\n\nPieces of the samples below that have each, of all of them:\n\n");
    let heads: Vec<String> =
        groups.iter().map(|(script, temperature, _)| format!("{} at {temperature:.1}", language(*script))).collect();
    let head: Vec<&str> = std::iter::once("").chain(heads.iter().map(String::as_str)).collect();
    let stopped = format!("did not end within {MOST_TOKENS} tokens");
    let row = |name: &str, count: fn(&Faults) -> u64| {
        let cells = faults.iter().map(|f| format!("{} of {}", count(f), f.pieces));
        std::iter::once(name.to_string()).chain(cells).collect()
    };
    let rows = [
        row("a character that is broken", |f| f.broken),
        row("two scripts in one line", |f| f.mixed),
        row("answered in the other script", |f| f.other_script),
        row("the same run three times or more", |f| f.looped),
        row(&stopped, |f| f.unfinished),
        row("ended at once, or against the odds", |f| f.early),
    ];
    let mean = faults.iter().map(|f| (f.tokens / f.pieces.max(1)).to_string());
    let lengths = std::iter::once("tokens in a piece, on the average".to_string()).chain(mean).collect();
    table(out, &head, rows.into_iter().chain([lengths]));
}

pub fn samples(out: &mut String, card: &Card) {
    let Some(measured) = card.measured.as_ref().filter(|measured| !measured.samples.is_empty()) else {
        out.push_str("## Samples\n\nNone were taken.\n\n");
        return;
    };
    let seeds = measured.samples.iter().map(|piece| piece.asked.seed).max().unwrap_or(0);
    let default = |id: ParamId| format!("{} {}", id.name(), id.spec().default);
    let sampler = [ParamId::TopK, ParamId::TopP, ParamId::MinP, ParamId::RepeatPenalty].map(default).join(", ");
    let _ = writeln!(
        out,
        "## Samples, none picked\n\nSeeds 1 to {seeds}, at temperatures {:.1} and {:.1}; everything else as xiao plays \
         when nobody touches it ({sampler}), or as the file wishes. The openings are xiao's own and always the \
         same; after {MOST_TOKENS} tokens a piece is stopped.\n",
        TEMPERATURES[0], TEMPERATURES[1]
    );
    for (script, temperature, pieces) in groups(&measured.samples) {
        let _ = writeln!(
            out,
            "<details><summary>{} at temperature {temperature:.1}: {} pieces</summary>\n",
            language(script),
            pieces.len()
        );
        let texts: Vec<String> = pieces.iter().map(|piece| sample(piece)).collect();
        block(out, &texts.join("\n\n"));
        out.push_str("</details>\n\n");
    }
}

/// A piece under its number, the opening and where it was stopped told.
fn sample(piece: &Piece) -> String {
    let text = piece.whole();
    let stopped = if piece.ended { "" } else { " ▪ (stopped)" };
    format!("── {} ── {} ──\n{}{stopped}", piece.asked.seed, piece.asked.opening, text.trim_end())
}

/// The pieces of each script at each temperature, in their order.
fn groups(pieces: &[Piece]) -> Vec<(Script, f32, Vec<&Piece>)> {
    let mut groups: Vec<(Script, f32, Vec<&Piece>)> = Vec::new();
    for piece in pieces {
        let (script, temperature) = (piece.asked.script, piece.asked.temperature);
        match groups.iter_mut().find(|(s, t, _)| (*s, *t) == (script, temperature)) {
            Some((_, _, group)) => group.push(piece),
            None => groups.push((script, temperature, vec![piece])),
        }
    }
    groups
}
