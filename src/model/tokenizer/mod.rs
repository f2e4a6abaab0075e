//! Text to tokens and back, from what the model's own file says.
//!
//! Two families of vocabulary are known: `gpt2` (byte-level BPE with a named rule that splits text first) and `llama`
//! (SentencePiece). Both are merged by the `tokenizers` crate; how a special token's text is taken out of the prompt
//! follows llama.cpp. Pure and immutable once built: any thread may use it.

mod bytes;
mod split;
mod stream;

pub use stream::TextStream;

use std::collections::HashMap;

use tokenizers::Model as _;
use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::split::Split;

use super::gguf::{Gguf, Value};
use super::{ModelError, Source};

/// Reads and writes a model's tokens.
pub struct Tokenizer {
    tokens: Vec<Entry>,
    ids: HashMap<String, u32>,
    /// Tokens that are found in text before anything else, longest first.
    special: Vec<u32>,
    merge: BPE,
    family: Family,
    bos: Option<u32>,
    eos: Option<u32>,
    ends: Vec<u32>,
    add_bos: bool,
    about: String,
}

#[derive(Debug)]
struct Entry {
    text: String,
    bytes: Vec<u8>,
    kind: TokenKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenKind {
    Normal,
    Unknown,
    /// Steers the model and is no text.
    Control,
    /// Text that is always one token.
    UserDefined,
    Byte,
}

enum Family {
    /// The splits that are applied one after the other before merging.
    ByteLevel(Vec<Split>),
    SentencePiece {
        space_first: bool,
    },
}

/// Tokens that end a piece in models whose file does not name them by a key.
const END_TEXTS: &[&str] =
    &["<|eot_id|>", "<|end_of_text|>", "<|im_end|>", "<|end|>", "<|endoftext|>", "<|eom_id|>", "<end_of_turn>", "</s>"];

impl Tokenizer {
    /// Builds the tokenizer that the file describes.
    ///
    /// # Errors
    /// A key is missing, or the vocabulary is of a kind that is not known.
    pub(super) fn new(gguf: &Gguf) -> Result<Tokenizer, ModelError> {
        let model = gguf.text("tokenizer.ggml.model").ok_or_else(|| gguf.missing("tokenizer.ggml.model"))?;
        let Some(Value::Texts(texts)) = gguf.get("tokenizer.ggml.tokens") else {
            return Err(gguf.missing("tokenizer.ggml.tokens"));
        };
        if texts.is_empty() {
            return Err(gguf.bad_key("tokenizer.ggml.tokens", "it is empty; convert the model again"));
        }
        let kinds = match gguf.get("tokenizer.ggml.token_type") {
            Some(Value::Integers(kinds)) if kinds.len() == texts.len() => kinds.as_slice(),
            None => &[],
            _ => return Err(gguf.bad_key("tokenizer.ggml.token_type", "it does not list one type for each token")),
        };
        let sentence_piece = match model {
            "llama" => true,
            "gpt2" => false,
            other => {
                let problem = format!("{other:?} is not supported, gpt2 and llama are; choose another model");
                return Err(gguf.bad_key("tokenizer.ggml.model", problem));
            }
        };
        let byte_of = bytes::byte_of_char();
        let tokens: Vec<Entry> = texts
            .iter()
            .enumerate()
            .map(|(i, text)| {
                let kind = match kinds.get(i) {
                    Some(2) => TokenKind::Unknown,
                    Some(3) => TokenKind::Control,
                    Some(4) => TokenKind::UserDefined,
                    Some(6) => TokenKind::Byte,
                    _ => TokenKind::Normal,
                };
                Entry { bytes: bytes::of_token(&text, kind, sentence_piece, &byte_of), text: text.into_owned(), kind }
            })
            .collect();
        let mut ids = HashMap::with_capacity(tokens.len());
        for (i, entry) in tokens.iter().enumerate() {
            ids.entry(entry.text.clone()).or_insert(i as u32);
        }
        let mut special: Vec<u32> = (0..tokens.len() as u32)
            .filter(|i| {
                let entry = &tokens[*i as usize];
                let taken_out = matches!(entry.kind, TokenKind::Control | TokenKind::UserDefined | TokenKind::Unknown);
                taken_out && !entry.text.is_empty()
            })
            .collect();
        special.sort_by_key(|i| (std::cmp::Reverse(tokens[*i as usize].text.len()), *i));

        let pre = gguf.text("tokenizer.ggml.pre");
        let (merge, family, bos_is_usual) = if sentence_piece {
            let space_first = gguf.bool("tokenizer.ggml.add_space_prefix").unwrap_or(true);
            (sentence_piece_merges(gguf, &tokens, &ids)?, Family::SentencePiece { space_first }, true)
        } else {
            let rule = split::rule(pre.unwrap_or("default")).ok_or_else(|| {
                let known = split::known();
                let problem =
                    format!("the rule {:?} is not known, {known} are; choose another model", pre.unwrap_or_default());
                gguf.bad_key("tokenizer.ggml.pre", problem)
            })?;
            let splits = rule.splits().map_err(|e| gguf.bad_key("tokenizer.ggml.pre", e.to_string()))?;
            (byte_level_merges(gguf, &ids, rule.whole_words)?, Family::ByteLevel(splits), rule.add_bos)
        };

        let id = |key: &str| -> Result<Option<u32>, ModelError> {
            match gguf.integer(key) {
                None => Ok(None),
                Some(n) if n < tokens.len() as u64 => Ok(Some(n as u32)),
                // Converters write 0xFFFFFFFF for "none".
                Some(n) if n == u64::from(u32::MAX) => Ok(None),
                Some(n) => Err(gguf.bad_key(key, format!("{n} is not in the vocabulary of {}", tokens.len()))),
            }
        };
        let usual = |i| sentence_piece.then_some(i).filter(|i| (*i as usize) < tokens.len());
        let bos = id("tokenizer.ggml.bos_token_id")?.or(usual(1));
        let eos = id("tokenizer.ggml.eos_token_id")?.or(usual(2));
        let mut ends: Vec<u32> = eos.into_iter().collect();
        ends.extend(id("tokenizer.ggml.eot_token_id")?);
        ends.extend(id("tokenizer.ggml.eom_token_id")?);
        let named = END_TEXTS.iter().filter_map(|text| ids.get(*text));
        ends.extend(named.filter(|i| tokens[**i as usize].kind == TokenKind::Control));
        ends.sort_unstable();
        ends.dedup();
        let add_bos = gguf.bool("tokenizer.ggml.add_bos_token").unwrap_or(bos_is_usual) && bos.is_some();
        let about = match (sentence_piece, pre) {
            (true, _) => "llama (SentencePiece)".to_string(),
            (false, Some(pre)) => format!("gpt2 (byte-level BPE), split as {pre}"),
            (false, None) => "gpt2 (byte-level BPE), split as default: the file names no rule".to_string(),
        };
        Ok(Tokenizer { tokens, ids, special, merge, family, bos, eos, ends, add_bos, about })
    }

    /// The tokenizer of a file, without its weights.
    ///
    /// # Errors
    /// The file cannot be read or does not hold together, or its vocabulary is of a kind that is not known.
    pub fn read(source: &Source) -> Result<Tokenizer, ModelError> {
        Tokenizer::new(&Gguf::read(source)?)
    }

    /// The tokens of a text, with BOS before them where the file asks for it.
    pub fn encode_with_bos(&self, text: &str) -> Vec<u32> {
        let mut ids: Vec<u32> = self.bos.filter(|_| self.add_bos).into_iter().collect();
        ids.extend(self.encode(text));
        ids
    }

    /// The tokens of a text. Nothing is put before it, and the text of a control token is text like any other.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.encode_parts(text, false)
    }

    /// The same, but the text of a control token (`<|zh|>`) becomes that token.
    pub fn encode_special(&self, text: &str) -> Vec<u32> {
        self.encode_parts(text, true)
    }

    /// A token's text for people; a byte that is no character alone shows as `<0xE6>`.
    pub fn piece(&self, id: u32) -> String {
        let Some(entry) = self.tokens.get(id as usize) else { return String::new() };
        match entry.kind {
            TokenKind::Control | TokenKind::Unknown => entry.text.clone(),
            _ => match std::str::from_utf8(&entry.bytes) {
                Ok(text) => text.to_string(),
                Err(_) => entry.bytes.iter().map(|byte| format!("<0x{byte:02X}>")).collect(),
            },
        }
    }

    /// The bytes that a token adds to the text: none for a control token, none for one that does not exist.
    pub fn bytes(&self, id: u32) -> &[u8] {
        self.tokens.get(id as usize).map_or(&[], |entry| &entry.bytes)
    }

    /// The token that a control token's text names.
    pub fn control(&self, text: &str) -> Option<u32> {
        self.ids.get(text).copied().filter(|id| self.tokens[*id as usize].kind == TokenKind::Control)
    }

    /// Tokens in the vocabulary.
    pub fn vocabulary(&self) -> usize {
        self.tokens.len()
    }

    pub fn bos(&self) -> Option<u32> {
        self.bos
    }

    pub fn eos(&self) -> Option<u32> {
        self.eos
    }

    /// Whether this token ends a piece.
    pub fn is_end(&self, id: u32) -> bool {
        self.ends.contains(&id)
    }

    /// Whether this token steers the model and is no text.
    pub fn is_control(&self, id: u32) -> bool {
        self.tokens.get(id as usize).is_some_and(|entry| entry.kind == TokenKind::Control)
    }

    /// Whether the file asks for the BOS token before every prompt.
    pub fn add_bos(&self) -> bool {
        self.add_bos
    }

    /// The kind of vocabulary and of splitting, for people.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// Takes special tokens out of the text, longest first, and merges what lies between them.
    fn encode_parts(&self, text: &str, special: bool) -> Vec<u32> {
        enum Part<'a> {
            Text(&'a str),
            Token(u32),
        }
        let mut parts = vec![Part::Text(text)];
        for id in &self.special {
            let entry = &self.tokens[*id as usize];
            if !special && entry.kind != TokenKind::UserDefined || !text.contains(&entry.text) {
                continue;
            }
            parts = parts
                .into_iter()
                .flat_map(|part| {
                    let mut cut = Vec::new();
                    match part {
                        Part::Token(id) => cut.push(Part::Token(id)),
                        Part::Text(mut text) => {
                            while let Some(at) = text.find(&entry.text) {
                                cut.push(Part::Text(&text[..at]));
                                cut.push(Part::Token(*id));
                                text = &text[at + entry.text.len()..];
                            }
                            cut.push(Part::Text(text));
                        }
                    }
                    cut
                })
                .collect();
        }
        let (mut out, mut after_special) = (Vec::new(), true);
        for part in parts {
            match part {
                Part::Token(id) => {
                    out.push(id);
                    after_special = true;
                }
                Part::Text("") => {}
                Part::Text(text) => {
                    self.encode_text(text, after_special, &mut out);
                    after_special = false;
                }
            }
        }
        out
    }

    fn encode_text(&self, text: &str, after_special: bool, out: &mut Vec<u32>) {
        // The crate's errors concern unknown tokens missing from the vocabulary; such characters are left out.
        let mut merge = |text: &str| out.extend(self.merge.tokenize(text).unwrap_or_default().iter().map(|t| t.id));
        match &self.family {
            Family::ByteLevel(splits) => {
                let char_of = bytes::char_of_byte();
                for word in split::apply(splits, text) {
                    let word: String = word.bytes().map(|byte| char_of[byte as usize]).collect();
                    merge(&word);
                }
            }
            Family::SentencePiece { space_first } => {
                let space = if *space_first && after_special { "▁" } else { "" };
                merge(&format!("{space}{}", text.replace(' ', "▁")));
            }
        }
    }
}

/// The file's own merges, in its order.
fn byte_level_merges(gguf: &Gguf, ids: &HashMap<String, u32>, whole_words: bool) -> Result<BPE, ModelError> {
    const KEY: &str = "tokenizer.ggml.merges";
    let Some(Value::Texts(list)) = gguf.get(KEY) else { return Err(gguf.missing(KEY)) };
    let merges = list.iter().filter_map(|line| {
        // A piece may itself begin with a space in old files: the blank that parts the two is never the first byte.
        let at = line.char_indices().skip(1).find(|(_, c)| *c == ' ')?.0;
        let (a, b) = (line[..at].to_string(), line[at + 1..].to_string());
        let whole = ids.contains_key(&a) && ids.contains_key(&b) && ids.contains_key(&format!("{a}{b}"));
        whole.then_some((a, b))
    });
    let vocabulary: Vec<(String, u32)> = ids.iter().map(|(text, id)| (text.clone(), *id)).collect();
    BPE::builder()
        .vocab_and_merges(vocabulary.into_iter().collect::<tokenizers::models::bpe::Vocab>(), merges.collect())
        .ignore_merges(whole_words)
        .build()
        .map_err(|e| gguf.bad_key(KEY, e.to_string()))
}

/// SentencePiece joins the two neighbours whose joint token has the best score. As merges: every way to cut a token
/// into two tokens, best score first, then lowest number.
fn sentence_piece_merges(gguf: &Gguf, tokens: &[Entry], ids: &HashMap<String, u32>) -> Result<BPE, ModelError> {
    const KEY: &str = "tokenizer.ggml.scores";
    let scores = match gguf.get(KEY) {
        Some(Value::Floats(scores)) if scores.len() == tokens.len() => scores,
        Some(_) => return Err(gguf.bad_key(KEY, "it does not list one score for each token; convert the model again")),
        None => return Err(gguf.missing(KEY)),
    };
    let mut order: Vec<u32> = (0..tokens.len() as u32)
        .filter(|i| matches!(tokens[*i as usize].kind, TokenKind::Normal | TokenKind::UserDefined))
        .collect();
    order.sort_by(|a, b| scores[*b as usize].total_cmp(&scores[*a as usize]).then(a.cmp(b)));
    let mut merges = Vec::new();
    for id in order {
        let text = &tokens[id as usize].text;
        // Of two tokens with the same text the first counts.
        if ids[text] == id {
            let cuts = text.char_indices().skip(1).map(|(at, _)| (&text[..at], &text[at..]));
            let whole = cuts.filter(|(a, b)| ids.contains_key(*a) && ids.contains_key(*b));
            merges.extend(whole.map(|(a, b)| (a.to_string(), b.to_string())));
        }
    }
    let unknown = gguf.integer("tokenizer.ggml.unknown_token_id").unwrap_or(0) as usize;
    let unknown = tokens.get(unknown).map_or_else(|| "<unk>".to_string(), |entry| entry.text.clone());
    let vocabulary: Vec<(String, u32)> = ids.iter().map(|(text, id)| (text.clone(), *id)).collect();
    BPE::builder()
        .vocab_and_merges(vocabulary.into_iter().collect::<tokenizers::models::bpe::Vocab>(), merges)
        .unk_token(unknown)
        .fuse_unk(true)
        .byte_fallback(true)
        .build()
        .map_err(|e| gguf.bad_key(KEY, e.to_string()))
}

#[cfg(test)]
mod tests;
