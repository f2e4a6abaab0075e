//! The form in which a prompt goes into the model.

use super::Tokenizer;
use super::flaws::is_han;

/// A prompt's tokens: what the file asks for first, then the text. Never empty, since a model needs something to go on.
///
/// Models of the xiao family know two control tokens, `<|zh|>` and `<|en|>`, one of which begins every piece: a text
/// with a Han character is taken for Chinese, any other for English.
pub(super) fn tokens(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut ids = tokenizer.encode_with_bos(text);
    if let (Some(zh), Some(en)) = (tokenizer.control("<|zh|>"), tokenizer.control("<|en|>")) {
        let script = if text.chars().any(is_han) { zh } else { en };
        ids.insert(usize::from(tokenizer.bos().is_some() && tokenizer.add_bos()), script);
    }
    if ids.is_empty() {
        ids.push(tokenizer.bos().or(tokenizer.eos()).unwrap_or(0));
    }
    ids
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
        assert_eq!(tokens(&tokenizer, "<|zh|>")[0], 2, "a control token's text is text");
    }
}
