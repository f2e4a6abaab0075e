//! The roll: the text as exposures on a film, 36 to a roll, each a line that was written.
//!
//! An exposure ends with its line or sentence, or when it holds as much as a frame can; the shutter is open until then.
//! The performer's words that a line begins with are on it. Any thread, no clock.

use crate::score::{FlawKind, Token};
use crate::visuals::glyphs;

/// Exposures on a roll, as on a 35 mm film.
pub const EXPOSURES: usize = 36;
/// An exposure that holds so many half cells takes no further word, but for what would leave a word or a stop alone, and
/// then no more than so many.
const FULL: u32 = 60;
const MOST: u32 = 76;
/// The same for so many tokens or characters, since some have no width at all.
const MOST_TOKENS: u32 = 64;
const MOST_CHARS: usize = 128;
/// A sentence shorter than this goes on in the same exposure.
const SHORT: u32 = 6;
/// What ends a sentence, and what stands at no line's beginning.
const ENDS: &str = ".!?;。！？；";
const STOPS: &str = ".!?;。！？；,:，、：)）》】」』”’'\"…";

/// A line of text with the light it was written in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposure {
    /// With an ellipsis where the line was broken off, or had begun before.
    pub text: String,
    /// How many of its characters, from the first, are the performer's.
    pub led: usize,
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
    /// How the first line of the present prompt begins.
    prompt: String,
    /// What the next exposure begins with, and how many of its characters are the performer's.
    lead: (String, usize),
    /// Whether the last exposure stops within its line.
    within: bool,
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

    /// What stands before the words that are awaited, if they begin with the performer's.
    pub fn lead(&self) -> &str {
        &self.lead.0
    }

    /// Closes the shutter: what comes next is another exposure.
    pub fn close(&mut self, t_ns: u64) {
        let Some(open) = self.exposures.last_mut().filter(|last| last.closed_ns.is_none()) else { return };
        open.closed_ns = Some(t_ns);
        if self.within {
            open.text.truncate(open.text.trim_end().len());
            open.text.push('…');
        }
    }

    /// Another piece begins with the performer's `text`.
    pub fn prompt(&mut self, t_ns: u64, text: &str) {
        self.prompt = begun(text);
        self.begin(t_ns);
    }

    /// The piece is again what it was after `text`.
    pub fn restore(&mut self, t_ns: u64, prompt: &str, text: &str) {
        self.prompt(t_ns, prompt);
        let lead = begun(&format!("{prompt}{text}"));
        let led = lead.chars().count().saturating_sub(text.chars().count());
        self.lead = (lead, led);
    }

    fn begin(&mut self, t_ns: u64) {
        self.close(t_ns);
        self.within = false;
        self.lead = (self.prompt.clone(), self.prompt.chars().count());
    }

    pub fn token(&mut self, t_ns: u64, token: &Token) {
        if token.index == 0 {
            self.begin(t_ns);
        }
        let mut lines = token.text.split('\n');
        self.expose(t_ns, token, lines.next().unwrap_or_default());
        for line in lines {
            self.within = false;
            self.lead = Default::default();
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
        if self.is_full(text) {
            self.close(t_ns);
        }
        let text = if self.is_open() || !self.lead.0.is_empty() { text } else { text.trim_start() };
        if text.is_empty() {
            return;
        }
        if !self.is_open() {
            self.open(t_ns);
        }
        let Some(open) = self.exposures.last_mut() else { return };
        open.text.push_str(text);
        open.tokens += 1;
        open.certainty += (token.p - open.certainty) / open.tokens as f32;
        open.took_ms += token.latency_ms;
        let is_sentence = open.text.trim_end().ends_with(|c| ENDS.contains(c));
        let wide = wide(&open.text);
        self.within = !is_sentence;
        if is_sentence && wide >= SHORT {
            self.close(t_ns);
        }
    }

    fn open(&mut self, t_ns: u64) {
        if self.exposures.len() == EXPOSURES {
            self.exposures.clear();
            self.full += 1;
            self.begun_ns = t_ns;
        }
        let (mut text, led) = std::mem::take(&mut self.lead);
        if self.within && text.is_empty() {
            text.push('…');
        }
        self.exposures.push(Exposure { text, led, opened_ns: t_ns, ..Exposure::default() });
    }

    /// Whether the open exposure has no room for the next word.
    fn is_full(&self, next: &str) -> bool {
        let (Some(open), Some(first)) = (self.exposures.last(), next.chars().next()) else { return false };
        let is_latin = |c: char| c.is_alphanumeric() && glyphs::advance(c) == 1;
        let belongs = STOPS.contains(first) || is_latin(first) && open.text.ends_with(is_latin);
        let wide = wide(&open.text);
        open.tokens >= MOST_TOKENS
            || open.text.chars().count() >= MOST_CHARS
            || wide >= if belongs { MOST } else { FULL }
    }

    fn is_open(&self) -> bool {
        self.exposures.last().is_some_and(|last| last.closed_ns.is_none())
    }
}

fn wide(text: &str) -> u32 {
    text.chars().map(glyphs::advance).sum()
}

/// The line that a text leaves unfinished: what stands after its last newline and sentence; of a long one the end, behind
/// an ellipsis.
fn begun(text: &str) -> String {
    let line = text.rsplit('\n').next().unwrap_or_default();
    let after =
        line.rfind(|c| ENDS.contains(c)).map_or(0, |at| at + line[at..].chars().next().map_or(0, char::len_utf8));
    let line = line[after..].trim_start();
    let mut room = FULL / 2;
    let kept: usize = line
        .chars()
        .rev()
        .take(MOST_CHARS / 4)
        .map_while(|c| {
            room = room.checked_sub(glyphs::advance(c))?;
            Some(c.len_utf8())
        })
        .sum();
    if kept == line.len() {
        return line.to_string();
    }
    let end = &line[line.len() - kept..];
    let end = end.split_once(' ').map_or(end, |(_, words)| words);
    format!("…{end}")
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
        assert!(roll.exposures().iter().all(|e| wide(&e.text) <= MOST));
        // Accents, joiners and marks of direction take no room, and a model may be stuck on them.
        for text in ["\u{301}", "\u{200d}\u{200d}\u{200d}", "\u{200e}"] {
            (0..10_000).for_each(|i| roll.token(i, &token(i as u32, text, 0.5)));
            for exposure in roll.exposures() {
                assert!(exposure.tokens <= MOST_TOKENS && exposure.text.chars().count() < MOST_CHARS + 5, "{text:?}");
            }
        }
    }

    fn texts(prompt: &str, tokens: &[&str]) -> Vec<String> {
        let mut roll = Roll::default();
        roll.prompt(0, prompt);
        for (i, text) in tokens.iter().enumerate() {
            roll.token(1 + i as u64, &token(i as u32, text, 0.5));
        }
        roll.exposures().iter().map(|e| e.text.clone()).collect()
    }

    #[test]
    fn a_line_begins_with_the_performers_words() {
        assert_eq!(texts("春", &["江", "潮水。", "连海平"]), ["春江潮水。", "连海平"]);
        assert_eq!(texts("Listen! The moon", &[" rises", ".", " It falls"]), ["The moon rises.", "It falls"]);
        assert_eq!(texts("Who calls?\n", &["I do."]), ["I do."]);
        assert_eq!(texts("The moon", &["\n", "rises"]), ["rises"]);
        let long = "so many words before it that no frame could hold the line";
        assert_eq!(texts(long, &[" ends."]), ["…no frame could hold the line ends."]);
        let mut roll = Roll::default();
        roll.prompt(0, "The moon");
        assert_eq!((roll.lead(), roll.left()), ("The moon", EXPOSURES));
        roll.token(1, &token(0, " rises", 0.5));
        assert_eq!((roll.lead(), roll.exposures()[0].led), ("", 8));
        // The same prompt is played again without being read again.
        roll.token(2, &token(0, " falls", 0.5));
        assert_eq!(roll.exposures()[0].text, "The moon rises…");
        assert_eq!(roll.exposures()[1].text, "The moon falls");
        roll.restore(3, "The moon", ". It falls");
        roll.token(4, &token(3, " again", 0.5));
        assert_eq!((roll.exposures()[2].text.as_str(), roll.exposures()[2].led), ("It falls again", 0));
    }

    #[test]
    fn a_line_that_is_cut_says_so_and_no_stop_stands_alone() {
        let mut words = vec![" water"; 10];
        words.push("y");
        words.extend([".", " The", " end."]);
        assert_eq!(
            texts("", &words),
            [&"water ".repeat(10).trim_end().to_string()[..], "The end."]
                .map(|t| { if t == "The end." { t.to_string() } else { format!("{t}y.") } })
        );
        let words = [" water"; 15];
        let found = texts("", &words);
        assert_eq!(found[1], format!("…{}", &"water ".repeat(4)[..23]));
        assert!(found[0].ends_with("water…") && wide(&found[0]) <= MOST, "{found:?}");
    }
}
