//! Our training beside candle's autograd and beside its own matrix products, as ratios: `cargo bench --bench train`.
//!
//! All run in this process on as many threads, in turn, since a machine is seldom quiet for long. A step is the surprise
//! of a batch and its gradients; the optimizer is left out on both sides. Prints the middle of the ratios and their
//! spread. Not a test: nothing fails here.

use std::thread;
use std::time::Instant;

use candle_core::DType;
use xiao::model::bench::Series;
use xiao::train::{Batch, Dropout, Gradients, Pass, Places, Shape, TensorPlace};

#[path = "../tests/common/autograd.rs"]
mod autograd;

use autograd::Autograd;

/// Tokens of a step on each thread.
const TOKENS: usize = 1024;
const ROUNDS: usize = 7;

fn main() -> anyhow::Result<()> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let shape = Shape { context: 256, ..Shape::MICRO };
    let places = Places::new(shape);
    let weights = places.start(1);
    let mut batch = Batch::default();
    for i in 0..TOKENS / shape.context {
        let piece: Vec<u32> =
            (0..=shape.context as u32).map(|k| (k * 7919 + i as u32) % shape.vocabulary as u32).collect();
        batch.push(&piece);
    }
    let mut passes: Vec<_> = (0..threads).map(|_| (Pass::new(places.clone()), vec![0.0; places.len])).collect();
    let mut alone: Vec<_> = (0..threads).map(|_| (Pass::new(places.clone()), vec![0.0; places.len])).collect();
    run(&mut alone, &weights, &batch, false);
    // candle shares the products out itself: its batch is that of all threads.
    let mut whole = Batch::default();
    for _ in 0..threads {
        whole.ids.extend(&batch.ids);
        whole.targets.extend(&batch.targets);
        whole.segments.extend(&batch.segments);
    }
    let peer = Autograd::new(&places, &weights, DType::F32)?;
    let mut ratios = [Series::default(), Series::default()];
    for round in 0..=ROUNDS {
        let ours = run(&mut passes, &weights, &batch, false);
        let products = run(&mut alone, &weights, &batch, true);
        let started = Instant::now();
        peer.surprise(&whole)?.backward()?;
        let candle = started.elapsed().as_secs_f64();
        // The first round makes buffers.
        if round > 0 {
            ratios[0].0.push(candle / ours);
            ratios[1].0.push(products / ours);
        }
    }
    let parameters = shape.parameters() as f64 / 1e6;
    println!("{parameters:.2} M parameters, context {}, {threads} threads", shape.context);
    for (what, of) in ["beside candle's autograd", "beside the products alone"].iter().zip(&ratios) {
        let [middle, low, high] = [of.median(), of.min(), of.max()].map(Option::unwrap_or_default);
        println!("{what:<26} {middle:.2} ({low:.2} .. {high:.2})");
    }
    Ok(())
}

/// Seconds of one step on all threads, whole or the products alone.
fn run(passes: &mut [(Pass, Vec<f32>)], weights: &[f32], batch: &Batch, products: bool) -> f64 {
    let started = Instant::now();
    thread::scope(|scope| {
        for (pass, values) in passes {
            scope.spawn(move || {
                let gradients = Gradients { values, scale: 1e-3, dropout: Dropout::default() };
                if products {
                    pass.products(weights, batch, gradients);
                } else {
                    pass.run(weights, batch, Some(gradients));
                }
            });
        }
    });
    started.elapsed().as_secs_f64()
}
