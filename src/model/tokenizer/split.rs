//! The rules by which byte-level vocabularies split a text before merging, by the names that files give them.
//!
//! The expressions are those of llama.cpp (`llama-vocab.cpp`), applied one after the other in the same way: each to the
//! parts that the one before has left, as if a part were a text of its own. Where llama.cpp writes "a letter, but not
//! one of a-z" as a look-ahead, the class is named instead, which needs no way back.

use std::ops::Range;

use tokenizers::tokenizer::pattern::Pattern;
use tokenizers::utils::SysRegex;

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
const JAIS2: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}";
const QWEN2: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN35: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const MINICPM5: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{L}&&[^a-z]]*[\p{L}&&[^A-Z]]+|[^\r\n\p{L}\p{N}]?[\p{L}&&[^a-z]]+[\p{L}&&[^A-Z]]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{L}&&[^a-z]]*[\p{L}&&[^A-Z]]+(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|[^\r\n\p{L}\p{N}]?[\p{L}&&[^a-z]]+[\p{L}&&[^A-Z]]*(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const DEEPSEEK_WORDS: &str = r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+";
// Blanks beyond ASCII count as blanks in llama.cpp even where a class spans them (U+0800 to U+4E00).
const DEEPSEEK_HAN: &str = r"[[一-龥ࠀ-一가-퟿]&&\S]+";
const DEEPSEEK3: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##;
const YOUTU: &str = r"[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const BLOOM: &str = r" ?[^(\s|.,!?…。，、।۔،)]+";
const BAILING: &str = r"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";
const SEED: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+";
const EXAONE_MOE: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+";

/// A rule that merges its parts as usual and puts no BOS before a text.
const fn plain(names: &'static [&'static str], expressions: &'static [&'static str]) -> Rule {
    Rule { names, expressions, whole_words: false, add_bos: false }
}

/// A rule that takes parts that are tokens as they are.
const fn whole(names: &'static [&'static str], expressions: &'static [&'static str], add_bos: bool) -> Rule {
    Rule { names, expressions, whole_words: true, add_bos }
}

/// The rule that old files mean when they name none.
pub(super) const DEFAULT: &str = "default";

#[rustfmt::skip]
const RULES: &[Rule] = &[
    plain(&[DEFAULT], &[r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"]),
    plain(&["gpt-2", "gpt2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "exaone4", "gigachat", "mellum",
            "modern-bert", "a.x-4.0", "jina-es", "jina-de", "jina-v1-en", "jina-v2-es", "jina-v2-de", "jina-v2-code",
            "roberta-bpe"], &[GPT2]),
    plain(&["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"],
          &[r"\p{N}", GPT2]),
    whole(&["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano"],
          &[LLAMA3], true),
    plain(&["dbrx", "smaug-bpe", "chatglm-bpe"], &[LLAMA3]),
    whole(&["glm4", "glm5"], &[LLAMA3], false),
    plain(&["jais-2"], &[JAIS2]),
    plain(&["qwen2", "stablelm2", "hunyuan", "solar-open", "megrez", "deepseek-r1-qwen", "kormo", "f2llmv2", "grok-2"],
          &[QWEN2]),
    plain(&["qwen35"], &[QWEN35]),
    plain(&["laguna"], &[r"[^\n]+|[\n]+", QWEN2]),
    plain(&["ufakzeka"], &[r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"]),
    whole(&["minicpm5"], &[r"\p{N}{1,3}", MINICPM5], false),
    whole(&["tekken"], &[TEKKEN], true),
    plain(&["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"], &[GPT4O]),
    plain(&["falcon"], &[r"[\p{P}\$\+<=>\^~\|`]+", GPT2, "[0-9][0-9][0-9]"]),
    plain(&["deepseek-llm"], &[r"[\r\n]", DEEPSEEK_WORDS, r"\s?[!-/:-~！-／：-～‘-‟、-。]+", r"\s+$", DEEPSEEK_HAN, r"\p{N}+"]),
    plain(&["deepseek-coder"], &[r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", DEEPSEEK_HAN, r"\p{N}"]),
    plain(&["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
          &[r"\p{N}{1,3}", r"[一-龥぀-ゟ゠-ヿ]+", DEEPSEEK3]),
    whole(&["youtu"], &[r"[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+", YOUTU], false),
    plain(&["poro-chat", "bloom", "gpt3-finnish"], &[BLOOM]),
    plain(&["viking"], &[BLOOM, r"\p{N}"]),
    plain(&["bailingmoe", "bailingmoe2", "llada-moe"], &[BAILING]),
    plain(&["seed-coder"], &[SEED]),
    plain(&["exaone-moe"], &[EXAONE_MOE]),
    plain(&["superbpe"], &[r"\p{N}+", "(?=([0-9]{3})+(?![0-9]))"]),
];

/// The rule of this name.
pub(super) fn rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.names.contains(&name))
}

/// A rule that is ready to split.
pub(super) struct Splitter(Vec<SysRegex>);

impl Rule {
    pub fn splitter(&self) -> Splitter {
        // The expressions are constants, and a test builds each of them.
        Splitter(self.expressions.iter().filter_map(|e| SysRegex::new(e).ok()).collect())
    }
}

impl Splitter {
    /// The parts of a text, in order; together they are the text.
    pub fn split(&self, text: &str) -> Vec<Range<usize>> {
        let mut parts: Vec<Range<usize>> = std::iter::once(0..text.len()).collect();
        for expression in &self.0 {
            let mut finer = Vec::with_capacity(parts.len() * 2);
            for part in parts {
                // No pattern of ours can fail; if one did, its part would stay whole.
                let cut =
                    expression.find_matches(&text[part.clone()]).unwrap_or_else(|_| vec![((0, part.len()), false)]);
                finer.extend(cut.into_iter().map(|((from, to), _)| part.start + from..part.start + to));
            }
            finer.retain(|part| !part.is_empty());
            parts = finer;
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts<'a>(name: &str, text: &'a str) -> Vec<&'a str> {
        rule(name).unwrap().splitter().split(text).into_iter().map(|part| &text[part]).collect()
    }

    #[test]
    fn the_rules_differ_where_they_should() {
        assert_eq!(parts("gpt-2", "it's 12345  ok"), ["it", "'s", " 12345", " ", " ok"]);
        assert_eq!(parts("smollm", "a 123"), ["a", " ", "1", "2", "3"]);
        assert_eq!(parts("llama-bpe", "12345 moon!\n\nx"), ["123", "45", " moon", "!\n\n", "x"]);
        assert_eq!(parts("default", "1234567"), ["123", "456", "7"]);
        assert_eq!(parts("qwen2", "12"), ["1", "2"]);
        assert_eq!(parts("tekken", "helloWorld ABC"), ["hello", "World", " ABC"]);
        assert_eq!(parts("deepseek-llm", "月は moon 12\n"), ["月は", " moon", " ", "12", "\n"]);
        assert!(rule("unheard-of").is_none());
    }

    #[test]
    fn parts_make_the_text_and_long_texts_are_cut_like_short_ones() {
        let text = "春 眠\t不觉晓,\r\n it'll be 3.14 🌕  ";
        for rule in RULES {
            let splitter = rule.splitter();
            assert_eq!(splitter.0.len(), rule.expressions.len(), "{:?}", rule.names);
            let name = rule.names[0];
            assert_eq!(parts(name, text).concat(), text, "{name}");
            assert!(parts(name, "").is_empty());
            // Long runs of one kind of character are where an expression would lose its way.
            for run in ["a", " ", "\n", "A", "é", "!", "7", "春", " a", "a\u{301}", "\t \n"] {
                let (short, long) = (format!("{}. x", run.repeat(500)), format!("{}. x", run.repeat(5000)));
                let end =
                    |text: &str| parts(name, text).pop().map(|last| last.chars().rev().take(9).collect::<String>());
                assert_eq!(end(&short), end(&long), "{name} {run:?}");
            }
        }
    }

    #[test]
    fn no_name_is_there_twice() {
        let mut names: Vec<_> = RULES.iter().flat_map(|rule| rule.names).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
