//! The tempo as the performer sees it, and where it comes from. Pure.

use super::clean;
use crate::score::Event;

/// What was last told of the tempo; nothing before it was.
#[derive(Clone, Debug, Default)]
pub struct Tempo(Option<(f64, String)>);

impl Tempo {
    /// Takes an event.
    pub fn take(&mut self, event: &Event) {
        if let Event::Tempo { bpm, from, .. } = event {
            self.0 = Some((*bpm, clean::line(from)));
        }
    }

    /// The tempo, and the clock that is followed, in one line each.
    pub fn told(&self) -> Option<(String, String)> {
        let (bpm, from) = self.0.as_ref()?;
        let from = if from.is_empty() { "its own".to_string() } else { format!("clock of {from}") };
        Some((format!("{bpm:.1} bpm"), from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::Hand;

    #[test]
    fn the_tempo_is_told_with_the_clock_that_it_comes_from() {
        let mut tempo = Tempo::default();
        assert_eq!(tempo.told(), None);
        let mut hear = |bpm, from: &str| {
            tempo.take(&Event::Tempo { bpm, beat: 0.0, by: Hand::Patch, from: from.into() });
            tempo.told().unwrap()
        };
        assert_eq!(hear(90.0, ""), ("90.0 bpm".into(), "its own".into()));
        assert_eq!(hear(123.456, "volca\u{1b}[2J"), ("123.5 bpm".into(), "clock of volca[2J".into()));
    }
}
