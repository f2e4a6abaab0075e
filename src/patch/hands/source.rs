//! The words for controls: `cc7`, `ch2-note36`, `nrpn1300`, `bend`, `button-south`, `f5`.

use std::fmt;

use super::Kind;
use crate::score::Key;

/// A control as its messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Control change 0..=127, written `cc7`.
    Cc(u8),
    /// Control changes n and n + 32 together, 0..=31: fourteen bits, written `fine7`.
    Cc14(u8),
    /// Note 0..=127, written `note36`; its value is the velocity.
    Note(u8),
    /// The pressure on one key, `poly36`.
    Poly(u8),
    /// The pressure on a channel's keys, `pressure`.
    Pressure,
    /// `bend`, the pitch wheel: fourteen bits, 8192 in the middle.
    Bend,
    /// The number of a program change, `program`.
    Program,
    /// One program, as a press: `program5`, counted from 0.
    ProgramIs(u8),
    /// A non-registered parameter number 0..=16383, `nrpn1300`.
    Nrpn(u16),
    /// A registered one, `rpn5`.
    Rpn(u16),
    /// What leads the youngest note of an MPE zone: `mpe-bend`, `mpe-pressure`, `mpe-slide`.
    MpeBend,
    MpePressure,
    MpeSlide,
    /// A gamepad's button by its place, `south` or `dpad-up`.
    Button(&'static str),
    /// A gamepad's axis, `left-x` or `left-trigger`: from one end to the other is the whole range.
    Axis(&'static str),
    /// A key of the keyboard.
    Key(char),
    /// A function key, `f1` to `f12`.
    Function(u8),
}

/// A gamepad's buttons; the four of the right hand by where they lie, since makers letter them differently.
pub const BUTTONS: [&str; 15] = [
    "south",
    "east",
    "north",
    "west",
    "left-shoulder",
    "right-shoulder",
    "select",
    "start",
    "mode",
    "left-thumb",
    "right-thumb",
    "dpad-up",
    "dpad-down",
    "dpad-left",
    "dpad-right",
];
/// A gamepad's axes. The triggers rest at one end, the others in their middle.
pub const AXES: [&str; 8] =
    ["left-x", "left-y", "right-x", "right-y", "left-z", "right-z", "left-trigger", "right-trigger"];

/// Words without a number.
const PLAIN: [(&str, Source); 7] = [
    ("pressure", Source::Pressure),
    ("bend", Source::Bend),
    ("program", Source::Program),
    ("mpe-bend", Source::MpeBend),
    ("mpe-pressure", Source::MpePressure),
    ("mpe-slide", Source::MpeSlide),
    ("space", Source::Key(' ')),
];

/// Words with a number behind them, and the greatest number.
type Numbered = (&'static str, u16, fn(u16) -> Source);
const NUMBERED: [Numbered; 7] = [
    ("cc", 127, |n| Source::Cc(n as u8)),
    ("fine", 31, |n| Source::Cc14(n as u8)),
    ("note", 127, |n| Source::Note(n as u8)),
    ("poly", 127, |n| Source::Poly(n as u8)),
    ("program", 127, |n| Source::ProgramIs(n as u8)),
    ("nrpn", 16383, Source::Nrpn),
    ("rpn", 16383, Source::Rpn),
];

impl Source {
    /// The source that a word of the patch names, and its channel (0..=15) where `ch2-` says one.
    pub fn read(word: &str, kind: Kind) -> Option<(Source, Option<u8>)> {
        match kind {
            Kind::Midi => {
                let (channel, word) = match word.strip_prefix("ch").and_then(|rest| rest.split_once('-')) {
                    Some((digits, rest)) => (Some(number(digits, 16).filter(|n| *n > 0)? as u8 - 1), rest),
                    None => (None, word),
                };
                Some((midi(word)?, channel))
            }
            Kind::Gamepad => {
                let button = BUTTONS.iter().find(|name| **name == word).map(|name| Source::Button(name));
                let axis = || AXES.iter().find(|name| **name == word).map(|name| Source::Axis(name));
                Some((button.or_else(axis)?, None))
            }
            Kind::Keyboard => {
                if word == "space" {
                    return Some((Source::Key(' '), None));
                }
                if let Some(n) = word.strip_prefix('f').and_then(|digits| number(digits, 12)).filter(|n| *n > 0) {
                    return Some((Source::Function(n as u8), None));
                }
                let mut chars = word.chars();
                let key = chars.next().filter(|_| chars.next().is_none()).filter(|c| !c.is_control())?;
                Some((Source::Key(key), None))
            }
        }
    }

    /// What a key of the keyboard is called in a patch; of those that have no character only F1 to F12 are.
    pub fn of_key(key: Key) -> Option<Source> {
        match key {
            Key::Char(c) => Some(Source::Key(c)),
            Key::Function(n) => Some(Source::Function(n)),
            _ => None,
        }
    }

    /// Whether it rests in the middle of its way once it is let go, if it comes back at all.
    pub fn rests_in_the_middle(self) -> bool {
        let at_its_end = matches!(self, Source::Poly(_) | Source::Pressure | Source::MpePressure)
            || matches!(self, Source::Axis("left-trigger" | "right-trigger"));
        !at_its_end && !self.is_button()
    }

    /// Whether it is pressed and let go, rather than standing somewhere.
    pub fn is_button(self) -> bool {
        matches!(
            self,
            Source::Note(_) | Source::ProgramIs(_) | Source::Button(_) | Source::Key(_) | Source::Function(_)
        )
    }
}

fn midi(word: &str) -> Option<Source> {
    let plain = PLAIN.iter().find(|(name, source)| *name == word && !matches!(source, Source::Key(_)));
    if let Some((_, source)) = plain {
        return Some(*source);
    }
    let digits_at = word.find(|c: char| c.is_ascii_digit())?;
    let (name, digits) = word.split_at(digits_at);
    let (_, most, make) = NUMBERED.iter().find(|(known, ..)| *known == name)?;
    Some(make(number(digits, *most)?))
}

fn number(digits: &str, most: u16) -> Option<u16> {
    digits.parse().ok().filter(|n| *n <= most && !digits.starts_with('+'))
}

/// Why a control change may not be learnt: it is half of something else, or a command to the whole channel.
pub fn reserved(source: Source) -> Option<&'static str> {
    let Source::Cc(number) = source else { return None };
    match number {
        0 | 32 => Some("bank select"),
        6 | 38 => Some("data entry"),
        98..=101 => Some("the number of an NRPN or RPN"),
        120..=127 => Some("a channel mode message"),
        _ => None,
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Cc(n) => write!(f, "cc{n}"),
            Source::Cc14(n) => write!(f, "fine{n}"),
            Source::Note(n) => write!(f, "note{n}"),
            Source::Poly(n) => write!(f, "poly{n}"),
            Source::ProgramIs(n) => write!(f, "program{n}"),
            Source::Nrpn(n) => write!(f, "nrpn{n}"),
            Source::Rpn(n) => write!(f, "rpn{n}"),
            Source::Button(name) | Source::Axis(name) => f.write_str(name),
            Source::Key(' ') => f.write_str("space"),
            Source::Key(c) => write!(f, "{c}"),
            Source::Function(n) => write!(f, "f{n}"),
            plain => {
                let word = PLAIN.iter().find(|(_, source)| source == plain).map_or("", |(word, _)| word);
                f.write_str(word)
            }
        }
    }
}
