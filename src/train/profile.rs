//! How fast training is on this machine, where its time goes, and how fast the matrix products alone would be.

use std::fmt;
use std::time::{Duration, Instant};

use super::batches::{Batches, Encoded, Position};
use super::pass::{Batch, Dropout, Gradients, Part, Pass};
use super::random::Random;
use super::trainer::Trainer;
use super::weights::Places;
use super::{Recipe, Shape};

/// What was measured.
#[derive(Clone, Debug)]
pub struct Profile {
    pub shape: Shape,
    pub threads: usize,
    pub tokens_per_second: f64,
    /// Of the matrix products alone, attention's among them, on as many threads.
    pub products_per_second: f64,
    /// Of all threads' time; they add up to 1.
    pub parts: Vec<(Part, f64)>,
}

impl Profile {
    /// Trains on arbitrary tokens in segments as long as the context, in turn with the products alone.
    pub fn measure(shape: Shape, threads: usize, time: Duration) -> Profile {
        let mut random = Random::new(1);
        let mut piece = || -> Vec<u32> { (0..=shape.context).map(|_| random.below(shape.vocabulary) as u32).collect() };
        let pieces: Vec<Vec<u32>> = (0..256).map(|_| piece()).collect();
        let recipe = Recipe::default();
        let (rows, places) = (recipe.batch_tokens / threads, Places::new(shape));
        let encoded = pieces.iter().map(|ids| Encoded { ids: ids.clone(), weight: 1.0 }).collect();
        let batches = Batches::new(encoded, 1, Position::default());
        let mut trainer = Trainer::new(shape, recipe, threads, batches, places.start(1));

        let mut batch = Batch::default();
        pieces.iter().take((2048.min(rows) / shape.context).max(1)).for_each(|piece| batch.push(piece));
        let weights = places.start(1);
        let mut passes: Vec<_> = (0..threads).map(|_| (Pass::new(places.clone()), vec![0.0; places.len])).collect();
        let mut products = |full: bool| {
            let started = Instant::now();
            let many = if full { 1 } else { (rows / batch.len()).max(1) };
            std::thread::scope(|scope| {
                for (pass, values) in &mut passes {
                    let (weights, batch) = (&weights, &batch);
                    scope.spawn(move || {
                        for _ in 0..many {
                            let gradients = Gradients { values, scale: 0.0, dropout: Dropout::default() };
                            if full {
                                pass.run(weights, batch, Some(gradients));
                            } else {
                                pass.products(weights, batch, gradients);
                            }
                        }
                    });
                }
            });
            (many * batch.len() * threads, started.elapsed())
        };
        // Each once before the clock runs: the buffers are made, and hold numbers.
        products(true);
        trainer.step(0.5);
        trainer.take_clock();
        let (mut tokens, mut spent, mut alone, mut spent_alone) = (0, Duration::ZERO, 0, Duration::ZERO);
        while spent + spent_alone < time {
            let started = Instant::now();
            tokens += trainer.step(0.5).tokens;
            spent += started.elapsed();
            let (n, elapsed) = products(false);
            alone += n;
            spent_alone += elapsed;
        }
        let clock = trainer.take_clock();
        // The optimizer is timed once, while all threads are at it.
        let seconds = |part| {
            let times = if part == Part::Optimizer { threads } else { 1 };
            clock.spent(part).as_secs_f64() * times as f64
        };
        let all: f64 = Part::ALL.into_iter().map(seconds).sum();
        Profile {
            shape,
            threads,
            tokens_per_second: tokens as f64 / spent.as_secs_f64(),
            products_per_second: alone as f64 / spent_alone.as_secs_f64(),
            parts: Part::ALL.into_iter().map(|part| (part, seconds(part) / all)).collect(),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters = self.shape.parameters() as f64 / 1e6;
        let (threads, context) = (self.threads, self.shape.context);
        writeln!(f, "{parameters:.2} M parameters, segments of {context} tokens, {threads} threads")?;
        writeln!(f, "training                            {:>8.0} tokens/s", self.tokens_per_second)?;
        let share = self.tokens_per_second / self.products_per_second * 100.0;
        writeln!(
            f,
            "matrix products alone               {:>8.0} tokens/s: training reaches {share:.0} %",
            self.products_per_second
        )?;
        for (part, share) in &self.parts {
            writeln!(f, "{:<35} {:>7.1} %", part.name(), share * 100.0)?;
        }
        Ok(())
    }
}
