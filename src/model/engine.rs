//! What computes a model: our own decoder, or a module of candle's where only that knows the architecture.
//!
//! A module has one memory and no way back in it. Whoever asks it to go back, or takes turns with another text, has it
//! read again from the beginning: slower, and the same words.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ModelError;
use super::decoder::{Decoder, Guess, Memory as Pages, Spent};
use super::opaque::Opaque;

pub(super) enum Engine {
    Own(Box<Decoder>),
    Opaque(Shared),
}

/// A module that several texts may use in turn.
pub(super) struct Shared {
    module: Arc<Mutex<Owned>>,
    me: u64,
    context: usize,
}

/// A module and the text whose memory it holds.
struct Owned {
    module: Opaque,
    owner: u64,
}

/// A memory to come back to. A module has none to give.
#[derive(Clone)]
pub(super) struct Memory(Option<Pages>);

impl Shared {
    fn another(&self) -> Shared {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let me = NEXT.fetch_add(1, Ordering::Relaxed);
        Shared { module: self.module.clone(), me, context: self.context }
    }

    fn lock(&self) -> MutexGuard<'_, Owned> {
        // A panic inside the module has become an error already, and left it reset.
        self.module.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    pub fn opaque(module: Opaque) -> Engine {
        let context = module.context();
        Engine::Opaque(Shared { module: Arc::new(Mutex::new(Owned { module, owner: 0 })), me: 0, context })
    }

    /// The same weights with a memory of their own.
    pub fn fresh(&self) -> Engine {
        match self {
            Engine::Own(decoder) => Engine::Own(Box::new(decoder.fresh())),
            Engine::Opaque(shared) => Engine::Opaque(shared.another()),
        }
    }

    pub fn context(&self) -> usize {
        match self {
            Engine::Own(decoder) => decoder.config().context,
            Engine::Opaque(shared) => shared.context,
        }
    }

    /// Tokens in memory.
    pub fn len(&self) -> usize {
        match self {
            Engine::Own(decoder) => decoder.len(),
            Engine::Opaque(shared) => {
                let owned = shared.lock();
                if owned.owner == shared.me { owned.module.len() } else { 0 }
            }
        }
    }

    /// Rows to be read at once.
    pub fn chunk(&self) -> usize {
        match self {
            Engine::Own(decoder) => decoder.chunk(),
            Engine::Opaque(_) => super::opaque::CHUNK,
        }
    }

    /// Keeps the first `n` tokens, or none where that cannot be done.
    pub fn truncate(&mut self, n: usize) {
        let len = self.len();
        match self {
            Engine::Own(decoder) => decoder.truncate(n),
            Engine::Opaque(shared) if n < len => shared.lock().module.reset(),
            Engine::Opaque(_) => {}
        }
    }

    /// Drops `n` tokens after the first `kept`, or everything where that cannot be done.
    pub fn forget(&mut self, kept: usize, n: usize) {
        match self {
            Engine::Own(decoder) => decoder.forget(kept, n),
            Engine::Opaque(_) => self.truncate(0),
        }
    }

    /// Reads `ids` after what is in memory. With `last`, returns the logits (vocabulary) that follow the last one.
    ///
    /// # Errors
    /// A token that does not exist, more than the context has room for, or a module's own errors.
    pub fn forward(&mut self, ids: &[u32], last: bool) -> Result<Option<Vec<f32>>, ModelError> {
        match self {
            Engine::Own(decoder) => decoder.forward(ids, last),
            Engine::Opaque(shared) => {
                let mut owned = shared.lock();
                if owned.owner != shared.me {
                    owned.module.reset();
                    owned.owner = shared.me;
                }
                owned.module.forward(ids).map(|logits| last.then_some(logits))
            }
        }
    }

    /// Reads `ids` as [`Engine::forward`] does, and hands the logits (vocabulary) that follow each of them to `each`, in
    /// their order. A module gives the last row's only: it reads one token after the other.
    ///
    /// # Errors
    /// As [`Engine::forward`].
    pub fn forward_each(&mut self, ids: &[u32], each: &mut dyn FnMut(&[f32])) -> Result<(), ModelError> {
        match self {
            Engine::Own(decoder) => decoder.forward_each(ids, each),
            Engine::Opaque(_) => ids.iter().try_for_each(|id| {
                self.forward(&[*id], true)?.iter().for_each(|logits| each(logits));
                Ok(())
            }),
        }
    }

    pub fn memory(&self) -> Memory {
        match self {
            Engine::Own(decoder) => Memory(Some(decoder.memory())),
            Engine::Opaque(_) => Memory(None),
        }
    }

    /// Goes back to a memory of the same model.
    pub fn remember(&mut self, memory: &Memory) {
        match (self, &memory.0) {
            (Engine::Own(decoder), Some(pages)) => decoder.remember(pages),
            (engine, _) => engine.truncate(0),
        }
    }

    pub fn set_lens(&mut self, layers: usize) {
        if let Engine::Own(decoder) = self {
            decoder.set_lens(layers);
        }
    }

    /// The guesses of the last forward pass.
    pub fn guesses(&self) -> &[Guess] {
        match self {
            Engine::Own(decoder) => decoder.guesses(),
            Engine::Opaque(_) => &[],
        }
    }

    /// Where the time of the last forward pass went.
    pub fn spent(&self) -> Option<&Spent> {
        match self {
            Engine::Own(decoder) => Some(decoder.spent()),
            Engine::Opaque(_) => None,
        }
    }

    /// Bytes that are read for one token; 0 where that is not known.
    pub fn bytes_per_token(&self) -> u64 {
        match self {
            Engine::Own(decoder) => decoder.bytes_per_token(),
            Engine::Opaque(_) => 0,
        }
    }

    /// Bytes of weights that are mapped and can be brought into memory before they are used.
    pub fn mapped_bytes(&self) -> u64 {
        match self {
            Engine::Own(decoder) => decoder.weight_bytes(),
            Engine::Opaque(_) => 0,
        }
    }

    /// Has the system read the next `most` of these bytes from `from` on; returns how far that went.
    pub fn touch(&self, from: u64, most: u64) -> u64 {
        match self {
            Engine::Own(decoder) => decoder.touch(from, most),
            Engine::Opaque(_) => from,
        }
    }
}
