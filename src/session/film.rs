//! A film of a recording: picture and sound in one file, joined by the program ffmpeg; without it, what it needs.
//!
//! The engine plays first, into a file beside the film, and what each frame hears is kept: 4 kB for a second at 30 frames.
//! Then the frames are drawn one by one into the pipe. Runs on the main thread. Nothing is overwritten, and what is broken
//! off leaves nothing under the film's name.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail, ensure};

use super::ffmpeg::{self, Encoder, Ending, Frames};
use super::offline::{Look, TAIL_S, cannot, frame_name, new_file, new_folder, settle};
use super::reel::{Part, Reel};
use super::scrap::Scrap;
use crate::audio::file::{Format, SoundFile};
use crate::score::spectrum::BANDS;
use crate::score::{Layout, Shutdown};
use crate::visuals::offscreen::write_new_png;

/// Sound and picture are called apart from here on.
const APART_MS: i64 = 40;

/// What is asked for.
pub struct Film<'a> {
    pub recording: &'a Path,
    pub file: &'a Path,
    /// Its size in pixels is even both ways.
    pub look: Look<'a>,
    pub part: Part,
}

impl Film<'_> {
    /// Writes it.
    ///
    /// # Errors
    /// A folder that holds no recording, a size that is odd, a file that is there already or cannot be written, a machine
    /// without a graphics adapter, and whatever ffmpeg says.
    pub fn write(&self, shutdown: &Shutdown) -> anyhow::Result<()> {
        let file = self.file;
        let wanted = || format!("{} must end in .mp4, .mov, .mkv or .webm", file.display());
        let ending = Ending::of(file).with_context(wanted)?;
        let [w, h] = self.look.size;
        ensure!(
            w % 2 == 0 && h % 2 == 0,
            "a film of {w}x{h} pixels cannot be made: its colours are kept for two by two pixels; take {}x{}",
            w.next_multiple_of(2),
            h.next_multiple_of(2)
        );
        new_file(file)?;
        let mut reel = Reel::open(self.recording, self.look.fps, self.part, TAIL_S.into(), shutdown)?;
        reel.seen_with(self.look.over);
        match ffmpeg::found() {
            true => self.join(&reel, ending, shutdown).with_context(|| format!("{} was not made", file.display())),
            false => self.lay_out(&reel, ending),
        }
    }

    fn join(&self, reel: &Reel, ending: Ending, shutdown: &Shutdown) -> anyhow::Result<()> {
        // Under names of their own until the film is whole.
        let end = self.file.extension().unwrap_or_default().to_string_lossy();
        let part = self.file.with_extension(format!("part.{end}"));
        let sound = part.with_extension("wav");
        new_file(&part)?;
        drop(fs::File::create_new(&part).with_context(|| cannot(&part))?);
        let mut scrap = vec![Scrap::file(&part)];
        let (heard, sounds) = listen(reel, &sound, Some(&mut scrap))?;
        let frames = Frames::Piped { size: self.look.size };
        let args = ffmpeg::arguments(&frames, reel.fps(), sounds.then_some(sound.as_path()), ending, &part);
        let mut encoder = Encoder::start(&args, shutdown)?;
        reel.show(self.look.size, &heard, |_, pixels| encoder.write(pixels))?;
        encoder.finish()?;
        settle(&part, self.file)?;
        let seconds = reel.count() as f64 / reel.fps();
        let mute = if sounds { "" } else { ", without sound: no engine played" };
        super::remark(&format!("{}: {} frames, {seconds:.1} s{mute}", self.file.display(), reel.count()));
        Ok(())
    }

    /// Without ffmpeg: frames, sound and the command that joins them, in a folder.
    fn lay_out(&self, reel: &Reel, ending: Ending) -> anyhow::Result<()> {
        let stem = self.file.file_stem().unwrap_or_default().to_string_lossy();
        let folder = self.file.with_file_name(format!("{stem}-frames"));
        let unfinished = new_folder(&folder)?;
        let (heard, sounds) = listen(reel, &folder.join("sound.wav"), None)?;
        reel.show(self.look.size, &heard, |frame, pixels| {
            Ok(write_new_png(&folder.join(frame_name(frame)), self.look.size[0], self.look.size[1], pixels)?)
        })?;
        let out = Path::new("..").join(self.file.file_name().unwrap_or_default());
        let sound = sounds.then_some(Path::new("sound.wav"));
        let args = ffmpeg::arguments(&Frames::Files("frame-%06d.png"), reel.fps(), sound, ending, &out);
        let args: Vec<_> = args.iter().map(|arg| quoted(&arg.to_string_lossy())).collect();
        let command = format!("ffmpeg {}", args.join(" "));
        let join = folder.join("join.txt");
        fs::write(&join, format!("{command}\n")).with_context(|| cannot(&join))?;
        fs::remove_file(&unfinished).with_context(|| cannot(&unfinished))?;
        let count = reel.count();
        super::remark(&format!("ffmpeg was not found: {count} frames and the sound are in {}", folder.display()));
        super::remark(&format!("install it and join them, in that folder: {command}"));
        Ok(())
    }
}

/// Renders the sound into a file, and says what each frame hears and whether there was a sound at all.
fn listen(reel: &Reel, to: &Path, mut scrap: Option<&mut Vec<Scrap>>) -> anyhow::Result<(Vec<[f32; BANDS]>, bool)> {
    let stepper = reel.stepper()?;
    let Some(stepper) = stepper else { return Ok((reel.listen(None, |_| Ok(()))?, false)) };
    if stepper.apart_ms().abs() > APART_MS {
        super::remark(&format!(
            "the sound device and the clock went apart by {} ms while it was played; the film keeps to the beginning",
            stepper.apart_ms()
        ));
    }
    let (format, layout) = (stepper.format(), stepper.layout());
    let fold = Fold::new(layout);
    let mut file = SoundFile::create(to, Format { channels: 2, ..format })?.in_one();
    if let Some(scrap) = &mut scrap {
        scrap.push(Scrap::file(to));
    }
    let mut stereo = Vec::new();
    let heard = reel.listen(Some(stepper), |samples| {
        stereo.clear();
        fold.fold(samples, &mut stereo);
        Ok(file.write(&stereo)?)
    })?;
    let written = file.finish()?;
    if let Some(scrap) = scrap {
        scrap.extend(written.files.iter().skip(1).map(|file| Scrap::file(file)));
    }
    if written.files.len() > 1 {
        bail!("the sound is too long for one file; cut the film with --from and --to");
    }
    Ok((heard, true))
}

/// The loudspeakers of a room as two: players would take a ring for a cinema's, with a subwoofer in it.
struct Fold(Vec<[f32; 2]>);

impl Fold {
    fn new(layout: Layout) -> Fold {
        if layout.is_stereo() {
            return Fold(vec![[1.0, 0.0], [0.0, 1.0]]);
        }
        let n = layout.count();
        // As loud together as two are.
        let share = (2.0 / n as f32).sqrt();
        let side = |channel| layout.side(channel).clamp(-1.0, 1.0);
        let gains = |side: f32| [(0.5 * (1.0 - side)).sqrt() * share, (0.5 * (1.0 + side)).sqrt() * share];
        Fold((0..n).map(|channel| gains(side(channel))).collect())
    }

    fn fold(&self, samples: &[f32], stereo: &mut Vec<f32>) {
        for frame in samples.chunks_exact(self.0.len()) {
            stereo.extend((0..2).map(|ear| frame.iter().zip(&self.0).map(|(x, gains)| x * gains[ear]).sum::<f32>()));
        }
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::layout::Form;

    #[test]
    fn a_room_is_folded_into_two_and_stereo_stays_as_it_is() {
        let mut stereo = Vec::new();
        Fold::new(Layout::default()).fold(&[0.1, -0.2, 0.3, 0.4], &mut stereo);
        assert_eq!(stereo, [0.1, -0.2, 0.3, 0.4]);
        let line = Fold::new(Layout { channels: 4, form: Form::Line });
        stereo.clear();
        line.fold(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], &mut stereo);
        assert!(stereo[0] > 0.7 && stereo[1] == 0.0 && stereo[2] == 0.0 && stereo[3] == stereo[0], "{stereo:?}");
        let power: f32 = line.0.iter().flatten().map(|gain| gain * gain).sum();
        assert!((power - 2.0).abs() < 1e-5, "{power}");
    }

    #[test]
    fn words_reach_a_shell_whole() {
        assert_eq!(quoted("frame-%06d.png"), "frame-%06d.png");
        assert_eq!(quoted("../an evening's.mp4"), r"'../an evening'\''s.mp4'");
    }
}
