//! `devices`: what this machine has to play with, and why not where it has not.

use clap::Args;
use serde_json::json;

use super::{print, print_json};
use crate::{audio, control, machine, visuals};

/// List sound, MIDI, gamepads, displays and sensors: found, or why not
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
        let pads = gamepads();
        let (displays, sensors) = (visuals::adapters(), machine::report());
        let window = visuals::display_available();
        let plugged_in = if window.is_ok() { visuals::plugged_in() } else { Ok(Vec::new()) };
        if self.json {
            return print_json(
                &json!({"sound": sound, "midi": midi, "gamepads": pads.clone().unwrap_or_default(), "displays": {"window": window.clone().err().map_or("available".into(), |why| format!("unavailable: {why}")), "adapters": displays, "plugged_in": plugged_in.clone().unwrap_or_default()}, "sensors": sensors}),
            );
        }
        print("sound")?;
        for host in sound {
            for device in &host.devices {
                let mark = if device.default { " (default)" } else { "" };
                let what = device.config.as_ref().or(device.unavailable.as_ref());
                print(&format!("  {:<8} {}{mark}: {}", host.host, device.name, what.map_or("", |w| w)))?;
            }
            if let Some(why) = host.unavailable {
                print(&format!("  {:<8} unavailable: {why}", host.host))?;
            }
        }
        print("MIDI")?;
        let ports =
            [("in", &midi.inputs), ("out", &midi.outputs)].map(|(way, names)| names.iter().map(move |n| (way, n)));
        match &midi.unavailable {
            Some(why) => print(&format!("  {:<8} unavailable: {why}", midi.backend))?,
            None if midi.inputs.is_empty() && midi.outputs.is_empty() => {
                print(&format!("  {:<8} nothing is plugged in", midi.backend))?;
            }
            None => {
                for (way, name) in ports.into_iter().flatten() {
                    print(&format!("  {:<8} {way:<3} {name}", midi.backend))?;
                }
            }
        }
        print("gamepads")?;
        match &pads {
            Ok(pads) if pads.is_empty() => print("  none is plugged in")?,
            Ok(pads) => pads.iter().try_for_each(|name| print(&format!("  {name}")))?,
            Err(why) => print(&format!("  unavailable: {why}"))?,
        }
        print("displays")?;
        print(&match window {
            Ok(()) => "  window   available".to_string(),
            Err(why) => format!("  window   unavailable: {why}"),
        })?;
        match plugged_in {
            Ok(plugged_in) => {
                for (i, display) in plugged_in.iter().enumerate() {
                    print(&format!("  {:<8} {display}", i + 1))?;
                }
            }
            Err(why) => print(&format!("  {:<8} unavailable: {why}", "list"))?,
        }
        for adapter in displays {
            let software = if adapter.software { ", in software" } else { "" };
            print(&format!("  {:<8} {}{software}", adapter.backend, adapter.name))?;
        }
        print("sensors")?;
        for sensor in sensors {
            let value = sensor.value.map_or("unavailable".into(), |v| format!("{v:.2} {}", sensor.unit));
            print(&format!("  {:<24} {:<18} {}", sensor.signal.name(), value.trim_end(), sensor.note))?;
        }
        Ok(())
    }
}

#[cfg(feature = "gamepad")]
fn gamepads() -> Result<Vec<String>, String> {
    control::gamepad::names()
}

#[cfg(not(feature = "gamepad"))]
fn gamepads() -> Result<Vec<String>, String> {
    Err("xiao was built without the feature \"gamepad\"".into())
}
