//! The pluck: one struck note, from wood to metal, as a handful of decaying modes. A pool of them; when all are
//! sounding the oldest fades out in 5 ms to make room.

use crate::audio::dsp::{CHUNK, Noise, Stereo, follow, smoothstep};

/// Notes that may sound at once.
const VOICES: usize = 20;
/// Slots beyond them for those that are fading.
const SLOTS: usize = VOICES + 4;
pub const MODES: usize = 8;
const FADE_S: f32 = 0.005;

/// Two pairs of modes lie close, so that metal shimmers; in wood their second halves are all but silent.
struct Matter {
    ratio: [f32; MODES],
    level: [f32; MODES],
    /// Each mode's ring as a part of the note's.
    ring: [f32; MODES],
}

const WOOD: Matter = Matter {
    ratio: [1.0, 1.001, 2.0, 3.0, 4.0, 5.0, 6.0, 9.2],
    level: [1.0, 0.15, 0.32, 0.12, 0.12, 0.03, 0.02, 0.03],
    ring: [1.0, 0.9, 0.5, 0.32, 0.25, 0.18, 0.12, 0.05],
};
const METAL: Matter = Matter {
    ratio: [1.0, 1.003, 2.0, 2.756, 2.765, 4.1, 5.404, 8.933],
    level: [0.7, 0.5, 0.22, 0.34, 0.24, 0.1, 0.16, 0.07],
    ring: [1.0, 1.0, 0.8, 0.65, 0.65, 0.45, 0.3, 0.15],
};

/// How a note is struck.
#[derive(Clone, Copy, Debug)]
pub struct Pluck {
    pub hz: f32,
    /// 0 is wood, 1 metal.
    pub colour: f32,
    /// Seconds until the note has fallen by 60 dB.
    pub length_s: f32,
    pub gain: f32,
    /// -1 left, 1 right.
    pub place: f32,
    /// What each of its modes is multiplied by.
    pub partials: [f32; MODES],
    /// Frames of the next chunk before it is struck.
    pub after: u32,
}

#[derive(Clone)]
pub struct Plucks {
    rate_hz: f32,
    slots: [Slot; SLOTS],
    struck: u64,
    noise: Noise,
}

#[derive(Clone, Copy)]
struct Slot {
    sounding: bool,
    fading: bool,
    wait: u32,
    age: u64,
    re: [f32; MODES],
    im: [f32; MODES],
    cos: [f32; MODES],
    sin: [f32; MODES],
    /// 0..1 over the attack.
    attack: f32,
    attack_step: f32,
    fade: f32,
    left: f32,
    right: f32,
    /// The touch of the mallet: a short, dull noise.
    touch: f32,
    touch_fall: f32,
    touch_low: f32,
    touch_part: f32,
}

const IDLE: Slot = Slot {
    sounding: false,
    fading: false,
    wait: 0,
    age: 0,
    re: [0.0; MODES],
    im: [0.0; MODES],
    cos: [0.0; MODES],
    sin: [0.0; MODES],
    attack: 0.0,
    attack_step: 0.0,
    fade: 1.0,
    left: 0.0,
    right: 0.0,
    touch: 0.0,
    touch_fall: 0.0,
    touch_low: 0.0,
    touch_part: 0.0,
};

impl Plucks {
    pub fn new(rate_hz: f32, seed: u64) -> Plucks {
        Plucks { rate_hz, slots: [IDLE; SLOTS], struck: 0, noise: Noise::new(seed ^ 0x706c_7563) }
    }

    /// Strikes a note in the next chunk.
    pub fn strike(&mut self, pluck: &Pluck) {
        let sounding = self.slots.iter().filter(|s| s.sounding && !s.fading).count();
        if sounding >= VOICES
            && let Some(oldest) = self.slots.iter_mut().filter(|s| s.sounding && !s.fading).min_by_key(|s| s.age)
        {
            oldest.fading = true;
        }
        // More than four fading at once would need a note per millisecond; such a note is let go.
        let Some(slot) = self.slots.iter_mut().find(|s| !s.sounding) else { return };
        self.struck += 1;
        *slot = Slot::strike(pluck, self.rate_hz, self.struck);
    }

    pub fn render(&mut self) -> Stereo {
        let mut out = Stereo::SILENCE;
        let fade_step = 1.0 / (FADE_S * self.rate_hz);
        for slot in self.slots.iter_mut().filter(|s| s.sounding) {
            slot.render(&mut self.noise, fade_step, &mut out);
        }
        out
    }

    /// Lets every note fall silent at once.
    pub fn reset(&mut self) {
        self.slots = [IDLE; SLOTS];
    }
}

impl Slot {
    fn strike(pluck: &Pluck, rate_hz: f32, age: u64) -> Slot {
        let colour = pluck.colour.clamp(0.0, 1.0);
        let hz = pluck.hz.clamp(20.0, 0.2 * rate_hz);
        let mix = |a: f32, b: f32| a + (b - a) * colour;
        // High notes are smaller bodies: they ring shorter, and the ear needs less of them.
        let high = (hz / 300.0).max(0.5);
        let length_s = pluck.length_s.clamp(0.03, 20.0) * mix(0.75, 1.0) / high.powf(0.3);
        let gain = pluck.gain / high.powf(0.35);
        let mut slot = IDLE;
        for k in 0..MODES {
            let mode_hz = hz * mix(WOOD.ratio[k], METAL.ratio[k]);
            let ring_s = (length_s * mix(WOOD.ring[k], METAL.ring[k])).max(0.01);
            // 60 dB is a factor of a thousand: e^-6.9.
            let fall = (-6.9 / (ring_s * rate_hz)).exp();
            let turn = std::f32::consts::TAU * mode_hz / rate_hz;
            (slot.sin[k], slot.cos[k]) = (fall * turn.sin(), fall * turn.cos());
            // Modes near the end of hearing would alias or be lost: they fade out from 12 kHz to 18 kHz.
            let heard = smoothstep((18_000.0f32.min(0.45 * rate_hz) - mode_hz) / 6_000.0);
            slot.re[k] = gain * heard * mix(WOOD.level[k], METAL.level[k]) * pluck.partials[k].clamp(0.0, 4.0);
        }
        let place = pluck.place.clamp(-1.0, 1.0) * 0.8;
        let angle = (place + 1.0) * std::f32::consts::FRAC_PI_4;
        slot.sounding = true;
        slot.wait = pluck.after.min(CHUNK as u32 - 1);
        slot.age = age;
        (slot.right, slot.left) = angle.sin_cos();
        // Wood speaks softly in 4 ms, metal in 1.5 ms.
        slot.attack_step = 1.0 / (rate_hz * mix(0.004, 0.0015));
        slot.touch = gain * mix(0.16, 0.07);
        slot.touch_fall = (-1.0 / (0.007 * rate_hz)).exp();
        slot.touch_part = follow(1.0 / rate_hz, 1.0 / (std::f32::consts::TAU * mix(900.0, 2600.0)));
        slot
    }

    fn render(&mut self, noise: &mut Noise, fade_step: f32, out: &mut Stereo) {
        for i in std::mem::take(&mut self.wait) as usize..CHUNK {
            let mut sum = 0.0;
            for k in 0..MODES {
                let (re, im) = (self.re[k], self.im[k]);
                self.re[k] = self.cos[k] * re - self.sin[k] * im;
                self.im[k] = self.sin[k] * re + self.cos[k] * im;
                sum += self.im[k];
            }
            self.touch *= self.touch_fall;
            self.touch_low += self.touch_part * (noise.next() - self.touch_low);
            let mut envelope = self.fade;
            if self.attack < 1.0 {
                self.attack = (self.attack + self.attack_step).min(1.0);
                envelope *= smoothstep(self.attack);
            }
            if self.fading {
                self.fade = (self.fade - fade_step).max(0.0);
            }
            let x = envelope * (sum + 3.0 * self.touch * self.touch_low);
            out.left[i] += self.left * x;
            out.right[i] += self.right * x;
        }
        let energy: f32 = self.re.iter().zip(&self.im).map(|(re, im)| re * re + im * im).sum();
        // -100 dB of full scale, or faded out, or not a number.
        if energy.is_nan() || energy <= 1e-10 || self.fade == 0.0 {
            self.sounding = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pluck(hz: f32, colour: f32, length_s: f32) -> Pluck {
        Pluck { hz, colour, length_s, gain: 0.5, place: 0.0, partials: [1.0; MODES], after: 0 }
    }

    #[test]
    fn a_note_rings_for_its_length_and_begins_softly() {
        let mut plucks = Plucks::new(48_000.0, 1);
        plucks.strike(&pluck(300.0, 1.0, 1.0));
        let first = plucks.render();
        assert!(first.left[0].abs() < 0.01 && first.peak() > 0.01);
        let peaks: Vec<f32> = (1..1500).map(|_| plucks.render().peak()).collect();
        assert!(peaks[100] > 0.05);
        assert!(peaks[760] < 0.002 * peaks[20], "60 dB in a second");
        assert_eq!(peaks[1490], 0.0, "and then its slot is free");
    }

    #[test]
    fn a_hundred_notes_share_the_pool_without_a_jump() {
        let mut plucks = Plucks::new(48_000.0, 1);
        let (mut last, mut worst) = (0.0f32, 0.0f32);
        for i in 0..400 {
            if i % 4 == 0 {
                plucks.strike(&pluck(200.0, 0.0, 8.0));
            }
            for x in plucks.render().left {
                worst = worst.max((x - last).abs());
                last = x;
            }
        }
        // Twenty voices at 200 Hz and their overtones cannot move faster than this.
        assert!(worst < 20.0 * 0.36 * 0.03 * 2.0, "{worst}");
        assert_eq!(plucks.slots.iter().filter(|s| s.sounding && !s.fading).count(), VOICES);
    }
}
