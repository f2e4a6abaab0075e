//! The stage in a terminal: [`stage`] fills the screen, [`plain`] writes the words as plain text, for pipes.
//!
//! Both run on the main thread, read events from a queue of their own and are never waited for. What the model says
//! reaches the terminal only through [`clean`], so that no model can send it an escape sequence.
//!
//! [`state`] turns events and time into what is to be shown, [`draw`] lays that out, [`palette`] gives it the colours
//! that the terminal has, and [`paint`] colours what a command prints.

pub mod clean;
pub mod draw;
pub mod meters;
pub mod page;
pub mod paint;
pub mod palette;
pub mod plain;
pub mod stage;
pub mod state;

pub use plain::PlainOptions;
pub use stage::TerminalOptions;
