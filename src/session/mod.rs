//! Wiring: the only place where the instrument's threads meet.
//!
//! [`live`] plays with the model, [`replay`] with a recording in the model's place, [`offline`], [`contact`] and [`film`]
//! make frames and sound from a recording under a virtual clock. What they share stands beside them: the hands' thread, the course of a
//! patch's plan, the choice of stage, the bringing up of sound.

pub mod contact;
pub mod film;
pub mod live;
pub mod midi_out;
pub mod network;
pub mod offline;
pub mod reel;
pub mod replay;

mod course;
mod ffmpeg;
mod glide;
mod hands;
mod pictures;
mod progress;
mod samples;
mod scrap;
mod shade;
mod sound;
mod stage;
mod tuning;
mod view;

use std::path::PathBuf;

use crate::score::{Layout, Shutdown};

/// Where a performance is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageChoice {
    Window,
    Terminal,
    Plain,
    None,
}

/// What the performer sees beside the stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    #[default]
    None,
    /// The terminal's page, on a thread of its own.
    Terminal,
    /// A second window.
    Window,
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
    /// Into a WAV or FLAC file, at the pace of the performance.
    File(PathBuf),
}

/// The choice with the names that narrow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundOptions {
    pub choice: SoundChoice,
    pub host: Option<String>,
    pub device: Option<String>,
    /// Sample rate and frames of a block, if the device can.
    pub rate_hz: Option<u32>,
    pub block: Option<u32>,
    pub layout: Layout,
    /// The device's channel, counted from 1, for each loudspeaker; empty is in their order.
    pub map: Vec<u16>,
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

/// A request for the end that Ctrl-C makes; twice, it ends the program at once. To be called once in a program's life.
///
/// # Errors
/// The system does not let signals be listened to.
pub fn ends_on_signals() -> anyhow::Result<Shutdown> {
    let shutdown = Shutdown::default();
    live::end_on_signals(&shutdown)?;
    Ok(shutdown)
}

/// Says something on stderr; if nobody listens there, nothing is lost.
pub fn remark(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "xiao: {}", crate::terminal::clean::line(text));
}
