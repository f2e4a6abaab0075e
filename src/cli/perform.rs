//! `play` and `replay`: what performs.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::say::{ChatArgs, RoomArgs, SamplerArgs};
use crate::patch;
use crate::score::Layout;
use crate::score::ParamId;
use crate::score::layout::Form;
use crate::session::{self, Record, SoundChoice, StageChoice, View};

/// Where the performance is shown.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Stage {
    Window,
    Terminal,
    Plain,
    None,
}

impl From<Stage> for StageChoice {
    fn from(stage: Stage) -> StageChoice {
        match stage {
            Stage::Window => StageChoice::Window,
            Stage::Terminal => StageChoice::Terminal,
            Stage::Plain => StageChoice::Plain,
            Stage::None => StageChoice::None,
        }
    }
}

/// What the performer sees beside the stage.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Beside {
    None,
    Terminal,
    Window,
}

impl From<Beside> for View {
    fn from(view: Beside) -> View {
        match view {
            Beside::None => View::None,
            Beside::Terminal => View::Terminal,
            Beside::Window => View::Window,
        }
    }
}

/// Where it is shown.
#[derive(Args)]
struct ShownArgs {
    /// Where it is shown; without it, a window where a display is, else the terminal, else plain lines
    #[arg(long)]
    stage: Option<Stage>,
    /// What the performer sees beside the stage, with everything that is played: the terminal's page, or a window
    #[arg(long, default_value = "none")]
    view: Beside,
    /// The display that the stage's window fills: its number, or a part of its name (see `xiao devices`)
    #[arg(long, value_name = "NAME|N")]
    display: Option<String>,
}

/// Where the sound goes.
#[derive(Args)]
struct SoundArgs {
    /// device, none, or a file that ends in .wav or .flac; without it, a device where one is
    #[arg(long, value_name = "device|none|FILE", value_parser = sound_choice)]
    sound: Option<SoundChoice>,
    /// Sound host by name (see `xiao devices`), e.g. jack or alsa
    #[arg(long, value_name = "NAME")]
    sound_host: Option<String>,
    /// Sound device by (part of) its name
    #[arg(long, value_name = "NAME")]
    sound_device: Option<String>,
    /// Sample rate in Hz, if the device can
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(8_000..=384_000))]
    sound_rate: Option<u32>,
    /// Frames of a block, if the device can: fewer are heard sooner, more are safer
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(16..=8192))]
    sound_block: Option<u32>,
    /// Loudspeakers of the room, 2 to 8; each core of the machine has its place among them
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(2..=8))]
    speakers: u8,
    /// How they stand: a ring, clockwise from the front left, or a line from left to right
    #[arg(long, value_name = "ring|line", default_value = "ring", value_parser = form)]
    speakers_form: Form,
    /// The device's channel for each of them, counted from 1, as in 3,4; without it, in their order
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=256))]
    speakers_map: Vec<u16>,
}

impl SoundArgs {
    fn options(self) -> anyhow::Result<session::SoundOptions> {
        let map = self.speakers_map;
        anyhow::ensure!(
            map.is_empty() || map.len() == usize::from(self.speakers),
            "--speakers-map names {} channels and there are {} loudspeakers; name one for each",
            map.len(),
            self.speakers
        );
        let twice = map.iter().enumerate().find(|(i, channel)| map[..*i].contains(channel));
        if let Some((_, channel)) = twice {
            anyhow::bail!("--speakers-map names channel {channel} twice; each loudspeaker has one of its own");
        }
        Ok(session::SoundOptions {
            choice: self.sound.unwrap_or(SoundChoice::Auto),
            host: self.sound_host,
            device: self.sound_device,
            rate_hz: self.sound_rate,
            block: self.sound_block,
            layout: Layout { channels: self.speakers, form: self.speakers_form },
            map,
        })
    }
}

fn sound_choice(word: &str) -> Result<SoundChoice, String> {
    match word {
        "device" => Ok(SoundChoice::Device),
        "none" => Ok(SoundChoice::None),
        file if [".wav", ".flac"].iter().any(|end| file.to_ascii_lowercase().ends_with(end)) => {
            Ok(SoundChoice::File(PathBuf::from(file)))
        }
        _ => Err("device, none, or a file name that ends in .wav or .flac is wanted".into()),
    }
}

fn form(word: &str) -> Result<Form, String> {
    match word {
        "ring" => Ok(Form::Ring),
        "line" => Ok(Form::Line),
        _ => Err("ring or line is wanted".into()),
    }
}

/// Play: generate, show, sound and record
#[derive(Args)]
#[command(
    after_help = "Example:  xiao play\n          xiao play patches/first.toml --seed 7 --seconds 60\n          xiao play --model llama.gguf --stage terminal --sound none\n          xiao play --set generator.pace=4 --temperature 0.6"
)]
pub struct Play {
    /// A patch file, or the name of a patch that comes with xiao
    #[arg(default_value = "first")]
    patch: String,
    /// A GGUF file, a name of `xiao models`, or `embedded`; without it, what the patch says, or the model that comes with
    /// xiao
    #[arg(long, value_name = "FILE|NAME")]
    model: Option<String>,
    /// Begin with this scene of the patch's plan, not with the first
    #[arg(long, value_name = "NAME")]
    scene: Option<String>,
    #[command(flatten)]
    room: RoomArgs,
    #[command(flatten)]
    chat: ChatArgs,
    #[command(flatten)]
    shown: ShownArgs,
    #[command(flatten)]
    sound: SoundArgs,
    /// End after so many seconds
    #[arg(long, value_name = "N", value_parser = seconds)]
    seconds: Option<Duration>,
    /// The same seed draws the same tokens; without it, a new one each time
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Record into this folder, which must be new or empty; without it, performances/<date-time>
    #[arg(long, value_name = "DIR", conflicts_with = "no_record")]
    record: Option<PathBuf>,
    /// Keep nothing
    #[arg(long)]
    no_record: bool,
    /// Listen for OSC at this port, and answer OSCQuery there; without an address, from this machine alone
    #[arg(long, value_name = "[ADDRESS:]PORT", value_parser = osc_port)]
    osc: Option<(Option<IpAddr>, u16)>,
    /// Send OSC there, as in 127.0.0.1:9001; may be given again
    #[arg(long, value_name = "HOST:PORT", value_parser = patch::osc::target)]
    osc_out: Vec<SocketAddr>,
    /// Set any parameter (see `xiao params`); may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    set: Vec<(ParamId, f32)>,
    #[command(flatten)]
    sampler: SamplerArgs,
}

impl Play {
    pub fn run(self) -> anyhow::Result<()> {
        let record = match (self.no_record, self.record) {
            (true, _) => Record::Off,
            (false, Some(folder)) => Record::Into(folder),
            (false, None) => Record::Dated,
        };
        let mut set = self.set;
        set.extend(self.sampler.given());
        session::live::play(session::live::Options {
            patch: self.patch,
            model: self.model.map(|model| super::inspect::source(&model)).transpose()?,
            scene: self.scene,
            context: self.room.context,
            force: self.room.force,
            raw: self.chat.raw,
            system: self.chat.system,
            stage: self.shown.stage.map(Into::into),
            view: self.shown.view.into(),
            display: self.shown.display,
            sound: self.sound.options()?,
            seconds: self.seconds,
            seed: self.seed,
            record,
            set,
            osc: patch::OscWish {
                port: self.osc.map(|(_, port)| port),
                address: self.osc.and_then(|(address, _)| address),
                out: self.osc_out,
            },
        })
    }
}

/// `9000`, or with the address to listen at, `0.0.0.0:9000`.
fn osc_port(text: &str) -> Result<(Option<IpAddr>, u16), String> {
    let port = text.parse().map(|port| (None, port));
    let with_address = || patch::osc::target(text).map(|at| (Some(at.ip()), at.port()));
    port.or_else(|_| with_address()).ok().filter(|(_, port)| *port != 0).ok_or(format!(
        "a port is wanted, as in 9000, or an address of this machine with it, as in 0.0.0.0:9000, not {text:?}"
    ))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let wanted = "a number of seconds above 0 is wanted";
    let seconds: f64 = text.parse().map_err(|_| wanted.to_string())?;
    Duration::try_from_secs_f64(seconds).ok().filter(|d| !d.is_zero()).ok_or_else(|| wanted.to_string())
}

/// Reads `NAME=VALUE` of a parameter; the error names the nearest one.
pub fn setting(text: &str) -> Result<(ParamId, f32), String> {
    let (name, value) = text.split_once('=').ok_or("NAME=VALUE is wanted, e.g. generator.pace=4")?;
    let id = ParamId::from_name(name.trim()).ok_or_else(|| {
        let nearest = ParamId::ALL
            .iter()
            .max_by(|a, b| strsim::jaro_winkler(a.name(), name).total_cmp(&strsim::jaro_winkler(b.name(), name)));
        format!("there is no parameter {name:?}; did you mean {:?}?", nearest.map_or("", |id| id.name()))
    })?;
    Ok((id, super::say::in_range(id)(value.trim())?))
}

/// Play a recording again, from its events alone
#[derive(Args)]
#[command(after_help = "Example:  xiao replay performances/2026-11-23_21-30-05")]
pub struct Replay {
    /// A folder that `xiao play` recorded
    folder: PathBuf,
    #[command(flatten)]
    shown: ShownArgs,
    #[command(flatten)]
    sound: SoundArgs,
}

impl Replay {
    pub fn run(self) -> anyhow::Result<()> {
        let options = session::replay::Options {
            stage: self.shown.stage.map(Into::into),
            view: self.shown.view.into(),
            display: self.shown.display,
            sound: self.sound.options()?,
        };
        session::replay::play(&self.folder, options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_on_the_command_line_are_explained() {
        assert_eq!(setting("generator.pace=4"), Ok((ParamId::Pace, 4.0)));
        assert!(setting("generator.pase=4").unwrap_err().contains("generator.pace"));
        assert!(setting("generator.pace=400").unwrap_err().contains("from 0 to 100"));
        assert!(setting("sampler.top_k=1.5").unwrap_err().contains("whole numbers"));
        assert!(setting("sampler.temperature=NaN").is_err());
        assert!(seconds("-1").is_err() && seconds("inf").is_err() && seconds("0").is_err());
        assert!(sound_choice("loud").is_err());
        assert_eq!(osc_port("9000"), Ok((None, 9000)));
        assert_eq!(osc_port("0.0.0.0:9000"), Ok((Some("0.0.0.0".parse().unwrap()), 9000)));
        assert!(osc_port("0").is_err() && osc_port("here").is_err() && osc_port("70000").is_err());
    }
}
