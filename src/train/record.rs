//! All that is told of a training: kept in its checkpoints, written into the model's file and onto its card.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CorpusReport, Script, Shape};

/// How the model is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    pub seed: u64,
    /// At which the training ends, and along which the learning rate falls.
    pub minutes: Option<f64>,
    /// The same in tokens; the sooner of the two counts.
    pub tokens: Option<u64>,
    /// Tokens in one step.
    pub batch_tokens: usize,
    /// The highest learning rate of the embedding and the norms (AdamW).
    pub learning_rate: f64,
    /// The highest learning rate of the matrices.
    pub matrix_rate: f64,
    pub weight_decay: f64,
    /// Share of what is left out by chance while learning.
    #[serde(default)]
    pub dropout: f64,
    /// Of all gradients together.
    pub clip: f64,
    /// Share of the training in which the learning rate rises.
    pub warmup: f64,
    /// What is left of the learning rate in the end.
    pub floor: f64,
}

impl Default for Recipe {
    fn default() -> Recipe {
        Recipe {
            seed: 1,
            minutes: None,
            tokens: None,
            batch_tokens: 4096,
            learning_rate: 8e-3,
            matrix_rate: 3e-3,
            weight_decay: 0.1,
            dropout: 0.0,
            clip: 1.0,
            warmup: 0.02,
            floor: 0.02,
        }
    }
}

impl Recipe {
    /// Whether both ask for the same; numbers that went through JSON may differ in their last bit.
    pub fn is(&self, other: &Recipe) -> bool {
        let numbers = |r: &Recipe| {
            let limits = [r.minutes.unwrap_or(0.0), r.tokens.unwrap_or(0) as f64];
            let rates = [r.learning_rate, r.matrix_rate, r.weight_decay, r.dropout, r.clip, r.warmup, r.floor];
            limits.into_iter().chain(rates)
        };
        let same = |(a, b): (f64, f64)| (a - b).abs() <= 1e-9 * a.abs();
        (self.seed, self.batch_tokens) == (other.seed, other.batch_tokens)
            && numbers(self).zip(numbers(other)).all(same)
    }
}

impl fmt::Display for Recipe {
    /// In one line, for the model's file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Recipe {
            seed, batch_tokens, learning_rate, matrix_rate, weight_decay, dropout, clip, warmup, floor, ..
        } = self;
        write!(
            f,
            "seed {seed}, {batch_tokens} tokens a step, Muon {matrix_rate} for matrices, AdamW {learning_rate} for the \
             rest, weight decay {weight_decay}, dropout {dropout}, clip {clip}, rising for {} % and falling along a cosine to {} %",
            warmup * 100.0,
            floor * 100.0
        )
    }
}

/// The life of a model so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub name: String,
    pub licence: String,
    pub author: Option<String>,
    /// The model that it goes on from: its name and SHA-256.
    pub base: Option<(String, String)>,
    /// The licence that it was under.
    #[serde(default)]
    pub base_licence: Option<String>,
    pub shape: Shape,
    pub parameters: u64,
    pub recipe: Recipe,
    pub corpus: CorpusReport,
    /// Tokens in the training part, each piece once.
    pub corpus_tokens: u64,
    /// Tokens read so far, with repetition.
    pub tokens: u64,
    /// Spent training, without what was lost by interruptions.
    pub seconds: f64,
    pub threads: usize,
    pub curve: Vec<Mark>,
    /// Of the held-out part before the first step, nats a token.
    pub untrained: Option<f64>,
    /// Which weights were taken in the end.
    #[serde(default)]
    pub taken: String,
    /// How the matrices are stored.
    #[serde(default)]
    pub kind: String,
    /// Of the file as it is written, quantized.
    pub held_out: Vec<HeldOut>,
}

/// A place on the learning curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    pub tokens: u64,
    pub seconds: f64,
    /// Of the training text since the mark before, nats a token.
    pub loss: f64,
    /// Of the held-out part, nats a token, where it was measured.
    pub held_out: Option<f64>,
}

/// How well a text of one script is foreseen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    pub script: Script,
    pub pieces: u64,
    /// Foreseen tokens, the end of each piece among them.
    pub tokens: u64,
    pub characters: u64,
    pub bytes: u64,
    /// Of all tokens together.
    pub nats: f64,
}

impl HeldOut {
    pub fn bits_per_character(&self) -> f64 {
        self.nats / std::f64::consts::LN_2 / self.characters as f64
    }

    pub fn bits_per_byte(&self) -> f64 {
        self.nats / std::f64::consts::LN_2 / self.bytes as f64
    }

    pub fn nats_per_token(&self) -> f64 {
        self.nats / self.tokens as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_is_the_same_after_json() {
        for i in 1..3000 {
            let rate = f64::from(i) * 1e-5;
            let usual = Recipe::default();
            let matrix_rate = rate * usual.matrix_rate / usual.learning_rate;
            let recipe = Recipe { minutes: Some(rate * 7.0), learning_rate: rate, matrix_rate, ..usual };
            let json = serde_json::to_string(&recipe).unwrap();
            let again: Recipe = serde_json::from_str(&json).unwrap();
            assert!(recipe.is(&again), "{rate}");
            assert!(!recipe.is(&Recipe { learning_rate: rate * 1.001, ..again }));
        }
    }
}
