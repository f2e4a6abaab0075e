//! The sonifier: events become one continuous sound.
//!
//! ```text
//! bus ─ Cue ─► Desk ═ rings ═► Player (in the callback) ─► Engine: morph ─► matrix ─► voices ─► bus ─► master ─► device
//!      matrices, banks ─┘ ◄═ reports         │             voices: hum · breath · weight · tension · plucks · ghosts ·
//!                                            │                     throat · grains · gestures, and the delay
//!                                            │             master: room ─► level ─► loudness ceiling ─► limiter ─► bands ─► Spectrum
//!                                            └═ ring ═► Tape ─► Recorder (WAV or FLAC)
//! ```
//!
//! The sound is a pure function of the patch's matrix, the artist's own sounds ([`bank`]), the cues with the frames at
//! which they act, the seed and the sample rate; [`render`] makes the same samples from a recording's events alone.

pub mod bands;
pub mod bank;
mod bus;
pub mod cue;
mod delay;
mod dsp;
pub mod engine;
mod figure;
pub mod file;
pub mod hush;
mod limiter;
pub mod link;
mod loudness;
mod master;
mod melody;
mod morph;
pub mod output;
pub mod recorder;
pub mod render;
mod room;
pub mod silent;
pub mod spectrogram;
mod tempo;
#[cfg(test)]
mod tests;
mod true_peak;
pub mod tuning;
mod voices;

pub use bank::Bank;
pub use bus::Voice;
pub use cue::{Cue, CueKind};
pub use engine::Engine;
pub use hush::Hush;
pub use link::{Desk, Player, Report, Tape, link};
pub use output::{Output, OutputError, OutputOptions};
pub use recorder::Recorder;
pub use silent::Silent;
