//! What each architecture's module takes for granted of a file, as data, and the check that the file keeps to it.
//!
//! The modules multiply, cut and turn by what the keys say. Every tensor that they will read is held against those keys
//! here, so that a file that contradicts itself is refused by name and never reaches them.

use super::super::ModelError;
use super::super::fit::Need;
use super::super::gguf::{Gguf, Value};
use super::super::info::Shape;
use super::module::Reading;

/// As with the decoder: more positions than this only where they are asked for.
const USUAL_CONTEXT: usize = 4096;

/// An architecture, as `general.architecture` names it.
pub struct Row {
    pub name: &'static str,
    pub reading: Reading,
    /// Positions that the module has room for.
    most_context: usize,
    /// Elements of a head that the module turns, of a head of so many.
    turned: fn(usize, Option<usize>) -> Option<usize>,
    /// The base of the positions, where the module takes no other.
    fixed_base: Option<f64>,
    /// Some layers have no heads for keys: they are convolutions.
    convolutions: bool,
    tensors: fn(&Sizes, &mut Wanted),
}

pub static ROWS: [Row; 4] = [
    Row {
        name: "phi2",
        reading: Reading::InParts,
        most_context: 4096,
        turned: |_, said| said,
        fixed_base: Some(10_000.0),
        convolutions: false,
        tensors: phi2,
    },
    Row {
        name: "glm4",
        reading: Reading::InParts,
        most_context: usize::MAX,
        turned: |head, _| Some(head / 2),
        fixed_base: None,
        convolutions: false,
        tensors: glm4,
    },
    Row {
        name: "lfm2",
        reading: Reading::OnceThenSingly,
        most_context: usize::MAX,
        turned: |head, _| Some(head),
        fixed_base: None,
        convolutions: true,
        tensors: lfm2,
    },
    Row {
        name: "smollm3",
        reading: Reading::UntilSingle,
        most_context: 4096,
        turned: |head, _| Some(head),
        fixed_base: None,
        convolutions: false,
        tensors: smollm3,
    },
];

/// The row of a file's architecture.
pub fn row(gguf: &Gguf) -> Option<&'static Row> {
    let name = gguf.text("general.architecture")?;
    ROWS.iter().find(|row| row.name == name)
}

/// Sizes of a model that were found to agree with its tensors.
pub struct Sizes {
    pub row: &'static Row,
    pub layers: usize,
    pub width: usize,
    pub heads: usize,
    /// Of each layer; 0 where it is a convolution.
    pub kv_heads: Vec<usize>,
    pub head_dim: usize,
    pub ffn: usize,
    pub vocabulary: usize,
    /// Positions that are used.
    pub context: usize,
    pub rope_dims: usize,
    pub rope_base: f64,
    pub eps: f64,
    /// Positions that a convolution sees; 0 where there are none.
    pub convolved: usize,
}

/// The tensors that a module will read.
#[derive(Default)]
struct Wanted {
    /// Names, of which one is enough, and the shape.
    needed: Vec<(Vec<String>, Vec<usize>)>,
    /// Read only where they are there.
    optional: Vec<(String, Vec<usize>)>,
}

impl Wanted {
    fn one(&mut self, name: impl Into<String>, shape: &[usize]) {
        self.needed.push((vec![name.into()], shape.to_vec()));
    }

    /// A weight and its bias.
    fn both(&mut self, name: &str, shape: &[usize]) {
        self.one(format!("{name}.weight"), shape);
        self.one(format!("{name}.bias"), &shape[..1]);
    }
}

fn phi2(s: &Sizes, want: &mut Wanted) {
    let (w, v) = (s.width, s.vocabulary);
    want.one("token_embd.weight", &[v, w]);
    want.both("output_norm", &[w]);
    want.both("output", &[v, w]);
    for i in 0..s.layers {
        want.both(&format!("blk.{i}.attn_norm"), &[w]);
        want.both(&format!("blk.{i}.attn_qkv"), &[3 * w, w]);
        want.both(&format!("blk.{i}.attn_output"), &[w, w]);
        want.both(&format!("blk.{i}.ffn_up"), &[s.ffn, w]);
        want.both(&format!("blk.{i}.ffn_down"), &[w, s.ffn]);
    }
}

fn glm4(s: &Sizes, want: &mut Wanted) {
    let (w, v) = (s.width, s.vocabulary);
    want.one("token_embd.weight", &[v, w]);
    want.one("output_norm.weight", &[w]);
    want.optional.push(("output.weight".into(), vec![v, w]));
    for (i, kv_heads) in s.kv_heads.iter().enumerate() {
        let (q, kv) = (s.heads * s.head_dim, kv_heads * s.head_dim);
        for norm in ["attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"] {
            want.one(format!("blk.{i}.{norm}.weight"), &[w]);
        }
        for (name, rows) in [("attn_q", q), ("attn_k", kv), ("attn_v", kv)] {
            want.one(format!("blk.{i}.{name}.weight"), &[rows, w]);
            want.optional.push((format!("blk.{i}.{name}.bias"), vec![rows]));
        }
        want.one(format!("blk.{i}.attn_output.weight"), &[w, q]);
        want.one(format!("blk.{i}.ffn_up.weight"), &[2 * s.ffn, w]);
        want.one(format!("blk.{i}.ffn_down.weight"), &[w, s.ffn]);
    }
}

fn lfm2(s: &Sizes, want: &mut Wanted) {
    let (w, v) = (s.width, s.vocabulary);
    want.one("token_embd.weight", &[v, w]);
    want.needed.push((vec!["token_embd_norm.weight".into(), "output_norm.weight".into()], vec![w]));
    want.optional.push(("output.weight".into(), vec![v, w]));
    for (i, kv_heads) in s.kv_heads.iter().enumerate() {
        want.one(format!("blk.{i}.attn_norm.weight"), &[w]);
        want.one(format!("blk.{i}.ffn_norm.weight"), &[w]);
        want.one(format!("blk.{i}.ffn_gate.weight"), &[s.ffn, w]);
        want.one(format!("blk.{i}.ffn_up.weight"), &[s.ffn, w]);
        want.one(format!("blk.{i}.ffn_down.weight"), &[w, s.ffn]);
        if *kv_heads == 0 {
            want.one(format!("blk.{i}.shortconv.in_proj.weight"), &[3 * w, w]);
            want.one(format!("blk.{i}.shortconv.out_proj.weight"), &[w, w]);
            want.one(format!("blk.{i}.shortconv.conv.weight"), &[w, s.convolved]);
        } else {
            want.one(format!("blk.{i}.attn_q.weight"), &[w, w]);
            want.one(format!("blk.{i}.attn_k.weight"), &[kv_heads * s.head_dim, w]);
            want.one(format!("blk.{i}.attn_v.weight"), &[kv_heads * s.head_dim, w]);
            want.one(format!("blk.{i}.attn_output.weight"), &[w, w]);
            want.one(format!("blk.{i}.attn_q_norm.weight"), &[s.head_dim]);
            want.one(format!("blk.{i}.attn_k_norm.weight"), &[s.head_dim]);
        }
    }
}

fn smollm3(s: &Sizes, want: &mut Wanted) {
    let (w, v) = (s.width, s.vocabulary);
    want.one("token_embd.weight", &[v, w]);
    want.one("output_norm.weight", &[w]);
    for (i, kv_heads) in s.kv_heads.iter().enumerate() {
        want.one(format!("blk.{i}.attn_norm.weight"), &[w]);
        want.one(format!("blk.{i}.ffn_norm.weight"), &[w]);
        want.one(format!("blk.{i}.attn_q.weight"), &[w, w]);
        want.one(format!("blk.{i}.attn_k.weight"), &[kv_heads * s.head_dim, w]);
        want.one(format!("blk.{i}.attn_v.weight"), &[kv_heads * s.head_dim, w]);
        want.one(format!("blk.{i}.attn_output.weight"), &[w, w]);
        want.one(format!("blk.{i}.ffn_gate.weight"), &[s.ffn, w]);
        want.one(format!("blk.{i}.ffn_up.weight"), &[s.ffn, w]);
        want.one(format!("blk.{i}.ffn_down.weight"), &[w, s.ffn]);
    }
}

impl Sizes {
    /// Reads the keys and holds every tensor against them.
    ///
    /// # Errors
    /// A key or tensor is missing, makes no sense, or asks for what the module does not do.
    pub fn read(row: &'static Row, gguf: &Gguf, context: Option<usize>) -> Result<Sizes, ModelError> {
        let key = |name: &str| format!("{}.{name}", row.name);
        let bad = |name: &str, problem: String| gguf.bad_key(&key(name), problem);
        // Sizes beyond 2^20 are damage, and keep every product below inside 64 bits.
        let size = |name: &str| match gguf.integer(&key(name)) {
            Some(n) if (1..=1 << 20).contains(&n) => Ok(Some(n as usize)),
            Some(n) => Err(bad(name, format!("{n} is no possible size; convert the model again"))),
            None => Ok(None),
        };
        let needed = |name: &str| size(name)?.ok_or_else(|| gguf.missing(&key(name)));

        let (layers, width, heads) =
            (needed("block_count")?, needed("embedding_length")?, needed("attention.head_count")?);
        if layers > gguf.tensors.len() {
            return Err(bad(
                "block_count",
                format!("{layers} layers, but the file has {} tensors", gguf.tensors.len()),
            ));
        }
        let file_context = size("context_length")?.ok_or_else(|| gguf.missing(&key("context_length")))?;
        let head_dim = match size("attention.key_length")? {
            // The module computes it and takes no other.
            Some(n) if row.name != "glm4" && n * heads != width => {
                return Err(bad("attention.key_length", format!("{n} for {heads} heads of {width} is not supported")));
            }
            Some(n) => n,
            None if width % heads == 0 => width / heads,
            None => return Err(bad("attention.head_count", format!("{heads} does not divide the width {width}"))),
        };
        let kv_heads = Sizes::kv_heads(row, gguf, layers, heads)?;
        if row.name == "phi2" && kv_heads.iter().any(|n| *n != heads) {
            return Err(bad("attention.head_count_kv", format!("other than the {heads} heads is not supported")));
        }
        let said = size("rope.dimension_count")?;
        let rope_dims = match (row.turned)(head_dim, said) {
            None => return Err(gguf.missing(&key("rope.dimension_count"))),
            Some(n) if said.is_some_and(|said| said != n) || n % 2 != 0 || n > head_dim || n == 0 => {
                let problem = format!("{} of a head of {head_dim} is not supported", said.unwrap_or(n));
                return Err(bad("rope.dimension_count", problem));
            }
            Some(n) => n,
        };
        let rope_base = match gguf.float(&key("rope.freq_base")) {
            Some(x) if !x.is_finite() || x <= 0.0 || row.fixed_base.is_some_and(|fixed| fixed != x) => {
                return Err(bad("rope.freq_base", format!("{x} is not supported")));
            }
            Some(x) => x,
            None => row.fixed_base.unwrap_or(if row.convolutions { 1_000_000.0 } else { 10_000.0 }),
        };
        for name in ["rope.scaling.type", "attention.sliding_window", "expert_count"] {
            let idle = match gguf.get(&key(name)) {
                None => true,
                Some(Value::Text(text)) => text == "none",
                Some(_) => gguf.integer(&key(name)) == Some(0),
            };
            if !idle {
                return Err(bad(name, "its module does not do that; choose another model".to_string()));
            }
        }
        if row.name == "smollm3" {
            // It reads these itself, makes tables for the whole context of the file, and logits from the embeddings.
            needed("vocab_size")?;
            if gguf.tensor("output.weight").is_some() {
                return Err(bad("vocab_size", "a separate output.weight is not supported".to_string()));
            }
            if file_context.saturating_mul(head_dim) > 1 << 25 {
                return Err(bad("context_length", format!("{file_context} is more than its module can hold")));
            }
        }
        let eps = ["attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon"];
        let eps = eps.iter().find_map(|name| gguf.float(&key(name))).filter(|x| x.is_finite() && *x > 0.0);
        let table = gguf.tensor("token_embd.weight");
        let sizes = Sizes {
            row,
            layers,
            width,
            heads,
            kv_heads,
            head_dim,
            ffn: needed("feed_forward_length")?,
            vocabulary: table.map_or(0, |table| table.shape[0]),
            context: file_context.min(context.unwrap_or(USUAL_CONTEXT).max(8)).min(row.most_context),
            rope_dims,
            rope_base,
            eps: eps.ok_or_else(|| gguf.missing(&key("attention.layer_norm_rms_epsilon")))?,
            convolved: if row.convolutions { needed("shortconv.l_cache")? } else { 0 },
        };
        sizes.check_tensors(gguf)?;
        Ok(sizes)
    }

    fn kv_heads(row: &Row, gguf: &Gguf, layers: usize, heads: usize) -> Result<Vec<usize>, ModelError> {
        let key = format!("{}.attention.head_count_kv", row.name);
        let list = match gguf.get(&key) {
            Some(Value::Integers(list)) => list.iter().map(|n| usize::try_from(*n).unwrap_or(usize::MAX)).collect(),
            Some(_) => vec![gguf.integer(&key).map_or(usize::MAX, |n| n as usize); layers],
            None => vec![heads; layers],
        };
        if list.len() != layers {
            return Err(
                gguf.bad_key(&key, format!("{} numbers for {layers} layers; convert the model again", list.len()))
            );
        }
        match list.iter().find(|n| if **n == 0 { !row.convolutions } else { **n > heads || !heads.is_multiple_of(**n) })
        {
            Some(n) => {
                Err(gguf.bad_key(&key, format!("{n} does not divide the {heads} heads; convert the model again")))
            }
            None => Ok(list),
        }
    }

    fn check_tensors(&self, gguf: &Gguf) -> Result<(), ModelError> {
        let mut wanted = Wanted::default();
        (self.row.tensors)(self, &mut wanted);
        let optional = wanted.optional.into_iter().filter(|(name, _)| gguf.tensor(name).is_some());
        let optional = optional.map(|(name, shape)| (vec![name], shape));
        for (names, shape) in wanted.needed.into_iter().chain(optional) {
            let Some(tensor) = names.iter().find_map(|name| gguf.tensor(name)) else {
                return Err(gguf.missing_tensor(&names[0]));
            };
            if tensor.shape != shape {
                return Err(gguf.wrong_shape(tensor, &shape));
            }
            if tensor.kind.candle().is_none() {
                return Err(gguf.wrong_type(tensor));
            }
        }
        Ok(())
    }

    /// The modules keep the embedding table in f32 beside its compact form, and copy the cache as it grows.
    pub fn need(&self, gguf: &Gguf) -> Need {
        // candle copies the weights out of the file and rearranges what it multiplies with, and keeps both.
        let weights = gguf.tensors.iter().map(|t| 2 * t.bytes()).fold(0, u64::saturating_add);
        let table = 4 * (self.vocabulary * self.width) as u64;
        Need::new(weights.saturating_add(table), 2 * self.cache_bytes(), self.vocabulary, self.width, self.ffn)
    }

    /// Bytes of keys and values at the context that is used.
    fn cache_bytes(&self) -> u64 {
        2 * 4 * (self.kv_heads.iter().sum::<usize>() * self.head_dim * self.context) as u64
    }

    pub fn shape(&self, gguf: &Gguf) -> Shape {
        let file_context = gguf.integer(&format!("{}.context_length", self.row.name)).map(|n| n as usize);
        let file_context = file_context.unwrap_or(self.context).max(self.context);
        let cache_bytes = self.cache_bytes();
        Shape {
            opaque: true,
            layers: self.layers,
            width: self.width,
            heads: self.heads,
            kv_heads: self.kv_heads.iter().copied().max().unwrap_or_default(),
            head_dim: self.head_dim,
            ffn: self.ffn,
            vocabulary: self.vocabulary,
            context: file_context,
            context_used: self.context,
            rope_base: self.rope_base,
            cache_bytes,
            cache_bytes_full: cache_bytes / self.context.max(1) as u64 * file_context as u64,
        }
    }
}
