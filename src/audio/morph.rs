//! The morph: two snapshots of the sound's parameters and the way from one to the other. What a snapshot does not name
//! stands where the hands left it.

use crate::score::{MorphSide, ParamId, ParamValues};

/// The values of a snapshot; NaN where it names none.
pub type Kept = [f32; ParamId::COUNT];

/// A snapshot that names nothing.
pub const NOTHING: Kept = [f32::NAN; ParamId::COUNT];

#[derive(Clone, Debug)]
pub struct Morph {
    first: Kept,
    second: Kept,
}

impl Default for Morph {
    fn default() -> Morph {
        Morph { first: NOTHING, second: NOTHING }
    }
}

impl Morph {
    pub fn keep(&mut self, side: MorphSide, values: Kept) {
        match side {
            MorphSide::First => self.first = values,
            MorphSide::Second => self.second = values,
        }
    }

    /// The base values so far on the way, 0..1. Each goes along its own curve, as a fader's travel does.
    pub fn apply(&self, base: &ParamValues, way: f32) -> ParamValues {
        let way = if way.is_finite() { way.clamp(0.0, 1.0) } else { 0.0 };
        let mut out = *base;
        for (i, id) in ParamId::ALL.iter().enumerate() {
            let (first, second) = (self.first[i], self.second[i]);
            if (first.is_nan() && second.is_nan()) || !id.morphs() {
                continue;
            }
            let spec = id.spec();
            let value = |kept: f32| if kept.is_nan() { base.get(*id) } else { spec.clamp(kept) };
            let (first, second) = (value(first), value(second));
            let (from, to) = (spec.position(first), spec.position(second));
            out.0[i] = match way {
                0.0 => first,
                1.0 => second,
                _ => spec.at(from + (to - from) * way),
            };
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_from_one_snapshot_to_the_other_and_leaves_the_rest() {
        let mut morph = Morph::default();
        let base = ParamValues::default();
        assert_eq!(morph.apply(&base, 0.7), base);
        let (mut first, mut second) = (NOTHING, NOTHING);
        first[ParamId::HumLevel as usize] = -40.0;
        second[ParamId::HumLevel as usize] = -20.0;
        second[ParamId::TokenLength as usize] = 0.3;
        // What is no sound, or is the way itself, is not moved.
        second[ParamId::Temperature as usize] = 2.0;
        second[ParamId::Morph as usize] = 0.2;
        morph.keep(MorphSide::First, first);
        morph.keep(MorphSide::Second, second);
        let at = |way, id| morph.apply(&base, way).get(id);
        assert_eq!((at(0.0, ParamId::HumLevel), at(1.0, ParamId::HumLevel)), (-40.0, -20.0));
        assert!((at(0.5, ParamId::HumLevel) + 30.0).abs() < 1e-4);
        assert_eq!((at(0.0, ParamId::TokenLength), at(1.0, ParamId::TokenLength)), (1.2, 0.3));
        // Half the way between 1.2 and 0.3 seconds is 0.6 where equal travel is equal ratio.
        assert!((at(0.5, ParamId::TokenLength) - 0.6).abs() < 1e-3);
        assert_eq!(at(1.0, ParamId::Temperature), base.get(ParamId::Temperature));
        assert_eq!(at(f32::NAN, ParamId::HumLevel), -40.0);
    }
}
