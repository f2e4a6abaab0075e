//! Text to tokens and back, from what the model's own file says.
//!
//! Two families of vocabulary are known: `gpt2` (byte-level BPE with a named rule that splits text first) and `llama`
//! (SentencePiece). Every rule follows llama.cpp, with one exception: text that was not asked to be special never
//! becomes a control token. Pure and immutable once built: any thread may use it.

pub mod byte_level;
mod bytes;
mod ends;
mod load;
mod merge;
mod special;
mod split;
mod stream;
mod vocabulary;

pub use stream::TextStream;

pub(super) use special::Forbidden;
pub(super) use vocabulary::TokenKind;

use std::ops::Range;

use super::gguf::Gguf;
use super::{ModelError, Source};
use merge::{Merges, NONE, Piece, merge};
use special::{Part, Specials};
use split::Splitter;
use vocabulary::Vocabulary;

/// Reads and writes a model's tokens.
pub struct Tokenizer {
    vocabulary: Vocabulary,
    special: Specials,
    family: Family,
    bos: Option<u32>,
    eos: Option<u32>,
    ends: Vec<u32>,
    add_bos: bool,
    about: String,
    warnings: Vec<String>,
}

enum Family {
    /// Text is split, and the bytes of each part are merged by a list.
    ByteLevel {
        splitter: Splitter,
        /// A part that is a token as a whole is taken without merging.
        whole_words: bool,
        merges: Merges,
        /// The piece of each byte, or [`NONE`]; no token if it is not in the vocabulary.
        bytes: Box<[u32; 256]>,
    },
    /// The characters of a text are merged by the scores of the tokens they make.
    SentencePiece {
        /// A text begins as if a space stood before it.
        space_first: bool,
        /// The rank of each token: the better its score, the smaller.
        ranks: Vec<u32>,
        /// The token of each byte that has none of its own as a character, or [`NONE`].
        bytes: Box<[u32; 256]>,
        unknown: u32,
    },
}

impl Tokenizer {
    /// Builds the tokenizer that the file describes.
    ///
    /// # Errors
    /// A key is missing, or the vocabulary is of a kind that is not known.
    pub(super) fn new(gguf: &Gguf) -> Result<Tokenizer, ModelError> {
        load::load(gguf)
    }

    /// The tokenizer of a file, without its weights.
    ///
    /// # Errors
    /// The file cannot be read or does not hold together, or its vocabulary is of a kind that is not known.
    pub fn read(source: &Source) -> Result<Tokenizer, ModelError> {
        Tokenizer::new(&Gguf::read(source)?)
    }

    /// The tokens of a text, with BOS before them where the file asks for it. An EOS that the file asks for as well
    /// is left out: it would end the piece before it began.
    pub fn encode_with_bos(&self, text: &str) -> Vec<u32> {
        let mut ids: Vec<u32> = self.bos.filter(|_| self.add_bos).into_iter().collect();
        ids.extend(self.encode(text));
        ids
    }

    /// The tokens of a text. Nothing is put before it, and the text of a control token is text like any other.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.encode_parts(text, false, Forbidden::default(), &mut Vec::new())
    }

    /// The same, and where in the text each token begins.
    pub(super) fn encode_placed(&self, text: &str) -> (Vec<u32>, Vec<usize>) {
        let mut starts = Vec::new();
        (self.encode_parts(text, false, Forbidden::default(), &mut starts), starts)
    }

    /// The same as [`Tokenizer::encode`], but the text of a control token (`<|zh|>`) becomes that token.
    pub fn encode_special(&self, text: &str) -> Vec<u32> {
        self.encode_parts(text, true, Forbidden::default(), &mut Vec::new())
    }

    /// Tokens with control tokens, except where they are forbidden. Also gives where in the text each token begins.
    pub(super) fn encode_guarded(&self, text: &str, forbidden: Forbidden) -> (Vec<u32>, Vec<usize>) {
        let mut starts = Vec::new();
        (self.encode_parts(text, true, forbidden, &mut starts), starts)
    }

    /// A token's text for people; a byte that is no character alone shows as `<0xE6>`.
    pub fn piece(&self, id: u32) -> String {
        if id as usize >= self.vocabulary() {
            return String::new();
        }
        match self.vocabulary.kind(id) {
            TokenKind::Control | TokenKind::Unknown | TokenKind::Unused => self.vocabulary.text(id).to_string(),
            _ => match std::str::from_utf8(self.vocabulary.written(id)) {
                Ok(text) => text.to_string(),
                Err(_) => self.vocabulary.written(id).iter().map(|byte| format!("<0x{byte:02X}>")).collect(),
            },
        }
    }

    /// The same among others on a stage, where a byte that is no character alone shows as `·E6`: short, and no word.
    pub fn shown(&self, id: u32) -> String {
        let written = self.bytes(id);
        if written.is_empty() || std::str::from_utf8(written).is_ok() {
            return self.piece(id);
        }
        let chunks = written.utf8_chunks().flat_map(|chunk| {
            let broken = chunk.invalid().iter().map(|byte| format!("·{byte:02X}"));
            std::iter::once(chunk.valid().to_string()).chain(broken)
        });
        chunks.collect()
    }

    /// The bytes that a token adds to the text: none for a control token, none for one that does not exist.
    pub fn bytes(&self, id: u32) -> &[u8] {
        if (id as usize) < self.vocabulary() { self.vocabulary.written(id) } else { &[] }
    }

    /// The token that a control token's text names.
    pub fn control(&self, text: &str) -> Option<u32> {
        self.vocabulary.find(text).filter(|id| self.is_control(*id))
    }

    /// Whether this token steers the model and is no text.
    pub fn is_control(&self, id: u32) -> bool {
        (id as usize) < self.vocabulary() && self.vocabulary.kind(id) == TokenKind::Control
    }

    /// Tokens in the vocabulary.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary.len()
    }

    pub fn bos(&self) -> Option<u32> {
        self.bos
    }

    pub fn eos(&self) -> Option<u32> {
        self.eos
    }

    /// Whether this token ends a piece.
    pub fn is_end(&self, id: u32) -> bool {
        self.ends.binary_search(&id).is_ok()
    }

    /// The tokens that end a piece, in ascending order.
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Whether the file asks for the BOS token before every prompt.
    pub fn add_bos(&self) -> bool {
        self.add_bos
    }

    /// The kind of vocabulary and of splitting, for people.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// What the file leaves open or gets wrong, each in one line: words may be cut otherwise than in training.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Whether a text gets a space before it that nobody wrote, as SentencePiece has it.
    pub(super) fn space_first(&self) -> bool {
        matches!(self.family, Family::SentencePiece { space_first: true, .. })
    }

    /// The token of this text, of whatever kind.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        self.vocabulary.find(text)
    }

    /// What the token is for. Ids must be in the vocabulary.
    pub(super) fn kind(&self, id: u32) -> TokenKind {
        self.vocabulary.kind(id)
    }

    /// What the token is called in the file; nothing for one that does not exist.
    pub(super) fn name(&self, id: u32) -> &str {
        if (id as usize) < self.vocabulary() { self.vocabulary.text(id) } else { "" }
    }

    /// Where in a text control tokens are written out, and always-whole texts that `user_defined` accepts.
    pub(super) fn written_out(&self, text: &str, user_defined: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
        self.special.written_out(text, &self.vocabulary, user_defined)
    }

    /// Takes special tokens out of the text, longest first, and merges what lies between them. `starts` receives where
    /// in the text each token begins.
    fn encode_parts(&self, text: &str, control: bool, forbidden: Forbidden, starts: &mut Vec<usize>) -> Vec<u32> {
        let (mut ids, mut after_special) = (Vec::new(), true);
        for part in self.special.cut(text, &self.vocabulary, control, forbidden) {
            match part {
                Part::Token(id, at) => {
                    ids.push(id);
                    starts.push(at.start);
                    after_special = true;
                }
                Part::Text(range) => {
                    let from = ids.len();
                    let space = self.encode_text(&text[range.clone()], after_special, &mut ids);
                    let mut at = 0;
                    for id in &ids[from..] {
                        starts.push((range.start + usize::saturating_sub(at, space)).min(range.end));
                        at += self.vocabulary.written(*id).len();
                    }
                    after_special = false;
                }
            }
        }
        ids
    }

    /// Merges a text without special tokens. Gives the number of bytes that were put before it.
    fn encode_text(&self, text: &str, after_special: bool, ids: &mut Vec<u32>) -> usize {
        match &self.family {
            Family::ByteLevel { splitter, whole_words, merges, bytes } => {
                let (mut word, mut pieces) = (String::new(), Vec::new());
                for part in splitter.split(text) {
                    let part = &text.as_bytes()[part];
                    if *whole_words {
                        word.clear();
                        word.extend(part.iter().map(|byte| bytes::char_of_byte()[*byte as usize]));
                        if let Some(id) = self.vocabulary.find_word(&word) {
                            ids.push(id);
                            continue;
                        }
                    }
                    let piece = |(i, byte): (usize, &u8)| Piece {
                        id: bytes[*byte as usize],
                        start: i as u32,
                        end: i as u32 + 1,
                    };
                    pieces.clear();
                    pieces.extend(part.iter().enumerate().map(piece));
                    merge(&mut pieces, |a, b| merges.join(a, b));
                    for piece in &pieces {
                        match piece.id < self.vocabulary.len() as u32 {
                            true => ids.push(piece.id),
                            // No token: as in llama.cpp, only those of its bytes stay that are visible in ASCII.
                            false => {
                                let visible = |byte: &&u8| (0x21..0x7F).contains(*byte);
                                let spelt = part[piece.start as usize..piece.end as usize].iter().filter(visible);
                                let spelt = spelt.map(|byte| bytes[*byte as usize]);
                                ids.extend(spelt.filter(|id| *id < self.vocabulary.len() as u32));
                            }
                        }
                    }
                }
                0
            }
            Family::SentencePiece { space_first, ranks, bytes, unknown } => {
                let space = if *space_first && after_special { "▁" } else { "" };
                let text = format!("{space}{}", text.replace(' ', "▁"));
                let span = |piece: Piece| &text[piece.start as usize..piece.end as usize];
                let piece =
                    |(at, c): (usize, char)| Piece { id: NONE, start: at as u32, end: (at + c.len_utf8()) as u32 };
                let mut pieces: Vec<Piece> = text.char_indices().map(piece).collect();
                merge(&mut pieces, |a, b| {
                    let id = self.vocabulary.find_word(&text[a.start as usize..b.end as usize])?;
                    Some((ranks[id as usize], id))
                });
                for piece in pieces {
                    let id = if piece.id == NONE { self.vocabulary.find_word(span(piece)) } else { Some(piece.id) };
                    match id {
                        Some(id) => ids.push(id),
                        None => {
                            let spelt = span(piece).bytes().map(|byte| bytes[byte as usize]);
                            // Without tokens for its bytes a character is unknown.
                            match spelt.clone().all(|id| id != NONE) {
                                true => ids.extend(spelt),
                                false => ids.extend(Some(*unknown).filter(|id| *id != NONE)),
                            }
                        }
                    }
                }
                usize::from(!space.is_empty())
            }
        }
    }
}

#[cfg(test)]
mod tests;
