//! One step of training after another, shared out among threads.
//!
//! Every thread owns a [`Pass`] and a run of gradients and reads the same weights; between the steps the optimizer adds
//! the gradients up. With the same number of threads the same steps give the same bits.

use std::thread;

use super::batches::{Batches, Encoded};
use super::optimizer::{Optimizer, Rates};
use super::pass::{Batch, Clock, Dropout, Gradients, Part, Pass};
use super::random::Random;
use super::weights::Places;
use super::{Recipe, Shape};

/// Tokens that a thread takes through the model at once. With twice as many a model of 3 M parameters keeps 250 MB more
/// and trains no faster.
pub const PASS_TOKENS: usize = 1024;
/// The averaged weights are the mean of the last steps; of more than so many the older ones fade.
const AVERAGE_STEPS: u64 = 250;
/// Where on the way averaging begins.
const AVERAGE_FROM: f64 = 0.8;

/// The weights with all that moves them.
pub struct Trainer {
    pub weights: Vec<f32>,
    /// The mean of the last weights, once averaging has begun.
    pub average: Option<Vec<f32>>,
    /// Of so many steps.
    pub averaged: u64,
    pub optimizer: Optimizer,
    pub batches: Batches,
    recipe: Recipe,
    workers: Vec<Worker>,
    /// So many passes for each thread, thread after thread.
    parts: Vec<Batch>,
    clock: Clock,
}

struct Worker {
    pass: Pass,
    gradient: Vec<f32>,
    nats: f64,
}

/// What a step did.
#[derive(Clone, Copy, Debug)]
pub struct Stepped {
    pub tokens: usize,
    /// Nats a token.
    pub loss: f64,
    /// Length of the gradient before it was clipped.
    pub gradient: f32,
}

/// Passes of each thread in one step.
fn passes(batch_tokens: usize, threads: usize) -> usize {
    batch_tokens.div_ceil(threads).div_ceil(PASS_TOKENS).max(1)
}

/// Tokens of one pass, but for the last piece's overhang.
pub fn pass_tokens(batch_tokens: usize, threads: usize) -> usize {
    batch_tokens.div_ceil(threads * passes(batch_tokens, threads))
}

impl Trainer {
    pub fn new(shape: Shape, recipe: Recipe, threads: usize, batches: Batches, weights: Vec<f32>) -> Trainer {
        let places = Places::new(shape);
        assert_eq!(weights.len(), places.len);
        let per_thread = passes(recipe.batch_tokens, threads);
        let worker = || Worker { pass: Pass::new(places.clone()), gradient: vec![0.0; places.len], nats: 0.0 };
        Trainer {
            weights,
            average: None,
            averaged: 0,
            optimizer: Optimizer::new(&places),
            batches,
            workers: (0..threads).map(|_| worker()).collect(),
            parts: vec![Batch::default(); threads * per_thread],
            recipe,
            clock: Clock::default(),
        }
    }

    /// One step; `progress` from 0 to 1 says how much of the way lies behind.
    pub fn step(&mut self, progress: f64) -> Stepped {
        let tokens = self.batches.next(self.recipe.batch_tokens, &mut self.parts);
        let scale = 1.0 / tokens as f32;
        let per_thread = self.parts.len() / self.workers.len();
        let weights = &self.weights;
        let share = self.recipe.dropout as f32;
        let mut chance = Random::new(self.recipe.seed ^ (self.optimizer.steps << 20));
        thread::scope(|scope| {
            for (worker, parts) in self.workers.iter_mut().zip(self.parts.chunks(per_thread)) {
                let mut dropout = Dropout { share, seed: chance.bits() as u32 };
                scope.spawn(move || {
                    worker.gradient.fill(0.0);
                    worker.nats = 0.0;
                    for part in parts.iter().filter(|part| !part.is_empty()) {
                        let gradients = Gradients { values: &mut worker.gradient, scale, dropout };
                        dropout.seed = dropout.seed.rotate_left(9) ^ 0x5bd1_e995;
                        worker.nats += worker.pass.run(weights, part, Some(gradients));
                    }
                });
            }
        });
        let nats: f64 = self.workers.iter().map(|worker| worker.nats).sum();
        self.workers.iter_mut().for_each(|worker| self.clock.add(&worker.pass.take_clock()));
        self.clock.start();
        let factor = schedule(progress, self.recipe.warmup, self.recipe.floor) as f32;
        let rates = Rates {
            table: self.recipe.learning_rate as f32 * factor,
            matrices: self.recipe.matrix_rate as f32 * factor,
            weight_decay: self.recipe.weight_decay as f32,
            clip: self.recipe.clip as f32,
        };
        let (first, others) = self.workers.split_at_mut(1);
        let others: Vec<&[f32]> = others.iter().map(|worker| worker.gradient.as_slice()).collect();
        let gradient = self.optimizer.step(&mut self.weights, &mut first[0].gradient, &others, rates);
        if progress >= AVERAGE_FROM {
            let average = self.average.get_or_insert_with(|| self.weights.clone());
            self.averaged = (self.averaged + 1).min(AVERAGE_STEPS);
            let share = 1.0 / self.averaged as f32;
            average.iter_mut().zip(&self.weights).for_each(|(a, w)| *a += (w - *a) * share);
        }
        self.clock.lap(Part::Optimizer);
        Stepped { tokens, loss: nats / tokens as f64, gradient }
    }

    /// The surprise of these pieces, none longer than the context, in nats, each alone, with these weights (the present ones, or the averaged).
    pub fn surprise(&mut self, pieces: &[Encoded], weights: Option<&[f32]>) -> f64 {
        let weights = weights.unwrap_or(&self.weights);
        let mut parts: Vec<Batch> = Vec::new();
        for piece in pieces {
            match parts.last_mut().filter(|part| part.len() + piece.ids.len() <= PASS_TOKENS) {
                Some(part) => part.push(&piece.ids),
                None => {
                    let mut part = Batch::default();
                    part.push(&piece.ids);
                    parts.push(part);
                }
            }
        }
        let share = parts.len().div_ceil(self.workers.len()).max(1);
        let nats = thread::scope(|scope| {
            let sums: Vec<_> = self
                .workers
                .iter_mut()
                .zip(parts.chunks(share))
                .map(|(worker, parts)| {
                    scope.spawn(move || parts.iter().map(|part| worker.pass.run(weights, part, None)).sum::<f64>())
                })
                .collect();
            sums.into_iter().map(|sum| sum.join().unwrap_or(f64::NAN)).sum()
        });
        // What was looked at is no part of the training's time.
        for worker in &mut self.workers {
            worker.pass.take_clock();
        }
        nats
    }

    /// Thread time spent on each part since the last call.
    pub fn take_clock(&mut self) -> Clock {
        std::mem::take(&mut self.clock)
    }
}

/// The learning rate's share of its highest value: it rises evenly, then falls along a cosine to `floor`.
pub fn schedule(progress: f64, warmup: f64, floor: f64) -> f64 {
    if progress < warmup {
        return (progress / warmup).max(1e-3);
    }
    let down = ((progress - warmup) / (1.0 - warmup).max(1e-9)).clamp(0.0, 1.0);
    floor + (1.0 - floor) * 0.5 * (1.0 + (std::f64::consts::PI * down).cos())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::batches::Position;
    use crate::train::random::Random;

    pub(crate) const TINY: Shape =
        Shape { vocabulary: 300, width: 64, layers: 2, heads: 4, kv_heads: 2, ffn: 96, context: 32 };

    fn trainer(threads: usize) -> Trainer {
        let mut random = Random::new(4);
        // Pieces in which each token follows from the one before.
        let piece = |random: &mut Random| {
            let first = random.below(40) as u32;
            Encoded { ids: (0..24).map(|i| (first * 7 + i * 3) % 290).collect(), weight: 1.0 }
        };
        let pieces = (0..64).map(|_| piece(&mut random)).collect();
        let recipe = Recipe { batch_tokens: 300, ..Recipe::default() };
        let batches = Batches::new(pieces, 1, Position::default());
        Trainer::new(TINY, recipe, threads, batches, Places::new(TINY).start(1))
    }

    #[test]
    fn a_model_learns_what_can_be_learnt() {
        let mut trainer = trainer(2);
        let steps = 80;
        let losses: Vec<f64> = (0..steps).map(|i| trainer.step(f64::from(i) / f64::from(steps)).loss).collect();
        assert!((losses[0] - (300f64).ln()).abs() < 0.3, "it knows nothing at first: {}", losses[0]);
        let last = losses[losses.len() - 1];
        assert!(last < losses[0] / 3.0, "{} → {last}", losses[0]);
    }

    #[test]
    fn the_same_steps_give_the_same_bits_and_threads_nearly_so() {
        let (mut a, mut b, mut alone) = (trainer(2), trainer(2), trainer(1));
        for i in 0..5 {
            let loss = a.step(f64::from(i) * 0.1).loss;
            assert_eq!(loss, b.step(f64::from(i) * 0.1).loss);
            assert!((loss / alone.step(f64::from(i) * 0.1).loss - 1.0).abs() < 1e-3);
        }
        assert_eq!(a.weights, b.weights);
    }

    #[test]
    fn surprise_is_the_same_however_it_is_shared_out() {
        let pieces: Vec<_> = (0..90).map(|i| Encoded { ids: (i..i + 20 + i % 7).collect(), weight: 1.0 }).collect();
        let (one, two) = (trainer(1).surprise(&pieces, None), trainer(2).surprise(&pieces, None));
        assert!((one / two - 1.0).abs() < 1e-6, "{one} {two}");
    }

    #[test]
    fn the_rate_rises_and_falls() {
        assert!(schedule(0.0, 0.1, 0.1) < 0.01 && (schedule(0.05, 0.1, 0.1) - 0.5).abs() < 1e-9);
        assert!((schedule(0.1, 0.1, 0.1) - 1.0).abs() < 1e-9 && (schedule(1.0, 0.1, 0.1) - 0.1).abs() < 1e-9);
    }
}
