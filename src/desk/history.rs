//! What each signal was of late: the curves of the stage. Owned by the stage's state; pure.

use std::collections::VecDeque;

use crate::score::{Event, SignalId, SignalValues};

/// Values that are kept of each signal: more than any curve is wide.
const KEPT: usize = 64;

/// Signals that are told with each token.
const OF_TOKENS: [SignalId; 12] = [
    SignalId::Latency,
    SignalId::Rate,
    SignalId::Probability,
    SignalId::Surprise,
    SignalId::Entropy,
    SignalId::ContextFill,
    SignalId::Energy,
    SignalId::AttentionTime,
    SignalId::FeedForwardTime,
    SignalId::OutputTime,
    SignalId::SamplingTime,
    SignalId::BytesRead,
];

/// The last values of every signal, oldest first.
#[derive(Clone, Debug)]
pub struct History(Vec<VecDeque<f32>>);

impl Default for History {
    fn default() -> History {
        History(vec![VecDeque::new(); SignalId::COUNT])
    }
}

impl History {
    /// Keeps what an event measured; `signals` are those after it.
    pub fn take(&mut self, event: &Event, signals: &SignalValues) {
        match event {
            Event::Token(_) => {
                for id in OF_TOKENS {
                    self.keep(id, signals.get(id));
                }
            }
            Event::Machine(sample) => {
                for (id, value) in &sample.values {
                    self.keep(*id, Some(*value));
                }
                // What is gone has no curve that could be taken for the present.
                sample.absent.iter().for_each(|(id, _)| self.0[*id as usize].clear());
            }
            Event::Callback { load, .. } => self.keep(SignalId::SoundLoad, Some(*load)),
            _ => {}
        }
    }

    /// The last `count` values or as many as there are, oldest first.
    pub fn last(&self, id: SignalId, count: usize) -> impl Iterator<Item = f32> + Clone + '_ {
        let values = &self.0[id as usize];
        values.range(values.len().saturating_sub(count)..).copied()
    }

    fn keep(&mut self, id: SignalId, value: Option<f32>) {
        let Some(value) = value.filter(|value| value.is_finite()) else { return };
        let values = &mut self.0[id as usize];
        if values.len() == KEPT {
            values.pop_front();
        }
        values.push_back(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::MachineSample;

    #[test]
    fn a_bounded_past_that_ends_with_its_sensor() {
        let mut history = History::default();
        for i in 0..100 {
            let values = vec![(SignalId::Fan, i as f32)];
            let event = Event::Machine(MachineSample { values, ..Default::default() });
            history.take(&event, &SignalValues::default());
        }
        assert_eq!(history.last(SignalId::Fan, 999).count(), KEPT);
        assert_eq!(history.last(SignalId::Fan, 2).collect::<Vec<_>>(), [98.0, 99.0]);
        let absent = vec![(SignalId::Fan, "gone".to_string())];
        history.take(&Event::Machine(MachineSample { absent, ..Default::default() }), &SignalValues::default());
        assert_eq!(history.last(SignalId::Fan, 2).count(), 0);
    }
}
