//! Training: texts in, a model of one's own out.
//!
//! [`Corpus`] reads and parts the texts, [`Vocabulary`] learns the tokens, `pass` computes losses and gradients by hand
//! (no autograd), `optimizer` follows them, and what comes out is one GGUF file with its whole lineage inside. Runs on
//! the threads of whoever calls it; a show never trains.

mod batches;
pub mod card;
mod checkpoint;
mod corpus;
pub mod curve;
mod error;
mod export;
mod memory;
mod optimizer;
mod output;
mod pass;
mod plan;
mod preview;
mod profile;
mod random;
mod record;
mod resume;
mod run;
mod shape;
mod start;
mod trainer;
mod vocabulary;
mod weights;
mod yardstick;

pub use corpus::{Corpus, CorpusReport, Counts, Overlap, Piece, Script, SourceReport, encode};
pub use error::TrainError;
pub use export::{CARD, RECORD};
pub use pass::{Batch, Dropout, Gradients, Pass};
pub use plan::{News, Plan, Progress, Trained};
pub use profile::Profile;
pub use record::{HeldOut, Mark, Recipe, Record};
pub use run::train;
pub use shape::{Shape, Sizes};
pub use vocabulary::Vocabulary;
pub use weights::{LayerPlaces, Places, TensorPlace};
pub use yardstick::{Yardstick, beside, yardsticks};
