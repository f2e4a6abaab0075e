//! The hum: a drone that follows the machine's load. Each core has its strings; what a core does sets how loud they
//! are, and how far it is from the others sets how fast they beat.

use crate::audio::dsp::{CHUNK, Noise, Smooth, Stereo, Wander, advance, follow, quarter, sine};

/// Strings of the drone, a pair of oscillators each.
pub const STRINGS: usize = 8;

/// Each string's ratio to the root. With the fifth and the second above it is the open end of a pentatonic scale.
const RATIO: [f32; STRINGS] = [1.0, 2.0, 1.5, 0.5, 3.0, 4.0, 4.5, 6.0];
const WEIGHT: [f32; STRINGS] = [1.0, 0.42, 0.5, 0.75, 0.22, 0.13, 0.1, 0.06];
/// A string's share of the overtones: the low ones may be rich, the high ones stay pure.
const OVERTONES: [f32; STRINGS] = [1.0, 0.7, 0.8, 1.0, 0.45, 0.35, 0.3, 0.25];
/// -1 is left, 1 right; the root stands in the middle.
const PLACE: [f32; STRINGS] = [0.0, -0.5, 0.45, 0.0, 0.7, -0.75, 0.9, -0.9];

/// What the hum needs to know for one chunk.
pub struct HumControl<'a> {
    pub root_hz: f32,
    /// 0..1
    pub brightness: f32,
    /// Load of each core, 0..1; may be empty.
    pub cores: &'a [f32],
    pub gain: f32,
}

#[derive(Clone)]
pub struct Hum {
    dt_s: f32,
    strings: [HumString; STRINGS],
    gain: Smooth,
}

#[derive(Clone, Copy)]
struct HumString {
    phase: [f32; 2],
    load: f32,
    level: Smooth,
    overtones: Smooth,
    swell: Wander,
    drift: Wander,
}

impl Hum {
    pub fn new(rate_hz: f32, seed: u64) -> Hum {
        let mut noise = Noise::new(seed ^ 0x68_756d);
        let strings = std::array::from_fn(|i| HumString {
            phase: [noise.unit(), noise.unit()],
            load: 0.0,
            level: Smooth(0.0),
            overtones: Smooth(0.0),
            swell: Wander::new(seed.wrapping_add(i as u64)),
            drift: Wander::new(seed.wrapping_add(100 + i as u64)),
        });
        Hum { dt_s: CHUNK as f32 / rate_hz, strings, gain: Smooth(0.0) }
    }

    pub fn render(&mut self, control: &HumControl) -> Stereo {
        let mut out = Stereo::SILENCE;
        let dt = self.dt_s;
        let n = control.cores.len();
        let mean = if n == 0 { 0.0 } else { control.cores.iter().sum::<f32>() / n as f32 };
        let gain = self.gain.toward(control.gain, follow(dt, 0.06));
        for (i, string) in self.strings.iter_mut().enumerate() {
            let load = core_load(control.cores, i);
            // Samples come five times a second; 0.6 s makes one movement of them.
            string.load += (load - string.load) * follow(dt, 0.6);
            let swell = string.swell.step(dt * (0.09 + 0.013 * i as f32));
            let weight = WEIGHT[i] * (0.3 + 0.7 * string.load) * (1.0 + 0.35 * swell);
            let overtones = OVERTONES[i] * (0.12 + 0.55 * control.brightness + 0.24 * string.load);
            let b = string.overtones.toward(overtones.clamp(0.0, 0.83), follow(dt, 0.08));
            // Divided by the loudness of the overtones, so that brightness is colour and not level.
            let b_end = string.overtones.0;
            let mut level = string.level.toward(weight * (1.0 - b_end * b_end).sqrt(), follow(dt, 0.12));
            let mut b = b;

            // A pair beats slowly, faster the more its core stands out.
            let beat_hz = 0.07 + 0.03 * i as f32 + 1.4 * (string.load - mean).abs();
            let cents = 2.0 * string.drift.step(dt * 0.05);
            let hz = control.root_hz * RATIO[i] * (1.0 + cents * 0.000_577_8);
            let turns = |hz: f32| (hz * dt / CHUNK as f32).clamp(0.0, 0.2);
            let (slow, fast) = (turns(hz - 0.5 * beat_hz), turns(hz + 0.5 * beat_hz));
            let (to_left, to_right) = (0.5 * (1.0 - PLACE[i]), 0.5 * (1.0 + PLACE[i]));
            let mut gain = gain;
            for k in 0..CHUNK {
                let (level, b, gain) = (level.next(), b.next(), gain.next());
                advance(&mut string.phase[0], slow);
                advance(&mut string.phase[1], fast);
                let first = overtone_sum(string.phase[0], b);
                let second = overtone_sum(string.phase[1], b);
                let loud = level * gain;
                // Each ear hears both of the pair, so that they beat in the air and in the ear.
                out.left[k] += loud * (to_left + 0.25) * (0.65 * first + 0.35 * second);
                out.right[k] += loud * (to_right + 0.25) * (0.35 * first + 0.65 * second);
            }
        }
        out
    }
}

/// Σ bᵏ sin((k+1)x): a tone whose overtones fall by b each (the discrete summation formula, Moorer 1976). At b ≤ 0.83
/// and 500 Hz the first overtone above 20 kHz is at -63 dB.
#[inline]
fn overtone_sum(phase: f32, b: f32) -> f32 {
    sine(phase) / (1.0 - 2.0 * b * sine(quarter(phase)) + b * b)
}

/// The load that string `i` follows: fewer cores than strings share them out, more are averaged.
fn core_load(cores: &[f32], i: usize) -> f32 {
    if cores.is_empty() {
        return 0.15;
    }
    let (mut sum, mut n) = (0.0, 0);
    let mut at = i % cores.len();
    while at < cores.len() {
        sum += cores[at];
        n += 1;
        at += STRINGS;
    }
    sum / n as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rms_after(seconds: f32, cores: &[f32], brightness: f32) -> f32 {
        let mut hum = Hum::new(48_000.0, 1);
        let (mut sum, mut n) = (0.0, 0);
        let chunks = (seconds * 750.0) as usize;
        for i in 0..chunks {
            let out = hum.render(&HumControl { root_hz: 73.4, brightness, cores, gain: 0.2 });
            if i > chunks / 2 {
                sum += out.left.iter().map(|x| x * x).sum::<f32>();
                n += CHUNK;
            }
        }
        (sum / n as f32).sqrt()
    }

    #[test]
    fn it_is_louder_under_load_and_not_by_brightness() {
        let (idle, busy) = (rms_after(6.0, &[0.0; 4], 0.3), rms_after(6.0, &[1.0; 4], 0.3));
        assert!(busy > 2.0 * idle, "{idle} {busy}");
        let (dull, bright) = (rms_after(6.0, &[0.5; 4], 0.0), rms_after(6.0, &[0.5; 4], 1.0));
        assert!((bright / dull - 1.0).abs() < 0.25, "{dull} {bright}");
    }

    #[test]
    fn strings_share_few_cores_and_average_many() {
        assert_eq!(core_load(&[0.2, 0.6], 3), 0.6);
        let sixteen: [f32; 16] = std::array::from_fn(|i| if i < 8 { 0.0 } else { 1.0 });
        assert_eq!(core_load(&sixteen, 5), 0.5);
    }
}
