//! When the next token may come: its time in the pace, and the next line of the grid. Pure.

use std::time::Duration;

use crate::score::{Lines, ParamId, ParamValues, Timeline};

/// A line that is before the pace's time by less than this part of a step is in time.
const IN_TIME: f64 = 0.02;
/// What is nearer to the last token's line than this part of a step is that line, corrected meanwhile.
const SAME_LINE: f64 = 0.25;
/// Drawing begins so much earlier than it is known to take, and not more than this before its line.
const LEAD: f64 = 1.25;
const MOST_LEAD_NS: f64 = 20e6;

/// The tokens' time.
#[derive(Clone, Debug)]
pub(super) struct Beat {
    /// When the last token was due; a pace counts from there.
    due_ns: u64,
    /// The line that the next token waits for, and what it was found with.
    line: Option<(u64, With)>,
    /// The line of the last token.
    last_line_ns: Option<u64>,
    /// How long drawing takes, smoothed.
    drawing_ns: f64,
}

/// What a line was found with.
#[derive(Clone, Copy, Debug, PartialEq)]
struct With {
    lines: Lines,
    timeline: Timeline,
    due_ns: u64,
}

impl Beat {
    pub fn new(now_ns: u64) -> Beat {
        Beat { due_ns: now_ns, line: None, last_line_ns: None, drawing_ns: 0.0 }
    }

    /// The piece stands somewhere else: the pace counts from now.
    pub fn restart(&mut self, now_ns: u64) {
        (self.due_ns, self.line) = (now_ns, None);
    }

    /// The token is withheld by the pedal; let go, it waits for a line that is yet to come.
    pub fn hold(&mut self) {
        self.line = None;
    }

    /// How long the token must still wait before it is drawn.
    pub fn left(&mut self, values: &ParamValues, timeline: Timeline, now_ns: u64) -> Option<Duration> {
        let due_ns = interval_ns(values).map_or(0, |interval_ns| self.due_ns + interval_ns);
        let at_ns = match Lines::of_tokens(values) {
            None => {
                self.line = None;
                due_ns
            }
            Some(lines) => {
                let with = With { lines, timeline, due_ns };
                let line_ns = self.line.filter(|(_, known)| *known == with).map(|(line_ns, _)| line_ns);
                let line_ns = line_ns.unwrap_or_else(|| self.find(&with, now_ns));
                self.line = Some((line_ns, with));
                line_ns.saturating_sub((LEAD * self.drawing_ns).min(MOST_LEAD_NS) as u64)
            }
        };
        (at_ns > now_ns).then(|| Duration::from_nanos(at_ns - now_ns))
    }

    /// The next line for a token that waits from now on, or waited already for a line of another timeline.
    fn find(&self, with: &With, now_ns: u64) -> u64 {
        let step_ns = with.timeline.beat_ns() / with.lines.steps;
        // A clock that is corrected while its line is awaited may put it a little into the past.
        let now_ns = match self.line {
            Some((line_ns, known)) if known.lines == with.lines => {
                now_ns.min(line_ns.saturating_sub((SAME_LINE * step_ns) as u64))
            }
            _ => now_ns,
        };
        let after_ns = self.last_line_ns.map_or(0, |line_ns| line_ns + (SAME_LINE * step_ns) as u64);
        let due_ns = with.due_ns.saturating_sub((IN_TIME * step_ns) as u64);
        let earliest_ns = now_ns.max(after_ns).max(due_ns);
        with.timeline.t_ns(with.lines.at_or_after(with.timeline.beats(earliest_ns)))
    }

    /// A token was drawn in this time; how long it must still wait for its line.
    pub fn drew(&mut self, took_ns: u64, now_ns: u64) -> Option<Duration> {
        let took_ns = took_ns as f64;
        self.drawing_ns += (took_ns - self.drawing_ns) * if took_ns > self.drawing_ns { 0.5 } else { 0.1 };
        let (line_ns, _) = self.line.filter(|(line_ns, _)| *line_ns > now_ns)?;
        Some(Duration::from_nanos((line_ns - now_ns).min(MOST_LEAD_NS as u64)))
    }

    /// A token leaves now. In time, the beat is kept; after a pause it begins anew.
    pub fn released(&mut self, values: &ParamValues, now_ns: u64) {
        let due = interval_ns(values).map(|interval_ns| (self.due_ns + interval_ns, interval_ns));
        let line_ns = self.line.take().map(|(line_ns, _)| line_ns);
        self.last_line_ns = line_ns;
        self.due_ns = match (line_ns, due) {
            (Some(line_ns), _) => line_ns,
            (None, Some((due_ns, interval_ns))) if now_ns.saturating_sub(due_ns) < interval_ns / 2 => due_ns,
            _ => now_ns,
        };
    }
}

/// The time between two tokens at the present pace; `None` where it is free.
fn interval_ns(values: &ParamValues) -> Option<u64> {
    let pace = values.get(ParamId::Pace);
    // Below a token in ten seconds the knob is taken to stand at 0, which is free.
    (pace >= 0.1).then(|| (1e9 / f64::from(pace)) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// Plays tokens that are computed in a time, and looks at the clock every 5 ms and when a token is due.
    fn play(
        values: &ParamValues,
        timeline: &mut dyn FnMut(u64) -> Timeline,
        compute_ms: u64,
        until_ms: u64,
    ) -> Vec<u64> {
        let (mut beat, mut now_ns, mut released) = (Beat::new(0), 3 * MS, Vec::new());
        while now_ns < until_ms * MS {
            match beat.left(values, timeline(now_ns), now_ns) {
                Some(left) => now_ns += (left.as_nanos() as u64).min(5 * MS),
                None => {
                    now_ns += 400_000;
                    now_ns += beat.drew(400_000, now_ns).map_or(0, |left| left.as_nanos() as u64);
                    beat.released(values, now_ns);
                    released.push(now_ns);
                    now_ns += compute_ms * MS;
                }
            }
        }
        released
    }

    fn values(grid: &str, pace: f32, swing: f32) -> ParamValues {
        let mut values = ParamValues::default();
        values.set(ParamId::Grid, ParamId::Grid.spec().named(grid).unwrap());
        values.set(ParamId::Pace, pace);
        values.set(ParamId::TempoSwing, swing);
        values
    }

    /// The steps' numbers on which tokens came; fails if one is off its line by more than 0.6 ms.
    fn steps(released: &[u64], step_ms: f64) -> Vec<i64> {
        let of = |t_ns: &u64| {
            let step = *t_ns as f64 / 1e6 / step_ms;
            let off_ms = (step - step.round()) * step_ms;
            assert!((-0.01..0.6).contains(&off_ms), "{off_ms} ms off at {step}");
            step.round() as i64
        };
        released.iter().map(of).collect()
    }

    #[test]
    fn a_token_falls_on_each_line_and_on_none_twice() {
        let steady = Timeline::from_the_beginning(120.0);
        for (grid, step_ms) in [
            ("1/4", 500.0),
            ("1/8", 250.0),
            ("1/8t", 500.0 / 3.0),
            ("1/16", 125.0),
            ("1/16t", 250.0 / 3.0),
            ("1/32", 62.5),
        ] {
            let released = play(&values(grid, 0.0, 0.0), &mut |_| steady, 20, 20_000);
            let steps = steps(&released, step_ms);
            assert_eq!(steps, (1..1 + steps.len() as i64).collect::<Vec<_>>(), "{grid}");
        }
        // A model that is slower than the grid falls on every second line or so, and a pace may ask for that.
        let slow = steps(&play(&values("1/16", 0.0, 0.0), &mut |_| steady, 180, 20_000), 125.0);
        assert!(slow.windows(2).all(|w| w[1] - w[0] == 2), "{slow:?}");
        let paced = steps(&play(&values("1/16", 4.0, 0.0), &mut |_| steady, 5, 20_000), 125.0);
        assert!(paced.windows(2).all(|w| w[1] - w[0] == 2), "four a second are every second sixteenth: {paced:?}");
        // Free, the pace alone is kept.
        let free = play(&values("free", 4.0, 0.0), &mut |_| steady, 5, 20_000);
        assert!(free.windows(2).skip(1).all(|w| (w[1] - w[0]).abs_diff(250 * MS) < MS), "{free:?}");
    }

    #[test]
    fn swing_delays_every_second_line_and_no_triplet() {
        let steady = Timeline::from_the_beginning(120.0);
        let released = play(&values("1/16", 0.0, 0.5), &mut |_| steady, 20, 5_000);
        let gaps: Vec<u64> = released.windows(2).map(|w| (w[1] - w[0] + MS / 2) / MS).collect();
        assert!(gaps.chunks(2).all(|gap| gap.iter().all(|ms| matches!(ms, 62 | 63 | 187 | 188))), "{gaps:?}");
        assert!(gaps.windows(2).all(|w| w[0].abs_diff(w[1]) > 100), "{gaps:?}");
        steps(&play(&values("1/8t", 0.0, 0.5), &mut |_| steady, 20, 5_000), 500.0 / 3.0);
    }

    #[test]
    fn a_timeline_that_is_corrected_doubles_and_skips_no_line() {
        // Every 70 ms it is found that the clock is a little earlier or later.
        let mut wander = |now_ns: u64| {
            let off_ms = [0.0, 0.9, -0.8, 1.5, -1.2][(now_ns / (70 * MS)) as usize % 5];
            Timeline::new(0, off_ms / 500.0, 120.0)
        };
        let released = play(&values("1/16", 0.0, 0.0), &mut wander, 10, 20_000);
        let gaps: Vec<u64> = released.windows(2).map(|w| (w[1] - w[0]) / MS).collect();
        assert!(gaps.iter().all(|ms| (121..=130).contains(ms)), "{gaps:?}");
        // A clock that starts from the beginning.
        let mut starts = |now_ns: u64| {
            if now_ns < 5_010 * MS {
                Timeline::from_the_beginning(120.0)
            } else {
                Timeline::new(5_010 * MS, 0.0, 120.0)
            }
        };
        let released = play(&values("1/4", 0.0, 0.0), &mut starts, 10, 20_000);
        assert!(released.windows(2).all(|w| w[1] - w[0] > 120 * MS), "{released:?}");
        assert!(released.iter().filter(|t| **t > 5_600 * MS).all(|t| (t - 5_010 * MS) % (500 * MS) < MS));
    }
}
