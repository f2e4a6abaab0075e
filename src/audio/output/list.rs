//! What there is to play on, for `xiao devices`.

use cpal::HostId;
use cpal::traits::{DeviceTrait, HostTrait};
use serde::Serialize;

use super::{name_of, one_line, plays};
use crate::audio::hush::Hush;

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
