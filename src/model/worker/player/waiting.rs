//! A prompt that was chosen and waits for its moment, which is told from the words themselves. The worker's thread.

use super::{Named, Phase, Player};
use crate::score::{Event, When};

/// See the module.
pub(super) struct Waiting {
    pub prompt: Named,
    pub when: When,
    /// The beat in which it was chosen.
    beat: i64,
}

impl Waiting {
    /// Whether its moment has come once this token stands in the text.
    pub fn begins_after(&self, text: &str) -> bool {
        match self.when {
            When::Now | When::Token => true,
            When::Sentence => ends_sentence(text),
            When::Line => text.contains('\n'),
            When::Beat | When::Piece => false,
        }
    }
}

impl Player {
    /// A hand has chosen a prompt.
    pub(super) fn choose(&mut self, prompt: Named, when: When) {
        let again = prompt.0.is_some() && self.waiting.as_ref().is_some_and(|waiting| waiting.prompt.0 == prompt.0);
        if again && when != When::Now {
            return self.unqueue();
        }
        // Where no piece is under way, there is nothing to wait for but the beat.
        let waits = match self.phase {
            Phase::Idle | Phase::Fault(_) => false,
            Phase::Rest(_) => when == When::Beat,
            Phase::Begin | Phase::Read | Phase::Compute | Phase::Ready => true,
        };
        let beat = self.beat();
        self.waiting = Some(Waiting { prompt, when, beat });
        if when == When::Now || !waits {
            return self.begin_waiting();
        }
        self.told = true;
        self.tell_waiting();
    }

    /// Takes back the prompt that waits.
    pub(super) fn unqueue(&mut self) {
        if self.waiting.take().is_some() | self.unqueue_below() {
            self.tell_begun();
        }
    }

    /// The moment of the prompt that waits has come, if one waits.
    pub(super) fn begin_waiting(&mut self) {
        if let Some(Waiting { prompt, .. }) = self.waiting.take() {
            self.drop_holds();
            self.prompt = Some(prompt);
            self.again = false;
            self.begin_soon();
        }
    }

    /// Begins what waits for the beat as soon as there is another.
    pub(super) fn listen_for_beat(&mut self) {
        if let Some(Waiting { when: When::Beat, beat, .. }) = self.waiting
            && self.beat() != beat
        {
            self.begin_waiting();
        }
    }

    /// What was told to wait does so no longer.
    pub(super) fn tell_begun(&mut self) {
        if self.waiting.is_none() && !self.waits_below() && std::mem::take(&mut self.told) {
            self.bus.emit(Event::Queued { name: None, text: String::new(), when: When::Now });
        }
    }

    fn tell_waiting(&self) {
        if let Some(Waiting { prompt: (name, text), when, .. }) = &self.waiting {
            self.bus.emit(Event::Queued { name: name.clone(), text: text.source().into(), when: *when });
        }
    }

    /// The beat that the performance is in.
    fn beat(&mut self) -> i64 {
        // Takes in what was told of the beats meanwhile.
        self.values();
        self.modulation.timeline().beats(self.bus.clock().now_ns()).floor() as i64
    }
}

/// Whether a sentence or a line ends with, or in, this token.
fn ends_sentence(text: &str) -> bool {
    // What closes a quotation belongs to the sentence before it.
    let last = text.trim_end_matches(|c: char| c.is_whitespace() || "\"'”’」』)）》".contains(c)).chars().next_back();
    // A full stop within a token may be one of 3.14; those of Chinese are none but that.
    text.contains(['\n', '。', '！', '？']) || last.is_some_and(|c| ".!?…".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::Template;

    #[test]
    fn sentences_end_where_a_reader_would_say() {
        for (text, ends) in [
            (" moon.", true),
            (".\u{201d} ", true),
            ("?!", true),
            ("…", true),
            ("\n", true),
            ("。", true),
            ("。春", true),
            ("3.1", false),
            (",", false),
            ("，", false),
            ("\u{201d}", false),
            ("", false),
        ] {
            assert_eq!(ends_sentence(text), ends, "{text:?}");
        }
    }

    #[test]
    fn each_moment_has_its_words() {
        let begins = |when, text| Waiting { prompt: (None, Template::default()), when, beat: 0 }.begins_after(text);
        assert!(begins(When::Token, " the") && begins(When::Line, "\n") && begins(When::Sentence, "."));
        assert!(!begins(When::Sentence, " the") && !begins(When::Line, "."));
        assert!(!begins(When::Piece, ".\n") && !begins(When::Beat, ".\n"));
    }
}
