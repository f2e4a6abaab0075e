//! The pass beside candle's autograd.

use candle_core::DType;

use super::*;
use crate::train::random::Random;
use crate::train::weights::TensorPlace;

#[path = "../../../tests/common/autograd.rs"]
mod autograd;

use autograd::Autograd;

const SMALL: Shape = Shape { vocabulary: 300, width: 64, layers: 2, heads: 4, kv_heads: 2, ffn: 96, context: 160 };

/// Segments of these lengths from random tokens.
fn batch(lengths: &[usize]) -> Batch {
    let mut random = Random::new(5);
    let mut batch = Batch::default();
    for length in lengths {
        let piece: Vec<u32> = (0..=*length).map(|_| random.below(SMALL.vocabulary) as u32).collect();
        batch.push(&piece);
    }
    batch
}

/// Weights far enough from the start that every path matters, norms not all 1.
fn weights(places: &Places) -> Vec<f32> {
    let mut random = Random::new(9);
    let mut weights = places.start(3);
    for tensor in places.tensors() {
        let more = if tensor.is_norm() { 0.3 } else { 0.1 };
        weights[tensor.range].iter_mut().for_each(|x| *x += random.normal() * more);
    }
    weights
}

#[test]
fn surprise_and_gradients_are_those_of_autograd() {
    let places = Places::new(SMALL);
    let weights = weights(&places);
    // Longer than a block of attention, one token, and several of a usual length.
    let batch = batch(&[150, 1, 37, 64, 20]);
    let mut ours = vec![0.0; places.len];
    let gradients = Gradients { values: &mut ours, scale: 0.25, dropout: Dropout::default() };
    let nats = Pass::new(places.clone()).run(&weights, &batch, Some(gradients));

    let peer = Autograd::new(&places, &weights, DType::F64).unwrap();
    let surprise = peer.surprise(&batch).unwrap();
    let exact = surprise.to_scalar::<f64>().unwrap();
    assert!((nats / exact - 1.0).abs() < 1e-6, "{nats} nats, autograd says {exact}");
    let store = surprise.backward().unwrap();
    for (tensor, var) in places.tensors().into_iter().zip(&peer.vars) {
        let exact: Vec<f64> = store.get(var).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        let size = exact.iter().map(|x| x * x).sum::<f64>().sqrt();
        let off = exact.iter().zip(&ours[tensor.range]).map(|(e, o)| (e * 0.25 - f64::from(*o)).powi(2)).sum::<f64>();
        let relative = off.sqrt() / (size * 0.25);
        assert!(relative < 1e-5, "{}: {relative:e}", tensor.name);
    }
}

#[test]
fn a_pass_keeps_what_it_says() {
    let places = Places::new(SMALL);
    let batch = batch(&[150, 1, 37, 64, 20]);
    let mut pass = Pass::new(places.clone());
    pass.run(&weights(&places), &batch, None);
    let kept = |k: &Kept| -> usize {
        [&k.x, &k.normed, &k.qkv, &k.p, &k.attended, &k.middle, &k.normed_middle, &k.gate_up, &k.gated]
            .map(|buffer| buffer.len())
            .iter()
            .sum()
    };
    let Pass { x, normed, logits, dx, dnormed, dgated, dattended, dqkv, dp, turned, .. } = &pass;
    let flowing = [x, normed, logits, dx, dnormed, dgated, dattended, dqkv, dp, turned].map(|buffer| buffer.len());
    let all = flowing.iter().sum::<usize>() + pass.layers.iter().map(kept).sum::<usize>();
    assert_eq!(all, Pass::room(&SMALL, &batch.segments));
}

#[test]
fn a_pass_repeats_and_its_gradients_add_up() {
    let places = Places::new(SMALL);
    let weights = weights(&places);
    let mut pass = Pass::new(places.clone());
    let (one, two) = (batch(&[20, 30]), batch(&[90]));
    let mut together = vec![0.0; places.len];
    let first =
        pass.run(&weights, &one, Some(Gradients { values: &mut together, scale: 1.0, dropout: Dropout::default() }));
    pass.run(&weights, &two, Some(Gradients { values: &mut together, scale: 1.0, dropout: Dropout::default() }));
    let mut alone = vec![0.0; places.len];
    // After another batch in the same buffers, and without the way back.
    assert_eq!(
        pass.run(&weights, &one, Some(Gradients { values: &mut alone, scale: 1.0, dropout: Dropout::default() })),
        first
    );
    assert_eq!(pass.run(&weights, &one, None), first);
    pass.run(&weights, &two, Some(Gradients { values: &mut alone, scale: 1.0, dropout: Dropout::default() }));
    let off = together.iter().zip(&alone).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(off < 1e-3, "{off}");
}

#[test]
fn a_segment_does_not_see_another() {
    let places = Places::new(SMALL);
    let weights = weights(&places);
    let mut pass = Pass::new(places);
    let (a, b, both) = (batch(&[40]), batch(&[40, 25]), batch(&[40, 25]));
    let mut tail = Batch::default();
    tail.push(&[both.ids[40..].to_vec(), vec![*both.targets.last().unwrap()]].concat());
    let apart = pass.run(&weights, &a, None) + pass.run(&weights, &tail, None);
    assert!((pass.run(&weights, &b, None) / apart - 1.0).abs() < 1e-6);
}

#[test]
fn gradients_lower_the_surprise() {
    let places = Places::new(SMALL);
    let mut weights = places.start(1);
    let batch = batch(&[60, 60]);
    let mut pass = Pass::new(places.clone());
    let mut gradients = vec![0.0; places.len];
    let scale = 1.0 / batch.len() as f32;
    let before =
        pass.run(&weights, &batch, Some(Gradients { values: &mut gradients, scale, dropout: Dropout::default() }));
    let size: f32 = gradients.iter().map(|g| g * g).sum::<f32>().sqrt();
    weights.iter_mut().zip(&gradients).for_each(|(w, g)| *w -= g / size * 0.5);
    let after = pass.run(&weights, &batch, None);
    assert!(after < before * 0.99, "{before} {after}");
}

#[test]
fn what_is_dropped_forwards_is_dropped_on_the_way_back() {
    let places = Places::new(SMALL);
    let weights = weights(&places);
    let batch = batch(&[50, 30]);
    let mut pass = Pass::new(places.clone());
    let dropout = Dropout { share: 0.3, seed: 11 };
    let mut gradients = vec![0.0; places.len];
    let nats = pass.run(&weights, &batch, Some(Gradients { values: &mut gradients, scale: 1.0, dropout }));
    assert!((nats / pass.run(&weights, &batch, None) - 1.0).abs() > 1e-3, "something was dropped");
    // Along a direction the surprise must change as the gradients say.
    let mut random = Random::new(6);
    let direction: Vec<f32> = (0..places.len).map(|_| random.normal() * 1e-4).collect();
    let mut at = |sign: f32| {
        let moved: Vec<f32> = weights.iter().zip(&direction).map(|(w, d)| w + sign * d).collect();
        let mut scratch = vec![0.0; places.len];
        pass.run(&moved, &batch, Some(Gradients { values: &mut scratch, scale: 1.0, dropout }))
    };
    let change = (at(1.0) - at(-1.0)) / 2.0;
    let told: f64 = gradients.iter().zip(&direction).map(|(g, d)| f64::from(*g) * f64::from(*d)).sum();
    assert!((change / told - 1.0).abs() < 0.02, "{change} {told}");
}
