//! The reel: a recording frame by frame under a virtual clock, with the sound that belongs to each frame.
//!
//! Frame n shows the time n/fps, whichever part of the recording is wanted. What comes before the part is gone through as
//! well, since a stage is the sum of what has happened, and the last seconds of it are drawn and not kept, since fields
//! remember what they drew. Runs on the main thread; it neither sounds nor opens a window.

use std::collections::VecDeque;
use std::iter::Peekable;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::progress::Progress;
use super::samples;
use crate::audio::render::{self, Stepper};
use crate::control;
use crate::journal;
use crate::score::spectrum::BANDS;
use crate::score::{Event, Hand, ParamId, Shutdown, Stamped};
use crate::visuals::{FrameState, Offscreen};

/// How long before a part frames are drawn. The wake of the river, which stays longest, falls to e^-1.6 in a second, in
/// these to a step of 8 bits at the most; the guard against flashes needs 3.3 of them. An artist's shader may remember more.
const BEFORE_S: f64 = 6.0;
/// And at least so many: however long a frame is, a field is told of no more than a quarter of a second.
const BEFORE: u64 = 24;

/// From the later of a recording's beginning and `from_s` to the earlier of its end and `to_s`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Part {
    pub from_s: f64,
    pub to_s: Option<f64>,
}

pub struct Reel {
    folder: PathBuf,
    events: Vec<Stamped>,
    fps: f64,
    /// Counted from the recording's beginning.
    frames: Range<u64>,
    /// What stands as it is here, whatever the recording sets.
    over: Vec<(ParamId, f32)>,
    shutdown: Shutdown,
}

impl Reel {
    /// Reads a recording, which goes on for `tail_s` after its last event. `shutdown` breaks off what is rendered of it.
    ///
    /// # Errors
    /// A folder that holds no recording, a part in which there is no frame.
    pub fn open(folder: &Path, fps: f64, part: Part, tail_s: f64, shutdown: &Shutdown) -> anyhow::Result<Reel> {
        let events = journal::read(folder)?.events;
        let end_s = events.last().map_or(0, |e| e.t_ns) as f64 / 1e9;
        // A little less than a frame of tolerance: 0.1 s at 30 fps is frame 3, whatever its digits say.
        let first_from = |s: f64| (s * fps - 1e-6).ceil().max(0.0) as u64;
        let all = ((end_s + tail_s) * fps).ceil() as u64 + 1;
        let frames = first_from(part.from_s)..part.to_s.map_or(all, |to_s| first_from(to_s).min(all));
        if frames.is_empty() {
            let span = match (part.from_s, part.to_s) {
                (from_s, None) => format!("from {from_s} s on"),
                (at_s, Some(to_s)) if (to_s - at_s) * fps < 1.5 => format!("at {at_s:.1} s"),
                (from_s, Some(to_s)) => format!("from {from_s} s to {to_s} s"),
            };
            bail!("there is no picture {span}; the recording is {end_s:.1} s long");
        }
        Ok(Reel { folder: folder.to_path_buf(), events, fps, frames, over: Vec::new(), shutdown: shutdown.clone() })
    }

    /// Shows the recording with these values of what is only seen; the last of those for one parameter holds.
    pub fn seen_with(&mut self, over: &[(ParamId, f32)]) {
        for (id, value) in over {
            self.over.retain(|(other, _)| other != id);
            self.over.push((*id, *value));
        }
    }

    /// Puts an event into what is shown; the sound's engine, made before, knows nothing of it.
    pub fn put_in(&mut self, t_ns: u64, event: Event) {
        let at = self.events.partition_point(|e| e.t_ns <= t_ns);
        let seq = at.checked_sub(1).map_or(0, |before| self.events[before].seq);
        self.events.insert(at, Stamped { seq, t_ns, event });
    }

    /// When the last frame is shown.
    pub fn last_ns(&self) -> u64 {
        self.t_ns(self.frames.end - 1)
    }

    /// The one frame that is nearest to a time.
    ///
    /// # Errors
    /// As [`Reel::open`].
    pub fn still(folder: &Path, fps: f64, at_s: f64, shutdown: &Shutdown) -> anyhow::Result<Reel> {
        let frame = (at_s * fps).round();
        let part = Part { from_s: frame / fps, to_s: Some((frame + 1.0) / fps) };
        Reel::open(folder, fps, part, 0.0, shutdown)
    }

    /// How many frames it has.
    pub fn count(&self) -> u64 {
        self.frames.end - self.frames.start
    }

    pub fn fps(&self) -> f64 {
        self.fps
    }

    /// The engine that played; `None` where none did.
    ///
    /// # Errors
    /// A patch in the recording cannot be read.
    pub fn stepper(&self) -> anyhow::Result<Option<Stepper>> {
        let banks = samples::recall(&self.events, &self.folder, render::rate_hz(&self.events));
        Ok(Stepper::new(&self.events, &banks)?)
    }

    fn t_ns(&self, frame: u64) -> u64 {
        (frame as f64 / self.fps * 1e9) as u64
    }

    /// Lets the engine play, gives the sound from the first frame to the end of the last to `out`, and returns what each
    /// frame hears, those before the part as well. Without an engine they hear nothing.
    ///
    /// # Errors
    /// What `out` says, or that it was broken off.
    pub fn listen(
        &self,
        stepper: Option<Stepper>,
        mut out: impl FnMut(&[f32]) -> anyhow::Result<()>,
    ) -> anyhow::Result<Vec<[f32; BANDS]>> {
        let Some(mut stepper) = stepper else { return Ok(vec![[0.0; BANDS]; self.frames.end as usize]) };
        let mut progress = Progress::new("sound: frame", self.frames.end);
        let mut heard = Vec::new();
        for frame in 0..=self.frames.end {
            if self.shutdown.requested() {
                bail!("broken off while the sound was rendered");
            }
            progress.at(frame);
            let mut said = Ok(());
            // The first step within the part leads from its first frame to the second.
            let within = frame > self.frames.start;
            heard.push(*stepper.advance_to(self.t_ns(frame), &mut |samples| {
                if within && said.is_ok() {
                    said = out(samples);
                }
            }));
            said?;
        }
        Ok(heard)
    }

    /// Draws each frame of the part and gives its number, counted from the part's first, and its RGBA pixels to `each`.
    ///
    /// # Errors
    /// No graphics adapter, what `each` says, or that it was broken off.
    pub fn show(
        &self,
        size: [u32; 2],
        heard: &[[f32; BANDS]],
        mut each: impl FnMut(u64, &[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut screen = Offscreen::new(size[0], size[1])?;
        let first = self.first_drawn();
        screen.count_from(first);
        let mut stage = Playing::new(self);
        let mut progress = Progress::new("frame", self.frames.end - first);
        for frame in 0..self.frames.end {
            let drawn = frame.saturating_sub(self.frames.start);
            if self.shutdown.requested() {
                bail!("broken off after {drawn} of {} frames", self.count());
            }
            stage.state.hear(heard.get(frame as usize).context("a frame that was not listened to")?);
            stage.advance_to(self.t_ns(frame));
            if frame >= first {
                progress.at(frame - first);
                let pixels = screen.frame(&stage.state)?;
                if frame >= self.frames.start {
                    each(drawn, &pixels)?;
                }
            }
        }
        Ok(())
    }

    /// The frame from which fields remember all that is seen of it in the part. While the picture is held nothing is
    /// remembered, so that those frames do not count.
    fn first_drawn(&self) -> u64 {
        let before = BEFORE.max((BEFORE_S * self.fps).ceil() as u64);
        let (mut stage, mut moved) = (Playing::new(self), VecDeque::new());
        for frame in 0..self.frames.start {
            stage.advance_to(self.t_ns(frame));
            if !stage.state.frozen() {
                moved.push_back(frame);
            }
            if moved.len() as u64 > before {
                moved.pop_front();
            }
        }
        moved.front().copied().filter(|_| moved.len() as u64 == before).unwrap_or(0)
    }
}

/// The stage of a reel on its way through the recording.
struct Playing<'a> {
    state: FrameState,
    events: Peekable<Box<dyn Iterator<Item = &'a Stamped> + 'a>>,
}

impl<'a> Playing<'a> {
    fn new(reel: &'a Reel) -> Playing<'a> {
        let mut state = FrameState::new();
        state.set_help(control::help::pages());
        for (id, value) in &reel.over {
            let event = Event::Param { id: *id, value: *value, by: Hand::Patch };
            state.apply(&Stamped { seq: 0, t_ns: 0, event });
        }
        // What the performer typed and dropped was nobody's to read.
        let is_typed = |e: &Event| matches!(e, Event::Typing { .. });
        let is_over = |e: &Event| matches!(e, Event::Param { id, .. } if reel.over.iter().any(|(over, _)| over == id));
        let events: Box<dyn Iterator<Item = &Stamped>> =
            Box::new(reel.events.iter().filter(move |e| !is_over(&e.event) && !is_typed(&e.event)));
        Playing { state, events: events.peekable() }
    }

    fn advance_to(&mut self, t_ns: u64) {
        while let Some(event) = self.events.next_if(|e| e.t_ns <= t_ns) {
            self.state.apply(event);
        }
        self.state.advance(t_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Large enough for words that leave a wake.
    const SIZE: [u32; 2] = [320, 180];
    const FPS: f64 = 10.0;
    const AT_S: f64 = 10.0;

    /// The pictures of a part of a recording in which something happens besides.
    fn shown(from_s: f64, more: &[(f64, Event)]) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/performances/english");
        let part = Part { from_s, to_s: Some(AT_S + 0.3) };
        let mut reel = Reel::open(&folder, FPS, part, 0.0, &Shutdown::default()).unwrap();
        for (t_s, event) in more {
            reel.put_in((t_s * 1e9) as u64, event.clone());
        }
        let mut pictures = Vec::new();
        let keep = |_, pixels: &[u8]| {
            pictures.push(pixels.to_vec());
            Ok(())
        };
        reel.show(SIZE, &vec![[0.5; BANDS]; reel.frames.end as usize], keep).unwrap();
        pictures
    }

    #[test]
    fn a_part_looks_as_in_the_whole_whatever_fields_remember() {
        if let Err(why) = Offscreen::new(SIZE[0], SIZE[1]) {
            return eprintln!("skipped: {why}");
        }
        let set = |id, value| Event::Param { id, value, by: Hand::Patch };
        let scene = |number: usize| (0.0, set(ParamId::StageScene, number as f32));
        let crash = Event::Fault { place: "generator".into(), what: "gone".into(), remedy: String::new() };
        let counts = "fn field(uv: vec2<f32>) -> vec3<f32> { return vec3<f32>(fract(u.frame / 7.0)); }";
        let river = scene(1);
        for (what, more, most) in [
            ("river", vec![river.clone()], 1),
            ("fault", vec![(6.0, crash)], 1),
            // What is held was drawn long before.
            ("held", vec![river, (2.5, set(ParamId::Freeze, 1.0))], 0),
            ("counted", vec![scene(7), (0.0, Event::Shader { name: "counts".into(), text: counts.into() })], 0),
        ] {
            let (whole, part) = (shown(0.0, &more), shown(AT_S, &more));
            assert_eq!(part.len(), 3);
            for (whole, part) in whole[whole.len() - 3..].iter().zip(&part) {
                let apart = whole.iter().zip(part).map(|(a, b)| a.abs_diff(*b)).max();
                assert!(apart <= Some(most), "{what}: {apart:?}");
            }
        }
    }
}
