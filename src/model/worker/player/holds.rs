//! Prompts that are played only while they are held: what each of them interrupted goes on when it is let go.
//!
//! Of several the last one is heard; one below it that is let go leaves what it had interrupted to the one above.

use std::time::Instant;

use super::waiting::Waiting;
use super::{Asked, Named, Phase, Player, Template};
use crate::model::Interrupted;
use crate::score::Event;
use crate::score::event::INTERRUPTED;

/// More hands than that hold nothing down.
const MOST: usize = 8;

/// A prompt that is held.
pub(super) struct Held {
    name: String,
    below: Below,
}

/// What it interrupted.
pub(super) struct Below {
    /// None where there was nothing yet, or where a crash took it: then its prompt begins anew.
    pub piece: Option<Interrupted>,
    asked: Asked,
    /// What was to be done next, and since when the piece had been resting.
    phase: Phase,
    at: Instant,
    again: bool,
    waiting: Option<Waiting>,
}

impl Player {
    /// Plays a prompt until it is let go.
    pub(super) fn hold(&mut self, name: String, text: Template) {
        // One that is pressed twice without a release between is held once.
        self.forget_hold(&name);
        if self.holds.len() == MOST {
            return self.notice("no more prompts can be held at once");
        }
        let under_way = matches!(self.phase, Phase::Read | Phase::Compute | Phase::Ready | Phase::Rest(_));
        let below = Below {
            piece: under_way.then(|| self.generator.interrupt()),
            asked: (self.prompt.take(), self.blend.clone()),
            phase: self.phase,
            at: Instant::now(),
            again: std::mem::take(&mut self.again),
            waiting: self.waiting.take(),
        };
        let prompt: Named = (Some(name.clone()), text);
        self.holds.push(Held { name, below });
        self.prompt = Some(prompt);
        self.returning = None;
        self.begin_soon();
    }

    /// Lets a held prompt go. One that has been left for another prompt meanwhile brings nothing back.
    pub(super) fn let_go(&mut self, name: &str) {
        if self.holds.last().is_some_and(|held| held.name == name) {
            if let Some(held) = self.holds.pop() {
                self.come_back(held.below);
            }
        } else {
            self.forget_hold(name);
        }
    }

    /// A hand has led elsewhere: nothing that was interrupted comes back.
    pub(super) fn drop_holds(&mut self) {
        self.holds.clear();
        self.returning = None;
    }

    /// What a crash leaves of what was interrupted: the prompts alone, where the model was read anew.
    pub(super) fn lose_interrupted(&mut self) {
        self.holds.iter_mut().map(|held| &mut held.below).chain(&mut self.returning).for_each(|b| b.piece = None);
    }

    /// Takes back every prompt that waits in a piece that is interrupted.
    pub(super) fn unqueue_below(&mut self) -> bool {
        self.holds.iter_mut().filter_map(|held| held.below.waiting.take()).count() > 0
    }

    /// Whether a prompt waits in a piece that is interrupted.
    pub(super) fn waits_below(&self) -> bool {
        self.holds.iter().any(|held| held.below.waiting.is_some())
    }

    /// A prompt that waits in a piece that is interrupted waits in the one that follows.
    pub(super) fn raise_waiting(&mut self) {
        let below = self.holds.iter_mut().rev().find_map(|held| held.below.waiting.take());
        self.waiting = self.waiting.take().or(below);
    }

    fn forget_hold(&mut self, name: &str) {
        if let Some(at) = self.holds.iter().position(|held| held.name == name) {
            let held = self.holds.remove(at);
            match self.holds.get_mut(at) {
                Some(above) => above.below = held.below,
                // It is heard just now, and is pressed again: what it interrupted is what comes back.
                None => self.come_back(held.below),
            }
        }
    }

    /// What was interrupted goes on.
    pub(super) fn come_back(&mut self, below: Below) {
        if matches!(self.phase, Phase::Fault(_)) {
            // Once the model is back.
            self.prompt = below.asked.0.clone();
            self.returning = Some(below);
            return;
        }
        let Below { piece, asked: (prompt, blend), phase, at, again, waiting } = below;
        self.prompt = prompt;
        self.again = again;
        // What was chosen meanwhile is the later choice.
        self.waiting = self.waiting.take().or(waiting);
        let Some(piece) = piece else {
            self.phase = if self.prompt.is_some() { Phase::Begin } else { Phase::Idle };
            return;
        };
        let restored = self.generator.take_up(piece);
        self.came_back(INTERRUPTED, restored, blend);
        if let Some(period) = self.generator.held() {
            self.bus.emit(Event::Loop { period });
        }
        match phase {
            Phase::Read => self.phase = Phase::Read,
            // Unless what was chosen meanwhile begins.
            Phase::Rest(since) if matches!(self.phase, Phase::Rest(_)) => {
                self.phase = Phase::Rest(Instant::now() - at.saturating_duration_since(since));
            }
            _ => {}
        }
    }
}
