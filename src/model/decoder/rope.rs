//! Rotary positions: pairs of elements of a head are turned by an angle that grows with the position.
//!
//! Angles are computed in f32 step by step as llama.cpp does, since at position 4096 the rounding of an angle is already
//! as large as what a reader of logits can measure. Nothing is kept for the whole context: a forward pass computes the
//! angles of its own rows, some microseconds of a token.

use super::family::Pairs;
use super::kernels;

/// The frequencies of one kind of layer.
#[derive(Clone, Debug)]
pub(super) struct Rope {
    pub pairs: Pairs,
    /// Elements of each head that are turned, even; the rest pass as they are.
    pub dims: usize,
    /// The angle of pair `i + 1` is this much of that of pair `i`.
    step: f32,
    /// Multiplies every angle: one over the linear scaling factor.
    scale: f32,
    /// Multiplies what is turned (longrope and YaRN).
    gain: f32,
    /// (dims / 2): divide the frequencies one by one. Llama 3's `rope_freqs`, Phi-3's long or short factors.
    factors: Option<Vec<f32>>,
    yarn: Option<Yarn>,
}

/// What a file says of its positions.
#[derive(Clone, Debug, PartialEq)]
pub struct RopeConfig {
    pub base: f32,
    /// Linear scaling: angles are divided by this.
    pub factor: f32,
    /// Multiplies what is turned.
    pub attention_factor: f32,
    /// Set for YaRN: positions of the training before the context was stretched.
    pub yarn_context: Option<usize>,
}

/// YaRN (Peng et al. 2023) turns fast pairs as in training and slow ones by the stretched angle, with a ramp between.
#[derive(Clone, Debug)]
struct Yarn {
    /// The pair where the ramp begins and the one where it ends.
    low: f32,
    high: f32,
}

/// Cosine and sine of each pair's angle for some rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Angles(Vec<(f32, f32)>);

impl Angles {
    /// The angles from row `first` on.
    pub fn rows(&self, rope: &Rope, first: usize) -> &[(f32, f32)] {
        &self.0[first * (rope.dims / 2)..]
    }
}

impl Rope {
    pub fn new(config: &RopeConfig, pairs: Pairs, dims: usize, factors: Option<Vec<f32>>) -> Rope {
        let yarn = config.yarn_context.map(|context| {
            // The pair that makes so many turns within the training's context.
            let pair = |turns: f32| {
                dims as f32 * (context as f32 / (turns * 2.0 * std::f32::consts::PI)).ln() / (2.0 * config.base.ln())
            };
            Yarn { low: pair(32.0).floor().max(0.0), high: pair(1.0).ceil().min(dims as f32 - 1.0) }
        });
        let stretched = if yarn.is_some() { 1.0 + 0.1 * config.factor.ln() } else { 1.0 };
        Rope {
            pairs,
            dims,
            step: config.base.powf(-2.0 / dims as f32),
            scale: 1.0 / config.factor,
            gain: config.attention_factor * stretched,
            factors,
            yarn,
        }
    }

    /// The angles of `m` rows, the first of which stands at position `at`.
    pub fn angles(&self, at: usize, m: usize, out: &mut Angles) {
        out.0.clear();
        for position in at..at + m {
            self.each(position, |angle| out.0.push((angle.cos() * self.gain, angle.sin() * self.gain)));
        }
    }

    /// The angles by which keys are turned back over `n` positions. What was gained stays.
    pub fn back(&self, n: usize) -> Angles {
        let mut out = Angles::default();
        self.each(n, |angle| out.0.push((angle.cos(), -angle.sin())));
        out
    }

    fn each(&self, position: usize, mut with: impl FnMut(f32)) {
        let mut angle = position as f32;
        for i in 0..self.dims / 2 {
            let plain = angle / self.factors.as_ref().map_or(1.0, |factors| factors[i]);
            let scaled = self.scale * plain;
            with(self.yarn.as_ref().map_or(scaled, |yarn| {
                let share = 1.0 - ((i as f32 - yarn.low) / (yarn.high - yarn.low).max(0.001)).clamp(0.0, 1.0);
                scaled * (1.0 - share) + plain * share
            }));
            angle *= self.step;
        }
    }

    /// Turns rows (m, heads, head_dim) by the angles of these rows, one after the other.
    pub fn turn(&self, rows: &mut [f32], head_dim: usize, heads: usize, angles: &[(f32, f32)]) {
        let half = self.dims / 2;
        for (row, angles) in rows.chunks_exact_mut(heads * head_dim).zip(angles.chunks_exact(half.max(1))) {
            for head in row.chunks_exact_mut(head_dim) {
                self.turn_head(&mut head[..self.dims], angles);
            }
        }
    }

    /// Turns one head (dims or more) by one row's angles.
    pub fn turn_key(&self, head: &mut [f32], angles: &Angles) {
        self.turn_head(&mut head[..self.dims], &angles.0);
    }

    fn turn_head(&self, head: &mut [f32], angles: &[(f32, f32)]) {
        match self.pairs {
            Pairs::Neighbours => kernels::turn_neighbours(head, angles),
            Pairs::Halves => kernels::turn_halves(head, angles),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> RopeConfig {
        RopeConfig { base: 10_000.0, factor: 1.0, attention_factor: 1.0, yarn_context: None }
    }

    #[test]
    fn turning_back_undoes_the_turn() {
        let factors = Some(vec![1.0, 2.0, 4.0]);
        for pairs in [Pairs::Neighbours, Pairs::Halves] {
            let rope = Rope::new(&RopeConfig { factor: 2.0, ..plain() }, pairs, 6, factors.clone());
            let before: Vec<f32> = (0..8).map(|i| i as f32 - 3.0).collect();
            let (mut row, mut angles) = (before.clone(), Angles::default());
            rope.angles(9, 1, &mut angles);
            rope.turn(&mut row, 8, 1, angles.rows(&rope, 0));
            assert!(row != before && row[6..] == before[6..], "the last two elements are not turned");
            rope.turn_key(&mut row, &rope.back(9));
            assert!(row.iter().zip(&before).all(|(a, b)| (a - b).abs() < 1e-5), "{row:?}");
        }
    }

    #[test]
    fn scaling_and_factors_slow_the_angles() {
        let mut angles = Angles::default();
        let rope = Rope::new(&RopeConfig { factor: 4.0, ..plain() }, Pairs::Halves, 4, Some(vec![1.0, 0.5]));
        rope.angles(8, 1, &mut angles);
        assert!((angles.0[0].0 - 2.0f32.cos()).abs() < 1e-6);
        assert!((angles.0[1].0 - (8.0f32 * 0.01 / 0.5 / 4.0).cos()).abs() < 1e-6);
        // YaRN: the fast pair as in training, and everything a little louder.
        let yarn = RopeConfig { factor: 4.0, yarn_context: Some(4096), ..plain() };
        Rope::new(&yarn, Pairs::Halves, 64, None).angles(3, 1, &mut angles);
        assert!((angles.0[0].1 - 3.0f32.sin() * (1.0 + 0.1 * 4.0f32.ln())).abs() < 1e-5);
    }
}
