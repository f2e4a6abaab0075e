//! Looks for the weights that make a model compute no numbers. Reads every tensor once, so it is asked only when that
//! has happened: 0.3 s for each gigabyte.

use super::super::ModelError;
use super::{Gguf, Kind, TensorEntry};

/// Where a block keeps its scales: type, bytes from the block's beginning. Block sizes are in the table of types.
const SCALES: &[(&str, &[usize])] = &[
    ("F16", &[0]),
    ("Q4_0", &[0]),
    ("Q4_1", &[0, 2]),
    ("Q5_0", &[0]),
    ("Q5_1", &[0, 2]),
    ("Q8_0", &[0]),
    ("Q2_K", &[80, 82]),
    ("Q3_K", &[108]),
    ("Q4_K", &[0, 2]),
    ("Q5_K", &[0, 2]),
    ("Q6_K", &[208]),
];

impl Gguf {
    /// The error for logits that are not numbers: names the first weight that is none, else the tensor with the
    /// largest.
    pub fn unsound(&self) -> ModelError {
        let mut largest: (f32, Option<&TensorEntry>) = (-1.0, None);
        for entry in &self.tensors {
            let Ok(bytes) = self.tensor_bytes(entry) else { continue };
            match scan(entry.kind, &bytes) {
                Ok(most) if most > largest.0 => largest = (most, Some(entry)),
                Ok(_) => {}
                Err(at) => {
                    let what = format!("tensor {} holds a weight that is no number", entry.name);
                    return self.damaged(entry, entry.offset + at as u64, what);
                }
            }
        }
        match largest.1 {
            Some(entry) => {
                let what = format!("its logits are no numbers; tensor {} has the largest weights", entry.name);
                self.damaged(entry, entry.offset, what)
            }
            None => ModelError::Compute("its logits are no numbers".to_string()),
        }
    }

    fn damaged(&self, entry: &TensorEntry, offset: u64, what: String) -> ModelError {
        ModelError::Damaged { file: self.file_of(entry), offset, what }
    }
}

/// The largest value or scale of a tensor, or where the first that is no finite number is.
fn scan(kind: Kind, bytes: &[u8]) -> Result<f32, usize> {
    let name = kind.name();
    let single = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    let brain = |b: &[u8]| f32::from_bits(u32::from(u16::from_le_bytes([b[0], b[1]])) << 16);
    let half = |b: &[u8]| half::f16::from_le_bytes([b[0], b[1]]).to_f32();
    let size = kind.block().map_or(1, |(_, bytes)| bytes);
    match name.as_str() {
        "F32" | "Q8_K" => largest(bytes, size, &[0], single),
        "BF16" => largest(bytes, size, &[0], brain),
        _ => match SCALES.iter().find(|row| row.0 == name) {
            Some((_, places)) => largest(bytes, size, places, half),
            None => Ok(0.0),
        },
    }
}

fn largest(bytes: &[u8], size: usize, places: &[usize], value: impl Fn(&[u8]) -> f32) -> Result<f32, usize> {
    let mut most = 0f32;
    for (i, block) in bytes.chunks_exact(size).enumerate() {
        for place in places {
            let value = value(&block[*place..]).abs();
            if !value.is_finite() {
                return Err(i * size + place);
            }
            most = most.max(value);
        }
    }
    Ok(most)
}

#[cfg(test)]
mod tests {
    use super::super::super::{GgufWriter, Source};
    use super::super::kind::KINDS;
    use super::*;

    #[test]
    fn a_weight_that_is_no_number_is_found_in_every_type() {
        let values: Vec<f32> = (0..512).map(|i| (i as f32).sin()).collect();
        let read = |writer: GgufWriter| Gguf::read(&Source::Memory(writer.finish().into())).unwrap();
        for kind in KINDS.iter().map(|row| Kind(row.0)).filter(|kind| kind.candle().is_some()) {
            let name = kind.name();
            let mut writer = GgufWriter::new();
            writer.tensor("whole", &[2, 256], &name, &values).unwrap();
            let gguf = read(writer);
            let error = gguf.unsound().to_string();
            assert!(error.contains("tensor whole has the largest weights"), "{error}");
            // The last scale of the second block becomes none: all its bits are set.
            let mut bytes = gguf.tensor_bytes(&gguf.tensors[0]).unwrap().to_vec();
            let size = kind.block().unwrap().1;
            let place = SCALES.iter().find(|row| row.0 == name).map_or(0, |row| row.1[row.1.len() - 1]);
            let width = if ["F32", "Q8_K"].contains(&name.as_str()) { 4 } else { 2 };
            bytes[size + place..][..width].fill(0xff);
            let mut writer = GgufWriter::new();
            writer.encoded_tensor("broken", &[2, 256], kind.0, &bytes);
            let gguf = read(writer);
            let (error, at) = (gguf.unsound().to_string(), gguf.data_start as usize + size + place);
            let expected = format!("offset {at}: tensor broken holds a weight that is no number");
            assert!(error.contains(&expected), "{name}: {error}");
        }
    }
}
