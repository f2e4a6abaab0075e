//! Learning: of what is heard, which control the performer means.
//!
//! Pure; owned by the hands thread. A control is believed once it moves, and all that it says within a moment is looked
//! at together, since a fine fader or an NRPN speaks in several messages and an encoder repeats itself.

use super::decoder::{Said, Value};
use crate::patch::hands::{Encoder, reserved};
use crate::patch::{Kind, Source};

/// How long a control is listened to before it is taken.
const LISTEN_NS: u64 = 300_000_000;

/// What was learnt.
#[derive(Clone, Debug, PartialEq)]
pub struct Learnt {
    pub kind: Kind,
    pub port: String,
    pub source: Source,
    /// 0..=15.
    pub channel: Option<u8>,
    pub encoder: Option<Encoder>,
    /// What it is as a press, where that is another control.
    pub press: Option<Source>,
}

/// Listens for one control.
#[derive(Clone, Debug, Default)]
pub struct Learn {
    /// Takes the reserved control changes too.
    forced: bool,
    /// What was heard, in its order, of the port that spoke first.
    heard: Vec<Said>,
    port: String,
    kind: Option<Kind>,
    /// When something was heard that may be taken.
    since_ns: Option<u64>,
    /// A reserved control that was moved alone, until it is told.
    refused: Option<(Source, &'static str)>,
    refused_ns: u64,
}

/// So many messages are enough to know a control by.
const ENOUGH: usize = 512;

impl Learn {
    /// `forced`: reserved control changes may be learnt as well.
    pub fn new(forced: bool) -> Learn {
        Learn { forced, ..Learn::default() }
    }

    /// Something moved at a port.
    pub fn hear(&mut self, kind: Kind, port: &str, said: Said, now_ns: u64) {
        // A stick trembles; one that is meant is pushed.
        if matches!(said.source, Source::Axis(_)) && !pushed(&said) {
            return;
        }
        // A stray value of another port is not what was meant.
        if self.since_ns.is_none() && self.port != port {
            self.heard.clear();
            (self.port, self.kind) = (port.to_string(), Some(kind));
        }
        if self.port != port || self.heard.len() >= ENOUGH {
            return;
        }
        if let (false, Some(why)) = (self.forced, reserved(said.source)) {
            (self.refused, self.refused_ns) = (Some((said.source, why)), now_ns);
            return;
        }
        self.heard.push(said);
        if self.since_ns.is_none() && self.best().is_some() {
            self.since_ns = Some(now_ns);
        }
    }

    /// The control that was meant, a moment after it began to move.
    pub fn learnt(&mut self, now_ns: u64) -> Option<Learnt> {
        self.since_ns.filter(|since| now_ns >= since + LISTEN_NS)?;
        let best = self.best()?;
        let Learn { port, kind, heard, .. } = std::mem::take(self);
        let encoder = if let Source::Cc(_) = best.source { coding(&values(&heard, best.source)) } else { None };
        let is = |s: &&Said| matches!(s.source, Source::ProgramIs(_));
        let press = heard.iter().rfind(is).map(|s| s.source).filter(|_| best.source == Source::Program);
        Some(Learnt { kind: kind?, port, source: best.source, channel: best.channel, encoder, press })
    }

    /// A reserved control that was moved and not taken, and what it is; told once, and only if nothing else has spoken a
    /// moment later: it may be the first part of something.
    pub fn refused(&mut self, now_ns: u64) -> Option<(Source, &'static str)> {
        if now_ns < self.refused_ns + LISTEN_NS {
            return None;
        }
        let refused = self.refused.take();
        refused.filter(|_| self.since_ns.is_none())
    }

    /// Of all that was heard, the source that says most and is seen to move.
    fn best(&self) -> Option<Said> {
        let moved = |said: &&Said| {
            let all = values(&self.heard, said.source);
            match said.source {
                source if source.is_button() => all.iter().any(|v| *v > 0),
                // What came of it before may be another control's.
                Source::Cc14(n) => [n, n + 32].iter().all(|n| self.heard.iter().any(|s| s.source == Source::Cc(*n))),
                // Half of a fine control is none by itself, and a pot that lies still may tremble by one step once.
                Source::Cc(_) => all.len() > 1 || matches!(all.first(), Some(0 | 127)),
                _ => true,
            }
        };
        self.heard
            .iter()
            .filter(moved)
            .max_by_key(|said| (rank(said.source), std::cmp::Reverse(self.place(said))))
            .copied()
    }

    fn place(&self, said: &Said) -> usize {
        self.heard.iter().position(|heard| heard.source == said.source).unwrap_or(0)
    }
}

/// Whether a stick or trigger is more than half of its way from where it rests.
fn pushed(said: &Said) -> bool {
    let Value::At { raw, most } = said.value else { return false };
    let at = f32::from(raw) / f32::from(most);
    if said.source.rests_in_the_middle() { (2.0 * at - 1.0).abs() > 0.5 } else { at > 0.5 }
}

/// What is preferred where one movement speaks in several ways.
fn rank(source: Source) -> u8 {
    match source {
        Source::Nrpn(_) | Source::Rpn(_) => 6,
        Source::Cc14(_) => 5,
        // A program is one of many, or a press if that is meant.
        Source::ProgramIs(_) => 1,
        source if source.is_button() => 4,
        Source::Bend | Source::Program => 3,
        Source::Cc(_) | Source::Axis(_) => 2,
        // What comes with a key that is pressed harder.
        _ => 1,
    }
}

fn values(heard: &[Said], source: Source) -> Vec<u16> {
    let of = heard.iter().filter(|said| said.source == source);
    of.filter_map(|said| if let Value::At { raw, .. } = said.value { Some(raw) } else { None }).collect()
}

/// How an encoder codes its steps, if these are an encoder's: it says the same again and again, which no fader does.
fn coding(values: &[u16]) -> Option<Encoder> {
    let repeats = values.windows(2).filter(|pair| pair[0] == pair[1]).count();
    let within = |ranges: &[std::ops::RangeInclusive<u16>]| values.iter().all(|v| ranges.iter().any(|r| r.contains(v)));
    if repeats == 0 || values.len() < 3 {
        return None;
    }
    match () {
        _ if within(&[1..=7, 121..=127]) && values.iter().any(|v| *v != 127) => Some(Encoder::Twos),
        _ if within(&[57..=63, 65..=71]) => Some(Encoder::Offset),
        _ if within(&[1..=7, 65..=71]) => Some(Encoder::Sign),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::decoder::Decoder;

    /// What is learnt from these messages, a millisecond apart.
    fn learnt(forced: bool, messages: &[&[u8]]) -> Option<(Source, Option<Encoder>)> {
        let (mut learn, mut decoder) = (Learn::new(forced), Decoder::default());
        for (i, bytes) in messages.iter().enumerate() {
            decoder.take(bytes, &mut |said| learn.hear(Kind::Midi, "k", said, i as u64 * 1_000_000));
        }
        learn.learnt(2 * LISTEN_NS).map(|learnt| (learnt.source, learnt.encoder))
    }

    #[test]
    fn the_control_that_moves_is_the_one_that_is_meant() {
        let cases: [(&[&[u8]], Option<Source>); 10] = [
            (&[&[0xb0, 7, 60], &[0xb0, 7, 61]], Some(Source::Cc(7))),
            // A button says one end.
            (&[&[0xb0, 41, 127]], Some(Source::Cc(41))),
            // A trembling pot besides.
            (&[&[0xb0, 3, 60], &[0xb0, 7, 10], &[0xb0, 7, 12]], Some(Source::Cc(7))),
            (&[&[0xb0, 3, 60]], None),
            (&[&[0xb0, 7, 60], &[0xb0, 39, 1], &[0xb0, 7, 60], &[0xb0, 39, 9]], Some(Source::Cc14(7))),
            (&[&[0xb0, 99, 1], &[0xb0, 98, 2], &[0xb0, 6, 3], &[0xb0, 38, 4]], Some(Source::Nrpn(130))),
            (&[&[0x90, 36, 100], &[0xd0, 40], &[0xd0, 50], &[0x80, 36, 0]], Some(Source::Note(36))),
            (&[&[0xe0, 0, 65], &[0xe0, 0, 66]], Some(Source::Bend)),
            (&[&[0xc0, 5]], Some(Source::Program)),
            (&[&[0x80, 36, 0]], None),
        ];
        for (messages, wanted) in cases {
            assert_eq!(learnt(false, messages).map(|(source, _)| source), wanted, "{messages:?}");
        }
    }

    #[test]
    fn the_reserved_are_refused_unless_forced() {
        for number in [0, 6, 32, 38, 98, 99, 100, 101, 120, 127] {
            let messages: [&[u8]; 3] = [&[0xb0, number, 0], &[0xb0, number, 127], &[0xb0, number, 3]];
            assert_eq!(learnt(false, &messages), None, "{number}");
            assert_eq!(learnt(true, &messages).map(|(source, _)| source), Some(Source::Cc(number)), "{number}");
        }
        let mut learn = Learn::new(false);
        learn.hear(Kind::Midi, "k", Said::at(Source::Cc(0), 0, 1, 127), 0);
        assert_eq!(learn.refused(LISTEN_NS - 1), None);
        assert_eq!(learn.refused(LISTEN_NS), Some((Source::Cc(0), "bank select")));
        assert_eq!(learn.refused(2 * LISTEN_NS), None);
    }

    #[test]
    fn what_was_heard_before_makes_no_fine_control() {
        let (mut learn, mut decoder) = (Learn::new(false), Decoder::default());
        // A knob that was turned before anything was to be learnt, and then a button whose number is 32 higher.
        decoder.take(&[0xb0, 16, 60], &mut |_| {});
        decoder.take(&[0xb0, 48, 127], &mut |said| learn.hear(Kind::Midi, "k", said, 0));
        assert_eq!(learn.learnt(LISTEN_NS).map(|learnt| learnt.source), Some(Source::Cc(48)));
    }

    #[test]
    fn a_drifting_stick_keeps_no_knob_from_being_learnt() {
        let mut learn = Learn::new(false);
        let drift = Said { source: Source::Axis("left-x"), channel: None, value: Value::At { raw: 9000, most: 16384 } };
        for value in [60, 61, 62] {
            learn.hear(Kind::Gamepad, "pad", drift, 0);
            learn.hear(Kind::Midi, "k", Said::at(Source::Cc(7), 0, value, 127), 0);
        }
        assert_eq!(learn.learnt(LISTEN_NS).map(|learnt| learnt.source), Some(Source::Cc(7)));
        // Both halves of a bank select are refused, though they would make a fine control.
        let (mut learn, mut decoder) = (Learn::new(false), Decoder::default());
        for bytes in [[0xb0, 0, 1], [0xb0, 32, 2]] {
            decoder.take(&bytes, &mut |said| learn.hear(Kind::Midi, "k", said, 0));
        }
        assert_eq!((learn.learnt(LISTEN_NS), learn.refused(LISTEN_NS).is_some()), (None, true));
    }

    #[test]
    fn a_stick_is_meant_when_it_is_pushed() {
        let mut learn = Learn::new(false);
        let mut hear = |source, raw, ms: u64| {
            let said = Said { source, channel: None, value: Value::At { raw, most: 16384 } };
            learn.hear(Kind::Gamepad, "pad", said, ms * 1_000_000);
            learn.learnt(ms * 1_000_000).map(|learnt| (learnt.kind, learnt.source))
        };
        let [x, y] = ["left-x", "left-y"].map(Source::Axis);
        // A drifting stick is heard for as long as it drifts.
        for ms in 0..600 {
            assert_eq!(hear(x, if ms % 2 == 0 { 8000 } else { 9000 }, ms), None, "{ms}");
        }
        for (source, raw, ms) in [(Source::Axis("left-trigger"), 0, 600), (y, 2000, 601), (x, 16384, 602)] {
            assert_eq!(hear(source, raw, ms), None, "{ms}");
        }
        assert_eq!(hear(y, 8192, 902), Some((Kind::Gamepad, y)), "the one that was pushed first");
        assert_eq!(hear(x, 9000, 903), None);
        assert_eq!(hear(Source::Button("south"), 127, 904), None);
        assert_eq!(hear(Source::Button("south"), 0, 1300), Some((Kind::Gamepad, Source::Button("south"))));
    }

    #[test]
    fn an_encoder_is_known_by_its_repeating_itself() {
        let of = |values: &[u8]| {
            let messages: Vec<[u8; 3]> = values.iter().map(|v| [0xb0, 16, *v]).collect();
            learnt(false, &messages.iter().map(|m| &m[..]).collect::<Vec<_>>()).unwrap().1
        };
        assert_eq!(of(&[1, 1, 1, 2]), Some(Encoder::Twos));
        assert_eq!(of(&[127, 127, 126]), Some(Encoder::Twos));
        assert_eq!(of(&[65, 65, 63, 66]), Some(Encoder::Offset));
        assert_eq!(of(&[1, 1, 65, 65]), Some(Encoder::Sign));
        // Faders and buttons.
        assert_eq!(of(&[60, 61, 62, 63, 65]), None);
        assert_eq!(of(&[1, 2, 3, 4]), None);
        assert_eq!(of(&[127, 0, 127, 0]), None);
        assert_eq!(of(&[127, 127, 127]), None, "a button without a release");
    }

    #[test]
    fn it_listens_a_moment_and_to_one_port() {
        let mut learn = Learn::new(false);
        learn.hear(Kind::Midi, "a", Said::at(Source::Note(1), 0, 9, 127), 5);
        learn.hear(Kind::Midi, "b", Said::at(Source::Nrpn(1), 0, 9, 127), 6);
        assert_eq!(learn.learnt(5 + LISTEN_NS - 1), None);
        let learnt = learn.learnt(5 + LISTEN_NS).unwrap();
        assert_eq!((learnt.port.as_str(), learnt.source, learnt.channel), ("a", Source::Note(1), Some(0)));
    }
}
