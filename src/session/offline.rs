//! Offline: frames and sound of a recording from its events alone, under a virtual clock.
//!
//! What takes a while gets its name when it is whole: until then a sound lies in a folder called `.part`, and a folder of
//! frames holds a mark. Nothing is overwritten, whenever it came.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::reel::{Part, Reel};
use super::samples;
use super::scrap::Scrap;
use crate::audio;
use crate::audio::bank::Banks;
use crate::audio::file::{Written, numbered};
use crate::journal;
use crate::score::{ParamId, Shutdown, Stamped};
use crate::visuals::offscreen::write_new_png;

/// Seconds in which the last notes ring out.
pub(super) const TAIL_S: f32 = 1.0;

/// Writes the sound of a recording, sample for sample as it was played. The artist's own sounds are read again; what is
/// missing of them is told and silent.
///
/// # Errors
/// A folder that holds no recording, a file that is there already or cannot be written, or that it was broken off.
pub fn sound(folder: &Path, file: &Path, shutdown: &Shutdown) -> anyhow::Result<()> {
    new_file(file)?;
    let (events, banks) = heard(folder)?;
    let mut parts = file.as_os_str().to_owned();
    parts.push(".part");
    let parts = PathBuf::from(parts);
    let _scrap = part_folder(&parts)?;
    let part = parts.join(file.file_name().unwrap_or_default());
    let written = audio::render::to_file(&events, &banks, &part, TAIL_S, shutdown)?;
    name(&written, file)?;
    super::remark(&format!("{} frames of sound in {}", written.frames, file.display()));
    Ok(())
}

/// Writes each voice of a recording's sound into a file of its own; together they are the whole.
///
/// # Errors
/// A folder that holds no recording, files that are there already or cannot be written, or that it was broken off.
pub fn stems(folder: &Path, out: &Path, end: &str, shutdown: &Shutdown) -> anyhow::Result<()> {
    let stems = stem_files(out, end);
    stems.iter().try_for_each(|stem| new_file(stem))?;
    let (events, banks) = heard(folder)?;
    fs::create_dir_all(out).with_context(|| format!("the folder {} cannot be made", out.display()))?;
    let parts = out.join("stems.part");
    let _scrap = part_folder(&parts)?;
    let written = audio::render::to_stems(&events, &banks, &parts, end, TAIL_S, shutdown)?;
    written.iter().zip(&stems).try_for_each(|(written, stem)| name(written, stem))?;
    super::remark(&format!("{} stems in {}", written.len(), out.display()));
    Ok(())
}

/// The files that the stems go into.
pub fn stem_files(out: &Path, end: &str) -> Vec<PathBuf> {
    audio::render::stems(out, end)
}

/// Writes the sound of a recording as a picture.
///
/// # Errors
/// A folder that holds no recording, a file that is there already or cannot be written, or that it was broken off.
pub fn spectrogram(folder: &Path, file: &Path, size: [u32; 2], shutdown: &Shutdown) -> anyhow::Result<()> {
    new_file(file)?;
    let (events, banks) = heard(folder)?;
    let (width, height, pixels) = audio::render::to_spectrogram(&events, &banks, TAIL_S, size, shutdown)?;
    write_new_png(file, width, height, &pixels)?;
    super::remark(&format!("the spectrogram in {}", file.display()));
    Ok(())
}

/// What of a recording is heard.
fn heard(folder: &Path) -> anyhow::Result<(Vec<Stamped>, Banks)> {
    let events = journal::read(folder)?.events;
    let banks = samples::recall(&events, folder, audio::render::rate_hz(&events));
    Ok((events, banks))
}

/// How a recording is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// Pixels of a frame.
    pub size: [u32; 2],
    pub fps: f64,
    /// Values that hold whatever the recording sets.
    pub over: &'a [(ParamId, f32)],
}

/// Writes every frame of a recording, or of a part of it, as `frame-000000.png` and on.
///
/// # Errors
/// A folder that holds no recording, an output folder that is not empty, a machine without a graphics adapter.
pub fn frames(folder: &Path, out: &Path, look: Look, part: Part, shutdown: &Shutdown) -> anyhow::Result<()> {
    let mut reel = Reel::open(folder, look.fps, part, 0.0, shutdown)?;
    reel.seen_with(look.over);
    let size = look.size;
    let unfinished = new_folder(out)?;
    let heard = reel.listen(reel.stepper()?, |_| Ok(()))?;
    reel.show(size, &heard, |frame, pixels| {
        Ok(write_new_png(&out.join(frame_name(frame)), size[0], size[1], pixels)?)
    })?;
    fs::remove_file(&unfinished).with_context(|| cannot(&unfinished))?;
    super::remark(&format!("{} frames in {}", reel.count(), out.display()));
    Ok(())
}

/// Writes the frame of a recording that is nearest to a time.
///
/// # Errors
/// A folder that holds no recording or is over by then, a file that is there already, a machine without a graphics adapter.
pub fn picture(folder: &Path, file: &Path, look: Look, at_s: f64, shutdown: &Shutdown) -> anyhow::Result<()> {
    let mut reel = Reel::still(folder, look.fps, at_s, shutdown)?;
    reel.seen_with(look.over);
    let size = look.size;
    new_file(file)?;
    let heard = reel.listen(reel.stepper()?, |_| Ok(()))?;
    reel.show(size, &heard, |_, pixels| Ok(write_new_png(file, size[0], size[1], pixels)?))?;
    super::remark(&format!("the picture in {}", file.display()));
    Ok(())
}

/// How the files of frames are called.
pub(super) fn frame_name(frame: u64) -> String {
    format!("frame-{frame:06}.png")
}

/// The mark of a folder in which not all frames are there yet.
const UNFINISHED: &str = "unfinished.txt";

/// Makes a folder for frames, which must be new or empty; returns the mark that is to be removed when all are there.
pub(super) fn new_folder(out: &Path) -> anyhow::Result<PathBuf> {
    empty_folder(out)?;
    fs::create_dir_all(out).with_context(|| format!("the folder {} cannot be made", out.display()))?;
    let mark = out.join(UNFINISHED);
    fs::write(&mark, "xiao has not made all of it yet, or was broken off.\n").with_context(|| cannot(&mark))?;
    Ok(mark)
}

/// Refuses a folder that holds something already; one that is not there yet is as good as an empty one.
///
/// # Errors
/// It holds something, or cannot be read.
pub fn empty_folder(out: &Path) -> anyhow::Result<()> {
    if out.join(UNFINISHED).exists() {
        bail!("the folder {} holds what was made before it was broken off; remove it or name a new one", out.display());
    }
    match fs::read_dir(out) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e).with_context(|| format!("the folder {} cannot be read", out.display())),
        Ok(mut held) => match held.next() {
            None => Ok(()),
            Some(_) => {
                bail!("the folder {} is not empty; name a new one, so that nothing is overwritten", out.display())
            }
        },
    }
}

/// Refuses a file that is there already.
///
/// # Errors
/// It is there.
pub fn new_file(file: &Path) -> anyhow::Result<()> {
    if file.exists() {
        bail!("{} is there already; name a new file, so that nothing is overwritten", file.display());
    }
    Ok(())
}

/// Makes the folder of a sound that is not whole yet.
fn part_folder(parts: &Path) -> anyhow::Result<Scrap> {
    match fs::create_dir(parts) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            bail!("{} holds what was made before it was broken off; remove it", parts.display())
        }
        made => made.with_context(|| cannot(parts))?,
    }
    Ok(Scrap::folder(parts))
}

/// Gives a sound that is whole its name: its first file `to`, those that follow it a number.
fn name(written: &Written, to: &Path) -> anyhow::Result<()> {
    let mut n = 1;
    for part in &written.files {
        // Another evening's may lie there already.
        while n > 1 && numbered(to, n).exists() {
            n += 1;
        }
        settle(part, &if n == 1 { to.to_path_buf() } else { numbered(to, n) })?;
        n += 1;
    }
    Ok(())
}

/// Gives a file that is whole its name. What another program has put there meanwhile stays.
pub(super) fn settle(part: &Path, file: &Path) -> anyhow::Result<()> {
    match fs::hard_link(part, file) {
        Ok(()) => fs::remove_file(part).with_context(|| cannot(part)),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(e).with_context(|| cannot(file)),
        // Not every file system has links.
        Err(_) => new_file(file).and_then(|()| fs::rename(part, file).with_context(|| cannot(file))),
    }
}

pub(super) fn cannot(file: &Path) -> String {
    format!("{} cannot be written", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_meanwhile_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let (part, file) = (dir.path().join("a.part"), dir.path().join("a"));
        fs::write(&part, "film").unwrap();
        fs::write(&file, "mine").unwrap();
        let error = settle(&part, &file).unwrap_err();
        assert!(format!("{error:#}").contains("a cannot be written"), "{error:#}");
        assert_eq!((fs::read(&file).unwrap(), fs::read(&part).unwrap()), (b"mine".to_vec(), b"film".to_vec()));
        fs::remove_file(&file).unwrap();
        settle(&part, &file).unwrap();
        assert!(fs::read(&file).unwrap() == b"film" && !part.exists());
    }

    #[test]
    fn a_long_sound_goes_on_in_numbered_files() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let parts = [at("p/a.wav"), at("p/a-2.wav"), at("p/a-3.wav")];
        fs::create_dir(at("p")).unwrap();
        parts.iter().for_each(|part| fs::write(part, part.display().to_string()).unwrap());
        fs::write(at("a-2.wav"), "mine").unwrap();
        name(&Written { files: parts.to_vec(), ..Written::default() }, &at("a.wav")).unwrap();
        for (file, holds) in [("a.wav", "p/a.wav"), ("a-3.wav", "p/a-2.wav"), ("a-4.wav", "p/a-3.wav")] {
            assert_eq!(fs::read_to_string(at(file)).unwrap(), at(holds).display().to_string());
        }
        assert_eq!(fs::read(at("a-2.wav")).unwrap(), b"mine");
    }
    #[test]
    fn what_is_broken_off_leaves_no_sound_and_a_mark_on_frames() {
        let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/performances/english");
        let dir = tempfile::tempdir().unwrap();
        let (wav, out, frames_in) = (dir.path().join("a.wav"), dir.path().join("stems"), dir.path().join("frames"));
        let shutdown = Shutdown::default();
        shutdown.request("a signal");
        for _ in 0..2 {
            let broken = [sound(&recording, &wav, &shutdown), stems(&recording, &out, "flac", &shutdown)];
            for error in broken.map(Result::unwrap_err) {
                assert!(error.to_string().contains("broken off"), "{error:#}");
            }
        }
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!((left.as_slice(), fs::read_dir(&out).unwrap().count()), (&[out][..], 0));
        let look = Look { size: [16, 16], fps: 1.0, over: &[] };
        let again = || frames(&recording, &frames_in, look, Part::default(), &shutdown).unwrap_err();
        again();
        let error = again();
        assert!(error.to_string().contains("before it was broken off; remove it"), "{error:#}");
    }
}
