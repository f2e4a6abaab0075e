//! The log: what was said to the performer, and which of it is news. Pure.

use std::collections::VecDeque;

use super::State;
use crate::desk::clean;
use crate::score::MorphSide;

/// Lines of the log that are kept.
const LOG: usize = 32;
/// So long a message is news: what is always the same gives way to it.
const NEWS_NS: u64 = 8_000_000_000;

/// What a line of the log tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Fault,
    Notice,
    /// How the model erred: many, and none of them asks for anything.
    Flaw,
    Note,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Remark {
    pub t_ns: u64,
    pub tone: Tone,
    pub text: String,
}

impl State {
    /// Whether a line of the log is news.
    pub fn is_news(&self, remark: &Remark) -> bool {
        self.now_ns < remark.t_ns + NEWS_NS
    }

    /// What was wrong there is mended, so it is said no longer; true if it was.
    pub(super) fn mended(&mut self, place: &str) -> bool {
        let stays = |remark: &Remark| {
            let text = remark.text.strip_prefix(place);
            remark.tone != Tone::Fault || !text.is_some_and(|text| text.starts_with(": "))
        };
        let before = self.faults.len();
        self.log.retain(stays);
        self.faults.retain(stays);
        self.faults.len() < before
    }

    /// A prompt waits, in the place of one that waited.
    pub(super) fn waits(&mut self, t_ns: u64, name: Option<String>, said: String) {
        if let Some((_, before)) = self.queued.take() {
            self.log.retain(|remark| remark.text != before);
        }
        self.remark(t_ns, Tone::Notice, &said);
        self.queued = Some((name, said));
    }

    /// Nothing waits any more: it has begun, or it was taken back.
    pub(super) fn waits_no_longer(&mut self, t_ns: u64) {
        let Some((name, said)) = self.queued.take() else { return };
        self.log.retain(|remark| remark.text != said);
        if name != self.playing {
            self.remark(t_ns, Tone::Notice, &format!("taken back: {}", name.as_deref().unwrap_or("what was typed")));
        }
    }

    /// Adds a line to the log.
    pub fn remark(&mut self, t_ns: u64, tone: Tone, text: &str) {
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
