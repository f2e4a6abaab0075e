//! What a MIDI output is for: a synthesiser that the score plays, or a controller that is told what it shows.

use super::device::unnumbered;
use super::feedback::FeedbackOut;
use super::mapping::matches;
use super::score_out::{ScoreOut, Short};
use crate::patch::{Controller, Listeners, Synth};
use crate::score::{ParamValues, Stamped};

/// ALSA's and JACK's loop back to the inputs: a pattern of stars alone does not mean it.
const LOOP_BACK: &str = "midi through";

/// One port's part.
#[allow(clippy::large_enum_variant, reason = "there is a handful of them, and none is moved about")]
pub enum Voice {
    Score(ScoreOut),
    Feedback(FeedbackOut),
}

/// The two kinds of parts; a port may have one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Score,
    Feedback,
}

/// What a port is to play.
pub enum Wanted<'a> {
    Score(&'a Synth),
    Feedback(&'a Controller),
}

impl Role {
    pub const ALL: [Role; 2] = [Role::Score, Role::Feedback];

    /// What the listeners want of a port in this role.
    pub fn wanted<'a>(self, listeners: &'a Listeners, port: &str) -> Option<Wanted<'a>> {
        match self {
            Role::Score => {
                let synths = listeners.synths.iter().map(|synth| (synth.pattern.as_str(), synth));
                best(synths, port).map(Wanted::Score)
            }
            Role::Feedback => {
                let told =
                    listeners.controllers.iter().filter_map(|c| Some((c.feedback.as_ref()?.pattern.as_str(), c)));
                best(told, port).map(Wanted::Feedback)
            }
        }
    }

    /// Every pattern that is looked for.
    pub fn patterns(listeners: &Listeners) -> Vec<(Role, String)> {
        let synths = listeners.synths.iter().map(|synth| (Role::Score, synth.pattern.clone()));
        let told =
            listeners.controllers.iter().filter_map(|c| Some((Role::Feedback, c.feedback.as_ref()?.pattern.clone())));
        // Any controller may be told something, and none need be there.
        synths.chain(told.filter(|(_, pattern)| pattern.chars().any(|c| c != '*'))).collect()
    }

    /// As a notice says it before the port's name.
    pub fn does(self) -> &'static str {
        match self {
            Role::Score => "playing to",
            Role::Feedback => "telling",
        }
    }
}

impl Voice {
    /// For a port that is not there yet.
    pub fn new(wanted: Wanted, params: ParamValues, now_ns: u64) -> Voice {
        let mut voice = match wanted {
            Wanted::Score(synth) => Voice::Score(ScoreOut::new(synth, now_ns)),
            Wanted::Feedback(controller) => Voice::Feedback(FeedbackOut::new(controller, params, now_ns)),
        };
        voice.lost();
        voice
    }

    pub fn role(&self) -> Role {
        match self {
            Voice::Score(_) => Role::Score,
            Voice::Feedback(_) => Role::Feedback,
        }
    }

    /// The pattern that it came by.
    pub fn pattern(&self) -> (Role, &str) {
        match self {
            Voice::Score(score) => (Role::Score, &score.synth().pattern),
            Voice::Feedback(out) => {
                (Role::Feedback, out.controller().feedback.as_ref().map_or("", |feedback| &feedback.pattern))
            }
        }
    }

    /// Plays something else from now on, unless it is the same.
    pub fn take(&mut self, wanted: Wanted, params: ParamValues, now_ns: u64, out: &mut Vec<Short>) {
        match (self, wanted) {
            (Voice::Score(score), Wanted::Score(synth)) if score.synth() != synth => score.take(synth, now_ns, out),
            (Voice::Feedback(feedback), Wanted::Feedback(controller)) if feedback.controller() != controller => {
                feedback.take(controller, params, now_ns, out);
            }
            _ => {}
        }
    }

    pub fn event(&mut self, stamped: &Stamped, now_ns: u64, out: &mut Vec<Short>) {
        match self {
            Voice::Score(score) => score.event(stamped, now_ns, out),
            Voice::Feedback(feedback) => feedback.event(stamped, now_ns, out),
        }
    }

    pub fn tick(&mut self, now_ns: u64, out: &mut Vec<Short>) {
        match self {
            Voice::Score(score) => score.tick(now_ns, out),
            Voice::Feedback(feedback) => feedback.tick(now_ns, out),
        }
    }

    pub fn due_ns(&self) -> Option<u64> {
        match self {
            Voice::Score(score) => score.due_ns(),
            Voice::Feedback(feedback) => feedback.due_ns(),
        }
    }

    /// Cuts off what sounds; lamps stay.
    pub fn panic(&mut self, out: &mut Vec<Short>) {
        if let Voice::Score(score) = self {
            score.panic(out);
        }
    }

    pub fn stop(&mut self, out: &mut Vec<Short>) {
        match self {
            Voice::Score(score) => score.stop(out),
            Voice::Feedback(feedback) => feedback.stop(out),
        }
    }

    pub fn lost(&mut self) {
        match self {
            Voice::Score(score) => score.lost(),
            Voice::Feedback(feedback) => feedback.lost(),
        }
    }

    pub fn found(&mut self, now_ns: u64, out: &mut Vec<Short>) {
        match self {
            Voice::Score(score) => score.found(out),
            Voice::Feedback(feedback) => feedback.found(now_ns, out),
        }
    }
}

/// Of the patterns that match a port, what the one that says most stands for. A table that was learnt has the name
/// without the system's numbers.
fn best<'a, T>(patterns: impl DoubleEndedIterator<Item = (&'a str, &'a T)>, port: &str) -> Option<&'a T> {
    let says = |pattern: &str| pattern.chars().filter(|c| *c != '*').count();
    let name = unnumbered(port);
    let meant = |(pattern, _): &(&str, &T)| {
        (matches(pattern, port) || matches(pattern, &name))
            && (says(pattern) > 0 || !port.to_lowercase().contains(LOOP_BACK))
    };
    // The first of equals wins: `max_by_key` would give the last.
    patterns.filter(meant).rev().max_by_key(|(pattern, _)| says(pattern)).map(|(_, wanted)| wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_that_says_most_has_the_port() {
        let synths = ["*", "*volca*", "*Volca Keys*"].map(|p| Synth { pattern: p.into(), ..Synth::default() });
        let pattern = |port| best(synths.iter().map(|s| (s.pattern.as_str(), s)), port).map(|s| s.pattern.as_str());
        assert_eq!(pattern("volca keys:volca keys 20:0"), Some("*Volca Keys*"));
        assert_eq!(pattern("volca beats"), Some("*volca*"));
        let learnt = [Synth { pattern: "k:k MIDI 1".into(), ..Synth::default() }];
        let told = |port| best(learnt.iter().map(|s| (s.pattern.as_str(), s)), port).is_some();
        assert!(told("k:k MIDI 1 20:0") && told("k:k MIDI 1") && !told("k:k MIDI 2 20:1"));
        assert_eq!(pattern("\u{1b}[2Jü\0"), Some("*"));
        assert_eq!(pattern("Midi Through:Midi Through Port-0 14:0"), None, "it would play xiao itself");
        let through = [Synth { pattern: "midi through*".into(), ..Synth::default() }];
        assert!(
            best(through.iter().map(|s| (s.pattern.as_str(), s)), "Midi Through:Midi Through Port-0 14:0").is_some()
        );
    }
}
