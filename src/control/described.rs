//! What a control said, in the words of a patch. Pure.

use super::decoder::{Said, Value};

/// What a controller said: "cc7 = 64", "note 36 on".
pub fn described(bytes: &[u8]) -> String {
    let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
    match at(0) & 0xf0 {
        0x80 => format!("note {} off", at(1)),
        0x90 if at(2) == 0 => format!("note {} off", at(1)),
        0x90 => format!("note {} on", at(1)),
        0xa0 => format!("note {} pressure {}", at(1), at(2)),
        0xb0 => format!("cc{} = {}", at(1), at(2)),
        0xc0 => format!("program {}", at(1)),
        0xd0 => format!("pressure {}", at(1)),
        0xe0 => format!("bend {}", (i32::from(at(2)) << 7 | i32::from(at(1))) - 8192),
        status => format!("message 0x{status:02x}"),
    }
}

/// The same for what is no MIDI: "south on", "left-x = 0.25".
pub fn described_said(said: Said) -> String {
    match said.value {
        Value::At { raw, .. } if said.source.is_button() => {
            format!("{} {}", said.source, if raw > 0 { "on" } else { "off" })
        }
        Value::At { raw, most } => format!("{} = {:.2}", said.source, f32::from(raw) / f32::from(most)),
        Value::Step(steps) => format!("{} {steps:+}", said.source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::Source;

    #[test]
    fn what_a_gamepad_says_has_words() {
        for (source, raw, most, words) in [
            (Source::Button("south"), 127, 127, "south on"),
            (Source::Button("dpad-up"), 0, 127, "dpad-up off"),
            (Source::Axis("left-x"), 4096, 16384, "left-x = 0.25"),
        ] {
            let said = Said { source, channel: None, value: Value::At { raw, most } };
            assert_eq!(described_said(said), words);
        }
    }

    #[test]
    fn messages_have_words() {
        for (bytes, words) in [
            (&[0xb3, 7, 64][..], "cc7 = 64"),
            (&[0x90, 36, 100], "note 36 on"),
            (&[0x90, 36, 0], "note 36 off"),
            (&[0x81, 36, 9], "note 36 off"),
            (&[0xc0, 5], "program 5"),
            (&[0xe0, 0, 64], "bend 0"),
            (&[], "message 0x00"),
        ] {
            assert_eq!(described(bytes), words);
        }
    }
}
