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
    let mut finish = |piece: &mut Piece| {
        if !piece.text.is_empty() {
            pieces.push(piece.clone());
            piece.text.clear();
        }
    };
    for stamped in events {
        match &stamped.event {
            Event::Prompt { name, text, .. } => {
                finish(&mut piece);
                (piece.name, piece.prompt) = (name.clone(), text.clone());
            }
            Event::Token(token) => piece.text.push_str(&token.text),
            Event::Rewind { text, .. } => {
                let kept = piece.text.strip_suffix(text.as_str()).map(str::len);
                piece.text.truncate(kept.unwrap_or(piece.text.len()));
            }
            Event::Restore { prompt, text, .. } => {
                finish(&mut piece);
                (piece.prompt, piece.text) = (prompt.clone(), text.clone());
            }
            Event::PieceEnd { .. } => finish(&mut piece),
            _ => {}
        }
    }
    finish(&mut piece);
    pieces
}

/// The words of a recording alone: the text of each piece, without its prompt, each ended by a newline.
pub fn text(recording: &Recording) -> String {
    pieces(&recording.events).iter().map(|piece| format!("{}\n", piece.text.trim_end_matches('\n'))).collect()
}
