//! What holds the words up. Pure.

use super::State;
use crate::score::{ParamId, SignalId};

/// A wait shorter than this is not worth a word.
const PATIENCE_S: f32 = 0.5;

/// What the generator is doing, when it is not simply speaking.
#[derive(Clone, Debug, PartialEq)]
pub enum Pause {
    /// The model is being brought into memory: so many of its bytes have been read.
    Loading {
        done: u64,
        total: u64,
    },
    Reading {
        done: u32,
        total: u32,
    },
    Held {
        s: f32,
    },
    Resting {
        s: f32,
    },
    Waiting {
        s: f32,
    },
    Ended {
        reason: String,
    },
}

impl State {
    /// What the generator is doing, when it is not speaking.
    pub fn pause(&self) -> Option<Pause> {
        if let Some(reason) = &self.ended {
            return Some(Pause::Ended { reason: reason.clone() });
        }
        let s = self.signals.get(SignalId::Waiting).unwrap_or(0.0);
        match self.reading {
            Some((done, total)) if done < total => Some(Pause::Reading { done, total }),
            _ if self.loading.is_some() => {
                let (done, total) = self.loading.unwrap_or_default();
                Some(Pause::Loading { done, total })
            }
            _ if self.params.get(ParamId::Hold) >= 0.5 => Some(Pause::Held { s }),
            _ if self.resting => Some(Pause::Resting { s }),
            _ if s >= PATIENCE_S => Some(Pause::Waiting { s }),
            _ => None,
        }
    }
}
