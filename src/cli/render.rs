//! `render`: pictures, sound and films of a recording.

use std::path::PathBuf;

use clap::Args;
use clap::builder::ArgPredicate;

use crate::audio::file;
use crate::score::ParamId;
use crate::session::contact::Contact;
use crate::session::film::Film;
use crate::session::offline::Look;
use crate::session::reel::Part;
use crate::session::{self, offline};

/// Make pictures, sound or a film of a recording, faster than it was played
#[derive(Args)]
#[command(
    after_help = "Example:  xiao render performances/2026-11-23_21-30-05 --wav evening.wav\n          xiao render performances/2026-11-23_21-30-05 --film evening.mp4 --size 1920x1080\n          xiao render performances/2026-11-23_21-30-05 --frames out --from 60 --to 90\n          xiao render performances/2026-11-23_21-30-05 --picture moon.png --at 12.5\n          xiao render performances/2026-11-23_21-30-05 --contact sheet.png --set stage.palette=1"
)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
#[command(group = clap::ArgGroup::new("moving").multiple(true))]
pub struct Render {
    /// A folder that `xiao play` recorded
    folder: PathBuf,
    /// Write picture and sound into one file that ends in .mp4, .mov, .mkv or .webm and must not be there yet; needs the
    /// program ffmpeg, and without it lays out what it needs in a folder
    #[arg(long, value_name = "F.mp4", group = "what", group = "moving", value_parser = film_name)]
    film: Option<PathBuf>,
    /// Write each frame as a PNG into this folder, which must be new or empty
    #[arg(long, value_name = "OUT", group = "what", group = "moving")]
    frames: Option<PathBuf>,
    /// Write one frame as a PNG to this file, which must not be there yet
    #[arg(long, value_name = "F.png", group = "what", requires = "at")]
    picture: Option<PathBuf>,
    /// Write every scene of one moment as a PNG to this file, which must not be there yet; for the scene fault a crash is
    /// put in 1.2 s before
    #[arg(long, value_name = "F.png", group = "what", conflicts_with = "picture")]
    contact: Option<PathBuf>,
    /// The time of the picture or of the contact sheet in seconds; that of a contact sheet is at two thirds without it
    #[arg(long, value_name = "S", value_parser = time)]
    at: Option<f64>,
    /// See the recording with another scene, palette, size of text ...: any parameter stage.* or shader.*, which holds
    /// whatever the recording sets; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = seen)]
    set: Vec<(ParamId, f32)>,
    /// Write the sound to this file, which must not be there yet
    #[arg(long, value_name = "F.wav", value_parser = wav_name, group = "what")]
    wav: Option<PathBuf>,
    /// Write the sound as FLAC to this file, which must not be there yet
    #[arg(long, value_name = "F.flac", value_parser = flac_name, group = "what")]
    flac: Option<PathBuf>,
    /// Write each voice of the sound into a file of this folder; together they are the whole
    #[arg(long, value_name = "OUT", group = "what")]
    stems: Option<PathBuf>,
    /// How the stems are kept
    #[arg(long, value_name = "wav|flac", default_value = "wav", value_parser = ["wav", "flac"])]
    stems_as: String,
    /// Write a picture of the sound, a PNG, to this file, which must not be there yet
    #[arg(long, value_name = "F.png", group = "what")]
    spectrogram: Option<PathBuf>,
    /// Pixels of a frame, of the spectrogram, or of each picture on the contact sheet; those of a film are even
    #[arg(long, value_name = "WxH", default_value = "1280x720", default_value_if("contact", ArgPredicate::IsPresent, "640x360"), value_parser = size)]
    size: [u32; 2],
    /// Frames per second
    #[arg(long, value_name = "N", default_value_t = 30.0, value_parser = fps)]
    fps: f64,
    /// Begin the film or the frames at this second of the recording
    #[arg(long, value_name = "S", value_parser = time, requires = "moving", default_value_t = 0.0)]
    from: f64,
    /// End them before this second
    #[arg(long, value_name = "S", value_parser = time, requires = "moving")]
    to: Option<f64>,
}

impl Render {
    pub fn run(self) -> anyhow::Result<()> {
        let (shutdown, part) = (session::ends_on_signals()?, Part { from_s: self.from, to_s: self.to });
        self.refuse_what_is_there()?;
        for file in self.wav.iter().chain(&self.flac) {
            offline::sound(&self.folder, file, &shutdown)?;
        }
        if let Some(stems) = &self.stems {
            offline::stems(&self.folder, stems, &self.stems_as, &shutdown)?;
        }
        if let Some(spectrogram) = &self.spectrogram {
            offline::spectrogram(&self.folder, spectrogram, self.size, &shutdown)?;
        }
        let look = Look { size: self.size, fps: self.fps, over: &self.set };
        if let (Some(picture), Some(at_s)) = (&self.picture, self.at) {
            offline::picture(&self.folder, picture, look, at_s, &shutdown)?;
        }
        if let Some(file) = &self.contact {
            Contact { recording: &self.folder, file, look, at_s: self.at }.write(&shutdown)?;
        }
        if let Some(frames) = &self.frames {
            offline::frames(&self.folder, frames, look, part, &shutdown)?;
        }
        if let Some(file) = &self.film {
            Film { recording: &self.folder, file, look, part }.write(&shutdown)?;
        }
        Ok(())
    }

    /// Refuses everything that is there already, before hours go into what comes first.
    fn refuse_what_is_there(&self) -> anyhow::Result<()> {
        let files = [&self.film, &self.picture, &self.contact, &self.wav, &self.flac, &self.spectrogram];
        files.into_iter().flatten().try_for_each(|file| offline::new_file(file))?;
        if let Some(out) = &self.stems {
            offline::stem_files(out, &self.stems_as).iter().try_for_each(|file| offline::new_file(file))?;
        }
        self.frames.iter().try_for_each(|folder| offline::empty_folder(folder))
    }
}

/// Reads `NAME=VALUE` of a parameter that is only seen.
fn seen(text: &str) -> Result<(ParamId, f32), String> {
    let (id, value) = super::perform::setting(text)?;
    let name = id.name();
    if name.starts_with("stage.") || name.starts_with("shader.") {
        Ok((id, value))
    } else {
        Err(format!("{name} is heard or played, and that is recorded; only stage.* and shader.* can be seen otherwise"))
    }
}

fn film_name(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default().to_ascii_lowercase();
    let known = ["mp4", "mov", "mkv", "webm"].contains(&end.as_str());
    if known { Ok(path) } else { Err("a file name that ends in .mp4, .mov, .mkv or .webm is wanted".into()) }
}

fn wav_name(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if file::is_flac(&path) {
        Err("--flac makes FLAC; a file name that ends in .wav is wanted".into())
    } else {
        Ok(path)
    }
}

fn flac_name(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if file::is_flac(&path) { Ok(path) } else { Err("a file name that ends in .flac is wanted".into()) }
}

fn size(text: &str) -> Result<[u32; 2], String> {
    let wanted = "width and height in pixels are wanted, each from 16 to 8192, e.g. 1280x720";
    let (w, h) = text.split_once('x').ok_or(wanted)?;
    match (w.parse(), h.parse()) {
        (Ok(w), Ok(h)) if (16..=8192).contains(&w) && (16..=8192).contains(&h) => Ok([w, h]),
        _ => Err(wanted.into()),
    }
}

fn fps(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|f| (0.1..=240.0).contains(f)).ok_or_else(|| "a number from 0.1 to 240 is wanted".into())
}

/// Seconds from the beginning; no recording lasts a year.
fn time(text: &str) -> Result<f64, String> {
    let wanted = "a number of seconds from the recording's beginning is wanted, e.g. 12.5";
    text.parse().ok().filter(|s| (0.0..3.2e7).contains(s)).ok_or_else(|| wanted.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_refused_before_anything_is_made() {
        use clap::Parser;
        #[derive(Parser)]
        struct Line {
            #[command(flatten)]
            render: Render,
        }
        let dir = tempfile::tempdir().unwrap();
        let here = |name: &str| dir.path().join(name).display().to_string();
        std::fs::create_dir(here("full")).unwrap();
        std::fs::write(here("full/kept.txt"), "mine").unwrap();
        std::fs::write(here("there.mp4"), "mine").unwrap();
        std::fs::create_dir(here("stems")).unwrap();
        std::fs::write(offline::stem_files(std::path::Path::new(&here("stems")), "wav")[0].as_path(), "mine").unwrap();
        for [option, target] in [["--frames", "full"], ["--film", "there.mp4"], ["--stems", "stems"]] {
            let line =
                ["render".into(), here("no recording"), "--wav".into(), here("a.wav"), option.into(), here(target)];
            let why = Line::parse_from(line).render.refuse_what_is_there().unwrap_err().to_string();
            assert!(why.contains(target), "{why}");
        }
        let line = ["render".into(), here("no recording"), "--frames".into(), here("new")];
        assert!(Line::parse_from(line).render.refuse_what_is_there().is_ok() && !dir.path().join("new").exists());
    }

    #[test]
    fn slips_on_the_command_line_are_explained() {
        assert_eq!(size("640x360"), Ok([640, 360]));
        assert!(size("640").is_err() && size("0x0").is_err() && size("99999x1").is_err());
        assert!(film_name("a.mp4").is_ok() && film_name("A.MKV").is_ok() && film_name("a.gif").is_err());
        assert_eq!(time("12.5"), Ok(12.5));
        assert_eq!(seen("stage.palette=1"), Ok((ParamId::Palette, 1.0)));
        assert!(seen("generator.pace=4").unwrap_err().contains("stage.*"), "what was played stays");
        assert!(time("-1").is_err() && time("NaN").is_err() && time("inf").is_err());
    }
}
