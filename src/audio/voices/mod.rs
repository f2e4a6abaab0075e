//! The voices: each turns a few controls into one chunk of stereo, adds no click of its own, and can be reset.
//!
//! They run in the audio callback; everything they need is made when the engine is made.

pub mod breath;
pub mod gesture;
pub mod ghosts;
pub mod grain;
pub mod hum;
pub mod pluck;
pub mod tension;
pub mod throat;
pub mod weight;

pub use breath::Breath;
pub use gesture::{Gestures, Sweep};
pub use ghosts::{Ghost, Ghosts};
pub use grain::{Grain, Grains};
pub use hum::Hum;
pub use pluck::{MODES, Pluck, Plucks};
pub use tension::Tension;
pub use throat::Throat;
pub use weight::Weight;
