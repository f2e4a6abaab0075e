//! Which pieces are held out, so that the measure of a model is text that it has not seen.
//!
//! A piece's own hash draws its lot, and the lowest lots are held out: more of a short text, less of a long one. So the
//! same texts always fall on the same sides, but a piece that a short text holds out may be learnt from in a long one.
//! What was drawn to be held out and shares more than a fifth of its runs of eight with the training part (a
//! near-duplicate, a refrain, a variant) is put there as well; what remains in common is counted. Near-duplicates may
//! stand together in the held-out part. Pure.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{Overlap, Piece, Script, runs};

/// Of a script's bytes: 2 % of 5 MB and more, 5 % of 2 MB and less, 100 kB between them.
const SHARE: (f64, f64) = (0.02, 0.05);
const HELD_OUT_BYTES: f64 = 100_000.0;
/// No more than this, however few pieces are found.
const MOST: f64 = 0.5;
/// A piece with a larger share of its runs in the training part belongs there, in hundredths.
const SHARED: usize = 20;

pub(super) struct Split {
    pub training: Vec<Piece>,
    pub held_out: Vec<Piece>,
    pub overlap: Vec<(Script, Overlap)>,
}

/// A text's fingerprint: the first half of its SHA-256.
pub(super) fn digest(text: &str) -> u128 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Sha256::digest(text.as_bytes())[..16]);
    u128::from_be_bytes(bytes)
}

/// A number from 0 to 1 that is the piece's own.
fn draw(text: &str) -> f64 {
    (digest(text) >> 75) as f64 / (1u64 << 53) as f64
}

/// Parts the pieces; the order stays.
pub(super) fn split(pieces: Vec<Piece>) -> Split {
    let draws: Vec<f64> = pieces.iter().map(|piece| draw(&piece.text)).collect();
    let mut shares = Script::ALL.map(|script| Share::new(script, &pieces, &draws));
    let (held_out, overlap) = loop {
        let share = |script: Script| shares[script as usize].share;
        let mut held_out: Vec<bool> =
            pieces.iter().zip(&draws).map(|(piece, draw)| *draw < share(piece.script)).collect();
        let overlap = settle(&pieces, &mut held_out);
        let mut again = false;
        for share in &mut shares {
            let found = pieces.iter().zip(&held_out).filter(|(piece, held)| **held && piece.script == share.script);
            again |= found.count() < share.least && share.widen();
        }
        if !again {
            break (held_out, overlap);
        }
    };
    let mut split = Split { training: Vec::new(), held_out: Vec::new(), overlap };
    for (piece, held_out) in pieces.into_iter().zip(held_out) {
        if held_out { split.held_out.push(piece) } else { split.training.push(piece) }
    }
    split.overlap.retain(|(script, _)| split.held_out.iter().any(|piece| piece.script == *script));
    split
}

/// How much of a script is held out.
struct Share {
    script: Script,
    share: f64,
    /// Pieces, at least.
    least: usize,
}

impl Share {
    fn new(script: Script, pieces: &[Piece], draws: &[f64]) -> Share {
        let of_script = || pieces.iter().zip(draws).filter(|(piece, _)| piece.script == script);
        let bytes: usize = of_script().map(|(piece, _)| piece.text.len()).sum();
        let least = match of_script().count() {
            0..4 => 0,
            4..50 => 1,
            _ => 4,
        };
        let mut lowest: Vec<f64> = of_script().map(|(_, draw)| *draw).collect();
        lowest.sort_by(f64::total_cmp);
        let reaches = if least > 0 { lowest[least - 1] + f64::EPSILON } else { 0.0 };
        let share = (HELD_OUT_BYTES / bytes.max(1) as f64).clamp(SHARE.0, SHARE.1);
        Share { script, share: share.max(reaches), least }
    }

    /// Takes twice as much; false if that is too much.
    fn widen(&mut self) -> bool {
        let wider = self.share < MOST;
        self.share = (self.share * 2.0).min(MOST.max(self.share));
        wider
    }
}

/// What the training part has of the held-out part's runs and lines.
#[derive(Default)]
struct Known {
    runs: HashMap<u64, bool>,
    lines: HashMap<u64, bool>,
    space: Vec<u64>,
}

impl Known {
    /// Asks for a held-out piece's runs and lines.
    fn ask(&mut self, text: &str) {
        runs::runs(text, &mut self.space, |run| _ = self.runs.entry(run).or_default());
        runs::lines(text, &mut self.space, |line| _ = self.lines.entry(line).or_default());
    }

    /// Learns that the training part has this piece.
    fn learn(&mut self, text: &str) {
        let learn = |known: &mut HashMap<u64, bool>, hash: u64| {
            if let Some(known) = known.get_mut(&hash) {
                *known = true;
            }
        };
        runs::runs(text, &mut self.space, |run| learn(&mut self.runs, run));
        runs::lines(text, &mut self.space, |line| learn(&mut self.lines, line));
    }

    /// A held-out piece's runs, and those of them that the training part has.
    fn runs(&mut self, text: &str) -> (usize, usize) {
        let (mut all, mut shared) = (0, 0);
        runs::runs(text, &mut self.space, |run| {
            all += 1;
            shared += usize::from(self.runs[&run]);
        });
        (all, shared)
    }

    /// The same of its lines.
    fn lines(&mut self, text: &str) -> (usize, usize) {
        let (mut all, mut shared) = (0, 0);
        runs::lines(text, &mut self.space, |line| {
            all += 1;
            shared += usize::from(self.lines[&line]);
        });
        (all, shared)
    }
}

/// Puts held-out pieces that share too much with the training part there, until none is left.
fn settle(pieces: &[Piece], held_out: &mut [bool]) -> Vec<(Script, Overlap)> {
    let mut known = Known::default();
    let mut overlap = Script::ALL.map(|script| (script, Overlap::default()));
    for (piece, held_out) in pieces.iter().zip(held_out.iter()) {
        if *held_out {
            known.ask(&piece.text);
        }
    }
    for (piece, held_out) in pieces.iter().zip(held_out.iter()) {
        if !held_out {
            known.learn(&piece.text);
        }
    }
    let held = |held_out: &[bool]| (0..pieces.len()).filter(|i| held_out[*i]).collect::<Vec<_>>();
    for i in held(held_out) {
        let (runs, shared) = known.runs(&pieces[i].text);
        let overlap = &mut overlap[pieces[i].script as usize].1;
        overlap.runs_before += runs as u64;
        overlap.shared_runs_before += shared as u64;
    }
    loop {
        // A piece without a run cannot be compared, and is not held out either.
        let moved: Vec<usize> = held(held_out)
            .into_iter()
            .filter(|i| {
                let (runs, shared) = known.runs(&pieces[*i].text);
                shared * 100 > runs * SHARED || runs == 0
            })
            .collect();
        for i in &moved {
            held_out[*i] = false;
            known.learn(&pieces[*i].text);
            overlap[pieces[*i].script as usize].1.moved += 1;
        }
        if moved.is_empty() {
            break;
        }
    }
    for i in held(held_out) {
        let (runs, shared_runs) = known.runs(&pieces[i].text);
        let (lines, shared_lines) = known.lines(&pieces[i].text);
        let overlap = &mut overlap[pieces[i].script as usize].1;
        overlap.runs += runs as u64;
        overlap.shared_runs += shared_runs as u64;
        overlap.lines += lines as u64;
        overlap.shared_lines += shared_lines as u64;
    }
    overlap.into()
}
