//! The score: the spine of the instrument, a sequence of timestamped events.
//!
//! Whoever produces emits [`Event`]s on the [`Bus`]; whoever performs reads them from a [`Queue`] of its own. Neither
//! knows the other, so a replay is the same instrument with the journal in the generator's place.
//! Everything measured is a [`SignalId`], everything played is a [`ParamId`]; each is described once, in one table.
//!
//! This layer knows no other: std, serde and crossbeam-channel only.

pub mod action;
pub mod bus;
pub mod clock;
pub mod event;
mod hand;
mod happening;
pub mod help;
pub mod layout;
pub mod param;
pub mod queue;
pub mod reading;
pub mod shutdown;
pub mod signal;
mod since;
pub mod spectrum;
pub mod tempo;
mod when;

pub use action::{Action, Digit, Key, SettingsAsk, Stroke, Way};
pub use bus::Bus;
pub use clock::Clock;
pub use event::{
    Candidate, Event, Flaw, FlawKind, Guess, Inside, MachineSample, MorphSide, SampleFile, Spent, Stamped, Token,
};
pub use hand::Hand;
pub use happening::Happening;
pub use help::HelpPage;
pub use layout::Layout;
pub use param::{ParamId, ParamValues, Params};
pub use queue::{Policy, Queue, Received};
pub use shutdown::Shutdown;
pub use signal::{SignalId, SignalValues};
pub use since::Since;
pub use spectrum::Spectrum;
pub use tempo::{Lines, Timeline};
pub use when::When;
