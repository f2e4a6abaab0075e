//! The contact sheet: one moment of a recording in every scene of the stage, on one picture.
//!
//! Runs on the main thread; it neither sounds nor opens a window, and overwrites nothing.

use std::path::Path;

use super::offline::{Look, new_file};
use super::reel::Reel;
use crate::journal;
use crate::score::{Event, ParamId, Shutdown};
use crate::visuals::offscreen::write_new_png;
use crate::visuals::palette::Palette;
use crate::visuals::scene::{FAULT, SCENES};
use crate::visuals::sheet::Sheet;

/// How long before the picture the crash is that fault needs.
const CRASH_S: f64 = 1.2;

/// What is asked for.
pub struct Contact<'a> {
    pub recording: &'a Path,
    pub file: &'a Path,
    pub look: Look<'a>,
    /// The moment; none is at two thirds.
    pub at_s: Option<f64>,
}

impl Contact<'_> {
    /// Writes it.
    ///
    /// # Errors
    /// A folder that holds no recording or is over by then, a file that is there already, a machine without a graphics
    /// adapter.
    pub fn write(&self, shutdown: &Shutdown) -> anyhow::Result<()> {
        new_file(self.file)?;
        let at_s = match self.at_s {
            Some(at_s) => at_s,
            None => journal::read(self.recording)?.events.last().map_or(0, |e| e.t_ns) as f64 / 1e9 * 2.0 / 3.0,
        };
        let open = || Reel::still(self.recording, self.look.fps, at_s, shutdown);
        let reel = open()?;
        let heard = reel.listen(reel.stepper()?, |_| Ok(()))?;
        let set = |id: ParamId| self.look.over.iter().rev().find(|(over, _)| *over == id).map(|(_, value)| *value);
        let palette = Palette::of(set(ParamId::Palette).unwrap_or(0.0));
        let mut sheet = Sheet::new(self.look.size, SCENES.len() as u32, palette);
        for (number, scene) in SCENES.iter().enumerate() {
            let mut reel = open()?;
            reel.seen_with(self.look.over);
            let crashes = number == FAULT;
            reel.seen_with(&[(ParamId::StageScene, number as f32), (ParamId::FaultScene, f32::from(crashes))]);
            if crashes {
                let what = "put in for this picture".to_string();
                let fault = Event::Fault { place: "generator".into(), what, remedy: String::new() };
                reel.put_in(reel.last_ns().saturating_sub((CRASH_S * 1e9) as u64), fault);
            }
            let mut last = Vec::new();
            reel.show(self.look.size, &heard, |_, pixels| {
                last.clear();
                last.extend_from_slice(pixels);
                Ok(())
            })?;
            sheet.put(number as u32, &last, scene.name);
        }
        let (width, height, pixels) = sheet.done();
        write_new_png(self.file, width, height, &pixels)?;
        super::remark(&format!("{} scenes at {at_s:.1} s in {}", SCENES.len(), self.file.display()));
        Ok(())
    }
}
