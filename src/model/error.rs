//! What can be wrong with a model file or with what is asked of a model, each said in one line: the file, the place in
//! it, and what to do.

use std::io;

/// A one-line error about a model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("{file}: cannot be read: {source}; check the path and its permissions")]
    Unreadable { file: String, source: io::Error },
    #[error("{file}: byte 0: not a GGUF file, it begins with {found}; give a model file that ends in .gguf")]
    NotGguf { file: String, found: String },
    #[error("{file}: byte 4: GGUF version {version} is not supported, versions 2 and 3 are; convert the model again")]
    Version { file: String, version: u32 },
    #[error("{file}: byte 4: written for big-endian machines; choose the little-endian file of this model")]
    BigEndian { file: String },
    #[error(
        "{file}: cut short: {what} at byte offset {offset} needs the file to have {needed} bytes, it has {has}; \
         copy or download it again"
    )]
    Truncated { file: String, what: String, offset: u64, needed: u64, has: u64 },
    #[error("{file}: damaged at byte offset {offset}: {what}; copy or download it again")]
    Damaged { file: String, offset: u64, what: String },
    #[error(
        "{file}: key general.architecture at byte offset {offset}: {found:?} is not supported; these are: {supported}"
    )]
    Architecture { file: String, offset: u64, found: String, supported: String },
    #[error(
        "{file}: key {key} is missing (the keys end at byte offset {offset}); convert the model again with a current \
         converter"
    )]
    MissingKey { file: String, key: String, offset: u64 },
    #[error("{file}: key {key} at byte offset {offset}: {problem}")]
    BadKey { file: String, key: String, offset: u64, problem: String },
    #[error(
        "{file}: tensor {tensor} at byte offset {offset}: type {kind} is not supported; choose a file in {supported}"
    )]
    TensorType { file: String, tensor: String, offset: u64, kind: String, supported: &'static str },
    #[error(
        "{file}: tensor {tensor} is missing (the table of tensors ends before byte offset {offset}); convert the model \
         again with a current converter"
    )]
    MissingTensor { file: String, tensor: String, offset: u64 },
    #[error(
        "{file}: tensor {tensor} at byte offset {offset}: shape {found:?} where {expected:?} was expected; convert the \
         model again"
    )]
    Shape { file: String, tensor: String, offset: u64, found: Vec<usize>, expected: Vec<usize> },
    #[error("{file}: {what}; give the first part, with the others beside it")]
    Part { file: String, what: String },
    #[error(
        "{file}: needs {needed} of memory, {available} is available; choose a smaller quantization or a smaller \
         --context, close other programs, or give --force"
    )]
    DoesNotFit { file: String, needed: String, available: String },
    #[error("{0}")]
    Input(String),
    #[error("the model could not be computed: {0}; try another model file")]
    Compute(String),
}

impl From<candle_core::Error> for ModelError {
    fn from(e: candle_core::Error) -> ModelError {
        let text = e.to_string();
        ModelError::Compute(text.lines().next().unwrap_or_default().to_string())
    }
}
