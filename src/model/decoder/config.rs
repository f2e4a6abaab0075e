//! The sizes of a llama-family model, as its file states them.

use super::super::ModelError;
use super::super::gguf::Gguf;

/// Contexts longer than this are cut to it unless more is asked for: the cache is allocated at once.
pub const DEFAULT_CONTEXT: usize = 4096;

/// Sizes and constants of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub layers: usize,
    /// Of the embedding.
    pub width: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_dim: usize,
    /// Width inside the feed-forward part.
    pub ffn: usize,
    pub vocabulary: usize,
    /// Positions the cache has room for: the file's context, cut to what was asked for.
    pub context: usize,
    /// Positions the model was made for.
    pub file_context: usize,
    /// Added to the mean square in RMSNorm.
    pub eps: f32,
    pub rope_base: f64,
    /// Elements of each head that are turned; the rest pass as they are.
    pub rope_dims: usize,
    /// Linear scaling: positions are divided by this.
    pub rope_factor: f64,
}

impl Config {
    /// Reads and checks the sizes. `context` asks for another context than the usual one; the file's own is never
    /// exceeded.
    ///
    /// # Errors
    /// A key is missing, makes no sense, or asks for what is not supported (experts, YaRN).
    pub fn read(gguf: &Gguf, context: Option<usize>) -> Result<Config, ModelError> {
        gguf.check_architecture()?;
        let key = |name: &str| format!("llama.{name}");
        // Sizes beyond 2^24 are damage, and keep every product below inside 64 bits.
        let size = |name: &str| -> Result<Option<usize>, ModelError> {
            let key = key(name);
            match gguf.integer(&key) {
                Some(n) if (1..=1 << 24).contains(&n) => Ok(Some(n as usize)),
                Some(n) => Err(gguf.bad_key(&key, format!("{n} is no possible size; convert the model again"))),
                None if gguf.get(&key).is_some() => {
                    Err(gguf.bad_key(&key, "it differs from layer to layer, which is not supported"))
                }
                None => Ok(None),
            }
        };
        let needed = |name: &str| size(name)?.ok_or_else(|| gguf.missing(&key(name)));

        let (width, heads) = (needed("embedding_length")?, needed("attention.head_count")?);
        let kv_heads = size("attention.head_count_kv")?.unwrap_or(heads);
        if heads % kv_heads != 0 {
            let problem = format!("{kv_heads} does not divide the {heads} heads; convert the model again");
            return Err(gguf.bad_key(&key("attention.head_count_kv"), problem));
        }
        let head_dim = match size("attention.key_length")? {
            Some(n) => n,
            None if width % heads == 0 => width / heads,
            None => return Err(gguf.missing(&key("attention.key_length"))),
        };
        if size("attention.value_length")?.is_some_and(|n| n != head_dim) {
            let problem = format!("it differs from the keys' {head_dim}, which is not supported");
            return Err(gguf.bad_key(&key("attention.value_length"), problem));
        }
        let experts = key("expert_count");
        if gguf.integer(&experts).is_some_and(|n| n > 0) {
            return Err(gguf.bad_key(&experts, "mixtures of experts are not supported; choose a dense model"));
        }
        let rope_dims = size("rope.dimension_count")?.unwrap_or(head_dim);
        if rope_dims > head_dim || rope_dims % 2 != 0 {
            let problem = format!("{rope_dims} must be even and at most the head's {head_dim}");
            return Err(gguf.bad_key(&key("rope.dimension_count"), problem));
        }
        let scaling = key("rope.scaling.type");
        let scaled = match gguf.text(&scaling) {
            None | Some("linear") => true,
            Some("none") => false,
            Some(other) => {
                let problem = format!("{other:?} is not supported, none and linear are; choose another model");
                return Err(gguf.bad_key(&scaling, problem));
            }
        };
        let positive = |name: &str, usual: Option<f64>| -> Result<f64, ModelError> {
            let key = key(name);
            let value = gguf.float(&key).or(usual).ok_or_else(|| gguf.missing(&key))?;
            if !value.is_finite() || value <= 0.0 {
                return Err(gguf.bad_key(&key, format!("{value} is not a positive number; convert the model again")));
            }
            Ok(value)
        };
        // Old converters wrote the factor under another key; files without scaling may write 0.
        let factor = ["rope.scaling.factor", "rope.scale_linear"].iter().find_map(|name| gguf.float(&key(name)));
        let factor = factor.filter(|f| scaled && f.is_finite() && *f > 0.0).unwrap_or(1.0);

        let file_context = needed("context_length")?;
        let table = gguf.tensor("token_embd.weight").ok_or_else(|| ModelError::MissingTensor {
            file: gguf.file.clone(),
            tensor: "token_embd.weight".to_string(),
        })?;
        Ok(Config {
            layers: needed("block_count")?,
            width,
            heads,
            kv_heads,
            head_dim,
            ffn: needed("feed_forward_length")?,
            vocabulary: table.shape[0],
            context: file_context.min(context.unwrap_or(DEFAULT_CONTEXT).max(8)),
            file_context,
            eps: positive("attention.layer_norm_rms_epsilon", None)? as f32,
            rope_base: positive("rope.freq_base", Some(10_000.0))?,
            rope_dims,
            rope_factor: factor,
        })
    }

    /// Bytes of keys and values for `context` positions, in f32.
    pub fn cache_bytes(&self, context: usize) -> u64 {
        let sizes = [2, 4, self.layers, self.kv_heads, self.head_dim, context];
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
        assert_eq!(sizes, (4, 192, 6, 3, 32, 512));
        assert_eq!((config.vocabulary, config.context, config.rope_dims), (6144, 256, 32));
        assert_eq!(config.cache_bytes(256), 4 * 2 * 3 * 32 * 256 * 4);
    }

    #[test]
    fn what_is_not_supported_is_named() {
        let gguf = Gguf::read(&Source::Embedded).unwrap();
        for (key, value) in [
            ("llama.expert_count", Value::Unsigned(8)),
            ("llama.rope.scaling.type", Value::Text("yarn".into())),
            ("llama.attention.head_count", Value::Unsigned(0)),
            ("llama.attention.head_count_kv", Value::Unsigned(4)),
            ("llama.block_count", Value::Unsigned(u64::MAX)),
            ("general.architecture", Value::Text("phi3".into())),
        ] {
            let mut changed = gguf.clone();
            changed.keys.retain(|(k, _)| k != key);
            changed.keys.push((key.to_string(), value));
            let error = Config::read(&changed, None).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
        let mut without = gguf;
        without.keys.retain(|(k, _)| k != "llama.block_count");
        assert!(Config::read(&without, None).unwrap_err().to_string().contains("llama.block_count is missing"));
    }
}
