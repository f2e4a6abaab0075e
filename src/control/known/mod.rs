//! The controllers that xiao knows: what each of their controls plays where the patch says nothing of it.
//!
//! Their maps are files of `assets/controllers`, compiled in: rows of like controls, each with its place on the device, so
//! that the same file is played and drawn. Pure.

mod draw;
#[cfg(test)]
mod tests;

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value};

use super::mapping::matches;
use crate::patch::{self, Binding, Controller, Kind, Patch, Prompt, Target};
use crate::score::Action;

pub use draw::draw;

/// Every map by its name; the last is for whatever no other knows.
const MAPS: [(&str, &str); 7] = [
    ("midimix", include_str!("../../../assets/controllers/midimix.toml")),
    ("launch-control-xl", include_str!("../../../assets/controllers/launch-control-xl.toml")),
    ("nanokontrol2", include_str!("../../../assets/controllers/nanokontrol2.toml")),
    ("x-touch-mini", include_str!("../../../assets/controllers/x-touch-mini.toml")),
    ("beatstep", include_str!("../../../assets/controllers/beatstep.toml")),
    ("gamepad", include_str!("../../../assets/controllers/gamepad.toml")),
    ("generic", include_str!("../../../assets/controllers/generic.toml")),
];

/// A controller as its map has it.
#[derive(Clone, Debug)]
pub struct Known {
    /// By what `xiao controllers` calls it.
    pub name: &'static str,
    pub title: String,
    /// What its port, or the gamepad itself, is called, with `*`.
    pub ports: String,
    rows: Vec<Row>,
    /// What it plays.
    pub controller: Controller,
}

impl Known {
    /// Each control in the words of a patch, with what it plays.
    pub fn controls(&self) -> impl Iterator<Item = (String, String)> {
        self.controller.bindings.iter().map(|binding| (word(binding), binding.target.to_string()))
    }

    /// What a patch makes of this controller: its tables that are for such a port, those that say most first, and behind
    /// them what is known.
    pub fn played_by(&self, patch: &Patch) -> Vec<Controller> {
        let own = |c: &Controller| c.known && c.pattern == self.ports;
        let kind = self.controller.kind;
        // A port that would be called so: `*` may stand for nothing.
        let port = self.ports.replace('*', "");
        let for_it = |c: &Controller| {
            c.kind == kind
                && (own(c) || (!c.known && (self.ports == "*" && kind == Kind::Gamepad || matches(&c.pattern, &port))))
        };
        let mut controllers: Vec<Controller> = behind(patch).into_iter().filter(for_it).collect();
        controllers.sort_by_key(Controller::order);
        controllers
    }
}

/// A control as a map or a patch writes it.
fn word(binding: &Binding) -> String {
    match binding.channel {
        Some(channel) => format!("ch{}-{}", channel + 1, binding.source),
        None => binding.source.to_string(),
    }
}

/// Like controls, beside each other.
#[derive(Clone, Debug)]
struct Row {
    label: String,
    shape: Shape,
    /// The place of the first, in columns and rows.
    at: [f64; 2],
    /// Each control's word.
    controls: Vec<String>,
}

/// What a control looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Knob,
    Fader,
    Button,
    Pad,
}

/// Every controller that is known, the one for all others last.
pub fn all() -> Vec<Known> {
    MAPS.iter().map(|(name, text)| read(name, text).unwrap_or_else(|why| panic!("{name}: {why}"))).collect()
}

/// A controller by the name of its map.
pub fn named(name: &str) -> Option<Known> {
    all().into_iter().find(|known| known.name == name)
}

/// The map for a MIDI port of this name: that of the device, else the one for any.
pub fn for_port(port: &str) -> Option<Known> {
    all().into_iter().find(|known| known.controller.kind == Kind::Midi && matches(&known.ports, port))
}

/// All that a patch plays: its own tables, and behind them what is known, which calls the bank's prompts by their places.
pub fn behind(patch: &Patch) -> Vec<Controller> {
    let mut controllers = patch.controllers.clone();
    if patch.known_controllers {
        controllers.extend(all().into_iter().map(|known| resolved(known.controller, &patch.prompts)));
    }
    controllers
}

/// With the names of a bank's prompts in place of their places, so that lamps show which one plays; what the bank does not
/// have plays nothing.
fn resolved(mut controller: Controller, prompts: &[Prompt]) -> Controller {
    controller.bindings.retain_mut(|binding| {
        let at = match binding.target {
            Target::Trigger(Action::PromptNth(at) | Action::BlendNth(Some(at))) => at,
            _ => return true,
        };
        let Some(prompt) = prompts.get(at) else { return false };
        let name = prompt.name.clone();
        binding.target = match binding.target {
            Target::Trigger(Action::BlendNth(_)) => Target::Trigger(Action::BlendWith(name)),
            _ => Target::Prompt(name),
        };
        true
    });
    controller
}

fn read(name: &'static str, text: &str) -> Result<Known, String> {
    let map: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| e.to_string())?;
    let root = map.as_table();
    let word = |table: &dyn TableLike, key: &str| {
        let text = table.get(key).and_then(Item::as_str).map(str::to_string);
        text.ok_or_else(|| format!("{key:?} is missing"))
    };
    let (title, ports) = (word(root, "title")?, word(root, "ports")?);
    let mut bindings = Table::new();
    for key in ["feedback", "heartbeat_s", "lamp"] {
        if let Some(item) = root.get(key) {
            bindings.insert(key, item.clone());
        }
    }
    let mut rows = Vec::new();
    for row in root.get("row").and_then(Item::as_array_of_tables).ok_or("there is no [[row]]")? {
        rows.push(read_row(row, &mut bindings)?);
    }
    // A patch of these bindings alone, so that they are read and checked as a performer's are.
    let kind = root.get("kind").and_then(Item::as_str).unwrap_or("midi");
    let text = format!("[prompts]\none = \"one\"\n[{kind}.{}]\n{bindings}", Value::from(ports.as_str()));
    let patch = patch::parse(name, &text).map_err(|e| e.to_string())?;
    let controller = patch.controllers.into_iter().next().ok_or("it plays nothing")?;
    Ok(Known { name, title, ports, rows, controller: Controller { known: true, ..controller } })
}

/// Reads a row, and adds what its controls play to `bindings`.
fn read_row(row: &Table, bindings: &mut Table) -> Result<Row, String> {
    let list = |key: &str| row.get(key).and_then(Item::as_array).ok_or_else(|| format!("a row lacks {key:?}"));
    let shape = match row.get("shape").and_then(Item::as_str) {
        Some("knob") => Shape::Knob,
        Some("fader") => Shape::Fader,
        Some("button") => Shape::Button,
        Some("pad") => Shape::Pad,
        other => return Err(format!("a row has the shape {other:?}")),
    };
    let number = |at: &Array, i: usize| at.get(i).and_then(|v| v.as_float().or(v.as_integer().map(|n| n as f64)));
    let at = list("at")?;
    let at = [0, 1].map(|i| number(at, i));
    let [Some(x), Some(y)] = at else { return Err("a row's place is two numbers".into()) };
    let controls: Option<Vec<String>> = list("controls")?.iter().map(|c| c.as_str().map(str::to_string)).collect();
    let controls = controls.ok_or("a control is a word")?;
    let plays = list("plays")?;
    if plays.len() != controls.len() {
        return Err(format!("{} controls play {} things", controls.len(), plays.len()));
    }
    let with = row.get("with").and_then(Item::as_inline_table);
    for (control, plays) in controls.iter().zip(plays.iter()) {
        let mut value = match (plays, with) {
            (Value::String(to), Some(with)) => {
                let mut binding = with.clone();
                binding.insert("to", Value::String(to.clone()));
                Value::InlineTable(binding)
            }
            (plays, _) => plays.clone(),
        };
        value.decor_mut().clear();
        if bindings.insert(control, Item::Value(value)).is_some() {
            return Err(format!("{control} plays two things"));
        }
    }
    let label = row.get("label").and_then(Item::as_str).unwrap_or_default().to_string();
    Ok(Row { label, shape, at: [x, y], controls })
}
