//! Reads how a control plays a parameter: from a place, in steps, at a speed, or pressed.

use toml_edit::{Item, TableLike};

use super::{Encoder, Play, Source, Takeover};
use crate::patch::error::{Problems, did_you_mean};
use crate::patch::matrix::Shape;
use crate::patch::value::{fits, key_span, number, text};
use crate::score::{ParamId, param::Curve};

const TAKEOVERS: [(&str, Takeover); 3] =
    [("jump", Takeover::Jump), ("pickup", Takeover::Pickup), ("scale", Takeover::Scale)];

/// What an encoder's step moves, where the patch does not say, as a part of the travel.
const STEP: f32 = 1.0 / 127.0;

/// How a control plays where the patch says no more.
pub fn usual(source: Source) -> Play {
    match source {
        // Not every keyboard tells when a key is let go, and a program never is.
        Source::Key(_) | Source::Function(_) | Source::ProgramIs(_) => Play::Toggle,
        source if source.is_button() => Play::Momentary,
        _ => Play::Place { takeover: Takeover::Jump, shape: Shape::Lin, steps: None },
    }
}

pub fn play(source: Source, id: ParamId, table: &dyn TableLike, place: &str, problems: &mut Problems) -> Option<Play> {
    // Of all else a step is an encoder's.
    let keys = ["encoder", "mode", "value", "speed", "step"].into_iter();
    let mut ways = keys.filter_map(|key| Some((key, table.get(key).filter(|_| key != "step" || source.is_button())?)));
    let way = ways.next();
    if let (Some((first, _)), Some((second, _))) = (way, ways.next()) {
        let message =
            format!("{place} has both \"{first}\" and \"{second}\": a control plays in one way; take one out");
        problems.add(key_span(table, second), message);
        return None;
    }
    let none_of = |keys: &[&str], because: &str, problems: &mut Problems| {
        if let Some(key) = keys.iter().find(|key| table.contains_key(key)) {
            problems.add(key_span(table, key), format!("{place}: \"{key}\" {because}; take it out"));
        }
    };
    match way {
        Some(("encoder", item)) if !matches!(source, Source::Cc(_)) => {
            let instead = match source {
                _ if source.is_button() => "a button may have a \"step\"",
                _ => "what comes back by itself may have a \"speed\"",
            };
            let message = format!("{place}: encoders send MIDI's control changes, cc0 to cc127; {instead}");
            problems.add(item.span(), message);
            None
        }
        Some(("encoder", item)) => {
            none_of(
                &["takeover", "curve", "steps"],
                "is for controls that have a place, and an encoder has none",
                problems,
            );
            let encoder = word(item, &format!("{place} encoder"), &Encoder::WORDS, problems)?;
            let step = match table.get("step") {
                Some(item) => number(item, &format!("{place} step"), 0.0001, 1.0, "of the travel", problems)?,
                None => STEP,
            };
            Some(Play::Turn { encoder, step })
        }
        Some(("mode", item)) => {
            none_of(&["takeover", "curve", "steps", "step"], "is for controls that have a place", problems);
            const MODES: [(&str, Play); 3] =
                [("momentary", Play::Momentary), ("toggle", Play::Toggle), ("hold", Play::Momentary)];
            let mode = word(item, &format!("{place} mode"), &MODES, problems)?;
            is_let_go(source, &mode, item, place, problems).then_some(mode)
        }
        Some((key @ ("speed" | "step"), item)) => {
            none_of(&["takeover", "curve", "steps"], "is for controls that have a place", problems);
            if key == "speed" {
                none_of(&["step"], "has no meaning beside \"speed\"", problems);
            }
            let (most, unit, play): (f32, _, fn(f32) -> Play) = match key {
                "speed" => (20.0, "of the travel a second", Play::Speed),
                _ => (1.0, "of the travel", Play::Step),
            };
            let far = number(item, &format!("{place} {key}"), -most, most, unit, problems)?;
            if far == 0.0 {
                problems.add(item.span(), format!("{place} {key} is 0, which moves nothing"));
            }
            let play = play(far);
            is_let_go(source, &play, item, place, problems).then_some(play)
        }
        Some((_, item)) => {
            none_of(&["takeover", "curve", "steps", "step", "range"], "has no meaning beside \"value\"", problems);
            let name = format!("{place} value");
            let Some(list) = item.as_array() else {
                return Some(Play::Press(vec![fits(id, item, &name, problems)?]));
            };
            let read = list.iter().map(|value| fits(id, &Item::Value(value.clone()), &name, problems));
            let values = read.collect::<Option<Vec<f32>>>()?;
            if values.is_empty() {
                problems.add(item.span(), format!("{name} is an empty list: give it one value or more"));
                return None;
            }
            Some(Play::Press(values))
        }
        None => place_of(source, id, table, place, problems),
    }
}

fn place_of(source: Source, id: ParamId, table: &dyn TableLike, place: &str, problems: &mut Problems) -> Option<Play> {
    // A step without an encoder belongs to what has no place: the increments of an NRPN, or a key.
    if let Some(item) = table.get("step") {
        let instead = match source {
            Source::Cc(_) => "say encoder = \"twos\" (or offset, sign, sign_turned) too",
            _ => "what comes back by itself may have a \"speed\"",
        };
        let message = format!("{place}: \"step\" is an encoder's or a button's; {instead}");
        problems.add(item.span(), message);
        return None;
    }
    if source.is_button() {
        if let Some(key) = ["takeover", "curve", "steps"].iter().find(|key| table.contains_key(key)) {
            let message = format!(
                "{place}: a button has no \"{key}\"; it may have mode = \"toggle\", a value, a step or a speed"
            );
            problems.add(key_span(table, key), message);
            return None;
        }
        return Some(usual(source));
    }
    let takeover = match table.get("takeover") {
        Some(item) => word(item, &format!("{place} takeover"), &TAKEOVERS, problems)?,
        None => Takeover::default(),
    };
    let shape = match table.get("curve") {
        Some(item) => {
            let words: Vec<(&str, Shape)> =
                Shape::WORDS.into_iter().filter(|(_, shape)| !matches!(shape, Shape::Threshold { .. })).collect();
            word(item, &format!("{place} curve"), &words, problems)?
        }
        None => Shape::Lin,
    };
    let steps = match table.get("steps") {
        Some(item) => Some(number(item, &format!("{place} steps"), 2.0, 128.0, "values", problems)? as u16),
        None => None,
    };
    if steps.is_some() && matches!(id.spec().curve, Curve::Switch) {
        problems.add(key_span(table, "steps"), format!("{place}: {} is on or off; take \"steps\" out", id.name()));
        return None;
    }
    Some(Play::Place { takeover, shape, steps })
}

/// Whether a control is let go, where that is needed.
pub fn is_let_go(source: Source, play: &Play, item: &Item, place: &str, problems: &mut Problems) -> bool {
    let never = matches!(source, Source::ProgramIs(_)) && matches!(play, Play::Hold | Play::Momentary | Play::Speed(_));
    if never {
        problems.add(item.span(), format!("{place}: a program is never let go, so nothing can last until then"));
    }
    !never
}

/// One of the words of a table.
pub fn word<T: Clone>(item: &Item, name: &str, words: &[(&str, T)], problems: &mut Problems) -> Option<T> {
    let given = text(item, name, problems)?;
    let found = words.iter().find(|(right, _)| *right == given);
    if found.is_none() {
        let all = words.iter().map(|(right, _)| format!("\"{right}\"")).collect::<Vec<_>>().join(", ");
        let near = did_you_mean(&given, words.iter().map(|(right, _)| *right));
        problems.add(item.span(), format!("{name} is one of {all}, not \"{given}\"{near}"));
    }
    found.map(|(_, value)| value.clone())
}
