//! Taking back: what a recall, a scene, a changed patch or a hand's own move did to the parameters is undone, the last
//! first.
//!
//! Parameters only: a text that was read is not unread, and the plan goes on.

use std::collections::VecDeque;

use super::State;
use crate::score::{Hand, ParamId};

const DEEP: usize = 32;
/// Moves of one parameter that follow each other within this are one.
const BURST_NS: u64 = 1_000_000_000;

/// What can be taken back, the latest last.
#[derive(Debug, Default)]
pub(super) struct Undo(VecDeque<Step>);

#[derive(Debug)]
struct Step {
    what: String,
    before: Vec<(ParamId, f32)>,
    /// Which parameter a hand moved, and when last, if a hand did.
    moved: Option<(ParamId, u64)>,
}

impl Undo {
    /// Something is about to change these parameters, which stand here.
    pub fn note(&mut self, what: String, before: Vec<(ParamId, f32)>) {
        if !before.is_empty() {
            self.push(Step { what, before, moved: None });
        }
    }

    /// Whether a hand goes on with a move of this parameter.
    fn goes_on(&mut self, of: ParamId, now_ns: u64) -> bool {
        let moves = self.0.iter_mut().rev().map_while(|step| step.moved.as_mut());
        let mut recent = moves.filter(|(id, t_ns)| *id == of && now_ns.saturating_sub(*t_ns) < BURST_NS);
        recent.next().map(|(_, t_ns)| *t_ns = now_ns).is_some()
    }

    fn push(&mut self, step: Step) {
        if self.0.len() == DEEP {
            self.0.pop_front();
        }
        self.0.push_back(step);
    }
}

impl State {
    /// Where those of these parameters stand that do not stand there yet.
    pub(super) fn before<'a>(&self, to: impl IntoIterator<Item = &'a (ParamId, f32)>) -> Vec<(ParamId, f32)> {
        let here = to.into_iter().map(|(id, to)| (*id, self.hands.params.get(*id), *to));
        here.filter(|(_, here, to)| here != to).map(|(id, here, _)| (id, here)).collect()
    }

    /// A hand moved a parameter. A pedal, a mute and their like are let go by whoever holds them.
    pub(super) fn note_move(&mut self, id: ParamId, before: f32, by: Hand) {
        let plays = id.is_setting() || id.name().starts_with("settings.");
        if !matches!(by, Hand::Key | Hand::Midi | Hand::Gamepad | Hand::Osc) || !plays {
            return;
        }
        // A surface has two, moved as one.
        let of = if id == ParamId::SettingsY { ParamId::SettingsX } else { id };
        let what = if of == ParamId::SettingsX { "settings.x, settings.y" } else { of.name() };
        let now_ns = self.hands.bus.clock().now_ns();
        if !self.kept.undo.goes_on(of, now_ns) {
            let before = self.with_crossed(vec![(id, before)]);
            self.kept.undo.push(Step { what: what.to_string(), before, moved: Some((of, now_ns)) });
        }
    }

    pub(super) fn undo(&mut self, by: Hand) {
        // What only the clock may move stays, for when it is gone.
        let clock_leads = self.clock_leads();
        let can_be = |step: &Step| !clock_leads || step.before.iter().any(|(id, _)| *id != ParamId::TempoBpm);
        let last = self.kept.undo.0.iter().rposition(can_be);
        let Some(step) = last.and_then(|at| self.kept.undo.0.remove(at)) else {
            return self.say("there is nothing to take back");
        };
        self.say(&format!("taken back: {}", step.what));
        for (id, value) in step.before {
            self.course.glides.release(id);
            self.put(id, value, by);
        }
        self.leave_crossing();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::{Action, Event, Key, SettingsAsk};
    use crate::session::hands::scenes::tests::Rig;

    const PATCH: &str = r#"
        [prompts]
        moon = "The moon"
        [settings.dusk]
        over_s = 2
        "stage.hue" = 0.05
        "sampler.top_k" = 5
        [[scene]]
        name = "a"
        next = "hand"
        [[scene]]
        name = "b"
        [scene.params]
        "sampler.top_p" = 0.25
    "#;

    fn at<const N: usize>(rig: &Rig, ids: [ParamId; N]) -> [f32; N] {
        ids.map(|id| rig.state.hands.params.get(id))
    }

    fn undo(rig: &mut Rig) -> String {
        rig.state.act(Action::Settings(SettingsAsk::Undo), Hand::Key);
        let said = rig.events().into_iter().rev().find_map(|event| match event {
            Event::Notice { text } => Some(text),
            _ => None,
        });
        said.unwrap_or_default()
    }

    #[test]
    fn the_last_thing_is_taken_back_first() {
        let mut rig = Rig::new(PATCH);
        rig.state.begin();
        let ids = [ParamId::Hue, ParamId::TopK, ParamId::TopP, ParamId::Temperature];
        let first = at(&rig, ids);
        rig.press(Key::Char('t'));
        let warmer = at(&rig, ids);
        rig.state.act(Action::Settings(SettingsAsk::Recall("dusk".into())), Hand::Midi);
        rig.until(1000);
        let led = at(&rig, ids);
        assert!(led[0] < first[0] && led[0] > 0.05 && led[1] == 5.0);
        rig.press(Key::Char('N'));
        assert_eq!(at(&rig, ids)[2], 0.25);
        let file = PATCH.replace(
            "[[scene]]\n        name = \"a\"",
            "[params]\n\"sampler.temperature\" = 1.5\n[[scene]]\nname = \"a\"",
        );
        rig.state.take_patch(crate::patch::parse("p.toml", &file).unwrap(), "p.toml".into(), file);
        assert_eq!(at(&rig, ids)[3], 1.5);
        assert_eq!(
            (undo(&mut rig).as_str(), at(&rig, ids)),
            ("taken back: what the patch changed", [led[0], 5.0, 0.25, warmer[3]])
        );
        assert_eq!((undo(&mut rig).as_str(), at(&rig, ids)), ("taken back: scene b", led));
        assert_eq!((undo(&mut rig).as_str(), at(&rig, ids)), ("taken back: settings dusk", warmer));
        rig.until(4000);
        assert_eq!(at(&rig, ids), warmer, "the glide is over");
        assert_eq!((undo(&mut rig).as_str(), at(&rig, ids)), ("taken back: sampler.temperature", first));
        assert_eq!(undo(&mut rig), "there is nothing to take back");
    }

    #[test]
    fn moves_that_follow_each_other_are_one_also_of_two_hands_at_once() {
        let mut rig = Rig::new(PATCH);
        let ids = [ParamId::Hue, ParamId::TopP];
        let first = at(&rig, ids);
        for n in 0..20u64 {
            rig.until(n * 100);
            ids.into_iter().for_each(|id| rig.state.act(Action::Set(id, n as f32 / 100.0), Hand::Midi));
        }
        rig.until(4000);
        rig.state.act(Action::Set(ParamId::Hue, 0.9), Hand::Midi);
        undo(&mut rig);
        assert_eq!(at(&rig, ids), [0.19, 0.19]);
        undo(&mut rig);
        assert_eq!(at(&rig, ids), [0.19, first[1]]);
        undo(&mut rig);
        assert_eq!(at(&rig, ids), first);
        // A pedal is no setting.
        rig.press(Key::Char(' '));
        assert_eq!(undo(&mut rig), "there is nothing to take back");
        assert_eq!(at(&rig, [ParamId::Hold]), [1.0]);
    }

    #[test]
    fn so_much_is_remembered_and_no_more() {
        let mut rig = Rig::new(PATCH);
        for n in 0..40u64 {
            rig.until(n * 1100);
            rig.state.act(Action::Set(ParamId::TopK, n as f32), Hand::Key);
        }
        let taken = std::iter::from_fn(|| Some(undo(&mut rig))).take_while(|said| said.starts_with("taken")).count();
        assert_eq!((taken, at(&rig, [ParamId::TopK])), (DEEP, [7.0]));
    }
}
