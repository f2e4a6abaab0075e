//! The keys and values of the text so far, in pages that can be shared.
//!
//! A page holds 64 positions of every layer. It is allocated when the text reaches it and shared between snapshots,
//! branches and the two sides of a blend until one of them writes into it: a snapshot costs nothing but a list of
//! pointers, and going another road from it costs one page.
//!
//! Keys lie with the positions inside, so that the scores of 16 positions are one vector sum without any reduction;
//! values lie row by row. Keys are kept turned to their positions. When tokens leave the middle, the rest move up and
//! their keys are turned back, which costs one pass over the cache (reading the kept text again would cost as long a
//! silence as a new prompt).

use std::sync::Arc;

use half::f16;

use super::Config;
use super::lanes::Load;
use super::rope::Rope;

/// Positions in a page.
pub(super) const PAGE: usize = 64;

#[derive(Clone)]
pub(super) struct Cache {
    pages: Vec<Arc<Page>>,
    len: usize,
    layers: usize,
    kv_heads: usize,
    head_dim: usize,
    half: bool,
}

/// Keys (layers, kv_heads, head_dim, PAGE) and values (layers, kv_heads, PAGE, head_dim).
#[derive(Clone)]
pub(super) enum Page {
    Full { keys: Vec<f32>, values: Vec<f32> },
    Half { keys: Vec<f16>, values: Vec<f16> },
}

/// A number that the cache keeps.
pub(super) trait Element: Copy + Load {
    fn of(x: f32) -> Self;
    /// Keys and values of a page.
    fn page(page: &Page) -> Option<(&[Self], &[Self])>;
    /// The same numbers, if they are halves.
    fn halves(numbers: &[Self]) -> Option<&[f16]>;
}

impl Element for f32 {
    fn halves(_: &[f32]) -> Option<&[f16]> {
        None
    }

    fn of(x: f32) -> f32 {
        x
    }

    fn page(page: &Page) -> Option<(&[f32], &[f32])> {
        match page {
            Page::Full { keys, values } => Some((keys, values)),
            Page::Half { .. } => None,
        }
    }
}

impl Element for f16 {
    fn halves(numbers: &[f16]) -> Option<&[f16]> {
        Some(numbers)
    }

    fn of(x: f32) -> f16 {
        f16::from_f32(x)
    }

    fn page(page: &Page) -> Option<(&[f16], &[f16])> {
        match page {
            Page::Half { keys, values } => Some((keys, values)),
            Page::Full { .. } => None,
        }
    }
}

impl Cache {
    pub fn new(config: &Config) -> Cache {
        let Config { layers, kv_heads, head_dim, half_cache, .. } = *config;
        Cache { pages: Vec::new(), len: 0, layers, kv_heads, head_dim, half: half_cache }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether keys and values are kept in f16.
    pub fn half(&self) -> bool {
        self.half
    }

    pub fn truncate(&mut self, n: usize) {
        self.len = self.len.min(n);
        self.pages.truncate(self.len.div_ceil(PAGE));
    }

    /// Counts `m` rows as read, once every layer has written them.
    pub fn advance(&mut self, m: usize) {
        self.len += m;
    }

    /// Makes room for `m` rows after the present end.
    pub fn reserve(&mut self, m: usize) {
        let size = self.layers * self.kv_heads * PAGE * self.head_dim;
        while self.pages.len() * PAGE < self.len + m {
            self.pages.push(Arc::new(if self.half {
                Page::Half { keys: vec![f16::ZERO; size], values: vec![f16::ZERO; size] }
            } else {
                Page::Full { keys: vec![0.0; size], values: vec![0.0; size] }
            }));
        }
    }

    /// Writes rows (m, kv_heads, head_dim) after the present end, for which [`Cache::reserve`] made room.
    pub fn write(&mut self, layer: usize, keys: &[f32], values: &[f32], m: usize) {
        let (dim, heads) = (self.head_dim, self.kv_heads);
        let mut row = 0;
        while row < m {
            let at = self.len + row;
            let n = (PAGE - at % PAGE).min(m - row);
            let part = row * heads * dim..(row + n) * heads * dim;
            let (keys, values) = (&keys[part.clone()], &values[part]);
            let place = Place { first: layer * heads, heads, dim, at: at % PAGE };
            match Arc::make_mut(&mut self.pages[at / PAGE]) {
                Page::Full { keys: ks, values: vs } => place.write(keys, values, ks, vs),
                Page::Half { keys: ks, values: vs } => place.write(keys, values, ks, vs),
            }
            row += n;
        }
    }

    /// The pages' keys (head_dim, PAGE) and values (PAGE, head_dim) of one head of one layer, in order.
    pub fn head<'a, E: Element + 'a>(&'a self, layer: usize, head: usize) -> impl Fn(usize) -> (&'a [E], &'a [E]) {
        let size = PAGE * self.head_dim;
        let from = (layer * self.kv_heads + head) * size;
        move |page| match E::page(&self.pages[page]) {
            Some((keys, values)) => (&keys[from..from + size], &values[from..from + size]),
            None => (&[], &[]),
        }
    }

    /// Drops `n` rows after the first `kept`. `rope_of` tells by which rope a layer's keys were turned.
    pub fn forget(&mut self, kept: usize, n: usize, rope_of: &dyn Fn(usize) -> Arc<Rope>) {
        let kept = kept.min(self.len);
        let n = n.min(self.len - kept);
        if n == 0 {
            return;
        }
        let back: Vec<_> = (0..self.layers).map(rope_of).map(|rope| (rope.back(n), rope)).collect();
        let (dim, heads, end) = (self.head_dim, self.kv_heads, self.len);
        let mut rest = self.clone();
        self.truncate(kept);
        let (mut key, mut value) = (vec![0.0; heads * dim], vec![0.0; heads * dim]);
        for from in kept + n..end {
            self.reserve(1);
            for (layer, (angles, rope)) in back.iter().enumerate() {
                for head in 0..heads {
                    let part = head * dim..(head + 1) * dim;
                    rest.read(layer, head, from, &mut key[part.clone()], &mut value[part.clone()]);
                    rope.turn_key(&mut key[part], angles);
                }
                self.write(layer, &key, &value, 1);
            }
            self.len += 1;
            // A page that has been read is let go, so that both together take little more than one cache.
            if from % PAGE == PAGE - 1 && from / PAGE >= kept.div_ceil(PAGE) {
                rest.pages[from / PAGE] = self.pages[0].clone();
            }
        }
    }

    fn read(&self, layer: usize, head: usize, at: usize, key: &mut [f32], value: &mut [f32]) {
        let (dim, slot) = (self.head_dim, at % PAGE);
        let from = (layer * self.kv_heads + head) * PAGE * dim;
        let place = |d: usize| (from + d * PAGE + slot, from + slot * dim + d);
        for d in 0..dim {
            let (k, v) = place(d);
            (key[d], value[d]) = match &*self.pages[at / PAGE] {
                Page::Full { keys, values } => (keys[k], values[v]),
                Page::Half { keys, values } => (keys[k].to_f32(), values[v].to_f32()),
            };
        }
    }
}

/// Where rows go within a page.
struct Place {
    /// The layer's first head, counted through all layers.
    first: usize,
    heads: usize,
    dim: usize,
    at: usize,
}

impl Place {
    fn write<E: Element>(&self, rows: &[f32], values: &[f32], page_keys: &mut [E], page_values: &mut [E]) {
        let (dim, size) = (self.dim, PAGE * self.dim);
        for head in 0..self.heads {
            let from = (self.first + head) * size;
            let (keys, out) = (&mut page_keys[from..from + size], &mut page_values[from..from + size]);
            for (i, (row, value)) in
                rows.chunks_exact(self.heads * dim).zip(values.chunks_exact(self.heads * dim)).enumerate()
            {
                let slot = self.at + i;
                let part = head * dim..(head + 1) * dim;
                for (d, x) in row[part.clone()].iter().enumerate() {
                    keys[d * PAGE + slot] = E::of(*x);
                }
                for (out, x) in out[slot * dim..(slot + 1) * dim].iter_mut().zip(&value[part]) {
                    *out = E::of(*x);
                }
            }
        }
    }
}
