//! Tiny models with random weights, made from a seed: every architecture with every feature of its own, as small as
//! can be.
//!
//! The same seed gives the same bytes on every machine: the random numbers need no transcendental function, and each
//! tensor has a stream of its own, named by the tensor. `tests/fixtures/` holds what llama.cpp makes of these files.
//! Weights are scaled so that the next token is far from arbitrary and depends on all that was read: attention and
//! feed-forward outweigh the embedding, and logits have a standard deviation of about 2.5.

#![allow(dead_code)]

use super::GgufWriter;

/// Tokens in each vocabulary.
pub const VOCABULARY: usize = 512;
/// The sliding window, where a model has one.
pub const WINDOW: u32 = 16;

/// A model's shape and what is special about it.
#[derive(Clone, Copy)]
pub struct Tiny {
    pub architecture: &'static str,
    pub variant: &'static str,
    pub layers: usize,
    pub width: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_dim: usize,
    pub ffn: usize,
    pub rope_base: f32,
    pub words: Words,
    /// A matrix of its own for the logits.
    pub output: bool,
    /// Which products add a bias.
    pub biases: &'static [&'static str],
    pub keys: &'static [(&'static str, Extra)],
    pub factors: &'static [&'static str],
    /// The types it is written in; see [`kind_of`].
    pub types: &'static [&'static str],
}

#[derive(Clone, Copy)]
pub enum Words {
    SentencePiece,
    /// Byte-level, with the rule that splits text.
    ByteLevel(&'static str),
}

/// A key that only some models have.
#[derive(Clone, Copy)]
pub enum Extra {
    Number(u32),
    Float(f32),
    Text(&'static str),
    Flags(&'static [bool]),
}

use Extra::{Flags, Float, Number, Text};

const EVERY: &[&str] = &["f32", "q8_0"];
const BROAD: &[&str] = &["q8_0", "q4_k_m"];
const QKV: &[&str] = &["attn_q", "attn_k", "attn_v"];
const ALL_PRODUCTS: &[&str] = &["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"];

const BASE: Tiny = Tiny {
    architecture: "llama",
    variant: "plain",
    layers: 4,
    width: 64,
    heads: 4,
    kv_heads: 2,
    head_dim: 16,
    ffn: 128,
    rope_base: 10_000.0,
    words: Words::SentencePiece,
    output: false,
    biases: &[],
    keys: &[],
    factors: &[],
    types: EVERY,
};

/// Every tiny model.
pub const TINY: &[Tiny] = &[
    BASE,
    Tiny {
        variant: "factors",
        width: 128,
        head_dim: 32,
        ffn: 256,
        rope_base: 500_000.0,
        words: Words::ByteLevel("llama-bpe"),
        output: true,
        factors: &["rope_freqs"],
        ..BASE
    },
    Tiny {
        variant: "linear",
        kv_heads: 4,
        keys: &[("rope.scaling.type", Text("linear")), ("rope.scaling.factor", Float(4.0))],
        ..BASE
    },
    // Heads together wider than the model, one head of keys, a bias in every product.
    Tiny { variant: "biases", width: 128, kv_heads: 1, head_dim: 48, output: true, biases: ALL_PRODUCTS, ..BASE },
    Tiny { variant: "broad", width: 256, heads: 8, head_dim: 32, ffn: 512, types: BROAD, ..BASE },
    // llama.cpp reads Phi-3's window and ignores it.
    Tiny {
        architecture: "phi3",
        kv_heads: 4,
        output: true,
        keys: &[("attention.sliding_window", Number(WINDOW))],
        ..BASE
    },
    // Long factors act in contexts beyond the original one.
    Tiny {
        architecture: "phi3",
        variant: "factors",
        width: 128,
        head_dim: 32,
        output: true,
        keys: &[
            ("rope.scaling.original_context_length", Number(256)),
            ("rope.scaling.attn_factor", Float(1.1902381)),
            ("attention.sliding_window", Number(WINDOW)),
        ],
        factors: &["rope_factors_long", "rope_factors_short"],
        ..BASE
    },
    Tiny {
        architecture: "phi3",
        variant: "broad",
        width: 256,
        heads: 8,
        head_dim: 32,
        ffn: 256,
        output: true,
        types: BROAD,
        ..BASE
    },
    Tiny { architecture: "gemma", kv_heads: 1, head_dim: 32, ..BASE },
    // The real caps are 50 and 30; at these ones they bend what such small models compute.
    Tiny {
        architecture: "gemma2",
        head_dim: 32,
        keys: &[
            ("attention.sliding_window", Number(WINDOW)),
            ("attn_logit_softcapping", Float(4.0)),
            ("final_logit_softcapping", Float(8.0)),
        ],
        ..BASE
    },
    // The window's pattern as a list, the way newer converters write it.
    Tiny {
        architecture: "gemma2",
        variant: "listed",
        head_dim: 32,
        keys: &[
            ("attention.sliding_window", Number(WINDOW)),
            ("attention.sliding_window_pattern", Flags(&[true, true, false, true])),
            ("attn_logit_softcapping", Float(50.0)),
            ("final_logit_softcapping", Float(30.0)),
        ],
        ..BASE
    },
    // Eight layers: the sixth looks at everything, with a rope base of its own.
    Tiny {
        architecture: "gemma3",
        layers: 8,
        kv_heads: 1,
        head_dim: 32,
        rope_base: 1_000_000.0,
        keys: &[("attention.sliding_window", Number(WINDOW))],
        ..BASE
    },
    Tiny {
        architecture: "gemma3",
        variant: "scaled",
        layers: 6,
        head_dim: 32,
        rope_base: 1_000_000.0,
        keys: &[
            ("attention.sliding_window", Number(WINDOW)),
            ("attention.sliding_window_pattern", Number(3)),
            ("rope.scaling.type", Text("linear")),
            ("rope.scaling.factor", Float(8.0)),
            ("rope.freq_base_swa", Float(20_000.0)),
            ("final_logit_softcapping", Float(8.0)),
        ],
        ..BASE
    },
    Tiny {
        architecture: "gemma3",
        variant: "broad",
        layers: 6,
        width: 256,
        head_dim: 64,
        ffn: 256,
        rope_base: 1_000_000.0,
        keys: &[("attention.sliding_window", Number(WINDOW))],
        types: BROAD,
        ..BASE
    },
    Tiny {
        architecture: "qwen2",
        rope_base: 1_000_000.0,
        words: Words::ByteLevel("qwen2"),
        output: true,
        biases: QKV,
        ..BASE
    },
    Tiny { architecture: "qwen2", variant: "tied", words: Words::ByteLevel("qwen2"), biases: QKV, ..BASE },
    Tiny { architecture: "qwen3", head_dim: 32, rope_base: 1_000_000.0, words: Words::ByteLevel("qwen2"), ..BASE },
    Tiny {
        architecture: "qwen3",
        variant: "broad",
        width: 256,
        head_dim: 128,
        ffn: 256,
        words: Words::ByteLevel("qwen2"),
        output: true,
        types: BROAD,
        ..BASE
    },
];

/// The named model of `TINY` in one of its types, as a file's bytes.
pub fn tiny(architecture: &str, variant: &str, kind: &str, seed: u64) -> Vec<u8> {
    let found = TINY.iter().find(|t| t.architecture == architecture && t.variant == variant);
    found.unwrap_or_else(|| panic!("there is no tiny {architecture} {variant}")).write(kind, seed)
}

/// SplitMix64, and from it numbers that are nearly normal: the sum of four uniform ones.
pub struct Random(pub u64);

impl Random {
    /// A stream of its own for each name (FNV-1a).
    pub fn named(name: &str, seed: u64) -> Random {
        let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Random(name.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), hash))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Mean 0, standard deviation 1, never beyond 3.5.
    pub fn normal(&mut self) -> f32 {
        let bits = self.next();
        let sum: u64 = (0..4).map(|i| bits >> (16 * i) & 0xffff).sum();
        // Four uniform numbers of width 1 have the variance 1/3.
        (sum as f32 - 131_070.0) * (3f32.sqrt() / 65_536.0)
    }
}

impl Tiny {
    pub fn name(&self) -> String {
        format!("{}-{}", self.architecture, self.variant)
    }

    fn is(&self, architectures: &[&str]) -> bool {
        architectures.contains(&self.architecture)
    }

    /// The file's bytes, its matrices in `kind`.
    pub fn write(&self, kind: &str, seed: u64) -> Vec<u8> {
        let mut file = Maker { writer: GgufWriter::new(), tiny: self, kind, seed };
        file.keys();
        file.tensors();
        file.writer.finish()
    }
}

/// The type of a tensor in a file of `kind`: `f32`, `q8_0`, or `q4_k_m`, which mixes as llama.cpp's Q4_K_M does.
fn kind_of(kind: &str, name: &str, layer: Option<usize>) -> &'static str {
    let better = name == "token_embd" || name == "output" || matches!(layer, Some(0 | 3)) && name == "ffn_down";
    match kind {
        "f32" => "F32",
        "q8_0" => "Q8_0",
        "q4_k_m" if better || name == "attn_v" => "Q6_K",
        "q4_k_m" if name == "attn_qkv" => "Q5_K",
        "q4_k_m" => "Q4_K",
        other => panic!("{other} is not a type of the fixtures"),
    }
}

struct Maker<'a> {
    writer: GgufWriter,
    tiny: &'a Tiny,
    kind: &'a str,
    seed: u64,
}

impl Maker<'_> {
    fn keys(&mut self) {
        let Tiny { architecture, layers, width, heads, kv_heads, head_dim, ffn, .. } = *self.tiny;
        let w = &mut self.writer;
        w.key("general.architecture", architecture);
        w.key("general.name", format!("tiny {}", self.tiny.variant));
        let key = |name: &str| format!("{architecture}.{name}");
        w.key(&key("vocab_size"), VOCABULARY as u32);
        w.key(&key("context_length"), 1024u32);
        w.key(&key("embedding_length"), width as u32);
        w.key(&key("block_count"), layers as u32);
        w.key(&key("feed_forward_length"), ffn as u32);
        w.key(&key("attention.head_count"), heads as u32);
        w.key(&key("attention.head_count_kv"), kv_heads as u32);
        let eps = if architecture.starts_with("gemma") || architecture.starts_with("qwen") { 1e-6f32 } else { 1e-5 };
        w.key(&key("attention.layer_norm_rms_epsilon"), eps);
        w.key(&key("rope.freq_base"), self.tiny.rope_base);
        // Gemma's and Qwen's converters leave the rope's size out.
        if self.tiny.is(&["llama", "phi3"]) {
            w.key(&key("rope.dimension_count"), head_dim as u32);
        }
        if head_dim * heads != width || architecture.starts_with("gemma") || architecture == "qwen3" {
            w.key(&key("attention.key_length"), head_dim as u32);
            w.key(&key("attention.value_length"), head_dim as u32);
        }
        for (name, extra) in self.tiny.keys {
            match extra {
                Number(n) => w.key(&key(name), *n),
                Float(x) => w.key(&key(name), *x),
                Text(text) => w.key(&key(name), *text),
                Flags(flags) => w.key(&key(name), *flags),
            }
        }
        vocabulary(w, self.tiny.words);
    }

    fn tensors(&mut self) {
        let Tiny { architecture, layers, width, heads, kv_heads, head_dim, ffn, .. } = *self.tiny;
        // The last norm gives rows a mean square near 1, so that logits have the deviation 2.5. Gemma multiplies its
        // embedding by the root of the width: it is small and the norm large, or each token would call for itself.
        let root = if architecture.starts_with("gemma") { (width as f32).sqrt() } else { 1.0 };
        self.matrix("token_embd", None, VOCABULARY, width, 2.5 / root);
        if self.tiny.output {
            self.matrix("output", None, VOCABULARY, width, 2.5);
        }
        self.norm("output_norm", None, width, root);
        for name in self.tiny.factors {
            // As Llama 3's: high frequencies as they are, low ones up to 32 times slower.
            let most = if *name == "rope_factors_short" { 1.25 } else { 32.0 };
            let n = head_dim / 2;
            let factors: Vec<f32> = (0..n).map(|i| 1.0 + (most - 1.0) * (i * i) as f32 / (n * n) as f32).collect();
            self.vector(&format!("{name}.weight"), &factors);
        }
        let (queries, keys) = (heads * head_dim, kv_heads * head_dim);
        for layer in 0..layers {
            let at = Some(layer);
            self.norm("attn_norm", at, width, 1.0);
            // Queries and keys are large, so that attention chooses and what was read matters.
            if architecture == "phi3" {
                self.matrix("attn_qkv", at, queries + 2 * keys, width, 1.4);
            } else {
                self.matrix("attn_q", at, queries, width, 1.6);
                self.matrix("attn_k", at, keys, width, 1.6);
                self.matrix("attn_v", at, keys, width, 1.0);
            }
            if self.tiny.is(&["gemma3", "qwen3"]) {
                self.norm("attn_q_norm", at, head_dim, 1.0);
                self.norm("attn_k_norm", at, head_dim, 1.0);
            }
            self.matrix("attn_output", at, width, queries, 1.5);
            if self.tiny.is(&["gemma2", "gemma3"]) {
                self.norm("post_attention_norm", at, width, 1.0);
                self.norm("post_ffw_norm", at, width, 1.0);
            }
            self.norm("ffn_norm", at, width, 1.0);
            if architecture == "phi3" {
                self.matrix("ffn_up", at, 2 * ffn, width, 1.2);
            } else {
                self.matrix("ffn_gate", at, ffn, width, 1.2);
                self.matrix("ffn_up", at, ffn, width, 1.2);
            }
            self.matrix("ffn_down", at, width, ffn, 1.5);
        }
    }

    /// A matrix (outputs, inputs) that turns rows of deviation 1 into rows of deviation `gain`, and its bias.
    fn matrix(&mut self, name: &str, layer: Option<usize>, outputs: usize, inputs: usize, gain: f32) {
        let full = full_name(name, layer);
        let kind = kind_of(self.kind, name, layer);
        let mut random = Random::named(&full, self.seed);
        let scale = gain / (inputs as f32).sqrt();
        let values: Vec<f32> = (0..outputs * inputs).map(|_| random.normal() * scale).collect();
        self.writer.tensor(&format!("{full}.weight"), &[outputs, inputs], kind, &values).unwrap();
        if self.tiny.biases.contains(&name) {
            let bias: Vec<f32> = (0..outputs).map(|_| random.normal() * 0.3).collect();
            self.vector(&format!("{full}.bias"), &bias);
        }
    }

    /// A norm's weights: `mean`, give or take a quarter.
    fn norm(&mut self, name: &str, layer: Option<usize>, width: usize, mean: f32) {
        let full = full_name(name, layer);
        let mut random = Random::named(&full, self.seed);
        let values: Vec<f32> = (0..width).map(|_| mean + random.normal() * (mean * 0.25)).collect();
        self.vector(&format!("{full}.weight"), &values);
    }

    fn vector(&mut self, name: &str, values: &[f32]) {
        self.writer.tensor(name, &[values.len()], "F32", values).unwrap();
    }
}

fn full_name(name: &str, layer: Option<usize>) -> String {
    layer.map_or(name.to_string(), |layer| format!("blk.{layer}.{name}"))
}

/// The keys of a tokenizer with `VOCABULARY` tokens.
pub fn vocabulary(w: &mut GgufWriter, words: Words) {
    match words {
        Words::SentencePiece => sentence_piece(w),
        Words::ByteLevel(pre) => byte_level(w, pre),
    }
}

/// Joins pieces at random to new ones, none longer than 8 characters: (left, right) in the order of their making.
fn merges(mut pieces: Vec<String>, count: usize, seed: u64) -> Vec<(String, String)> {
    let (mut random, mut out) = (Random::named("merges", seed), Vec::new());
    while out.len() < count {
        let (a, b) = (pieces[random.below(pieces.len())].clone(), pieces[random.below(pieces.len())].clone());
        let joint = format!("{a}{b}");
        if joint.chars().count() <= 8 && !pieces.contains(&joint) && !joint.chars().skip(1).any(|c| "▁Ġ".contains(c))
        {
            pieces.push(joint);
            out.push((a, b));
        }
    }
    out
}

/// Three control tokens, 256 bytes, letters, and pieces made of them.
fn sentence_piece(w: &mut GgufWriter) {
    let mut tokens: Vec<(String, f32, i32)> =
        vec![("<unk>".into(), 0.0, 2), ("<s>".into(), 0.0, 3), ("</s>".into(), 0.0, 3)];
    tokens.extend((0..256).map(|byte| (format!("<0x{byte:02X}>"), 0.0, 6)));
    let letters: Vec<String> = "▁etaoinshrdlucmfwypvbgkjqxz春月".chars().map(String::from).collect();
    let joints = merges(letters.clone(), VOCABULARY - tokens.len() - letters.len(), 3);
    let joints = joints.into_iter().map(|(a, b)| a + &b);
    let scored = joints.chain(letters).enumerate();
    tokens.extend(scored.map(|(i, text)| (text, -(i as f32) - 1.0, 1)));
    w.key("tokenizer.ggml.model", "llama");
    w.key("tokenizer.ggml.pre", "default");
    let texts: Vec<&str> = tokens.iter().map(|t| t.0.as_str()).collect();
    let scores: Vec<f32> = tokens.iter().map(|t| t.1).collect();
    let kinds: Vec<i32> = tokens.iter().map(|t| t.2).collect();
    w.key("tokenizer.ggml.tokens", &texts[..]);
    w.key("tokenizer.ggml.scores", &scores[..]);
    w.key("tokenizer.ggml.token_type", &kinds[..]);
    w.key("tokenizer.ggml.bos_token_id", 1u32);
    w.key("tokenizer.ggml.eos_token_id", 2u32);
    w.key("tokenizer.ggml.unknown_token_id", 0u32);
    w.key("tokenizer.ggml.add_bos_token", true);
    w.key("tokenizer.ggml.add_eos_token", false);
}

/// 256 bytes as characters of their own, merges, and three control tokens.
fn byte_level(w: &mut GgufWriter, pre: &str) {
    // Bytes that are no visible characters stand for themselves above 256, as GPT-2 began it.
    let visible = |byte: u32| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let mut bytes: Vec<char> = (0..256).filter(|b| visible(*b)).filter_map(char::from_u32).collect();
    bytes.extend((256..).take(256 - bytes.len()).filter_map(char::from_u32));
    let letters = "Ġetaoinshrdlucmfwypvbgk".chars().map(String::from).collect();
    let control = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
    let joints = merges(letters, VOCABULARY - bytes.len() - control.len(), 5);
    let mut texts: Vec<String> = bytes.into_iter().map(String::from).collect();
    texts.extend(joints.iter().map(|(a, b)| format!("{a}{b}")));
    texts.extend(control.map(String::from));
    let lines: Vec<String> = joints.iter().map(|(a, b)| format!("{a} {b}")).collect();
    let kinds: Vec<i32> = (0..VOCABULARY).map(|i| if i < VOCABULARY - control.len() { 1 } else { 3 }).collect();
    w.key("tokenizer.ggml.model", "gpt2");
    w.key("tokenizer.ggml.pre", pre);
    w.key("tokenizer.ggml.tokens", &texts[..]);
    w.key("tokenizer.ggml.token_type", &kinds[..]);
    w.key("tokenizer.ggml.merges", &lines[..]);
    w.key("tokenizer.ggml.bos_token_id", (VOCABULARY - 3) as u32);
    w.key("tokenizer.ggml.eos_token_id", (VOCABULARY - 1) as u32);
    w.key("tokenizer.ggml.padding_token_id", (VOCABULARY - 3) as u32);
    w.key("tokenizer.ggml.add_bos_token", false);
    w.key(
        "tokenizer.chat_template",
        "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n'}}\
         {% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    );
}
