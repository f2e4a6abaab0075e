//! The weights of a model, as they stand in its file.
//!
//! Norms and biases are small and become f32; matrices stay where they are mapped.

use std::sync::Arc;

use super::super::ModelError;
use super::super::gguf::{Gguf, TensorEntry};
use super::super::matrix::Matrix;
use super::rope::Rope;
use super::{Config, kernels};

/// Everything that the decoder multiplies with.
pub struct Weights {
    pub config: Config,
    /// (vocabulary, width)
    pub embedding: Matrix,
    pub layers: Vec<Layer>,
    /// (width)
    pub output_norm: Vec<f32>,
    /// (vocabulary, width); the embedding table where the file has no matrix of its own for it
    pub output: Linear,
    /// Positions of layers that see everything, and of windowed ones.
    pub(super) ropes: [Arc<Rope>; 2],
}

pub struct Layer {
    /// (width)
    pub attention_norm: Vec<f32>,
    /// (heads * head_dim, width) and twice (kv_heads * head_dim, width)
    pub qkv: [Linear; 3],
    /// (head_dim), of queries and keys
    pub head_norms: Option<[Vec<f32>; 2]>,
    /// (width, heads * head_dim)
    pub attention_output: Linear,
    /// (width)
    pub attention_post_norm: Option<Vec<f32>>,
    /// (width)
    pub ffn_norm: Vec<f32>,
    /// twice (ffn, width)
    pub gate_up: [Linear; 2],
    /// (width, ffn)
    pub ffn_down: Linear,
    /// (width)
    pub ffn_post_norm: Option<Vec<f32>>,
}

impl Layer {
    fn matrices(&self) -> [&Matrix; 7] {
        let ([q, k, v], [gate, up]) = (&self.qkv, &self.gate_up);
        [q, k, v, &self.attention_output, gate, up, &self.ffn_down].map(|linear| &linear.weight)
    }
}

/// A matrix (outputs, inputs) and, in some models, a bias (outputs).
pub struct Linear {
    pub weight: Matrix,
    bias: Option<Vec<f32>>,
}

impl Linear {
    /// Adds the bias to rows (m, outputs).
    pub fn add_bias(&self, rows: &mut [f32]) {
        if let Some(bias) = &self.bias {
            rows.chunks_exact_mut(bias.len()).for_each(|row| kernels::add(row, bias));
        }
    }
}

impl Weights {
    /// Finds every tensor the decoder needs. Matrices are not read yet: the system does that when they are first used.
    ///
    /// # Errors
    /// A tensor is missing, has another shape than the sizes say, or a type that cannot be computed with.
    pub fn load(gguf: &Gguf, config: Config) -> Result<Weights, ModelError> {
        let file = File { gguf };
        let Config { width, heads, kv_heads, head_dim, ffn, vocabulary, family, .. } = config;
        let (queries, keys) = (heads * head_dim, kv_heads * head_dim);
        let embedding = file.matrix("token_embd.weight", vocabulary, width)?;
        let mut layers = Vec::new();
        for i in 0..config.layers {
            let name = |name: &str| format!("blk.{i}.{name}");
            let linear = |part: &str, outputs, inputs| file.linear(&name(part), outputs, inputs);
            let norm = |part: &str, length| file.vector(&name(part), length);
            let post = |part: &str| family.post_norms.then(|| norm(part, width)).transpose();
            let qkv = match file.has(&name("attn_qkv.weight")) {
                true => file.split(
                    &name("attn_qkv"),
                    ["attn_q", "attn_k", "attn_v"].map(name),
                    [queries, keys, keys],
                    width,
                )?,
                false => {
                    [linear("attn_q", queries, width)?, linear("attn_k", keys, width)?, linear("attn_v", keys, width)?]
                }
            };
            let gate_up = match file.has(&name("ffn_gate.weight")) {
                true => [linear("ffn_gate", ffn, width)?, linear("ffn_up", ffn, width)?],
                // The gate lies before the rest in one matrix.
                false => file.split(&name("ffn_up"), ["ffn_gate", "ffn_up"].map(name), [ffn, ffn], width)?,
            };
            layers.push(Layer {
                attention_norm: norm("attn_norm.weight", width)?,
                qkv,
                head_norms: match family.head_norms {
                    true => Some([norm("attn_q_norm.weight", head_dim)?, norm("attn_k_norm.weight", head_dim)?]),
                    false => None,
                },
                attention_output: linear("attn_output", width, queries)?,
                attention_post_norm: post("post_attention_norm.weight")?,
                ffn_norm: norm("ffn_norm.weight", width)?,
                gate_up,
                ffn_down: linear("ffn_down", width, ffn)?,
                ffn_post_norm: post("post_ffw_norm.weight")?,
            });
        }
        let output_norm = file.vector("output_norm.weight", width)?;
        let output = if family.own_output && file.has("output.weight") {
            file.linear("output", vocabulary, width)?
        } else {
            Linear { weight: embedding.clone(), bias: file.bias("output.bias", vocabulary)? }
        };
        let factors = if family.rope_factors { file.rope_factors(&config)? } else { None };
        let rope = |rope, factors| Arc::new(Rope::new(rope, family.pairs, config.rope_dims, factors));
        let ropes = [rope(&config.rope, factors.clone()), rope(&config.window_rope, factors)];
        Ok(Weights { embedding, layers, output_norm, output, ropes, config })
    }

    /// Bytes of the matrices that one token is multiplied with.
    pub fn bytes(&self) -> u64 {
        self.matrices().map(|matrix| matrix.stored().len() as u64).sum()
    }

    /// The matrices that one token is multiplied with, in their order.
    pub fn matrices(&self) -> impl Iterator<Item = &Matrix> {
        self.layers.iter().flat_map(Layer::matrices).chain([&self.output.weight])
    }

    /// The rope of a layer, by its place in `ropes`.
    pub fn rope_of(&self, layer: usize) -> usize {
        usize::from(self.config.window_of(layer).is_some())
    }

    /// The rows (ids, width) of the embedding table.
    pub fn embed(&self, ids: &[u32], out: &mut Vec<f32>) {
        let Config { width, family, .. } = self.config;
        out.resize(ids.len() * width, 0.0);
        for (id, row) in ids.iter().zip(out.chunks_exact_mut(width)) {
            self.embedding.row(*id as usize, row);
        }
        if family.scaled_embedding {
            let scale = (width as f32).sqrt();
            out.iter_mut().for_each(|x| *x *= scale);
        }
    }
}

/// The tensors of a file, by name and with the shape that the sizes ask for.
struct File<'a> {
    gguf: &'a Gguf,
}

impl File<'_> {
    fn has(&self, name: &str) -> bool {
        self.gguf.tensor(name).is_some()
    }

    fn entry(&self, name: &str, shape: &[usize]) -> Result<&TensorEntry, ModelError> {
        match self.gguf.tensor(name) {
            None => Err(self.gguf.missing_tensor(name)),
            Some(entry) if entry.shape != shape => Err(self.gguf.wrong_shape(entry, shape)),
            Some(entry) => Ok(entry),
        }
    }

    fn matrix(&self, name: &str, outputs: usize, inputs: usize) -> Result<Matrix, ModelError> {
        let entry = self.entry(name, &[outputs, inputs])?;
        self.open(entry, outputs, inputs)
    }

    fn open(&self, entry: &TensorEntry, rows: usize, columns: usize) -> Result<Matrix, ModelError> {
        let (file, tensor) = (self.gguf.file.clone(), entry.name.clone());
        if entry.kind.candle().is_none() {
            return Err(self.gguf.wrong_type(entry));
        }
        let bytes = self.gguf.tensor_bytes(entry)?;
        Matrix::new(entry.kind, rows, columns, bytes).map_err(|what| {
            let what = format!("tensor {tensor}: {what}");
            ModelError::Damaged { file, offset: entry.offset, what }
        })
    }

    /// A vector of at most a few thousand numbers, in f32.
    fn vector(&self, name: &str, length: usize) -> Result<Vec<f32>, ModelError> {
        let entry = self.entry(name, &[length])?;
        let mut out = vec![0.0; length];
        self.open(entry, 1, length)?.row(0, &mut out);
        Ok(out)
    }

    fn bias(&self, name: &str, length: usize) -> Result<Option<Vec<f32>>, ModelError> {
        self.has(name).then(|| self.vector(name, length)).transpose()
    }

    /// `name.weight` and, where the file has one, `name.bias`.
    fn linear(&self, name: &str, outputs: usize, inputs: usize) -> Result<Linear, ModelError> {
        let weight = self.matrix(&format!("{name}.weight"), outputs, inputs)?;
        Ok(Linear { weight, bias: self.bias(&format!("{name}.bias"), outputs)? })
    }

    /// Matrices that lie below each other in one tensor, `name.weight`. Their biases lie in `name.bias` or apart.
    fn split<const N: usize>(
        &self,
        name: &str,
        apart: [String; N],
        outputs: [usize; N],
        inputs: usize,
    ) -> Result<[Linear; N], ModelError> {
        let (total, weight) = (outputs.iter().sum::<usize>(), format!("{name}.weight"));
        let whole = self.matrix(&weight, total, inputs)?;
        let bias = self.bias(&format!("{name}.bias"), total)?;
        let mut parts = Vec::new();
        let mut from = 0;
        for (apart, rows) in apart.iter().zip(outputs) {
            let range = from..from + rows;
            let bias = match &bias {
                Some(bias) => Some(bias[range.clone()].to_vec()),
                None => self.bias(&format!("{apart}.bias"), rows)?,
            };
            let Some(weight) = whole.part(range) else {
                let what = format!("tensor {weight} has fewer rows than the sizes say");
                return Err(ModelError::Damaged { file: self.gguf.file.clone(), offset: 0, what });
            };
            parts.push(Linear { weight, bias });
            from += rows;
        }
        parts.try_into().map_err(|_| ModelError::Compute(format!("{name} was not split")))
    }

    /// Llama 3's factors; or those for a short or a stretched context, whichever is asked for.
    fn rope_factors(&self, config: &Config) -> Result<Option<Vec<f32>>, ModelError> {
        let stretched = config.context > config.original_context;
        let by_length = if stretched { "rope_factors_long.weight" } else { "rope_factors_short.weight" };
        let Some(name) = ["rope_freqs.weight", by_length].into_iter().find(|name| self.has(name)) else {
            return Ok(None);
        };
        let factors = self.vector(name, config.rope_dims / 2)?;
        match factors.iter().position(|f| !f.is_finite() || *f == 0.0) {
            None => Ok(Some(factors)),
            Some(at) => {
                let offset = self.gguf.tensor(name).map_or(0, |t| t.offset);
                let what = format!("tensor {name}: factor {at} is {}", factors[at]);
                Err(ModelError::Damaged { file: self.gguf.file.clone(), offset, what })
            }
        }
    }
}
