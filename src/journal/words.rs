//! The words of a performance, piece by piece.

use super::Recording;
use crate::score::event::INTERRUPTED;
use crate::score::{Event, Stamped};

/// What the model wrote from one prompt until its end, or until another was played.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// The prompt's name in the bank, where it has one.
    pub name: Option<String>,
    pub prompt: String,
    /// The tokens' text, joined.
    pub text: String,
}

/// The pieces while they are gathered: those that are over with the place at which each began, and the present one.
#[derive(Default)]
struct Pieces {
    over: Vec<(usize, Piece)>,
    began: usize,
    piece: Piece,
    /// The last piece has ended, and nothing has come since.
    ended: bool,
}

impl Pieces {
    fn begin(&mut self, at: usize, piece: Piece) {
        self.finish();
        (self.began, self.piece, self.ended) = (at, piece, false);
    }

    fn finish(&mut self) -> bool {
        let finished = !self.piece.text.is_empty();
        if finished {
            self.over.push((self.began, self.piece.clone()));
            self.piece.text.clear();
        }
        finished
    }

    fn end(&mut self) {
        self.ended = self.finish();
    }

    /// The piece goes on, also one that had ended.
    fn go_on(&mut self) -> &mut String {
        if std::mem::take(&mut self.ended) {
            (self.began, self.piece) = self.over.pop().unwrap_or_default();
        }
        &mut self.piece.text
    }

    /// Takes out the piece that was interrupted where this one goes on, for it is the same.
    fn interrupted(&mut self, prompt: &str, text: &str) -> Option<(usize, Piece)> {
        let at = self.over.iter().rposition(|(_, piece)| piece.prompt == prompt && piece.text == text)?;
        Some(self.over.remove(at))
    }
}

/// The pieces in the order in which they began; a prompt that was left before its first word has none.
pub fn pieces<'a>(events: impl IntoIterator<Item = &'a Stamped>) -> Vec<Piece> {
    let mut pieces = Pieces::default();
    let mut names: Vec<(&String, &Option<String>)> = Vec::new();
    for (at, stamped) in events.into_iter().enumerate() {
        match &stamped.event {
            Event::Prompt { name, text, .. } => {
                names.push((text, name));
                pieces.begin(at, Piece { name: name.clone(), prompt: text.clone(), text: String::new() });
            }
            Event::Token(token) => {
                pieces.ended = false;
                pieces.piece.text.push_str(&token.text);
            }
            Event::Layer { text, .. } => pieces.go_on().push_str(text),
            Event::Rewind { text, .. } => {
                let piece = pieces.go_on();
                let kept = piece.strip_suffix(text.as_str()).map(str::len);
                piece.truncate(kept.unwrap_or(piece.len()));
            }
            Event::Restore { slot, name, prompt, text, ended, .. } => {
                pieces.finish();
                let known = (*slot == INTERRUPTED).then(|| pieces.interrupted(prompt, text)).flatten();
                let (began, piece) = known.unwrap_or_else(|| {
                    // Older recordings do not name it.
                    let named = || names.iter().rev().find(|(text, _)| *text == prompt).and_then(|(_, n)| (*n).clone());
                    let name = name.clone().or_else(named);
                    (at, Piece { name, prompt: prompt.clone(), text: text.clone() })
                });
                pieces.begin(began, piece);
                if *ended {
                    pieces.end();
                }
            }
            Event::PieceEnd { .. } => pieces.end(),
            _ => {}
        }
    }
    pieces.finish();
    pieces.over.sort_by_key(|(began, _)| *began);
    pieces.over.into_iter().map(|(_, piece)| piece).collect()
}

/// The words of a recording alone: the text of each piece, without its prompt, each ended by a newline.
pub fn text(recording: &Recording) -> String {
    pieces(&recording.events).iter().map(|piece| format!("{}\n", piece.text.trim_end_matches('\n'))).collect()
}
