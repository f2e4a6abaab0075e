//! What a step of the generator brings.

use crate::score::{Flaw, Token};

/// What a prompt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Tokens of the whole prompt.
    pub tokens: u32,
    /// Set where the prompt is longer than the context has room for.
    pub forgot: Option<Forgot>,
}

/// Tokens that left the context, after the first `kept`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgot {
    pub tokens: u32,
    pub kept: u32,
    pub text: String,
}

/// How much of the prompt has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub done: u32,
    pub total: u32,
}

/// What a step brought.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Token {
        token: Token,
        flaws: Vec<Flaw>,
    },
    /// The context was full; the next step brings the token.
    Forget(Forgot),
    /// The model ended its piece after so many tokens. The next step begins the same prompt again.
    PieceEnd {
        tokens: u32,
        flaw: Option<Flaw>,
    },
}
