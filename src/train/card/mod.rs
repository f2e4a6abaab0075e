//! The model's card: all that is known of a model, in words for people.
//!
//! [`plate`] is the short one that goes into the model's file and onto the stage; [`Card`] becomes `MODEL.md`: what its
//! record tells, and what [`measure`] hears when it plays the file as it is. A model of anyone's has a card too, which
//! says what is not known. Runs on the thread that calls it; playing takes further ones for a while.

mod file;
mod measure;
mod metre;
mod openings;
mod page;
mod pieces;
mod plate;
mod recitation;
mod samples;
mod words;

#[cfg(test)]
pub(in crate::train) mod example;

pub use measure::{Extent, Measured, count_metre, measure};
pub use metre::{Metre, keeps_metre, verses};
pub use pieces::{Asked, Piece};
pub use plate::plate;
pub use recitation::{Known, Recitation, Recited, Unit};
pub use samples::Faults;

use super::{Corpus, Record, Script, Yardstick};
use crate::model::{Info, ModelError, Source};

/// A model and what is known of it.
pub struct Card {
    /// What the model's file is called for whoever is to play it.
    pub file: String,
    pub info: Info,
    /// Of the file, lower-case hex.
    pub sha256: String,
    /// How it was trained, where that is known.
    pub record: Option<Record>,
    pub measured: Option<Measured>,
    /// What else foresees the held-out part, and how well.
    pub yardsticks: Vec<Yardstick>,
    /// What its maker says of it, in Markdown.
    pub about: Option<String>,
}

impl Card {
    /// Reads what a model's file tells of itself. `file` is its name for people.
    ///
    /// # Errors
    /// The file cannot be read or is no model.
    pub fn read(source: &Source, file: &str) -> Result<Card, ModelError> {
        let info = Info::read(source)?;
        // A record of another version is one that is not known.
        let record = info.record.as_deref().and_then(|json| serde_json::from_str(json).ok());
        let sha256 = source.sha256()?;
        Ok(Card { file: file.to_string(), info, sha256, record, measured: None, yardsticks: Vec::new(), about: None })
    }

    /// Whether these are the texts that the record's scores were measured on.
    pub fn measures_the_same(&self, corpus: &Corpus) -> bool {
        self.record.as_ref().is_some_and(|record| record.corpus.sha256 == corpus.report.sha256)
    }

    /// The scripts that the model writes, as far as that is known: else both are tried.
    pub fn scripts(&self) -> Vec<Script> {
        let trained = |script: &Script| {
            self.record.as_ref().is_none_or(|record| {
                record.corpus.training.iter().any(|(of, counts)| of == script && counts.pieces > 0)
            })
        };
        let languages = self.info.lineage.languages.to_lowercase();
        let named = |script: &Script| {
            let any = |names: &[&str]| languages.split([',', ' ']).any(|l| names.contains(&l));
            match script {
                Script::Chinese => any(&["zh", "chinese", "zho"]),
                Script::English => any(&["en", "english", "eng"]),
            }
        };
        let told = self.record.is_none() && Script::ALL.iter().any(named);
        Script::ALL.into_iter().filter(trained).filter(|script| !told || named(script)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_scripts_a_model_knows_are_tried() {
        let mut card = Card::read(&Source::Embedded, "starter.gguf").unwrap();
        assert_eq!(card.sha256.len(), 64);
        card.record = None;
        card.info.lineage.languages = "unknown".into();
        assert_eq!(card.scripts(), Script::ALL);
        card.info.lineage.languages = "en, fr".into();
        assert_eq!(card.scripts(), [Script::English]);
        let mut record = example::record(3);
        record.corpus.training.retain(|(script, _)| *script == Script::Chinese);
        card.record = Some(record);
        assert_eq!(card.scripts(), [Script::Chinese]);
    }
}
