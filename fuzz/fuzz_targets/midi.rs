//! Any bytes as the messages of a MIDI port, played by a patch that binds a control of every kind.

#![no_main]

#[path = "../../tests/common/inbox.rs"]
#[allow(dead_code)]
mod inbox;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut hands = inbox::Hands::new();
    // midir hands out whole messages; here any three bytes are one, and what is left over.
    bytes.chunks(3).for_each(|message| hands.midi(message));
    let _ = hands.end();
});
