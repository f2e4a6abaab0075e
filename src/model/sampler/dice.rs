//! The random numbers of a draw: pure functions of the seed and of how many tokens were drawn before.

use crate::score::{ParamId, ParamValues};

/// Sets the second stream apart from the first: "XTC" in ASCII, spread over the word.
const XTC: u64 = 0x5854_4300_5854_4300;

/// The random numbers of one draw, each in 0..1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dice {
    /// Decides between the roads that are left.
    pub road: f64,
    /// Decides whether XTC strikes.
    pub xtc: f64,
}

impl Dice {
    /// Rolls for the `n`-th draw of a performance with this seed, or with the one that `sampler.seed` sets.
    pub fn roll(seed: u64, n: u64, params: &ParamValues) -> Dice {
        let seed = match params.get(ParamId::Seed) {
            own if own >= 1.0 => own as u64,
            _ => seed,
        };
        Dice { road: chance(seed, n), xtc: chance(seed ^ XTC, n) }
    }
}

/// A number in 0..1 for the `n`-th draw of a performance with this seed (SplitMix64 over both).
pub(super) fn chance(seed: u64, n: u64) -> f64 {
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

    #[test]
    fn chance_is_fixed_for_ever() {
        // These figures are part of every recording: they must not change.
        assert_eq!(chance(0, 0), chance(0, 0));
        assert_ne!(chance(0, 0), chance(0, 1));
        assert_ne!(chance(0, 1), chance(1, 0));
        let mean: f64 = (0..10_000).map(|n| chance(42, n)).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        assert_eq!([chance(0, 0), chance(7, 3), chance(42, 1000)], FIXED);
    }

    const FIXED: [f64; 3] = [0.6524484863740322, 0.6332572366749338, 0.7091336434751145];

    #[test]
    fn the_seed_may_be_played_and_the_streams_are_apart() {
        let mut params = ParamValues::default();
        assert_eq!(Dice::roll(7, 3, &params).road, chance(7, 3));
        params.set(ParamId::Seed, 9.0);
        assert_eq!(Dice::roll(7, 3, &params), Dice::roll(9, 3, &ParamValues::default()));
        // Knowing one stream says nothing of the other: no correlation.
        let rolls = (0..10_000).map(|n| Dice::roll(1, n, &ParamValues::default()));
        let together: f64 = rolls.map(|d| (d.road - 0.5) * (d.xtc - 0.5)).sum::<f64>() / 10_000.0;
        assert!(together.abs() < 0.004, "{together}");
    }
}
