//! From what controls say to actions, by the patch's mapping.
//!
//! Owned by the hands thread; MIDI, gamepads and keys go the same way. It keeps what each control last said, for takeover
//! and for what is pressed; it performs nothing itself.

mod control;
mod pattern;
#[cfg(test)]
mod tests;

pub use pattern::matches;

pub(super) use control::Control;

use super::decoder::{Decoder, SEVEN, Said, Value};
use crate::patch::{Controller, Kind, Source};
use crate::score::{Action, ParamId, Way};

/// What the keyboard is called among the ports.
pub const KEYS: &str = "keys";

/// A patch's mapping at work.
///
/// A binding keeps its state for each port, so two controllers of one kind do not disturb each other's pickup, and a
/// controller that was away goes on where it was.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    controllers: Vec<Controller>,
    ports: Vec<Port>,
}

/// A port that has spoken, with the bindings that are its own.
#[derive(Clone, Debug)]
struct Port {
    kind: Kind,
    name: String,
    decoder: Decoder,
    controls: Vec<Control>,
}

/// What the mapping may know of the instrument: a parameter's base value.
pub type Current<'a> = &'a dyn Fn(ParamId) -> f32;

impl Mapping {
    pub fn new(controllers: &[Controller]) -> Mapping {
        Mapping { controllers: controllers.to_vec(), ports: Vec::new() }
    }

    /// Takes up other bindings; a control whose binding is the same keeps what is known of it.
    pub fn take(&mut self, controllers: &[Controller]) {
        self.controllers = controllers.to_vec();
        for port in &mut self.ports {
            let mut controls = controls_for(&self.controllers, port.kind, &port.name);
            for control in &mut controls {
                if let Some(was) = port.controls.iter().find(|was| was.binding == control.binding) {
                    *control = was.clone();
                }
            }
            port.controls = controls;
        }
    }

    /// Lets go whatever is pressed at a port, at all of them without one, as if its control had been released.
    pub fn let_go(&mut self, port: Option<&str>, current: Current) -> Vec<(Kind, Action)> {
        let ports = self.ports.iter_mut().filter(|known| port.is_none_or(|port| known.name == port));
        let controls = ports.flat_map(|port| port.controls.iter_mut().map(|control| (port.kind, control)));
        controls.filter_map(|(kind, control)| Some((kind, control.let_go(current)?))).collect()
    }

    /// Takes one MIDI message from a port and adds what it asks for to `actions`; true if the control is bound to
    /// anything. What it says is handed to `heard`.
    ///
    /// Perform the actions before the next message, or pickup takes its own last move for another hand's.
    pub fn message(
        &mut self,
        port: &str,
        bytes: &[u8],
        current: Current,
        actions: &mut Vec<Action>,
        heard: &mut dyn FnMut(Said),
    ) -> bool {
        let Port { decoder, controls, .. } = self.port(Kind::Midi, port);
        let mut bound = false;
        decoder.take(bytes, &mut |said| {
            heard(said);
            bound |= play(controls, said, current, actions);
        });
        bound || controls.iter().any(|control| is_part_of(bytes, control.binding.source))
    }

    /// The same for what is no MIDI.
    pub fn said(&mut self, kind: Kind, port: &str, said: Said, current: Current, actions: &mut Vec<Action>) -> bool {
        play(&mut self.port(kind, port).controls, said, current, actions)
    }

    /// The same for a key of the keyboard.
    pub fn key(&mut self, source: Source, way: Way, now_ns: u64, current: Current, actions: &mut Vec<Action>) -> bool {
        let controls = &mut self.port(Kind::Keyboard, KEYS).controls;
        let Some(control) = controls.iter_mut().find(|control| control.binding.source == source) else { return false };
        let ways: &[bool] = match way {
            Way::Pressed => &[true],
            Way::Released => &[false],
            Way::Repeated if control.repeats() => &[true],
            Way::Repeated => &[],
            Way::Struck if control.lasts() => {
                actions.extend(control.struck(now_ns, current));
                &[]
            }
            Way::Struck => &[true, false],
        };
        for on in ways {
            let raw = if *on { SEVEN } else { 0 };
            actions.extend(control.moved(Value::At { raw, most: SEVEN }, current));
        }
        true
    }

    /// What a control of this port plays, in the words of a patch.
    pub fn all_played_by(&mut self, kind: Kind, port: &str, source: Source, channel: Option<u8>) -> Vec<String> {
        let controls = &self.port(kind, port).controls;
        let is =
            |c: &&Control| c.binding.source == source && (c.binding.channel.is_none() || c.binding.channel == channel);
        controls.iter().filter(is).map(|control| control.binding.target.to_string()).collect()
    }

    /// The controls of all ports that have spoken which play this, with their ports.
    pub fn that_play(&self, target: &str) -> Vec<(Source, &str)> {
        let all = self.ports.iter().flat_map(|port| port.controls.iter().map(|control| (control, port.name.as_str())));
        let that = all.filter(|(control, _)| control.binding.target.to_string() == target);
        that.map(|(control, port)| (control.binding.source, port)).collect()
    }

    /// Moves on what is moved at a speed, by the time that has passed; each value is handed to `moved`.
    pub fn passes(&mut self, time_s: f32, current: Current, moved: &mut dyn FnMut(Kind, ParamId, f32)) {
        for port in &mut self.ports {
            for (id, value) in port.controls.iter_mut().filter_map(|control| control.passes(time_s, current)) {
                moved(port.kind, id, value);
            }
        }
    }

    fn port(&mut self, kind: Kind, name: &str) -> &mut Port {
        let at = match self.ports.iter().position(|p| p.kind == kind && p.name == name) {
            Some(at) => at,
            None => {
                let controls = controls_for(&self.controllers, kind, name);
                self.ports.push(Port { kind, name: name.to_string(), decoder: Decoder::default(), controls });
                self.ports.len() - 1
            }
        };
        &mut self.ports[at]
    }
}

/// Whether a control change is one of the several that make such a control.
fn is_part_of(bytes: &[u8], source: Source) -> bool {
    let [status, number, _] = bytes else { return false };
    let parts: &[u8] = match source {
        Source::Cc14(n) => &[n, n + 32],
        Source::Nrpn(_) => &[6, 38, 96, 97, 98, 99],
        Source::Rpn(_) => &[6, 38, 96, 97, 100, 101],
        _ => &[],
    };
    status & 0xf0 == 0xb0 && parts.contains(number)
}

fn play(controls: &mut [Control], said: Said, current: Current, actions: &mut Vec<Action>) -> bool {
    let mut bound = false;
    for control in controls.iter_mut().filter(|control| control.hears(said)) {
        bound = true;
        actions.extend(control.moved(said.value, current));
    }
    bound
}

/// All bindings whose controller matches the port. A control that several controllers bind belongs to the one whose
/// pattern says most, so that `"*"` can stand behind a controller's own table, and to a patch before what xiao knows by
/// itself, unless the patch gives way; of the maps, only the one that says most is looked at.
fn controls_for(controllers: &[Controller], kind: Kind, port: &str) -> Vec<Control> {
    let mut matching: Vec<&Controller> =
        controllers.iter().filter(|c| c.kind == kind && matches(&c.pattern, port)).collect();
    matching.sort_by_key(|c| c.order());
    let mut controls: Vec<Control> = Vec::new();
    let known = matching.iter().position(|c| c.known);
    for (at, controller) in matching.into_iter().enumerate() {
        if controller.known && Some(at) != known {
            continue;
        }
        let bound = controls.len();
        for binding in &controller.bindings {
            let channel = |c: &Control| match (c.binding.channel, binding.channel) {
                (None, _) | (_, None) if controller.known || controller.gives_way => true,
                (one, other) => one == other,
            };
            let same = |c: &Control| c.binding.source == binding.source && channel(c);
            if !controls[..bound].iter().any(same) {
                controls.push(Control::new(binding.clone()));
            }
        }
    }
    controls
}
