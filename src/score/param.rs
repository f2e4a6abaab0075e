//! The parameter table: everything that can be played, described once.
//!
//! A parameter's name is also its key in patches and its OSC address. Hands and patch write the *base* value into
//! [`Params`], a flat array of atomics that every thread may read without waiting; [`ParamValues`] is a plain copy
//! that one consumer owns and modulates by the patch's matrix. Safe on the audio thread: nothing here allocates.

use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::When;

/// How a control's travel (0..1) maps onto a parameter's range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// Equal travel, equal difference.
    Lin,
    /// Equal travel, equal ratio; the minimum must be above zero.
    Exp,
    /// Whole numbers only.
    Step,
    /// Off below one half, on from there.
    Switch,
}

impl Curve {
    /// The word used in tables and help.
    pub fn name(self) -> &'static str {
        match self {
            Curve::Lin => "lin",
            Curve::Exp => "exp",
            Curve::Step => "step",
            Curve::Switch => "switch",
        }
    }
}

/// One row of the parameter table.
#[derive(Clone, Copy, Debug)]
pub struct ParamSpec {
    pub id: ParamId,
    /// Dotted, lower-case; `sampler.temperature` is `/xiao/param/sampler/temperature` over OSC.
    pub name: &'static str,
    /// The unit of the value, `""` where it has none.
    pub unit: &'static str,
    pub min: f32,
    pub max: f32,
    pub default: f32,
    pub curve: Curve,
    /// One line of help.
    pub help: &'static str,
}

macro_rules! params {
    ($($variant:ident $name:literal $unit:literal $min:literal .. $max:literal = $default:literal $curve:ident $help:literal)*) => {
        /// Names a parameter; the index into [`Params`] and [`ParamValues`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum ParamId { $(#[doc = $help] $variant),* }

        impl ParamId {
            /// Every parameter, in the order of the table.
            pub const ALL: &'static [ParamId] = &[$(ParamId::$variant),*];
            /// How many parameters there are.
            pub const COUNT: usize = Self::ALL.len();
        }

        /// The table, indexed by [`ParamId`].
        pub static PARAMS: [ParamSpec; ParamId::COUNT] = [$(ParamSpec {
            id: ParamId::$variant, name: $name, unit: $unit, min: $min, max: $max, default: $default,
            curve: Curve::$curve, help: $help,
        }),*];
    };
}

params! {
    Temperature "sampler.temperature" "" 0.0 .. 2.0 = 0.8 Lin "How freely the next token is drawn: 0 always takes the likeliest, above 1 the unlikely come forward"
    TopK "sampler.top_k" "tokens" 0.0 .. 500.0 = 40.0 Step "Only the k likeliest tokens may be drawn; 0 lets all in"
    TopP "sampler.top_p" "" 0.0 .. 1.0 = 0.95 Lin "Only the likeliest tokens that together hold this probability may be drawn; 1 lets all in"
    MinP "sampler.min_p" "" 0.0 .. 1.0 = 0.05 Lin "Tokens below this fraction of the likeliest one's probability are left out; 0 lets all in"
    RepeatPenalty "sampler.repeat_penalty" "" 1.0 .. 2.0 = 1.1 Lin "How strongly recent tokens are held back; 1 does nothing"
    RepeatWindow "sampler.repeat_window" "tokens" 0.0 .. 512.0 = 64.0 Step "How many recent tokens the repetition penalty looks at"
    FrequencyPenalty "sampler.frequency_penalty" "" -2.0 .. 2.0 = 0.0 Lin "Held back once more for each time a token came within the window; below 0 it is drawn on"
    PresencePenalty "sampler.presence_penalty" "" -2.0 .. 2.0 = 0.0 Lin "Held back by this much if a token came within the window at all; below 0 it is drawn on"
    DryMultiplier "sampler.dry_multiplier" "" 0.0 .. 5.0 = 0.0 Lin "DRY: how strongly a token is held back that would go on repeating a sequence; 0 does nothing"
    DryBase "sampler.dry_base" "" 1.0 .. 4.0 = 1.75 Lin "DRY: each token more of a repeated sequence multiplies its penalty by this"
    DryAllowedLength "sampler.dry_allowed_length" "tokens" 1.0 .. 32.0 = 2.0 Step "DRY: sequences may be repeated without penalty up to this length"
    DryWindow "sampler.dry_window" "tokens" 0.0 .. 4096.0 = 1024.0 Step "DRY: how many recent tokens are searched for repetitions"
    TypicalP "sampler.typical_p" "" 0.0 .. 1.0 = 1.0 Lin "Only the tokens nearest to the expected surprise that together hold this probability; 1 lets all in"
    XtcProbability "sampler.xtc_probability" "" 0.0 .. 1.0 = 0.0 Lin "XTC: how often the likeliest tokens are taken away, so that a less likely road is taken; 0 never"
    XtcThreshold "sampler.xtc_threshold" "" 0.0 .. 0.5 = 0.1 Lin "XTC: of the tokens above this probability only the least likely stays"
    DynamicRange "sampler.dynamic_range" "" 0.0 .. 2.0 = 0.0 Lin "How far the temperature follows the model's indecision, down and up; 0 keeps it still"
    DynamicExponent "sampler.dynamic_exponent" "" 0.0 .. 4.0 = 1.0 Lin "How indecision becomes temperature: above 1 only the undecided is warm, below 1 nearly all is"
    Mirostat "sampler.mirostat" "" 0.0 .. 2.0 = 0.0 Step "Mirostat v2 holds the surprise steady, in the place of top-k, typical, top-p, min-p and XTC; 0 is off, 1 and 2 are on"
    MirostatTau "sampler.mirostat_tau" "bits" 0.0 .. 10.0 = 5.0 Lin "Mirostat: the surprise that is aimed at"
    MirostatEta "sampler.mirostat_eta" "" 0.0 .. 1.0 = 0.1 Lin "Mirostat: how fast it corrects itself"
    Bias "sampler.bias" "" 0.0 .. 2.0 = 1.0 Lin "The strength of the patch's biases towards and away from words; 0 does nothing"
    Ban "sampler.ban" "" 0.0 .. 1.0 = 1.0 Switch "Whether the words that the patch bans are banned"
    Seed "sampler.seed" "" 0.0 .. 999999.0 = 0.0 Step "The seed of what is drawn from now on; 0 is the performance's own"
    Pace "generator.pace" "tokens/s" 0.0 .. 100.0 = 0.0 Lin "Tokens per second at most; 0 lets the model run as fast as the machine can"
    Hold "generator.hold" "" 0.0 .. 1.0 = 0.0 Switch "Withholds the next token for as long as it is on, as a pedal does"
    Blend "generator.blend" "" 0.0 .. 1.0 = 0.0 Lin "How far the words come from the second prompt: 0 is the first prompt alone, 1 the second"
    Lock "generator.lock" "" 0.0 .. 1.0 = 0.0 Switch "While on, the last run of tokens is drawn again and again: the model's own loop, or so many tokens as generator.lock_length"
    LockLength "generator.lock_length" "tokens" 1.0 .. 64.0 = 8.0 Step "How many tokens generator.lock repeats where the model is in no loop of its own"
    Lens "generator.lens" "layers" 0.0 .. 32.0 = 0.0 Step "The best guess of every so many layers is taken with each token; 0 takes none, each costs as much as the last layer"
    Rest "generator.rest_s" "s" 0.0 .. 30.0 = 2.0 Lin "Silence between the end of a piece and the next one from the same prompt"
    Grid "generator.grid" "" 0.0 .. 6.0 = 0.0 Step "Tokens come free, or each on the next line of the beat: 1/4, 1/8, 1/8t, 1/16, 1/16t or 1/32 (t: triplets), with sound.tempo.swing"
    Queue "generator.queue" "" 0.0 .. 5.0 = 0.0 Step "When a prompt that is chosen begins: now, or after the token, the sentence, the line, on the beat or after the piece"
    Word1 "prompt.word.1" "" 0.0 .. 1.0 = 0.0 Lin "Which word of the patch's first list of words goes into its slot of a prompt, over the whole list"
    Word2 "prompt.word.2" "" 0.0 .. 1.0 = 0.0 Lin "Which word of the second list goes into its slot"
    Word3 "prompt.word.3" "" 0.0 .. 1.0 = 0.0 Lin "Which word of the third list goes into its slot"
    Word4 "prompt.word.4" "" 0.0 .. 1.0 = 0.0 Lin "Which word of the fourth list goes into its slot"
    Level "sound.level_db" "dB" -60.0 .. 6.0 = -6.0 Lin "The loudness of everything"
    HumLevel "sound.hum.level_db" "dB" -60.0 .. 0.0 = -14.0 Lin "The loudness of the hum, the drone that follows the machine's load"
    HumPitch "sound.hum.pitch" "MIDI note" 24.0 .. 60.0 = 38.0 Lin "The root note of the hum; tokens sound in its scale"
    ScaleMode "sound.scale.mode" "notes" 0.0 .. 11.0 = 0.0 Step "Turns the scale: so many of its notes up lies its root"
    HumBeating "sound.hum.beating" "" 0.0 .. 4.0 = 1.0 Lin "How fast the hum's strings beat when a core stands out from the others; 0 leaves them still"
    HumBrightness "sound.hum.brightness" "" 0.0 .. 1.0 = 0.3 Lin "How many partials of the hum are let through"
    BreathLevel "sound.breath.level_db" "dB" -60.0 .. 0.0 = -26.0 Lin "The loudness of the breath, air that follows load and fan"
    BreathTurbulence "sound.breath.turbulence" "" 0.0 .. 1.0 = 0.5 Lin "How gusty the breath is when the machine works hard"
    TensionLevel "sound.tension.level_db" "dB" -60.0 .. 0.0 = -16.0 Lin "The loudness of the tension that grows while no token comes"
    TokenLevel "sound.token.level_db" "dB" -60.0 .. 0.0 = -12.0 Lin "The loudness of each token's voice"
    TokenLength "sound.token.length_s" "s" 0.05 .. 8.0 = 1.2 Exp "How long a token rings"
    TokenBrightness "sound.token.brightness" "" 0.0 .. 1.0 = 0.4 Lin "The colour of a token's voice, from wood to metal"
    TokenLayers "sound.token.layers" "" 0.0 .. 1.0 = 0.5 Lin "How far the time of each layer shapes the partials of a token's note"
    FlawLevel "sound.flaw.level_db" "dB" -60.0 .. 0.0 = -12.0 Lin "The loudness of the gestures of flaws, of a leap's glide above all"
    FaultLevel "sound.fault.level_db" "dB" -60.0 .. 0.0 = -12.0 Lin "The loudness of the gong, the fall and the return of a crash"
    LoopLevel "sound.loop.level_db" "dB" -60.0 .. 0.0 = -16.0 Lin "The loudness of the figure that a repetition becomes"
    LoopRounds "sound.loop.rounds" "" 1.0 .. 32.0 = 4.0 Step "How often the figure goes round"
    GhostLevel "sound.ghosts.level_db" "dB" -60.0 .. 0.0 = -22.0 Lin "The loudness of the ghosts, the candidates that were not drawn"
    GhostCount "sound.ghosts.count" "tones" 0.0 .. 7.0 = 4.0 Step "How many of them sound after each token"
    GhostLength "sound.ghosts.length_s" "s" 0.1 .. 8.0 = 1.8 Exp "How long a ghost is heard"
    WeightLevel "sound.weight.level_db" "dB" -60.0 .. 0.0 = -20.0 Lin "The loudness of the weight, the swell of memory far below"
    ThroatLevel "sound.throat.level_db" "dB" -60.0 .. 0.0 = -60.0 Lin "The loudness of the throat, a voice that the letters of the text shape"
    ThroatSize "sound.throat.size" "" 0.0 .. 1.0 = 0.35 Lin "The size of the throat: 0 is a large body, 1 a small one"
    SampleLevel "sound.sample.level_db" "dB" -60.0 .. 0.0 = -12.0 Lin "The loudness of the artist's own sounds, the patch's samples"
    SampleGrain "sound.sample.grain_ms" "ms" 0.0 .. 2000.0 = 250.0 Lin "How long a piece of a sample each grain plays; 0 plays the sample to its end"
    SampleDensity "sound.sample.density" "grains" 1.0 .. 8.0 = 2.0 Step "How many grains each token sets going, one after the other"
    SampleSpread "sound.sample.spread" "" 0.0 .. 1.0 = 0.2 Lin "How far grains stray in time, place and position"
    SamplePitch "sound.sample.pitch" "" 0.0 .. 1.0 = 0.0 Lin "How far a sample's speed follows the token's note: 0 is as recorded, 1 is in its scale, if it was recorded on D4"
    SamplePosition "sound.sample.position" "" 0.0 .. 1.0 = 0.0 Lin "Where in the sample an expected token begins; one that surprises begins further on"
    ReverbMix "sound.reverb.mix" "" 0.0 .. 1.0 = 0.3 Lin "How much of the room is heard"
    DelayMix "sound.delay.mix" "" 0.0 .. 1.0 = 0.1 Lin "How much of the echoes is heard; they go from side to side in the tokens' time"
    DelayFeedback "sound.delay.feedback" "" 0.0 .. 0.9 = 0.35 Lin "What of an echo comes back once more"
    DelayBeats "sound.delay.beats" "tokens" 0.25 .. 4.0 = 1.5 Lin "The time of an echo, in the time from one token to the next"
    TempoBpm "sound.tempo.bpm" "bpm" 20.0 .. 300.0 = 90.0 Exp "The tempo of the grid"
    TempoGrid "sound.tempo.grid" "steps/beat" 0.0 .. 8.0 = 0.0 Step "Tokens wait for the next step of a beat, so many of which are in each; 0 lets them sound as they come"
    TempoSwing "sound.tempo.swing" "" 0.0 .. 0.5 = 0.0 Lin "How late every second step comes, as a part of a step"
    Morph "sound.morph" "" 0.0 .. 1.0 = 0.0 Lin "Crosses from the first snapshot of the sound's parameters to the second"
    Mute "sound.mute" "" 0.0 .. 1.0 = 0.0 Switch "Silence, reached and left without a click"
    CeilingLoud "sound.ceiling_lufs" "LUFS" -40.0 .. -8.0 = -12.0 Lin "What is louder than this for seconds is turned down"
    Ceiling "sound.ceiling_db" "dB" -24.0 .. -1.0 = -1.0 Lin "No peak goes above this, between the samples neither"
    StageScene "stage.scene" "" 0.0 .. 7.0 = 0.0 Step "What the stage shows: page, river, loom, breath, film, body, fault, or the patch's shader alone"
    Crossfade "stage.crossfade_s" "s" 0.0 .. 20.0 = 2.0 Lin "How long one scene of the stage takes to become the next"
    Palette "stage.palette" "" 0.0 .. 4.0 = 0.0 Step "The colours: ink, paper, phosphor, ember or plain"
    TextSize "stage.text_size" "" 1.0 .. 16.0 = 3.0 Step "The size of the text in whole multiples of 16 pixels at 720 lines; from 8 on it is read from 20 m"
    Vertical "stage.vertical" "" 0.0 .. 1.0 = 0.0 Switch "Sets the text in columns from top to bottom, from right to left"
    Certainty "stage.certainty" "" 0.0 .. 1.0 = 0.8 Lin "How plainly a token's probability shows in its brightness"
    Doubt "stage.doubt" "" 0.0 .. 2.0 = 0.0 Step "How else doubt shows: not, as weight (sure words are bold) or as blur"
    StageGhosts "stage.ghosts" "" 0.0 .. 1.0 = 0.5 Lin "How plainly the tokens that were not drawn stand around those that were"
    Background "stage.background" "" 0.0 .. 1.0 = 0.5 Lin "The brightness of the field behind the words"
    Hue "stage.hue" "" 0.0 .. 1.0 = 0.55 Lin "The colour of the field, once around the wheel"
    FaultScene "stage.fault" "" 0.0 .. 1.0 = 1.0 Switch "Shows the scene fault by itself while the model has crashed and until it is back"
    FlashGuard "stage.flash_guard" "" 0.0 .. 1.0 = 1.0 Switch "Keeps the whole picture from flashing faster than three times a second"
    Letterbox "stage.letterbox" "" 0.0 .. 4.0 = 0.0 Lin "The picture's width by its height, with black beside it; below 0.2 the picture fills the window"
    Blackout "stage.blackout" "" 0.0 .. 1.0 = 0.0 Switch "Takes all light from the stage; the show goes on"
    Freeze "stage.freeze" "" 0.0 .. 1.0 = 0.0 Switch "Holds the picture as it is; the show goes on"
    Meters "stage.meters" "" 0.0 .. 1.0 = 1.0 Switch "Shows the machine's meters at the foot of the stage"
    Plate "stage.plate" "" 0.0 .. 1.0 = 0.0 Switch "Shows the model's card as a plate in the corner of the stage"
    SettingsOver "settings.over_s" "s" 0.0 .. 60.0 = 0.0 Lin "How long a recall takes to lead to settings that do not say it themselves"
    SettingsMorph "settings.morph" "" 0.0 .. 1.0 = 0.0 Lin "Crosses from the first of two settings that the patch names to the second"
    SettingsX "settings.x" "" 0.0 .. 1.0 = 0.0 Lin "Crosses between four settings that the patch names: from those on the left to those on the right"
    SettingsY "settings.y" "" 0.0 .. 1.0 = 0.0 Lin "Crosses between four settings that the patch names: from those below to those above"
    Shader1 "shader.1" "" 0.0 .. 1.0 = 0.5 Lin "What the patch's shader takes as its input 1, over its own range"
    Shader2 "shader.2" "" 0.0 .. 1.0 = 0.5 Lin "What the patch's shader takes as its input 2, over its own range"
    Shader3 "shader.3" "" 0.0 .. 1.0 = 0.5 Lin "What the patch's shader takes as its input 3, over its own range"
    Shader4 "shader.4" "" 0.0 .. 1.0 = 0.5 Lin "What the patch's shader takes as its input 4, over its own range"
    Shader5 "shader.5" "" 0.0 .. 1.0 = 0.5 Lin "What the patch's shader takes as its input 5, over its own range"
    Shader6 "shader.6" "" 0.0 .. 1.0 = 0.5 Lin "What the patch's shader takes as its input 6, over its own range"
    Shader7 "shader.7" "" 0.0 .. 1.0 = 0.5 Lin "What the patch's shader takes as its input 7, over its own range"
    Shader8 "shader.8" "" 0.0 .. 1.0 = 0.5 Lin "What the patch's shader takes as its input 8, over its own range"
    Shader9 "shader.9" "" 0.0 .. 1.0 = 0.5 Lin "What the patch's shader takes as its input 9, over its own range"
    Shader10 "shader.10" "" 0.0 .. 1.0 = 0.5 Lin "What the patch's shader takes as its input 10, over its own range"
    Shader11 "shader.11" "" 0.0 .. 1.0 = 0.5 Lin "What the patch's shader takes as its input 11, over its own range"
    Shader12 "shader.12" "" 0.0 .. 1.0 = 0.5 Lin "What the patch's shader takes as its input 12, over its own range"
}

impl ParamId {
    /// The parameter's row in the table.
    pub fn spec(self) -> &'static ParamSpec {
        &PARAMS[self as usize]
    }

    /// The dotted name.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// Whether snapshots of the sound hold it: all of the sound's do, but for the way between them and what guards it.
    pub fn morphs(self) -> bool {
        !matches!(self, ParamId::Morph | ParamId::Mute | ParamId::Ceiling | ParamId::CeilingLoud)
            && self.name().starts_with("sound.")
    }

    /// Whether settings that are stored while playing hold it. What a hand holds down for a while, and what guards the
    /// audience, is no setting.
    pub fn is_setting(self) -> bool {
        use ParamId::{Blackout, Ceiling, CeilingLoud, FlashGuard, Freeze, Hold, Lock, Mute};
        !matches!(self, Hold | Lock | Mute | Ceiling | CeilingLoud | FlashGuard | Blackout | Freeze)
            && !self.name().starts_with("settings.")
    }

    /// Finds a parameter by its dotted name.
    pub fn from_name(name: &str) -> Option<ParamId> {
        PARAMS.iter().find(|p| p.name == name).map(|p| p.id)
    }
}

/// The names that whole values go by, from the parameter's least value up.
const NAMES: [(ParamId, &[&str]); 5] = [
    (ParamId::Grid, &["free", "1/4", "1/8", "1/8t", "1/16", "1/16t", "1/32"]),
    (ParamId::Queue, &When::NAMES),
    (ParamId::StageScene, &["page", "river", "loom", "breath", "film", "body", "fault", "shader"]),
    (ParamId::Palette, &["ink", "paper", "phosphor", "ember", "plain"]),
    (ParamId::Doubt, &["dim", "weight", "blur"]),
];

impl ParamSpec {
    /// The names of the parameter's values, from the least up; none where they are plain numbers.
    pub fn names(&self) -> &'static [&'static str] {
        NAMES.iter().find(|(id, _)| *id == self.id).map_or(&[], |(_, names)| names)
    }

    /// The name that a value goes by.
    pub fn name_of(&self, value: f32) -> Option<&'static str> {
        self.names().get((self.clamp(value) - self.min) as usize).copied()
    }

    /// The value that goes by this name.
    pub fn named(&self, name: &str) -> Option<f32> {
        self.names().iter().position(|known| *known == name).map(|place| self.min + place as f32)
    }

    /// Brings any value into range; whole numbers where the curve says so; NaN becomes the default.
    pub fn clamp(&self, value: f32) -> f32 {
        if value.is_nan() {
            return self.default;
        }
        let value = value.clamp(self.min, self.max);
        match self.curve {
            Curve::Lin | Curve::Exp => value,
            Curve::Step => value.round(),
            Curve::Switch => f32::from(value >= 0.5),
        }
    }

    /// The value at a control's position, 0..1.
    pub fn at(&self, position: f32) -> f32 {
        let position = if position.is_nan() { 0.0 } else { position.clamp(0.0, 1.0) };
        self.clamp(match self.curve {
            Curve::Exp => self.min * (self.max / self.min).powf(position),
            _ => self.min + (self.max - self.min) * position,
        })
    }

    /// The position, 0..1, that a control would have for this value; the inverse of [`ParamSpec::at`].
    pub fn position(&self, value: f32) -> f32 {
        let value = value.clamp(self.min, self.max);
        match self.curve {
            Curve::Exp => (value / self.min).ln() / (self.max / self.min).ln(),
            _ => (value - self.min) / (self.max - self.min),
        }
    }
}

impl Serialize for ParamId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for ParamId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let name = String::deserialize(d)?;
        ParamId::from_name(&name).ok_or_else(|| serde::de::Error::custom(format!("there is no parameter {name:?}")))
    }
}

/// A plain copy of every parameter's value, owned by one consumer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParamValues(pub [f32; ParamId::COUNT]);

impl Default for ParamValues {
    fn default() -> Self {
        ParamValues(std::array::from_fn(|i| PARAMS[i].default))
    }
}

impl ParamValues {
    pub fn get(&self, id: ParamId) -> f32 {
        self.0[id as usize]
    }

    /// Sets a value, clamped into the parameter's range.
    pub fn set(&mut self, id: ParamId, value: f32) {
        self.0[id as usize] = id.spec().clamp(value);
    }
}

/// The base values that all threads share, without locks.
#[derive(Debug)]
pub struct Params([AtomicU32; ParamId::COUNT]);

impl Default for Params {
    fn default() -> Self {
        Params(std::array::from_fn(|i| AtomicU32::new(PARAMS[i].default.to_bits())))
    }
}

impl Params {
    pub fn get(&self, id: ParamId) -> f32 {
        f32::from_bits(self.0[id as usize].load(Ordering::Relaxed))
    }

    /// Sets a value, clamped into the parameter's range, and returns what was set.
    pub fn set(&self, id: ParamId, value: f32) -> f32 {
        let value = id.spec().clamp(value);
        self.0[id as usize].store(value.to_bits(), Ordering::Relaxed);
        value
    }

    /// A copy of all values as they stand.
    pub fn values(&self) -> ParamValues {
        ParamValues(std::array::from_fn(|i| f32::from_bits(self.0[i].load(Ordering::Relaxed))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        for (i, p) in PARAMS.iter().enumerate() {
            assert_eq!(p.id as usize, i, "{}", p.name);
            assert!(p.min < p.max, "{}", p.name);
            assert_eq!(p.clamp(p.default), p.default, "{}", p.name);
            assert!(p.curve != Curve::Exp || p.min > 0.0, "{}", p.name);
            assert_eq!(ParamId::from_name(p.name), Some(p.id));
            assert!(
                p.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '_'),
                "{}",
                p.name
            );
            for position in [0.0, 0.25, 0.5, 1.0] {
                let value = p.at(position);
                if matches!(p.curve, Curve::Lin | Curve::Exp) {
                    assert!((p.position(value) - position).abs() < 1e-5, "{} at {position}", p.name);
                }
            }
        }
    }

    #[test]
    fn every_value_with_names_has_one() {
        for (id, names) in NAMES {
            let spec = id.spec();
            assert_eq!(names.len() as f32, spec.max - spec.min + 1.0, "{}", spec.name);
            for name in names {
                assert_eq!(spec.name_of(spec.named(name).unwrap()), Some(*name));
            }
        }
        assert_eq!(ParamId::StageScene.spec().named("loom"), Some(2.0));
        assert_eq!((ParamId::TopK.spec().name_of(2.0), ParamId::TopK.spec().named("loom")), (None, None));
    }

    #[test]
    fn values_are_clamped_never_refused() {
        let params = Params::default();
        assert_eq!(params.set(ParamId::Temperature, 9.0), 2.0);
        assert_eq!(params.set(ParamId::TopK, 12.4), 12.0);
        assert_eq!(params.set(ParamId::Temperature, f32::NAN), 0.8);
        assert_eq!(params.set(ParamId::Hold, 0.7), 1.0);
        assert_eq!(params.values().get(ParamId::TopK), 12.0);
    }
}
