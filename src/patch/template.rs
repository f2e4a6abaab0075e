//! Prompts with slots: `The fan turns at {fan}.` What stands in braces is filled in when the prompt begins.
//!
//! Pure: whoever begins the prompt knows the facts. A slot that has nothing to say says the patch's word for that.

#[cfg(test)]
mod tests;

use super::error::did_you_mean;
use crate::score::signal::SIGNALS;
use crate::score::{ParamId, ParamValues, SignalId, SignalValues};

/// The knobs that choose from the lists of `[words]`, in the order of the file.
pub const KNOBS: [ParamId; 4] = [ParamId::Word1, ParamId::Word2, ParamId::Word3, ParamId::Word4];

/// Short names for what a prompt is likely to tell of.
const SHORT: [(&str, SignalId); 14] = [
    ("fan", SignalId::Fan),
    ("cpu", SignalId::Cpu),
    ("memory", SignalId::Memory),
    ("own_memory", SignalId::OwnMemory),
    ("swap", SignalId::Swap),
    ("temperature", SignalId::Temperature),
    ("watts", SignalId::Power),
    ("joules", SignalId::Energy),
    ("rate", SignalId::Rate),
    ("latency", SignalId::Latency),
    ("surprise", SignalId::Surprise),
    ("entropy", SignalId::Entropy),
    ("waiting", SignalId::Waiting),
    ("context", SignalId::ContextFill),
];

/// Slots that tell of the words.
const TOLD: [(&str, Slot); 5] = [
    ("flaw", Slot::Flaw),
    ("flaw.text", Slot::FlawText),
    ("line", Slot::Line),
    ("fault", Slot::Fault),
    ("error", Slot::Error),
];

/// What the patch says for its slots.
#[derive(Clone, Debug, PartialEq)]
pub struct Slots {
    /// The lists of `[words]` in the order of the file; at most one for each knob.
    pub words: Vec<(String, Vec<String>)>,
    /// What a slot says that has nothing to say.
    pub missing: String,
}

impl Default for Slots {
    fn default() -> Slots {
        Slots { words: Vec::new(), missing: "…".to_string() }
    }
}

/// A prompt's text, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
    missing: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Slot(Slot),
}

#[derive(Clone, Debug, PartialEq)]
enum Slot {
    /// The last flaw in words, and the words that it was in.
    Flaw,
    FlawText,
    /// The last whole line that was written.
    Line,
    /// The last fault.
    Fault,
    /// The flaw's words or the fault, whichever was later.
    Error,
    Signal(SignalId),
    Word {
        knob: ParamId,
        words: Vec<String>,
    },
}

/// What is wrong with a template: the opening brace it is about, counted from 0, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub brace: usize,
    pub message: String,
}

/// What is known of the piece when a prompt begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    pub flaw: Option<String>,
    pub flaw_text: Option<String>,
    pub fault: Option<String>,
    /// The flaw's words or the fault, whichever was later.
    pub error: Option<String>,
    pub line: Option<String>,
}

impl Template {
    /// A text without slots, whatever stands in it.
    pub fn plain(text: &str) -> Template {
        let parts = if text.is_empty() { Vec::new() } else { vec![Part::Text(text.to_string())] };
        Template { source: text.to_string(), parts, missing: String::new() }
    }

    /// Reads a text with slots. `{{` is a brace, and so is `}` without an opening one.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(text: &str, slots: &Slots) -> Result<Template, Vec<Wrong>> {
        let (mut parts, mut wrong) = (Vec::new(), Vec::new());
        let (mut plain, mut rest, mut brace) = (String::new(), text, 0);
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let (found, after) = rest[at..].split_at(1);
            rest = after;
            if let Some(after) = rest.strip_prefix(found) {
                plain.push_str(found);
                rest = after;
                brace += if found == "{" { 2 } else { 0 };
                continue;
            }
            if found == "}" {
                plain.push('}');
                continue;
            }
            match rest.split_once('}').filter(|(name, _)| !name.contains(['{', '\n'])) {
                Some((name, after)) => {
                    match slot(name.trim(), slots) {
                        Ok(slot) => {
                            parts.extend((!plain.is_empty()).then(|| Part::Text(std::mem::take(&mut plain))));
                            parts.push(Part::Slot(slot));
                        }
                        Err(message) => wrong.push(Wrong { brace, message }),
                    }
                    rest = after;
                }
                None => {
                    let message = "\"{\" opens a slot that nothing closes; a brace itself is written {{".to_string();
                    wrong.push(Wrong { brace, message });
                }
            }
            brace += 1;
        }
        plain.push_str(rest);
        parts.extend((!plain.is_empty()).then_some(Part::Text(plain)));
        match wrong.is_empty() {
            true => Ok(Template { source: text.to_string(), parts, missing: slots.missing.clone() }),
            false => Err(wrong),
        }
    }

    /// The text as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The text with its slots filled.
    pub fn fill(&self, facts: &Facts, signals: &SignalValues, params: &ParamValues) -> String {
        let said = |slot: &Slot| match slot {
            Slot::Flaw => facts.flaw.clone(),
            Slot::FlawText => facts.flaw_text.clone(),
            Slot::Line => facts.line.clone(),
            Slot::Fault => facts.fault.clone(),
            Slot::Error => facts.error.clone(),
            Slot::Signal(id) => signals.get(*id).map(|value| plainly(*id, value)),
            Slot::Word { knob, words } => {
                let at = (params.get(*knob) * words.len() as f32) as usize;
                words.get(at.min(words.len().saturating_sub(1))).cloned()
            }
        };
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Slot(slot) => said(slot).unwrap_or_else(|| self.missing.clone()),
        });
        parts.collect()
    }
}

fn slot(name: &str, slots: &Slots) -> Result<Slot, String> {
    if let Some((_, slot)) = TOLD.iter().find(|(known, _)| *known == name) {
        return Ok(slot.clone());
    }
    let short = SHORT.iter().find(|(known, _)| *known == name).map(|(_, id)| *id);
    if let Some(id) = short.or(SignalId::from_name(name)) {
        return Ok(Slot::Signal(id));
    }
    let lists = slots.words.iter().map(|(list, _)| format!("word.{list}")).collect::<Vec<_>>();
    if let Some(at) = lists.iter().position(|list| list == name)
        && let Some(knob) = KNOBS.get(at)
    {
        return Ok(Slot::Word { knob: *knob, words: slots.words[at].1.clone() });
    }
    let known = TOLD.iter().map(|(known, _)| *known).chain(SHORT.iter().map(|(known, _)| *known));
    let near = did_you_mean(name, known.chain(lists.iter().map(String::as_str)).chain(SIGNALS.iter().map(|s| s.name)));
    let remedy = match near.is_empty() {
        true => "; a slot is flaw, flaw.text, line, fault, error, word.NAME or a signal; a brace itself is {{".into(),
        false => near,
    };
    Err(format!("there is no slot \"{name}\"{remedy}"))
}

/// A value as one would say it: a share in percent, all else in its unit, without either's sign.
fn plainly(id: SignalId, value: f32) -> String {
    let spec = id.spec();
    let value = if spec.unit.is_empty() && spec.max == 1.0 { value * 100.0 } else { value };
    let digits = usize::from(value.abs() < 9.95 && (value * 10.0).round() % 10.0 != 0.0);
    format!("{value:.digits$}")
}
