//! A recording's sound in step with its clock: for pictures that are to see the sound that belongs to them.
//!
//! The clock of the events begins before the engine does; how long before is told by the events themselves, of which each
//! is reported with the frame at which it was heard. On whichever thread renders; it allocates.

use super::{Plan, RenderError, Run};
use crate::audio::bands::BANDS;
use crate::audio::bank::Banks;
use crate::audio::dsp::CHUNK;
use crate::audio::file::Format;
use crate::score::{Layout, Stamped};

/// The engine of a recording, which plays up to the time that it is told.
pub struct Stepper {
    run: Run,
    format: Format,
    /// Frames of the clock that have been given, and those of the last chunk.
    at: u64,
    used: usize,
    /// The frame of the clock at which the engine begins.
    lead: u64,
    apart_ms: i64,
    silence: Vec<f32>,
}

impl Stepper {
    /// The engine at the clock's zero; `None` for a recording in which none played.
    ///
    /// # Errors
    /// A patch in the events cannot be read.
    pub fn new(events: &[Stamped], banks: &Banks) -> Result<Option<Stepper>, RenderError> {
        let plan = Plan::new(events, banks)?;
        if !plan.sounded {
            return Ok(None);
        }
        let (format, lead, apart_ms) = (plan.format(), plan.lead, plan.apart_ms);
        let mut stepper = Stepper {
            run: Run::new(plan),
            format,
            at: 0,
            used: CHUNK,
            lead: lead.max(0) as u64,
            apart_ms,
            silence: vec![0.0; CHUNK * usize::from(format.channels)],
        };
        // A device that was filled before the clock began.
        for _ in 0..lead.min(0).unsigned_abs() {
            stepper.take(1);
        }
        Ok(Some(stepper))
    }

    pub fn format(&self) -> Format {
        self.format
    }

    pub fn layout(&self) -> Layout {
        self.run.engine.layout()
    }

    /// How much later the device was at the end than at the beginning, by the clock: it ran slower, or stood still.
    pub fn apart_ms(&self) -> i64 {
        self.apart_ms
    }

    /// Plays up to this time of the recording's clock, gives the interleaved samples to `out` and returns the bands as
    /// they are then. Silence before the engine began.
    pub fn advance_to(&mut self, t_ns: u64, out: &mut dyn FnMut(&[f32])) -> &[f32; BANDS] {
        let channels = usize::from(self.format.channels);
        let to = (u128::from(t_ns) * u128::from(self.format.rate_hz) / 1_000_000_000) as u64;
        while self.at < to {
            let most = to - self.at;
            let n = if self.at < self.lead {
                let n = most.min(self.lead - self.at).min(CHUNK as u64) as usize;
                out(&self.silence[..n * channels]);
                n
            } else {
                let (from, n) = self.take(most);
                out(&self.run.block[from * channels..(from + n) * channels]);
                n
            };
            self.at += n as u64;
        }
        self.run.engine.bands()
    }

    /// The next frames of the engine, `most` at most: where they begin in the block, and how many they are.
    fn take(&mut self, most: u64) -> (usize, usize) {
        if self.used == CHUNK {
            self.run.chunk();
            self.used = 0;
        }
        let (from, n) = (self.used, most.min((CHUNK - self.used) as u64) as usize);
        self.used += n;
        (from, n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::render::to_samples;
    use crate::score::{Event, Hand, MachineSample, ParamId, SignalId};

    /// Three seconds under load, whose engine began `lead_ns` after the clock; the hum goes up by an octave at 2 s.
    fn recording(lead_ns: u64) -> Vec<Stamped> {
        let mut events: Vec<(u64, Event)> = vec![
            (0, Event::Sound { rate_hz: 48_000, seed: 3, output: String::new(), layout: Layout::default() }),
            (lead_ns, machine()),
            (lead_ns + 2_000_000_000, Event::Param { id: ParamId::HumPitch, value: 50.0, by: Hand::Key }),
            (lead_ns + 3_000_000_000, machine()),
        ];
        events.extend([(1, 0), (2, 96_000), (3, 144_000)].map(|(of, frame)| (u64::MAX, Event::Heard { of, frame })));
        events.into_iter().enumerate().map(|(seq, (t_ns, event))| Stamped { seq: seq as u64, t_ns, event }).collect()
    }

    fn machine() -> Event {
        Event::Machine(MachineSample { values: vec![(SignalId::Cpu, 0.8)], cores: vec![0.9, 0.4], absent: vec![] })
    }

    /// Frame by frame of a film: all samples, and the bands at each frame.
    fn film(events: &[Stamped]) -> (Vec<f32>, Vec<[f32; BANDS]>) {
        let mut stepper = Stepper::new(events, &Banks::default()).unwrap().unwrap();
        let mut samples = Vec::new();
        let mut frame =
            |n: u64| *stepper.advance_to(n * 1_000_000_000 / 30, &mut |part| samples.extend_from_slice(part));
        let bands = (0..=90).map(&mut frame).collect();
        (samples, bands)
    }

    #[test]
    fn it_plays_what_the_whole_is_in_its_place() {
        let events = recording(250_000_000);
        let (samples, bands) = film(&events);
        let (_, whole) = to_samples(&events, &Banks::default(), 0.0).unwrap();
        assert_eq!(samples.len(), 2 * 3 * 48_000);
        assert!(samples[..2 * 12_000].iter().all(|x| *x == 0.0), "the engine has not begun");
        assert!(samples[2 * 12_000..] == whole[..2 * 132_000], "and then it is the same, sample for sample");
        assert_eq!(bands[7], [0.0; BANDS]);
        assert!(bands[60].iter().any(|level| *level > 0.3), "{:?}", bands[60]);
        assert!(film(&events).1 == bands, "the same again");
        // Without the lead the same is seen that much earlier, but for what of a chunk is cut.
        let early = film(&recording(0)).1;
        assert!(
            (0..BANDS).all(|band| (early[50][band] - bands[57][band]).abs() < 0.1),
            "{:?} {:?}",
            early[50],
            bands[57]
        );
    }

    #[test]
    fn no_engine_no_sound_and_a_slow_device_is_told() {
        let mut events = recording(0);
        assert_eq!(Stepper::new(&events, &Banks::default()).unwrap().unwrap().apart_ms(), 0);
        events[3].t_ns += 20_000_000_000;
        if let Event::Heard { frame, .. } = &mut events[6].event {
            *frame += 19_800 * 48;
        }
        assert_eq!(Stepper::new(&events, &Banks::default()).unwrap().unwrap().apart_ms(), 200);
        events.remove(0);
        assert!(Stepper::new(&events, &Banks::default()).unwrap().is_none());
    }
}
