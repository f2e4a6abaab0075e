//! Repetition, frequency and presence penalties: what came within the window is held back.

use super::{Candidates, Now, Scratch};
use crate::score::{ParamId, ParamValues};

pub(super) fn is_on(params: &ParamValues) -> bool {
    params.get(ParamId::RepeatWindow) > 0.0
        && (params.get(ParamId::RepeatPenalty) != 1.0
            || params.get(ParamId::FrequencyPenalty) != 0.0
            || params.get(ParamId::PresencePenalty) != 0.0)
}

/// A positive logit is divided by the repetition penalty, a negative one multiplied, once for each token however often
/// it came; then the frequency penalty is taken off for each time it came, and the presence penalty once.
pub(super) fn act(candidates: &mut Candidates, scratch: &mut Scratch, now: &Now) {
    let window = now.params.get(ParamId::RepeatWindow) as usize;
    let repeat = now.params.get(ParamId::RepeatPenalty);
    let (frequency, presence) = (now.params.get(ParamId::FrequencyPenalty), now.params.get(ParamId::PresencePenalty));
    let Scratch { ids, amounts, .. } = scratch;
    ids.clear();
    ids.extend_from_slice(now.recent(window));
    ids.sort_unstable();
    amounts.clear();
    for run in ids.chunk_by(|a, b| a == b) {
        amounts.push(run.len() as f32 * frequency + presence);
    }
    ids.dedup();
    candidates.edit(ids, |i, logit| (if logit > 0.0 { logit / repeat } else { logit * repeat }) - amounts[i]);
}
