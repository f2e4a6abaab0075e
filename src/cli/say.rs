//! `say`: the continuation of a prompt on stdout, and nothing else.

use std::io::{IsTerminal, Write};

use clap::Args;

use crate::model::fit::Fit;
use crate::model::{Generator, Model, Source, Step};
use crate::patch;
use crate::score::{ParamId, ParamValues};

/// The sampler's parameters as options; what is not given stands at its default.
#[derive(Args)]
pub struct SamplerArgs {
    /// How freely tokens are drawn, 0..2; 0 always takes the likeliest
    #[arg(long, value_name = "T", value_parser = in_range(ParamId::Temperature))]
    temperature: Option<f32>,
    /// Only the K likeliest tokens may be drawn; 0 lets all in
    #[arg(long, value_name = "K", value_parser = in_range(ParamId::TopK))]
    top_k: Option<f32>,
    /// Only the likeliest that together hold this probability, 0..1
    #[arg(long, value_name = "P", value_parser = in_range(ParamId::TopP))]
    top_p: Option<f32>,
    /// Leave out what is below this fraction of the likeliest, 0..1
    #[arg(long, value_name = "P", value_parser = in_range(ParamId::MinP))]
    min_p: Option<f32>,
    /// How strongly recent tokens are held back, 1..2; 1 does nothing
    #[arg(long, value_name = "X", value_parser = in_range(ParamId::RepeatPenalty))]
    repeat_penalty: Option<f32>,
    /// How many recent tokens the penalty looks at
    #[arg(long, value_name = "N", value_parser = in_range(ParamId::RepeatWindow))]
    repeat_window: Option<f32>,
}

/// How a model that was taught to converse is spoken to.
#[derive(Args)]
pub struct ChatArgs {
    /// Plain text even for a model that was taught to converse: it goes on from the words as they are
    #[arg(long)]
    pub raw: bool,
    /// What such a model is told before everything else
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
}

/// What a model may take of the machine.
#[derive(Args)]
pub struct RoomArgs {
    /// How many tokens the model holds in mind, at most its own number; without it, at most 4096
    #[arg(long, value_name = "N", value_parser = context)]
    pub context: Option<usize>,
    /// Load it even if it seems not to fit into memory
    #[arg(long)]
    pub force: bool,
}

fn context(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|n| (8..=1 << 24).contains(n))
        .ok_or_else(|| "a number of tokens from 8 on is wanted".into())
}

impl SamplerArgs {
    /// The parameters that were given.
    pub fn given(&self) -> Vec<(ParamId, f32)> {
        [
            (ParamId::Temperature, self.temperature),
            (ParamId::TopK, self.top_k),
            (ParamId::TopP, self.top_p),
            (ParamId::MinP, self.min_p),
            (ParamId::RepeatPenalty, self.repeat_penalty),
            (ParamId::RepeatWindow, self.repeat_window),
        ]
        .into_iter()
        .filter_map(|(id, value)| Some((id, value?)))
        .collect()
    }
}

/// Reads a number and refuses what lies outside the parameter's range: on the command line a slip is an error.
pub fn in_range(id: ParamId) -> impl Fn(&str) -> Result<f32, String> + Clone {
    move |text| {
        let spec = id.spec();
        if let Some(value) = spec.named(text) {
            return Ok(value);
        }
        let names = if spec.names().is_empty() { String::new() } else { format!(" or {}", spec.names().join(", ")) };
        let wanted = || format!("a number from {} to {}{names} is wanted", spec.min, spec.max);
        let value: f32 = text.parse().map_err(|_| wanted())?;
        match (spec.min..=spec.max).contains(&value) {
            true if spec.clamp(value) == value => Ok(value),
            true => Err(format!("{} takes whole numbers", spec.name)),
            false => Err(format!("{} goes from {} to {}", spec.name, spec.min, spec.max)),
        }
    }
}

/// Continue a prompt on stdout, token by token
#[derive(Args)]
#[command(
    after_help = "Example:  xiao say \"The moon\" --tokens 60 --seed 7\n          xiao say 春 --temperature 0.6\n          xiao say \"O sea\" --set sampler.dry_multiplier=0.8 --set sampler.xtc_probability=0.3"
)]
pub struct Say {
    /// The text to continue
    prompt: String,
    /// A GGUF file, a name of `xiao models`, or `embedded`; without it, the model that comes with xiao
    #[arg(long, value_name = "FILE|NAME")]
    model: Option<String>,
    #[command(flatten)]
    room: RoomArgs,
    #[command(flatten)]
    chat: ChatArgs,
    /// Stop after this many tokens, if the piece does not end before
    #[arg(long, value_name = "N", default_value_t = 128)]
    tokens: u32,
    /// The same seed draws the same tokens
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Set any parameter (see `xiao params`); may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = super::perform::setting)]
    set: Vec<(ParamId, f32)>,
    #[command(flatten)]
    sampler: SamplerArgs,
}

impl Say {
    pub fn run(self) -> anyhow::Result<()> {
        let source = self.model.map_or(Ok(Source::Embedded), |model| super::inspect::source(&model))?;
        super::limit_threads(&source);
        Fit::read(&source, self.room.context)?.check(self.room.force)?;
        let mut generator = Generator::new(Model::load_with_context(&source, self.room.context)?, self.seed);
        let mut params = ParamValues::default();
        // The file's own wishes first: what is asked for goes before them.
        let wishes = generator.model().sampling().params.clone();
        for (id, value) in wishes.into_iter().chain(self.set).chain(self.sampler.given()) {
            params.set(id, value);
        }
        let mut out = std::io::stdout().lock();
        generator.set_manner(patch::Chat { raw: self.chat.raw, system: self.chat.system, memory: false });
        for warning in generator.model().warnings() {
            eprintln!("xiao: {warning}");
        }
        generator.prompt(&self.prompt)?;
        let mut said = 0;
        while said < self.tokens {
            match generator.step(&params)? {
                Step::Token { token, .. } => {
                    said += 1;
                    out.write_all(token.text.as_bytes())?;
                    out.flush()?;
                }
                Step::PieceEnd { .. } => break,
                Step::Forget(_) => {}
            }
        }
        out.write_all(generator.finish().as_bytes())?;
        // For the eye only: in a pipe there is the continuation and nothing else.
        if out.is_terminal() {
            out.write_all(b"\n")?;
        }
        Ok(out.flush()?)
    }
}
