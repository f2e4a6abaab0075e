//! Finds where a sum of weights is passed in a vocabulary, without sorting it.
//!
//! Sorting 128k tokens takes 8 ms. So the weights are added up on the steps of a ladder of keys, and only the tokens
//! of the step that passes the target are sorted: less than 1 ms. Pure; sums are taken in a fixed order, without fused
//! operations and with an exponential of our own, so that every machine finds the same token.

/// Steps of the ladder.
const STEPS: usize = 4096;
/// Tokens whose weights are computed at once.
const BLOCK: usize = 256;

/// Logits with what makes weights of them: `exp((logit - max) / heat)`; those at -inf weigh nothing.
#[derive(Clone, Copy)]
pub(super) struct Weighed<'a> {
    /// (vocabulary)
    pub logits: &'a [f32],
    pub max: f32,
    pub heat: f32,
}

/// Scratch memory of the search.
#[derive(Default)]
pub(super) struct Ladder {
    sums: Vec<f64>,
    /// Key, number and weight of each token on one step.
    step: Vec<(f32, u32, f64)>,
}

impl Ladder {
    /// The token at which, in ascending order of `key` and then of number, the weights together pass `share` of their
    /// sum; with its key. Keys from `low` to `high` are told apart best. None where nothing weighs anything.
    pub fn edge(
        &mut self,
        tokens: Weighed,
        share: f64,
        (low, high): (f32, f32),
        key: impl Fn(f32) -> f32,
    ) -> Option<(f32, u32)> {
        let scale = STEPS as f32 / (high - low).max(f32::MIN_POSITIVE);
        // `as` stops at the ends: what lies below the ladder stands on its first step, what lies above on its last.
        let step = |logit: f32| (((key(logit) - low) * scale) as usize).min(STEPS - 1);
        self.sums.clear();
        self.sums.resize(STEPS, 0.0);
        let mut weights = [0.0; BLOCK];
        for logits in tokens.logits.chunks(BLOCK) {
            weigh(logits, tokens.max, tokens.heat, &mut weights);
            for (logit, weight) in logits.iter().zip(&weights) {
                self.sums[step(*logit)] += weight;
            }
        }
        let mut left = share * self.sums.iter().sum::<f64>();
        let mut passed = None;
        for (i, sum) in self.sums.iter().enumerate().filter(|(_, sum)| **sum > 0.0) {
            // Where rounding lets no step pass the target, the last one does.
            passed = Some((i, left));
            if *sum > left {
                break;
            }
            left -= sum;
        }
        let (wanted, left) = passed?;
        self.step.clear();
        for (id, logit) in tokens.logits.iter().enumerate() {
            if step(*logit) == wanted {
                let weight = exp(f64::from((logit - tokens.max) / tokens.heat));
                if weight > 0.0 {
                    self.step.push((key(*logit), id as u32, weight));
                }
            }
        }
        passing(&mut self.step, left)
    }

    /// The same among tokens of a list, given with key, number and weight.
    pub fn edge_of(&mut self, tokens: impl Iterator<Item = (f32, u32, f64)>, share: f64) -> Option<(f32, u32)> {
        self.step.clear();
        self.step.extend(tokens);
        let sum: f64 = self.step.iter().map(|(.., weight)| weight).sum();
        passing(&mut self.step, share * sum)
    }

    /// Room for as many entries as are ever asked for, for tests that nothing is allocated.
    #[cfg(test)]
    pub fn room(&self) -> usize {
        self.sums.capacity() + self.step.capacity()
    }
}

fn passing(tokens: &mut [(f32, u32, f64)], mut left: f64) -> Option<(f32, u32)> {
    tokens.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let passes = |(.., weight): &&(f32, u32, f64)| {
        left -= weight;
        left < 0.0
    };
    tokens.iter().find(passes).or(tokens.last()).map(|(key, id, _)| (*key, *id))
}

fn weigh(logits: &[f32], max: f32, heat: f32, weights: &mut [f64; BLOCK]) {
    #[inline(always)]
    fn body(logits: &[f32], max: f32, heat: f32, weights: &mut [f64; BLOCK]) {
        for (weight, logit) in weights.iter_mut().zip(logits) {
            *weight = exp(f64::from((logit - max) / heat));
        }
    }
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn wide(logits: &[f32], max: f32, heat: f32, weights: &mut [f64; BLOCK]) {
            body(logits, max, heat, weights);
        }
        // Twice as wide, and half the time.
        #[target_feature(enable = "avx512f,avx512dq")]
        fn wider(logits: &[f32], max: f32, heat: f32, weights: &mut [f64; BLOCK]) {
            body(logits, max, heat, weights);
        }
        if std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512dq") {
            // SAFETY: both features were just found.
            return unsafe { wider(logits, max, heat, weights) };
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the feature was just found.
            return unsafe { wide(logits, max, heat, weights) };
        }
    }
    body(logits, max, heat, weights);
}

/// `e^x` for `x` up to 0 to within 2 units of the last place, without branches, so that loops over it become vector
/// code; 0 below -700. The range is reduced by ln 2 in two parts (fdlibm's), the rest is Taylor's series.
#[inline(always)]
#[allow(clippy::excessive_precision)]
fn exp(x: f64) -> f64 {
    const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52: adding it rounds to a whole number
    // 1/13! to 1/2!
    const SERIES: [f64; 12] = [
        1.605_904_383_682_161_5e-10,
        2.087_675_698_786_809_9e-9,
        2.505_210_838_544_171_9e-8,
        2.755_731_922_398_589_1e-7,
        2.755_731_922_398_589_1e-6,
        2.480_158_730_158_730_2e-5,
        1.984_126_984_126_984_1e-4,
        1.388_888_888_888_888_9e-3,
        8.333_333_333_333_333_3e-3,
        4.166_666_666_666_666_7e-2,
        1.666_666_666_666_666_7e-1,
        0.5,
    ];
    let weighs = x > -700.0;
    let x = if weighs { x } else { -700.0 };
    let n = (x * std::f64::consts::LOG2_E + ROUND) - ROUND;
    let r = (x - n * 6.931_471_803_691_238_2e-1) - n * 1.908_214_929_270_587_7e-10;
    let mut p = SERIES[0];
    for term in &SERIES[1..] {
        p = p * r + term;
    }
    let p = p * r * r + r + 1.0;
    // 2^n by its exponent bits; `n` lies in -1010..=0.
    let power = f64::from_bits((((n + ROUND).to_bits() & 0x7FF).wrapping_add(1023) & 0x7FF) << 52);
    if weighs { p * power } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_close_everywhere() {
        for i in 0..70_000 {
            let x = -f64::from(i) / 100.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 6e-16, "{x}");
        }
        assert_eq!((exp(0.0), exp(-701.0), exp(f64::NEG_INFINITY)), (1.0, 0.0, 0.0));
        assert_eq!(exp(f64::NAN), 0.0);
    }

    #[test]
    fn the_edge_is_that_of_a_full_sort() {
        let logits: Vec<f32> = (0..5000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 20) as f32 / 300.0).collect();
        let max = logits.iter().copied().fold(0.0, f32::max);
        let mut ladder = Ladder::default();
        for heat in [0.01, 0.7, 1.0, 9.0] {
            let mut sorted: Vec<(f32, u32)> = logits.iter().map(|x| -x).zip(0..).collect();
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let weight = |key: f32| f64::from((-key - max) / heat).exp();
            let sum: f64 = sorted.iter().map(|(key, _)| weight(*key)).sum();
            for share in [0.0, 1e-9, 0.1234, 0.5, 0.987, 0.999_999, 1.0] {
                let mut left = share * sum;
                let passes = |(key, _): &&(f32, u32)| {
                    left -= weight(*key);
                    left < 0.0
                };
                let wanted = sorted.iter().find(passes);
                let tokens = Weighed { logits: &logits, max, heat };
                let got = ladder.edge(tokens, share, (-max, -max + 40.0 * heat), |x| -x);
                assert!(share == 1.0 || got == wanted.copied(), "{heat} {share}: {got:?} {wanted:?}");
                assert!(got.is_some());
                let list = sorted.iter().map(|(key, id)| (*key, *id, weight(*key)));
                assert!(share == 1.0 || ladder.edge_of(list, share) == wanted.copied());
            }
        }
        let nothing = Weighed { logits: &[f32::NEG_INFINITY; 9], max: 0.0, heat: 1.0 };
        assert_eq!(ladder.edge(nothing, 0.5, (0.0, 1.0), |x| -x), None);
    }
}
