//! The live model: reads a GGUF file and generates from it.
//!
//! [`Model`] is weights, tokenizer and cache; [`Generator`] makes one step at a time on whichever thread calls it;
//! [`Worker`] runs a generator on a thread of its own, commands in, events out. candle and tokenizers are known here
//! and nowhere else. Nothing is ever fetched: a model is a file on this machine or the one inside the program.

pub mod bench;
mod chat;
mod decoder;
mod distribution;
mod engine;
mod error;
pub mod fit;
mod flaws;
mod floats;
mod foresight;
mod generator;
mod gguf;
mod info;
pub mod library;
mod matrix;
mod opaque;
pub mod plate;
mod prompt;
mod sampler;
mod source;
mod threads;
mod tokenizer;
mod worker;

#[cfg(test)]
#[path = "../../tests/common/fixture.rs"]
mod fixture;

pub use chat::{Chat, Conversation, Role, Turn};
pub use distribution::{Distribution, Ranked};
pub use error::ModelError;
pub use floats::Floats;
pub use foresight::{Foreseen, Foresight, Line, Piece, Tally, Told, foresee_all, pieces};
pub use generator::{
    Branched, Forgot, Generator, Interrupted, Layered, Progress, Reading, Restored, Rewound, SLOTS, Step,
};
pub use gguf::{GgufWriter, Stored};
pub use info::{Info, Lineage, TensorInfo, TypeSum};
pub use sampler::{Dice, Mirostat, Moved, Sampler, SamplerPlan, Sampling, StageView};
pub use source::Source;
pub use threads::{THREADS, is_small, limit_threads, threads};
pub use tokenizer::{TextStream, Tokenizer, byte_level};
pub use worker::{Command, Worker, WorkerOptions, is_worker_thread, silence_worker_panics};

use std::sync::Arc;

use decoder::{Config, Decoder, Weights};
use engine::Engine;
use gguf::Gguf;
use info::Shape;
use opaque::Opaque;

use crate::patch::SamplerSpec;

/// A model that is ready to generate.
pub struct Model {
    file: Arc<Gguf>,
    info: Arc<Info>,
    tokenizer: Arc<Tokenizer>,
    engine: Engine,
    sampling: Arc<Sampling>,
    /// How it writes conversations; none for a base model.
    chat: Option<Arc<Chat>>,
    warnings: Arc<Vec<String>>,
}

impl Model {
    /// Reads a model with its usual context: the file's, at most 4096.
    ///
    /// # Errors
    /// The file cannot be read, does not hold together, or asks for what is not supported.
    pub fn load(source: &Source) -> Result<Model, ModelError> {
        Model::load_with_context(source, None)
    }

    /// Reads a model with a context of so many tokens, never more than the file's own. Memory for it is taken as the
    /// text grows.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn load_with_context(source: &Source, context: Option<usize>) -> Result<Model, ModelError> {
        let gguf = Gguf::read(source)?;
        let shape = Shape::read(&gguf, context)?;
        let tokenizer = Tokenizer::new(&gguf)?;
        if tokenizer.vocabulary() > shape.vocabulary {
            let problem = format!(
                "it lists {} tokens, the embedding table has {}; convert the model again",
                tokenizer.vocabulary(),
                shape.vocabulary
            );
            return Err(gguf.bad_key("tokenizer.ggml.tokens", problem));
        }
        let info = Arc::new(Info::of(&gguf, &shape, &tokenizer));
        let sampling = Arc::new(Sampling::of(&gguf));
        let mut warnings = tokenizer.warnings().to_vec();
        // A model whose template does not work goes on with plain text.
        let chat = Chat::of(&gguf, &tokenizer).unwrap_or_else(|problem| {
            warnings.push(format!("{problem}; it goes on with plain text"));
            None
        });
        warnings.extend(chat.iter().flat_map(|chat| chat.warnings().to_vec()));
        let engine = if shape.opaque {
            Engine::opaque(Opaque::load(source, gguf.clone(), context)?)
        } else {
            let weights = Weights::load(&gguf, Config::read(&gguf, context)?)?;
            Engine::Own(Box::new(Decoder::new(Arc::new(weights))))
        };
        let (tokenizer, chat, warnings) = (Arc::new(tokenizer), chat.map(Arc::new), Arc::new(warnings));
        Ok(Model { file: Arc::new(gguf), info, tokenizer, engine, sampling, chat, warnings })
    }

    /// The same weights with a memory of their own.
    pub fn fresh(&self) -> Model {
        Model {
            file: self.file.clone(),
            info: self.info.clone(),
            tokenizer: self.tokenizer.clone(),
            engine: self.engine.fresh(),
            sampling: self.sampling.clone(),
            chat: self.chat.clone(),
            warnings: self.warnings.clone(),
        }
    }

    pub fn info(&self) -> &Info {
        &self.info
    }

    pub fn tokenizer(&self) -> &Arc<Tokenizer> {
        &self.tokenizer
    }

    /// Bytes of weights that can be brought into memory before they are used.
    pub fn mapped_bytes(&self) -> u64 {
        self.engine.mapped_bytes()
    }

    /// Has the system read the next `most` of these bytes from `from` on; returns how far that went.
    pub fn touch(&self, from: u64, most: u64) -> u64 {
        self.engine.touch(from, most)
    }

    /// How it writes conversations; none for a base model, which goes on with plain text.
    pub fn chat(&self) -> Option<&Chat> {
        self.chat.as_deref()
    }

    /// What in its file is not as it should be and yet can be played, each in one line.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// How the file wishes to be sampled.
    pub fn sampling(&self) -> &Sampling {
        &self.sampling
    }

    /// The patch's plan for this model, in the file's order where the patch gives none; and what of it does nothing.
    pub fn plan(&self, spec: &SamplerSpec) -> (SamplerPlan, Vec<String>) {
        let (mut plan, warnings) = SamplerPlan::new(spec, &self.tokenizer);
        if let (None, Some(order)) = (&spec.order, &self.sampling.order) {
            plan.set_order(order);
        }
        (plan, warnings)
    }

    /// How many tokens the model can hold in mind.
    pub fn context(&self) -> usize {
        self.engine.context()
    }

    /// The distribution of what follows `ids`, taken as they are. Forgets whatever was read before.
    ///
    /// # Errors
    /// No ids, more than the context holds, or one that is not in the vocabulary.
    pub fn peek(&mut self, ids: &[u32]) -> Result<Distribution, ModelError> {
        if ids.is_empty() {
            return Err(ModelError::Input("there are no tokens to go on; give a text or --ids".to_string()));
        }
        if ids.len() > self.context() {
            let problem = format!("{} tokens do not fit into the context of {}; give fewer", ids.len(), self.context());
            return Err(ModelError::Input(problem));
        }
        self.engine.truncate(0);
        let chunk = self.engine.chunk();
        let (head, tail) = ids.split_at((ids.len() - 1) / chunk * chunk);
        for chunk in head.chunks(chunk) {
            self.engine.forward(chunk, false)?;
        }
        let logits = self.engine.forward(tail, true)?;
        self.engine.truncate(0);
        let distribution = Distribution::new(logits.unwrap_or_default());
        if !distribution.is_sound() {
            return Err(self.unsound());
        }
        Ok(distribution)
    }

    /// The error for logits that are not numbers: it names the weight that is to blame.
    pub(in crate::model) fn unsound(&self) -> ModelError {
        self.file.unsound()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peeking_repeats_and_refuses() {
        let mut model = Model::load(&Source::Embedded).unwrap();
        let ids = model.tokenizer().encode_special("<|en|>The moon");
        let first = model.peek(&ids).unwrap();
        assert_eq!(first.logits.len(), 6144);
        assert_eq!(model.peek(&ids).unwrap().logits, first.logits);
        assert!(first.entropy_bits() > 1.0 && first.top(1)[0].p > 0.01);
        let long: Vec<u32> = ids.iter().cycle().take(100).copied().collect();
        assert!(model.peek(&long).unwrap().is_sound());
        for (ids, word) in [(vec![], "no tokens"), (vec![6144], "vocabulary of 6144"), (vec![1; 513], "context of 512")]
        {
            let error = model.peek(&ids).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn a_file_cut_in_half_or_of_text_is_refused_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("half.gguf");
        std::fs::write(&path, &include_bytes!("../../assets/models/verse.gguf")[..1_600_000]).unwrap();
        let error = Model::load(&Source::File(path.clone())).err().unwrap().to_string();
        assert!(error.contains("half.gguf: cut short: tensor") && error.contains("1600000"), "{error}");
        std::fs::write(&path, "春眠不觉晓\n").unwrap();
        let error = Model::load(&Source::File(path)).err().unwrap().to_string();
        assert!(error.contains("not a GGUF file") && !error.contains('\n'), "{error}");
    }
}
