//! What the performer has switched, as the header says it: without that word it would look like a failure. Pure.

use super::State;
use crate::score::ParamId;

const SWITCHES: [(ParamId, &str); 4] =
    [(ParamId::Mute, "MUTED"), (ParamId::Blackout, "BLACKOUT"), (ParamId::Freeze, "FROZEN"), (ParamId::Hold, "HELD")];

impl State {
    /// The words for all that is switched on.
    pub fn switched(&self) -> impl Iterator<Item = &'static str> {
        SWITCHES.iter().filter(|(id, _)| self.played.get(*id) >= 0.5).map(|(_, word)| *word)
    }
}
