//! Products with weights that are floating-point numbers, in single precision: F16 and BF16. F32 has a product of its own, see [`super::super::float`].

use std::arch::x86_64::*;

use super::super::share::Out;
use super::dot::prefetch;
use super::lines::{four_times, load, put_sixteen, sixteen, store};
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
    #[inline(always)]
    unsafe fn load(at: *const u8, mask: __mmask16) -> __m512 {
        // SAFETY: the caller's.
        unsafe { _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, at.cast())) }
    }
}

impl Float for BF16 {
    const BYTES: usize = 2;
    #[inline(always)]
    unsafe fn load(at: *const u8, mask: __mmask16) -> __m512 {
        // SAFETY: the caller's.
        unsafe {
            let halves = _mm256_maskz_loadu_epi16(mask, at.cast());
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(halves)))
        }
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
            // SAFETY: the features are there, and the caller has the rows; where fewer are left, the last one stands in
            // for those that are missing.
            unsafe {
                for side in 0..2 {
                    let row = |i: usize| (side * LANES + i).min(rows - 1) * columns + start;
                    fill::<T>(|i| weights[row(i) * T::BYTES..].as_ptr(), depth, side, &mut panel);
                }
                let (panel, mut i) = (&panel[..depth], 0);
                while i + 8 <= m {
                    few::<8>(panel, x[i * columns + start..].as_ptr(), columns, &mut sums[i..i + 8]);
                    i += 8;
                }
                while i < m {
                    few::<1>(panel, x[i * columns + start..].as_ptr(), columns, &mut sums[i..i + 1]);
                    i += 1;
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
#[inline(always)]
unsafe fn dot<T: Float>(row: *const u8, x: &[f32]) -> f32 {
    let columns = x.len();
    let whole = columns / 64 * 64;
    // SAFETY: the caller has the features and the row; masks keep to it.
    unsafe {
        let mut sums = [_mm512_setzero_ps(); 4];
        let mut x = x.as_ptr();
        let mut w = row;
        for _ in 0..columns / 64 {
            four_times!(I, {
                if I < T::BYTES {
                    prefetch::<64>(&*w.wrapping_add(I * 64).cast(), 0);
                }
                let numbers = T::load(w.wrapping_add(I * 16 * T::BYTES), 0xFFFF);
                sums[I] = _mm512_fmadd_ps(numbers, load(x.wrapping_add(I * 16).cast()), sums[I]);
            });
            (x, w) = (x.wrapping_add(64), w.wrapping_add(64 * T::BYTES));
        }
        for (i, column) in (whole..columns).step_by(16).enumerate() {
            let mask = mask(column, columns);
            let x = _mm512_maskz_loadu_ps(mask, x.wrapping_add(i * 16));
            sums[i] = _mm512_fmadd_ps(T::load(w.wrapping_add(i * 16 * T::BYTES), mask), x, sums[i]);
        }
        _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3])))
    }
}

/// Turns `depth` columns of 16 rows so that the rows are the lanes of one side of a panel.
#[inline(always)]
unsafe fn fill<T: Float>(
    row: impl Fn(usize) -> *const u8,
    depth: usize,
    side: usize,
    panel: &mut [[[f32; LANES]; 2]; DEPTH],
) {
    let mut flat = [[0.0f32; DEPTH]; LANES];
    // SAFETY: the caller has the features and the rows; masks keep to them, and a flat row has room for whole registers.
    unsafe {
        for (i, flat) in flat.iter_mut().enumerate() {
            for column in (0..depth).step_by(16) {
                let numbers = T::load(row(i).wrapping_add(column * T::BYTES), mask(column, depth));
                store(flat.as_mut_ptr().wrapping_add(column).cast(), numbers);
            }
        }
        for column in (0..depth).step_by(4) {
            let lines = turn(flat.as_ptr().cast::<u8>().wrapping_add(4 * column), 4 * DEPTH);
            for j in 0..4 {
                put_sixteen(&mut panel[column + j][side], _mm512_castsi512_ps(lines[j]));
            }
        }
    }
}

/// Adds the panel times `M` rows of activations, `stride` apart, to `sums`.
#[inline(always)]
unsafe fn few<const M: usize>(
    panel: &[[[f32; LANES]; 2]],
    x: *const f32,
    stride: usize,
    sums: &mut [[[f32; LANES]; 2]],
) {
    // SAFETY: the caller has the features and the rows.
    unsafe {
        let mut wide = [[_mm512_setzero_ps(); 2]; M];
        for i in 0..M {
            wide[i] = [sixteen(&sums[i][0]), sixteen(&sums[i][1])];
        }
        let mut x = x;
        for w in panel {
            let w = [sixteen(&w[0]), sixteen(&w[1])];
            for i in 0..M {
                let x = _mm512_set1_ps(load(x.wrapping_add(i * stride).cast()));
                wide[i][0] = _mm512_fmadd_ps(w[0], x, wide[i][0]);
                wide[i][1] = _mm512_fmadd_ps(w[1], x, wide[i][1]);
            }
            x = x.wrapping_add(1);
        }
        for i in 0..M {
            put_sixteen(&mut sums[i][0], wide[i][0]);
            put_sixteen(&mut sums[i][1], wide[i][1]);
        }
    }
}
