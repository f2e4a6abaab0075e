//! Products of several rows of activations with a panel of weights.

use std::arch::x86_64::*;

use super::lines::{load, put_sixteen, sixteen};
use super::panel::{LANES, Panel};
use super::round::Piece;

/// Adds `x` (m, 256) times the panel to `sums` (m, 16), where each scale of the panel covers `256 / GROUPS` columns.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,fma")]
pub fn product<const GROUPS: usize>(panel: &Panel, x: &[Piece], sums: &mut [[f32; LANES]]) {
    let (eights, rest) = x.as_chunks::<8>();
    let (sum_eights, sum_rest) = sums.as_chunks_mut::<8>();
    for (x, sums) in eights.iter().zip(sum_eights) {
        // SAFETY: the features are there.
        unsafe { few::<GROUPS, 8>(panel, x, sums) };
    }
    let mut at = 0;
    macro_rules! few_left {
        ($($m:literal)*) => {$(
            if let (Some(x), Some(sums)) = (rest[at..].first_chunk::<$m>(), sum_rest[at..].first_chunk_mut::<$m>()) {
                // SAFETY: the features are there.
                unsafe { few::<GROUPS, $m>(panel, x, sums) };
                at += $m;
            }
        )*};
    }
    few_left!(4 2 1);
    let _ = at;
}

#[inline(always)]
unsafe fn few<const GROUPS: usize, const M: usize>(panel: &Panel, x: &[Piece; M], sums: &mut [[f32; LANES]; M]) {
    let lines = 64 / GROUPS;
    // SAFETY: the caller has the features; a line of weights is 64 bytes, of activations four.
    unsafe {
        let mut floats = [_mm512_setzero_ps(); M];
        for i in 0..M {
            floats[i] = sixteen(&sums[i]);
        }
        for group in 0..GROUPS {
            let mut dots = [_mm512_setzero_si512(); M];
            for line in group * lines..(group + 1) * lines {
                let w: __m512i = load(panel.w[line].as_ptr());
                for i in 0..M {
                    let four = _mm512_set1_epi32(i32::from_ne_bytes(x[i].q[line]));
                    dots[i] = _mm512_dpbusd_epi32(dots[i], w, four);
                }
            }
            let (scale, min) = (sixteen(&panel.scale[group]), sixteen(&panel.min[group]));
            for i in 0..M {
                let (unit, sum) = match GROUPS {
                    8 => (x[i].scale[group], x[i].scale[8 + group]),
                    _ => (x[i].scale[group / 2], x[i].sum16[group]),
                };
                let dot = _mm512_mul_ps(_mm512_cvtepi32_ps(dots[i]), _mm512_set1_ps(unit));
                floats[i] = _mm512_fmadd_ps(dot, scale, floats[i]);
                floats[i] = _mm512_fmadd_ps(min, _mm512_set1_ps(sum), floats[i]);
            }
        }
        for i in 0..M {
            put_sixteen(&mut sums[i], floats[i]);
        }
    }
}
