//! Reads the tables of hands: every binding with its options, each problem with its place and the nearest right word.

use toml_edit::{Item, TableLike};

use super::play::{is_let_go, play, usual, word};
use super::target::{Bank, Target, target};
use super::{Binding, Controller, Feedback, Kind, Light, Play, Source};
use crate::patch::error::{Problems, did_you_mean};
use crate::patch::load::section;
use crate::patch::value::{described, fits, key_span, number, pair, switch, text};
use crate::score::ParamId;

/// What a lamp is sent when it is off and on.
const LAMP: [u8; 2] = [0, 127];

/// Keys of a controller's table that are no controls.
const OF_TABLE: [&str; 4] = ["feedback", "heartbeat_s", "lamp", "gives_way"];

/// Every controller of a patch, in the order of the file.
pub fn controllers(root: &dyn TableLike, bank: Bank, problems: &mut Problems) -> Vec<Controller> {
    let mut all = Vec::new();
    for (kind, name) in [(Kind::Midi, "midi"), (Kind::Gamepad, "gamepad")] {
        let Some(table) = section(root, name, problems) else { continue };
        for (pattern, item) in table.iter() {
            match item.as_table_like() {
                Some(controls) => {
                    let place = format!("[{name}.\"{pattern}\"]");
                    all.push(controller(kind, place, pattern, controls, bank, problems));
                }
                None => {
                    let message = format!("[{name}] names a device first: write [{name}.\"*\"] above \"{pattern}\"");
                    problems.add(key_span(table, pattern), message);
                }
            }
        }
    }
    if let Some(keys) = section(root, "keys", problems) {
        if let Some((name, _)) = keys.iter().find(|(_, item)| item.is_table()) {
            let message = format!("[keys] names no device: write its keys right below [keys], without \"{name}\"");
            problems.add(key_span(keys, name), message);
            return all;
        }
        all.push(controller(Kind::Keyboard, "[keys]".into(), "*", keys, bank, problems));
    }
    all
}

fn controller(
    kind: Kind,
    place: String,
    pattern: &str,
    controls: &dyn TableLike,
    bank: Bank,
    problems: &mut Problems,
) -> Controller {
    let bindings = bindings(kind, &place, controls, bank, problems);
    let feedback = feedback(kind, &place, pattern, controls, problems);
    let way = controls.get("gives_way").filter(|_| kind != Kind::Keyboard);
    let gives_way = way.and_then(|item| switch(item, &format!("{place} gives_way"), problems)).unwrap_or(false);
    Controller { kind, pattern: pattern.to_string(), bindings, feedback, known: false, gives_way }
}

fn feedback(
    kind: Kind,
    place: &str,
    pattern: &str,
    controls: &dyn TableLike,
    problems: &mut Problems,
) -> Option<Feedback> {
    let given = OF_TABLE[..3].iter().find(|key| kind != Kind::Keyboard && controls.contains_key(key))?;
    if kind != Kind::Midi {
        problems.add(key_span(controls, given), format!("{place} cannot be told anything: take \"{given}\" out"));
        return None;
    }
    let Some(item) = controls.get("feedback") else {
        let message = format!("{place} has \"{given}\" without feedback = true: nothing is sent to it");
        problems.add(key_span(controls, given), message);
        return None;
    };
    let pattern = match (item.as_bool(), item.as_str()) {
        (Some(false), _) => return None,
        (Some(true), _) => pattern.to_string(),
        (_, Some(port)) => port.to_string(),
        _ => {
            let message = format!("{place} feedback is true, false or an output's name, not {}", described(item));
            problems.add(item.span(), message);
            return None;
        }
    };
    let heartbeat_s = controls
        .get("heartbeat_s")
        .and_then(|item| number(item, &format!("{place} heartbeat_s"), 0.5, 60.0, "s", problems));
    let lamp = controls.get("lamp").and_then(|item| lamp(item, &format!("{place} lamp"), problems));
    Some(Feedback { pattern, heartbeat_s, lamp: lamp.unwrap_or(LAMP) })
}

fn lamp(item: &Item, name: &str, problems: &mut Problems) -> Option<[u8; 2]> {
    let read = |item: &Item| item.as_integer().and_then(|n| u8::try_from(n).ok()).filter(|n| *n < 128);
    let values = pair(item).and_then(|[off, on]| Some([read(&off)?, read(&on)?]));
    if values.is_none() {
        problems.add(item.span(), format!("{name} takes two whole numbers from 0 to 127, off and on, as in [0, 127]"));
    }
    values
}

fn bindings(kind: Kind, place: &str, table: &dyn TableLike, bank: Bank, problems: &mut Problems) -> Vec<Binding> {
    let mut bindings: Vec<Binding> = Vec::new();
    for (control, item) in table.iter().filter(|(key, _)| kind == Kind::Keyboard || !OF_TABLE.contains(key)) {
        let place = format!("{place} {control}");
        let Some((source, channel)) = Source::read(control, kind) else {
            let words = match kind {
                Kind::Midi => {
                    "cc0 to cc127, note0 to note127, fine0 to fine31 (14 bits), nrpn0, rpn0, bend, pressure, poly0, \
                     program, program0, mpe-bend, mpe-pressure or mpe-slide, with ch1- to ch16- before it for one channel"
                }
                Kind::Gamepad => {
                    "south, east, north, west, left-shoulder, dpad-up, start, left-thumb, left-x, left-trigger and their like"
                }
                Kind::Keyboard => "a single character in quotes, space, or f1 to f12",
            };
            problems.add(key_span(table, control), format!("{place}: a control is written {words}"));
            continue;
        };
        if let Source::Key('f') | Source::Function(11) = source {
            problems
                .add(key_span(table, control), format!("{place} is the window's, for full screen: take another key"));
        } else if bindings.iter().any(|b| (b.source, b.channel) == (source, channel)) {
            problems.add(key_span(table, control), format!("{place} is the same control as one above"));
        } else if let Some((target, play, light)) = binding(kind, source, item, &place, bank, problems) {
            bindings.push(Binding { source, channel, target, play, light });
        }
    }
    bindings
}

/// What may stand in a binding besides its target.
const KEYS: [&str; 12] =
    ["to", "range", "takeover", "curve", "steps", "encoder", "step", "speed", "mode", "value", "light", "lamp"];

fn binding(
    kind: Kind,
    source: Source,
    item: &Item,
    place: &str,
    bank: Bank,
    problems: &mut Problems,
) -> Option<(Target, Play, Light)> {
    if let Some(to) = item.as_str() {
        let target = target(to, item, place, bank, problems)?;
        let play = if matches!(target, Target::Param { .. }) { usual(source) } else { Play::Momentary };
        return Some((target, play, Light::default()));
    }
    let Some(table) = item.as_table_like() else {
        let found = described(item);
        problems.add(item.span(), format!("{place} takes a target in quotes or {{ to = \"…\" }}, not {found}"));
        return None;
    };
    for (key, _) in table.iter().filter(|(key, _)| !KEYS.contains(key)) {
        problems.add(key_span(table, key), format!("{place} has no \"{key}\"{}", did_you_mean(key, KEYS)));
    }
    if let Some(key) = ["light", "lamp"].iter().find(|key| kind != Kind::Midi && table.contains_key(key)) {
        problems.add(key_span(table, key), format!("{place} has no lamp: take \"{key}\" out"));
    }
    let Some(to) = table.get("to") else {
        problems.add(item.span(), format!("{place} lacks \"to\", the target it plays"));
        return None;
    };
    let mut target = target(&text(to, &format!("{place} to"), problems)?, to, place, bank, problems)?;
    let light = light(table, place, problems)?;
    let Target::Param { id, from, to } = &mut target else {
        // A moment is pressed: all else is about a value.
        let prompt = matches!(target, Target::Prompt(_));
        let of_values =
            KEYS.iter().filter(|key| !["to", "light", "lamp"].contains(key) && (**key != "mode" || !prompt));
        if let Some(key) = of_values.into_iter().find(|key| table.contains_key(key)) {
            let to = target.to_string();
            problems
                .add(key_span(table, key), format!("{place}: {to} has no \"{key}\", as parameters have; take it out"));
        }
        const MODES: [(&str, Play); 3] = [("hold", Play::Hold), ("press", Play::Momentary), ("momentary", Play::Hold)];
        let play = match table.get("mode").filter(|_| prompt) {
            Some(item) => {
                let play = word(item, &format!("{place} mode"), &MODES, problems)?;
                if play == Play::Hold && !is_let_go(source, &play, item, place, problems) {
                    return None;
                }
                play
            }
            None => Play::Momentary,
        };
        return Some((target, play, light));
    };
    if let Some(item) = table.get("range") {
        (*from, *to) = range(*id, item, place, problems)?;
        if from == to && ["step", "speed"].iter().any(|key| table.contains_key(key)) {
            problems.add(item.span(), format!("{place} range is one value only: nothing can move in it"));
        }
    }
    let play = play(source, *id, table, place, problems)?;
    Some((target, play, light))
}

fn light(table: &dyn TableLike, place: &str, problems: &mut Problems) -> Option<Light> {
    let at = match table.get("light") {
        Some(item) => {
            let word = text(item, &format!("{place} light"), problems)?;
            let found = Source::read(&word, Kind::Midi).map(|(source, _)| source);
            let lit = found.filter(|source| matches!(source, Source::Cc(_) | Source::Note(_)));
            if lit.is_none() {
                problems.add(
                    item.span(),
                    format!("{place} light is the message that lights it, as in \"note36\" or \"cc7\""),
                );
                return None;
            }
            lit
        }
        None => None,
    };
    let lamp = match table.get("lamp") {
        Some(item) => Some(self::lamp(item, &format!("{place} lamp"), problems)?),
        None => None,
    };
    Some(Light { at, lamp })
}

fn range(id: ParamId, item: &Item, place: &str, problems: &mut Problems) -> Option<(f32, f32)> {
    let spec = id.spec();
    let Some([from, to]) = pair(item) else {
        let message = format!("{place} range takes two numbers, as in [{}, {}]", spec.min, spec.max);
        problems.add(item.span(), message);
        return None;
    };
    let name = format!("{place} range");
    let ends = [&from, &to].map(|end| fits(id, end, &name, problems));
    Some((ends[0]?, ends[1]?))
}
