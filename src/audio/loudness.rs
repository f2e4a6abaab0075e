//! The loudness ceiling: what a room and its listeners can bear for long. It measures as broadcasters do (ITU-R BS.1770,
//! K-weighted) over about three seconds, and turns the whole down by as much as it is too loud. Peaks are the limiter's.

use super::dsp::{CHUNK, Chunk, Ramp, Smooth, follow};
use crate::score::layout::MOST_CHANNELS;

/// The time over which loudness is felt, and in which the gain moves.
const FELT_S: f32 = 1.5;
const MOVE_S: f32 = 0.4;

pub struct Loudness {
    rate_hz: f32,
    shelf: [f64; 5],
    pass: [f64; 5],
    states: [[[f64; 2]; 2]; MOST_CHANNELS],
    /// Mean square of the weighted sound, all channels together.
    power: f32,
    gain: Smooth,
}

impl Loudness {
    pub fn new(rate_hz: f32) -> Loudness {
        let [shelf, pass] = weighting(f64::from(rate_hz));
        Loudness { rate_hz, shelf, pass, states: [[[0.0; 2]; 2]; MOST_CHANNELS], power: 0.0, gain: Smooth(1.0) }
    }

    /// How loud it is at present, LUFS.
    #[cfg(test)]
    fn lufs(&self) -> f32 {
        -0.691 + 10.0 * self.power.max(1e-12).log10()
    }

    /// Listens to a chunk and gives the gain over it that keeps the sound below `ceiling_lufs`.
    pub fn hold(&mut self, chunks: &[Chunk], ceiling_lufs: f32) -> Ramp {
        let dt = CHUNK as f32 / self.rate_hz;
        let mut sum = 0.0;
        for (chunk, [first, second]) in chunks.iter().zip(&mut self.states) {
            for x in chunk {
                let x = biquad(&self.shelf, first, f64::from(*x));
                let x = biquad(&self.pass, second, x);
                sum += x * x;
            }
        }
        let mean = (sum / CHUNK as f64) as f32;
        if mean.is_finite() {
            self.power += (mean - self.power) * follow(dt, FELT_S);
        } else {
            *self = Loudness::new(self.rate_hz);
        }
        let ceiling = if ceiling_lufs.is_finite() { ceiling_lufs } else { 0.0 };
        let most = 10f32.powf((ceiling + 0.691) / 10.0);
        let gain = if self.power > most { (most / self.power).sqrt() } else { 1.0 };
        self.gain.toward(gain, follow(dt, MOVE_S))
    }
}

/// Direct form 2, transposed.
fn biquad(c: &[f64; 5], state: &mut [f64; 2], x: f64) -> f64 {
    let y = c[0] * x + state[0];
    state[0] = c[1] * x - c[3] * y + state[1];
    state[1] = c[2] * x - c[4] * y;
    y
}

/// The two filters of BS.1770 at any rate: the shelf of the head and the low cut (b0, b1, b2, a1, a2 each).
fn weighting(rate_hz: f64) -> [[f64; 5]; 2] {
    let shelf = {
        let (hz, gain_db, q) = (1681.974450955533, 3.999843853973347, 0.7071752369554196);
        let k = (std::f64::consts::PI * hz / rate_hz).tan();
        let vh = 10f64.powf(gain_db / 20.0);
        let vb = vh.powf(0.4996667741545416);
        let a0 = 1.0 + k / q + k * k;
        let b = [vh + vb * k / q + k * k, 2.0 * (k * k - vh), vh - vb * k / q + k * k];
        [b[0] / a0, b[1] / a0, b[2] / a0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0]
    };
    let (hz, q) = (38.13547087602444, 0.5003270373238773);
    let k = (std::f64::consts::PI * hz / rate_hz).tan();
    let a0 = 1.0 + k / q + k * k;
    [shelf, [1.0, -2.0, 1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(loudness: &mut Loudness, gain: f32, seconds: f32, ceiling: f32) -> f32 {
        let mut phase = 0.0f32;
        let mut last = 1.0;
        for _ in 0..(seconds * 750.0) as usize {
            let chunk: Chunk = std::array::from_fn(|_| {
                phase = (phase + 997.0 / 48_000.0).fract();
                gain * (std::f32::consts::TAU * phase).sin()
            });
            last = loudness.hold(&[chunk, chunk], ceiling).at;
        }
        last
    }

    #[test]
    fn it_measures_as_the_standard_says() {
        // A sine of 997 Hz at full scale in one channel is -3.01 LUFS; in two it is 3 dB more.
        let mut loudness = Loudness::new(48_000.0);
        tone(&mut loudness, 0.1, 12.0, 0.0);
        assert!((loudness.lufs() - -20.0).abs() < 0.1, "{}", loudness.lufs());
    }

    #[test]
    fn what_is_too_loud_is_turned_down_by_as_much_and_comes_back() {
        let mut loudness = Loudness::new(48_000.0);
        let turned = 20.0 * tone(&mut loudness, 0.5, 12.0, -12.0).log10();
        assert!((turned - -6.0).abs() < 0.3, "{turned}");
        assert!(tone(&mut loudness, 0.05, 20.0, -12.0) > 0.99);
        assert_eq!(tone(&mut loudness, f32::NAN, 0.1, f32::NAN), loudness.gain.0);
        assert!(tone(&mut loudness, 0.05, 1.0, -12.0).is_finite());
    }
}
