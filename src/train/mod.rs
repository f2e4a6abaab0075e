//! Training: texts in, a model of one's own out.
//!
//! [`Corpus`] reads and parts the texts, [`Vocabulary`] learns the tokens, `pass` computes losses and gradients by hand
//! (no autograd), `optimizer` follows them, and what comes out is one GGUF file with its whole lineage inside. Runs on
//! the threads of whoever calls it; a show never trains.

pub mod card;
mod corpus;
pub mod curve;
mod error;
mod record;
mod shape;
mod vocabulary;

pub use corpus::{Corpus, CorpusReport, Counts, Piece, Script, SourceReport};
pub use error::TrainError;
pub use record::{HeldOut, Mark, Recipe, Record};
pub use shape::Shape;
pub use vocabulary::Vocabulary;
