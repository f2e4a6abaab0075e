//! Sixteen numbers at a time: what attention's loops are made of. Written once and compiled for plain, AVX2 and AVX-512
//! processors; pure.

use half::f16;

use super::cache::{Element, PAGE};
use super::kernels;

/// Numbers that are worked on at once.
pub(super) const LANES: usize = 16;

/// Numbers that can be widened to f32, sixteen at a time.
pub(super) trait Load: Copy {
    /// The first 16 of `from`. `LEVEL` is 0 for any processor, 1 with F16C and AVX2, 2 with AVX-512.
    fn load<const LEVEL: u8>(from: &[Self]) -> [f32; LANES];
    fn one(self) -> f32;
}

impl Load for f32 {
    #[inline(always)]
    fn load<const LEVEL: u8>(from: &[f32]) -> [f32; LANES] {
        let mut out = [0.0; LANES];
        out.copy_from_slice(&from[..LANES]);
        out
    }

    fn one(self) -> f32 {
        self
    }
}

impl Load for f16 {
    #[inline(always)]
    fn load<const LEVEL: u8>(from: &[f16]) -> [f32; LANES] {
        let mut out = [0.0; LANES];
        let from = &from[..LANES];
        #[cfg(target_arch = "x86_64")]
        if LEVEL > 0 {
            use std::arch::x86_64::*;
            // SAFETY: both slices hold 16 numbers; a level above 0 is only chosen where F16C is.
            unsafe {
                for half in 0..2 {
                    let eight = _mm_loadu_si128(from.as_ptr().add(8 * half).cast());
                    _mm256_storeu_ps(out.as_mut_ptr().add(8 * half), _mm256_cvtph_ps(eight));
                }
            }
            return out;
        }
        for (out, x) in out.iter_mut().zip(from) {
            *out = x.to_f32();
        }
        out
    }

    fn one(self) -> f32 {
        self.to_f32()
    }
}

/// The products of N queries (n, dim) with 16 positions; `keys` begins at the first of them, rows of a page's width.
#[inline(always)]
pub(super) fn score<const LEVEL: u8, const N: usize, E: Element>(
    queries: &[f32],
    dim: usize,
    keys: &[E],
) -> [[f32; LANES]; N] {
    let mut sums = [[0.0f32; LANES]; N];
    for d in 0..dim {
        let key = E::load::<LEVEL>(&keys[d * PAGE..d * PAGE + LANES]);
        for n in 0..N {
            let x = queries[n * dim + d];
            for i in 0..LANES {
                sums[n][i] = kernels::fused::<LEVEL>(x, key[i], sums[n][i]);
            }
        }
    }
    sums
}

/// Adds the weighted values of some positions, 16 elements from `d` on.
#[inline(always)]
pub(super) fn weigh<const LEVEL: u8, const N: usize, E: Element>(
    sums: &mut [[f32; LANES]; N],
    weights: &[&[f32]; N],
    values: &[E],
    dim: usize,
    d: usize,
    positions: std::ops::Range<usize>,
) {
    if d + LANES > dim {
        // A head whose size is no multiple of 16: its last elements one by one.
        for at in positions {
            for n in 0..N {
                for (sum, value) in sums[n].iter_mut().zip(&values[at * dim + d..(at + 1) * dim]) {
                    *sum += weights[n][at] * value.one();
                }
            }
        }
        return;
    }
    for at in positions {
        let value = E::load::<LEVEL>(&values[at * dim + d..at * dim + d + LANES]);
        for n in 0..N {
            let x = weights[n][at];
            for i in 0..LANES {
                sums[n][i] = kernels::fused::<LEVEL>(x, value[i], sums[n][i]);
            }
        }
    }
}
