//! One sound file: decoded by rodio, folded to stereo, brought to the engine's rate by rubato.
//!
//! The same file gives the same samples on every machine: what is computed in between is in double precision.

use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use rodio::{Decoder, Source};
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler, WindowFunction};

use super::{LONGEST_S, SampleError};

/// Rates that are believed, in Hz.
const RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;
/// Frames that the converter takes at once; so long a block lets through all but the last 2 % below the lower half rate.
const BLOCK: usize = 2048;
/// Floating-point samples beyond this are a mistake: 12 dB above full scale.
const LOUDEST: f32 = 4.0;

/// What a file holds.
pub struct Decoded {
    /// Interleaved stereo at the wanted rate.
    pub stereo: Vec<f32>,
    /// What is to be known of it.
    pub notices: Vec<String>,
}

/// Decodes a file of `bytes` from its beginning, at most `room` frames at `rate_hz`.
pub fn decode(file: File, bytes: u64, rate_hz: u32, room: usize) -> Result<Decoded, SampleError> {
    let _quiet = Quiet::begin();
    // What a decoder makes of a broken file is not known to its makers either.
    catch_unwind(AssertUnwindSafe(|| decode_unguarded(file, bytes, rate_hz, room))).unwrap_or(Err(SampleError::Broken))
}

fn decode_unguarded(mut file: File, bytes: u64, rate_hz: u32, room: usize) -> Result<Decoded, SampleError> {
    let mut head = [0; 4];
    let _ = file.read_exact(&mut head);
    let unended = &head == b"OggS" && !ogg_ends(&mut file, bytes);
    file.rewind()?;
    let hint = match &head {
        b"RIFF" => "wav",
        b"fLaC" => "flac",
        b"OggS" => "ogg",
        _ => "mp3",
    };
    let mut decoder = Decoder::builder()
        .with_data(file)
        .with_byte_len(bytes)
        .with_hint(hint)
        .build()
        .map_err(|error| SampleError::Format(error.to_string()))?;
    let from_hz = decoder.sample_rate().get();
    let announced_s = decoder.total_duration().map(|time| time.as_secs_f64());
    if !RATES.contains(&from_hz) {
        return Err(SampleError::Format(format!("its rate would be {from_hz} Hz")));
    }
    let mut converter = Converter::new(from_hz, rate_hz);
    let most = LONGEST_S * from_hz as usize;
    let (mut frames, mut wild, mut widest, mut longer, mut turned) = (0, 0u64, 0, false, false);
    let mut frame = Vec::new();
    'file: while let Some(first) = decoder.next() {
        if frames == most {
            longer = true;
            break;
        }
        // Known only when the first sample of a frame is there: a file may change in its middle.
        if decoder.sample_rate().get() != from_hz {
            turned = true;
            break;
        }
        let channels = usize::from(decoder.channels().get());
        widest = widest.max(channels);
        frame.clear();
        frame.push(first);
        for _ in 1..channels {
            let Some(sample) = decoder.next() else { break 'file };
            frame.push(sample);
        }
        for sample in &mut frame {
            if !(-LOUDEST..=LOUDEST).contains(sample) {
                wild += 1;
                *sample = if sample.is_finite() { sample.clamp(-LOUDEST, LOUDEST) } else { 0.0 };
            }
        }
        converter.push(fold(&frame));
        frames += 1;
        if converter.out.len() / 2 > room {
            return Err(SampleError::NoRoom);
        }
    }
    if frames == 0 {
        return Err(SampleError::NoSound);
    }
    let stereo = converter.finish();
    if stereo.len() / 2 > room {
        return Err(SampleError::NoRoom);
    }
    let played_s = frames as f64 / f64::from(from_hz);
    let mut notices = Vec::new();
    if longer {
        notices.push(format!("is longer than {LONGEST_S} s; its beginning is played"));
    } else if turned {
        notices.push(format!("changes its rate after {played_s:.2} s; it is played up to there"));
    } else if let Some(whole_s) = announced_s
        && whole_s - played_s > f64::max(0.05, 0.03 * whole_s)
    {
        notices.push(format!("is cut short or damaged: {played_s:.2} s of {whole_s:.2} s are played"));
    } else if unended {
        notices.push(format!("is cut short: {played_s:.2} s are played"));
    }
    if widest > 2 {
        notices.push(format!("has {widest} channels; they are folded down to two"));
    }
    if wild > 0 {
        notices.push(format!("holds {wild} samples that are no numbers or far beyond full scale; they are mended"));
    }
    Ok(Decoded { stereo, notices })
}

/// Whether the last whole page of an Ogg file says that it is the last.
fn ogg_ends(file: &mut File, bytes: u64) -> bool {
    // No page is longer than 65,307 bytes.
    let mut tail = Vec::new();
    let sought = file.seek(SeekFrom::Start(bytes.saturating_sub(65_400)));
    if sought.and_then(|_| file.take(65_400).read_to_end(&mut tail)).is_err() {
        return true;
    }
    let Some(page) = tail.windows(4).rposition(|four| four == b"OggS").map(|at| &tail[at..]) else { return false };
    let Some(lacing) = page.get(26).and_then(|count| page.get(27..27 + usize::from(*count))) else { return false };
    let length = 27 + lacing.len() + lacing.iter().map(|n| usize::from(*n)).sum::<usize>();
    page[5] & 4 != 0 && page.len() >= length
}

/// Any number of channels as two, in the order of a WAV file's channels: a centre goes to both sides, what is behind or
/// beside to its own, the low effects nowhere. Each side has the power of what it is made of.
fn fold(frame: &[f32]) -> [f32; 2] {
    const C: f32 = std::f32::consts::FRAC_1_SQRT_2;
    // For each channel its part in the left and in the right.
    const L: [f32; 2] = [1.0, 0.0];
    const R: [f32; 2] = [0.0, 1.0];
    const M: [f32; 2] = [C, C];
    const BL: [f32; 2] = [C, 0.0];
    const BR: [f32; 2] = [0.0, C];
    const NO: [f32; 2] = [0.0, 0.0];
    let parts: &[[f32; 2]] = match frame.len() {
        1 => return [frame[0]; 2],
        2 => return [frame[0], frame[1]],
        3 => &[L, R, M],
        4 => &[L, R, BL, BR],
        5 => &[L, R, M, BL, BR],
        6 => &[L, R, M, NO, BL, BR],
        7 => &[L, R, M, NO, M, BL, BR],
        8 => &[L, R, M, NO, BL, BR, BL, BR],
        // No order is usual: from one side to the other.
        _ => &[L, R],
    };
    let (mut sum, mut power) = ([0.0; 2], [0.0; 2]);
    for (sample, part) in frame.iter().zip(parts.iter().cycle()) {
        for side in 0..2 {
            sum[side] += part[side] * sample;
            power[side] += part[side] * part[side];
        }
    }
    [sum[0] / power[0].sqrt(), sum[1] / power[1].sqrt()]
}

/// From one rate to another, block by block, without the delay of its filter.
struct Converter {
    fft: Option<Fft<f64>>,
    /// Interleaved stereo that waits for its block to be full.
    block: Vec<f64>,
    made: Vec<f64>,
    /// Frames of delay still to be thrown away, and how many there will be in the end.
    delay: usize,
    taken: usize,
    ratio: f64,
    out: Vec<f32>,
}

impl Converter {
    fn new(from_hz: u32, to_hz: u32) -> Converter {
        let fft = (from_hz != to_hz).then(|| {
            let (from, to) = (from_hz as usize, to_hz as usize);
            Fft::new_custom(from, to, BLOCK, 1, 2, WindowFunction::BlackmanHarris2, FixedSync::Input)
                .expect("two rates above zero and a block")
        });
        Converter {
            made: vec![0.0; fft.as_ref().map_or(0, |fft| 2 * fft.output_frames_max())],
            delay: fft.as_ref().map_or(0, Fft::output_delay),
            fft,
            block: Vec::with_capacity(2 * BLOCK),
            taken: 0,
            ratio: f64::from(to_hz) / f64::from(from_hz),
            out: Vec::new(),
        }
    }

    fn push(&mut self, frame: [f32; 2]) {
        self.taken += 1;
        if self.fft.is_none() {
            self.out.extend(frame);
            return;
        }
        self.block.extend(frame.map(f64::from));
        if self.block.len() == 2 * BLOCK {
            self.convert();
        }
    }

    /// Converts what waits, with silence behind it if it is less than a block.
    fn convert(&mut self) {
        let Some(fft) = &mut self.fft else { return };
        let waiting = self.block.len() / 2;
        self.block.resize(2 * BLOCK, 0.0);
        let frames = self.made.len() / 2;
        let input = InterleavedSlice::new(&self.block, 2, BLOCK).expect("a block of stereo");
        let mut output = InterleavedSlice::new_mut(&mut self.made, 2, frames).expect("room for a block of stereo");
        let partial = Indexing::new().partial_len(waiting);
        let (_, made) = fft.process_into_buffer(&input, &mut output, Some(&partial)).expect("blocks that fit");
        let skipped = self.delay.min(made);
        self.delay -= skipped;
        self.out.extend(self.made[2 * skipped..2 * made].iter().map(|x| *x as f32));
        self.block.clear();
    }

    fn finish(mut self) -> Vec<f32> {
        let samples = 2 * (self.taken as f64 * self.ratio).ceil() as usize;
        while self.fft.is_some() && self.out.len() < samples {
            self.convert();
        }
        self.out.truncate(samples);
        self.out.shrink_to_fit();
        self.out
    }
}

thread_local! {
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, a panic on this thread says nothing: the stage may be a terminal, and the file is told in words.
struct Quiet;

impl Quiet {
    fn begin() -> Quiet {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                if !DECODING.get() {
                    before(info);
                }
            }));
        });
        DECODING.set(true);
        Quiet
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        DECODING.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An Ogg page of two lacing values, 255 bytes and 5.
    fn page(last: bool) -> Vec<u8> {
        let mut page = b"OggS\0".to_vec();
        page.push(if last { 4 } else { 0 });
        page.resize(26, 0);
        page.extend([2, 255, 5]);
        page.resize(29 + 260, 7);
        page
    }

    #[test]
    fn an_ogg_file_that_was_cut_is_seen_by_its_last_page() {
        let ends = |bytes: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            std::io::Write::write_all(&mut file, bytes).unwrap();
            ogg_ends(&mut file, bytes.len() as u64)
        };
        let whole = [vec![0; 70_000], page(false), page(true)].concat();
        assert!(ends(&whole));
        for cut in [1, 288, 289, 300, whole.len() - 1, whole.len()] {
            assert!(!ends(&whole[..whole.len() - cut]), "{cut}");
        }
    }

    #[test]
    fn a_fold_keeps_what_is_in_front_and_the_power_of_the_rest() {
        assert_eq!(fold(&[0.5]), [0.5, 0.5]);
        assert_eq!(fold(&[0.5, -0.25]), [0.5, -0.25]);
        let front = fold(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert!(front[0] > 0.6 && front[1] == 0.0, "{front:?}");
        let low = fold(&[0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(low, [0.0, 0.0]);
        let centre = fold(&[0.0, 0.0, 1.0]);
        assert!(centre[0] == centre[1] && centre[0] > 0.5);
        assert!(fold(&[1.0; 64]).iter().all(|x| x.is_finite() && *x > 0.0));
    }

    #[test]
    fn a_decoder_that_panics_is_told_and_says_nothing() {
        let quiet = Quiet::begin();
        let caught = catch_unwind(|| -> () { panic!("never seen") });
        assert!(caught.is_err() && DECODING.get());
        drop(quiet);
        assert!(!DECODING.get());
    }
}
