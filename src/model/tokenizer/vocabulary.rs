//! The words of a vocabulary: what each token is called, what kind it is, which bytes it writes, and which token a text
//! is. Nothing in it is trusted: a token may be empty, a megabyte long or there a million times.

use std::hash::{BuildHasher, RandomState};

use super::bytes;

/// What a token is for, as the file says or as its text gives away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum TokenKind {
    Normal,
    Unknown,
    /// Steers the model and is no text.
    Control,
    /// Text that is always one token.
    UserDefined,
    /// Was kept free in training and writes nothing.
    Unused,
    /// One byte, called `<0xE6>`.
    Byte,
}

impl TokenKind {
    /// The kinds by the numbers that files give them. A number that is not known is taken for a word.
    pub fn of(number: i64) -> TokenKind {
        match number {
            2 => TokenKind::Unknown,
            3 => TokenKind::Control,
            4 => TokenKind::UserDefined,
            5 => TokenKind::Unused,
            6 => TokenKind::Byte,
            _ => TokenKind::Normal,
        }
    }
}

/// Strings one after the other in one allocation: a vocabulary of 128,000 takes 1.4 MB here and 9 MB as `String`s.
#[derive(Default)]
struct Strings {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Strings {
    /// Makes a string of the bytes that were appended since the last one.
    fn close(&mut self) {
        self.ends.push(self.bytes.len());
    }

    fn get(&self, i: usize) -> &[u8] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.bytes[start..self.ends[i]]
    }
}

const FREE: u32 = u32::MAX;

pub(super) struct Vocabulary {
    texts: Strings,
    written: Strings,
    kinds: Vec<TokenKind>,
    /// Token numbers, each at the hash of its text or at the next free place. Twice as long as there are tokens, and the
    /// hash is seeded at random, so that no file can make all its tokens meet.
    places: Vec<u32>,
    hash: RandomState,
    /// Tokens whose text an earlier one has already; a text always becomes the first.
    pub doubles: usize,
}

impl Vocabulary {
    /// Takes the file's texts and the kind of each.
    pub fn new(
        texts: impl ExactSizeIterator<Item: AsRef<str>>,
        kind: impl Fn(usize) -> TokenKind,
        sentence_piece: bool,
    ) -> Vocabulary {
        let mut vocabulary = Vocabulary {
            texts: Strings::default(),
            written: Strings::default(),
            kinds: Vec::with_capacity(texts.len()),
            places: vec![FREE; (texts.len() * 2).next_power_of_two()],
            hash: RandomState::new(),
            doubles: 0,
        };
        for (i, text) in texts.enumerate() {
            let text = text.as_ref();
            let kind = kind(i);
            bytes::of_token(text, kind, sentence_piece, &mut vocabulary.written.bytes);
            vocabulary.written.close();
            vocabulary.texts.bytes.extend(text.bytes());
            vocabulary.texts.close();
            vocabulary.kinds.push(kind);
            let place = vocabulary.place(text);
            match vocabulary.places[place] {
                FREE => vocabulary.places[place] = i as u32,
                _ => vocabulary.doubles += 1,
            }
        }
        vocabulary
    }

    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// The token of this text, of whatever kind.
    pub fn find(&self, text: &str) -> Option<u32> {
        Some(self.places[self.place(text)]).filter(|id| *id != FREE)
    }

    /// The token of this text, unless it is one that plain text never becomes.
    pub fn find_word(&self, text: &str) -> Option<u32> {
        let is_word = |id: &u32| !matches!(self.kind(*id), TokenKind::Control | TokenKind::Unknown | TokenKind::Byte);
        self.find(text).filter(is_word)
    }

    /// What the token is called. Ids must be in the vocabulary.
    pub fn text(&self, id: u32) -> &str {
        // What was pushed was a `&str`.
        std::str::from_utf8(self.texts.get(id as usize)).unwrap_or_default()
    }

    /// The bytes that the token adds to a text.
    pub fn written(&self, id: u32) -> &[u8] {
        match self.kind(id) {
            TokenKind::Control | TokenKind::Unknown | TokenKind::Unused => &[],
            TokenKind::Normal | TokenKind::UserDefined | TokenKind::Byte => self.written.get(id as usize),
        }
    }

    pub fn kind(&self, id: u32) -> TokenKind {
        self.kinds[id as usize]
    }

    /// Gives a token another kind than the file does.
    pub fn change_kind(&mut self, id: u32, kind: TokenKind) {
        self.kinds[id as usize] = kind;
    }

    /// Where the text's token is or would be.
    fn place(&self, text: &str) -> usize {
        let mask = self.places.len() - 1;
        let mut place = self.hash.hash_one(text) as usize & mask;
        while self.places[place] != FREE && self.texts.get(self.places[place] as usize) != text.as_bytes() {
            place = (place + 1) & mask;
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_its_first_token() {
        let texts: Vec<String> = ["a", "", "b", "a", "é"].map(String::from).into();
        let vocabulary = Vocabulary::new(texts.iter(), |_| TokenKind::Normal, true);
        assert_eq!((vocabulary.find("a"), vocabulary.find("é"), vocabulary.find("c")), (Some(0), Some(4), None));
        assert_eq!((vocabulary.find(""), vocabulary.doubles, vocabulary.text(3)), (Some(1), 1, "a"));
    }

    #[test]
    fn a_million_equal_tokens_take_no_longer_than_others() {
        let texts = vec!["x".repeat(12); 1_000_000];
        let vocabulary = Vocabulary::new(texts.iter(), |_| TokenKind::Normal, true);
        assert_eq!((vocabulary.find(&texts[0]), vocabulary.doubles), (Some(0), 999_999));
    }
}
