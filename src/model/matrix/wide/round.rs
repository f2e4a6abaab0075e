//! Activations rounded to eight bits, to the very numbers that llama.cpp rounds them to.
//!
//! Another rounding would be as good, and logits would differ by its noise (1e-3 of their power in Q8_0) where they now
//! mostly differ by nothing.

use std::arch::x86_64::*;

use super::lines::{load, store};

/// Columns in a piece.
pub const PIECE: usize = 256;

/// 256 columns of one row. Where a row ends within a piece, the rest is zero.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Piece {
    /// Signed, in fours.
    pub q: [[u8; 4]; PIECE / 4],
    /// What 1 stands for in each 32 (a scale) and, behind these, `-scale * Σq` of each 32.
    pub scale: [f32; 16],
    /// `-scale * Σq` of each 16.
    pub sum16: [f32; 16],
}

/// `-128 * Σq` of each four: what a product of one row begins with where weights are raised by 128 to be unsigned.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Fours(pub [i32; PIECE / 4]);

/// How many activations share a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// 32, and the scale is an f16 (Q8_0).
    Block,
    /// 256, and the scale is signed: the largest of them becomes -127 (Q8_K).
    Piece,
}

impl Grain {
    pub const ALL: [Grain; 2] = [Grain::Block, Grain::Piece];
}

impl Piece {
    pub const ZERO: Piece = Piece { q: [[0; 4]; PIECE / 4], scale: [0.0; 16], sum16: [0.0; 16] };

    /// 64 columns, the first of which is `64 * i`.
    ///
    /// # Safety
    /// There are four of them.
    #[inline(always)]
    pub unsafe fn line(&self, i: usize) -> __m512i {
        // SAFETY: the caller's.
        unsafe { load(self.q[i * 16].as_ptr()) }
    }
}

/// Rounds up to 256 columns. A NaN makes those NaN that share its scale.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,f16c")]
pub fn round(x: &[f32], grain: Grain, piece: &mut Piece) {
    let mut padded = [0.0; PIECE];
    let x: &[f32; PIECE] = match x.try_into() {
        Ok(x) => x,
        Err(_) => {
            padded[..x.len()].copy_from_slice(x);
            &padded
        }
    };
    // The scale of the whole piece, where there is one, and its inverse.
    let whole = (grain == Grain::Piece).then(|| match largest(x) {
        0.0 => (0.0, 0.0),
        most => (1.0 / (-127.0 / most), -127.0 / most),
    });
    for (i, x) in x.as_chunks::<32>().0.iter().enumerate() {
        // SAFETY: each half is 16 numbers.
        let [low, high]: [__m512; 2] = unsafe { load(x.as_ptr().cast()) };
        let (scale, inverse) = whole.unwrap_or_else(|| {
            let most = f32::from_bits(_mm512_reduce_max_epu32(_mm512_max_epu32(magnitude(low), magnitude(high))));
            let scale = _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtps_ph::<0>(_mm_set_ss(most / 127.0))));
            (scale, if most > 0.0 { 127.0 / most } else { 0.0 })
        });
        let inverse = _mm512_set1_ps(inverse);
        let low = _mm512_cvtps_epi32(_mm512_mul_ps(low, inverse));
        let high = _mm512_cvtps_epi32(_mm512_mul_ps(high, inverse));
        let both = [_mm512_cvtsepi32_epi8(low), _mm512_cvtsepi32_epi8(high)];
        // SAFETY: 32 bytes belong to each group of 32.
        unsafe { store(piece.q.as_mut_ptr().wrapping_add(i * 8).cast(), both) };
        piece.scale[i] = scale;
    }
    for i in 0..4 {
        // SAFETY: a piece has four times 64 bytes.
        let q = unsafe { piece.line(i) };
        let fours = _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_set1_epi8(1), q);
        // Adds within each group of four lanes.
        let pairs = _mm512_add_epi32(fours, _mm512_shuffle_epi32::<0b10_11_00_01>(fours));
        let sums = _mm512_add_epi32(pairs, _mm512_shuffle_epi32::<0b01_00_11_10>(pairs));
        let mut lanes = [0i32; 16];
        // SAFETY: 16 numbers of 32 bits.
        unsafe { store(lanes.as_mut_ptr().cast(), sums) };
        for j in 0..4 {
            piece.sum16[i * 4 + j] = -piece.scale[i * 2 + j / 2] * lanes[j * 4] as f32;
        }
        for j in 0..2 {
            piece.scale[8 + i * 2 + j] = -piece.scale[i * 2 + j] * (lanes[j * 8] + lanes[j * 8 + 4]) as f32;
        }
    }
}

/// As whole numbers, the magnitudes of floats are ordered like themselves, with NaN above all.
#[target_feature(enable = "avx512f")]
fn magnitude(x: __m512) -> __m512i {
    _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7FFF_FFFF))
}

/// The number of the largest magnitude with its sign, the first of several.
#[target_feature(enable = "avx512f")]
fn largest(x: &[f32; PIECE]) -> f32 {
    // SAFETY: each part is 16 numbers.
    let part = |x: &[f32; 16]| unsafe { _mm512_loadu_ps(x.as_ptr()) };
    let parts = x.as_chunks::<16>().0;
    let most = parts.iter().fold(_mm512_setzero_si512(), |most, x| _mm512_max_epu32(most, magnitude(part(x))));
    let most = _mm512_reduce_max_epu32(most);
    let at = |x: &[f32; 16]| _mm512_cmpeq_epi32_mask(magnitude(part(x)), _mm512_set1_epi32(most as i32));
    let found = parts.iter().find_map(|x| match at(x) {
        0 => None,
        mask => Some(x[mask.trailing_zeros() as usize]),
    });
    found.unwrap_or(0.0)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub fn fours(piece: &Piece, out: &mut Fours) {
    for i in 0..4 {
        // SAFETY: both have four times 64 bytes.
        unsafe {
            let sums = _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_set1_epi8(-128), piece.line(i));
            store(out.0.as_mut_ptr().wrapping_add(i * 16).cast(), _mm512_sub_epi32(_mm512_setzero_si512(), sums));
        }
    }
}
