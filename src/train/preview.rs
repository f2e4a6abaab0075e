//! What the model writes while it learns: one piece in each script.

use super::{Piece, Script, TrainError};
use crate::model::{Generator, Model, Source, Step};
use crate::score::{ParamId, ParamValues};

/// Tokens of a sample.
const LENGTH: usize = 48;
const TEMPERATURE: f32 = 0.8;
/// Characters of an opening.
const MOST: usize = 24;

/// The first words of a piece that the model has not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    pub script: Script,
    pub text: String,
}

impl Opening {
    /// The first two characters or words of the first piece of each script.
    pub fn of(pieces: &[Piece]) -> Vec<Opening> {
        let first = |script: Script| {
            let piece = pieces.iter().find(|piece| piece.script == script)?;
            let text: String = match script {
                Script::Chinese => piece.text.chars().take(2).collect(),
                Script::English => piece.text.split_whitespace().take(2).collect::<Vec<_>>().join(" "),
            };
            // Scripts without blanks have no words to count.
            let text = text.chars().take(MOST).collect();
            Some(Opening { script, text })
        };
        Script::ALL.into_iter().filter_map(first).collect()
    }
}

/// Has the model go on from each opening: script, opening, text.
///
/// # Errors
/// The file cannot be played.
pub fn preview(file: Vec<u8>, openings: &[Opening], seed: u64) -> Result<Vec<(Script, String, String)>, TrainError> {
    let model = Model::load(&Source::Memory(file.into()))?;
    let mut params = ParamValues::default();
    params.set(ParamId::Temperature, TEMPERATURE);
    let mut samples = Vec::new();
    for opening in openings {
        let mut generator = Generator::new(model.fresh(), seed);
        generator.prompt(&opening.text)?;
        let mut text = String::new();
        for _ in 0..LENGTH {
            match generator.step(&params)? {
                Step::Token { token, .. } => text.push_str(&token.text),
                Step::PieceEnd { .. } => break,
                Step::Forget(_) => {}
            }
        }
        text.push_str(&generator.finish());
        samples.push((opening.script, opening.text.clone(), text));
    }
    Ok(samples)
}
