//! Temperature, still or following the model's indecision.

use super::{Candidates, Now, Scratch};
use crate::score::{ParamId, ParamValues};

pub(super) fn is_on(params: &ParamValues) -> bool {
    params.get(ParamId::Temperature) != 1.0 || params.get(ParamId::DynamicRange) > 0.0
}

/// At 0 there is nothing to draw: the likeliest is taken.
pub(super) fn is_cold(params: &ParamValues) -> bool {
    params.get(ParamId::Temperature) <= 0.0 && params.get(ParamId::DynamicRange) <= 0.0
}

pub(super) fn act(candidates: &mut Candidates, _: &mut Scratch, now: &Now) {
    let temperature = now.params.get(ParamId::Temperature);
    let range = now.params.get(ParamId::DynamicRange);
    let temperature = if range > 0.0 {
        let n = candidates.count();
        if n <= 1 {
            return;
        }
        // Nothing is undecided at 0, everything equally likely at 1.
        let undecided = (candidates.sums().entropy / (n as f64).ln()).clamp(0.0, 1.0);
        let (low, high) = (f64::from((temperature - range).max(0.0)), f64::from(temperature + range));
        let bent = undecided.powf(f64::from(now.params.get(ParamId::DynamicExponent)));
        (low + (high - low) * bent) as f32
    } else {
        temperature
    };
    match temperature > 0.0 {
        true => candidates.heat(temperature),
        false => candidates.top(1),
    }
}
