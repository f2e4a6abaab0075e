//! Matrix products over slices, by the crate `gemm`; one thread each, since every thread has rows of its own.

use gemm::{Parallelism, gemm};

/// A matrix in a slice: element (r, c) stands at `r * down + c * right`.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    down: usize,
    right: usize,
}

impl<'a> Matrix<'a> {
    /// Row after row without gaps.
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Matrix<'a> {
        Matrix::strided(data, rows, columns, columns)
    }

    /// Rows that begin `down` elements after one another.
    pub fn strided(data: &'a [f32], rows: usize, columns: usize, down: usize) -> Matrix<'a> {
        assert!(rows == 0 || columns == 0 || (rows - 1) * down + columns <= data.len());
        Matrix { data, rows, columns, down, right: 1 }
    }

    /// Rows and columns exchanged.
    pub fn t(self) -> Matrix<'a> {
        Matrix { rows: self.columns, columns: self.rows, down: self.right, right: self.down, ..self }
    }
}

/// What becomes of the elements that were there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Overwrite,
    Add,
}

/// `c = scale × a · b`, or `c += …`; c has rows that begin `down` elements after one another.
pub fn multiply(c: &mut [f32], down: usize, target: Target, a: Matrix, b: Matrix, scale: f32) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    assert_eq!(k, b.rows);
    if m == 0 || n == 0 {
        return;
    }
    assert!(n <= down && (m - 1) * down + n <= c.len());
    // SAFETY: the asserts here and in `Matrix::strided` hold every element that the strides reach within its slice.
    unsafe {
        gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            down as isize,
            target == Target::Add,
            a.data.as_ptr(),
            a.right as isize,
            a.down as isize,
            b.data.as_ptr(),
            b.right as isize,
            b.down as isize,
            1.0,
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// `y (n, out) = x (n, in) · wᵀ`, or `y += …`, for w (out, in).
pub fn forward(y: &mut [f32], target: Target, x: &[f32], w: &[f32], n: usize, inputs: usize) {
    let outputs = w.len() / inputs;
    multiply(y, outputs, target, Matrix::new(x, n, inputs), Matrix::new(w, outputs, inputs).t(), 1.0);
}

/// `dx (n, in) = dy (n, out) · w`
pub fn back(dx: &mut [f32], dy: &[f32], w: &[f32], n: usize, inputs: usize) {
    let outputs = w.len() / inputs;
    multiply(dx, inputs, Target::Overwrite, Matrix::new(dy, n, outputs), Matrix::new(w, outputs, inputs), 1.0);
}

/// `dw (out, in) += dyᵀ · x`
pub fn gradient(dw: &mut [f32], dy: &[f32], x: &[f32], n: usize, inputs: usize) {
    let outputs = dw.len() / inputs;
    multiply(dw, inputs, Target::Add, Matrix::new(dy, n, outputs).t(), Matrix::new(x, n, inputs), 1.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_with_strides_turned_and_added() {
        // a (2, 3), b (3, 2)
        let (a, b) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
        let mut c = [9.0; 6];
        multiply(&mut c, 3, Target::Overwrite, Matrix::new(&a, 2, 3), Matrix::new(&b, 3, 2), 1.0);
        assert_eq!(c, [4.0, 5.0, 9.0, 10.0, 11.0, 9.0]);
        multiply(&mut c, 3, Target::Add, Matrix::new(&b, 3, 2).t(), Matrix::new(&a, 2, 3).t(), 2.0);
        assert_eq!(c, [12.0, 25.0, 9.0, 20.0, 33.0, 9.0]);
    }

    #[test]
    #[should_panic(expected = "assertion")]
    fn a_matrix_beyond_its_slice_is_refused() {
        Matrix::strided(&[0.0; 5], 2, 3, 3);
    }
}
