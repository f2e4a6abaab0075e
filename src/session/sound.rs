//! Bringing up the sound, keeping it up, and taking it down.
//!
//! Owned by the hands' thread. The engine plays into a device where one is; where none is, and when one is lost, it
//! plays for nobody at the same pace, so that a recording has its sound anyway and a device that returns is taken up
//! in mid-performance.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::{SoundChoice, SoundOptions};
use crate::audio::{self, Desk, Engine, Output, OutputOptions, Player, Recorder, Report, Silent, output};
use crate::journal;
use crate::patch::Matrix;
use crate::score::{Bus, Event};

/// The engine's rate where no device asks for another.
const RATE_HZ: u32 = 48_000;
/// How often a lost device is looked for.
const RETRY: Duration = Duration::from_secs(2);
/// The engine fades out in less than this after the end of the performance.
const FADE: Duration = Duration::from_millis(400);

/// The running sound of a performance.
pub struct Sound {
    desk: Desk,
    playing: Playing,
    /// What to look for when the device is lost; `None` where no device is wanted.
    wanted: Option<OutputOptions>,
    looked: Instant,
    recorder: Option<Recorder>,
    /// A second file that the recorded sound is to be copied to at the end.
    copy_to: Option<PathBuf>,
    described: String,
    dropped: u64,
}

/// Where the player is.
enum Playing {
    Device(Output),
    Silent(Silent),
    /// The sound library kept the player: there is no sound until the end of the performance.
    Lost,
}

impl Sound {
    /// Starts the sound if it is heard or recorded by anyone, and says why no device plays where none does.
    ///
    /// # Errors
    /// A device that was asked for and is not there; a file that is there already or cannot be written.
    pub fn start(
        options: &SoundOptions,
        folder: Option<&Path>,
        bus: &Bus,
        seed: u64,
        matrix: Matrix,
    ) -> anyhow::Result<(Option<Sound>, Option<String>)> {
        let by_name = options.host.is_some() || options.device.is_some();
        let wanted = matches!(options.choice, SoundChoice::Auto | SoundChoice::Device).then(|| OutputOptions {
            host: options.host.clone(),
            device: options.device.clone(),
            rate_hz: None,
        });
        let (device, notice) = match wanted.as_ref().map(output::choose) {
            None => (None, None),
            Some(Ok(device)) => (Some(device), None),
            Some(Err(error)) if by_name || options.choice == SoundChoice::Device => return Err(error.into()),
            Some(Err(error)) => (None, Some(error.to_string())),
        };
        let (wav, copy_to) = match (&options.choice, folder) {
            (SoundChoice::File(file), None) => (Some(file.clone()), None),
            (SoundChoice::File(file), Some(folder)) => {
                // Made now, so that a file that cannot be written is an error before the show and not after it.
                fs::File::create_new(file)
                    .with_context(|| format!("the sound cannot be written to {}", file.display()))?;
                (Some(folder.join(journal::SOUND)), Some(file.clone()))
            }
            (_, folder) => (folder.map(|f| f.join(journal::SOUND)), None),
        };
        if device.is_none() && wav.is_none() {
            return Ok((None, notice));
        }

        let rate_hz = device.as_ref().map_or(RATE_HZ, output::Device::rate_hz);
        let (mut desk, player) = audio::link(Engine::new(rate_hz, seed, matrix));
        let recorder = match (wav, desk.tape()) {
            (Some(wav), Some(tape)) => Some(Recorder::start(tape, &wav)?),
            _ => None,
        };
        bus.tap(desk.cue_sender());
        let mut sound = Sound {
            desk,
            playing: Playing::Lost,
            wanted: wanted.map(|wanted| OutputOptions { rate_hz: Some(rate_hz), ..wanted }),
            looked: Instant::now(),
            recorder,
            copy_to,
            described: "no device".into(),
            dropped: 0,
        };
        let notice = match device {
            Some(device) => sound.open(device, player).or(notice),
            None => {
                sound.play_silently(player);
                notice
            }
        };
        Ok((Some(sound), notice))
    }

    /// The event that says with what the engine was started.
    pub fn event(&self) -> Event {
        Event::Sound { rate_hz: self.desk.rate_hz(), seed: self.desk.seed(), output: self.described.clone() }
    }

    /// Passes on what the callback has said and looks after the device. To be called often.
    pub fn tend(&mut self, bus: &Bus) {
        self.look_after(bus, true);
    }

    /// The same in a replay, whose recording has its heard frames already.
    pub fn follow(&mut self, bus: &Bus) {
        self.look_after(bus, false);
    }

    /// Another matrix, brought by the patch event with the number `of`.
    pub fn take_matrix(&mut self, of: u64, matrix: Matrix) {
        self.desk.swap_matrix(of, matrix);
    }

    fn look_after(&mut self, bus: &Bus, live: bool) {
        let reports: Vec<Report> = self.desk.reports().collect();
        for report in reports {
            match report {
                Report::Heard { of, frame } if live => {
                    bus.emit(Event::Heard { of, frame });
                }
                Report::Xrun(times) if live => {
                    bus.emit(Event::Fault {
                        place: "sound".into(),
                        what: format!("the device ran dry {times} times"),
                        remedy: "give it a larger block or real-time priority".into(),
                    });
                }
                _ => {}
            }
        }
        let (dropped, _) = self.desk.dropped();
        if live && dropped > self.dropped {
            let what = format!("{} events came too fast to be heard", dropped - self.dropped);
            self.dropped = dropped;
            bus.emit(Event::Fault { place: "sound".into(), what, remedy: String::new() });
        }
        if let Some(why) = self.recorder.as_ref().and_then(Recorder::failed) {
            self.recorder = None;
            let remedy = "the show goes on; make room on the disk before the next".into();
            bus.emit(Event::Fault { place: "sound recording".into(), what: why, remedy });
        }
        if let Playing::Device(output) = &self.playing
            && let Some(why) = output.lost()
        {
            let remedy = "plug it in again: the sound comes back by itself".into();
            bus.emit(Event::Fault { place: "sound".into(), what: format!("the device is gone ({why})"), remedy });
            if let Playing::Device(output) = std::mem::replace(&mut self.playing, Playing::Lost)
                && let Some(player) = output.close()
            {
                self.play_silently(player);
            }
        }
        self.look_for_device(bus);
    }

    /// While a device is wanted and none plays, looks for one every now and then.
    fn look_for_device(&mut self, bus: &Bus) {
        let Some(wanted) = &self.wanted else { return };
        if !matches!(self.playing, Playing::Silent(_)) || self.looked.elapsed() < RETRY {
            return;
        }
        self.looked = Instant::now();
        let Ok(device) = output::choose(wanted) else { return };
        if let Playing::Silent(silent) = std::mem::replace(&mut self.playing, Playing::Lost)
            && let Some(player) = silent.stop()
            && self.open(device, player).is_none()
        {
            bus.emit(Event::Notice { text: format!("sound: {}", self.described) });
        }
    }

    /// Plays on the device; says why if it cannot, and plays for nobody then.
    fn open(&mut self, device: output::Device, player: Player) -> Option<String> {
        match device.open(player) {
            Ok(output) => {
                self.described = output.describe().to_string();
                self.playing = Playing::Device(output);
                None
            }
            Err(refused) => {
                if let Some(player) = refused.player {
                    self.play_silently(player);
                }
                Some(refused.error.to_string())
            }
        }
    }

    fn play_silently(&mut self, player: Player) {
        self.described = "no device".into();
        self.playing = Silent::start(player).map_or(Playing::Lost, Playing::Silent);
    }

    /// Lets the last event fade, then stops the device and closes the files; says what went wrong with them.
    pub fn close(mut self, bus: &Bus, live: bool) -> anyhow::Result<()> {
        let began = Instant::now();
        while began.elapsed() < FADE {
            std::thread::sleep(Duration::from_millis(10));
            self.look_after(bus, live);
        }
        match self.playing {
            Playing::Device(output) => drop(output.close()),
            Playing::Silent(silent) => drop(silent.stop()),
            Playing::Lost => {}
        }
        let Some(recorder) = self.recorder else { return Ok(()) };
        let recorded = recorder.stop()?;
        if let Some(to) = &self.copy_to {
            copy(&recorded.written.files, to)?;
        }
        Ok(())
    }
}

/// Copies the first file to `to` and the following, one for each further hour, beside it under numbered names.
fn copy(files: &[PathBuf], to: &Path) -> anyhow::Result<()> {
    for (i, from) in files.iter().enumerate() {
        let to = match i {
            0 => to.to_path_buf(),
            _ => {
                let stem = to.file_stem().unwrap_or_default().to_string_lossy();
                to.with_file_name(format!("{stem}-{}.wav", i + 1))
            }
        };
        anyhow::ensure!(
            i == 0 || !to.exists(),
            "{} is there already; the sound is in {}",
            to.display(),
            from.display()
        );
        fs::copy(from, &to).with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))?;
    }
    Ok(())
}
