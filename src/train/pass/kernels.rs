//! What is computed element by element, forwards and back. Each function is compiled for several instruction sets and
//! the best one is taken when it runs (`pulp`). Rows are handled alone, so any thread may call these for its own.

use pulp::Arch;

/// Numbers that are added up beside one another: what a register of AVX-512 holds.
const LANES: usize = 16;

/// `eˣ` to 1e-7 relative, from -87 to 88. Written so that a compiler can compute many at once.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // 1.5 × 2^23: a number added to it has its whole part in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let r = x - whole * 0.693_359_4 - whole * -2.121_944_4e-4;
    // The polynomial of Cephes' expf.
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let p = p * r * r + r + 1.0;
    p * f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000))
}

#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    let mut sums = [0.0; LANES];
    for (a, b) in a.zip(b) {
        for i in 0..LANES {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[inline(always)]
fn most(x: &[f32]) -> f32 {
    let chunks = x.chunks_exact(LANES);
    let rest = chunks.remainder().iter().fold(f32::NEG_INFINITY, |a, b| a.max(*b));
    let mut best = [f32::NEG_INFINITY; LANES];
    for chunk in chunks {
        for i in 0..LANES {
            best[i] = if chunk[i] > best[i] { chunk[i] } else { best[i] };
        }
    }
    best.iter().fold(rest, |a, b| a.max(*b))
}

/// Each `x` becomes `e^(x - most)`; returns their sum.
#[inline(always)]
fn exponentials(x: &mut [f32], most: f32) -> f32 {
    let mut sums = [0.0; LANES];
    let mut chunks = x.chunks_exact_mut(LANES);
    for chunk in &mut chunks {
        for i in 0..LANES {
            chunk[i] = exp(chunk[i] - most);
            sums[i] += chunk[i];
        }
    }
    let mut rest = 0.0;
    for x in chunks.into_remainder() {
        *x = exp(*x - most);
        rest += *x;
    }
    sums.iter().sum::<f32>() + rest
}

/// `y = x / rms(x) × w`, row by row (n, width).
pub fn norm(y: &mut [f32], x: &[f32], w: &[f32], eps: f32) {
    let width = w.len();
    Arch::new().dispatch(|| {
        for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
            let r = 1.0 / (dot(x, x) / width as f32 + eps).sqrt();
            for ((y, x), w) in y.iter_mut().zip(x).zip(w) {
                *y = x * r * w;
            }
        }
    });
}

/// Adds to `dx` (n, width) what `dy` asks of the norm's input, and to `dw` (width) what it asks of its weights.
pub fn norm_back(dx: &mut [f32], dw: &mut [f32], x: &[f32], w: &[f32], dy: &[f32], eps: f32) {
    let width = w.len();
    Arch::new().dispatch(|| {
        let mut weighted = [0.0; 4096];
        let weighted = &mut weighted[..width];
        for ((dx, x), dy) in dx.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(dy.chunks_exact(width)) {
            let r = 1.0 / (dot(x, x) / width as f32 + eps).sqrt();
            for ((((weighted, dw), dy), w), x) in weighted.iter_mut().zip(&mut *dw).zip(dy).zip(w).zip(x) {
                *weighted = dy * w;
                *dw += dy * x * r;
            }
            let along = dot(weighted, x) * r * r * r / width as f32;
            for ((dx, g), x) in dx.iter_mut().zip(&*weighted).zip(x) {
                *dx += g * r - x * along;
            }
        }
    });
}

/// Turns the pairs (2i, 2i + 1) of each head by the angle of its row's place; `back` turns them the other way.
/// `x` are rows of `stride` elements of which the first `heads × head_dim` are turned; `angles` (rows, head_dim) holds
/// cosine and sine of each pair.
pub fn turn(x: &mut [f32], stride: usize, heads: usize, angles: &[f32], head_dim: usize, back: bool) {
    let sign = if back { -1.0 } else { 1.0 };
    Arch::new().dispatch(|| {
        for (row, angles) in x.chunks_mut(stride).zip(angles.chunks_exact(head_dim)) {
            for head in row[..heads * head_dim].chunks_exact_mut(head_dim) {
                for (pair, angle) in head.chunks_exact_mut(2).zip(angles.chunks_exact(2)) {
                    let (a, b, cos, sin) = (pair[0], pair[1], angle[0], angle[1] * sign);
                    pair[0] = a * cos - b * sin;
                    pair[1] = a * sin + b * cos;
                }
            }
        }
    });
}

/// `out (n, ffn) = silu(gate) × up`, of rows `gate | up` (n, 2 × ffn).
pub fn swiglu(out: &mut [f32], gate_up: &[f32], ffn: usize) {
    Arch::new().dispatch(|| {
        for (out, row) in out.chunks_exact_mut(ffn).zip(gate_up.chunks_exact(2 * ffn)) {
            let (gate, up) = row.split_at(ffn);
            for ((out, g), u) in out.iter_mut().zip(gate).zip(up) {
                *out = g / (1.0 + exp(-g)) * u;
            }
        }
    });
}

/// `gate | up` become their own gradients, from that of what [`swiglu`] made of them.
pub fn swiglu_back(gate_up: &mut [f32], dout: &[f32], ffn: usize) {
    Arch::new().dispatch(|| {
        for (row, dout) in gate_up.chunks_exact_mut(2 * ffn).zip(dout.chunks_exact(ffn)) {
            let (gate, up) = row.split_at_mut(ffn);
            for ((g, u), d) in gate.iter_mut().zip(up).zip(dout) {
                let sigmoid = 1.0 / (1.0 + exp(-*g));
                let silu = *g * sigmoid;
                *g = d * *u * (sigmoid + silu * (1.0 - sigmoid));
                *u = d * silu;
            }
        }
    });
}

/// The first `first + r + 1` scores of row r (stride `down`) become probabilities, the others up to `columns` 0: a
/// token attends to itself and to those before it.
pub fn attend(scores: &mut [f32], down: usize, columns: usize, first: usize) {
    Arch::new().dispatch(|| {
        for (r, row) in scores.chunks_mut(down).enumerate() {
            let (seen, hidden) = row[..columns].split_at_mut(first + r + 1);
            let sum = exponentials(seen, most(seen));
            let share = 1.0 / sum;
            seen.iter_mut().for_each(|x| *x *= share);
            hidden.fill(0.0);
        }
    });
}

/// The gradients of probabilities (stride `columns`) become those of their scores, hidden ones 0.
pub fn attend_back(d: &mut [f32], columns: usize, p: &[f32], down: usize, first: usize) {
    Arch::new().dispatch(|| {
        for (r, (d, p)) in d.chunks_exact_mut(columns).zip(p.chunks(down)).enumerate() {
            let (seen, hidden) = d.split_at_mut(first + r + 1);
            let p = &p[..seen.len()];
            let mean = dot(seen, p);
            for (d, p) in seen.iter_mut().zip(p) {
                *d = p * (*d - mean);
            }
            hidden.fill(0.0);
        }
    });
}

/// The surprise at each target, in nats, summed in f64. With `scale`, the logits become the gradients of
/// `scale × surprise`.
pub fn surprise(logits: &mut [f32], vocabulary: usize, targets: &[u32], scale: Option<f32>) -> f64 {
    Arch::new().dispatch(|| {
        let mut nats = 0.0;
        for (row, target) in logits.chunks_exact_mut(vocabulary).zip(targets) {
            let target = *target as usize;
            let (most, wanted) = (most(row), row[target]);
            let sum = exponentials(row, most);
            nats += f64::from(most - wanted) + f64::from(sum).ln();
            if let Some(scale) = scale {
                let share = scale / sum;
                row.iter_mut().for_each(|x| *x *= share);
                row[target] -= scale;
            }
        }
        nats
    })
}

/// Sets a `share` of the elements to 0, chosen by chance from the seed, and makes the others larger by as much, so that
/// the mean stays (Srivastava et al. 2014). The same seed chooses the same again: gradients go the same way back.
pub fn drop_out(x: &mut [f32], seed: u32, share: f32) {
    let (limit, scale) = ((f64::from(share) * f64::from(u32::MAX)) as u32, 1.0 / (1.0 - share));
    Arch::new().dispatch(|| {
        for (i, x) in x.iter_mut().enumerate() {
            // The finisher of MurmurHash3: every bit of the place moves every bit of the chance.
            let mut h = (i as u32).wrapping_mul(0x9e37_79b1) ^ seed;
            h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
            h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
            *x *= if h ^ (h >> 16) < limit { 0.0 } else { scale };
        }
    });
}

/// The squares of all elements together; in f64 from run to run.
pub fn square_sum(x: &[f32]) -> f64 {
    Arch::new().dispatch(|| x.chunks(4096).map(|run| f64::from(dot(run, run))).sum())
}

/// Adds `b` to `a`.
pub fn add(a: &mut [f32], b: &[f32]) {
    Arch::new().dispatch(|| a.iter_mut().zip(b).for_each(|(a, b)| *a += b));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_exact_to_a_few_bits() {
        for i in -8700..=8800 {
            let x = i as f32 * 0.01;
            let (ours, exact) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((ours / exact - 1.0).abs() < 3e-7, "e^{x} is {exact}, not {ours}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(-1000.0) < 1e-37 && exp(1000.0).is_finite());
    }

    #[test]
    fn surprise_is_that_of_the_softmax() {
        let mut logits: Vec<f32> = (0..40).map(|i| (i as f32 * 0.7).sin() * 3.0).collect();
        let exact: f64 = (0..2)
            .map(|r| {
                let row = &logits[r * 20..][..20];
                let sum: f64 = row.iter().map(|x| f64::from(*x).exp()).sum();
                sum.ln() - f64::from(row[r + 3])
            })
            .sum();
        let nats = surprise(&mut logits, 20, &[3, 4], Some(0.5));
        assert!((nats - exact).abs() < 1e-5, "{nats} {exact}");
        let sums: Vec<f32> = logits.chunks(20).map(|row| row.iter().sum()).collect();
        assert!(sums.iter().all(|s| s.abs() < 1e-6), "gradients of logits add up to nothing: {sums:?}");
    }

    #[test]
    fn what_is_dropped_is_a_share_and_the_mean_stays() {
        let mut x = vec![1.0; 100_000];
        drop_out(&mut x, 7, 0.2);
        let dropped = x.iter().filter(|x| **x == 0.0).count() as f64 / x.len() as f64;
        let mean = x.iter().map(|x| f64::from(*x)).sum::<f64>() / x.len() as f64;
        assert!((dropped - 0.2).abs() < 0.005 && (mean - 1.0).abs() < 0.01, "{dropped} {mean}");
        let (mut again, mut other) = (vec![1.0; 100_000], vec![1.0; 100_000]);
        drop_out(&mut again, 7, 0.2);
        drop_out(&mut other, 8, 0.2);
        assert!(x == again && x != other);
    }

    #[test]
    fn a_row_attends_to_itself_and_before() {
        let mut scores = vec![1.0; 3 * 8];
        attend(&mut scores, 8, 5, 2);
        for (r, row) in scores.chunks(8).enumerate() {
            assert!((row[..r + 3].iter().sum::<f32>() - 1.0).abs() < 1e-6);
            assert_eq!(row[r + 3..5], vec![0.0; 2 - r]);
            assert_eq!(row[5..], [1.0; 3]);
        }
    }
}
