//! The patch: the performer's TOML file with prompts, parameters, MIDI mapping and matrix.
//!
//! Read on the main or the hands thread, never in a callback. A patch that does not hold together is refused with the
//! file, line, key and the nearest right word, and whatever was playing plays on.

mod cables;
mod error;
mod find;
pub mod hands;
mod load;
pub mod matrix;
pub mod midi_out;
pub mod osc;
mod reader;
pub mod sampler;
mod scenes;
pub mod settings;
pub mod template;
mod tempo;
#[cfg(test)]
mod tests;
mod value;
mod watch;
pub mod write;

pub use error::{PatchError, Problem};
pub use find::{BUILT_IN, Found, builtin, find};
pub use hands::{Binding, Controller, Kind, Play, Source, TRIGGERS, Takeover, Target, trigger};
pub use load::parse;
pub use matrix::{Matrix, Modulator, Origin, Route};
pub use midi_out::Synth;
pub use osc::{Osc, OscWish};
pub use sampler::SamplerSpec;
pub use scenes::{Next, Plan, Scene};
pub use settings::Settings;
pub use template::{Slots, Template};
pub use tempo::{Tempo, TempoFrom};
pub use watch::Watch;

use crate::score::ParamId;

/// A patch, checked and ready to be played.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    pub title: String,
    /// `embedded`, a path, or nothing (then the command line or the embedded model decides).
    pub model: Option<String>,
    /// The shader's name without `.wgsl`, found in `shaders/` beside the patch, in the working folder or inside xiao.
    pub shader: String,
    /// The tokens' scale: `equal`, `just`, `sanfen`, `slendro` or a `.scl` file beside the patch. None: the gong mode.
    pub tuning: Option<String>,
    /// A `.kbm` file beside the patch that says which notes of the scale are played.
    pub keyboard: Option<String>,
    /// A folder of the artist's own sounds, beside the patch.
    pub samples: Option<String>,
    /// How a model that was taught to converse is spoken to.
    pub chat: Chat,
    /// The second prompt of `generator.blend` when the piece begins, an index into the bank.
    pub blend: Option<usize>,
    /// The prompt that an error is fed back with, an index into the bank; none: its words alone.
    pub error: Option<usize>,
    /// The lists of words, and what a slot says that has nothing to say.
    pub slots: Slots,
    /// The bank of prompts in the order of the file; never empty.
    pub prompts: Vec<Prompt>,
    /// Where parameters stand when the piece begins; the rest stand at their defaults.
    pub params: Vec<(ParamId, f32)>,
    /// The order of the sampler's stages, and words that are favoured, shunned or banned.
    pub sampler: SamplerSpec,
    /// The ends of `sound.morph`: parameters of the sound and where they stand there.
    pub morph: [Vec<(ParamId, f32)>; 2],
    /// Settings that are recalled by their names.
    pub settings: Settings,
    /// What keys, gamepads and MIDI controllers play.
    pub controllers: Vec<Controller>,
    /// The synthesisers that are played over MIDI; of those that match a port, the one whose pattern says most.
    pub midi_out: Vec<Synth>,
    /// Whose tempo is played.
    pub tempo: Tempo,
    /// Control over the network; none: it is off.
    pub osc: Option<Osc>,
    pub matrix: Matrix,
    /// The scenes of the piece; none: the patch is played as it stands.
    pub plan: Plan,
    /// Controls that this patch says nothing of play what xiao knows of their controllers.
    pub known_controllers: bool,
}

/// Whoever is sent MIDI.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listeners {
    /// The synthesisers that the score plays; of those that match a port, the one whose pattern says most.
    pub synths: Vec<Synth>,
    /// The controllers that are told what they show.
    pub controllers: Vec<Controller>,
}

impl Patch {
    /// Whoever this patch sends MIDI to.
    pub fn listeners(&self) -> Listeners {
        let told = self.controllers.iter().filter(|controller| controller.feedback.is_some());
        Listeners { synths: self.midi_out.clone(), controllers: told.cloned().collect() }
    }
}

/// How a model that was taught to converse is spoken to. A model that was not goes on from plain text in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chat {
    /// Plain text for every model.
    pub raw: bool,
    /// What it is told before everything else.
    pub system: Option<String>,
    /// A prompt goes on with the conversation; else each begins another one.
    pub memory: bool,
}

impl Chat {
    /// What the command line asks for goes before what a patch says.
    pub fn take(&mut self, raw: bool, system: Option<&str>) {
        self.raw |= raw;
        if let Some(system) = system {
            self.system = Some(system.to_string());
        }
    }
}

/// A prompt of the bank.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    pub name: String,
    /// As it is written, with its slots.
    pub text: String,
    pub template: Template,
}
