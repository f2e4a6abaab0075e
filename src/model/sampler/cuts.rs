//! The stages that only cut: what they leave keeps its proportions.

use super::{Candidates, Now, Scratch};
use crate::score::{ParamId, ParamValues};

pub(super) fn top_k_is_on(params: &ParamValues) -> bool {
    params.get(ParamId::TopK) >= 1.0
}

pub(super) fn top_k(candidates: &mut Candidates, _: &mut Scratch, now: &Now) {
    candidates.top(now.params.get(ParamId::TopK) as usize);
}

pub(super) fn top_p_is_on(params: &ParamValues) -> bool {
    params.get(ParamId::TopP) < 1.0
}

pub(super) fn top_p(candidates: &mut Candidates, _: &mut Scratch, now: &Now) {
    candidates.keep_share(now.params.get(ParamId::TopP));
}

pub(super) fn min_p_is_on(params: &ParamValues) -> bool {
    params.get(ParamId::MinP) > 0.0
}

pub(super) fn min_p(candidates: &mut Candidates, _: &mut Scratch, now: &Now) {
    candidates.settle();
    let best = candidates.best();
    let least = best + now.params.get(ParamId::MinP).ln();
    candidates.retain(|logit, _| logit >= least || logit == best);
}

pub(super) fn typical_is_on(params: &ParamValues) -> bool {
    params.get(ParamId::TypicalP) < 1.0
}

/// Locally typical sampling (Meister et al., 2022): the tokens whose surprise is nearest to the entropy.
pub(super) fn typical(candidates: &mut Candidates, _: &mut Scratch, now: &Now) {
    let sums = candidates.sums();
    // The logit of a token that is exactly as surprising as is expected.
    let expected = (sums.log_sum - sums.entropy) as f32;
    candidates.keep_nearest(now.params.get(ParamId::TypicalP), |logit| (logit - expected).abs());
}

pub(super) fn xtc_is_on(params: &ParamValues) -> bool {
    params.get(ParamId::XtcProbability) > 0.0
}

/// Exclude top choices: of the tokens above the threshold only the least likely stays. It strikes by a chance of its
/// own.
pub(super) fn xtc(candidates: &mut Candidates, _: &mut Scratch, now: &Now) {
    if now.dice.xtc >= f64::from(now.params.get(ParamId::XtcProbability)) {
        return;
    }
    let threshold = f64::from(now.params.get(ParamId::XtcThreshold)).ln() + candidates.sums().log_sum;
    let mut last: Option<(f32, u32)> = None;
    candidates.each(|logit, id| {
        let above = f64::from(logit) >= threshold;
        if above && last.is_none_or(|(least, other)| logit < least || logit == least && id > other) {
            last = Some((logit, id));
        }
    });
    if let Some((least, last)) = last {
        candidates.retain(|logit, id| logit < least || logit == least && id >= last);
    }
}
