//! The sound as a stage sees it: the level of 32 bands from 40 Hz to 14 kHz, measured on what leaves the engine.
//!
//! Runs in the audio callback: no allocation, no lock. A function of the samples alone, chunk by chunk.
//! A bank of filters and not an FFT, since at 40 Hz a band is 8 Hz wide: a window that tells it from the next is a quarter
//! of a second long, too slow for a struck note, and its whole work would fall into one block. It takes 2.6 to 4.4 % of the
//! engine's time (`cargo bench --bench sound`).

use super::dsp::{CHUNK, Chunk, follow};
pub use crate::score::spectrum::BANDS;

const LOWEST_HZ: f32 = 40.0;
const HIGHEST_HZ: f32 = 14_000.0;
/// Two band-passes in a row of this height meet the next band's at -3 dB, and fall by 29 dB in the first octave: a loud
/// tone is a peak and not a plateau.
const Q: f32 = 3.39;
const SECTIONS: usize = 2;
/// The level of a full-scale sine is 0 dB. In a round of each of the three pieces less than 0.1 % of the bands' levels are
/// above -12 dB, and of those above 5 kHz most are below -72 dB between two notes: the range is used and nothing sticks at
/// its end. The middle bands rise from 0.6 to 0.8 and 0.9 with the notes.
const DARK_DB: f32 = -72.0;
const BRIGHT_DB: f32 = -12.0;
/// Levels are told so often, frames of a film more rarely.
const LOOK_S: f32 = 0.005;
/// A rise is followed in this time, low down in a period of the band; a fall in that one, so that an onset is one frame of
/// a film and its end is seen to go.
const ATTACK_S: f32 = 0.006;
const RELEASE_S: f32 = 0.25;
/// Filters that ring on below -300 dB are at rest: numbers that are all but zero cost the processor dearly.
const REST: f32 = 1e-15;
/// Bands that are computed side by side, their state in the processor's registers.
const LANES: usize = 8;
/// Low bands are computed on each second or fourth sample, as long as the highest of a group stays below this part of the
/// rate that is left: half the work, 2 instead of 4 groups for each sample at 48 kHz.
const WITHIN: f32 = 0.15;

type Lanes = [f32; LANES];

/// Filters of neighbouring bands (trapezoidal, after Simper 2013).
#[derive(Clone, Copy, Default)]
struct Group {
    /// How often its samples are halved.
    thin: usize,
    a1: Lanes,
    a2: Lanes,
    a3: Lanes,
    k: Lanes,
    /// The integrators, (section, band).
    ic1: [Lanes; SECTIONS],
    ic2: [Lanes; SECTIONS],
    /// Squares added up since the last look.
    sum: Lanes,
}

pub struct Bands {
    groups: [Group; BANDS / LANES],
    /// The last samples of the chunk before, as they are and halved once.
    last: [f32; 2],
    /// Chunks of a look, and those of the present one.
    look: u32,
    chunks: u32,
    rise: [f32; BANDS],
    fall: f32,
    power: [f32; BANDS],
    levels: [f32; BANDS],
}

/// The middle of a band.
pub fn centre_hz(band: usize) -> f32 {
    LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ).powf(band as f32 / (BANDS - 1) as f32)
}

impl Bands {
    pub fn new(rate_hz: f32) -> Bands {
        let look = (LOOK_S * rate_hz / CHUNK as f32).round().max(1.0);
        let look_s = look * CHUNK as f32 / rate_hz;
        let groups = std::array::from_fn(|group| Group::new(group * LANES, rate_hz));
        Bands {
            groups,
            last: [0.0; 2],
            look: look as u32,
            chunks: 0,
            rise: std::array::from_fn(|band| follow(look_s, ATTACK_S.max(1.0 / centre_hz(band)))),
            fall: follow(look_s, RELEASE_S),
            power: [0.0; BANDS],
            levels: [0.0; BANDS],
        }
    }

    /// The level of each band at the last look, 0..1.
    pub fn levels(&self) -> &[f32; BANDS] {
        &self.levels
    }

    /// Hears a chunk, one for each loudspeaker; true when it has looked.
    pub fn hear(&mut self, channels: &[Chunk]) -> bool {
        let mut mono = [0.0; CHUNK];
        for channel in channels {
            // Half the sum also in a larger room: a voice stands at two of its loudspeakers, or is shared out by power.
            mono.iter_mut().zip(channel).for_each(|(sum, x)| *sum += 0.5 * x);
        }
        let half: [f32; CHUNK / 2] = halve(&mono, &mut self.last[0]);
        let quarter: [f32; CHUNK / 4] = halve(&half, &mut self.last[1]);
        for group in &mut self.groups {
            match group.thin {
                0 => group.filter(&mono),
                1 => group.filter(&half),
                _ => group.filter(&quarter),
            }
        }
        self.chunks += 1;
        if self.chunks < self.look {
            return false;
        }
        self.chunks = 0;
        let frames = (self.look as usize * CHUNK) as f32;
        for (band, level) in self.levels.iter_mut().enumerate() {
            let group = &mut self.groups[band / LANES];
            let sum = std::mem::take(&mut group.sum[band % LANES]) * (1 << group.thin) as f32;
            let power = &mut self.power[band];
            *power += (sum / frames - *power) * self.rise[band];
            let level_db = 10.0 * (2.0 * power.max(1e-12)).log10();
            let target = ((level_db - DARK_DB) / (BRIGHT_DB - DARK_DB)).clamp(0.0, 1.0);
            let way = if target > *level { 1.0 } else { self.fall };
            *level += (target - *level) * way;
            // It arrives, instead of coming ever closer.
            if *level < 1e-4 {
                *level = 0.0;
            }
        }
        true
    }
}

/// Every second sample, with half of its neighbours. What would be mirrored into the bands falls by 46 dB at 48 kHz where
/// this is done twice; where once, by 28 dB, and lies above 20 kHz.
fn halve<const N: usize>(samples: &[f32], last: &mut f32) -> [f32; N] {
    let mut before = std::mem::replace(last, samples[2 * N - 1]);
    std::array::from_fn(|i| {
        let (at, after) = (samples[2 * i], samples[2 * i + 1]);
        let out = 0.25 * (before + after) + 0.5 * at;
        before = after;
        out
    })
}

impl Group {
    /// The filters of the bands from `first` on.
    fn new(first: usize, rate_hz: f32) -> Group {
        let highest = centre_hz(first + LANES - 1) / rate_hz;
        let mut group = Group::default();
        while group.thin < 2 && highest * (2 << group.thin) as f32 <= WITHIN {
            group.thin += 1;
        }
        for lane in 0..LANES {
            let freq = centre_hz(first + lane) * (1 << group.thin) as f32 / rate_hz;
            // Above what the rate can hold a band stays dark: its filter takes nothing in.
            if freq < 0.45 {
                let g = (std::f32::consts::PI * freq).tan();
                group.k[lane] = 1.0 / Q;
                group.a1[lane] = 1.0 / (1.0 + g * (g + 1.0 / Q));
                group.a2[lane] = g * group.a1[lane];
                group.a3[lane] = g * group.a2[lane];
            }
        }
        group
    }

    fn filter(&mut self, samples: &[f32]) {
        let Group { a1, a2, a3, k, mut ic1, mut ic2, mut sum, .. } = *self;
        for x in samples {
            let mut x = [*x; LANES];
            for section in 0..SECTIONS {
                for lane in 0..LANES {
                    let (one, two) = (&mut ic1[section][lane], &mut ic2[section][lane]);
                    let v3 = x[lane] - *two;
                    let v1 = a1[lane] * *one + a2[lane] * v3;
                    let v2 = *two + a2[lane] * *one + a3[lane] * v3;
                    *one = 2.0 * v1 - *one;
                    *two = 2.0 * v2 - *two;
                    x[lane] = k[lane] * v1;
                }
            }
            for lane in 0..LANES {
                sum[lane] += x[lane] * x[lane];
            }
        }
        for x in ic1.iter_mut().chain(&mut ic2).flatten() {
            *x = if x.abs() < REST { 0.0 } else { *x };
        }
        (self.ic1, self.ic2, self.sum) = (ic1, ic2, sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::dsp::Noise;

    /// The levels after `seconds` of what `sample` makes of the frame's number, the same on both sides.
    fn heard(rate_hz: f32, seconds: f32, mut sample: impl FnMut(usize) -> f32) -> [f32; BANDS] {
        let mut bands = Bands::new(rate_hz);
        for chunk in 0..(seconds * rate_hz) as usize / CHUNK {
            let mono = std::array::from_fn(|i| sample(chunk * CHUNK + i));
            bands.hear(&[mono; 2]);
        }
        *bands.levels()
    }

    fn sine(hz: f32, rate_hz: f32, gain: f32) -> impl Fn(usize) -> f32 {
        move |frame| gain * (f64::from(hz / rate_hz) * frame as f64 * std::f64::consts::TAU).sin() as f32
    }

    #[test]
    fn a_tone_in_the_middle_of_a_band_lights_it_most() {
        for rate_hz in [44_100.0, 48_000.0, 192_000.0] {
            for band in 0..BANDS {
                let levels = heard(rate_hz, 1.0, sine(centre_hz(band), rate_hz, 0.1));
                // -20 dB is 52/60 of the way up.
                assert!((levels[band] - 0.867).abs() < 0.02, "{band} at {rate_hz}: {}", levels[band]);
                for (other, level) in levels.iter().enumerate().filter(|(other, _)| *other != band) {
                    assert!(*level < levels[band] - 0.02, "{band} at {rate_hz}: {other} has {level}");
                    let far = band.abs_diff(other) >= 8;
                    assert!(!far || *level < 0.36, "{band} at {rate_hz}: {other} has {level}");
                }
            }
        }
    }

    #[test]
    fn silence_is_dark_noise_lights_all_and_a_fall_takes_its_time() {
        assert_eq!(heard(48_000.0, 0.5, |_| 0.0), [0.0; BANDS]);
        let noise = || {
            let mut noise = Noise::new(3);
            move |_| 0.7 * noise.next()
        };
        let loud = heard(48_000.0, 1.0, noise());
        assert!(loud.iter().all(|level| *level > 0.3), "{loud:?}");
        assert!(loud == heard(48_000.0, 1.0, noise()), "the same samples, the same levels");
        let mut stops = noise();
        let after = |s: f32| move |frame: usize, x: f32| if frame as f32 > 48_000.0 * s { 0.0 } else { x };
        let quarter = heard(48_000.0, 1.25, |frame| after(1.0)(frame, stops(frame)));
        for (band, (now, before)) in quarter.iter().zip(&loud).enumerate().skip(8) {
            assert!((0.25..0.6).contains(&(now / before)), "band {band}: {before} {now}");
        }
        let mut stops = noise();
        assert_eq!(heard(48_000.0, 6.0, |frame| after(1.0)(frame, stops(frame))), [0.0; BANDS], "and it arrives");
    }

    #[test]
    fn a_struck_note_is_seen_within_a_frame_of_a_film() {
        let tone = sine(centre_hz(16), 48_000.0, 0.1);
        let level = heard(48_000.0, 0.033, tone)[16];
        assert!(level > 0.8, "{level}");
    }

    #[test]
    fn what_the_rate_cannot_hold_stays_dark() {
        let mut noise = Noise::new(5);
        let levels = heard(8_000.0, 1.0, |_| noise.next());
        for (band, level) in levels.iter().enumerate() {
            assert_eq!(*level > 0.0, centre_hz(band) < 3_600.0, "{band}: {level}");
        }
    }
}
