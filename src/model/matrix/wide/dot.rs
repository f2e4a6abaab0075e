//! Products of one row of activations, straight from the compact blocks: what generating a token is made of.
//!
//! Bound by memory, so the weights are read once and in order, and the next ones are called for early.

use std::arch::x86_64::*;

use super::lines::{four_times, load, part, sixteen};
use super::round::{Fours, PIECE, Piece};

/// How far ahead memory is asked for, in bytes: into the second-level cache, and from there into the first. Measured
/// with two threads, which can read 27 GB/s: a Q4_K_M file at 25 to 26 GB/s (17 without), Q8_0 at 26 to 27 (21 without).
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
                let mut piece = weights.wrapping_add(row * row_bytes);
                // SAFETY: the caller's; a row's last blocks, where they are fewer than a piece has, are copied first.
                unsafe {
                    for (x, fours) in x[..whole].iter().zip(fours) {
                        $piece(&*piece.cast(), x, fours, &mut sums);
                        piece = piece.wrapping_add(STEP);
                    }
                    if columns % PIECE > 0 {
                        let mut padded = [0u8; STEP];
                        let rest = row_bytes - whole * STEP;
                        padded[..rest].copy_from_slice(std::slice::from_raw_parts(piece, rest));
                        $piece(&padded, &x[whole], &fours[whole], &mut sums);
                    }
                    out.add(row).write(total(&sums));
                }
            }
        }
    };
}

dot!(q4_k, q4_k_piece, 256, 144);
dot!(q5_k, q5_k_piece, 256, 176);
dot!(q6_k, q6_k_piece, 256, 210);
dot!(q8_0, q8_0_piece, 32, 34);

#[inline(always)]
pub unsafe fn total(sums: &[__m512; 3]) -> f32 {
    // SAFETY: the caller has the features.
    unsafe { _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), sums[2])) }
}

/// Asks for a quarter of as many bytes as these are, some way ahead of them. What lies behind the last row may be no
/// memory at all, which a prefetch may ask for. All four quarters at once would let what is needed now wait.
#[inline(always)]
pub unsafe fn prefetch<const N: usize>(blocks: &[u8; N], quarter: usize) {
    let lines = N.div_ceil(64);
    for line in (quarter..lines).step_by(4) {
        let at = blocks.as_ptr().wrapping_add(line * 64);
        // SAFETY: every processor of this kind has it.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(at.wrapping_add(NEAR).cast());
            _mm_prefetch::<_MM_HINT_T1>(at.wrapping_add(FAR).cast());
        }
    }
}

/// Lane numbers that repeat each of four lanes beginning with `first` four times.
#[inline(always)]
pub unsafe fn spread4(first: usize) -> __m512i {
    let a = first as i32;
    let (b, c, d) = (a + 1, a + 2, a + 3);
    // SAFETY: the caller has the features.
    unsafe { _mm512_setr_epi32(a, a, a, a, b, b, b, b, c, c, c, c, d, d, d, d) }
}

/// Lane numbers that repeat each of two lanes beginning with `first` eight times.
#[inline(always)]
pub unsafe fn spread8(first: usize) -> __m512i {
    let (a, b) = (first as i32, first as i32 + 1);
    // SAFETY: the caller has the features.
    unsafe { _mm512_setr_epi32(a, a, a, a, a, a, a, a, b, b, b, b, b, b, b, b) }
}

/// `a` in the lower eight lanes, `b` in the upper ones.
#[inline(always)]
pub unsafe fn halves(a: i32, b: i32) -> __m512i {
    // SAFETY: the caller has the features.
    unsafe { _mm512_setr_epi32(a, a, a, a, a, a, a, a, b, b, b, b, b, b, b, b) }
}

/// `numbers | (bits & mask)`
#[inline(always)]
pub unsafe fn with_bits(numbers: __m512i, bits: __m512i, mask: __m512i) -> __m512i {
    // SAFETY: the caller has the features.
    unsafe { _mm512_ternarylogic_epi32::<0b1111_1000>(numbers, bits, mask) }
}

/// Adds 64 columns of a piece to one of two sums, whose turns it takes: what comes out does not wait for the last one.
#[inline(always)]
pub unsafe fn add_64(sums: &mut [__m512; 3], i: usize, start: __m512i, w: __m512i, x: &Piece, scale: __m512) {
    // SAFETY: the caller has the features; `i` is below four.
    unsafe {
        let dot = _mm512_cvtepi32_ps(_mm512_dpbusd_epi32(start, w, x.line(i)));
        sums[i % 2] = _mm512_fmadd_ps(dot, scale, sums[i % 2]);
    }
}

/// The scales (lanes 0 to 7) and minima (8 to 15) of a Q4_K or Q5_K block. They are 6 bits each, in 12 bytes behind two
/// halves; numbers 4 to 7 of either have their upper two bits apart.
#[inline(always)]
pub unsafe fn k_head(head: __m128i) -> __m512 {
    // SAFETY: the caller has the features.
    unsafe {
        let low = _mm_shuffle_epi8(head, _mm_setr_epi8(4, 5, 6, 7, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15));
        let low = _mm_srlv_epi16(low, _mm_setr_epi16(0, 0, 0, 0, 0, 0, 4, 4));
        let low = _mm_and_si128(low, _mm_setr_epi32(0x3F3F_3F3F, 0x0F0F_0F0F, 0x3F3F_3F3F, 0x0F0F_0F0F));
        let high = _mm_shuffle_epi8(head, _mm_setr_epi8(-1, -1, -1, -1, 4, 5, 6, 7, -1, -1, -1, -1, 8, 9, 10, 11));
        let high = _mm_and_si128(_mm_srli_epi16::<2>(high), _mm_set1_epi8(0x30));
        let six = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_or_si128(low, high)));
        let unit = _mm512_permutexvar_ps(spread8(0), _mm512_castps128_ps512(_mm_cvtph_ps(head)));
        _mm512_mul_ps(six, unit)
    }
}

/// The block's scales times those of the activations; its minima times their sums are added to `sums[2]`.
#[inline(always)]
unsafe fn k_scales(head: __m128i, x: &Piece, sums: &mut [__m512; 3]) -> __m512 {
    // SAFETY: the caller has the features.
    unsafe {
        let scales = _mm512_mul_ps(k_head(head), sixteen(&x.scale));
        sums[2] = _mm512_mask_add_ps(sums[2], 0xFF00, sums[2], scales);
        scales
    }
}

/// 32 bytes hold 32 numbers in their lower halves and the 32 that follow in the upper ones.
#[inline(always)]
unsafe fn nibbles(bytes: __m256i) -> __m512i {
    // SAFETY: the caller has the features.
    unsafe {
        let both = _mm512_broadcast_i64x4(bytes);
        _mm512_and_si512(_mm512_srlv_epi32(both, halves(0, 4)), _mm512_set1_epi8(0xF))
    }
}

#[inline(always)]
unsafe fn q4_k_piece(block: &[u8; 144], x: &Piece, _fours: &Fours, sums: &mut [__m512; 3]) {
    // SAFETY: the caller has the features; all parts lie within the block.
    unsafe {
        let scales = k_scales(part(block, 0), x, sums);
        four_times!(I, {
            prefetch(block, I);
            let w = nibbles(part(block, 16 + I * 32));
            add_64(sums, I, _mm512_setzero_si512(), w, x, _mm512_permutexvar_ps(spread8(I * 2), scales));
        });
    }
}

#[inline(always)]
unsafe fn q5_k_piece(block: &[u8; 176], x: &Piece, _fours: &Fours, sums: &mut [__m512; 3]) {
    // SAFETY: the caller has the features; all parts lie within the block.
    unsafe {
        let scales = k_scales(part(block, 0), x, sums);
        let fifth = _mm512_broadcast_i64x4(part(block, 16));
        four_times!(I, {
            prefetch(block, I);
            // Bit 2i of `fifth` belongs to the first 32 numbers, bit 2i + 1 to the others: rotated to bit 4.
            let bit = _mm512_rorv_epi32(fifth, halves((28 + 2 * I as i32) % 32, (29 + 2 * I as i32) % 32));
            let w = with_bits(nibbles(part(block, 48 + I * 32)), bit, _mm512_set1_epi8(0x10));
            add_64(sums, I, _mm512_setzero_si512(), w, x, _mm512_permutexvar_ps(spread8(I * 2), scales));
        });
    }
}

/// The 256 numbers 0 to 63 of a Q6_K block. It has twice 64 bytes of lower bits and, behind them, twice 32 bytes of
/// upper bits.
#[inline(always)]
pub unsafe fn q6_k_numbers(block: &[u8; 210]) -> [__m512i; 4] {
    // SAFETY: the caller has the features; all parts lie within the block.
    unsafe {
        let [a, b] = q6_k_half(part(block, 0), part(block, 128));
        let [c, d] = q6_k_half(part(block, 64), part(block, 160));
        [a, b, c, d]
    }
}

#[inline(always)]
unsafe fn q6_k_half(low: __m512i, high: __m256i) -> [__m512i; 2] {
    // SAFETY: the caller has the features.
    unsafe {
        let high = _mm512_broadcast_i64x4(high);
        let (nibble, pair) = (_mm512_set1_epi8(0xF), _mm512_set1_epi8(0x30));
        let a = _mm512_and_si512(low, nibble);
        let b = _mm512_and_si512(_mm512_srli_epi32::<4>(low), nibble);
        [
            with_bits(a, _mm512_sllv_epi32(high, halves(4, 2)), pair),
            with_bits(b, _mm512_srlv_epi32(high, halves(0, 2)), pair),
        ]
    }
}

/// The 16 scales of a Q6_K block: bytes at 192, and what 1 stands for in two at 208.
#[inline(always)]
pub unsafe fn q6_k_scales(block: &[u8; 210]) -> __m512 {
    // SAFETY: the caller has the features; all parts lie within the block.
    unsafe {
        let unit = _mm512_cvtph_ps(_mm256_set1_epi16(part(block, 208)));
        _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(part(block, 192))), unit)
    }
}

#[inline(always)]
unsafe fn q6_k_piece(block: &[u8; 210], x: &Piece, _fours: &Fours, sums: &mut [__m512; 3]) {
    // SAFETY: the caller has the features.
    unsafe {
        let scales = q6_k_scales(block);
        // Numbers stand for themselves less 32.
        sums[2] = _mm512_fmadd_ps(_mm512_mul_ps(scales, _mm512_set1_ps(32.0)), sixteen(&x.sum16), sums[2]);
        let twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
        let scales = _mm512_mul_ps(scales, _mm512_permutexvar_ps(twice, sixteen(&x.scale)));
        let numbers = q6_k_numbers(block);
        four_times!(I, {
            prefetch(block, I);
            let scale = _mm512_permutexvar_ps(spread4(I * 4), scales);
            add_64(sums, I, _mm512_setzero_si512(), numbers[I], x, scale);
        });
    }
}

/// What 1 stands for in each of eight Q8_0 blocks in a row, which are 34 bytes each and begin with it.
#[inline(always)]
pub unsafe fn q8_0_units(blocks: &[u8; 272]) -> __m256 {
    macro_rules! unit {
        ($i:literal) => {
            part(blocks, $i * 34)
        };
    }
    // SAFETY: the caller has the features; all parts lie within the blocks.
    unsafe {
        let (a, b, c, d) = (unit!(0), unit!(1), unit!(2), unit!(3));
        _mm256_cvtph_ps(_mm_setr_epi16(a, b, c, d, unit!(4), unit!(5), unit!(6), unit!(7)))
    }
}

#[inline(always)]
unsafe fn q8_0_piece(blocks: &[u8; 272], x: &Piece, fours: &Fours, sums: &mut [__m512; 3]) {
    // SAFETY: the caller has the features; all parts lie within the blocks.
    unsafe {
        let scales = _mm256_mul_ps(q8_0_units(blocks), _mm512_castps512_ps256(sixteen(&x.scale)));
        let scales = _mm512_castps256_ps512(scales);
        four_times!(I, {
            prefetch(blocks, I);
            let low = _mm512_castsi256_si512(part(blocks, I * 68 + 2));
            let w = _mm512_inserti64x4::<1>(low, part(blocks, I * 68 + 36));
            // Raised by 128, which the sums of four that the product begins with take back.
            let w = _mm512_xor_si512(w, _mm512_set1_epi8(-128));
            let start = load((&raw const fours.0[I * 16]).cast());
            add_64(sums, I, start, w, x, _mm512_permutexvar_ps(spread8(I * 2), scales));
        });
    }
}
