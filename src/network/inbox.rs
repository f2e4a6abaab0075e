//! What came in over the network and waits for the hands: bounded, and of a parameter that is turned again and again
//! only where it stands last.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::score::Action;

/// Actions that may wait; beyond them there is room for one value of each parameter.
const WAITING: usize = 1024;

/// A handle on the inbox; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Inbox(Arc<Mutex<VecDeque<Action>>>);

impl Inbox {
    /// Adds an action; false where so many wait that it was left out, which no value of a parameter ever is.
    pub fn push(&self, action: Action) -> bool {
        let mut waiting = self.lock();
        let full = waiting.len() >= WAITING;
        let Action::Set(id, _) = action else {
            if !full {
                waiting.push_back(action);
            }
            return !full;
        };
        // Values before a moment stay there, for what is set before a prompt is to be so when it begins.
        let after = match full {
            false => waiting.iter().rposition(|known| !matches!(known, Action::Set(..))).map_or(0, |moment| moment + 1),
            true => 0,
        };
        let same = |known: &Action| matches!(known, Action::Set(known, _) if *known == id);
        if let Some(at) = waiting.iter().rposition(same).filter(|at| *at >= after) {
            waiting.remove(at);
        }
        waiting.push_back(action);
        true
    }

    /// Moves everything that waits to the end of `into`.
    pub fn drain(&self, into: &mut Vec<Action>) {
        into.extend(self.lock().drain(..));
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Action>> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::ParamId;

    #[test]
    fn of_each_parameter_the_last_value_stays_and_moments_keep_their_place() {
        let (inbox, mut got) = (Inbox::default(), Vec::new());
        let set = |value| Action::Set(ParamId::Hue, value);
        for action in [set(0.1), Action::Set(ParamId::TopP, 0.5), set(0.2), Action::Again, set(0.3), set(0.4)] {
            assert!(inbox.push(action));
        }
        inbox.drain(&mut got);
        assert_eq!(got, [Action::Set(ParamId::TopP, 0.5), set(0.2), Action::Again, set(0.4)]);
    }

    #[test]
    fn hands_that_hang_lose_moments_and_no_last_value() {
        let (inbox, mut got) = (Inbox::default(), Vec::new());
        for i in 0..10_000 {
            assert!(inbox.push(Action::Set(ParamId::TopK, i as f32)));
            inbox.push(Action::Again);
        }
        assert!(!inbox.push(Action::Crash));
        for id in ParamId::ALL {
            assert!(inbox.push(Action::Set(*id, 0.0)) && inbox.push(Action::Set(*id, 1.0)));
        }
        inbox.drain(&mut got);
        assert!((WAITING..=WAITING + ParamId::COUNT).contains(&got.len()));
        for id in ParamId::ALL {
            let last = got.iter().rfind(|action| matches!(action, Action::Set(known, _) if known == id));
            assert_eq!(last, Some(&Action::Set(*id, 1.0)));
        }
    }
}
