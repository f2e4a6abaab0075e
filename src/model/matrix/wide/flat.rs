//! The rarer types of integer weights: each row is unpacked to plain bytes first, then multiplied like the others.
//!
//! A number is `scale * byte - min`, with a scale and a minimum for each 32 or 16 columns.

use std::arch::x86_64::*;
use std::mem::offset_of;

use half::f16;

use super::dot::{add_64, spread4, spread8, total};
use super::lines::{four_times, part, sixteen};
use super::panel::{LANES, Panel, turn_flats, turn_floats};
use super::round::{Fours, PIECE, Piece};

/// 256 columns of a row.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Flat {
    pub w: [u8; PIECE],
    pub scale: [f32; 16],
    pub min: [f32; 16],
}

impl Flat {
    pub const ZERO: Flat = Flat { w: [0; PIECE], scale: [0.0; 16], min: [0.0; 16] };
}

/// A type of weights that can be unpacked to bytes.
pub trait Unpacked {
    const ELEMENTS: usize;
    const BYTES: usize;
    /// Scales in 256 columns: 8 or 16.
    const GROUPS: usize;

    /// Unpacks block `i` of a piece; the blocks of 32 fill 32 columns each.
    fn block(block: &[u8], i: usize, flat: &mut Flat);
}

fn half(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

macro_rules! thirty_twos {
    ($name:ident, $bytes:expr, $nibbles:expr, $fifth:expr, $min:expr) => {
        pub struct $name;

        impl Unpacked for $name {
            const ELEMENTS: usize = 32;
            const BYTES: usize = $bytes;
            const GROUPS: usize = 8;

            #[inline(always)]
            fn block(block: &[u8], i: usize, flat: &mut Flat) {
                let min: fn(&[u8], f32) -> f32 = $min;
                flat.scale[i] = half(block, 0);
                flat.min[i] = min(block, flat.scale[i]);
                let fifth: Option<usize> = $fifth;
                let bits = fifth.map_or(0, |at| u32::from_le_bytes([0, 1, 2, 3].map(|j| block[at + j])));
                let (low, high) = flat.w[i * 32..i * 32 + 32].split_at_mut(16);
                for (j, byte) in block[$nibbles..$nibbles + 16].iter().enumerate() {
                    low[j] = byte & 0xF | ((bits >> j & 1) as u8) << 4;
                    high[j] = byte >> 4 | ((bits >> (j + 16) & 1) as u8) << 4;
                }
            }
        }
    };
}

thirty_twos!(Q4_0, 18, 2, None, |_, scale| 8.0 * scale);
thirty_twos!(Q4_1, 20, 4, None, |block, _| -half(block, 2));
thirty_twos!(Q5_0, 22, 6, Some(2), |_, scale| 16.0 * scale);
thirty_twos!(Q5_1, 24, 8, Some(4), |block, _| -half(block, 2));

pub struct Q2K;

impl Unpacked for Q2K {
    const ELEMENTS: usize = 256;
    const BYTES: usize = 84;
    const GROUPS: usize = 16;

    #[inline(always)]
    fn block(block: &[u8], _i: usize, flat: &mut Flat) {
        let (scale, min) = (half(block, 80), half(block, 82));
        for (i, both) in block[..16].iter().enumerate() {
            flat.scale[i] = scale * f32::from(both & 0xF);
            flat.min[i] = min * f32::from(both >> 4);
        }
        for (i, w) in flat.w.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            for (w, byte) in w.iter_mut().zip(&block[16 + i / 4 * 32..]) {
                *w = byte >> (i % 4 * 2) & 3;
            }
        }
    }
}

pub struct Q3K;

impl Unpacked for Q3K {
    const ELEMENTS: usize = 256;
    const BYTES: usize = 110;
    const GROUPS: usize = 16;

    #[inline(always)]
    fn block(block: &[u8], _i: usize, flat: &mut Flat) {
        let (six, scale) = (&block[96..108], half(block, 108));
        for i in 0..16 {
            let low = if i < 8 { six[i] & 0xF } else { six[i - 8] >> 4 };
            let high = six[8 + i % 4] >> (i / 4 * 2) & 3;
            flat.scale[i] = scale * (f32::from(low | high << 4) - 32.0);
            flat.min[i] = 4.0 * flat.scale[i];
        }
        for (i, w) in flat.w.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            for ((w, byte), third) in w.iter_mut().zip(&block[32 + i / 4 * 32..]).zip(&block[..32]) {
                *w = byte >> (i % 4 * 2) & 3 | (third >> i & 1) << 2;
            }
        }
    }
}

/// The blocks of one row that lie in one piece; columns beyond them are left as they are.
#[inline(always)]
unsafe fn unpack_row<T: Unpacked>(row: *const u8, columns: usize, flat: &mut Flat) {
    for i in 0..columns / T::ELEMENTS {
        // SAFETY: the caller has the blocks.
        let block = unsafe { std::slice::from_raw_parts(row.wrapping_add(i * T::BYTES), T::BYTES) };
        T::block(block, i, flat);
    }
}

/// See [`super::panel::Unpack`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub unsafe fn unpack<T: Unpacked>(rows: &[*const u8; LANES], columns: usize, panel: &mut Panel) {
    // SAFETY: the features are there, and the caller has the blocks.
    unsafe {
        for i in 0..LANES {
            unpack_row::<T>(rows[i], columns, &mut panel.flats[i]);
        }
        turn_flats(panel);
        let min = panel.flats.as_ptr().cast::<u8>().wrapping_add(offset_of!(Flat, min));
        turn_floats(min, size_of::<Flat>(), &mut panel.min);
    }
}

/// See [`super::dot::Dot`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,fma")]
pub unsafe fn dot<T: Unpacked>(
    weights: *const u8,
    rows: usize,
    columns: usize,
    x: &[Piece],
    _fours: &[Fours],
    out: *mut f32,
) {
    let mut flat = Flat::ZERO;
    let thin = T::GROUPS == 16;
    for row in 0..rows {
        let mut sums = [_mm512_setzero_ps(); 3];
        for (i, x) in x.iter().enumerate() {
            let at = (row * columns + i * PIECE) / T::ELEMENTS * T::BYTES;
            // SAFETY: the features are there, and the caller has the blocks.
            unsafe {
                unpack_row::<T>(weights.wrapping_add(at), PIECE.min(columns - i * PIECE), &mut flat);
                let both = sixteen(&x.scale);
                let (units, less) = if thin {
                    let twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
                    (_mm512_permutexvar_ps(twice, both), sixteen(&x.sum16))
                } else {
                    let upper = _mm512_castps_si512(both);
                    (both, _mm512_castsi512_ps(_mm512_maskz_shuffle_i64x2::<0b00_00_11_10>(0x0F, upper, upper)))
                };
                let scales = _mm512_mul_ps(sixteen(&flat.scale), units);
                sums[2] = _mm512_fmadd_ps(sixteen(&flat.min), less, sums[2]);
                four_times!(I, {
                    let w = part(&flat.w, I * 64);
                    let lanes = if thin { spread4(I * 4) } else { spread8(I * 2) };
                    add_64(&mut sums, I, _mm512_setzero_si512(), w, x, _mm512_permutexvar_ps(lanes, scales));
                });
            }
        }
        // SAFETY: the caller has room.
        unsafe { out.add(row).write(total(&sums)) };
    }
}
