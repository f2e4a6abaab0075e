//! The MIDI clock: at a fixed tempo, on the instrument's own beats, or at the tokens' pace.

use super::Short;
use super::beats::Beats;
use super::short::{CONTINUE, START, STOP, TICK};
use crate::patch::midi_out::ClockFrom;
use crate::score::Timeline;

/// Ticks of a beat.
pub(super) const PER_BEAT: f64 = 24.0;
/// MIDI asks for a millisecond at least between the start and the first tick.
pub(super) const LEAD_NS: f64 = 2e6;
/// Ticks that are later than this are left out: a burst of them would make a sequencer leap.
pub(super) const TOO_LATE_NS: f64 = 250e6;
/// Where the tokens' pace goes beyond these, it is halved or doubled: a sequencer follows no other.
const SLOWEST_BPM: f64 = 30.0;
const FASTEST_BPM: f64 = 300.0;
/// How much of a tick's distance from the tokens is made good with each tick, and how much faster or slower at most.
const PULL: f64 = 0.25;
const MOST_PULL: f64 = 0.25;
/// After so many steps without a token, and a second, the clock stops until one comes.
const QUIET_STEPS: f64 = 4.0;
const QUIET_NS: f64 = 1e9;

/// A clock of any kind.
#[derive(Clone, Debug)]
pub enum Pulse {
    Steady(Steady),
    Beats(Beats),
    Pace(Pace),
}

impl Pulse {
    pub fn new(from: ClockFrom) -> Pulse {
        match from {
            ClockFrom::Bpm(bpm) => {
                Pulse::Steady(Steady { tick_ns: 60e9 / (f64::from(bpm) * PER_BEAT), next: 0.0, started: false })
            }
            ClockFrom::Tempo => Pulse::Beats(Beats::default()),
            ClockFrom::PerToken(ticks) => Pulse::Pace(Pace::new(ticks)),
        }
    }

    /// The beats are others from now on.
    pub fn retime(&mut self, timeline: Timeline, now_ns: u64) {
        if let Pulse::Beats(beats) = self {
            beats.retime(timeline, now_ns);
        }
    }

    /// A token was drawn at `t_ns`.
    pub fn token(&mut self, t_ns: u64, out: &mut Vec<Short>) {
        if let Pulse::Pace(pace) = self {
            pace.token(t_ns as f64, out);
        }
    }

    /// Sends what is due.
    pub fn go(&mut self, now_ns: u64, out: &mut Vec<Short>) {
        match self {
            Pulse::Steady(steady) => steady.go(now_ns as f64, out),
            Pulse::Beats(beats) => beats.go(now_ns, out),
            Pulse::Pace(pace) => pace.go(now_ns as f64, out),
        }
    }

    /// When something is due next.
    pub fn due_ns(&self) -> Option<u64> {
        match self {
            Pulse::Steady(steady) => {
                Some(if steady.started { (steady.next * steady.tick_ns).ceil() as u64 } else { 0 })
            }
            Pulse::Beats(beats) => beats.due_ns(),
            Pulse::Pace(pace) => pace.running.map(|next| next.min(pace.quiet_ns()).ceil() as u64),
        }
    }

    /// Sends the stop if it runs; it starts anew when it goes on.
    pub fn stop(&mut self, out: &mut Vec<Short>) {
        let runs = match self {
            Pulse::Steady(steady) => std::mem::take(&mut steady.started),
            Pulse::Beats(beats) => beats.stop(),
            Pulse::Pace(pace) => {
                let runs = pace.running.is_some();
                *pace = Pace::new(pace.per_token);
                runs
            }
        };
        if runs {
            out.push(STOP);
        }
    }
}

/// Ticks on a grid that begins with the performance, so that every synthesiser has its beats at the same time.
#[derive(Clone, Debug)]
pub struct Steady {
    tick_ns: f64,
    /// The number of the next tick on the grid.
    next: f64,
    started: bool,
}

impl Steady {
    fn go(&mut self, now_ns: f64, out: &mut Vec<Short>) {
        if !self.started {
            self.started = true;
            // From the next beat.
            self.next = ((now_ns + LEAD_NS) / (self.tick_ns * PER_BEAT)).ceil() * PER_BEAT;
            out.push(START);
        }
        if now_ns - self.next * self.tick_ns > TOO_LATE_NS {
            self.next = (now_ns / self.tick_ns).floor();
        }
        while self.next * self.tick_ns <= now_ns {
            self.next += 1.0;
            out.push(TICK);
        }
    }
}

/// Ticks that follow the tokens: even, at their smoothed pace, and drawn towards them, so that over time each token has
/// its share.
#[derive(Clone, Debug)]
pub struct Pace {
    per_token: u8,
    /// Tokens and ticks are halved or doubled so often.
    fold: i32,
    /// From token to token, smoothed as `token.rate` is. 0: not known yet.
    step_ns: f64,
    token_ns: Option<f64>,
    /// Ticks that the tokens so far have brought and that were not sent.
    owed: f64,
    /// The time of the next tick, while it runs.
    running: Option<f64>,
    /// It ran before: it goes on and does not start again.
    started: bool,
}

impl Pace {
    fn new(per_token: u8) -> Pace {
        Pace { per_token, fold: 0, step_ns: 0.0, token_ns: None, owed: 0.0, running: None, started: false }
    }

    /// Ticks to a token.
    fn ticks(&self) -> f64 {
        f64::from(self.per_token) * 2f64.powi(self.fold)
    }

    fn quiet_ns(&self) -> f64 {
        self.token_ns.unwrap_or(0.0) + (QUIET_STEPS * self.step_ns).max(QUIET_NS)
    }

    fn token(&mut self, t_ns: f64, out: &mut Vec<Short>) {
        // A rest is no step of the pace.
        if let Some(last) = self.token_ns.filter(|_| self.running.is_some() || self.step_ns == 0.0) {
            let step = (t_ns - last).max(1e5);
            self.step_ns = if self.step_ns == 0.0 { step } else { 0.75 * self.step_ns + 0.25 * step };
            self.fold_tempo();
        }
        self.token_ns = Some(t_ns);
        if self.step_ns == 0.0 {
            return;
        }
        if self.running.is_none() {
            out.push(if self.started { CONTINUE } else { START });
            self.started = true;
            self.running = Some(t_ns + LEAD_NS);
            self.owed = 0.0;
        }
        // What is far off is given up, for making it good would be a leap.
        self.owed = (self.owed + self.ticks()).clamp(-self.ticks(), 2.0 * self.ticks());
    }

    /// Halves or doubles until a sequencer can follow. The two bounds are more than an octave apart, so that it does
    /// not flutter between two tempos.
    fn fold_tempo(&mut self) {
        loop {
            let bpm = 60e9 / self.step_ns * self.ticks() / PER_BEAT;
            let step = match bpm {
                bpm if bpm > FASTEST_BPM => -1,
                bpm if bpm < SLOWEST_BPM => 1,
                _ => return,
            };
            self.fold += step;
            self.owed *= 2f64.powi(step);
        }
    }

    fn go(&mut self, now_ns: f64, out: &mut Vec<Short>) {
        if self.running.is_some() && now_ns >= self.quiet_ns() {
            self.running = None;
            out.push(STOP);
        }
        while let Some(due) = self.running.filter(|due| *due <= now_ns) {
            let due = if now_ns - due > TOO_LATE_NS { now_ns } else { due };
            out.push(TICK);
            self.owed -= 1.0;
            let ticks = self.ticks();
            // Evenly spent, so much would be left at this place between two tokens.
            let way = (due - self.token_ns.unwrap_or(due)) / self.step_ns;
            let behind = self.owed - ticks * (1.0 - way);
            let pull = (PULL * behind / ticks.max(1.0)).clamp(-MOST_PULL, MOST_PULL);
            self.running = Some(due + self.step_ns / ticks / (1.0 + pull));
        }
    }
}
