//! Words of the patch as tokens: which tokens spell a text, and which would complete it.
//!
//! Built when a patch is taken up, not for each token: it walks through the vocabulary.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::super::Tokenizer;

/// Longer texts are not looked for.
pub(super) const LONGEST: usize = 80;

/// A text of several tokens, however it is cut: the tokens that hold all of it, and the tails that complete it once a
/// token has begun it.
#[derive(Clone, Debug, Default)]
pub(super) struct Phrase {
    pub whole: Vec<u32>,
    begun: Vec<Begun>,
}

/// Tokens that end with the same beginning of the text, and the tokens that follow them.
#[derive(Clone, Debug)]
struct Begun {
    /// In ascending order.
    heads: Vec<u32>,
    tail: Vec<u32>,
}

impl Phrase {
    /// A sequence of tokens that is this phrase.
    #[cfg(test)]
    pub fn of(sequence: &[u32]) -> Phrase {
        match sequence {
            [one] => Phrase { whole: vec![*one], begun: Vec::new() },
            [head, tail @ ..] => {
                Phrase { whole: Vec::new(), begun: vec![Begun { heads: vec![*head], tail: tail.to_vec() }] }
            }
            [] => Phrase::default(),
        }
    }

    /// Calls `f` with every token that completes the text after `history`; one may come twice.
    pub fn completed_by(&self, history: &[u32], mut f: impl FnMut(u32)) {
        self.whole.iter().for_each(|id| f(*id));
        for Begun { heads, tail } in &self.begun {
            let Some((last, before)) = tail.split_last() else { continue };
            let head = history.len().checked_sub(before.len() + 1).map(|at| (history[at], &history[at + 1..]));
            if head.is_some_and(|(head, after)| after == before && heads.binary_search(&head).is_ok()) {
                f(*last);
            }
        }
    }

    /// How many tokens after `window[at]` belong to the text that it begins; none where it does not.
    pub fn reaches(&self, window: &[u32], at: usize) -> Option<usize> {
        let begun = self.begun.iter().filter(|begun| {
            window[at + 1..].starts_with(&begun.tail) && begun.heads.binary_search(&window[at]).is_ok()
        });
        begun.map(|begun| begun.tail.len()).max()
    }

    /// Whether a single token is always enough.
    pub fn is_one_token(&self) -> bool {
        self.begun.is_empty()
    }

    /// Whether nothing can complete it.
    pub fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.begun.is_empty()
    }
}

/// A vocabulary in which texts can be looked up; it is turned about when that is first asked for.
pub(super) struct Lexicon<'a> {
    tokenizer: &'a Tokenizer,
    by_bytes: OnceCell<HashMap<&'a [u8], Vec<u32>>>,
    by_last: OnceCell<Vec<Vec<u32>>>,
}

impl<'a> Lexicon<'a> {
    pub fn new(tokenizer: &'a Tokenizer) -> Lexicon<'a> {
        Lexicon { tokenizer, by_bytes: OnceCell::new(), by_last: OnceCell::new() }
    }

    /// The tokens that add something to the text, with what they add.
    fn spelled(&self) -> impl Iterator<Item = (u32, &'a [u8])> {
        let tokenizer = self.tokenizer;
        (0..tokenizer.vocabulary() as u32).map(|id| (id, tokenizer.bytes(id))).filter(|(_, bytes)| !bytes.is_empty())
    }

    fn by_bytes(&self) -> &HashMap<&'a [u8], Vec<u32>> {
        self.by_bytes.get_or_init(|| {
            let mut by_bytes: HashMap<&[u8], Vec<u32>> = HashMap::with_capacity(self.tokenizer.vocabulary());
            self.spelled().for_each(|(id, bytes)| by_bytes.entry(bytes).or_default().push(id));
            by_bytes
        })
    }

    /// The tokens that end with a byte.
    fn ending_with(&self, last: u8) -> &[u32] {
        let by_last = self.by_last.get_or_init(|| {
            let mut by_last = vec![Vec::new(); 256];
            self.spelled().for_each(|(id, bytes)| by_last[usize::from(bytes[bytes.len() - 1])].push(id));
            by_last
        });
        &by_last[usize::from(last)]
    }

    /// The tokens that spell exactly this text: a control token by its name, a byte as `<0x0A>`.
    pub fn exact(&self, text: &str) -> Vec<u32> {
        if let Some(id) = self.tokenizer.control(text) {
            return vec![id];
        }
        let bytes = of_byte_names(text).unwrap_or_else(|| text.as_bytes().to_vec());
        self.by_bytes().get(bytes.as_slice()).cloned().unwrap_or_default()
    }

    /// The text as a phrase. Not longer than [`LONGEST`]; empty where the vocabulary cannot spell it.
    pub fn phrase(&self, text: &str) -> Phrase {
        let bytes = text.as_bytes();
        let mut phrase = Phrase::default();
        if bytes.is_empty() || bytes.len() > LONGEST {
            return phrase;
        }
        let holds = |token: &[u8]| token.len() >= bytes.len() && token.windows(bytes.len()).any(|part| part == bytes);
        phrase.whole = self.spelled().filter(|(_, token)| holds(token)).map(|(id, _)| id).collect();
        for cut in 1..bytes.len() {
            // A token may end within a character; what follows it is then not text that can be cut into tokens.
            let Some(rest) = text.get(cut..) else { continue };
            let (begin, last) = (&bytes[..cut], bytes[cut - 1]);
            let ends = |id: &&u32| self.tokenizer.bytes(**id).ends_with(begin) && !phrase.whole.contains(*id);
            let heads: Vec<u32> = self.ending_with(last).iter().filter(ends).copied().collect();
            if heads.is_empty() {
                continue;
            }
            if let Some(tail) = self.going_on(rest) {
                phrase.begun.push(Begun { heads, tail });
            }
        }
        phrase
    }

    /// The tokens of a text within a line: without the space that SentencePiece puts before a text's first word.
    fn going_on(&self, text: &str) -> Option<Vec<u32>> {
        let spells = |ids: &[u32], text: &str| {
            let mut bytes = ids.iter().flat_map(|id| self.tokenizer.bytes(*id));
            bytes.by_ref().eq(text.as_bytes())
        };
        let ids = self.tokenizer.encode(text);
        if spells(&ids, text) {
            return Some(ids);
        }
        let ids = self.tokenizer.encode(&format!("\n{text}"));
        (1..ids.len()).map(|at| &ids[at..]).find(|ids| spells(ids, text)).map(<[u32]>::to_vec)
    }
}

/// The bytes of `<0xE6><0x98>`.
fn of_byte_names(text: &str) -> Option<Vec<u8>> {
    let names = text.strip_prefix("<0x")?.strip_suffix('>')?;
    let byte = |hex: &str| match hex.len() == 2 && hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        true => u8::from_str_radix(hex, 16).ok(),
        false => None,
    };
    names.split("><0x").map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::Source;
    use super::*;

    fn tokenizer() -> Tokenizer {
        Tokenizer::read(&Source::Embedded).unwrap()
    }

    /// The tokens that complete a phrase after a text.
    fn completing(tokenizer: &Tokenizer, phrase: &Phrase, history: &str) -> Vec<String> {
        let mut found = Vec::new();
        phrase.completed_by(&tokenizer.encode(history), |id| found.push(tokenizer.piece(id)));
        found.sort();
        found.dedup();
        found
    }

    #[test]
    fn a_phrase_is_completed_only_where_it_was_begun() {
        let tokenizer = tokenizer();
        let lexicon = Lexicon::new(&tokenizer);
        let ids = tokenizer.encode(" moonlit river");
        assert!(ids.len() >= 3, "a text of several tokens is wanted: {ids:?}");
        let phrase = lexicon.phrase(" moonlit river");
        assert!(phrase.whole.is_empty() && !phrase.is_empty());
        let last = tokenizer.piece(ids[ids.len() - 1]);
        let before = " moonlit river".strip_suffix(&last).unwrap();
        assert_eq!(completing(&tokenizer, &phrase, &format!("by the{before}")), [last]);
        assert!(completing(&tokenizer, &phrase, "by the moonlit").is_empty() || before == " moonlit");
        assert!(completing(&tokenizer, &phrase, "a river").is_empty());
        assert!(completing(&tokenizer, &phrase, "").is_empty());
        assert!(lexicon.phrase("").is_empty() && lexicon.phrase(&"a".repeat(LONGEST + 1)).is_empty());
    }

    #[test]
    fn a_word_is_found_by_text_by_byte_and_by_name() {
        let tokenizer = tokenizer();
        let lexicon = Lexicon::new(&tokenizer);
        assert_eq!(lexicon.exact("<|end|>"), [0]);
        assert_eq!(lexicon.exact("<0x0A>"), lexicon.exact("\n"));
        assert_eq!(lexicon.exact("\n").len(), 1);
        let moon = lexicon.exact("月");
        assert_eq!(tokenizer.encode("月"), moon);
        assert!(lexicon.exact("no such token").is_empty());
        assert_eq!(of_byte_names("<0xE6><0x9C>"), Some(vec![0xE6, 0x9C]));
        for text in ["<0x>", "<0xE6><0x9>", "<0x+1>", "0xE6", "<0xG0>"] {
            assert_eq!(of_byte_names(text), None, "{text}");
        }
    }
}
