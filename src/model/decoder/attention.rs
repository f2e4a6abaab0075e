//! Attention of new rows to everything they may see, over the pages of the cache.
//!
//! Up to four queries that look at the same key head go through the cache together, so that each key and value is
//! loaded and widened once: the heads of one group while text is generated, neighbouring rows as well while a prompt is
//! read. The loops are written once and compiled for plain, AVX2 and AVX-512 processors.

use candle_core::utils::barrier_pool;
use half::f16;

use super::cache::{Cache, Element, PAGE};
use super::exact::{Exact, Scratch};
use super::lanes::{LANES, score, weigh};
#[cfg(target_arch = "x86_64")]
use super::wide;
use super::{Config, kernels};

/// Below this many multiplications the pool's barrier costs more than it saves.
const WORTH_SHARING: usize = 1 << 18;
/// Queries that go through the cache together.
const TOGETHER: usize = 4;

pub(super) struct Attention<'a> {
    pub config: &'a Config,
    pub rows: usize,
    /// Tokens in the cache before these rows.
    pub at: usize,
    pub layer: usize,
    /// Rows that were read together, of which `rows` are the last.
    pub read: usize,
}

/// Lets every item of the pool write its own heads.
struct Heads(*mut f32);
// SAFETY: each item writes the head_dim floats of its own (row, head) pairs only, and no two items share one.
unsafe impl Sync for Heads {}

/// Some queries of one key head.
#[derive(Default)]
struct Batch {
    /// (n, head_dim)
    queries: Vec<f32>,
    /// For each query the first position it sees and the one behind its last.
    spans: Vec<(usize, usize)>,
    /// (n, positions in the pages they span)
    scores: Vec<f32>,
    scale: f32,
    cap: Option<f32>,
}

impl Attention<'_> {
    /// Replaces queries (rows, heads, head_dim) by the attended values. Row `i` sees the positions up to `at + i`, in a
    /// windowed layer only the last ones of them; the rows themselves are in the cache already.
    pub fn run(&self, queries: &mut [f32], cache: &Cache) {
        if cache.half() { self.run_in::<f16>(queries, cache) } else { self.run_exactly(queries, cache) }
    }

    /// The same for a small model, in the reference's order.
    fn run_exactly(&self, queries: &mut [f32], cache: &Cache) {
        let Config { heads, kv_heads, head_dim, .. } = *self.config;
        assert_eq!(queries.len(), self.rows * heads * head_dim);
        let window = self.config.window_of(self.layer);
        let mut scratch = Scratch::default();
        for (i, query) in queries.chunks_exact_mut(head_dim).enumerate() {
            let (seen, head) = (self.at + i / heads + 1, i % heads / (heads / kv_heads));
            let span = (window.map_or(0, |window| seen.saturating_sub(window)), seen);
            let (scale, cap) = (self.config.score_scale(), self.config.score_cap);
            let mut exact = Exact { query, span, scale, cap, alone: self.read == 1 };
            exact.attend(&cache.head::<f32>(self.layer, head), &mut scratch);
        }
    }

    fn run_in<E: Element>(&self, queries: &mut [f32], cache: &Cache) {
        let Config { heads, kv_heads, head_dim, .. } = *self.config;
        assert_eq!(queries.len(), self.rows * heads * head_dim);
        let group = heads / kv_heads;
        let window = self.config.window_of(self.layer);
        // Queries of one key head: every row's heads of the group, in order.
        let of_head = self.rows * group;
        let batches = of_head.div_ceil(TOGETHER);
        let out = Heads(queries.as_mut_ptr());
        let out = &out;
        let item = |i: usize, batch: &mut Batch| {
            let (head, first) = (i / batches, i % batches * TOGETHER);
            let these = first..(first + TOGETHER).min(of_head);
            // SAFETY: row < rows and head < heads, so every range lies inside `queries`; see `Heads` for the sharing.
            let place = |j: usize| unsafe {
                let at = (j / group * heads + head * group + j % group) * head_dim;
                std::slice::from_raw_parts_mut(out.0.add(at), head_dim)
            };
            batch.queries.clear();
            batch.spans.clear();
            (batch.scale, batch.cap) = (self.config.score_scale(), self.config.score_cap);
            for j in these.clone() {
                batch.queries.extend_from_slice(place(j));
                let seen = self.at + j / group + 1;
                batch.spans.push((window.map_or(0, |window| seen.saturating_sub(window)), seen));
            }
            batch.attend(&cache.head::<E>(self.layer, head));
            for (j, values) in these.zip(batch.queries.chunks_exact(head_dim)) {
                place(j).copy_from_slice(values);
            }
        };
        let items = kv_heads * batches;
        if self.rows * heads * (self.at + self.rows) * head_dim < WORTH_SHARING {
            let mut batch = Batch::default();
            (0..items).for_each(|i| item(i, &mut batch));
        } else {
            barrier_pool().execute_chunked(items, |range| {
                let mut batch = Batch::default();
                range.for_each(|i| item(i, &mut batch));
            });
        }
    }
}

impl Batch {
    /// Replaces the queries by the attended values of these pages.
    fn attend<'a, E: Element + 'a>(&mut self, page: &dyn Fn(usize) -> (&'a [E], &'a [E])) {
        #[cfg(target_arch = "x86_64")]
        if wide::here() && (self.queries.len() / self.spans.len()).is_multiple_of(LANES) {
            let halves = |p: usize| {
                let (keys, values) = page(p);
                Some((E::halves(keys)?, E::halves(values)?))
            };
            // An f32 cache is not for these loops.
            if halves(self.spans[0].0 / PAGE).is_some() {
                let page = |p: usize| halves(p).unwrap_or_default();
                return match self.spans.len() {
                    1 => self.attend_wide::<1>(&page),
                    2 => self.attend_wide::<2>(&page),
                    3 => self.attend_wide::<3>(&page),
                    _ => self.attend_wide::<TOGETHER>(&page),
                };
            }
        }
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx2,fma,f16c")]
            fn avx2<'a, E: Element + 'a>(batch: &mut Batch, page: &dyn Fn(usize) -> (&'a [E], &'a [E])) {
                batch.attend_at::<1, E>(page);
            }
            #[target_feature(enable = "avx2,fma,f16c,avx512f")]
            fn avx512<'a, E: Element + 'a>(batch: &mut Batch, page: &dyn Fn(usize) -> (&'a [E], &'a [E])) {
                batch.attend_at::<2, E>(page);
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c") {
                // SAFETY: the features were just found.
                return unsafe {
                    if is_x86_feature_detected!("avx512f") { avx512(self, page) } else { avx2(self, page) }
                };
            }
        }
        self.attend_at::<0, E>(page);
    }

    /// By the loops of [`wide`], which the processor has.
    #[cfg(target_arch = "x86_64")]
    fn attend_wide<'a, const N: usize>(&mut self, page: &dyn Fn(usize) -> (&'a [f16], &'a [f16])) {
        let dim = self.queries.len() / N;
        let low = self.spans.iter().map(|span| span.0).min().unwrap_or(0);
        let high = self.spans.iter().map(|span| span.1).max().unwrap_or(0);
        let (first, last) = (low / PAGE, high.div_ceil(PAGE));
        let width = (last - first) * PAGE;
        self.scores.resize(N * width, 0.0);
        for p in first..last {
            let (keys, _) = page(p);
            assert!(keys.len() == dim * PAGE);
            let out = &mut self.scores[(p - first) * PAGE..];
            // SAFETY: N queries of `dim`, a page of keys, and N rows of `width` scores that end with their buffer.
            unsafe { wide::score::<N>(self.queries.as_ptr(), dim, keys.as_ptr(), out.as_mut_ptr(), width) };
        }
        let mut shares = [0.0f32; N];
        for (n, (low, high)) in self.spans.iter().enumerate() {
            let row = &mut self.scores[n * width..(n + 1) * width];
            let mut scale = self.scale;
            if let Some(cap) = self.cap {
                row.iter_mut().for_each(|x| *x = kernels::soft_capped(*x * scale, cap));
                scale = 1.0;
            }
            // SAFETY: the features are there.
            shares[n] = 1.0 / unsafe { wide::softmax(row, low - first * PAGE, high - first * PAGE, scale) };
        }
        self.queries.fill(0.0);
        for p in first..last {
            let (_, values) = page(p);
            assert!(values.len() == dim * PAGE);
            let span = (low.max(p * PAGE) - p * PAGE, high.min((p + 1) * PAGE) - p * PAGE);
            let weights = self.scores[(p - first) * PAGE..].as_ptr();
            // SAFETY: N rows of weights, a page of values, and N rows of `dim` to add to.
            unsafe { wide::weigh::<N>(weights, width, values.as_ptr(), dim, span, self.queries.as_mut_ptr()) };
        }
        for (values, share) in self.queries.chunks_exact_mut(dim).zip(shares) {
            values.iter_mut().for_each(|x| *x *= share);
        }
    }

    #[inline(always)]
    fn attend_at<'a, const LEVEL: u8, E: Element + 'a>(&mut self, page: &dyn Fn(usize) -> (&'a [E], &'a [E])) {
        match self.spans.len() {
            1 => self.attend_n::<LEVEL, 1, E>(page),
            2 => self.attend_n::<LEVEL, 2, E>(page),
            3 => self.attend_n::<LEVEL, 3, E>(page),
            _ => self.attend_n::<LEVEL, TOGETHER, E>(page),
        }
    }

    #[inline(always)]
    fn attend_n<'a, const LEVEL: u8, const N: usize, E: Element + 'a>(
        &mut self,
        page: &dyn Fn(usize) -> (&'a [E], &'a [E]),
    ) {
        let dim = self.queries.len() / N;
        let low = self.spans.iter().map(|span| span.0).min().unwrap_or(0);
        let high = self.spans.iter().map(|span| span.1).max().unwrap_or(0);
        let (first, last) = (low / PAGE, high.div_ceil(PAGE));
        let width = (last - first) * PAGE;
        self.scores.clear();
        self.scores.resize(N * width, 0.0);
        for p in first..last {
            let (keys, _) = page(p);
            for lane in (0..PAGE).step_by(LANES) {
                let sums = score::<LEVEL, N, E>(&self.queries, dim, &keys[lane..]);
                for (n, sums) in sums.iter().enumerate() {
                    let at = n * width + (p - first) * PAGE + lane;
                    self.scores[at..at + LANES].copy_from_slice(sums);
                }
            }
        }
        let mut shares = [0.0f32; N];
        for (n, (low, high)) in self.spans.iter().enumerate() {
            let row = &mut self.scores[n * width..(n + 1) * width];
            let (low, high) = (low - first * PAGE, high - first * PAGE);
            shares[n] = 1.0 / softmax(row, low, high, self.scale, self.cap);
        }
        for d in (0..dim).step_by(LANES) {
            let mut sums = [[0.0f32; LANES]; N];
            for p in first..last {
                let (_, values) = page(p);
                let (from, to) = (low.max(p * PAGE) - p * PAGE, high.min((p + 1) * PAGE) - p * PAGE);
                let weights: [&[f32]; N] = std::array::from_fn(|n| {
                    let at = n * width + (p - first) * PAGE;
                    &self.scores[at..at + PAGE]
                });
                weigh::<LEVEL, N, E>(&mut sums, &weights, values, dim, d, from..to);
            }
            for n in 0..N {
                let out = &mut self.queries[n * dim..(n + 1) * dim][d..];
                for (out, sum) in out.iter_mut().zip(&sums[n]) {
                    *out = sum * shares[n];
                }
            }
        }
    }
}

/// Makes scores into weights whose sum comes back: those from `low` to `high` count, the others become 0.
#[inline(always)]
fn softmax(row: &mut [f32], low: usize, high: usize, scale: f32, cap: Option<f32>) -> f32 {
    row[..low].fill(0.0);
    row[high..].fill(0.0);
    let row = &mut row[low..high];
    match cap {
        None => row.iter_mut().for_each(|x| *x *= scale),
        Some(cap) => row.iter_mut().for_each(|x| *x = kernels::soft_capped(*x * scale, cap)),
    }
    let mut tops = [f32::NEG_INFINITY; LANES];
    for xs in row.chunks(LANES) {
        for (top, x) in tops.iter_mut().zip(xs) {
            *top = if *x > *top { *x } else { *top };
        }
    }
    let max = tops.iter().fold(f32::NEG_INFINITY, |a, b| if *b > a { *b } else { a });
    let mut sums = [0.0f32; LANES];
    for xs in row.chunks_mut(LANES) {
        for (sum, x) in sums.iter_mut().zip(xs) {
            *x = kernels::exp(*x - max);
            *sum += *x;
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages of a head in f16, three of them.
    fn pages(dim: usize) -> Vec<(Vec<f16>, Vec<f16>)> {
        let wave = |k: f32, n: usize| (0..n).map(|i| f16::from_f32((i as f32 * k).sin())).collect::<Vec<_>>();
        (1..4).map(|p| (wave(0.37 * p as f32, dim * PAGE), wave(0.11 * p as f32, dim * PAGE))).collect()
    }

    #[test]
    fn every_way_of_computing_agrees_with_the_definition() {
        for (dim, n) in [(16, 1), (24, 2), (64, 3), (80, 4), (128, 4)] {
            let pages = pages(dim);
            let page = |p: usize| (&pages[p].0[..], &pages[p].1[..]);
            let queries: Vec<f32> = (0..n * dim).map(|i| (i as f32 * 0.7).cos()).collect();
            let spans: Vec<(usize, usize)> = [(0, 150), (3, 151), (70, 152), (64, 192)][..n].to_vec();
            for cap in [None, Some(2.0)] {
                let batch =
                    || Batch { queries: queries.clone(), spans: spans.clone(), scale: 0.3, cap, ..Batch::default() };
                let (mut chosen, mut plain) = (batch(), batch());
                chosen.attend::<f16>(&page);
                plain.attend_at::<0, f16>(&page);
                for (i, (low, high)) in spans.iter().enumerate() {
                    let query = &queries[i * dim..(i + 1) * dim];
                    let key = |at: usize, d: usize| pages[at / PAGE].0[d * PAGE + at % PAGE].to_f64();
                    let value = |at: usize, d: usize| pages[at / PAGE].1[at % PAGE * dim + d].to_f64();
                    let score = |at: usize| {
                        let x = (0..dim).map(|d| f64::from(query[d]) * key(at, d)).sum::<f64>() * 0.3;
                        cap.map_or(x, |cap: f32| f64::from(cap) * (x / f64::from(cap)).tanh())
                    };
                    let weights: Vec<f64> = (*low..*high).map(|at| score(at).exp()).collect();
                    let sum: f64 = weights.iter().sum();
                    for d in 0..dim {
                        let right = (*low..*high).zip(&weights).map(|(at, w)| w * value(at, d)).sum::<f64>() / sum;
                        for (name, got) in [("chosen", &chosen), ("plain", &plain)] {
                            let off = (f64::from(got.queries[i * dim + d]) - right).abs();
                            assert!(off < 2e-5, "{name}, {dim} wide, query {i} of {n}, element {d}: off by {off:e}");
                        }
                    }
                }
            }
        }
    }
}
