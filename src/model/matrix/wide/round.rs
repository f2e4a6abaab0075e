//! Activations rounded to eight bits, with a scale for each 32 of them.

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

/// Rounds up to 256 columns. A NaN makes its 32 NaN.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub fn round(x: &[f32], piece: &mut Piece) {
    let mut padded = [0.0; PIECE];
    let x: &[f32; PIECE] = match x.try_into() {
        Ok(x) => x,
        Err(_) => {
            padded[..x.len()].copy_from_slice(x);
            &padded
        }
    };
    let magnitude = _mm512_set1_epi32(0x7FFF_FFFF);
    for (i, x) in x.as_chunks::<32>().0.iter().enumerate() {
        // SAFETY: each half is 16 numbers.
        let [low, high]: [__m512; 2] = unsafe { load(x.as_ptr().cast()) };
        // As whole numbers, the magnitudes of floats are ordered like themselves, with NaN above all.
        let (a, b) = (_mm512_castps_si512(low), _mm512_castps_si512(high));
        let most = _mm512_max_epu32(_mm512_and_si512(a, magnitude), _mm512_and_si512(b, magnitude));
        let most = f32::from_bits(_mm512_reduce_max_epu32(most));
        let scale = most / 127.0;
        let inverse = _mm512_set1_ps(if scale > 0.0 { 127.0 / most } else { 0.0 });
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
