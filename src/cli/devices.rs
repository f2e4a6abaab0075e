//! `devices`: what this machine has to play with, and why not where it has not.

use clap::Args;
use serde_json::json;

use super::{print, print_json};
use crate::{audio, control, machine, visuals};

/// List sound, MIDI, displays and sensors: found, or why not
#[derive(Args)]
#[command(after_help = "Example:  xiao devices")]
pub struct Devices {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Devices {
    pub fn run(self) -> anyhow::Result<()> {
        let (sound, midi) = (audio::output::list(), control::midi::list());
        let (displays, sensors) = (visuals::displays(), machine::report());
        if self.json {
            return print_json(&json!({"sound": sound, "midi": midi, "displays": displays, "sensors": sensors}));
        }
        let sections: [(&str, Vec<String>); 4] = [
            ("sound", sound.iter().map(ToString::to_string).collect()),
            ("midi", midi.iter().map(ToString::to_string).collect()),
            ("displays", displays.iter().map(ToString::to_string).collect()),
            ("sensors", sensors.iter().map(ToString::to_string).collect()),
        ];
        for (name, lines) in sections {
            print(name)?;
            for line in lines {
                print(&format!("  {line}"))?;
            }
        }
        Ok(())
    }
}
