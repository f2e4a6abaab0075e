//! The figure: a repetition that was found becomes a rhythm of its period. The notes of the tokens in the loop go round
//! at the pace at which tokens come, softer each time, until the loop is found again or forgotten. A loop that the
//! performer holds goes round for as long: its notes are those of the first time, when it was still unexpected.

use super::dsp::CHUNK;
use super::tempo::Step;
use super::voices::{MODES, Pluck, Plucks};

/// Tokens that are remembered.
const MEMORY: usize = 64;
/// A longer period is heard by its beginning only.
const LONGEST: usize = 16;
/// The pace before there is one.
const USUAL_S: f32 = 0.2;

/// How a figure is played.
#[derive(Clone, Copy, Debug)]
pub struct FigureControl {
    pub gain: f32,
    /// How often it goes round.
    pub rounds: f32,
}

pub struct Figure {
    rate_hz: f32,
    /// The last tokens' notes in Hz, the newest last.
    notes: [f32; MEMORY],
    known: usize,
    /// Seconds between tokens, smoothed.
    pace_s: f32,
    /// Frames since the last token.
    since: u64,
    /// The figure that plays: its notes, which is next, and how many are left to be struck.
    playing: [f32; LONGEST],
    length: usize,
    next: usize,
    left: u32,
    all: u32,
    /// Frames until the next note.
    wait: f32,
    /// The performer holds the loop.
    held: bool,
}

impl Figure {
    pub fn new(rate_hz: f32) -> Figure {
        Figure {
            rate_hz,
            notes: [0.0; MEMORY],
            known: 0,
            pace_s: USUAL_S,
            since: u64::MAX / 2,
            playing: [0.0; LONGEST],
            length: 0,
            next: 0,
            left: 0,
            all: 1,
            wait: 0.0,
            held: false,
        }
    }

    /// A token sounded on this note.
    pub fn token(&mut self, hz: f32) {
        self.notes.rotate_left(1);
        self.notes[MEMORY - 1] = hz;
        self.known = (self.known + 1).min(MEMORY);
        let seconds = (self.since as f32 / self.rate_hz).clamp(0.03, 2.0);
        self.pace_s += (seconds - self.pace_s) * 0.3;
        self.since = 0;
    }

    /// A loop of `period` tokens was found.
    pub fn begin(&mut self, period: u32, control: &FigureControl) {
        if !self.held && control.gain > 0.0 {
            self.start(period, control.rounds);
        }
    }

    /// The performer holds a loop of `period` tokens, the last that were heard; 0 lets it go after one more round.
    pub fn hold(&mut self, period: u32) {
        if period == 0 {
            if self.held {
                (self.held, self.left, self.all) = (false, self.length as u32, self.length as u32);
            }
            return;
        }
        self.start(period, 1.0);
        self.held = self.left > 0;
    }

    fn start(&mut self, period: u32, rounds: f32) {
        let length = (period as usize).clamp(1, LONGEST).min(self.known);
        if length == 0 {
            return;
        }
        let from = MEMORY - (period as usize).clamp(length, self.known);
        self.playing[..length].copy_from_slice(&self.notes[from..from + length]);
        // Going round already, it goes on where it is.
        if self.left == 0 {
            (self.next, self.wait) = (0, 0.5 * self.beat_s() * self.rate_hz);
        }
        self.length = length;
        self.next %= length;
        self.all = ((length as f32 * rounds.clamp(1.0, 64.0)) as u32).max(1);
        self.left = self.all;
    }

    /// Another text begins: what was said is not its.
    pub fn forget(&mut self) {
        (self.known, self.left, self.held) = (0, 0, false);
    }

    /// A beat is half the way from one token to the next, so that the figure runs through the words and not with them.
    fn beat_s(&self) -> f32 {
        (0.5 * self.pace_s).clamp(0.06, 0.4)
    }

    /// Strikes what is due; on a grid a note at each step.
    pub fn chunk(&mut self, control: &FigureControl, step: Step, plucks: &mut Plucks) {
        self.since = self.since.saturating_add(CHUNK as u64);
        if self.left == 0 {
            return;
        }
        self.wait -= CHUNK as f32;
        let after = match step {
            Step::At(frame) => frame,
            Step::Between => return,
            Step::Free if self.wait > 0.0 => return,
            Step::Free => (self.wait + CHUNK as f32).clamp(0.0, CHUNK as f32 - 1.0) as u32,
        };
        self.wait = (self.wait + self.beat_s() * self.rate_hz).max(0.0);
        let fall = self.left as f32 / self.all as f32;
        // The first of a round is the beat.
        let accent = if self.next == 0 { 1.0 } else { 0.55 };
        let side = if self.next.is_multiple_of(2) { -0.55 } else { 0.55 };
        // Unheard, it takes no voice from the others.
        if control.gain > 1e-4 {
            plucks.strike(&Pluck {
                hz: 0.5 * self.playing[self.next],
                colour: 0.12 + 0.2 * (1.0 - fall),
                length_s: 0.28,
                gain: control.gain * accent * fall,
                place: side,
                partials: [1.0; MODES],
                after,
            });
        }
        self.next = (self.next + 1) % self.length;
        self.left -= u32::from(!self.held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(period: u32, rounds: f32) -> Vec<usize> {
        let control = FigureControl { gain: 0.5, rounds };
        let (mut figure, mut plucks) = (Figure::new(48_000.0), Plucks::new(48_000.0, 1));
        for i in 0..40 {
            figure.token(200.0 + i as f32);
            (0..150).for_each(|_| figure.chunk(&control, Step::Free, &mut plucks));
        }
        figure.begin(period, &control);
        let mut struck = Vec::new();
        for chunk in 0..8000 {
            let left = figure.left;
            figure.chunk(&control, Step::Free, &mut plucks);
            if figure.left < left {
                struck.push(chunk);
            }
        }
        struck
    }

    #[test]
    fn it_goes_round_at_half_the_tokens_pace_and_ends() {
        let struck = rounds(3, 4.0);
        assert_eq!(struck.len(), 12);
        // Tokens came every 150 chunks, so a beat is 75.
        assert!(struck.windows(2).all(|w| (w[1] - w[0]).abs_diff(75) <= 2), "{struck:?}");
        assert_eq!(rounds(u32::MAX, 2.0).len(), 2 * LONGEST);
    }

    #[test]
    fn a_held_loop_goes_round_until_it_is_let_go() {
        let control = FigureControl { gain: 0.5, rounds: 2.0 };
        let (mut figure, mut plucks) = (Figure::new(48_000.0), Plucks::new(48_000.0, 1));
        (0..8).for_each(|i| figure.token(200.0 + i as f32));
        figure.hold(4);
        // What comes later is not its melody.
        (0..8).for_each(|_| figure.token(50.0));
        figure.begin(2, &control);
        assert_eq!(figure.playing[..4], [204.0, 205.0, 206.0, 207.0]);
        (0..20_000).for_each(|_| figure.chunk(&control, Step::Free, &mut plucks));
        assert!(figure.left > 0);
        figure.hold(0);
        (0..20_000).for_each(|_| figure.chunk(&control, Step::Free, &mut plucks));
        assert_eq!(figure.left, 0);
        figure.hold(0);
        assert_eq!(figure.left, 0);
    }

    #[test]
    fn a_loop_without_words_is_silent() {
        let control = FigureControl { gain: 0.5, rounds: 4.0 };
        let mut figure = Figure::new(48_000.0);
        figure.begin(3, &control);
        assert_eq!(figure.left, 0);
        figure.token(220.0);
        figure.begin(0, &control);
        assert_eq!(figure.length, 1);
        figure.forget();
        assert_eq!(figure.left, 0);
    }
}
