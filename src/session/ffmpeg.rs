//! The program ffmpeg as a child: what it is asked for, frames in, its last words out.
//!
//! Its stderr is read on a thread of its own, so that it never waits to be heard. Whoever drops it in mid-film ends it, and
//! so does a second signal.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, bail};

use super::scrap::Scrap;
use crate::score::Shutdown;

/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);
/// Lines of its stderr that are told when it fails.
const LAST_WORDS: usize = 4;

/// What a film's name may end in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Mp4,
    Mov,
    Mkv,
    Webm,
}

impl Ending {
    pub fn of(file: &Path) -> Option<Ending> {
        let end = file.extension()?.to_str()?.to_ascii_lowercase();
        let all = [("mp4", Ending::Mp4), ("mov", Ending::Mov), ("mkv", Ending::Mkv), ("webm", Ending::Webm)];
        all.into_iter().find(|(name, _)| *name == end).map(|(_, ending)| ending)
    }

    /// How picture, sound and file are made. What stands still for seconds and is looked at closely needs a low crf.
    fn codecs(self) -> (&'static str, &'static str, &'static str) {
        let h264 = "-c:v libx264 -preset medium -crf 18";
        match self {
            Ending::Mp4 | Ending::Mov => (h264, "-c:a aac -b:a 192k", "-movflags +faststart"),
            Ending::Mkv => (h264, "-c:a aac -b:a 192k", ""),
            Ending::Webm => ("-c:v libvpx-vp9 -crf 24 -b:v 0 -row-mt 1 -cpu-used 4", "-c:a libopus -b:a 160k", ""),
        }
    }
}

/// Where the frames come from.
pub enum Frames<'a> {
    /// Raw RGBA through its stdin.
    Piped { size: [u32; 2] },
    /// Numbered files.
    Files(&'a str),
}

/// The arguments that make a film of frames and sound. The frames are sRGB and full range; they are converted with the
/// matrix of BT.709 and say so, since players guess by the height of the picture else.
pub fn arguments(frames: &Frames, fps: f64, sound: Option<&Path>, ending: Ending, out: &Path) -> Vec<OsString> {
    let (video, audio, container) = ending.codecs();
    let mut args: Vec<OsString> = Vec::new();
    let mut add = |words: &str| args.extend(words.split_whitespace().map(OsString::from));
    add("-hide_banner -loglevel error");
    match frames {
        Frames::Piped { size: [w, h] } => {
            add(&format!("-y -f rawvideo -pixel_format rgba -video_size {w}x{h} -framerate {fps} -i pipe:0"));
        }
        Frames::Files(pattern) => add(&format!("-n -framerate {fps} -i {pattern}")),
    }
    if let Some(sound) = sound {
        args.extend(["-i".into(), file(sound)]);
    }
    let mut add = |words: &str| args.extend(words.split_whitespace().map(OsString::from));
    add("-map 0:v:0");
    add(
        "-vf scale=in_range=pc:out_range=tv:out_color_matrix=bt709:flags=bicubic+accurate_rnd+full_chroma_int,format=yuv420p",
    );
    add(video);
    add("-color_primaries bt709 -color_trc bt709 -colorspace bt709 -color_range tv");
    if sound.is_some() {
        add("-map 1:a:0");
        add(audio);
    }
    add(container);
    args.push(file(out));
    args
}

/// A file whatever it is called: a name with a colon would be a protocol, one with a dash an option.
fn file(path: &Path) -> OsString {
    let mut name = OsString::from("file:");
    name.push(path);
    name
}

/// Whether ffmpeg is on the PATH and runs.
pub fn found() -> bool {
    let mut ask = Command::new("ffmpeg");
    ask.arg("-version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    ask.status().is_ok_and(|status| status.success())
}

/// A running ffmpeg.
pub struct Encoder {
    child: Arc<Mutex<Child>>,
    /// Ends it where it has not ended.
    _scrap: Scrap,
    /// Until the last frame is there.
    frames: Option<ChildStdin>,
    words: Option<JoinHandle<VecDeque<String>>>,
    shutdown: Shutdown,
}

impl Encoder {
    /// # Errors
    /// It cannot be started.
    pub fn start(args: &[OsString], shutdown: &Shutdown) -> anyhow::Result<Encoder> {
        let mut command = Command::new("ffmpeg");
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        // Ctrl-C is for xiao alone, which ends its child then.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().context("ffmpeg cannot be started")?;
        let frames = child.stdin.take();
        let said = child.stderr.take().context("ffmpeg has no stderr")?;
        let listen = move || {
            let mut last = VecDeque::new();
            for line in BufReader::new(said).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).trim().to_string();
                if !line.is_empty() {
                    last.push_back(line);
                }
                if last.len() > LAST_WORDS {
                    last.pop_front();
                }
            }
            last
        };
        let words = std::thread::Builder::new().name("xiao-ffmpeg".into()).spawn(listen);
        let child = Arc::new(Mutex::new(child));
        let ended = child.clone();
        let end = move || {
            let mut child = lock(&ended);
            let _ = child.kill();
            let _ = child.wait();
        };
        let mut encoder = Encoder { child, _scrap: Scrap::new(end), frames, words: None, shutdown: shutdown.clone() };
        encoder.words = Some(words.context("no thread to listen to ffmpeg")?);
        Ok(encoder)
    }

    /// Gives it the next frame.
    ///
    /// # Errors
    /// It has ended, and why.
    pub fn write(&mut self, rgba: &[u8]) -> anyhow::Result<()> {
        let frames = self.frames.as_mut().context("ffmpeg has no stdin")?;
        match frames.write_all(rgba) {
            Err(e) if e.kind() == ErrorKind::BrokenPipe => {
                self.end()?;
                bail!("ffmpeg ended before the film did")
            }
            other => other.context("a frame cannot be given to ffmpeg"),
        }
    }

    /// Waits until the film is whole.
    ///
    /// # Errors
    /// It failed, and why, or that it was broken off.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.end()
    }

    fn end(&mut self) -> anyhow::Result<()> {
        drop(self.frames.take());
        let status = self.wait()?;
        let words = self.words.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        if !status.success() {
            let words = if words.is_empty() { "it says nothing".into() } else { Vec::from(words).join("; ") };
            bail!("ffmpeg failed ({status}): {words}");
        }
        Ok(())
    }

    fn wait(&self) -> anyhow::Result<ExitStatus> {
        loop {
            if let Some(status) = lock(&self.child).try_wait().context("ffmpeg cannot be waited for")? {
                return Ok(status);
            }
            if self.shutdown.wait(LOOK) {
                bail!("broken off while ffmpeg made the film whole");
            }
        }
    }
}

fn lock(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(|e| e.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(ending: Ending, sound: Option<&str>) -> String {
        let out = Path::new("a film.part");
        let args = arguments(&Frames::Piped { size: [640, 360] }, 29.97, sound.map(Path::new), ending, out);
        args.join(&OsString::from(" ")).into_string().unwrap()
    }

    #[test]
    fn ffmpeg_is_asked_for_what_players_play() {
        let mp4 = line(Ending::Mp4, Some("s.wav"));
        assert!(mp4.contains(
            "-f rawvideo -pixel_format rgba -video_size 640x360 -framerate 29.97 -i pipe:0 -i file:s.wav -map"
        ));
        for part in ["out_color_matrix=bt709", "format=yuv420p", "libx264", "-crf 18", "aac -b:a 192k", "+faststart"] {
            assert!(mp4.contains(part), "{part} in {mp4}");
        }
        assert!(mp4.ends_with("file:a film.part") && !mp4.contains("-shortest"), "{mp4}");
        let webm = line(Ending::Webm, Some("s.wav"));
        assert!(webm.contains("libvpx-vp9") && webm.contains("libopus") && !webm.contains("faststart"), "{webm}");
        let mute = line(Ending::Mkv, None);
        assert!(!mute.contains("-c:a") && !mute.contains("1:a"), "{mute}");
    }

    #[test]
    fn films_are_known_by_their_endings() {
        assert_eq!(Ending::of(Path::new("a/b.MP4")), Some(Ending::Mp4));
        assert_eq!(Ending::of(Path::new("b.webm")), Some(Ending::Webm));
        assert_eq!([Ending::of(Path::new("mp4")), Ending::of(Path::new("a.avi"))], [None, None]);
    }
}
