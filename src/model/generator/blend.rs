//! Two prompts' next tokens as one distribution.

use super::super::Distribution;

/// The mixture `(1 - share) * first + share * second` of the probabilities, as logits.
pub(super) fn blended(first: &Distribution, second: &Distribution, share: f32) -> Distribution {
    let logits = (0..first.logits.len() as u32).map(|id| {
        // Both as logarithms of probabilities, relative to the larger one, so that the unlikely keep their order.
        let (a, b) = (first.log_probability(id) + (1.0 - share).ln(), second.log_probability(id) + share.ln());
        let (high, low) = if a > b { (a, b) } else { (b, a) };
        if high == f32::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
    });
    Distribution::new(logits.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mixture_is_of_probabilities() {
        let first = Distribution::new(vec![0.6f32.ln(), 0.3f32.ln(), 0.1f32.ln(), f32::NEG_INFINITY]);
        let second =
            Distribution::new(vec![5.0 + 0.1f32.ln(), 5.0 + 0.1f32.ln(), 5.0 + 0.8f32.ln(), f32::NEG_INFINITY]);
        let mixed = blended(&first, &second, 0.25);
        for (id, right) in [0.475, 0.25, 0.275, 0.0].into_iter().enumerate() {
            assert!((mixed.probability(id as u32) - right).abs() < 1e-6, "{id}");
        }
        let faint = blended(&first, &second, 1e-6);
        assert!((faint.probability(0) - 0.6).abs() < 1e-5);
        assert!(mixed.is_sound());
    }
}
