//! One measurement, in this process: load, read, write.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::super::{Info, Model, ModelError, Source};

/// What is measured.
#[derive(Clone, Debug)]
pub struct Task {
    pub contexts: Vec<usize>,
    pub tokens: usize,
}

/// What was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct One {
    /// Until the model could be asked.
    pub load_s: f64,
    /// From there until the logits behind its first token.
    pub first_s: f64,
    pub depths: Vec<Depth>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Depth {
    pub context: usize,
    pub prefill_tokens_s: f64,
    pub decode_tokens_s: f64,
}

/// The model under the clock: all that is asked of it stands here.
struct Subject(Model);

impl Subject {
    fn load(source: &Source, context: usize) -> Result<Subject, ModelError> {
        Ok(Subject(Model::load_with_context(source, Some(context))?))
    }

    fn vocabulary(&self) -> usize {
        self.0.info().vocabulary
    }

    fn clear(&mut self) {
        self.0.engine.truncate(0);
    }

    /// Reads a prompt as the generator does, in parts; of the last token the logits are made.
    fn read(&mut self, ids: &[u32]) -> Result<(), ModelError> {
        let chunk = self.0.engine.chunk();
        let parts = ids.len().div_ceil(chunk);
        for (i, part) in ids.chunks(chunk).enumerate() {
            self.0.engine.forward(part, i + 1 == parts)?;
        }
        Ok(())
    }
}

/// Loads the model and measures. Tokens are arbitrary: what they are makes no difference to the time.
///
/// # Errors
/// The model cannot be loaded or computed.
pub fn measure(source: &Source, task: &Task) -> Result<One, ModelError> {
    let most = task.contexts.iter().max().copied().unwrap_or_default() + task.tokens.max(1);
    let begun = Instant::now();
    let mut model = Subject::load(source, most)?;
    let load_s = begun.elapsed().as_secs_f64();
    let mut ids = Ids { state: 1, vocabulary: model.vocabulary() as u32 };
    let begun = Instant::now();
    model.read(&ids.take(1))?;
    let first_s = begun.elapsed().as_secs_f64();

    let mut one = One { load_s, first_s, depths: Vec::new() };
    for context in &task.contexts {
        // What is made once (threads, packed weights) is made before the clock runs.
        model.clear();
        model.read(&ids.take(64.min(*context)))?;
        model.clear();
        let prompt = ids.take(*context);
        let begun = Instant::now();
        model.read(&prompt)?;
        let prefill_tokens_s = *context as f64 / begun.elapsed().as_secs_f64();
        let tokens = ids.take(task.tokens);
        let begun = Instant::now();
        for id in tokens.chunks(1) {
            model.read(id)?;
        }
        let decode_tokens_s = task.tokens as f64 / begun.elapsed().as_secs_f64();
        one.depths.push(Depth { context: *context, prefill_tokens_s, decode_tokens_s });
    }
    Ok(one)
}

/// Bytes of weights that every token reads: all matrices, of the embedding table one row only unless it makes the logits.
pub fn weight_bytes(info: &Info) -> u64 {
    let read = |t: &&super::super::TensorInfo| t.name != "token_embd.weight" || info.tied_output;
    info.tensors.iter().filter(read).map(|t| t.bytes).sum()
}

/// Bytes of keys and values that a token reads at a depth.
pub fn cache_bytes(info: &Info, depth: f64) -> f64 {
    info.cache_bytes as f64 / info.context_used.max(1) as f64 * depth
}

struct Ids {
    state: u64,
    vocabulary: u32,
}

impl Ids {
    fn take(&mut self, n: usize) -> Vec<u32> {
        let mut next = || {
            self.state = self.state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (self.state >> 33) as u32 % self.vocabulary.max(1)
        };
        (0..n).map(|_| next()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_model_is_measured() {
        let one = measure(&Source::Embedded, &Task { contexts: vec![8, 70], tokens: 2 }).unwrap();
        assert_eq!(one.depths.iter().map(|d| d.context).collect::<Vec<_>>(), [8, 70]);
        let figures = one.depths.iter().flat_map(|d| [d.prefill_tokens_s, d.decode_tokens_s]);
        assert!(figures.chain([one.load_s, one.first_s]).all(|x| x.is_finite() && x > 0.0));
        let json = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<One>(&json).unwrap().depths.len(), 2);
        let loading = measure(&Source::Embedded, &Task { contexts: vec![], tokens: 1 }).unwrap();
        assert!(loading.depths.is_empty());
    }

    #[test]
    fn bytes_of_a_token_are_those_of_the_matrices() {
        let mut info = Info::read(&Source::Embedded).unwrap();
        assert_eq!(weight_bytes(&info), info.weight_bytes, "tied: the table makes the logits");
        info.tied_output = false;
        assert_eq!(weight_bytes(&info), info.weight_bytes - 6144 * 256 / 32 * 34);
        assert_eq!(cache_bytes(&info, info.context_used as f64), info.cache_bytes as f64);
    }
}
