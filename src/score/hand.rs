//! Whose hand moves a parameter: the words of the journal for them.

use serde::{Deserialize, Serialize};

/// Who moved a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hand {
    /// What the model's file wishes.
    Model,
    Patch,
    /// A scene of the patch's plan, at its beginning or in a glide.
    Plan,
    /// Settings that were recalled.
    Settings,
    Key,
    Midi,
    Gamepad,
    CommandLine,
    Osc,
    /// A clock that is followed.
    Clock,
}
