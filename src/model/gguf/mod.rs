//! The GGUF file format: header, metadata and tensor table. The weights themselves are read by the decoder.
//!
//! Nothing in a file is trusted: every length is held against the file's size before anything is allocated.
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, versions 2 and 3, little endian.

mod read;
mod write;

pub use write::{GgufWriter, Stored};

use candle_core::quantized::GgmlDType;

use super::source::Bytes;
use super::{ModelError, Source};

/// Types of tensors that can be computed with, for error messages.
pub(super) const SUPPORTED_TYPES: &str = "F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 or Q2_K to Q8_K";

/// A GGUF file without its weights.
#[derive(Clone, Debug)]
pub(super) struct Gguf {
    /// The file's name, for errors.
    pub file: String,
    pub version: u32,
    pub keys: Vec<(String, Value)>,
    pub tensors: Vec<TensorEntry>,
    /// Where the first tensor may begin; tensor offsets count from here.
    pub data_start: u64,
    pub file_bytes: u64,
    pub map: Bytes,
}

/// A metadata value; the integer widths of the file are widened.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    Texts(Vec<String>),
    Integers(Vec<i64>),
    Floats(Vec<f32>),
    Bools(Vec<bool>),
}

/// A row of the tensor table.
#[derive(Clone, Debug)]
pub(super) struct TensorEntry {
    pub name: String,
    /// Outermost dimension first: `(rows, columns)` of a matrix.
    pub shape: Vec<usize>,
    pub kind: Kind,
    /// From the beginning of the file.
    pub offset: u64,
}

/// A tensor's type as the file numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind(pub u32);

/// number, name, elements in a block, bytes in a block
const KINDS: &[(u32, &str, usize, usize)] = &[
    (0, "F32", 1, 4),
    (1, "F16", 1, 2),
    (2, "Q4_0", 32, 18),
    (3, "Q4_1", 32, 20),
    (6, "Q5_0", 32, 22),
    (7, "Q5_1", 32, 24),
    (8, "Q8_0", 32, 34),
    (9, "Q8_1", 32, 36),
    (10, "Q2_K", 256, 84),
    (11, "Q3_K", 256, 110),
    (12, "Q4_K", 256, 144),
    (13, "Q5_K", 256, 176),
    (14, "Q6_K", 256, 210),
    (15, "Q8_K", 256, 292),
    (16, "IQ2_XXS", 256, 66),
    (17, "IQ2_XS", 256, 74),
    (18, "IQ3_XXS", 256, 98),
    (19, "IQ1_S", 256, 50),
    (20, "IQ4_NL", 32, 18),
    (21, "IQ3_S", 256, 110),
    (22, "IQ2_S", 256, 82),
    (23, "IQ4_XS", 256, 136),
    (24, "I8", 1, 1),
    (25, "I16", 1, 2),
    (26, "I32", 1, 4),
    (27, "I64", 1, 8),
    (28, "F64", 1, 8),
    (29, "IQ1_M", 256, 56),
    (30, "BF16", 1, 2),
    (34, "TQ1_0", 256, 54),
    (35, "TQ2_0", 256, 66),
    (39, "MXFP4", 32, 17),
];

impl Kind {
    fn row(self) -> Option<&'static (u32, &'static str, usize, usize)> {
        KINDS.iter().find(|row| row.0 == self.0)
    }

    pub fn name(self) -> String {
        self.row().map_or_else(|| format!("number {}", self.0), |row| row.1.to_string())
    }

    /// Elements and bytes in a block, where the type is known.
    pub fn block(self) -> Option<(usize, usize)> {
        self.row().map(|row| (row.2, row.3))
    }

    /// The type as candle knows it.
    pub fn candle(self) -> Option<GgmlDType> {
        Some(match self.0 {
            0 => GgmlDType::F32,
            1 => GgmlDType::F16,
            2 => GgmlDType::Q4_0,
            3 => GgmlDType::Q4_1,
            6 => GgmlDType::Q5_0,
            7 => GgmlDType::Q5_1,
            8 => GgmlDType::Q8_0,
            9 => GgmlDType::Q8_1,
            10 => GgmlDType::Q2K,
            11 => GgmlDType::Q3K,
            12 => GgmlDType::Q4K,
            13 => GgmlDType::Q5K,
            14 => GgmlDType::Q6K,
            15 => GgmlDType::Q8K,
            30 => GgmlDType::BF16,
            _ => return None,
        })
    }
}

impl TensorEntry {
    pub fn elements(&self) -> u64 {
        self.shape.iter().map(|n| *n as u64).product()
    }

    /// Bytes in the file; 0 for a type whose blocks are not known. Checked for overflow when the table was read.
    pub fn bytes(&self) -> u64 {
        self.kind.block().map_or(0, |(elements, bytes)| self.elements() / elements as u64 * bytes as u64)
    }
}

impl Gguf {
    /// Reads header, metadata and tensor table.
    ///
    /// # Errors
    /// The file cannot be read, is no GGUF, is cut short or does not hold together.
    pub fn read(source: &Source) -> Result<Gguf, ModelError> {
        let (bytes, length) = source.open()?;
        read::read(source, bytes, length)
    }

    pub fn tensor_bytes(&self, t: &TensorEntry) -> Result<Bytes, ModelError> {
        let range = t.offset as usize..(t.offset + t.bytes()) as usize;
        self.map.slice(range).ok_or_else(|| self.bad_key(&t.name, "outside"))
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.keys.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub fn tensor(&self, name: &str) -> Option<&TensorEntry> {
        self.tensors.iter().find(|t| t.name == name)
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn bool(&self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// A whole number of either sign; an array of equal numbers counts as that number (per-layer head counts).
    pub fn integer(&self, key: &str) -> Option<u64> {
        match self.get(key)? {
            Value::Unsigned(n) => Some(*n),
            Value::Signed(n) => u64::try_from(*n).ok(),
            Value::Integers(list) if !list.is_empty() && list.iter().all(|n| *n == list[0]) => {
                u64::try_from(list[0]).ok()
            }
            _ => None,
        }
    }

    pub fn float(&self, key: &str) -> Option<f64> {
        match self.get(key)? {
            Value::Float(x) => Some(*x),
            Value::Unsigned(n) => Some(*n as f64),
            Value::Signed(n) => Some(*n as f64),
            _ => None,
        }
    }

    pub fn missing(&self, key: &str) -> ModelError {
        ModelError::MissingKey { file: self.file.clone(), key: key.to_string() }
    }

    pub fn bad_key(&self, key: &str, problem: impl Into<String>) -> ModelError {
        ModelError::BadKey { file: self.file.clone(), key: key.to_string(), problem: problem.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_sizes_agree_with_candle() {
        for (number, name, elements, bytes) in KINDS {
            if let Some(kind) = Kind(*number).candle() {
                assert_eq!((kind.block_size(), kind.type_size()), (*elements, *bytes), "{name}");
            }
        }
    }

    #[test]
    fn the_embedded_model_is_read() {
        let gguf = Gguf::read(&Source::Embedded).unwrap();
        assert_eq!(gguf.version, 3);
        assert_eq!(gguf.integer("llama.embedding_length"), Some(192));
        let table = gguf.tensor("token_embd.weight").unwrap();
        assert_eq!(table.shape, [6144, 192]);
        assert_eq!(table.bytes(), 6144 * 192 / 32 * 34);
    }
}
