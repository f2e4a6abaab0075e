//! `card`: the card of any model, as a page with what was heard when it was played.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::print;
use crate::model::Source;
use crate::train::Corpus;
use crate::train::card::{self, Card as Page, Extent, Known};

/// Write a model's card: data, shape, recipe, scores, samples, recitation, metre, flaws
#[derive(Args)]
#[command(after_help = "Example:  xiao card mine.gguf poems.txt\n          xiao card embedded --quick -o embedded.md")]
pub struct Card {
    /// A GGUF file, a name of `xiao models`, or `embedded`
    model: String,
    /// The texts that it was made from, files or folders, to see what it recites; without them that is left out
    texts: Vec<PathBuf>,
    /// How often a file's pieces were read beside 1 for the others, as it was trained; may be given again
    #[arg(long, value_name = "NAME=W", value_parser = super::train::weight, requires = "texts")]
    weight: Vec<(String, f32)>,
    /// Where the card is written; without it, beside the model's file, or here for a model without one. The learning
    /// curve goes beside the card
    #[arg(short, long, value_name = "F.md")]
    output: Option<PathBuf>,
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
        for written in write(&source, &self.model, &self.texts, &self.weight, extent, &file, self.force)? {
            print(&written.display().to_string())?;
        }
        Ok(())
    }
}

/// Plays a model for its card and writes that to `file`; `model` is what a player would ask for. Returns what was
/// written. Also the end of `train`.
pub fn write(
    source: &Source,
    model: &str,
    texts: &[PathBuf],
    weights: &[(String, f32)],
    extent: Extent,
    file: &Path,
    force: bool,
) -> anyhow::Result<Vec<PathBuf>> {
    let mut page = Page::read(source, &file_name(model, source))?;
    // Before the minutes that the playing takes.
    page.may_write(file, force)?;
    let known = match texts.is_empty() {
        true => None,
        false => Some(Known::of(&Corpus::read(texts, weights)?)),
    };
    let mut progress = Progress::default();
    let told = &mut |what: &str, done, of| progress.tell(what, done, of);
    page.measured = Some(card::measure(source, &page, known.as_ref(), extent, told)?);
    Ok(page.write(file, force)?)
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
