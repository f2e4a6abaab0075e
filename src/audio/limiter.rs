//! The last stage: takes away what is not sound (DC), and holds every sample under the ceiling.
//!
//! The limiter looks one chunk ahead, so the sound leaves one chunk later than it is made. Its gain is a straight line
//! over each chunk whose two ends are both low enough for that chunk, so no sample can pass the ceiling, and the gain
//! never jumps.

use super::dsp::{CHUNK, Stereo, follow};
use super::true_peak::TruePeak;

/// The highest ceiling, -1 dB of full scale, between the samples too.
pub const CEILING: f32 = 0.891;
/// What the measure of the true peak may read too low.
const IN_HAND: f32 = 0.95;

#[derive(Clone)]
pub struct Limiter {
    held: Stereo,
    held_peak: f32,
    gain: f32,
    recovery: f32,
    dc: [(f32, f32); 2],
    dc_keep: f32,
    true_peak: [TruePeak; 2],
    ceiling: f32,
}

impl Limiter {
    pub fn new(rate_hz: f32) -> Limiter {
        Limiter {
            held: Stereo::SILENCE,
            held_peak: 0.0,
            gain: 1.0,
            recovery: follow(CHUNK as f32 / rate_hz, 0.25),
            dc: [(0.0, 0.0); 2],
            dc_keep: 1.0 - std::f32::consts::TAU * 6.0 / rate_hz,
            true_peak: [TruePeak::new(), TruePeak::new()],
            ceiling: CEILING,
        }
    }

    /// Sets the ceiling, a part of full scale; never above [`CEILING`].
    pub fn set_ceiling(&mut self, ceiling: f32) {
        if ceiling.is_finite() {
            self.ceiling = ceiling.clamp(0.01, CEILING);
        }
    }

    /// Takes the newest chunk and gives back the one before it, limited.
    pub fn process(&mut self, newest: &Stereo) -> Stereo {
        let mut newest = *newest;
        for ((last_in, last_out), samples) in self.dc.iter_mut().zip([&mut newest.left, &mut newest.right]) {
            for x in samples.iter_mut() {
                *last_out = *x - *last_in + self.dc_keep * *last_out;
                *last_in = *x;
                *x = *last_out;
            }
        }
        let [left, right] = &mut self.true_peak;
        let peak = left.of(&newest.left).max(right.of(&newest.right));
        let most = IN_HAND * self.ceiling;
        let allowed = |peak: f32| if peak > most { most / peak } else { 1.0 };
        let end = (self.gain + (1.0 - self.gain) * self.recovery).min(allowed(self.held_peak)).min(allowed(peak));
        let step = (end - self.gain) / CHUNK as f32;
        let mut out = self.held;
        for i in 0..CHUNK {
            let gain = self.gain + step * (i + 1) as f32;
            out.left[i] = (out.left[i] * gain).clamp(-self.ceiling, self.ceiling);
            out.right[i] = (out.right[i] * gain).clamp(-self.ceiling, self.ceiling);
        }
        self.gain = end;
        self.held = newest;
        self.held_peak = peak;
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_passes_the_ceiling_and_soft_sound_passes_whole() {
        let mut limiter = Limiter::new(48_000.0);
        let mut phase = 0.0f32;
        let mut tone = |loud: f32| {
            let mut chunk = Stereo::SILENCE;
            for i in 0..CHUNK {
                phase += 0.05;
                chunk.left[i] = loud * phase.sin();
                chunk.right[i] = -chunk.left[i];
            }
            chunk
        };
        let mut peak = 0.0f32;
        for i in 0..200 {
            peak = peak.max(limiter.process(&tone(if i % 20 == 7 { 9.0 } else { 0.5 })).peak());
        }
        assert!(peak <= CEILING && peak > 0.8, "{peak}");
        let mut soft = 0.0f32;
        for i in 0..2000 {
            let out = limiter.process(&tone(0.5)).peak();
            soft = if i > 1900 { soft.max(out) } else { 0.0 };
        }
        assert!((soft - 0.5).abs() < 0.01, "{soft}");
    }

    #[test]
    fn dc_is_gone_within_half_a_second() {
        let mut limiter = Limiter::new(48_000.0);
        let chunk = Stereo { left: [0.5; CHUNK], right: [-0.5; CHUNK] };
        let last = (0..375).map(|_| limiter.process(&chunk)).last().unwrap();
        assert!(last.peak() < 0.001);
    }
}
