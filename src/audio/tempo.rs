//! The grid: a beat on the audio clock, for those who want the tokens in time. It always runs, so that switching it on
//! joins a beat that is there already.

use super::dsp::CHUNK;

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
}

impl Grid {
    pub fn new(rate_hz: f32) -> Grid {
        Grid { rate_hz, beats: 0.0 }
    }

    /// Goes on by one chunk.
    pub fn chunk(&mut self, control: &GridControl) -> Step {
        let bpm = if control.bpm.is_finite() { control.bpm.clamp(1.0, 1000.0) } else { 90.0 };
        let from = self.beats;
        self.beats += CHUNK as f64 / f64::from(self.rate_hz) * f64::from(bpm) / 60.0;
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
                return Step::At(((line - from) / (to - from) * CHUNK as f64) as u32);
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
    fn without_steps_there_is_no_grid_and_nonsense_is_borne() {
        let mut grid = Grid::new(48_000.0);
        assert_eq!(grid.chunk(&GridControl { bpm: 90.0, steps: 0.0, swing: 0.0 }), Step::Free);
        assert_eq!(grid.chunk(&GridControl { bpm: f32::NAN, steps: f32::NAN, swing: f32::NAN }), Step::Free);
        grid.chunk(&GridControl { bpm: f32::INFINITY, steps: 1e9, swing: f32::NAN });
    }
}
