//! How high a token stands: its surprise as a step of the scale, and the steps over the hum's root.

use crate::audio::dsp::gain;
use crate::audio::tuning::Tuning;
use crate::score::{ParamId, ParamValues};

/// Highest step of the scale above the tokens' home, about three octaves.
const TOP_STEP: f32 = 14.0;

/// What the melody needs to know for one chunk.
pub struct MelodyControl<'a> {
    pub params: &'a ParamValues,
    /// The hum's root as it sounds, in MIDI notes.
    pub root: f32,
    pub tuning: &'a Tuning,
}

impl MelodyControl<'_> {
    /// A step of the scale, in semitones above home.
    pub(super) fn semitones(&self, step: i32) -> f32 {
        self.tuning.semitones(step, self.params.get(ParamId::ScaleMode) as i32)
    }

    /// The tokens' home: two octaves above the drone, or one where the drone is high already.
    pub(super) fn home(&self) -> f32 {
        self.root + if self.root <= 48.0 { 24.0 } else { 12.0 }
    }

    pub(super) fn level(&self) -> f32 {
        gain(self.params.get(ParamId::TokenLevel))
    }
}

/// The step of the scale for a surprise: fine where most tokens are, then wider.
pub fn step_of(surprise_bits: f32) -> i32 {
    let bits = if surprise_bits.is_nan() { 0.0 } else { surprise_bits.clamp(0.0, 16.0) };
    (bits * 1.15).min(TOP_STEP).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surprise_climbs_the_scale() {
        let tuning = Tuning::default();
        let notes: Vec<f32> = (0..=12).map(|bits| tuning.semitones(step_of(bits as f32), 0)).collect();
        assert!(notes.windows(2).all(|w| w[1] > w[0]), "{notes:?}");
        assert_eq!((step_of(f32::NAN), step_of(-3.0), step_of(1e30)), (0, 0, 14));
    }
}
