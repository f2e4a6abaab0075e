//! The breath: air that moves with load and fan. Two bands of noise in each ear, one broad and one that leans on an
//! overtone of the root as a flute's edge does, both wandering slowly.

use crate::audio::dsp::{CHUNK, Filter, Noise, Smooth, Stereo, Wander, follow};

/// What the breath needs to know for one chunk.
pub struct BreathControl {
    pub root_hz: f32,
    /// How hard the machine breathes, 0..1.
    pub effort: f32,
    /// How gusty it is, 0..1.
    pub turbulence: f32,
    pub gain: f32,
}

#[derive(Clone)]
pub struct Breath {
    rate_hz: f32,
    effort: f32,
    ears: [Ear; 2],
    tide: Wander,
    gust: Wander,
}

#[derive(Clone, Copy)]
struct Ear {
    noise: Noise,
    /// The brown part of the noise, for warmth.
    low: f32,
    air: Filter,
    edge: Filter,
    sway: Wander,
    lean: Wander,
    level: Smooth,
    edge_level: Smooth,
}

impl Breath {
    pub fn new(rate_hz: f32, seed: u64) -> Breath {
        let ear = |i: u64| Ear {
            noise: Noise::new(seed.wrapping_add(200 + i)),
            low: 0.0,
            air: Filter::default(),
            edge: Filter::default(),
            sway: Wander::new(seed.wrapping_add(210 + i)),
            lean: Wander::new(seed.wrapping_add(220 + i)),
            level: Smooth(0.0),
            edge_level: Smooth(0.0),
        };
        Breath {
            rate_hz,
            effort: 0.0,
            ears: [ear(0), ear(1)],
            tide: Wander::new(seed.wrapping_add(230)),
            gust: Wander::new(seed.wrapping_add(231)),
        }
    }

    pub fn render(&mut self, control: &BreathControl) -> Stereo {
        let dt = CHUNK as f32 / self.rate_hz;
        self.effort += (control.effort - self.effort) * follow(dt, 0.8);
        // The tide is the breath itself, in and out; gusts come with effort.
        let tide = 0.55 + 0.45 * self.tide.step(dt * (0.22 + 0.5 * self.effort));
        let turbulence = control.turbulence.clamp(0.0, 1.0);
        let gust = self.effort * self.gust.step(dt * (1.5 + 8.0 * self.effort * turbulence));
        let gust = 2.0 * turbulence * gust;
        let level =
            control.gain * (0.35 + 0.65 * self.effort) * (0.75 * tide + 0.25 * self.effort + 0.25 * gust.max(-1.0));
        let mut out = Stereo::SILENCE;
        for (ear, out) in self.ears.iter_mut().zip([&mut out.left, &mut out.right]) {
            let sway = ear.sway.step(dt * 0.3);
            let lean = ear.lean.step(dt * 0.17);
            let centre_hz = (420.0 + 900.0 * self.effort) * (0.55 * sway + 0.4 * gust).exp2();
            ear.air.tune(centre_hz / self.rate_hz, 0.8);
            let overtone = if lean > 0.0 { 8.0 } else { 6.0 };
            ear.edge.tune(control.root_hz * overtone * (1.0 + 0.01 * lean) / self.rate_hz, 9.0);
            let mut level = ear.level.toward(level, follow(dt, 0.08));
            let mut edge_level = ear.edge_level.toward(1.6 * lean.abs(), follow(dt, 0.3));
            for out in out.iter_mut() {
                let white = ear.noise.next();
                ear.low += 0.08 * (white - ear.low);
                let noise = 0.5 * white + 1.8 * ear.low;
                let (air, _) = ear.air.next(noise);
                let (edge, _) = ear.edge.next(noise);
                *out = level.next() * (2.2 * air + edge_level.next() * edge);
            }
        }
        out
    }
}
