//! Attention over a cache in f32, with every sum in the order in which llama.cpp's own kernels add on AVX-512.
//!
//! For small models, whose speed is no matter. The result is no better than that of `attention`, but the same as the
//! reference's to the last bit almost everywhere: where a later step rounds coarsely (eight-bit activations, Gemma's
//! table of f16), a last bit may decide, and logits that agree to 1e-12 become logits that agree to 1e-7.

use super::cache::PAGE;
use super::kernels;

const LANES: usize = 16;
/// Lanes of the four sums that a long product is split into.
const WIDE: usize = 64;

type Lanes = [f32; LANES];

/// One query against pages of keys (dim, PAGE) and values (PAGE, dim).
pub(super) struct Exact<'a> {
    /// Replaced by the attended values.
    pub query: &'a mut [f32],
    /// The first position that is seen and the one behind the last.
    pub span: (usize, usize),
    pub scale: f32,
    pub cap: Option<f32>,
    /// The query was computed alone: the reference adds in another order then.
    pub alone: bool,
}

/// Buffers between two queries.
#[derive(Default)]
pub(super) struct Scratch {
    scores: Vec<f32>,
    sums: Vec<f32>,
}

impl Exact<'_> {
    pub fn attend<'a>(&mut self, page: &dyn Fn(usize) -> (&'a [f32], &'a [f32]), scratch: &mut Scratch) {
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx2,fma")]
            fn wide<'a>(e: &mut Exact, page: &dyn Fn(usize) -> (&'a [f32], &'a [f32]), scratch: &mut Scratch) {
                e.attend_by::<1>(page, scratch);
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                // SAFETY: both features were just found.
                return unsafe { wide(self, page, scratch) };
            }
        }
        self.attend_by::<0>(page, scratch);
    }

    #[inline(always)]
    fn attend_by<'a, const LEVEL: u8>(
        &mut self,
        page: &dyn Fn(usize) -> (&'a [f32], &'a [f32]),
        scratch: &mut Scratch,
    ) {
        let (low, high) = self.span;
        let (first, last) = (low / PAGE, high.div_ceil(PAGE));
        let Scratch { scores, sums } = scratch;
        scores.clear();
        for p in first..last {
            let (keys, _) = page(p);
            for lane in (0..PAGE).step_by(LANES) {
                scores.extend_from_slice(&product::<LEVEL>(self.query, &keys[lane..]));
            }
        }
        let (from, to) = (low - first * PAGE, high - first * PAGE);
        for x in &mut scores[from..to] {
            *x *= self.scale;
            if let Some(cap) = self.cap {
                *x = (*x * (1.0 / cap)).tanh() * cap;
            }
        }
        softmax::<LEVEL>(scores, from, to);
        self.weigh::<LEVEL>(first..last, page, scores, sums);
    }

    /// The weighted values: position `i` is added in lane `i % lanes`, and lanes are added in halves.
    #[inline(always)]
    fn weigh<'a, const LEVEL: u8>(
        &mut self,
        pages: std::ops::Range<usize>,
        page: &dyn Fn(usize) -> (&'a [f32], &'a [f32]),
        weights: &[f32],
        sums: &mut Vec<f32>,
    ) {
        let dim = self.query.len();
        let lanes = if self.alone { WIDE } else { LANES };
        sums.clear();
        sums.resize(lanes * dim, 0.0);
        let first = pages.start;
        for p in pages {
            let (_, values) = page(p);
            for at in 0..PAGE {
                let position = p * PAGE + at;
                if position < self.span.0 || position >= self.span.1 {
                    continue;
                }
                let weight = weights[position - first * PAGE];
                let sum = &mut sums[position % lanes * dim..][..dim];
                for (sum, value) in sum.iter_mut().zip(&values[at * dim..(at + 1) * dim]) {
                    *sum = kernels::fused::<LEVEL>(*value, weight, *sum);
                }
            }
        }
        let mut half = lanes / 2;
        while half > 0 {
            for i in 0..half * dim {
                sums[i] += sums[i + half * dim];
            }
            half /= 2;
        }
        self.query.copy_from_slice(&sums[..dim]);
    }
}

/// The products of a query with 16 positions; `keys` begins at the first of them.
#[inline(always)]
fn product<const LEVEL: u8>(query: &[f32], keys: &[f32]) -> Lanes {
    let whole = query.len() / WIDE * WIDE;
    let row = |d: usize| &keys[d * PAGE..d * PAGE + LANES];
    let mut total = [0.0f32; LANES];
    if whole > 0 {
        let mut sums = [[0.0f32; LANES]; WIDE];
        for d in 0..whole {
            for (sum, key) in sums[d % WIDE].iter_mut().zip(row(d)) {
                *sum = kernels::fused::<LEVEL>(*key, query[d], *sum);
            }
        }
        let mut half = WIDE / 2;
        while half > 0 {
            let (low, high) = sums[..2 * half].split_at_mut(half);
            for (sum, other) in low.as_flattened_mut().iter_mut().zip(high.as_flattened()) {
                *sum += other;
            }
            half /= 2;
        }
        total = sums[0];
    }
    // What is left over is not fused there.
    for (d, x) in query.iter().enumerate().skip(whole) {
        for (sum, key) in total.iter_mut().zip(row(d)) {
            *sum += key * x;
        }
    }
    total
}

/// Makes scores into weights: those from `low` to `high` count, the others become 0.
#[inline(always)]
fn softmax<const LEVEL: u8>(row: &mut [f32], low: usize, high: usize) {
    let max = row[low..high].iter().fold(f32::NEG_INFINITY, |a, b| if *b > a { *b } else { a });
    for (i, x) in row.iter_mut().enumerate() {
        *x = if (low..high).contains(&i) { kernels::exp_fused::<LEVEL>(*x - max) } else { 0.0 };
    }
    let mut sum = 0.0f64;
    for xs in row.chunks_exact(LANES) {
        let mut xs: Lanes = std::array::from_fn(|i| xs[i]);
        let mut half = LANES / 2;
        while half > 0 {
            for i in 0..half {
                xs[i] += xs[i + half];
            }
            half /= 2;
        }
        sum += f64::from(xs[0]);
    }
    let share = (1.0 / sum) as f32;
    row.iter_mut().for_each(|x| *x *= share);
}
