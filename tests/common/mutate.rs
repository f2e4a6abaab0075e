//! Spoils valid GGUF files, from a seed: the file is taken apart, one or a few things in it are changed, and it is put
//! together again, so that the change is met by the code that it is meant for and not by the first length check.
//!
//! Knows the format on its own, not through the reader that it tests.

#![allow(dead_code)]

use super::fixture::Random;

/// A GGUF file in its parts. Names and values are bytes as they stand in the file.
#[derive(Clone)]
pub struct Parts {
    version: u32,
    /// (name, type, value)
    keys: Vec<(Vec<u8>, u32, Vec<u8>)>,
    tensors: Vec<Row>,
    /// What the header says instead of the true counts.
    counts: [Option<u64>; 2],
    data: Vec<u8>,
}

#[derive(Clone)]
struct Row {
    name: Vec<u8>,
    dims: Vec<u64>,
    kind: u32,
    offset: u64,
}

const ALIGNMENT: usize = 32;
/// Numbers at which code breaks.
const EDGES: &[u64] = &[
    0,
    1,
    2,
    3,
    7,
    31,
    32,
    255,
    256,
    4095,
    1 << 16,
    (1 << 24) - 1,
    1 << 24,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 32,
    1 << 48,
    (1 << 60) + 32,
    (1 << 63) - 1,
    1 << 63,
    u64::MAX - 31,
    u64::MAX,
];
const FLOATS: &[f32] = &[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -1.0, 1e-38, 3e38, 1e30, -1e30, 1e-45];
/// Texts that mean something to a reader.
const TEXTS: &[&str] = &[
    "",
    "llama",
    "phi3",
    "gemma",
    "gemma2",
    "gemma3",
    "qwen2",
    "qwen3",
    "mamba",
    "phi2",
    "gpt2",
    "bert",
    "linear",
    "yarn",
    "longrope",
    "none",
    "default",
    "llama-bpe",
    "a b",
    " ",
    "▁",
    "{{ x",
    "{% for a in range(1000000000) %}{{ a }}{% endfor %}",
    "<|im_start|>",
    "\u{0}\u{202e}\n",
];

struct Cursor<'a>(&'a [u8], usize);

impl Cursor<'_> {
    fn take(&mut self, n: usize) -> &[u8] {
        self.1 += n;
        &self.0[self.1 - n..self.1]
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().unwrap())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take(8).try_into().unwrap())
    }

    fn text(&mut self) -> Vec<u8> {
        let n = self.u64() as usize;
        self.take(n).to_vec()
    }

    /// The bytes of a value of this type.
    fn value(&mut self, kind: u32) -> Vec<u8> {
        let start = self.1;
        match kind {
            8 => drop(self.text()),
            9 => {
                let of = self.u32();
                for _ in 0..self.u64() {
                    self.value(of);
                }
            }
            _ => drop(self.take(width(kind))),
        }
        self.0[start..self.1].to_vec()
    }
}

/// Bytes of a number of this type.
fn width(kind: u32) -> usize {
    match kind {
        0 | 1 | 7 => 1,
        2 | 3 => 2,
        4..=6 => 4,
        _ => 8,
    }
}

impl Parts {
    /// Takes a valid file apart.
    pub fn of(file: &[u8]) -> Parts {
        let mut c = Cursor(file, 4);
        let version = c.u32();
        let (tensors, keys) = (c.u64(), c.u64());
        let keys = (0..keys).map(|_| {
            let (name, kind) = (c.text(), c.u32());
            (name, kind, c.value(kind))
        });
        let keys = keys.collect();
        let rows = (0..tensors).map(|_| {
            let (name, rank) = (c.text(), c.u32());
            let dims = (0..rank).map(|_| c.u64()).collect();
            Row { name, dims, kind: c.u32(), offset: c.u64() }
        });
        let tensors = rows.collect();
        let data = file[c.1.next_multiple_of(ALIGNMENT).min(file.len())..].to_vec();
        Parts { version, keys, tensors, counts: [None; 2], data }
    }

    /// The same file with a text behind a key.
    pub fn with_text(&self, key: &str, text: &str) -> Vec<u8> {
        let mut parts = self.clone();
        parts.keys.retain(|(name, ..)| name != key.as_bytes());
        parts.keys.push((key.as_bytes().to_vec(), 8, encoded(text.as_bytes())));
        parts.file().0
    }

    /// The same file with another shape of a tensor, innermost dimension first.
    pub fn with_shape(&self, tensor: &str, dims: &[u64]) -> Vec<u8> {
        let mut parts = self.clone();
        let rows = parts.tensors.iter_mut().filter(|row| row.name == tensor.as_bytes());
        rows.for_each(|row| row.dims = dims.to_vec());
        parts.file().0
    }

    /// Puts it together; where the header and the data begin is returned too.
    pub fn file(&self) -> (Vec<u8>, usize) {
        let mut out = b"GGUF".to_vec();
        let text = |out: &mut Vec<u8>, text: &[u8]| {
            out.extend((text.len() as u64).to_le_bytes());
            out.extend(text);
        };
        out.extend(self.version.to_le_bytes());
        out.extend(self.counts[0].unwrap_or(self.tensors.len() as u64).to_le_bytes());
        out.extend(self.counts[1].unwrap_or(self.keys.len() as u64).to_le_bytes());
        for (name, kind, value) in &self.keys {
            text(&mut out, name);
            out.extend(kind.to_le_bytes());
            out.extend(value);
        }
        for row in &self.tensors {
            text(&mut out, &row.name);
            out.extend((row.dims.len() as u32).to_le_bytes());
            row.dims.iter().for_each(|n| out.extend(n.to_le_bytes()));
            out.extend(row.kind.to_le_bytes());
            out.extend(row.offset.to_le_bytes());
        }
        out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
        let start = out.len();
        out.extend(&self.data);
        (out, start)
    }
}

type Way = fn(&mut Parts, &mut Random);

/// What is spoilt. Each is as likely as the others.
const WAYS: &[(&str, Way)] = &[
    ("a number", |p, r| {
        let numbers: Vec<usize> = (0..p.keys.len()).filter(|i| !matches!(p.keys[*i].1, 8 | 9)).collect();
        let Some(i) = pick(&numbers, r) else { return };
        let (_, kind, value) = &mut p.keys[i];
        *value = match *kind {
            6 if r.below(2) == 0 => FLOATS[r.below(FLOATS.len())].to_le_bytes().to_vec(),
            kind => number(value, r).to_le_bytes()[..width(kind)].to_vec(),
        };
    }),
    ("a text", |p, r| {
        let texts: Vec<usize> = (0..p.keys.len()).filter(|i| p.keys[*i].1 == 8).collect();
        let Some(i) = pick(&texts, r) else { return };
        p.keys[i].2 = encoded(TEXTS[r.below(TEXTS.len())].as_bytes());
    }),
    ("the type of a key", |p, r| {
        let Some(i) = below(p.keys.len(), r) else { return };
        let kind = r.below(15) as u32;
        p.keys[i].1 = kind;
        p.keys[i].2 = match kind {
            8 => encoded(TEXTS[r.below(TEXTS.len())].as_bytes()),
            9 => list(r),
            _ => EDGES[r.below(EDGES.len())].to_le_bytes()[..width(kind)].to_vec(),
        };
    }),
    ("a list", |p, r| {
        let lists: Vec<usize> = (0..p.keys.len()).filter(|i| p.keys[*i].1 == 9).collect();
        let Some(i) = pick(&lists, r) else { return };
        let value = &mut p.keys[i].2;
        match r.below(4) {
            // Its length, its type, an element or all of it.
            0 => value[4..12].copy_from_slice(&EDGES[r.below(EDGES.len())].to_le_bytes()),
            1 => value[0] = r.below(14) as u8,
            2 => {
                let at = 12 + r.below(value.len().saturating_sub(12).max(1));
                if let Some(byte) = value.get_mut(at) {
                    *byte = r.next() as u8;
                }
            }
            _ => *value = list(r),
        }
    }),
    ("a missing key", |p, r| {
        if let Some(i) = below(p.keys.len(), r) {
            p.keys.remove(i);
        }
    }),
    ("a key twice or under another name", |p, r| {
        let (Some(i), Some(j)) = (below(p.keys.len(), r), below(p.keys.len(), r)) else { return };
        if r.below(2) == 0 {
            let key = p.keys[i].clone();
            p.keys.insert(j, key);
        } else {
            p.keys[i].0 = p.keys[j].0.clone();
        }
    }),
    ("a key from elsewhere", |p, r| {
        let names: &[&str] = &[
            "general.alignment",
            "split.no",
            "split.count",
            "split.tensors.count",
            "llama.expert_count",
            "llama.rope.scaling.factor",
            "gemma2.attention.sliding_window",
            "gemma3.attention.sliding_window_pattern",
            "phi3.rope.scaling.original_context_length",
            "general.sampling.temp",
            "tokenizer.ggml.eot_token_id",
            "tokenizer.ggml.add_space_prefix",
            "tokenizer.chat_template",
            "",
        ];
        let name = names[r.below(names.len())].as_bytes().to_vec();
        let (kind, value) = match r.below(4) {
            0 => (8, encoded(TEXTS[r.below(TEXTS.len())].as_bytes())),
            1 => (9, list(r)),
            2 => (6, FLOATS[r.below(FLOATS.len())].to_le_bytes().to_vec()),
            _ => (4, EDGES[r.below(EDGES.len())].to_le_bytes()[..4].to_vec()),
        };
        p.keys.push((name, kind, value));
    }),
    ("a missing tensor", |p, r| {
        if let Some(i) = below(p.tensors.len(), r) {
            p.tensors.remove(i);
        }
    }),
    ("a tensor twice or under another name", |p, r| {
        let (Some(i), Some(j)) = (below(p.tensors.len(), r), below(p.tensors.len(), r)) else { return };
        if r.below(2) == 0 {
            let row = p.tensors[i].clone();
            p.tensors.push(row);
        } else {
            let name = p.tensors[j].name.clone();
            p.tensors[j].name = std::mem::replace(&mut p.tensors[i].name, name);
        }
    }),
    ("a shape", |p, r| {
        let Some(i) = below(p.tensors.len(), r) else { return };
        let dims = &mut p.tensors[i].dims;
        match r.below(4) {
            0 => dims.reverse(),
            1 => dims.push(1 + r.below(2) as u64),
            2 => dims.truncate(r.below(2)),
            _ => {
                let at = r.below(dims.len());
                dims[at] = number(&dims[at].to_le_bytes(), r);
            }
        }
    }),
    ("a tensor's type", |p, r| {
        if let Some(i) = below(p.tensors.len(), r) {
            p.tensors[i].kind = if r.below(8) == 0 { EDGES[r.below(EDGES.len())] as u32 } else { r.below(42) as u32 };
        }
    }),
    ("a tensor's place", |p, r| {
        let (Some(i), Some(j)) = (below(p.tensors.len(), r), below(p.tensors.len(), r)) else { return };
        p.tensors[i].offset = match r.below(5) {
            0 => p.tensors[j].offset,
            1 => p.tensors[i].offset.wrapping_sub(32),
            2 => p.data.len() as u64 / 32 * 32,
            3 => EDGES[r.below(EDGES.len())],
            _ => EDGES[r.below(EDGES.len())] & !31,
        };
    }),
    ("a count", |p, r| {
        let i = r.below(2);
        let now = [p.tensors.len(), p.keys.len()][i] as u64;
        p.counts[i] = Some(number(&now.to_le_bytes(), r));
    }),
    ("weights", |p, r| {
        // Numbers that are none, in the place of some weights or scales.
        for _ in 0..1 + r.below(64) {
            let Some(at) = below(p.data.len().saturating_sub(4), r) else { return };
            let bytes = match r.below(3) {
                0 => FLOATS[r.below(FLOATS.len())].to_le_bytes(),
                1 => [0x00, 0x7e, 0x00, 0x7c],
                _ => (r.next() as u32).to_le_bytes(),
            };
            let at = if r.below(2) == 0 { at / 4 * 4 } else { at };
            p.data[at..at + 4].copy_from_slice(&bytes);
        }
    }),
    ("the version", |p, r| p.version = [0, 1, 2, 4, 3 << 24, u32::MAX][r.below(6)]),
];

/// A spoilt copy, and what was done to it.
pub fn mutate(valid: &Parts, random: &mut Random) -> (Vec<u8>, String) {
    let (mut parts, mut done) = (valid.clone(), Vec::new());
    let times = [0, 1, 1, 1, 1, 2, 3][random.below(7)];
    for _ in 0..times {
        let (name, way) = WAYS[random.below(WAYS.len())];
        way(&mut parts, random);
        done.push(name);
    }
    let (mut file, start) = parts.file();
    if times == 0 || random.below(8) == 0 {
        done.push(spoil_bytes(&mut file, start, random));
    }
    (file, done.join(", "))
}

/// Damage that knows nothing of the format.
fn spoil_bytes(file: &mut Vec<u8>, start: usize, random: &mut Random) -> &'static str {
    match random.below(6) {
        0 => {
            file.truncate(random.below(start));
            "cut in the header"
        }
        1 => {
            file.truncate(start + random.below(file.len() - start + 1));
            "cut in the weights"
        }
        2 | 3 => {
            for _ in 0..1 + random.below(8) {
                let at = random.below(start);
                file[at] ^= 1 << random.below(8);
            }
            "flipped bits"
        }
        4 => {
            let (from, n) = (random.below(start), 1 + random.below(64));
            let piece = file[from..(from + n).min(start)].to_vec();
            let at = random.below(start - piece.len() + 1);
            file[at..at + piece.len()].copy_from_slice(&piece);
            "a piece copied over another"
        }
        _ => {
            let at = random.below(start);
            let edge = EDGES[random.below(EDGES.len())].to_le_bytes();
            let n = (start - at).min(8);
            file[at..at + n].copy_from_slice(&edge[..n]);
            "a number somewhere"
        }
    }
}

fn below(n: usize, random: &mut Random) -> Option<usize> {
    (n > 0).then(|| random.below(n))
}

fn pick(list: &[usize], random: &mut Random) -> Option<usize> {
    below(list.len(), random).map(|i| list[i])
}

/// Another number than this one: near it, far from it, or at an edge.
fn number(bytes: &[u8], random: &mut Random) -> u64 {
    let mut wide = [0; 8];
    wide[..bytes.len().min(8)].copy_from_slice(&bytes[..bytes.len().min(8)]);
    let now = u64::from_le_bytes(wide);
    match random.below(6) {
        0 => now.wrapping_add(1),
        1 => now.wrapping_sub(1),
        2 => now.wrapping_mul(2),
        3 => now / 2,
        4 => random.next() >> random.below(64),
        _ => EDGES[random.below(EDGES.len())],
    }
}

fn encoded(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text].concat()
}

/// A list: short, or of thousands of small things, or of a single huge one.
fn list(random: &mut Random) -> Vec<u8> {
    let kind = [0, 1, 4, 5, 6, 7, 8, 8, 8, 9, 10, 12][random.below(12)] as u32;
    let count = [0, 1, 4, 512, 40_000][random.below(5)];
    let mut out = kind.to_le_bytes().to_vec();
    out.extend((count as u64).to_le_bytes());
    for i in 0..count {
        match kind {
            8 if count == 1 => out.extend(encoded(&b"ab".repeat(1 << random.below(14)))),
            8 => out.extend(encoded(if i % 3 == 0 { b"" } else { b"e \xff" })),
            9 => out.extend([0; 12]),
            _ => out.extend(&EDGES[random.below(EDGES.len())].to_le_bytes()[..width(kind)]),
        }
    }
    out
}
