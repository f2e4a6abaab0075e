//! Reads the `[midi_out."port"]` tables of a patch: what the performer's own synthesisers are played.
//!
//! Pure. Channels are 1 to 16 in the file and 0 to 15 here, as MIDI counts them.

#[cfg(test)]
mod tests;

use toml_edit::{Item, TableLike};

use super::error::{Problems, did_you_mean};
use super::matrix::Shape;
use super::reader::{Reader, whole};
use super::value::{described, key_span, text};
use crate::score::{FlawKind, Happening, SignalId, signal::SIGNALS};

/// What one synthesiser is played, or all whose ports match.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Synth {
    /// The port's name with `*` for any run of characters; case does not matter.
    pub pattern: String,
    pub tokens: Option<TokenNotes>,
    /// Each [`FlawKind`] has the note of its place in the enum above this one.
    pub flaws: Option<Hit>,
    /// Other moments, each a note of its own.
    pub hits: Vec<(Happening, Hit)>,
    /// Signals as control changes, the tension among them; no two with the same number on the same channel.
    pub controls: Vec<Control>,
    pub clock: Option<ClockFrom>,
}

/// The tokens' notes.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenNotes {
    pub channel: u8,
    /// From the least to the most surprising token; never empty.
    pub pitches: Vec<u8>,
    /// Of the likeliest and of the least likely token, 1..=127.
    pub velocity: [u8; 2],
    /// Of the fastest and of the slowest token.
    pub length_ms: [f32; 2],
    /// At most so many sound at once; the oldest ends for a new one.
    pub voices: u8,
}

/// A note of always the same pitch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    pub channel: u8,
    pub note: u8,
    pub velocity: u8,
    pub length_ms: f32,
}

/// A signal that is sent as a control change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Control {
    pub channel: u8,
    /// 0..=119; what is above are no controls but commands.
    pub cc: u8,
    pub from: SignalId,
    /// What of the signal is taken as nothing and as all, in its unit.
    pub between: [f32; 2],
    /// What is sent at nothing and at all.
    pub range: [u8; 2],
    pub shape: Shape,
}

/// Where the MIDI clock, 24 to a beat, comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ClockFrom {
    /// Beats a minute.
    Bpm(f32),
    /// The instrument's own beats, whoever sets them.
    Tempo,
    /// So many of the clock's ticks to each token, at the tokens' smoothed pace.
    PerToken(u8),
}

/// The gong mode, which is also the sound's.
const GONG: [u8; 5] = [0, 2, 4, 7, 9];
/// The last kind of flaw must have a note too.
const TOP_FLAW: u8 = 127 - FlawKind::TemplateLeak as u8;
const LENGTHS_MS: (f32, f32) = (5.0, 60_000.0);

/// Every synthesiser of the `[midi_out]` table, in the order of the file.
pub(super) fn synths(table: &dyn TableLike, problems: &mut Problems) -> Vec<Synth> {
    let mut synths = Vec::new();
    for (pattern, item) in table.iter() {
        match item.as_table_like() {
            // `[midi_out]` with `tokens = { … }` below it is a port forgotten, and not one called "tokens".
            Some(inner) if !names().any(|name| name == pattern) => synths.push(synth(pattern, inner, problems)),
            _ => {
                let message = format!("[midi_out] names a port first: write [midi_out.\"*\"] above \"{pattern}\"");
                problems.add(key_span(table, pattern), message);
            }
        }
    }
    synths
}

/// The moments that are a note of their own.
fn moments() -> impl Iterator<Item = (&'static str, Happening)> {
    Happening::WORDS.into_iter().filter(|(_, what)| !matches!(what, Happening::Token | Happening::Flaw))
}

/// Every key of a synthesiser's table.
fn names() -> impl Iterator<Item = &'static str> {
    ["channel", "tokens", "flaws", "tension", "clock", "cc"].into_iter().chain(moments().map(|(word, _)| word))
}

fn synth(pattern: &str, table: &dyn TableLike, problems: &mut Problems) -> Synth {
    let place = format!("[midi_out.\"{pattern}\"]");
    let may: Vec<&str> = names().collect();
    let mut read = Reader { place: place.clone(), table, span: None, problems };
    read.keys(&may, &[]);
    let channel = read.whole("channel", 1, 16).unwrap_or(1);
    let mut of = Of { place, table, channel, problems };
    let mut synth = Synth {
        pattern: pattern.to_string(),
        tokens: of.row("tokens", &["channel", "notes", "scale", "velocity", "length_ms", "voices"], &[], tokens),
        flaws: of.hit("flaws", TOP_FLAW),
        clock: of.clock(),
        ..Synth::default()
    };
    for (word, what) in moments() {
        synth.hits.extend(of.hit(word, 127).map(|hit| (what, hit)));
    }
    synth
        .controls
        .extend(of.row("tension", &["channel", "cc", "seconds", "range", "curve"], &["cc"], tension).flatten());
    of.controls(&mut synth.controls);
    synth
}

/// A synthesiser's table with the channel that holds where none is given.
struct Of<'a, 'p> {
    place: String,
    table: &'a dyn TableLike,
    channel: u8,
    problems: &'a mut Problems<'p>,
}

impl Of<'_, '_> {
    /// Reads the inline table of one key.
    fn row<T>(&mut self, key: &str, may: &[&str], must: &[&str], read: impl FnOnce(&mut Reader, u8) -> T) -> Option<T> {
        let item = self.table.get(key)?;
        let place = format!("{} {key}", self.place);
        let Some(table) = item.as_table_like() else {
            let message = format!("{place} takes a table, as in {{ channel = 1 }}, not {}", described(item));
            self.problems.add(item.span(), message);
            return None;
        };
        let mut reader = Reader { place, table, span: item.span(), problems: self.problems };
        reader.keys(may, must);
        let channel = if may.contains(&"channel") { reader.whole("channel", 1, 16) } else { None };
        Some(read(&mut reader, channel.unwrap_or(self.channel) - 1))
    }

    fn hit(&mut self, key: &str, top: u8) -> Option<Hit> {
        self.row(key, &["channel", "note", "velocity", "length_ms"], &["note"], |read, channel| {
            let note = read.whole("note", 0, top)?;
            let velocity = read.whole("velocity", 1, 127).unwrap_or(100);
            let length_ms = read.number("length_ms", LENGTHS_MS.0, LENGTHS_MS.1).unwrap_or(100.0);
            Some(Hit { channel, note, velocity, length_ms })
        })
        .flatten()
    }

    fn clock(&mut self) -> Option<ClockFrom> {
        let Some(item) = self.table.get("clock").filter(|item| item.as_str().is_some()) else {
            return self.row("clock", &["bpm", "per_token"], &[], clock).flatten();
        };
        if item.as_str() != Some("tempo") {
            let message = format!("{} clock takes \"tempo\", {{ bpm = 120 }} or {{ per_token = 6 }}", self.place);
            self.problems.add(item.span(), message);
        }
        Some(ClockFrom::Tempo)
    }

    /// `[midi_out."port".cc]`.
    fn controls(&mut self, controls: &mut Vec<Control>) {
        let Some(item) = self.table.get("cc") else { return };
        let place = format!("{} cc", self.place);
        let Some(table) = item.as_table_like() else {
            let message = format!("{place} takes a table, as in {{ 74 = \"machine.cpu\" }}, not {}", described(item));
            self.problems.add(item.span(), message);
            return;
        };
        for (key, item) in table.iter() {
            let number = key.parse().ok().filter(|n: &u8| *n <= 119 && !key.starts_with('+'));
            let Some(cc) = number else {
                let message = format!("{place} {key:?}: a control is a number from 0 to 119");
                self.problems.add(key_span(table, key), message);
                continue;
            };
            let Some(control) = control(item, &format!("{place} {key}"), cc, self.channel - 1, self.problems) else {
                continue;
            };
            if controls.iter().any(|c| (c.cc, c.channel) == (cc, control.channel)) {
                let message = format!("{place} {key} is the same control as one above or as the tension's");
                self.problems.add(key_span(table, key), message);
            } else {
                controls.push(control);
            }
        }
    }
}

fn control(item: &Item, place: &str, cc: u8, channel: u8, problems: &mut Problems) -> Option<Control> {
    let plain = |channel, from: SignalId| Control {
        channel,
        cc,
        from,
        between: [from.spec().min, from.spec().max],
        range: [0, 127],
        shape: Shape::Lin,
    };
    if item.as_str().is_some() {
        return Some(plain(channel, signal(item, place, problems)?));
    }
    let Some(table) = item.as_table_like() else {
        let found = described(item);
        problems.add(item.span(), format!("{place} takes a signal in quotes or {{ from = \"…\" }}, not {found}"));
        return None;
    };
    let mut read = Reader { place: place.to_string(), table, span: item.span(), problems };
    read.keys(&["from", "channel", "between", "range", "curve"], &["from"]);
    let channel = read.whole("channel", 1, 16).map_or(channel, |channel| channel - 1);
    let mut control = plain(channel, signal(table.get("from")?, &format!("{place} from"), read.problems)?);
    let [min, max] = control.between;
    control.range = read.wholes("range", 0, 127, "[0, 127]").unwrap_or(control.range);
    control.shape = read.word("curve", &Shape::WORDS).unwrap_or_default();
    if let Some(between) = read.pair("between", -1e6, 1e6, &format!("[{min}, {max}]")) {
        if between[0] == between[1] {
            let message = format!("{place} between takes two different numbers, as in [{min}, {max}]");
            read.problems.add(table.get("between").and_then(Item::span), message);
        }
        control.between = between;
    }
    Some(control)
}

fn signal(item: &Item, place: &str, problems: &mut Problems) -> Option<SignalId> {
    let word = text(item, place, problems)?;
    let found = SignalId::from_name(&word);
    if found.is_none() {
        let near = did_you_mean(&word, SIGNALS.iter().map(|s| s.name));
        let remedy = if near.is_empty() { "; `xiao signals` lists every signal".into() } else { near };
        problems.add(item.span(), format!("{place}: there is no \"{word}\"{remedy}"));
    }
    found
}

fn tokens(read: &mut Reader, channel: u8) -> TokenNotes {
    let [from, to] = read.wholes("notes", 0, 127, "[48, 84]").unwrap_or([48, 84]);
    let scale = scale(read).unwrap_or(GONG.to_vec());
    let (low, high) = (from.min(to), from.max(to));
    let mut pitches: Vec<u8> = (low..=high).filter(|note| scale.contains(&((note - low) % 12))).collect();
    if pitches.is_empty() {
        let message = format!("{} scale has no note from {low} to {high}; it is counted from {low}", read.place);
        read.problems.add(read.table.get("scale").and_then(Item::span), message);
        pitches.push(low);
    }
    if from > to {
        pitches.reverse();
    }
    TokenNotes {
        channel,
        pitches,
        velocity: read.wholes("velocity", 1, 127, "[40, 110]").unwrap_or([40, 110]),
        length_ms: read.pair("length_ms", LENGTHS_MS.0, LENGTHS_MS.1, "[60, 800]").unwrap_or([60.0, 800.0]),
        voices: read.whole("voices", 1, 32).unwrap_or(8),
    }
}

/// The semitones of an octave that are played, counted from the lowest note.
fn scale(read: &mut Reader) -> Option<Vec<u8>> {
    let item = read.table.get("scale")?;
    let place = format!("{} scale", read.place);
    let Some(list) = item.as_array().filter(|list| !list.is_empty()) else {
        let message = format!("{place} takes a list of semitones, as in [0, 2, 4, 7, 9], not {}", described(item));
        read.problems.add(item.span(), message);
        return None;
    };
    let steps: Vec<Item> = list.iter().cloned().map(Item::Value).collect();
    steps.iter().map(|step| whole(step, &place, 0, 11, read.problems)).collect()
}

fn clock(read: &mut Reader, _: u8) -> Option<ClockFrom> {
    let (bpm, per_token) = (read.number("bpm", 20.0, 300.0), read.whole("per_token", 1, 96));
    if read.table.contains_key("bpm") == read.table.contains_key("per_token") {
        let message = format!("{} takes either \"bpm\" or \"per_token\"", read.place);
        read.problems.add(read.span.clone(), message);
        return None;
    }
    bpm.map(ClockFrom::Bpm).or(per_token.map(ClockFrom::PerToken))
}

/// The time waited, as a control change.
fn tension(read: &mut Reader, channel: u8) -> Option<Control> {
    let seconds = read.number("seconds", 0.1, 600.0).unwrap_or(8.0);
    let range = read.wholes("range", 0, 127, "[0, 127]").unwrap_or([0, 127]);
    // Slow at first, so that it lies still while tokens come at their pace.
    let shape = read.word("curve", &Shape::WORDS).unwrap_or(Shape::Exp);
    let cc = read.whole("cc", 0, 119)?;
    Some(Control { channel, cc, from: SignalId::Waiting, between: [0.0, seconds], range, shape })
}
