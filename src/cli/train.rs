//! `train`: a model of one's own from texts, on the main thread and as many others as compute.

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use super::print;
use crate::model::Source;
use crate::terminal::clean;
use crate::train::card::Extent;
use crate::train::{News, Plan, Profile, Progress, Recipe, Shape, Sizes, train};

/// How often a line is printed where there is no terminal.
const LINE: Duration = Duration::from_secs(30);
/// Without a number of minutes or tokens.
const MINUTES: f64 = 30.0;

/// Train a small model from your own texts
#[derive(Args)]
#[command(
    after_help = "Example:  xiao train poems.txt -o mine.gguf --size nano --minutes 10\n          xiao train poems/ letters.txt --weight letters.txt=0.5 -o mine.gguf\n          xiao train haiku.txt --from mine.gguf -o haiku.gguf --minutes 3\n          xiao train --profile --size micro\n\nPieces are parted by blank lines. The same command goes on after an interruption."
)]
pub struct Train {
    /// Files of plain text, or folders of .txt files
    #[arg(required_unless_present = "profile")]
    texts: Vec<PathBuf>,
    /// The model's file; its checkpoint lies beside it until it is done
    #[arg(short, long, value_name = "MODEL.gguf", required_unless_present = "profile")]
    output: Option<PathBuf>,
    /// How large the model is: about 1, 3 or 8 million parameters; without it, nano below 1 MB of text, else micro
    #[arg(long, value_enum)]
    size: Option<Size>,
    #[command(flatten)]
    shape: ShapeArgs,
    /// Go on from a model that xiao has trained, with its tokens: a file, or a name as for `play`
    #[arg(long, value_name = "MODEL", conflicts_with = "size")]
    from: Option<String>,
    /// Train for so long; 30 without it
    #[arg(long, value_name = "N", value_parser = positive)]
    minutes: Option<f64>,
    /// Train until so many tokens have been read, to the end of a step
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    tokens: Option<u64>,
    /// Read the pieces of this file (its name, or its path where two have one) so often, beside once for the others; may
    /// be given again
    #[arg(long, value_name = "NAME=W", value_parser = weight)]
    weight: Vec<(String, f32)>,
    #[command(flatten)]
    recipe: RecipeArgs,
    /// The model's name; without it, that of its file
    #[arg(long)]
    name: Option<String>,
    /// Under which licence the model may be used, such as CC0-1.0
    #[arg(long, default_value = "not stated")]
    licence: String,
    /// Who made it
    #[arg(long)]
    author: Option<String>,
    /// How the matrices are stored: Q8_0, F16 or F32
    #[arg(long, value_name = "TYPE", default_value = "Q8_0")]
    kind: String,
    /// Keep a checkpoint so often: what a crash costs at most
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = positive)]
    checkpoint: f64,
    /// Threads that compute, up to 64; without it, one for each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: Option<u8>,
    /// How much is heard for the model's card: some samples or all that it has room for
    #[arg(long, value_enum, default_value_t = Listening::Quick)]
    card: Listening,
    /// Write over a finished model of this name
    #[arg(long)]
    force: bool,
    /// Train nothing: measure how fast training is here, and where its time goes
    #[arg(long)]
    profile: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Size {
    Nano,
    Micro,
    Small,
}

#[derive(Clone, Copy, ValueEnum)]
enum Listening {
    Quick,
    Full,
}

impl Listening {
    fn extent(self) -> Extent {
        match self {
            Listening::Quick => Extent::QUICK,
            Listening::Full => Extent::FULL,
        }
    }
}

/// Each size by itself; what is not given is that of --size.
#[derive(Args)]
struct ShapeArgs {
    /// Tokens in the vocabulary, 260 to 65536; fewer are learnt from a short text
    #[arg(long, value_name = "N", conflicts_with = "from")]
    vocabulary: Option<usize>,
    /// Width of the embedding, a multiple of 32
    #[arg(long, value_name = "N", conflicts_with = "from")]
    width: Option<usize>,
    /// Layers
    #[arg(long, value_name = "N", conflicts_with = "from")]
    layers: Option<usize>,
    /// Heads of attention
    #[arg(long, value_name = "N", conflicts_with = "from")]
    heads: Option<usize>,
    /// Heads of keys and values, by which the heads are shared
    #[arg(long, value_name = "N", conflicts_with = "from")]
    kv_heads: Option<usize>,
    /// Width of the feed-forward, a multiple of 32
    #[arg(long, value_name = "N", conflicts_with = "from")]
    ffn: Option<usize>,
    /// Tokens that the model can hold in mind
    #[arg(long, value_name = "N", conflicts_with = "from")]
    context: Option<usize>,
}

#[derive(Args)]
struct RecipeArgs {
    /// The same seed and number of threads give the same model, if --tokens ends it
    #[arg(long, value_name = "N", default_value_t = Recipe::default().seed)]
    seed: u64,
    /// Tokens in one step, 64 to 1048576
    #[arg(long, value_name = "N", default_value_t = Recipe::default().batch_tokens as u64,
        value_parser = clap::value_parser!(u64).range(64..=1 << 20))]
    batch: u64,
    /// The highest learning rate, of the table of tokens; that of the matrices is in proportion to it
    #[arg(long, value_name = "X", value_parser = rate)]
    learning_rate: Option<f64>,
    /// Weight decay
    #[arg(long, value_name = "X", default_value_t = Recipe::default().weight_decay, value_parser = rate)]
    weight_decay: f64,
    /// Share of what is left out by chance while learning, 0 to 0.9; without it, 0.2 for a short text, 0 for a long one
    #[arg(long, value_name = "X", value_parser = share)]
    dropout: Option<f64>,
}

fn positive(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|x: &f64| x.is_finite() && *x > 0.0).ok_or_else(|| "a number above 0 is wanted".into())
}

fn rate(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|x| (0.0..=1.0).contains(x)).ok_or_else(|| "a number from 0 to 1 is wanted".into())
}

fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|x| (0.0..=0.9).contains(x)).ok_or_else(|| "a number from 0 to 0.9 is wanted".into())
}

pub fn weight(text: &str) -> Result<(String, f32), String> {
    let (name, weight) = text.rsplit_once('=').ok_or("NAME=W is wanted, such as epics.txt=0.3")?;
    let weight = positive(weight)?;
    if !(0.01..=100.0).contains(&weight) {
        return Err("a weight goes from 0.01 to 100".into());
    }
    Ok((name.to_string(), weight as f32))
}

impl Size {
    fn shape(self) -> Shape {
        match self {
            Size::Nano => Shape::NANO,
            Size::Micro => Shape::MICRO,
            Size::Small => Shape::SMALL,
        }
    }
}

impl ShapeArgs {
    fn sizes(&self) -> Sizes {
        let ShapeArgs { vocabulary, width, layers, heads, kv_heads, ffn, context } = *self;
        Sizes { vocabulary, width, layers, heads, kv_heads, ffn, context }
    }
}

impl Train {
    pub fn run(self) -> anyhow::Result<()> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.threads.map_or(cores.min(64), usize::from);
        // Samples and scores are computed by one thread each: the pool's others would spin beside the training.
        super::set_threads(1);
        let (named, sizes) = (self.size.map(Size::shape), self.shape.sizes());
        if self.profile {
            let shape = sizes.over(named.unwrap_or(Shape::MICRO));
            shape.check()?;
            return print(Profile::measure(shape, threads, Duration::from_secs(10)).to_string().trim_end());
        }
        let Some(output) = self.output else { bail!("-o MODEL.gguf is wanted") };
        let minutes = self.minutes.or(self.tokens.is_none().then_some(MINUTES));
        let rate = self.recipe.learning_rate;
        let usual = Recipe::default();
        let recipe = Recipe {
            seed: self.recipe.seed,
            minutes,
            tokens: self.tokens,
            batch_tokens: self.recipe.batch as usize,
            learning_rate: rate.unwrap_or(usual.learning_rate),
            matrix_rate: rate.map_or(usual.matrix_rate, |rate| rate * usual.matrix_rate / usual.learning_rate),
            weight_decay: self.recipe.weight_decay,
            ..usual
        };
        let stem = output.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let plan = Plan {
            texts: self.texts,
            weights: self.weight,
            shape: named,
            sizes,
            base: self.from.as_deref().map(super::inspect::source).transpose()?,
            recipe,
            dropout: self.recipe.dropout,
            name: self.name.unwrap_or(stem),
            licence: self.licence,
            author: self.author,
            threads,
            kind: self.kind.to_uppercase(),
            force: self.force,
            checkpoint_every: Duration::from_secs_f64(self.checkpoint.min(3600.0)),
            output,
        };
        let stop = Arc::new(AtomicBool::new(false));
        let asked = stop.clone();
        ctrlc::set_handler(move || {
            // A second time is meant, and so is a first one when the model is written already.
            if asked.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
        })
        .context("Ctrl-C cannot be caught")?;
        let mut bar = Bar::new();
        let trained = train(&plan, &mut |news| {
            bar.show(news);
            if stop.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        bar.clear();
        let trained = trained?;
        if !trained.finished {
            say("stopped; the same command goes on from here");
            std::process::exit(130);
        }
        stop.store(true, Ordering::SeqCst);
        for part in &trained.record.held_out {
            let (script, bits) = (part.script, part.bits_per_character());
            say(&format!("held out {script}: {bits:.3} bits a character, {:.3} bits a byte", part.bits_per_byte()));
        }
        let (model, card) = (plan.output.display().to_string(), plan.output.with_extension("md"));
        // The model is there, whatever becomes of its card.
        let source = Source::File(plan.output.clone());
        let wanted = super::card::Wanted {
            source: &source,
            model: &model,
            texts: &plan.texts,
            weights: &plan.weights,
            extent: self.card.extent(),
            others: &[],
            about: None,
            file: &card,
            force: false,
        };
        // Written before anything is printed: whoever listens may have left.
        let card = super::card::write(&wanted);
        print(&model)?;
        match card {
            Ok(files) => files.iter().try_for_each(|file| print(&file.display().to_string()))?,
            Err(e) => say(&format!("the card was not written ({e:#}); the model is whole: xiao card {model} -o F.md")),
        }
        say(&format!("play it:  xiao play --model {model}"));
        Ok(())
    }
}

/// Says a line on stderr, if anybody still listens: a training does not end because of that.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The progress on stderr: one line that changes in a terminal, a line now and then elsewhere.
struct Bar {
    terminal: bool,
    shown: bool,
    last: Option<Instant>,
}

impl Bar {
    fn new() -> Bar {
        Bar { terminal: std::io::stderr().is_terminal(), shown: false, last: None }
    }

    fn show(&mut self, news: News) {
        match news {
            News::Told(line) => {
                self.clear();
                say(&clean::text(&line));
            }
            News::Sample { opening, text, .. } => {
                self.clear();
                say(&format!("  {}", clean::text(&format!("{opening}|{}", text.trim_end().replace('\n', " / ")))));
            }
            News::Step(progress) => {
                let every = if self.terminal { Duration::from_millis(200) } else { LINE };
                if self.last.is_some_and(|last| last.elapsed() < every) {
                    return;
                }
                self.last = Some(Instant::now());
                let line = line(&progress);
                if self.terminal {
                    let mut err = std::io::stderr().lock();
                    let _ = write!(err, "\r\x1b[2K{line}").and_then(|()| err.flush());
                    self.shown = true;
                } else {
                    say(&line);
                }
            }
        }
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}

fn line(progress: &Progress) -> String {
    const WIDTH: usize = 20;
    let done = (progress.share * WIDTH as f64) as usize;
    let seconds = progress.left.as_secs();
    let left = match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    };
    let held_out = progress.held_out.map(|nats| format!(", held out {nats:.3}")).unwrap_or_default();
    format!(
        "{}{} {:>3.0} %  loss {:.3}{held_out}  {:.1} M tokens, {:.0} a second  {left} left",
        "━".repeat(done),
        "─".repeat(WIDTH - done),
        progress.share * 100.0,
        progress.loss,
        progress.tokens as f64 / 1e6,
        progress.tokens_per_second,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_a_name_and_a_number() {
        assert_eq!(weight("a=b.txt=0.3"), Ok(("a=b.txt".to_string(), 0.3)));
        for wrong in ["a.txt", "a.txt=", "a.txt=0", "a.txt=-1", "a.txt=1000", "a.txt=nan"] {
            assert!(weight(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_line_tells_where_it_stands() {
        let progress = Progress {
            share: 0.25,
            loss: 4.5,
            held_out: Some(4.75),
            tokens: 1_500_000,
            tokens_per_second: 9876.0,
            left: Duration::from_secs(3700),
        };
        let line = line(&progress);
        assert!(line.starts_with("━━━━━──") && line.contains(" 25 %") && line.contains("1 h 01 min left"), "{line}");
        assert!(line.contains("loss 4.500, held out 4.750") && line.contains("1.5 M tokens, 9876 a second"), "{line}");
    }
}
