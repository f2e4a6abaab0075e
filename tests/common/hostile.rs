//! What the program does with a model file from anywhere: looks at it, takes its tokenizer, loads it and reads a few
//! tokens, alone and in a conversation. Shared by the test with spoilt files and by the fuzz target.

use xiao::model::{Info, Model, ModelError, Role, Source, Tokenizer, Turn};

/// A text with a control token's name, a character of several bytes and one that is none.
const TEXT: &str = "The moon <|im_start|>and  I,\n春眠\u{0}\u{301}";

/// Takes the bytes as a file.
///
/// # Errors
/// What the program says of it, when it says it as it should.
///
/// # Panics
/// An error is not in one line or does not say where the fault is; or the program itself panicked.
pub fn play(bytes: &[u8]) -> Result<(), String> {
    let source = source(bytes);
    match Model::load(&source) {
        Ok(mut model) => {
            look(model.info());
            read(model.tokenizer());
            if let Some(chat) = model.chat() {
                let turns = [Turn { role: Role::User, text: TEXT.to_string() }];
                // A template that cannot write this down says so; no file need be able to.
                let _ = chat.tokens(model.tokenizer(), Some("Be brief."), &turns);
            }
            let last = model.info().vocabulary as u32 - 1;
            let ids = [0, last / 2, last];
            model.peek(&ids[..model.context().min(3)]).map(|_| ()).map_err(said)
        }
        Err(error) => {
            // What cannot be played may still be looked at.
            let _ = Info::read(&source).map(|info| look(&info)).map_err(said);
            let _ = Tokenizer::read(&source).map(|tokenizer| read(&tokenizer)).map_err(said);
            Err(said(error))
        }
    }
}

/// In memory; but one of candle's modules opens its file itself.
fn source(bytes: &[u8]) -> Source {
    if !bytes.windows(7).take(256).any(|window| window == b"smollm3") {
        return Source::Memory(bytes.into());
    }
    let path = std::env::temp_dir().join(format!("xiao-hostile-{}.gguf", std::process::id()));
    // A new file each time: the last one may still be mapped.
    let _ = std::fs::remove_file(&path);
    std::fs::write(&path, bytes).expect("the folder for temporary files can be written to");
    Source::File(path)
}

fn look(info: &Info) {
    assert!(!info.to_string().is_empty());
}

fn read(tokenizer: &Tokenizer) {
    for id in tokenizer.encode_special(TEXT).into_iter().chain(0..8).chain([u32::MAX]) {
        tokenizer.piece(id);
        tokenizer.bytes(id);
    }
}

fn said(error: ModelError) -> String {
    let text = error.to_string();
    assert!(!text.contains(char::is_control), "more than a line: {text:?}");
    assert!(text.len() < 5000, "more than a line: {text}");
    let names = |words: &[&str]| words.iter().any(|word| text.contains(word));
    // At the file's beginning there is neither key nor tensor yet.
    let what = names(&["key ", "tensor ", "tensors ", ": byte ", "the number of", "the version"]);
    assert!(what && names(&["byte "]), "it does not say where: {text}");
    text
}
