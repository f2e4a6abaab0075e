//! The matrix products of a step and nothing else: what they alone would cost, to hold the whole step against.

use super::product::{self, Target};
use super::{Batch, Gradients, LOGIT_ROWS, Pass};
use crate::train::Shape;

impl Pass {
    /// Every product of [`Pass::run`] with gradients, attention's among them, on whatever the buffers hold. To be called
    /// after a whole step with a batch of the same lengths, so that they hold numbers.
    pub fn products(&mut self, weights: &[f32], batch: &Batch, gradients: Gradients) {
        self.fit(batch);
        let Shape { vocabulary, width, ffn, .. } = self.places.shape;
        let n = batch.len();
        let Pass { places, heads, layers, x, normed, logits, dx, dnormed, dgated, dattended, dqkv, dp, .. } = self;
        let Gradients { values: g, .. } = gradients;
        for (kept, layer) in layers.iter_mut().zip(&places.layers) {
            product::forward(&mut kept.qkv, Target::Overwrite, &kept.normed, &weights[layer.qkv.clone()], n, width);
            heads.forward(batch, &kept.qkv, &mut kept.p, &mut kept.attended, true);
            product::forward(x, Target::Add, &kept.attended, &weights[layer.output.clone()], n, width);
            let gate_up = &weights[layer.gate_up.clone()];
            product::forward(&mut kept.gate_up, Target::Overwrite, &kept.normed_middle, gate_up, n, width);
            product::forward(x, Target::Add, &kept.gated, &weights[layer.down.clone()], n, ffn);
        }
        let table = &weights[places.embedding.clone()];
        let rows = normed.chunks(LOGIT_ROWS * width).zip(dnormed.chunks_mut(LOGIT_ROWS * width));
        for (x, dx) in rows {
            let n = x.len() / width;
            let logits = &mut logits[..n * vocabulary];
            product::forward(logits, Target::Overwrite, x, table, n, width);
            product::back(dx, logits, table, n, width);
            product::gradient(&mut g[places.embedding.clone()], logits, x, n, width);
        }
        for (kept, layer) in layers.iter_mut().zip(&places.layers).rev() {
            product::back(dgated, dx, &weights[layer.down.clone()], n, ffn);
            product::gradient(&mut g[layer.down.clone()], dx, &kept.gated, n, ffn);
            product::back(dnormed, &kept.gate_up, &weights[layer.gate_up.clone()], n, width);
            product::gradient(&mut g[layer.gate_up.clone()], &kept.gate_up, &kept.normed_middle, n, width);
            product::back(dattended, dx, &weights[layer.output.clone()], n, width);
            product::gradient(&mut g[layer.output.clone()], dx, &kept.attended, n, width);
            heads.back(batch, (&kept.qkv, &kept.p), dattended, dp, dqkv, true);
            product::back(dnormed, dqkv, &weights[layer.qkv.clone()], n, width);
            product::gradient(&mut g[layer.qkv.clone()], dqkv, &kept.normed, n, width);
        }
    }
}
