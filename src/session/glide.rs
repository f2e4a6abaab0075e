//! Parameters on their way: each is led along its own curve, as a fader's travel goes, and ends exactly where it is to be.
//!
//! Pure: told what time it is, by the clock of the events. The plan's scenes and recalled settings share them, so that
//! whichever comes later has the parameter.

use super::course::Ask;
use crate::score::{Hand, ParamId, Params, param::Curve};

/// A gliding parameter is moved at most so often.
pub const STEP_NS: u64 = 50_000_000;

/// Every parameter that is on its way, each once.
#[derive(Debug, Default)]
pub struct Glides(Vec<Glide>);

/// A parameter on its way.
#[derive(Debug)]
struct Glide {
    id: ParamId,
    /// Where a control would have stood as the glide began, 0..1.
    from: f32,
    /// The value that is reached.
    to: f32,
    /// The value that was last asked for.
    value: f32,
    by: Hand,
    begun_ns: u64,
    over_ns: u64,
    moved_ns: u64,
}

impl Glides {
    /// Leads parameters to their values from where they stand: what has no between flips at once.
    pub fn lead(
        &mut self,
        to: impl Iterator<Item = (ParamId, f32)>,
        (over_s, by): (f32, Hand),
        now_ns: u64,
        params: &Params,
        asks: &mut Vec<Ask>,
    ) {
        let over_ns = ns(over_s);
        for (id, to) in to {
            self.release(id);
            let (spec, value) = (id.spec(), params.get(id));
            if value == to {
                continue;
            }
            if over_ns == 0 || matches!(spec.curve, Curve::Step | Curve::Switch) {
                asks.push(Ask::Set(id, to, by));
            } else {
                let from = spec.position(value);
                self.0.push(Glide { id, from, to, value, by, begun_ns: now_ns, over_ns, moved_ns: now_ns });
            }
        }
    }

    /// Leaves a parameter where it is.
    pub fn release(&mut self, id: ParamId) {
        self.0.retain(|glide| glide.id != id);
    }

    /// Another hand moved a parameter at this time: it is left to that hand, unless its glide is younger.
    pub fn moved(&mut self, id: ParamId, t_ns: u64) {
        self.0.retain(|glide| glide.id != id || t_ns < glide.begun_ns);
    }

    /// Leaves what this hand leads where it is.
    pub fn release_all_of(&mut self, by: Hand) {
        self.0.retain(|glide| glide.by != by);
    }

    /// Moves on.
    pub fn tick(&mut self, now_ns: u64, asks: &mut Vec<Ask>) {
        self.0.retain_mut(|glide| glide.tick(now_ns, asks));
    }
}

impl Glide {
    /// Moves on; false once it has arrived.
    fn tick(&mut self, now_ns: u64, asks: &mut Vec<Ask>) -> bool {
        if now_ns.saturating_sub(self.moved_ns) < STEP_NS {
            return true;
        }
        let (spec, gone_ns) = (self.id.spec(), now_ns.saturating_sub(self.begun_ns));
        let there = gone_ns >= self.over_ns;
        let part = gone_ns as f32 / self.over_ns as f32;
        let value = if there { self.to } else { spec.at(self.from + (spec.position(self.to) - self.from) * part) };
        if value != self.value {
            asks.push(Ask::Set(self.id, value, self.by));
        }
        (self.value, self.moved_ns) = (value, now_ns);
        !there
    }
}

/// Seconds as the clock counts them.
pub fn ns(s: f32) -> u64 {
    (f64::from(s) * 1e9) as u64
}
