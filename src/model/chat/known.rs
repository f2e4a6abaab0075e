//! Ways of writing conversations that are known, for files that bring no template or a broken one.
//!
//! A family is told by the control tokens of its vocabulary; where it has none of its own (Llama 2 and what grew out of
//! it), by the model's name.

use super::super::gguf::Gguf;
use super::super::tokenizer::Tokenizer;

/// What stands before and behind a content.
type Around = (&'static str, &'static str);

/// A way of writing conversations.
pub(super) struct Known {
    pub name: &'static str,
    /// Control tokens that the vocabulary has, every one of them.
    tokens: &'static [&'static str],
    /// Words of the model's name, one of which it has. Empty where the tokens tell enough.
    names: &'static [&'static str],
    /// Texts that a template of this kind writes.
    writes: &'static [&'static str],
    /// Before the first message.
    before: &'static str,
    system: System,
    user: Around,
    assistant: Around,
    /// Blanks at the ends of a content are left out.
    trims: bool,
}

enum System {
    Own(Around),
    /// Inside of the first turn, before what the performer says.
    InTurn(Around),
}
use System::{InTurn, Own};

const CHATML: &[&str] = &["<|im_start|>", "<|im_end|>"];
const MISTRAL: &[&str] = &["mistral", "mixtral", "ministral", "zephyr-mistral"];

#[rustfmt::skip]
const KNOWN: &[Known] = &[
    Known { name: "llama3", tokens: &["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"], names: &[],
            writes: &["<|start_header_id|>", "<|eot_id|>"], before: "",
            system: Own(("<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>")),
            user: ("<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"),
            assistant: ("<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"), trims: true },
    Known { name: "gemma", tokens: &["<start_of_turn>", "<end_of_turn>"], names: &[], writes: &["<start_of_turn>"], before: "",
            system: InTurn(("", "\n\n")), user: ("<start_of_turn>user\n", "<end_of_turn>\n"),
            assistant: ("<start_of_turn>model\n", "<end_of_turn>\n"), trims: true },
    Known { name: "phi4", tokens: &["<|im_start|>", "<|im_sep|>", "<|im_end|>"], names: &[], writes: &["<|im_sep|>"], before: "",
            system: Own(("<|im_start|>system<|im_sep|>", "<|im_end|>")), user: ("<|im_start|>user<|im_sep|>", "<|im_end|>"),
            assistant: ("<|im_start|>assistant<|im_sep|>", "<|im_end|>"), trims: false },
    Known { name: "chatml", tokens: CHATML, names: &[], writes: &["<|im_start|>"], before: "",
            system: Own(("<|im_start|>system\n", "<|im_end|>\n")), user: ("<|im_start|>user\n", "<|im_end|>\n"),
            assistant: ("<|im_start|>assistant\n", "<|im_end|>\n"), trims: false },
    Known { name: "glm4", tokens: &["[gMASK]", "<sop>", "<|user|>", "<|assistant|>"], names: &[], writes: &["[gMASK]"],
            before: "[gMASK]<sop>", system: Own(("<|system|>\n", "")), user: ("<|user|>\n", ""),
            assistant: ("<|assistant|>\n", ""), trims: false },
    Known { name: "phi3", tokens: &["<|user|>", "<|assistant|>", "<|end|>"], names: &[], writes: &["<|user|>", "<|end|>"],
            before: "", system: Own(("<|system|>\n", "<|end|>\n")), user: ("<|user|>\n", "<|end|>\n"),
            assistant: ("<|assistant|>\n", "<|end|>\n"), trims: false },
    Known { name: "command-r", tokens: &["<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>"], names: &[],
            writes: &["<|START_OF_TURN_TOKEN|>"], before: "",
            system: Own(("<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>", "<|END_OF_TURN_TOKEN|>")),
            user: ("<|START_OF_TURN_TOKEN|><|USER_TOKEN|>", "<|END_OF_TURN_TOKEN|>"),
            assistant: ("<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>", "<|END_OF_TURN_TOKEN|>"), trims: true },
    Known { name: "granite", tokens: &["<|start_of_role|>", "<|end_of_role|>"], names: &[], writes: &["<|start_of_role|>"],
            before: "", system: Own(("<|start_of_role|>system<|end_of_role|>", "<|end_of_text|>\n")),
            user: ("<|start_of_role|>user<|end_of_role|>", "<|end_of_text|>\n"),
            assistant: ("<|start_of_role|>assistant<|end_of_role|>", "<|end_of_text|>\n"), trims: false },
    Known { name: "deepseek3", tokens: &["<｜User｜>", "<｜Assistant｜>"], names: &[], writes: &["<｜User｜>"], before: "",
            system: InTurn(("", "\n\n")), user: ("<｜User｜>", ""),
            assistant: ("<｜Assistant｜>", "<｜end▁of▁sentence｜>"), trims: false },
    Known { name: "mistral-v7", tokens: &["[INST]", "[/INST]", "[SYSTEM_PROMPT]"], names: &[], writes: &["[SYSTEM_PROMPT]"],
            before: "", system: Own(("[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]")), user: ("[INST]", "[/INST]"),
            assistant: ("", "</s>"), trims: false },
    Known { name: "mistral-v3-tekken", tokens: &["[INST]", "[/INST]"], names: &["nemo", "tekken", "pixtral", "ministral"],
            writes: &["\"[INST]\" +"], before: "", system: InTurn(("", "\n\n")), user: ("[INST]", "[/INST]"),
            assistant: ("", "</s>"), trims: false },
    Known { name: "mistral-v3", tokens: &["[INST]", "[/INST]"], names: &[], writes: &["[AVAILABLE_TOOLS]"], before: "",
            system: InTurn(("", "\n\n")), user: ("[INST] ", "[/INST]"), assistant: (" ", "</s>"), trims: false },
    Known { name: "zephyr", tokens: &["</s>"], names: &["zephyr", "tinyllama"], writes: &["<|user|>"], before: "",
            system: Own(("<|system|>\n", "</s>\n")), user: ("<|user|>\n", "</s>\n"),
            assistant: ("<|assistant|>\n", "</s>\n"), trims: false },
    Known { name: "llama2", tokens: &["<s>", "</s>"], names: &["llama-2", "llama 2", "llama2", "llama_2"],
            writes: &["[INST]", "<<SYS>>"], before: "", system: InTurn(("<<SYS>>\n", "\n<</SYS>>\n\n")),
            user: ("<s>[INST] ", " [/INST]"), assistant: (" ", " </s>"), trims: true },
    Known { name: "mistral-v1", tokens: &["<s>", "</s>"], names: MISTRAL, writes: &["[INST]"], before: "<s>",
            system: InTurn(("", "\n\n")), user: (" [INST] ", " [/INST]"), assistant: (" ", "</s>"), trims: false },
];

/// Tokens that end a turn and nothing else: where one of them is a model's own end, it talks.
const TURN_ENDS: &[&str] = &["<|eot_id|>", "<|im_end|>", "<end_of_turn>", "<|end|>", "<|END_OF_TURN_TOKEN|>"];

/// Words in the names of models that talk.
const TALKERS: &[&str] = &["instruct", "chat", "-it", "assistant", "dpo", "sft", "rlhf"];

/// What the file calls its model, in lower case.
fn names(gguf: &Gguf) -> Vec<String> {
    let keys = ["general.name", "general.basename", "general.finetune"];
    let file = std::path::Path::new(&gguf.file).file_stem().map(|name| name.to_string_lossy().to_lowercase());
    keys.iter().filter_map(|key| gguf.text(key)).map(str::to_lowercase).chain(file).collect()
}

/// Whether a model without a template is one that talks: by its name, or since its text ends with a turn.
pub(super) fn is_chat(gguf: &Gguf, tokenizer: &Tokenizer) -> bool {
    let named = names(gguf).iter().any(|name| {
        let has = |word: &&str| match name.find(*word) {
            // "-it" is the end of a name or of a part of it: gemma-2b-it, gemma-3-1b-it-q4_0.
            Some(at) if *word == "-it" => !name[at + 3..].starts_with(char::is_alphanumeric),
            Some(_) => true,
            None => name == "it",
        };
        TALKERS.iter().any(has)
    });
    named || tokenizer.eos().is_some_and(|eos| TURN_ENDS.contains(&tokenizer.name(eos)))
}

/// The way whose tokens the vocabulary has.
pub(super) fn by_vocabulary(gguf: &Gguf, tokenizer: &Tokenizer) -> Option<&'static Known> {
    let names = names(gguf);
    KNOWN.iter().find(|known| {
        let named =
            known.names.is_empty() || known.names.iter().any(|word| names.iter().any(|name| name.contains(word)));
        named && known.tokens.iter().all(|token| tokenizer.find(token).is_some())
    })
}

/// The way that a template which does not work was meant to write.
pub(super) fn by_source(source: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.writes.iter().all(|text| source.contains(text)))
}

impl Known {
    #[cfg(test)]
    pub fn tokens(&self) -> &'static [&'static str] {
        self.tokens
    }

    /// The way as a template.
    pub fn template(&self) -> String {
        let quoted = |text: &str| format!("{text:?}");
        let content = if self.trims { "m.content | trim" } else { "m.content" };
        let around = |around: Around, content: &str| {
            format!("{{{{ {} + ({content}) + {} }}}}", quoted(around.0), quoted(around.1))
        };
        let system = match self.system {
            Own(own) => around(own, content),
            InTurn(_) => "{% set ns.system = m.content %}".to_string(),
        };
        let mut user = around(self.user, content);
        if let InTurn((before, behind)) = self.system {
            let inside = format!("ns.system + {} + ({content})", quoted(behind));
            let with =
                format!("{{{{ {} + {} + {inside} + {} }}}}", quoted(self.user.0), quoted(before), quoted(self.user.1));
            user = format!(
                "{{% if ns.system is defined %}}{with}{{% set ns.system = undefined %}}{{% else %}}{user}{{% endif %}}"
            );
        }
        format!(
            "{{% set ns = namespace() %}}{{{{ {before} }}}}{{% for m in messages %}}\
             {{% if m.role == 'system' %}}{system}{{% elif m.role == 'user' %}}{user}{{% else %}}{assistant}{{% endif %}}\
             {{% endfor %}}{{% if add_generation_prompt %}}{{{{ {open} }}}}{{% endif %}}",
            before = quoted(self.before),
            assistant = around(self.assistant, content),
            // A space that opens the model's turn would be doubled by the one of its first word.
            open = quoted(self.assistant.0.trim_end_matches(' ')),
        )
    }
}

#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = &'static Known> {
    KNOWN.iter()
}
