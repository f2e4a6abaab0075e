//! Draws the next token: which of the roads is taken.
//!
//! In llama.cpp's order: repetition penalty, top-k, top-p, min-p, temperature, draw. The draw is a pure function of the
//! seed and of how many tokens were drawn before, so that a performance can be repeated on any machine.

use super::decoder::spread;
use super::distribution::likeliest;
use crate::score::{ParamId, ParamValues};

/// Scratch memory of the sampler; it keeps nothing from one token to the next.
#[derive(Default)]
pub struct Sampler {
    logits: Vec<f32>,
    found: Vec<(f32, u32)>,
    recent: Vec<u32>,
}

impl Sampler {
    /// Draws from `logits` (vocabulary). `history` are the tokens so far, the last one last; `chance` is in 0..1.
    /// Returns `None` where no logit is a number.
    pub fn draw(&mut self, logits: &[f32], history: &[u32], params: &ParamValues, chance: f64) -> Option<u32> {
        self.penalize(logits, history, params);
        let temperature = params.get(ParamId::Temperature);
        if temperature <= 0.0 {
            likeliest(&self.logits, 1, &mut self.found);
            return self.found.first().map(|(_, id)| *id);
        }
        self.cut(params);
        let max = self.found.first()?.0;
        let weight = |logit: f32| f64::from((logit - max) / temperature).exp();
        let total: f64 = self.found.iter().map(|(logit, _)| weight(*logit)).sum();
        let mut left = chance * total;
        for (logit, id) in &self.found {
            left -= weight(*logit);
            if left < 0.0 {
                return Some(*id);
            }
        }
        self.found.last().map(|(_, id)| *id)
    }

    /// Copies the logits and holds back what came in the last few tokens: a positive logit is divided by the penalty,
    /// a negative one multiplied, once for each token however often it came.
    fn penalize(&mut self, logits: &[f32], history: &[u32], params: &ParamValues) {
        self.logits.clear();
        self.logits.extend_from_slice(logits);
        let penalty = params.get(ParamId::RepeatPenalty);
        let window = params.get(ParamId::RepeatWindow) as usize;
        if penalty == 1.0 || window == 0 {
            return;
        }
        self.recent.clear();
        self.recent.extend_from_slice(&history[history.len().saturating_sub(window)..]);
        self.recent.sort_unstable();
        self.recent.dedup();
        for id in &self.recent {
            if let Some(logit) = self.logits.get_mut(*id as usize) {
                *logit = if *logit > 0.0 { *logit / penalty } else { *logit * penalty };
            }
        }
    }

    /// Leaves in `found` what top-k, top-p and min-p let through, likeliest first.
    fn cut(&mut self, params: &ParamValues) {
        let (top_k, top_p) = (params.get(ParamId::TopK) as usize, params.get(ParamId::TopP));
        let min_p = params.get(ParamId::MinP);
        let vocabulary = self.logits.len();
        // Without top-k only as many tokens are sorted as the other two let through: a few, then more.
        let mut n = if top_k > 0 { top_k } else { 256 };
        loop {
            likeliest(&self.logits, n, &mut self.found);
            let Some(&(max, _)) = self.found.first() else { return };
            let log_sum = if top_k > 0 {
                // The probabilities that top-p adds up are those among the k that are left.
                let sum: f64 = self.found.iter().map(|(logit, _)| f64::from(logit - max).exp()).sum();
                f64::from(max) + sum.ln()
            } else {
                f64::from(spread(&self.logits).log_sum)
            };
            let (mut held, mut keep) = (0.0, 0);
            let least = if min_p > 0.0 { max + min_p.ln() } else { f32::NEG_INFINITY };
            let mut complete = top_k > 0 || self.found.len() < n || n >= vocabulary;
            for (logit, _) in &self.found {
                if keep > 0 && (*logit < least || (top_p < 1.0 && held >= f64::from(top_p))) {
                    complete = true;
                    break;
                }
                held += (f64::from(*logit) - log_sum).exp();
                keep += 1;
            }
            if complete {
                self.found.truncate(keep);
                return;
            }
            n *= 8;
        }
    }
}

/// A number in 0..1 for the `n`-th draw of a performance with this seed (SplitMix64 over both).
pub fn chance(seed: u64, n: u64) -> f64 {
    let mut z = seed ^ mix(n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = mix(z.wrapping_add(0x9E37_79B9_7F4A_7C15));
    (z >> 11) as f64 / (1u64 << 53) as f64
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything let in, temperature 1.
    fn open() -> ParamValues {
        let mut params = ParamValues::default();
        for (id, value) in [
            (ParamId::Temperature, 1.0),
            (ParamId::TopK, 0.0),
            (ParamId::TopP, 1.0),
            (ParamId::MinP, 0.0),
            (ParamId::RepeatPenalty, 1.0),
        ] {
            params.set(id, value);
        }
        params
    }

    fn with(id: ParamId, value: f32) -> ParamValues {
        let mut params = open();
        params.set(id, value);
        params
    }

    /// How often each token is drawn.
    fn shares(logits: &[f32], history: &[u32], params: &ParamValues) -> Vec<f64> {
        let mut sampler = Sampler::default();
        let mut counts = vec![0.0; logits.len()];
        for n in 0..20_000 {
            counts[sampler.draw(logits, history, params, chance(1, n)).unwrap() as usize] += 1.0 / 20_000.0;
        }
        counts
    }

    /// Probabilities 0.4, 0.3, 0.2, 0.1 in a mixed order.
    fn four() -> Vec<f32> {
        [0.2f32, 0.4, 0.1, 0.3].map(f32::ln).to_vec()
    }

    #[test]
    fn draws_follow_the_distribution() {
        let got = shares(&four(), &[], &open());
        for (got, right) in got.iter().zip([0.2, 0.4, 0.1, 0.3]) {
            assert!((got - right).abs() < 0.015, "{got} {right}");
        }
        let cold = shares(&four(), &[], &with(ParamId::Temperature, 0.5));
        assert!((cold[1] - 0.16 / 0.30).abs() < 0.015, "{cold:?}");
    }

    #[test]
    fn each_cut_leaves_what_it_should() {
        let left =
            |params: &ParamValues| -> Vec<bool> { shares(&four(), &[], params).iter().map(|s| *s > 0.0).collect() };
        assert_eq!(left(&with(ParamId::TopK, 2.0)), [false, true, false, true]);
        assert_eq!(left(&with(ParamId::TopP, 0.65)), [false, true, false, true]);
        assert_eq!(left(&with(ParamId::TopP, 0.75)), [true, true, false, true]);
        assert_eq!(left(&with(ParamId::TopP, 0.0)), [false, true, false, false]);
        assert_eq!(left(&with(ParamId::MinP, 0.6)), [false, true, false, true]);
        assert_eq!(left(&with(ParamId::Temperature, 0.0)), [false, true, false, false]);
        // min-p acts before temperature: heat does not bring back what was cut.
        let mut hot = with(ParamId::MinP, 0.6);
        hot.set(ParamId::Temperature, 2.0);
        assert_eq!(left(&hot), [false, true, false, true]);
    }

    #[test]
    fn top_p_over_a_large_vocabulary_counts_all_of_it() {
        // 4096 equal tokens: half the probability is half of them, more than are first looked at.
        let mut sampler = Sampler { logits: vec![0.0; 4096], ..Default::default() };
        sampler.cut(&with(ParamId::TopP, 0.5));
        assert!((2047..=2049).contains(&sampler.found.len()), "{}", sampler.found.len());
    }

    #[test]
    fn the_penalty_holds_back_only_the_window() {
        let mut params = with(ParamId::RepeatPenalty, 2.0);
        params.set(ParamId::RepeatWindow, 2.0);
        params.set(ParamId::Temperature, 0.0);
        let mut sampler = Sampler::default();
        let logits = [3.0, 2.0, 1.0];
        assert_eq!(sampler.draw(&logits, &[0, 2], &params, 0.0), Some(1));
        assert_eq!(sampler.draw(&logits, &[0, 2, 2], &params, 0.0), Some(0));
        assert_eq!(sampler.draw(&[-1.0, -1.5, -3.0], &[0, 0], &params, 0.0), Some(1));
    }

    #[test]
    fn chance_is_fixed_for_ever() {
        // These figures are part of every recording: they must not change.
        assert_eq!(chance(0, 0), chance(0, 0));
        assert_ne!(chance(0, 0), chance(0, 1));
        assert_ne!(chance(0, 1), chance(1, 0));
        let mean: f64 = (0..10_000).map(|n| chance(42, n)).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
    }

    #[test]
    fn no_number_no_token() {
        assert_eq!(Sampler::default().draw(&[f32::NAN, f32::NAN], &[], &open(), 0.3), None);
    }
}
