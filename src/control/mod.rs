//! Hands: what keys and MIDI controllers say becomes [`Action`](crate::score::Action)s.
//!
//! Run by the hands thread, which performs the actions. Nothing here writes a parameter or emits an event; only
//! [`midi`] sees midir.

pub mod keyboard;
pub mod mapping;
pub mod midi;
pub mod travel;

pub use mapping::Mapping;
pub use midi::{Message, Midi, MidiError};
