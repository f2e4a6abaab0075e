//! candle's modules behind one face, and how each wants to be fed.

use candle_core::{DType, Device, Tensor};
use candle_transformers::models::smol::quantized_smollm3;
use candle_transformers::models::{quantized_glm4, quantized_lfm2, quantized_phi};

use super::super::gguf::{Gguf, Value};
use super::super::{ModelError, Source};
use super::content::{Pieces, content};
use super::quiet::Quiet;
use super::sizes::Sizes;

/// How many rows a module computes rightly at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Any number at any place.
    InParts,
    /// Several only at the beginning of a text: its convolutions see what came before one token at a time.
    OnceThenSingly,
    /// Several until one came alone: it keeps two caches, and single tokens reach one of them only.
    UntilSingle,
}

pub enum Module {
    /// As it was loaded, and as it plays: it keeps a mask for each length that it has met, and has no way to drop them.
    Phi2 {
        fresh: Box<quantized_phi::ModelWeights>,
        live: Box<quantized_phi::ModelWeights>,
    },
    Glm4(Box<quantized_glm4::ModelWeights>),
    Lfm2(Box<quantized_lfm2::ModelWeights>),
    SmolLm3(Box<quantized_smollm3::QuantizedModelForCausalLM>),
}

/// Loads the module of a model whose sizes were checked.
pub fn load(source: &Source, gguf: &Gguf, sizes: &Sizes) -> Result<Module, ModelError> {
    let (content, mut bytes, cpu) = (content(gguf, sizes), Pieces::of(gguf)?, Device::Cpu);
    Ok(match sizes.row.name {
        "phi2" => {
            let fresh = Box::new(quantized_phi::ModelWeights::from_gguf(content, &mut bytes, &cpu)?);
            Module::Phi2 { live: fresh.clone(), fresh }
        }
        "glm4" => {
            let module = quantized_glm4::ModelWeights::from_gguf(content, &mut bytes, &cpu, DType::F32)?;
            Module::Glm4(Box::new(module))
        }
        "smollm3" => Module::SmolLm3(Box::new(smollm3(source, gguf, sizes)?)),
        _ => Module::Lfm2(Box::new(quantized_lfm2::ModelWeights::from_gguf(content, &mut bytes, &cpu)?)),
    })
}

/// This module opens its file itself, so it must be one file, with all the keys that it reads; and it prints.
fn smollm3(
    source: &Source,
    gguf: &Gguf,
    sizes: &Sizes,
) -> Result<quantized_smollm3::QuantizedModelForCausalLM, ModelError> {
    let Source::File(path) = source else {
        return Err(gguf.bad_key("general.architecture", "this one plays from a file only"));
    };
    for name in ["vocab_size", "rope.freq_base", "rope.dimension_count"] {
        let key = format!("smollm3.{name}");
        if !matches!((gguf.get(&key), name), (Some(Value::Float(_)), "rope.freq_base") | (Some(Value::Unsigned(_)), _))
        {
            return Err(gguf.missing(&key));
        }
    }
    // It computes the angles of the whole context at once, and no file may ask for more memory than it has bytes.
    let key = "smollm3.context_length";
    let angles = gguf.integer(key).unwrap_or(0).saturating_mul(4 * sizes.head_dim as u64);
    if angles > gguf.file_bytes + (32 << 20) {
        return Err(gguf.bad_key(key, "its angles alone would take more memory than the file; choose another model"));
    }
    // In tests stdout is caught already, and belongs to all of them.
    let _quiet = (!cfg!(test)).then(Quiet::begin);
    // With attention of its own for processors the module takes queries and keys in the order in which files hold them;
    // without, it rearranges them by heads of 128 elements and quantizes them anew.
    quantized_smollm3::QuantizedModelForCausalLM::from_gguf(path, &Device::Cpu, true).map_err(|e| {
        let problem = e.to_string().lines().take(1).collect::<String>();
        gguf.bad_key("general.architecture", format!("candle's module refuses the file: {problem}"))
    })
}

impl Module {
    /// Ids (1, rows), of which the first stands at position `at`, to logits with (vocabulary) elements.
    pub fn forward(&mut self, ids: &Tensor, at: usize) -> candle_core::Result<Tensor> {
        match self {
            Module::Phi2 { live, .. } => live.forward(ids, at),
            Module::Glm4(module) => module.forward(ids, at),
            Module::Lfm2(module) => module.forward(ids, at),
            Module::SmolLm3(module) => module.forward(ids, at),
        }
    }

    /// Whether reading so many rows at position 0 leaves nothing of an older text.
    pub fn forgets_by_itself(&self, rows: usize) -> bool {
        match self {
            Module::Phi2 { .. } | Module::SmolLm3(_) => false,
            Module::Glm4(_) => true,
            // A single row is laid behind what the convolutions saw last; several replace it.
            Module::Lfm2(_) => rows > 1,
        }
    }

    /// Forgets, where the module can do so without being loaded again.
    pub fn forget(&mut self) -> bool {
        match self {
            Module::Phi2 { fresh, live } => live.clone_from(fresh),
            Module::SmolLm3(module) => module.clear_kv_cache(),
            Module::Glm4(_) | Module::Lfm2(_) => return false,
        }
        true
    }
}
