//! Matrices as they stand in the model's file, and the products with them. Nothing is rearranged in advance, so a
//! matrix costs its bytes in the mapped file and nothing else.
//!
//! Runs on the thread that asks and in candle's thread pool, which computes everything. Knows no names of tensors and
//! no layers. A product of one row must not depend on the number of threads.

mod float;
mod plain;
mod rows;
#[cfg(target_arch = "x86_64")]
mod share;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod wide;

pub use rows::Rows;

use std::ops::Range;

use super::gguf::Kind;
use super::source::Bytes;

use plain::Plain;
#[cfg(target_arch = "x86_64")]
use share::{Out, each};
#[cfg(target_arch = "x86_64")]
use wide::Wide;

/// Matrices that are multiplied in one wake of the pool: as many as a layer has for the same activations.
#[cfg(target_arch = "x86_64")]
const TOGETHER: usize = 4;

/// A matrix (rows, columns): rows are the outputs of a product, columns its inputs.
#[derive(Clone)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    row_bytes: usize,
    bytes: Bytes,
    plain: &'static Plain,
    #[cfg(target_arch = "x86_64")]
    wide: Option<&'static Wide>,
}

impl Matrix {
    /// Holds the bytes against type and shape. Copies them only if they begin where their numbers may not.
    ///
    /// # Errors
    /// A type that cannot be multiplied with, a row that is no whole number of blocks, or too few or too many bytes.
    pub fn new(kind: Kind, rows: usize, columns: usize, bytes: Bytes) -> Result<Matrix, String> {
        let (Some(plain), Some((elements, block))) = (plain::of(kind), kind.block()) else {
            return Err(format!("type {} cannot be computed with", kind.name()));
        };
        if rows == 0 || columns == 0 {
            return Err(format!("{rows} rows of {columns} are no numbers"));
        }
        if !columns.is_multiple_of(elements) {
            return Err(format!("rows of {columns} are no whole number of {}'s blocks of {elements}", kind.name()));
        }
        let row_bytes = (columns / elements).checked_mul(block);
        let needed = row_bytes.and_then(|n| n.checked_mul(rows));
        let (Some(row_bytes), Some(needed)) = (row_bytes, needed) else {
            return Err(format!("{rows} rows of {columns} are more than memory can hold"));
        };
        if needed != bytes.len() {
            return Err(format!(
                "{rows} rows of {columns} in {} take {needed} bytes, not {}",
                kind.name(),
                bytes.len()
            ));
        }
        let bytes = if bytes.as_ptr().addr().is_multiple_of(plain.align) { bytes } else { bytes.aligned_copy() };
        Ok(Matrix {
            rows,
            columns,
            row_bytes,
            bytes,
            plain,
            #[cfg(target_arch = "x86_64")]
            wide: wide::of(kind),
        })
    }

    /// Its bytes in the file: what one product with it reads.
    pub fn stored(&self) -> &[u8] {
        &self.bytes
    }

    /// Some of its rows, in the same memory; `None` where it has no such rows.
    pub fn part(&self, rows: Range<usize>) -> Option<Matrix> {
        if rows.start > rows.end || rows.end > self.rows {
            return None;
        }
        let bytes = self.bytes.slice(rows.start * self.row_bytes..rows.end * self.row_bytes)?;
        Some(Matrix { rows: rows.len(), bytes, ..*self })
    }

    /// Row `i` as numbers.
    pub fn row(&self, i: usize, out: &mut [f32]) {
        assert_eq!(out.len(), self.columns);
        (self.plain.to_float)(&self.bytes[i * self.row_bytes..][..self.row_bytes], out);
    }
}

/// `outs[i] = rows * matrices[i]^T`, each of shape (m, rows of the matrix). Every matrix has as many columns as `rows`.
pub fn multiply(matrices: &[&Matrix], rows: &mut Rows, outs: &mut [&mut Vec<f32>]) {
    assert_eq!(matrices.len(), outs.len());
    for (matrix, out) in matrices.iter().zip(outs.iter_mut()) {
        assert_eq!(matrix.columns, rows.columns());
        out.resize(rows.m() * matrix.rows, 0.0);
    }
    #[cfg(target_arch = "x86_64")]
    for (matrices, outs) in matrices.chunks(TOGETHER).zip(outs.chunks_mut(TOGETHER)) {
        multiply_wide(matrices, rows, outs);
    }
    for (matrix, out) in matrices.iter().zip(outs) {
        #[cfg(target_arch = "x86_64")]
        if matrix.wide.is_some() {
            continue;
        }
        (matrix.plain.multiply)((rows.m(), matrix.columns, matrix.rows), rows.floats(), &matrix.bytes, out);
    }
}

/// The products that own kernels can do, in one wake of the pool.
#[cfg(target_arch = "x86_64")]
fn multiply_wide(matrices: &[&Matrix], rows: &mut Rows, outs: &mut [&mut Vec<f32>]) {
    let tiles = |matrix: &Matrix| matrix.wide.map_or(0, |wide| matrix.rows.div_ceil(wide.tile()));
    let total = matrices.iter().map(|matrix| tiles(matrix)).sum();
    if total == 0 {
        return;
    }
    let x = rows.input(matrices.iter().filter_map(|matrix| matrix.wide?.grain()));
    let mut outs = outs.iter_mut();
    let outs: [Option<Out<f32>>; TOGETHER] = std::array::from_fn(|_| outs.next().map(|out| Out::new(out)));
    each(total, false, |mut tile| {
        for (matrix, out) in matrices.iter().zip(&outs) {
            let tiles = tiles(matrix);
            if let (Some(wide), Some(out), true) = (matrix.wide, out, tile < tiles) {
                let first = tile * wide.tile();
                let rows = wide.tile().min(matrix.rows - first);
                let weights = &matrix.bytes[first * matrix.row_bytes..(first + rows) * matrix.row_bytes];
                // SAFETY: each tile has columns of its own.
                unsafe { wide.multiply(weights, rows, &x, first, matrix.rows, out) };
                return;
            }
            tile -= tiles;
        }
    });
}
