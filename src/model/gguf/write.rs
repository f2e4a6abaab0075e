//! Writes GGUF files, version 3: what a trainer saves and what the tests read.
//!
//! Runs on whichever thread calls it and holds the whole file in memory until it is taken. It never touches the disk.
//! The same calls give the same bytes on every machine.

use candle_core::quantized::QTensor;
use candle_core::{Device, Tensor};

use super::super::ModelError;
use super::kind::{KINDS, Kind, SUPPORTED_TYPES};

/// Where a tensor may begin; what every converter writes.
const ALIGNMENT: usize = 32;

/// A GGUF file in the making.
#[derive(Default)]
pub struct GgufWriter {
    keys: Vec<u8>,
    key_count: u64,
    table: Vec<u8>,
    tensor_count: u64,
    data: Vec<u8>,
}

/// What can stand behind a key.
pub trait Stored {
    /// The type's number in the file.
    const KIND: u32;
    fn put(&self, out: &mut Vec<u8>);
}

macro_rules! numbers {
    ($($type:ty = $kind:literal),*) => {$(
        impl Stored for $type {
            const KIND: u32 = $kind;
            fn put(&self, out: &mut Vec<u8>) {
                out.extend(self.to_le_bytes());
            }
        }
    )*};
}
numbers!(u8 = 0, i8 = 1, u16 = 2, i16 = 3, u32 = 4, i32 = 5, f32 = 6, u64 = 10, i64 = 11, f64 = 12);

impl Stored for bool {
    const KIND: u32 = 7;
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
}

impl Stored for &str {
    const KIND: u32 = 8;
    fn put(&self, out: &mut Vec<u8>) {
        out.extend((self.len() as u64).to_le_bytes());
        out.extend(self.as_bytes());
    }
}

impl Stored for String {
    const KIND: u32 = 8;
    fn put(&self, out: &mut Vec<u8>) {
        self.as_str().put(out);
    }
}

impl<T: Stored> Stored for &[T] {
    const KIND: u32 = 9;
    fn put(&self, out: &mut Vec<u8>) {
        out.extend(T::KIND.to_le_bytes());
        out.extend((self.len() as u64).to_le_bytes());
        self.iter().for_each(|item| item.put(out));
    }
}

impl GgufWriter {
    pub fn new() -> GgufWriter {
        GgufWriter::default()
    }

    /// Adds a key. Readers want each only once.
    pub fn key(&mut self, key: &str, value: impl Stored) {
        fn put_all<T: Stored>(key: &str, value: &T, out: &mut Vec<u8>) {
            key.put(out);
            out.extend(T::KIND.to_le_bytes());
            value.put(out);
        }
        put_all(key, &value, &mut self.keys);
        self.key_count += 1;
    }

    /// Adds a tensor of `shape`, outermost dimension first, stored as `kind` (`"F32"`, `"Q8_0"`, `"Q4_K"`...).
    ///
    /// # Errors
    /// A type that cannot be written, a shape that is not the values' or whose rows do not fill whole blocks.
    pub fn tensor(&mut self, name: &str, shape: &[usize], kind: &str, values: &[f32]) -> Result<(), ModelError> {
        let wrong = |what: String| ModelError::Input(format!("tensor {name} cannot be written: {what}"));
        let kind = KINDS.iter().find(|row| row.1 == kind).map(|row| Kind(row.0)).filter(|kind| kind.candle().is_some());
        let Some((kind, candle)) = kind.and_then(|kind| Some((kind, kind.candle()?))) else {
            return Err(wrong(format!("choose a type of {SUPPORTED_TYPES}")));
        };
        if shape.iter().product::<usize>() != values.len() {
            return Err(wrong(format!("its shape is {shape:?} and it has {} values", values.len())));
        }
        let rows = Tensor::from_slice(values, shape, &Device::Cpu)?;
        let quantized = QTensor::quantize(&rows, candle).map_err(|e| wrong(e.to_string().lines().take(1).collect()))?;
        self.encoded_tensor(name, shape, kind.0, &quantized.data()?);
        Ok(())
    }

    /// Adds a tensor whose bytes are already those of the file's type number `kind`. Nothing is checked.
    pub fn encoded_tensor(&mut self, name: &str, shape: &[usize], kind: u32, bytes: &[u8]) {
        self.data.resize(self.data.len().next_multiple_of(ALIGNMENT), 0);
        name.put(&mut self.table);
        (shape.len() as u32).put(&mut self.table);
        shape.iter().rev().for_each(|n| (*n as u64).put(&mut self.table));
        kind.put(&mut self.table);
        (self.data.len() as u64).put(&mut self.table);
        self.data.extend(bytes);
        self.tensor_count += 1;
    }

    /// The file's bytes.
    pub fn finish(self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        3u32.put(&mut out);
        self.tensor_count.put(&mut out);
        self.key_count.put(&mut out);
        out.extend(&self.keys);
        out.extend(&self.table);
        out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
        out.extend(&self.data);
        // llama.cpp wants the last tensor padded as the others are.
        out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Source;
    use super::super::Gguf;
    use super::*;

    #[test]
    fn every_type_is_written_and_found_again() {
        let values: Vec<f32> = (0..512).map(|i| (i as f32 * 0.37).sin()).collect();
        let kinds: Vec<Kind> = KINDS.iter().map(|row| Kind(row.0)).filter(|kind| kind.candle().is_some()).collect();
        let mut writer = GgufWriter::new();
        for kind in &kinds {
            writer.tensor(&kind.name(), &[2, 256], &kind.name(), &values).unwrap();
        }
        let gguf = Gguf::read(&Source::Memory(writer.finish().into())).unwrap();
        for kind in kinds {
            let entry = gguf.tensor(&kind.name()).unwrap();
            let (elements, bytes) = kind.block().unwrap();
            assert_eq!((entry.kind, entry.shape.as_slice()), (kind, &[2, 256][..]));
            assert_eq!(gguf.tensor_bytes(entry).unwrap().len(), 512 / elements * bytes, "{}", kind.name());
        }
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        let mut writer = GgufWriter::new();
        for (shape, kind, values, word) in [
            (&[4usize, 8][..], "Q9_9", 32, "choose a type of F32"),
            (&[4, 8][..], "IQ4_XS", 32, "choose a type of F32"),
            (&[4, 8][..], "F32", 31, "it has 31 values"),
            (&[4, 8][..], "Q8_0", 32, "block size"),
        ] {
            let error = writer.tensor("moon", shape, kind, &vec![0.0; values]).unwrap_err().to_string();
            assert!(error.contains("tensor moon cannot be written") && error.contains(word), "{error}");
        }
    }
}
