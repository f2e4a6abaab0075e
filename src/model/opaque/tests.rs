//! Each architecture on a file of random weights, its logits held against llama.cpp's.

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};

use super::*;

/// A small model: 4 layers of 64, 4 heads of 16, 2 of them for keys where the architecture lets them differ.
const LAYERS: usize = 4;
const WIDTH: usize = 64;
const VOCABULARY: usize = 96;

/// The same numbers on every machine: sums of uniform ones, by an LCG.
struct Weights {
    state: u64,
    tensors: Vec<(String, QTensor)>,
}

impl Weights {
    fn next(&mut self) -> f32 {
        let mut uniform = || {
            self.state = self.state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (self.state >> 40) as f32 / (1 << 24) as f32 - 0.5
        };
        // Variance 1/4.
        uniform() + uniform() + uniform()
    }

    fn push(&mut self, name: &str, shape: &[usize], mean: f32, scale: f32) {
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| mean + scale * self.next()).collect();
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
        self.tensors.push((name.to_string(), QTensor::quantize(&tensor, GgmlDType::F32).unwrap()));
    }

    fn matrix(&mut self, name: &str, rows: usize, columns: usize) {
        self.push(name, &[rows, columns], 0.0, 2.0 / (columns as f32).sqrt());
    }

    fn norm(&mut self, name: &str, length: usize) {
        self.push(name, &[length], 1.0, 0.2);
    }

    fn bias(&mut self, name: &str, length: usize) {
        self.push(name, &[length], 0.0, 0.2);
    }
}

type Keys = Vec<(String, Value)>;
type Maker = fn() -> (Keys, Weights);

fn phi2() -> (Keys, Weights) {
    let mut w = Weights { state: 2, tensors: vec![] };
    w.matrix("token_embd.weight", VOCABULARY, WIDTH);
    let mut both = |name: String, rows, columns| {
        w.matrix(&format!("{name}.weight"), rows, columns);
        w.bias(&format!("{name}.bias"), rows);
    };
    both("output".into(), VOCABULARY, WIDTH);
    for i in 0..LAYERS {
        both(format!("blk.{i}.attn_qkv"), 3 * WIDTH, WIDTH);
        both(format!("blk.{i}.attn_output"), WIDTH, WIDTH);
        both(format!("blk.{i}.ffn_up"), 160, WIDTH);
        both(format!("blk.{i}.ffn_down"), WIDTH, 160);
    }
    for name in (0..LAYERS).map(|i| format!("blk.{i}.attn_norm")).chain(["output_norm".into()]) {
        w.norm(&format!("{name}.weight"), WIDTH);
        w.bias(&format!("{name}.bias"), WIDTH);
    }
    let mut keys = keys("phi2", 4);
    keys.push(("phi2.attention.layer_norm_epsilon".into(), Value::F32(1e-5)));
    keys.push(("phi2.rope.dimension_count".into(), Value::U32(8)));
    (keys, w)
}

fn glm4() -> (Keys, Weights) {
    let mut w = Weights { state: 4, tensors: vec![] };
    w.matrix("token_embd.weight", VOCABULARY, WIDTH);
    w.matrix("output.weight", VOCABULARY, WIDTH);
    w.norm("output_norm.weight", WIDTH);
    for i in 0..LAYERS {
        for norm in ["attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"] {
            w.norm(&format!("blk.{i}.{norm}.weight"), WIDTH);
        }
        for (name, rows) in [("attn_q", 64), ("attn_k", 32), ("attn_v", 32)] {
            w.matrix(&format!("blk.{i}.{name}.weight"), rows, WIDTH);
            w.bias(&format!("blk.{i}.{name}.bias"), rows);
        }
        w.matrix(&format!("blk.{i}.attn_output.weight"), WIDTH, 64);
        w.matrix(&format!("blk.{i}.ffn_up.weight"), 320, WIDTH);
        w.matrix(&format!("blk.{i}.ffn_down.weight"), WIDTH, 160);
    }
    let mut keys = keys("glm4", 2);
    keys.push(("glm4.attention.layer_norm_rms_epsilon".into(), Value::F32(1e-5)));
    keys.push(("glm4.rope.dimension_count".into(), Value::U32(8)));
    keys.push(("glm4.rope.freq_base".into(), Value::F32(10_000.0)));
    (keys, w)
}

fn lfm2() -> (Keys, Weights) {
    let mut w = Weights { state: 6, tensors: vec![] };
    w.matrix("token_embd.weight", VOCABULARY, WIDTH);
    w.norm("token_embd_norm.weight", WIDTH);
    let kv_heads = [0, 2, 0, 2];
    for (i, kv_heads) in kv_heads.iter().enumerate() {
        let at = |name: &str| format!("blk.{i}.{name}.weight");
        w.norm(&at("attn_norm"), WIDTH);
        w.norm(&at("ffn_norm"), WIDTH);
        w.matrix(&at("ffn_gate"), 160, WIDTH);
        w.matrix(&at("ffn_up"), 160, WIDTH);
        w.matrix(&at("ffn_down"), WIDTH, 160);
        if *kv_heads == 0 {
            w.matrix(&at("shortconv.in_proj"), 3 * WIDTH, WIDTH);
            w.matrix(&at("shortconv.out_proj"), WIDTH, WIDTH);
            w.matrix(&at("shortconv.conv"), WIDTH, 3);
        } else {
            w.matrix(&at("attn_q"), WIDTH, WIDTH);
            w.matrix(&at("attn_k"), 32, WIDTH);
            w.matrix(&at("attn_v"), 32, WIDTH);
            w.matrix(&at("attn_output"), WIDTH, WIDTH);
            w.norm(&at("attn_q_norm"), 16);
            w.norm(&at("attn_k_norm"), 16);
        }
    }
    let mut keys = keys("lfm2", 0);
    keys.retain(|(key, _)| !key.ends_with("head_count_kv"));
    let list = kv_heads.iter().map(|n| Value::I32(*n)).collect();
    keys.push(("lfm2.attention.head_count_kv".into(), Value::Array(list)));
    keys.push(("lfm2.attention.layer_norm_rms_epsilon".into(), Value::F32(1e-5)));
    keys.push(("lfm2.rope.freq_base".into(), Value::F32(1_000_000.0)));
    keys.push(("lfm2.shortconv.l_cache".into(), Value::U32(3)));
    (keys, w)
}

fn smollm3() -> (Keys, Weights) {
    let mut w = Weights { state: 8, tensors: vec![] };
    w.matrix("token_embd.weight", VOCABULARY, WIDTH);
    w.norm("output_norm.weight", WIDTH);
    for i in 0..LAYERS {
        let at = |name: &str| format!("blk.{i}.{name}.weight");
        w.norm(&at("attn_norm"), WIDTH);
        w.norm(&at("ffn_norm"), WIDTH);
        for (name, rows, columns) in [
            ("attn_q", 64, 64),
            ("attn_k", 32, 64),
            ("attn_v", 32, 64),
            ("attn_output", 64, 64),
            ("ffn_gate", 160, 64),
            ("ffn_up", 160, 64),
            ("ffn_down", 64, 160),
        ] {
            w.matrix(&at(name), rows, columns);
        }
    }
    let mut keys = keys("smollm3", 2);
    keys.push(("smollm3.attention.layer_norm_rms_epsilon".into(), Value::F32(1e-5)));
    keys.push(("smollm3.rope.dimension_count".into(), Value::U32(16)));
    keys.push(("smollm3.rope.freq_base".into(), Value::F32(10_000.0)));
    (keys, w)
}

fn keys(name: &str, kv_heads: u32) -> Keys {
    let mut keys = vec![("general.architecture".to_string(), Value::String(name.into()))];
    for (key, n) in [
        ("block_count", LAYERS as u32),
        ("context_length", 128),
        ("embedding_length", WIDTH as u32),
        ("feed_forward_length", 160),
        ("attention.head_count", 4),
        ("attention.head_count_kv", kv_heads),
        ("vocab_size", VOCABULARY as u32),
    ] {
        keys.push((format!("{name}.{key}"), Value::U32(n)));
    }
    // As llama.cpp wants it of a file without a vocabulary.
    keys.push(("tokenizer.ggml.model".into(), Value::String("none".into())));
    keys
}

fn written((keys, weights): &(Keys, Weights), folder: &tempfile::TempDir) -> Source {
    let path = folder.path().join("tiny.gguf");
    let keys: Vec<_> = keys.iter().map(|(key, value)| (key.as_str(), value)).collect();
    let tensors: Vec<_> = weights.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let mut file = std::fs::File::create(&path).unwrap();
    gguf_file::write(&mut file, &keys, &tensors).unwrap();
    Source::File(path)
}

fn open(source: &Source) -> Result<Opaque, ModelError> {
    Opaque::load(source, Gguf::read(source).unwrap(), None)
}

/// More than are read at once.
fn ids() -> Vec<u32> {
    (0..40).map(|i| (i * 37 + 11) % VOCABULARY as u32).collect()
}

fn nmse(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let error: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    error / b.iter().map(|b| f64::from(*b).powi(2)).sum::<f64>()
}

/// The makers, with the first ten logits that llama.cpp gives behind [`ids`] (keys and values in f32).
const MODELS: [(&str, Maker, [f32; 10]); 4] = [
    (
        "phi2",
        phi2,
        [-0.733931, -0.0172468, 0.627262, -1.0089, 0.325562, -2.48873, -1.05066, -0.25203, -0.924963, -0.0792242],
    ),
    ("glm4", glm4, [-0.848972, 2.166, -0.400655, 0.089673, 0.0195805, -1.69, 0.654553, 0.615476, 0.10419, -0.577069]),
    (
        "lfm2",
        lfm2,
        [-0.934658, -2.68539, -0.658307, 2.6284, -1.88423, -0.476728, 0.292481, -1.83659, 0.336644, -0.0702989],
    ),
    (
        "smollm3",
        smollm3,
        [-0.884192, 0.584615, -0.174109, 1.04678, -0.508108, 1.56321, -0.194333, -0.866676, -0.17816, 0.341094],
    ),
];

#[test]
fn every_architecture_has_a_test() {
    assert!(architectures().eq(MODELS.map(|(name, ..)| name)));
}

#[test]
fn logits_agree_with_the_reference() {
    for (name, make, reference) in MODELS {
        let folder = tempfile::tempdir().unwrap();
        let mut model = open(&written(&make(), &folder)).unwrap();
        let logits = model.forward(&ids()).unwrap();
        assert_eq!((model.len(), model.context(), logits.len()), (40, 128, model.sizes.vocabulary), "{name}");
        let within = match name {
            // The GELU comes from a table of f16 in llama.cpp.
            "phi2" => 1e-6,
            // The module makes its logits from the embeddings in Q8_0, whatever they are in the file.
            "smollm3" => 2e-4,
            _ => 1e-10,
        };
        let error = nmse(&logits[..10], &reference);
        assert!(error < within, "{name}: {error}");
    }
}

#[test]
fn reading_in_parts_and_again_gives_the_same() {
    for (name, make, _) in MODELS {
        let folder = tempfile::tempdir().unwrap();
        let mut model = open(&written(&make(), &folder)).unwrap();
        let (ids, mut parts) = (ids(), Vec::new());
        let whole = model.forward(&ids).unwrap();
        for lengths in [[5, 35], [1, 39], [39, 1]] {
            model.reset();
            model.forward(&ids[..lengths[0]]).unwrap();
            parts.push(model.forward(&ids[lengths[0]..]).unwrap());
        }
        for part in parts {
            assert!(nmse(&part, &whole) < 1e-9, "{name}: {}", nmse(&part, &whole));
        }
        // A single token behind a reset must not see what was read before.
        model.reset();
        let alone = model.forward(&ids[..1]).unwrap();
        let mut fresh = open(&written(&make(), &folder)).unwrap();
        assert_eq!(fresh.forward(&ids[..1]).unwrap(), alone, "{name}");
    }
}

#[test]
fn what_does_not_exist_or_fit_is_refused_and_leaves_the_text_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut model = open(&written(&lfm2(), &folder)).unwrap();
    model.forward(&ids()).unwrap();
    for (ids, word) in [(vec![], "no tokens"), (vec![96], "vocabulary of 96"), (vec![1; 89], "context of 128")] {
        let error = model.forward(&ids).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    let source = written(&lfm2(), &folder);
    let small = Opaque::load(&source, Gguf::read(&source).unwrap(), Some(16)).unwrap();
    assert_eq!(small.context(), 16);
}

#[test]
fn files_that_contradict_themselves_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, make, _) in MODELS {
        let key = |key: &str| format!("{name}.{key}");
        for (key, value, word) in [
            (key("embedding_length"), 128, "tiny.gguf"),
            (key("block_count"), 5, "tiny.gguf"),
            (key("block_count"), 4_000_000_000, "block_count"),
            (key("attention.head_count"), 5, "head_count"),
            (key("attention.head_count"), 0, "head_count"),
            (key("attention.head_count_kv"), 3, "head_count_kv"),
            (key("feed_forward_length"), 161, "shape"),
            (key("rope.dimension_count"), 7, "rope.dimension_count"),
            (key("expert_count"), 8, "expert_count"),
        ] {
            let mut made = make();
            made.0.retain(|(known, _)| *known != key);
            made.0.push((key.clone(), Value::U32(value)));
            let error = open(&written(&made, &folder)).err().unwrap_or_else(|| panic!("{name}: {key} = {value}"));
            assert!(error.to_string().contains(word), "{name}: {key}: {error}");
        }
        let mut made = make();
        made.1.tensors.pop();
        let error = open(&written(&made, &folder)).err().unwrap().to_string();
        assert!(error.contains("is missing") && error.contains("tiny.gguf"), "{error}");
    }
}

#[test]
fn flipped_bytes_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = 7u64;
    let mut next = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize
    };
    for (_, make, _) in MODELS {
        let Source::File(path) = written(&make(), &folder) else { unreachable!() };
        let bytes = std::fs::read(&path).unwrap();
        let head = Gguf::read(&Source::File(path.clone())).unwrap().data_start as usize;
        for _ in 0..150 {
            let mut damaged = bytes.clone();
            damaged[next() % head] ^= 1 << (next() % 8);
            std::fs::write(&path, damaged).unwrap();
            let source = Source::File(path.clone());
            if let Ok(gguf) = Gguf::read(&source)
                && let Ok(mut model) = Opaque::load(&source, gguf, None)
            {
                let _ = model.forward(&ids()[..3]);
            }
        }
    }
}

#[test]
fn a_panic_inside_becomes_an_error_with_the_file() {
    let error = guarded::<()>("x.gguf", || panic!("index {} out of range\nmore", 7)).unwrap_err().to_string();
    assert!(error.contains("x.gguf") && error.contains("index 7 out of range") && !error.contains('\n'), "{error}");
    let file = Gguf::read(&Source::Embedded).unwrap();
    let error = Opaque::load(&Source::Embedded, file, None).err().unwrap().to_string();
    assert!(error.contains("\"llama\" is not supported") && error.contains("phi2, glm4, lfm2, smollm3"), "{error}");
}

#[test]
fn what_is_needed_grows_with_the_context() {
    let folder = tempfile::tempdir().unwrap();
    let gguf = Gguf::read(&written(&glm4(), &folder)).unwrap();
    let need = |context| super::need(&gguf, context).unwrap().unwrap();
    assert!(need(Some(128)).cache == 4 * need(Some(32)).cache && need(None).weights > gguf.file_bytes / 2);
    assert!(super::need(&Gguf::read(&Source::Embedded).unwrap(), None).is_none());
}

#[test]
fn an_engine_tells_what_comes_next_only_where_it_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = super::super::engine::Engine::opaque(open(&written(&phi2(), &folder)).unwrap());
    assert!(engine.forward(&ids()[..4], false).unwrap().is_none());
    assert!(engine.forward(&ids()[4..6], true).unwrap().is_some());
}
