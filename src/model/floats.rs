//! A model's weights as numbers, for whoever wants to go on training them.
//!
//! Reads a whole tensor into memory at a time; never used while a show runs.

use super::gguf::Gguf;
use super::matrix::Matrix;
use super::{ModelError, Source};

/// An opened file whose tensors can be read as f32, whatever type they are stored in.
pub struct Floats(Gguf);

impl Floats {
    /// Opens a model's file.
    ///
    /// # Errors
    /// It cannot be read or does not hold together.
    pub fn open(source: &Source) -> Result<Floats, ModelError> {
        Ok(Floats(Gguf::read(source)?))
    }

    /// The text of a key; none where it is missing or no text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.text(key)
    }

    /// The shapes of all tensors by name, outermost dimension first.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.0.tensors.iter().map(|entry| (entry.name.as_str(), entry.shape.as_slice()))
    }

    /// The numbers of a tensor of this shape, row after row.
    ///
    /// # Errors
    /// There is no such tensor, it has another shape, or a type that cannot be computed with.
    pub fn read(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let Some(entry) = self.0.tensor(name) else { return Err(self.0.missing_tensor(name)) };
        if entry.shape != shape {
            return Err(self.0.wrong_shape(entry, shape));
        }
        let columns = shape.last().copied().unwrap_or(1);
        let rows = shape.iter().rev().skip(1).product();
        let bytes = self.0.tensor_bytes(entry)?;
        let matrix = Matrix::new(entry.kind, rows, columns, bytes).map_err(|what| {
            let what = format!("tensor {name}: {what}");
            ModelError::Damaged { file: self.0.file.clone(), offset: entry.offset, what }
        })?;
        let mut values = vec![0.0; rows * columns];
        values.chunks_exact_mut(columns).enumerate().for_each(|(i, row)| matrix.row(i, row));
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::super::GgufWriter;
    use super::*;

    #[test]
    fn tensors_come_back_as_the_numbers_they_were() {
        let values: Vec<f32> = (0..128).map(|i| (i as f32 * 0.7).sin()).collect();
        let mut file = GgufWriter::new();
        file.key("general.name", "wind");
        for (kind, _) in [("F32", 0.0), ("F16", 1e-3), ("Q8_0", 1e-2)] {
            file.tensor(kind, &[4, 32], kind, &values).unwrap();
        }
        let floats = Floats::open(&Source::Memory(file.finish().into())).unwrap();
        assert_eq!(floats.text("general.name"), Some("wind"));
        for (kind, most) in [("F32", 0.0), ("F16", 1e-3), ("Q8_0", 1e-2)] {
            let read = floats.read(kind, &[4, 32]).unwrap();
            assert!(read.iter().zip(&values).all(|(a, b)| (a - b).abs() <= most), "{kind}");
        }
        assert_eq!(floats.tensors().count(), 3);
        assert!(floats.read("F64", &[4, 32]).unwrap_err().to_string().contains("F64"));
        assert!(floats.read("F32", &[32, 4]).unwrap_err().to_string().contains("F32"));
    }
}
