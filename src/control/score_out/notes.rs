//! The notes that sound: each that is begun is ended once, whatever happens.

use super::Short;

/// Notes that sound at once, of all channels; the oldest ends for a new one.
pub const MOST: usize = 32;

/// A note to begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strike {
    pub channel: u8,
    pub note: u8,
    pub velocity: u8,
    pub length_ns: u64,
    /// At most so many notes of its channel may sound with it.
    pub voices: usize,
}

#[derive(Clone, Copy, Debug)]
struct Sounding {
    channel: u8,
    note: u8,
    off_ns: u64,
}

impl Sounding {
    fn off(&self) -> Short {
        Short::note_off(self.channel, self.note)
    }
}

/// In the order in which they were begun.
#[derive(Clone, Debug, Default)]
pub struct Notes(Vec<Sounding>);

impl Notes {
    /// Begins a note. The same note ends before it, as do the oldest where too many sound.
    pub fn begin(&mut self, now_ns: u64, strike: &Strike, out: &mut Vec<Short>) {
        let Strike { channel, note, velocity, length_ns, voices } = *strike;
        self.end_where(|s| (s.channel, s.note) == (channel, note), out);
        while self.0.iter().filter(|s| s.channel == channel).count() >= voices.max(1) {
            let Some(oldest) = self.0.iter().position(|s| s.channel == channel) else { break };
            out.push(self.0.remove(oldest).off());
        }
        if self.0.len() >= MOST {
            out.push(self.0.remove(0).off());
        }
        self.0.push(Sounding { channel, note, off_ns: now_ns.saturating_add(length_ns) });
        out.push(Short::note_on(channel, note, velocity));
    }

    /// Ends those whose time is up.
    pub fn end_due(&mut self, now_ns: u64, out: &mut Vec<Short>) {
        self.end_where(|s| s.off_ns <= now_ns, out);
    }

    pub fn end_all(&mut self, out: &mut Vec<Short>) {
        self.end_where(|_| true, out);
    }

    /// When the next one ends.
    pub fn due_ns(&self) -> Option<u64> {
        self.0.iter().map(|s| s.off_ns).min()
    }

    fn end_where(&mut self, ends: impl Fn(&Sounding) -> bool, out: &mut Vec<Short>) {
        self.0.retain(|s| {
            let ends = ends(s);
            if ends {
                out.push(s.off());
            }
            !ends
        });
    }
}
