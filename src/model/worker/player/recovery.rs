//! A crash of the model, and its return. The worker's thread.

use std::time::{Duration, Instant};

use super::{Phase, Player};
use crate::model::{Generator, Model, ModelError};
use crate::score::Event;

/// The silence after a fault.
const RECOVERY: Duration = Duration::from_secs(1);

impl Player {
    pub(super) fn fault(&mut self, what: &str) {
        self.faults += 1;
        self.phase = Phase::Fault(Instant::now() + RECOVERY);
        self.bus.emit(Event::Fault {
            place: "generator".to_string(),
            what: what.lines().next().unwrap_or_default().to_string(),
            remedy: "the model comes back and the prompt begins again".to_string(),
        });
    }

    /// Makes the generator anew: with an empty memory, and after two faults in a row from the file itself.
    pub(super) fn recover(&mut self) -> Result<(), ModelError> {
        let old = self.generator.model();
        let model = match self.faults {
            0..=1 => old.fresh(),
            _ => Model::load_with_context(&self.source, Some(old.context()))?,
        };
        let generator = Generator::resume(model, self.seed, self.generator.draws());
        let mut old = std::mem::replace(&mut self.generator, generator);
        self.generator.set_manner(self.chat.clone());
        if self.faults <= 1 {
            self.generator.inherit(&mut old);
        } else {
            self.lose_interrupted();
            if self.kept.iter().any(|(prompt, _)| prompt.is_some()) {
                self.kept = Default::default();
                self.notice("the model was read anew: what was kept is gone");
            }
        }
        if let Some(((_, text), _)) = &self.blend
            && let Err(problem) = self.generator.blend_with(Some(text))
        {
            self.notice(&problem.to_string());
        }
        self.again = false;
        self.take_plan(false);
        // The piece that it waited in is gone.
        self.begin_waiting();
        self.phase = if self.prompt.is_some() { Phase::Begin } else { Phase::Idle };
        if let Some(below) = self.returning.take() {
            self.come_back(below);
        }
        // Where no prompt follows, nothing else would say that it is back.
        let total = self.generator.model().mapped_bytes().max(1);
        self.bus.emit(Event::Load { done: total, total });
        Ok(())
    }
}
