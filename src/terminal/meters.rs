//! The meters as spans of text: loads, memory, heat, curves, and what this machine does not have.
//!
//! Pure. A signal that is absent is said to be so with its reason, never shown as zero; one that has not been heard of
//! yet is left out.

use ratatui::text::{Line, Span};

use super::palette::{Palette, Role};
use crate::desk::State;
use crate::desk::signals::{self, reading};
use crate::score::SignalId;

const LEVELS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// More cores than this are shown in groups, each by its busiest.
const MOST_CORES: usize = 32;

/// One meter: a few spans that stay together.
pub type Meter = Vec<Span<'static>>;

/// The machine's meters, in the order in which they may be left out from the end.
pub fn machine(state: &State, palette: Palette) -> Vec<Meter> {
    let mut meters = Vec::new();
    for (id, label) in [
        (SignalId::Cpu, "cpu"),
        (SignalId::Memory, "memory"),
        (SignalId::OwnMemory, "own"),
        (SignalId::Swap, "swap"),
        (SignalId::Temperature, "heat"),
        (SignalId::Fan, "fan"),
        (SignalId::Power, "power"),
        (SignalId::LoadAverage, "load"),
        (SignalId::SoundLoad, "sound"),
    ] {
        let value = state.signals.get(id);
        let mut meter = vec![quiet(format!("{label} "), palette)];
        match value {
            Some(value) => {
                if id == SignalId::Cpu {
                    meter.push(Span::styled(cores(&state.cores), palette.of(Role::Bar)));
                    meter.push(Span::raw(" "));
                }
                meter.push(Span::styled(reading(id, value), palette.of(Role::Plain)));
            }
            None if state.absent.iter().any(|(absent, _)| *absent == id) => {
                meter.push(quiet("unavailable".to_string(), palette));
            }
            None => continue,
        }
        meters.push(meter);
    }
    let mut pressure = vec![quiet("pressure".to_string(), palette)];
    for (id, label) in
        [(SignalId::CpuPressure, "cpu"), (SignalId::MemoryPressure, "memory"), (SignalId::IoPressure, "disk")]
    {
        if let Some(value) = state.signals.get(id) {
            pressure.push(quiet(format!(" {label} "), palette));
            pressure.push(Span::styled(reading(id, value), palette.of(Role::Plain)));
        }
    }
    if pressure.len() > 1 {
        meters.push(pressure);
    }
    meters
}

/// The meters of the words: curves of latency, surprise and entropy, `columns` wide, then rate, context, and where the
/// time went.
pub fn words(state: &State, palette: Palette, columns: usize) -> Vec<Meter> {
    let mut meters = Vec::new();
    for (id, label) in [
        (SignalId::Latency, "latency"),
        (SignalId::Surprise, "surprise"),
        (SignalId::Entropy, "entropy"),
        (SignalId::Rate, "rate"),
        (SignalId::ContextFill, "context"),
        (SignalId::AttentionTime, "attention"),
        (SignalId::FeedForwardTime, "feed-forward"),
        (SignalId::OutputTime, "output"),
        (SignalId::SamplingTime, "sampling"),
        (SignalId::BytesRead, "read"),
    ] {
        let Some(value) = state.signals.get(id) else { continue };
        let mut meter = vec![quiet(format!("{label} "), palette)];
        if matches!(id, SignalId::Latency | SignalId::Surprise | SignalId::Entropy) {
            meter.push(Span::styled(curve(state, id, columns), palette.of(Role::Bar)));
            meter.push(Span::raw(" "));
        }
        meter.push(Span::styled(reading(id, value), palette.of(Role::Plain)));
        meters.push(meter);
    }
    meters
}

/// Why meters are missing; signals that share a reason share its words. `None` if nothing is missing.
pub fn missing(state: &State) -> Option<String> {
    let reasons = state.absences();
    let said: Vec<String> = reasons.iter().map(|(why, names)| format!("{}: {why}", names.join(", "))).collect();
    (!said.is_empty()).then(|| format!("unavailable  {}", said.join("  ·  ")))
}

/// Lays meters out in lines of `width` columns, as many as `rows`; what does not fit is left out.
pub fn flow(meters: Vec<Meter>, width: usize, rows: usize) -> Vec<Line<'static>> {
    flow_by("   ", meters, width, rows)
}

/// The same with something else between them.
pub fn flow_by(between: &'static str, meters: Vec<Meter>, width: usize, rows: usize) -> Vec<Line<'static>> {
    let mut lines: Vec<Line> = Vec::new();
    for meter in meters {
        let full = lines.len() == rows;
        let wide: usize = meter.iter().map(Span::width).sum();
        match lines.last_mut() {
            Some(line) if line.width() + between.len() + wide <= width => {
                line.push_span(between);
                line.extend(meter);
            }
            _ if full => break,
            _ => lines.push(Line::from(meter)),
        }
    }
    lines
}

/// A bar of `width` columns, filled to `part` (0..1).
pub fn bar(part: f32, width: usize) -> String {
    let filled = (part.clamp(0.0, 1.0) * width as f32).round() as usize;
    format!("{}{}", "█".repeat(filled), "░".repeat(width - filled))
}

/// A bar of at most `width` columns, drawn to an eighth of one.
pub fn fine_bar(part: f32, width: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let part = if part.is_nan() { 0.0 } else { part.clamp(0.0, 1.0) };
    let eighths = (part * width as f32 * 8.0).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

/// One small bar for each core.
pub fn cores(loads: &[f32]) -> String {
    if loads.is_empty() {
        return String::new();
    }
    let group = loads.len().div_ceil(MOST_CORES);
    loads.chunks(group).map(|loads| level(loads.iter().copied().fold(0.0, f32::max).max(0.01))).collect()
}

/// The last `width` values of a signal as levels.
pub fn curve(state: &State, id: SignalId, width: usize) -> String {
    signals::curve(state, id, width).map(level).collect()
}

/// A block for 0..1; nothing for 0 or NaN.
fn level(part: f32) -> char {
    LEVELS[(part.clamp(0.0, 1.0) * 8.0).ceil() as usize]
}

fn quiet(text: String, palette: Palette) -> Span<'static> {
    Span::styled(text, palette.of(Role::Quiet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_follow_values() {
        assert_eq!(cores(&[0.0, 0.5, 1.0]), "▁▄█");
        assert_eq!(cores(&[0.1; 128]).chars().count(), 32);
        assert_eq!((fine_bar(0.5, 3).as_str(), fine_bar(f32::NAN, 3).as_str()), ("█▌", ""));
        assert_eq!(bar(0.5, 4), "██░░");
        assert_eq!(bar(7.0, 2), "██");
        assert_eq!(level(f32::NAN), ' ');
    }

    #[test]
    fn curves_fill_their_height_or_show_the_place_in_a_range() {
        let mut state = State::new();
        for value in [0.25, 0.5, 1.0] {
            let values = vec![(SignalId::Power, value), (SignalId::Memory, value)];
            let event = crate::score::Event::Machine(crate::score::MachineSample { values, ..Default::default() });
            state.take(&crate::score::Stamped { seq: 0, t_ns: 0, event });
        }
        assert_eq!(curve(&state, SignalId::Power, 2), "▄█");
        assert_eq!(curve(&state, SignalId::Memory, 3), "▂▄█");
    }

    #[test]
    fn shared_reasons_are_said_once() {
        let absent = vec![
            (SignalId::Fan, "no sensor".to_string()),
            (SignalId::Power, "no meter".to_string()),
            (SignalId::Temperature, "no sensor".to_string()),
        ];
        let mut state = State::new();
        state.absent = absent;
        let said = missing(&state).unwrap();
        assert_eq!(said, "unavailable  fan, temperature: no sensor  ·  power: no meter");
    }

    #[test]
    fn meters_wrap_and_are_left_out_at_the_end() {
        let meters = || (0..5).map(|i| vec![Span::raw(format!("meter {i}"))]).collect::<Vec<Meter>>();
        let lines = flow(meters(), 20, 2);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].to_string(), "meter 0   meter 1");
        assert_eq!(lines[1].to_string(), "meter 2   meter 3");
        assert_eq!(flow(meters(), 80, 2).len(), 1);
    }
}
