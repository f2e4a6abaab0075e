//! The sampler's chain: its stages in the order in which they act, and where each stands. Pure.

use super::State;
use crate::patch::sampler::Stage;
use crate::score::{ParamId, ParamValues, reading};

/// A stage of the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    pub name: &'static str,
    pub setting: String,
    /// Whether it does anything as it stands.
    pub acts: bool,
}

/// The stages in the patch's order, or in the usual one.
pub fn chain(state: &State) -> Vec<Link> {
    let usual = Stage::WORDS.map(|(_, stage)| stage);
    let order = state.order.as_deref().unwrap_or(&usual);
    let mirostat = state.played.get(ParamId::Mirostat) >= 0.5;
    let mut links: Vec<Link> = order.iter().map(|stage| link(*stage, &state.played, mirostat)).collect();
    if mirostat {
        let of = |id| reading::value(id, state.played.get(id));
        let setting = format!("{} bits, eta {}", of(ParamId::MirostatTau), of(ParamId::MirostatEta));
        links.push(Link { name: "mirostat", setting, acts: true });
    }
    links
}

fn link(stage: Stage, params: &ParamValues, mirostat: bool) -> Link {
    let of = |id| reading::value(id, params.get(id));
    let is = |id, idle: f32| params.get(id) == idle;
    let (acts, setting) = match stage {
        Stage::Penalties => {
            let mut said = Vec::new();
            if !is(ParamId::RepeatPenalty, 1.0) {
                said.push(format!("repeat {}", of(ParamId::RepeatPenalty)));
            }
            if !is(ParamId::FrequencyPenalty, 0.0) {
                said.push(format!("frequency {}", of(ParamId::FrequencyPenalty)));
            }
            if !is(ParamId::PresencePenalty, 0.0) {
                said.push(format!("presence {}", of(ParamId::PresencePenalty)));
            }
            (
                !said.is_empty() && !is(ParamId::RepeatWindow, 0.0),
                format!("{} in {}", said.join(", "), of(ParamId::RepeatWindow)),
            )
        }
        Stage::Dry => (
            !is(ParamId::DryMultiplier, 0.0) && !is(ParamId::DryWindow, 0.0),
            format!("{} × {} from {}", of(ParamId::DryMultiplier), of(ParamId::DryBase), of(ParamId::DryAllowedLength)),
        ),
        Stage::TopK => (!is(ParamId::TopK, 0.0), of(ParamId::TopK)),
        Stage::Typical => (!is(ParamId::TypicalP, 1.0), of(ParamId::TypicalP)),
        Stage::TopP => (!is(ParamId::TopP, 1.0), of(ParamId::TopP)),
        Stage::MinP => (!is(ParamId::MinP, 0.0), of(ParamId::MinP)),
        Stage::Xtc => (
            !is(ParamId::XtcProbability, 0.0),
            format!("{} above {}", of(ParamId::XtcProbability), of(ParamId::XtcThreshold)),
        ),
        Stage::Temperature => {
            let range = params.get(ParamId::DynamicRange);
            let span = if range > 0.0 { format!(" ± {}", of(ParamId::DynamicRange)) } else { String::new() };
            (true, format!("{}{span}", of(ParamId::Temperature)))
        }
    };
    let given_way = mirostat && !matches!(stage, Stage::Penalties | Stage::Dry | Stage::Temperature);
    let setting = match acts {
        _ if given_way => "mirostat's".to_string(),
        true => setting,
        false => "off".to_string(),
    };
    Link { name: stage.name(), setting, acts: acts && !given_way }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(state: &State) -> Vec<String> {
        chain(state).into_iter().map(|link| format!("{} {}", link.name, link.setting)).collect()
    }

    #[test]
    fn stages_in_their_order_with_what_they_do() {
        let mut state = State::new();
        assert_eq!(
            settings(&state),
            [
                "penalties repeat 1.10 in 64",
                "dry off",
                "top_k 40",
                "typical off",
                "top_p 0.95",
                "min_p 0.05",
                "xtc off",
                "temperature 0.80"
            ]
        );
        state.order = Some(vec![Stage::Temperature, Stage::TopK, Stage::Dry]);
        state.played.set(ParamId::DryMultiplier, 0.8);
        state.played.set(ParamId::TopK, 0.0);
        assert_eq!(settings(&state), ["temperature 0.80", "top_k off", "dry 0.80 × 1.75 from 2"]);
        state.played.set(ParamId::Mirostat, 2.0);
        assert_eq!(
            settings(&state)[1..],
            ["top_k mirostat's", "dry 0.80 × 1.75 from 2", "mirostat 5.00 bits, eta 0.10"]
        );
        assert!(!chain(&state)[1].acts && chain(&state)[3].acts);
    }
}
