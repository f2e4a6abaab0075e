//! temporary
use std::ops::Range;
use std::sync::Arc;

use candle_core::quantized::{QStorage, QTensor};
use candle_core::{CpuStorage, CustomOp1, Device, Layout};

use super::gguf::Kind;
use super::source::Bytes;

#[derive(Clone)]
pub struct Matrix {
    kind: Kind,
    rows: usize,
    columns: usize,
    bytes: Bytes,
    q: Arc<QTensor>,
}

impl Matrix {
    pub fn new(kind: Kind, rows: usize, columns: usize, bytes: Bytes) -> Result<Matrix, String> {
        let dtype = kind.candle().ok_or("type")?;
        let s = QStorage::from_data((&*bytes).into(), &Device::Cpu, dtype).map_err(|e| e.to_string())?;
        let q = Arc::new(QTensor::new(s, (rows, columns)).map_err(|e| e.to_string())?);
        Ok(Matrix { kind, rows, columns, bytes, q })
    }
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }
    pub fn stored(&self) -> &[u8] {
        &self.bytes
    }
    pub fn part(&self, rows: Range<usize>) -> Option<Matrix> {
        let b = self.bytes.len() / self.rows;
        Matrix::new(self.kind, rows.len(), self.columns, self.bytes.slice(rows.start * b..rows.end * b)?).ok()
    }
    pub fn row(&self, i: usize, out: &mut [f32]) {
        let m = self.part(i..i + 1).unwrap();
        let v: Vec<f32> = m.q.dequantize(&Device::Cpu).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        out.copy_from_slice(&v);
    }
}
#[derive(Default)]
pub struct Rows(Vec<f32>, usize);
impl Rows {
    pub fn set(&mut self, x: &[f32], m: usize) {
        self.0 = x.to_vec();
        self.1 = m;
    }
}
pub fn multiply(ms: &[&Matrix], rows: &mut Rows, outs: &mut [&mut Vec<f32>]) {
    for (m, out) in ms.iter().zip(outs) {
        let s = CpuStorage::F32(rows.0.clone());
        let (CpuStorage::F32(p), _) = m.q.cpu_fwd(&s, &Layout::contiguous((rows.1, m.columns))).unwrap() else {
            panic!()
        };
        **out = p;
    }
}
