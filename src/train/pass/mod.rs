//! One way through the model and back: the surprise of a batch and its gradients, written by hand.
//!
//! A batch is a run of segments, each a piece (or a part of a long one) from its own beginning; a token attends within
//! its segment only, so nothing is padded and nothing leaks. Each thread owns one [`Pass`] with all its buffers; nothing
//! is allocated once the largest batch has been seen. Gradients are checked against candle's autograd in the tests.

mod alone;
mod attention;
mod clock;
pub(crate) mod kernels;
pub(crate) mod product;
#[cfg(test)]
mod tests;

pub use clock::{Clock, Part};

use std::ops::Range;

use super::Shape;
use super::weights::{LayerPlaces, Places};
use attention::Heads;
use product::Target;

/// What llama models add to the mean square.
pub const EPS: f32 = 1e-5;
/// The base of the rotation's wavelengths.
pub const ROPE_BASE: f64 = 10_000.0;
/// Rows of logits that are made at once: with 6,144 tokens 3 MB.
const LOGIT_ROWS: usize = 256;

/// Tokens to learn from: `targets[i]` is what follows `ids[i]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    pub ids: Vec<u32>,
    pub targets: Vec<u32>,
    /// Lengths of the segments, in their order.
    pub segments: Vec<usize>,
}

impl Batch {
    /// Adds a segment: each token of `piece` but the last foresees the next one.
    pub fn push(&mut self, piece: &[u32]) {
        if let [ids @ .., _] = piece
            && !ids.is_empty()
        {
            self.ids.extend(ids);
            self.targets.extend(&piece[1..]);
            self.segments.push(ids.len());
        }
    }

    pub fn clear(&mut self) {
        self.ids.clear();
        self.targets.clear();
        self.segments.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Tokens that are foreseen.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// The rows of each segment.
    fn rows(&self) -> impl Iterator<Item = Range<usize>> {
        self.segments.iter().scan(0, |at, n| {
            *at += n;
            Some(*at - n..*at)
        })
    }
}

/// What a layer keeps for the way back; (n, …) each.
#[derive(Default)]
struct Kept {
    x: Vec<f32>,
    normed: Vec<f32>,
    qkv: Vec<f32>,
    /// Probabilities of attention, segment after segment.
    p: Vec<f32>,
    attended: Vec<f32>,
    middle: Vec<f32>,
    normed_middle: Vec<f32>,
    gate_up: Vec<f32>,
    gated: Vec<f32>,
}

/// One thread's buffers.
pub struct Pass {
    places: Places,
    heads: Heads,
    /// (context, head_dim): cosine and sine of each pair.
    angles: Vec<f32>,
    /// (n, head_dim): those of the batch's rows.
    turned: Vec<f32>,
    layers: Vec<Kept>,
    x: Vec<f32>,
    normed: Vec<f32>,
    logits: Vec<f32>,
    dx: Vec<f32>,
    dnormed: Vec<f32>,
    dgated: Vec<f32>,
    dattended: Vec<f32>,
    dqkv: Vec<f32>,
    dp: Vec<f32>,
    clock: Clock,
}

/// Gradients of `scale × surprise`, added to what is there.
pub struct Gradients<'a> {
    pub values: &'a mut [f32],
    pub scale: f32,
    pub dropout: Dropout,
}

/// What is left out by chance while the model learns, of what attention and feed-forward give to their last products.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dropout {
    /// 0 leaves out nothing.
    pub share: f32,
    pub seed: u32,
}

impl Dropout {
    /// Leaves out elements of layer `l`'s attention (0) or feed-forward (1), forwards or in the gradient.
    fn act(self, x: &mut [f32], l: usize, which: u32) {
        if self.share > 0.0 {
            kernels::drop_out(
                x,
                self.seed.wrapping_add(0x61c8_8647_u32.wrapping_mul(2 * l as u32 + which)),
                self.share,
            );
        }
    }
}

impl Pass {
    pub fn new(places: Places) -> Pass {
        let shape = places.shape;
        let dim = shape.head_dim();
        let angles = (0..shape.context).flat_map(|at| {
            (0..dim / 2).flat_map(move |i| {
                let angle = at as f64 / ROPE_BASE.powf(2.0 * i as f64 / dim as f64);
                [angle.cos() as f32, angle.sin() as f32]
            })
        });
        Pass {
            heads: Heads::new(&shape),
            angles: angles.collect(),
            layers: (0..shape.layers).map(|_| Kept::default()).collect(),
            places,
            turned: Vec::new(),
            x: Vec::new(),
            normed: Vec::new(),
            logits: Vec::new(),
            dx: Vec::new(),
            dnormed: Vec::new(),
            dgated: Vec::new(),
            dattended: Vec::new(),
            dqkv: Vec::new(),
            dp: Vec::new(),
            clock: Clock::default(),
        }
    }

    /// The time spent since the last call of this.
    pub fn take_clock(&mut self) -> Clock {
        std::mem::take(&mut self.clock)
    }

    /// The surprise at all targets together, in nats. With `gradients`, the way back is gone too.
    ///
    /// # Panics
    /// A segment is longer than the context, or a token is not in the vocabulary.
    pub fn run(&mut self, weights: &[f32], batch: &Batch, gradients: Option<Gradients>) -> f64 {
        self.clock.start();
        self.fit(batch);
        self.embed(weights, batch);
        let layers = self.places.layers.clone();
        let dropout = gradients.as_ref().map_or(Dropout::default(), |gradients| gradients.dropout);
        for (l, layer) in layers.iter().enumerate() {
            self.layer(l, layer, weights, batch, dropout);
        }
        kernels::norm(&mut self.normed, &self.x, &weights[self.places.output_norm.clone()], EPS);
        self.clock.lap(Part::Elements);
        match gradients {
            None => self.output(weights, batch, None),
            Some(Gradients { values, scale, .. }) => {
                let nats = self.output(weights, batch, Some((&mut values[self.places.embedding.clone()], scale)));
                let norm = self.places.output_norm.clone();
                self.dx.fill(0.0);
                let dw = &mut values[norm.clone()];
                kernels::norm_back(&mut self.dx, dw, &self.x, &weights[norm], &self.dnormed, EPS);
                self.clock.lap(Part::Elements);
                for (l, layer) in layers.iter().enumerate().rev() {
                    self.layer_back(l, layer, weights, batch, Gradients { values, scale, dropout });
                }
                self.embed_back(batch, values);
                nats
            }
        }
    }

    /// Numbers that a pass over segments of these lengths keeps.
    pub fn room(shape: &Shape, segments: &[usize]) -> usize {
        let Shape { vocabulary, width, layers, ffn, .. } = *shape;
        let (n, stride, heads) = (segments.iter().sum::<usize>(), width + 2 * shape.kv_width(), Heads::new(shape));
        let probabilities: usize = segments.iter().map(|t| heads.kept(*t)).sum();
        let layer = n * (5 * width + stride + 3 * ffn) + probabilities;
        let flowing = n * (5 * width + stride + ffn + shape.head_dim());
        let longest = segments.iter().copied().max().unwrap_or(0);
        layers * layer + flowing + n.min(LOGIT_ROWS) * vocabulary + Heads::room(longest)
    }

    /// Makes room for the batch, as much as [`Pass::room`] tells.
    fn fit(&mut self, batch: &Batch) {
        let Shape { width, ffn, .. } = self.places.shape;
        let (n, stride, dim) = (batch.len(), width + 2 * self.places.shape.kv_width(), self.places.shape.head_dim());
        let longest = batch.segments.iter().copied().max().unwrap_or(0);
        assert!(longest <= self.places.shape.context, "a segment of {longest} tokens is beyond the context");
        let probabilities = batch.segments.iter().map(|t| self.heads.kept(*t)).sum();
        for kept in &mut self.layers {
            for (buffer, length) in [
                (&mut kept.x, n * width),
                (&mut kept.normed, n * width),
                (&mut kept.qkv, n * stride),
                (&mut kept.p, probabilities),
                (&mut kept.attended, n * width),
                (&mut kept.middle, n * width),
                (&mut kept.normed_middle, n * width),
                (&mut kept.gate_up, n * 2 * ffn),
                (&mut kept.gated, n * ffn),
            ] {
                buffer.resize(length, 0.0);
            }
        }
        for (buffer, length) in [
            (&mut self.x, n * width),
            (&mut self.normed, n * width),
            (&mut self.logits, n.min(LOGIT_ROWS) * self.places.shape.vocabulary),
            (&mut self.dx, n * width),
            (&mut self.dnormed, n * width),
            (&mut self.dgated, n * ffn),
            (&mut self.dattended, n * width),
            (&mut self.dqkv, n * stride),
            (&mut self.dp, Heads::room(longest)),
        ] {
            buffer.resize(length, 0.0);
        }
        self.turned.clear();
        batch.segments.iter().for_each(|t| self.turned.extend(&self.angles[..t * dim]));
    }

    fn embed(&mut self, weights: &[f32], batch: &Batch) {
        let width = self.places.shape.width;
        let table = &weights[self.places.embedding.clone()];
        for (x, id) in self.x.chunks_exact_mut(width).zip(&batch.ids) {
            x.copy_from_slice(&table[*id as usize * width..][..width]);
        }
        self.clock.lap(Part::Elements);
    }

    fn embed_back(&mut self, batch: &Batch, gradients: &mut [f32]) {
        let width = self.places.shape.width;
        let table = &mut gradients[self.places.embedding.clone()];
        for (dx, id) in self.dx.chunks_exact(width).zip(&batch.ids) {
            kernels::add(&mut table[*id as usize * width..][..width], dx);
        }
        self.clock.lap(Part::Elements);
    }

    /// Attention and feed-forward of layer `l`, each added to `x`.
    fn layer(&mut self, l: usize, layer: &LayerPlaces, weights: &[f32], batch: &Batch, dropout: Dropout) {
        let shape = self.places.shape;
        let (n, width, ffn) = (batch.len(), shape.width, shape.ffn);
        let (stride, dim) = (width + 2 * shape.kv_width(), shape.head_dim());
        let w = |range: &Range<usize>| &weights[range.clone()];
        let Pass { layers, x, heads, turned, clock, .. } = self;
        let kept = &mut layers[l];

        kept.x.copy_from_slice(x);
        kernels::norm(&mut kept.normed, x, w(&layer.attention_norm), EPS);
        clock.lap(Part::Elements);
        product::forward(&mut kept.qkv, Target::Overwrite, &kept.normed, w(&layer.qkv), n, width);
        clock.lap(Part::Products);
        // Keys follow the queries in each row and turn as they do.
        kernels::turn(&mut kept.qkv, stride, shape.heads + shape.kv_heads, turned, dim, false);
        clock.lap(Part::Elements);
        heads.forward(batch, &kept.qkv, &mut kept.p, &mut kept.attended, false);
        dropout.act(&mut kept.attended, l, 0);
        clock.lap(Part::Attention);
        product::forward(x, Target::Add, &kept.attended, w(&layer.output), n, width);
        clock.lap(Part::Products);

        kept.middle.copy_from_slice(x);
        kernels::norm(&mut kept.normed_middle, x, w(&layer.ffn_norm), EPS);
        clock.lap(Part::Elements);
        product::forward(&mut kept.gate_up, Target::Overwrite, &kept.normed_middle, w(&layer.gate_up), n, width);
        clock.lap(Part::Products);
        kernels::swiglu(&mut kept.gated, &kept.gate_up, ffn);
        dropout.act(&mut kept.gated, l, 1);
        clock.lap(Part::Elements);
        product::forward(x, Target::Add, &kept.gated, w(&layer.down), n, ffn);
        clock.lap(Part::Products);
    }

    /// Takes `dx` from behind layer `l` to before it.
    fn layer_back(&mut self, l: usize, layer: &LayerPlaces, weights: &[f32], batch: &Batch, gradients: Gradients) {
        let Gradients { values: gradients, dropout, .. } = gradients;
        let shape = self.places.shape;
        let (n, width, ffn) = (batch.len(), shape.width, shape.ffn);
        let (stride, dim) = (width + 2 * shape.kv_width(), shape.head_dim());
        let w = |range: &Range<usize>| &weights[range.clone()];

        let Pass { layers, dx, dnormed, dgated, dattended, dqkv, dp, heads, turned, clock, .. } = self;
        let kept = &mut layers[l];

        product::back(dgated, dx, w(&layer.down), n, ffn);
        product::gradient(&mut gradients[layer.down.clone()], dx, &kept.gated, n, ffn);
        clock.lap(Part::Products);
        dropout.act(dgated, l, 1);
        kernels::swiglu_back(&mut kept.gate_up, dgated, ffn);
        clock.lap(Part::Elements);
        product::back(dnormed, &kept.gate_up, w(&layer.gate_up), n, width);
        product::gradient(&mut gradients[layer.gate_up.clone()], &kept.gate_up, &kept.normed_middle, n, width);
        clock.lap(Part::Products);
        kernels::norm_back(dx, &mut gradients[layer.ffn_norm.clone()], &kept.middle, w(&layer.ffn_norm), dnormed, EPS);
        clock.lap(Part::Elements);

        product::back(dattended, dx, w(&layer.output), n, width);
        product::gradient(&mut gradients[layer.output.clone()], dx, &kept.attended, n, width);
        clock.lap(Part::Products);
        dropout.act(dattended, l, 0);
        heads.back(batch, (&kept.qkv, &kept.p), dattended, dp, dqkv, false);
        clock.lap(Part::Attention);
        kernels::turn(dqkv, stride, shape.heads + shape.kv_heads, turned, dim, true);
        clock.lap(Part::Elements);
        product::back(dnormed, dqkv, w(&layer.qkv), n, width);
        product::gradient(&mut gradients[layer.qkv.clone()], dqkv, &kept.normed, n, width);
        clock.lap(Part::Products);
        kernels::norm_back(
            dx,
            &mut gradients[layer.attention_norm.clone()],
            &kept.x,
            w(&layer.attention_norm),
            dnormed,
            EPS,
        );
        clock.lap(Part::Elements);
    }

    /// The surprise of all targets. With the table's gradients and a scale also `dnormed` and those gradients.
    fn output(&mut self, weights: &[f32], batch: &Batch, mut table: Option<(&mut [f32], f32)>) -> f64 {
        let Shape { width, vocabulary, .. } = self.places.shape;
        let embedding = &weights[self.places.embedding.clone()];
        let Pass { normed, dnormed, logits, clock, .. } = self;
        let mut nats = 0.0;
        let rows = normed.chunks(LOGIT_ROWS * width).zip(dnormed.chunks_mut(LOGIT_ROWS * width));
        for ((x, dx), targets) in rows.zip(batch.targets.chunks(LOGIT_ROWS)) {
            let n = targets.len();
            let logits = &mut logits[..n * vocabulary];
            product::forward(logits, Target::Overwrite, x, embedding, n, width);
            clock.lap(Part::Output);
            nats += kernels::surprise(logits, vocabulary, targets, table.as_ref().map(|(_, scale)| *scale));
            clock.lap(Part::Surprise);
            if let Some((gradients, _)) = &mut table {
                product::back(dx, logits, embedding, n, width);
                product::gradient(gradients, logits, x, n, width);
                clock.lap(Part::Output);
            }
        }
        nats
    }
}
