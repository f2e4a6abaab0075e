//! The sound device; the only file that sees cpal.
//!
//! A [`Device`] is chosen first, since its sample rate is the engine's; then it is opened with the [`Player`]. The
//! player comes back when an output is closed or could not be opened, so that it can go on elsewhere.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{FromSample, HostId, SampleFormat, SizedSample, StreamConfig};
use crossbeam_channel::{Receiver, Sender, bounded};
use serde::Serialize;

use super::hush::Hush;
use super::link::Player;

/// Where the sound is to go; without names xiao chooses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutputOptions {
    /// `alsa`, `jack`, `coreaudio`, `wasapi`…; unnamed, JACK if its server runs, else the system's own.
    pub host: Option<String>,
    /// Any part of a device's name.
    pub device: Option<String>,
    /// The sample rate that the device must play at, for a player that exists already.
    pub rate_hz: Option<u32>,
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
    let mut config = default.config();
    if let Some(rate_hz) = options.rate_hz
        && rate_hz != config.sample_rate
    {
        let plays = device.supported_output_configs().is_ok_and(|mut ranges| {
            ranges.any(|r| {
                r.channels() == config.channels
                    && r.sample_format() == default.sample_format()
                    && (r.min_sample_rate()..=r.max_sample_rate()).contains(&rate_hz)
            })
        });
        if !plays {
            return Err(OutputError::Rate { device: name, rate_hz });
        }
        config.sample_rate = rate_hz;
    }
    Ok(Device { device, config, format: default.sample_format(), name })
}

impl Device {
    /// The engine's sample rate is to be this.
    pub fn rate_hz(&self) -> u32 {
        self.config.sample_rate
    }

    /// "jack: JACK Output, 48000 Hz, 2 channels".
    pub fn describe(&self) -> String {
        describe(&self.name, &self.config)
    }

    /// Opens the device and plays. With the error the player comes back, unless the sound library lost it.
    pub fn open(self, player: Player) -> Result<Output, Box<Refused>> {
        let _quiet = Hush::begin();
        if player.rate_hz() != self.config.sample_rate {
            let error = OutputError::Rate { device: self.name, rate_hz: player.rate_hz() };
            return Err(Box::new(Refused { error, player: Some(player) }));
        }
        let opened = match self.format {
            SampleFormat::F32 => self.stream::<f32>(player),
            SampleFormat::I16 => self.stream::<i16>(player),
            SampleFormat::U16 => self.stream::<u16>(player),
            SampleFormat::I32 => self.stream::<i32>(player),
            other => {
                let error = OutputError::Format { device: self.name, format: other.to_string() };
                return Err(Box::new(Refused { error, player: Some(player) }));
            }
        };
        let (result, back, lost) = opened;
        let failed = |e: cpal::Error, back: &Receiver<Player>| {
            let error = OutputError::Open { device: self.name.clone(), why: one_line(&e.to_string()) };
            Box::new(Refused { error, player: back.recv_timeout(Duration::from_secs(1)).ok() })
        };
        let stream = result.map_err(|e| failed(e, &back))?;
        if let Err(e) = stream.play() {
            drop(stream);
            return Err(failed(e, &back));
        }
        let name = describe(&self.name, &self.config);
        Ok(Output { stream: Some(stream), back, lost, name })
    }

    #[allow(clippy::type_complexity)]
    fn stream<T: SizedSample + FromSample<f32>>(
        &self,
        player: Player,
    ) -> (Result<cpal::Stream, cpal::Error>, Receiver<Player>, Arc<Mutex<Option<String>>>) {
        let (send_back, back) = bounded(1);
        let lost = Arc::<Mutex<Option<String>>>::default();
        let (xruns, gone) = (player.counters(), lost.clone());
        let channels = usize::from(self.config.channels.max(1));
        let mut held = Held { player: Some(player), back: send_back };
        // Larger blocks than this are filled in parts.
        let mut stereo = vec![0.0f32; 2 * 2048];
        let fill = move |data: &mut [T], _: &cpal::OutputCallbackInfo| {
            let Some(player) = &mut held.player else { return };
            for part in data.chunks_mut(2048 * channels) {
                let block = &mut stereo[..2 * (part.len() / channels)];
                player.fill(block);
                spread(block, part, channels);
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
        (self.device.build_output_stream(self.config, fill, error, None), back, lost)
    }
}

impl Output {
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

/// Stereo onto the device's channels: the sum on one, the first two of more.
fn spread<T: SizedSample + FromSample<f32>>(stereo: &[f32], out: &mut [T], channels: usize) {
    for (frame, out) in stereo.chunks_exact(2).zip(out.chunks_mut(channels)) {
        match out {
            [one] => *one = T::from_sample(0.5 * (frame[0] + frame[1])),
            [left, right, rest @ ..] => {
                *left = T::from_sample(frame[0]);
                *right = T::from_sample(frame[1]);
                rest.fill(T::EQUILIBRIUM);
            }
            [] => {}
        }
    }
}

/// A host and what it offers, for `xiao devices`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HostListing {
    pub host: String,
    /// Why the host cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<String>,
    pub devices: Vec<DeviceListing>,
}

/// A device for output, and how it would play or why not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceListing {
    pub name: String,
    pub default: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<String>,
}

/// Every host that xiao was built with, and its output devices.
pub fn list() -> Vec<HostListing> {
    let _quiet = Hush::begin();
    cpal::ALL_HOSTS.iter().map(|id| list_host(*id)).collect()
}

fn list_host(id: HostId) -> HostListing {
    let host_name = id.to_string().to_lowercase();
    let no = |why: String| HostListing { host: host_name.clone(), unavailable: Some(why), devices: Vec::new() };
    let host = match cpal::host_from_id(id) {
        Ok(host) => host,
        Err(e) => return no(one_line(&e.to_string())),
    };
    let default = host.default_output_device().map(|d| name_of(&d));
    let listed = match host.output_devices() {
        Ok(devices) => devices.filter(plays),
        Err(e) => return no(one_line(&e.to_string())),
    };
    let mut devices: Vec<DeviceListing> = Vec::new();
    for device in listed {
        let name = name_of(&device);
        let (config, unavailable) = match device.default_output_config() {
            Ok(c) => (Some(format!("{} Hz, {} channels, {}", c.sample_rate(), c.channels(), c.sample_format())), None),
            Err(e) => (None, Some(one_line(&e.to_string()))),
        };
        let device = DeviceListing { default: default.as_ref() == Some(&name), name, config, unavailable };
        // ALSA names one card in several ways.
        if !devices.contains(&device) {
            devices.push(device);
        }
    }
    let unavailable = devices.is_empty().then(|| match host_name.as_str() {
        "jack" => "the JACK server is not running".to_string(),
        _ => "it offers no output device".to_string(),
    });
    HostListing { host: host_name, unavailable, devices }
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
    fn stereo_is_spread_over_any_channels() {
        let stereo = [0.5, -0.25, 1.0, 0.0];
        let mut mono = [0i16; 2];
        spread(&stereo, &mut mono, 1);
        assert_eq!(mono, [4096, 16384]);
        let mut four = [9.0f32; 8];
        spread(&stereo, &mut four, 4);
        assert_eq!(four, [0.5, -0.25, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        let mut unsigned = [0u16; 4];
        spread(&stereo, &mut unsigned, 2);
        assert_eq!(unsigned[3], 32768);
    }

    #[test]
    fn an_unknown_host_is_named_with_those_there_are() {
        let error = choose(&OutputOptions { host: Some("asoi".into()), ..OutputOptions::default() }).err().unwrap();
        assert!(error.to_string().starts_with("there is no sound host \"asoi\" here; there is "), "{error}");
    }
}
