//! Tiny models of the architectures that play through candle's own modules, as valid files to be spoilt. What they
//! compute is checked elsewhere; here it matters that they load.

use super::GgufWriter;
use super::fixture::{Random, VOCABULARY, Words, vocabulary};

const LAYERS: usize = 2;
const WIDTH: usize = 64;
const FFN: usize = 160;
const V: usize = VOCABULARY;

/// Tensors of one layer: name, rows, columns (0: a vector).
type Layer = &'static [(&'static str, usize, usize)];

struct Shape {
    name: &'static str,
    kv_heads: u32,
    /// Beside the layers, without `token_embd.weight`.
    around: Layer,
    layer: Layer,
    /// Instead of `layer` in the first one.
    first: Layer,
    eps: &'static str,
    /// Elements of a head that are turned; 0: not said.
    turned: u32,
}

const NORMS: [(&str, usize, usize); 2] = [("attn_norm.weight", WIDTH, 0), ("ffn_norm.weight", WIDTH, 0)];

const SHAPES: &[Shape] = &[
    Shape {
        name: "phi2",
        kv_heads: 4,
        around: &[
            ("output.weight", V, WIDTH),
            ("output.bias", V, 0),
            ("output_norm.weight", WIDTH, 0),
            ("output_norm.bias", WIDTH, 0),
        ],
        layer: &[
            ("attn_norm.weight", WIDTH, 0),
            ("attn_norm.bias", WIDTH, 0),
            ("attn_qkv.weight", 3 * WIDTH, WIDTH),
            ("attn_qkv.bias", 3 * WIDTH, 0),
            ("attn_output.weight", WIDTH, WIDTH),
            ("attn_output.bias", WIDTH, 0),
            ("ffn_up.weight", FFN, WIDTH),
            ("ffn_up.bias", FFN, 0),
            ("ffn_down.weight", WIDTH, FFN),
            ("ffn_down.bias", WIDTH, 0),
        ],
        first: &[],
        eps: "attention.layer_norm_epsilon",
        turned: 8,
    },
    Shape {
        name: "glm4",
        kv_heads: 2,
        around: &[("output.weight", V, WIDTH), ("output_norm.weight", WIDTH, 0)],
        layer: &[
            NORMS[0],
            NORMS[1],
            ("post_attention_norm.weight", WIDTH, 0),
            ("post_ffw_norm.weight", WIDTH, 0),
            ("attn_q.weight", 64, WIDTH),
            ("attn_q.bias", 64, 0),
            ("attn_k.weight", 32, WIDTH),
            ("attn_k.bias", 32, 0),
            ("attn_v.weight", 32, WIDTH),
            ("attn_v.bias", 32, 0),
            ("attn_output.weight", WIDTH, 64),
            ("ffn_up.weight", 2 * FFN, WIDTH),
            ("ffn_down.weight", WIDTH, FFN),
        ],
        first: &[],
        eps: "attention.layer_norm_rms_epsilon",
        turned: 8,
    },
    Shape {
        name: "lfm2",
        kv_heads: 0,
        around: &[("token_embd_norm.weight", WIDTH, 0)],
        layer: &[
            NORMS[0],
            NORMS[1],
            ("attn_q.weight", 64, WIDTH),
            ("attn_k.weight", 32, WIDTH),
            ("attn_v.weight", 32, WIDTH),
            ("attn_output.weight", WIDTH, 64),
            ("attn_q_norm.weight", 16, 0),
            ("attn_k_norm.weight", 16, 0),
            ("ffn_gate.weight", FFN, WIDTH),
            ("ffn_up.weight", FFN, WIDTH),
            ("ffn_down.weight", WIDTH, FFN),
        ],
        first: &[
            NORMS[0],
            NORMS[1],
            ("shortconv.in_proj.weight", 3 * WIDTH, WIDTH),
            ("shortconv.out_proj.weight", WIDTH, WIDTH),
            ("shortconv.conv.weight", WIDTH, 3),
            ("ffn_gate.weight", FFN, WIDTH),
            ("ffn_up.weight", FFN, WIDTH),
            ("ffn_down.weight", WIDTH, FFN),
        ],
        eps: "attention.layer_norm_rms_epsilon",
        turned: 0,
    },
    Shape {
        name: "smollm3",
        kv_heads: 2,
        around: &[("output_norm.weight", WIDTH, 0)],
        layer: &[
            NORMS[0],
            NORMS[1],
            ("attn_q.weight", 64, WIDTH),
            ("attn_k.weight", 32, WIDTH),
            ("attn_v.weight", 32, WIDTH),
            ("attn_output.weight", WIDTH, 64),
            ("ffn_gate.weight", FFN, WIDTH),
            ("ffn_up.weight", FFN, WIDTH),
            ("ffn_down.weight", WIDTH, FFN),
        ],
        first: &[],
        eps: "attention.layer_norm_rms_epsilon",
        turned: 16,
    },
];

/// Each architecture's name and a file of it.
pub fn opaque() -> Vec<(&'static str, Vec<u8>)> {
    SHAPES.iter().map(|shape| (shape.name, shape.write())).collect()
}

impl Shape {
    fn write(&self) -> Vec<u8> {
        let mut w = GgufWriter::new();
        let key = |name: &str| format!("{}.{name}", self.name);
        w.key("general.architecture", self.name);
        for (name, n) in [
            ("block_count", LAYERS as u32),
            ("vocab_size", V as u32),
            ("context_length", 128),
            ("embedding_length", WIDTH as u32),
            ("feed_forward_length", FFN as u32),
            ("attention.head_count", 4),
        ] {
            w.key(&key(name), n);
        }
        match self.kv_heads {
            0 => w.key(&key("attention.head_count_kv"), &[0i32, 2][..]),
            n => w.key(&key("attention.head_count_kv"), n),
        }
        w.key(&key(self.eps), 1e-5f32);
        w.key(&key("rope.freq_base"), 10_000f32);
        if self.turned > 0 {
            w.key(&key("rope.dimension_count"), self.turned);
        }
        if !self.first.is_empty() {
            w.key(&key("shortconv.l_cache"), 3u32);
        }
        vocabulary(&mut w, Words::ByteLevel("qwen2"));
        put(&mut w, "", &[("token_embd.weight", V, WIDTH)]);
        put(&mut w, "", self.around);
        for layer in 0..LAYERS {
            let tensors = if layer == 0 && !self.first.is_empty() { self.first } else { self.layer };
            put(&mut w, &format!("blk.{layer}."), tensors);
        }
        w.finish()
    }
}

fn put(w: &mut GgufWriter, prefix: &str, tensors: &[(&str, usize, usize)]) {
    for (name, rows, columns) in tensors {
        let name = format!("{prefix}{name}");
        let mut random = Random::named(&name, 1);
        let (shape, scale) = match columns {
            0 => (vec![*rows], 0.2),
            n => (vec![*rows, *n], 1.0 / (*n as f32).sqrt()),
        };
        let mean = if name.contains("norm.weight") { 1.0 } else { 0.0 };
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| mean + random.normal() * scale).collect();
        w.tensor(&name, &shape, "F32", &values).unwrap();
    }
}
