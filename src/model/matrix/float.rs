//! Products with matrices in f32, summed in the order of llama.cpp's own kernels on processors with AVX-512.
//!
//! An order of one's own would be as right. But rounding differs in the last bit then, and families that round inside
//! a layer (Gemma's activation comes from a table of f16) make of it a difference that can be seen in the logits.
//! Elsewhere candle's product is taken.

use candle_core::utils::barrier_pool;

/// Outputs that a unit of work computes.
const OUTPUTS: usize = 4;

/// Whether this processor has what [`multiply`] needs.
pub(super) fn here() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Lets every unit write its own outputs.
struct Out(*mut f32);
// SAFETY: a unit writes the columns of its own outputs only, and no two units share one.
unsafe impl Sync for Out {}

/// `out` (m, n) = `rows` (m, k) times the transpose of `weights` (n, k).
pub(super) fn multiply((m, k, n): (usize, usize, usize), rows: &[f32], weights: &[f32], out: &mut [f32]) {
    assert!(rows.len() == m * k && weights.len() == n * k && out.len() == m * n);
    let out = Out(out.as_mut_ptr());
    let out = &out;
    barrier_pool().execute_chunked(n.div_ceil(OUTPUTS), |units| {
        for unit in units {
            let first = unit * OUTPUTS;
            let last = (first + OUTPUTS).min(n);
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the caller has asked `here`; the slices were measured above, and see `Out` for the sharing.
            unsafe {
                let put = |row: usize, output: usize, x: f32| *out.0.add(row * n + output) = x;
                match k % 16 == 0 && n % 4 == 0 && m > 1 {
                    true => wide::tile(m, k, rows, &weights[first * k..last * k], |row, i, x| put(row, first + i, x)),
                    false => {
                        for (row, x) in rows.chunks_exact(k).enumerate() {
                            for output in first..last {
                                put(row, output, wide::dot(x, &weights[output * k..(output + 1) * k]));
                            }
                        }
                    }
                }
            }
            #[cfg(not(target_arch = "x86_64"))]
            let _ = (first, last, rows, weights, out);
        }
    });
}

#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::*;

    /// One row and one output: four sums of sixteen lanes, what is left over one by one.
    #[target_feature(enable = "avx512f")]
    pub fn dot(x: &[f32], y: &[f32]) -> f32 {
        let whole = x.len() / 64 * 64;
        let mut sums = [_mm512_setzero_ps(); 4];
        for at in (0..whole).step_by(64) {
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: `at + 64` is at most the length of both.
                let (a, b) = unsafe { (load(x, at + 16 * i), load(y, at + 16 * i)) };
                *sum = _mm512_fmadd_ps(a, b, *sum);
            }
        }
        let halves = [_mm512_add_ps(sums[0], sums[2]), _mm512_add_ps(sums[1], sums[3])];
        let mut sum = _mm512_reduce_add_ps(_mm512_add_ps(halves[0], halves[1]));
        for (a, b) in x[whole..].iter().zip(&y[whole..]) {
            sum += a * b;
        }
        sum
    }

    /// All rows and four outputs: one sum of sixteen lanes for each pair.
    #[target_feature(enable = "avx512f")]
    pub fn tile(m: usize, k: usize, rows: &[f32], weights: &[f32], put: impl Fn(usize, usize, f32)) {
        let mut row = 0;
        while row + 4 <= m {
            block::<4>(k, &rows[row * k..(row + 4) * k], weights, |r, i, x| put(row + r, i, x));
            row += 4;
        }
        while row < m {
            block::<1>(k, &rows[row * k..(row + 1) * k], weights, |r, i, x| put(row + r, i, x));
            row += 1;
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn block<const R: usize>(k: usize, rows: &[f32], weights: &[f32], put: impl Fn(usize, usize, f32)) {
        let mut sums = [[_mm512_setzero_ps(); 4]; R];
        for at in (0..k).step_by(16) {
            // SAFETY: k is a multiple of 16, `rows` holds R and `weights` four times k.
            let w: [__m512; 4] = std::array::from_fn(|i| unsafe { load(weights, i * k + at) });
            for (r, sums) in sums.iter_mut().enumerate() {
                let x = unsafe { load(rows, r * k + at) };
                for (sum, w) in sums.iter_mut().zip(w) {
                    *sum = _mm512_fmadd_ps(w, x, *sum);
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            for (i, sum) in sums.iter().enumerate() {
                put(r, i, _mm512_reduce_add_ps(*sum));
            }
        }
    }

    /// # Safety
    /// `at + 16` is at most the length.
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn load(from: &[f32], at: usize) -> __m512 {
        debug_assert!(at + 16 <= from.len());
        // SAFETY: as the caller guarantees.
        unsafe { _mm512_loadu_ps(from.as_ptr().add(at)) }
    }
}
