//! Bringing up the sound, keeping it up, and taking it down.
//!
//! Owned by the hands' thread. The engine plays into a device where one is; where none is, and when one is lost, it
//! plays for nobody at the same pace, so that a recording has its sound anyway and a device that returns is taken up
//! in mid-performance.

mod plan;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use crossbeam_channel::TryRecvError;

use crate::audio::file;
use crate::audio::output::{Priority, REMEDY};
use crate::audio::{self, Bank, Desk, Engine, Output, OutputOptions, Player, Recorder, Report, Silent, output};
use crate::journal;
use crate::patch::Matrix;
use crate::score::spectrum::BANDS;
use crate::score::{Bus, Event, Spectrum};
pub use plan::Plan;

/// How often a lost device is looked for.
const RETRY: Duration = Duration::from_secs(1);
/// The engine fades out in less than this after the end of the performance.
const FADE: Duration = Duration::from_millis(400);

/// What is shown where nothing is heard.
const NO_DEVICE: &str = "no device";

/// The running sound of a performance.
pub struct Sound {
    desk: Desk,
    playing: Playing,
    /// What the engine shows of its sound.
    spectrum: Spectrum,
    /// What to look for when the device is lost; `None` where no device is wanted.
    wanted: Option<OutputOptions>,
    looked: Instant,
    /// Where the answer of the present look will come.
    looking: Option<crossbeam_channel::Receiver<Option<output::Device>>>,
    recorder: Option<Recorder>,
    /// Why the recorder ended before the performance did.
    broken: Option<String>,
    /// A second file that the recorded sound is to be copied to at the end.
    copy_to: Option<PathBuf>,
    described: String,
    dropped: u64,
    /// The callback's, as it was told last.
    load: f32,
    /// How often the device ran dry since it was last told, and when that was.
    xruns: u64,
    dry: Option<Instant>,
    /// That the system gives no priority has been said.
    warned: bool,
    closing: bool,
    /// When losses were last counted.
    counted: Instant,
}

/// Where the player is.
enum Playing {
    Device(Output),
    Silent(Silent),
    /// The sound library kept the player: there is no sound until the end of the performance.
    Lost,
}

impl Sound {
    /// Starts the sound if it is to be heard or recorded, shows its bands in the spectrum, and says why no device plays where none does.
    ///
    /// # Errors
    /// A device that was asked for and does not open; a file that cannot be written.
    pub fn start(
        plan: Plan,
        folder: Option<&Path>,
        bus: &Bus,
        seed: u64,
        matrix: Matrix,
        spectrum: &Spectrum,
    ) -> anyhow::Result<(Option<Sound>, Option<String>)> {
        let Plan { wanted, device, insist, file, rate_hz, layout, notice } = plan;
        let (wav, copy_to) = match (file, folder) {
            (Some(file), None) => (Some(file), None),
            (file, folder) => (folder.map(|f| f.join(journal::SOUND)), file),
        };
        // Where a device is wanted the engine runs without one too, so that it can be plugged in later.
        if wanted.is_none() && wav.is_none() {
            return Ok((None, notice));
        }

        let rate_hz = device.as_ref().map_or(rate_hz, output::Device::rate_hz);
        let engine = Engine::in_room(rate_hz, seed, matrix, layout).with_spectrum(spectrum.clone());
        let (mut desk, player) = audio::link(engine);
        let recorder = match (wav, desk.tape()) {
            (Some(wav), Some(tape)) => Some(Recorder::start(tape, &wav)?),
            _ => None,
        };
        bus.tap(desk.cue_sender());
        let mut sound = Sound {
            desk,
            playing: Playing::Lost,
            spectrum: spectrum.clone(),
            wanted: wanted.map(|wanted| OutputOptions { rate_hz: Some(rate_hz), ..wanted }),
            looked: Instant::now(),
            looking: None,
            recorder,
            broken: None,
            copy_to,
            described: NO_DEVICE.into(),
            dropped: 0,
            load: 0.0,
            xruns: 0,
            dry: None,
            warned: false,
            closing: false,
            counted: Instant::now(),
        };
        let notice = match device {
            Some(device) => match sound.open(device, player) {
                Some(why) if insist => anyhow::bail!(why),
                other => other.or(notice),
            },
            None => {
                sound.play_silently(player);
                notice
            }
        };
        Ok((Some(sound), notice))
    }

    /// The event that says with what the engine was started.
    pub fn event(&self) -> Event {
        Event::Sound {
            rate_hz: self.desk.rate_hz(),
            seed: self.desk.seed(),
            output: self.described.clone(),
            layout: self.desk.layout(),
        }
    }

    /// Passes on what the callback has said and looks after the device. To be called often. True when the device has
    /// just been lost.
    pub fn tend(&mut self, bus: &Bus) -> bool {
        self.look_after(bus, true)
    }

    /// The same in a replay, whose recording has its heard frames already.
    pub fn follow(&mut self, bus: &Bus) {
        self.look_after(bus, false);
    }

    /// Another matrix, brought by the patch event with the number `of`.
    /// False if the callback has not taken the last eight.
    pub fn take_matrix(&mut self, of: u64, matrix: Matrix) -> bool {
        self.desk.swap_matrix(of, matrix)
    }

    /// Another bank of samples, brought by the samples event with the number `of`; false if it is not taken.
    pub fn take_bank(&mut self, of: u64, bank: Bank) -> bool {
        self.desk.swap_bank(of, bank)
    }

    /// The engine's sample rate.
    pub fn rate_hz(&self) -> u32 {
        self.desk.rate_hz()
    }

    fn look_after(&mut self, bus: &Bus, live: bool) -> bool {
        let reports: Vec<Report> = self.desk.reports().collect();
        for report in reports {
            match report {
                Report::Heard { of, frame } if live => {
                    bus.emit(Event::Heard { of, frame });
                }
                // A notice and not a fault: a fault is itself a gesture of the sound.
                // Past the end only what was heard is told still, so that the journal can be rendered to its end.
                Report::Load(_) | Report::Xrun(_) | Report::Failed(_) if self.closing => {}
                Report::Load(load) if live => {
                    self.load = load;
                    bus.emit(Event::Callback { load, xruns: 0 });
                }
                Report::Failed(voice) if live => {
                    let text = format!("sound: the {voice} gave what is not a number and began anew");
                    bus.emit(Event::Notice { text });
                }
                Report::Xrun(times) if live => self.xruns += times,
                _ => {}
            }
        }
        // A device that runs dry at every block is told of twice a second and not each time.
        if self.xruns > 0 && self.dry.is_none_or(|told| told.elapsed() >= Duration::from_millis(500)) {
            let times = std::mem::take(&mut self.xruns);
            self.dry = Some(Instant::now());
            bus.emit(Event::Callback { load: self.load, xruns: times });
            let times = if times == 1 { "once".to_string() } else { format!("{times} times") };
            let text = format!("sound: the device ran dry {times}; give it a larger block");
            bus.emit(Event::Notice { text });
        }
        if self.counted.elapsed() >= Duration::from_secs(1) {
            self.counted = Instant::now();
            let (cues, reports) = self.desk.dropped();
            if live && cues + reports > self.dropped {
                let text = format!("sound: {} events came too fast to be heard", cues + reports - self.dropped);
                self.dropped = cues + reports;
                bus.emit(Event::Notice { text });
            }
        }
        if let Some(why) = self.recorder.as_ref().and_then(Recorder::failed) {
            self.recorder = None;
            let remedy = "the show goes on; make room on the disk before the next".into();
            bus.emit(Event::Fault { place: "sound recording".into(), what: why.clone(), remedy });
            self.broken = Some(why);
        }
        if let Playing::Device(output) = &self.playing
            && !self.warned
            && output.priority() == Priority::Denied
        {
            self.warned = true;
            if live {
                bus.emit(Event::Notice { text: format!("sound: {REMEDY}") });
            }
        }
        let mut lost = false;
        if let Playing::Device(output) = &self.playing
            && let Some(why) = output.lost()
        {
            lost = true;
            let remedy = "plug it in again: the sound comes back by itself".into();
            bus.emit(Event::Fault { place: "sound".into(), what: format!("the device is gone ({why})"), remedy });
            if let Playing::Device(output) = std::mem::replace(&mut self.playing, Playing::Lost) {
                match output.close() {
                    Some(player) => self.play_silently(player),
                    None => self.give_up(bus),
                }
            }
        }
        self.look_for_device(bus);
        lost
    }

    /// While a device is wanted and none plays, looks for one every now and then, on a thread of its own: a sound
    /// server that does not answer must not hold up the hands.
    fn look_for_device(&mut self, bus: &Bus) {
        let Some(wanted) = &self.wanted else { return };
        if !matches!(self.playing, Playing::Silent(_)) {
            return;
        }
        let Some(looking) = &self.looking else {
            if self.looked.elapsed() >= RETRY {
                self.looked = Instant::now();
                let (found, looking) = crossbeam_channel::bounded(1);
                let wanted = wanted.clone();
                let look = move || drop(found.send(output::choose(&wanted).ok()));
                if std::thread::Builder::new().name("xiao-look".into()).spawn(look).is_ok() {
                    self.looking = Some(looking);
                }
            }
            return;
        };
        let found = match looking.try_recv() {
            Err(TryRecvError::Empty) => return,
            // The look itself failed: the next one may not.
            Err(TryRecvError::Disconnected) => None,
            Ok(found) => found,
        };
        self.looking = None;
        let Some(device) = found else { return };
        if let Playing::Silent(silent) = std::mem::replace(&mut self.playing, Playing::Lost) {
            match silent.stop() {
                Some(player) => match self.open(device, player) {
                    None => drop(bus.emit(Event::Notice { text: format!("sound: {}", self.described) })),
                    Some(_) if matches!(self.playing, Playing::Silent(_)) => {}
                    Some(_) => self.give_up(bus),
                },
                None => self.give_up(bus),
            }
        }
    }

    /// The sound library kept the player.
    fn give_up(&self, bus: &Bus) {
        self.spectrum.write(&[0.0; BANDS]);
        let what = "the sound library does not let go of the lost device".to_string();
        let remedy = "this performance goes on without sound".to_string();
        bus.emit(Event::Fault { place: "sound".into(), what, remedy });
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
        self.described = NO_DEVICE.into();
        self.playing = Silent::start(player).map_or(Playing::Lost, Playing::Silent);
    }

    /// Lets the last event fade, then stops the device and closes the files; says what went wrong with them.
    pub fn close(mut self, bus: &Bus, live: bool) -> anyhow::Result<()> {
        self.closing = true;
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
        if let Some(why) = self.broken {
            anyhow::bail!(why);
        }
        let Some(recorder) = self.recorder else { return Ok(()) };
        let recorded = recorder.stop()?;
        if recorded.gap_frames > 0 {
            let seconds = recorded.gap_frames as f64 / f64::from(self.desk.rate_hz());
            super::remark(&format!("{seconds:.2} s of the recorded sound are silence: the disk was too slow"));
        }
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
            _ => file::numbered(to, i + 1),
        };
        anyhow::ensure!(!to.exists(), "{} is there already; the sound is in {}", to.display(), from.display());
        let copied = match file::is_flac(&to) {
            true => file::encode(from, &to).map_err(anyhow::Error::from),
            false => copy_new(from, &to).map_err(anyhow::Error::from),
        };
        copied.with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))?;
    }
    Ok(())
}

fn copy_new(from: &Path, to: &Path) -> std::io::Result<()> {
    std::io::copy(&mut fs::File::open(from)?, &mut fs::File::create_new(to)?).map(drop)
}
