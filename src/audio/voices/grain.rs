//! Grains of the artist's own sounds: short windows cut from a sample, or the whole of it once, at a pitch and a place.
//!
//! The samples lie in a [`Bank`] that is made elsewhere and only read here; a bank that is exchanged is kept until what
//! sounds of it has faded and then goes back whole, so that nothing is freed in the callback.

use crate::audio::bank::Bank;
use crate::audio::dsp::{CHUNK, Stereo, smoothstep};

/// Grains that may sound at once.
const SLOTS: usize = 32;
/// The edges of a one-shot are this long; those of a grain are half of it each, so that grains that follow each other at
/// half their length add up to the sample.
const EDGE_S: f32 = 0.008;
/// A sample that begins at its beginning keeps its attack.
const ATTACK_S: f32 = 0.0005;
/// One that has to make room is gone in this time.
const FADE_S: f32 = 0.01;

/// A grain that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Grain {
    /// Which sample, any number.
    pub sample: u32,
    /// Where in it, 0..1, and so many seconds further.
    pub from: f32,
    pub on_s: f32,
    /// None plays to its end.
    pub length_s: Option<f32>,
    /// 1 is as it was recorded, 2 an octave higher.
    pub speed: f32,
    /// Seconds until it begins.
    pub after_s: f32,
    pub gain: f32,
    /// -1 left, 1 right.
    pub place: f32,
}

pub struct Grains {
    rate_hz: f32,
    bank: Bank,
    /// The bank before, while it still fades.
    leaving: Option<Bank>,
    slots: [Option<Slot>; SLOTS],
    begun: u64,
}

#[derive(Clone, Copy)]
struct Slot {
    /// It sounds from the bank before.
    old: bool,
    sample: usize,
    /// Frames into the sample.
    at: f64,
    speed: f64,
    wait: u32,
    /// Frames played and to be played.
    played: u32,
    length: u32,
    /// Frames of its two edges.
    rise: f32,
    fall: f32,
    left: f32,
    right: f32,
    fade: f32,
    leaving: bool,
    age: u64,
}

impl Grains {
    pub fn new(rate_hz: f32) -> Grains {
        Grains { rate_hz, bank: Bank::default(), leaving: None, slots: [None; SLOTS], begun: 0 }
    }

    /// Whether there is nothing to be played.
    pub fn is_empty(&self) -> bool {
        self.bank.samples.is_empty()
    }

    /// Whether no bank fades any more, so that another may come.
    pub fn settled(&self) -> bool {
        self.leaving.is_none()
    }

    /// Puts another bank in the place of the present one, which fades and is then [`Grains::spent`]. One that fades
    /// already ends at once and comes back.
    pub fn swap(&mut self, bank: Bank) -> Option<Bank> {
        for place in &mut self.slots {
            // What has not begun does not begin.
            *place = place.filter(|slot| !slot.old && slot.played > 0);
            if let Some(slot) = place {
                (slot.old, slot.leaving) = (true, true);
            }
        }
        self.leaving.replace(std::mem::replace(&mut self.bank, bank))
    }

    /// The bank before, to be freed elsewhere, when nothing of it sounds any more.
    pub fn spent(&mut self) -> Option<Bank> {
        if self.slots.iter().flatten().any(|slot| slot.old) { None } else { self.leaving.take() }
    }

    pub fn begin(&mut self, grain: &Grain) {
        let many = self.bank.samples.len();
        if many == 0 || grain.gain.is_nan() || grain.gain < 1e-4 {
            return;
        }
        let sample = grain.sample as usize % many;
        let frames = self.bank.samples[sample].frames() as f32;
        let speed = if grain.speed.is_finite() { grain.speed.clamp(0.0625, 16.0) } else { 1.0 };
        let from = if grain.from.is_finite() { grain.from.clamp(0.0, 1.0) } else { 0.0 };
        let wanted = grain.length_s.map_or(f32::INFINITY, |s| s.clamp(0.005, 60.0) * self.rate_hz);
        // A grain that would run over the end begins earlier.
        let begin = (from * frames + grain.on_s.max(0.0) * self.rate_hz).min((frames - wanted * speed).max(0.0));
        let length = wanted.min((frames - begin) / speed) as u32;
        if length < 8 {
            return;
        }
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.is_none()) else {
            if let Some(oldest) = self.slots.iter_mut().flatten().min_by_key(|slot| slot.age) {
                oldest.leaving = true;
            }
            return;
        };
        self.begun += 1;
        let place = if grain.place.is_finite() { grain.place.clamp(-1.0, 1.0) } else { 0.0 };
        let (right, left) = ((0.9 * place + 1.0) * std::f32::consts::FRAC_PI_4).sin_cos();
        let half = 0.5 * length as f32;
        let (rise, fall) = match grain.length_s {
            Some(_) => (half, half),
            None if begin == 0.0 => (ATTACK_S * self.rate_hz, (EDGE_S * self.rate_hz).min(half)),
            None => ((EDGE_S * self.rate_hz).min(half), (EDGE_S * self.rate_hz).min(half)),
        };
        *slot = Some(Slot {
            old: false,
            sample,
            at: f64::from(begin),
            speed: f64::from(speed),
            wait: (grain.after_s.clamp(0.0, 10.0) * self.rate_hz) as u32,
            played: 0,
            length,
            rise,
            fall,
            left: left * grain.gain,
            right: right * grain.gain,
            fade: 1.0,
            leaving: false,
            age: self.begun,
        });
    }

    pub fn render(&mut self) -> Stereo {
        let mut out = Stereo::SILENCE;
        let fade = 1.0 / (FADE_S * self.rate_hz);
        for place in &mut self.slots {
            let Some(slot) = place else { continue };
            if slot.wait >= CHUNK as u32 {
                slot.wait -= CHUNK as u32;
                continue;
            }
            let bank = if slot.old { self.leaving.as_ref() } else { Some(&self.bank) };
            let Some(sample) = bank.and_then(|bank| bank.samples.get(slot.sample)) else {
                *place = None;
                continue;
            };
            for i in std::mem::take(&mut slot.wait) as usize..CHUNK {
                if slot.played >= slot.length {
                    break;
                }
                let edge = (slot.played as f32 / slot.rise).min((slot.length - slot.played) as f32 / slot.fall);
                if slot.leaving {
                    slot.fade = (slot.fade - fade).max(0.0);
                }
                let [left, right] = sample.at(slot.at);
                let envelope = smoothstep(edge) * slot.fade;
                out.left[i] += slot.left * envelope * left;
                out.right[i] += slot.right * envelope * right;
                slot.at += slot.speed;
                slot.played += 1;
            }
            if slot.played >= slot.length || slot.fade == 0.0 {
                *place = None;
            }
        }
        out
    }

    /// Lets every grain end at once.
    pub fn reset(&mut self) {
        self.slots = [None; SLOTS];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::bank::Sample;

    fn bank(step: f32) -> Bank {
        let tone = (0..48_000).flat_map(|i| [(i as f32 * step).sin(); 2]).collect();
        Bank { samples: [Sample::new(tone)].into() }
    }

    fn grains() -> Grains {
        let mut grains = Grains::new(48_000.0);
        grains.swap(bank(0.05));
        assert!(grains.spent().is_some_and(|old| old.samples.is_empty()));
        grains
    }

    fn grain() -> Grain {
        Grain { sample: 7, from: 0.9, on_s: 0.0, length_s: Some(0.5), speed: 2.0, after_s: 0.01, gain: 0.5, place: 0.2 }
    }

    fn largest_step(run: &[f32]) -> f32 {
        run.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_grain_has_its_length_and_no_edge_that_clicks() {
        let mut grains = grains();
        grains.begin(&grain());
        let run: Vec<f32> = (0..500).flat_map(|_| grains.render().left).collect();
        let sounding = run.iter().filter(|x| **x != 0.0).count();
        assert!((sounding as f32 / 24_000.0 - 1.0).abs() < 0.01, "{sounding}");
        assert!(largest_step(&run) < 0.5 * 0.1 * 1.1, "{}", largest_step(&run));
        assert!(grains.slots.iter().all(Option::is_none));
    }

    #[test]
    fn grains_at_half_their_length_are_the_sample() {
        let mut grains = grains();
        for k in 0..6 {
            let at_s = 0.05 * k as f32;
            grains.begin(&Grain {
                from: 0.0,
                on_s: at_s,
                after_s: at_s,
                length_s: Some(0.1),
                speed: 1.0,
                gain: 1.0,
                place: 0.0,
                ..grain()
            });
        }
        let run: Vec<f32> = (0..200).flat_map(|_| grains.render().left).collect();
        for (i, x) in run.iter().enumerate().take(12_000).skip(3000) {
            let wanted = std::f32::consts::FRAC_1_SQRT_2 * (i as f32 * 0.05).sin();
            assert!((x - wanted).abs() < 0.01, "{i}: {x} for {wanted}");
        }
    }

    #[test]
    fn another_bank_comes_without_a_click_and_the_old_one_goes_back_when_it_has_faded() {
        let mut grains = grains();
        let whole = Grain { length_s: None, from: 0.0, speed: 1.0, after_s: 0.0, ..grain() };
        grains.begin(&whole);
        let mut run: Vec<f32> = (0..50).flat_map(|_| grains.render().left).collect();
        grains.begin(&Grain { after_s: 0.5, ..whole });
        assert!(grains.swap(bank(0.01)).is_none() && !grains.settled() && grains.spent().is_none());
        for _ in 0..9 {
            run.extend(grains.render().left);
        }
        assert!(grains.spent().is_some_and(|old| old.samples[0].at(100.0) == bank(0.05).samples[0].at(100.0)));
        assert!(grains.settled() && grains.slots.iter().all(Option::is_none), "nor does what was waiting sound");
        assert!(largest_step(&run) < 0.5 * 0.05 * 1.1, "{}", largest_step(&run));
        grains.begin(&whole);
        assert!((0..50).map(|_| grains.render().peak()).fold(0.0, f32::max) > 0.2, "the new one plays");
        // Two at once: the first has no time to fade.
        grains.swap(bank(0.02));
        assert!(grains.swap(bank(0.03)).is_some());
        assert_eq!(grains.render().peak(), 0.0);
    }

    #[test]
    fn absurd_wishes_and_an_empty_bank_are_silence_or_sound() {
        let mut empty = Grains::new(48_000.0);
        empty.begin(&grain());
        assert_eq!(empty.render().peak(), 0.0);
        let mut missing = Grains::new(48_000.0);
        missing.swap(Bank { samples: [Sample::new(vec![])].into() });
        missing.begin(&grain());
        assert_eq!(missing.render().peak(), 0.0);
        let mut grains = grains();
        for x in [f32::NAN, f32::INFINITY, -1e9, 0.0, 1e9] {
            let absurd = Grain { from: x, on_s: x, length_s: Some(x), speed: x, after_s: x, place: x, ..grain() };
            grains.begin(&absurd);
            grains.begin(&Grain { gain: 0.5, length_s: None, ..absurd });
        }
        for _ in 0..300 {
            grains.begin(&grain());
            assert!(grains.render().peak() < 0.5 * 1.3 * SLOTS as f32);
        }
    }
}
