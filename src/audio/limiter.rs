//! The last stage: takes away what is not sound (DC), and holds every sample under the ceiling.
//!
//! The limiter looks one chunk ahead, so the sound leaves one chunk later than it is made. Its gain is a straight line
//! over each chunk whose two ends are both low enough for that chunk, so no sample can pass the ceiling, and the gain
//! never jumps.

use super::dsp::{CHUNK, Chunk, Ramp, follow};
use super::true_peak::TruePeak;
use crate::score::layout::MOST_CHANNELS;

/// The highest ceiling, -1 dB of full scale, between the samples too.
pub const CEILING: f32 = 0.891;
/// What the measure of the true peak may read too low.
const IN_HAND: f32 = 0.95;

#[derive(Clone)]
pub struct Limiter {
    held: [Chunk; MOST_CHANNELS],
    held_peak: f32,
    gain: f32,
    recovery: f32,
    dc: [(f32, f32); MOST_CHANNELS],
    dc_keep: f32,
    true_peak: [TruePeak; MOST_CHANNELS],
    ceiling: f32,
    /// Where the ceiling is going.
    wanted: f32,
    ceiling_part: f32,
}

impl Limiter {
    /// Its channels share one gain.
    pub fn new(rate_hz: f32) -> Limiter {
        Limiter {
            held: [[0.0; CHUNK]; MOST_CHANNELS],
            held_peak: 0.0,
            gain: 1.0,
            recovery: follow(CHUNK as f32 / rate_hz, 0.25),
            dc: [(0.0, 0.0); MOST_CHANNELS],
            dc_keep: 1.0 - std::f32::consts::TAU * 6.0 / rate_hz,
            true_peak: std::array::from_fn(|_| TruePeak::new()),
            ceiling: CEILING,
            wanted: CEILING,
            ceiling_part: follow(CHUNK as f32 / rate_hz, 0.05),
        }
    }

    /// Sets the ceiling, a part of full scale, which is reached softly; never above [`CEILING`].
    pub fn set_ceiling(&mut self, ceiling: f32) {
        if ceiling.is_finite() {
            self.wanted = ceiling.clamp(0.01, CEILING);
        }
    }

    /// Forgets what it holds, and keeps its ceiling.
    pub fn reset(&mut self) {
        self.held = [[0.0; CHUNK]; MOST_CHANNELS];
        (self.held_peak, self.gain) = (0.0, 1.0);
        self.dc = [(0.0, 0.0); MOST_CHANNELS];
        self.true_peak = std::array::from_fn(|_| TruePeak::new());
    }

    /// What of the last sample the DC blocker keeps.
    pub fn dc_keep(&self) -> f32 {
        self.dc_keep
    }

    /// Takes the newest chunk of each channel, and puts the one before it, limited, in its place. Gives the gain it had.
    pub fn process(&mut self, chunks: &mut [Chunk]) -> Ramp {
        let mut peak = 0.0f32;
        for ((chunk, (last_in, last_out)), true_peak) in chunks.iter_mut().zip(&mut self.dc).zip(&mut self.true_peak) {
            for x in chunk.iter_mut() {
                *last_out = *x - *last_in + self.dc_keep * *last_out;
                *last_in = *x;
                // What is all but zero costs the processor dearly.
                *last_out = if last_out.abs() < 1e-15 { 0.0 } else { *last_out };
                *x = *last_out;
            }
            peak = peak.max(true_peak.of(chunk));
        }
        let before = self.ceiling;
        self.ceiling += (self.wanted - before) * self.ceiling_part;
        let most = IN_HAND * self.ceiling;
        let allowed = |peak: f32| if peak > most { most / peak } else { 1.0 };
        let end = (self.gain + (1.0 - self.gain) * self.recovery).min(allowed(self.held_peak)).min(allowed(peak));
        let step = (end - self.gain) / CHUNK as f32;
        let hard = before.max(self.ceiling);
        for (chunk, held) in chunks.iter_mut().zip(&mut self.held) {
            std::mem::swap(chunk, held);
            for (i, x) in chunk.iter_mut().enumerate() {
                let gain = self.gain + step * (i + 1) as f32;
                *x = (*x * gain).clamp(-hard, hard);
            }
        }
        let ramp = Ramp { at: self.gain, step };
        self.gain = end;
        self.held_peak = peak;
        ramp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peak(chunks: &[Chunk]) -> f32 {
        chunks.iter().flatten().fold(0.0, |peak, x| x.abs().max(peak))
    }

    #[test]
    fn nothing_passes_the_ceiling_and_soft_sound_passes_whole() {
        let mut limiter = Limiter::new(48_000.0);
        let mut phase = 0.0f32;
        let mut tone = |loud: f32| {
            let wave: Chunk = std::array::from_fn(|_| {
                phase += 0.05;
                loud * phase.sin()
            });
            let mut chunks = [wave, wave.map(|x| -x)];
            limiter.process(&mut chunks);
            peak(&chunks)
        };
        let mut most = 0.0f32;
        for i in 0..200 {
            most = most.max(tone(if i % 20 == 7 { 9.0 } else { 0.5 }));
        }
        assert!(most <= CEILING && most > 0.8, "{most}");
        let mut soft = 0.0f32;
        for i in 0..2000 {
            let out = tone(0.5);
            soft = if i > 1900 { soft.max(out) } else { 0.0 };
        }
        assert!((soft - 0.5).abs() < 0.01, "{soft}");
    }

    #[test]
    fn dc_is_gone_within_half_a_second() {
        let mut limiter = Limiter::new(48_000.0);
        let mut last = [[0.0; CHUNK]; 2];
        for _ in 0..375 {
            last = [[0.5; CHUNK], [-0.5; CHUNK]];
            limiter.process(&mut last);
        }
        assert!(peak(&last) < 0.001);
    }
}
