//! Sixteen rows by 256 columns of weights, unpacked to bytes in the first-level cache, so that many rows of activations
//! can be multiplied with them.

use std::arch::x86_64::*;
use std::mem::offset_of;

use super::dot::{k_head, q6_k_numbers, q6_k_scales, q8_0_units, with_bits};
use super::flat::Flat;
use super::lines::{four_times, load, part, put_line, put_sixteen, store};
use super::round::PIECE;

/// Rows in a panel: the lanes of a register.
pub const LANES: usize = 16;

#[repr(C, align(64))]
pub struct Panel {
    /// (columns / 4, rows, 4), unsigned
    pub w: [[u8; 64]; PIECE / 4],
    /// (groups of 32 or 16 columns, rows): what 1 stands for
    pub scale: [[f32; LANES]; 16],
    /// (groups, rows): what 0 stands for, less its sign
    pub min: [[f32; LANES]; 16],
    /// Where rows are unpacked before they are turned.
    pub flats: [Flat; LANES],
}

impl Panel {
    pub const ZERO: Panel = Panel {
        w: [[0; 64]; PIECE / 4],
        scale: [[0.0; LANES]; 16],
        min: [[0.0; LANES]; 16],
        flats: [Flat::ZERO; LANES],
    };
}

/// Fills a panel from the blocks of 16 rows, of which each has `columns` (at most 256) that count.
///
/// # Safety
/// The processor has the features, and the blocks can be read.
pub type Unpack = unsafe fn(rows: &[*const u8; LANES], columns: usize, panel: &mut Panel);

/// Four times four bytes of each of 16 rows, turned so that the rows are the lanes. The rows begin at `first`, each
/// `stride` bytes behind the one before.
#[inline(always)]
pub unsafe fn turn(first: *const u8, stride: usize) -> [__m512i; 4] {
    // SAFETY: the caller has the features and 16 bytes of each row.
    unsafe {
        let mut lines = [_mm512_setzero_si512(); 4];
        for i in 0..4 {
            let row = first.wrapping_add(i * stride);
            let (a, b) = (load(row), load(row.wrapping_add(4 * stride)));
            let (c, d) = (load(row.wrapping_add(8 * stride)), load(row.wrapping_add(12 * stride)));
            lines[i] = four(a, b, c, d);
        }
        turned(lines)
    }
}

/// The same for rows that lie anywhere, `at` bytes on.
#[inline(always)]
unsafe fn turn_rows(rows: &[*const u8; LANES], at: usize) -> [__m512i; 4] {
    // SAFETY: the caller has the features and 16 bytes of each row.
    unsafe {
        let mut lines = [_mm512_setzero_si512(); 4];
        for i in 0..4 {
            let (a, b) = (load(rows[i].wrapping_add(at)), load(rows[i + 4].wrapping_add(at)));
            let (c, d) = (load(rows[i + 8].wrapping_add(at)), load(rows[i + 12].wrapping_add(at)));
            lines[i] = four(a, b, c, d);
        }
        turned(lines)
    }
}

#[inline(always)]
unsafe fn four(a: __m128i, b: __m128i, c: __m128i, d: __m128i) -> __m512i {
    // SAFETY: the caller has the features.
    unsafe {
        let line = _mm512_inserti32x4::<1>(_mm512_castsi128_si512(a), b);
        _mm512_inserti32x4::<3>(_mm512_inserti32x4::<2>(line, c), d)
    }
}

/// Row `i + 4 * j` is quarter `j` of line `i`.
#[inline(always)]
unsafe fn turned(lines: [__m512i; 4]) -> [__m512i; 4] {
    let [a, b, c, d] = lines;
    // SAFETY: the caller has the features.
    unsafe {
        let (ab, cd) = (_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d));
        let (ab_high, cd_high) = (_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d));
        [
            _mm512_unpacklo_epi64(ab, cd),
            _mm512_unpackhi_epi64(ab, cd),
            _mm512_unpacklo_epi64(ab_high, cd_high),
            _mm512_unpackhi_epi64(ab_high, cd_high),
        ]
    }
}

/// The 16 numbers of each row, `stride` bytes apart, become 16 lines.
#[inline(always)]
pub unsafe fn turn_floats(first: *const u8, stride: usize, out: &mut [[f32; LANES]; 16]) {
    for i in 0..4 {
        // SAFETY: the caller has the features and the rows; four numbers are 16 bytes.
        unsafe {
            let lines = turn(first.wrapping_add(i * 16), stride);
            for j in 0..4 {
                put_sixteen(&mut out[i * 4 + j], _mm512_castsi512_ps(lines[j]));
            }
        }
    }
}

/// The flat rows become the panel's weights.
#[inline(always)]
pub unsafe fn turn_flats(panel: &mut Panel) {
    let first = panel.flats.as_ptr().cast::<u8>();
    for i in 0..16 {
        // SAFETY: the caller has the features; a row has 256 bytes.
        unsafe {
            let lines = turn(first.wrapping_add(offset_of!(Flat, w) + i * 16), size_of::<Flat>());
            for j in 0..4 {
                put_line(&mut panel.w[i * 4 + j], lines[j]);
            }
        }
    }
    // SAFETY: as above.
    unsafe { turn_floats(first.wrapping_add(offset_of!(Flat, scale)), size_of::<Flat>(), &mut panel.scale) };
}

/// Weights that stand for themselves less `by`.
#[inline(always)]
fn lower(panel: &mut Panel, by: f32) {
    for (scale, min) in panel.scale.as_flattened().iter().zip(panel.min.as_flattened_mut()) {
        *min = scale * by;
    }
}

/// Scales and minima of Q4_K and Q5_K blocks.
#[inline(always)]
unsafe fn k_heads(rows: &[*const u8; LANES], panel: &mut Panel) {
    let (mut heads, mut turned) = ([[0.0f32; 16]; LANES], [[0.0f32; LANES]; 16]);
    // SAFETY: the caller has the features and the blocks; a row of heads is 64 bytes.
    unsafe {
        for i in 0..LANES {
            put_sixteen(&mut heads[i], k_head(load(rows[i])));
        }
        turn_floats(heads.as_ptr().cast(), 64, &mut turned);
    }
    panel.scale[..8].copy_from_slice(&turned[..8]);
    panel.min[..8].copy_from_slice(&turned[8..]);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,f16c")]
pub unsafe fn q4_k(rows: &[*const u8; LANES], _columns: usize, panel: &mut Panel) {
    // SAFETY: the features are there, and the caller has the blocks.
    unsafe {
        k_heads(rows, panel);
        let nibble = _mm512_set1_epi8(0xF);
        // Turned before it is unpacked: half as much to turn.
        for i in 0..8 {
            let first = i / 2 * 16 + i % 2 * 4;
            let lines = turn_rows(rows, 16 + i * 16);
            for j in 0..4 {
                put_line(&mut panel.w[first + j], _mm512_and_si512(lines[j], nibble));
                let high = _mm512_and_si512(_mm512_srli_epi32::<4>(lines[j]), nibble);
                put_line(&mut panel.w[first + 8 + j], high);
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,f16c")]
pub unsafe fn q5_k(rows: &[*const u8; LANES], _columns: usize, panel: &mut Panel) {
    // SAFETY: the features are there, and the caller has the blocks.
    unsafe {
        k_heads(rows, panel);
        let (nibble, fifth) = (_mm512_set1_epi8(0xF), _mm512_set1_epi8(0x10));
        for half in 0..2 {
            let bits = turn_rows(rows, 16 + half * 16);
            for group in 0..4 {
                let lines = turn_rows(rows, 48 + group * 32 + half * 16);
                let bit = |by: usize| _mm512_set1_epi32((28 + by as i32) % 32);
                let (first, a_bit, b_bit) = (group * 16 + half * 4, bit(group * 2), bit(group * 2 + 1));
                for j in 0..4 {
                    let a = _mm512_and_si512(lines[j], nibble);
                    let b = _mm512_and_si512(_mm512_srli_epi32::<4>(lines[j]), nibble);
                    put_line(&mut panel.w[first + j], with_bits(a, _mm512_rorv_epi32(bits[j], a_bit), fifth));
                    put_line(&mut panel.w[first + 8 + j], with_bits(b, _mm512_rorv_epi32(bits[j], b_bit), fifth));
                }
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,f16c")]
pub unsafe fn q6_k(rows: &[*const u8; LANES], _columns: usize, panel: &mut Panel) {
    // SAFETY: the features are there, and the caller has the blocks; a flat row is four times 64 bytes.
    unsafe {
        for i in 0..LANES {
            let (block, flat) = (&*rows[i].cast(), &mut panel.flats[i]);
            put_sixteen(&mut flat.scale, q6_k_scales(block));
            store(flat.w.as_mut_ptr(), q6_k_numbers(block));
        }
        turn_flats(panel);
    }
    lower(panel, 32.0);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,f16c")]
pub unsafe fn q8_0(rows: &[*const u8; LANES], columns: usize, panel: &mut Panel) {
    let mut padded = [0u8; 272];
    // SAFETY: the features are there. The caller has as many blocks as have columns that count; of the others, zeros.
    unsafe {
        for i in 0..LANES {
            let (mut row, flat) = (rows[i], &mut panel.flats[i]);
            if columns < PIECE {
                let bytes = columns / 32 * 34;
                padded[..bytes].copy_from_slice(std::slice::from_raw_parts(row, bytes));
                row = padded.as_ptr();
            }
            let blocks: &[u8; 272] = &*row.cast();
            store(flat.scale.as_mut_ptr().cast(), q8_0_units(blocks));
            four_times!(I, {
                let low = _mm512_castsi256_si512(part(blocks, I * 68 + 2));
                let w = _mm512_inserti64x4::<1>(low, part(blocks, I * 68 + 36));
                store(&raw mut flat.w[I * 64], _mm512_xor_si512(w, _mm512_set1_epi8(-128)));
            });
        }
        turn_flats(panel);
    }
    lower(panel, 128.0);
}
