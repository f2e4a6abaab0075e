//! What controllers move between two looks, told once each.
//!
//! A parameter's value is set at once, so that the next token has it; of the ten thousand messages that a program can send
//! in a second, the score keeps where each parameter came to stand in each look.

use super::State;
use crate::score::{Action, Event, Hand, ParamId};

/// Parameters that were moved and are not told yet.
#[derive(Debug, Default)]
pub(super) struct Moves(Vec<Move>);

#[derive(Debug)]
struct Move {
    id: ParamId,
    /// The value that was told last.
    before: f32,
    by: Hand,
}

/// Whether these hands send more than is worth telling.
pub(super) fn comes_in_streams(by: Hand) -> bool {
    matches!(by, Hand::Midi | Hand::Osc)
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
            None => self.0.push(Move { id, before, by }),
        }
    }
}

impl State {
    /// Tells where what was moved stands now.
    pub(super) fn tell_moves(&mut self) {
        for Move { id, before, by } in self.moves.0.drain(..) {
            let value = self.hands.params.get(id);
            if value != before {
                self.hands.bus.emit(Event::Param { id, value, by });
            }
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
        rig.state.tell_moves();
        rig.state.tell_moves();
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
