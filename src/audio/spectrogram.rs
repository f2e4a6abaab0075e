//! The spectrogram: the sound of a performance as one picture, time from left to right, the ear's pitch from bottom to
//! top. It is fed block by block, so that an evening needs no more memory than a minute. Pure: samples in, pixels out.

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// Samples of one look, about 85 ms at 48 kHz.
const WINDOW: usize = 4096;
/// From one look to the next.
const HOP: usize = 1024;
const LOWEST_HZ: f32 = 28.0;
const HIGHEST_HZ: f32 = 16_000.0;
/// The darkest and the brightest, dB of a full-scale sine.
const DARK_DB: f32 = -96.0;
const BRIGHT_DB: f32 = -22.0;
/// Left, right, top, bottom of the picture's frame, pixels.
const MARGIN: [u32; 4] = [72, 24, 24, 40];

/// A picture in the making.
pub struct Spectrogram {
    rate_hz: f32,
    channels: usize,
    frames: u64,
    width: usize,
    height: usize,
    fft: Arc<dyn Fft<f32>>,
    space: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    window: Vec<f32>,
    /// The channels' mean, the oldest first.
    waiting: Vec<f32>,
    /// The frame at which `waiting` begins.
    at: u64,
    /// Power of each bin, column after column, and how many looks it is the sum of.
    columns: Vec<(Vec<f32>, u32)>,
}

impl Spectrogram {
    /// A picture of `size` pixels of so many frames of sound.
    pub fn new(rate_hz: u32, channels: usize, frames: u64, size: [u32; 2]) -> Spectrogram {
        let inner = |all: u32, before: u32, after: u32| all.saturating_sub(before + after).max(16) as usize;
        let width = inner(size[0], MARGIN[0], MARGIN[1]);
        let fft = FftPlanner::new().plan_fft_forward(WINDOW);
        let window = |i: usize| 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / WINDOW as f32).cos();
        Spectrogram {
            rate_hz: rate_hz as f32,
            channels: channels.max(1),
            frames: frames.max(1),
            width,
            height: inner(size[1], MARGIN[2], MARGIN[3]),
            scratch: vec![Complex::default(); fft.get_inplace_scratch_len()],
            fft,
            space: vec![Complex::default(); WINDOW],
            window: (0..WINDOW).map(window).collect(),
            waiting: vec![0.0; WINDOW / 2],
            at: 0,
            columns: vec![(Vec::new(), 0); width],
        }
    }

    /// Takes the next interleaved frames.
    pub fn write(&mut self, samples: &[f32]) {
        let frames = samples.chunks_exact(self.channels);
        self.waiting.extend(frames.map(|frame| frame.iter().sum::<f32>() / frame.len() as f32));
        let mut from = 0;
        while self.waiting.len() - from >= WINDOW {
            self.look(from);
            from += HOP;
            self.at += HOP as u64;
        }
        self.waiting.drain(..from);
    }

    fn look(&mut self, from: usize) {
        for ((to, x), window) in self.space.iter_mut().zip(&self.waiting[from..]).zip(&self.window) {
            *to = Complex::new(x * window, 0.0);
        }
        self.fft.process_with_scratch(&mut self.space, &mut self.scratch);
        let column = (self.at * self.width as u64 / self.frames).min(self.width as u64 - 1) as usize;
        let (sum, looks) = &mut self.columns[column];
        sum.resize(WINDOW / 2, 0.0);
        for (sum, bin) in sum.iter_mut().zip(&self.space) {
            *sum += bin.norm_sqr();
        }
        *looks += 1;
    }

    /// The picture: width, height, RGBA.
    pub fn finish(mut self) -> (u32, u32, Vec<u8>) {
        self.write(&vec![0.0; self.channels * WINDOW]);
        let size = [self.width as u32 + MARGIN[0] + MARGIN[1], self.height as u32 + MARGIN[2] + MARGIN[3]];
        let mut picture = Picture::new(size);
        // A column that no look fell into shows its neighbour.
        let mut last: Option<Vec<f32>> = None;
        for x in 0..self.width {
            if let (sum, looks @ 1..) = &self.columns[x] {
                last = Some(self.rows(sum, *looks));
            }
            let Some(rows) = &last else { continue };
            for (y, level) in rows.iter().enumerate() {
                picture.set(MARGIN[0] + x as u32, MARGIN[2] + y as u32, colour(*level));
            }
        }
        self.label(&mut picture);
        (size[0], size[1], picture.pixels)
    }

    /// The brightness of each row of a column, 0..1, from the top down.
    fn rows(&self, sum: &[f32], looks: u32) -> Vec<f32> {
        // A sine of full scale under this window has a quarter of the window's length in its bin.
        let full = (WINDOW as f32 / 4.0).powi(2) * looks as f32;
        let hz_of = |y: f32| LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ).powf(1.0 - y / self.height as f32);
        let bin_of = |hz: f32| hz / self.rate_hz * WINDOW as f32;
        let row = |y: usize| {
            let (upper, lower) = (bin_of(hz_of(y as f32)), bin_of(hz_of(y as f32 + 1.0)));
            let power = if upper - lower < 1.0 {
                // Low down a bin is many rows high: what lies between two is drawn between them.
                let middle = 0.5 * (upper + lower);
                let (bin, part) = (middle as usize, middle.fract());
                let get = |i: usize| sum.get(i).copied().unwrap_or(0.0);
                get(bin) + (get(bin + 1) - get(bin)) * part
            } else {
                let bins = lower as usize..(upper as usize + 1).min(sum.len());
                sum.get(bins).unwrap_or_default().iter().copied().fold(0.0, f32::max)
            };
            let db = 10.0 * (power / full).max(1e-20).log10();
            ((db - DARK_DB) / (BRIGHT_DB - DARK_DB)).clamp(0.0, 1.0)
        };
        (0..self.height).map(row).collect()
    }

    fn label(&self, picture: &mut Picture) {
        for hz in [50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0f32] {
            let way = (hz / LOWEST_HZ).ln() / (HIGHEST_HZ / LOWEST_HZ).ln();
            let y = MARGIN[2] + ((1.0 - way) * self.height as f32) as u32;
            let text = if hz >= 1000.0 { format!("{} kHz", hz / 1000.0) } else { format!("{hz} Hz") };
            picture.text(MARGIN[0].saturating_sub(8 + 8 * text.len() as u32), y.saturating_sub(8), &text);
            (0..5).for_each(|x| picture.set(MARGIN[0] - 1 - x, y, WORDS));
        }
        let seconds = self.frames as f32 / self.rate_hz;
        let step = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];
        let step = step.into_iter().find(|step| seconds / step <= 12.0).unwrap_or(7200.0f32);
        let y = MARGIN[2] + self.height as u32;
        for i in 0..=(seconds / step) as u32 {
            let at = i as f32 * step;
            let x = MARGIN[0] + (at / seconds * self.width as f32) as u32;
            let text = format!("{}:{:02}", at as u32 / 60, at as u32 % 60);
            (0..5).for_each(|down| picture.set(x, y + down, WORDS));
            picture.text(x.saturating_sub(4 * text.len() as u32), y + 12, &text);
        }
    }
}

const GROUND: [u8; 3] = [10, 12, 18];
const WORDS: [u8; 3] = [150, 156, 168];

/// Night, a deep blue, the colour of a lamp, white.
fn colour(level: f32) -> [u8; 3] {
    const STOPS: [(f32, [f32; 3]); 5] = [
        (0.0, [10.0, 12.0, 18.0]),
        (0.3, [24.0, 36.0, 82.0]),
        (0.6, [118.0, 62.0, 104.0]),
        (0.82, [232.0, 148.0, 72.0]),
        (1.0, [255.0, 244.0, 220.0]),
    ];
    let above = STOPS.iter().position(|(at, _)| level <= *at).unwrap_or(STOPS.len() - 1).max(1);
    let ((from, a), (to, b)) = (STOPS[above - 1], STOPS[above]);
    let part = (level - from) / (to - from);
    std::array::from_fn(|i| (a[i] + (b[i] - a[i]) * part) as u8)
}

struct Picture {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Picture {
    fn new([width, height]: [u32; 2]) -> Picture {
        let pixels = [GROUND[0], GROUND[1], GROUND[2], 255].repeat((width * height) as usize);
        Picture { width, height, pixels }
    }

    fn set(&mut self, x: u32, y: u32, rgb: [u8; 3]) {
        if x < self.width && y < self.height {
            self.pixels[4 * (y * self.width + x) as usize..][..3].copy_from_slice(&rgb);
        }
    }

    /// Words in GNU Unifont, 16 pixels high.
    fn text(&mut self, x: u32, y: u32, text: &str) {
        for (i, c) in text.chars().enumerate() {
            let Some(unifont::Glyph::Halfwidth(rows)) = unifont::get_glyph(c) else { continue };
            for (down, row) in rows.iter().enumerate() {
                for right in (0..8).filter(|right| row & (0x80 >> right) != 0) {
                    self.set(x + 8 * i as u32 + right, y + down as u32, WORDS);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of one tone.
    fn tone(hz: f32) -> Vec<f32> {
        (0..48_000).flat_map(|i| [0.02 * (std::f32::consts::TAU * hz * i as f32 / 48_000.0).sin(); 2]).collect()
    }

    #[test]
    fn a_tone_is_a_bright_line_at_its_height() {
        for hz in [60.0f32, 440.0, 3000.0] {
            let mut spectrogram = Spectrogram::new(48_000, 2, 48_000, [400, 300]);
            tone(hz).chunks(700).for_each(|block| spectrogram.write(block));
            let (width, height, pixels) = spectrogram.finish();
            assert_eq!((width, height, pixels.len()), (400, 300, 400 * 300 * 4));
            let bright = |y: u32| pixels[4 * (y * width + 200) as usize];
            let rows = MARGIN[2]..height - MARGIN[3];
            let top = rows.clone().max_by_key(|y| bright(*y)).unwrap();
            let way = (hz / LOWEST_HZ).ln() / (HIGHEST_HZ / LOWEST_HZ).ln();
            let wanted = MARGIN[2] as f32 + (1.0 - way) * (height - MARGIN[2] - MARGIN[3]) as f32;
            assert!((top as f32 - wanted).abs() < 6.0, "{hz}: {top} {wanted}");
            assert!(bright(MARGIN[2] + 2) < 40, "nothing at the top");
        }
    }

    #[test]
    fn silence_and_a_moment_are_pictures_too() {
        for frames in [0u64, 1, 100, 5_000_000] {
            let mut spectrogram = Spectrogram::new(48_000, 2, frames, [1, 1]);
            spectrogram.write(&vec![0.0; 2 * frames.min(1000) as usize]);
            let (width, height, pixels) = spectrogram.finish();
            assert_eq!(pixels.len(), (4 * width * height) as usize);
        }
    }
}
