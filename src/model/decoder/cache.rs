//! The keys and values of the text so far.
//!
//! Allocated once for the whole context (the system hands the pages out as they are first written), one run of rows for
//! each layer and head, so that attention reads memory in order. Keys are kept turned to their positions. When the
//! oldest tokens leave, the rest move up and their keys are turned back by as many positions, which costs one pass
//! over the cache (reading the kept text again would cost as long a silence as a new prompt; keeping keys unturned
//! would cost a turn of every key for every token).

use super::{Config, rope::Rope};

pub(super) struct Cache {
    /// (layers, kv_heads, context, head_dim)
    keys: Vec<f32>,
    values: Vec<f32>,
    len: usize,
    context: usize,
    kv_heads: usize,
    head_dim: usize,
}

impl Cache {
    pub fn new(config: &Config) -> Cache {
        let size = config.layers * config.kv_heads * config.context * config.head_dim;
        Cache {
            keys: vec![0.0; size],
            values: vec![0.0; size],
            len: 0,
            context: config.context,
            kv_heads: config.kv_heads,
            head_dim: config.head_dim,
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn truncate(&mut self, n: usize) {
        self.len = self.len.min(n);
    }

    /// Counts `m` rows as read, once every layer has written them.
    pub fn advance(&mut self, m: usize) {
        self.len += m;
    }

    /// Writes rows (m, kv_heads, head_dim) after the present end.
    pub fn write(&mut self, layer: usize, keys: &[f32], values: &[f32], m: usize) {
        let dim = self.head_dim;
        for row in 0..m {
            for head in 0..self.kv_heads {
                let from = (row * self.kv_heads + head) * dim;
                let to = ((layer * self.kv_heads + head) * self.context + self.len + row) * dim;
                self.keys[to..to + dim].copy_from_slice(&keys[from..from + dim]);
                self.values[to..to + dim].copy_from_slice(&values[from..from + dim]);
            }
        }
    }

    /// One layer's keys and values, (kv_heads, context, head_dim) each.
    pub fn layer(&self, layer: usize) -> (&[f32], &[f32]) {
        let size = self.kv_heads * self.context * self.head_dim;
        (&self.keys[layer * size..(layer + 1) * size], &self.values[layer * size..(layer + 1) * size])
    }

    /// Drops `n` rows after the first `kept`.
    pub fn forget(&mut self, kept: usize, n: usize, rope: &Rope) {
        let kept = kept.min(self.len);
        let n = n.min(self.len - kept);
        let (dim, len) = (self.head_dim, self.len);
        for run in self.keys.chunks_exact_mut(self.context * dim) {
            run.copy_within((kept + n) * dim..len * dim, kept * dim);
            for key in run[kept * dim..(len - n) * dim].chunks_exact_mut(dim) {
                rope.turn_back(key, n);
            }
        }
        for run in self.values.chunks_exact_mut(self.context * dim) {
            run.copy_within((kept + n) * dim..len * dim, kept * dim);
        }
        self.len -= n;
    }
}
