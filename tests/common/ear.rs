//! What a listener would hear, as far as it can be counted: bands, brightness, onsets, clicks, loudness.

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

/// The mean of a frame's channels.
pub fn mono(samples: &[f32], channels: usize) -> Vec<f32> {
    samples.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect()
}

pub fn db(power: f64) -> f64 {
    10.0 * power.max(1e-20).log10()
}

/// The power of each frequency, in steps of rate / length Hz.
fn spectrum(samples: &[f32]) -> Vec<f64> {
    let n = samples.len();
    let window = |i: usize| 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / n as f32).cos();
    let mut space: Vec<Complex<f32>> =
        samples.iter().enumerate().map(|(i, x)| Complex::new(x * window(i), 0.0)).collect();
    FftPlanner::new().plan_fft_forward(n).process(&mut space);
    space[..n / 2].iter().map(|bin| f64::from(bin.norm_sqr()) / (n as f64 * n as f64)).collect()
}

/// Levels in dB of the third-octave bands from 31.5 Hz to 16 kHz (base 2).
pub fn third_octaves(samples: &[f32], rate_hz: u32) -> Vec<f64> {
    let power = spectrum(samples);
    let bin_hz = f64::from(rate_hz) / samples.len() as f64;
    let band = |k: i32| {
        let centre = 1000.0 * 2f64.powf(f64::from(k) / 3.0);
        let edge = 2f64.powf(1.0 / 6.0);
        let (from, to) = ((centre / edge / bin_hz) as usize, (centre * edge / bin_hz) as usize);
        db(power[from.min(power.len())..to.min(power.len())].iter().sum())
    };
    (-15..=12).map(band).collect()
}

/// The centre of gravity of the spectrum between 20 Hz and 16 kHz.
pub fn centroid_hz(samples: &[f32], rate_hz: u32) -> f64 {
    let power = spectrum(samples);
    let bin_hz = f64::from(rate_hz) / samples.len() as f64;
    let heard = (20.0 / bin_hz) as usize..((16_000.0 / bin_hz) as usize).min(power.len());
    let whole: f64 = power[heard.clone()].iter().sum();
    heard.map(|i| i as f64 * bin_hz * power[i]).sum::<f64>() / whole.max(1e-20)
}

/// Moments, in frames, at which five milliseconds are 6 dB louder than everything in the fifth of a second before, above
/// -60 dB.
pub fn onsets(samples: &[f32], rate_hz: u32) -> Vec<usize> {
    let step = rate_hz as usize / 200;
    let loud: Vec<f64> =
        samples.chunks(step).map(|c| c.iter().map(|x| f64::from(x * x)).sum::<f64>() / c.len() as f64).collect();
    let begins = |i: &usize| {
        let before = loud[i - 40..*i].iter().copied().fold(0.0, f64::max);
        loud[*i] > 1e-6 && loud[*i] > 4.0 * before
    };
    (40..loud.len()).filter(begins).map(|i| i * step).collect()
}

/// What differs between two sounds of the same length, told as a listener would name it; `None` if nothing would be
/// noticed. A band counts where it is within 40 dB of the loudest.
pub fn difference(a: &[f32], b: &[f32], rate_hz: u32) -> Option<String> {
    let (ta, tb) = (third_octaves(a, rate_hz), third_octaves(b, rate_hz));
    let top = ta.iter().chain(&tb).copied().fold(f64::MIN, f64::max);
    let steps = ta.iter().zip(&tb).map(|(a, b)| if a.max(*b) > top - 40.0 { (a - b).abs() } else { 0.0 });
    let (band, step) = steps.enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    if step >= 1.5 {
        let hz = 1000.0 * 2f64.powf((band as f64 - 15.0) / 3.0);
        return Some(format!("{step:.1} dB at {hz:.0} Hz"));
    }
    let (ca, cb) = (centroid_hz(a, rate_hz), centroid_hz(b, rate_hz));
    if (ca / cb - 1.0).abs() >= 0.06 {
        return Some(format!("centroid {ca:.0} Hz, {cb:.0} Hz"));
    }
    let (oa, ob) = (onsets(a, rate_hz).len(), onsets(b, rate_hz).len());
    (oa != ob).then(|| format!("{oa} onsets, {ob} onsets"))
}

/// What is too soft to be heard as a click.
const FLOOR: f32 = 1e-4;
/// A quarter of a millisecond at 48 kHz: the grain in which neighbourhoods are looked at.
const GRAIN: usize = 12;
/// How many of them make a neighbourhood on each side, 4 ms; the two next to a place are left out.
const GRAINS: usize = 16;

/// Places, in samples, at which one channel jumps. Two tests, and a place that fails either is a click:
///
/// - The step from one sample to the next is more than 3 times the steepest slope of the 4 times oversampled sound from
///   0.25 to 4 ms before and after it. Between samples, content that ends below half the rate is what the oversampling
///   draws; a step that no slope round it explains is not of that content.
/// - The fourth difference is more than 4 times the largest round it. That finds the kink and the lost sample under a
///   loud low tone, whose slope would hide them.
pub fn clicks(samples: &[f32]) -> Vec<usize> {
    let steps: Vec<f32> = samples.windows(2).map(|w| (w[1] - w[0]).abs()).collect();
    let sharp: Vec<f32> =
        samples.windows(5).map(|w| (w[0] - 4.0 * w[1] + 6.0 * w[2] - 4.0 * w[3] + w[4]).abs()).collect();
    let mut found = outliers(&steps, &grains(&slopes(samples)), 3.0, FLOOR);
    found.extend(outliers(&sharp, &grains(&sharp), 4.0, 3.0 * FLOOR));
    found.sort_unstable();
    found
}

/// The largest of each grain.
fn grains(values: &[f32]) -> Vec<f32> {
    values.chunks(GRAIN).map(|grain| grain.iter().copied().fold(0.0, f32::max)).collect()
}

fn outliers(values: &[f32], grains: &[f32], factor: f32, floor: f32) -> Vec<usize> {
    let most = |range: std::ops::Range<usize>| grains[range].iter().copied().fold(0.0, f32::max);
    let mut found = Vec::new();
    for (g, here) in grains.iter().enumerate() {
        if *here <= floor || g < GRAINS || g + GRAINS >= grains.len() {
            continue;
        }
        let round = most(g - GRAINS..g - 1).max(most(g + 2..g + GRAINS));
        let here = g * GRAIN..((g + 1) * GRAIN).min(values.len());
        found.extend(here.filter(|i| values[*i] > floor && values[*i] > factor * round));
    }
    found
}

/// The steepest slope, in units per sample, of the 4 times oversampled sound between each sample and the next.
fn slopes(samples: &[f32]) -> Vec<f32> {
    const TAPS: usize = 16;
    // Points at 0, 1/4, 1/2, 3/4 between the two middle samples of a window.
    let kernels: [[f32; TAPS]; 4] = std::array::from_fn(|k| {
        std::array::from_fn(|i| {
            let x = i as f64 - (TAPS / 2 - 1) as f64 - k as f64 / 4.0;
            let sinc = if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
            (sinc * (std::f64::consts::PI * x / TAPS as f64).cos().powi(2)) as f32
        })
    });
    let mut out = vec![0.0; samples.len()];
    let mut last = 0.0;
    for (i, window) in samples.windows(TAPS).enumerate() {
        for kernel in &kernels {
            let y: f32 = window.iter().zip(kernel).map(|(x, tap)| x * tap).sum();
            let slope = 4.0 * (y - last).abs();
            out[i + TAPS / 2 - 1] = slope.max(out[i + TAPS / 2 - 1]);
            last = y;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32, gain: f32) -> impl Fn(usize) -> f32 {
        move |i| gain * (std::f32::consts::TAU * hz * i as f32 / 48_000.0).sin()
    }

    #[test]
    fn the_ear_hears_clicks_and_only_clicks() {
        let low = tone(55.0, 0.5);
        let high = tone(7000.0, 0.05);
        let clean: Vec<f32> = (0..48_000).map(|i| low(i) + high(i)).collect();
        assert_eq!(clicks(&clean), Vec::<usize>::new());
        // A note that is struck in a millisecond and a half is no click.
        let struck = |i: usize| {
            let t = (i as f32 - 20_000.0) / 72.0;
            let t = t.clamp(0.0, 1.0);
            t * t * (3.0 - 2.0 * t)
        };
        let note: Vec<f32> = (0..48_000).map(|i| low(i) + struck(i) * tone(900.0, 0.4)(i)).collect();
        assert_eq!(clicks(&note), Vec::<usize>::new());
        // A step of a hundredth, a lost sample, a level that jumps by 3 dB.
        let step: Vec<f32> = (0..48_000).map(|i| low(i) + if i > 20_000 { 0.01 } else { 0.0 }).collect();
        assert!(!clicks(&step).is_empty());
        let mut lost: Vec<f32> = (0..48_000).map(&low).collect();
        lost[20_000] = 0.0;
        assert!(!clicks(&lost).is_empty());
        let jump: Vec<f32> = (0..48_000).map(|i| low(i) * if i > 20_100 { 0.7 } else { 1.0 }).collect();
        assert!(!clicks(&jump).is_empty());
    }

    #[test]
    fn differences_are_told() {
        let run = |hz: f32, gain: f32| -> Vec<f32> { (0..96_000).map(tone(hz, gain)).collect() };
        assert_eq!(difference(&run(440.0, 0.1), &run(440.0, 0.11), 48_000), None);
        assert!(difference(&run(440.0, 0.1), &run(440.0, 0.13), 48_000).is_some());
        assert!(difference(&run(440.0, 0.1), &run(600.0, 0.1), 48_000).is_some());
    }
}
