//! The rules by which byte-level vocabularies split a text before merging, by the names that files give them.
//!
//! The expressions are those of llama.cpp (`llama-vocab.cpp`), applied one after the other in the same way.

use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, SplitDelimiterBehavior};

/// How one kind of vocabulary splits.
pub(super) struct Rule {
    names: &'static [&'static str],
    expressions: &'static [&'static str],
    /// A split part that is a token as a whole is taken without merging.
    pub whole_words: bool,
    /// Whether the BOS token goes first when the file does not say.
    pub add_bos: bool,
}

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)";
const LLAMA3: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))*((?=[\p{L}])([^A-Z]))+|[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))+((?=[\p{L}])([^A-Z]))*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

const RULES: &[Rule] = &[
    Rule { names: &["gpt-2", "gpt2"], expressions: &[GPT2], whole_words: false, add_bos: false },
    Rule {
        names: &["default"],
        expressions: &[r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"],
        whole_words: false,
        add_bos: false,
    },
    Rule { names: &["smollm", "starcoder"], expressions: &[r"\p{N}", GPT2], whole_words: false, add_bos: false },
    Rule { names: &["llama-bpe", "llama3", "llama-v3"], expressions: &[LLAMA3], whole_words: true, add_bos: true },
    Rule { names: &["qwen2"], expressions: &[QWEN2], whole_words: false, add_bos: false },
    Rule { names: &["tekken"], expressions: &[TEKKEN], whole_words: true, add_bos: true },
];

/// The rule of this name.
pub(super) fn rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.names.contains(&name))
}

/// The names of all rules, for messages.
pub(super) fn known() -> String {
    RULES.iter().flat_map(|rule| rule.names).copied().collect::<Vec<_>>().join(", ")
}

impl Rule {
    pub fn splits(&self) -> tokenizers::Result<Vec<Split>> {
        let split = |e: &&str| Split::new(SplitPattern::Regex(e.to_string()), SplitDelimiterBehavior::Isolated, false);
        self.expressions.iter().map(split).collect()
    }
}

/// The parts of a text, in order; together they are the text.
pub(super) fn apply(splits: &[Split], text: &str) -> Vec<String> {
    let mut parts = PreTokenizedString::from(text);
    // A failing expression (its backtracking is bounded) leaves the text as one part, which merges all the same.
    let done = splits.iter().try_for_each(|split| split.pre_tokenize(&mut parts));
    if done.is_err() {
        return vec![text.to_string()];
    }
    let parts = parts.get_splits(OffsetReferential::Original, OffsetType::Byte);
    parts.into_iter().map(|(part, _, _)| part.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str, text: &str) -> Vec<String> {
        apply(&rule(name).unwrap().splits().unwrap(), text)
    }

    #[test]
    fn the_rules_differ_where_they_should() {
        assert_eq!(parts("gpt-2", "it's 12345  ok"), ["it", "'s", " 12345", " ", " ok"]);
        assert_eq!(parts("smollm", "a 123"), ["a", " ", "1", "2", "3"]);
        assert_eq!(parts("llama-bpe", "12345 moon!\n\nx"), ["123", "45", " moon", "!\n\n", "x"]);
        assert_eq!(parts("default", "1234567"), ["123", "456", "7"]);
        assert_eq!(parts("qwen2", "12"), ["1", "2"]);
        assert!(rule("unheard-of").is_none());
    }

    #[test]
    fn parts_make_the_text() {
        let text = "春 眠\t不觉晓,\r\n it'll be 3.14 🌕  ";
        for name in RULES.iter().map(|rule| rule.names[0]) {
            assert_eq!(parts(name, text).concat(), text, "{name}");
        }
    }
}
