//! From MIDI bytes to what a control says: its name, its channel and where it stands.
//!
//! One [`Decoder`] for each port, owned by whoever polls it. It knows which bytes belong together: a coarse and a fine
//! control change, the four that make an NRPN or RPN, the channels of one MPE note. Pure; after the MIDI 1.0 and MPE
//! specifications of the MIDI Association. Any bytes are taken; what is no message says nothing.

#[cfg(test)]
mod tests;

use crate::patch::Source;

/// What one control said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Said {
    pub source: Source,
    /// 0..=15; none where the source has no channel, as keys and gamepads have none.
    pub channel: Option<u8>,
    pub value: Value,
}

/// Where a control stands, or how far it was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// `raw` of `0..=most`: 127 or 16383.
    At { raw: u16, most: u16 },
    /// So many steps up (or, negative, down): the increments of NRPN and RPN, and what has no place of its own.
    Step(i32),
}

/// The greatest value of seven and of fourteen bits.
pub const SEVEN: u16 = 127;
pub const FOURTEEN: u16 = 16383;

/// Of how many numbers of a channel it is remembered that they send a second half; the oldest is forgotten.
const MOST_FINE: usize = 64;

/// What messages of one port say.
#[derive(Clone, Debug)]
pub struct Decoder {
    channels: [Channel; 16],
    /// Channels of the MPE lower zone besides its master channel, the first; 0 is no zone.
    members: u8,
    /// The sounding notes of the zone, the youngest last: its channel and number.
    notes: Vec<(u8, u8)>,
}

/// What is known of one channel.
#[derive(Clone, Debug, Default)]
struct Channel {
    coarse: [Pair; 32],
    /// What data entry belongs to.
    selected: Option<Registered>,
    data: Pair,
    /// The two halves of the number being selected, for NRPN and RPN.
    halves: [[Option<u8>; 2]; 2],
    /// Numbers whose data come in two halves.
    fine: Vec<Registered>,
}

/// The number of a parameter that data entry sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Registered {
    Nrpn(u16),
    Rpn(u16),
}

/// A coarse and a fine half that belong together.
#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    msb: Option<u8>,
    lsb: Option<u8>,
    /// Which half comes second, once both have come: only then is a value whole.
    last: Option<Half>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Msb,
    Lsb,
}

impl Pair {
    /// Takes one half; gives the whole value where this half completes it. A control that sends no fine half gives none.
    fn take(&mut self, half: Half, bits: u8) -> Option<u16> {
        // Whichever came first for the first time, the other one completes.
        if self.last.is_none() {
            match half {
                Half::Msb if self.lsb.is_some() => self.last = Some(Half::Msb),
                Half::Lsb if self.msb.is_some() => self.last = Some(Half::Lsb),
                _ => {}
            }
        }
        match half {
            Half::Msb => self.msb = Some(bits),
            Half::Lsb => self.lsb = Some(bits),
        }
        (self.last == Some(half)).then(|| self.whole()).flatten()
    }

    fn whole(&self) -> Option<u16> {
        Some(u16::from(self.msb?) << 7 | u16::from(self.lsb?))
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Decoder { channels: std::array::from_fn(|_| Channel::default()), members: 0, notes: Vec::new() }
    }
}

impl Decoder {
    /// How many channels the MPE lower zone has besides its master; 0 where the controller announced none.
    pub fn members(&self) -> u8 {
        self.members
    }

    /// Takes one whole message and hands what it says to `say`: nothing, one thing, or a control change and the value
    /// that it completes.
    pub fn take(&mut self, bytes: &[u8], say: &mut dyn FnMut(Said)) {
        let Some((status, data)) = whole(bytes) else { return };
        let channel = status & 0x0f;
        let at = |source, raw: u8| Said::at(source, channel, u16::from(raw), SEVEN);
        match (status & 0xf0, data) {
            (0x80, [note, _]) => {
                self.release(channel, note);
                say(at(Source::Note(note), 0));
            }
            (0x90, [note, velocity]) => {
                self.release(channel, note);
                if velocity > 0 && self.is_member(channel) {
                    self.notes.push((channel, note));
                }
                say(at(Source::Note(note), velocity));
            }
            (0xa0, [note, pressure]) => say(at(Source::Poly(note), pressure)),
            (0xb0, [number, value]) => {
                say(at(Source::Cc(number), value));
                if number == 74 && self.is_youngest(channel) {
                    say(at(Source::MpeSlide, value));
                }
                self.control_change(channel, number, value, say);
            }
            (0xc0, [program, _]) => {
                say(at(Source::Program, program));
                say(at(Source::ProgramIs(program), SEVEN as u8));
            }
            (0xd0, [pressure, _]) => match self.is_member(channel) {
                true if self.is_youngest(channel) => say(at(Source::MpePressure, pressure)),
                true => {}
                false => say(at(Source::Pressure, pressure)),
            },
            (0xe0, [lsb, msb]) => {
                let bend = u16::from(msb) << 7 | u16::from(lsb);
                match self.is_member(channel) {
                    true if self.is_youngest(channel) => say(Said::at(Source::MpeBend, channel, bend, FOURTEEN)),
                    true => {}
                    false => say(Said::at(Source::Bend, channel, bend, FOURTEEN)),
                }
            }
            _ => {}
        }
    }

    fn is_member(&self, channel: u8) -> bool {
        (1..=self.members).contains(&channel)
    }

    /// Whether the zone's youngest note sounds on this channel: of several, one finger leads.
    fn is_youngest(&self, channel: u8) -> bool {
        self.is_member(channel) && self.notes.last().is_none_or(|(at, _)| *at == channel)
    }

    fn release(&mut self, channel: u8, note: u8) {
        self.notes.retain(|held| *held != (channel, note));
    }

    fn control_change(&mut self, channel: u8, number: u8, value: u8, say: &mut dyn FnMut(Said)) {
        let state = &mut self.channels[usize::from(channel)];
        let (half, base) = if number < 32 { (Half::Msb, number) } else { (Half::Lsb, number.wrapping_sub(32)) };
        match number {
            // Data entry goes to the selected number, whose halves are its own.
            6 | 38 => state.enter(half, value, channel, say),
            96 | 97 => {
                if let Some(selected) = state.selected {
                    let step = if number == 96 { 1 } else { -1 };
                    say(Said { source: selected.source(), channel: Some(channel), value: Value::Step(step) });
                }
            }
            98..=101 => state.select(number, value),
            0..64 => {
                if let Some(whole) = state.coarse[usize::from(base)].take(half, value) {
                    say(Said::at(Source::Cc14(base), channel, whole, FOURTEEN));
                }
            }
            // All notes off, and the modes that imply it.
            123..=127 => self.notes.retain(|(held, _)| *held != channel),
            _ => {}
        }
        // The MPE configuration message: how many channels the zone of the first one has.
        if channel == 0 && number == 6 && self.channels[0].selected == Some(Registered::Rpn(6)) {
            self.members = value.min(15);
            self.notes.clear();
        }
    }
}

impl Channel {
    fn select(&mut self, number: u8, value: u8) {
        let rpn = usize::from(number >= 100);
        self.halves[rpn][usize::from(number % 2)] = Some(value);
        // Only the newest kind can be meant, and 127 and 127 is none.
        self.halves[1 - rpn] = [None; 2];
        self.data = Pair::default();
        self.selected = match self.halves[rpn] {
            [Some(127), Some(127)] => None,
            [Some(low), Some(high)] => {
                let number = u16::from(high) << 7 | u16::from(low);
                Some(if rpn == 1 { Registered::Rpn(number) } else { Registered::Nrpn(number) })
            }
            _ => None,
        };
    }

    fn enter(&mut self, half: Half, value: u8, channel: u8, say: &mut dyn FnMut(Said)) {
        let Some(selected) = self.selected else { return };
        match half {
            Half::Msb => {
                self.data.msb = Some(value);
                // Seven bits are whole by themselves, unless this number is known to send a second half.
                if !self.fine.contains(&selected) {
                    say(Said::at(selected.source(), channel, u16::from(value), SEVEN));
                }
            }
            Half::Lsb => {
                if !self.fine.contains(&selected) {
                    if self.fine.len() == MOST_FINE {
                        self.fine.remove(0);
                    }
                    self.fine.push(selected);
                }
                self.data.lsb = Some(value);
                if let Some(whole) = self.data.whole() {
                    say(Said::at(selected.source(), channel, whole, FOURTEEN));
                }
            }
        }
    }
}

impl Registered {
    fn source(self) -> Source {
        match self {
            Registered::Nrpn(number) => Source::Nrpn(number),
            Registered::Rpn(number) => Source::Rpn(number),
        }
    }
}

impl Said {
    /// A control of a channel that stands at `raw` of `0..=most`.
    pub fn at(source: Source, channel: u8, raw: u16, most: u16) -> Said {
        Said { source, channel: Some(channel), value: Value::At { raw, most } }
    }

    /// A key or a gamepad's button that is down.
    pub fn pressed(source: Source) -> Said {
        Said { source, channel: None, value: Value::At { raw: SEVEN, most: SEVEN } }
    }
}

/// A channel message's status and its data, the second 0 where it has one only. Running status does not occur: midir
/// hands out whole messages.
fn whole(bytes: &[u8]) -> Option<(u8, [u8; 2])> {
    let (&status, data) = bytes.split_first()?;
    let wanted = match status & 0xf0 {
        0x80..=0xb0 | 0xe0 => 2,
        0xc0 | 0xd0 => 1,
        _ => return None,
    };
    let data = data.get(..wanted)?;
    if data.iter().any(|byte| *byte > 127) {
        return None;
    }
    Some((status, [data[0], data.get(1).copied().unwrap_or(0)]))
}
