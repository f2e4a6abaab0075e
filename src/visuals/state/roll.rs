//! The roll: the text as exposures on a film, 36 to a roll, each a line that was written.
//!
//! An exposure ends with its line or sentence, or when it holds as much as a frame can; the shutter is open until then.
//! Any thread, no clock.

use crate::score::{FlawKind, Token};
use crate::visuals::glyphs;

/// Exposures on a roll, as on a 35 mm film.
pub const EXPOSURES: usize = 36;
/// An exposure that holds so many half cells takes no further word.
const FULL: u32 = 44;
/// The same for so many tokens or characters, since some have no width at all.
const MOST_TOKENS: u32 = 64;
const MOST_CHARS: usize = 128;
/// A sentence shorter than this goes on in the same exposure.
const SHORT: u32 = 6;

/// A line of text with the light it was written in.
#[derive(Clone, Debug, PartialEq)]
pub struct Exposure {
    pub text: String,
    pub opened_ns: u64,
    /// When the shutter closed; none while words still come.
    pub closed_ns: Option<u64>,
    pub tokens: u32,
    /// The mean probability of its tokens: how well exposed it is.
    pub certainty: f32,
    /// Milliseconds that the machine took for it.
    pub took_ms: f32,
    pub flaw: Option<FlawKind>,
}

/// The roll in the camera.
#[derive(Clone, Debug, Default)]
pub struct Roll {
    exposures: Vec<Exposure>,
    /// Rolls that are full.
    pub full: u32,
    /// When this roll was put in.
    pub begun_ns: u64,
}

impl Roll {
    /// The exposures of the present roll in their order; the last may still be open.
    pub fn exposures(&self) -> &[Exposure] {
        &self.exposures
    }

    /// How many are left.
    pub fn left(&self) -> usize {
        EXPOSURES - self.exposures.len()
    }

    /// Closes the shutter: what comes next is another exposure.
    pub fn close(&mut self, t_ns: u64) {
        if let Some(last) = self.exposures.last_mut() {
            last.closed_ns.get_or_insert(t_ns);
        }
    }

    pub fn token(&mut self, t_ns: u64, token: &Token) {
        let mut lines = token.text.split('\n');
        self.expose(t_ns, token, lines.next().unwrap_or_default());
        for line in lines {
            self.close(t_ns);
            self.expose(t_ns, token, line);
        }
    }

    pub fn flaw(&mut self, kind: FlawKind) {
        if let Some(last) = self.exposures.last_mut() {
            last.flaw = Some(kind);
        }
    }

    fn expose(&mut self, t_ns: u64, token: &Token, text: &str) {
        let text = if self.is_open() { text } else { text.trim_start() };
        if text.is_empty() {
            return;
        }
        if !self.is_open() {
            if self.exposures.len() == EXPOSURES {
                self.exposures.clear();
                self.full += 1;
                self.begun_ns = t_ns;
            }
            self.exposures.push(Exposure {
                text: String::new(),
                opened_ns: t_ns,
                closed_ns: None,
                tokens: 0,
                certainty: 0.0,
                took_ms: 0.0,
                flaw: None,
            });
        }
        let Some(open) = self.exposures.last_mut() else { return };
        open.text.push_str(text);
        open.tokens += 1;
        open.certainty += (token.p - open.certainty) / open.tokens as f32;
        open.took_ms += token.latency_ms;
        let wide: u32 = open.text.chars().map(glyphs::advance).sum();
        let sentence = open.text.trim_end().ends_with(['.', '!', '?', ';', '。', '！', '？', '；']);
        let full = wide >= FULL || open.tokens >= MOST_TOKENS || open.text.chars().count() >= MOST_CHARS;
        if full || (sentence && wide >= SHORT) {
            self.close(t_ns);
        }
    }

    fn is_open(&self) -> bool {
        self.exposures.last().is_some_and(|last| last.closed_ns.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::token;
    use super::*;

    #[test]
    fn a_line_is_an_exposure_and_thirty_six_are_a_roll() {
        let mut roll = Roll::default();
        for (i, text) in ["春江", "潮水。", "\n", "The moon", " rises", "\nand", " falls. "].iter().enumerate() {
            roll.token(i as u64, &token(i as u32, text, 0.5));
        }
        let texts: Vec<_> = roll.exposures().iter().map(|e| e.text.as_str()).collect();
        assert_eq!(texts, ["春江潮水。", "The moon rises", "and falls. "]);
        assert_eq!((roll.exposures()[0].tokens, roll.exposures()[0].closed_ns, roll.left()), (2, Some(1), 33));
        for i in 0..33 {
            roll.token(10 + i, &token(0, "line\n", 0.5));
        }
        assert_eq!((roll.left(), roll.full), (0, 0));
        roll.token(99, &token(0, "next", 0.5));
        assert_eq!((roll.left(), roll.full, roll.begun_ns), (35, 1, 99));
    }

    #[test]
    fn a_frame_is_never_overfull() {
        let mut roll = Roll::default();
        for i in 0..10_000 {
            roll.token(i, &token(i as u32, "水", 0.5));
        }
        assert!(roll.exposures().iter().all(|e| e.text.chars().count() <= FULL as usize));
        // Accents, joiners and marks of direction take no room, and a model may be stuck on them.
        for text in ["\u{301}", "\u{200d}\u{200d}\u{200d}", "\u{200e}"] {
            (0..10_000).for_each(|i| roll.token(i, &token(i as u32, text, 0.5)));
            for exposure in roll.exposures() {
                assert!(exposure.tokens <= MOST_TOKENS && exposure.text.chars().count() < MOST_CHARS + 3, "{text:?}");
            }
        }
    }
}
