//! The parameters as the worker plays them: the hands' values, moved by the patch's matrix.

use std::sync::Arc;

use super::facts::Followed;
use crate::patch::{Matrix, Modulator, Template};
use crate::score::{Happening, ParamId, ParamValues, Params, Queue, SignalValues, Since, Stamped, Timeline};

/// The worker's copy of the matrix with the signals it has heard.
pub(super) struct Modulation {
    modulator: Modulator,
    heard: Queue,
    batch: Vec<Arc<Stamped>>,
    signals: SignalValues,
    since: Since,
    followed: Followed,
    last_ns: u64,
    timeline: Timeline,
}

impl Modulation {
    pub fn new(matrix: Matrix, heard: Queue, now_ns: u64) -> Modulation {
        Modulation {
            modulator: Modulator::new(matrix),
            heard,
            batch: Vec::new(),
            signals: SignalValues::default(),
            since: Since::default(),
            followed: Followed::default(),
            last_ns: now_ns,
            timeline: Timeline::from_the_beginning(f64::from(ParamId::TempoBpm.spec().default)),
        }
    }

    /// Takes up another matrix.
    pub fn take(&mut self, matrix: Matrix) {
        self.modulator = Modulator::new(matrix);
    }

    /// The beats, as they were told last before [`Modulation::values`].
    pub fn timeline(&self) -> Timeline {
        self.timeline
    }

    /// A prompt's text as it is at `t_ns`.
    pub fn fill(&mut self, template: &Template, params: &Params, t_ns: u64) -> String {
        let values = self.values(params, t_ns);
        template.fill(&self.followed.facts, &self.signals, &values)
    }

    /// The parameters as they are to be played at `t_ns`.
    pub fn values(&mut self, params: &Params, t_ns: u64) -> ParamValues {
        self.heard.drain(&mut self.batch);
        for stamped in self.batch.drain(..) {
            stamped.event.apply(&mut self.signals);
            self.timeline = Timeline::of(&stamped).unwrap_or(self.timeline);
            self.followed.take(&stamped.event);
            if let Some(what) = Happening::of(&stamped.event) {
                self.since.happened(what, stamped.t_ns);
                self.modulator.happened(what);
            }
        }
        self.since.write(t_ns, &mut self.signals);
        let dt_s = t_ns.saturating_sub(self.last_ns) as f32 / 1e9;
        self.last_ns = t_ns;
        self.modulator.apply(&params.values(), &self.signals, dt_s)
    }
}
