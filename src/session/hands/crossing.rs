//! Between settings: a fader leads from one to another (`settings.morph`), a surface between four (`settings.x`,
//! `settings.y`).
//!
//! Each parameter stands between those settings along its own travel. Where one of them does not name a parameter, it
//! counts with where the parameter stood before, so that nothing jumps. Only a fader that moves moves anything: what a
//! hand turns afterwards stands until then.

use std::collections::BTreeMap;

use super::State;
use crate::patch::settings::Setting;
use crate::score::{Hand, ParamId, param::Curve};
use crate::session::glide::STEP_NS;

/// What is remembered of the ways between settings.
#[derive(Debug, Default)]
pub(super) struct Crossing {
    /// The fader, the surface: moved and not followed yet.
    due: [bool; 2],
    followed_ns: Option<u64>,
    /// Where parameters would stand without, and where they were put.
    stood: BTreeMap<ParamId, (f32, f32)>,
}

/// Which of the two a parameter moves, if it does.
fn way(id: ParamId) -> Option<usize> {
    match id {
        ParamId::SettingsMorph => Some(0),
        ParamId::SettingsX | ParamId::SettingsY => Some(1),
        _ => None,
    }
}

/// How much each corner counts: left and right below, left and right above.
fn weights(x: f32, y: f32) -> [f32; 4] {
    [(1.0 - x) * (1.0 - y), x * (1.0 - y), (1.0 - x) * y, x * y]
}

/// The value between those of several settings, each with its weight; the weights make one. What has no between, a
/// switch or a choice of names, is that of the greatest weight.
fn between(id: ParamId, ends: &[(f32, f32)]) -> f32 {
    let spec = id.spec();
    let counting = || ends.iter().filter(|(_, weight)| *weight > 0.0);
    let Some((most, _)) = counting().reduce(|most, next| if next.1 > most.1 { next } else { most }) else {
        return spec.default;
    };
    let same = counting().all(|(value, _)| value == most);
    if same || spec.curve == Curve::Switch || !spec.names().is_empty() {
        return *most;
    }
    spec.at(counting().map(|(value, weight)| weight * spec.position(*value)).sum())
}

impl State {
    /// The settings of a way, each where there are any.
    fn ends(&self, way: usize) -> Vec<Option<Setting>> {
        let settings = &self.hands.patch.settings;
        let names: &[String] = match way {
            0 => settings.between.as_ref().map_or(&[], |names| names),
            _ => settings.corners.as_ref().map_or(&[], |names| names),
        };
        names.iter().map(|name| self.setting(name).ok()).collect()
    }

    /// A parameter was moved; if it is a way's, that is followed at the next tick.
    pub(super) fn crosses(&mut self, id: ParamId) {
        if let Some(way) = way(id) {
            self.kept.crossing.due[way] = true;
        }
    }

    /// Follows what was moved, at most as often as a glide is.
    pub(super) fn tend_crossing(&mut self) {
        let (now_ns, crossing) = (self.hands.bus.clock().now_ns(), &mut self.kept.crossing);
        let early = crossing.followed_ns.is_some_and(|t_ns| now_ns.saturating_sub(t_ns) < STEP_NS);
        if crossing.due == [false; 2] || early {
            return;
        }
        crossing.followed_ns = Some(now_ns);
        let due = std::mem::take(&mut crossing.due);
        let [morph, x, y] =
            [ParamId::SettingsMorph, ParamId::SettingsX, ParamId::SettingsY].map(|id| self.hands.params.get(id));
        if due[0] {
            self.cross(0, &[1.0 - morph, morph]);
        }
        if due[1] {
            self.cross(1, &weights(x, y));
        }
    }

    fn cross(&mut self, way: usize, weights: &[f32]) {
        let ends = self.ends(way);
        for id in held(&ends) {
            let here = self.hands.params.get(id);
            // Whoever has moved it since has said where it stands.
            let stood =
                self.kept.crossing.stood.get(&id).filter(|(_, put)| *put == here).map_or(here, |(stood, _)| *stood);
            let of = |end: &Option<Setting>| {
                let params = end.iter().flat_map(|setting| &setting.params);
                params.clone().find(|(of, _)| *of == id).map_or(stood, |(_, value)| *value)
            };
            let ends: Vec<(f32, f32)> = ends.iter().map(of).zip(weights.iter().copied()).collect();
            self.course.glides.release(id);
            self.put(id, between(id, &ends), Hand::Settings);
            self.kept.crossing.stood.insert(id, (stood, self.hands.params.get(id)));
        }
    }

    /// With the parameters of a way, where they stand now, if its own are among those that are about to move.
    pub(super) fn with_crossed(&self, mut before: Vec<(ParamId, f32)>) -> Vec<(ParamId, f32)> {
        let ways: Vec<usize> = before.iter().filter_map(|(id, _)| way(*id)).collect();
        let own = ParamId::ALL.iter().filter(|id| way(**id).is_some_and(|way| ways.contains(&way))).copied();
        let moved = ways.iter().flat_map(|way| held(&self.ends(*way)));
        for id in own.chain(moved) {
            if !before.iter().any(|(known, _)| *known == id) {
                before.push((id, self.hands.params.get(id)));
            }
        }
        before
    }

    /// What was moved is not followed any more.
    pub(super) fn leave_crossing(&mut self) {
        self.kept.crossing.due = [false; 2];
    }
}

/// Every parameter that any of the settings holds.
fn held(ends: &[Option<Setting>]) -> Vec<ParamId> {
    let mut ids: Vec<ParamId> = ends.iter().flatten().flat_map(|setting| &setting.params).map(|(id, _)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::{Action, Event, SettingsAsk};
    use crate::session::hands::scenes::tests::Rig;

    const PATCH: &str = r#"
        [prompts]
        moon = "The moon"
        [settings]
        between = ["day", "night"]
        corners = ["day", "night", "rain", "3"]
        [settings.day]
        "sampler.temperature" = 0.5
        "sound.token.length_s" = 0.5
        "stage.palette" = "paper"
        [settings.night]
        "sampler.temperature" = 1.5
        "sound.token.length_s" = 2
        "stage.palette" = "ember"
        "stage.hue" = 0.95
        [settings.rain]
        "sampler.temperature" = 1
    "#;

    fn at<const N: usize>(rig: &Rig, ids: [ParamId; N]) -> [f32; N] {
        ids.map(|id| rig.state.hands.params.get(id))
    }

    fn turn(rig: &mut Rig, to: &[(ParamId, f32)], ms: u64) {
        to.iter().for_each(|(id, value)| rig.state.act(Action::Set(*id, *value), Hand::Midi));
        rig.until(ms);
    }

    #[test]
    fn what_lies_between_goes_along_the_parameters_own_travel() {
        for (x, y) in [(0.0, 0.0), (1.0, 0.0), (0.3, 0.8), (1.0, 1.0)] {
            assert!((weights(x, y).iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
        let of = |id, x, y| {
            let values: [f32; 4] = if id == ParamId::TokenLength { [0.5, 2.0, 0.5, 2.0] } else { [0.0, 1.0, 2.0, 1.0] };
            let ends: Vec<(f32, f32)> = values.into_iter().zip(weights(x, y)).collect();
            between(id, &ends)
        };
        assert_eq!([of(ParamId::TokenLength, 0.0, 0.0), of(ParamId::TokenLength, 1.0, 0.3)], [0.5, 2.0]);
        assert!((of(ParamId::TokenLength, 0.5, 0.7) - 1.0).abs() < 1e-3, "half the way by ratios");
        assert_eq!([of(ParamId::Temperature, 0.0, 1.0), of(ParamId::Temperature, 1.0, 1.0)], [2.0, 1.0]);
        assert!((of(ParamId::Temperature, 0.25, 0.5) - (0.75 * 1.0 + 0.25 * 1.0)).abs() < 1e-6);
        // A palette between two is no third one.
        assert_eq!([of(ParamId::Palette, 0.4, 0.0), of(ParamId::Palette, 0.6, 0.0)], [0.0, 1.0]);
        let ways: Vec<f32> = (0..=100).map(|n| of(ParamId::TokenLength, n as f32 / 100.0, 0.4)).collect();
        assert!(ways.windows(2).all(|w| w[0] < w[1]));
    }

    #[test]
    fn a_fader_leads_from_one_to_the_other_and_back() {
        let mut rig = Rig::new(PATCH);
        let ids = [ParamId::Temperature, ParamId::Palette, ParamId::Hue];
        let first = at(&rig, ids);
        rig.until(1000);
        assert_eq!(at(&rig, ids), first, "nothing moves by itself");
        turn(&mut rig, &[(ParamId::SettingsMorph, 0.5)], 1100);
        let half = at(&rig, ids);
        assert!((half[0] - 1.0).abs() < 1e-5 && half[1] == 1.0, "{half:?}");
        assert!((half[2] - 0.75).abs() < 1e-5, "day says nothing of it, so it counts with where it stood: {half:?}");
        turn(&mut rig, &[(ParamId::SettingsMorph, 1.0)], 1200);
        assert_eq!(at(&rig, ids), [1.5, 3.0, 0.95]);
        // A knob holds until the fader moves, and says where the parameter stands where settings do not.
        turn(&mut rig, &[(ParamId::Hue, 0.15), (ParamId::Temperature, 0.1)], 2000);
        assert_eq!(at(&rig, ids), [0.1, 3.0, 0.15]);
        turn(&mut rig, &[(ParamId::SettingsMorph, 0.0)], 2100);
        assert_eq!(at(&rig, ids), [0.5, 1.0, 0.15]);
        let told = rig.events().into_iter().filter(|e| matches!(e, Event::Param { by: Hand::Settings, .. })).count();
        assert!(told <= 12, "{told}");
    }

    #[test]
    fn a_surface_leads_between_four_and_a_place_may_be_stored_while_it_plays() {
        let mut rig = Rig::new(PATCH);
        let ids = [ParamId::Temperature, ParamId::TokenLength];
        turn(&mut rig, &[(ParamId::SettingsY, 1.0)], 100);
        assert_eq!(at(&rig, ids), [1.0, 1.2], "rain says nothing of the length");
        rig.state.set(ParamId::Temperature, 1.9, Hand::Key);
        rig.state.act(Action::Settings(SettingsAsk::Store(2)), Hand::Key);
        turn(&mut rig, &[(ParamId::SettingsX, 1.0)], 200);
        assert_eq!(at(&rig, ids), [1.9, 1.2]);
        turn(&mut rig, &[(ParamId::SettingsY, 0.0)], 300);
        assert_eq!(at(&rig, ids), [1.5, 2.0]);
    }

    #[test]
    fn a_crossing_is_taken_back_with_all_that_it_moved() {
        let mut rig = Rig::new(PATCH);
        let ids = [ParamId::SettingsX, ParamId::SettingsY, ParamId::Temperature, ParamId::TokenLength];
        let first = at(&rig, ids);
        for n in 1..20 {
            let at = n as f32 / 20.0;
            turn(&mut rig, &[(ParamId::SettingsX, at), (ParamId::SettingsY, at)], n * 50);
        }
        assert_ne!(at(&rig, ids), first);
        rig.state.act(Action::Settings(SettingsAsk::Undo), Hand::Key);
        rig.until(3000);
        assert_eq!(at(&rig, ids), first);
    }

    #[test]
    fn a_recall_that_is_under_way_gives_way_to_the_fader() {
        let mut rig = Rig::new(PATCH);
        rig.state.set(ParamId::SettingsOver, 4.0, Hand::Key);
        rig.state.act(Action::Settings(SettingsAsk::Recall("night".into())), Hand::Key);
        rig.until(1000);
        turn(&mut rig, &[(ParamId::SettingsMorph, 0.25)], 6000);
        assert!((at(&rig, [ParamId::Temperature])[0] - 0.75).abs() < 1e-5);
    }
}
