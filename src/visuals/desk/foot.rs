//! The rows below the columns of the view: signals as curves, what is absent and why, losses, the log. Pure.

use super::columns;
use super::row::{Ink, Piece, Row};
use crate::desk::State;
use crate::desk::signals::{SIGNALS, curve, reading};
use crate::desk::state::{Remark, Tone};
use crate::desk::words::{clock, wrapped};

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

/// The last lines of the log, the newest whole as far as they have room; always as many.
pub fn log(desk: &State, width: usize, rows: usize) -> Vec<Row> {
    // What failed is read before what the model merely erred in.
    let fault = desk.log.iter().any(|remark| remark.tone == Tone::Fault && desk.is_news(remark));
    let mut remarks = desk.log.iter().rev().filter(|remark| !(fault && remark.tone == Tone::Flaw));
    let mut log = Vec::new();
    while let Some(remark) = remarks.next().filter(|_| log.len() < rows) {
        log.splice(0..0, told(remark, width, rows - log.len()));
    }
    log.resize(rows, Vec::new());
    log
}

/// A remark and its time, in at most so many rows.
fn told(remark: &Remark, width: usize, rows: usize) -> Vec<Row> {
    let ink = match remark.tone {
        Tone::Fault => Ink::Fault,
        Tone::Notice | Tone::Flaw => Ink::Quiet,
        Tone::Note => Ink::Prompt,
    };
    let note = if remark.tone == Tone::Note { "note: " } else { "" };
    let at = format!("{}  ", clock(remark.t_ns));
    let room = width.saturating_sub(at.len());
    let lines = wrapped(&format!("{note}{}", remark.text), |_| room, rows, columns).into_iter().enumerate();
    let before = |i| if i == 0 { at.clone() } else { " ".repeat(at.len()) };
    lines.map(|(i, line)| vec![Piece::text(before(i), Ink::Quiet), Piece::text(line, ink)]).collect()
}
