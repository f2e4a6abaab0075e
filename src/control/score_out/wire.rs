//! How much the wire can carry.
//!
//! A DIN socket sends 31250 bits a second: a message of three bytes takes 0.96 ms. What is begun beyond that would not
//! be lost but late, and every later note with it.

/// Messages a second that are begun: of the wire's 1040 the rest is left to the clock.
const PER_S: f64 = 800.0;
/// Messages that may come at once; the last of them is 46 ms late on a DIN socket.
const AT_ONCE: f64 = 48.0;
/// What controls must leave to the notes.
const RESERVE: f64 = 16.0;

/// The messages that may still be sent.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    left: f64,
    at_ns: u64,
}

impl Wire {
    pub fn new(now_ns: u64) -> Wire {
        Wire { left: AT_ONCE, at_ns: now_ns }
    }

    /// A note and its end, which is paid for with it; false if there is no room.
    pub fn note(&mut self, now_ns: u64) -> bool {
        self.take(now_ns, 2.0, 0.0)
    }

    /// A control change; false if there is no room.
    pub fn control(&mut self, now_ns: u64) -> bool {
        self.take(now_ns, 1.0, RESERVE)
    }

    /// What must be sent in any case.
    pub fn owe(&mut self, messages: usize) {
        self.left = (self.left - messages as f64).max(-AT_ONCE);
    }

    fn take(&mut self, now_ns: u64, messages: f64, reserve: f64) -> bool {
        let passed_s = now_ns.saturating_sub(self.at_ns) as f64 / 1e9;
        self.left = (self.left + passed_s * PER_S).min(AT_ONCE);
        self.at_ns = self.at_ns.max(now_ns);
        let room = self.left - messages >= reserve;
        if room {
            self.left -= messages;
        }
        room
    }
}
