//! Causal attention within one segment of a batch, forwards and back, head after head.
//!
//! Rows are taken in blocks, so that of the square of scores little more than its lower half is computed.

use super::Batch;
use super::kernels::{attend, attend_back};
use super::product::{Matrix, Target, multiply};
use crate::train::Shape;

/// Rows of a block.
const BLOCK: usize = 64;

/// One segment's rows of `queries | keys | values`, each row `stride` wide.
pub struct Heads {
    heads: usize,
    /// Heads of queries that share one of keys and values.
    shared: usize,
    head_dim: usize,
    width: usize,
    kv_width: usize,
}

impl Heads {
    pub fn new(shape: &Shape) -> Heads {
        let (width, kv_width) = (shape.width, shape.kv_width());
        Heads { heads: shape.heads, shared: shape.heads / shape.kv_heads, head_dim: shape.head_dim(), width, kv_width }
    }

    fn stride(&self) -> usize {
        self.width + 2 * self.kv_width
    }

    /// Where head `h` finds its queries, keys and values in a row.
    fn places(&self, h: usize) -> [usize; 3] {
        let kv = h / self.shared * self.head_dim;
        [h * self.head_dim, self.width + kv, self.width + self.kv_width + kv]
    }

    /// Probabilities that a segment of `t` tokens keeps.
    pub fn kept(&self, t: usize) -> usize {
        self.heads * t * t
    }

    /// `out (t, width)` from `qkv (t, stride)`; the probabilities `p (heads, t, t)` are kept for the way back.
    /// With `alone`, the products are computed and nothing between them.
    fn forward_one(&self, qkv: &[f32], p: &mut [f32], out: &mut [f32], alone: bool) {
        let (stride, dim) = (self.stride(), self.head_dim);
        let t = qkv.len() / stride;
        let scale = 1.0 / (dim as f32).sqrt();
        for h in 0..self.heads {
            let [q, k, v] = self.places(h);
            let p = &mut p[h * t * t..][..t * t];
            for first in (0..t).step_by(BLOCK) {
                let rows = BLOCK.min(t - first);
                let seen = first + rows;
                let queries = Matrix::strided(&qkv[first * stride + q..], rows, dim, stride);
                let keys = Matrix::strided(&qkv[k..], seen, dim, stride);
                let values = Matrix::strided(&qkv[v..], seen, dim, stride);
                let scores = &mut p[first * t..][..rows * t];
                multiply(scores, t, Target::Overwrite, queries, keys.t(), scale);
                if !alone {
                    attend(scores, t, seen, first);
                }
                let scores = Matrix::strided(scores, rows, seen, t);
                multiply(&mut out[first * self.width + q..], self.width, Target::Overwrite, scores, values, 1.0);
            }
        }
    }

    /// `dqkv (t, stride)` from `dout (t, width)`; whatever stood in `dqkv` goes. `dp` has room for a block of rows.
    fn back_one(&self, qkv: &[f32], p: &[f32], dout: &[f32], dp: &mut [f32], dqkv: &mut [f32], alone: bool) {
        let (stride, dim) = (self.stride(), self.head_dim);
        let t = qkv.len() / stride;
        let scale = 1.0 / (dim as f32).sqrt();
        dqkv.fill(0.0);
        for h in 0..self.heads {
            let [q, k, v] = self.places(h);
            let p = &p[h * t * t..][..t * t];
            for first in (0..t).step_by(BLOCK) {
                let rows = BLOCK.min(t - first);
                let seen = first + rows;
                let queries = Matrix::strided(&qkv[first * stride + q..], rows, dim, stride);
                let keys = Matrix::strided(&qkv[k..], seen, dim, stride);
                let values = Matrix::strided(&qkv[v..], seen, dim, stride);
                let dout = Matrix::strided(&dout[first * self.width + q..], rows, dim, self.width);
                let p = &p[first * t..][..rows * t];
                let shares = Matrix::strided(p, rows, seen, t);
                multiply(&mut dqkv[v..], stride, Target::Add, shares.t(), dout, 1.0);
                let dp = &mut dp[..rows * seen];
                multiply(dp, seen, Target::Overwrite, dout, values.t(), 1.0);
                if !alone {
                    attend_back(dp, seen, p, t, first);
                }
                let dp = Matrix::new(dp, rows, seen);
                multiply(&mut dqkv[first * stride + q..], stride, Target::Add, dp, keys, scale);
                multiply(&mut dqkv[k..], stride, Target::Add, dp.t(), queries, scale);
            }
        }
    }

    /// Every segment of a batch, one behind the other: `out (n, width)` from `qkv (n, stride)`.
    pub fn forward(&self, batch: &Batch, qkv: &[f32], p: &mut [f32], out: &mut [f32], alone: bool) {
        let mut rest = p;
        for rows in batch.rows() {
            let (p, after) = rest.split_at_mut(self.kept(rows.len()));
            rest = after;
            let out = &mut out[rows.start * self.width..rows.end * self.width];
            self.forward_one(&qkv[rows.start * self.stride()..rows.end * self.stride()], p, out, alone);
        }
    }

    /// The same on the way back: `dqkv (n, stride)` from `dout (n, width)`.
    pub fn back(
        &self,
        batch: &Batch,
        kept: (&[f32], &[f32]),
        dout: &[f32],
        dp: &mut [f32],
        dqkv: &mut [f32],
        alone: bool,
    ) {
        let (qkv, mut rest) = kept;
        for rows in batch.rows() {
            let (p, after) = rest.split_at(self.kept(rows.len()));
            rest = after;
            let inner = rows.start * self.stride()..rows.end * self.stride();
            let dout = &dout[rows.start * self.width..rows.end * self.width];
            self.back_one(&qkv[inner.clone()], p, dout, dp, &mut dqkv[inner], alone);
        }
    }

    /// Elements of a block's `dp` in a segment of `t` tokens.
    pub fn room(t: usize) -> usize {
        BLOCK * t
    }
}
