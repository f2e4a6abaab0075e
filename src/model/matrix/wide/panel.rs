//! Sixteen rows by 256 columns of weights, unpacked to bytes in the first-level cache, so that many rows of activations
//! can be multiplied with them.

use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use super::dot::{k_head, q6_k_numbers, q6_k_scales, q8_0_units};
use super::flat::Flat;
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

/// Four times four bytes of each of 16 rows, turned so that the rows are the lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub unsafe fn turn(row: impl Fn(usize) -> *const u8) -> [__m512i; 4] {
    let line = |i: usize| {
        // SAFETY: the caller's: 16 bytes of each row can be read.
        let [a, b, c, d] = [0, 4, 8, 12].map(|lane| unsafe { _mm_loadu_si128(row(i + lane).cast()) });
        let line = _mm512_inserti32x4::<1>(_mm512_castsi128_si512(a), b);
        _mm512_inserti32x4::<3>(_mm512_inserti32x4::<2>(line, c), d)
    };
    let (a, b, c, d) = (line(0), line(1), line(2), line(3));
    let (ab, cd) = (_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d));
    let (ab_high, cd_high) = (_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d));
    [
        _mm512_unpacklo_epi64(ab, cd),
        _mm512_unpackhi_epi64(ab, cd),
        _mm512_unpacklo_epi64(ab_high, cd_high),
        _mm512_unpackhi_epi64(ab_high, cd_high),
    ]
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(line: &mut [u8; 64], bytes: __m512i) {
    // SAFETY: 64 bytes.
    unsafe { _mm512_storeu_si512(line.as_mut_ptr().cast(), bytes) };
}

/// The 16 numbers of each row become 16 lines.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub fn turn_floats<'a>(row: impl Fn(usize) -> &'a [f32; 16], out: &mut [[f32; LANES]; 16]) {
    for i in 0..4 {
        // SAFETY: four numbers are 16 bytes.
        let lines = unsafe { turn(|lane| row(lane).as_ptr().add(i * 4).cast()) };
        for (line, out) in lines.into_iter().zip(&mut out[i * 4..]) {
            // SAFETY: 16 numbers.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), line) };
        }
    }
}

/// The 256 bytes of each row become 64 lines of four each.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub fn turn_bytes<'a>(row: impl Fn(usize) -> &'a [u8; PIECE], out: &mut [[u8; 64]; PIECE / 4]) {
    for i in 0..16 {
        // SAFETY: a row has 256 bytes.
        let lines = unsafe { turn(|lane| row(lane).as_ptr().add(i * 16)) };
        for (line, out) in lines.into_iter().zip(&mut out[i * 4..]) {
            store(out, line);
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn scaled(from: &[[f32; LANES]; 16], by: f32, to: &mut [[f32; LANES]; 16]) {
    for (from, to) in from.iter().zip(to) {
        for (from, to) in from.iter().zip(to) {
            *to = from * by;
        }
    }
}

/// Scales and minima of Q4_K and Q5_K blocks.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,f16c")]
unsafe fn k_heads(rows: &[*const u8; LANES], panel: &mut Panel) {
    let (mut heads, mut turned) = ([[0.0f32; 16]; LANES], [[0.0f32; LANES]; 16]);
    for (row, head) in rows.iter().zip(&mut heads) {
        // SAFETY: the caller's; 16 numbers.
        unsafe { _mm512_storeu_ps(head.as_mut_ptr(), k_head(*row)) };
    }
    turn_floats(|row| &heads[row], &mut turned);
    panel.scale[..8].copy_from_slice(&turned[..8]);
    panel.min[..8].copy_from_slice(&turned[8..]);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,f16c")]
pub unsafe fn q4_k(rows: &[*const u8; LANES], _columns: usize, panel: &mut Panel) {
    // SAFETY: the caller's; a line of a panel is 64 bytes.
    unsafe {
        k_heads(rows, panel);
        let nibble = _mm512_set1_epi8(0xF);
        // Turned before it is unpacked: half as much to turn.
        for i in 0..8 {
            let (group, line) = (i / 2 * 2, i % 2 * 4);
            for (j, both) in turn(|row| rows[row].add(16 + i * 16)).into_iter().enumerate() {
                store(&mut panel.w[group * 8 + line + j], _mm512_and_si512(both, nibble));
                store(&mut panel.w[group * 8 + 8 + line + j], _mm512_and_si512(_mm512_srli_epi32::<4>(both), nibble));
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,f16c")]
pub unsafe fn q5_k(rows: &[*const u8; LANES], _columns: usize, panel: &mut Panel) {
    // SAFETY: the caller's; a line of a panel is 64 bytes.
    unsafe {
        k_heads(rows, panel);
        let (nibble, fifth) = (_mm512_set1_epi8(0xF), _mm512_set1_epi8(0x10));
        for half in 0..2 {
            let bits = turn(|row| rows[row].add(16 + half * 16));
            for group in 0..4 {
                let nibbles = turn(|row| rows[row].add(48 + group * 32 + half * 16));
                for (j, (both, bits)) in nibbles.into_iter().zip(bits).enumerate() {
                    let (a, b) =
                        (_mm512_and_si512(both, nibble), _mm512_and_si512(_mm512_srli_epi32::<4>(both), nibble));
                    let turned = |by: usize| _mm512_rorv_epi32(bits, _mm512_set1_epi32((28 + by as i32) % 32));
                    let a = _mm512_ternarylogic_epi32::<0b1111_1000>(a, turned(group * 2), fifth);
                    let b = _mm512_ternarylogic_epi32::<0b1111_1000>(b, turned(group * 2 + 1), fifth);
                    store(&mut panel.w[group * 16 + half * 4 + j], a);
                    store(&mut panel.w[group * 16 + 8 + half * 4 + j], b);
                }
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,f16c")]
pub unsafe fn q6_k(rows: &[*const u8; LANES], _columns: usize, panel: &mut Panel) {
    for (row, flat) in rows.iter().zip(&mut panel.flats) {
        // SAFETY: the caller's; a flat row is four times 64 bytes and 16 numbers.
        unsafe {
            _mm512_storeu_ps(flat.scale.as_mut_ptr(), q6_k_scales(*row));
            for (j, numbers) in q6_k_numbers(*row).into_iter().enumerate() {
                _mm512_storeu_si512(flat.w.as_mut_ptr().add(j * 64).cast(), numbers);
            }
        }
    }
    turn_bytes(|row| &panel.flats[row].w, &mut panel.w);
    turn_floats(|row| &panel.flats[row].scale, &mut panel.scale);
    scaled(&panel.scale, 32.0, &mut panel.min);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,f16c")]
pub unsafe fn q8_0(rows: &[*const u8; LANES], columns: usize, panel: &mut Panel) {
    for (row, flat) in rows.iter().zip(&mut panel.flats) {
        let mut padded = const { MaybeUninit::<[u8; 272]>::uninit() };
        // SAFETY: the caller's: as many blocks can be read as have columns that count; the others are zeros.
        unsafe {
            let row = if columns == PIECE {
                *row
            } else {
                let padded = padded.write([0; 272]);
                padded[..columns / 32 * 34].copy_from_slice(std::slice::from_raw_parts(*row, columns / 32 * 34));
                padded.as_ptr()
            };
            _mm256_storeu_ps(flat.scale.as_mut_ptr(), q8_0_units(row));
            for j in 0..8 {
                let w = _mm256_loadu_si256(row.add(j * 34 + 2).cast());
                let w = _mm256_xor_si256(w, _mm256_set1_epi8(-128));
                _mm256_storeu_si256(flat.w.as_mut_ptr().add(j * 32).cast(), w);
            }
        }
    }
    turn_bytes(|row| &panel.flats[row].w, &mut panel.w);
    turn_floats(|row| &panel.flats[row].scale, &mut panel.scale);
    scaled(&panel.scale, 128.0, &mut panel.min);
}
