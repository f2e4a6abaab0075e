//! The tokens, learnt from the texts.
//!
//! Byte-level BPE: frequent pairs of bytes become tokens, inside words only. A Han character, a Chinese point and a line
//! end are words of their own while the tokens are learnt, so that no token spans two of them: the metre stays countable
//! and each character can be shown as it comes. Written text is split by the rule `gpt-2` alone, which comes to the same,
//! since pairs that reach across were never learnt. Runs on the threads of the `tokenizers` crate; pure.

use std::collections::HashMap;

use tokenizers::AddedToken;
use tokenizers::models::bpe::{BPE, BpeTrainer};

use super::corpus::is_han;
use super::{Corpus, TrainError};
use crate::model::{GgufWriter, ModelError, Source, Tokenizer, byte_level};

/// The control tokens, by id.
const CONTROLS: [&str; 4] = ["<|end|>", "<|zh|>", "<|en|>", "<|pad|>"];
const END: u32 = 0;
const PAD: u32 = 3;
/// Those and every byte.
const LEAST: usize = CONTROLS.len() + 256;
/// A pair that stands in the texts only once is no habit.
const LEAST_OFTEN: u64 = 2;
/// The trainer counts in 31 bits.
const MOST_WORDS: f64 = 5e8;

/// A byte-level BPE vocabulary with xiao's four control tokens in front.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Vocabulary {
    /// In the alphabet of byte-level BPE, by id: 0 `<|end|>`, 1 `<|zh|>`, 2 `<|en|>`, 3 `<|pad|>`, then all others.
    pub tokens: Vec<String>,
    /// `left right`, the most frequent first.
    pub merges: Vec<String>,
}

impl Vocabulary {
    /// Learns `size` tokens from the training part, each file with its weight; fewer where the texts do not hold so many
    /// pairs that stand there twice.
    ///
    /// # Errors
    /// `size` is below 260, the control tokens and the bytes.
    pub fn train(corpus: &Corpus, size: usize) -> Result<Vocabulary, TrainError> {
        if size < LEAST {
            let problem = format!("a vocabulary of {size} tokens is too small; choose at least {LEAST}");
            return Err(TrainError::Input(problem));
        }
        let counts = words(corpus).into_iter().collect();
        let mut model = BPE::default();
        trainer(size).do_train(&counts, &mut model).map_err(|e| unexpected(&e.to_string()))?;
        // The model's only public form of both lists in their order.
        let form = serde_json::to_value(&model).map_err(|e| unexpected(&e.to_string()))?;
        Vocabulary::of_form(&form).ok_or_else(|| unexpected("the trained vocabulary has another form"))
    }

    fn of_form(form: &serde_json::Value) -> Option<Vocabulary> {
        let by_text = form.get("vocab")?.as_object()?;
        let mut tokens = vec![String::new(); by_text.len()];
        for (text, id) in by_text {
            *tokens.get_mut(id.as_u64()? as usize)? = text.clone();
        }
        let merge = |pair: &serde_json::Value| Some(format!("{} {}", pair.get(0)?.as_str()?, pair.get(1)?.as_str()?));
        let merges = form.get("merges")?.as_array()?.iter().map(merge).collect::<Option<_>>()?;
        Some(Vocabulary { tokens, merges })
    }

    /// The vocabulary of a model that xiao has trained.
    ///
    /// # Errors
    /// The file cannot be read, or its vocabulary is not of this kind.
    pub fn read(source: &Source) -> Result<Vocabulary, TrainError> {
        let (tokens, merges) = byte_level::texts(source)?;
        if tokens.iter().take(CONTROLS.len()).ne(CONTROLS) {
            let (file, controls) = (source.name(), CONTROLS.join(" "));
            let problem = format!("its tokens do not begin with {controls}; go on from a model that xiao has trained");
            return Err(TrainError::text(file.as_ref(), problem));
        }
        Ok(Vocabulary { tokens, merges })
    }

    /// The token of a line end, which is one of its own in every vocabulary that xiao learns.
    pub fn line_end(&self) -> u32 {
        let spelt = byte_level::spelt(b"\n");
        self.tokens.iter().position(|token| *token == spelt).unwrap_or_default() as u32
    }

    /// Writes the keys of the tokenizer.
    pub fn put(&self, writer: &mut GgufWriter) {
        const CONTROL: i32 = 3;
        const NORMAL: i32 = 1;
        let kinds: Vec<i32> =
            (0..self.tokens.len()).map(|id| if id < CONTROLS.len() { CONTROL } else { NORMAL }).collect();
        writer.key("tokenizer.ggml.model", "gpt2");
        writer.key("tokenizer.ggml.pre", byte_level::RULE);
        writer.key("tokenizer.ggml.tokens", &self.tokens[..]);
        writer.key("tokenizer.ggml.token_type", &kinds[..]);
        writer.key("tokenizer.ggml.merges", &self.merges[..]);
        writer.key("tokenizer.ggml.bos_token_id", END);
        writer.key("tokenizer.ggml.eos_token_id", END);
        writer.key("tokenizer.ggml.padding_token_id", PAD);
        writer.key("tokenizer.ggml.add_bos_token", false);
        writer.key("tokenizer.ggml.add_space_prefix", false);
    }

    /// Text to tokens and back, exactly as in play.
    ///
    /// # Errors
    /// None that is known.
    pub fn tokenizer(&self) -> Result<Tokenizer, TrainError> {
        let mut writer = GgufWriter::new();
        self.put(&mut writer);
        Ok(Tokenizer::read(&Source::Memory(writer.finish().into()))?)
    }
}

fn trainer(size: usize) -> BpeTrainer {
    let control = |text: &&str| AddedToken::from(text.to_string(), true);
    BpeTrainer::builder()
        .vocab_size(size)
        .min_frequency(LEAST_OFTEN)
        .special_tokens(CONTROLS.iter().map(control).collect())
        .initial_alphabet((0..=255).flat_map(|byte| byte_level::spelt(&[byte]).chars().next()).collect())
        .show_progress(false)
        .build()
}

fn unexpected(problem: &str) -> TrainError {
    TrainError::Model(ModelError::Input(format!("the vocabulary cannot be trained: {problem}")))
}

/// How often each word stands in the training part, spelt in the byte alphabet, each file with its weight.
fn words<W: From<String>>(corpus: &Corpus) -> Vec<(W, u64)> {
    let splitter = byte_level::Words::default();
    let mut counts: HashMap<&str, f64> = HashMap::new();
    for piece in &corpus.training {
        let weight = corpus.report.sources.get(piece.source).map_or(1.0, |source| f64::from(source.weight));
        let mut count = |word| *counts.entry(word).or_default() += weight;
        for part in apart(&piece.text) {
            if part.starts_with(stands_alone) {
                count(part);
            } else {
                splitter.split(part).into_iter().for_each(|word| count(&part[word]));
            }
        }
    }
    let scale = (MOST_WORDS / counts.values().sum::<f64>().max(1.0)).min(1.0);
    let spelt = |(word, count): (&str, f64)| {
        let count = (count * scale).round().max(1.0) as u64;
        (byte_level::spelt(word.as_bytes()).into(), count)
    };
    counts.into_iter().map(spelt).collect()
}

/// A text in parts: each character that stands alone, and what is between them.
fn apart(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = if stands_alone(first) { first.len_utf8() } else { rest.find(stands_alone).unwrap_or(rest.len()) };
        let (part, after) = rest.split_at(end);
        rest = after;
        Some(part)
    })
}

/// Never part of a longer token.
fn stands_alone(c: char) -> bool {
    is_han(c) || matches!(c, '々' | '〇' | '，' | '。' | '！' | '？' | '；' | '：' | '、' | '\n')
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::corpus::tests::verses;
    use super::super::{Piece, Script, SourceReport};
    use super::*;

    use tokenizers::models::TrainerWrapper;
    use tokenizers::models::bpe::Vocab;
    use tokenizers::pre_tokenizers::byte_level::ByteLevel;
    use tokenizers::pre_tokenizers::sequence::Sequence;
    use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
    use tokenizers::{PreTokenizerWrapper, SplitDelimiterBehavior};

    /// A tokenizer of the crate in which all that stands alone is isolated.
    fn isolating(model: BPE) -> tokenizers::Tokenizer {
        let apart = SplitPattern::Regex(r"\p{Han}|[，。！？；：、]|\n".into());
        let apart = Split::new(apart, SplitDelimiterBehavior::Isolated, false).unwrap();
        let steps: Vec<PreTokenizerWrapper> = vec![apart.into(), ByteLevel::new(false, true, true).into()];
        let mut tokenizer = tokenizers::Tokenizer::new(model);
        tokenizer.with_pre_tokenizer(Some(Sequence::new(steps)));
        tokenizer
    }

    /// Text to tokens as the crate has it.
    pub(crate) fn peer(vocabulary: &Vocabulary) -> impl Fn(&str) -> Vec<u32> {
        let ids: Vocab = vocabulary.tokens.iter().cloned().zip(0..).collect();
        let pair = |merge: &String| merge.split_once(' ').map(|(a, b)| (a.to_string(), b.to_string()));
        let merges = vocabulary.merges.iter().filter_map(pair).collect();
        let tokenizer = isolating(BPE::builder().vocab_and_merges(ids, merges).build().unwrap());
        move |text| tokenizer.encode(text, false).unwrap().get_ids().to_vec()
    }

    fn corpus(texts: &[(Script, String, f32)]) -> Corpus {
        let mut corpus = Corpus::default();
        for (source, (script, text, weight)) in texts.iter().enumerate() {
            let piece = |text: &str| Piece { text: text.to_string(), script: *script, source };
            corpus.training.extend(text.split("\n\n").map(piece));
            corpus.report.sources.push(SourceReport { weight: *weight, ..SourceReport::default() });
        }
        corpus
    }

    fn both() -> Corpus {
        corpus(&[
            (Script::Chinese, verses(Script::Chinese, 60, 1), 1.0),
            (Script::English, verses(Script::English, 60, 2), 1.0),
        ])
    }

    #[test]
    fn it_is_what_the_crate_learns_and_the_same_each_time() {
        let corpus = both();
        let vocabulary = Vocabulary::train(&corpus, 420).unwrap();
        assert_eq!((vocabulary.tokens.len(), &vocabulary.tokens[..4]), (420, &CONTROLS.map(String::from)[..]));
        assert_eq!(vocabulary, Vocabulary::train(&corpus, 420).unwrap());
        let mut crates = isolating(BPE::default());
        let texts = corpus.training.iter().map(|piece| piece.text.as_str());
        crates.train(&mut TrainerWrapper::from(trainer(420)), texts).unwrap();
        for (id, token) in vocabulary.tokens.iter().enumerate() {
            assert_eq!(crates.token_to_id(token), Some(id as u32), "{token}");
        }
    }

    #[test]
    fn text_becomes_the_same_tokens_in_play_and_in_the_crate() {
        let vocabulary = Vocabulary::train(&both(), 420).unwrap();
        let (tokenizer, peer) = (vocabulary.tokenizer().unwrap(), peer(&vocabulary));
        assert!(tokenizer.warnings().is_empty(), "{:?}", tokenizer.warnings());
        let mut texts: Vec<String> = verses(Script::Chinese, 40, 3).split("\n\n").map(String::from).collect();
        texts.extend(verses(Script::English, 40, 4).split("\n\n").map(String::from));
        // Characters at random: Latin, Greek, points, Han, kana, signs.
        let mut state = 7u64;
        for length in 1..400 {
            let mut c = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = (state >> 40) as u32;
                let (from, many) =
                    [(0x20, 95), (0xa0, 0x2e0), (0x3001, 0xff), (0x4e00, 0x1000), (0x1f300, 0x100), (10, 1)]
                        [(state >> 33) as usize % 6];
                char::from_u32(from + at % many).unwrap_or(' ')
            };
            texts.push((0..length).map(|_| c()).collect());
        }
        let differ: Vec<&String> = texts.iter().filter(|text| tokenizer.encode(text) != peer(text)).collect();
        assert!(differ.is_empty(), "{} of {}: {:?}", differ.len(), texts.len(), differ[0]);
        for text in &texts {
            let bytes: Vec<u8> = tokenizer.encode(text).iter().flat_map(|id| tokenizer.bytes(*id).to_vec()).collect();
            assert!(String::from_utf8(bytes).unwrap() == *text);
        }
    }

    #[test]
    fn a_weight_moves_tokens_from_one_script_to_the_other() {
        let letters = |weight: f32| {
            let corpus = corpus(&[
                (Script::Chinese, verses(Script::Chinese, 60, 1), 1.0),
                (Script::English, verses(Script::English, 60, 2), weight),
            ]);
            let vocabulary = Vocabulary::train(&corpus, 320).unwrap();
            vocabulary.tokens[LEAST..].iter().filter(|token| token.trim_start_matches('Ġ').is_ascii()).count()
        };
        assert!(letters(0.02) < letters(1.0), "{} {}", letters(0.02), letters(1.0));
    }

    #[test]
    fn a_small_text_gives_fewer_tokens_and_a_small_size_is_refused() {
        let small = corpus(&[(Script::English, verses(Script::English, 2, 5), 1.0)]);
        let vocabulary = Vocabulary::train(&small, 8192).unwrap();
        assert!(vocabulary.tokens.len() < 700 && vocabulary.merges.len() + LEAST >= vocabulary.tokens.len());
        assert!(Vocabulary::train(&small, 259).unwrap_err().to_string().contains("at least 260"));
    }

    #[test]
    fn a_vocabulary_comes_back_from_its_file() {
        let vocabulary = Vocabulary::train(&both(), 300).unwrap();
        let mut writer = GgufWriter::new();
        vocabulary.put(&mut writer);
        let source = Source::Memory(writer.finish().into());
        assert_eq!(Vocabulary::read(&source).unwrap(), vocabulary);
        let tokenizer = vocabulary.tokenizer().unwrap();
        assert_eq!((tokenizer.eos(), tokenizer.bos(), tokenizer.add_bos()), (Some(END), Some(END), false));
        assert!(tokenizer.is_end(END) && !tokenizer.is_end(1) && tokenizer.is_control(PAD));
        assert_eq!(Vocabulary::read(&Source::Embedded).unwrap().tokens.len(), 6144);
        let mut other = vocabulary.clone();
        other.tokens.swap(1, 2);
        let mut writer = GgufWriter::new();
        other.put(&mut writer);
        let error = Vocabulary::read(&Source::Memory(writer.finish().into())).unwrap_err().to_string();
        assert!(error.contains("do not begin with <|end|>"), "{error}");
    }
}
