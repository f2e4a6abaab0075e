//! What the state keeps of single events. Plain data.

use std::sync::Arc;

/// A line of words for the foot of the stage, with when it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub t_ns: u64,
    pub text: String,
}

/// A shader as an event brought it.
#[derive(Clone, Debug, PartialEq)]
pub struct ShaderText {
    pub name: Arc<str>,
    pub text: Arc<str>,
}

/// A crash of the model, and its return.
#[derive(Clone, Debug, PartialEq)]
pub struct Crash {
    pub t_ns: u64,
    pub what: String,
    /// When it was back.
    pub back_ns: Option<u64>,
}
