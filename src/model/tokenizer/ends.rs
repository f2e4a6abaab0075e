//! Which tokens end a turn. Files name some by a key; the others are known by their text, as in llama.cpp.
//!
//! A token that is found here steers the model whatever kind the file gives it.

use super::super::gguf::Gguf;
use super::vocabulary::{TokenKind, Vocabulary};

/// End a turn wherever they are in a vocabulary.
const END_TEXTS: &[&str] = &[
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "<｜end▁of▁sentence｜>",
    "[e~[",
];

/// A key that names a token, the texts that stand in where the key is missing, and whether the token ends a turn.
struct Named {
    keys: &'static [&'static str],
    texts: &'static [&'static str],
    ends: bool,
}

const NAMED: &[Named] = &[
    Named { keys: &["eos_token_id"], texts: &[], ends: true },
    Named { keys: &["eot_token_id"], texts: &[], ends: true },
    Named { keys: &["eom_token_id"], texts: &[], ends: true },
    // Tokens for filling gaps in code. A model that comes to one of these has left the text.
    Named {
        keys: &["fim_pad_token_id"],
        texts: &["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"],
        ends: true,
    },
    Named {
        keys: &["fim_rep_token_id"],
        texts: &["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"],
        ends: true,
    },
    Named { keys: &["fim_sep_token_id"], texts: &["<|file_sep|>"], ends: true },
    Named {
        keys: &["fim_pre_token_id", "prefix_token_id"],
        texts: &[
            "<|fim_prefix|>",
            "<fim-prefix>",
            "<fim_prefix>",
            "<｜fim▁begin｜>",
            "<PRE>",
            "▁<PRE>",
            "<|code_prefix|>",
            "<|prefix|>",
        ],
        ends: false,
    },
    Named {
        keys: &["fim_suf_token_id", "suffix_token_id"],
        texts: &[
            "<|fim_suffix|>",
            "<fim-suffix>",
            "<fim_suffix>",
            "<｜fim▁hole｜>",
            "<SUF>",
            "▁<SUF>",
            "<|code_suffix|>",
            "<|suffix|>",
        ],
        ends: false,
    },
    Named {
        keys: &["fim_mid_token_id", "middle_token_id"],
        texts: &[
            "<|fim_middle|>",
            "<fim-middle>",
            "<fim_middle>",
            "<｜fim▁end｜>",
            "<MID>",
            "▁<MID>",
            "<|code_middle|>",
            "<|middle|>",
        ],
        ends: false,
    },
];

/// Texts that a model may show although its file calls them control tokens: the channels of gpt-oss.
const SHOWN_TEXTS: &[&str] = &["<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"];

/// The tokens that end a turn, and those whose kind is another than the file says.
pub(super) struct Ends {
    pub ids: Vec<u32>,
    pub kinds: Vec<(u32, TokenKind)>,
}

/// Collects them. `eos` is the token that ends a text, by key or by the family's habit.
pub(super) fn collect(gguf: &Gguf, vocabulary: &Vocabulary, eos: Option<u32>) -> Ends {
    let (mut ids, mut kinds): (Vec<u32>, Vec<(u32, TokenKind)>) = (eos.into_iter().collect(), Vec::new());
    for named in NAMED {
        let mut key = named.keys.iter().filter_map(|key| gguf.integer(&format!("tokenizer.ggml.{key}")));
        match key.next() {
            Some(id) if id < vocabulary.len() as u64 => ids.extend(Some(id as u32).filter(|_| named.ends)),
            _ => {
                let found: Vec<u32> = named.texts.iter().filter_map(|text| vocabulary.find(text)).collect();
                kinds.extend(found.iter().map(|id| (*id, TokenKind::Control)));
                ids.extend(found.into_iter().filter(|_| named.ends));
            }
        }
    }
    for id in END_TEXTS.iter().filter_map(|text| vocabulary.find(text)) {
        ids.push(id);
        kinds.push((id, TokenKind::Control));
    }
    kinds.extend(SHOWN_TEXTS.iter().filter_map(|text| vocabulary.find(text)).map(|id| (id, TokenKind::UserDefined)));

    let mut except = |text: &str, kind: TokenKind| {
        if let Some(id) = vocabulary.find(text) {
            ids.retain(|end| *end != id);
            kinds.push((id, kind));
        }
    };
    let has = |text: &str| vocabulary.find(text).is_some();
    // In these vocabularies `<|end|>` only ends a part of a turn.
    let has_call = has("<|call|>") || has("<|calls|>");
    if has_call && (has("<|return|>") || has("<|flush|>")) {
        except("<|end|>", TokenKind::UserDefined);
    }
    // And here `</s>` is a word like any other.
    if has("<|tool_response>") || has("<|plamo:eos|>") {
        except("</s>", TokenKind::Normal);
    }
    ids.sort_unstable();
    ids.dedup();
    Ends { ids, kinds }
}
