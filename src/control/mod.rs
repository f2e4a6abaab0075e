//! Hands: what keys and MIDI controllers say becomes [`Action`](crate::score::Action)s.
//!
//! Run by the hands thread, which performs the actions. Nothing here writes a parameter or emits an event; only
//! [`midi`] and [`midi_out`] see midir, only `gamepad` gilrs, only `link` rusty_link. The way out, from the score to the
//! performer's synthesisers, is [`score_out`]'s and [`midi_out`]'s, on a thread of its own.

pub mod clock_in;
pub mod decoder;
mod described;
mod device;
pub mod feedback;
#[cfg(feature = "gamepad")]
pub mod gamepad;
pub mod help;
pub mod keyboard;
pub mod known;
pub mod learn;
#[cfg(feature = "link")]
pub mod link;
pub mod mapping;
pub mod midi;
pub mod midi_out;
pub mod score_out;
pub mod travel;
mod voice;

pub use clock_in::ClockIn;
pub use described::{described, described_said};
pub use feedback::FeedbackOut;
pub use mapping::Mapping;
pub use midi::{Message, Midi, MidiError};
pub use midi_out::Outputs;
pub use score_out::ScoreOut;
