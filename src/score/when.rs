//! When a prompt that was chosen begins. Pure.

use serde::{Deserialize, Serialize};

/// What a chosen prompt waits for: the values of `generator.queue`, in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    #[default]
    Now,
    Token,
    Sentence,
    Line,
    Beat,
    Piece,
}

impl When {
    pub const ALL: [When; 6] = [When::Now, When::Token, When::Sentence, When::Line, When::Beat, When::Piece];
    /// Words of the patch.
    pub const NAMES: [&'static str; 6] = ["now", "token", "sentence", "line", "beat", "piece"];

    /// What a value of `generator.queue` means.
    pub fn of(value: f32) -> When {
        When::ALL.get(value as usize).copied().unwrap_or_default()
    }

    pub fn name(self) -> &'static str {
        When::NAMES[self as usize]
    }

    /// What is waited for, as a stage says it.
    pub fn awaited(self) -> &'static str {
        match self {
            When::Now => "nothing",
            When::Token => "the next token",
            When::Sentence => "the end of the sentence",
            When::Line => "the end of the line",
            When::Beat => "the next beat",
            When::Piece => "the end of the piece",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_word() {
        for (i, when) in When::ALL.into_iter().enumerate() {
            assert_eq!((When::of(i as f32), when as usize), (when, i));
            assert_eq!(serde_json::to_value(when).unwrap(), when.name());
        }
        assert_eq!(When::of(99.0), When::Now);
    }
}
