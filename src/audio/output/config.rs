//! How a device is to play: what was asked for where it can, the nearest that it can where not. Pure.

use cpal::{BufferSize, SampleFormat, StreamConfig, SupportedBufferSize, SupportedStreamConfig};
use cpal::{SampleRate, SupportedStreamConfigRange};

use super::{OutputError, OutputOptions};

/// A way in which a device can play, and what of the wishes it leaves open.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub config: StreamConfig,
    pub format: SampleFormat,
    /// For people: what is not as it was asked for.
    pub told: Vec<String>,
}

/// Sample formats that are played, the best first.
const FORMATS: [SampleFormat; 4] = [SampleFormat::F32, SampleFormat::I32, SampleFormat::I16, SampleFormat::U16];

/// The highest rate of the engine.
const MOST_HZ: SampleRate = 384_000;

/// Chooses among what a device offers.
///
/// # Errors
/// Too few channels for the room, a rate that the performance needs and the device does not play.
pub fn choose(
    device: &str,
    default: &SupportedStreamConfig,
    ranges: &[SupportedStreamConfigRange],
    options: &OutputOptions,
) -> Result<Choice, OutputError> {
    let mut told = Vec::new();
    let channels = channels(device, default, ranges, options)?;
    let format = format(default, ranges, channels);
    let fitting: Vec<_> = ranges.iter().filter(|r| r.channels() == channels && r.sample_format() == format).collect();
    let plays = |rate: SampleRate| {
        fitting.iter().any(|r| (r.min_sample_rate()..=r.max_sample_rate()).contains(&rate))
            || (fitting.is_empty() && rate == default.sample_rate())
    };
    let rate_hz = match (options.rate_hz, options.wish_hz) {
        (Some(rate_hz), _) if plays(rate_hz) => rate_hz,
        (Some(rate_hz), _) => return Err(OutputError::Rate { device: device.into(), rate_hz }),
        (None, Some(wish)) if plays(wish) => wish,
        (None, Some(wish)) => {
            let bounds = fitting.iter().flat_map(|r| [r.min_sample_rate(), r.max_sample_rate()]);
            let nearest = bounds.chain([default.sample_rate()]).min_by_key(|rate| rate.abs_diff(wish));
            let nearest = nearest.unwrap_or(default.sample_rate());
            told.push(format!("{device} does not play {wish} Hz; it plays {nearest} Hz"));
            nearest
        }
        (None, None) if plays(default.sample_rate()) && default.sample_rate() <= MOST_HZ => default.sample_rate(),
        // What it usually plays it does not play with so many channels, or the engine does not.
        (None, None) => {
            let bounds = fitting.iter().flat_map(|r| [r.min_sample_rate(), r.max_sample_rate()]);
            let here = bounds.filter(|rate| *rate <= MOST_HZ).min_by_key(|rate| rate.abs_diff(default.sample_rate()));
            here.unwrap_or(default.sample_rate())
        }
    };
    let buffer_size = match options.block {
        None => BufferSize::Default,
        Some(block) => {
            let here = fitting.iter().find(|r| (r.min_sample_rate()..=r.max_sample_rate()).contains(&rate_hz));
            match here.map_or(default.buffer_size(), |r| r.buffer_size()) {
                SupportedBufferSize::Range { min, max } if (*min..=*max).contains(&block) => BufferSize::Fixed(block),
                SupportedBufferSize::Range { min, max } => {
                    let nearest = block.clamp(*min, (*max).max(*min));
                    told.push(format!("{device} does not play blocks of {block} frames; it plays {nearest}"));
                    BufferSize::Fixed(nearest)
                }
                SupportedBufferSize::Unknown => BufferSize::Fixed(block),
            }
        }
    };
    Ok(Choice { config: StreamConfig { channels, sample_rate: rate_hz, buffer_size }, format, told })
}

/// As many as the room needs; in stereo what the device likes, if it has two.
fn channels(
    device: &str,
    default: &SupportedStreamConfig,
    ranges: &[SupportedStreamConfigRange],
    options: &OutputOptions,
) -> Result<u16, OutputError> {
    let needed = options.needed();
    if default.channels() >= needed || (needed == 2 && options.map.is_empty()) {
        return Ok(default.channels());
    }
    let offered = ranges.iter().map(|r| r.channels());
    offered.clone().filter(|n| *n >= needed).min().ok_or_else(|| OutputError::Channels {
        device: device.into(),
        needed,
        most: offered.max().unwrap_or(default.channels()),
    })
}

fn format(default: &SupportedStreamConfig, ranges: &[SupportedStreamConfigRange], channels: u16) -> SampleFormat {
    let here = |format: SampleFormat| ranges.iter().any(|r| r.channels() == channels && r.sample_format() == format);
    let usual = default.sample_format();
    if FORMATS.contains(&usual) && (here(usual) || channels == default.channels()) {
        return usual;
    }
    FORMATS.into_iter().find(|format| here(*format)).unwrap_or(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(channels: u16, rates: (u32, u32), format: SampleFormat) -> SupportedStreamConfigRange {
        SupportedStreamConfigRange::new(
            channels,
            rates.0,
            rates.1,
            SupportedBufferSize::Range { min: 64, max: 2048 },
            format,
        )
    }

    fn card() -> (SupportedStreamConfig, Vec<SupportedStreamConfigRange>) {
        let unlike = SupportedBufferSize::Range { min: 64, max: 2048 };
        let default = SupportedStreamConfig::new(2, 48_000, unlike, SampleFormat::I16);
        let ranges = vec![
            range(2, (44_100, 48_000), SampleFormat::I16),
            range(8, (48_000, 96_000), SampleFormat::I32),
            range(2, (8_000, 8_000), SampleFormat::U8),
        ];
        (default, ranges)
    }

    fn chosen(options: OutputOptions) -> Result<Choice, OutputError> {
        let (default, ranges) = card();
        choose("card", &default, &ranges, &options)
    }

    #[test]
    fn wishes_are_met_or_told() {
        let plain = chosen(OutputOptions::default()).unwrap();
        assert_eq!((plain.config.channels, plain.config.sample_rate, plain.told.len()), (2, 48_000, 0));
        let wished =
            chosen(OutputOptions { wish_hz: Some(44_100), block: Some(128), ..OutputOptions::default() }).unwrap();
        assert_eq!((wished.config.sample_rate, wished.config.buffer_size), (44_100, BufferSize::Fixed(128)));
        assert!(wished.told.is_empty());
        let far =
            chosen(OutputOptions { wish_hz: Some(192_000), block: Some(16), ..OutputOptions::default() }).unwrap();
        assert_eq!((far.config.sample_rate, far.config.buffer_size), (48_000, BufferSize::Fixed(64)));
        assert_eq!(far.told.len(), 2, "{:?}", far.told);
    }

    #[test]
    fn a_room_takes_the_channels_it_needs() {
        let four = chosen(OutputOptions { channels: 4, ..OutputOptions::default() }).unwrap();
        assert_eq!((four.config.channels, four.format), (8, SampleFormat::I32));
        let mapped = chosen(OutputOptions { map: vec![7, 8], ..OutputOptions::default() }).unwrap();
        assert_eq!(mapped.config.channels, 8);
        let error = chosen(OutputOptions { map: vec![3, 12], ..OutputOptions::default() }).unwrap_err();
        assert_eq!(error.to_string(), "card has 8 channels and 12 are asked for; take fewer, or others in --map");
        assert!(matches!(
            chosen(OutputOptions { rate_hz: Some(22_050), ..OutputOptions::default() }),
            Err(OutputError::Rate { .. })
        ));
    }
}
