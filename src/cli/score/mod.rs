//! `score`: how well a model foresees a text.

mod figures;
mod listing;
mod progress;

use std::io::Write;

use anyhow::ensure;
use clap::Args;
use serde_json::{Value, json};

use super::print_json;
use super::say::RoomArgs;
use crate::model::fit::Fit;
use crate::model::{Foresight, Model, Piece, Source, THREADS, foresee_all, is_small, pieces};
use crate::terminal::paint::Paint;
use figures::{extend, piece_json, sums};
use listing::{header, listed, table};
use progress::Progress;

/// As many cores as read at once.
const HANDS: usize = 64;
/// Bytes of pieces that several cores share before they are told of: a second or two for the model that comes with xiao.
const ROUND: usize = 64 << 10;

/// Tell how well a model foresees texts, and show where it was surprised
///
/// Each piece (blank lines part them) is read from its own start as plain text, the way it is played: behind the tag of
/// its script or the BOS that the file asks for, and never in a chat model's template. Every token counts, and so does
/// the token that ends a piece, unless the model was taught to converse. A piece that outgrows the context is forgotten
/// as in play: the older half leaves.
///
/// Of each line are shown its number, its bits per character, and the word that surprised most with its bits; ⏎ is the
/// end of a line and ∎ that of a piece. Characters are Unicode's scalar values, with the newlines inside of a piece.
#[derive(Args)]
#[command(
    after_help = "Example:  xiao score embedded poems.txt\n          xiao score poet.gguf zh.txt en.txt --json | jq .bits_per_char\n          fortune | xiao score embedded - --json --lines"
)]
pub struct Score {
    /// A GGUF file, a name of `xiao models`, or `embedded`
    model: String,
    /// Text files; `-` reads stdin
    #[arg(required = true, value_name = "TEXT")]
    texts: Vec<String>,
    /// With --json, each line and each of its tokens too
    #[arg(long, requires = "json")]
    lines: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    room: RoomArgs,
}

/// A text and what it came to.
struct Scored {
    name: String,
    sum: Foresight,
    listing: Vec<Value>,
}

impl Score {
    pub fn run(self) -> anyhow::Result<()> {
        let source = super::inspect::source(&self.model)?;
        let texts: Vec<_> = self.texts.iter().map(|name| read(name)).collect::<Result<_, _>>()?;
        let mut models = self.models(&source)?;
        let model = &models[0];
        for warning in model.warnings() {
            crate::session::remark(warning);
        }
        if model.chat().is_some() {
            crate::session::remark("this model was taught to converse; the texts are scored as plain text");
        }
        let heading = json!({"model": self.model, "context": model.context(),
                             "piece_end": model.piece_end().map(|id| model.tokenizer().piece(id))});
        let paint = Paint::for_stdout();
        let mut progress = Progress::new(texts.iter().map(|(_, text)| text.len()).sum(), self.json);
        let mut scored = Vec::new();
        for (name, text) in &texts {
            let mut of = Scored { name: name.clone(), sum: Foresight::default(), listing: Vec::new() };
            if !self.json {
                say(if scored.is_empty() { "" } else { "\n" }, &header(paint, name))?;
            }
            let mut pieces = pieces(text).peekable();
            while pieces.peek().is_some() {
                let round = round(&mut pieces, if models.len() > 1 { ROUND } else { 1 });
                let seen = foresee_all(&mut models, &round.iter().map(|p| p.text.as_str()).collect::<Vec<_>>())?;
                for (piece, seen) in round.iter().zip(seen) {
                    match (self.json, self.lines) {
                        (true, true) => of.listing.push(piece_json(piece.line, &seen)?),
                        (true, false) => {}
                        (false, _) => {
                            let gap = if of.sum.all.pieces > 0 { "\n" } else { "" };
                            say(gap, &listed(paint, piece.line, &seen))?;
                        }
                    }
                    of.sum.add(&seen);
                    progress.add(&seen);
                }
            }
            scored.push(of);
        }
        progress.end();
        if self.json { self.print_json(heading, scored) } else { say("\n", &table(paint, &scored)) }
    }

    /// A small model is read with by every core on its own, a larger one by all of them together: no sound waits for one.
    fn models(&self, source: &Source) -> anyhow::Result<Vec<Model>> {
        let asked = std::env::var(THREADS).ok().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
        let cores = asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let small = is_small(source);
        super::set_threads(if small { 1 } else { cores });
        Fit::read(source, self.room.context)?.check(self.room.force)?;
        let model = Model::load_with_context(source, self.room.context)?;
        let hands = if small && !model.info().opaque { cores.min(HANDS) } else { 1 };
        let mut models: Vec<_> = (1..hands).map(|_| model.fresh()).collect();
        models.push(model);
        Ok(models)
    }

    fn print_json(&self, heading: Value, scored: Vec<Scored>) -> anyhow::Result<()> {
        let mut value = heading;
        extend(&mut value, sums(&together(&scored))?);
        let texts = scored.into_iter().map(|of| {
            let mut value = json!({"text": of.name});
            extend(&mut value, sums(&of.sum)?);
            if self.lines {
                value["listing"] = Value::Array(of.listing);
            }
            Ok(value)
        });
        value["texts"] = texts.collect::<anyhow::Result<_>>()?;
        if self.lines { super::print(&value.to_string()) } else { print_json(&value) }
    }
}

/// The pieces that are read next: so many bytes of them.
fn round(pieces: &mut impl Iterator<Item = Piece>, wanted: usize) -> Vec<Piece> {
    let (mut round, mut bytes) = (Vec::new(), 0);
    while bytes < wanted
        && let Some(piece) = pieces.next()
    {
        bytes += piece.text.len();
        round.push(piece);
    }
    round
}

/// A named text; `-` is stdin.
fn read(name: &str) -> anyhow::Result<(String, String)> {
    let (name, text) = match name {
        "-" => ("stdin", super::text_of("stdin", std::io::stdin().lock())?),
        _ => {
            let there = std::path::Path::new(name).exists();
            ensure!(there, "{name}: there is no such file; give a file with the text, or - for stdin");
            (name, super::read_text(name.as_ref())?)
        }
    };
    ensure!(!text.contains('\0'), "{name} is no text: it has bytes of 0; give a file of plain text in UTF-8");
    ensure!(pieces(&text).next().is_some(), "{name} holds no text; give a file with some words in it");
    Ok((name.to_string(), text))
}

/// Prints what is clean already.
fn say(before: &str, text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{before}{text}")?)
}

fn together(scored: &[Scored]) -> Foresight {
    let mut all = Foresight::default();
    for Scored { sum, .. } in scored {
        all.all += sum.all;
        all.zh += sum.zh;
        all.en += sum.en;
    }
    all
}
