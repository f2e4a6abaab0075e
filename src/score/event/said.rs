//! What every stage says alike of some events. Pure.

use super::When;

/// The slot of a piece that a held prompt interrupted; no hand can name it.
pub const INTERRUPTED: u8 = u8::MAX;

/// What a stage says when a piece comes back.
pub fn back_to(slot: u8) -> String {
    match slot {
        INTERRUPTED => "back to the piece that was interrupted".to_string(),
        slot => format!("back to {}", u32::from(slot) + 1),
    }
}

/// Whether the performer put this character of a text that comes back there.
pub fn is_given(given: &[(u32, u32)], character: u32) -> bool {
    given.iter().any(|(first, end)| (*first..*end).contains(&character))
}

/// What a stage says of a prompt that waits.
pub fn waits(name: Option<&str>, text: &str, when: When) -> String {
    format!("next: {}, at {}", name.unwrap_or(text), when.awaited())
}

/// What a stage says when another road is taken.
pub fn branched(instead_of: &str, taken: &str) -> String {
    let shown = |text: &str| match text.trim() {
        "" => "nothing".to_string(),
        text => format!("\u{201c}{text}\u{201d}"),
    };
    format!("the other road: {} instead of {}", shown(taken), shown(instead_of))
}
