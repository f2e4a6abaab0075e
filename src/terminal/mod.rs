//! The stage in a terminal: [`stage`] fills the screen, [`plain`] writes the words as plain text, for pipes.
//!
//! Both run on the main thread, or [`stage`] on one of its own as the performer's view beside another stage. They read events from a queue of their own and are never waited for. What the model says
//! reaches the terminal only through [`clean`], so that no model can send it an escape sequence.
//!
//! [`crate::desk`] turns events and time into what is to be shown, [`draw`] lays that out, [`palette`] gives it the colours
//! that the terminal has, [`paint`] colours what a command prints,
//! and [`Quiet`] keeps the terminal still while a window is the stage.

pub mod draw;
mod keys;
mod marks;
pub mod meters;
pub mod paint;
pub mod palette;
pub mod plain;
mod quiet;
mod screen;
pub mod stage;

pub use crate::desk::clean;
pub use plain::PlainOptions;
pub use quiet::Quiet;
pub use screen::{give_back, no_screen};
pub use stage::{Face, TerminalOptions};
