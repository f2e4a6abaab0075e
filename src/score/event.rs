//! What happens in a performance: the events of the score.
//!
//! Every event is stamped at its source with the performance's clock and numbered by the bus. The serde form of these
//! types *is* the journal's format (one JSON object a line), so a field is added with a default and never renamed.

mod said;

use serde::{Deserialize, Serialize};

pub use said::{INTERRUPTED, back_to, branched, is_given, waits};

use super::{Hand, Layout, ParamId, SignalId, SignalValues, When};

/// An event with its place in the performance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// Counts from 0 in the order in which the bus took the events.
    pub seq: u64,
    /// Nanoseconds since the performance began.
    pub t_ns: u64,
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first event: what is about to be played. `model` is a name for people, `sha256` the model file's hash in hex,
    /// `seed` the generator's.
    Begin { xiao: String, title: String, model: String, sha256: String, seed: u64 },
    /// The hash of a model so large that the show did not wait for it; `Begin` has none then.
    Hashed { sha256: String },
    /// What the plate on the stage says of the model: its name, then further lines; at most 12 of 60 columns.
    Card { text: String },
    /// A sound engine was started: with these, the patch and the events, it makes the same samples again.
    Sound {
        rate_hz: u32,
        seed: u64,
        output: String,
        #[serde(default)]
        layout: Layout,
    },
    /// The model is being brought into memory: so many of its bytes have been read. All of them: it is there, or there
    /// again after a crash.
    Load { done: u64, total: u64 },
    /// A scene of the patch's plan begins: its name and place, counted from 0, among `of` scenes.
    Scene { name: String, index: u32, of: u32 },
    /// A prompt is about to be read; the text so far is left behind.
    Prompt { name: Option<String>, text: String, tokens: u32 },
    /// A prompt was chosen and waits for its moment; another that waited no longer does. Without a text: none waits any
    /// more, since it has begun or was taken back.
    Queued { name: Option<String>, text: String, when: When },
    /// The performer put words into the piece, as if they had been written: `tokens` of them from token `index` on.
    Layer { name: Option<String>, text: String, tokens: u32, index: u32 },
    /// The line that the performer types in: open or not, its text, and how many characters stand before the cursor.
    Typing { on: bool, text: String, at: u32 },
    /// A second prompt was taken up: from now on `generator.blend` crosses from the first one's words to this one's.
    /// Empty: there is none any more.
    Blend { name: Option<String>, text: String, tokens: u32 },
    /// So many of the prompt's tokens have been read.
    Prefill { done: u32, total: u32 },
    /// A token was drawn.
    Token(Token),
    /// The context was full: the oldest `tokens` after the `kept` ones of the prompt's head have left it, with this
    /// text.
    Forget {
        tokens: u32,
        kept: u32,
        #[serde(default)]
        text: String,
    },
    /// The piece was taken back to where token `to` was about to be drawn; `text` is gone from it.
    Rewind { to: u32, text: String },
    /// At token `index` another road is taken: `taken` in the place of `instead_of`, which was drawn there before.
    Branch { index: u32, instead_of: String, taken: String },
    /// The piece as it is was kept under a name.
    Snapshot { slot: u8 },
    /// The piece is again as it was when kept, or when a held prompt interrupted it: its prompt with its name, its
    /// `text`, and `index`, that of its next token. `ended`: it had ended, as was told then, and rests again.
    /// `given`: which of the text's characters, from each first one to before the second, the performer put there.
    Restore {
        slot: u8,
        #[serde(default)]
        name: Option<String>,
        prompt: String,
        text: String,
        index: u32,
        #[serde(default)]
        ended: bool,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        given: Vec<(u32, u32)>,
    },
    /// The last `period` tokens are drawn again and again from now on; 0: no longer.
    Loop { period: u32 },
    /// The model ended its piece; another begins from the same prompt after a rest.
    PieceEnd { tokens: u32 },
    /// The model erred in a way that can be named.
    Flaw(Flaw),
    /// The machine was looked at.
    Machine(MachineSample),
    /// A parameter's base value was set.
    Param { id: ParamId, value: f32, by: Hand },
    /// The beats go on from here: it is `beat` now, at `bpm` (see [`super::Timeline`]). `from` is the clock that is
    /// followed, by its port's name; empty where the tempo is the instrument's own.
    Tempo {
        bpm: f64,
        beat: f64,
        by: Hand,
        #[serde(default)]
        from: String,
    },
    /// The arrow keys now move this parameter.
    Select { id: ParamId },
    /// The help was shown, open at a page counted from 0, or hidden.
    Help {
        on: bool,
        #[serde(default)]
        page: u32,
    },
    /// What arrived from a controller, at most ten times a second for each port, so that the performer sees that the
    /// cable works: "cc7 = 64", "note 36 on, not mapped". What it moved are events of their own.
    Control { port: String, what: String },
    /// A patch was taken up: at the beginning, and whenever its file was changed. `text` is the whole TOML.
    Patch { name: String, text: String },
    /// A shader was taken up, whole, so that a replay shows what was shown.
    Shader { name: String, text: String },
    /// The tokens' notes come from this scale, the whole text of a `.scl` file, and of it those that this `.kbm` file
    /// chooses. Empty: the gong mode in equal temperament.
    Tuning { name: String, scale: String, keyboard: Option<String> },
    /// A snapshot of the sound's parameters: `sound.morph` crosses from the first to the second. Empty: there is none.
    Morph { side: MorphSide, values: Vec<(ParamId, f32)> },
    /// Settings are recalled: in so many seconds the parameters come to stand where they say.
    Settings { name: String, over_s: f32 },
    /// Everything is to be silent at once.
    Panic,
    /// The artist's own sounds are there, in the order in which tokens choose from them: `folder` is where they were
    /// read, as an absolute path. Both empty: there are none any more.
    Samples { folder: String, files: Vec<SampleFile> },
    /// Something failed and the show went on. `place` says where, `remedy` what to do (may be empty).
    Fault { place: String, what: String, remedy: String },
    /// Something the audience need not know and the performer may want to: "no MIDI on this machine".
    Notice { text: String },
    /// The performer's own words, kept in the journal.
    Note { text: String },
    /// The performer took a picture of the stage: into this file, in the recording's folder where there is one.
    Picture { file: String },
    /// The sound engine took event `of` and lets it act at this frame of the sound, so that a replay makes the same
    /// samples.
    Heard { of: u64, frame: u64 },
    /// The sound's callback over the last half second: the part of its time that it needed, and how often the device
    /// ran dry.
    Callback { load: f32, xruns: u64 },
    /// The last event of a performance that ended in order.
    End { reason: String },
}

/// The two ends of `sound.morph`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MorphSide {
    First,
    Second,
}

/// One of the artist's own sounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleFile {
    /// Its file's name in the folder.
    pub name: String,
    /// The file's hash in hex.
    pub sha256: String,
    /// Its length at the engine's rate.
    pub frames: u64,
}

/// A token as it was drawn, with all that the stage and the sound need to perform it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Token {
    pub id: u32,
    /// The text that became whole with this token. Empty while a character is still half-written; then the bytes come
    /// with a later token. Joined over a piece, these are the piece's text but for bytes at its end that
    /// never became a character.
    pub text: String,
    /// Counts from 0 within the piece.
    pub index: u32,
    /// The time the machine took to compute this token's distribution and draw it, without any waiting, in ms.
    pub latency_ms: f32,
    /// The model's own probability of the token (temperature 1, before the sampler's cuts).
    pub p: f32,
    /// `-log2 p`.
    pub surprise_bits: f32,
    /// Entropy of the model's own distribution, in bits.
    pub entropy_bits: f32,
    /// How full the context is after this token, 0..1.
    pub context_fill: f32,
    /// The likeliest tokens at this place (the drawn one may be among them), likeliest first; at most 8.
    pub top: Vec<Candidate>,
    /// What went on inside the model.
    #[serde(default)]
    pub inside: Inside,
}

/// Where a token's time went, and what the model thought on its way. Zero and empty where the model does not tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inside {
    #[serde(flatten)]
    pub spent: Spent,
    /// The time of each layer, in microseconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers_us: Vec<u32>,
    /// The best guess after some of the layers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lens: Vec<Guess>,
}

/// Where a token's time went, and how much was read for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spent {
    pub attention_ms: f32,
    pub feed_forward_ms: f32,
    /// The logits.
    pub output_ms: f32,
    pub sampling_ms: f32,
    /// Megabytes of weights and cache.
    pub read_mb: f32,
}

/// What the model would have said after a layer, had it been the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guess {
    /// Counted from 1.
    pub layer: u32,
    pub text: String,
    pub p: f32,
}

/// A road that was open at a token's place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    pub id: u32,
    pub text: String,
    pub p: f32,
}

/// What kind of error the model made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlawKind {
    /// The same run of tokens again and again.
    Repetition,
    /// Between two scripts in the middle of a line.
    ScriptMix,
    /// A token far more surprising than those before it.
    Leap,
    /// Bytes that make no character.
    BrokenCharacter,
    /// The model was far less decided than before.
    Hesitation,
    /// The piece ended before it had begun.
    EarlyEnd,
    /// Words that steer the model stand in its text.
    TemplateLeak,
}

/// An error that was noticed as it happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flaw {
    pub kind: FlawKind,
    /// The index of the token that completed it.
    pub index: u32,
    /// Tokens in the repeated run for a repetition, else 1.
    pub period: u32,
    /// How often the run has come, for a repetition; else 1. The flaw spans the `period * count` tokens up to `index`.
    #[serde(default = "once")]
    pub count: u32,
    /// What showed it, in words: "surprise of 14.2 bits where 4.1 are usual".
    #[serde(default)]
    pub cause: String,
}

fn once() -> u32 {
    1
}

/// One look at the machine. What could not be read is not in the list, and `absent` says why, once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MachineSample {
    pub values: Vec<(SignalId, f32)>,
    /// Load of each core, 0..1.
    pub cores: Vec<f32>,
    /// Signals that this machine does not have, each with the reason. Sent with the first sample and when it changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<(SignalId, String)>,
}

impl Event {
    /// Whether a later event of the same kind makes this one needless: a full queue may then keep the later one only.
    /// Two events with the same key stand in for each other.
    pub fn continuous(&self) -> Option<(u8, u8)> {
        match self {
            Event::Prefill { .. } => Some((0, 0)),
            Event::Load { .. } => Some((0, 1)),
            Event::Machine(sample) if sample.absent.is_empty() => Some((1, 0)),
            Event::Param { id, .. } => Some((2, *id as u8)),
            Event::Select { .. } => Some((3, 0)),
            Event::Tempo { .. } => Some((3, 1)),
            Event::Typing { .. } => Some((5, 0)),
            // Two ports that fold to the same byte stand in for each other: one of them shows a little late.
            Event::Control { port, .. } => Some((4, port.bytes().fold(0, |sum: u8, b| sum.rotate_left(3) ^ b))),
            _ => None,
        }
    }

    /// Writes what this event says into the signals a consumer keeps.
    ///
    /// What follows from time, as `generator.waiting` does, is the consumer's own; see [`super::Since`].
    pub fn apply(&self, signals: &mut SignalValues) {
        match self {
            Event::Token(t) => {
                signals.set(SignalId::Latency, Some(t.latency_ms));
                signals.set(SignalId::Probability, Some(t.p));
                signals.set(SignalId::Surprise, Some(t.surprise_bits));
                signals.set(SignalId::Entropy, Some(t.entropy_bits));
                signals.set(SignalId::ContextFill, Some(t.context_fill));
                signals.set(SignalId::Prefill, Some(1.0));
                signals.set(SignalId::Load, Some(1.0));
                t.inside.spent.apply(signals);
                signals.set_layers(&t.inside.layers_us);
            }
            Event::Load { done, total } => {
                signals.set(SignalId::Load, Some((*done as f64 / (*total).max(1) as f64) as f32));
            }
            Event::Prefill { done, total } => {
                signals.set(SignalId::Prefill, Some(*done as f32 / (*total).max(1) as f32));
            }
            Event::Machine(sample) => {
                for (id, value) in &sample.values {
                    signals.set(*id, Some(*value));
                }
                for (id, _) in &sample.absent {
                    signals.set(*id, None);
                }
                signals.set_cores(&sample.cores);
            }
            Event::Callback { load, .. } => signals.set(SignalId::SoundLoad, Some(*load)),
            _ => {}
        }
    }
}

impl Flaw {
    /// The flaw in a few words.
    pub fn title(&self) -> String {
        match self.kind {
            FlawKind::Repetition => format!("repetition of {} tokens", self.period),
            FlawKind::ScriptMix => "two scripts in one line".to_string(),
            FlawKind::Leap => "a leap".to_string(),
            FlawKind::BrokenCharacter => "a broken character".to_string(),
            FlawKind::Hesitation => "a hesitation".to_string(),
            FlawKind::EarlyEnd => "an early end".to_string(),
            FlawKind::TemplateLeak => "the template leaks".to_string(),
        }
    }

    /// How many tokens up to `index` it spans.
    pub fn span(&self) -> u32 {
        self.period.max(1).saturating_mul(self.count.max(1))
    }
}

impl Spent {
    /// Writes the signals of the time inside a token; absent where the model does not tell.
    pub fn apply(&self, signals: &mut SignalValues) {
        let known = self.attention_ms > 0.0;
        for (id, value) in [
            (SignalId::AttentionTime, self.attention_ms),
            (SignalId::FeedForwardTime, self.feed_forward_ms),
            (SignalId::OutputTime, self.output_ms),
            (SignalId::BytesRead, self.read_mb),
        ] {
            signals.set(id, known.then_some(value));
        }
        signals.set(SignalId::SamplingTime, Some(self.sampling_ms));
    }
}

#[cfg(test)]
mod tests;
