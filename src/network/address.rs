//! Every address of the instrument, made from the tables of parameters, signals and moments and from the patch's own
//! names.
//!
//! `sampler.temperature` is `/xiao/param/sampler/temperature`. Pure.

use std::collections::HashMap;

use crate::patch::{self, Patch};
use crate::score::param::{Curve, PARAMS};
use crate::score::signal::SIGNALS;
use crate::score::{Action, ParamId, SettingsAsk, SignalId};

/// Where every address of ours begins.
pub const ROOT: &str = "/xiao";

/// What the patch calls its prompts and scenes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub prompts: Vec<String>,
    pub scenes: Vec<String>,
    pub settings: Vec<String>,
}

impl Names {
    pub fn of(patch: &Patch) -> Names {
        Names {
            prompts: patch.prompts.iter().map(|prompt| prompt.name.clone()).collect(),
            scenes: patch.plan.scenes.iter().map(|scene| scene.name.clone()).collect(),
            settings: patch.settings.named.iter().map(|setting| setting.name.clone()).collect(),
        }
    }
}

/// What stands at an address.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// A parameter in its own unit.
    Param(ParamId),
    /// The same parameter as a part, 0 to 1, of its travel.
    Travel(ParamId),
    Signal(SignalId),
    /// Something that is set going: a button.
    Moment(Action),
    /// The prompt or the scene that is played; another may be chosen by its name.
    Prompt,
    Scene,
    /// Answers with everything.
    Dump,
    /// Something that happens, told and never asked for; with the types of what is told.
    Told(&'static str),
}

/// An address with what stands there.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub address: String,
    pub place: Place,
    /// One line for people.
    pub help: String,
}

/// Every address.
#[derive(Clone, Debug, Default)]
pub struct Space {
    nodes: Vec<Node>,
    at: HashMap<String, usize>,
    pub names: Names,
}

/// What only goes out: address, types, help.
const TOLD: [(&str, &str, &str); 7] = [
    ("/xiao/settings", "sf", "Settings are recalled: their name, the seconds in which they are reached"),
    ("/xiao/token", "sfff", "A token was drawn: its text, its probability, its surprise in bits, its latency in ms"),
    ("/xiao/flaw", "ss", "The model erred: the kind of flaw, what showed it"),
    ("/xiao/fault", "sss", "Something failed and the show went on: where, what, what to do"),
    ("/xiao/queued", "ss", "A prompt waits: its name or its text, and what for; both are empty once none does"),
    ("/xiao/piece_end", "i", "The model ended its piece: of how many tokens it is"),
    ("/xiao/tempo", "ffs", "The beats go on from here: beats a minute, the beat it is, and whose clock is followed"),
];

/// The address of a dotted name among its kind.
pub fn of(kind: &str, name: &str) -> String {
    format!("{ROOT}/{kind}/{}", name.replace('.', "/"))
}

impl Space {
    pub fn new(names: Names) -> Space {
        let mut space = Space::default();
        for spec in &PARAMS {
            space.put(of("param", spec.name), Place::Param(spec.id), spec.help);
            space.put(of("travel", spec.name), Place::Travel(spec.id), format!("0 to 1 of its travel: {}", spec.help));
        }
        for spec in &SIGNALS {
            space.put(of("signal", spec.name), Place::Signal(spec.id), spec.help);
        }
        for (word, action) in moments() {
            // Those of prompts and scenes stand among the prompts and scenes, too.
            if let Some((kind @ ("prompt" | "scene"), step)) = word.split_once('.') {
                space.put(of(kind, step), Place::Moment(action.clone()), format!("Plays {kind}.{step}"));
            }
            space.put(of("do", &word), Place::Moment(action), format!("Does {word}"));
        }
        for name in &names.prompts {
            space.put(
                of("prompt", name),
                Place::Moment(Action::Prompt(name.clone())),
                format!("Plays the prompt {name}"),
            );
            let layer = Place::Moment(Action::Layer(name.clone()));
            space.put(of("layer", name), layer, format!("Puts the words of the prompt {name} into the piece"));
        }
        for name in &names.scenes {
            space.put(
                of("scene", name),
                Place::Moment(Action::Scene(name.clone())),
                format!("Begins the scene {name}"),
            );
        }
        for name in &names.settings {
            let action = Action::Settings(SettingsAsk::Recall(name.clone()));
            space.put(of("do/settings/recall", name), Place::Moment(action), format!("Recalls the settings {name}"));
        }
        space.put("/xiao/prompt".into(), Place::Prompt, "The prompt that is played, by name");
        space.put("/xiao/scene".into(), Place::Scene, "The scene of the plan that is played, by name");
        space.put("/xiao/dump".into(), Place::Dump, "Answers with every parameter and signal");
        for (address, types, help) in TOLD {
            space.put(address.into(), Place::Told(types), help);
        }
        space.names = names;
        space
    }

    /// The first to stand at an address stays there: a scene that is called "next" is out-ranked by the step.
    fn put(&mut self, address: String, place: Place, help: impl Into<String>) {
        if !self.at.contains_key(&address) {
            self.at.insert(address.clone(), self.nodes.len());
            self.nodes.push(Node { address, place, help: help.into() });
        }
    }

    /// Every node, in the tables' order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// What stands at an address, also at one whose number is not listed: `/xiao/do/generator/rewind/3`.
    pub fn find(&self, address: &str) -> Option<Place> {
        if let Some(at) = self.at.get(address) {
            return Some(self.nodes[*at].place.clone());
        }
        let word = address.strip_prefix("/xiao/do/").filter(|word| !word.contains('.'))?;
        patch::trigger(&word.replace('/', ".")).map(Place::Moment)
    }
}

/// The words of what a patch may set going, with each number of those that are kept under one.
fn moments() -> impl Iterator<Item = (String, Action)> {
    patch::TRIGGERS.iter().flat_map(|(word, _)| {
        let kept = word.strip_suffix(".1");
        let words = (1..=if kept.is_some() { 8 } else { 1 }).map(move |n| match kept {
            Some(stem) => format!("{stem}.{n}"),
            None => word.to_string(),
        });
        words.filter_map(|word| patch::trigger(&word).map(|action| (word, action)))
    })
}

/// The type that a parameter's value has over OSC: `f`, `i`, a name or a switch.
pub fn kind(id: ParamId) -> &'static str {
    match id.spec().curve {
        _ if !id.spec().names().is_empty() => "s",
        Curve::Lin | Curve::Exp => "f",
        Curve::Step => "i",
        Curve::Switch => "T",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> Space {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        Space::new(Names {
            prompts: names(&["dawn", "春"]), scenes: names(&["a", "next"]), settings: names(&["dusk"])
        })
    }

    #[test]
    fn every_name_has_an_address_of_its_own() {
        let space = space();
        for (address, place) in [
            ("/xiao/param/sampler/temperature", Place::Param(ParamId::Temperature)),
            ("/xiao/travel/sound/hum/level_db", Place::Travel(ParamId::HumLevel)),
            ("/xiao/signal/token/layers/3", Place::Signal(SignalId::Layers3)),
            ("/xiao/prompt/dawn", Place::Moment(Action::Prompt("dawn".into()))),
            ("/xiao/prompt/春", Place::Moment(Action::Prompt("春".into()))),
            ("/xiao/prompt/again", Place::Moment(Action::Again)),
            ("/xiao/scene/a", Place::Moment(Action::Scene("a".into()))),
            ("/xiao/scene/next", Place::Moment(Action::SceneStep(1))),
            ("/xiao/do/generator/crash", Place::Moment(Action::Crash)),
            ("/xiao/do/generator/snapshot/8", Place::Moment(Action::Snapshot(7))),
            ("/xiao/do/generator/rewind/3", Place::Moment(Action::Rewind(3))),
            ("/xiao/dump", Place::Dump),
        ] {
            assert_eq!(space.find(address), Some(place), "{address}");
        }
        for nothing in ["/xiao", "/xiao/param", "/xiao/prompt/dusk", "/xiao/do/generator.crash", "/param/x", ""] {
            assert_eq!(space.find(nothing), None, "{nothing}");
        }
        let signals_and_params = 2 * ParamId::COUNT + SignalId::COUNT;
        assert!(space.nodes().len() > signals_and_params + patch::TRIGGERS.len());
        assert_eq!(space.nodes().len(), space.at.len());
        for node in space.nodes() {
            assert!(node.address.starts_with("/xiao/") && !node.help.is_empty(), "{node:?}");
            assert!(!super::super::pattern::is_pattern(&node.address), "{node:?}");
        }
    }
}
