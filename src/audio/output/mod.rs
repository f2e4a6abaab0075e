//! The sound device; the only folder that sees cpal.
//!
//! A [`Device`] is chosen first, since its sample rate is the engine's; then it is opened with the [`Player`]. The
//! player comes back when an output is closed or could not be opened, so that it can go on elsewhere.

mod config;
mod list;
pub mod priority;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, FromSample, SampleFormat, SizedSample, StreamConfig};
use crossbeam_channel::{Receiver, Sender, bounded};

use super::hush::Hush;
use super::link::Player;
pub use list::{DeviceListing, HostListing, list};
use priority::Answer;
pub use priority::{Priority, REMEDY};

/// Where the sound is to go; without names xiao chooses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutputOptions {
    /// `alsa`, `jack`, `coreaudio`, `wasapi`…; unnamed, JACK if its server runs, else the system's own.
    pub host: Option<String>,
    /// Any part of a device's name.
    pub device: Option<String>,
    /// The sample rate that the device must play at, for a player that exists already.
    pub rate_hz: Option<u32>,
    /// The one that is asked for, if the device can.
    pub wish_hz: Option<u32>,
    /// Frames of a block, if the device can.
    pub block: Option<u32>,
    /// Loudspeakers of the room; 0 and 1 are two.
    pub channels: u16,
    /// The device's channel, counted from 1, for each of them; empty is in their order.
    pub map: Vec<u16>,
}

impl OutputOptions {
    /// The device's channels that are needed.
    fn needed(&self) -> u16 {
        self.map.iter().copied().max().unwrap_or(0).max(if self.map.is_empty() { self.channels.max(2) } else { 0 })
    }
}

/// Why there is no sound; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    #[error("there is no sound host {name:?} here; there is {there}")]
    NoSuchHost { name: String, there: String },
    #[error("the JACK server is not running; start it (jackd -d alsa) or leave the host to xiao")]
    NoJack,
    #[error("no sound device of {host} has {name:?} in its name; `xiao devices` lists them")]
    NoSuchDevice { host: String, name: String },
    #[error("no sound device was found ({why}); `xiao devices` lists what there is")]
    NoDevice { why: String },
    #[error("{device} cannot play {rate_hz} Hz, the rate of this performance; set it to that rate")]
    Rate { device: String, rate_hz: u32 },
    #[error("{device} has {most} channels and {needed} are asked for; take fewer, or others in --map")]
    Channels { device: String, needed: u16, most: u16 },
    #[error("{device} asks for {format} samples, which xiao does not play")]
    Format { device: String, format: String },
    #[error("{device} could not be opened: {why}")]
    Open { device: String, why: String },
}

/// A device that was found and says that it can play.
pub struct Device {
    device: cpal::Device,
    config: StreamConfig,
    format: SampleFormat,
    name: String,
    map: Vec<u16>,
    told: Vec<String>,
}

/// A device that could not be opened, and the player that was to play on it.
#[derive(thiserror::Error)]
#[error("{error}")]
pub struct Refused {
    #[source]
    pub error: OutputError,
    pub player: Option<Player>,
}

impl std::fmt::Debug for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.error)
    }
}

/// A running output. Dropping it stops the sound.
pub struct Output {
    stream: Option<cpal::Stream>,
    back: Receiver<Player>,
    lost: Arc<Mutex<Option<String>>>,
    priority: Arc<Answer>,
    name: String,
}

/// Finds the device that the options ask for.
pub fn choose(options: &OutputOptions) -> Result<Device, OutputError> {
    let _quiet = Hush::begin();
    let host = match &options.host {
        Some(name) => host_named(name)?,
        None => best_host(),
    };
    let host_name = host.id().to_string().to_lowercase();
    let (device, device_name) = match &options.device {
        Some(name) => device_named(&host, name)
            .ok_or_else(|| OutputError::NoSuchDevice { host: host_name.clone(), name: name.clone() })?,
        None => {
            let device = host.default_output_device().ok_or_else(|| match host_name.as_str() {
                "jack" => OutputError::NoJack,
                _ => OutputError::NoDevice { why: format!("{host_name} offers none") },
            })?;
            let name = name_of(&device);
            (device, name)
        }
    };
    let default = device.default_output_config().map_err(|e| OutputError::NoDevice {
        why: format!("{host_name}, {device_name}: {}", one_line(&e.to_string()).trim_end_matches('.')),
    })?;
    let name = format!("{host_name}: {device_name}");
    let ranges: Vec<_> = device.supported_output_configs().map(Iterator::collect).unwrap_or_default();
    let config::Choice { config, format, told } = config::choose(&name, &default, &ranges, options)?;
    Ok(Device { device, config, format, name, map: options.map.clone(), told })
}

impl Device {
    /// The engine's sample rate is to be this.
    pub fn rate_hz(&self) -> u32 {
        self.config.sample_rate
    }

    /// What of the wishes it does not meet, for people.
    pub fn told(&self) -> &[String] {
        &self.told
    }

    /// Opens the device and plays. With the error the player comes back, unless the sound library lost it.
    pub fn open(self, player: Player) -> Result<Output, Box<Refused>> {
        let _quiet = Hush::begin();
        if player.rate_hz() != self.config.sample_rate {
            let error = OutputError::Rate { device: self.name, rate_hz: player.rate_hz() };
            return Err(Box::new(Refused { error, player: Some(player) }));
        }
        let (mut config, mut refused) = (self.config, false);
        let (mut result, mut back, mut lost, mut priority) = self.stream(config, player)?;
        // A block that was asked for and is refused after all: the device's own.
        if result.is_err() && config.buffer_size != BufferSize::Default {
            let Some(player) = back.recv_timeout(Duration::from_secs(1)).ok() else {
                let error = OutputError::Open { device: self.name, why: "it kept the player".into() };
                return Err(Box::new(Refused { error, player: None }));
            };
            config.buffer_size = BufferSize::Default;
            refused = true;
            (result, back, lost, priority) = self.stream(config, player)?;
        }
        let failed = |e: cpal::Error, back: &Receiver<Player>| {
            let error = OutputError::Open { device: self.name.clone(), why: one_line(&e.to_string()) };
            Box::new(Refused { error, player: back.recv_timeout(Duration::from_secs(1)).ok() })
        };
        let stream = result.map_err(|e| failed(e, &back))?;
        if let Err(e) = stream.play() {
            drop(stream);
            return Err(failed(e, &back));
        }
        let mut name = describe(&self.name, &config);
        if refused {
            name.push_str(", in blocks of its own: it refused those that were asked for");
        }
        Ok(Output { stream: Some(stream), back, lost, priority, name })
    }

    fn stream(&self, config: StreamConfig, player: Player) -> Result<Opened, Box<Refused>> {
        Ok(match self.format {
            SampleFormat::F32 => self.stream_of::<f32>(config, player),
            SampleFormat::I16 => self.stream_of::<i16>(config, player),
            SampleFormat::U16 => self.stream_of::<u16>(config, player),
            SampleFormat::I32 => self.stream_of::<i32>(config, player),
            other => {
                let error = OutputError::Format { device: self.name.clone(), format: other.to_string() };
                return Err(Box::new(Refused { error, player: Some(player) }));
            }
        })
    }

    fn stream_of<T: SizedSample + FromSample<f32>>(&self, config: StreamConfig, player: Player) -> Opened {
        let (send_back, back) = bounded(1);
        let lost = Arc::<Mutex<Option<String>>>::default();
        let (xruns, gone) = (player.counters(), lost.clone());
        let channels = usize::from(config.channels.max(1));
        let of_room = player.channels();
        let map = Map::new(of_room, channels, &self.map);
        let mut held = Held { player: Some(player), back: send_back };
        // Larger blocks than this are filled in parts.
        let mut frames = vec![0.0f32; of_room * 2048];
        let priority = Arc::<Answer>::default();
        let (answer, mut asked) = (priority.clone(), false);
        let fill = move |data: &mut [T], _: &cpal::OutputCallbackInfo| {
            let Some(player) = &mut held.player else { return };
            if !asked {
                asked = true;
                priority::ask(&answer);
            }
            for part in data.chunks_mut(2048 * channels) {
                let block = &mut frames[..of_room * (part.len() / channels)];
                player.fill(block);
                map.spread(block, part);
            }
        };
        let error = move |e: cpal::Error| match e.kind() {
            cpal::ErrorKind::Xrun => {
                xruns.xruns.fetch_add(1, Ordering::Relaxed);
            }
            // The stream plays on: another priority, another device behind the same name.
            cpal::ErrorKind::RealtimeDenied | cpal::ErrorKind::DeviceChanged => {}
            _ => {
                let mut gone = gone.lock().unwrap_or_else(|e| e.into_inner());
                gone.get_or_insert_with(|| one_line(&e.to_string()));
            }
        };
        (self.device.build_output_stream(config, fill, error, None), back, lost, priority)
    }
}

/// A stream, if it could be made, and where its player, its loss and its priority will be told.
type Opened = (Result<cpal::Stream, cpal::Error>, Receiver<Player>, Arc<Mutex<Option<String>>>, Arc<Answer>);

impl Output {
    /// Whether the system lets the sound go before other programs.
    pub fn priority(&self) -> Priority {
        self.priority.get()
    }

    /// "jack: JACK Output, 48000 Hz, 2 channels".
    pub fn describe(&self) -> &str {
        &self.name
    }

    /// Why the device is gone, once it is. Close the output, and play without a device or open another.
    pub fn lost(&self) -> Option<String> {
        self.lost.lock().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// Stops the sound and gives the player back; `None` if the sound library did not let go of it within a second.
    pub fn close(mut self) -> Option<Player> {
        let _quiet = Hush::begin();
        drop(self.stream.take());
        self.back.recv_timeout(Duration::from_secs(1)).ok()
    }
}

/// Holds the player inside the callback; when the sound library drops the callback the player goes back.
struct Held {
    player: Option<Player>,
    back: Sender<Player>,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(player) = self.player.take() {
            let _ = self.back.try_send(player);
        }
    }
}

/// Which of the device's channels each of the room's goes to.
struct Map {
    of_room: usize,
    of_device: usize,
    /// Counted from 0; beyond the device's last it is not heard.
    to: Vec<usize>,
}

impl Map {
    fn new(of_room: usize, of_device: usize, map: &[u16]) -> Map {
        let to = |i: usize| map.get(i).map_or(i, |channel| usize::from(channel.saturating_sub(1)));
        Map { of_room, of_device, to: (0..of_room).map(to).collect() }
    }

    /// A device of one channel gets the mean of all.
    fn spread<T: SizedSample + FromSample<f32>>(&self, frames: &[f32], out: &mut [T]) {
        for (frame, out) in frames.chunks_exact(self.of_room).zip(out.chunks_mut(self.of_device)) {
            if let [one] = out {
                *one = T::from_sample(frame.iter().sum::<f32>() / frame.len() as f32);
                continue;
            }
            out.fill(T::EQUILIBRIUM);
            for (x, to) in frame.iter().zip(&self.to) {
                if let Some(out) = out.get_mut(*to) {
                    *out = T::from_sample(*x);
                }
            }
        }
    }
}

fn host_named(name: &str) -> Result<cpal::Host, OutputError> {
    let there = || cpal::ALL_HOSTS.iter().map(|h| h.to_string().to_lowercase()).collect::<Vec<_>>().join(", ");
    cpal::ALL_HOSTS
        .iter()
        .find(|id| id.to_string().eq_ignore_ascii_case(name))
        .and_then(|id| cpal::host_from_id(*id).ok())
        .ok_or_else(|| OutputError::NoSuchHost { name: name.to_string(), there: there() })
}

/// JACK if its server runs (whoever started it wants it used), else the system's own.
fn best_host() -> cpal::Host {
    #[cfg(feature = "jack")]
    if let Some(id) = cpal::ALL_HOSTS.iter().find(|id| id.to_string().eq_ignore_ascii_case("jack"))
        && let Ok(host) = cpal::host_from_id(*id)
        && host.default_output_device().is_some()
    {
        return host;
    }
    cpal::default_host()
}

fn device_named(host: &cpal::Host, part: &str) -> Option<(cpal::Device, String)> {
    let part = part.to_lowercase();
    host.output_devices().ok()?.filter(plays).map(|d| (name_of(&d), d)).find_map(|(name, device)| {
        let id = device.id().map(|id| id.to_string()).unwrap_or_default();
        (name.to_lowercase().contains(&part) || id.to_lowercase().contains(&part)).then_some((device, name))
    })
}

/// JACK's input counts itself among the outputs.
fn plays(device: &cpal::Device) -> bool {
    device.description().is_ok_and(|d| d.direction() != cpal::DeviceDirection::Input)
}

fn name_of(device: &cpal::Device) -> String {
    device.description().map_or_else(|_| "unnamed".to_string(), |d| d.name().to_string())
}

fn describe(name: &str, config: &StreamConfig) -> String {
    let plural = if config.channels == 1 { "" } else { "s" };
    format!("{name}, {} Hz, {} channel{plural}", config.sample_rate, config.channels)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rooms_channels_go_where_they_are_mapped() {
        let stereo = [0.5, -0.25, 1.0, 0.0];
        let mut mono = [0i16; 2];
        Map::new(2, 1, &[]).spread(&stereo, &mut mono);
        assert_eq!(mono, [4096, 16384]);
        let mut four = [9.0f32; 8];
        Map::new(2, 4, &[]).spread(&stereo, &mut four);
        assert_eq!(four, [0.5, -0.25, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        Map::new(2, 4, &[4, 2]).spread(&stereo, &mut four);
        assert_eq!(four, [0.0, -0.25, 0.0, 0.5, 0.0, 0.0, 0.0, 1.0]);
        Map::new(4, 4, &[1, 2, 9, 0]).spread(&[0.1, 0.2, 0.3, 0.4], &mut four[..4]);
        assert_eq!(four[..4], [0.4, 0.2, 0.0, 0.0]);
        let mut unsigned = [0u16; 4];
        Map::new(2, 2, &[]).spread(&stereo, &mut unsigned);
        assert_eq!(unsigned[3], 32768);
    }

    #[test]
    fn an_unknown_host_is_named_with_those_there_are() {
        let error = choose(&OutputOptions { host: Some("asoi".into()), ..OutputOptions::default() }).err().unwrap();
        assert!(error.to_string().starts_with("there is no sound host \"asoi\" here; there is "), "{error}");
    }
}
