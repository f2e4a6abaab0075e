//! The throat: a voice that has no words. The letters of each token shape a mouth (vowels set its formants, consonants
//! close it), a glottis sings through it in the scale. It is a voice and no speech synthesis: nobody shall understand
//! it, and everybody shall hear that somebody speaks.
//!
//! A Chinese sign has no letters: its number chooses mouth and tone, always the same for the same sign.

use crate::audio::dsp::{CHUNK, Filter, Noise, Smooth, Stereo, Wander, advance, follow, quarter, sine, smoothstep};

/// Sounds of one token that are spoken; of a longer word the rest is swallowed.
pub const PHONES: usize = 6;

/// One sound of a word.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Phone {
    #[default]
    None,
    /// A mouth, an index into the table of vowels, and how the pitch moves in it, -1..=1.
    Vowel { mouth: u8, tone: i8 },
    /// A closing: 0 a stop, 1 a hiss, 2 a hum through the nose.
    Consonant(u8),
}

/// The first three formants in Hz of a e i o u and two mouths between them (after Peterson and Barney, 1952).
const MOUTHS: [[f32; 3]; 7] = [
    [730.0, 1090.0, 2440.0],
    [530.0, 1840.0, 2480.0],
    [270.0, 2290.0, 3010.0],
    [570.0, 840.0, 2410.0],
    [300.0, 870.0, 2240.0],
    [490.0, 1350.0, 1690.0],
    [660.0, 1720.0, 2410.0],
];
const FORMANT_LEVEL: [f32; 3] = [1.0, 0.63, 0.25];
const FORMANT_Q: [f32; 3] = [7.0, 9.0, 11.0];

/// The sounds of a token's text.
pub fn phones(text: &str) -> [Phone; PHONES] {
    let mut phones = [Phone::None; PHONES];
    let mut at = 0;
    let mut put = |phone: Phone| {
        if at < PHONES && (at == 0 || phones[at - 1] != phone) {
            phones[at] = phone;
            at += 1;
        }
    };
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'a' | 'à' | 'á' | 'â' | 'ä' => put(Phone::Vowel { mouth: 0, tone: 0 }),
            'e' | 'è' | 'é' | 'ê' => put(Phone::Vowel { mouth: 1, tone: 0 }),
            'i' | 'y' => put(Phone::Vowel { mouth: 2, tone: 0 }),
            'o' | 'ö' => put(Phone::Vowel { mouth: 3, tone: 0 }),
            'u' | 'w' | 'ü' => put(Phone::Vowel { mouth: 4, tone: 0 }),
            's' | 'z' | 'c' | 'x' | 'f' | 'v' | 'h' => put(Phone::Consonant(1)),
            'm' | 'n' | 'l' | 'r' => put(Phone::Consonant(2)),
            c if c.is_ascii_alphabetic() => put(Phone::Consonant(0)),
            c if c.is_alphabetic() => {
                let hash = (c as u32).wrapping_mul(0x9e37_79b9) >> 16;
                put(Phone::Consonant((hash % 3) as u8));
                put(Phone::Vowel { mouth: (hash / 3 % 7) as u8, tone: (hash / 21 % 3) as i8 - 1 });
            }
            _ => {}
        }
    }
    phones
}

/// What the throat needs to know for one chunk.
pub struct ThroatControl {
    pub gain: f32,
    /// 0 is a large body, 1 a small one.
    pub size: f32,
}

#[derive(Clone)]
pub struct Throat {
    rate_hz: f32,
    phase: f32,
    noise: Noise,
    vibrato: Wander,
    word: [Phone; PHONES],
    /// Frames into the word, and of one of its sounds.
    since: u32,
    each: u32,
    hz: Smooth,
    target_hz: f32,
    open: Smooth,
    hiss: Smooth,
    formants: [f32; 3],
    filters: [[Filter; 3]; 2],
    air: Filter,
    size: f32,
}

impl Throat {
    pub fn new(rate_hz: f32, seed: u64) -> Throat {
        Throat {
            rate_hz,
            phase: 0.0,
            noise: Noise::new(seed ^ 0x7468_726f),
            vibrato: Wander::new(seed ^ 0x7669_6272),
            word: [Phone::None; PHONES],
            since: u32::MAX,
            each: 1,
            hz: Smooth(110.0),
            target_hz: 110.0,
            open: Smooth(0.0),
            hiss: Smooth(0.0),
            formants: MOUTHS[5],
            filters: [[Filter::default(); 3]; 2],
            air: Filter::default(),
            size: 0.5,
        }
    }

    /// Begins a word on this note; it takes so many seconds.
    pub fn speak(&mut self, word: [Phone; PHONES], hz: f32, length_s: f32) {
        let sounds = word.iter().filter(|phone| **phone != Phone::None).count() as u32;
        if sounds == 0 || !hz.is_finite() || !length_s.is_finite() {
            return;
        }
        self.word = word;
        self.since = 0;
        self.each = ((length_s.clamp(0.04, 4.0) * self.rate_hz) as u32 / sounds).max(CHUNK as u32);
        self.target_hz = hz.clamp(40.0, 800.0);
    }

    pub fn render(&mut self, control: &ThroatControl) -> Stereo {
        let dt = CHUNK as f32 / self.rate_hz;
        let at = (self.since / self.each) as usize;
        let phone = self.word.get(at).copied().unwrap_or_default();
        let way = (self.since % self.each) as f32 / self.each as f32;
        self.since = self.since.saturating_add(CHUNK as u32);
        let (open, hiss, bend) = match phone {
            Phone::Vowel { mouth, tone } => {
                let to = MOUTHS[usize::from(mouth) % MOUTHS.len()];
                for (formant, to) in self.formants.iter_mut().zip(to) {
                    *formant += (to - *formant) * follow(dt, 0.025);
                }
                (0.55 + 0.45 * smoothstep(2.0 * way), 0.0, 2.0 * f32::from(tone) * smoothstep(way))
            }
            Phone::Consonant(1) => (0.0, 1.0, 0.0),
            Phone::Consonant(2) => (0.3, 0.0, 0.0),
            Phone::Consonant(_) => (0.0, 0.25, 0.0),
            Phone::None => (0.0, 0.0, 0.0),
        };
        self.size += (control.size.clamp(0.0, 1.0) - self.size) * follow(dt, 0.1);
        let vibrato = 0.25 * self.vibrato.step(dt * 9.0);
        let hz = self.target_hz * ((bend + vibrato) / 12.0).exp2();
        let mut hz = self.hz.toward(hz, follow(dt, 0.03));
        let mut open = self.open.toward(control.gain * open, follow(dt, 0.02));
        let mut hiss = self.hiss.toward(control.gain * hiss, follow(dt, 0.012));
        let mut out = Stereo::SILENCE;
        if open.at + hiss.at < 1e-6 && self.open.0 + self.hiss.0 < 1e-6 {
            return out;
        }
        let scale = 0.85 + 0.5 * self.size;
        for (ear, filters) in self.filters.iter_mut().enumerate() {
            // Each ear hears a mouth of its own, a hair apart.
            let apart = if ear == 0 { 0.994 } else { 1.006 };
            for ((filter, hz), q) in filters.iter_mut().zip(self.formants).zip(FORMANT_Q) {
                filter.tune(hz * scale * apart / self.rate_hz, q);
            }
        }
        self.air.tune(4600.0 * scale / self.rate_hz, 1.2);
        for i in 0..CHUNK {
            advance(&mut self.phase, (hz.next() / self.rate_hz).clamp(0.0, 0.1));
            // A glottis: many overtones, the lower ones strong (Moorer's sum, as in the hum).
            let b = 0.78;
            let glottis = sine(self.phase) / (1.0 - 2.0 * b * sine(quarter(self.phase)) + b * b);
            let breath = self.noise.next();
            let source = open.next() * (0.5 * glottis + 0.04 * breath);
            let hiss = 0.5 * hiss.next() * self.air.next(breath).0;
            for (filters, out) in self.filters.iter_mut().zip([&mut out.left[i], &mut out.right[i]]) {
                let sung: f32 = filters.iter_mut().zip(FORMANT_LEVEL).map(|(f, level)| level * f.next(source).0).sum();
                *out = sung + hiss;
            }
        }
        out
    }

    /// Falls silent at once.
    pub fn reset(&mut self, seed: u64) {
        *self = Throat::new(self.rate_hz, seed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_signs_become_sounds() {
        let moon = phones(" moon");
        assert_eq!(moon[..3], [Phone::Consonant(2), Phone::Vowel { mouth: 3, tone: 0 }, Phone::Consonant(2)]);
        assert_eq!((phones("。"), phones("")), ([Phone::None; PHONES], [Phone::None; PHONES]));
        assert_eq!(phones("春"), phones("春"));
        assert!(matches!(phones("春")[1], Phone::Vowel { .. }) && phones("春") != phones("月"));
        assert!(phones("incomprehensibilities").iter().all(|phone| *phone != Phone::None));
    }

    fn spectrum_at(samples: &[f32], hz: f32) -> f32 {
        let (mut re, mut im) = (0.0f32, 0.0f32);
        for (i, x) in samples.iter().enumerate() {
            let angle = std::f32::consts::TAU * hz * i as f32 / 48_000.0;
            re += x * angle.cos();
            im += x * angle.sin();
        }
        re.hypot(im) / samples.len() as f32
    }

    #[test]
    fn another_vowel_is_another_mouth() {
        let sung = |text: &str| {
            let mut throat = Throat::new(48_000.0, 1);
            throat.speak(phones(text), 110.0, 1.0);
            let control = ThroatControl { gain: 0.5, size: 0.3 };
            let run: Vec<f32> = (0..700).flat_map(|_| throat.render(&control).left).collect();
            run[9600..33_600].to_vec()
        };
        let (a, i) = (sung("a"), sung("i"));
        // The high formant of i, at 2290 Hz, is where a has little.
        let high = |run: &[f32]| (19..23).map(|k| spectrum_at(run, 110.0 * k as f32)).sum::<f32>();
        let low = |run: &[f32]| (5..8).map(|k| spectrum_at(run, 110.0 * k as f32)).sum::<f32>();
        assert!(high(&i) / low(&i) > 3.0 * high(&a) / low(&a), "{} {} {} {}", high(&i), low(&i), high(&a), low(&a));
    }

    #[test]
    fn it_comes_to_rest_and_is_finite_whatever_it_is_told() {
        let mut throat = Throat::new(48_000.0, 1);
        throat.speak(phones("strength"), f32::NAN, f32::NAN);
        throat.speak(phones("夜"), 1e9, 1e9);
        throat.speak(phones("moon"), 110.0, 0.2);
        let control = ThroatControl { gain: 0.5, size: 2.0 };
        let peaks: Vec<f32> = (0..900).map(|_| throat.render(&control).peak()).collect();
        assert!(peaks.iter().all(|peak| peak.is_finite() && *peak < 2.0));
        assert!(peaks[20] > 0.001 && peaks[899] == 0.0);
    }
}
