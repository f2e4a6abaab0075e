//! Our decoder beside candle's stock `quantized_llama`, on a file of random weights, as ratios: `cargo bench`.
//!
//! Both run in this process with the same threads, in turn, since a machine is seldom quiet for long. Prints the middle
//! of the ratios and their spread; above 1 ours is faster. Not a test: nothing fails here.

use std::io::BufWriter;
use std::path::Path;
use std::time::Instant;

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use candle_transformers::models::quantized_llama::ModelWeights;
use xiao::model::Source;
use xiao::model::bench::{Series, Task, measure};

const LAYERS: usize = 8;
const WIDTH: usize = 1024;
const HEADS: usize = 16;
const KV_HEADS: usize = 4;
const FFN: usize = 2816;
const VOCABULARY: usize = 8192;

const CONTEXTS: [usize; 2] = [64, 512];
const TOKENS: usize = 24;
const ROUNDS: usize = 5;

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    println!("{:<8} {:<16} ours / stock, and its spread", "type", "");
    for kind in [GgmlDType::Q4K, GgmlDType::Q8_0] {
        let path = folder.path().join(format!("{kind:?}.gguf"));
        write(&path, kind)?;
        let mut ratios = vec![[Series::default(), Series::default()]; CONTEXTS.len()];
        for _ in 0..ROUNDS {
            let ours = measure(&Source::File(path.clone()), &Task { contexts: CONTEXTS.to_vec(), tokens: TOKENS })?;
            for (i, depth) in ours.depths.iter().enumerate() {
                let [prefill, decode] = stock(&path, depth.context)?;
                ratios[i][0].0.push(depth.prefill_tokens_s / prefill);
                ratios[i][1].0.push(depth.decode_tokens_s / decode);
            }
        }
        for (context, of) in CONTEXTS.iter().zip(&ratios) {
            for (what, of) in ["prefill", "decode at"].iter().zip(of) {
                let [middle, low, high] = [of.median(), of.min(), of.max()].map(Option::unwrap_or_default);
                println!("{kind:<8?} {what:<9} {context:>6} {middle:.2} ({low:.2} .. {high:.2})");
            }
        }
    }
    Ok(())
}

/// Tokens a second of the stock module: reading a prompt in one go, writing behind it.
fn stock(path: &Path, context: usize) -> anyhow::Result<[f64; 2]> {
    let mut file = std::fs::File::open(path)?;
    let content = gguf_file::Content::read(&mut file)?;
    let mut model = ModelWeights::from_gguf(content, &mut file, &Device::Cpu)?;
    let ids = |n: usize| -> Vec<u32> { (0..n as u32).map(|i| (i * 2_654_435) % VOCABULARY as u32).collect() };
    let row = |ids: &[u32]| Tensor::from_slice(ids, (1, ids.len()), &Device::Cpu);
    // What it makes of its weights at first use is made before the clock runs.
    model.forward(&row(&ids(64))?, 0)?;
    let begun = Instant::now();
    model.forward(&row(&ids(context))?, 0)?;
    let prefill = context as f64 / begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    for (i, id) in ids(TOKENS).iter().enumerate() {
        model.forward(&row(&[*id])?, context + i)?;
    }
    Ok([prefill, TOKENS as f64 / begun.elapsed().as_secs_f64()])
}

/// A llama of random weights, with as much of a tokenizer as a file must have.
fn write(path: &Path, kind: GgmlDType) -> anyhow::Result<()> {
    let mut tensors: Vec<(String, QTensor)> = Vec::new();
    let mut add = |name: String, shape: &[usize]| -> anyhow::Result<()> {
        let norm = shape.len() == 1;
        let scale = 1.0 / (shape[shape.len() - 1] as f32).sqrt();
        let (mean, scale) = if norm { (1.0, 0.1) } else { (0.0, scale) };
        let values = Tensor::randn(mean, scale, shape, &Device::Cpu)?;
        tensors.push((name, QTensor::quantize(&values, if norm { GgmlDType::F32 } else { kind })?));
        Ok(())
    };
    let kv = WIDTH / HEADS * KV_HEADS;
    add("token_embd.weight".into(), &[VOCABULARY, WIDTH])?;
    add("output_norm.weight".into(), &[WIDTH])?;
    for i in 0..LAYERS {
        for norm in ["attn_norm", "ffn_norm"] {
            add(format!("blk.{i}.{norm}.weight"), &[WIDTH])?;
        }
        for (name, rows, columns) in [
            ("attn_q", WIDTH, WIDTH),
            ("attn_k", kv, WIDTH),
            ("attn_v", kv, WIDTH),
            ("attn_output", WIDTH, WIDTH),
            ("ffn_gate", FFN, WIDTH),
            ("ffn_up", FFN, WIDTH),
            ("ffn_down", WIDTH, FFN),
        ] {
            add(format!("blk.{i}.{name}.weight"), &[rows, columns])?;
        }
    }
    let whole = |n: usize| Value::U32(n as u32);
    let texts = |list: Vec<String>| Value::Array(list.into_iter().map(Value::String).collect());
    // The alphabet of byte-level BPE first, so that every byte has a token: those that print stand for themselves, the
    // others follow behind them.
    let prints = |b: &u32| matches!(b, 33..=126 | 161..=172 | 174..=255);
    let alphabet = (0..256).filter(prints).chain(256..256 + 68).filter_map(char::from_u32).map(String::from);
    let tokens: Vec<String> = alphabet.chain((256..VOCABULARY).map(|i| format!("t{i}"))).collect();
    let keys = [
        ("general.architecture", Value::String("llama".into())),
        ("llama.block_count", whole(LAYERS)),
        ("llama.context_length", whole(2048)),
        ("llama.embedding_length", whole(WIDTH)),
        ("llama.feed_forward_length", whole(FFN)),
        ("llama.attention.head_count", whole(HEADS)),
        ("llama.attention.head_count_kv", whole(KV_HEADS)),
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
        ("llama.rope.dimension_count", whole(WIDTH / HEADS)),
        ("tokenizer.ggml.model", Value::String("gpt2".into())),
        ("tokenizer.ggml.pre", Value::String("gpt-2".into())),
        ("tokenizer.ggml.tokens", texts(tokens)),
        ("tokenizer.ggml.merges", texts(vec![])),
    ];
    let keys: Vec<_> = keys.iter().map(|(key, value)| (*key, value)).collect();
    let tensors: Vec<_> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    gguf_file::write(&mut BufWriter::new(std::fs::File::create(path)?), &keys, &tensors)?;
    Ok(())
}
