//! The state before the first step.

use super::batches::Place;
use super::checkpoint::{Checkpoint, Head};
use super::run::Plan;
use super::weights::Places;
use super::{Corpus, Record, Shape, TrainError, Vocabulary};

/// Of a text, so many bytes for each token of the vocabulary: what a token is to learn from.
const BYTES_PER_TOKEN: u64 = 400;
/// Control tokens, bytes, and a few pairs.
const LEAST_TOKENS: usize = 384;

/// Learns the vocabulary and rolls the weights, or takes both from the base.
///
/// # Errors
/// The shape or the base cannot be used.
pub fn begin(plan: &Plan, corpus: &Corpus) -> Result<Checkpoint, TrainError> {
    let mut shape = plan.shape.unwrap_or(Shape::MICRO);
    shape.check()?;
    let vocabulary = Vocabulary::train(corpus, shape.vocabulary.min(vocabulary_for(corpus)))?;
    shape.vocabulary = vocabulary.tokens.len();
    let places = Places::new(shape);
    let weights = places.start(plan.recipe.seed);
    let record = Record {
        name: plan.name.clone(),
        licence: plan.licence.clone(),
        author: plan.author.clone(),
        base: None,
        shape,
        parameters: shape.parameters() as u64,
        recipe: plan.recipe.clone(),
        corpus: corpus.report.clone(),
        corpus_tokens: 0,
        tokens: 0,
        seconds: 0.0,
        threads: plan.threads,
        curve: Vec::new(),
        untrained: None,
        held_out: Vec::new(),
        taken: String::new(),
    };
    let (first, second) = (vec![0.0; places.len], vec![0.0; places.len]);
    let head =
        Head { record, vocabulary, place: Place::default(), steps: 0, best: None, has_average: false, has_best: false };
    Ok(Checkpoint { head, weights, first, second, average: None, best: None })
}

/// A vocabulary that the text is long enough for: with 200 kB 500 tokens.
fn vocabulary_for(corpus: &Corpus) -> usize {
    let bytes: u64 = corpus.report.training.iter().map(|(_, counts)| counts.bytes).sum();
    ((bytes / BYTES_PER_TOKEN) as usize).max(LEAST_TOKENS)
}
