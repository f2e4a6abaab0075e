//! The timeline of beats: which beat it is at a time, and when a beat comes. Pure.
//!
//! [`super::Event::Tempo`] fixes it anew: whenever the tempo changes, and where a clock that is followed has wandered off.
//! Worker, sound and MIDI out each keep a copy, so that what they put on a beat falls together.

use super::{Event, Hand, ParamId, ParamValues, Stamped};

/// Beats at a steady tempo, from one beat whose time is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timeline {
    /// Nanoseconds since the performance began; this beat is then.
    t_ns: u64,
    beat: f64,
    bpm: f64,
}

/// The tempos that are followed, in beats a minute; also the bounds of `sound.tempo.bpm`.
pub const SLOWEST_BPM: f64 = 20.0;
pub const FASTEST_BPM: f64 = 300.0;

impl Timeline {
    /// `beat` is at `t_ns`. A tempo that is none becomes 90, the parameter's own. Both are rounded, by less than a
    /// nanosecond in ten minutes, to so few digits that a journal gives back the very same numbers.
    pub fn new(t_ns: u64, beat: f64, bpm: f64) -> Timeline {
        let bpm = if bpm.is_finite() { bpm.clamp(SLOWEST_BPM, FASTEST_BPM) } else { 90.0 };
        let beat = if beat.is_finite() { beat.clamp(-1e9, 1e9) } else { 0.0 };
        Timeline { t_ns, beat: (beat * 1e9).round() / 1e9, bpm: (bpm * 1e9).round() / 1e9 }
    }

    /// What an event says of it.
    pub fn of(stamped: &Stamped) -> Option<Timeline> {
        let Event::Tempo { bpm, beat, .. } = stamped.event else { return None };
        Some(Timeline::new(stamped.t_ns, beat, bpm))
    }

    /// The event that says it, to be stamped with `t_ns`.
    pub fn event(&self, by: Hand, from: &str) -> (u64, Event) {
        (self.t_ns, Event::Tempo { bpm: self.bpm, beat: self.beat, by, from: from.into() })
    }

    /// The first beat is the performance's beginning.
    pub fn from_the_beginning(bpm: f64) -> Timeline {
        Timeline::new(0, 0.0, bpm)
    }

    /// Since when it holds.
    pub fn since_ns(&self) -> u64 {
        self.t_ns
    }

    pub fn bpm(&self) -> f64 {
        self.bpm
    }

    pub fn beat_ns(&self) -> f64 {
        60e9 / self.bpm
    }

    /// The beats at `t_ns`; below 0 where the count began later.
    pub fn beats(&self, t_ns: u64) -> f64 {
        self.beat + (t_ns as f64 - self.t_ns as f64) / self.beat_ns()
    }

    /// When it is this beat; 0 where that was before the performance.
    pub fn t_ns(&self, beat: f64) -> u64 {
        (self.t_ns as f64 + (beat - self.beat) * self.beat_ns()).max(0.0) as u64
    }

    /// Another tempo from `t_ns` on; the beats go on from where they are.
    pub fn at_tempo(&self, t_ns: u64, bpm: f64) -> Timeline {
        Timeline::new(t_ns, self.beats(t_ns), bpm)
    }
}

/// Lines in every beat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lines {
    /// So many to a beat, at least 1.
    pub steps: f64,
    /// How late every second one comes, as a part of a step.
    pub swing: f64,
}

/// Lines to a beat for each value of `generator.grid`; the first is none.
const OF_TOKENS: [f64; 7] = [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0];

impl Lines {
    /// The lines that tokens fall on; `None` where they come free. Triplets do not swing: every second one of three
    /// would be another in each beat.
    pub fn of_tokens(values: &ParamValues) -> Option<Lines> {
        let steps = *OF_TOKENS.get(values.get(ParamId::Grid) as usize)?;
        let swing = if steps % 3.0 == 0.0 { 0.0 } else { f64::from(values.get(ParamId::TempoSwing)) };
        (steps > 0.0).then_some(Lines { steps, swing })
    }

    /// The beat of line `k`, counted from beat 0.
    pub fn beat(&self, k: i64) -> f64 {
        (k as f64 + if k.rem_euclid(2) == 1 { self.swing } else { 0.0 }) / self.steps
    }

    /// The first line at or after this beat.
    pub fn at_or_after(&self, beat: f64) -> f64 {
        let first = (beat * self.steps).floor() as i64 - 1;
        let lines = (first..first + 4).map(|k| self.beat(k));
        lines.into_iter().find(|line| *line >= beat).unwrap_or(beat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_and_times_are_inverses_and_a_change_of_tempo_leaps_nowhere() {
        let line = Timeline::new(3_000_000_000, 17.25, 127.3);
        for beat in [0.0, 17.25, 18.0, 1000.5] {
            let t_ns = line.t_ns(beat);
            assert!(t_ns == 0 || (line.beats(t_ns) - beat).abs() < 1e-8, "{beat} at {t_ns}");
        }
        let then = 8_123_456_789;
        let faster = line.at_tempo(then, 180.0);
        assert!((faster.beats(then) - line.beats(then)).abs() < 1e-9);
        assert!((faster.beats(then + 1_000_000_000) - line.beats(then) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn it_does_not_drift() {
        // Ten hours at a tempo that no nanosecond divides: a beat is where arithmetic in whole numbers has it.
        let line = Timeline::from_the_beginning(133.0);
        let beats = 133 * 60 * 10;
        assert!(line.t_ns(f64::from(beats)).abs_diff(36_000_000_000_000) < 100);
        assert!((line.beats(36_000_000_000_000) - f64::from(beats)).abs() < 1e-6);
    }

    #[test]
    fn a_journal_gives_back_the_very_same_timeline() {
        let mut line = Timeline::from_the_beginning(90.0);
        for i in 1..2000u64 {
            line = line.at_tempo(i * 77_777_777, 20.0 + (i as f64 * 0.618_033_988_7).fract() * 280.0);
            let (t_ns, event) = line.event(Hand::Clock, "a port");
            let written = serde_json::to_string(&Stamped { seq: i, t_ns, event }).unwrap();
            assert_eq!(Timeline::of(&serde_json::from_str(&written).unwrap()), Some(line), "{written}");
        }
    }

    #[test]
    fn nonsense_is_borne() {
        let line = Timeline::new(5, f64::NAN, f64::INFINITY);
        assert_eq!((line.bpm(), line.beats(5)), (90.0, 0.0));
        assert_eq!(Timeline::new(0, 0.0, 1e9).bpm(), FASTEST_BPM);
        assert_eq!(Timeline::new(1_000, 4.0, 60.0).t_ns(-1e9), 0);
    }

    #[test]
    fn lines_swing_and_the_next_one_is_found() {
        let lines = Lines { steps: 4.0, swing: 0.5 };
        assert_eq!([0, 1, 2, -1].map(|k| lines.beat(k)), [0.0, 0.375, 0.5, -0.125]);
        assert_eq!([0.0, 0.01, 0.375, 0.4, 7.9].map(|at| lines.at_or_after(at)), [0.0, 0.375, 0.375, 0.5, 8.0]);
        assert_eq!(lines.at_or_after(-0.2), -0.125);
    }
}
