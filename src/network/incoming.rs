//! What comes in: messages become actions for the hands, and questions that are answered to whoever asked.
//!
//! Pure. A value that is no number, or none that is finite, changes nothing; one outside a parameter's range is brought
//! into it where it is set, as every hand's is.

use std::net::SocketAddr;

use super::Space;
use super::address::Place;
use super::complaints::{Complaints, Wrong};
use super::packet::{self, Arg, Message};
use super::pattern::{self, Pattern};
use crate::score::{Action, ParamId};

/// So many messages are taken each second, and so many at once after a silence; the rest is counted.
const PER_S: f64 = 20_000.0;
const AT_ONCE: f64 = 5_000.0;
/// What a pattern counts for, which is compared with every address, and an answer with everything.
const PATTERN: f64 = 50.0;
const DUMP: f64 = 1_000.0;
/// A packet counts as a message for each so many bytes, so that long ones are not cheap.
const BYTES: f64 = 64.0;

/// How much may still come: it grows with time and shrinks with what comes.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    left: f64,
    seen_ns: u64,
}

impl Default for Allowance {
    fn default() -> Allowance {
        Allowance { left: AT_ONCE, seen_ns: 0 }
    }
}

impl Allowance {
    /// Time has passed.
    pub fn tick(&mut self, now_ns: u64) {
        let s = now_ns.saturating_sub(self.seen_ns) as f64 / 1e9;
        *self = Allowance { left: (self.left + s * PER_S).min(AT_ONCE), seen_ns: now_ns };
    }

    fn spend(&mut self, cost: f64) -> bool {
        let enough = self.left >= cost;
        if enough {
            self.left -= cost;
        }
        enough
    }
}

/// What was heard.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    pub actions: Vec<Action>,
    /// Places that somebody asked for.
    pub asked: Vec<Place>,
}

/// Takes one packet, whatever it is.
pub fn packet(
    bytes: &[u8],
    from: (SocketAddr, u64),
    space: &Space,
    allowance: &mut Allowance,
    complaints: &mut Complaints,
    heard: &mut Heard,
) {
    let (who, now_ns) = from;
    if !allowance.spend((bytes.len() as f64 / BYTES).max(1.0)) {
        return complaints.note(Wrong::TooFast, who, "", now_ns);
    }
    let Ok(messages) = packet::messages(bytes) else {
        return complaints.note(Wrong::NoOsc, who, "", now_ns);
    };
    for message in messages {
        if let Err(wrong) = take(&message, space, allowance, heard) {
            complaints.note(wrong, who, &message.addr, now_ns);
        }
    }
}

fn take(message: &Message, space: &Space, allowance: &mut Allowance, heard: &mut Heard) -> Result<(), Wrong> {
    if !pattern::is_pattern(&message.addr) {
        let place = space.find(&message.addr).ok_or(Wrong::Unknown)?;
        if place == Place::Dump && !allowance.spend(DUMP) {
            return Err(Wrong::TooFast);
        }
        return one(&place, &message.args, space, heard);
    }
    if !allowance.spend(PATTERN) {
        return Err(Wrong::TooFast);
    }
    let pattern = Pattern::read(&message.addr).ok_or(Wrong::Unknown)?;
    // A star must not set off the crash or the panic: moments are called by their whole address.
    let valued = |place: &Place| matches!(place, Place::Param(_) | Place::Travel(_) | Place::Signal(_));
    let meant = space.nodes().iter().filter(|node| valued(&node.place) && pattern.means(&node.address));
    let taken: Vec<_> = meant.map(|node| one(&node.place, &message.args, space, heard)).collect();
    match taken.iter().any(Result::is_ok) {
        true => Ok(()),
        false => taken.into_iter().next().unwrap_or(Err(Wrong::Unknown)),
    }
}

/// What a message to one place does.
fn one(place: &Place, args: &[Arg], space: &Space, heard: &mut Heard) -> Result<(), Wrong> {
    let mut act = |action| heard.actions.push(action);
    match (place, args) {
        (Place::Moment(action), args) => {
            if pressed(args)? {
                act(action.clone());
            }
        }
        (Place::Dump, _) => heard.asked.push(Place::Dump),
        (Place::Told(_), _) => return Err(Wrong::Refused),
        (place, []) => heard.asked.push(place.clone()),
        (Place::Param(id), [arg]) => act(Action::Set(*id, value(*id, arg).ok_or(Wrong::Refused)?)),
        (Place::Travel(id), [arg]) => act(Action::Set(*id, id.spec().at(number(arg).ok_or(Wrong::Refused)?))),
        (Place::Prompt, [Arg::String(name)]) if space.names.prompts.contains(name) => act(Action::Prompt(name.clone())),
        (Place::Scene, [Arg::String(name)]) if space.names.scenes.contains(name) => act(Action::Scene(name.clone())),
        _ => return Err(Wrong::Refused),
    }
    Ok(())
}

/// Whether a button was pressed; not when it is let go.
fn pressed(args: &[Arg]) -> Result<bool, Wrong> {
    match args {
        [] | [Arg::Nil | Arg::Inf] => Ok(true),
        [arg] => number(arg).map(|value| value != 0.0).ok_or(Wrong::Refused),
        _ => Err(Wrong::Refused),
    }
}

fn value(id: ParamId, arg: &Arg) -> Option<f32> {
    match arg {
        Arg::String(name) => id.spec().named(name),
        arg => number(arg),
    }
}

fn number(arg: &Arg) -> Option<f32> {
    let value = match arg {
        Arg::Float(value) => *value,
        Arg::Double(value) => *value as f32,
        Arg::Int(value) => *value as f32,
        Arg::Long(value) => *value as f32,
        Arg::Bool(on) => f32::from(*on),
        _ => return None,
    };
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Names;
    use crate::network::packet::{bytes, say};
    use crate::score::SignalId;

    struct Rig {
        space: Space,
        allowance: Allowance,
        complaints: Complaints,
    }

    impl Rig {
        fn new() -> Rig {
            let names = Names {
                prompts: vec!["dawn".into(), "春".into()],
                scenes: vec!["storm".into()],
                settings: vec!["dusk".into()],
            };
            Rig { space: Space::new(names), allowance: Allowance::default(), complaints: Complaints::default() }
        }

        fn hear(&mut self, packet: &[u8]) -> Heard {
            let (mut heard, who) = (Heard::default(), "10.0.0.3:5000".parse().unwrap());
            super::packet(packet, (who, 0), &self.space, &mut self.allowance, &mut self.complaints, &mut heard);
            heard
        }
    }

    #[test]
    fn messages_from_their_bytes_do_what_they_say() {
        let mut rig = Rig::new();
        let set = |id, value| vec![Action::Set(id, value)];
        let table: Vec<(&str, Vec<Arg>, Vec<Action>)> = vec![
            ("/xiao/param/sampler/temperature", vec![Arg::Float(0.5)], set(ParamId::Temperature, 0.5)),
            ("/xiao/param/sampler/temperature", vec![Arg::Double(0.5)], set(ParamId::Temperature, 0.5)),
            ("/xiao/param/sampler/top_k", vec![Arg::Int(7)], set(ParamId::TopK, 7.0)),
            ("/xiao/param/sampler/top_k", vec![Arg::Long(7)], set(ParamId::TopK, 7.0)),
            ("/xiao/param/generator/hold", vec![true.into()], set(ParamId::Hold, 1.0)),
            ("/xiao/param/generator/hold", vec![false.into()], set(ParamId::Hold, 0.0)),
            ("/xiao/param/stage/scene", vec!["river".into()], set(ParamId::StageScene, 1.0)),
            ("/xiao/param/stage/scene", vec![Arg::Int(2)], set(ParamId::StageScene, 2.0)),
            ("/xiao/travel/sound/level_db", vec![Arg::Float(0.5)], set(ParamId::Level, -27.0)),
            ("/xiao/travel/sound/level_db", vec![Arg::Float(9.0)], set(ParamId::Level, 6.0)),
            ("/xiao/prompt/dawn", vec![], vec![Action::Prompt("dawn".into())]),
            ("/xiao/prompt/春", vec![Arg::Float(1.0)], vec![Action::Prompt("春".into())]),
            ("/xiao/prompt", vec!["春".into()], vec![Action::Prompt("春".into())]),
            ("/xiao/prompt/next", vec![Arg::Int(1)], vec![Action::PromptStep(1)]),
            ("/xiao/scene/storm", vec![], vec![Action::Scene("storm".into())]),
            ("/xiao/scene", vec!["storm".into()], vec![Action::Scene("storm".into())]),
            ("/xiao/scene/previous", vec![], vec![Action::SceneStep(-1)]),
            ("/xiao/do/generator/crash", vec![Arg::Inf], vec![Action::Crash]),
            ("/xiao/do/generator/rewind/5", vec![], vec![Action::Rewind(5)]),
            ("/xiao/do/sound/panic", vec![Arg::Float(0.2)], vec![Action::Panic]),
            // A button that is let go does nothing, and that is no mistake.
            ("/xiao/do/sound/panic", vec![Arg::Float(0.0)], vec![]),
            ("/xiao/do/sound/panic", vec![Arg::Int(0)], vec![]),
            ("/xiao/prompt/dawn", vec![false.into()], vec![]),
            (
                "/xiao/param/sound/{hum,breath}/level_db",
                vec![Arg::Float(-30.0)],
                vec![Action::Set(ParamId::HumLevel, -30.0), Action::Set(ParamId::BreathLevel, -30.0)],
            ),
            (
                "/xiao/param/shader/[1-2]",
                vec![Arg::Int(1)],
                vec![Action::Set(ParamId::Shader1, 1.0), Action::Set(ParamId::Shader2, 1.0)],
            ),
        ];
        for (address, args, actions) in table {
            let heard = rig.hear(&bytes(say(address, args.clone())));
            assert_eq!((heard.actions, heard.asked), (actions, vec![]), "{address} {args:?}");
        }
        assert_eq!([Wrong::NoOsc, Wrong::Unknown, Wrong::Refused].map(|w| rig.complaints.total(w)), [0, 0, 0]);
    }

    #[test]
    fn without_a_value_it_is_a_question() {
        let mut rig = Rig::new();
        for (address, asked) in [
            ("/xiao/param/sampler/temperature", vec![Place::Param(ParamId::Temperature)]),
            ("/xiao/travel/stage/hue", vec![Place::Travel(ParamId::Hue)]),
            ("/xiao/signal/machine/cpu", vec![Place::Signal(SignalId::Cpu)]),
            ("/xiao/prompt", vec![Place::Prompt]),
            ("/xiao/dump", vec![Place::Dump]),
            ("/xiao/*/machine/cpu*", vec![Place::Signal(SignalId::Cpu), Place::Signal(SignalId::CpuPeak)]),
        ] {
            assert_eq!(rig.hear(&bytes(say(address, vec![]))), Heard { actions: vec![], asked }, "{address}");
        }
    }

    #[test]
    fn nonsense_does_nothing_and_is_counted() {
        let mut rig = Rig::new();
        let unknown: Vec<(&str, Vec<Arg>)> = vec![
            ("/xiao/param/sampler/temprature", vec![Arg::Float(0.5)]),
            ("/xiao/prompt/dusk", vec![]),
            ("/xiao/do/generator/nothing", vec![]),
            ("/other", vec![]),
            // No star reaches a moment.
            ("/xiao/do/generator/*", vec![Arg::Int(1)]),
            ("/xiao/prompt/*", vec![]),
            ("/xiao/param/[", vec![]),
        ];
        let refused: Vec<(&str, Vec<Arg>)> = vec![
            ("/xiao/param/sampler/temperature", vec![Arg::Float(f32::NAN)]),
            ("/xiao/param/sampler/temperature", vec![Arg::Float(f32::INFINITY)]),
            ("/xiao/param/sampler/temperature", vec![Arg::Double(1e300)]),
            ("/xiao/param/sampler/temperature", vec!["warm".into()]),
            ("/xiao/param/sampler/temperature", vec![Arg::Int(1), Arg::Int(2)]),
            ("/xiao/param/stage/scene", vec!["ocean".into()]),
            ("/xiao/travel/stage/hue", vec![Arg::Float(f32::NAN)]),
            ("/xiao/signal/machine/cpu", vec![Arg::Float(0.5)]),
            ("/xiao/do/generator/crash", vec![Arg::Float(f32::NAN)]),
            ("/xiao/do/generator/crash", vec!["now".into()]),
            ("/xiao/token", vec![]),
            ("/xiao/prompt", vec!["dusk".into()]),
            // What goes out comes in again where somebody sends it back: a prompt must not begin itself.
            ("/xiao/prompt", vec!["dawn".into(), "春".into()]),
            ("/xiao/param/s*/level_db", vec![Arg::Nil]),
        ];
        let counts = [unknown.len() as u64, refused.len() as u64];
        for (address, args) in unknown.into_iter().chain(refused) {
            assert_eq!(rig.hear(&bytes(say(address, args.clone()))), Heard::default(), "{address} {args:?}");
        }
        assert_eq!(rig.hear(b"hello"), Heard::default());
        assert_eq!([Wrong::Unknown, Wrong::Refused].map(|w| rig.complaints.total(w)), counts);
        assert_eq!(rig.complaints.total(Wrong::NoOsc), 1);
    }

    #[test]
    fn bundles_are_taken_in_their_order_and_at_once() {
        let mut rig = Rig::new();
        let message = |i: i32| say("/xiao/param/sampler/top_k", vec![Arg::Int(i)]);
        let bundles = packet::bundles((0..20).map(message));
        let heard: Vec<_> = bundles.iter().flat_map(|bundle| rig.hear(bundle).actions).collect();
        assert_eq!(heard, (0..20).map(|i| Action::Set(ParamId::TopK, i as f32)).collect::<Vec<_>>());
    }

    #[test]
    fn a_flood_is_counted_and_passes() {
        let mut rig = Rig::new();
        let knob = bytes(say("/xiao/param/stage/hue", vec![Arg::Float(0.5)]));
        let taken = (0..50_000).filter(|_| !rig.hear(&knob).actions.is_empty()).count();
        assert!((2_000..=5_000).contains(&taken), "{taken}");
        assert_eq!(rig.complaints.total(Wrong::TooFast), 50_000 - taken as u64);
        rig.allowance.tick(1_000_000);
        assert_eq!(rig.hear(&knob).actions.len(), 1);
        // Ten thousand a second for a second: none is left out.
        rig.allowance.tick(2_000_000_000);
        let mut left_out = 0;
        for i in 0..10_000u64 {
            rig.allowance.tick(2_000_000_000 + i * 100_000);
            left_out += usize::from(rig.hear(&knob).actions.is_empty());
        }
        assert_eq!(left_out, 0);
        // Everything is a great deal to ask for.
        let dump = bytes(say("/xiao/dump", vec![]));
        assert!((0..100).filter(|_| !rig.hear(&dump).asked.is_empty()).count() <= 5);
    }
}
