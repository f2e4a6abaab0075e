//! Wiring: the only place where the instrument's threads meet.
//!
//! [`live`] plays with the model, [`replay`] with a recording in the model's place, [`offline`] makes frames and sound
//! from a recording under a virtual clock. What they share stands beside them: the hands' thread, the choice of stage,
//! the bringing up of sound.

pub mod live;
pub mod offline;
pub mod replay;

mod hands;
mod samples;
mod sound;
mod stage;
mod tuning;

use std::path::PathBuf;

/// Where a performance is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageChoice {
    Window,
    Terminal,
    Plain,
    None,
}

/// Where the sound goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SoundChoice {
    /// A device where one is; else nowhere, and the show goes on.
    Auto,
    /// A device, and an error where none is.
    Device,
    /// No device. A recording has its sound all the same.
    None,
    /// Into a WAV file, at the pace of the performance.
    File(PathBuf),
}

/// The choice with the names that narrow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundOptions {
    pub choice: SoundChoice,
    pub host: Option<String>,
    pub device: Option<String>,
}

/// Where a performance is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// `performances/<date-time>` below the working folder.
    Dated,
    /// This folder, which must be new or empty.
    Into(PathBuf),
    Off,
}

/// Says something on stderr; if nobody listens there, nothing is lost.
pub fn remark(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "xiao: {}", crate::terminal::clean::line(text));
}
