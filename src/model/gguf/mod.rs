//! The GGUF file format: header, metadata and tensor table, over a mapping of the file. The weights are handed out as
//! the bytes they are in the file; what they mean is the decoder's business.
//!
//! Nothing in a file is trusted: every length is held against the file's size before anything is allocated, and texts
//! stay in the file until they are asked for. Immutable once read, any thread may use it.
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, versions 2 and 3, little endian.

mod kind;
mod read;
mod reader;
mod sound;
mod split;
#[cfg(test)]
mod tests;
mod texts;
mod write;

pub(super) use kind::Kind;
use kind::SUPPORTED_TYPES;
pub(super) use split::parts;
pub(super) use texts::Texts;
pub use write::{GgufWriter, Stored};

use std::collections::HashMap;

use super::source::Bytes;
use super::{ModelError, Source};

/// A GGUF file, or several that are one model, without its weights.
#[derive(Clone, Debug)]
pub(super) struct Gguf {
    /// The (first) file's name, for errors.
    pub file: String,
    pub version: u32,
    pub keys: Vec<(String, Value)>,
    pub tensors: Vec<TensorEntry>,
    /// Where the first tensor of the first file may begin.
    pub data_start: u64,
    /// Of all files together.
    pub file_bytes: u64,
    /// The files in their order, nearly always one.
    pub parts: Vec<Part>,
    /// Where each key stands in the first file, and where the keys end.
    pub places: HashMap<String, u64>,
    pub keys_end: u64,
    /// The row of the tensor table with this name.
    pub rows: HashMap<String, usize>,
}

/// One of the files of a model.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub file: String,
    pub bytes: Bytes,
}

/// A metadata value; the integer widths of the file are widened.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    Texts(Texts),
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
    /// From the beginning of its file.
    pub offset: u64,
    /// Which of the model's files holds it, counted from 0.
    pub part: usize,
}

impl Value {
    /// What it is, for people.
    fn what(&self) -> &'static str {
        match self {
            Value::Unsigned(_) | Value::Signed(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Bool(_) => "true or false",
            Value::Text(_) => "a text",
            Value::Texts(_) => "a list of texts",
            Value::Integers(_) => "a list of whole numbers",
            Value::Floats(_) => "a list of numbers",
            Value::Bools(_) => "a list of true or false",
        }
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
    /// Reads header, metadata and tensor table; of a model in several files, those of all of them.
    ///
    /// # Errors
    /// A file cannot be read, is no GGUF, is cut short or does not hold together; the source is not a model's first
    /// part, or a later part is missing.
    pub fn read(source: &Source) -> Result<Gguf, ModelError> {
        read::read(source)
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.keys.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub fn tensor(&self, name: &str) -> Option<&TensorEntry> {
        self.tensors.get(*self.rows.get(name)?)
    }

    /// A tensor's bytes where they lie in its file.
    ///
    /// # Errors
    /// Its type is not known, so that its length is not either.
    pub fn tensor_bytes(&self, entry: &TensorEntry) -> Result<Bytes, ModelError> {
        if entry.kind.block().is_none() {
            return Err(self.wrong_type(entry));
        }
        let (start, end) = (entry.offset as usize, (entry.offset + entry.bytes()) as usize);
        self.parts.get(entry.part).and_then(|part| part.bytes.slice(start..end)).ok_or_else(|| {
            let what = format!("tensor {} lies beyond the file's end", entry.name);
            ModelError::Damaged { file: self.file_of(entry), offset: entry.offset, what }
        })
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

    pub fn texts(&self, key: &str) -> Option<&Texts> {
        match self.get(key)? {
            Value::Texts(texts) => Some(texts),
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

    /// The error for a key without which nothing goes: it is missing, or it is something else than was asked for.
    pub fn missing(&self, key: &str) -> ModelError {
        if let Some(value) = self.get(key) {
            return self.bad_key(key, format!("{} cannot be used here; convert the model again", value.what()));
        }
        ModelError::MissingKey { file: self.file.clone(), key: key.to_string(), offset: self.keys_end }
    }

    pub fn bad_key(&self, key: &str, problem: impl Into<String>) -> ModelError {
        // A key that is not there is bad by what follows from its absence.
        let offset = self.places.get(key).copied().unwrap_or(self.keys_end);
        ModelError::BadKey { file: self.file.clone(), key: key.to_string(), offset, problem: problem.into() }
    }

    pub fn unsupported(&self, architecture: String, supported: String) -> ModelError {
        let offset = self.places.get("general.architecture").copied().unwrap_or(self.keys_end);
        ModelError::Architecture { file: self.file.clone(), offset, found: architecture, supported }
    }

    pub fn missing_tensor(&self, name: &str) -> ModelError {
        ModelError::MissingTensor { file: self.file.clone(), tensor: name.to_string(), offset: self.data_start }
    }

    pub fn wrong_shape(&self, entry: &TensorEntry, expected: &[usize]) -> ModelError {
        ModelError::Shape {
            file: self.file_of(entry),
            tensor: entry.name.clone(),
            offset: entry.offset,
            found: entry.shape.clone(),
            expected: expected.to_vec(),
        }
    }

    pub fn wrong_type(&self, entry: &TensorEntry) -> ModelError {
        ModelError::TensorType {
            file: self.file_of(entry),
            tensor: entry.name.clone(),
            offset: entry.offset,
            kind: entry.kind.name(),
            supported: SUPPORTED_TYPES,
        }
    }

    fn file_of(&self, entry: &TensorEntry) -> String {
        self.parts.get(entry.part).map_or_else(|| self.file.clone(), |part| part.file.clone())
    }
}
