//! Mirostat v2 (Basu et al., 2021): what is too surprising is cut, and the line moves until the words are as
//! surprising as is wished.
//!
//! The line is the only thing that the sampler remembers from one token to the next.

use super::Candidates;
use crate::score::{ParamId, ParamValues};

/// The line above which tokens are too surprising. A plain value, to be kept with a snapshot of the text and restored
/// with it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mirostat {
    /// In bits; none before the first token, and while it is off.
    mu: Option<f32>,
}

pub(super) fn is_on(params: &ParamValues) -> bool {
    params.get(ParamId::Mirostat) >= 1.0
}

impl Mirostat {
    /// Cuts what is more surprising than the line, but never the likeliest.
    pub(super) fn cut(&mut self, candidates: &mut Candidates, params: &ParamValues) {
        let mu = *self.mu.get_or_insert(2.0 * params.get(ParamId::MirostatTau));
        let least = candidates.sums().log_sum - f64::from(mu) * std::f64::consts::LN_2;
        let best = candidates.best();
        candidates.retain(|logit, _| f64::from(logit) >= least || logit == best);
    }

    /// Moves the line after a token was drawn from what the cut left.
    pub(super) fn learn(&mut self, candidates: &mut Candidates, drawn: u32, params: &ParamValues) {
        let Some(mu) = &mut self.mu else { return };
        let surprise = (candidates.sums().log_sum - f64::from(candidates.logit(drawn))) / std::f64::consts::LN_2;
        let error = surprise - f64::from(params.get(ParamId::MirostatTau));
        let moved = f64::from(*mu) - f64::from(params.get(ParamId::MirostatEta)) * error;
        if moved.is_finite() {
            *mu = moved as f32;
        }
    }
}
