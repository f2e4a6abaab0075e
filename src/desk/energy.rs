//! The energy of the performance so far, added up from the power that is measured. Owned by the stage's state; pure.

use std::collections::VecDeque;

/// Tokens over which the energy of one is averaged.
const TOKENS: usize = 32;
/// A gap longer than this between two samples was not measured, and is not added up.
const LONGEST_GAP_NS: u64 = 2_000_000_000;

/// What was drawn, as far as it was measured.
#[derive(Clone, Debug, Default)]
pub struct Energy {
    /// The last sample: when it came and what it said.
    last: Option<(u64, f32)>,
    joules: Option<f64>,
    tokens: VecDeque<f32>,
}

impl Energy {
    /// The machine was looked at: `watts` is what it drew since the look before.
    pub fn sample(&mut self, t_ns: u64, watts: Option<f32>) {
        if let (Some((before_ns, _)), Some(watts)) = (self.last, watts) {
            let gap_ns = t_ns.saturating_sub(before_ns);
            if gap_ns <= LONGEST_GAP_NS {
                *self.joules.get_or_insert(0.0) += f64::from(watts) * gap_ns as f64 / 1e9;
            }
        }
        self.last = watts.map(|watts| (t_ns, watts));
    }

    /// A token came and cost so much.
    pub fn token(&mut self, joules: Option<f32>) {
        match joules {
            Some(joules) => {
                if self.tokens.len() == TOKENS {
                    self.tokens.pop_front();
                }
                self.tokens.push_back(joules);
            }
            // Without a meter there is no present cost either.
            None => self.tokens.clear(),
        }
    }

    /// Joules since the first sample; `None` if none was ever measured.
    pub fn total_j(&self) -> Option<f64> {
        self.joules
    }

    /// Joules of a token, over the last ones, and how many these are.
    pub fn per_token_j(&self) -> Option<(f32, usize)> {
        let count = self.tokens.len();
        (count > 0).then(|| (self.tokens.iter().sum::<f32>() / count as f32, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_adds_up_and_what_was_not_measured_does_not() {
        let mut energy = Energy::default();
        assert_eq!((energy.total_j(), energy.per_token_j()), (None, None));
        for i in 0..=10 {
            energy.sample(i * 200_000_000, Some(10.0));
        }
        assert!((energy.total_j().unwrap() - 20.0).abs() < 1e-6);
        energy.sample(2_200_000_000, None);
        energy.sample(2_400_000_000, Some(10.0));
        energy.sample(9_400_000_000, Some(10.0));
        assert!((energy.total_j().unwrap() - 20.0).abs() < 1e-6);
    }

    #[test]
    fn a_token_costs_the_mean_of_the_last() {
        let mut energy = Energy::default();
        (0..40).for_each(|_| energy.token(Some(8.0)));
        (0..16).for_each(|_| energy.token(Some(4.0)));
        assert_eq!(energy.per_token_j(), Some((6.0, 32)));
        energy.token(None);
        assert_eq!(energy.per_token_j(), None);
    }
}
