//! What the slots of a prompt can tell of the words so far, as it follows from the events. The worker's thread.

use std::collections::VecDeque;

use crate::patch::template::Facts;
use crate::score::{Event, Flaw};

/// Tokens that are kept for the words of a flaw: more than the longest repetition spans at its third time.
const TOKENS: usize = 256;

/// Follows the performance.
#[derive(Default)]
pub(super) struct Followed {
    pub facts: Facts,
    /// The piece's last tokens, by their index.
    tokens: VecDeque<(u32, String)>,
    /// The line that is being written.
    line: String,
}

impl Followed {
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Token(token) => self.written(token.index, &token.text),
            Event::Layer { index, text, .. } => self.written(*index, text),
            Event::Flaw(flaw) => {
                let text = self.words_of(flaw);
                self.facts.error = Some(text.clone());
                (self.facts.flaw, self.facts.flaw_text) = (Some(flaw.title()), Some(text));
            }
            Event::Fault { what, .. } => {
                self.facts.fault = Some(what.clone());
                self.facts.error = Some(what.clone());
            }
            Event::Rewind { to, text } => {
                self.tokens.retain(|(index, _)| index < to);
                let left = self.line.strip_suffix(text.as_str()).map_or(0, str::len);
                self.line.truncate(left);
            }
            Event::PieceEnd { .. } => self.end_line(),
            Event::Prompt { .. } => {
                self.end_line();
                self.tokens.clear();
            }
            Event::Restore { text, ended, .. } => {
                self.tokens.clear();
                self.line = text.rsplit('\n').next().unwrap_or_default().to_string();
                if *ended {
                    self.end_line();
                }
            }
            _ => {}
        }
    }

    fn written(&mut self, index: u32, text: &str) {
        if self.tokens.len() == TOKENS {
            self.tokens.pop_front();
        }
        self.tokens.push_back((index, text.to_string()));
        let mut lines = text.split('\n');
        self.line.push_str(lines.next().unwrap_or_default());
        for line in lines {
            self.end_line();
            self.line.push_str(line);
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if !line.trim().is_empty() {
            self.facts.line = Some(line.trim().to_string());
        }
    }

    /// The words that a flaw was in; where it has none, its name.
    fn words_of(&self, flaw: &Flaw) -> String {
        let first = (flaw.index + 1).saturating_sub(flaw.span());
        let span = self.tokens.iter().filter(|(index, _)| (first..=flaw.index).contains(index));
        let text: String = span.map(|(_, text)| text.as_str()).collect();
        match text.trim() {
            "" => flaw.title(),
            text => text.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::{FlawKind, Token};

    fn token(index: u32, text: &str) -> Event {
        Event::Token(Token::plain(index, text))
    }

    fn flaw(kind: FlawKind, index: u32, period: u32, count: u32) -> Event {
        Event::Flaw(Flaw { kind, index, period, count, cause: String::new() })
    }

    #[test]
    fn the_last_line_flaw_and_fault_are_known() {
        let mut followed = Followed::default();
        let mut take = |events: Vec<Event>| {
            events.iter().for_each(|event| followed.take(event));
            followed.facts.clone()
        };
        assert_eq!(take(vec![token(0, "The moon"), token(1, " rises")]), Facts::default());
        assert_eq!(take(vec![token(2, ".\n\nIt")]).line.as_deref(), Some("The moon rises."));
        let facts = take(vec![token(3, " is"), token(4, " is"), token(5, " is"), flaw(FlawKind::Repetition, 5, 1, 3)]);
        assert_eq!(facts.flaw.as_deref(), Some("repetition of 1 tokens"));
        assert_eq!((facts.flaw_text.as_deref(), facts.error.as_deref()), (Some("is is is"), Some("is is is")));
        let facts = take(vec![Event::Fault { place: "x".into(), what: "it broke".into(), remedy: String::new() }]);
        assert_eq!((facts.fault.as_deref(), facts.error.as_deref()), (Some("it broke"), Some("it broke")));
        assert_eq!(facts.flaw_text.as_deref(), Some("is is is"));
        let facts = take(vec![Event::Rewind { to: 4, text: " is is".into() }, Event::PieceEnd { tokens: 4 }]);
        assert_eq!(facts.line.as_deref(), Some("It is"));
        let (prompt, text, given) = ("x".into(), "a\nIt was".into(), Vec::new());
        let back = Event::Restore { slot: 0, name: None, prompt, text, index: 2, ended: true, given };
        assert_eq!(take(vec![back]).line.as_deref(), Some("It was"), "it ended there");
        let prompt = Event::Prompt { name: None, text: "x".into(), tokens: 1 };
        let facts = take(vec![prompt, flaw(FlawKind::EarlyEnd, 0, 1, 1)]);
        assert_eq!(facts.error.as_deref(), Some("an early end"), "a flaw without words has its name");
    }
}
