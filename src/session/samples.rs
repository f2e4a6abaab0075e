//! The patch's own sounds: read on a thread of their own, so that neither the show nor the hands wait for them.

use std::path::{Path, PathBuf, absolute};

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use super::sound::Sound;
use crate::audio::bank::{self, Bank, Banks, FolderError, Loaded};
use crate::patch::Patch;
use crate::score::{Bus, Event, Stamped};

/// What `xiao check` reads them at, in Hz.
const RATE_HZ: u32 = 48_000;

/// What the hands keep of the samples: the folder that is wanted next, and the one that is being read. One is read at a
/// time, so that a patch that changes quickly fills no memory.
#[derive(Default)]
pub struct Samples {
    wanted: Option<Option<PathBuf>>,
    reading: Option<(PathBuf, Receiver<Result<Loaded, FolderError>>)>,
    /// The last reading brought less than was there.
    failed: bool,
}

impl Samples {
    /// Asks for the patch's folder, or for none.
    pub fn want(&mut self, patch: &Patch, patch_file: Option<&Path>) {
        self.wanted = Some(folder(patch, patch_file));
    }

    /// Whether what was wanted last is worth another look.
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// Begins to read what is wanted and passes on what was read. To be called often.
    pub fn tend(&mut self, sound: &mut Sound, bus: &Bus) {
        if let Some((folder, answer)) = &self.reading {
            let read = match answer.try_recv() {
                Ok(read) => Some(read),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => None,
            };
            self.failed = !matches!(&read, Some(Ok(loaded)) if loaded.problems.is_empty());
            // Another folder may be wanted by now; then this one is not taken.
            match read {
                _ if self.wanted.is_some() => {}
                Some(Ok(loaded)) => take(loaded, folder, sound, bus),
                Some(Err(error)) => drop(bus.emit(fault(error.to_string()))),
                None => drop(bus.emit(fault(format!("{}: the reading of its sounds failed", folder.display())))),
            }
            self.reading = None;
        }
        match self.wanted.take() {
            None => {}
            Some(None) => {
                let of = bus.emit(Event::Samples { folder: String::new(), files: Vec::new() });
                sound.take_bank(of, Bank::default());
            }
            Some(Some(folder)) => {
                let (answer, reading) = bounded(1);
                let (from, rate_hz) = (folder.clone(), sound.rate_hz());
                let read = move || drop(answer.send(bank::load(&from, rate_hz)));
                match std::thread::Builder::new().name("xiao-samples".into()).spawn(read) {
                    Ok(_) => self.reading = Some((folder, reading)),
                    Err(error) => drop(bus.emit(fault(format!("no thread to read the samples: {error}")))),
                }
            }
        }
    }
}

/// The samples of a recording, read again for an engine at `rate_hz`; says which are not as they were.
pub fn recall(events: &[Stamped], recording: &Path, rate_hz: u32) -> Banks {
    // A recording may be named by its journal.
    let folder = if recording.is_file() { recording.parent().unwrap_or(Path::new("")) } else { recording };
    let banks = Banks::recall(events, folder, rate_hz);
    for problem in &banks.problems {
        super::remark(&format!("samples: {problem}"));
    }
    banks
}

/// Reads the patch's samples as a show would.
///
/// # Errors
/// A folder that cannot be used, and every file that cannot: which, what is wrong, what to do.
pub fn check(patch: &Patch, patch_file: Option<&Path>) -> anyhow::Result<()> {
    let Some(folder) = folder(patch, patch_file) else { return Ok(()) };
    let loaded = bank::load(&folder, RATE_HZ)?;
    for notice in &loaded.notices {
        super::remark(&format!("samples: {notice}"));
    }
    if !loaded.problems.is_empty() {
        let (played, folder) = (loaded.files.len(), folder.display());
        anyhow::bail!("{folder}: {played} sounds play, these do not:\n  {}", loaded.problems.join("\n  "));
    }
    Ok(())
}

/// Where the patch's samples lie: beside it, unless it says a whole path.
fn folder(patch: &Patch, patch_file: Option<&Path>) -> Option<PathBuf> {
    let beside = patch_file.and_then(Path::parent).unwrap_or(Path::new(""));
    patch.samples.as_ref().filter(|name| !name.is_empty()).map(|name| beside.join(name))
}

fn take(loaded: Loaded, folder: &Path, sound: &mut Sound, bus: &Bus) {
    for text in loaded.problems.into_iter().chain(loaded.notices) {
        bus.emit(Event::Notice { text: format!("samples: {text}") });
    }
    // So that the recording finds them from any working folder.
    let folder = absolute(folder).unwrap_or(folder.to_path_buf()).to_string_lossy().into_owned();
    let of = bus.emit(Event::Samples { folder, files: loaded.files });
    if !sound.take_bank(of, loaded.bank) {
        bus.emit(fault("the sound does not take them".into()));
    }
}

/// The event for samples that cannot be used.
fn fault(what: String) -> Event {
    let remedy = "what sounded before sounds on; mend the folder, or name another in the patch".into();
    Event::Fault { place: "samples".into(), what, remedy }
}
