//! How loudspeakers stand: two, a ring round the room, or a line.

use serde::{Deserialize, Serialize};

/// Loudspeakers at most.
pub const MOST_CHANNELS: usize = 8;

/// In which order the channels stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Round the listeners, clockwise, from the one at the front left.
    #[default]
    Ring,
    /// Before them, from left to right.
    Line,
}

/// So many loudspeakers in this form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// 2..=[`MOST_CHANNELS`].
    pub channels: u8,
    pub form: Form,
}

impl Default for Layout {
    fn default() -> Layout {
        Layout { channels: 2, form: Form::Ring }
    }
}

impl Layout {
    /// How many channels there are, brought into what is possible.
    pub fn count(self) -> usize {
        usize::from(self.channels).clamp(2, MOST_CHANNELS)
    }

    pub fn is_stereo(self) -> bool {
        self.count() == 2
    }

    /// The gain of each channel for a sound that stands at `part` of the way through the room, 0..1: round the ring
    /// clockwise from the front left loudspeaker, or along the line from left to right. Its power is 1 everywhere.
    pub fn gains(self, part: f32) -> [f32; MOST_CHANNELS] {
        let n = self.count();
        let part = if part.is_finite() { part } else { 0.0 };
        let at = match self.form {
            Form::Ring => part.rem_euclid(1.0) * n as f32,
            Form::Line => part.clamp(0.0, 1.0) * (n - 1) as f32,
        };
        let (low, between) = ((at as usize).min(n - 1), at.fract());
        let mut gains = [0.0; MOST_CHANNELS];
        let (second, first) = (between * std::f32::consts::FRAC_PI_2).sin_cos();
        gains[low] = first;
        if between > 0.0 {
            gains[(low + 1) % n] = second;
        }
        gains
    }

    /// How far to the right a channel stands, -1..1.
    pub fn side(self, channel: usize) -> f32 {
        let n = self.count() as f32;
        match self.form {
            // The first stands half a step to the left of the middle.
            Form::Ring => ((channel as f32 - 0.5) / n * std::f32::consts::TAU).sin(),
            Form::Line => -1.0 + 2.0 * channel as f32 / (n - 1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_even_all_the_way() {
        for form in [Form::Ring, Form::Line] {
            for channels in 2..=8 {
                let layout = Layout { channels, form };
                for i in 0..100 {
                    let power: f32 = layout.gains(i as f32 / 99.0).iter().map(|g| g * g).sum();
                    assert!((power - 1.0).abs() < 1e-5, "{layout:?} {i} {power}");
                }
            }
        }
        assert_eq!(Layout { channels: 200, form: Form::Ring }.count(), 8);
        assert_eq!(Layout { channels: 0, form: Form::Ring }.count(), 2);
    }

    #[test]
    fn four_in_a_ring_stand_at_the_corners() {
        let quad = Layout { channels: 4, form: Form::Ring };
        let sides: Vec<f32> = (0..4).map(|c| quad.side(c)).collect();
        assert!(sides.iter().zip([-0.707, 0.707, 0.707, -0.707]).all(|(a, b)| (a - b).abs() < 0.01), "{sides:?}");
        assert_eq!(quad.gains(0.25)[..4], [0.0, 1.0, 0.0, 0.0]);
        let line = Layout { channels: 3, form: Form::Line };
        assert_eq!([line.side(0), line.side(1), line.side(2)], [-1.0, 0.0, 1.0]);
        assert_eq!(line.gains(1.0)[..3], [0.0, 0.0, 1.0]);
        assert_eq!((line.gains(f32::NAN)[0], quad.gains(-0.25)[3]), (1.0, 1.0));
    }
}
