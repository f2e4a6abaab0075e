//! One transformer for every family that xiao plays itself: a forward pass over quantized weights and a cache of our own.
//!
//! What differs between the families is a row of the table in `family`. Runs on the worker thread (and, for `say` and
//! `peek`, on the main thread); the matrix products share candle's thread pool. Adds nothing to the score and draws no
//! token.
//!
//! Shapes below: `m` rows (tokens), `width` the embedding, `heads × head_dim` queries, `kv_heads × head_dim` keys.

mod attention;
mod cache;
mod config;
mod exact;
mod family;
mod kernels;
mod lanes;
mod rope;
mod weights;
#[cfg(target_arch = "x86_64")]
mod wide;

pub(super) use config::Config;
pub(super) use kernels::{Spread, spread};
pub(super) use weights::Weights;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ModelError;
use super::distribution::likeliest;
use super::matrix::{self, Rows};
use attention::Attention;
use cache::Cache;
use family::Activation;
use rope::Angles;
use weights::Layer;

/// Weights (shared), the cache of one text, and the way between.
pub(super) struct Decoder {
    weights: Arc<Weights>,
    cache: Cache,
    work: Work,
    /// Every so many layers the best guess is taken; 0: never.
    lens: usize,
    spent: Spent,
    guesses: Vec<Guess>,
}

/// What a text was remembered as, to come back to. Shares its pages with the cache it was taken of.
#[derive(Clone)]
pub(super) struct Memory(Cache);

/// Where the time of a forward pass went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spent {
    pub attention: Duration,
    pub feed_forward: Duration,
    /// The last norm and the logits.
    pub output: Duration,
    /// Each layer, attention and feed-forward together.
    pub layers: Vec<Duration>,
}

/// What the model would have said after a layer, had it been the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guess {
    /// Counted from 1: so many layers have been computed.
    pub layer: usize,
    pub id: u32,
    pub p: f32,
}

/// Logits that are made at once where every row's are wanted: 16 MiB.
const LOGITS: usize = 4 << 20;

/// Which rows of the last layer are of use to what follows: of a part that makes no logits none at all.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    All,
    Last,
    Nothing,
}

/// Buffers that a forward pass writes anew; kept, so that a token allocates nothing but its logits.
#[derive(Default)]
struct Work {
    rows: Rows,
    angles: [Angles; 2],
    /// (m, width)
    x: Vec<f32>,
    h: Vec<f32>,
    out: Vec<f32>,
    /// (m, heads * head_dim) and twice (m, kv_heads * head_dim)
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    /// (m, ffn)
    gate: Vec<f32>,
    up: Vec<f32>,
}

impl Decoder {
    pub fn new(weights: Arc<Weights>) -> Decoder {
        let cache = Cache::new(&weights.config);
        Decoder { weights, cache, work: Work::default(), lens: 0, spent: Spent::default(), guesses: Vec::new() }
    }

    /// The same weights with an empty cache.
    pub fn fresh(&self) -> Decoder {
        Decoder::new(self.weights.clone())
    }

    pub fn config(&self) -> &Config {
        &self.weights.config
    }

    /// Tokens in the cache.
    pub fn len(&self) -> usize {
        self.cache.len()
    }

    /// Keeps the first `n` tokens only.
    pub fn truncate(&mut self, n: usize) {
        self.cache.truncate(n);
    }

    /// Drops `n` tokens after the first `kept`; what follows moves up, its keys turned back by `n` places.
    pub fn forget(&mut self, kept: usize, n: usize) {
        let weights = self.weights.clone();
        self.cache.forget(kept, n, &|layer| weights.ropes[weights.rope_of(layer)].clone());
    }

    /// The cache as it is, to come back to. Costs nothing until either goes on.
    pub fn memory(&self) -> Memory {
        Memory(self.cache.clone())
    }

    /// Goes back to a memory of the same model.
    pub fn remember(&mut self, memory: &Memory) {
        self.cache = memory.0.clone();
    }

    /// Takes the best guess every so many layers from now on; 0 takes none. Each guess costs a product with the output
    /// matrix.
    pub fn set_lens(&mut self, layers: usize) {
        self.lens = layers;
    }

    /// The guesses of the last forward pass that made logits.
    pub fn guesses(&self) -> &[Guess] {
        &self.guesses
    }

    /// Where the time of the last forward pass went.
    pub fn spent(&self) -> &Spent {
        &self.spent
    }

    /// Rows to be computed at once while a prompt is read: enough for the matrix kernels, and few enough that a larger
    /// model can be interrupted within some tenths of a second. It follows from the model alone, so that the same
    /// prompt is always read in the same parts.
    pub fn chunk(&self) -> usize {
        let bytes = self.weights.bytes().max(1);
        ((128 << 30) / bytes).clamp(32, 128) as usize / 32 * 32
    }

    /// Bytes of the weights.
    pub fn weight_bytes(&self) -> u64 {
        self.weights.bytes()
    }

    /// Has the system read the next `most` bytes of the weights from `from` on; returns how far that went.
    pub fn touch(&self, from: u64, most: u64) -> u64 {
        let (mut at, to) = (0u64, from.saturating_add(most));
        for matrix in self.weights.matrices() {
            let bytes = matrix.stored();
            // Each page once; what is added up is of no interest but must not be left out.
            let of_interest = bytes.iter().step_by(4096).zip((at..).step_by(4096));
            let read = of_interest.filter(|(_, at)| (from..to).contains(at));
            std::hint::black_box(read.fold(0u8, |sum, (byte, _)| sum ^ byte));
            at += bytes.len() as u64;
        }
        to.min(at)
    }

    /// Bytes of weights that are read for one token.
    pub fn bytes_per_token(&self) -> u64 {
        self.weights.bytes() + self.config().cache_bytes(self.len())
    }

    /// Reads `ids` after what is in the cache. With `last`, returns the logits (vocabulary) that follow the last one.
    ///
    /// # Errors
    /// A token that does not exist, or more tokens than the context has room for.
    pub fn forward(&mut self, ids: &[u32], last: bool) -> Result<Option<Vec<f32>>, ModelError> {
        self.pass(ids, if last { Wanted::Last } else { Wanted::Nothing })?;
        Ok(last.then(|| {
            let begun = Instant::now();
            let weights = self.weights.clone();
            let logits = self.logits(&weights);
            self.spent.output += begun.elapsed();
            logits
        }))
    }

    /// Reads `ids` as [`Decoder::forward`] does, and hands the logits (vocabulary) that follow each of them to `each`,
    /// in their order.
    ///
    /// # Errors
    /// As [`Decoder::forward`].
    pub fn forward_each(&mut self, ids: &[u32], each: &mut dyn FnMut(&[f32])) -> Result<(), ModelError> {
        self.pass(ids, Wanted::All)?;
        let begun = Instant::now();
        let weights = self.weights.clone();
        let (width, vocabulary) = (weights.config.width, weights.config.vocabulary);
        let at_once = (LOGITS / vocabulary).max(1);
        let (x, mut logits) = (std::mem::take(&mut self.work.x), Vec::new());
        for x in x.chunks(at_once * width) {
            self.work.logits(&weights, x, &mut logits);
            logits.chunks(vocabulary).for_each(&mut *each);
        }
        self.work.x = x;
        self.spent.output += begun.elapsed();
        Ok(())
    }

    /// Computes all layers; of the last one only those rows that are wanted.
    fn pass(&mut self, ids: &[u32], asked: Wanted) -> Result<(), ModelError> {
        let weights = self.weights.clone();
        let config = &weights.config;
        let (m, at) = (ids.len(), self.cache.len());
        if let Some(id) = ids.iter().find(|id| **id as usize >= config.vocabulary) {
            return Err(ModelError::Input(format!("token {id} is not in the vocabulary of {}", config.vocabulary)));
        }
        if at + m > config.context {
            let problem = format!("{} tokens do not fit into the context of {}", at + m, config.context);
            return Err(ModelError::Input(problem));
        }
        self.spent.layers.clear();
        self.spent = Spent { layers: std::mem::take(&mut self.spent.layers), ..Spent::default() };
        self.guesses.clear();
        self.cache.reserve(m);
        weights.embed(ids, &mut self.work.x);
        for (rope, angles) in weights.ropes.iter().zip(&mut self.work.angles) {
            rope.angles(at, m, angles);
        }
        let mut clock = Instant::now();
        let mut lap = |into: &mut Duration| {
            let now = Instant::now();
            *into += now - std::mem::replace(&mut clock, now);
        };
        for (l, layer) in weights.layers.iter().enumerate() {
            let before = self.spent.attention + self.spent.feed_forward;
            let wanted = if l + 1 == config.layers { asked } else { Wanted::All };
            self.attention(&weights, l, layer, m, wanted);
            lap(&mut self.spent.attention);
            match wanted {
                Wanted::All => self.feed_forward(config, layer, m),
                Wanted::Last => self.feed_forward(config, layer, 1),
                Wanted::Nothing => {}
            }
            lap(&mut self.spent.feed_forward);
            self.spent.layers.push(self.spent.attention + self.spent.feed_forward - before);
            if asked == Wanted::Last && self.lens > 0 && (l + 1) % self.lens == 0 && l + 1 < config.layers {
                let guess = self.guess(&weights, l + 1);
                self.guesses.push(guess);
                lap(&mut self.spent.output);
            }
        }
        self.cache.advance(m);
        Ok(())
    }

    /// Adds to `x` what the rows take from those before them. Of rows that are not wanted only keys and values are made;
    /// `x` is then the last row alone.
    fn attention(&mut self, weights: &Weights, l: usize, layer: &Layer, m: usize, wanted: Wanted) {
        let config = &weights.config;
        let at = self.cache.len();
        let Work { rows, angles, x, h, out, q, k, v, .. } = &mut self.work;
        let [of_q, of_k, of_v] = &layer.qkv;
        let turn = weights.rope_of(l);
        let (rope, angles) = (&weights.ropes[turn], &angles[turn]);
        normed(x, &layer.attention_norm, config.eps, h);
        rows.set(h, m);
        if wanted == Wanted::All {
            matrix::multiply(&[&of_q.weight, &of_k.weight, &of_v.weight], rows, &mut [q, k, v]);
        } else {
            matrix::multiply(&[&of_k.weight, &of_v.weight], rows, &mut [k, v]);
        }
        of_k.add_bias(k);
        of_v.add_bias(v);
        if let Some([_, norm]) = &layer.head_norms {
            kernels::rms_norm_in_place(k, norm, config.eps);
        }
        rope.turn(k, config.head_dim, config.kv_heads, angles.rows(rope, 0));
        self.cache.write(l, k, v, m);
        // The first row that goes on.
        let first = match wanted {
            Wanted::All => 0,
            Wanted::Last => m - 1,
            Wanted::Nothing => return,
        };
        if wanted == Wanted::Last {
            x.drain(..first * config.width);
            rows.set(&h[first * config.width..], 1);
            matrix::multiply(&[&of_q.weight], rows, &mut [q]);
        }
        of_q.add_bias(q);
        if let Some([norm, _]) = &layer.head_norms {
            kernels::rms_norm_in_place(q, norm, config.eps);
        }
        rope.turn(q, config.head_dim, config.heads, angles.rows(rope, first));
        if config.family.scaled_queries {
            q.iter_mut().for_each(|x| *x *= config.query_scale);
        }
        // The queries become the attended values.
        Attention { config, rows: m - first, at: at + first, layer: l, read: m }.run(q, &self.cache);
        rows.set(q, m - first);
        matrix::multiply(&[&layer.attention_output.weight], rows, &mut [out]);
        layer.attention_output.add_bias(out);
        if let Some(norm) = &layer.attention_post_norm {
            kernels::rms_norm_in_place(out, norm, config.eps);
        }
        kernels::add(x, out);
    }

    /// Adds to `x` what each row makes of itself.
    fn feed_forward(&mut self, config: &Config, layer: &Layer, m: usize) {
        let Work { rows, x, h, out, gate, up, .. } = &mut self.work;
        normed(x, &layer.ffn_norm, config.eps, h);
        rows.set(h, m);
        matrix::multiply(&[&layer.gate_up[0].weight, &layer.gate_up[1].weight], rows, &mut [gate, up]);
        layer.gate_up[0].add_bias(gate);
        layer.gate_up[1].add_bias(up);
        match config.family.activation {
            Activation::Silu => kernels::swiglu(gate, up),
            Activation::Gelu => kernels::geglu(gate, up),
        }
        rows.set(gate, m);
        matrix::multiply(&[&layer.ffn_down.weight], rows, &mut [out]);
        layer.ffn_down.add_bias(out);
        if let Some(norm) = &layer.ffn_post_norm {
            kernels::rms_norm_in_place(out, norm, config.eps);
        }
        kernels::add(x, out);
    }

    /// The logits (vocabulary) of the last row as it is now.
    fn logits(&mut self, weights: &Weights) -> Vec<f32> {
        let (x, mut logits) = (std::mem::take(&mut self.work.x), Vec::new());
        self.work.logits(weights, &x[x.len() - weights.config.width..], &mut logits);
        self.work.x = x;
        logits
    }

    fn guess(&mut self, weights: &Weights, layer: usize) -> Guess {
        let logits = self.logits(weights);
        let mut best = Vec::new();
        likeliest(&logits, 1, &mut best);
        let (logit, id) = best.first().copied().unwrap_or((f32::NAN, 0));
        Guess { layer, id, p: (logit - spread(&logits).log_sum as f32).exp() }
    }
}

impl Work {
    /// The logits (m, vocabulary) of the rows `x` (m, width).
    fn logits(&mut self, weights: &Weights, x: &[f32], logits: &mut Vec<f32>) {
        let config = &weights.config;
        let Work { rows, h, .. } = self;
        normed(x, &weights.output_norm, config.eps, h);
        rows.set(h, x.len() / config.width);
        matrix::multiply(&[&weights.output.weight], rows, &mut [logits]);
        weights.output.add_bias(logits);
        if let Some(cap) = config.logit_cap {
            kernels::soft_cap(logits, cap);
        }
    }
}

/// `h = norm(x)`
fn normed(x: &[f32], weight: &[f32], eps: f32, h: &mut Vec<f32>) {
    h.resize(x.len(), 0.0);
    kernels::rms_norm(x, weight, eps, h);
}

#[cfg(test)]
mod tests;
