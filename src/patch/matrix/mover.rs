//! What moves by itself or when something happens: the patch's own waves and envelopes, origins like any signal.
//!
//! A wave is a function of the time alone, chance included: its random steps are hashed from the number of the period,
//! so that it does not matter how often it is looked at.

use crate::score::Happening;

/// A slow wave, `[lfo.NAME]` in the patch.
#[derive(Clone, Debug, PartialEq)]
pub struct Lfo {
    pub name: String,
    pub wave: Wave,
    pub rate_hz: f32,
    /// Where it begins, in periods, 0..1.
    pub phase: f32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wave {
    #[default]
    Sine,
    Triangle,
    /// Rises evenly and falls at once.
    Saw,
    Square,
    /// Another value by chance in each period.
    Steps,
    /// The same, gliding from one to the next.
    Drift,
}

impl Wave {
    /// Words of the patch.
    pub const WORDS: [(&'static str, Wave); 6] = [
        ("sine", Wave::Sine),
        ("triangle", Wave::Triangle),
        ("saw", Wave::Saw),
        ("square", Wave::Square),
        ("steps", Wave::Steps),
        ("drift", Wave::Drift),
    ];
}

impl Lfo {
    /// Its value, 0..1, after so many seconds. `salt` makes the chance of two waves differ.
    pub fn at(&self, seconds: f64, salt: u64) -> f32 {
        let turns = seconds * f64::from(self.rate_hz) + f64::from(self.phase);
        let (period, x) = (turns.floor() as i64 as u64, turns.rem_euclid(1.0) as f32);
        match self.wave {
            Wave::Sine => 0.5 - 0.5 * (std::f32::consts::TAU * x).cos(),
            Wave::Triangle => 1.0 - (2.0 * x - 1.0).abs(),
            Wave::Saw => x,
            Wave::Square => f32::from(x < 0.5),
            Wave::Steps => chance(salt, period),
            Wave::Drift => {
                let (from, to) = (chance(salt, period), chance(salt, period.wrapping_add(1)));
                from + (to - from) * x * x * (3.0 - 2.0 * x)
            }
        }
    }
}

/// An even draw from 0..1 that belongs to these two numbers (splitmix64's finisher).
fn chance(salt: u64, period: u64) -> f32 {
    let mut z = salt.rotate_left(32) ^ period.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 24) as f32
}

/// A rise and a fall whenever something happens, `[envelope.NAME]` in the patch.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    pub name: String,
    pub on: Happening,
    /// Time of the rise, seconds.
    pub attack_s: f32,
    /// Time at the top.
    pub hold_s: f32,
    /// Time in which it falls by 60 dB.
    pub release_s: f32,
}

/// Where an envelope is on its way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Course {
    /// Seconds since it began; `None` at rest.
    since: Option<f32>,
    /// Where it stood when it began: it rises from there, without a step.
    from: f32,
    at: f32,
}

impl Course {
    pub fn begin(&mut self) {
        (self.since, self.from) = (Some(0.0), self.at);
    }

    /// Goes on by `dt_s`; its value, 0..1.
    pub fn go(&mut self, envelope: &Envelope, dt_s: f32) -> f32 {
        let Some(since) = &mut self.since else { return 0.0 };
        *since += dt_s;
        let Envelope { attack_s, hold_s, release_s, .. } = *envelope;
        let fallen_s = *since - attack_s - hold_s;
        self.at = if *since < attack_s {
            self.from + (1.0 - self.from) * *since / attack_s
        } else if fallen_s <= 0.0 {
            1.0
        } else if fallen_s < release_s {
            // From 1 to a thousandth, and the last of it evenly to nothing.
            let way = fallen_s / release_s;
            (-6.907_755 * way).exp() * (1.0 - way)
        } else {
            self.since = None;
            0.0
        };
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lfo(wave: Wave) -> Lfo {
        Lfo { name: "tide".into(), wave, rate_hz: 2.0, phase: 0.0 }
    }

    #[test]
    fn waves_stay_within_their_range_and_repeat() {
        for (word, wave) in Wave::WORDS {
            let lfo = lfo(wave);
            let run: Vec<f32> = (0..1000).map(|i| lfo.at(f64::from(i) * 0.003, 7)).collect();
            assert!(run.iter().all(|x| (0.0..=1.0).contains(x)), "{word}");
            let (low, high) = run.iter().fold((1f32, 0f32), |(l, h), x| (l.min(*x), h.max(*x)));
            assert!(high - low > 0.5, "{word} {low} {high}");
            if !matches!(wave, Wave::Steps | Wave::Drift) {
                assert!((lfo.at(0.1, 0) - lfo.at(100.1, 0)).abs() < 1e-3, "{word}");
            }
        }
        assert_ne!(lfo(Wave::Steps).at(0.1, 1), lfo(Wave::Steps).at(0.1, 2));
        let (drift, mut last) = (lfo(Wave::Drift), None::<f32>);
        for i in 0..5000 {
            let at = drift.at(f64::from(i) * 1e-3, 3);
            assert!(last.is_none_or(|last| (at - last).abs() < 0.01));
            last = Some(at);
        }
    }

    #[test]
    fn an_envelope_rises_from_where_it_is_and_comes_to_rest() {
        let envelope =
            Envelope { name: "hit".into(), on: Happening::Token, attack_s: 0.1, hold_s: 0.05, release_s: 0.4 };
        let mut course = Course::default();
        assert_eq!(course.go(&envelope, 1.0), 0.0);
        course.begin();
        let run: Vec<f32> = (0..70).map(|_| course.go(&envelope, 0.01)).collect();
        assert!(run.windows(2).all(|w| (w[1] - w[0]).abs() < 0.2));
        assert!((run[4] - 0.5).abs() < 1e-3 && run[12] == 1.0 && *run.last().unwrap() == 0.0);
        course.begin();
        (0..25).for_each(|_| _ = course.go(&envelope, 0.01));
        let before = course.at;
        course.begin();
        assert!(before > 0.1 && course.go(&envelope, 0.001) >= before);
    }
}
