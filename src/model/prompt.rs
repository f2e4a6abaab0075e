//! The form in which a prompt goes into the model.

use super::Tokenizer;
use super::flaws::is_han;

/// A prompt's tokens: what the file asks for first, then the text. Never empty, since a model needs something to go on.
pub(super) fn tokens(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut ids = opening(tokenizer, text);
    ids.extend(tokenizer.encode(text));
    if ids.is_empty() {
        ids.push(beginning(tokenizer));
    }
    ids
}

/// The tokens that stand before a piece: those of [`tokens`], and where there are none the token that is all a model has
/// to go on before the first word. Never empty.
pub(super) fn head(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut ids = opening(tokenizer, text);
    if ids.is_empty() {
        ids.push(beginning(tokenizer));
    }
    ids
}

/// A text with a Han character is Chinese (`zh`), any other English (`en`).
pub(super) fn script(text: &str) -> &'static str {
    if text.chars().any(is_han) { "zh" } else { "en" }
}

/// The control tokens of models of the xiao family, `<|zh|>` and `<|en|>`, one of which begins every piece.
pub(super) fn tags(tokenizer: &Tokenizer) -> Option<[u32; 2]> {
    Some([tokenizer.control("<|zh|>")?, tokenizer.control("<|en|>")?])
}

/// BOS where the file asks for it, then the tag of the text's script where the model knows tags.
fn opening(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut ids = tokenizer.encode_with_bos("");
    ids.extend(tags(tokenizer).map(|[zh, en]| if script(text) == "zh" { zh } else { en }));
    ids
}

fn beginning(tokenizer: &Tokenizer) -> u32 {
    tokenizer.bos().or(tokenizer.eos()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::gguf::Gguf;
    use super::super::{Source, Tokenizer};
    use super::*;

    #[test]
    fn the_script_chooses_the_control_token() {
        let tokenizer = Tokenizer::new(&Gguf::read(&Source::Embedded).unwrap()).unwrap();
        assert_eq!(tokens(&tokenizer, "春")[0], 1);
        assert_eq!(tokens(&tokenizer, "The moon")[0], 2);
        assert_eq!(tokens(&tokenizer, ""), [2]);
        assert_eq!((head(&tokenizer, "春"), head(&tokenizer, "The moon")), (vec![1], vec![2]));
        assert_eq!(tokens(&tokenizer, "<|zh|>")[0], 2, "a control token's text is text");
    }
}
