//! Offline: frames and sound of a recording from its events alone, under a virtual clock.

use std::path::Path;

use anyhow::{Context, bail};

use super::reel::{Part, Reel};
use super::samples;
use crate::audio;
use crate::journal;
use crate::score::{ParamId, Shutdown};
use crate::visuals::write_png;

/// Seconds in which the last notes ring out.
pub(super) const TAIL_S: f32 = 1.0;

/// Writes the sound of a recording, sample for sample as it was played. The artist's own sounds are read again; what is
/// missing of them is told and silent.
///
/// # Errors
/// A folder that holds no recording, a file that is there already or cannot be written.
pub fn sound(folder: &Path, file: &Path) -> anyhow::Result<()> {
    let recording = journal::read(folder)?;
    let banks = samples::recall(&recording.events, folder, audio::render::rate_hz(&recording.events));
    let written = audio::render::to_file(&recording.events, &banks, file, TAIL_S)?;
    super::remark(&format!("{} frames of sound in {}", written.frames, file.display()));
    Ok(())
}

/// Writes each voice of a recording's sound into a file of its own; together they are the whole.
///
/// # Errors
/// A folder that holds no recording, files that are there already or cannot be written.
pub fn stems(folder: &Path, out: &Path, end: &str) -> anyhow::Result<()> {
    let recording = journal::read(folder)?;
    std::fs::create_dir_all(out).with_context(|| format!("the folder {} cannot be made", out.display()))?;
    let banks = samples::recall(&recording.events, folder, audio::render::rate_hz(&recording.events));
    let written = audio::render::to_stems(&recording.events, &banks, out, end, TAIL_S)?;
    super::remark(&format!("{} stems in {}", written.len(), out.display()));
    Ok(())
}

/// Writes the sound of a recording as a picture.
///
/// # Errors
/// A folder that holds no recording, a file that is there already or cannot be written.
pub fn spectrogram(folder: &Path, file: &Path, size: [u32; 2]) -> anyhow::Result<()> {
    new_file(file)?;
    let recording = journal::read(folder)?;
    let banks = samples::recall(&recording.events, folder, audio::render::rate_hz(&recording.events));
    let (width, height, pixels) = audio::render::to_spectrogram(&recording.events, &banks, TAIL_S, size)?;
    write_png(file, width, height, &pixels)?;
    super::remark(&format!("the spectrogram in {}", file.display()));
    Ok(())
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
    new_folder(out)?;
    let heard = reel.listen(reel.stepper()?, |_| Ok(()))?;
    reel.show(size, &heard, |frame, pixels| Ok(write_png(&out.join(frame_name(frame)), size[0], size[1], pixels)?))?;
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
    reel.show(size, &heard, |_, pixels| Ok(write_png(file, size[0], size[1], pixels)?))?;
    super::remark(&format!("the picture in {}", file.display()));
    Ok(())
}

/// How the files of frames are called.
pub(super) fn frame_name(frame: u64) -> String {
    format!("frame-{frame:06}.png")
}

/// Makes a folder, which must be new or empty.
pub(super) fn new_folder(out: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("the folder {} cannot be made", out.display()))?;
    if std::fs::read_dir(out).with_context(|| format!("the folder {} cannot be read", out.display()))?.next().is_some()
    {
        bail!("the folder {} is not empty; name a new one, so that nothing is overwritten", out.display());
    }
    Ok(())
}

/// Refuses a file that is there already.
pub(super) fn new_file(file: &Path) -> anyhow::Result<()> {
    if file.exists() {
        bail!("{} is there already; name a new file, so that nothing is overwritten", file.display());
    }
    Ok(())
}
