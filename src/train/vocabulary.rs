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
        let control = |text: &&str| AddedToken::from(text.to_string(), true);
        let trainer = BpeTrainer::builder()
            .vocab_size(size)
            .min_frequency(LEAST_OFTEN)
            .special_tokens(CONTROLS.iter().map(control).collect())
            .initial_alphabet((0..=255).flat_map(|byte| byte_level::spelt(&[byte]).chars().next()).collect())
            .show_progress(false)
            .build();
        let counts = words(corpus).into_iter().collect();
        let mut model = BPE::default();
        trainer.do_train(&counts, &mut model).map_err(|e| unexpected(&e.to_string()))?;
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
