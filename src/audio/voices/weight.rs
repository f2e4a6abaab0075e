//! The weight: what memory weighs, as a swell far below everything. The machine's memory sets how much of it there is,
//! the model's own memory of the text how high it rolls; a soft bend gives small loudspeakers its octave.

use crate::audio::dsp::{CHUNK, Smooth, Stereo, advance, follow, quarter, sine};

/// The sub never goes below what a large loudspeaker gives, nor above what is still felt and not heard as a note.
const LOWEST_HZ: f32 = 27.5;
const HIGHEST_HZ: f32 = 62.0;
/// So far beyond it may go before it changes its octave, so that a root that trembles there does not make it leap.
const SLACK: f32 = 1.15;

/// What the weight needs to know for one chunk.
pub struct WeightControl {
    pub root_hz: f32,
    /// Memory in use, 0..1.
    pub memory: f32,
    /// How full the model's context is, 0..1.
    pub context: f32,
    /// 1 when the oldest words have just left the context, falling off.
    pub forgetting: f32,
    pub gain: f32,
}

#[derive(Clone)]
pub struct Weight {
    rate_hz: f32,
    phase: f32,
    /// What the root is multiplied by to lie where it is felt.
    fold: f32,
    roll: f32,
    hz: Smooth,
    level: Smooth,
    bend: Smooth,
    memory: f32,
    context: f32,
}

impl Weight {
    pub fn new(rate_hz: f32) -> Weight {
        Weight {
            rate_hz,
            phase: 0.0,
            fold: 0.75,
            roll: 0.0,
            hz: Smooth(40.0),
            level: Smooth(0.0),
            bend: Smooth(0.0),
            memory: 0.0,
            context: 0.0,
        }
    }

    pub fn render(&mut self, control: &WeightControl) -> Stereo {
        let dt = CHUNK as f32 / self.rate_hz;
        self.memory += (control.memory.clamp(0.0, 1.0) - self.memory) * follow(dt, 1.5);
        // It fills as slowly as words come, and empties as the words leave.
        self.context += (control.context.clamp(0.0, 1.0) - self.context) * follow(dt, 0.8);
        // A full context rolls once in four seconds, an empty one in fourteen.
        advance(&mut self.roll, (dt * (0.07 + 0.18 * self.context)).clamp(0.0, 0.5));
        let wave = 0.5 - 0.5 * sine(quarter(self.roll));
        let depth = 0.25 + 0.7 * self.context;
        let swell = 1.0 - depth + depth * wave;
        let load = 0.2 + 0.8 * self.memory;
        // A fourth below the root: at the root itself it would beat against the hum's own lowest string.
        let root_hz = if control.root_hz.is_finite() { control.root_hz.clamp(8.0, 2000.0) } else { 55.0 };
        if !(LOWEST_HZ / SLACK..=HIGHEST_HZ * SLACK).contains(&(root_hz * self.fold)) {
            self.fold = 0.75;
            while root_hz * self.fold > HIGHEST_HZ {
                self.fold *= 0.5;
            }
            while root_hz * self.fold < LOWEST_HZ {
                self.fold *= 2.0;
            }
        }
        let hz = root_hz * self.fold;
        // Letting go of words, it sinks by a tone and comes back.
        let mut hz = self.hz.toward(hz * (1.0 - 0.11 * control.forgetting.clamp(0.0, 1.0)), follow(dt, 0.25));
        let mut level = self.level.toward(control.gain * load * swell, follow(dt, 0.15));
        let mut bend = self.bend.toward(0.15 + 0.5 * self.memory * swell, follow(dt, 0.2));
        let mut out = Stereo::SILENCE;
        for i in 0..CHUNK {
            advance(&mut self.phase, (hz.next() / self.rate_hz).clamp(0.0, 0.1));
            let tone = sine(self.phase);
            // Bent, it has its octave: the square of a sine, without its mean.
            let x = level.next() * (tone + bend.next() * (tone * tone - 0.5));
            // The lowest notes stand in the middle.
            out.left[i] = x;
            out.right[i] = x;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rms(memory: f32, context: f32) -> (f32, f32) {
        let mut weight = Weight::new(48_000.0);
        let control = WeightControl { root_hz: 73.4, memory, context, forgetting: 0.0, gain: 0.5 };
        (0..3000).for_each(|_| _ = weight.render(&control));
        let levels: Vec<f32> = (0..12_000)
            .map(|_| (weight.render(&control).left.iter().map(|x| x * x).sum::<f32>() / CHUNK as f32).sqrt())
            .collect();
        let mean = levels.iter().sum::<f32>() / levels.len() as f32;
        let spread = levels.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / levels.len() as f32;
        (mean, spread.sqrt() / mean)
    }

    #[test]
    fn memory_is_loudness_and_a_full_context_rolls() {
        assert!(rms(0.9, 0.5).0 > 2.0 * rms(0.1, 0.5).0);
        assert!(rms(0.5, 1.0).1 > 1.3 * rms(0.5, 0.0).1, "{:?} {:?}", rms(0.5, 1.0), rms(0.5, 0.0));
    }

    #[test]
    fn it_stays_low_whatever_the_root() {
        for root_hz in [8.0, 30.0, 73.4, 500.0, 1e9, f32::NAN] {
            let mut weight = Weight::new(48_000.0);
            let control = WeightControl { root_hz, memory: 0.5, context: 0.5, forgetting: 1.0, gain: 0.5 };
            let mut crossings = 0;
            let mut last = 0.0;
            for _ in 0..750 {
                for x in weight.render(&control).left {
                    crossings += u32::from(last <= 0.0 && x > 0.0);
                    last = x;
                }
            }
            assert!((20..75).contains(&crossings), "{root_hz} {crossings}");
        }
    }
}
