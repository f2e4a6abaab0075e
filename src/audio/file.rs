//! A sound file that survives: WAV or FLAC, 24 bit, a new file each hour, and no file ever overwritten. A WAV is brought
//! up to date at every flush; of a FLAC the last second may be missing after a `kill -9`. Used by the recorder's thread and by offline rendering.

use std::fs::{File, OpenOptions};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use flac_codec::encode::{FlacSampleWriter, Options};
use hound::{SampleFormat, WavSpec, WavWriter};

/// What can go wrong with a sound file.
#[derive(Debug, thiserror::Error)]
pub enum SoundFileError {
    #[error("{} exists already; choose another name or move it away", .0.display())]
    Exists(PathBuf),
    #[error("cannot write {}: {why}", path.display())]
    Write { path: PathBuf, why: String },
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    /// In the order of time.
    pub files: Vec<PathBuf>,
    pub frames: u64,
    /// The largest magnitude, 1 is full scale.
    pub peak: f32,
}

/// How the sound is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Format {
    pub rate_hz: u32,
    /// 1..=8, interleaved.
    pub channels: u16,
}

/// Seconds in one file: a gigabyte of stereo at 48 kHz; and what WAV can hold, whose counts have 32 bits.
const FILE_S: u64 = 3600;
const MOST_BYTES: u64 = 4_000_000_000;
/// The largest sample of 24 bits.
const FULL: f32 = 8_388_607.0;

pub struct SoundFile {
    first: PathBuf,
    format: Format,
    encoder: Encoder,
    frames_in_file: u64,
    frames_per_file: u64,
    written: Written,
    integers: Vec<i32>,
}

/// By the end of the file's name.
enum Encoder {
    Wav(WavWriter<BufWriter<File>>),
    /// Each frame of it stands by itself, so that one cut short is read up to there.
    Flac(Box<FlacSampleWriter<BufWriter<File>>>),
}

impl SoundFile {
    /// Begins `path`, FLAC if its name ends so, else WAV; after an hour `sound.wav` goes on in `sound-2.wav`, and so on.
    pub fn create(path: &Path, format: Format) -> Result<SoundFile, SoundFileError> {
        Ok(SoundFile {
            first: path.to_path_buf(),
            format,
            encoder: Encoder::begin(path, format)?,
            frames_in_file: 0,
            frames_per_file: (FILE_S * u64::from(format.rate_hz))
                .min(MOST_BYTES / (3 * u64::from(format.channels.max(1)))),
            written: Written { files: vec![path.to_path_buf()], ..Written::default() },
            integers: Vec::new(),
        })
    }

    /// The same, and no further file begins after an hour, only when this one can hold no more: 3.8 hours of stereo at
    /// 48 kHz.
    pub fn in_one(self) -> SoundFile {
        SoundFile { frames_per_file: MOST_BYTES / (3 * u64::from(self.format.channels.max(1))), ..self }
    }

    /// Appends interleaved frames.
    pub fn write(&mut self, samples: &[f32]) -> Result<(), SoundFileError> {
        let channels = usize::from(self.format.channels);
        let mut rest = samples;
        while !rest.is_empty() {
            if self.frames_in_file == self.frames_per_file {
                self.next_file()?;
            }
            let room = (self.frames_per_file - self.frames_in_file) as usize * channels;
            let (now, later) = rest.split_at(rest.len().min(room));
            self.integers.clear();
            self.integers.extend(now.iter().map(|x| (x.clamp(-1.0, 1.0) * FULL).round() as i32));
            let encoded = self.encoder.write(&self.integers);
            encoded.map_err(|why| at(self.path(), why))?;
            self.written.peak = now.iter().fold(self.written.peak, |peak, x| x.abs().max(peak));
            self.frames_in_file += (now.len() / channels) as u64;
            self.written.frames += (now.len() / channels) as u64;
            rest = later;
        }
        Ok(())
    }

    /// Brings the file on disk up to date.
    pub fn flush(&mut self) -> Result<(), SoundFileError> {
        self.encoder.flush().map_err(|why| at(self.path(), why))
    }

    pub fn finish(self) -> Result<Written, SoundFileError> {
        let path = self.path().to_path_buf();
        self.encoder.finish().map_err(|why| at(&path, why))?;
        Ok(self.written)
    }

    fn path(&self) -> &Path {
        self.written.files.last().unwrap_or(&self.first)
    }

    fn next_file(&mut self) -> Result<(), SoundFileError> {
        // Another evening's may lie there already.
        let mut n = self.written.files.len() + 1;
        while numbered(&self.first, n).exists() && n < 100_000 {
            n += 1;
        }
        let path = numbered(&self.first, n);
        let old = std::mem::replace(&mut self.encoder, Encoder::begin(&path, self.format)?);
        old.finish().map_err(|why| at(self.path(), why))?;
        self.written.files.push(path);
        self.frames_in_file = 0;
        Ok(())
    }
}

impl Encoder {
    fn begin(path: &Path, format: Format) -> Result<Encoder, SoundFileError> {
        let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => SoundFileError::Exists(path.to_path_buf()),
            _ => at(path, e.to_string()),
        })?;
        // FLAC goes out as it is made: what waits here would be lost with the program.
        let file = BufWriter::with_capacity(if is_flac(path) { 1 << 15 } else { 1 << 18 }, file);
        let Format { rate_hz, channels } = format;
        let mut encoder = if is_flac(path) {
            let writer = FlacSampleWriter::new(file, Options::default(), rate_hz, 24, channels as u8, None);
            Encoder::Flac(Box::new(writer.map_err(|e| at(path, e.to_string()))?))
        } else {
            let spec =
                WavSpec { channels, sample_rate: rate_hz, bits_per_sample: 24, sample_format: SampleFormat::Int };
            Encoder::Wav(WavWriter::new(file, spec).map_err(|e| at(path, e.to_string()))?)
        };
        encoder.flush().map_err(|why| at(path, why))?;
        if channels > 2 && !is_flac(path) {
            unnamed(path).map_err(|e| at(path, e.to_string()))?;
        }
        Ok(encoder)
    }

    fn write(&mut self, samples: &[i32]) -> Result<(), String> {
        match self {
            Encoder::Wav(wav) => samples.iter().try_for_each(|x| wav.write_sample(*x)).map_err(|e| e.to_string()),
            Encoder::Flac(flac) => flac.write(samples).map_err(|e| e.to_string()),
        }
    }

    /// FLAC is written a twelfth of a second at a time, and its header only at the end.
    fn flush(&mut self) -> Result<(), String> {
        match self {
            Encoder::Wav(wav) => wav.flush().map_err(|e| e.to_string()),
            Encoder::Flac(_) => Ok(()),
        }
    }

    fn finish(self) -> Result<(), String> {
        match self {
            Encoder::Wav(wav) => wav.finalize().map_err(|e| e.to_string()),
            Encoder::Flac(flac) => flac.finalize().map_err(|e| e.to_string()),
        }
    }
}

/// Copies a WAV file of [`SoundFile`] into one of the other kind, sample for sample.
///
/// # Errors
/// The one cannot be read, the other is there already or cannot be written.
pub fn encode(wav: &Path, to: &Path) -> Result<(), SoundFileError> {
    let mut reader = hound::WavReader::open(wav).map_err(|e| at(wav, e.to_string()))?;
    let spec = reader.spec();
    let mut encoder = Encoder::begin(to, Format { rate_hz: spec.sample_rate, channels: spec.channels })?;
    let mut part = Vec::new();
    let mut samples = reader.samples::<i32>();
    loop {
        part.clear();
        for sample in samples.by_ref().take(1 << 16) {
            part.push(sample.map_err(|e| at(wav, e.to_string()))?);
        }
        if part.is_empty() {
            return encoder.finish().map_err(|why| at(to, why));
        }
        encoder.write(&part).map_err(|why| at(to, why))?;
    }
}

/// Takes the names of cinema loudspeakers off a WAV file's channels, so that the fourth of a ring is no subwoofer: the mask
/// of the extended format lies at byte 40.
fn unnamed(path: &Path) -> std::io::Result<()> {
    use std::io::{Seek, SeekFrom, Write};
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.seek(SeekFrom::Start(40))?;
    file.write_all(&[0; 4])
}

/// Whether the file's name asks for FLAC.
pub fn is_flac(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("flac"))
}

/// The name of the `n`-th file of a recording.
pub fn numbered(first: &Path, n: usize) -> PathBuf {
    let part = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    first.with_file_name(format!("{}-{n}.{}", part(first.file_stem()), part(first.extension())))
}

fn at(path: &Path, why: String) -> SoundFileError {
    SoundFileError::Write { path: path.to_path_buf(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONO: Format = Format { rate_hz: 8000, channels: 1 };

    #[test]
    fn it_is_readable_after_a_flush_rotates_and_overwrites_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sound.wav");
        let mut wav = SoundFile::create(&path, Format { rate_hz: 8000, channels: 2 }).unwrap();
        wav.frames_per_file = 1000;
        let samples: Vec<f32> =
            (0..3000).map(|i| ((i / 2) as f32 / 1500.0) * if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        wav.write(&samples[..1000]).unwrap();
        wav.flush().unwrap();
        assert_eq!(hound::WavReader::open(&path).unwrap().len(), 1000, "as a kill -9 would leave it");
        wav.write(&samples[1000..]).unwrap();
        let written = wav.finish().unwrap();
        assert_eq!(written.files, [path.clone(), dir.path().join("sound-2.wav")]);
        assert_eq!(written.frames, 1500);
        let mut read = Vec::new();
        for file in &written.files {
            read.extend(
                hound::WavReader::open(file).unwrap().into_samples::<i32>().map(|s| s.unwrap() as f32 / 8_388_607.0),
            );
        }
        assert!(read.len() == 3000 && read.iter().zip(&samples).all(|(a, b)| (a - b).abs() < 1e-6));
        // What lies there from another evening is passed over.
        let first = dir.path().join("show.wav");
        std::fs::write(dir.path().join("show-2.wav"), "mine").unwrap();
        let mut wav = SoundFile::create(&first, MONO).unwrap();
        wav.frames_per_file = 10;
        wav.write(&[0.0; 15]).unwrap();
        assert_eq!(wav.finish().unwrap().files, [first, dir.path().join("show-3.wav")]);
        assert_eq!(std::fs::read(dir.path().join("show-2.wav")).unwrap(), b"mine");
        let high = SoundFile::create(&dir.path().join("high.wav"), Format { rate_hz: 384_000, channels: 2 }).unwrap();
        assert!(high.frames_per_file * 6 < u64::from(u32::MAX));
        assert!(matches!(SoundFile::create(&path, MONO), Err(SoundFileError::Exists(_))));
        assert!(matches!(SoundFile::create(&dir.path().join("no/x.wav"), MONO), Err(SoundFileError::Write { .. })));
    }

    #[test]
    fn flac_holds_the_same_samples_and_is_read_up_to_where_it_was_cut() {
        let dir = tempfile::tempdir().unwrap();
        let samples: Vec<f32> =
            (0..48_000 * 4).map(|i| 0.7 * (i as f32 * 0.01).sin() * ((i % 97) as f32 / 97.0)).collect();
        let format = Format { rate_hz: 48_000, channels: 4 };
        let write = |name: &str| {
            let mut file = SoundFile::create(&dir.path().join(name), format).unwrap();
            samples.chunks(1000).for_each(|part| file.write(part).unwrap());
            file.flush().unwrap();
            file
        };
        let mask = |name: &str| std::fs::read(dir.path().join(name)).unwrap()[36..44].to_vec();
        let read = |name: &str| {
            let mut reader = flac_codec::decode::FlacSampleReader::open(dir.path().join(name)).unwrap();
            let (mut all, mut part) = (Vec::new(), vec![0; 4096]);
            while let Ok(n @ 1..) = reader.read(&mut part) {
                all.extend_from_slice(&part[..n]);
            }
            all
        };
        write("whole.flac").finish().unwrap();
        write("whole.wav").finish().unwrap();
        // The bits of a sample, and no names for the four channels.
        assert_eq!(mask("whole.wav"), [22, 0, 24, 0, 0, 0, 0, 0]);
        encode(&dir.path().join("whole.wav"), &dir.path().join("copy.flac")).unwrap();
        let wanted: Vec<i32> = samples.iter().map(|x| (x * FULL).round() as i32).collect();
        assert!(read("whole.flac") == wanted && read("copy.flac") == wanted);
        // As a kill -9 would leave it.
        std::mem::forget(write("cut.flac"));
        let cut = read("cut.flac");
        assert!(cut.len() > wanted.len() / 2 && cut[..] == wanted[..cut.len()], "{} of {}", cut.len(), wanted.len());
    }
}
