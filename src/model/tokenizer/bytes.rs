//! The byte-level alphabet: each byte is written as one visible character inside a vocabulary.

use std::collections::HashMap;

use super::TokenKind;

/// The character that stands for each byte: itself where it is visible in Latin-1, else one from U+0100 on.
pub(super) fn char_of_byte() -> &'static [char; 256] {
    static TABLE: std::sync::OnceLock<[char; 256]> = std::sync::OnceLock::new();
    TABLE.get_or_init(|| {
        let mut next = 0x100u32;
        std::array::from_fn(|byte| match byte {
            0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF => byte as u8 as char,
            _ => {
                next += 1;
                char::from_u32(next - 1).unwrap_or('\u{FFFD}')
            }
        })
    })
}

/// The other way round.
pub(super) fn byte_of_char() -> HashMap<char, u8> {
    char_of_byte().iter().enumerate().map(|(byte, c)| (*c, byte as u8)).collect()
}

/// The bytes a token adds to the text.
pub(super) fn of_token(text: &str, kind: TokenKind, sentence_piece: bool, byte_of: &HashMap<char, u8>) -> Vec<u8> {
    match kind {
        TokenKind::Control | TokenKind::Unknown => Vec::new(),
        TokenKind::UserDefined => text.as_bytes().to_vec(),
        TokenKind::Byte => byte_name(text).map_or_else(|| text.as_bytes().to_vec(), |byte| vec![byte]),
        TokenKind::Normal if sentence_piece => text.replace('▁', " ").into_bytes(),
        TokenKind::Normal => {
            let mut bytes = Vec::with_capacity(text.len());
            for c in text.chars() {
                match byte_of.get(&c) {
                    Some(byte) => bytes.push(*byte),
                    None => bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
                }
            }
            bytes
        }
    }
}

/// `<0xE6>` as a byte.
fn byte_name(text: &str) -> Option<u8> {
    u8::from_str_radix(text.strip_prefix("<0x")?.strip_suffix('>')?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_character_of_its_own() {
        assert_eq!(byte_of_char().len(), 256);
        assert_eq!((char_of_byte()[b' ' as usize], char_of_byte()[b'\n' as usize]), ('Ġ', 'Ċ'));
    }

    #[test]
    fn tokens_give_their_bytes() {
        let table = byte_of_char();
        assert_eq!(of_token("Ġmoon", TokenKind::Normal, false, &table), b" moon");
        assert_eq!(of_token("▁moon", TokenKind::Normal, true, &table), b" moon");
        assert_eq!(of_token("<0x0A>", TokenKind::Byte, true, &table), b"\n");
        assert_eq!(of_token("<|zh|>", TokenKind::Control, false, &table), b"");
    }
}
