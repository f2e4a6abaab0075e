//! What happens in a performance, as far as it sets something going: the kinds of event that envelopes begin with and
//! that signals are counted from.

use super::Event;

/// A kind of moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    Token,
    Prompt,
    Flaw,
    Forget,
    /// Words were taken back, or others put in their place.
    Rewind,
    PieceEnd,
    Fault,
    /// The sound device ran dry.
    Xrun,
}

impl Happening {
    /// Words of the patch.
    pub const WORDS: [(&'static str, Happening); 8] = [
        ("token", Happening::Token),
        ("prompt", Happening::Prompt),
        ("flaw", Happening::Flaw),
        ("forget", Happening::Forget),
        ("rewind", Happening::Rewind),
        ("piece_end", Happening::PieceEnd),
        ("fault", Happening::Fault),
        ("xrun", Happening::Xrun),
    ];

    /// What an event sets going.
    pub fn of(event: &Event) -> Option<Happening> {
        Some(match event {
            Event::Token(_) => Happening::Token,
            Event::Prompt { .. } => Happening::Prompt,
            Event::Flaw(_) => Happening::Flaw,
            Event::Forget { .. } => Happening::Forget,
            // A branch is told by the rewind before it.
            Event::Rewind { .. } | Event::Restore { .. } => Happening::Rewind,
            Event::PieceEnd { .. } => Happening::PieceEnd,
            Event::Fault { .. } => Happening::Fault,
            Event::Callback { xruns, .. } if *xruns > 0 => Happening::Xrun,
            _ => return None,
        })
    }
}
