//! What a model's file says about how it is sampled best: `general.sampling.*`.

use super::super::gguf::{Gguf, Value};
use crate::patch::sampler::Stage;
use crate::score::ParamId;

/// Keys below `general.sampling.` and the parameters that they set.
const KEYS: [(&str, ParamId); 11] = [
    ("temp", ParamId::Temperature),
    ("top_k", ParamId::TopK),
    ("top_p", ParamId::TopP),
    ("min_p", ParamId::MinP),
    ("xtc_probability", ParamId::XtcProbability),
    ("xtc_threshold", ParamId::XtcThreshold),
    ("penalty_last_n", ParamId::RepeatWindow),
    ("penalty_repeat", ParamId::RepeatPenalty),
    ("mirostat", ParamId::Mirostat),
    ("mirostat_tau", ParamId::MirostatTau),
    ("mirostat_eta", ParamId::MirostatEta),
];

/// What a file wishes; patch and command line go before it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling {
    /// Within each parameter's range.
    pub params: Vec<(ParamId, f32)>,
    /// The stages in their order, those left out that are not known here.
    pub order: Option<Vec<Stage>>,
}

impl Sampling {
    /// Reads the keys. What is no number, or names no stage, is passed over: it is a wish and no part of the model.
    pub(in crate::model) fn of(gguf: &Gguf) -> Sampling {
        let number = |key: &str| {
            let key = format!("general.sampling.{key}");
            let text = || gguf.text(&key).and_then(|text| text.trim().parse().ok());
            gguf.float(&key).or_else(text).filter(|value: &f64| value.is_finite())
        };
        let mut params = Vec::new();
        for (key, id) in KEYS {
            let Some(value) = number(key) else { continue };
            let value = match id {
                // -1 stands for the whole context.
                ParamId::RepeatWindow if value < 0.0 => id.spec().max,
                _ => id.spec().clamp(value as f32),
            };
            params.push((id, value));
        }
        // Above one half no two tokens can pass: that is how XTC is switched off.
        if number("xtc_threshold").is_some_and(|threshold| threshold > 0.5) {
            params.retain(|(id, _)| *id != ParamId::XtcProbability);
            params.push((ParamId::XtcProbability, 0.0));
        }
        let mut order: Vec<Stage> = Vec::new();
        if let Some(Value::Text(names)) = gguf.get("general.sampling.sequence") {
            for stage in names.split(';').filter_map(Stage::from_name) {
                if !order.contains(&stage) {
                    order.push(stage);
                }
            }
        }
        Sampling { params, order: Some(order).filter(|order| !order.is_empty()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Source;
    use super::*;

    fn of(keys: Vec<(&str, Value)>) -> Sampling {
        let mut gguf = Gguf::read(&Source::Embedded).unwrap();
        gguf.keys = keys.into_iter().map(|(key, value)| (format!("general.sampling.{key}"), value)).collect();
        Sampling::of(&gguf)
    }

    #[test]
    fn a_file_that_wishes_nothing_changes_nothing() {
        assert_eq!(of(vec![]), Sampling::default());
        let nonsense = vec![
            ("temp", Value::Float(f64::NAN)),
            ("top_k", Value::Bool(true)),
            ("top_p", Value::Text("high".into())),
            ("sequence", Value::Text("infill;top_n_sigma;;".into())),
        ];
        assert_eq!(of(nonsense), Sampling::default());
    }

    #[test]
    fn wishes_are_read_and_brought_into_range() {
        let wishes = of(vec![
            ("temp", Value::Float(0.6)),
            ("top_k", Value::Signed(-1)),
            ("top_p", Value::Text("0.9".into())),
            ("penalty_last_n", Value::Signed(-1)),
            ("penalty_repeat", Value::Float(7.0)),
            ("xtc_probability", Value::Float(0.5)),
            ("xtc_threshold", Value::Float(1.0)),
            ("mirostat", Value::Unsigned(2)),
            ("sequence", Value::Text("edskypmxt;temperature;typ-p;top_k;temp".into())),
        ]);
        let wanted = [
            (ParamId::Temperature, 0.6),
            (ParamId::TopK, 0.0),
            (ParamId::TopP, 0.9),
            (ParamId::XtcThreshold, 0.5),
            (ParamId::RepeatWindow, 512.0),
            (ParamId::RepeatPenalty, 2.0),
            (ParamId::Mirostat, 2.0),
            (ParamId::XtcProbability, 0.0),
        ];
        assert_eq!(wishes.params, wanted);
        assert_eq!(wishes.order, Some(vec![Stage::Temperature, Stage::Typical, Stage::TopK]));
    }
}
