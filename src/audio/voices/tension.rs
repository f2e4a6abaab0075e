//! The tension of waiting: silent while tokens come at their pace, it grows over seconds while none does, a cluster
//! that climbs and shimmers faster, and sinks away softly when the token is there.

use crate::audio::dsp::{CHUNK, Filter, Noise, Ramp, Smooth, Stereo, Wander, advance, follow, sine, smoothstep};

const PARTIALS: usize = 7;
/// A cluster round the double octave: seconds that rub, and a fifth above them that does not.
const RATIO: [f32; PARTIALS] = [4.0, 4.243, 4.5, 4.768, 6.0, 6.364, 9.0];
const WEIGHT: [f32; PARTIALS] = [1.0, 0.55, 0.8, 0.5, 0.5, 0.35, 0.2];
const PLACE: [f32; PARTIALS] = [-0.2, 0.6, 0.3, -0.7, -0.4, 0.8, 0.0];

/// Waits shorter than this are the model's ordinary pace and not heard.
const PATIENCE_S: f32 = 0.4;
/// The tension is whole after so long.
const FULL_S: f32 = 6.5;

/// What the tension needs to know for one chunk.
pub struct TensionControl {
    pub root_hz: f32,
    /// Seconds waited for the next token; `None` while none is asked for.
    pub waited_s: Option<f32>,
    /// How much of the prompt has been read, 0..1.
    pub prefill: f32,
    pub gain: f32,
}

#[derive(Clone)]
pub struct Tension {
    rate_hz: f32,
    /// 0..1, what is heard of it.
    height: f32,
    /// Semitones above the cluster's home.
    climb: f32,
    partials: [Partial; PARTIALS],
    air: [(Noise, Filter, Smooth); 2],
}

#[derive(Clone, Copy)]
struct Partial {
    phase: f32,
    shimmer: Wander,
    level: Smooth,
}

impl Tension {
    pub fn new(rate_hz: f32, seed: u64) -> Tension {
        let mut noise = Noise::new(seed ^ 0x7465_6e73);
        Tension {
            rate_hz,
            height: 0.0,
            climb: 0.0,
            partials: std::array::from_fn(|i| Partial {
                phase: noise.unit(),
                shimmer: Wander::new(seed.wrapping_add(300 + i as u64)),
                level: Smooth(0.0),
            }),
            air: std::array::from_fn(|i| {
                (Noise::new(seed.wrapping_add(320 + i as u64)), Filter::default(), Smooth(0.0))
            }),
        }
    }

    pub fn render(&mut self, control: &TensionControl) -> Stereo {
        let dt = CHUNK as f32 / self.rate_hz;
        let target = control.waited_s.map_or(0.0, |s| smoothstep((s - PATIENCE_S) / (FULL_S - PATIENCE_S)).sqrt());
        // Up with the wait, down like a breath let go.
        let release = target < self.height;
        self.height += (target - self.height) * follow(dt, if release { 0.55 } else { 0.25 });
        let climb = if release { -4.0 } else { 5.0 * target + 2.0 * control.prefill * target };
        self.climb += (climb - self.climb) * follow(dt, if release { 0.9 } else { 1.2 });
        let mut out = Stereo::SILENCE;
        if self.height < 1e-5 {
            // Nothing sounds: the next wait begins from home.
            self.height = 0.0;
            self.climb = 0.0;
        }
        let shimmer_hz = 1.2 + 5.0 * self.height;
        let bend = (self.climb / 12.0).exp2();
        for (i, partial) in self.partials.iter_mut().enumerate() {
            let shimmer = partial.shimmer.step(dt * shimmer_hz * (1.0 + 0.11 * i as f32));
            // The upper partials come in later.
            let entry = smoothstep(self.height * 2.2 - 0.17 * i as f32);
            let target = control.gain * self.height * WEIGHT[i] * entry * (0.6 + 0.4 * shimmer);
            let mut level = partial.level.toward(target, follow(dt, 0.05));
            if target == 0.0 && partial.level.0 < 1e-7 {
                partial.level.0 = 0.0;
                continue;
            }
            // The cluster opens as it climbs.
            let spread = 1.0 + (RATIO[i] / 4.0 - 1.0) * (0.8 + 0.3 * self.height);
            let increment = (control.root_hz * 4.0 * spread * bend / self.rate_hz).clamp(0.0, 0.4);
            let (left, right) = (0.5 * (1.0 - 0.8 * PLACE[i]), 0.5 * (1.0 + 0.8 * PLACE[i]));
            for k in 0..CHUNK {
                advance(&mut partial.phase, increment);
                let x = level.next() * sine(partial.phase);
                out.left[k] += left * x;
                out.right[k] += right * x;
            }
        }
        self.air(control, bend, &mut out);
        out
    }

    /// The rising air above the cluster.
    fn air(&mut self, control: &TensionControl, bend: f32, out: &mut Stereo) {
        let dt = CHUNK as f32 / self.rate_hz;
        let target = control.gain * self.height * self.height * 0.5;
        for ((noise, filter, level), out) in self.air.iter_mut().zip([&mut out.left, &mut out.right]) {
            let ramp: Ramp = level.toward(target, follow(dt, 0.08));
            if target == 0.0 && level.0 < 1e-7 {
                *level = Smooth(0.0);
                continue;
            }
            let mut ramp = ramp;
            filter.tune(control.root_hz * 12.0 * bend * (1.0 + self.height) / self.rate_hz, 3.0);
            for out in out.iter_mut() {
                *out += ramp.next() * filter.next(noise.next()).0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RMS over the last half second of each stretch of waiting.
    fn run(tension: &mut Tension, seconds: f32, waited_s: impl Fn(f32) -> Option<f32>) -> f32 {
        let chunks = (seconds * 750.0) as usize;
        let mut sum = 0.0;
        for i in 0..chunks {
            let waited_s = waited_s(i as f32 / 750.0);
            let out = tension.render(&TensionControl { root_hz: 73.4, waited_s, prefill: 0.0, gain: 0.2 });
            if i + 375 >= chunks {
                sum += out.left.iter().map(|x| x * x).sum::<f32>() / CHUNK as f32;
            }
        }
        (sum / 375.0).sqrt()
    }

    #[test]
    fn it_grows_with_the_wait_and_falls_after_it() {
        let mut tension = Tension::new(48_000.0, 1);
        assert_eq!(run(&mut tension, 3.0, |_| None), 0.0);
        assert!(run(&mut tension, 3.0, |t| Some(t % 0.1)) < 1e-6, "inaudible at ten tokens a second");
        let two = run(&mut tension, 2.0, Some);
        let four = run(&mut tension, 2.0, |t| Some(t + 2.0));
        let eight = run(&mut tension, 4.0, |t| Some(t + 4.0));
        assert!(two > 1e-4 && four > 1.3 * two && eight > 1.3 * four, "{two} {four} {eight}");
        let after = run(&mut tension, 3.0, |t| Some(t % 0.1));
        assert!(after < 0.02 * eight, "{after} {eight}");
    }
}
