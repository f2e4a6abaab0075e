//! What is measured for the card by playing the model.

use super::metre::Metre;
use super::pieces::{self, Asked, Piece};
use super::recitation::{self, Known, Recitation};
use super::samples::{self, TEMPERATURES};
use super::{Card, openings};
use crate::model::{self, Model, ModelError, Source};
use crate::train::Script;

/// How much is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Samples of each script at each temperature: seeds from 1 on.
    pub seeds: u64,
    /// Lines that are looked up in the corpus, of all scripts together.
    pub lines: u64,
    /// Pieces whose metre is counted, at each temperature.
    pub metre: u64,
}

impl Extent {
    pub const FULL: Extent = Extent { seeds: 20, lines: 2000, metre: 40 };
    /// For a first look.
    pub const QUICK: Extent = Extent { seeds: 3, lines: 200, metre: 10 };
}

/// What was heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    pub samples: Vec<Piece>,
    /// Of Chinese pieces that were opened with five characters, by temperature; empty where the model knows no Chinese.
    pub metre: Vec<(f32, Metre)>,
    /// Where the corpus was at hand.
    pub recitation: Option<Recitation>,
}

/// Plays the model for its card; `told` hears what is being done, how far it is and how far it goes.
///
/// # Errors
/// The model's own.
pub fn measure(
    source: &Source,
    card: &Card,
    known: Option<&Known>,
    extent: Extent,
    told: &mut dyn FnMut(&str, usize, usize),
) -> Result<Measured, ModelError> {
    let (model, scripts) = (Model::load(source)?, card.scripts());
    let at_once = at_once(source);
    let asked = samples::asked(&scripts, extent.seeds);
    let samples = pieces::play(&model, &asked, at_once, &mut |done| told("samples", done, asked.len()))?;
    let mut metre = Vec::new();
    for temperature in TEMPERATURES.into_iter().filter(|_| scripts.contains(&Script::Chinese)) {
        let counted = count_metre(&model, temperature, extent.metre, at_once, &mut |done| {
            told("metre", done, extent.metre as usize);
        })?;
        metre.push((temperature, counted));
    }
    let recitation = match known {
        None => None,
        Some(known) => {
            let each = extent.lines / scripts.len().max(1) as u64;
            let heard = &mut |done| told("lines against the corpus", done, extent.lines as usize);
            Some(recitation::measure(&model, known, &scripts, each, at_once, heard)?)
        }
    };
    Ok(Measured { samples, metre, recitation })
}

/// Counts the metre of `pieces` pieces with seeds from 1 on, each opened with five characters.
///
/// # Errors
/// The model's own.
pub fn count_metre(
    model: &Model,
    temperature: f32,
    pieces: u64,
    at_once: usize,
    told: &mut dyn FnMut(usize),
) -> Result<Metre, ModelError> {
    let opened = openings::five().cycle().zip(1..=pieces);
    let asked: Vec<Asked> =
        opened.map(|(opening, seed)| Asked { script: Script::Chinese, opening, seed, temperature }).collect();
    let mut metre = Metre::default();
    for piece in pieces::play(model, &asked, at_once, told)? {
        metre.count(&piece.whole(), piece.ended);
    }
    Ok(metre)
}

/// How many pieces are played at once: where one core computes a piece, one on each core.
fn at_once(source: &Source) -> usize {
    match model::threads(source) {
        1 => std::thread::available_parallelism().map_or(1, usize::from),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_played_and_told() {
        let card = Card::read(&Source::Embedded, "starter.gguf").unwrap();
        let extent = Extent { seeds: 1, lines: 8, metre: 2 };
        let mut told = Vec::new();
        let known = Known::new(["小灯明一室，夜雨到三更。"], ["门外少人行，门外少人行。"], "ab");
        let hear = &mut |what: &str, done, of| told.push((what.to_string(), done, of));
        let measured = measure(&Source::Embedded, &card, Some(&known), extent, hear).unwrap();
        assert_eq!(measured.samples.len(), 4);
        assert_eq!(measured.metre.iter().map(|(_, m)| m.pieces).collect::<Vec<_>>(), [2, 2]);
        let Recitation { recited, own, corpus_sha256 } = measured.recitation.unwrap();
        assert_eq!(corpus_sha256, "ab");
        assert_eq!(recited.iter().map(|r| r.lines).collect::<Vec<_>>(), [4, 4, 4]);
        assert_eq!(own.len(), 2);
        assert_eq!(told.last(), Some(&("lines against the corpus".to_string(), 8, 8)));
        let alone = measure(&Source::Embedded, &card, None, Extent { lines: 0, ..extent }, &mut |_, _, _| {}).unwrap();
        assert_eq!((alone.recitation, alone.samples), (None, measured.samples));
    }
}
