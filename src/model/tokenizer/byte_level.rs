//! What a trainer needs to know of byte-level vocabularies that split as `gpt-2`, the kind that it writes. Pure.

use std::ops::Range;

use super::super::gguf::Gguf;
use super::super::{ModelError, Source};
use super::bytes::char_of_byte;
use super::split::{self, Splitter};

/// The name of the rule of splitting, for the key `tokenizer.ggml.pre`.
pub const RULE: &str = "gpt-2";

/// Splits a text into the words within which bytes are merged.
pub struct Words(Option<Splitter>);

impl Default for Words {
    fn default() -> Words {
        Words(split::rule(RULE).map(|rule| rule.splitter()))
    }
}

impl Words {
    /// The words, in order; together they are the text.
    pub fn split(&self, text: &str) -> Vec<Range<usize>> {
        self.0.as_ref().map_or_else(|| std::iter::once(0..text.len()).collect(), |splitter| splitter.split(text))
    }
}

/// Bytes as a vocabulary writes them: one visible character for each.
pub fn spelt(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char_of_byte()[*byte as usize]).collect()
}

/// The tokens, by id, and the merges of a file, as they are written there.
///
/// # Errors
/// The file cannot be read or does not hold together; its vocabulary is of another kind or splits by another rule.
pub fn texts(source: &Source) -> Result<(Vec<String>, Vec<String>), ModelError> {
    let gguf = Gguf::read(source)?;
    for (key, wanted) in [("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.pre", RULE)] {
        match gguf.text(key) {
            Some(found) if found == wanted => {}
            Some(found) => {
                return Err(gguf.bad_key(key, format!("it is {found:?}; a model to go on from has {wanted:?}")));
            }
            None => return Err(gguf.missing(key)),
        }
    }
    let list = |key| -> Result<Vec<String>, ModelError> {
        let texts = gguf.texts(key).ok_or_else(|| gguf.missing(key))?;
        Ok(texts.iter().map(|text| text.into_owned()).collect())
    };
    Ok((list("tokenizer.ggml.tokens")?, list("tokenizer.ggml.merges")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_vocabulary_is_read_and_text_is_split() {
        let (tokens, merges) = texts(&Source::Embedded).unwrap();
        assert_eq!((tokens.len(), tokens[1].as_str()), (6144, "<|zh|>"));
        assert!(!merges.is_empty() && merges.iter().all(|merge| merge.split(' ').count() == 2));
        assert_eq!(spelt("é moon".as_bytes()), "Ã©Ġmoon");
        let text = "The moon's up, 月明";
        let words: Vec<&str> = Words::default().split(text).into_iter().map(|word| &text[word]).collect();
        assert_eq!(words, ["The", " moon", "'s", " up", ",", " 月明"]);
    }
}
