//! The small parts that voices are made of: sine, ramps, noise, filters, slow wandering.
//!
//! Runs in the audio callback: nothing here allocates, and nothing calls the C library per sample.

/// Frames that the engine computes at once; controls are evaluated once per chunk.
pub const CHUNK: usize = 64;

/// One channel of one chunk.
pub type Chunk = [f32; CHUNK];

/// Left and right of one chunk.
#[derive(Clone, Copy)]
pub struct Stereo {
    pub left: Chunk,
    pub right: Chunk,
}

impl Stereo {
    pub const SILENCE: Stereo = Stereo { left: [0.0; CHUNK], right: [0.0; CHUNK] };

    /// Adds `other`, `gain` times.
    pub fn add(&mut self, other: &Stereo, gain: f32) {
        for i in 0..CHUNK {
            self.left[i] += gain * other.left[i];
            self.right[i] += gain * other.right[i];
        }
    }

    pub fn is_finite(&self) -> bool {
        // A sum is not finite if one of its terms is not, and costs no branch per sample.
        let sum: f32 = self.left.iter().zip(&self.right).map(|(l, r)| l.abs() + r.abs()).sum();
        sum.is_finite()
    }

    /// The largest magnitude.
    #[cfg(test)]
    pub fn peak(&self) -> f32 {
        self.left.iter().chain(&self.right).fold(0.0, |peak, x| x.abs().max(peak))
    }
}

/// The sine of a phase in turns, which must be in 0..=1. The error is below 4e-6.
#[inline]
pub fn sine(turns: f32) -> f32 {
    let x = turns - 0.5;
    let x = if x > 0.25 {
        0.5 - x
    } else if x < -0.25 {
        -0.5 - x
    } else {
        x
    };
    let s = x * x;
    let (c3, c5, c7, c9) = (-41.341_7, 81.605_25, -76.705_86, 42.058_69);
    // sin(2π(t - ½)) is -sin(2πt).
    -(x * (std::f32::consts::TAU + s * (c3 + s * (c5 + s * (c7 + s * c9)))))
}

/// Moves a phase in turns on and keeps it in 0..1; the increment must be in 0..1.
#[inline]
pub fn advance(phase: &mut f32, increment: f32) {
    *phase += increment;
    if *phase >= 1.0 {
        *phase -= 1.0;
    }
}

/// A phase a quarter turn ahead: `sine(quarter(x))` is the cosine.
#[inline]
pub fn quarter(phase: f32) -> f32 {
    if phase >= 0.75 { phase - 0.75 } else { phase + 0.25 }
}

/// The frequency of a MIDI note, which may lie between keys.
pub fn note_hz(note: f32) -> f32 {
    440.0 * ((note - 69.0) / 12.0).exp2()
}

/// The gain of a level in dB; -60 dB and below is silence.
pub fn gain(level_db: f32) -> f32 {
    if level_db <= -59.9 { 0.0 } else { 10.0f32.powf(level_db / 20.0) }
}

/// The part of the way to its target that a one-pole follower with this time constant goes in `dt_s`.
pub fn follow(dt_s: f32, time_constant_s: f32) -> f32 {
    1.0 - (-dt_s / time_constant_s).exp()
}

/// Slow at both ends, from 0 at 0 to 1 at 1.
pub fn smoothstep(x: f32) -> f32 {
    let x = x.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// A value that follows its target chunk by chunk and is a straight line within one.
#[derive(Clone, Copy, Debug)]
pub struct Smooth(pub f32);

/// The straight line of one chunk: its value at the first frame and the step to the next.
#[derive(Clone, Copy, Debug)]
pub struct Ramp {
    pub at: f32,
    pub step: f32,
}

impl Smooth {
    /// Goes `part` of the way to the target (see [`follow`]).
    pub fn toward(&mut self, target: f32, part: f32) -> Ramp {
        let from = self.0;
        self.0 += (target - from) * part;
        // It arrives, instead of coming ever closer: numbers that are all but zero cost the processor dearly.
        if (target - self.0).abs() < 1e-9 {
            self.0 = target;
        }
        Ramp { at: from, step: (self.0 - from) / CHUNK as f32 }
    }
}

impl Ramp {
    #[inline]
    pub fn next(&mut self) -> f32 {
        self.at += self.step;
        self.at
    }
}

/// White noise and seeded choices (xorshift32; the same on every machine).
#[derive(Clone, Copy, Debug)]
pub struct Noise(u32);

impl Noise {
    pub fn new(seed: u64) -> Noise {
        // splitmix64's finisher, so that neighbouring seeds begin far apart.
        let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Noise(((z ^ (z >> 31)) as u32).max(1))
    }

    /// -1..1, evenly.
    #[inline]
    pub fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as i32 as f32 * (1.0 / 2_147_483_648.0)
    }

    /// 0..1, evenly.
    pub fn unit(&mut self) -> f32 {
        0.5 + 0.5 * self.next()
    }
}

/// Wanders smoothly between seeded points of -1..1, once per chunk.
#[derive(Clone, Copy, Debug)]
pub struct Wander {
    noise: Noise,
    from: f32,
    to: f32,
    way: f32,
}

impl Wander {
    pub fn new(seed: u64) -> Wander {
        let mut noise = Noise::new(seed);
        Wander { from: noise.next(), to: noise.next(), way: noise.unit(), noise }
    }

    /// Goes on by `turns` of the way from one point to the next.
    pub fn step(&mut self, turns: f32) -> f32 {
        self.way += turns.clamp(0.0, 1.0);
        if self.way >= 1.0 {
            self.way -= 1.0;
            self.from = self.to;
            self.to = self.noise.next();
        }
        self.from + (self.to - self.from) * smoothstep(self.way)
    }
}

/// A state variable filter that may be moved at any time (trapezoidal, after Simper 2013).
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    g: f32,
    k: f32,
    a1: f32,
    ic1: f32,
    ic2: f32,
}

impl Filter {
    /// `freq` is a part of the sample rate; `q` is the height of the resonance.
    pub fn tune(&mut self, freq: f32, q: f32) {
        self.g = (std::f32::consts::PI * freq.clamp(0.0002, 0.45)).tan();
        self.k = 1.0 / q.max(0.3);
        self.a1 = 1.0 / (1.0 + self.g * (self.g + self.k));
    }

    /// The band-pass (its peak is 1) and the low-pass.
    #[inline]
    pub fn next(&mut self, x: f32) -> (f32, f32) {
        let v3 = x - self.ic2;
        let v1 = self.a1 * (self.ic1 + self.g * v3);
        let v2 = self.ic2 + self.g * v1;
        self.ic1 = 2.0 * v1 - self.ic1;
        self.ic2 = 2.0 * v2 - self.ic2;
        (v1 * self.k, v2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sine_is_a_sine() {
        for i in 0..=1000 {
            let turns = i as f32 / 1000.0;
            let exact = (f64::from(turns) * std::f64::consts::TAU).sin() as f32;
            assert!((sine(turns) - exact).abs() < 1e-5, "{turns}: {} {exact}", sine(turns));
            let turns = turns * 0.999;
            let exact = (f64::from(turns) * std::f64::consts::TAU).cos() as f32;
            assert!((sine(quarter(turns)) - exact).abs() < 1e-5, "{turns}");
        }
    }

    #[test]
    fn noise_is_even_and_seeded() {
        let (mut a, mut b, mut other) = (Noise::new(1), Noise::new(1), Noise::new(2));
        let run: Vec<f32> = (0..10_000).map(|_| a.next()).collect();
        assert!(run.iter().all(|x| *x == b.next()));
        assert!(run.iter().any(|x| *x != other.next()));
        assert!((run.iter().sum::<f32>() / 10_000.0).abs() < 0.03);
        assert!((run.iter().map(|x| x * x).sum::<f32>() / 10_000.0 - 1.0 / 3.0).abs() < 0.02);
    }

    #[test]
    fn the_filter_lets_its_band_through() {
        let through = |freq: f32| {
            let mut filter = Filter::default();
            filter.tune(0.02, 4.0);
            (0..4800).map(|i| filter.next((i as f32 * freq * std::f32::consts::TAU).sin()).0.abs()).fold(0.0, f32::max)
        };
        assert!((through(0.02) - 1.0).abs() < 0.05);
        assert!(through(0.1) < 0.15 && through(0.004) < 0.15);
    }
}
