//! The tokens that may still be drawn, with their logits: what every stage works on.
//!
//! While they are many they stay in their places in the vocabulary, out where the logit is -inf; once a stage leaves
//! few, they become a list, likeliest first. Either way the same tokens are kept and drawn. Scratch memory is reused,
//! so that a token costs no allocation.

use super::super::decoder::spread;
use super::super::distribution::likeliest;
use super::ladder::{Ladder, Weighed};

/// As many candidates at most become a list: sorting them costs 60 µs.
const LISTED: usize = 2048;
/// No logit is larger, so that sums and products stay numbers.
const MOST: f32 = 1e30;
/// What weighs less than e^-40 of the likeliest token is not told apart by the ladder.
const DEPTH: f32 = 40.0;

/// What the candidates amount to; all in nats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sums {
    /// `ln Σ exp(logit)`
    pub log_sum: f64,
    pub entropy: f64,
}

#[derive(Default)]
pub(super) struct Candidates {
    /// (vocabulary); they count only while `whole`.
    logits: Vec<f32>,
    /// Likeliest first, the lower number first among equals.
    list: Vec<(f32, u32)>,
    whole: bool,
    /// The temperature by which the logits are still to be divided. It waits, since the draw can do it on its way.
    heat: f32,
    ladder: Ladder,
}

impl Candidates {
    /// Begins with every token. What is no number is out.
    pub fn load(&mut self, logits: &[f32]) {
        let tame = |x: &f32| if x.is_nan() { f32::NEG_INFINITY } else { x.min(MOST) };
        self.logits.clear();
        self.logits.extend(logits.iter().map(tame));
        (self.whole, self.heat) = (true, 1.0);
    }

    /// How many are left.
    pub fn count(&self) -> usize {
        match self.whole {
            true => self.logits.iter().filter(|x| **x > f32::NEG_INFINITY).count(),
            false => self.list.len(),
        }
    }

    /// The likeliest one's logit; -inf where none is left.
    pub fn best(&self) -> f32 {
        if !self.whole {
            return self.list.first().map_or(f32::NEG_INFINITY, |(logit, _)| *logit);
        }
        // In lanes, so that it becomes vector code: a chain of comparisons over 128k takes 0.12 ms, this 0.02.
        let mut tops = [f32::NEG_INFINITY; 16];
        for xs in self.logits.chunks(16) {
            for (top, x) in tops.iter_mut().zip(xs) {
                *top = if *x > *top { *x } else { *top };
            }
        }
        tops.into_iter().fold(f32::NEG_INFINITY, f32::max)
    }

    pub fn each(&self, mut f: impl FnMut(f32, u32)) {
        if !self.whole {
            return self.list.iter().for_each(|(logit, id)| f(*logit, *id));
        }
        for (id, logit) in self.logits.iter().enumerate() {
            if *logit > f32::NEG_INFINITY {
                f(*logit, id as u32);
            }
        }
    }

    /// The logit of a candidate.
    pub fn logit(&self, id: u32) -> f32 {
        let listed = || self.list.iter().find(|(_, other)| *other == id).map(|(logit, _)| *logit);
        let logit = if self.whole { self.logits.get(id as usize).copied() } else { listed() };
        logit.unwrap_or(f32::NEG_INFINITY)
    }

    /// Divides the logits by what was left to be divided by.
    pub fn settle(&mut self) {
        let heat = std::mem::replace(&mut self.heat, 1.0);
        if heat == 1.0 {
            return;
        }
        let cool = |x: &mut f32| *x = (*x / heat).min(MOST);
        match self.whole {
            true => self.logits.iter_mut().for_each(cool),
            false => self.list.iter_mut().for_each(|(x, _)| cool(x)),
        }
    }

    /// Divides all logits by a temperature above 0.
    pub fn heat(&mut self, temperature: f32) {
        self.settle();
        self.heat = temperature;
    }

    /// Sum and entropy of the candidates, in nats.
    pub fn sums(&mut self) -> Sums {
        self.settle();
        if self.whole {
            let spread = spread(&self.logits);
            return Sums { log_sum: spread.log_sum, entropy: f64::from(spread.entropy_nats) };
        }
        let log_sum = list_log_sum(&self.list);
        let entropy: f64 = self.list.iter().map(|(x, _)| f64::from(*x) - log_sum).map(|ln_p| -ln_p.exp() * ln_p).sum();
        Sums { log_sum, entropy: entropy.max(0.0) }
    }

    /// Changes the logits of some tokens. `ids` are in ascending order; `f` gets the place among them and the logit.
    pub fn edit(&mut self, ids: &[u32], f: impl Fn(usize, f32) -> f32) {
        self.settle();
        let tame = |x: f32| if x.is_nan() { f32::NEG_INFINITY } else { x.clamp(f32::NEG_INFINITY, MOST) };
        if self.whole {
            for (i, id) in ids.iter().enumerate() {
                if let Some(logit) = self.logits.get_mut(*id as usize).filter(|x| **x > f32::NEG_INFINITY) {
                    *logit = tame(f(i, *logit));
                }
            }
            return;
        }
        for (logit, id) in &mut self.list {
            if let Ok(i) = ids.binary_search(id) {
                *logit = tame(f(i, *logit));
            }
        }
        self.list.retain(|(logit, _)| *logit > f32::NEG_INFINITY);
        self.sort();
    }

    /// Keeps the `n` likeliest.
    pub fn top(&mut self, n: usize) {
        if self.whole {
            self.take_likeliest(n);
            self.whole = false;
        }
        self.list.truncate(n);
    }

    /// Keeps those of which `keep` says so, by logit and number.
    pub fn retain(&mut self, keep: impl Fn(f32, u32) -> bool) {
        if !self.whole {
            return self.list.retain(|(logit, id)| keep(*logit, *id));
        }
        self.list.clear();
        for (id, logit) in self.logits.iter_mut().enumerate() {
            if *logit == f32::NEG_INFINITY {
                continue;
            }
            if !keep(*logit, id as u32) {
                *logit = f32::NEG_INFINITY;
            } else if self.list.len() <= LISTED {
                self.list.push((*logit, id as u32));
            }
        }
        if self.list.len() <= LISTED {
            self.sort();
            self.whole = false;
        }
    }

    /// Keeps the likeliest that together hold this share of the probability, and at least one.
    pub fn keep_share(&mut self, share: f32) {
        self.settle();
        if !self.whole {
            let log_sum = list_log_sum(&self.list);
            if let Some(n) = held(&self.list, log_sum, share) {
                self.list.truncate(n);
            }
            return;
        }
        let spread = spread(&self.logits);
        let log_sum = spread.log_sum;
        // Mostly a few tokens are enough; as many as a die of that entropy has sides are not even tried.
        for n in [256, LISTED].into_iter().filter(|n| *n as f32 >= spread.entropy_nats.exp()) {
            self.take_likeliest(n);
            let found = held(&self.list, log_sum, share);
            if found.is_some() || self.list.len() < n {
                self.list.truncate(found.unwrap_or(n));
                self.whole = false;
                return;
            }
        }
        if let Some((key, last)) = self.edge(f64::from(share), -self.best(), |x| -x) {
            self.retain(|logit, id| -logit < key || -logit == key && id <= last);
        }
    }

    /// Keeps the tokens of the smallest keys, from 0 on, that together hold more than this share of the probability.
    pub fn keep_nearest(&mut self, share: f32, key: impl Fn(f32) -> f32) {
        self.settle();
        if let Some((edge, last)) = self.edge(f64::from(share), 0.0, &key) {
            self.retain(|logit, id| key(logit) < edge || key(logit) == edge && id <= last);
        }
    }

    /// Draws one with `chance` in 0..1: the likeliest have the lowest chances.
    pub fn pick(&mut self, chance: f64) -> Option<u32> {
        if self.whole {
            return self.edge(chance, -self.best(), |x| -x).map(|(_, id)| id);
        }
        let (max, heat) = (self.list.first()?.0, self.heat);
        let weight = |logit: f32| f64::from((logit - max) / heat).exp();
        let total: f64 = self.list.iter().map(|(logit, _)| weight(*logit)).sum();
        let mut left = chance * total;
        for (logit, id) in &self.list {
            left -= weight(*logit);
            if left < 0.0 {
                return Some(*id);
            }
        }
        self.list.last().map(|(_, id)| *id)
    }

    /// Every token's probability by number: those that are out have none.
    pub fn probabilities(&mut self, into: &mut Vec<f64>) {
        self.settle();
        let max = f64::from(self.best());
        into.clear();
        into.resize(self.logits.len(), 0.0);
        self.each(|logit, id| into[id as usize] = (f64::from(logit) - max).exp());
        let sum: f64 = into.iter().sum();
        if sum > 0.0 {
            into.iter_mut().for_each(|p| *p /= sum);
        }
    }

    fn sort(&mut self) {
        self.list.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    }

    /// See [`Ladder::edge`]; `low` is the smallest key.
    fn edge(&mut self, share: f64, low: f32, key: impl Fn(f32) -> f32) -> Option<(f32, u32)> {
        let (max, heat) = (self.best(), self.heat);
        if self.whole {
            let tokens = Weighed { logits: &self.logits, max, heat };
            return self.ladder.edge(tokens, share, (low, low + DEPTH * heat), key);
        }
        let weight = |logit: f32| f64::from((logit - max) / heat).exp();
        self.ladder.edge_of(self.list.iter().map(|(logit, id)| (key(*logit), *id, weight(*logit))), share)
    }

    /// Fills the list with the `n` likeliest of the vocabulary.
    fn take_likeliest(&mut self, n: usize) {
        likeliest(&self.logits, n, &mut self.list);
        let out = self.list.partition_point(|(logit, _)| *logit > f32::NEG_INFINITY);
        self.list.truncate(out);
    }

    /// Room for as many entries as are ever asked for, for tests that nothing is allocated.
    #[cfg(test)]
    pub fn room(&self) -> usize {
        self.logits.capacity() + self.list.capacity() + self.ladder.room()
    }
}

fn list_log_sum(list: &[(f32, u32)]) -> f64 {
    let max = list.first().map_or(0.0, |(logit, _)| *logit);
    let sum: f64 = list.iter().map(|(logit, _)| f64::from(logit - max).exp()).sum();
    f64::from(max) + sum.ln()
}

/// How many of a sorted list are needed to hold a share of the probability; none where all are not enough.
fn held(list: &[(f32, u32)], log_sum: f64, share: f32) -> Option<usize> {
    let mut held = 0.0;
    list.iter().position(|(logit, _)| {
        // The first is kept whatever the share.
        let enough = held > 0.0 && held >= f64::from(share);
        held += (f64::from(*logit) - log_sum).exp();
        enough
    })
}
