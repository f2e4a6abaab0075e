//! The sizes and constants of a model, as its file states them.

use super::super::ModelError;
use super::super::gguf::{Gguf, Value};
use super::super::opaque;
use super::family::Family;
use super::rope::RopeConfig;

/// Contexts longer than this are cut to it unless more is asked for, since a cache that fills costs memory and time.
pub const DEFAULT_CONTEXT: usize = 4096;

/// Weights up to this size have a cache in f32: its memory is no matter then, and rounding it would be the largest
/// difference to the reference (logits of quantized models 1e-3 off instead of 1e-5).
const EXACT_BYTES: u64 = 256 << 20;

/// Sizes and constants of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub family: &'static Family,
    pub layers: usize,
    /// Of the embedding.
    pub width: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_dim: usize,
    /// Width inside the feed-forward part.
    pub ffn: usize,
    pub vocabulary: usize,
    /// Positions the cache may hold: the file's context, cut to what was asked for.
    pub context: usize,
    /// Positions the model was made for.
    pub file_context: usize,
    /// Positions it was first trained with, before its context was stretched.
    pub original_context: usize,
    /// Added to the mean square in RMSNorm.
    pub eps: f32,
    /// Multiplies the scores of queries and keys.
    pub query_scale: f32,
    pub score_cap: Option<f32>,
    pub logit_cap: Option<f32>,
    /// Elements of each head that are turned; the rest pass as they are.
    pub rope_dims: usize,
    /// Positions in layers that see everything.
    pub rope: RopeConfig,
    /// Positions in windowed layers.
    pub window_rope: RopeConfig,
    /// Positions that a windowed layer sees.
    pub window: Option<usize>,
    pattern: Pattern,
    /// The cache keeps f16, as llama.cpp's does; else f32.
    pub half_cache: bool,
}

/// Which layers are windowed.
#[derive(Clone, Debug, PartialEq)]
enum Pattern {
    /// All but each last one of so many.
    Every(usize),
    Listed(Vec<bool>),
}

/// Reads keys of one architecture.
struct Keys<'a> {
    gguf: &'a Gguf,
    prefix: &'static str,
}

impl Keys<'_> {
    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }

    /// A size. Beyond 2^24 it is damage; that bound also keeps every product of sizes inside 64 bits.
    fn size(&self, name: &str) -> Result<Option<usize>, ModelError> {
        let key = self.key(name);
        match self.gguf.integer(&key) {
            Some(n) if (1..=1 << 24).contains(&n) => Ok(Some(n as usize)),
            Some(n) => Err(self.gguf.bad_key(&key, format!("{n} is no possible size; convert the model again"))),
            None if matches!(self.gguf.get(&key), Some(Value::Integers(_))) => {
                Err(self.gguf.bad_key(&key, "it differs from layer to layer, which is not supported"))
            }
            None if self.gguf.get(&key).is_some() => {
                Err(self.gguf.bad_key(&key, "it is not a whole number; convert the model again"))
            }
            None => Ok(None),
        }
    }

    fn needed(&self, name: &str) -> Result<usize, ModelError> {
        self.size(name)?.ok_or_else(|| self.gguf.missing(&self.key(name)))
    }

    /// A positive number. Files write 0 where something does not apply.
    fn positive(&self, name: &str) -> Result<Option<f32>, ModelError> {
        let key = self.key(name);
        match self.gguf.float(&key) {
            None | Some(0.0) => Ok(None),
            Some(x) if x.is_finite() && x > 0.0 && (x as f32) > 0.0 && (x as f32).is_finite() => Ok(Some(x as f32)),
            Some(x) => Err(self.gguf.bad_key(&key, format!("{x} is not a positive number; convert the model again"))),
        }
    }

    fn bad<T>(&self, name: &str, problem: String) -> Result<T, ModelError> {
        Err(self.gguf.bad_key(&self.key(name), problem))
    }
}

impl Config {
    /// Reads and checks the sizes. `context` asks for another context than the usual one; the file's own is never
    /// exceeded.
    ///
    /// # Errors
    /// The architecture is not known, or a key is missing, makes no sense, or asks for what is not supported (experts).
    pub fn read(gguf: &Gguf, context: Option<usize>) -> Result<Config, ModelError> {
        let architecture =
            gguf.text("general.architecture").ok_or_else(|| gguf.missing("general.architecture"))?.to_string();
        let Some(family) = Family::of(&architecture) else {
            let supported = Family::known() + ", " + &opaque::architectures().collect::<Vec<_>>().join(", ");
            return Err(gguf.unsupported(architecture, supported));
        };
        let keys = Keys { gguf, prefix: family.name };

        let layers = keys.needed("block_count")?;
        if layers > gguf.tensors.len() {
            return keys
                .bad("block_count", format!("{layers} layers, but the file has {} tensors", gguf.tensors.len()));
        }
        let (width, heads) = (keys.needed("embedding_length")?, keys.needed("attention.head_count")?);
        let kv_heads = keys.size("attention.head_count_kv")?.unwrap_or(heads);
        if heads % kv_heads != 0 {
            let problem = format!("{kv_heads} does not divide the {heads} heads; convert the model again");
            return keys.bad("attention.head_count_kv", problem);
        }
        let head_dim = match keys.size("attention.key_length")? {
            Some(n) => n,
            None if width % heads == 0 => width / heads,
            None => return Err(gguf.missing(&keys.key("attention.key_length"))),
        };
        if keys.size("attention.value_length")?.is_some_and(|n| n != head_dim) {
            let problem = format!("it differs from the keys' {head_dim}, which is not supported");
            return keys.bad("attention.value_length", problem);
        }
        if gguf.integer(&keys.key("expert_count")).is_some_and(|n| n > 0) {
            let problem = "mixtures of experts are not supported; choose a dense model".to_string();
            return keys.bad("expert_count", problem);
        }
        let rope_dims = keys.size("rope.dimension_count")?.unwrap_or(head_dim);
        if rope_dims > head_dim || rope_dims % 2 != 0 {
            let problem = format!("{rope_dims} must be even and at most the head's {head_dim}");
            return keys.bad("rope.dimension_count", problem);
        }
        let file_context = keys.needed("context_length")?;
        let original_context = keys.size("rope.scaling.original_context_length")?.unwrap_or(file_context);
        let rope = Config::rope(&keys, original_context)?;
        let (window, pattern) = Config::window(&keys, family)?;
        let window_rope = match family.window.and_then(|window| window.rope_base) {
            None => rope.clone(),
            Some(usual) => {
                let base = keys.positive("rope.freq_base_swa")?.unwrap_or(usual);
                RopeConfig { base, factor: 1.0, ..rope.clone() }
            }
        };
        let table = gguf.tensor("token_embd.weight").ok_or_else(|| gguf.missing_tensor("token_embd.weight"))?;
        let shared = family.shared_scale_layers == layers && layers > 0;
        let eps = keys.positive("attention.layer_norm_rms_epsilon")?;
        let cap = |name: &str, usual: Option<f32>| -> Result<Option<f32>, ModelError> {
            let key = keys.key(name);
            if gguf.get(&key).is_some() { keys.positive(name) } else { Ok(usual) }
        };
        Ok(Config {
            family,
            layers,
            width,
            heads,
            kv_heads,
            head_dim,
            ffn: keys.needed("feed_forward_length")?,
            vocabulary: table.shape[0],
            context: file_context.min(context.unwrap_or(DEFAULT_CONTEXT).max(8)),
            file_context,
            original_context,
            eps: eps.ok_or_else(|| gguf.missing(&keys.key("attention.layer_norm_rms_epsilon")))?,
            query_scale: 1.0 / (if shared { width / heads } else { head_dim } as f32).sqrt(),
            score_cap: match family.score_cap {
                Some(_) => cap("attn_logit_softcapping", family.score_cap)?,
                None => None,
            },
            logit_cap: match family.post_norms {
                true => cap("final_logit_softcapping", family.logit_cap)?,
                false => None,
            },
            rope_dims,
            rope,
            window_rope,
            window,
            pattern,
            half_cache: gguf.tensors.iter().map(|t| t.bytes()).sum::<u64>() > EXACT_BYTES,
        })
    }

    /// Base and scaling of the positions.
    fn rope(keys: &Keys, original_context: usize) -> Result<RopeConfig, ModelError> {
        // Old converters wrote the factor under another key.
        let factor = keys.positive("rope.scaling.factor")?.or(keys.positive("rope.scale_linear")?).unwrap_or(1.0);
        let (factor, yarn_context) = match keys.gguf.text(&keys.key("rope.scaling.type")).unwrap_or("linear") {
            "linear" | "longrope" => (factor, None),
            "none" => (1.0, None),
            "yarn" => (factor, Some(original_context)),
            other => {
                let problem = format!("{other:?} is not known; none, linear, longrope and yarn are");
                return keys.bad("rope.scaling.type", problem);
            }
        };
        Ok(RopeConfig {
            base: keys.positive("rope.freq_base")?.unwrap_or(10_000.0),
            factor,
            attention_factor: keys.positive("rope.scaling.attn_factor")?.unwrap_or(1.0),
            yarn_context,
        })
    }

    fn window(keys: &Keys, family: &Family) -> Result<(Option<usize>, Pattern), ModelError> {
        let Some(usual) = family.window else { return Ok((None, Pattern::Every(1))) };
        let (window, pattern) = ("attention.sliding_window", "attention.sliding_window_pattern");
        let positions = match keys.gguf.integer(&keys.key(window)) {
            Some(0) => None,
            Some(_) => keys.size(window)?,
            None => Some(usual.positions).filter(|n| *n > 0),
        };
        let pattern = match keys.gguf.get(&keys.key(pattern)) {
            None => Pattern::Every(usual.every),
            Some(Value::Bools(list)) => Pattern::Listed(list.clone()),
            Some(Value::Integers(list)) => Pattern::Listed(list.iter().map(|n| *n != 0).collect()),
            Some(_) => match keys.gguf.integer(&keys.key(pattern)) {
                // Every layer is windowed where the pattern says 0.
                Some(0) => Pattern::Listed(Vec::new()),
                Some(n) => Pattern::Every(n.min(1 << 24) as usize),
                None => return keys.bad(pattern, "it is neither a number nor a list".to_string()),
            },
        };
        Ok((positions, pattern))
    }

    /// What scores are multiplied by where queries are not scaled before.
    pub fn score_scale(&self) -> f32 {
        if self.family.scaled_queries { 1.0 } else { self.query_scale }
    }

    /// The positions that this layer sees; `None`: all.
    pub fn window_of(&self, layer: usize) -> Option<usize> {
        let windowed = match &self.pattern {
            Pattern::Every(n) => layer % n < n - 1,
            Pattern::Listed(list) => list.get(layer).copied().unwrap_or(true),
        };
        self.window.filter(|_| windowed)
    }

    /// Bytes of keys and values for `context` positions.
    pub fn cache_bytes(&self, context: usize) -> u64 {
        let element = if self.half_cache { 2 } else { 4 };
        let sizes = [2, element, self.layers, self.kv_heads, self.head_dim, context];
        sizes.iter().fold(1u64, |bytes, n| bytes.saturating_mul(*n as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Source, gguf::Value};
    use super::*;

    #[test]
    fn the_embedded_sizes() {
        let config = Config::read(&Gguf::read(&Source::Embedded).unwrap(), None).unwrap();
        let sizes = (config.layers, config.width, config.heads, config.kv_heads, config.head_dim, config.ffn);
        assert_eq!(sizes, (4, 256, 8, 4, 32, 704));
        assert_eq!((config.vocabulary, config.context, config.rope_dims), (6144, 512, 32));
        assert_eq!(config.cache_bytes(512), 4 * 2 * 4 * 32 * 512 * 4);
        assert_eq!(config.window_of(0), None);
    }

    fn changed(key: &str, value: Value) -> Result<Config, ModelError> {
        let mut gguf = Gguf::read(&Source::Embedded).unwrap();
        gguf.keys.retain(|(k, _)| k != key);
        gguf.keys.push((key.to_string(), value));
        Config::read(&gguf, None)
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for (key, value) in [
            ("llama.expert_count", Value::Unsigned(8)),
            ("llama.rope.scaling.type", Value::Text("crooked".into())),
            ("llama.rope.scaling.factor", Value::Float(f64::NAN)),
            ("llama.attention.head_count", Value::Unsigned(0)),
            ("llama.attention.head_count", Value::Text("six".into())),
            ("llama.attention.head_count_kv", Value::Unsigned(3)),
            ("llama.block_count", Value::Unsigned(u64::MAX)),
            ("llama.block_count", Value::Unsigned(1000)),
            ("general.architecture", Value::Text("mamba".into())),
        ] {
            let error = changed(key, value).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
        let mut without = Gguf::read(&Source::Embedded).unwrap();
        without.keys.retain(|(k, _)| k != "llama.block_count");
        assert!(Config::read(&without, None).unwrap_err().to_string().contains("llama.block_count is missing"));
    }

    #[test]
    fn scaling_is_read_where_it_applies() {
        let with = |kind: &str| {
            let mut gguf = Gguf::read(&Source::Embedded).unwrap();
            gguf.keys.push(("llama.rope.scaling.factor".into(), Value::Float(4.0)));
            gguf.keys.push(("llama.rope.scaling.type".into(), Value::Text(kind.into())));
            Config::read(&gguf, None).unwrap().rope
        };
        assert_eq!((with("linear").factor, with("none").factor), (4.0, 1.0));
        assert_eq!(with("yarn").yarn_context, Some(512));
    }
}
