//! `card`: the card of any model, as a page with what was heard when it was played.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::print;
use crate::model::{Source, Tokenizer};
use crate::train::card::{self, Card as Page, Extent, Known};
use crate::train::{Corpus, Yardstick, beside as beside_model, yardsticks};

/// A text of so many bytes is counted and compressed in seconds.
const SOON: u64 = 2_000_000;

/// Write a model's card: data, shape, recipe, scores, samples, recitation, metre, flaws
#[derive(Args)]
#[command(after_help = "Example:  xiao card mine.gguf poems.txt\n          xiao card embedded --quick -o embedded.md")]
pub struct Card {
    /// A GGUF file, a name of `xiao models`, or `embedded`
    model: String,
    /// The texts that it was made from, files or folders in the same order, to see what it recites; without them that is
    /// left out
    texts: Vec<PathBuf>,
    /// How often a file's pieces were read beside 1 for the others, as it was trained; may be given again
    #[arg(long, value_name = "NAME=W", value_parser = super::train::weight, requires = "texts")]
    weight: Vec<(String, f32)>,
    /// Where the card is written; without it, beside the model's file, or here for a model without one. The learning
    /// curve goes beside the card
    #[arg(short, long, value_name = "F.md")]
    output: Option<PathBuf>,
    /// Another model to hold against the same held-out part; may be given again
    #[arg(long, value_name = "MODEL", requires = "texts")]
    beside: Vec<String>,
    /// Your own words about the model, in Markdown, to stand in its card
    #[arg(long, value_name = "WORDS.md")]
    about: Option<PathBuf>,
    /// A first look: fewer samples, fewer lines
    #[arg(long)]
    quick: bool,
    /// Overwrite what is there, even if it is no card
    #[arg(long)]
    force: bool,
}

impl Card {
    pub fn run(self) -> anyhow::Result<()> {
        let source = super::inspect::source(&self.model)?;
        super::limit_threads(&source);
        let file = self.output.unwrap_or_else(|| beside(&self.model));
        let extent = if self.quick { Extent::QUICK } else { Extent::FULL };
        let wanted = Wanted {
            source: &source,
            model: &self.model,
            texts: &self.texts,
            weights: &self.weight,
            extent,
            others: &self.beside,
            about: self.about.as_deref(),
            file: &file,
            force: self.force,
        };
        for written in write(&wanted)? {
            print(&written.display().to_string())?;
        }
        Ok(())
    }
}

/// A card that is wanted.
pub struct Wanted<'a> {
    pub source: &'a Source,
    /// What a player would ask for.
    pub model: &'a str,
    pub texts: &'a [PathBuf],
    pub weights: &'a [(String, f32)],
    pub extent: Extent,
    /// Other models to hold against the same held-out part.
    pub others: &'a [String],
    /// Its maker's words about it.
    pub about: Option<&'a Path>,
    pub file: &'a Path,
    pub force: bool,
}

/// Plays a model for its card and writes that. Returns what was written. Also the end of `train`.
pub fn write(wanted: &Wanted) -> anyhow::Result<Vec<PathBuf>> {
    let Wanted { source, model, texts, weights, extent, others, about, file, force } = *wanted;
    let mut page = Page::read(source, &file_name(model, source))?;
    // Before the minutes that the playing takes.
    spare(wanted)?;
    page.may_write(file, force)?;
    page.about = about.map(super::read_text).transpose()?;
    let corpus = match texts.is_empty() {
        true => None,
        false => Some(Corpus::read(texts, weights)?),
    };
    let known = corpus.as_ref().map(Known::of);
    let mut progress = Progress::default();
    let told = &mut |what: &str, done, of| progress.tell(what, done, of);
    page.measured = Some(card::measure(source, &page, known.as_ref(), extent, told)?);
    if let Some(corpus) = corpus.filter(|corpus| page.measures_the_same(corpus)) {
        page.yardsticks = held_against(source, &corpus, others, extent, told)?;
    }
    Ok(page.write(file, force)?)
}

/// Refuses, whatever is forced, to write where a text, the maker's words or the model lie.
fn spare(wanted: &Wanted) -> anyhow::Result<()> {
    let place = |path: &Path| path.canonicalize().ok();
    let targets = [place(wanted.file), place(&wanted.file.with_extension("svg"))];
    let is_text = |target: &Path| target.extension().is_some_and(|end| end.eq_ignore_ascii_case("txt"));
    for target in targets.iter().flatten() {
        let within = |text: &PathBuf| place(text).is_some_and(|at| target.starts_with(at) && is_text(target));
        let same = |path: &Path| place(path).as_ref() == Some(target);
        let taken = wanted.texts.iter().any(|text| same(text) || within(text))
            || wanted.about.is_some_and(same)
            || matches!(wanted.source, Source::File(model) if same(model));
        anyhow::ensure!(
            !taken,
            "{}: it is what the card is to be made from; name another file with -o",
            target.display()
        );
    }
    Ok(())
}

/// What else foresees the held-out part: counting and compressing where there is time for it, and other models.
fn held_against(
    source: &Source,
    corpus: &Corpus,
    others: &[String],
    extent: Extent,
    told: &mut dyn FnMut(&str, usize, usize),
) -> anyhow::Result<Vec<Yardstick>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let steps = others.len() + 1;
    told("yardsticks", 0, steps);
    let bytes: u64 = corpus.report.training.iter().map(|(_, counts)| counts.bytes).sum();
    let mut measured = match extent == Extent::FULL || bytes < SOON {
        true => yardsticks(&corpus.training, &corpus.held_out, &Tokenizer::read(source)?, cores)?,
        false => Vec::new(),
    };
    for (i, other) in others.iter().enumerate() {
        told("yardsticks", i + 1, steps);
        let source = super::inspect::source(other)?;
        measured.extend(beside_model(&source, &file_name(other, &source), &corpus.held_out, cores)?);
    }
    told("yardsticks", steps, steps);
    Ok(measured)
}

/// What a player would call the model.
fn file_name(model: &str, source: &Source) -> String {
    match source {
        Source::File(path) if Path::new(model) == path => {
            path.file_name().map_or_else(|| model.to_string(), |name| name.to_string_lossy().into_owned())
        }
        _ => model.to_string(),
    }
}

/// Where the card goes: beside a file, and here for a model that has a name only.
pub fn beside(model: &str) -> PathBuf {
    let path = Path::new(model);
    if path.is_file() {
        return path.with_extension("md");
    }
    let name: String = model.chars().map(|c| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect();
    PathBuf::from(format!("{name}.md"))
}

/// How far the playing is, in one line that is written over on a terminal; elsewhere each part is said once.
#[derive(Default)]
struct Progress {
    part: String,
}

impl Progress {
    fn tell(&mut self, part: &str, done: usize, of: usize) {
        let mut err = std::io::stderr().lock();
        // stderr may be closed; the card is made all the same.
        if err.is_terminal() {
            let end = if done >= of { "\n" } else { "" };
            drop(write!(err, "\r{part}: {done} of {of}  {end}"));
            drop(err.flush());
        } else if self.part != part {
            drop(writeln!(err, "xiao: {part}: {of}"));
        }
        if self.part != part {
            self.part = part.to_string();
        }
    }
}
