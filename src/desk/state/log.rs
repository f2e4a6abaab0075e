//! The log: what the performer should know, line by line. Pure.

use std::collections::VecDeque;

use super::{Remark, State, Tone};
use crate::desk::clean;
use crate::score::MorphSide;

/// Lines that are kept.
const LOG: usize = 32;

impl State {
    pub(super) fn remark(&mut self, t_ns: u64, tone: Tone, text: &str) {
        let remark = Remark { t_ns, tone, text: clean::line(text) };
        if tone == Tone::Fault {
            keep(&mut self.faults, remark.clone(), LOG);
        }
        keep(&mut self.log, remark, LOG);
    }
}

fn keep<T>(list: &mut VecDeque<T>, item: T, most: usize) {
    if list.len() == most {
        list.pop_front();
    }
    list.push_back(item);
}

/// What is said of a snapshot of the sound.
pub(super) fn kept(side: MorphSide, empty: bool) -> String {
    let end = match side {
        MorphSide::First => "first",
        MorphSide::Second => "second",
    };
    if empty {
        format!("no {end} end of the morph")
    } else {
        format!("the sound is kept as the {end} end of the morph")
    }
}
