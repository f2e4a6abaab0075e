//! The two scripts that xiao's own models write, told apart by one rule.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which of the two control tokens begins a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Script {
    #[serde(rename = "zh")]
    Chinese,
    #[serde(rename = "en")]
    English,
}

impl Script {
    pub const ALL: [Script; 2] = [Script::Chinese, Script::English];

    /// A text with a Han character is Chinese, any other English: the rule by which xiao tags a prompt.
    pub fn of(text: &str) -> Script {
        if text.chars().any(is_han) { Script::Chinese } else { Script::English }
    }

    /// The control token's text.
    pub fn tag(self) -> &'static str {
        match self {
            Script::Chinese => "<|zh|>",
            Script::English => "<|en|>",
        }
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Script::Chinese => "zh",
            Script::English => "en",
        })
    }
}

/// A Han character of the blocks that poems use.
pub(crate) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}
