//! The signals on a desk: their order and labels, how their values read, and their curves. Pure.

use super::State;
use crate::score::SignalId;

/// In the order in which they may be left out from the end.
pub const SIGNALS: [(SignalId, &str); 22] = [
    (SignalId::Latency, "latency"),
    (SignalId::Surprise, "surprise"),
    (SignalId::Entropy, "entropy"),
    (SignalId::Rate, "rate"),
    (SignalId::Cpu, "cpu"),
    (SignalId::Memory, "memory"),
    (SignalId::Power, "power"),
    (SignalId::Temperature, "heat"),
    (SignalId::ContextFill, "context"),
    (SignalId::Probability, "certainty"),
    (SignalId::SoundLoad, "sound"),
    (SignalId::Energy, "energy"),
    (SignalId::Fan, "fan"),
    (SignalId::LoadAverage, "load"),
    (SignalId::OwnMemory, "own"),
    (SignalId::AttentionTime, "attention"),
    (SignalId::FeedForwardTime, "feed-fwd"),
    (SignalId::OutputTime, "output"),
    (SignalId::SamplingTime, "sampling"),
    (SignalId::CpuPressure, "pressure"),
    (SignalId::Swap, "swap"),
    (SignalId::BytesRead, "read"),
];
/// A value in words, with its unit.
pub fn reading(id: SignalId, value: f32) -> String {
    match id {
        SignalId::Cpu | SignalId::CpuPeak | SignalId::Memory | SignalId::Swap => format!("{:.0}%", value * 100.0),
        SignalId::SoundLoad => format!("{:.1}%", value * 100.0),
        SignalId::ContextFill | SignalId::Prefill | SignalId::Load => format!("{:.0}%", value * 100.0),
        SignalId::CpuPressure | SignalId::MemoryPressure | SignalId::IoPressure => format!("{value:.0}%"),
        SignalId::LoadAverage | SignalId::Probability => format!("{value:.2}"),
        SignalId::OwnMemory | SignalId::Fan | SignalId::Temperature => format!("{value:.0} {}", id.spec().unit),
        SignalId::Rate => format!("{value:.1} /s"),
        _ if id.spec().unit == "ms" && value < 1.0 => format!("{value:.2} ms"),
        _ => format!("{value:.1} {}", id.spec().unit),
    }
}

/// The last `count` values of a signal as heights, 0..1. Times and energies, whose range is the machine's, fill the height
/// with the greatest of them; all else shows its place in the signal's range. What was measured is never wholly flat.
pub fn curve(state: &State, id: SignalId, count: usize) -> impl Iterator<Item = f32> + Clone + '_ {
    let shown = state.history.last(id, count);
    let full = matches!(id.spec().unit, "ms" | "J" | "MB" | "MiB" | "tokens/s" | "W")
        .then(|| shown.clone().fold(f32::MIN_POSITIVE, f32::max));
    shown.map(move |v| full.map_or_else(|| id.spec().position(v), |full| v / full).max(0.01))
}
