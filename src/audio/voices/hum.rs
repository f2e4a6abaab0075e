//! The hum: a drone that follows the machine's load. Each core has its strings; what a core does sets how loud they
//! are, and how far it is from the others sets how fast they beat.

use crate::audio::dsp::{CHUNK, Chunk, Noise, Smooth, Wander, advance, follow, quarter, sine};
use crate::score::Layout;
use crate::score::layout::{Form, MOST_CHANNELS};

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
    /// How fast the pairs beat as their core stands out; 1 is usual.
    pub beating: f32,
    /// Load of each core, 0..1; may be empty.
    pub cores: &'a [f32],
    pub gain: f32,
}

#[derive(Clone)]
pub struct Hum {
    dt_s: f32,
    strings: [HumString; STRINGS],
    layout: Layout,
    gain: Smooth,
}

#[derive(Clone, Copy)]
struct HumString {
    phase: [f32; 2],
    load: f32,
    level: Smooth,
    overtones: Smooth,
    /// How much of the pair's second is heard.
    depth: Smooth,
    swell: Wander,
    drift: Wander,
}

impl Hum {
    /// Its strings stand where their cores do, in stereo where they sound best.
    pub fn new(rate_hz: f32, seed: u64, layout: Layout) -> Hum {
        let mut noise = Noise::new(seed ^ 0x68_756d);
        let strings = std::array::from_fn(|i| HumString {
            phase: [noise.unit(), noise.unit()],
            load: 0.0,
            level: Smooth(0.0),
            overtones: Smooth(0.0),
            depth: Smooth(0.0),
            swell: Wander::new(seed.wrapping_add(i as u64)),
            drift: Wander::new(seed.wrapping_add(100 + i as u64)),
        });
        Hum { dt_s: CHUNK as f32 / rate_hz, strings, layout, gain: Smooth(0.0) }
    }

    /// Breaks it as a fault in it would.
    #[cfg(test)]
    pub fn poison(&mut self) {
        self.gain = Smooth(f32::NAN);
    }

    /// Adds a chunk to each channel.
    pub fn render(&mut self, control: &HumControl, out: &mut [Chunk]) {
        let dt = self.dt_s;
        let n = control.cores.len();
        let mean = if n == 0 { 0.0 } else { control.cores.iter().sum::<f32>() / n as f32 };
        let gain = self.gain.toward(control.gain, follow(dt, 0.06));
        for (i, string) in self.strings.iter_mut().enumerate() {
            let load = core_load(control.cores, i);
            // Samples come five times a second; 0.6 s makes one movement of them.
            string.load += (load - string.load) * follow(dt, 0.6);
            let swell = string.swell.step(dt * (0.09 + 0.013 * i as f32));
            let weight = WEIGHT[i] * (0.3 + 0.7 * string.load) * (1.0 + 0.22 * swell);
            let overtones = OVERTONES[i] * (0.12 + 0.55 * control.brightness + 0.24 * string.load);
            let b = string.overtones.toward(overtones.clamp(0.0, 0.83), follow(dt, 0.08));
            // Divided by the loudness of the overtones, so that brightness is colour and not level.
            let b_end = string.overtones.0;
            let mut level = string.level.toward(weight * (1.0 - b_end * b_end).sqrt(), follow(dt, 0.12));
            let mut b = b;

            // A pair beats slowly, faster and deeper the more its core stands out: a machine whose cores do the same hums
            // evenly.
            let apart = (string.load - mean).abs();
            let depth = (0.22 + 1.6 * apart * control.beating.min(1.0)).min(1.0);
            let mut depth = string.depth.toward(depth, follow(dt, 0.3));
            let beat_hz = (0.07 + 0.03 * i as f32) * control.beating.min(1.0) + 1.4 * control.beating * apart;
            let cents = 2.0 * string.drift.step(dt * 0.05);
            let hz = control.root_hz * RATIO[i] * (1.0 + cents * 0.000_577_8);
            let turns = |hz: f32| (hz * dt / CHUNK as f32).clamp(0.0, 0.2);
            let (slow, fast) = (turns(hz - 0.5 * beat_hz), turns(hz + 0.5 * beat_hz));
            // Each ear hears both of the pair, so that they beat in the air and in the ear.
            let (to_first, to_second) = places(self.layout, i, n);
            let mut gain = gain;
            let (mut firsts, mut seconds) = ([0.0; CHUNK], [0.0; CHUNK]);
            for k in 0..CHUNK {
                let (level, b, gain) = (level.next(), b.next(), gain.next());
                advance(&mut string.phase[0], slow);
                advance(&mut string.phase[1], fast);
                let loud = level * gain;
                // Together they are as loud whatever their parts.
                let depth = depth.next();
                firsts[k] = loud * (1.3 - 0.3 * depth) * overtone_sum(string.phase[0], b);
                seconds[k] = loud * depth * overtone_sum(string.phase[1], b);
            }
            for (channel, out) in out.iter_mut().enumerate() {
                let (first, second) = (to_first[channel], to_second[channel]);
                if first == 0.0 && second == 0.0 {
                    continue;
                }
                for (out, (a, b)) in out.iter_mut().zip(firsts.iter().zip(&seconds)) {
                    *out += first * a + second * b;
                }
            }
        }
    }
}

/// The gains with which the first and the second of string `i` go to each channel. Round a room the pair stands to both
/// sides of its core's place.
fn places(layout: Layout, i: usize, cores: usize) -> ([f32; MOST_CHANNELS], [f32; MOST_CHANNELS]) {
    if layout.is_stereo() {
        let (left, right) = (0.5 * (1.0 - PLACE[i]) + 0.25, 0.5 * (1.0 + PLACE[i]) + 0.25);
        let (mut first, mut second) = ([0.0; MOST_CHANNELS], [0.0; MOST_CHANNELS]);
        (first[0], first[1]) = (0.65 * left, 0.35 * right);
        (second[0], second[1]) = (0.35 * left, 0.65 * right);
        return (first, second);
    }
    let n = cores.clamp(1, STRINGS);
    let (core, apart) = ((i % n) as f32, 0.3 / layout.count() as f32);
    let at = match layout.form {
        Form::Ring => core / n as f32,
        Form::Line => (core + 0.5) / n as f32,
    };
    (layout.gains(at - apart).map(|g| 0.7 * g), layout.gains(at + apart).map(|g| 0.7 * g))
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
        let mut hum = Hum::new(48_000.0, 1, Layout::default());
        let (mut sum, mut n) = (0.0, 0);
        let chunks = (seconds * 750.0) as usize;
        for i in 0..chunks {
            let mut out = [[0.0; CHUNK]; 2];
            hum.render(&HumControl { root_hz: 73.4, brightness, beating: 1.0, cores, gain: 0.2 }, &mut out);
            if i > chunks / 2 {
                sum += out[0].iter().map(|x| x * x).sum::<f32>();
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
    fn round_a_room_each_core_has_its_place() {
        let ring = Layout { channels: 4, form: Form::Ring };
        let mut hum = Hum::new(48_000.0, 1, ring);
        let control =
            HumControl { root_hz: 73.4, brightness: 0.3, beating: 1.0, cores: &[0.0, 0.0, 1.0, 0.0], gain: 0.2 };
        let mut power = [0.0f32; 4];
        for i in 0..4000 {
            let mut out = [[0.0; CHUNK]; 4];
            hum.render(&control, &mut out);
            if i > 2000 {
                power.iter_mut().zip(&out).for_each(|(p, chunk)| *p += chunk.iter().map(|x| x * x).sum::<f32>());
            }
        }
        // The third core has the fifth and the high third of the drone; idle strings are softer.
        let idle = {
            let mut hum = Hum::new(48_000.0, 1, ring);
            let mut power = 0.0f32;
            for i in 0..4000 {
                let mut out = [[0.0; CHUNK]; 4];
                hum.render(&HumControl { cores: &[0.0; 4], ..control }, &mut out);
                power += if i > 2000 { out[2].iter().map(|x| x * x).sum::<f32>() } else { 0.0 };
            }
            power
        };
        assert!(power[2] > 3.0 * idle, "{power:?} {idle}");
    }

    #[test]
    fn strings_share_few_cores_and_average_many() {
        assert_eq!(core_load(&[0.2, 0.6], 3), 0.6);
        let sixteen: [f32; 16] = std::array::from_fn(|i| if i < 8 { 0.0 } else { 1.0 });
        assert_eq!(core_load(&sixteen, 5), 0.5);
    }
}
