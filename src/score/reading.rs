//! How a parameter's value reads: the one place where it becomes words. Pure.

use super::ParamId;
use super::param::Curve;

/// The value alone, for a column of values: "on", "free", "40", "-6.0"; at most nine columns.
pub fn value(id: ParamId, value: f32) -> String {
    let spec = id.spec();
    if let Some(name) = spec.name_of(value) {
        return name.to_string();
    }
    match spec.curve {
        Curve::Switch => if value >= 0.5 { "on" } else { "off" }.to_string(),
        Curve::Step => format!("{value:.0}"),
        _ if id == ParamId::Pace && value == 0.0 => "free".to_string(),
        _ if spec.max - spec.min > 20.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// The value with its unit: "-6.0 dB". A word has none.
pub fn param(id: ParamId, value: f32) -> String {
    let text = self::value(id, value);
    let unit = id.spec().unit;
    if unit.is_empty() || !text.ends_with(|c: char| c.is_ascii_digit()) { text } else { format!("{text} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_in_their_unit() {
        assert_eq!(param(ParamId::Level, -6.0), "-6.0 dB");
        assert_eq!(param(ParamId::TopK, 40.0), "40 tokens");
        assert_eq!((param(ParamId::Hold, 1.0), param(ParamId::Hold, 0.0)), ("on".into(), "off".into()));
        assert_eq!((param(ParamId::Pace, 0.0), param(ParamId::Pace, 4.0)), ("free".into(), "4.0 tokens/s".into()));
        assert_eq!(value(ParamId::Temperature, 0.8), "0.80");
        assert_eq!(param(ParamId::StageScene, 2.0), "loom");
    }

    #[test]
    fn every_value_fits_its_column() {
        for id in ParamId::ALL {
            for at in [0.0, 0.3, 0.7, 1.0] {
                let text = value(*id, id.spec().at(at));
                assert!((1..=9).contains(&text.chars().count()), "{} {text}", id.name());
            }
        }
    }
}
