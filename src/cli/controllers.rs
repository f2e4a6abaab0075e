//! `controllers`: what xiao knows of MIDI controllers and gamepads, as a list and as drawings.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::json;

use super::{print, print_json};
use crate::control::known::{self, Known};
use crate::patch::{self, Kind};

/// List the controllers that play without a line in the patch, or draw one with what it plays
#[derive(Args)]
#[command(
    after_help = "Example:  xiao controllers\n          xiao controllers --draw nanokontrol2 --to nano.svg\n          xiao controllers --draw midimix --patch snow --to mine.svg"
)]
pub struct Controllers {
    /// Draw this one, as SVG to stdout
    #[arg(long, value_name = "NAME")]
    draw: Option<String>,
    /// As this patch plays it: a file, or the name of a patch that comes with xiao
    #[arg(long, value_name = "PATCH", requires = "draw")]
    patch: Option<String>,
    /// Write the drawing to this file, which must not be there yet
    #[arg(long, value_name = "F.svg", requires = "draw")]
    to: Option<PathBuf>,
    /// Print JSON
    #[arg(long, conflicts_with = "draw")]
    json: bool,
}

impl Controllers {
    pub fn run(self) -> anyhow::Result<()> {
        let all = known::all();
        if let Some(name) = &self.draw {
            return self.draw(find(&all, name)?);
        }
        if self.json {
            let list = all.iter().map(|known| {
                let plays = known.controls().map(|(control, target)| json!({"control": control, "plays": target}));
                json!({"name": known.name, "title": known.title, "ports": known.ports, "controls": plays.collect::<Vec<_>>()})
            });
            return print_json(&list.collect::<Vec<_>>());
        }
        for Known { name, title, ports, controller, .. } in &all {
            let what = if controller.kind == Kind::Gamepad { "gamepads" } else { "ports" };
            print(&format!("{name:<18} {title:<32} {what} {ports}"))?;
        }
        Ok(())
    }

    fn draw(&self, known: &Known) -> anyhow::Result<()> {
        let controllers = match &self.patch {
            None => vec![known.controller.clone()],
            Some(patch) => {
                let found = patch::find(patch)?;
                known.played_by(&patch::parse(&found.file, &found.text)?)
            }
        };
        let drawn = known::draw(known, &controllers);
        let Some(file) = &self.to else { return print(drawn.trim_end()) };
        let written = std::fs::File::create_new(file).and_then(|mut file| file.write_all(drawn.as_bytes()));
        written.with_context(|| format!("{} cannot be written", file.display()))
    }
}

fn find<'a>(all: &'a [Known], name: &str) -> anyhow::Result<&'a Known> {
    let names: Vec<&str> = all.iter().map(|known| known.name).collect();
    let found = all.iter().find(|known| known.name == name);
    found.ok_or_else(|| anyhow!("there is no controller {name:?} among those that xiao knows: {}", names.join(", ")))
}
