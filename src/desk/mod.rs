//! What the performer sees of the show, as it follows from events and time alone: the terminal and the second window
//! draw the same state, in the same words and the same order.
//!
//! Owned by whichever thread draws. Nothing here draws, and nothing here reads a clock.

pub mod chain;
pub mod clean;
pub mod course;
mod energy;
mod history;
pub mod page;
pub mod room;
pub mod shown;
pub mod signals;
pub mod state;
mod tempo;
pub mod typing;
pub mod words;

pub use state::State;
pub use typing::Typing;
