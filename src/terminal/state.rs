//! What the terminal shows, as it follows from events and time alone.
//!
//! Owned by the stage on the main thread. Nothing here draws, and nothing here reads a clock.

use std::collections::VecDeque;

use super::clean;
use super::page::Page;
use crate::score::MorphSide;
use crate::score::event::branched;
use crate::score::{Candidate, Event, Hand, Happening, ParamId, ParamValues, SignalId, SignalValues, Since, Stamped};

/// Tokens in the curves of latency and surprise.
const CURVE: usize = 64;
/// Lines of the log that are kept.
const LOG: usize = 32;
/// A wait shorter than this is not worth a word.
const PATIENCE_S: f32 = 0.5;

/// What a line of the log tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Fault,
    Notice,
    Note,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Remark {
    pub t_ns: u64,
    pub tone: Tone,
    pub text: String,
}

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

/// Everything that is drawn.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub title: String,
    /// The scene of the plan and its place, as "dawn 1/3"; empty without a plan.
    pub scene: String,
    pub model: String,
    /// What the plate says of the model, line by line.
    pub card: Vec<String>,
    pub seed: u64,
    pub sound: Option<String>,
    pub page: Page,
    pub params: ParamValues,
    /// Who moved each parameter last.
    pub moved_by: Vec<Option<Hand>>,
    pub selected: Option<ParamId>,
    pub signals: SignalValues,
    pub cores: Vec<f32>,
    /// What this machine does not have, with the reason.
    pub absent: Vec<(SignalId, String)>,
    pub latency_ms: VecDeque<f32>,
    pub surprise_bits: VecDeque<f32>,
    /// The likeliest tokens at the last token's place.
    pub roads: Vec<Candidate>,
    /// The token that was taken.
    pub taken: Option<u32>,
    pub log: VecDeque<Remark>,
    pub help: bool,
    /// Events lost and coalesced by each consumer.
    pub losses: Vec<(&'static str, u64, u64)>,
    pub now_ns: u64,
    since: Since,
    reading: Option<(u32, u32)>,
    loading: Option<(u64, u64)>,
    resting: bool,
    ended: Option<String>,
}

impl State {
    pub fn new() -> State {
        State { moved_by: vec![None; ParamId::COUNT], ..State::default() }
    }

    /// Takes an event; true if something that is shown changed.
    pub fn take(&mut self, stamped: &Stamped) -> bool {
        let t_ns = stamped.t_ns;
        stamped.event.apply(&mut self.signals);
        if let Some(what) = Happening::of(&stamped.event) {
            self.since.happened(what, stamped.t_ns);
        }
        match &stamped.event {
            Event::Begin { title, model, seed, .. } => {
                (self.title, self.model, self.seed) = (clean::line(title), clean::line(model), *seed);
            }
            // A journal may have been written by anyone.
            Event::Card { text } => {
                self.card = text.lines().take(12).map(|l| clean::line(l).chars().take(240).collect()).collect();
            }
            Event::Scene { name, index, of } => {
                self.scene = format!("{} {}/{of}", clean::line(name), u64::from(*index) + 1);
            }
            Event::Sound { output, .. } => self.sound = Some(clean::line(output)),
            Event::Prompt { text, tokens, .. } => {
                self.page.prompt(text);
                self.reading = Some((0, *tokens));
                self.resting = false;
                self.roads.clear();
            }
            Event::Prefill { done, total } => self.reading = (done < total).then_some((*done, *total)),
            Event::Token(token) => {
                self.page.token(&token.text, token.p, token.index);
                (self.reading, self.resting) = (None, false);
                keep(&mut self.latency_ms, token.latency_ms, CURVE);
                keep(&mut self.surprise_bits, token.surprise_bits, CURVE);
                self.roads.clone_from(&token.top);
                self.taken = Some(token.id);
            }
            Event::PieceEnd { .. } => {
                self.page.turn();
                self.resting = true;
            }
            Event::Flaw(flaw) => {
                self.page.flaw(flaw.index, flaw.span());
                if !flaw.cause.is_empty() {
                    self.remark(t_ns, Tone::Notice, &format!("{}: {}", flaw.title(), flaw.cause));
                }
            }
            Event::Rewind { text, .. } => {
                self.page.rewind(text);
                self.resting = false;
            }
            Event::Restore { slot, prompt, text, index } => {
                self.page.prompt(prompt);
                self.page.restore(text, *index);
                self.resting = false;
                self.remark(t_ns, Tone::Notice, &format!("back to {}", slot + 1));
            }
            Event::Snapshot { slot } => self.remark(t_ns, Tone::Notice, &format!("kept as {}", slot + 1)),
            Event::Branch { instead_of, taken, .. } => self.remark(t_ns, Tone::Notice, &branched(instead_of, taken)),
            Event::Loop { period: 0 } => self.remark(t_ns, Tone::Notice, "the loop is let go"),
            Event::Loop { period } => self.remark(t_ns, Tone::Notice, &format!("a loop of {period} tokens is held")),
            Event::Blend { text, .. } if text.is_empty() => self.remark(t_ns, Tone::Notice, "no second prompt"),
            Event::Blend { text, .. } => self.remark(t_ns, Tone::Notice, &format!("second prompt: {text}")),
            Event::Load { done, total } => self.loading = (done < total).then_some((*done, *total)),
            Event::Machine(sample) => {
                self.cores.clone_from(&sample.cores);
                for (id, reason) in &sample.absent {
                    self.absent.retain(|(old, _)| old != id);
                    self.absent.push((*id, clean::line(reason)));
                }
                // A sensor that speaks again is no longer absent.
                self.absent.retain(|(id, _)| sample.values.iter().all(|(there, _)| there != id));
            }
            Event::Param { id, value, by } => {
                self.params.set(*id, *value);
                self.moved_by[*id as usize] = Some(*by);
            }
            Event::Select { id } => self.selected = Some(*id),
            Event::Help { on } => self.help = *on,
            Event::Forget { tokens, .. } => {
                let text = format!("the context was full: the oldest {tokens} tokens have left it");
                self.remark(t_ns, Tone::Notice, &text);
            }
            Event::Tuning { name, .. } => self.remark(t_ns, Tone::Notice, &format!("tuning {name}")),
            Event::Morph { side, values } => self.remark(t_ns, Tone::Notice, &kept(*side, values.is_empty())),
            Event::Panic => self.remark(t_ns, Tone::Notice, "panic: silence until ! is pressed again"),
            Event::Samples { folder, files } => {
                let name = std::path::Path::new(folder).file_name().unwrap_or_default().to_string_lossy();
                let text = match files.len() {
                    0 => "no samples any more".to_string(),
                    many => format!("{many} samples from {name}"),
                };
                self.remark(t_ns, Tone::Notice, &text);
            }
            Event::Patch { name, .. } => self.remark(t_ns, Tone::Notice, &format!("patch {name}")),
            Event::Fault { place, what, remedy } => {
                let remedy = if remedy.is_empty() { String::new() } else { format!("; {remedy}") };
                self.remark(t_ns, Tone::Fault, &format!("{place}: {what}{remedy}"));
            }
            Event::Notice { text } => self.remark(t_ns, Tone::Notice, text),
            Event::Note { text } => self.remark(t_ns, Tone::Note, text),
            Event::End { reason } => self.ended = Some(clean::line(reason)),
            Event::Shader { .. } | Event::Heard { .. } | Event::Callback { .. } | Event::Hashed { .. } => return false,
        }
        true
    }

    /// Lets time pass, up to `now_ns`; true if that alone changes what is shown: the clock each second, a wait each
    /// tenth.
    pub fn tick(&mut self, now_ns: u64) -> bool {
        let before = self.moment();
        self.now_ns = now_ns;
        self.since.write(now_ns, &mut self.signals);
        before != self.moment()
    }

    fn moment(&self) -> (u64, u64) {
        let waits = matches!(self.pause(), Some(Pause::Held { .. } | Pause::Resting { .. } | Pause::Waiting { .. }));
        (self.now_ns / 1_000_000_000, if waits { self.now_ns / 100_000_000 } else { 0 })
    }

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

    /// Whether a journal is among the consumers, and whether it has lost anything.
    pub fn recording(&self) -> Option<bool> {
        self.losses.iter().find(|(name, ..)| *name == "journal").map(|(_, dropped, _)| *dropped == 0)
    }

    fn remark(&mut self, t_ns: u64, tone: Tone, text: &str) {
        keep(&mut self.log, Remark { t_ns, tone, text: clean::line(text) }, LOG);
    }
}

fn keep<T>(list: &mut VecDeque<T>, item: T, most: usize) {
    if list.len() == most {
        list.pop_front();
    }
    list.push_back(item);
}

/// What is said of a snapshot of the sound.
fn kept(side: MorphSide, empty: bool) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::MachineSample;

    fn at(t_ns: u64, event: Event) -> Stamped {
        Stamped { seq: 0, t_ns, event }
    }

    #[test]
    fn pauses_have_their_names() {
        let mut state = State::new();
        state.take(&at(0, Event::Prompt { name: None, text: "春".into(), tokens: 8 }));
        state.take(&at(0, Event::Prefill { done: 2, total: 8 }));
        assert_eq!(state.pause(), Some(Pause::Reading { done: 2, total: 8 }));
        state.take(&at(0, Event::Prefill { done: 8, total: 8 }));
        assert_eq!(state.pause(), None);
        assert!(state.tick(2_000_000_000));
        assert_eq!(state.pause(), Some(Pause::Waiting { s: 2.0 }));
        assert!(!state.tick(2_010_000_000));
        assert!(state.tick(2_100_000_000));
        state.take(&at(0, Event::PieceEnd { tokens: 3 }));
        assert!(matches!(state.pause(), Some(Pause::Resting { .. })));
        state.take(&at(0, Event::Param { id: ParamId::Hold, value: 1.0, by: Hand::Key }));
        assert!(matches!(state.pause(), Some(Pause::Held { .. })));
    }

    #[test]
    fn a_sensor_may_come_back() {
        let mut state = State::new();
        let absent = vec![(SignalId::Fan, "no fan".to_string()), (SignalId::Power, "no meter".to_string())];
        state.take(&at(0, Event::Machine(MachineSample { absent, ..Default::default() })));
        let values = vec![(SignalId::Fan, 900.0)];
        state.take(&at(0, Event::Machine(MachineSample { values, ..Default::default() })));
        assert_eq!(state.absent, [(SignalId::Power, "no meter".to_string())]);
        assert_eq!(state.signals.get(SignalId::Fan), Some(900.0));
    }
}
