//! A MIDI message in the words of a patch. Pure.

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

#[cfg(test)]
mod tests {
    use super::*;

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
