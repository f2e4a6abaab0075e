//! Grains of the artist's own sounds: short windows cut from a sample, or the whole of it once, at a pitch and a place.
//!
//! The samples lie in a [`Bank`] that is made elsewhere and only read here; a bank that is exchanged goes back whole, so
//! that nothing is freed in the callback.

use crate::audio::bank::Bank;
use crate::audio::dsp::{CHUNK, Stereo, smoothstep};

/// Grains that may sound at once.
const SLOTS: usize = 32;
/// The edges of a one-shot are this long; those of a grain are half of it each.
const EDGE_S: f32 = 0.008;
/// One that has to make room is gone in this time.
const FADE_S: f32 = 0.01;

/// A grain that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Grain {
    /// Which sample, any number.
    pub sample: u32,
    /// Where in it, 0..1.
    pub from: f32,
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
    bank: Box<Bank>,
    slots: [Option<Slot>; SLOTS],
    begun: u64,
}

#[derive(Clone, Copy)]
struct Slot {
    sample: usize,
    /// Frames into the sample.
    at: f64,
    speed: f64,
    wait: u32,
    /// Frames played and to be played.
    played: u32,
    length: u32,
    edge: f32,
    left: f32,
    right: f32,
    fade: f32,
    leaving: bool,
    age: u64,
}

impl Grains {
    pub fn new(rate_hz: f32) -> Grains {
        Grains { rate_hz, bank: Box::default(), slots: [None; SLOTS], begun: 0 }
    }

    /// Puts another bank in the place of the present one, which comes back to be freed elsewhere. What sounds of the old
    /// one ends at once; a change of bank is a change of patch.
    pub fn swap(&mut self, bank: Box<Bank>) -> Box<Bank> {
        self.slots = [None; SLOTS];
        std::mem::replace(&mut self.bank, bank)
    }

    pub fn begin(&mut self, grain: &Grain) {
        let many = self.bank.samples.len();
        if many == 0 || !(grain.gain > 1e-4) {
            return;
        }
        let sample = grain.sample as usize % many;
        let frames = self.bank.samples[sample].frames() as f32;
        let speed = if grain.speed.is_finite() { grain.speed.clamp(0.0625, 16.0) } else { 1.0 };
        let from = if grain.from.is_finite() { grain.from.clamp(0.0, 1.0) } else { 0.0 };
        let wanted = grain.length_s.map_or(f32::INFINITY, |s| s.clamp(0.005, 60.0) * self.rate_hz);
        // A grain that would run over the end begins earlier.
        let begin = (from * frames).min((frames - wanted * speed).max(0.0));
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
        let edge = match grain.length_s {
            Some(_) => 0.5 * length as f32,
            None => (EDGE_S * self.rate_hz).min(0.5 * length as f32),
        };
        *slot = Some(Slot {
            sample,
            at: f64::from(begin),
            speed: f64::from(speed),
            wait: (grain.after_s.clamp(0.0, 10.0) * self.rate_hz) as u32,
            played: 0,
            length,
            edge,
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
            let Some(sample) = self.bank.samples.get(slot.sample) else {
                *place = None;
                continue;
            };
            for i in std::mem::take(&mut slot.wait) as usize..CHUNK {
                if slot.played >= slot.length {
                    break;
                }
                let edge = (slot.played as f32).min((slot.length - slot.played) as f32) / slot.edge;
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

    fn grains() -> Grains {
        let tone = (0..48_000).flat_map(|i| [(i as f32 * 0.05).sin(); 2]).collect();
        let mut grains = Grains::new(48_000.0);
        grains.swap(Box::new(Bank { samples: vec![Sample::new("tone", tone)] }));
        grains
    }

    fn grain() -> Grain {
        Grain { sample: 7, from: 0.9, length_s: Some(0.5), speed: 2.0, after_s: 0.01, gain: 0.5, place: 0.2 }
    }

    #[test]
    fn a_grain_has_its_length_and_no_edge_that_clicks() {
        let mut grains = grains();
        grains.begin(&grain());
        let run: Vec<f32> = (0..500).flat_map(|_| grains.render().left).collect();
        let sounding = run.iter().filter(|x| **x != 0.0).count();
        assert!((sounding as f32 / 24_000.0 - 1.0).abs() < 0.01, "{sounding}");
        let step = run.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(step < 0.5 * 0.1 * 1.1, "{step}");
        assert!(grains.slots.iter().all(Option::is_none));
    }

    #[test]
    fn absurd_wishes_and_an_empty_bank_are_silence_or_sound() {
        let mut empty = Grains::new(48_000.0);
        empty.begin(&grain());
        assert_eq!(empty.render().peak(), 0.0);
        let mut grains = grains();
        for x in [f32::NAN, f32::INFINITY, -1e9, 0.0, 1e9] {
            grains.begin(&Grain { from: x, length_s: Some(x), speed: x, after_s: 0.0, gain: 0.5, place: x, sample: 1 });
            grains.begin(&Grain { gain: x, length_s: None, ..grain() });
        }
        for _ in 0..300 {
            grains.begin(&grain());
            assert!(grains.render().peak() < 0.5 * 1.3 * SLOTS as f32);
        }
    }
}
