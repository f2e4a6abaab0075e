//! What is found before the show: everything that can be wrong with the sound that was asked for is said here.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;

use crate::audio::{OutputOptions, output};
use crate::score::Layout;
use crate::session::{SoundChoice, SoundOptions};

/// The engine's rate where no device asks for another.
const RATE_HZ: u32 = 48_000;

/// What was found before the show: everything that can be wrong with the sound that was asked for is said here.
pub struct Plan {
    pub(super) wanted: Option<OutputOptions>,
    pub(super) device: Option<output::Device>,
    /// Whether a device that then refuses to open is an error.
    pub(super) insist: bool,
    pub(super) file: Option<PathBuf>,
    /// Where no device says.
    pub(super) rate_hz: u32,
    pub(super) layout: Layout,
    pub(super) notice: Option<String>,
}

impl Plan {
    /// Looks for the device and tries the file.
    ///
    /// # Errors
    /// A device that was asked for and is not there; a file that is there already or cannot be written.
    pub fn make(options: &SoundOptions) -> anyhow::Result<Plan> {
        let wanted = matches!(options.choice, SoundChoice::Auto | SoundChoice::Device).then(|| OutputOptions {
            host: options.host.clone(),
            device: options.device.clone(),
            rate_hz: None,
            wish_hz: options.rate_hz,
            block: options.block,
            channels: options.layout.count() as u16,
            map: options.map.clone(),
        });
        let insist = options.choice == SoundChoice::Device
            || options.host.is_some()
            || options.device.is_some()
            || !options.map.is_empty()
            || !options.layout.is_stereo();
        let (device, notice) = match wanted.as_ref().map(output::choose) {
            None => (None, None),
            Some(Ok(device)) => (Some(device), None),
            Some(Err(error)) if insist => return Err(error.into()),
            Some(Err(error)) => (None, Some(format!("playing without sound: {error}"))),
        };
        let file = match &options.choice {
            SoundChoice::File(file) => {
                // Tried now, so that a file that cannot be written is an error before the show and not after it.
                let cannot = || format!("the sound cannot be written to {}", file.display());
                drop(fs::File::create_new(file).with_context(cannot)?);
                fs::remove_file(file).with_context(cannot)?;
                Some(file.clone())
            }
            _ => None,
        };
        let told = device.as_ref().map(|device| device.told().join("; ")).filter(|told| !told.is_empty());
        let (rate_hz, layout) = (options.rate_hz.unwrap_or(RATE_HZ), options.layout);
        Ok(Plan { wanted, device, insist, file, rate_hz, layout, notice: notice.or(told) })
    }

    /// The rate at which an engine will run; none where nothing will be heard or written.
    pub fn rate_hz(&self) -> Option<u32> {
        let plays = self.wanted.is_some() || self.file.is_some();
        plays.then(|| self.device.as_ref().map_or(self.rate_hz, output::Device::rate_hz))
    }
}
