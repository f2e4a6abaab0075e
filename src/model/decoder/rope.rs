//! Rotary positions: neighbouring elements (2i, 2i+1) of a head are turned by an angle that grows with the position.

use super::Config;

/// Cosine and sine of every angle, computed once.
pub(super) struct Rope {
    /// (context, pairs) of (cos, sin).
    table: Vec<(f32, f32)>,
    pairs: usize,
}

impl Rope {
    /// `factors` (pairs) divide the frequencies one by one: the `rope_freqs.weight` tensor of Llama 3.1 and later.
    pub fn new(config: &Config, factors: Option<&[f32]>) -> Rope {
        let pairs = config.rope_dims / 2;
        let frequency = |i: usize| {
            let base = config.rope_base.powf(-2.0 * i as f64 / config.rope_dims as f64) / config.rope_factor;
            base / factors.map_or(1.0, |f| f64::from(f[i]))
        };
        let frequencies: Vec<f64> = (0..pairs).map(frequency).collect();
        let angle = |at: usize| frequencies.iter().map(move |f| at as f64 * f);
        let table = (0..config.context).flat_map(angle).map(|a| (a.cos() as f32, a.sin() as f32)).collect();
        Rope { table, pairs }
    }

    fn at(&self, position: usize) -> &[(f32, f32)] {
        &self.table[position * self.pairs..(position + 1) * self.pairs]
    }

    /// Turns rows (m, heads, head_dim), the first of which stands at position `at`.
    pub fn turn(&self, rows: &mut [f32], head_dim: usize, heads: usize, at: usize) {
        for (i, row) in rows.chunks_exact_mut(heads * head_dim).enumerate() {
            let angles = self.at(at + i);
            for head in row.chunks_exact_mut(head_dim) {
                for (pair, (cos, sin)) in head.chunks_exact_mut(2).zip(angles) {
                    let (a, b) = (pair[0], pair[1]);
                    pair[0] = a * cos - b * sin;
                    pair[1] = a * sin + b * cos;
                }
            }
        }
    }

    /// Turns one head back by `n` positions.
    pub fn turn_back(&self, head: &mut [f32], n: usize) {
        for (pair, (cos, sin)) in head.chunks_exact_mut(2).zip(self.at(n)) {
            let (a, b) = (pair[0], pair[1]);
            pair[0] = a * cos + b * sin;
            pair[1] = b * cos - a * sin;
        }
    }
}
