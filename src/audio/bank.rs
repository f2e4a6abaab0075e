//! The artist's own sounds: a folder of WAV, FLAC, Ogg Vorbis and MP3 files, decoded whole into memory at the engine's
//! rate. Read off the callback's thread; a file that cannot be used is told, and the others play.

use std::path::{Path, PathBuf};

/// The longest sample, and all together.
const LONGEST_S: u64 = 120;
const MOST_BYTES: usize = 256 << 20;
/// Files of one folder.
const MOST: usize = 64;
/// The largest file that is opened: what lasts so long uncompressed, in eight channels of 32 bits at 192 kHz.
const LARGEST: u64 = 800 << 20;

/// Sounds in the order of their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bank {
    pub samples: Vec<Sample>,
}

/// One sound at the engine's rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub name: String,
    /// Interleaved stereo.
    stereo: Vec<f32>,
}

impl Sample {
    pub fn new(name: &str, stereo: Vec<f32>) -> Sample {
        Sample { name: name.to_string(), stereo }
    }

    pub fn frames(&self) -> usize {
        self.stereo.len() / 2
    }

    /// Both channels at a place between two frames; silence beyond its ends.
    #[inline]
    pub fn at(&self, frame: f64) -> [f32; 2] {
        let (whole, part) = (frame as usize, frame.fract() as f32);
        let get = |i: usize| match self.stereo.get(2 * i..2 * i + 2) {
            Some(frame) => [frame[0], frame[1]],
            None => [0.0; 2],
        };
        // Four points (Catmull and Rom): a pitch that is bent stays soft.
        let [a, b, c, d] = [get(whole.saturating_sub(1)), get(whole), get(whole + 1), get(whole + 2)];
        std::array::from_fn(|k| {
            let (a, b, c, d) = (a[k], b[k], c[k], d[k]);
            let slope = (0.5 * (c - a), 0.5 * (d - b));
            let rise = c - b;
            let (third, square) = (slope.0 + slope.1 - 2.0 * rise, 3.0 * rise - 2.0 * slope.0 - slope.1);
            b + part * (slope.0 + part * (square + part * third))
        })
    }
}
