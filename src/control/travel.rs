//! How far a hand moves a parameter: the arithmetic behind [`Action::Nudge`], [`Action::Turn`], [`Action::Toggle`],
//! [`Action::SelectStep`] and [`Action::SelectGroup`].
//!
//! Pure; any thread.
//!
//! [`Action::Nudge`]: crate::score::Action::Nudge
//! [`Action::Turn`]: crate::score::Action::Turn
//! [`Action::Toggle`]: crate::score::Action::Toggle
//! [`Action::SelectStep`]: crate::score::Action::SelectStep
//! [`Action::SelectGroup`]: crate::score::Action::SelectGroup

use crate::score::ParamId;
use crate::score::param::Curve;

/// The value after moving `by` of the parameter's travel from `value`; a step or switch moves by at least one.
pub fn nudged(id: ParamId, value: f32, by: f32) -> f32 {
    let spec = id.spec();
    let moved = spec.at(spec.position(value) + by);
    if matches!(spec.curve, Curve::Step | Curve::Switch) && moved == spec.clamp(value) && by != 0.0 {
        return spec.clamp(value + by.signum());
    }
    moved
}

/// The value so many whole steps on, round the ends of the range.
pub fn turned(id: ParamId, value: f32, by: i32) -> f32 {
    let spec = id.spec();
    let steps = (spec.max - spec.min).round() + 1.0;
    spec.clamp(spec.min + (spec.clamp(value) - spec.min + by as f32).rem_euclid(steps))
}

/// The other end of the parameter's travel: on becomes off, and what stands in the upper half goes to the minimum.
pub fn toggled(id: ParamId, value: f32) -> f32 {
    let spec = id.spec();
    if spec.position(value) >= 0.5 { spec.min } else { spec.max }
}

/// The parameter `step` rows further in the table, around its ends.
pub fn selected(id: ParamId, step: i32) -> ParamId {
    let row = (id as i64 + i64::from(step)).rem_euclid(ParamId::COUNT as i64);
    ParamId::ALL[row as usize]
}

/// The first parameter of the group `step` groups further, around the ends of the table; a group is what stands before
/// the first dot of a name.
pub fn selected_group(id: ParamId, step: i32) -> ParamId {
    let group = |id: ParamId| id.name().split('.').next();
    let mut firsts: Vec<ParamId> = ParamId::ALL.to_vec();
    firsts.dedup_by_key(|id| group(*id));
    let at = firsts.iter().position(|first| group(*first) == group(id)).unwrap_or(0);
    firsts[(at as i64 + i64::from(step)).rem_euclid(firsts.len() as i64) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_values_go_round() {
        assert_eq!(turned(ParamId::StageScene, 7.0, 1), 0.0);
        assert_eq!(turned(ParamId::StageScene, 0.0, -1), 7.0);
        assert_eq!(turned(ParamId::Palette, 1.0, 1), 2.0);
    }

    #[test]
    fn a_nudge_is_a_part_of_the_travel_and_at_least_one_step() {
        assert!((nudged(ParamId::Temperature, 0.8, 0.025) - 0.85).abs() < 1e-5);
        assert_eq!(nudged(ParamId::Temperature, 1.99, 0.1), 2.0);
        assert_eq!(nudged(ParamId::TopK, 40.0, 0.01), 45.0);
        assert_eq!(nudged(ParamId::TextSize, 3.0, 0.01), 4.0);
        assert_eq!(nudged(ParamId::TextSize, 3.0, -0.01), 2.0);
        assert_eq!(nudged(ParamId::TextSize, 16.0, 0.01), 16.0);
        assert_eq!(nudged(ParamId::Hold, 0.0, 0.01), 1.0);
        assert_eq!(nudged(ParamId::Hold, 1.0, 0.01), 1.0);
        let longer = nudged(ParamId::TokenLength, 1.0, 0.1) / 1.0;
        assert!((nudged(ParamId::TokenLength, 2.0, 0.1) / 2.0 - longer).abs() < 1e-4, "equal travel, equal ratio");
    }

    #[test]
    fn a_toggle_goes_there_and_back() {
        assert_eq!(toggled(ParamId::Hold, 0.0), 1.0);
        assert_eq!(toggled(ParamId::Hold, 1.0), 0.0);
    }

    #[test]
    fn selection_goes_around() {
        let (first, last) = (ParamId::ALL[0], ParamId::ALL[ParamId::COUNT - 1]);
        assert_eq!(selected(first, -1), last);
        assert_eq!(selected(last, 1), first);
        assert_eq!(selected(first, 2), ParamId::ALL[2]);
    }

    #[test]
    fn groups_are_gone_through_by_their_first() {
        assert_eq!(selected_group(ParamId::TopK, 1), ParamId::Pace);
        assert_eq!(selected_group(ParamId::Rest, 1), ParamId::Word1);
        assert_eq!(selected_group(ParamId::Mute, -1), ParamId::Word1);
        assert_eq!(selected_group(ParamId::Shader3, 1), ParamId::Temperature);
        assert_eq!(selected_group(ParamId::Temperature, -1), ParamId::Shader1);
    }
}
