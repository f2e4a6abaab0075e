//! The ghosts: the roads that were not taken. Each rejected candidate is a soft tone round the chosen one, glass where
//! that is wood, the louder the likelier it was, and comes after it as an echo of what might have been.

use crate::audio::dsp::{CHUNK, Noise, Stereo, advance, sine, smoothstep};

/// Tones that may sound at once; a new one takes the place of the softest.
const SLOTS: usize = 24;
/// A ghost is never struck: it fades in.
const RISE_S: f32 = 0.06;
/// An older one that has to make room is gone in this time.
const FADE_S: f32 = 0.02;

/// One candidate.
#[derive(Clone, Copy, Debug)]
pub struct Ghost {
    pub hz: f32,
    /// Its probability, 0..1.
    pub p: f32,
    /// -1 left, 1 right.
    pub place: f32,
    /// Seconds until it is heard.
    pub after_s: f32,
    /// Seconds in which it falls by 60 dB.
    pub length_s: f32,
    pub gain: f32,
}

#[derive(Clone)]
pub struct Ghosts {
    rate_hz: f32,
    slots: [Option<Slot>; SLOTS],
    noise: Noise,
}

#[derive(Clone, Copy)]
struct Slot {
    /// Frames until it begins.
    wait: u32,
    /// The tone and the one beside it, with which it shimmers.
    phase: [f32; 2],
    step: [f32; 2],
    /// 0..1 of the rise.
    rise: f32,
    level: f32,
    fall: f32,
    left: f32,
    right: f32,
    leaving: bool,
    leave: f32,
}

impl Ghosts {
    pub fn new(rate_hz: f32, seed: u64) -> Ghosts {
        Ghosts { rate_hz, slots: [None; SLOTS], noise: Noise::new(seed ^ 0x6768_6f73) }
    }

    pub fn appear(&mut self, ghost: &Ghost) {
        let weight = ghost.p.clamp(0.0, 1.0).sqrt();
        let level = ghost.gain * weight;
        if level.is_nan() || level < 1e-4 {
            return;
        }
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.is_none()) else {
            // The softest leaves; this one is let go, for the next will find room.
            let softest = self.slots.iter_mut().flatten().min_by(|a, b| a.level.total_cmp(&b.level));
            if let Some(softest) = softest {
                softest.leaving = true;
            }
            return;
        };
        let hz = ghost.hz.clamp(30.0, 0.2 * self.rate_hz);
        // What the model thought likely stands firm, the unlikely wavers.
        let beat_hz = 0.8 + 5.0 * (1.0 - weight);
        let angle = (0.9 * ghost.place.clamp(-1.0, 1.0) + 1.0) * std::f32::consts::FRAC_PI_4;
        let (right, left) = angle.sin_cos();
        *slot = Some(Slot {
            wait: (ghost.after_s.clamp(0.0, 5.0) * self.rate_hz) as u32,
            phase: [self.noise.unit(), self.noise.unit()],
            step: [hz / self.rate_hz, (hz + beat_hz) / self.rate_hz],
            rise: 0.0,
            level,
            fall: (-6.9 / (ghost.length_s.clamp(0.05, 20.0) * self.rate_hz)).exp(),
            left,
            right,
            leaving: false,
            leave: 1.0,
        });
    }

    pub fn render(&mut self) -> Stereo {
        let mut out = Stereo::SILENCE;
        let (rise, leave) = (1.0 / (RISE_S * self.rate_hz), 1.0 / (FADE_S * self.rate_hz));
        for place in &mut self.slots {
            let Some(slot) = place else { continue };
            if slot.wait >= CHUNK as u32 {
                slot.wait -= CHUNK as u32;
                continue;
            }
            for i in std::mem::take(&mut slot.wait) as usize..CHUNK {
                slot.rise = (slot.rise + rise).min(1.0);
                if slot.leaving {
                    slot.leave = (slot.leave - leave).max(0.0);
                }
                slot.level *= slot.fall;
                advance(&mut slot.phase[0], slot.step[0]);
                advance(&mut slot.phase[1], slot.step[1]);
                let tone = 0.6 * sine(slot.phase[0]) + 0.4 * sine(slot.phase[1]);
                let x = slot.level * smoothstep(slot.rise) * slot.leave * tone;
                out.left[i] += slot.left * x;
                out.right[i] += slot.right * x;
            }
            if slot.level < 1e-5 || slot.leave == 0.0 || slot.level.is_nan() {
                *place = None;
            }
        }
        out
    }

    /// Lets every ghost vanish at once.
    pub fn reset(&mut self) {
        self.slots = [None; SLOTS];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ghost(p: f32, after_s: f32) -> Ghost {
        Ghost { hz: 440.0, p, place: 0.3, after_s, length_s: 0.5, gain: 0.3 }
    }

    #[test]
    fn the_likelier_is_the_louder_and_each_has_its_time() {
        let loudness = |p| {
            let mut ghosts = Ghosts::new(48_000.0, 1);
            ghosts.appear(&ghost(p, 0.1));
            let peaks: Vec<f32> = (0..900).map(|_| ghosts.render().peak()).collect();
            assert!(peaks[..74].iter().all(|peak| *peak == 0.0), "it waits a tenth of a second");
            assert_eq!(peaks[899], 0.0, "and is gone in the end");
            peaks.into_iter().fold(0.0, f32::max)
        };
        assert!(loudness(0.4) > 1.5 * loudness(0.1));
        let mut ghosts = Ghosts::new(48_000.0, 1);
        ghosts.appear(&ghost(f32::NAN, 0.0));
        ghosts.appear(&ghost(0.0, 0.0));
        assert_eq!(ghosts.render().peak(), 0.0);
    }

    #[test]
    fn a_crowd_makes_room_without_a_step() {
        let mut ghosts = Ghosts::new(48_000.0, 1);
        let (mut last, mut worst) = (0.0f32, 0.0f32);
        for i in 0..3000 {
            ghosts.appear(&ghost(0.2 + 0.1 * (i % 5) as f32, 0.001 * (i % 7) as f32));
            for x in ghosts.render().left {
                worst = worst.max((x - last).abs());
                last = x;
            }
        }
        // All of them in step at 440 Hz move no faster.
        assert!(worst < SLOTS as f32 * 0.3 * 0.8 * std::f32::consts::TAU * 440.0 / 48_000.0, "{worst}");
    }
}
