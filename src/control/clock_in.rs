//! A MIDI clock that comes in: from its ticks and the times at which they came to a tempo and a place in the song. Pure.
//!
//! A straight line is laid through the last four beats of ticks: of ±5 ms of jitter two beats leave 0.2 % of the tempo.
//! A tick that was lost or came twice puts all later ones off by a whole tick, and is counted in; ticks that run off
//! are another tempo, for which the line begins anew.

#[cfg(test)]
mod tests;

use super::score_out::short::{CONTINUE, START, STOP, TICK};
use crate::score::Timeline;
use crate::score::tempo::{FASTEST_BPM, SLOWEST_BPM};

/// Ticks of a beat, and of the sixteenths in which the song's place is told.
pub const PER_BEAT: i64 = 24;
const PER_SIXTEENTH: i64 = 6;
/// The status of the song's place; two bytes follow.
const SONG_PLACE: u8 = 0xf2;

/// Ticks in the line at most, and so many at least before it says anything.
const MOST: usize = 96;
const LEAST: usize = 6;
/// Ticks in a row, each off by more than half a tick, after which it is decided what they mean; the first of them may
/// be off by less than the rest, and are left out.
const DOUBTFUL: usize = 10;
const UNSETTLED: usize = 2;
/// So many times among them ticks may be lost again; more of it is another tempo.
const JUMPS: usize = 2;
/// Ticks were lost where the row is off by whole ticks, but for this part of one, and each tick among which more were lost
/// but for this part. A master that stumbled and goes on later by some other part has lost none.
const WHOLE: f64 = 0.2;
const NEAR: f64 = 0.25;
/// So many of the newest ticks must lie about the line; else the older ones belong to another tempo.
const NEWEST: usize = 12;
/// The clock is followed once its tempo is known to this part, or after two beats in any case.
const SURE: f64 = 0.004;
const SURE_TICKS: usize = 48;
/// No clock is more even than this, whatever a few ticks say.
const EVEN_NS: f64 = 0.1e6;
/// What the timeline may be off by before it is corrected, and by what it is corrected at once.
const OFF_NS: f64 = 0.5e6;
const FAR_OFF_NS: f64 = 5e6;
/// Ticks between two corrections of what is not far off, and the time between any two: ticks may come in a flood.
const APART: i64 = 12;
const APART_NS: u64 = 10_000_000;
/// By so much of it a tempo must be beyond those that are followed before it is left, and so near it must come before it
/// is followed again: jitter does not carry one at the bounds to and fro.
const LEFT: f64 = 0.01;
const BACK: f64 = 0.005;
/// A clock is gone after two beats of silence, but no sooner than at the fastest tempo; if no tempo is known yet, after
/// two seconds.
const SILENT_TICKS: f64 = 48.0;
const SILENT_LEAST_NS: f64 = 2.0 * 60e9 / FASTEST_BPM;
const SILENT_NS: f64 = 2e9;

/// What a byte of the clock's said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Tick,
    /// It goes on, from the beginning or from where it stood.
    Start,
    Stop,
}

/// The clock of one port.
#[derive(Clone, Debug, Default)]
pub struct ClockIn {
    /// The ticks in the line.
    ticks: Vec<Tick>,
    doubtful: Vec<Tick>,
    line: Option<Line>,
    /// The number of the next tick; counts up for ever.
    next: i64,
    /// What makes of a tick's number its place in the song.
    shift: i64,
    /// The place at which it goes on.
    song: i64,
    last_ns: Option<u64>,
    /// When it said anything, a tick or else.
    heard_ns: u64,
    /// It has started, and no tick came since.
    started: bool,
    /// The tick at which the timeline was corrected last, and when.
    corrected: i64,
    corrected_ns: Option<u64>,
    /// Its tempo is none that is followed.
    outside: bool,
}

#[derive(Clone, Copy, Debug)]
struct Tick {
    number: i64,
    t_ns: f64,
}

/// A line through ticks: when each number comes.
#[derive(Clone, Copy, Debug)]
struct Line {
    number: i64,
    t_ns: f64,
    step_ns: f64,
    /// How far its ticks lie about it (root of the mean square), and how many they are.
    spread_ns: f64,
    count: usize,
}

/// Whether a message is the clock's own.
pub fn is_clock(message: &[u8]) -> bool {
    let of_one = [TICK, START, CONTINUE, STOP].iter().any(|short| short.bytes() == message);
    of_one || (message.len() == 3 && message[0] == SONG_PLACE)
}

impl ClockIn {
    /// A clock whose next tick is at this place, in ticks, until it says something else.
    pub fn at(place: i64) -> ClockIn {
        ClockIn { shift: place, song: place, ..ClockIn::default() }
    }

    /// Takes a message that came at `t_ns`.
    pub fn hear(&mut self, t_ns: u64, message: &[u8]) -> Option<Said> {
        self.heard_ns = t_ns;
        match *message {
            [byte] if [byte] == TICK.bytes() => {
                self.tick(t_ns);
                Some(Said::Tick)
            }
            [byte] if [byte] == START.bytes() => {
                self.song = 0;
                Some(self.start())
            }
            [byte] if [byte] == CONTINUE.bytes() => Some(self.start()),
            [byte] if [byte] == STOP.bytes() => {
                self.song = self.next + self.shift;
                Some(Said::Stop)
            }
            [SONG_PLACE, low, high] => {
                self.song = PER_SIXTEENTH * (i64::from(low & 127) | i64::from(high & 127) << 7);
                None
            }
            _ => None,
        }
    }

    /// Whether nothing came for so long that there is no clock any more.
    pub fn is_silent(&self, now_ns: u64) -> bool {
        now_ns.saturating_sub(self.heard_ns) as f64 > self.patience_ns()
    }

    fn patience_ns(&self) -> f64 {
        self.line.map_or(SILENT_NS, |line| (SILENT_TICKS * line.step_ns).max(SILENT_LEAST_NS))
    }

    /// Whether its tempo is known and can be followed.
    pub fn is_locked(&self) -> bool {
        !self.outside && self.line.is_some_and(|line| line.is_sure())
    }

    /// The tempo that it ticks at, where that is known and none that is followed.
    pub fn outside(&self) -> Option<f64> {
        self.line.filter(|_| self.outside).map(|line| line.bpm())
    }

    /// The timeline as the clock has it.
    pub fn timeline(&self) -> Option<Timeline> {
        let line = self.line.filter(|_| self.is_locked())?;
        Some(Timeline::new(line.at(self.next - 1) as u64, self.place(), line.bpm()))
    }

    /// After a tick: the timeline that is to be from now on, where `present` has come too far off.
    pub fn correction(&mut self, present: &Timeline) -> Option<Timeline> {
        let last_ns = self.last_ns.filter(|_| !self.outside)?;
        if self.corrected_ns.is_some_and(|corrected| last_ns < corrected + APART_NS) {
            return None;
        }
        let right = self.due(present, last_ns)?;
        self.corrected_ns = Some(last_ns);
        Some(right)
    }

    fn due(&mut self, present: &Timeline, last_ns: u64) -> Option<Timeline> {
        let started = std::mem::take(&mut self.started);
        let Some(right) = self.timeline() else {
            // The tempo will follow; the beat is known.
            return started.then(|| Timeline::new(last_ns, self.place(), present.bpm()));
        };
        let line = self.line?;
        let t_ns = line.at(self.next - 1) as u64;
        let off_ns = ((present.beats(t_ns) - right.beats(t_ns)) * right.beat_ns()).abs();
        // Twice what the line itself may be off by at its end.
        let bound_ns = OFF_NS.max(2.0 * 2.0 * line.spread_ns / (line.count as f64).sqrt());
        let due = off_ns > FAR_OFF_NS.max(bound_ns) || (off_ns > bound_ns && self.next >= self.corrected + APART);
        if due {
            self.corrected = self.next;
        }
        due.then_some(right)
    }

    /// The beat of the last tick.
    fn place(&self) -> f64 {
        (self.next - 1 + self.shift) as f64 / PER_BEAT as f64
    }

    fn start(&mut self) -> Said {
        self.shift = self.song - self.next;
        self.started = true;
        Said::Start
    }

    fn tick(&mut self, t_ns: u64) {
        if self.last_ns.is_some_and(|last| t_ns.saturating_sub(last) as f64 > self.patience_ns()) {
            (self.ticks, self.doubtful, self.line, self.outside) = (Vec::new(), Vec::new(), None, false);
        }
        let t_ns = t_ns.max(self.last_ns.unwrap_or(0));
        self.last_ns = Some(t_ns);
        let tick = Tick { number: self.next, t_ns: t_ns as f64 };
        self.next += 1;
        if let Some(line) = self.line
            && (tick.t_ns - line.at(tick.number)).abs() > 0.5 * line.step_ns
        {
            self.doubtful.push(tick);
            if self.doubtful.len() == DOUBTFUL {
                self.decide(&line);
            }
            return;
        }
        // One tick alone that was late says nothing.
        self.doubtful.clear();
        self.ticks.push(tick);
        self.lay();
    }

    /// A row of ticks is off: ticks were lost or doubled before them, or among them as well, or it is another tempo.
    fn decide(&mut self, line: &Line) {
        let row = self.doubtful.split_off(UNSETTLED);
        self.doubtful.clear();
        let off = |tick: &Tick| (tick.t_ns - line.at(tick.number)) / line.step_ns;
        let mean = (row.iter().map(off).sum::<f64>() / row.len() as f64).round();
        // Where all lie at places of the line and few jump, each counts for itself; else all are off by the same.
        let jumps = row.windows(2).filter(|two| off(&two[0]).round() != off(&two[1]).round()).count();
        let among = (1..=JUMPS).contains(&jumps) && row.iter().all(|tick| (off(tick) - off(tick).round()).abs() < NEAR);
        let lost: Vec<f64> = row.iter().map(|tick| if among { off(tick).round() } else { mean }).collect();
        let rest = row.iter().zip(&lost).map(|(tick, lost)| off(tick) - lost).sum::<f64>() / row.len() as f64;
        let mut counted = row.clone();
        counted.iter_mut().zip(&lost).for_each(|(tick, lost)| tick.number += *lost as i64);
        let bound_ns = 3.0 * slope_ns(line.spread_ns, row.len()) + 0.005 * line.step_ns;
        let same_tempo = (Line::through(&counted).step_ns - line.step_ns).abs() < bound_ns;
        if lost.iter().any(|lost| *lost != 0.0) && rest.abs() < WHOLE && same_tempo {
            self.next += lost.last().map_or(0, |lost| *lost as i64);
            self.ticks.append(&mut counted);
        } else {
            self.ticks = row;
        }
        self.lay();
    }

    /// Lays the line through the ticks.
    fn lay(&mut self) {
        let surplus = self.ticks.len().saturating_sub(MOST);
        self.ticks.drain(..surplus);
        if self.ticks.len() < LEAST {
            return;
        }
        let mut line = Line::through(&self.ticks);
        if self.ticks.len() >= 2 * NEWEST {
            let (old, new) = self.ticks.split_at(self.ticks.len() - NEWEST);
            let mean = new.iter().map(|tick| tick.t_ns - line.at(tick.number)).sum::<f64>() / NEWEST as f64;
            if mean.abs() > 1.5 * line.spread(old).max(3.0 * EVEN_NS) {
                self.ticks.drain(..self.bend());
                if self.ticks.len() < LEAST {
                    return;
                }
                line = Line::through(&self.ticks);
            }
        }
        let by = if self.outside { BACK } else { LEFT };
        self.outside = line.is_sure() && !(SLOWEST_BPM * (1.0 - by)..=FASTEST_BPM * (1.0 + by)).contains(&line.bpm());
        self.line = Some(line);
    }
}

impl ClockIn {
    /// Where the ticks bend: two lines, up to it and from it on, lie closest to them.
    fn bend(&self) -> usize {
        let distance = |ticks: &[Tick]| Line::through(ticks).spread(ticks).powi(2) * ticks.len() as f64;
        let count = self.ticks.len();
        let of = |at: &usize| distance(&self.ticks[..*at]) + distance(&self.ticks[*at..]);
        let places = count - 2 * NEWEST + UNSETTLED..=count - UNSETTLED;
        places.min_by(|a, b| of(a).total_cmp(&of(b))).unwrap_or(0)
    }
}

/// What the step of a line may be off by, of so many ticks that lie so far about it.
fn slope_ns(spread_ns: f64, count: usize) -> f64 {
    spread_ns.max(EVEN_NS) * (12.0 / (count as f64).powi(3)).sqrt()
}

impl Line {
    /// The line of the least squares; of two ticks at least.
    fn through(ticks: &[Tick]) -> Line {
        let (first, count) = (ticks[0], ticks.len() as f64);
        let places = ticks.iter().map(|tick| ((tick.number - first.number) as f64, tick.t_ns - first.t_ns));
        let (mut x, mut y) = (0.0, 0.0);
        places.clone().for_each(|(n, t)| (x, y) = (x + n / count, y + t / count));
        let (mut xx, mut xy) = (0.0, 0.0);
        places.for_each(|(n, t)| (xx, xy) = (xx + (n - x) * (n - x), xy + (n - x) * (t - y)));
        // Between a tick and itself there is no step; 1 ns keeps what divides by it finite.
        let step_ns = if xx > 0.0 { (xy / xx).max(1.0) } else { 1.0 };
        let line = Line {
            number: first.number,
            t_ns: first.t_ns + y - x * step_ns,
            step_ns,
            spread_ns: 0.0,
            count: ticks.len(),
        };
        Line { spread_ns: line.spread(ticks), ..line }
    }

    fn bpm(&self) -> f64 {
        60e9 / (self.step_ns * PER_BEAT as f64)
    }

    /// Whether it says the tempo well enough.
    fn is_sure(&self) -> bool {
        self.count >= SURE_TICKS || self.slope_ns() < SURE * self.step_ns
    }

    fn at(&self, number: i64) -> f64 {
        self.t_ns + (number - self.number) as f64 * self.step_ns
    }

    /// How far ticks lie about it.
    fn spread(&self, ticks: &[Tick]) -> f64 {
        let squares = ticks.iter().map(|tick| (tick.t_ns - self.at(tick.number)).powi(2));
        (squares.sum::<f64>() / ticks.len() as f64).sqrt()
    }

    fn slope_ns(&self) -> f64 {
        slope_ns(self.spread_ns, self.count)
    }
}
