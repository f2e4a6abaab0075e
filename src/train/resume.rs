//! Whether a checkpoint is of the training that is asked for: only then is it gone on with.

use std::path::Path;

use super::checkpoint::Head;
use super::plan::Plan;
use super::{Corpus, Shape, TrainError, start};
use crate::model::Source;

/// Whether a checkpoint is of this training.
///
/// # Errors
/// What differs, and what to do; or the base cannot be read.
pub fn same_training(plan: &Plan, corpus: &Corpus, head: &Head, path: &Path) -> Result<(), TrainError> {
    let record = &head.record;
    let mut differs = Vec::new();
    if record.corpus.sha256 != corpus.report.sha256 || record.corpus.sources != corpus.report.sources {
        differs.push("the texts or their weights");
    }
    if !record.recipe.is(&plan.recipe) {
        differs.push("the recipe");
    }
    // A vocabulary may have come out smaller than was asked for.
    let asked = start::asked(plan, corpus);
    let shape = Shape { vocabulary: record.shape.vocabulary, ..asked };
    let vocabulary = head.vocabulary_asked.is_none_or(|tokens| tokens == asked.vocabulary);
    if plan.base.is_none() && (shape != record.shape || !vocabulary) {
        differs.push("the shape");
    }
    let base = plan.base.as_ref().map(Source::sha256).transpose()?;
    if record.base.as_ref().map(|(_, sha256)| sha256) != base.as_ref() {
        differs.push("the model to go on from");
    }
    if differs.is_empty() {
        return Ok(());
    }
    let problem = format!(
        "it is of another training (not the same: {}); go on with the same command, give another -o, or move it away",
        differs.join(" and ")
    );
    Err(TrainError::text(path, problem))
}
