//! The state before the first step.

use super::batches::Position;
use super::checkpoint::{Checkpoint, Head};
use super::memory;
use super::pass::ROPE_BASE;
use super::plan::Plan;
use super::weights::Places;
use super::{Corpus, Record, Shape, Sizes, TrainError, Vocabulary};
use crate::model::{Floats, Info, Source};

/// Of a text, so many bytes for each token of the vocabulary: what a token is to learn from.
const BYTES_PER_TOKEN: u64 = 600;
/// Control tokens, bytes, and a few pairs.
const LEAST_TOKENS: usize = 320;
/// Bytes of a text that is read again and again, and of one that is seldom read twice.
const SHORT: u64 = 1_000_000;
const LONG: u64 = 10_000_000;

/// Learns the vocabulary and rolls the weights, or takes both from the base.
///
/// # Errors
/// The shape or the base cannot be used.
pub fn begin(plan: &Plan, corpus: &Corpus) -> Result<Checkpoint, TrainError> {
    let Start { shape, vocabulary, weights, base, base_licence } = match &plan.base {
        Some(base) => from(base, plan, corpus)?,
        None => anew(plan, corpus)?,
    };
    let record = Record {
        name: plan.name.clone(),
        licence: plan.licence.clone(),
        author: plan.author.clone(),
        base,
        base_licence,
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
        kind: plan.kind.clone(),
    };
    let (first, second) = (vec![0.0; weights.len()], vec![0.0; weights.len()]);
    let head = Head {
        record,
        vocabulary,
        vocabulary_asked: plan.base.is_none().then(|| asked(plan, corpus).vocabulary),
        place: Position::default(),
        steps: 0,
        averaged: 0,
        best: None,
        has_average: false,
        has_best: false,
    };
    Ok(Checkpoint { head, weights, first, second, average: None, best: None })
}

struct Start {
    shape: Shape,
    vocabulary: Vocabulary,
    weights: Vec<f32>,
    base: Option<(String, String)>,
    base_licence: Option<String>,
}

/// The shape of a model that begins anew; its vocabulary may come out smaller.
pub fn asked(plan: &Plan, corpus: &Corpus) -> Shape {
    plan.sizes.over(plan.shape.unwrap_or_else(|| shape_for(corpus)))
}

fn anew(plan: &Plan, corpus: &Corpus) -> Result<Start, TrainError> {
    let mut shape = asked(plan, corpus);
    shape.check()?;
    memory::check(&shape, plan.threads, plan.recipe.batch_tokens, corpus)?;
    let vocabulary = Vocabulary::train(corpus, shape.vocabulary.min(vocabulary_for(corpus)))?;
    shape.vocabulary = vocabulary.tokens.len();
    Ok(Start { shape, vocabulary, weights: Places::new(shape).start(plan.recipe.seed), base: None, base_licence: None })
}

/// Weights, shape and vocabulary of a model that xiao has trained.
fn from(source: &Source, plan: &Plan, corpus: &Corpus) -> Result<Start, TrainError> {
    let info = Info::read(source)?;
    let vocabulary = Vocabulary::read(source)?;
    let shape = Shape {
        vocabulary: info.vocabulary,
        width: info.width,
        layers: info.layers,
        heads: info.heads,
        kv_heads: info.kv_heads,
        ffn: info.ffn,
        context: info.context,
    };
    let problem = |what: String| TrainError::text(source.name().as_ref(), what);
    if info.architecture != "llama" || !info.tied_output || shape.head_dim() != info.head_dim {
        return Err(problem(
            "it is not of the shape that xiao trains; go on from a model that xiao has trained".into(),
        ));
    }
    if info.rope_base != ROPE_BASE {
        return Err(problem(format!("its rope base is {}, and xiao trains with {ROPE_BASE}", info.rope_base)));
    }
    shape.check()?;
    if plan.shape.is_some() || plan.sizes != Sizes::default() {
        return Err(problem("it has a shape of its own; leave the sizes to it".into()));
    }
    memory::check(&shape, plan.threads, plan.recipe.batch_tokens, corpus)?;
    let floats = Floats::open(source)?;
    let places = Places::new(shape);
    let mut weights = vec![0.0; places.len];
    for tensor in places.tensors() {
        let dimensions: &[usize] = if tensor.is_norm() { &[tensor.columns] } else { &[tensor.rows, tensor.columns] };
        weights[tensor.range].copy_from_slice(&floats.read(&tensor.name, dimensions)?);
    }
    let base = Some((info.name, source.sha256()?));
    Ok(Start { shape, vocabulary, weights, base, base_licence: Some(info.lineage.licence) })
}

fn bytes(corpus: &Corpus) -> u64 {
    corpus.report.training.iter().map(|(_, counts)| counts.bytes).sum()
}

/// A vocabulary that the text is long enough for: with 1 MB 1,600 tokens.
fn vocabulary_for(corpus: &Corpus) -> usize {
    ((bytes(corpus) / BYTES_PER_TOKEN) as usize).max(LEAST_TOKENS)
}

/// A short text fills a small model.
fn shape_for(corpus: &Corpus) -> Shape {
    if bytes(corpus) < SHORT { Shape::NANO } else { Shape::MICRO }
}

/// A text that is read many times is learnt by heart unless much is left out.
pub fn dropout_for(corpus: &Corpus) -> f64 {
    match bytes(corpus) {
        0..SHORT => 0.2,
        SHORT..LONG => 0.1,
        _ => 0.0,
    }
}
