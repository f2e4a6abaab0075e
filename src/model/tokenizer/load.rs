//! Builds a tokenizer from the keys of a file. What is wrong but can be lived with becomes a warning, since a model
//! that plays with a word of caution is worth more on a stage than one that refuses.

use super::super::gguf::{Gguf, Texts, Value};
use super::ends;
use super::merge::{Merges, NONE, rank_of_score};
use super::special::Specials;
use super::split;
use super::vocabulary::{TokenKind, Vocabulary};
use super::{Family, ModelError, Tokenizer};

/// Prompts are counted in 32 bits, and so is a vocabulary.
const MOST_TOKENS: usize = 1 << 24;

pub(super) fn load(gguf: &Gguf) -> Result<Tokenizer, ModelError> {
    let model = gguf.text("tokenizer.ggml.model").ok_or_else(|| gguf.missing("tokenizer.ggml.model"))?;
    let sentence_piece = match model {
        "llama" => true,
        "gpt2" => false,
        other => {
            let problem = format!("{other:?} is not supported, gpt2 and llama are; choose another model");
            return Err(gguf.bad_key("tokenizer.ggml.model", problem));
        }
    };
    let mut warnings = Vec::new();
    let texts = texts(gguf)?;
    let kinds = match gguf.get("tokenizer.ggml.token_type") {
        Some(Value::Integers(kinds)) if kinds.len() >= texts.len() => kinds.as_slice(),
        None => &[],
        _ => return Err(gguf.bad_key("tokenizer.ggml.token_type", "it does not list one type for each token")),
    };
    let kind = |i: usize| kinds.get(i).map_or(TokenKind::Normal, |number| TokenKind::of(*number));
    let mut vocabulary = Vocabulary::new(texts.iter(), kind, sentence_piece);
    if vocabulary.doubles > 0 {
        let problem = format!("{} tokens have the text of an earlier one, which is used", vocabulary.doubles);
        warnings.push(gguf.bad_key("tokenizer.ggml.tokens", problem).to_string());
    }

    let mut id = |key: &str, usual: Option<u32>| match gguf.integer(key) {
        None => usual,
        Some(n) if n < vocabulary.len() as u64 => Some(n as u32),
        // Converters write 0xFFFFFFFF for "none".
        Some(n) if n == u64::from(u32::MAX) => None,
        Some(n) => {
            let problem = format!("{n} is not in the vocabulary of {}, and is passed over", vocabulary.len());
            warnings.push(gguf.bad_key(key, problem).to_string());
            usual
        }
    };
    let usual = |i: u32| Some(i).filter(|i| sentence_piece && (*i as usize) < texts.len());
    let bos = id("tokenizer.ggml.bos_token_id", usual(1));
    let eos = id("tokenizer.ggml.eos_token_id", usual(2));
    let unknown = id("tokenizer.ggml.unknown_token_id", usual(0));
    let ends = ends::collect(gguf, &vocabulary, eos);
    for (id, kind) in ends.kinds {
        vocabulary.change_kind(id, kind);
    }
    let phi3 =
        gguf.text("general.name").map(str::to_lowercase).is_some_and(|n| n.contains("phi-3") || n.contains("phi3"));
    let special = Specials::new(&vocabulary, phi3);

    let pre = gguf.text("tokenizer.ggml.pre").filter(|pre| !pre.is_empty());
    let (family, about, add_bos_usual);
    if sentence_piece {
        let space_first = gguf.bool("tokenizer.ggml.add_space_prefix").unwrap_or(true);
        let ranks = ranks(gguf, vocabulary.len(), &mut warnings)?;
        let spelt = |byte: u8| {
            let name = vocabulary.find(&format!("<0x{byte:02X}>"));
            name.or_else(|| vocabulary.find(std::str::from_utf8(&[byte]).ok()?)).unwrap_or(NONE)
        };
        let bytes = Box::new(std::array::from_fn(|byte| spelt(byte as u8)));
        family = Family::SentencePiece { space_first, ranks, bytes, unknown: unknown.unwrap_or(NONE) };
        about = "llama (SentencePiece)".to_string();
        add_bos_usual = true;
    } else {
        const KEY: &str = "tokenizer.ggml.merges";
        let lines = gguf.texts(KEY).ok_or_else(|| gguf.missing(KEY))?;
        let known = pre.and_then(split::rule);
        let rule = known.or_else(|| split::rule(split::DEFAULT)).ok_or_else(|| gguf.missing("tokenizer.ggml.pre"))?;
        if known.is_none() {
            let found =
                pre.map_or_else(|| "no rule is named".to_string(), |pre| format!("the rule {pre:?} is not known"));
            let problem = format!(
                "{found}, so text is split by the rule \"default\"; words may be cut otherwise than in training"
            );
            warnings.push(gguf.bad_key("tokenizer.ggml.pre", problem).to_string());
        }
        let (merges, bytes) = Merges::new(lines.iter(), &vocabulary);
        family = Family::ByteLevel { splitter: rule.splitter(), whole_words: rule.whole_words, merges, bytes };
        about = match (pre, known) {
            (Some(pre), Some(_)) => format!("gpt2 (byte-level BPE), split as {pre}"),
            (Some(pre), None) => format!("gpt2 (byte-level BPE), split as default: the rule {pre:?} is not known"),
            (None, _) => "gpt2 (byte-level BPE), split as default: the file names no rule".to_string(),
        };
        add_bos_usual = rule.add_bos;
    }
    let add_bos = gguf.bool("tokenizer.ggml.add_bos_token").unwrap_or(add_bos_usual) && bos.is_some();
    Ok(Tokenizer { vocabulary, special, family, bos, eos, ends: ends.ids, add_bos, about, warnings })
}

fn texts(gguf: &Gguf) -> Result<&Texts, ModelError> {
    const KEY: &str = "tokenizer.ggml.tokens";
    match gguf.texts(KEY) {
        Some(texts) if texts.is_empty() => Err(gguf.bad_key(KEY, "it is empty; convert the model again")),
        Some(texts) if texts.len() > MOST_TOKENS => {
            Err(gguf.bad_key(KEY, format!("{} tokens are more than any model has", texts.len())))
        }
        Some(texts) => Ok(texts),
        None => Err(gguf.missing(KEY)),
    }
}

/// The rank of each token of a SentencePiece vocabulary.
fn ranks(gguf: &Gguf, tokens: usize, warnings: &mut Vec<String>) -> Result<Vec<u32>, ModelError> {
    const KEY: &str = "tokenizer.ggml.scores";
    match gguf.get(KEY) {
        Some(Value::Floats(scores)) if scores.len() >= tokens => {
            Ok(scores[..tokens].iter().map(|score| rank_of_score(*score)).collect())
        }
        Some(Value::Integers(scores)) if scores.len() >= tokens => {
            Ok(scores[..tokens].iter().map(|score| rank_of_score(*score as f32)).collect())
        }
        Some(_) => Err(gguf.bad_key(KEY, "it does not list one score for each token; convert the model again")),
        None => {
            let problem = "it is missing, so all tokens count alike; words may be cut otherwise than in training";
            warnings.push(gguf.bad_key(KEY, problem).to_string());
            Ok(vec![rank_of_score(0.0); tokens])
        }
    }
}
