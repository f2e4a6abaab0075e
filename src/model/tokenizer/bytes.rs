//! The byte-level alphabet: each byte is written as one visible character inside a vocabulary.

use super::vocabulary::TokenKind;

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

/// The byte that a character stands for. All of them lie below U+0144.
fn byte_of_char(c: char) -> Option<u8> {
    static TABLE: std::sync::OnceLock<[Option<u8>; 0x144]> = std::sync::OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let mut table = [None; 0x144];
        char_of_byte().iter().enumerate().for_each(|(byte, c)| table[*c as usize] = Some(byte as u8));
        table
    });
    table.get(c as usize).copied().flatten()
}

/// Appends the bytes that a token writes where it is text. Whether it is, its kind says.
pub(super) fn of_token(text: &str, kind: TokenKind, sentence_piece: bool, bytes: &mut Vec<u8>) {
    match kind {
        TokenKind::Byte if let Some(byte) = byte_name(text) => bytes.push(byte),
        TokenKind::Normal if sentence_piece => bytes.extend(text.replace('▁', " ").bytes()),
        TokenKind::Normal => {
            for c in text.chars() {
                match byte_of_char(c) {
                    Some(byte) => bytes.push(byte),
                    None => bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
                }
            }
        }
        _ => bytes.extend(text.bytes()),
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
        assert!((0..=255).all(|byte| byte_of_char(char_of_byte()[byte as usize]) == Some(byte)));
        assert_eq!((byte_of_char('春'), byte_of_char(' ')), (None, None));
        assert_eq!((char_of_byte()[b' ' as usize], char_of_byte()[b'\n' as usize]), ('Ġ', 'Ċ'));
    }

    #[test]
    fn tokens_give_their_bytes() {
        let bytes = |text, kind, sentence_piece| {
            let mut bytes = Vec::new();
            of_token(text, kind, sentence_piece, &mut bytes);
            bytes
        };
        assert_eq!(bytes("Ġmoon", TokenKind::Normal, false), b" moon");
        assert_eq!(bytes("▁moon", TokenKind::Normal, true), b" moon");
        assert_eq!(bytes("<0x0A>", TokenKind::Byte, true), b"\n");
        assert_eq!(bytes("<0xZZ>", TokenKind::Byte, true), b"<0xZZ>");
        assert_eq!(bytes("▁▁", TokenKind::UserDefined, true), "▁▁".as_bytes());
    }
}
