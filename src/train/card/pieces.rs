//! Pieces played for the card, as in a performance: the same generator, the file's own wishes, the product's defaults,
//! and of all parameters only the temperature set. The same model gives the same pieces on the same machine.
//!
//! A model that one core computes plays several pieces at once, each on a thread of its own with its own memory.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use super::openings;
use crate::model::{Generator, Model, ModelError, Step};
use crate::score::{FlawKind, ParamId, ParamValues};
use crate::train::Script;

/// A piece is left after so many tokens if it has not ended.
pub const MOST_TOKENS: u32 = 200;

/// What is asked of the model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asked {
    pub script: Script,
    pub opening: &'static str,
    pub seed: u64,
    pub temperature: f32,
}

impl Asked {
    /// The opening that belongs to the seed.
    pub fn new(script: Script, seed: u64, temperature: f32) -> Asked {
        Asked { script, opening: openings::for_seed(script, seed), seed, temperature }
    }
}

/// A piece that the model wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    pub asked: Asked,
    /// What follows the opening.
    pub text: String,
    pub tokens: u32,
    /// It came to its own end.
    pub ended: bool,
    /// What went wrong, in its order.
    pub flaws: Vec<FlawKind>,
}

impl Piece {
    /// Opening and continuation together.
    pub fn whole(&self) -> String {
        format!("{}{}", self.asked.opening, self.text)
    }
}

/// Plays all that is asked, `at_once` pieces at a time, and tells after each how many are done. They come back in the
/// order in which they were asked.
///
/// # Errors
/// The model's own.
pub fn play(
    model: &Model,
    asked: &[Asked],
    at_once: usize,
    told: &mut dyn FnMut(usize),
) -> Result<Vec<Piece>, ModelError> {
    let next = AtomicUsize::new(0);
    let mut played: Vec<Option<Piece>> = asked.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        let (done, heard) = mpsc::channel();
        for model in (0..at_once.clamp(1, asked.len().max(1))).map(|_| model.fresh()) {
            let (done, next) = (done.clone(), &next);
            scope.spawn(move || {
                while let Some((at, asked)) = take(next, asked) {
                    // Nobody listens any more after an error.
                    if done.send((at, one(&model, *asked))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        for (count, (at, piece)) in heard.iter().enumerate() {
            played[at] = Some(piece?);
            told(count + 1);
        }
        Ok(played.into_iter().flatten().collect())
    })
}

fn take<'a>(next: &AtomicUsize, asked: &'a [Asked]) -> Option<(usize, &'a Asked)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    Some((at, asked.get(at)?))
}

fn one(model: &Model, asked: Asked) -> Result<Piece, ModelError> {
    let mut params = ParamValues::default();
    for (id, value) in &model.sampling().params {
        params.set(*id, *value);
    }
    params.set(ParamId::Temperature, asked.temperature);
    let mut generator = Generator::new(model.fresh(), asked.seed);
    generator.prompt(asked.opening)?;
    let mut piece = Piece { asked, text: String::new(), tokens: 0, ended: false, flaws: Vec::new() };
    while piece.tokens < MOST_TOKENS && !piece.ended {
        match generator.step(&params)? {
            Step::Token { token, flaws } => {
                piece.tokens += 1;
                piece.text.push_str(&token.text);
                piece.flaws.extend(flaws.iter().map(|flaw| flaw.kind));
            }
            Step::PieceEnd { flaw, .. } => {
                piece.ended = true;
                piece.flaws.extend(flaw.map(|flaw| flaw.kind));
            }
            Step::Forget(_) => {}
        }
    }
    piece.text.push_str(&generator.finish());
    Ok(piece)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Source;

    #[test]
    fn pieces_come_in_their_order_and_again_the_same() {
        let model = Model::load(&Source::Embedded).unwrap();
        let asked: Vec<Asked> =
            Script::ALL.into_iter().flat_map(|s| [1, 2].map(|seed| Asked::new(s, seed, 0.7))).collect();
        let mut told = Vec::new();
        let alone = play(&model, &asked, 1, &mut |done| told.push(done)).unwrap();
        assert_eq!(told, [1, 2, 3, 4]);
        assert_eq!(alone.iter().map(|p| p.asked).collect::<Vec<_>>(), asked);
        assert_eq!(play(&model, &asked, 3, &mut |_| {}).unwrap(), alone);
        assert!(alone.iter().all(|p| p.tokens > 0 && p.tokens <= MOST_TOKENS && !p.text.is_empty()));
        assert!(alone[0].whole().starts_with("春江"));
        assert!(play(&model, &[], 2, &mut |_| {}).unwrap().is_empty());
    }
}
