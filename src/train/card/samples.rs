//! The samples of the card, none of them picked, and what went wrong in them.

use super::pieces::{Asked, Piece};
use crate::score::FlawKind;
use crate::train::Script;

/// The temperatures at which samples are taken.
pub const TEMPERATURES: [f32; 2] = [0.7, 1.0];

/// For each script and each temperature one sample of each seed from 1 to `seeds`.
pub fn asked(scripts: &[Script], seeds: u64) -> Vec<Asked> {
    let each = |script: Script| TEMPERATURES.into_iter().map(move |temperature| (script, temperature));
    let of = |(script, temperature)| (1..=seeds).map(move |seed| Asked::new(script, seed, temperature));
    scripts.iter().copied().flat_map(each).flat_map(of).collect()
}

/// What went wrong in a number of pieces: how many of them have each flaw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    pub pieces: u64,
    pub tokens: u64,
    /// Bytes that make no character.
    pub broken: u64,
    /// Two scripts in one line.
    pub mixed: u64,
    /// The same run of tokens three times or more.
    pub looped: u64,
    /// They were stopped after the most tokens.
    pub unfinished: u64,
    /// They ended before their fourth token, or against the odds.
    pub early: u64,
    /// They were answered in the other script.
    pub other_script: u64,
}

impl Faults {
    pub fn of<'a>(pieces: impl IntoIterator<Item = &'a Piece>) -> Faults {
        let mut faults = Faults::default();
        for piece in pieces {
            let has = |kind| u64::from(piece.flaws.contains(&kind));
            faults.pieces += 1;
            faults.tokens += u64::from(piece.tokens);
            faults.broken += has(FlawKind::BrokenCharacter);
            faults.mixed += has(FlawKind::ScriptMix);
            faults.looped += has(FlawKind::Repetition);
            faults.early += has(FlawKind::EarlyEnd);
            faults.unfinished += u64::from(!piece.ended);
            faults.other_script += u64::from(answers_otherwise(piece));
        }
        faults
    }
}

/// Whether a Chinese opening was answered without a Han character, or an English one with more of them than letters.
fn answers_otherwise(piece: &Piece) -> bool {
    let han = piece.text.chars().filter(|c| crate::train::corpus::is_han(*c)).count();
    let letters = piece.text.chars().filter(char::is_ascii_alphabetic).count();
    match piece.asked.script {
        Script::Chinese => han == 0 && letters > 0,
        Script::English => han > letters,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(script: Script, text: &str, flaws: &[FlawKind], ended: bool) -> Piece {
        Piece { asked: Asked::new(script, 1, 0.7), text: text.into(), tokens: 10, ended, flaws: flaws.into() }
    }

    #[test]
    fn a_piece_counts_once_for_each_flaw_it_has() {
        let broken = [FlawKind::BrokenCharacter, FlawKind::BrokenCharacter, FlawKind::Leap];
        let pieces = [
            piece(Script::Chinese, "月", &broken, true),
            piece(Script::Chinese, "moon", &[FlawKind::ScriptMix, FlawKind::Repetition], false),
            piece(Script::English, " 春月 a", &[FlawKind::EarlyEnd], true),
            piece(Script::English, " moon", &[], true),
        ];
        let found = Faults::of(&pieces);
        let wanted =
            Faults { pieces: 4, tokens: 40, broken: 1, mixed: 1, looped: 1, unfinished: 1, early: 1, other_script: 2 };
        assert_eq!(found, wanted);
    }

    #[test]
    fn every_script_has_every_seed_at_every_temperature() {
        let asked = asked(&Script::ALL, 20);
        assert_eq!(asked.len(), 80);
        assert_eq!(asked[..20].iter().map(|a| a.seed).collect::<Vec<_>>(), (1..=20).collect::<Vec<_>>());
        assert!(asked[..40].iter().all(|a| a.script == Script::Chinese));
        assert_eq!(super::asked(&[Script::English], 3).len(), 6);
    }
}
