//! A recording's sound again, from its events alone and much faster than it was played.

mod stepper;

use std::collections::HashMap;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use super::bank::{Bank, Banks};
use super::bus::Voice;
use super::cue::Cue;
use super::dsp::{CHUNK, Chunk};
use super::engine::Engine;
use super::file::{Format, SoundFile, SoundFileError, Written};
use super::spectrogram::Spectrogram;
use crate::patch::{Matrix, Modulator};
use crate::score::{Event, Layout, Shutdown, Stamped};
pub use stepper::Stepper;

/// At both ends of a recording the device's time is compared with the clock's over so long.
const COMPARED_S: u64 = 10;

/// What can go wrong with rendering.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("the patch in event {seq} cannot be read: {source}")]
    Patch { seq: u64, source: crate::patch::PatchError },
    #[error(transparent)]
    File(#[from] SoundFileError),
    #[error("broken off while the sound was rendered")]
    BrokenOff,
}

/// What is to happen at which frame, worked out from the events.
struct Plan {
    rate_hz: u32,
    seed: u64,
    layout: Layout,
    matrix: Matrix,
    /// In the order in which they act.
    acts: Vec<(u64, Act)>,
    /// The frame of the last event.
    end: u64,
    /// An engine played.
    sounded: bool,
    /// The frame of the clock that is the engine's first, and by how much that has changed at the end.
    lead: i64,
    apart_ms: i64,
}

/// A plan that is being played.
struct Run {
    engine: Engine,
    acts: Peekable<IntoIter<(u64, Act)>>,
    /// The last chunk, interleaved: one, so that every cue can act at its own.
    block: Vec<f32>,
}

enum Act {
    Cue(Box<Cue>),
    Matrix(Box<Modulator>),
    Bank(Bank),
}

/// Renders the events to a 24-bit WAV, or FLAC where the file's name ends so, `tail_s` seconds longer than they are, so
/// that the last notes ring out.
///
/// The samples are those of the live performance: each event acts at the frame at which it was heard. In a recording
/// made without sound every event acts at its own time. `banks` are the artist's own sounds, read at [`rate_hz`].
/// `shutdown` breaks it off; the file is cut short then.
pub fn to_file(
    events: &[Stamped],
    banks: &Banks,
    path: &Path,
    tail_s: f32,
    shutdown: &Shutdown,
) -> Result<Written, RenderError> {
    let plan = Plan::new(events, banks)?;
    let mut file = SoundFile::create(path, plan.format())?;
    let mut failed = None;
    plan.play(tail_s, |samples| {
        failed = file.write(samples).err();
        failed.is_none() && !shutdown.requested()
    });
    match failed {
        Some(e) => Err(e.into()),
        None if shutdown.requested() => Err(RenderError::BrokenOff),
        None => Ok(file.finish()?),
    }
}

/// Renders each voice alone into a file of `folder`, named after it and ending in `end` (`wav` or `flac`). Together they
/// are what [`to_file`] makes: they share its loudness, room and limiter.
///
/// # Errors
/// As [`to_file`].
pub fn to_stems(
    events: &[Stamped],
    banks: &Banks,
    folder: &Path,
    end: &str,
    tail_s: f32,
    shutdown: &Shutdown,
) -> Result<Vec<Written>, RenderError> {
    let plan = Plan::new(events, banks)?;
    // Looked at before the first is made, so that none is left behind.
    if let Some(there) = stems(folder, end).into_iter().find(|path| path.exists()) {
        return Err(SoundFileError::Exists(there).into());
    }
    let mut files = Vec::new();
    for (voice, path) in Voice::ALL.into_iter().zip(stems(folder, end)) {
        files.push((voice, SoundFile::create(&path, plan.format())?));
    }
    let mut failed = None;
    plan.play_stems(tail_s, |voice, samples| {
        if let Some((_, file)) = files.iter_mut().find(|(of, _)| *of == voice) {
            failed = file.write(samples).err();
        }
        failed.is_none() && !shutdown.requested()
    });
    match failed {
        Some(e) => Err(e.into()),
        None if shutdown.requested() => Err(RenderError::BrokenOff),
        None => files.into_iter().map(|(_, file)| Ok(file.finish()?)).collect(),
    }
}

/// The files that [`to_stems`] makes.
pub fn stems(folder: &Path, end: &str) -> Vec<PathBuf> {
    Voice::ALL.iter().map(|voice| folder.join(voice.name()).with_extension(end)).collect()
}

/// The sound of a recording as a picture of `size` pixels: width, height, RGBA.
///
/// # Errors
/// As [`to_file`], but that nothing is written.
pub fn to_spectrogram(
    events: &[Stamped],
    banks: &Banks,
    tail_s: f32,
    size: [u32; 2],
    shutdown: &Shutdown,
) -> Result<(u32, u32, Vec<u8>), RenderError> {
    let plan = Plan::new(events, banks)?;
    let frames = plan.end + (tail_s.clamp(0.0, 600.0) * plan.rate_hz as f32) as u64;
    let mut spectrogram = Spectrogram::new(plan.rate_hz, plan.layout.count(), frames, size);
    plan.play(tail_s, |samples| {
        spectrogram.write(samples);
        !shutdown.requested()
    });
    if shutdown.requested() { Err(RenderError::BrokenOff) } else { Ok(spectrogram.finish()) }
}

/// The same interleaved in memory, with its sample rate.
pub fn to_samples(events: &[Stamped], banks: &Banks, tail_s: f32) -> Result<(u32, Vec<f32>), RenderError> {
    let plan = Plan::new(events, banks)?;
    let rate_hz = plan.rate_hz;
    let mut out = Vec::new();
    plan.play(tail_s, |samples| {
        out.extend_from_slice(samples);
        true
    });
    Ok((rate_hz, out))
}

/// The sample rate at which the events are rendered: that of the engine that played them.
pub fn rate_hz(events: &[Stamped]) -> u32 {
    let sound = events.iter().find_map(|e| match e.event {
        Event::Sound { rate_hz, .. } => Some(rate_hz),
        _ => None,
    });
    sound.unwrap_or(48_000).clamp(8_000, 384_000)
}

impl Plan {
    fn new(events: &[Stamped], banks: &Banks) -> Result<Plan, RenderError> {
        let (mut seed, mut sound_at, mut layout) = (0, None, Layout::default());
        let mut heard = HashMap::new();
        let mut times = HashMap::new();
        for (n, e) in events.iter().enumerate() {
            match &e.event {
                Event::Begin { seed: of_generator, .. } if sound_at.is_none() => seed = *of_generator,
                Event::Sound { seed: of_sound, layout: of_room, .. } if sound_at.is_none() => {
                    (seed, sound_at, layout) = (*of_sound, Some(e.seq), *of_room);
                }
                Event::Heard { of, frame } => {
                    // Of those at one frame the reports' order is that in which they were taken.
                    heard.insert(*of, (*frame, n));
                }
                _ => {}
            }
            times.insert(e.seq, e.t_ns);
        }
        let rate = rate_hz(events);
        let frames = |ns: u64| (u128::from(ns) * u128::from(rate) / 1_000_000_000) as u64;
        // What came after the last heard event (a recording cut short) keeps its distance in time from it.
        let last_heard = heard.iter().max_by_key(|(of, _)| **of).map(|(of, (frame, _))| (*of, *frame));
        // A cue waits for the next block: those that waited least tell the engine's time best.
        let heard_at = |(of, (frame, _)): (&u64, &(u64, usize))| {
            times.get(of).map(|t_ns| (*frame, frames(*t_ns) as i64 - *frame as i64))
        };
        let ends = heard.values().map(|(frame, _)| *frame);
        let (first, last) = (ends.clone().min().unwrap_or(0), ends.max().unwrap_or(0));
        let compared = COMPARED_S * u64::from(rate);
        let waited = |near: &dyn Fn(u64) -> bool| {
            heard.iter().filter_map(heard_at).filter(|(frame, _)| near(*frame)).map(|(_, lead)| lead).max().unwrap_or(0)
        };
        let lead = waited(&|frame| frame <= first.saturating_add(compared));
        let apart = waited(&|frame| frame >= last.saturating_sub(compared)) - lead;
        let apart_ms = apart * 1000 / i64::from(rate);
        let later = events.len();
        let place = |e: &Stamped| match (heard.get(&e.seq), last_heard) {
            (Some(place), _) => Some(*place),
            (None, None) => Some((frames(e.t_ns), later)),
            (None, Some((of, frame))) if e.seq > of => {
                let since_ns = e.t_ns.saturating_sub(times.get(&of).copied().unwrap_or(e.t_ns));
                Some((frame.saturating_add(frames(since_ns)), later))
            }
            // The live engine never got it.
            (None, Some(_)) => None,
        };
        let mut matrix = Matrix::default();
        let mut acts = Vec::new();
        let (mut end, mut patched) = (0, false);
        for e in events {
            if let Event::Patch { name, text } = &e.event {
                let patch =
                    crate::patch::parse(name, text).map_err(|source| RenderError::Patch { seq: e.seq, source })?;
                // The matrix that the engine began with; a later one came while it played.
                let first = !patched || sound_at.is_some_and(|at| e.seq < at);
                patched = true;
                if first {
                    matrix = patch.matrix.clone();
                }
                if let Some(at) = if first { heard.get(&e.seq).copied() } else { place(e) } {
                    acts.push((at, Act::Matrix(Box::new(Modulator::new(patch.matrix)))));
                }
            } else if let Some(bank) = banks.of(e.seq) {
                acts.extend(place(e).map(|at| (at, Act::Bank(bank.clone()))));
            } else if let Some(cue) = Cue::from_event(e)
                && let Some(at) = place(e)
            {
                acts.push((at, Act::Cue(Box::new(cue))));
            }
            if !matches!(e.event, Event::Heard { .. })
                && let Some((frame, _)) = place(e)
            {
                end = end.max(frame);
            }
        }
        // Stable: where no report says otherwise, the order at one frame is that of the score.
        acts.sort_by_key(|(at, _)| *at);
        let acts = acts.into_iter().map(|((frame, _), act)| (frame, act)).collect();
        Ok(Plan { rate_hz: rate, seed, layout, matrix, acts, end, sounded: sound_at.is_some(), lead, apart_ms })
    }

    fn format(&self) -> Format {
        Format { rate_hz: self.rate_hz, channels: self.layout.count() as u16 }
    }

    /// Plays the plan into `out`, chunk by chunk, for as long as it answers true.
    fn play(self, tail_s: f32, mut out: impl FnMut(&[f32]) -> bool) {
        self.run(tail_s, false, |_, samples| out(samples));
    }

    /// Plays the plan into `out`, one voice's chunk after the other, for as long as it answers true.
    fn play_stems(self, tail_s: f32, mut out: impl FnMut(Voice, &[f32]) -> bool) {
        let mut interleaved = Vec::new();
        self.run(tail_s, true, |engine, _| {
            Voice::ALL.iter().all(|voice| {
                let Some(channels) = engine.stem(*voice) else { return false };
                interleaved.clear();
                interleaved.extend((0..CHUNK).flat_map(|i| channels.iter().map(move |chunk: &Chunk| chunk[i])));
                out(*voice, &interleaved)
            })
        });
    }

    fn run(self, tail_s: f32, stems: bool, mut each: impl FnMut(&Engine, &[f32]) -> bool) {
        let end = self.end.saturating_add((tail_s.clamp(0.0, 600.0) * self.rate_hz as f32) as u64);
        let mut run = Run::new(self);
        if stems {
            run.engine.keep_stems();
        }
        while run.engine.frame() < end {
            run.chunk();
            if !each(&run.engine, &run.block) {
                return;
            }
        }
    }
}

impl Run {
    fn new(plan: Plan) -> Run {
        Run {
            engine: Engine::in_room(plan.rate_hz, plan.seed, plan.matrix, plan.layout),
            acts: plan.acts.into_iter().peekable(),
            block: vec![0.0; CHUNK * plan.layout.count()],
        }
    }

    /// Plays the next chunk.
    fn chunk(&mut self) {
        let engine = &mut self.engine;
        while let Some((_, act)) = self.acts.next_if(|(frame, _)| *frame <= engine.frame()) {
            match act {
                Act::Cue(cue) => {
                    engine.take(*cue);
                }
                Act::Matrix(modulator) => drop(engine.swap_matrix(modulator)),
                Act::Bank(bank) => {
                    drop(engine.spent_bank());
                    drop(engine.swap_bank(bank));
                }
            }
        }
        engine.render(&mut self.block);
    }
}
