//! Architectures that our own decoder does not know and candle-transformers has a module for: they play, as they are.
//!
//! *Opaque*: no rewinding, no forgetting in the middle, no signals from the layers; a text is read from its beginning or
//! goes on. Runs wherever it is called, as the decoder does, and computes in candle's pool. The modules check little:
//! the header is held against [`sizes`] first, and a panic inside of one becomes an error.

mod content;
mod module;
mod quiet;
mod sizes;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use candle_core::{Device, Tensor};

use super::fit::Need;
use super::gguf::Gguf;
use super::info::Shape;
use super::{ModelError, Source};
use module::{Module, Reading};
use sizes::Sizes;

/// Rows computed at once while a prompt is read.
pub const CHUNK: usize = 32;

/// A model that plays through a module of candle's.
pub struct Opaque {
    file: String,
    /// For modules whose memory can only be cleared by loading them again.
    source: Source,
    gguf: Gguf,
    sizes: Sizes,
    module: Module,
    len: usize,
    /// The module holds what was read before the last reset.
    stale: bool,
    /// A token was read alone since the last reset.
    single: bool,
}

/// The architectures that play this way.
pub fn architectures() -> impl Iterator<Item = &'static str> {
    sizes::ROWS.iter().map(|row| row.name)
}

/// What a model will need of memory; `None` where its architecture does not play this way.
pub fn need(gguf: &Gguf, context: Option<usize>) -> Option<Result<Need, ModelError>> {
    let row = sizes::row(gguf)?;
    Some(Sizes::read(row, gguf, context).map(|sizes| sizes.need(gguf)))
}

/// Its sizes; `None` where its architecture does not play this way.
pub fn shape(gguf: &Gguf, context: Option<usize>) -> Option<Result<Shape, ModelError>> {
    let row = sizes::row(gguf)?;
    Some(Sizes::read(row, gguf, context).map(|sizes| sizes.shape(gguf)))
}

impl Opaque {
    /// Loads a model whose header was read. `context` as with the decoder: the file's own and the module's are never
    /// exceeded.
    ///
    /// # Errors
    /// An architecture that does not play this way, a header that does not hold together, or the module's own errors.
    pub fn load(source: &Source, gguf: Gguf, context: Option<usize>) -> Result<Opaque, ModelError> {
        let Some(row) = sizes::row(&gguf) else {
            let found = gguf.text("general.architecture").ok_or_else(|| gguf.missing("general.architecture"))?;
            let known: Vec<_> = architectures().collect();
            let problem = format!("{found:?} is not supported; these are: {}", known.join(", "));
            return Err(gguf.bad_key("general.architecture", problem));
        };
        let sizes = Sizes::read(row, &gguf, context)?;
        let module = guarded(&gguf.file, || module::load(source, &gguf, &sizes))?;
        Ok(Opaque {
            file: gguf.file.clone(),
            source: source.clone(),
            gguf,
            sizes,
            module,
            len: 0,
            stale: false,
            single: false,
        })
    }

    /// Reads `ids` after what was read so far; returns the logits (vocabulary) that follow the last one. Where the module
    /// itself fails, the text is forgotten.
    ///
    /// # Errors
    /// No token, one that does not exist, more than the context has room for, or the module's own errors.
    pub fn forward(&mut self, ids: &[u32]) -> Result<Vec<f32>, ModelError> {
        let Sizes { vocabulary, context, .. } = self.sizes;
        if ids.is_empty() {
            return Err(ModelError::Input("there are no tokens to read".to_string()));
        }
        if let Some(id) = ids.iter().find(|id| **id as usize >= vocabulary) {
            return Err(ModelError::Input(format!("token {id} is not in the vocabulary of {vocabulary}")));
        }
        if self.len + ids.len() > context {
            let problem = format!("{} tokens do not fit into the context of {context}", self.len + ids.len());
            return Err(ModelError::Input(problem));
        }
        let read = self.read(ids);
        if read.is_err() {
            self.reset();
        }
        read
    }

    fn read(&mut self, ids: &[u32]) -> Result<Vec<f32>, ModelError> {
        let reading = self.sizes.row.reading;
        let (mut rest, mut logits) = (ids, Vec::new());
        while !rest.is_empty() {
            let rows = match reading {
                Reading::InParts => CHUNK.min(rest.len()),
                Reading::OnceThenSingly if self.len == 0 => CHUNK.min(rest.len()),
                Reading::UntilSingle if !self.single => CHUNK.min(rest.len()),
                Reading::OnceThenSingly | Reading::UntilSingle => 1,
            };
            if self.len == 0 && self.stale {
                self.clear(rows)?;
            }
            let (head, tail) = rest.split_at(rows);
            let (module, at) = (&mut self.module, self.len);
            // What is cached is whole or, after an error, not used again.
            self.stale = true;
            logits = guarded(&self.file, || {
                let rows = Tensor::from_slice(head, (1, head.len()), &Device::Cpu)?;
                Ok(module.forward(&rows, at)?.flatten_all()?.to_vec1::<f32>()?)
            })?;
            self.len += rows;
            self.single |= rows == 1;
            rest = tail;
        }
        Ok(logits)
    }

    /// Makes the module forget what it still holds, before it reads so many rows.
    fn clear(&mut self, rows: usize) -> Result<(), ModelError> {
        if self.module.forgets_by_itself(rows) || self.module.forget() {
            return Ok(());
        }
        let (source, gguf, sizes) = (&self.source, &self.gguf, &self.sizes);
        self.module = guarded(&self.file, || module::load(source, gguf, sizes))?;
        Ok(())
    }

    /// Forgets the text.
    pub fn reset(&mut self) {
        self.len = 0;
        self.single = false;
    }

    /// Tokens read.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Tokens that can be held in mind.
    pub fn context(&self) -> usize {
        self.sizes.context
    }
}

/// Runs a module of candle's: whatever it makes of its file, it ends in a value or in an error that names the file.
fn guarded<T>(file: &str, run: impl FnOnce() -> Result<T, ModelError>) -> Result<T, ModelError> {
    // A module that panicked is not used again before it was reset.
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Err(ModelError::Compute(problem))) => Err(ModelError::Compute(format!("{file}: {problem}"))),
        Ok(result) => result,
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
            let line = said.lines().next().unwrap_or_default();
            Err(ModelError::Compute(format!("{file}: candle's module failed: {line}")))
        }
    }
}
