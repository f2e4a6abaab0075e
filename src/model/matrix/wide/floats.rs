//! Products with weights that are floating-point numbers, in single precision: F16 and BF16. F32 has a product of its own, see [`super::super::float`].

use std::arch::x86_64::*;

use super::super::share::Out;
use super::dot::prefetch;
use super::panel::{LANES, turn};

/// Rows of weights that are multiplied as one piece of work: two registers of them.
pub const TILE: usize = 2 * LANES;

/// Columns that are turned at once, so that a tile stays in the first-level cache.
const DEPTH: usize = 128;

/// So few rows of activations are multiplied one by one with each row of weights, which is then still in the cache:
/// turning a tile costs as much as seven products with it.
const FEW: usize = 6;

/// A type of weights.
pub trait Float {
    const BYTES: usize;
    /// The first 16 numbers, or those that `mask` names and zeros.
    ///
    /// # Safety
    /// The processor has the features, and those numbers can be read.
    unsafe fn load(at: *const u8, mask: __mmask16) -> __m512;
}

pub struct F16;
pub struct BF16;

impl Float for F16 {
    const BYTES: usize = 2;
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn load(at: *const u8, mask: __mmask16) -> __m512 {
        // SAFETY: the caller's.
        unsafe { _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, at.cast())) }
    }
}

impl Float for BF16 {
    const BYTES: usize = 2;
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn load(at: *const u8, mask: __mmask16) -> __m512 {
        // SAFETY: the caller's.
        let halves = unsafe { _mm256_maskz_loadu_epi16(mask, at.cast()) };
        _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(halves)))
    }
}

/// Those of the 16 lanes that lie before `columns`.
fn mask(column: usize, columns: usize) -> __mmask16 {
    if column + 16 <= columns { 0xFFFF } else { (1 << (columns - column)) - 1 }
}

/// `rows` rows of `columns` weights times `m` rows of `x`, to columns `first..` of `out` (m, outputs).
///
/// # Safety
/// The processor has the features, `weights` holds the rows, and nobody else writes those columns.
pub type Multiply =
    unsafe fn(weights: &[u8], rows: usize, x: &[f32], columns: usize, first: usize, outputs: usize, out: &Out<f32>);

/// See [`Multiply`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,fma")]
pub unsafe fn multiply<T: Float>(
    weights: &[u8],
    rows: usize,
    x: &[f32],
    columns: usize,
    first: usize,
    outputs: usize,
    out: &Out<f32>,
) {
    if x.len() <= FEW * columns {
        for row in 0..rows {
            let weights = weights[row * columns * T::BYTES..].as_ptr();
            for (i, x) in x.chunks_exact(columns).enumerate() {
                // SAFETY: the caller's.
                unsafe { out.write(i * outputs + first + row, &[dot::<T>(weights, x)]) };
            }
        }
        return;
    }
    let mut panel = [[[0.0f32; LANES]; 2]; DEPTH];
    let mut sums = [[[0.0f32; LANES]; 2]; super::TOGETHER];
    for (block, x) in x.chunks(columns * super::TOGETHER).enumerate() {
        let m = x.len() / columns;
        sums[..m].fill([[0.0; LANES]; 2]);
        for start in (0..columns).step_by(DEPTH) {
            let depth = DEPTH.min(columns - start);
            // SAFETY: the caller's; where fewer rows are left, the last one stands in for those that are missing.
            unsafe {
                let row = |i: usize| weights[(i.min(rows - 1) * columns + start) * T::BYTES..].as_ptr();
                fill::<T>(row, depth, &mut panel);
                let (mut eights, mut left) = (sums[..m].as_chunks_mut::<8>().0.iter_mut(), m / 8 * 8);
                for (i, sums) in eights.by_ref().enumerate() {
                    few::<8>(&panel[..depth], x[i * 8 * columns + start..].as_ptr(), columns, sums);
                }
                while left < m {
                    let sums = (&mut sums[left..left + 1]).try_into().expect("one row");
                    few::<1>(&panel[..depth], x[left * columns + start..].as_ptr(), columns, sums);
                    left += 1;
                }
            }
        }
        for (i, sums) in sums[..m].iter().enumerate() {
            // SAFETY: the caller's.
            unsafe { out.write((block * super::TOGETHER + i) * outputs + first, &sums.as_flattened()[..rows]) };
        }
    }
}

/// One row of weights times one of activations.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,fma")]
unsafe fn dot<T: Float>(row: *const u8, x: &[f32]) -> f32 {
    let mut sums = [_mm512_setzero_ps(); 4];
    let columns = x.len();
    let whole = columns / 64 * 64;
    // SAFETY: the caller's; masks keep to the row.
    unsafe {
        for column in (0..whole).step_by(64) {
            if T::BYTES == 4 {
                prefetch::<256>(row.add(column * 4));
            } else {
                prefetch::<128>(row.add(column * 2));
            }
            for (i, sum) in sums.iter_mut().enumerate() {
                let at = column + i * 16;
                *sum =
                    _mm512_fmadd_ps(T::load(row.add(at * T::BYTES), 0xFFFF), _mm512_loadu_ps(x.as_ptr().add(at)), *sum);
            }
        }
        for (i, column) in (whole..columns).step_by(16).enumerate() {
            let mask = mask(column, columns);
            let x = _mm512_maskz_loadu_ps(mask, x.as_ptr().add(column));
            sums[i] = _mm512_fmadd_ps(T::load(row.add(column * T::BYTES), mask), x, sums[i]);
        }
    }
    _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3])))
}

/// Turns `depth` columns of 32 rows so that the rows are the lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn fill<T: Float>(row: impl Fn(usize) -> *const u8, depth: usize, panel: &mut [[[f32; LANES]; 2]; DEPTH]) {
    let mut flat = [[0.0f32; DEPTH]; LANES];
    for side in 0..2 {
        for (i, flat) in flat.iter_mut().enumerate() {
            for column in (0..depth).step_by(16) {
                // SAFETY: the caller's; the mask keeps to the row, and a flat row has room for whole registers.
                unsafe {
                    let numbers = T::load(row(side * LANES + i).add(column * T::BYTES), mask(column, depth));
                    _mm512_storeu_ps(flat.as_mut_ptr().add(column), numbers);
                }
            }
        }
        for column in (0..depth).step_by(4) {
            // SAFETY: four numbers are 16 bytes, and so many columns is a multiple of four.
            let lines = unsafe { turn(|row| flat[row].as_ptr().add(column).cast()) };
            for (line, out) in lines.into_iter().zip(&mut panel[column..]) {
                // SAFETY: 16 numbers.
                unsafe { _mm512_storeu_si512(out[side].as_mut_ptr().cast(), line) };
            }
        }
    }
}

/// Adds the panel times `M` rows of activations, `stride` apart, to `sums`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,fma")]
unsafe fn few<const M: usize>(
    panel: &[[[f32; LANES]; 2]],
    x: *const f32,
    stride: usize,
    sums: &mut [[[f32; LANES]; 2]; M],
) {
    // SAFETY: the caller's; loads and stores are of 16 numbers.
    unsafe {
        let mut wide: [[__m512; 2]; M] =
            std::array::from_fn(|i| std::array::from_fn(|side| _mm512_loadu_ps(sums[i][side].as_ptr())));
        for (column, w) in panel.iter().enumerate() {
            let w: [__m512; 2] = std::array::from_fn(|side| _mm512_loadu_ps(w[side].as_ptr()));
            for (i, wide) in wide.iter_mut().enumerate() {
                let x = _mm512_set1_ps(x.add(i * stride + column).read());
                wide[0] = _mm512_fmadd_ps(w[0], x, wide[0]);
                wide[1] = _mm512_fmadd_ps(w[1], x, wide[1]);
            }
        }
        for (wide, sums) in wide.into_iter().zip(sums) {
            for (wide, sums) in wide.into_iter().zip(sums) {
                _mm512_storeu_ps(sums.as_mut_ptr(), wide);
            }
        }
    }
}
