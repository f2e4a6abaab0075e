//! MIDI's short messages, as they go over the wire.

/// One message of one to three bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short {
    bytes: [u8; 3],
    len: u8,
}

/// The MIDI clock, 24 to a beat.
pub const TICK: Short = real_time(0xf8);
pub const START: Short = real_time(0xfa);
pub const CONTINUE: Short = real_time(0xfb);
pub const STOP: Short = real_time(0xfc);

/// Control change 120: what sounds is cut off.
pub const ALL_SOUND_OFF: u8 = 120;
/// Control change 123: what sounds is let go.
pub const ALL_NOTES_OFF: u8 = 123;

const fn real_time(byte: u8) -> Short {
    Short { bytes: [byte, 0, 0], len: 1 }
}

impl Short {
    /// `channel` 0..=15, `velocity` 1..=127: a note of velocity 0 would be its end.
    pub fn note_on(channel: u8, note: u8, velocity: u8) -> Short {
        Short::three(0x90, channel, note, velocity.max(1))
    }

    pub fn note_off(channel: u8, note: u8) -> Short {
        Short::three(0x80, channel, note, 0)
    }

    pub fn control(channel: u8, cc: u8, value: u8) -> Short {
        Short::three(0xb0, channel, cc, value)
    }

    /// A note as a lamp takes it: a velocity of 0 is a value like any other.
    pub fn lamp(channel: u8, note: u8, value: u8) -> Short {
        Short::three(0x90, channel, note, value)
    }

    /// The pitch wheel at 0..=16383.
    pub fn bend(channel: u8, value: u16) -> Short {
        Short::three(0xe0, channel, (value & 127) as u8, (value >> 7) as u8)
    }

    fn three(status: u8, channel: u8, first: u8, second: u8) -> Short {
        Short { bytes: [status | (channel & 0x0f), first & 0x7f, second & 0x7f], len: 3 }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}
