//! The room: one reverberation for all voices (fundsp's feedback delay network of 32 lines).
//!
//! Its delay lines are allocated when it is made; processing and resetting allocate nothing.

use fundsp::audiounit::AudioUnit;
use fundsp::buffer::BufferVec;

use super::dsp::{CHUNK, Stereo, follow};

/// Metres and seconds: a small temple rather than a cathedral, so that words stay words.
const SIZE_M: f32 = 18.0;
const TIME_S: f32 = 3.6;
const DAMPING: f32 = 0.6;

pub struct Room {
    unit: Box<dyn AudioUnit>,
    input: BufferVec,
    output: BufferVec,
    /// What enters has lost its sharpness on the way to the walls.
    dull: [f32; 2],
    dull_part: f32,
}

impl Room {
    pub fn new(rate_hz: f32) -> Room {
        let mut unit: Box<dyn AudioUnit> = Box::new(fundsp::prelude32::reverb_stereo(SIZE_M, TIME_S, DAMPING));
        unit.set_sample_rate(f64::from(rate_hz));
        unit.allocate();
        // Writes every delay line, so that the callback meets no page for the first time.
        unit.reset();
        let dull_part = follow(1.0 / rate_hz, 1.0 / (std::f32::consts::TAU * 4200.0));
        Room { unit, input: BufferVec::new(2), output: BufferVec::new(2), dull: [0.0; 2], dull_part }
    }

    /// What comes back from the walls.
    pub fn render(&mut self, send: &Stereo) -> Stereo {
        for (channel, samples) in [&send.left, &send.right].into_iter().enumerate() {
            for (i, x) in samples.iter().enumerate() {
                self.dull[channel] += self.dull_part * (x - self.dull[channel]);
                self.input.set_f32(channel, i, self.dull[channel]);
            }
        }
        self.unit.process(CHUNK, &self.input.buffer_ref(), &mut self.output.buffer_mut());
        let mut out = Stereo::SILENCE;
        for i in 0..CHUNK {
            out.left[i] = self.output.at_f32(0, i);
            out.right[i] = self.output.at_f32(1, i);
        }
        out
    }

    pub fn reset(&mut self) {
        self.unit.reset();
        self.dull = [0.0; 2];
    }
}
