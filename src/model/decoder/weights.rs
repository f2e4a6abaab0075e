//! The weights of a model, as they stand in its file, and the products with them.
//!
//! Norms and biases are small and become f32; matrices keep their quantized form, the embedding table too.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::quantized::{QStorage, QTensor};
use candle_core::{CpuStorage, CustomOp1, Device, Layout, Storage, Tensor};

use super::super::gguf::{Gguf, SUPPORTED_TYPES, TensorEntry};
use super::super::source::Stream;
use super::super::{ModelError, Source};
use super::{Config, kernels};

/// Everything that the decoder multiplies with.
pub struct Weights {
    pub config: Config,
    /// (vocabulary, width)
    embedding: Arc<QTensor>,
    pub layers: Vec<Layer>,
    /// (width)
    pub output_norm: Vec<f32>,
    /// (vocabulary, width); the embedding table where the file has no matrix of its own for it
    pub output: Linear,
    /// (rope_dims / 2)
    pub rope_factors: Option<Vec<f32>>,
}

pub struct Layer {
    /// (width)
    pub attention_norm: Vec<f32>,
    /// (heads * head_dim, width) and twice (kv_heads * head_dim, width)
    pub qkv: Together<3>,
    /// (width, heads * head_dim)
    pub attention_output: Linear,
    /// (width)
    pub ffn_norm: Vec<f32>,
    /// twice (ffn, width)
    pub gate_up: Together<2>,
    /// (width, ffn)
    pub ffn_down: Linear,
}

/// A matrix (outputs, inputs) and, in some models, a bias (outputs).
pub struct Linear {
    weight: Arc<QTensor>,
    bias: Option<Vec<f32>>,
    inputs: usize,
}

/// Matrices that multiply the same rows: candle may do them in one go.
pub struct Together<const N: usize> {
    parts: [Linear; N],
    /// Cleared at the first refusal, which depends on the processor and the types and does not change for one row.
    fused: AtomicBool,
}

impl Linear {
    /// Rows (m, inputs) to rows (m, outputs). `x` is lent to candle and comes back as it was.
    pub fn forward(&self, x: &mut Vec<f32>, m: usize) -> Result<Vec<f32>, ModelError> {
        debug_assert_eq!(x.len(), m * self.inputs);
        let rows = CpuStorage::F32(std::mem::take(x));
        let product = self.weight.cpu_fwd(&rows, &Layout::contiguous((m, self.inputs)));
        if let CpuStorage::F32(rows) = rows {
            *x = rows;
        }
        let (CpuStorage::F32(mut out), _) = product? else {
            return Err(ModelError::Compute("a product is not in f32".to_string()));
        };
        self.add_bias(&mut out);
        Ok(out)
    }

    fn add_bias(&self, rows: &mut [f32]) {
        if let Some(bias) = &self.bias {
            rows.chunks_exact_mut(bias.len()).for_each(|row| kernels::add(row, bias));
        }
    }
}

impl<const N: usize> Together<N> {
    fn new(parts: [Linear; N]) -> Together<N> {
        Together { parts, fused: AtomicBool::new(true) }
    }

    /// Rows (m, inputs) to one set of rows for each matrix.
    pub fn forward(&self, x: &mut Vec<f32>, m: usize) -> Result<[Vec<f32>; N], ModelError> {
        if m == 1 && self.fused.load(Ordering::Relaxed) {
            match self.forward_fused(x)? {
                Some(out) => return Ok(out),
                None => self.fused.store(false, Ordering::Relaxed),
            }
        }
        let mut out = std::array::from_fn(|_| Vec::new());
        for (out, part) in out.iter_mut().zip(&self.parts) {
            *out = part.forward(x, m)?;
        }
        Ok(out)
    }

    /// One row through candle's joint kernel: the row is quantized once and the pool is woken once.
    fn forward_fused(&self, x: &[f32]) -> Result<Option<[Vec<f32>; N]>, ModelError> {
        let row = Tensor::from_slice(x, (1, x.len()), &Device::Cpu)?;
        let weights: [&QTensor; N] = std::array::from_fn(|i| self.parts[i].weight.as_ref());
        let Some(products) = QTensor::gemv_fused_shared_lhs(&weights, &row)? else { return Ok(None) };
        let mut out = std::array::from_fn(|_| Vec::new());
        for ((out, part), product) in out.iter_mut().zip(&self.parts).zip(products) {
            let (storage, _) = product.storage_and_layout();
            if let Storage::Cpu(CpuStorage::F32(row)) = &*storage {
                out.extend_from_slice(row);
            }
            part.add_bias(out);
        }
        Ok(Some(out))
    }
}

impl Weights {
    /// Reads every tensor the decoder needs.
    ///
    /// # Errors
    /// A tensor is missing, has another shape than the sizes say, or a type that cannot be computed with.
    pub fn load(source: &Source, gguf: &Gguf, config: Config) -> Result<Weights, ModelError> {
        let (bytes, _) = source.open()?;
        let mut file = File { source, gguf, bytes, scratch: Vec::new() };
        let Config { width, heads, kv_heads, head_dim, ffn, vocabulary, .. } = config;
        let embedding = file.matrix("token_embd.weight", vocabulary, width)?;
        let mut layers = Vec::new();
        for i in 0..config.layers {
            let mut linear = |name: &str, outputs, inputs| file.linear(&format!("blk.{i}.{name}"), outputs, inputs);
            let qkv = [
                linear("attn_q", heads * head_dim, width)?,
                linear("attn_k", kv_heads * head_dim, width)?,
                linear("attn_v", kv_heads * head_dim, width)?,
            ];
            let attention_output = linear("attn_output", width, heads * head_dim)?;
            let gate_up = [linear("ffn_gate", ffn, width)?, linear("ffn_up", ffn, width)?];
            let ffn_down = linear("ffn_down", width, ffn)?;
            layers.push(Layer {
                attention_norm: file.vector(&format!("blk.{i}.attn_norm.weight"), width)?,
                qkv: Together::new(qkv),
                attention_output,
                ffn_norm: file.vector(&format!("blk.{i}.ffn_norm.weight"), width)?,
                gate_up: Together::new(gate_up),
                ffn_down,
            });
        }
        let output_norm = file.vector("output_norm.weight", width)?;
        let output = if gguf.tensor("output.weight").is_some() {
            file.linear("output", vocabulary, width)?
        } else {
            Linear { weight: embedding.clone(), bias: None, inputs: width }
        };
        let rope_factors = match gguf.tensor("rope_freqs.weight") {
            Some(_) => Some(file.vector("rope_freqs.weight", config.rope_dims / 2)?),
            None => None,
        };
        Ok(Weights { config, embedding, layers, output_norm, output, rope_factors })
    }

    /// The rows (ids, width) of the embedding table.
    pub fn embed(&self, ids: &[u32]) -> Result<Vec<f32>, ModelError> {
        let rows = self.embedding.embedding(&Tensor::from_slice(ids, ids.len(), &Device::Cpu)?)?;
        let (storage, _) = rows.storage_and_layout();
        match &*storage {
            Storage::Cpu(CpuStorage::F32(rows)) => Ok(rows.clone()),
            _ => Err(ModelError::Compute("the embedding is not in f32".to_string())),
        }
    }
}

/// The open file with one scratch buffer, as large as its largest tensor.
struct File<'a> {
    source: &'a Source,
    gguf: &'a Gguf,
    bytes: Box<dyn Stream>,
    /// In words of 8 bytes, so that blocks are aligned.
    scratch: Vec<u64>,
}

impl File<'_> {
    fn entry(&self, name: &str, shape: &[usize]) -> Result<TensorEntry, ModelError> {
        let (file, tensor) = (self.gguf.file.clone(), name.to_string());
        match self.gguf.tensor(name) {
            None => Err(ModelError::MissingTensor { file, tensor }),
            Some(entry) if entry.shape != shape => {
                Err(ModelError::Shape { file, tensor, found: entry.shape.clone(), expected: shape.to_vec() })
            }
            Some(entry) => Ok(entry.clone()),
        }
    }

    fn read(&mut self, entry: &TensorEntry) -> Result<QTensor, ModelError> {
        let Some(kind) = entry.kind.candle() else {
            return Err(ModelError::TensorType {
                file: self.gguf.file.clone(),
                tensor: entry.name.clone(),
                kind: entry.kind.name(),
                supported: SUPPORTED_TYPES,
            });
        };
        let length = entry.bytes() as usize;
        self.scratch.resize(length.div_ceil(8), 0);
        let data = &mut bytemuck::cast_slice_mut::<u64, u8>(&mut self.scratch)[..length];
        let bytes = &mut self.bytes;
        let read = bytes.seek(SeekFrom::Start(entry.offset)).and_then(|_| bytes.read_exact(data));
        read.map_err(|e| self.source.unreadable(e))?;
        let storage = QStorage::from_data((&*data).into(), &Device::Cpu, kind)?;
        Ok(QTensor::new(storage, entry.shape.as_slice())?)
    }

    fn matrix(&mut self, name: &str, outputs: usize, inputs: usize) -> Result<Arc<QTensor>, ModelError> {
        let entry = self.entry(name, &[outputs, inputs])?;
        Ok(Arc::new(self.read(&entry)?))
    }

    fn vector(&mut self, name: &str, length: usize) -> Result<Vec<f32>, ModelError> {
        let entry = self.entry(name, &[length])?;
        Ok(self.read(&entry)?.dequantize(&Device::Cpu)?.to_vec1()?)
    }

    /// `name.weight` and, where the file has one, `name.bias`.
    fn linear(&mut self, name: &str, outputs: usize, inputs: usize) -> Result<Linear, ModelError> {
        let weight = self.matrix(&format!("{name}.weight"), outputs, inputs)?;
        let bias = format!("{name}.bias");
        let bias = if self.gguf.tensor(&bias).is_some() { Some(self.vector(&bias, outputs)?) } else { None };
        Ok(Linear { weight, bias, inputs })
    }
}
