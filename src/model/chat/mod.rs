//! Conversations: how a model's turns are written down so that it knows whose they are.
//!
//! A file brings its own template, a small program in Jinja; where it has none or a broken one, a known template is
//! chosen by the tokens of the vocabulary. What a performer types stays text, whatever it reads like: control tokens
//! come from the template's own words alone. Pure and immutable once built; nothing here runs a model.

mod guard;
mod known;
mod template;
mod turns;

use super::gguf::{Gguf, Value};
use super::tokenizer::Tokenizer;
use super::{ModelError, Source, tokenizer::Forbidden};
use guard::{Guard, Span};
use template::Template;
use turns::Shape;

const KEY: &str = "tokenizer.chat_template";

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The performer.
    User,
    /// The model.
    Assistant,
}

/// What one side says at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub role: Role,
    pub text: String,
}

/// The tokens of a conversation, ready for the model to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    pub ids: Vec<u32>,
    /// The tokens at the beginning that a context shift must keep: BOS and what the system says. At least the BOS.
    pub head: usize,
    /// Where each turn begins, in ascending order and never before the head. To forget the oldest turns, cut from the
    /// head to one of these.
    pub turns: Vec<usize>,
}

/// How a model writes conversations.
pub struct Chat {
    template: Template,
    shape: Shape,
    /// Error messages begin with this: the file, and the key if the template is the file's.
    place: String,
    about: String,
    warnings: Vec<String>,
}

impl Chat {
    /// The way of a file's model; none for a base model, which goes on with plain text.
    ///
    /// # Errors
    /// The file's own template does not work, and no known one fits the vocabulary.
    pub(super) fn of(gguf: &Gguf, tokenizer: &Tokenizer) -> Result<Option<Chat>, ModelError> {
        let own = match gguf.get(KEY) {
            Some(Value::Text(source)) if !source.trim().is_empty() => Some(source),
            _ => None,
        };
        let Some(source) = own else {
            let known = known::is_chat(gguf, tokenizer).then(|| known::by_vocabulary(gguf, tokenizer)).flatten();
            let Some(known) = known else { return Ok(None) };
            let about = format!("{} (known template; the file has none)", known.name);
            return Chat::new(&known.template(), tokenizer, gguf.file.clone(), about)
                .map(Some)
                .map_err(ModelError::Input);
        };
        let place = format!("{}: key {KEY}", gguf.file);
        let problem = match Chat::new(source, tokenizer, place.clone(), "the file's own template".to_string()) {
            Ok(chat) => return Ok(Some(chat)),
            Err(problem) => problem,
        };
        let known = known::by_vocabulary(gguf, tokenizer).or_else(|| known::by_source(source));
        let Some(known) = known else { return Err(ModelError::Input(format!("{problem}; play it with --raw"))) };
        let about = format!("{} (known template; the file's own does not work)", known.name);
        let mut chat = Chat::new(&known.template(), tokenizer, gguf.file.clone(), about).map_err(ModelError::Input)?;
        chat.warnings.push(format!("{problem}; the known template {} is used instead", known.name));
        Ok(Some(chat))
    }

    /// The way of a file's model, without its weights.
    ///
    /// # Errors
    /// The file cannot be read or does not hold together; or as for a template that does not work and has no stand-in.
    pub fn read(source: &Source, tokenizer: &Tokenizer) -> Result<Option<Chat>, ModelError> {
        Chat::of(&Gguf::read(source)?, tokenizer)
    }

    /// Tries a template on small conversations. The error is one line.
    fn new(source: &str, tokenizer: &Tokenizer, place: String, about: String) -> Result<Chat, String> {
        let name = |id: Option<u32>| id.map_or("", |id| tokenizer.name(id)).to_string();
        let template = Template::new(source, name(tokenizer.bos()), name(tokenizer.eos()));
        let template = template.map_err(|problem| format!("{place}: {problem}"))?;
        let shape = Shape::learn(&template, tokenizer).map_err(|problem| format!("{place}: {problem}"))?;
        Ok(Chat { template, shape, place, about, warnings: Vec::new() })
    }

    /// Whether a model that can is to think aloud before it answers, as it does unless told otherwise. Only some
    /// templates ask.
    pub fn set_thinking(&mut self, thinking: bool) {
        self.template.thinking = thinking;
    }

    /// Whose template it is, for people.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// What is wrong with the file's own template, each in one line.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The tokens of a whole conversation. After a turn of the performer the model's turn is opened; a last turn of the
    /// model's own is left open, to be gone on with.
    ///
    /// # Errors
    /// There are no turns, or the template cannot write them down.
    pub fn tokens(
        &self,
        tokenizer: &Tokenizer,
        system: Option<&str>,
        turns: &[Turn],
    ) -> Result<Conversation, ModelError> {
        let written = self.write(tokenizer, system, turns).map_err(ModelError::Input)?;
        let forbidden = Forbidden { texts: &written.forbidden, cuts: &written.cuts };
        let (mut ids, mut starts) = tokenizer.encode_guarded(&written.text, forbidden);
        if let Some(bos) = tokenizer.bos().filter(|bos| tokenizer.add_bos() && ids.first() != Some(bos)) {
            ids.insert(0, bos);
            starts.insert(0, 0);
        }
        let bos = usize::from(tokenizer.bos().is_some() && ids.first().copied() == tokenizer.bos());
        let token = |byte: usize| starts.partition_point(|start| *start < byte);
        let head = token(written.head).max(bos).min(ids.len());
        let turns = written.turns.iter().map(|byte| token(*byte).clamp(head, ids.len())).collect();
        Ok(Conversation { ids, head, turns })
    }

    /// Renders, with the places that matter.
    fn write(&self, tokenizer: &Tokenizer, system: Option<&str>, turns: &[Turn]) -> Result<Written, String> {
        let Some(last) = turns.last() else {
            return Err("there are no turns to write down; give a prompt".to_string());
        };
        let guard = Guard::new(tokenizer, &self.shape.markers);
        let open = last.role == Role::Assistant;
        let system = system.filter(|text| !text.trim().is_empty());
        let contents = guard.contents(system, turns);
        let render = |strict| self.template.render(&self.shape.messages(&contents, turns, strict), !open);
        // Templates refuse what they were not written for: two turns of one side, a model that begins.
        let marked = render(false).or_else(|problem| render(true).map_err(|_| problem));
        let mut rendered = guard::read(&marked.map_err(|problem| format!("{}: {problem}", self.place))?, turns.len());
        // An open turn has no foot yet.
        if open && let Some(Span { end: Some(end), .. }) = rendered.turns.last() {
            rendered.text.truncate(*end);
        }
        let places = self.shape.places(&rendered, turns);
        let whole = |span: &Span| Some(span.start?..span.end?);
        let mut forbidden: Vec<_> = rendered.turns.iter().chain(Some(&rendered.system)).filter_map(whole).collect();
        forbidden.retain(|text| text.end <= rendered.text.len() && !text.is_empty());
        Ok(Written { text: rendered.text, forbidden, cuts: rendered.cuts, head: places.0, turns: places.1 })
    }
}

/// A conversation as text; all places count its bytes.
struct Written {
    text: String,
    /// What the sides said.
    forbidden: Vec<std::ops::Range<usize>>,
    /// Places inside of what reads like a special token and is none.
    cuts: Vec<usize>,
    head: usize,
    turns: Vec<usize>,
}

#[cfg(test)]
mod published;
#[cfg(test)]
mod tests;
