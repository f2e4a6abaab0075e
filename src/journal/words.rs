//! The words of a performance, piece by piece.

use super::Recording;
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

/// The pieces in their order; a prompt that was left before its first word has none.
pub fn pieces<'a>(events: impl IntoIterator<Item = &'a Stamped>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut piece = Piece::default();
    let mut names: Vec<(&String, &Option<String>)> = Vec::new();
    // The last piece has ended, and nothing has come since.
    let mut ended = false;
    let finish = |pieces: &mut Vec<Piece>, piece: &mut Piece| {
        let finished = !piece.text.is_empty();
        if finished {
            pieces.push(piece.clone());
            piece.text.clear();
        }
        finished
    };
    for stamped in events {
        match &stamped.event {
            Event::Prompt { name, text, .. } => {
                finish(&mut pieces, &mut piece);
                ended = false;
                names.push((text, name));
                (piece.name, piece.prompt) = (name.clone(), text.clone());
            }
            Event::Token(token) => {
                ended = false;
                piece.text.push_str(&token.text);
            }
            Event::Layer { text, .. } => {
                // As taking back, it goes on in a piece that had ended.
                if std::mem::take(&mut ended) {
                    piece = pieces.pop().unwrap_or_default();
                }
                piece.text.push_str(text);
            }
            Event::Rewind { text, .. } => {
                // Taking back goes on in a piece that had ended.
                if std::mem::take(&mut ended) {
                    piece = pieces.pop().unwrap_or_default();
                }
                let kept = piece.text.strip_suffix(text.as_str()).map(str::len);
                piece.text.truncate(kept.unwrap_or(piece.text.len()));
            }
            Event::Restore { prompt, text, .. } => {
                finish(&mut pieces, &mut piece);
                ended = false;
                let name = names.iter().rev().find(|(text, _)| *text == prompt).and_then(|(_, name)| (*name).clone());
                piece = Piece { name, prompt: prompt.clone(), text: text.clone() };
            }
            Event::PieceEnd { .. } => ended = finish(&mut pieces, &mut piece),
            _ => {}
        }
    }
    finish(&mut pieces, &mut piece);
    pieces
}

/// The words of a recording alone: the text of each piece, without its prompt, each ended by a newline.
pub fn text(recording: &Recording) -> String {
    pieces(&recording.events).iter().map(|piece| format!("{}\n", piece.text.trim_end_matches('\n'))).collect()
}
