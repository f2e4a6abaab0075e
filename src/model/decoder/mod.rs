//! The transformer of the llama family: one forward pass over quantized weights and a cache of our own.
//!
//! Runs on the worker thread (and, for `say` and `peek`, on the main thread). Activations are plain `f32` rows; candle's
//! quantized tensors do the matrix products in candle's thread pool. Adds nothing to the score and draws no token.
//!
//! Shapes below: `m` rows (tokens), `width` the embedding, `heads × head_dim` queries, `kv_heads × head_dim` keys.

mod attention;
mod cache;
mod config;
mod kernels;
mod rope;
mod weights;

pub(super) use config::Config;
pub(super) use kernels::{Spread, spread};
pub(super) use weights::Weights;

use std::sync::Arc;

use super::ModelError;
use attention::Attention;
use cache::Cache;
use rope::Rope;

/// Rows computed at once while a prompt is read: large enough for the matrix kernels, small enough to be interrupted.
pub(super) const CHUNK: usize = 32;

/// Weights (shared), the cache of one text, and the way between.
pub(super) struct Decoder {
    weights: Arc<Weights>,
    rope: Arc<Rope>,
    cache: Cache,
}

impl Decoder {
    pub fn new(weights: Arc<Weights>) -> Decoder {
        let config = &weights.config;
        let rope = Arc::new(Rope::new(config, weights.rope_factors.as_deref()));
        let cache = Cache::new(config);
        Decoder { weights, rope, cache }
    }

    /// The same weights with an empty cache.
    pub fn fresh(&self) -> Decoder {
        let cache = Cache::new(&self.weights.config);
        Decoder { weights: self.weights.clone(), rope: self.rope.clone(), cache }
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
        self.cache.forget(kept, n, &self.rope);
    }

    /// Reads `ids` after what is in the cache. With `last`, returns the logits (vocabulary) that follow the last one.
    ///
    /// # Errors
    /// A token that does not exist, more tokens than the context has room for, or candle's own errors.
    pub fn forward(&mut self, ids: &[u32], last: bool) -> Result<Option<Vec<f32>>, ModelError> {
        let config = self.weights.config.clone();
        let (m, at) = (ids.len(), self.cache.len());
        if let Some(id) = ids.iter().find(|id| **id as usize >= config.vocabulary) {
            return Err(ModelError::Input(format!("token {id} is not in the vocabulary of {}", config.vocabulary)));
        }
        if at + m > config.context {
            let problem = format!("{} tokens do not fit into the context of {}", at + m, config.context);
            return Err(ModelError::Input(problem));
        }
        let attention = Attention { config: &config, rows: m, at };
        let mut x = self.weights.embed(ids)?; // (m, width)
        let mut h = vec![0.0; x.len()];
        for (l, layer) in self.weights.layers.iter().enumerate() {
            kernels::rms_norm(&x, &layer.attention_norm, config.eps, &mut h);
            let [mut q, mut k, v] = layer.qkv.forward(&mut h, m)?;
            self.rope.turn(&mut q, config.head_dim, config.heads, at);
            self.rope.turn(&mut k, config.head_dim, config.kv_heads, at);
            self.cache.write(l, &k, &v, m);
            let (keys, values) = self.cache.layer(l);
            attention.run(&mut q, keys, values); // the queries become the attended values
            kernels::add(&mut x, &layer.attention_output.forward(&mut q, m)?);

            kernels::rms_norm(&x, &layer.ffn_norm, config.eps, &mut h);
            let [mut gate, up] = layer.gate_up.forward(&mut h, m)?;
            kernels::swiglu(&mut gate, &up);
            kernels::add(&mut x, &layer.ffn_down.forward(&mut gate, m)?);
        }
        self.cache.advance(m);
        if !last {
            return Ok(None);
        }
        let mut tail = vec![0.0; config.width];
        kernels::rms_norm(&x[(m - 1) * config.width..], &self.weights.output_norm, config.eps, &mut tail);
        Ok(Some(self.weights.output.forward(&mut tail, 1)?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Source, gguf::Gguf};
    use super::*;

    fn decoder(context: usize) -> Decoder {
        let gguf = Gguf::read(&Source::Embedded).unwrap();
        let config = Config::read(&gguf, Some(context)).unwrap();
        Decoder::new(Arc::new(Weights::load(&Source::Embedded, &gguf, config).unwrap()))
    }

    fn nmse(a: &[f32], b: &[f32]) -> f64 {
        let error: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        error / b.iter().map(|b| f64::from(*b).powi(2)).sum::<f64>()
    }

    const IDS: [u32; 12] = [2, 400, 1200, 77, 5000, 300, 9, 2222, 3100, 641, 12, 900];

    #[test]
    fn reading_at_once_in_parts_and_one_by_one_agree() {
        let mut decoder = decoder(64);
        let whole = decoder.forward(&IDS, true).unwrap().unwrap();
        decoder.truncate(5);
        let tail = decoder.forward(&IDS[5..], true).unwrap().unwrap();
        decoder.truncate(0);
        let mut single = None;
        for id in IDS {
            single = decoder.forward(&[id], true).unwrap();
        }
        assert!(nmse(&tail, &whole) < 1e-6);
        assert!(nmse(&single.unwrap(), &whole) < 1e-6);
        let mut other = decoder.fresh();
        assert_eq!(other.forward(&IDS, true).unwrap().unwrap(), whole);
    }

    #[test]
    fn forgetting_the_oldest_of_one_layer_equals_never_having_read_it() {
        // With one layer a token's key and value depend on that token alone, so shifting must be exact.
        let gguf = Gguf::read(&Source::Embedded).unwrap();
        let mut config = Config::read(&gguf, Some(64)).unwrap();
        config.layers = 1;
        let weights = Arc::new(Weights::load(&Source::Embedded, &gguf, config).unwrap());
        let mut forgetful = Decoder::new(weights.clone());
        forgetful.forward(&IDS[..11], false).unwrap();
        forgetful.forget(2, 5);
        assert_eq!(forgetful.len(), 6);
        let after = forgetful.forward(&IDS[11..], true).unwrap().unwrap();
        let mut never = Decoder::new(weights);
        let kept: Vec<u32> = IDS[..2].iter().chain(&IDS[7..]).copied().collect();
        let expected = never.forward(&kept, true).unwrap().unwrap();
        assert!(nmse(&after, &expected) < 1e-6, "{}", nmse(&after, &expected));
    }

    #[test]
    fn bad_tokens_and_overflow_are_refused() {
        let mut decoder = decoder(8);
        assert!(decoder.forward(&[999_999], false).unwrap_err().to_string().contains("vocabulary of 6144"));
        assert!(decoder.forward(&IDS, false).unwrap_err().to_string().contains("context of 8"));
    }
}
