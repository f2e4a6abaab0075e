//! What controllers move, told at most a hundred times a second for each parameter.
//!
//! A value is set at once, so that the next token has it; of the ten thousand messages that a program can send in a second,
//! the score keeps the first, where the parameter stands each hundredth of a second, and where it came to rest.

use super::State;
use crate::score::{Action, Event, Hand, ParamId};

/// The time from one telling of a parameter to the next: shorter than a frame of the stage.
const TELL_EVERY_NS: u64 = 10_000_000;

/// Parameters that controllers have moved.
#[derive(Debug, Default)]
pub(super) struct Moves(Vec<Move>);

#[derive(Debug)]
struct Move {
    id: ParamId,
    /// The value that was told last, or stood there before.
    told: f32,
    told_ns: Option<u64>,
    by: Hand,
}

/// Whether these hands send more than is worth telling.
pub(super) fn comes_in_streams(by: Hand) -> bool {
    matches!(by, Hand::Midi | Hand::Gamepad | Hand::Osc)
}

/// Whether an action moves a parameter and does nothing else.
pub(super) fn is_move(action: &Action) -> bool {
    use Action::{Nudge, NudgeSelected, Set, Toggle, Turn};
    matches!(action, Set(..) | Nudge(..) | NudgeSelected(_) | Turn(..) | Toggle(_))
}

impl Moves {
    /// A parameter was set, which stood at `before`.
    pub fn moved(&mut self, id: ParamId, before: f32, by: Hand) {
        match self.0.iter_mut().find(|known| known.id == id) {
            Some(known) => known.by = by,
            None => self.0.push(Move { id, told: before, told_ns: None, by }),
        }
    }

    /// Another hand told where it stands.
    pub fn told(&mut self, id: ParamId) {
        self.0.retain(|known| known.id != id);
    }
}

impl State {
    /// Tells where what was moved stands, if that is due.
    pub(super) fn tell_moves(&mut self) {
        let now_ns = self.hands.bus.clock().now_ns();
        self.tell_where(|told_ns| told_ns.is_none_or(|told| now_ns.saturating_sub(told) >= TELL_EVERY_NS));
    }

    /// Tells it in any case, before something else is told.
    pub(super) fn tell_moves_now(&mut self) {
        self.tell_where(|_| true);
    }

    fn tell_where(&mut self, due: impl Fn(Option<u64>) -> bool) {
        let (bus, params) = (&self.hands.bus, &self.hands.params);
        let mut tempo = None;
        self.moves.0.retain_mut(|known| {
            if !due(known.told_ns) {
                return true;
            }
            let value = params.get(known.id);
            if value == known.told {
                return false;
            }
            bus.emit(Event::Param { id: known.id, value, by: known.by });
            (known.told, known.told_ns) = (value, Some(bus.clock().now_ns()));
            tempo = tempo.or((known.id == ParamId::TempoBpm).then_some(known.by));
            true
        });
        // The beats follow their tempo.
        if let Some(by) = tempo {
            self.retime(by);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::hands::scenes::tests::Rig;

    #[test]
    fn a_storm_is_told_by_where_it_ends_and_in_its_order() {
        let mut rig = Rig::new("[prompts]\nmoon = \"m\"\n");
        for n in 0..1000 {
            rig.state.act(Action::Set(ParamId::TopK, (n % 90) as f32), Hand::Midi);
            rig.state.act(Action::Set(ParamId::Hue, n as f32 / 1000.0), Hand::Midi);
        }
        rig.state.act(Action::Note("here".into()), Hand::Midi);
        rig.state.act(Action::Set(ParamId::TopK, 3.0), Hand::Osc);
        rig.state.tell_moves_now();
        rig.state.tell_moves_now();
        let told = |id, value, by| Event::Param { id, value, by };
        assert_eq!(
            rig.events(),
            [
                told(ParamId::TopK, 9.0, Hand::Midi),
                told(ParamId::Hue, 0.999, Hand::Midi),
                Event::Note { text: "here".into() },
                told(ParamId::TopK, 3.0, Hand::Osc),
            ]
        );
    }

    #[test]
    fn a_parameter_is_told_at_once_and_then_each_hundredth_of_a_second() {
        let mut rig = Rig::new("[prompts]\nmoon = \"m\"\n");
        let mut values = Vec::new();
        for ms in 0..40u64 {
            rig.state.hands.bus.clock().advance_to(ms * 1_000_000);
            rig.state.act(Action::Set(ParamId::Hue, ms as f32 / 100.0), Hand::Midi);
            rig.state.tell_moves();
            values.extend(rig.events());
        }
        rig.state.hands.bus.clock().advance_to(60_000_000);
        rig.state.tell_moves();
        values.extend(rig.events());
        let told: Vec<f32> = values
            .iter()
            .map(|event| match event {
                Event::Param { value, .. } => *value,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(told, [0.0, 0.1, 0.2, 0.3, 0.39]);
        rig.state.hands.bus.clock().advance_to(90_000_000);
        rig.state.tell_moves();
        assert!(rig.state.moves.0.is_empty(), "what rests is forgotten");
    }

    #[test]
    fn what_came_back_to_where_it_was_is_not_told() {
        let mut rig = Rig::new("[prompts]\nmoon = \"m\"\n");
        for value in [0.1, 0.9, 0.55] {
            rig.state.act(Action::Set(ParamId::Hue, value), Hand::Midi);
        }
        rig.state.tell_moves();
        assert_eq!(rig.events(), []);
        rig.state.act(Action::Set(ParamId::Hue, 0.6), Hand::Key);
        assert_eq!(rig.events().len(), 1, "a key is told at once");
    }
}
