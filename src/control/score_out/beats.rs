//! The MIDI clock on the instrument's own beats: its ticks are the timeline's, whoever sets that. Pure.

use super::Short;
use super::pulse::{LEAD_NS, PER_BEAT, TOO_LATE_NS};
use super::short::{START, STOP, TICK};
use crate::score::Timeline;

/// Where the timeline goes on elsewhere, by more than so many ticks, whoever follows is started anew.
const LEAP_TICKS: f64 = 3.0;

/// Ticks on the beats of the timeline.
#[derive(Clone, Debug, Default)]
pub struct Beats {
    /// As it was told last; nothing is sent before it was.
    timeline: Option<Timeline>,
    /// The number of the next tick, once the start was sent.
    next: Option<i64>,
    /// No tick is sent before, so that the start is heard first.
    from_ns: f64,
    /// The timeline has leapt since the last tick.
    leapt: bool,
}

impl Beats {
    /// The timeline is another from now on. What was corrected a little moves the next ticks.
    pub fn retime(&mut self, timeline: Timeline, now_ns: u64) {
        let before = self.timeline.replace(timeline);
        let off = before.map_or(0.0, |before| (timeline.beats(now_ns) - before.beats(now_ns)) * PER_BEAT);
        self.leapt |= off.abs() > LEAP_TICKS;
    }

    pub fn go(&mut self, now_ns: u64, out: &mut Vec<Short>) {
        let Some(timeline) = self.timeline else { return };
        if std::mem::take(&mut self.leapt) && self.next.take().is_some() {
            out.push(STOP);
        }
        let ticks = timeline.beats(now_ns) * PER_BEAT;
        let next = self.next.get_or_insert_with(|| {
            out.push(START);
            self.from_ns = now_ns as f64 + LEAD_NS;
            // From the next beat, or from one that was just now: a clock that we follow has begun with it.
            ((ticks - LEAP_TICKS) / PER_BEAT).ceil() as i64 * PER_BEAT as i64
        });
        let late_ns = now_ns.saturating_sub(timeline.t_ns(*next as f64 / PER_BEAT)) as f64;
        if late_ns > TOO_LATE_NS {
            *next = ticks.floor() as i64;
        }
        while now_ns as f64 >= self.from_ns && timeline.t_ns(*next as f64 / PER_BEAT) <= now_ns {
            *next += 1;
            out.push(TICK);
        }
    }

    /// When something is due next.
    pub fn due_ns(&self) -> Option<u64> {
        let timeline = self.timeline?;
        let Some(next) = self.next.filter(|_| !self.leapt) else { return Some(0) };
        Some(timeline.t_ns(next as f64 / PER_BEAT).max(self.from_ns as u64))
    }

    /// Whether it ran; it starts anew when it goes on.
    pub fn stop(&mut self) -> bool {
        self.next.take().is_some()
    }
}
