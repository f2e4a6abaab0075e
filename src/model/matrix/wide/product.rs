//! Products of several rows of activations with a panel of weights.

use std::arch::x86_64::*;

use super::panel::{LANES, Panel};
use super::round::Piece;

/// Adds `x` (m, 256) times the panel to `sums` (m, 16), where each scale of the panel covers `256 / GROUPS` columns.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,fma")]
pub fn product<const GROUPS: usize>(panel: &Panel, x: &[Piece], sums: &mut [[f32; LANES]]) {
    let (eights, rest) = x.as_chunks::<8>();
    let (sum_eights, sum_rest) = sums.as_chunks_mut::<8>();
    for (x, sums) in eights.iter().zip(sum_eights) {
        few::<GROUPS, 8>(panel, x, sums);
    }
    let mut at = 0;
    macro_rules! few_left {
        ($($m:literal)*) => {$(
            if let (Some(x), Some(sums)) = (rest[at..].first_chunk::<$m>(), sum_rest[at..].first_chunk_mut::<$m>()) {
                few::<GROUPS, $m>(panel, x, sums);
                at += $m;
            }
        )*};
    }
    few_left!(4 2 1);
    let _ = at;
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,fma")]
fn few<const GROUPS: usize, const M: usize>(panel: &Panel, x: &[Piece; M], sums: &mut [[f32; LANES]; M]) {
    let lines = 64 / GROUPS;
    // SAFETY: all loads and stores are of whole lines of 64 bytes, or of four bytes of a piece.
    unsafe {
        let mut floats: [__m512; M] = std::array::from_fn(|i| _mm512_loadu_ps(sums[i].as_ptr()));
        for group in 0..GROUPS {
            let mut dots = [_mm512_setzero_si512(); M];
            for line in group * lines..(group + 1) * lines {
                let w = _mm512_load_si512(panel.w[line].as_ptr().cast());
                for (dot, x) in dots.iter_mut().zip(x) {
                    let four = x.q.as_ptr().add(line * 4).cast::<i32>().read();
                    *dot = _mm512_dpbusd_epi32(*dot, w, _mm512_set1_epi32(four));
                }
            }
            let scale = _mm512_load_ps(panel.scale[group].as_ptr());
            let min = _mm512_load_ps(panel.min[group].as_ptr());
            for ((float, dot), x) in floats.iter_mut().zip(dots).zip(x) {
                let (unit, sum) =
                    if GROUPS == 8 { (x.scale[group], x.sum32[group]) } else { (x.scale[group / 2], x.sum16[group]) };
                let dot = _mm512_mul_ps(_mm512_cvtepi32_ps(dot), _mm512_set1_ps(unit));
                *float = _mm512_fmadd_ps(dot, scale, *float);
                *float = _mm512_fmadd_ps(min, _mm512_set1_ps(sum), *float);
            }
        }
        for (float, sums) in floats.into_iter().zip(sums) {
            _mm512_storeu_ps(sums.as_mut_ptr(), float);
        }
    }
}
