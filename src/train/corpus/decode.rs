//! Bytes to text: UTF-8, or UTF-16 with a byte order mark. Anything else is refused with the place where it shows.

/// The text of a file.
///
/// # Errors
/// What is wrong, at which byte, and what to do.
pub(super) fn text(bytes: Vec<u8>) -> Result<String, String> {
    let big = bytes.starts_with(&[0xFE, 0xFF]);
    if big || bytes.starts_with(&[0xFF, 0xFE]) {
        return utf16(&bytes, big);
    }
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(format!("byte {at} is 0, which is in no text; give plain text (UTF-8)"));
    }
    // The mark itself goes with the other invisible characters.
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes()[at];
        format!("byte {at} (0x{byte:02X}) is not UTF-8; save the text as UTF-8")
    })
}

fn utf16(bytes: &[u8], big: bool) -> Result<String, String> {
    let unit = |pair: &[u8]| {
        let pair = [pair[0], pair[1]];
        if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
    };
    if !bytes.len().is_multiple_of(2) {
        return Err(format!(
            "the file begins as UTF-16 and has an odd number of bytes ({}); is it whole?",
            bytes.len()
        ));
    }
    let mut out = String::with_capacity(bytes.len());
    let mut at = 0;
    for c in char::decode_utf16(bytes.chunks_exact(2).map(unit)) {
        match c {
            Ok('\0') => return Err(format!("byte {at} begins a 0 in UTF-16, which is in no text; give plain text")),
            Ok(c) => {
                at += 2 * c.len_utf16();
                out.push(c);
            }
            Err(_) => return Err(format!("byte {at} is half a character of UTF-16; save the text as UTF-8")),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_both_widths_are_read() {
        let both = |big: bool| {
            let put = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            "\u{feff}月𠮷 moon".encode_utf16().flat_map(put).collect::<Vec<u8>>()
        };
        for bytes in [both(true), both(false), "\u{feff}月𠮷 moon".into(), "月𠮷 moon".into()] {
            assert_eq!(text(bytes).unwrap().trim_start_matches('\u{feff}'), "月𠮷 moon");
        }
    }

    #[test]
    fn what_is_no_text_is_named_with_its_place() {
        for (bytes, word) in [
            (&b"moon\x00"[..], "byte 4 is 0"),
            (&b"\x89PNG"[..], "byte 0 (0x89)"),
            (&b"the moon \xd4\xc2"[..], "byte 9 (0xD4) is not UTF-8"),
            (&b"\xff\xfea\x00b"[..], "odd number"),
            (&b"\xff\xfea\x00\x00\xd8"[..], "byte 4 is half"),
            (&b"\xff\xfea\x00\x00\x00"[..], "byte 4 begins a 0"),
        ] {
            let error = text(bytes.to_vec()).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
