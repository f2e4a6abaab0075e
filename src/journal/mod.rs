//! The journal: a performance kept whole, read back, and played again.
//!
//! A performance is a folder: `journal.jsonl` (a header line, then one event a line, only ever appended to),
//! `patch.toml` (the patch it began with) and, written by the sound, `sound.wav`. Writing has a thread of its own that
//! never makes another wait; reading and replaying run where they are called. Nothing here overwrites a file.

mod error;
mod folder;
mod read;
mod record;
mod replay;
#[cfg(test)]
mod tests;
mod words;

pub use error::JournalError;
pub use folder::Folder;
pub use read::{Reader, Recording, read};
pub use record::{Header, Recorder, Summary, VERSION};
pub use replay::replay;
pub use words::{Piece, pieces, text};

/// The journal's file within a performance's folder.
pub const JOURNAL: &str = "journal.jsonl";
/// The patch's file within a performance's folder.
pub const PATCH: &str = "patch.toml";
/// The sound's file within a performance's folder.
pub const SOUND: &str = "sound.wav";
