//! The grid: a beat on the audio clock, for those who want the tokens in time. It always runs, so that switching it on
//! joins a beat that is there already.
//!
//! Where the timeline of beats is told, the grid is that one: every cue says when its event was and at which frame it is
//! heard, and the least late of them says which frame belongs to a time. A tempo that the matrix moves runs off from it.

use super::dsp::CHUNK;
use crate::score::Timeline;

/// The sound's clock may run faster than ours by this part, which would look as if cues came ever later.
const DRIFT: f64 = 100e-6;
/// A beat that is further off than this is another one: the grid leaps to it.
const LEAP_BEATS: f64 = 0.25;

/// How the grid is played.
#[derive(Clone, Copy, Debug)]
pub struct GridControl {
    pub bpm: f32,
    /// Steps in a beat; 0 is no grid.
    pub steps: f32,
    /// How late every second step comes, as a part of a step.
    pub swing: f32,
}

/// What the grid says of one chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// There is no grid: everything sounds as it comes.
    Free,
    /// No step falls into this chunk.
    Between,
    /// One does, so many frames after its beginning.
    At(u32),
}

#[derive(Clone, Debug)]
pub struct Grid {
    rate_hz: f32,
    /// Beats since the engine began. An f64 is exact to a frame for years.
    beats: f64,
    /// Frames since then, and since the last line.
    frame: u64,
    since_line: u64,
    timeline: Option<Timeline>,
    /// By how much frames come later than the times that belong to them, in ns, and the frame at which that was found.
    lag: Option<(f64, u64)>,
}

impl Grid {
    pub fn new(rate_hz: f32) -> Grid {
        Grid { rate_hz, beats: 0.0, frame: 0, since_line: u64::MAX / 2, timeline: None, lag: None }
    }

    /// The event of `t_ns` acts at this frame.
    pub fn heard(&mut self, t_ns: u64, frame: u64) {
        let lag_ns = self.ns(frame) - t_ns as f64;
        let known = self.lag.map(|(lag_ns, then)| lag_ns + DRIFT * self.ns(frame.saturating_sub(then)));
        self.lag = Some((known.map_or(lag_ns, |known| known.min(lag_ns)), frame));
    }

    /// The beats as they are told.
    pub fn retime(&mut self, timeline: Timeline) {
        self.timeline = Some(timeline);
    }

    /// Seconds since the last line that a token may sound on.
    pub fn since_line_s(&self) -> f32 {
        self.since_line as f32 / self.rate_hz
    }

    fn ns(&self, frame: u64) -> f64 {
        frame as f64 * 1e9 / f64::from(self.rate_hz)
    }

    /// The beats at a frame by the timeline, where that is told and played.
    fn told(&self, frame: u64, bpm: f32) -> Option<f64> {
        let timeline = self.timeline.filter(|told| (told.bpm() - f64::from(bpm)).abs() < 1e-4 * told.bpm())?;
        let (lag_ns, _) = self.lag?;
        Some(timeline.beats((self.ns(frame) - lag_ns).max(0.0) as u64))
    }

    /// Goes on by one chunk.
    pub fn chunk(&mut self, control: &GridControl) -> Step {
        let bpm = if control.bpm.is_finite() { control.bpm.clamp(1.0, 1000.0) } else { 90.0 };
        let mut from = self.beats;
        let chunk = CHUNK as f64 / f64::from(self.rate_hz) * f64::from(bpm) / 60.0;
        self.beats += chunk;
        self.frame += CHUNK as u64;
        self.since_line = self.since_line.saturating_add(CHUNK as u64);
        if let Some(told) = self.told(self.frame, bpm) {
            if (told - self.beats).abs() > LEAP_BEATS {
                from = told - chunk;
            }
            // A beat that was told to be later waits; a line is never passed twice.
            self.beats = told.max(from);
        }
        if control.steps.is_nan() || control.steps < 1.0 {
            return Step::Free;
        }
        let steps = f64::from(control.steps.round());
        let (from, to) = (from * steps, self.beats * steps);
        let swing = f64::from(control.swing.clamp(0.0, 0.9));
        let first = from.floor() as i64 - 1;
        for k in first..first + 4 {
            let line = k as f64 + if k.rem_euclid(2) == 1 { swing } else { 0.0 };
            if (from..to).contains(&line) {
                let after = ((line - from) / (to - from) * CHUNK as f64) as u32;
                self.since_line = CHUNK as u64 - u64::from(after);
                return Step::At(after);
            }
        }
        Step::Between
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(control: &GridControl, seconds: f32) -> Vec<u64> {
        let mut grid = Grid::new(48_000.0);
        (0..(seconds * 750.0) as u64)
            .filter_map(|chunk| match grid.chunk(control) {
                Step::At(frame) => Some(chunk * CHUNK as u64 + u64::from(frame)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn steps_come_in_time_to_the_frame() {
        let even = steps(&GridControl { bpm: 125.0, steps: 4.0, swing: 0.0 }, 60.0);
        assert!((500..=501).contains(&even.len()), "{}", even.len());
        // A sixteenth at 125 bpm is 120 ms, 5760 frames.
        assert!(even.iter().enumerate().all(|(k, at)| at.abs_diff(5760 * k as u64) <= 1));
        let late = steps(&GridControl { bpm: 125.0, steps: 4.0, swing: 0.25 }, 1.0);
        assert!(late[1].abs_diff(5760 + 1440) <= 1 && late[2].abs_diff(2 * 5760) <= 1, "{late:?}");
    }

    #[test]
    fn a_told_timeline_is_the_grid_and_late_cues_move_it_little() {
        let mut grid = Grid::new(48_000.0);
        let control = GridControl { bpm: 125.0, steps: 4.0, swing: 0.0 };
        // The engine began 0.7 s after the clock, and takes cues at blocks of 512 frames.
        let (began_ns, mut lines) = (700_000_000u64, Vec::new());
        grid.retime(Timeline::new(0, 0.0, 125.0));
        for chunk in 0..60 * 750u64 {
            if chunk % 8 == 0 && chunk % 72 == 0 {
                let late_ns = [9_000_000, 2_000_000, 10_600_000, 100_000][(chunk / 72) as usize % 4];
                let t_ns = began_ns + chunk * 4_000_000 / 3 - late_ns;
                grid.heard(t_ns, chunk * CHUNK as u64);
            }
            // The clock's own tempo changes at 30 s; the beats go on.
            if chunk == 30 * 750 {
                grid.retime(Timeline::new(began_ns + 30_000_000_000, 3.5, 125.0));
            }
            if let Step::At(frame) = grid.chunk(&control) {
                lines.push((chunk * CHUNK as u64 + u64::from(frame)) as f64 / 48.0);
            }
        }
        // A sixteenth is 120 ms; the engine's zero is 700 ms, the last line before it 600 ms.
        let off = |ms: &f64, zero_ms: f64| {
            let steps = (ms + zero_ms) / 120.0;
            (steps - steps.round()) * 120.0
        };
        let (before, after): (Vec<f64>, Vec<f64>) =
            lines.iter().filter(|ms| **ms > 1000.0).partition(|ms| **ms < 29_990.0);
        assert!(before.len() > 230 && before.iter().all(|ms| (-0.1..0.3).contains(&off(ms, 700.0))), "{before:?}");
        // Beat 3.5 is a line.
        assert!(after.len() > 230 && after.iter().all(|ms| (-0.1..0.3).contains(&off(ms, -30_000.0))), "{after:?}");
    }

    #[test]
    fn without_steps_there_is_no_grid_and_nonsense_is_borne() {
        let mut grid = Grid::new(48_000.0);
        assert_eq!(grid.chunk(&GridControl { bpm: 90.0, steps: 0.0, swing: 0.0 }), Step::Free);
        assert_eq!(grid.chunk(&GridControl { bpm: f32::NAN, steps: f32::NAN, swing: f32::NAN }), Step::Free);
        grid.chunk(&GridControl { bpm: f32::INFINITY, steps: 1e9, swing: f32::NAN });
    }
}
