//! Products of one row of activations, straight from the compact blocks: what generating a token is made of.
//!
//! Bound by memory, so the weights are read once and in order, and the next ones are called for early.

use std::arch::x86_64::*;

use super::round::{Fours, PIECE, Piece};

/// How far ahead memory is asked for, in bytes: into the second-level cache, and from there into the first. Measured
/// with two threads, which can read 29 to 30 GB/s: a Q4_K_M file at 24 GB/s (17 without, 20 with one distance alone),
/// Q8_0 at 27 (23 and 25).
const FAR: usize = 8192;
const NEAR: usize = 1024;

/// `rows` rows of blocks that begin at `weights`, times one row of activations.
///
/// # Safety
/// The processor has the features; `weights` holds the rows, `out` has room for them.
pub type Dot = unsafe fn(weights: *const u8, rows: usize, columns: usize, x: &[Piece], fours: &[Fours], out: *mut f32);

macro_rules! dot {
    ($name:ident, $piece:ident, $elements:expr, $block:expr) => {
        /// # Safety
        /// See [`Dot`].
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,f16c,fma")]
        pub unsafe fn $name(
            weights: *const u8,
            rows: usize,
            columns: usize,
            x: &[Piece],
            fours: &[Fours],
            out: *mut f32,
        ) {
            const STEP: usize = PIECE / $elements * $block;
            let row_bytes = columns / $elements * $block;
            let whole = columns / PIECE;
            for row in 0..rows {
                let mut sums = [_mm512_setzero_ps(); 3];
                // SAFETY: the caller's; a row's last blocks, where they are fewer than a piece has, are copied first.
                unsafe {
                    let row = weights.add(row * row_bytes);
                    for (i, (x, fours)) in x[..whole].iter().zip(fours).enumerate() {
                        let piece = row.add(i * STEP);
                        prefetch::<STEP>(piece);
                        $piece(piece, x, fours, &mut sums);
                    }
                    if columns % PIECE > 0 {
                        let mut padded = [0u8; STEP];
                        let rest = row_bytes - whole * STEP;
                        padded[..rest].copy_from_slice(std::slice::from_raw_parts(row.add(whole * STEP), rest));
                        $piece(padded.as_ptr(), &x[whole], &fours[whole], &mut sums);
                    }
                }
                // SAFETY: the caller's.
                unsafe { out.add(row).write(total(&sums)) };
            }
        }
    };
}

dot!(q4_k, q4_k_piece, 256, 144);
dot!(q5_k, q5_k_piece, 256, 176);
dot!(q6_k, q6_k_piece, 256, 210);
dot!(q8_0, q8_0_piece, 32, 34);

#[inline]
#[target_feature(enable = "avx512f")]
pub fn total(sums: &[__m512; 3]) -> f32 {
    _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), sums[2]))
}

/// Asks for as many bytes as a piece has, some way ahead of it.
#[inline]
#[target_feature(enable = "avx512f")]
pub fn prefetch<const BYTES: usize>(piece: *const u8) {
    for line in 0..BYTES.div_ceil(64) {
        // What lies behind the last row may be no memory at all, which a prefetch may ask for.
        _mm_prefetch::<_MM_HINT_T0>(piece.wrapping_add(NEAR + line * 64).cast());
        _mm_prefetch::<_MM_HINT_T1>(piece.wrapping_add(FAR + line * 64).cast());
    }
}

/// Lane numbers that repeat each of four lanes beginning with `first` four times, or each of two eight times.
#[inline]
#[target_feature(enable = "avx512f")]
pub fn spread4(first: i32) -> __m512i {
    let [a, b, c, d] = [first, first + 1, first + 2, first + 3];
    _mm512_setr_epi32(a, a, a, a, b, b, b, b, c, c, c, c, d, d, d, d)
}

#[inline]
#[target_feature(enable = "avx512f")]
pub fn spread8(first: i32) -> __m512i {
    let [a, b] = [first, first + 1];
    _mm512_setr_epi32(a, a, a, a, a, a, a, a, b, b, b, b, b, b, b, b)
}

/// The eight 6-bit scales and, behind them, the eight 6-bit minima of a Q4_K or Q5_K block, from its first 16 bytes
/// (two halves, then 12 bytes in which numbers 4 to 7 have their upper two bits apart).
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub fn scales_and_minima(head: __m128i) -> __m128i {
    let low = _mm_shuffle_epi8(head, _mm_setr_epi8(4, 5, 6, 7, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15));
    let low = _mm_srlv_epi16(low, _mm_setr_epi16(0, 0, 0, 0, 0, 0, 4, 4));
    let low = _mm_and_si128(low, _mm_setr_epi32(0x3F3F_3F3F, 0x0F0F_0F0F, 0x3F3F_3F3F, 0x0F0F_0F0F));
    let high = _mm_shuffle_epi8(head, _mm_setr_epi8(-1, -1, -1, -1, 4, 5, 6, 7, -1, -1, -1, -1, 8, 9, 10, 11));
    let high = _mm_srli_epi16::<2>(high);
    // low | (high & 0x30)
    _mm_ternarylogic_epi32::<0b1111_1000>(low, high, _mm_set1_epi8(0x30))
}

/// The scales (lanes 0 to 7) and minima (8 to 15) of a Q4_K or Q5_K block as numbers.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,f16c")]
pub unsafe fn k_head(block: *const u8) -> __m512 {
    // SAFETY: a block is longer than 16 bytes.
    let head = unsafe { _mm_loadu_si128(block.cast()) };
    let six = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(scales_and_minima(head)));
    let unit = _mm512_permutexvar_ps(spread8(0), _mm512_castps128_ps512(_mm_cvtph_ps(head)));
    _mm512_mul_ps(six, unit)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,f16c,fma")]
unsafe fn q4_k_piece(block: *const u8, x: &Piece, _fours: &Fours, sums: &mut [__m512; 3]) {
    // SAFETY: the caller's; a block has 144 bytes, a piece 256 bytes and 16 numbers for it.
    unsafe {
        let scales = _mm512_mul_ps(k_head(block), _mm512_loadu_ps(x.scale.as_ptr()));
        sums[2] = _mm512_mask_add_ps(sums[2], 0xFF00, sums[2], scales);
        let shift = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 4, 4, 4, 4, 4, 4);
        for i in 0..4 {
            // 32 bytes hold 32 numbers in their lower halves and the 32 that follow in the upper ones.
            let w = _mm512_broadcast_i64x4(_mm256_loadu_si256(block.add(16 + i * 32).cast()));
            let w = _mm512_and_si512(_mm512_srlv_epi32(w, shift), _mm512_set1_epi8(0xF));
            let q = _mm512_load_si512(x.q.as_ptr().add(i * 64).cast());
            let dot = _mm512_cvtepi32_ps(_mm512_dpbusd_epi32(_mm512_setzero_si512(), w, q));
            let scale = _mm512_permutexvar_ps(spread8(i as i32 * 2), scales);
            sums[i % 2] = _mm512_fmadd_ps(dot, scale, sums[i % 2]);
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,f16c,fma")]
unsafe fn q5_k_piece(block: *const u8, x: &Piece, _fours: &Fours, sums: &mut [__m512; 3]) {
    // SAFETY: the caller's; a block has 176 bytes, a piece 256 bytes and 16 numbers for it.
    unsafe {
        let scales = _mm512_mul_ps(k_head(block), _mm512_loadu_ps(x.scale.as_ptr()));
        sums[2] = _mm512_mask_add_ps(sums[2], 0xFF00, sums[2], scales);
        let shift = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 4, 4, 4, 4, 4, 4);
        let fifth = _mm512_broadcast_i64x4(_mm256_loadu_si256(block.add(16).cast()));
        for i in 0..4 {
            let w = _mm512_broadcast_i64x4(_mm256_loadu_si256(block.add(48 + i * 32).cast()));
            let w = _mm512_and_si512(_mm512_srlv_epi32(w, shift), _mm512_set1_epi8(0xF));
            // Bit 2i of `fifth` belongs to the first 32 numbers, bit 2i + 1 to the others; rotate it to bit 4.
            let (a, b) = ((28 + 2 * i as i32) % 32, (29 + 2 * i as i32) % 32);
            let turn = _mm512_setr_epi32(a, a, a, a, a, a, a, a, b, b, b, b, b, b, b, b);
            let bit = _mm512_rorv_epi32(fifth, turn);
            // w | (bit & 0x10)
            let w = _mm512_ternarylogic_epi32::<0b1111_1000>(w, bit, _mm512_set1_epi8(0x10));
            let q = _mm512_load_si512(x.q.as_ptr().add(i * 64).cast());
            let dot = _mm512_cvtepi32_ps(_mm512_dpbusd_epi32(_mm512_setzero_si512(), w, q));
            let scale = _mm512_permutexvar_ps(spread8(i as i32 * 2), scales);
            sums[i % 2] = _mm512_fmadd_ps(dot, scale, sums[i % 2]);
        }
    }
}

/// The 256 numbers 0 to 63 of a Q6_K block.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub unsafe fn q6_k_numbers(block: *const u8) -> [__m512i; 4] {
    let (nibble, pair) = (_mm512_set1_epi8(0xF), _mm512_set1_epi8(0x30));
    let left = _mm512_setr_epi32(4, 4, 4, 4, 4, 4, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2);
    let right = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2);
    let mut numbers = [_mm512_setzero_si512(); 4];
    for half in 0..2 {
        // SAFETY: a block has twice 64 bytes of lower bits and, behind them, twice 32 bytes of upper bits.
        let (low, high) = unsafe {
            let high = _mm256_loadu_si256(block.add(128 + half * 32).cast());
            (_mm512_loadu_si512(block.add(half * 64).cast()), _mm512_broadcast_i64x4(high))
        };
        let a = _mm512_and_si512(low, nibble);
        let b = _mm512_and_si512(_mm512_srli_epi32::<4>(low), nibble);
        numbers[half * 2] = _mm512_ternarylogic_epi32::<0b1111_1000>(a, _mm512_sllv_epi32(high, left), pair);
        numbers[half * 2 + 1] = _mm512_ternarylogic_epi32::<0b1111_1000>(b, _mm512_srlv_epi32(high, right), pair);
    }
    numbers
}

/// The 16 scales of a Q6_K block as numbers.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,f16c")]
pub unsafe fn q6_k_scales(block: *const u8) -> __m512 {
    // SAFETY: the scales are 16 bytes at 192, the unit is two at 208.
    let (scales, unit) =
        unsafe { (_mm_loadu_si128(block.add(192).cast()), block.add(208).cast::<i16>().read_unaligned()) };
    let unit = _mm512_cvtph_ps(_mm256_set1_epi16(unit));
    _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(scales)), unit)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,f16c,fma")]
unsafe fn q6_k_piece(block: *const u8, x: &Piece, _fours: &Fours, sums: &mut [__m512; 3]) {
    // SAFETY: the caller's; a block has 210 bytes.
    unsafe {
        let scales = q6_k_scales(block);
        // Numbers stand for themselves less 32.
        let scales32 = _mm512_mul_ps(scales, _mm512_set1_ps(32.0));
        sums[2] = _mm512_fmadd_ps(scales32, _mm512_load_ps(x.sum16.as_ptr()), sums[2]);
        let twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
        let scales = _mm512_mul_ps(scales, _mm512_permutexvar_ps(twice, _mm512_load_ps(x.scale.as_ptr())));
        for (i, w) in q6_k_numbers(block).into_iter().enumerate() {
            let q = _mm512_load_si512(x.q.as_ptr().add(i * 64).cast());
            let dot = _mm512_cvtepi32_ps(_mm512_dpbusd_epi32(_mm512_setzero_si512(), w, q));
            let scale = _mm512_permutexvar_ps(spread4(i as i32 * 4), scales);
            sums[i % 2] = _mm512_fmadd_ps(dot, scale, sums[i % 2]);
        }
    }
}

/// The units of eight Q8_0 blocks in a row.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,f16c")]
pub unsafe fn q8_0_units(blocks: *const u8) -> __m256 {
    let half = |i: usize| {
        // SAFETY: each block is 34 bytes and begins with its unit.
        unsafe { blocks.add(i * 34).cast::<i16>().read_unaligned() }
    };
    let halves = _mm_setr_epi16(half(0), half(1), half(2), half(3), half(4), half(5), half(6), half(7));
    _mm256_cvtph_ps(halves)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,f16c,fma")]
unsafe fn q8_0_piece(blocks: *const u8, x: &Piece, fours: &Fours, sums: &mut [__m512; 3]) {
    // SAFETY: the caller's; eight blocks are 272 bytes.
    unsafe {
        let scales = _mm256_mul_ps(q8_0_units(blocks), _mm256_load_ps(x.scale.as_ptr()));
        let scales = _mm512_castps256_ps512(scales);
        for i in 0..4 {
            let low = _mm256_loadu_si256(blocks.add(i * 68 + 2).cast());
            let high = _mm256_loadu_si256(blocks.add(i * 68 + 36).cast());
            let w = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high);
            // Raised by 128, which the sums of four that the product begins with take back.
            let w = _mm512_xor_si512(w, _mm512_set1_epi8(-128));
            let start = _mm512_load_si512(fours.0.as_ptr().add(i * 16).cast());
            let q = _mm512_load_si512(x.q.as_ptr().add(i * 64).cast());
            let dot = _mm512_cvtepi32_ps(_mm512_dpbusd_epi32(start, w, q));
            let scale = _mm512_permutexvar_ps(spread8(i as i32 * 2), scales);
            sums[i % 2] = _mm512_fmadd_ps(dot, scale, sums[i % 2]);
        }
    }
}
