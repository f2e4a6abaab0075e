//! From MIDI bytes to actions, by the patch's mapping.
//!
//! Owned by the hands thread. It keeps what each control last said, for pickup and for buttons that send control
//! changes; it performs nothing itself. The channel is not looked at, and bytes that are no control change or note
//! (clock, sysex, program change, half a message) say nothing.

use crate::patch::{Binding, MidiDevice, MidiSource, Takeover, Target};
use crate::score::{Action, ParamId};

/// A patch's MIDI mapping at work.
///
/// A binding keeps its state for each port, so two controllers of one kind do not disturb each other's pickup.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    devices: Vec<MidiDevice>,
    ports: Vec<Port>,
}

/// A port that has spoken, with the bindings that are its own.
#[derive(Clone, Debug)]
struct Port {
    name: String,
    controls: Vec<Control>,
}

/// One binding on one port and what is known of its control.
#[derive(Clone, Debug)]
struct Control {
    binding: Binding,
    /// Where the control stood at its last message, 0..=127.
    last: Option<u8>,
    /// The value that this control gave the parameter; while the parameter still has it, the control holds it.
    given: Option<f32>,
}

impl Mapping {
    pub fn new(devices: &[MidiDevice]) -> Mapping {
        Mapping { devices: devices.to_vec(), ports: Vec::new() }
    }

    /// Takes one message from a port and adds what it asks for to `actions`; true if the control is bound to anything.
    ///
    /// `current` gives a parameter's base value. Perform the actions before the next message, or pickup takes its own
    /// last move for another hand's.
    pub fn message(
        &mut self,
        port: &str,
        bytes: &[u8],
        current: &dyn Fn(ParamId) -> f32,
        actions: &mut Vec<Action>,
    ) -> bool {
        let Some((source, value)) = read(bytes) else { return false };
        let at = match self.ports.iter().position(|p| p.name == port) {
            Some(at) => at,
            None => {
                self.ports.push(Port { name: port.to_string(), controls: controls_for(&self.devices, port) });
                self.ports.len() - 1
            }
        };
        let mut bound = false;
        for control in self.ports[at].controls.iter_mut().filter(|c| c.binding.source == source) {
            bound = true;
            actions.extend(control.moved(value, current));
        }
        bound
    }
}

/// A control change or note with its value; a note's end is the value 0. Running status does not occur: midir hands
/// out whole messages.
fn read(bytes: &[u8]) -> Option<(MidiSource, u8)> {
    let &[status, number, value, ..] = bytes else { return None };
    if number > 127 || value > 127 {
        return None;
    }
    match status & 0xf0 {
        0x80 => Some((MidiSource::Note(number), 0)),
        0x90 => Some((MidiSource::Note(number), value)),
        0xb0 => Some((MidiSource::Cc(number), value)),
        _ => None,
    }
}

/// All bindings whose device matches the port. A control that several devices bind belongs to the one whose pattern
/// says most, so that `"*"` can stand behind a controller's own table.
fn controls_for(devices: &[MidiDevice], port: &str) -> Vec<Control> {
    let mut matching: Vec<&MidiDevice> = devices.iter().filter(|d| matches(&d.pattern, port)).collect();
    matching.sort_by_key(|d| std::cmp::Reverse(d.pattern.chars().filter(|c| *c != '*').count()));
    let mut controls: Vec<Control> = Vec::new();
    for device in matching {
        let bound = controls.len();
        for binding in &device.bindings {
            if controls[..bound].iter().all(|c| c.binding.source != binding.source) {
                controls.push(Control { binding: binding.clone(), last: None, given: None });
            }
        }
    }
    controls
}

/// Whether a port's name matches a pattern: `*` stands for any run of characters, and case does not matter.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().flat_map(char::to_lowercase).collect();
    let name: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    let (mut p, mut n) = (0, 0);
    // Where the last star stood, and up to where of the name it reaches so far.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, n));
            p += 1;
        } else if p < pattern.len() && pattern[p] == name[n] {
            p += 1;
            n += 1;
        } else if let Some((at, reach)) = star {
            star = Some((at, reach + 1));
            p = at + 1;
            n = reach + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

impl Control {
    fn moved(&mut self, value: u8, current: &dyn Fn(ParamId) -> f32) -> Option<Action> {
        let last = self.last.replace(value);
        match (&self.binding.target, self.binding.source) {
            // A key is a moment, not a position: down is `to`, up is `from`.
            (Target::Param { id, from, to }, MidiSource::Note(_)) => {
                Some(Action::Set(*id, id.spec().clamp(if value > 0 { *to } else { *from })))
            }
            (&Target::Param { id, from, to }, MidiSource::Cc(_)) => {
                let wanted = value_at(id, from, to, value);
                if self.binding.takeover == Takeover::Pickup {
                    let now = current(id);
                    let holds = self.given == Some(now);
                    if !holds && !meets(id, from, to, last, value, now) {
                        self.given = None;
                        return None;
                    }
                    self.given = Some(wanted);
                }
                Some(Action::Set(id, wanted))
            }
            (target, source) => {
                // A button sends a note or a control change; a slider crosses its middle. Either acts once, going up.
                let down = match source {
                    MidiSource::Note(_) => value > 0,
                    MidiSource::Cc(_) => value >= 64 && last.is_none_or(|last| last < 64),
                };
                down.then(|| trigger(target)).flatten()
            }
        }
    }
}

fn trigger(target: &Target) -> Option<Action> {
    match target {
        Target::Prompt(name) => Some(Action::Prompt(name.clone())),
        Target::Trigger(action) => Some(action.clone()),
        Target::Param { .. } => None,
    }
}

/// The parameter's value for a control at `value` of 0..=127, following the parameter's curve between `from` and `to`.
fn value_at(id: ParamId, from: f32, to: f32, value: u8) -> f32 {
    let spec = id.spec();
    match value {
        0 => spec.clamp(from),
        127.. => spec.clamp(to),
        _ => {
            let (start, end) = (spec.position(from), spec.position(to));
            spec.at(start + (end - start) * f32::from(value) / 127.0)
        }
    }
}

/// Whether the control, going from `last` to `value`, stands at the parameter's present value or has passed it.
fn meets(id: ParamId, from: f32, to: f32, last: Option<u8>, value: u8, now: f32) -> bool {
    let spec = id.spec();
    let (start, end) = (spec.position(from), spec.position(to));
    // The present value in the control's own steps; out of the binding's range it is met at the nearer end.
    let here = if start == end { f32::from(value) } else { ((spec.position(now) - start) / (end - start)) * 127.0 };
    let here = here.clamp(0.0, 127.0);
    let value = f32::from(value);
    (value - here).abs() <= 0.5 || last.is_some_and(|last| (f32::from(last) - here) * (value - here) <= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::{ParamValues, Params};

    fn param(id: ParamId, from: f32, to: f32) -> Target {
        Target::Param { id, from, to }
    }

    fn device(pattern: &str, bindings: Vec<(MidiSource, Target, Takeover)>) -> MidiDevice {
        let bindings =
            bindings.into_iter().map(|(source, target, takeover)| Binding { source, target, takeover }).collect();
        MidiDevice { pattern: pattern.to_string(), bindings }
    }

    /// Sends messages and performs what they set, as the hands thread does.
    fn play(mapping: &mut Mapping, params: &Params, port: &str, messages: &[[u8; 3]]) -> Vec<Action> {
        let mut all = Vec::new();
        for bytes in messages {
            let mut actions = Vec::new();
            mapping.message(port, bytes, &|id| params.get(id), &mut actions);
            for action in &actions {
                if let Action::Set(id, value) = action {
                    params.set(*id, *value);
                }
            }
            all.extend(actions);
        }
        all
    }

    #[test]
    fn a_knob_travels_the_range_and_may_be_turned_round() {
        let temperature = param(ParamId::Temperature, 0.0, 2.0);
        let length = param(ParamId::TokenLength, 8.0, 0.05);
        let mut mapping = Mapping::new(&[device(
            "*",
            vec![(MidiSource::Cc(7), temperature, Takeover::Jump), (MidiSource::Cc(8), length, Takeover::Jump)],
        )]);
        let params = Params::default();
        // Any channel.
        assert_eq!(
            play(&mut mapping, &params, "knobs", &[[0xb0, 7, 0], [0xb3, 7, 127]]),
            [Action::Set(ParamId::Temperature, 0.0), Action::Set(ParamId::Temperature, 2.0)]
        );
        assert_eq!(
            play(&mut mapping, &params, "knobs", &[[0xb0, 8, 0], [0xb0, 8, 127]]),
            [Action::Set(ParamId::TokenLength, 8.0), Action::Set(ParamId::TokenLength, 0.05)]
        );
        // The middle of an exponential travel is the geometric mean.
        let [Action::Set(_, middle)] = play(&mut mapping, &params, "knobs", &[[0xb0, 8, 64]])[..] else { panic!() };
        assert!((middle - (8.0f32 * 0.05).sqrt()).abs() < 0.02, "{middle}");
    }

    #[test]
    fn pickup_waits_until_the_knob_meets_the_value() {
        let temperature = param(ParamId::Temperature, 0.0, 2.0);
        let mut mapping = Mapping::new(&[device("*", vec![(MidiSource::Cc(7), temperature, Takeover::Pickup)])]);
        let params = Params::default(); // 0.8 is the control's 50.8
        let cc = |value| [0xb0, 7, value];
        assert_eq!(play(&mut mapping, &params, "k", &[cc(10), cc(30), cc(50)]), []);
        assert_eq!(play(&mut mapping, &params, "k", &[cc(51), cc(100), cc(90)]).len(), 3);
        // Another hand moves it: the knob lets go until it has passed the new value, however fast it is turned.
        params.set(ParamId::Temperature, 0.2);
        assert_eq!(play(&mut mapping, &params, "k", &[cc(91), cc(60)]), []);
        assert_eq!(play(&mut mapping, &params, "k", &[cc(2)]).len(), 1);
        assert_eq!(play(&mut mapping, &params, "k", &[cc(3)]).len(), 1);
        // A second controller of the same kind has not met it yet.
        assert_eq!(play(&mut mapping, &params, "other", &[cc(90)]), []);
    }

    #[test]
    fn pickup_reaches_a_value_outside_the_binding_at_its_end() {
        let narrow = param(ParamId::Temperature, 0.0, 0.5);
        let mut mapping = Mapping::new(&[device("*", vec![(MidiSource::Cc(7), narrow, Takeover::Pickup)])]);
        let params = Params::default();
        assert_eq!(play(&mut mapping, &params, "k", &[[0xb0, 7, 100], [0xb0, 7, 126]]), []);
        assert_eq!(play(&mut mapping, &params, "k", &[[0xb0, 7, 127]]), [Action::Set(ParamId::Temperature, 0.5)]);
    }

    #[test]
    fn notes_trigger_once_and_hold_a_parameter_while_down() {
        let mut mapping = Mapping::new(&[device(
            "pads",
            vec![
                (MidiSource::Note(36), Target::Prompt("dawn".into()), Takeover::Jump),
                (MidiSource::Note(37), Target::Trigger(Action::PromptStep(-1)), Takeover::Jump),
                (MidiSource::Note(38), param(ParamId::Hold, 0.0, 1.0), Takeover::Pickup),
                (MidiSource::Cc(64), Target::Trigger(Action::Crash), Takeover::Jump),
            ],
        )]);
        let params = Params::default();
        assert_eq!(
            play(&mut mapping, &params, "Pads", &[[0x90, 36, 1], [0x80, 36, 64], [0x90, 37, 9], [0x90, 37, 0]]),
            [Action::Prompt("dawn".into()), Action::PromptStep(-1)]
        );
        assert_eq!(
            play(&mut mapping, &params, "Pads", &[[0x90, 38, 100], [0x90, 38, 0]]),
            [Action::Set(ParamId::Hold, 1.0), Action::Set(ParamId::Hold, 0.0)]
        );
        // A button that sends 127 and 0, then a slider that passes the middle twice.
        let ups = [[0xb0, 64, 127], [0xb0, 64, 0], [0xb0, 64, 63], [0xb0, 64, 64], [0xb0, 64, 99], [0xb0, 64, 3]];
        assert_eq!(play(&mut mapping, &params, "Pads", &ups), [Action::Crash, Action::Crash]);
        assert_eq!(play(&mut mapping, &params, "keys", &ups), []);
    }

    #[test]
    fn the_pattern_that_says_most_wins() {
        let prompt = |name: &str| Target::Prompt(name.into());
        let mut mapping = Mapping::new(&[
            device(
                "*",
                vec![
                    (MidiSource::Note(1), prompt("any"), Takeover::Jump),
                    (MidiSource::Note(2), prompt("any too"), Takeover::Jump),
                ],
            ),
            device("nano*", vec![(MidiSource::Note(1), prompt("nano"), Takeover::Jump)]),
        ]);
        let params = Params::default();
        let got = play(&mut mapping, &params, "nanoKONTROL2:0", &[[0x90, 1, 1], [0x90, 2, 1]]);
        assert_eq!(got, [Action::Prompt("nano".into()), Action::Prompt("any too".into())]);
        assert_eq!(play(&mut mapping, &params, "piano", &[[0x90, 1, 1]]), [Action::Prompt("any".into())]);
    }

    #[test]
    fn stars_stand_for_any_run_and_case_does_not_matter() {
        for (pattern, name, yes) in [
            ("*", "", true),
            ("nanoKONTROL2*", "NANOkontrol2:nanoKONTROL2 MIDI 1 20:0", true),
            ("nanoKONTROL2", "nanoKONTROL2 1", false),
            ("*midi*1*", "a MIDI thing 21", true),
            ("*midi*1", "midi 1 2", false),
            ("a*b*c", "abbbcbc", true),
            ("", "x", false),
            ("箫*", "箫 one", true),
        ] {
            assert_eq!(matches(pattern, name), yes, "{pattern:?} {name:?}");
        }
    }

    #[test]
    fn garbage_says_nothing_and_stays_in_range() {
        let mut bindings = Vec::new();
        for n in 0..128 {
            bindings.push((MidiSource::Cc(n), param(ParamId::HumPitch, 60.0, 24.0), Takeover::Pickup));
            bindings.push((MidiSource::Note(n), param(ParamId::TopK, 0.0, 500.0), Takeover::Jump));
        }
        let mut mapping = Mapping::new(&[device("*", bindings)]);
        let values = ParamValues::default();
        let mut random = 0x9e37_79b9_7f4a_7c15u64;
        let mut actions = Vec::new();
        for _ in 0..200_000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let bytes = random.to_le_bytes();
            let length = (random >> 61) as usize;
            mapping.message("p", &bytes[..length], &|id| values.get(id), &mut actions);
        }
        assert!(actions.len() > 1000);
        for action in &actions {
            let Action::Set(id, value) = action else { panic!("{action:?}") };
            assert_eq!(id.spec().clamp(*value), *value);
        }
        actions.clear();
        for bytes in [&[][..], &[0xb0], &[0xb0, 7], &[0xf8], &[0xf0, 1, 2, 0xf7], &[0xb0, 0x87, 1], &[7, 7, 7]] {
            mapping.message("p", bytes, &|id| values.get(id), &mut actions);
        }
        assert_eq!(actions, []);
    }
}
