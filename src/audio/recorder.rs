//! The recorder: a thread that moves the tape into WAV or FLAC files and brings a WAV's header up to date four times a
//! second, so that after a `kill -9` all but its last quarter second can be read; of a FLAC all but about the last.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::file::{Format, SoundFile, SoundFileError, Written};
use super::link::Tape;
use crate::score::Shutdown;

/// A running recording. Dropping it ends it; [`Recorder::stop`] also says what became of it.
pub struct Recorder {
    stop: Shutdown,
    failed: Arc<Mutex<Option<String>>>,
    path: PathBuf,
    thread: Option<JoinHandle<Result<Recorded, SoundFileError>>>,
}

/// What a recording came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    pub written: Written,
    /// Frames that are silence because the disk was too slow.
    pub gap_frames: u64,
}

impl Recorder {
    /// Begins `path` (which must not exist) and records until it is stopped.
    pub fn start(mut tape: Tape, path: &Path) -> Result<Recorder, SoundFileError> {
        let mut file = SoundFile::create(path, Format { rate_hz: tape.rate_hz(), channels: tape.channels() as u16 })?;
        let stop = Shutdown::default();
        let failed = Arc::<Mutex<Option<String>>>::default();
        let (stopped, failure) = (stop.clone(), failed.clone());
        let run = move || {
            let mut buffer = vec![0.0; tape.channels() * tape.rate_hz() as usize];
            loop {
                let last = stopped.wait(Duration::from_millis(250));
                let result = loop {
                    let samples = tape.read(&mut buffer);
                    if samples.is_empty() {
                        break file.flush();
                    }
                    if let Err(e) = file.write(samples) {
                        break Err(e);
                    }
                };
                if let Err(e) = result {
                    *failure.lock().unwrap_or_else(|e| e.into_inner()) = Some(e.to_string());
                    return Err(e);
                }
                if last {
                    return Ok(Recorded { written: file.finish()?, gap_frames: tape.gap_frames() });
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("xiao-recorder".into())
            .spawn(run)
            .map_err(|e| SoundFileError::Write { path: path.to_path_buf(), why: e.to_string() })?;
        Ok(Recorder { stop, failed, path: path.to_path_buf(), thread: Some(thread) })
    }

    /// Why the recording ended before it was stopped, if it did (a full disk).
    pub fn failed(&self) -> Option<String> {
        let told = self.failed.lock().unwrap_or_else(|e| e.into_inner()).clone();
        // It ends by itself only where it failed.
        let ended = self.thread.as_ref().is_some_and(JoinHandle::is_finished);
        told.or_else(|| ended.then(|| "the recorder failed".to_string()))
    }

    /// Writes what is still on the tape and closes the file. Stop the output first, so that nothing more comes.
    pub fn stop(mut self) -> Result<Recorded, SoundFileError> {
        self.end().unwrap_or_else(|| Ok(Recorded::default()))
    }

    fn end(&mut self) -> Option<Result<Recorded, SoundFileError>> {
        self.stop.request("stop");
        let failed = |_| {
            let why = "the recorder failed; what it wrote is whole up to there".to_string();
            Err(SoundFileError::Write { path: self.path.clone(), why })
        };
        Some(self.thread.take()?.join().unwrap_or_else(failed))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::audio::{Engine, Silent, link};
    use crate::patch::Matrix;

    #[test]
    fn without_a_device_the_recording_has_its_sound_and_can_be_read_while_it_grows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sound.wav");
        let (mut desk, player) = link(Engine::new(8_000, 1, Matrix::default()));
        let recorder = Recorder::start(desk.tape().unwrap(), &path).unwrap();
        let silent = Silent::start(player).unwrap();
        // As another program, or the next start after a kill -9, would find it.
        let on_disk = || hound::WavReader::open(&path).map_or(0, |wav| wav.duration());
        let deadline = Instant::now() + Duration::from_secs(30);
        while on_disk() < 8_000 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(on_disk() >= 8_000, "{} frames", on_disk());
        assert_eq!(recorder.failed(), None);
        assert!(silent.stop().is_some());
        let recorded = recorder.stop().unwrap();
        assert_eq!(recorded.gap_frames, 0);
        assert_eq!(u64::from(on_disk()), recorded.written.frames);
        assert!(recorded.written.peak > 0.001);
        assert_eq!(recorded.written.frames % 256, 0, "nothing that was played is missing at the end");
    }
}
