//! What a controller is told, so that its lamps, rings and motor faders show what is.
//!
//! A pure state machine beside [`ScoreOut`](super::ScoreOut), with a controller's bindings in it; it knows no port. Run by
//! the MIDI-out thread.

use super::mapping::Control;
use super::score_out::Short;
use super::score_out::wire::Wire;
use crate::patch::{Controller, Source, Target};
use crate::score::{Action, Event, Hand, ParamId, ParamValues, SettingsAsk, Stamped};

/// A fader that a hand is moving is not pushed back: it is told where it is when it has rested so long.
const REST_NS: u64 = 120_000_000;
/// How often the wire is tried again when it was full.
const AGAIN_NS: u64 = 20_000_000;

/// What one controller is told.
#[derive(Clone, Debug)]
pub struct FeedbackOut {
    controller: Controller,
    lamps: Vec<Lamp>,
    params: ParamValues,
    /// The prompt and the scene that are being played.
    prompt: Option<String>,
    scene: Option<String>,
    settings: Option<String>,
    /// Its port is there.
    connected: bool,
    /// When everything is told again.
    beat_ns: Option<u64>,
    due_ns: Option<u64>,
    /// Which lamp is looked at first, so that on a full wire each has its turn.
    first: usize,
    wire: Wire,
}

/// One control's lamp, ring or motor.
#[derive(Clone, Debug)]
struct Lamp {
    control: Control,
    at: Source,
    channel: u8,
    /// What a button's lamp is sent when it is off and on.
    lamp: [u8; 2],
    sent: Option<u16>,
    /// Until then a hand is at it.
    held_ns: u64,
}

impl FeedbackOut {
    /// For a controller whose patch asks for feedback; `params` is where everything stands now.
    pub fn new(controller: &Controller, params: ParamValues, now_ns: u64) -> FeedbackOut {
        let usual = controller.feedback.as_ref().map_or([0, 127], |feedback| feedback.lamp);
        let lamp = |binding: &crate::patch::Binding| Lamp {
            control: Control::new(binding.clone()),
            at: binding.light.at.unwrap_or(binding.source),
            channel: binding.channel.unwrap_or(0),
            lamp: binding.light.lamp.unwrap_or(usual),
            sent: None,
            held_ns: 0,
        };
        let mut out = FeedbackOut {
            controller: controller.clone(),
            lamps: controller.bindings.iter().map(lamp).collect(),
            params,
            prompt: None,
            scene: None,
            settings: None,
            connected: true,
            beat_ns: None,
            due_ns: Some(now_ns),
            first: 0,
            wire: Wire::new(now_ns),
        };
        out.beat(now_ns);
        out
    }

    /// Tells this controller's bindings from now on.
    pub fn take(&mut self, controller: &Controller, params: ParamValues, now_ns: u64, out: &mut Vec<Short>) {
        self.stop(out);
        let new = FeedbackOut::new(controller, params, now_ns);
        let (prompt, scene, settings) = (self.prompt.take(), self.scene.take(), self.settings.take());
        *self = FeedbackOut { prompt, scene, settings, connected: self.connected, ..new };
    }

    pub fn controller(&self) -> &Controller {
        &self.controller
    }

    /// Takes an event at `now_ns`.
    pub fn event(&mut self, stamped: &Stamped, now_ns: u64, out: &mut Vec<Short>) {
        match &stamped.event {
            Event::Param { id, value, by } => {
                self.params.set(*id, *value);
                if *by == Hand::Midi {
                    for lamp in self.lamps.iter_mut().filter(|lamp| lamp.control.param() == Some(*id)) {
                        lamp.held_ns = if lamp.control.is_button() { 0 } else { now_ns + REST_NS };
                    }
                }
            }
            Event::Prompt { name, .. } | Event::Restore { name, .. } => self.prompt.clone_from(name),
            Event::Scene { name, .. } => self.scene = Some(name.clone()),
            Event::Settings { name, .. } => self.settings = Some(name.clone()),
            _ => return,
        }
        self.due_ns = Some(now_ns);
        self.tick(now_ns, out);
    }

    /// Sends what is due at `now_ns`.
    pub fn tick(&mut self, now_ns: u64, out: &mut Vec<Short>) {
        if !self.connected {
            return;
        }
        if self.beat_ns.is_some_and(|due| now_ns >= due) {
            self.forget();
            self.beat(now_ns);
            self.due_ns = Some(now_ns);
        }
        if self.due_ns.is_none_or(|due| now_ns < due) {
            return;
        }
        self.due_ns = None;
        let count = self.lamps.len();
        for at in 0..count {
            let at = (self.first + at) % count;
            let Some(value) = self.shown(at).filter(|value| self.lamps[at].sent != Some(*value)) else { continue };
            let lamp = &mut self.lamps[at];
            if now_ns < lamp.held_ns {
                self.due_ns = Some(self.due_ns.map_or(lamp.held_ns, |due| due.min(lamp.held_ns)));
                continue;
            }
            if !self.wire.control(now_ns) {
                (self.first, self.due_ns) = (at, Some(now_ns + AGAIN_NS));
                return;
            }
            lamp.sent = Some(value);
            let before = out.len();
            lamp.say(value, out);
            self.wire.owe((out.len() - before).saturating_sub(1));
        }
    }

    /// When [`FeedbackOut::tick`] has something to do next.
    pub fn due_ns(&self) -> Option<u64> {
        [self.due_ns, self.beat_ns].into_iter().flatten().min().filter(|_| self.connected)
    }

    /// The port is gone; what it shows is not known any more.
    pub fn lost(&mut self) {
        self.connected = false;
        self.forget();
    }

    /// The port is there, and is told everything.
    pub fn found(&mut self, now_ns: u64, out: &mut Vec<Short>) {
        self.connected = true;
        self.due_ns = Some(now_ns);
        self.tick(now_ns, out);
    }

    /// Every lamp goes out, as the controller is left to itself.
    pub fn stop(&mut self, out: &mut Vec<Short>) {
        if self.connected {
            for lamp in self.lamps.iter_mut().filter(|lamp| lamp.control.is_button() && lamp.sent.is_some()) {
                lamp.sent = None;
                lamp.say(u16::from(lamp.lamp[0]), out);
            }
        }
    }

    fn forget(&mut self) {
        self.lamps.iter_mut().for_each(|lamp| lamp.sent = None);
    }

    fn beat(&mut self, now_ns: u64) {
        let every_s = self.controller.feedback.as_ref().and_then(|feedback| feedback.heartbeat_s);
        self.beat_ns = every_s.map(|s| now_ns + (f64::from(s) * 1e9) as u64);
    }

    /// What a lamp has to be sent to show what is; none where there is nothing to show.
    fn shown(&self, at: usize) -> Option<u16> {
        let lamp = &self.lamps[at];
        let is = match lamp.control.target() {
            Target::Param { .. } => lamp.control.shown(&|id: ParamId| self.params.get(id))?,
            Target::Prompt(name) => f32::from(self.prompt.as_ref() == Some(name)),
            Target::Trigger(Action::Scene(name)) => f32::from(self.scene.as_ref() == Some(name)),
            Target::Trigger(Action::Settings(SettingsAsk::Recall(name))) => {
                f32::from(self.settings.as_ref() == Some(name))
            }
            Target::Trigger(Action::Settings(SettingsAsk::RecallNth(at))) => {
                f32::from(self.settings.as_ref().is_some_and(|name| *name == (at + 1).to_string()))
            }
            Target::Trigger(_) => return None,
        };
        Some(match lamp.control.is_button() {
            true => u16::from(lamp.lamp[usize::from(is >= 0.5)]),
            false => (is * f32::from(most(lamp.at))).round() as u16,
        })
    }
}

/// The greatest value that this message carries.
fn most(at: Source) -> u16 {
    match at {
        Source::Cc14(_) | Source::Nrpn(_) | Source::Rpn(_) | Source::Bend => super::decoder::FOURTEEN,
        _ => super::decoder::SEVEN,
    }
}

impl Lamp {
    fn say(&self, value: u16, out: &mut Vec<Short>) {
        let (coarse, fine) = ((value >> 7) as u8, (value & 127) as u8);
        let cc = |number, value| Short::control(self.channel, number, value);
        let number = |high, low, number: u16| [cc(high, (number >> 7) as u8), cc(low, (number & 127) as u8)];
        match self.at {
            Source::Cc(n) => out.push(cc(n, fine)),
            Source::Cc14(n) => out.extend([cc(n, coarse), cc(n + 32, fine)]),
            Source::Note(n) => out.push(Short::lamp(self.channel, n, fine)),
            Source::Bend => out.push(Short::bend(self.channel, value)),
            Source::Nrpn(n) => out.extend([number(99, 98, n), [cc(6, coarse), cc(38, fine)]].concat()),
            Source::Rpn(n) => out.extend([number(101, 100, n), [cc(6, coarse), cc(38, fine)]].concat()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::parse;

    fn controller(bindings: &str) -> Controller {
        let text = format!("[prompts]\nmoon = \"m\"\nsea = \"s\"\n[midi.\"k\"]\nfeedback = true\n{bindings}");
        parse("p.toml", &text).unwrap().controllers.remove(0)
    }

    /// Everything that is sent for these events, each a second after the other, and half a second for what waits.
    fn sent(bindings: &str, events: Vec<Event>) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        let mut feedback = FeedbackOut::new(&controller(bindings), ParamValues::default(), 0);
        feedback.tick(0, &mut out);
        out.clear();
        for (i, event) in events.into_iter().enumerate() {
            let t_ns = (i as u64 + 1) * 1_000_000_000;
            feedback.event(&Stamped { seq: i as u64, t_ns, event }, t_ns, &mut out);
            feedback.tick(t_ns + 500_000_000, &mut out);
        }
        out.iter().map(|short| short.bytes().to_vec()).collect()
    }

    fn param(id: ParamId, value: f32, by: Hand) -> Event {
        Event::Param { id, value, by }
    }

    #[test]
    fn everything_is_told_when_the_port_is_there_and_again_when_it_is_back() {
        let bindings = "cc1 = \"sampler.temperature\"\nnote2 = { to = \"generator.hold\", mode = \"toggle\" }";
        let mut feedback = FeedbackOut::new(&controller(bindings), ParamValues::default(), 0);
        let mut out = Vec::new();
        feedback.lost();
        feedback.tick(1, &mut out);
        assert!(out.is_empty());
        for round in 0..50 {
            feedback.found(round * 1_000_000_000, &mut out);
            let bytes: Vec<_> = out.drain(..).map(|s| s.bytes().to_vec()).collect();
            assert_eq!(bytes, [vec![0xb0, 1, 51], vec![0x90, 2, 0]]);
            feedback.lost();
        }
    }

    #[test]
    fn lamps_show_what_is_in_their_own_values() {
        let said = sent(
            "note1 = { to = \"generator.hold\", mode = \"toggle\", lamp = [1, 5] }\nnote2 = \"prompt.moon\"\n\
             note3 = { to = \"stage.scene\", value = \"river\" }\nnote4 = { to = \"stage.scene\", value = 2, light = \"cc9\" }",
            vec![
                param(ParamId::Hold, 1.0, Hand::Midi),
                Event::Prompt { name: Some("moon".into()), text: "m".into(), tokens: 1 },
                param(ParamId::StageScene, 1.0, Hand::Key),
                param(ParamId::StageScene, 2.0, Hand::Midi),
                Event::Prompt { name: Some("sea".into()), text: "s".into(), tokens: 1 },
                param(ParamId::TopK, 7.0, Hand::Key),
            ],
        );
        let wanted: [&[u8]; 7] =
            [&[0x90, 1, 5], &[0x90, 2, 127], &[0x90, 3, 127], &[0x90, 3, 0], &[0xb0, 9, 127], &[0x90, 2, 0], &[]];
        assert_eq!(said, wanted[..6].iter().map(|b| b.to_vec()).collect::<Vec<_>>());
    }

    #[test]
    fn a_lamp_goes_out_where_a_prompt_without_a_name_comes_back() {
        let back = |name: Option<&str>| {
            let (name, prompt, text) = (name.map(str::to_string), "s".into(), "t".into());
            Event::Restore { slot: 0, name, prompt, text, index: 1, ended: false, given: Vec::new() }
        };
        let held = Event::Prompt { name: Some("sea".into()), text: "s".into(), tokens: 1 };
        let said = sent("note2 = \"prompt.sea\"", vec![held, back(None), back(Some("sea"))]);
        assert_eq!(said, [[0x90, 2, 127], [0x90, 2, 0], [0x90, 2, 127]].map(|bytes| bytes.to_vec()));
    }

    #[test]
    fn a_fader_is_told_in_its_own_resolution_and_not_while_a_hand_moves_it() {
        let bindings =
            "ch3-fine7 = \"sampler.temperature\"\nbend = \"sampler.temperature\"\nnrpn300 = \"sampler.temperature\"";
        let said = sent(bindings, vec![param(ParamId::Temperature, 2.0, Hand::Patch)]);
        let wanted: [&[u8]; 7] = [
            &[0xb2, 7, 127],
            &[0xb2, 39, 127],
            &[0xe0, 127, 127],
            &[0xb0, 99, 2],
            &[0xb0, 98, 44],
            &[0xb0, 6, 127],
            &[0xb0, 38, 127],
        ];
        assert_eq!(said, wanted.map(<[u8]>::to_vec));
        let mut feedback = FeedbackOut::new(&controller("cc1 = \"sampler.temperature\""), ParamValues::default(), 0);
        let mut out = Vec::new();
        feedback.tick(0, &mut out);
        out.clear();
        for step in 0..20u64 {
            let t_ns = 1_000_000_000 + step * 10_000_000;
            let event = param(ParamId::Temperature, step as f32 * 0.1, Hand::Midi);
            feedback.event(&Stamped { seq: step, t_ns, event }, t_ns, &mut out);
            feedback.tick(t_ns + 5_000_000, &mut out);
        }
        assert!(out.is_empty(), "{out:?}");
        let due = feedback.due_ns().unwrap();
        assert_eq!(due, 1_190_000_000 + REST_NS);
        feedback.tick(due, &mut out);
        assert_eq!(out[0].bytes(), [0xb0, 1, 121]);
    }

    #[test]
    fn a_heartbeat_tells_everything_again() {
        let mut feedback =
            FeedbackOut::new(&controller("heartbeat_s = 2\ncc1 = \"sampler.temperature\""), ParamValues::default(), 0);
        let mut out = Vec::new();
        feedback.tick(0, &mut out);
        assert_eq!((out.len(), feedback.due_ns()), (1, Some(2_000_000_000)));
        feedback.tick(1_999_999_999, &mut out);
        assert_eq!(out.len(), 1);
        feedback.tick(2_000_000_000, &mut out);
        feedback.tick(4_000_000_000, &mut out);
        assert_eq!(out.len(), 3);
    }

    #[test]
    fn a_full_wire_tells_every_lamp_in_the_end() {
        let bindings: String =
            (0..128).map(|n| format!("note{n} = {{ to = \"generator.hold\", mode = \"toggle\" }}\n")).collect();
        let mut feedback = FeedbackOut::new(&controller(&bindings), ParamValues::default(), 0);
        let mut out = Vec::new();
        let mut now_ns = 0;
        while let Some(due) = feedback.due_ns() {
            now_ns = now_ns.max(due);
            feedback.tick(now_ns, &mut out);
        }
        assert_eq!(out.len(), 128);
        assert!((100_000_000..300_000_000).contains(&now_ns), "{now_ns}");
    }
}
