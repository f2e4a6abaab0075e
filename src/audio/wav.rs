//! A WAV file that survives: 24-bit stereo, its header brought up to date at every flush, a new file each hour, and no
//! file ever overwritten. Used by the recorder's thread and by offline rendering.

use std::fs::{File, OpenOptions};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavSpec, WavWriter};

/// What can go wrong with a WAV file.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    #[error("{} exists already; choose another name or move it away", .0.display())]
    Exists(PathBuf),
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: hound::Error },
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

/// Seconds in one file: a gigabyte at 48 kHz, a quarter of what the format can hold.
const FILE_S: u64 = 3600;

pub struct Wav {
    first: PathBuf,
    spec: WavSpec,
    writer: WavWriter<BufWriter<File>>,
    frames_in_file: u64,
    frames_per_file: u64,
    written: Written,
}

impl Wav {
    /// Begins `path`; after an hour `sound.wav` goes on in `sound-2.wav`, and so on.
    pub fn create(path: &Path, rate_hz: u32) -> Result<Wav, WavError> {
        let spec = WavSpec { channels: 2, sample_rate: rate_hz, bits_per_sample: 24, sample_format: SampleFormat::Int };
        Ok(Wav {
            first: path.to_path_buf(),
            spec,
            writer: begin(path, spec)?,
            frames_in_file: 0,
            frames_per_file: FILE_S * u64::from(rate_hz),
            written: Written { files: vec![path.to_path_buf()], ..Written::default() },
        })
    }

    /// Appends interleaved stereo.
    pub fn write(&mut self, samples: &[f32]) -> Result<(), WavError> {
        for frame in samples.chunks_exact(2) {
            if self.frames_in_file == self.frames_per_file {
                self.next_file()?;
            }
            for x in frame {
                let value = (x.clamp(-1.0, 1.0) * 8_388_607.0).round() as i32;
                self.writer.write_sample(value).map_err(|e| at(self.path(), e))?;
                self.written.peak = self.written.peak.max(x.abs());
            }
            self.frames_in_file += 1;
            self.written.frames += 1;
        }
        Ok(())
    }

    /// Brings the file on disk and its header up to date.
    pub fn flush(&mut self) -> Result<(), WavError> {
        self.writer.flush().map_err(|e| at(self.path(), e))
    }

    pub fn finish(self) -> Result<Written, WavError> {
        let path = self.path().to_path_buf();
        self.writer.finalize().map_err(|e| at(&path, e))?;
        Ok(self.written)
    }

    fn path(&self) -> &Path {
        self.written.files.last().unwrap_or(&self.first)
    }

    fn next_file(&mut self) -> Result<(), WavError> {
        let stem = self.first.file_stem().unwrap_or_default().to_string_lossy();
        let path = self.first.with_file_name(format!("{stem}-{}.wav", self.written.files.len() + 1));
        let old = std::mem::replace(&mut self.writer, begin(&path, self.spec)?);
        old.finalize().map_err(|e| at(self.path(), e))?;
        self.written.files.push(path);
        self.frames_in_file = 0;
        Ok(())
    }
}

fn begin(path: &Path, spec: WavSpec) -> Result<WavWriter<BufWriter<File>>, WavError> {
    let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => WavError::Exists(path.to_path_buf()),
        _ => at(path, hound::Error::IoError(e)),
    })?;
    let mut writer = WavWriter::new(BufWriter::with_capacity(1 << 18, file), spec).map_err(|e| at(path, e))?;
    writer.flush().map_err(|e| at(path, e))?;
    Ok(writer)
}

fn at(path: &Path, source: hound::Error) -> WavError {
    WavError::Write { path: path.to_path_buf(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_readable_after_a_flush_rotates_and_overwrites_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sound.wav");
        let mut wav = Wav::create(&path, 8000).unwrap();
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
        assert!(matches!(Wav::create(&path, 8000), Err(WavError::Exists(_))));
        assert!(matches!(Wav::create(&dir.path().join("no/x.wav"), 8000), Err(WavError::Write { .. })));
    }
}
