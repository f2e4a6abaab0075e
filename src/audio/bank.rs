//! The artist's own sounds: a folder of WAV, FLAC, Ogg Vorbis and MP3 files, decoded whole into memory at the engine's
//! rate. Read off the callback's thread; a file that cannot be used is told, and the others play.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::score::SampleFile;

mod decode;
mod recall;
#[cfg(test)]
mod tests;

pub use recall::Banks;

/// The longest sample; what is longer is cut.
const LONGEST_S: usize = 120;
/// All of a folder together, decoded.
const MOST_BYTES: usize = 256 << 20;
/// Files of one folder.
const MOST: usize = 64;
/// The largest file that is opened, in bytes: what lasts `LONGEST_S` in eight channels of 32 bits at 192 kHz, and a bit.
const LARGEST: u64 = 800 << 20;

/// What is decoded, by the ends of the files' names.
const PLAYED: [&str; 6] = ["wav", "wave", "flac", "ogg", "oga", "mp3"];
/// Sounds that are not; what ends otherwise is no sound and is passed over.
const NOT_PLAYED: [&str; 16] =
    ["aif", "aiff", "aifc", "m4a", "mp4", "aac", "opus", "wma", "caf", "au", "mka", "webm", "ape", "wv", "rf64", "w64"];

/// Sounds in the order of their files' names. A clone shares them.
#[derive(Clone, Debug, Default)]
pub struct Bank {
    pub samples: Arc<[Sample]>,
}

/// One sound at the engine's rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Interleaved stereo. Empty where the file is missing: silence that keeps its place.
    stereo: Vec<f32>,
}

/// A folder as it was read.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    pub bank: Bank,
    /// One for each sample of the bank, in the same order.
    pub files: Vec<SampleFile>,
    /// Files that do not play: which, what is wrong, what to do.
    pub problems: Vec<String>,
    /// What is to be known of files that do.
    pub notices: Vec<String>,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("{}: cannot be read: {source}", folder.display())]
    Read { folder: PathBuf, source: io::Error },
    #[error("{}: holds no sound; put WAV, FLAC, Ogg Vorbis or MP3 files into it", .0.display())]
    Empty(PathBuf),
    #[error("{}: none of its sounds can be used: {}", folder.display(), problems.join("; "))]
    Useless { folder: PathBuf, problems: Vec<String> },
}

/// Why a file cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
enum SampleError {
    #[error("cannot be read: {0}; see whether it is there and may be read")]
    Read(#[from] io::Error),
    #[error("is a folder, not a sound; move its sounds into the folder that the patch names")]
    Folder,
    #[error("is no file but a device or a pipe; put a sound there")]
    NoFile,
    #[error("is empty; export it anew")]
    Empty,
    #[error("has {0} MB, and files up to {most} MB are opened; cut it to the part that is to be heard", most = LARGEST >> 20)]
    TooLarge(u64),
    #[error("is not a WAV, FLAC, Ogg Vorbis or MP3 file that can be read ({0}); export it anew as one of them")]
    Format(String),
    #[error("has a header and no sound behind it; export it anew")]
    NoSound,
    #[error("is so broken that its decoder fails; export it anew")]
    Broken,
    #[error("finds no room: a folder's sounds may take {} MB of memory; shorten some or take some away", MOST_BYTES >> 20)]
    NoRoom,
    #[error("is not played; convert it to WAV, FLAC, Ogg Vorbis or MP3")]
    NotPlayed,
}

impl Sample {
    /// A sample of interleaved stereo at the engine's rate.
    pub fn new(stereo: Vec<f32>) -> Sample {
        Sample { stereo }
    }

    pub fn frames(&self) -> usize {
        self.stereo.len() / 2
    }

    /// Both channels at a place between two frames; silence beyond its end.
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

/// Reads every sound of a folder, in the order of the names, at `rate_hz`.
///
/// # Errors
/// A folder that cannot be read or in which nothing can be played. A single file that cannot be used is one of the
/// [`Loaded::problems`].
pub fn load(folder: &Path, rate_hz: u32) -> Result<Loaded, FolderError> {
    let cannot = |source| FolderError::Read { folder: folder.to_path_buf(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        names.push(entry.map_err(cannot)?.file_name());
    }
    names.sort();
    let mut problems = Vec::new();
    names.retain(|name| match ending(name) {
        Some(ending) if PLAYED.contains(&ending.as_str()) => true,
        Some(ending) if NOT_PLAYED.contains(&ending.as_str()) => {
            problems.push(told(name, &SampleError::NotPlayed));
            false
        }
        _ => false,
    });
    if names.is_empty() && problems.is_empty() {
        return Err(FolderError::Empty(folder.to_path_buf()));
    }
    let mut notices = Vec::new();
    if names.len() > MOST {
        notices.push(format!("of {} sounds the first {MOST} by name are played", names.len()));
        names.truncate(MOST);
    }
    let mut reader = Reader::new(rate_hz);
    let (mut files, mut samples) = (Vec::new(), Vec::new());
    for name in &names {
        match reader.open(&folder.join(name)).and_then(|source| reader.read(source)) {
            Ok(read) => {
                notices.extend(read.notices.iter().map(|what| format!("{}: {what}", name.to_string_lossy())));
                let frames = read.sample.frames() as u64;
                files.push(SampleFile { name: name.to_string_lossy().into(), sha256: read.sha256, frames });
                samples.push(read.sample);
            }
            Err(error) => problems.push(told(name, &error)),
        }
    }
    if samples.is_empty() {
        return Err(FolderError::Useless { folder: folder.to_path_buf(), problems });
    }
    Ok(Loaded { bank: Bank { samples: samples.into() }, files, problems, notices })
}

/// The end of a file's name in small letters; none for hidden files, among them what macOS lays beside a file ("._a.wav").
fn ending(name: &OsString) -> Option<String> {
    let hidden = name.as_encoded_bytes().starts_with(b".");
    Path::new(name).extension().and_then(OsStr::to_str).filter(|_| !hidden).map(str::to_ascii_lowercase)
}

fn told(name: &OsStr, error: &SampleError) -> String {
    format!("{}: {error}", name.to_string_lossy())
}

/// Reads one file after the other for as long as there is room.
struct Reader {
    rate_hz: u32,
    /// Frames that may still be taken.
    room: usize,
}

/// An open file and its hash.
struct Source {
    file: File,
    bytes: u64,
    sha256: String,
}

struct Read1 {
    sample: Sample,
    sha256: String,
    notices: Vec<String>,
}

impl Reader {
    fn new(rate_hz: u32) -> Reader {
        Reader { rate_hz, room: MOST_BYTES / (2 * size_of::<f32>()) }
    }

    /// Opens a file and hashes it, without keeping it in memory.
    fn open(&self, path: &Path) -> Result<Source, SampleError> {
        // Asked before it is opened: opening a pipe would wait for its other end.
        let about = fs::metadata(path)?;
        match about.len() {
            _ if about.is_dir() => return Err(SampleError::Folder),
            _ if !about.is_file() => return Err(SampleError::NoFile),
            0 => return Err(SampleError::Empty),
            bytes if bytes > LARGEST => return Err(SampleError::TooLarge(bytes >> 20)),
            _ => {}
        }
        let mut file = File::open(path)?;
        let mut hash = Sha256::new();
        // It may grow while it is read.
        let bytes = io::copy(&mut (&mut file).take(LARGEST), &mut hash)?;
        file.rewind()?;
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Source { file, bytes, sha256 })
    }

    fn read(&mut self, source: Source) -> Result<Read1, SampleError> {
        let decoded = decode::decode(source.file, source.bytes, self.rate_hz, self.room)?;
        let sample = Sample::new(decoded.stereo);
        self.room -= sample.frames();
        Ok(Read1 { sample, sha256: source.sha256, notices: decoded.notices })
    }
}
