//! Attention of new rows to everything before them, head by head.

use candle_core::utils::barrier_pool;

use super::{Config, kernels};

/// Below this many multiplications the pool's barrier costs more than it saves.
const WORTH_SHARING: usize = 1 << 18;

pub(super) struct Attention<'a> {
    pub config: &'a Config,
    pub rows: usize,
    /// Tokens in the cache before these rows.
    pub at: usize,
}

/// Lets every item of the pool write its own head.
struct Heads(*mut f32);
// SAFETY: each item writes the head_dim floats of one (row, head) only, and no two items share one.
unsafe impl Sync for Heads {}

impl Attention<'_> {
    /// Replaces queries (rows, heads, head_dim) by the attended values; keys and values are (kv_heads, context,
    /// head_dim). Row `i` sees the positions `0..=at + i`.
    pub fn run(&self, queries: &mut [f32], keys: &[f32], values: &[f32]) {
        let Config { heads, kv_heads, head_dim, context, .. } = *self.config;
        assert_eq!(queries.len(), self.rows * heads * head_dim);
        let scale = 1.0 / (head_dim as f32).sqrt();
        let out = Heads(queries.as_mut_ptr());
        let out = &out;
        let item = |i: usize, scores: &mut Vec<f32>| {
            let (row, head) = (i / heads, i % heads);
            let run = head / (heads / kv_heads) * context * head_dim;
            let seen = (self.at + row + 1) * head_dim;
            // SAFETY: `i < rows * heads`, so the range lies inside `queries`; see `Heads` for the sharing.
            let query = unsafe { std::slice::from_raw_parts_mut(out.0.add(i * head_dim), head_dim) };
            kernels::attend(query, &keys[run..run + seen], &values[run..run + seen], scale, scores);
        };
        let items = self.rows * heads;
        if items * (self.at + self.rows) * head_dim < WORTH_SHARING {
            let mut scores = Vec::with_capacity(self.at + self.rows);
            (0..items).for_each(|i| item(i, &mut scores));
        } else {
            barrier_pool().execute_chunked(items, |range| {
                let mut scores = Vec::with_capacity(self.at + self.rows);
                range.for_each(|i| item(i, &mut scores));
            });
        }
    }
}
