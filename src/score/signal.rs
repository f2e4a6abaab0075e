//! The signal table: everything that is measured, described once.
//!
//! A signal may be absent (no fan, no power meter): absent is not zero, so values are `Option<f32>`. The range is
//! what the matrix takes as 0..1; a value outside it is clamped there, never in what is shown.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One row of the signal table.
#[derive(Clone, Copy, Debug)]
pub struct SignalSpec {
    pub id: SignalId,
    /// Dotted, lower-case; `machine.cpu` is `/xiao/signal/machine/cpu` over OSC.
    pub name: &'static str,
    pub unit: &'static str,
    /// What the matrix takes as 0.
    pub min: f32,
    /// What the matrix takes as 1.
    pub max: f32,
    pub help: &'static str,
}

macro_rules! signals {
    ($($variant:ident $name:literal $unit:literal $min:literal .. $max:literal $help:literal)*) => {
        /// Names a signal; the index into [`SignalValues`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum SignalId { $(#[doc = $help] $variant),* }

        impl SignalId {
            /// Every signal, in the order of the table.
            pub const ALL: &'static [SignalId] = &[$(SignalId::$variant),*];
            /// How many signals there are.
            pub const COUNT: usize = Self::ALL.len();
        }

        /// The table, indexed by [`SignalId`].
        pub static SIGNALS: [SignalSpec; SignalId::COUNT] = [$(SignalSpec {
            id: SignalId::$variant, name: $name, unit: $unit, min: $min, max: $max, help: $help,
        }),*];
    };
}

signals! {
    Latency "token.latency" "ms" 0.0 .. 500.0 "The time the machine took to compute the last token"
    Rate "token.rate" "tokens/s" 0.0 .. 50.0 "How fast tokens come, smoothed over the last few"
    Probability "token.probability" "" 0.0 .. 1.0 "The probability the model gave the token that was drawn, before the sampler"
    Surprise "token.surprise" "bits" 0.0 .. 12.0 "How unexpected the drawn token was: -log2 of its probability"
    Entropy "token.entropy" "bits" 0.0 .. 10.0 "How undecided the model was before it drew"
    AttentionTime "token.attention" "ms" 0.0 .. 250.0 "The part of the last token's time that went into attention"
    FeedForwardTime "token.feed_forward" "ms" 0.0 .. 250.0 "The part of it that went into the feed-forward layers"
    OutputTime "token.output" "ms" 0.0 .. 100.0 "The part of it that went into the logits"
    SamplingTime "token.sampling" "ms" 0.0 .. 20.0 "The time it took to draw the last token from its distribution"
    BytesRead "token.read" "MB" 0.0 .. 8000.0 "Weights and cache that were read from memory for the last token"
    Energy "token.energy" "J" 0.0 .. 50.0 "The energy that the processor drew from the token before to the last one"
    Layers1 "token.layers.1" "ms" 0.0 .. 30.0 "The time of the first eighth of the layers, the last token's; layers.1 to layers.8 are bottom to top"
    Layers2 "token.layers.2" "ms" 0.0 .. 30.0 "The time of the second eighth of the layers"
    Layers3 "token.layers.3" "ms" 0.0 .. 30.0 "The time of the third eighth of the layers"
    Layers4 "token.layers.4" "ms" 0.0 .. 30.0 "The time of the fourth eighth of the layers"
    Layers5 "token.layers.5" "ms" 0.0 .. 30.0 "The time of the fifth eighth of the layers"
    Layers6 "token.layers.6" "ms" 0.0 .. 30.0 "The time of the sixth eighth of the layers"
    Layers7 "token.layers.7" "ms" 0.0 .. 30.0 "The time of the seventh eighth of the layers"
    Layers8 "token.layers.8" "ms" 0.0 .. 30.0 "The time of the last eighth of the layers"
    Flaw "token.flaw" "" 0.0 .. 1.0 "1 when the model errs in a way that can be named, falling off in seconds"
    Load "generator.load" "" 0.0 .. 1.0 "How much of the model has been brought into memory"
    Waiting "generator.waiting" "s" 0.0 .. 10.0 "How long no token has come"
    Prefill "generator.prefill" "" 0.0 .. 1.0 "How much of the prompt has been read"
    ContextFill "context.fill" "" 0.0 .. 1.0 "How full the model's memory of the text is"
    Fault "generator.fault" "" 0.0 .. 1.0 "1 when something fails, falling off in seconds"
    Forgetting "context.forgetting" "" 0.0 .. 1.0 "1 when the oldest words leave the model's memory, falling off in seconds"
    SoundLoad "sound.load" "" 0.0 .. 1.0 "The part of its time that the sound's callback needs"
    Xrun "sound.xrun" "" 0.0 .. 1.0 "1 when the sound device ran dry, falling off in seconds"
    Core1 "core.1" "" 0.0 .. 1.0 "Load of the first core"
    Core2 "core.2" "" 0.0 .. 1.0 "Load of the second core"
    Core3 "core.3" "" 0.0 .. 1.0 "Load of the third core"
    Core4 "core.4" "" 0.0 .. 1.0 "Load of the fourth core"
    Core5 "core.5" "" 0.0 .. 1.0 "Load of the fifth core"
    Core6 "core.6" "" 0.0 .. 1.0 "Load of the sixth core"
    Core7 "core.7" "" 0.0 .. 1.0 "Load of the seventh core"
    Core8 "core.8" "" 0.0 .. 1.0 "Load of the eighth core"
    Cpu "machine.cpu" "" 0.0 .. 1.0 "Load over all cores"
    CpuPeak "machine.cpu_peak" "" 0.0 .. 1.0 "Load of the busiest core"
    LoadAverage "machine.load_average" "" 0.0 .. 2.0 "Load average of one minute, per core"
    Memory "machine.memory" "" 0.0 .. 1.0 "Memory in use"
    OwnMemory "machine.own_memory" "MiB" 0.0 .. 4096.0 "Memory that xiao itself holds"
    Swap "machine.swap" "" 0.0 .. 1.0 "Swap in use"
    CpuPressure "machine.pressure.cpu" "%" 0.0 .. 100.0 "Share of the last 10 s in which work waited for a core"
    MemoryPressure "machine.pressure.memory" "%" 0.0 .. 100.0 "Share of the last 10 s in which work waited for memory"
    IoPressure "machine.pressure.io" "%" 0.0 .. 100.0 "Share of the last 10 s in which work waited for a disk"
    Temperature "machine.temperature" "°C" 30.0 .. 100.0 "The hottest sensor"
    Fan "machine.fan" "rpm" 0.0 .. 6000.0 "The fastest fan"
    Power "machine.power" "W" 0.0 .. 100.0 "Electric power that the processor draws"
}

impl SignalId {
    /// The signal's row in the table.
    pub fn spec(self) -> &'static SignalSpec {
        &SIGNALS[self as usize]
    }

    /// The dotted name.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// Finds a signal by its dotted name.
    pub fn from_name(name: &str) -> Option<SignalId> {
        SIGNALS.iter().find(|s| s.name == name).map(|s| s.id)
    }
}

impl SignalSpec {
    /// The value's place in the signal's range, 0..1.
    pub fn position(&self, value: f32) -> f32 {
        if value.is_nan() { 0.0 } else { ((value - self.min) / (self.max - self.min)).clamp(0.0, 1.0) }
    }
}

impl Serialize for SignalId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for SignalId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let name = String::deserialize(d)?;
        SignalId::from_name(&name).ok_or_else(|| serde::de::Error::custom(format!("there is no signal {name:?}")))
    }
}

/// The last value of every signal that one consumer has received; `None` where it is absent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignalValues([Option<f32>; SignalId::COUNT]);

impl Default for SignalValues {
    fn default() -> SignalValues {
        SignalValues([None; SignalId::COUNT])
    }
}

impl SignalValues {
    pub fn get(&self, id: SignalId) -> Option<f32> {
        self.0[id as usize]
    }

    pub fn set(&mut self, id: SignalId, value: Option<f32>) {
        self.0[id as usize] = value.filter(|v| v.is_finite());
    }

    /// Writes the layers' times, so many eighths as there are layers enough for; absent where the model tells none.
    pub fn set_layers(&mut self, layers_us: &[u32]) {
        self.set_eighths(&eighths(layers_us));
    }

    /// The same of what [`eighths`] has added up.
    pub fn set_eighths(&mut self, layers_ms: &[f32; 8]) {
        for (i, ms) in layers_ms.iter().enumerate() {
            self.set(SignalId::ALL[SignalId::Layers1 as usize + i], Some(*ms).filter(|ms| *ms > 0.0));
        }
    }

    /// Writes the load of the first eight cores; those that a machine does not have are absent.
    pub fn set_cores(&mut self, cores: &[f32]) {
        for i in 0..8 {
            self.set(SignalId::ALL[SignalId::Core1 as usize + i], cores.get(i).copied());
        }
    }
}

/// The times of a model's layers, from bottom to top, added up into eight parts, in ms. Of fewer than eight layers each
/// is a part of its own.
pub fn eighths(layers_us: &[u32]) -> [f32; 8] {
    let mut ms = [0.0; 8];
    let parts = layers_us.len().clamp(1, 8);
    for (i, us) in layers_us.iter().enumerate() {
        ms[i * parts / layers_us.len()] += *us as f32 / 1000.0;
    }
    ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        for (i, s) in SIGNALS.iter().enumerate() {
            assert_eq!(s.id as usize, i, "{}", s.name);
            assert!(s.min < s.max, "{}", s.name);
            assert_eq!(SignalId::from_name(s.name), Some(s.id));
        }
    }

    #[test]
    fn layers_are_added_up_from_bottom_to_top() {
        assert_eq!(eighths(&[1000, 2000, 3000])[..4], [1.0, 2.0, 3.0, 0.0]);
        assert_eq!(eighths(&[500; 16]), [1.0; 8]);
        assert_eq!(eighths(&[]), [0.0; 8]);
        let mut values = SignalValues::default();
        values.set_layers(&[1000, 2000]);
        values.set_cores(&[0.5]);
        assert_eq!((values.get(SignalId::Layers2), values.get(SignalId::Layers3)), (Some(2.0), None));
        assert_eq!((values.get(SignalId::Core1), values.get(SignalId::Core2)), (Some(0.5), None));
    }

    #[test]
    fn absent_is_not_zero() {
        let mut values = SignalValues::default();
        assert_eq!(values.get(SignalId::Power), None);
        values.set(SignalId::Power, Some(f32::NAN));
        assert_eq!(values.get(SignalId::Power), None);
        values.set(SignalId::Power, Some(0.0));
        assert_eq!(values.get(SignalId::Power), Some(0.0));
    }
}
