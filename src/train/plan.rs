//! What a training is asked for, and what it tells on the way.

use std::path::PathBuf;
use std::time::Duration;

use super::{Recipe, Record, Script, Shape, Sizes};
use crate::model::Source;

/// What is to be made of what.
#[derive(Clone, Debug)]
pub struct Plan {
    pub texts: Vec<PathBuf>,
    /// File names with how often their pieces are read beside 1 for the others.
    pub weights: Vec<(String, f32)>,
    pub output: PathBuf,
    /// None takes one for the length of the text. A base has its own.
    pub shape: Option<Shape>,
    /// Put into that shape.
    pub sizes: Sizes,
    /// A model that xiao has trained, to go on from.
    pub base: Option<Source>,
    pub recipe: Recipe,
    /// In the recipe's place; none takes one for the length of the text.
    pub dropout: Option<f64>,
    pub name: String,
    pub licence: String,
    pub author: Option<String>,
    pub threads: usize,
    /// `"Q8_0"`, `"F16"` or `"F32"`.
    pub kind: String,
    /// Writes over a finished model; nothing else is ever written over.
    pub force: bool,
    /// The longest time between two checkpoints: what a crash costs.
    pub checkpoint_every: Duration,
}

/// What happens, for whoever watches.
#[derive(Clone, Debug)]
pub enum News {
    /// A line for people.
    Told(String),
    Step(Progress),
    /// What the model writes at this point.
    Sample {
        script: Script,
        opening: String,
        text: String,
    },
}

/// Where a training stands.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// 0 to 1.
    pub share: f64,
    /// Nats a token, averaged over the last steps.
    pub loss: f64,
    pub held_out: Option<f64>,
    pub tokens: u64,
    pub tokens_per_second: f64,
    pub left: Duration,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Trained {
    pub record: Record,
    /// False if it was stopped: the same plan goes on from the checkpoint.
    pub finished: bool,
}
