//! What the model thinks may come next, before any sampler touches it.

use super::decoder::{Spread, spread};

/// Logits over the whole vocabulary.
#[derive(Clone, Debug)]
pub struct Distribution {
    /// (vocabulary)
    pub logits: Vec<f32>,
    /// `ln Σ exp(logit)`
    log_sum: f32,
    entropy_nats: f32,
}

/// A token with its place in a distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    pub id: u32,
    pub logit: f32,
    pub p: f32,
}

impl Distribution {
    pub fn new(logits: Vec<f32>) -> Distribution {
        let Spread { log_sum, entropy_nats, .. } = spread(&logits);
        Distribution { logits, log_sum: log_sum as f32, entropy_nats }
    }

    /// The probability of one token; 0 for one that does not exist.
    pub fn probability(&self, id: u32) -> f32 {
        self.logits.get(id as usize).map_or(0.0, |logit| (logit - self.log_sum).exp())
    }

    /// The natural logarithm of a token's probability.
    pub fn log_probability(&self, id: u32) -> f32 {
        self.logits.get(id as usize).map_or(f32::NEG_INFINITY, |logit| logit - self.log_sum)
    }

    /// `-log2` of a token's probability, exact where the probability itself would round to 0.
    pub fn surprise_bits(&self, id: u32) -> f32 {
        let logit = self.logits.get(id as usize).copied().unwrap_or(f32::NEG_INFINITY);
        ((self.log_sum - logit) * std::f32::consts::LOG2_E).max(0.0)
    }

    /// Every token's probability, by id.
    pub fn probabilities(&self) -> Vec<f32> {
        (0..self.logits.len() as u32).map(|id| self.probability(id)).collect()
    }

    /// How undecided the model is.
    pub fn entropy_bits(&self) -> f32 {
        self.entropy_nats * std::f32::consts::LOG2_E
    }

    /// The `n` likeliest tokens, likeliest first, the lower id first among equals.
    pub fn top(&self, n: usize) -> Vec<Ranked> {
        let mut found = Vec::new();
        likeliest(&self.logits, n, &mut found);
        found.into_iter().map(|(logit, id)| Ranked { id, logit, p: self.probability(id) }).collect()
    }

    /// Every token, by id.
    pub fn all(&self) -> Vec<Ranked> {
        let ranked =
            |(id, logit): (usize, &f32)| Ranked { id: id as u32, logit: *logit, p: self.probability(id as u32) };
        self.logits.iter().enumerate().map(ranked).collect()
    }

    /// Whether the numbers can be drawn from: a damaged file computes NaN.
    pub fn is_sound(&self) -> bool {
        self.log_sum.is_finite()
    }
}

/// Fills `found` with the `n` largest logits and their ids, largest first, the lower id first among equals. NaN is
/// never among them.
///
/// One pass with a rising threshold: a vocabulary of 128k costs little more than its comparisons.
pub(super) fn likeliest(logits: &[f32], n: usize, found: &mut Vec<(f32, u32)>) {
    found.clear();
    if n == 0 {
        return;
    }
    let order = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    let n = n.min(logits.len());
    let room = (2 * n).max(64);
    found.reserve(room);
    let mut threshold = f32::NEG_INFINITY;
    for (id, &logit) in logits.iter().enumerate() {
        // An equal logit that comes later has a higher id and would be sorted behind.
        if logit > threshold || (threshold == f32::NEG_INFINITY && !logit.is_nan()) {
            found.push((logit, id as u32));
            if found.len() == room {
                found.select_nth_unstable_by(n - 1, order);
                found.truncate(n);
                threshold = found[n - 1].0;
            }
        }
    }
    found.sort_unstable_by(order);
    found.truncate(n);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one_and_entropy_is_theirs() {
        let distribution = Distribution::new((0..500).map(|i| (i as f32 * 0.61).sin() * 4.0).collect());
        let p = distribution.probabilities();
        assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        let bits: f32 = p.iter().map(|p| -p * p.log2()).sum();
        assert!((distribution.entropy_bits() - bits).abs() < 1e-3);
        assert!((distribution.surprise_bits(3) + p[3].log2()).abs() < 1e-4);
        assert_eq!(Distribution::new(vec![0.0; 256]).entropy_bits(), 8.0);
        assert!(!Distribution::new(vec![0.0, f32::NAN]).is_sound());
    }

    #[test]
    fn the_likeliest_equal_those_of_a_full_sort() {
        let logits: Vec<f32> = (0..5000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 22) as f32).collect();
        let mut all: Vec<(f32, u32)> = logits.iter().copied().zip(0..).collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut found = Vec::new();
        for n in [0, 1, 7, 40, 64, 500, 5000, 9000] {
            likeliest(&logits, n, &mut found);
            assert_eq!(found, all[..n.min(5000)], "{n}");
        }
        likeliest(&[f32::NAN, 1.0, f32::NEG_INFINITY], 3, &mut found);
        assert_eq!(found, [(1.0, 1), (f32::NEG_INFINITY, 2)]);
    }
}
