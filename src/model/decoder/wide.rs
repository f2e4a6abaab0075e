//! The loops of attention over a cache in f16, for x86 processors with AVX-512.
//!
//! Written with the processor's own operations: what the compiler makes of plain loops in the build that plays was
//! eight times slower (7 against 55 billion multiplications a second and core), and a prompt of 1,024 tokens was read
//! at half the speed. Everything is inlined into the one function that carries the features; loops have fixed counts.
#![allow(clippy::needless_range_loop)]

use std::arch::x86_64::*;

use half::f16;

use super::cache::PAGE;

/// Numbers in a register.
const LANES: usize = 16;
/// Registers that a page's positions fill, and that are worked on at once.
const LINES: usize = PAGE / LANES;

/// Whether this processor has what these loops need.
pub fn here() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("f16c")
}

/// # Safety
/// `at` is followed by 16 numbers.
#[inline(always)]
unsafe fn widened(at: *const f16) -> __m512 {
    // SAFETY: the caller's.
    unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(at.cast())) }
}

/// The products of N queries (N, dim) with a page's keys (dim, PAGE), to `out` (N rows, `stride` apart).
///
/// # Safety
/// The processor has the features, and all of that can be read and written.
#[target_feature(enable = "avx512f,f16c")]
pub unsafe fn score<const N: usize>(queries: *const f32, dim: usize, keys: *const f16, out: *mut f32, stride: usize) {
    // SAFETY: the caller's.
    unsafe {
        let mut sums = [[_mm512_setzero_ps(); LINES]; N];
        for d in 0..dim {
            let row = keys.wrapping_add(d * PAGE);
            let mut key = [_mm512_setzero_ps(); LINES];
            for i in 0..LINES {
                key[i] = widened(row.wrapping_add(i * LANES));
            }
            for n in 0..N {
                let x = _mm512_set1_ps(*queries.wrapping_add(n * dim + d));
                for i in 0..LINES {
                    sums[n][i] = _mm512_fmadd_ps(x, key[i], sums[n][i]);
                }
            }
        }
        for n in 0..N {
            for i in 0..LINES {
                _mm512_storeu_ps(out.wrapping_add(n * stride + i * LANES), sums[n][i]);
            }
        }
    }
}

/// Adds to `out` (N, dim) a page's values (PAGE, dim) from position `from` to `to`, by weights that lie in N rows
/// `stride` apart. `dim` is a multiple of 16.
///
/// # Safety
/// As [`score`].
#[target_feature(enable = "avx512f,f16c")]
pub unsafe fn weigh<const N: usize>(
    weights: *const f32,
    stride: usize,
    values: *const f16,
    dim: usize,
    (from, to): (usize, usize),
    out: *mut f32,
) {
    let mut d = 0;
    // SAFETY: the caller's.
    unsafe {
        while d + LINES * LANES <= dim {
            weigh_lines::<N, LINES>(weights, stride, values.wrapping_add(d), dim, (from, to), out.wrapping_add(d));
            d += LINES * LANES;
        }
        while d < dim {
            weigh_lines::<N, 1>(weights, stride, values.wrapping_add(d), dim, (from, to), out.wrapping_add(d));
            d += LANES;
        }
    }
}

#[inline(always)]
unsafe fn weigh_lines<const N: usize, const L: usize>(
    weights: *const f32,
    stride: usize,
    values: *const f16,
    dim: usize,
    (from, to): (usize, usize),
    out: *mut f32,
) {
    // SAFETY: the caller's.
    unsafe {
        let mut sums = [[_mm512_setzero_ps(); L]; N];
        for n in 0..N {
            for i in 0..L {
                sums[n][i] = _mm512_loadu_ps(out.wrapping_add(n * dim + i * LANES));
            }
        }
        let mut at = from;
        while at < to {
            let row = values.wrapping_add(at * dim);
            let mut value = [_mm512_setzero_ps(); L];
            for i in 0..L {
                value[i] = widened(row.wrapping_add(i * LANES));
            }
            for n in 0..N {
                let x = _mm512_set1_ps(*weights.wrapping_add(n * stride + at));
                for i in 0..L {
                    sums[n][i] = _mm512_fmadd_ps(x, value[i], sums[n][i]);
                }
            }
            at += 1;
        }
        for n in 0..N {
            for i in 0..L {
                _mm512_storeu_ps(out.wrapping_add(n * dim + i * LANES), sums[n][i]);
            }
        }
    }
}

/// Makes scores into `e^(scale * x - max)` and returns the sum; those before `low` and from `high` on become 0.
/// `row` is whole pages.
///
/// # Safety
/// The processor has the features.
#[target_feature(enable = "avx512f")]
pub unsafe fn softmax(row: &mut [f32], low: usize, high: usize, scale: f32) -> f32 {
    let lines = row.len() / LANES;
    let start = row.as_mut_ptr();
    // The lanes of a line that count.
    let mask = |line: usize| -> __mmask16 {
        let at = line * LANES;
        let below = |n: usize| if n >= LANES { 0xFFFF } else { (1u32 << n) - 1 } as u16;
        below(high.saturating_sub(at)) & !below(low.saturating_sub(at))
    };
    // SAFETY: every line lies inside `row`.
    unsafe {
        let low_end = _mm512_set1_ps(f32::NEG_INFINITY);
        let mut most = low_end;
        for line in 0..lines {
            let x = _mm512_loadu_ps(start.wrapping_add(line * LANES));
            most = _mm512_mask_max_ps(most, mask(line), most, x);
        }
        let most = _mm512_set1_ps(_mm512_reduce_max_ps(most) * scale);
        let scale = _mm512_set1_ps(scale);
        let mut sum = _mm512_setzero_ps();
        for line in 0..lines {
            let at = start.wrapping_add(line * LANES);
            let e = exp(_mm512_fmsub_ps(_mm512_loadu_ps(at), scale, most));
            let e = _mm512_maskz_mov_ps(mask(line), e);
            _mm512_storeu_ps(at, e);
            sum = _mm512_add_ps(sum, e);
        }
        _mm512_reduce_add_ps(sum)
    }
}

/// `e^x` of numbers up to 0, by the polynomial of [`super::kernels::exp_fused`]; NaN stays NaN.
#[inline(always)]
#[allow(clippy::excessive_precision)]
unsafe fn exp(x: __m512) -> __m512 {
    // SAFETY: the caller has the features.
    unsafe {
        let set = |x: f32| _mm512_set1_ps(x);
        let round = set(12_582_912.0);
        let n = _mm512_sub_ps(_mm512_fmadd_ps(x, set(std::f32::consts::LOG2_E), round), round);
        let b = _mm512_fnmadd_ps(n, set(1.428_606_8e-6), _mm512_fnmadd_ps(n, set(0.693_145_75), x));
        let u = _mm512_mul_ps(b, b);
        let high = _mm512_fmadd_ps(set(8.247_390_4e-3), b, set(4.189_976_7e-2));
        let low = _mm512_fmadd_ps(set(0.166_683_96), b, set(0.499_991_27));
        let j = _mm512_fmadd_ps(_mm512_fmadd_ps(high, u, low), u, _mm512_fmadd_ps(set(0.999_999_4), b, set(1.0)));
        // Far below, n is so low that the power is 0.
        _mm512_scalef_ps(j, n)
    }
}
