//! The arithmetic between the matrix products, on plain slices.
//!
//! Each hot loop is written once and compiled twice: for any processor and for those with AVX2 and FMA, chosen at run
//! time. `spread` uses no fused operation and a fixed order, so that its sums are the same on every machine.

use std::sync::OnceLock;

use half::f16;

/// Lanes that sums are split into; the compiler turns them into vector registers.
const LANES: usize = 16;

macro_rules! for_each_processor {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $t:ty),*) $(-> $r:ty)? = $body:ident) => {
        $(#[$doc])*
        $vis fn $name($($arg: $t),*) $(-> $r)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn wide($($arg: $t),*) $(-> $r)? {
                    $body::<true>($($arg),*)
                }
                if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
                    // SAFETY: both features were just found.
                    return unsafe { wide($($arg),*) };
                }
            }
            // Every 64-bit ARM fuses in one instruction; elsewhere it would be a call.
            $body::<{ cfg!(target_arch = "aarch64") }>($($arg),*)
        }
    };
}

for_each_processor! {
    /// Maximum, logarithm of the sum of exponentials, and entropy (nats) of logits; NaN logits give NaN.
    pub fn spread(logits: &[f32]) -> Spread = spread_body
}

for_each_processor! {
    /// `gate = silu(gate) * up`
    pub fn swiglu(gate: &mut [f32], up: &[f32]) = swiglu_body
}

for_each_processor! {
    /// Turns neighbouring elements of a head by angles given as (cos, sin), the first product fused with the second.
    pub fn turn_neighbours(head: &mut [f32], angles: &[(f32, f32)]) = turn_neighbours_body
}

for_each_processor! {
    /// The same for elements that lie half the head apart.
    pub fn turn_halves(head: &mut [f32], angles: &[(f32, f32)]) = turn_halves_body
}

for_each_processor! {
    /// `x = cap * tanh(x / cap)`
    pub fn soft_cap(x: &mut [f32], cap: f32) = soft_cap_body
}

/// `e^x` with fused operations, by the polynomial that llama.cpp's kernels share with Arm's optimized routines, so that
/// softmax and SiLU agree with the reference in the last bit. 0 far below, infinity far above.
#[inline(always)]
#[allow(clippy::excessive_precision)]
pub fn exp_fused<const LEVEL: u8>(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23
    let n = fused::<LEVEL>(x, std::f32::consts::LOG2_E, ROUND) - ROUND;
    let b = fused::<LEVEL>(-n, 1.428_606_8e-6, fused::<LEVEL>(-n, 0.693_145_75, x));
    let u = b * b;
    let high = fused::<LEVEL>(
        fused::<LEVEL>(8.247_390_4e-3, b, 4.189_976_7e-2),
        u,
        fused::<LEVEL>(0.166_683_96, b, 0.499_991_27),
    );
    let j = fused::<LEVEL>(high, u, fused::<LEVEL>(0.999_999_4, b, 1.0));
    // In two factors, since 2^n may be too small or too large for one; far out they make 0 and infinity. No branch, so
    // that loops over it become vector code.
    let whole = (n.clamp(-252.0, 252.0) + ROUND).to_bits().wrapping_sub(ROUND.to_bits()) as i32;
    let low = whole >> 1;
    let power = |n: i32| f32::from_bits((n.wrapping_add(127) as u32) << 23);
    j * power(low) * power(whole.wrapping_sub(low))
}

/// `a * b + c`, fused from level 1 on.
#[inline(always)]
pub fn fused<const LEVEL: u8>(a: f32, b: f32, c: f32) -> f32 {
    if LEVEL > 0 || cfg!(target_arch = "aarch64") { a.mul_add(b, c) } else { a * b + c }
}

/// What a row of logits amounts to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub max: f32,
    /// `ln Σ exp(logit)`
    pub log_sum: f64,
    pub entropy_nats: f32,
}

#[inline(always)]
fn spread_body<const FUSED: bool>(logits: &[f32]) -> Spread {
    let mut tops = [f32::NEG_INFINITY; LANES];
    for xs in logits.chunks(LANES) {
        for (top, x) in tops.iter_mut().zip(xs) {
            // Unlike f32::max this lets a NaN stay.
            *top = if *x > *top || x.is_nan() { *x } else { *top };
        }
    }
    let max = tops.iter().fold(f32::NEG_INFINITY, |a, b| if *b > a || b.is_nan() { *b } else { a });
    let (mut sums, mut weighted) = ([0.0f32; LANES], [0.0f32; LANES]);
    for xs in logits.chunks(LANES) {
        for ((sum, weight), x) in sums.iter_mut().zip(&mut weighted).zip(xs) {
            let below = x - max;
            let e = exp(below);
            *sum += e;
            // A logit of -inf has no share, and 0 * -inf would be NaN.
            *weight += e * below.max(-100.0);
        }
    }
    let total = |parts: &[f32]| parts.iter().map(|x| f64::from(*x)).sum::<f64>();
    let (sum, weighted) = (total(&sums), total(&weighted));
    let log_sum = f64::from(max) + sum.ln();
    Spread { max, log_sum, entropy_nats: (sum.ln() - weighted / sum).max(0.0) as f32 }
}

#[inline(always)]
fn swiglu_body<const FUSED: bool>(gate: &mut [f32], up: &[f32]) {
    for (g, u) in gate.iter_mut().zip(up) {
        *g = *g / (1.0 + if FUSED { exp_fused::<1>(-*g) } else { exp(-*g) }) * u;
    }
}

#[inline(always)]
fn turn_neighbours_body<const FUSED: bool>(head: &mut [f32], angles: &[(f32, f32)]) {
    for (pair, (cos, sin)) in head.chunks_exact_mut(2).zip(angles) {
        let (a, b) = (pair[0], pair[1]);
        pair[0] = either::<FUSED>(a, *cos, -(b * sin));
        pair[1] = either::<FUSED>(a, *sin, b * cos);
    }
}

#[inline(always)]
fn turn_halves_body<const FUSED: bool>(head: &mut [f32], angles: &[(f32, f32)]) {
    let (low, high) = head.split_at_mut(head.len() / 2);
    for ((x, y), (cos, sin)) in low.iter_mut().zip(high).zip(angles) {
        let (a, b) = (*x, *y);
        *x = either::<FUSED>(a, *cos, -(b * sin));
        *y = either::<FUSED>(a, *sin, b * cos);
    }
}

#[inline(always)]
fn either<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

#[inline(always)]
fn soft_cap_body<const FUSED: bool>(x: &mut [f32], cap: f32) {
    for x in x {
        *x = soft_capped(*x, cap);
    }
}

/// `cap * tanh(x / cap)`
#[inline(always)]
pub fn soft_capped(x: f32, cap: f32) -> f32 {
    cap * (1.0 - 2.0 / (1.0 + exp(2.0 * x / cap)))
}

/// `gate = gelu(gate) * up`, in the form with tanh and from a table of every f16, as llama.cpp takes it: rounding and
/// cancellation in that table would show in the logits (2e-8 where 1e-11 is possible).
pub fn geglu(gate: &mut [f32], up: &[f32]) {
    static TABLE: OnceLock<Vec<f16>> = OnceLock::new();
    let of = |bits: u16| {
        let x = f16::from_bits(bits).to_f32();
        let slope = 0.797_884_6 * x * (0.044715 * x).mul_add(x, 1.0); // sqrt(2 / pi)
        f16::from_f32(0.5 * x * (1.0 + slope.tanh()))
    };
    let table = TABLE.get_or_init(|| (0..=u16::MAX).map(of).collect());
    for (g, u) in gate.iter_mut().zip(up) {
        *g = u * match *g {
            x if x <= -10.0 => 0.0,
            x if x >= 10.0 => x,
            x => table[f16::from_f32(x).to_bits() as usize].to_f32(),
        };
    }
}

/// `e^x` to within 2 units of the last place, without branches, so that loops over it become vector code.
/// Below -87 it is 0 (to within 1e-38), above 88 it stays at e^88; NaN stays NaN.
///
/// The range is reduced by ln 2 in two parts and the rest is a polynomial of degree 6 (Cephes, `expf`).
#[inline(always)]
#[allow(clippy::excessive_precision)]
pub fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to a whole number
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    let n = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = x - n * 0.693_359_375 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_2e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 5.000_000_1e-1;
    let p = p * r * r + r + 1.0;
    // 2^n by its exponent bits; `n` lies in -126..=127.
    p * f32::from_bits((((n + ROUND).to_bits() & 0x1FF).wrapping_add(127) & 0xFF) << 23)
}

/// `out = x / rms(x) * weight`, row by row of `weight`'s length.
pub fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let width = weight.len();
    for (row, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        let scale = rms_scale(row, eps);
        for ((out, x), w) in out.iter_mut().zip(row).zip(weight) {
            *out = x * scale * w;
        }
    }
}

/// The same, in place.
pub fn rms_norm_in_place(x: &mut [f32], weight: &[f32], eps: f32) {
    for row in x.chunks_exact_mut(weight.len()) {
        let scale = rms_scale(row, eps);
        for (x, w) in row.iter_mut().zip(weight) {
            *x = *x * scale * w;
        }
    }
}

/// One over the root of the mean square, the squares in f32 and their sum in f64, as llama.cpp has it.
fn rms_scale(row: &[f32], eps: f32) -> f32 {
    let mut sums = [0.0f64; LANES];
    for xs in row.chunks(LANES) {
        for (sum, x) in sums.iter_mut().zip(xs) {
            *sum += f64::from(x * x);
        }
    }
    let mean = (sums.iter().sum::<f64>() / row.len() as f64) as f32;
    1.0 / (mean + eps).sqrt()
}

/// `x += y`
pub fn add(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_close_everywhere() {
        for i in -8600..8800 {
            let x = i as f32 / 100.0;
            let (got, right) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((got / right - 1.0).abs() < 3e-7, "{x}: {got} {right}");
        }
        assert!(exp(f32::NEG_INFINITY) < 1e-37 && exp(f32::NAN).is_nan() && exp(1e9).is_finite());
    }

    #[test]
    fn spread_is_that_of_the_definition() {
        let logits: Vec<f32> = (0..1003).map(|i| ((i * 37) % 101) as f32 / 9.0 - 3.0).collect();
        let sum: f64 = logits.iter().map(|x| f64::from(*x).exp()).sum();
        let entropy: f64 = logits.iter().map(|x| f64::from(*x).exp() / sum).map(|p| -p * p.ln()).sum();
        let got = spread(&logits);
        assert!((got.log_sum - sum.ln()).abs() < 1e-5);
        assert!((f64::from(got.entropy_nats) - entropy).abs() < 1e-4, "{got:?} {entropy}");
        assert!(spread(&[1.0, f32::NAN, 2.0]).log_sum.is_nan());
        assert!(spread(&[0.0, f32::NEG_INFINITY]).entropy_nats < 1e-30);
        assert_eq!(spread_body::<false>(&logits), got);
    }

    #[test]
    fn norm_and_gate() {
        let mut out = vec![0.0; 4];
        rms_norm(&[3.0, 4.0, 0.0, 1.0], &[1.0, 2.0], 0.0, &mut out);
        let rms = 12.5f32.sqrt();
        assert!((out[0] - 3.0 / rms).abs() < 1e-6 && (out[1] - 8.0 / rms).abs() < 1e-6);
        let mut gate = vec![1.0, -2.0];
        swiglu(&mut gate, &[2.0, 3.0]);
        assert!((gate[0] - 2.0 / (1.0 + (-1.0f32).exp())).abs() < 1e-6);
        assert!((gate[1] + 6.0 / (1.0 + 2.0f32.exp())).abs() < 1e-6);
        let mut gate = vec![1.0, -1.0, 12.0, -12.0, 1e-6, f32::NAN];
        geglu(&mut gate, &[1.0, 2.0, 1.0, 1.0, 1.0, 1.0]);
        assert!((gate[0] - 0.8412).abs() < 3e-4 && (gate[1] + 2.0 * 0.1588).abs() < 3e-4, "{gate:?}");
        assert!(gate[2] == 12.0 && gate[3] == 0.0 && gate[5].is_nan());
        let mut x = vec![0.5, 1000.0, -1000.0];
        soft_cap(&mut x, 30.0);
        assert!((x[0] - 0.5).abs() < 1e-4 && x[1] == 30.0 && x[2] == -30.0);
    }
}
