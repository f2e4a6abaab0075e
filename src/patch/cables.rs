//! Reads the matrix: `[[matrix]]`, and what of its own the patch lets cables begin at, `[lfo.NAME]` and `[envelope.NAME]`.

use std::ops::Range;

use toml_edit::TableLike;

use super::error::Problems;
use super::load::{is_name, section};
use super::matrix::{Envelope, Lfo, MAX_ENVELOPES, MAX_LFOS, MAX_ROUTES, Matrix, Origin, Route, Shape, Wave};
use super::reader::Reader;
use super::value::{described, items, key_span, switch};
use crate::score::{Happening, ParamId, param::PARAMS, signal::SIGNALS};

/// The slowest wave goes round in about three hours.
const RATES_HZ: (f32, f32) = (0.0001, 50.0);
const LONGEST_MS: f32 = 600_000.0;

pub(super) fn matrix(root: &dyn TableLike, problems: &mut Problems) -> Matrix {
    let lfos = named(root, "lfo", MAX_LFOS, problems, |name, table, span, problems| {
        let mut read = Reader { place: format!("[lfo.{name}]"), table, span, problems };
        read.keys(&["wave", "rate_hz", "phase"], &["rate_hz"]);
        let wave = read.word("wave", &Wave::WORDS);
        let (rate_hz, phase) = (read.number("rate_hz", RATES_HZ.0, RATES_HZ.1), read.number("phase", 0.0, 1.0));
        Lfo {
            name: name.to_string(),
            wave: wave.unwrap_or_default(),
            rate_hz: rate_hz.unwrap_or(1.0),
            phase: phase.unwrap_or(0.0),
        }
    });
    let envelopes = named(root, "envelope", MAX_ENVELOPES, problems, |name, table, span, problems| {
        let mut read = Reader { place: format!("[envelope.{name}]"), table, span, problems };
        read.keys(&["on", "attack_ms", "hold_ms", "release_ms"], &["on"]);
        let on = read.word("on", &Happening::WORDS).unwrap_or(Happening::Token);
        let mut seconds = |key, usual: f32| read.number(key, 0.0, LONGEST_MS).unwrap_or(usual) / 1000.0;
        let (attack_s, hold_s, release_s) =
            (seconds("attack_ms", 10.0), seconds("hold_ms", 0.0), seconds("release_ms", 1000.0));
        Envelope { name: name.to_string(), on, attack_s, hold_s, release_s }
    });
    let mut matrix = Matrix { routes: Vec::new(), lfos, envelopes };
    let Some(item) = root.get("matrix") else { return matrix };
    let Some(tables) = items(item) else {
        let message = "write [[matrix]], with two brackets, above each route".to_string();
        problems.add(key_span(root, "matrix"), message);
        return matrix;
    };
    for (i, (table, span)) in tables.into_iter().enumerate() {
        if i == MAX_ROUTES {
            problems.add(span.clone(), format!("[[matrix]] has more than {MAX_ROUTES} routes; take some out"));
        }
        if let Some(route) = route(table, span, &matrix, problems) {
            matrix.routes.push(route);
        }
    }
    matrix
}

/// Reads each table of a section of named ones.
fn named<T>(
    root: &dyn TableLike,
    section_name: &str,
    most: usize,
    problems: &mut Problems,
    mut read: impl FnMut(&str, &dyn TableLike, Option<Range<usize>>, &mut Problems) -> T,
) -> Vec<T> {
    let Some(table) = section(root, section_name, problems) else { return Vec::new() };
    let mut all = Vec::new();
    for (name, item) in table.iter() {
        let at = key_span(table, name);
        if !is_name(name) {
            problems.add(at, format!("[{section_name}] {name:?} may hold only letters, digits, - and _"));
        } else if all.len() == most {
            problems.add(at, format!("[{section_name}] has more than {most}; take some out"));
        } else if let Some(inner) = item.as_table_like() {
            all.push(read(name, inner, at, problems));
        } else {
            let message = format!("write [{section_name}.{name}] above its keys, not {}", described(item));
            problems.add(at, message);
        }
    }
    all
}

fn route(table: &dyn TableLike, span: Option<Range<usize>>, matrix: &Matrix, problems: &mut Problems) -> Option<Route> {
    const KEYS: [&str; 11] =
        ["from", "to", "amount", "curve", "at", "hysteresis", "steps", "hold", "lag_ms", "lag_up_ms", "lag_down_ms"];
    let mut read = Reader { place: "[[matrix]]".into(), table, span, problems };
    read.keys(&KEYS, &KEYS[..3]);
    let lfos: Vec<String> = matrix.lfos.iter().map(|lfo| format!("lfo.{}", lfo.name)).collect();
    let envelopes: Vec<String> = matrix.envelopes.iter().map(|e| format!("envelope.{}", e.name)).collect();
    let signals = SIGNALS.iter().map(|s| (s.name, Origin::Signal(s.id)));
    let own = |names: &'_ [String], origin: fn(u8) -> Origin| {
        names.iter().enumerate().map(|(i, name)| (name.clone(), origin(i as u8))).collect::<Vec<_>>()
    };
    let own: Vec<(String, Origin)> = [own(&lfos, Origin::Lfo), own(&envelopes, Origin::Envelope)].concat();
    let origins = signals.chain(own.iter().map(|(name, origin)| (name.as_str(), *origin)));
    let from =
        read.find("from", "`xiao signals` lists every signal; lfo.NAME and envelope.NAME are the patch's own", origins);
    let params = PARAMS.iter().map(|p| (p.name, p.id));
    let to: Option<ParamId> = read.find("to", "`xiao params` lists every parameter", params);
    if let Some(id) = to.filter(|id| id.name().starts_with("settings.")) {
        let message = format!("[[matrix]] to: \"{}\" is moved by hands and scenes alone", id.name());
        read.problems.add(table.get("to").and_then(|item| item.span()), message);
    }
    let mut shape = read.word("curve", &Shape::WORDS).unwrap_or_default();
    let (at, hysteresis) = (read.number("at", 0.0, 1.0), read.number("hysteresis", 0.0, 1.0));
    match &mut shape {
        Shape::Threshold { at: place, hysteresis: width } => {
            *place = at.unwrap_or(*place);
            *width = hysteresis.unwrap_or(*width);
        }
        _ => {
            for key in ["at", "hysteresis"].into_iter().filter(|key| table.contains_key(key)) {
                let message = format!("[[matrix]] {key} belongs to curve = \"threshold\"; take it out, or add that");
                read.problems.add(key_span(table, key), message);
            }
        }
    }
    let amount = read.number("amount", -1.0, 1.0);
    let steps = read.number("steps", 0.0, 64.0).unwrap_or(0.0);
    if steps.fract() != 0.0 {
        read.problems.add(key_span(table, "steps"), format!("[[matrix]] steps is a whole number, not {steps}"));
    }
    let hold = table.get("hold").and_then(|item| switch(item, "[[matrix]] hold", read.problems)).unwrap_or(false);
    let lag_ms = read.number("lag_ms", 0.0, LONGEST_MS).unwrap_or(0.0);
    let mut lag_s = |key| read.number(key, 0.0, LONGEST_MS).unwrap_or(lag_ms) / 1000.0;
    let lag_s = [lag_s("lag_up_ms"), lag_s("lag_down_ms")];
    Some(Route { from: from?, to: to?, amount: amount?, shape, steps: steps as u8, hold, lag_s })
}
