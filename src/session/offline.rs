//! Offline: frames and sound of a recording from its events alone, under a virtual clock.

use std::path::Path;

use anyhow::{Context, bail};

use super::samples;
use crate::audio;
use crate::control;
use crate::journal;
use crate::visuals::{FrameState, Offscreen, write_png};

/// Seconds in which the last notes ring out.
const TAIL_S: f32 = 1.0;

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
    if file.exists() {
        bail!("{} is there already; name a new file, so that nothing is overwritten", file.display());
    }
    let recording = journal::read(folder)?;
    let banks = samples::recall(&recording.events, folder, audio::render::rate_hz(&recording.events));
    let (width, height, pixels) = audio::render::to_spectrogram(&recording.events, &banks, TAIL_S, size)?;
    write_png(file, width, height, &pixels)?;
    super::remark(&format!("the spectrogram in {}", file.display()));
    Ok(())
}

/// Writes every frame of a recording as `frame-000000.png` and on.
///
/// # Errors
/// A folder that holds no recording, an output folder that is not empty, a machine without a graphics adapter.
pub fn frames(folder: &Path, out: &Path, size: [u32; 2], fps: f64) -> anyhow::Result<()> {
    let recording = journal::read(folder)?;
    std::fs::create_dir_all(out).with_context(|| format!("the folder {} cannot be made", out.display()))?;
    if std::fs::read_dir(out).with_context(|| format!("the folder {} cannot be read", out.display()))?.next().is_some()
    {
        bail!("the folder {} is not empty; name a new one, so that nothing is overwritten", out.display());
    }
    let mut screen = Offscreen::new(size[0], size[1])?;
    let mut state = FrameState::new();
    state.set_help(control::help::pages());
    let end_ns = recording.events.last().map_or(0, |e| e.t_ns);
    let mut events = recording.events.iter().peekable();
    let count = (end_ns as f64 / 1e9 * fps).ceil() as u64 + 1;
    for frame in 0..count {
        let t_ns = (frame as f64 / fps * 1e9) as u64;
        while let Some(event) = events.next_if(|e| e.t_ns <= t_ns) {
            state.apply(event);
        }
        state.advance(t_ns);
        let pixels = screen.frame(&state)?;
        write_png(&out.join(format!("frame-{frame:06}.png")), size[0], size[1], &pixels)?;
    }
    super::remark(&format!("{count} frames in {}", out.display()));
    Ok(())
}
