//! The patch's tuning: its files, read where the patch lies.

use std::io::Read;
use std::path::Path;

use crate::audio::tuning::{BUILT_IN, Tuning};
use crate::patch::Patch;
use crate::score::Event;

/// No scale is longer, in bytes.
const LONGEST: u64 = 1 << 20;

/// The event that brings a patch's tuning.
///
/// # Errors
/// Which file cannot be read or used, and what is wrong with it; the tuning stays as it was.
pub fn read(patch: &Patch, patch_file: Option<&Path>) -> Result<Event, String> {
    let folder = patch_file.and_then(Path::parent).unwrap_or(Path::new(""));
    let Some(name) = &patch.tuning else {
        if let Some(keyboard) = &patch.keyboard {
            return Err(format!(
                "keyboard = \"{keyboard}\" chooses from a scale; give tuning = \"equal\" or another too"
            ));
        }
        return Ok(usual());
    };
    let built_in = BUILT_IN.iter().find(|(built_in, _)| built_in == name);
    let scale = match built_in {
        Some((_, text)) => (*text).to_string(),
        None if name.ends_with(".scl") => text(&folder.join(name))?,
        None => {
            let names = BUILT_IN.map(|(name, _)| name).join(", ");
            return Err(format!("there is no tuning \"{name}\"; it is one of {names}, or a file that ends in .scl"));
        }
    };
    let keyboard = patch.keyboard.as_ref().map(|name| text(&folder.join(name))).transpose()?;
    Tuning::read(&scale, keyboard.as_deref()).map_err(|problem| format!("{name}: {problem}"))?;
    Ok(Event::Tuning { name: name.clone(), scale, keyboard })
}

/// The tuning of a patch that names none.
pub fn usual() -> Event {
    Event::Tuning { name: "gong".into(), scale: String::new(), keyboard: None }
}

/// The event for a tuning that cannot be used.
pub fn fault(what: String) -> Event {
    let remedy = "the notes stay as they were; mend the file and save the patch".into();
    Event::Fault { place: "tuning".into(), what, remedy }
}

fn text(file: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    std::fs::File::open(file)
        .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
        .map_err(|e| format!("{}: cannot be read: {e}", file.display()))?;
    if bytes.len() as u64 > LONGEST {
        return Err(format!("{}: longer than a megabyte; is it a scale?", file.display()));
    }
    // Scala's own archive is in Latin-1, in its comments.
    Ok(String::from_utf8(bytes).unwrap_or_else(|e| e.into_bytes().into_iter().map(char::from).collect()))
}
