//! Signals as control changes, thinned out to what is heard.

use super::Short;
use super::wire::Wire;
use crate::patch::midi_out::Control;
use crate::score::{SignalId, SignalValues};

/// A control is looked at and sent this often: 50 times a second.
pub const EVERY_NS: u64 = 20_000_000;

/// Every control of a synthesiser and what it was sent last.
#[derive(Clone, Debug)]
pub struct Controls {
    rows: Vec<Row>,
    /// The row that is looked at first, so that on a full wire each has its turn.
    first: usize,
}

#[derive(Clone, Debug)]
struct Row {
    control: Control,
    sent: Option<u8>,
    sent_ns: Option<u64>,
    /// The threshold's memory.
    above: bool,
}

impl Row {
    /// What is to be sent for the signal at this value.
    fn value(&mut self, signal: f32) -> Option<u8> {
        let [zero, one] = self.control.between;
        let position = (signal - zero) / (one - zero);
        if position.is_nan() {
            return None;
        }
        let bent = self.control.shape.bend(position.clamp(0.0, 1.0), &mut self.above);
        let [from, to] = self.control.range.map(f32::from);
        Some((from + (to - from) * bent).round() as u8)
    }
}

impl Controls {
    pub fn new(controls: &[Control]) -> Controls {
        let row = |control: &Control| Row { control: *control, sent: None, sent_ns: None, above: false };
        Controls { rows: controls.iter().map(row).collect(), first: 0 }
    }

    /// Sends what has changed. A signal that is absent sends nothing: the control stays where it is.
    pub fn send(&mut self, now_ns: u64, signals: &SignalValues, wire: &mut Wire, out: &mut Vec<Short>) {
        let count = self.rows.len();
        for at in 0..count {
            let at = (self.first + at) % count;
            let row = &mut self.rows[at];
            if row.sent_ns.is_some_and(|then| now_ns < then + EVERY_NS) {
                continue;
            }
            let value = signals.get(row.control.from).and_then(|signal| row.value(signal));
            let Some(value) = value.filter(|value| row.sent != Some(*value)) else { continue };
            if !wire.control(now_ns) {
                self.first = at;
                return;
            }
            (row.sent, row.sent_ns) = (Some(value), Some(now_ns));
            out.push(Short::control(row.control.channel, row.control.cc, value));
        }
    }

    /// Sends the tension back to where nothing is waited for.
    pub fn relax(&mut self, out: &mut Vec<Short>) {
        for row in self.rows.iter_mut().filter(|row| row.control.from == SignalId::Waiting && row.sent.is_some()) {
            let value = row.value(0.0);
            if let Some(value) = value.filter(|value| row.sent != Some(*value)) {
                row.sent = Some(value);
                out.push(Short::control(row.control.channel, row.control.cc, value));
            }
        }
    }

    /// The synthesiser may have forgotten everything: all is sent again.
    pub fn forget(&mut self) {
        self.rows.iter_mut().for_each(|row| row.sent = None);
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn channels(&self) -> impl Iterator<Item = u8> {
        self.rows.iter().map(|row| row.control.channel)
    }
}
