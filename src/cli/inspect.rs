//! `inspect`, `peek` and `tokenize`: looking into a model.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use serde_json::json;

use super::{print, print_json};
use crate::machine;
use crate::model::{Dice, Distribution, Info, Model, Moved, Sampler, Source, StageView, Tokenizer};
use crate::patch::{self, Patch};
use crate::score::{ParamId, ParamValues};

/// `embedded` names the model inside xiao; anything else is a file.
pub fn source(model: &str) -> Source {
    if model == "embedded" { Source::Embedded } else { Source::File(PathBuf::from(model)) }
}

/// Show a model's anatomy: sizes, quantization, vocabulary, licence, lineage, memory
#[derive(Args)]
#[command(after_help = "Example:  xiao inspect embedded\n          xiao inspect llama.gguf --json")]
pub struct Inspect {
    /// A GGUF file, or `embedded`
    model: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub fn run(self) -> anyhow::Result<()> {
        let info = Info::read(&source(&self.model))?;
        let host = machine::host();
        if self.json {
            let mut value = serde_json::to_value(&info)?;
            value["machine"] = serde_json::to_value(&host)?;
            return print_json(&value);
        }
        print(&info.to_string())?;
        print(&format!("{:<14} {host}; {} MiB free", "this machine", host.memory_available_bytes >> 20))
    }
}

/// Show the next token's distribution after a text
#[derive(Args)]
#[command(
    after_help = "Example:  xiao peek embedded \"The moon\" --top 5\n          xiao peek embedded --ids 7,19,300 --top 0 --json\n          xiao peek embedded \"The moon\" --stages --set sampler.xtc_probability=0.5"
)]
#[command(group = clap::ArgGroup::new("input").required(true))]
pub struct Peek {
    /// A GGUF file, or `embedded`
    model: String,
    /// The text before the token
    #[arg(group = "input")]
    text: Option<String>,
    /// Token ids, used as given
    #[arg(long, value_name = "7,19,300", value_delimiter = ',', group = "input")]
    ids: Option<Vec<u32>>,
    /// How many tokens, likeliest first; 0 gives all, ordered by id
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    /// Show the distribution before and after each stage of the sampler; XTC as when it strikes
    #[arg(long)]
    stages: bool,
    /// With the order, words and parameters of this patch
    #[arg(long, value_name = "PATCH", requires = "stages")]
    patch: Option<String>,
    /// Set any parameter (see `xiao params`); may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = super::perform::setting, requires = "stages")]
    set: Vec<(ParamId, f32)>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Peek {
    pub fn run(self) -> anyhow::Result<()> {
        let source = source(&self.model);
        let patch = self.patch.as_deref().map(|name| {
            let found = patch::find(name)?;
            patch::parse(&found.file, &found.text)
        });
        let patch = patch.transpose()?.unwrap_or_default();
        super::limit_threads(&source);
        let mut model = Model::load(&source)?;
        let ids = match (&self.ids, &self.text) {
            (Some(ids), _) => ids.clone(),
            (None, Some(text)) => model.tokenizer().encode_with_bos(text),
            (None, None) => bail!("a text or --ids is wanted"),
        };
        let distribution = model.peek(&ids)?;
        if self.stages {
            return self.show_stages(&model, &ids, &distribution, &patch);
        }
        let top = if self.top == 0 { distribution.all() } else { distribution.top(self.top) };
        let entropy = distribution.entropy_bits();
        let piece = |id| model.tokenizer().piece(id);
        if self.json {
            let rows: Vec<_> =
                top.iter().map(|c| json!({"id": c.id, "text": piece(c.id), "logit": c.logit, "p": c.p})).collect();
            return print_json(&json!({"ids": ids, "top": rows, "entropy_bits": entropy}));
        }
        print(&format!("{:>8} {:>8} {:>9}  text", "id", "p", "logit"))?;
        for c in top {
            print(&format!("{:>8} {:>8.4} {:>9.3}  {:?}", c.id, c.p, c.logit, piece(c.id)))?;
        }
        print(&format!("entropy {entropy:.3} bits after {} tokens", ids.len()))
    }

    /// The sampler's stages one after the other.
    fn show_stages(&self, model: &Model, ids: &[u32], from: &Distribution, patch: &Patch) -> anyhow::Result<()> {
        let (plan, warnings) = model.plan(&patch.sampler);
        let mut params = ParamValues::default();
        for (id, value) in model.sampling().params.iter().chain(&patch.params).chain(&self.set) {
            params.set(*id, *value);
        }
        let strikes = Dice { road: 0.0, xtc: 0.0 };
        let most = if self.top == 0 { usize::MAX } else { self.top };
        let views = Sampler::default().stages(&from.logits, ids, &plan, &params, strikes, most);
        let piece = |id| model.tokenizer().piece(id);
        if self.json {
            let moved = |m: &Moved| json!({"id": m.id, "text": piece(m.id), "before": m.before, "after": m.after});
            let stage = |view: &StageView| {
                json!({"stage": view.name, "on": view.on, "left": view.left, "held": view.held,
                       "entropy_bits": view.entropy_bits, "top": view.best.iter().map(moved).collect::<Vec<_>>()})
            };
            let stages: Vec<_> = views.iter().map(stage).collect();
            return print_json(&json!({"ids": ids, "stages": stages, "warnings": warnings}));
        }
        for warning in warnings {
            print(&format!("note: {warning}"))?;
        }
        for view in views {
            if !view.on {
                print(&format!("{:<12} does nothing here", view.name))?;
                continue;
            }
            print(&format!(
                "{:<12} leaves {} tokens with {:.2} % of the model's probability; entropy {:.3} bits",
                view.name,
                view.left,
                view.held * 100.0,
                view.entropy_bits
            ))?;
            for m in view.best {
                print(&format!("{:>20} {:>8.4} → {:>7.4}  {:?}", m.id, m.before, m.after, piece(m.id)))?;
            }
        }
        Ok(())
    }
}

/// Cut a text into the model's tokens
#[derive(Args)]
#[command(
    after_help = "Example:  xiao tokenize embedded 春江花月夜\n          xiao tokenize embedded --file poem.txt --json"
)]
#[command(group = clap::ArgGroup::new("input").required(true))]
pub struct Tokenize {
    /// A GGUF file, or `embedded`
    model: String,
    /// The text
    #[arg(group = "input")]
    text: Option<String>,
    /// A file with the text
    #[arg(long, value_name = "F", group = "input")]
    file: Option<PathBuf>,
    /// Take special-token text such as <|end|> as those tokens, not as text
    #[arg(long)]
    special: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Tokenize {
    pub fn run(self) -> anyhow::Result<()> {
        let tokenizer = Tokenizer::read(&source(&self.model))?;
        let text = match (self.text, self.file) {
            (Some(text), _) => text,
            (None, Some(file)) => super::read_text(&file)?,
            (None, None) => bail!("a text or --file is wanted"),
        };
        let ids = if self.special { tokenizer.encode_special(&text) } else { tokenizer.encode(&text) };
        let pieces: Vec<_> = ids.iter().map(|id| tokenizer.piece(*id)).collect();
        if self.json {
            return print(&json!({"ids": ids, "pieces": pieces}).to_string());
        }
        for (id, piece) in ids.iter().zip(pieces) {
            print(&format!("{id:>8}  {piece:?}"))?;
        }
        Ok(())
    }
}
