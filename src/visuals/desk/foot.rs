//! The rows below the columns of the view: signals as curves, what is absent and why, losses, the log. Pure.

use super::row::{Ink, Piece, Row};
use crate::desk::State;
use crate::desk::signals::{SIGNALS, curve, reading};
use crate::desk::state::Tone;
use crate::desk::words::clock;

const LABEL: usize = 10;
const READING: usize = 11;
const LEAST: usize = 36;
const GAP: usize = 3;

/// The signals, a name, a curve and a value each, in at most so many rows.
pub fn signals(desk: &State, width: usize, rows: usize) -> Vec<Row> {
    let columns = ((width + GAP) / (LEAST + GAP)).max(1);
    let wide = (width + GAP) / columns - GAP;
    let room = wide.saturating_sub(LABEL + READING + 1);
    let known = SIGNALS.iter().filter(|(id, _)| desk.signals.get(*id).is_some() || desk.reason(*id).is_some());
    let cells: Vec<Row> = known
        .take(columns * rows)
        .map(|(id, label)| {
            let label = Piece::fitted(label, LABEL, Ink::Quiet);
            match desk.signals.get(*id) {
                Some(value) => vec![
                    label,
                    Piece::Curve { heights: curve(desk, *id, 2 * room).collect(), columns: room },
                    Piece::text(" ", Ink::Quiet),
                    Piece::fitted(&reading(*id, value), READING, Ink::Plain),
                ],
                None => vec![label, Piece::fitted("unavailable", room + 1 + READING, Ink::Quiet)],
            }
        })
        .collect();
    cells.chunks(columns).map(|row| row.join(&Piece::text(" ".repeat(GAP), Ink::Quiet))).collect()
}

/// Why signals are absent; those that share a reason share its words.
pub fn missing(desk: &State) -> Option<Row> {
    let reasons = desk.absences();
    let said: Vec<String> = reasons.iter().map(|(why, names)| format!("{}: {why}", names.join(", "))).collect();
    (!said.is_empty()).then(|| vec![Piece::text(format!("unavailable  {}", said.join("  ·  ")), Ink::Quiet)])
}

/// Who lost or merged events; nothing while all is well.
pub fn losses(desk: &State) -> Option<Row> {
    let [dropped, merged] = desk.lost();
    let mut row = Vec::new();
    if !dropped.is_empty() {
        row.push(Piece::text(format!("events lost: {}   ", dropped.join(", ")), Ink::Fault));
    }
    if !merged.is_empty() {
        row.push(Piece::text(format!("events merged: {}", merged.join(", ")), Ink::Quiet));
    }
    (!row.is_empty()).then_some(row)
}

/// The last lines of the log; always as many.
pub fn log(desk: &State, rows: usize) -> Vec<Row> {
    let shown = desk.log.range(desk.log.len().saturating_sub(rows)..);
    let mut log: Vec<Row> = shown
        .map(|remark| {
            let ink = match remark.tone {
                Tone::Fault => Ink::Fault,
                Tone::Notice | Tone::Flaw => Ink::Quiet,
                Tone::Note => Ink::Prompt,
            };
            let note = if remark.tone == Tone::Note { "note: " } else { "" };
            vec![
                Piece::text(format!("{}  ", clock(remark.t_ns)), Ink::Quiet),
                Piece::text(format!("{note}{}", remark.text), ink),
            ]
        })
        .collect();
    log.resize(rows, Vec::new());
    log
}
