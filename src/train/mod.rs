//! Training: texts in, a model of one's own out.
//!
//! [`Corpus`] reads and parts the texts, [`Vocabulary`] learns the tokens, `pass` computes losses and gradients by hand
//! (no autograd), `optimizer` follows them, and what comes out is one GGUF file with its whole lineage inside. Runs on
//! the threads of whoever calls it; a show never trains.

mod batches;
mod checkpoint;
mod corpus;
mod error;
mod export;
mod optimizer;
mod pass;
mod preview;
mod profile;
mod random;
mod record;
mod run;
mod shape;
mod start;
mod trainer;
mod vocabulary;
mod weights;
mod yardstick;

pub use corpus::{Corpus, CorpusReport, Counts, Overlap, Piece, Script, SourceReport, encode};
pub use error::TrainError;
pub use profile::Profile;
pub use record::{HeldOut, Mark, Recipe, Record};
pub use run::{News, Plan, Progress, Trained, train};
pub use shape::Shape;
pub use vocabulary::Vocabulary;
pub use yardstick::{Yardstick, yardsticks};
