//! The hands with a plan, without a thread, a model or a device, under a clock that stands where it is put.

use std::sync::Arc;

use crossbeam_channel::Receiver;

use crate::control::Mapping;
use crate::model::Command;
use crate::patch;
use crate::score::{Action, Bus, Clock, Event, Hand, Key, ParamId, Params, Policy, Queue, Shutdown, Stamped, Stroke};
use crate::session::course::Course;
use crate::session::hands::{Hands, State};
use crate::session::midi_out::Synths;
use crate::session::network::Network;
use crate::session::samples::Samples;
use crate::visuals::shader;

const PIECE: &str = r#"
[prompts]
moon = "The moon"
dawn = "春"
[[scene]]
name   = "a"
over_s = 2
next   = "hand"
[scene.params]
"stage.hue"      = 0.95
"sampler.top_k"  = 10
[[scene]]
name   = "b"
prompt = "dawn"
"#;

/// The hands without their thread, and what they send.
pub(in crate::session::hands) struct Rig {
    pub state: State,
    events: Queue,
    pub commands: Receiver<Command>,
}

impl Rig {
    pub fn new(text: &str) -> Rig {
        let (bus, patch) = (Bus::new(Clock::at_rest()), patch::parse("p.toml", text).unwrap());
        let events = bus.subscribe("test", Policy::Whole, 9999);
        let (worker, commands) = crossbeam_channel::unbounded();
        let params = Arc::new(Params::default());
        let state = State {
            mapping: Mapping::new(&crate::control::known::behind(&patch)),
            prompt: 0,
            playing: 0,
            selected: ParamId::Temperature,
            awaited: None,
            erred: false,
            line: Default::default(),
            help: None,
            panicked: None,
            samples: Samples::default(),
            learning: None,
            moves: Default::default(),
            kept: Default::default(),
            ports: Vec::new(),
            tempo: Default::default(),
            pads: 0,
            tended_ns: 0,
            course: Course::new(patch.plan.clone()),
            events: bus.subscribe("hands", Policy::Coalesce, 99),
            heard: Vec::new(),
            asks: Vec::new(),
            hands: Hands {
                pictures: Default::default(),
                synths: Synths::start(&bus, &Arc::new(Params::default()), &Default::default()),
                network: Network::start(&bus, &params, Default::default(), &patch),
                tuning: crate::session::tuning::usual(),
                bus,
                params,
                worker,
                keys: crossbeam_channel::bounded(1).1,
                shutdown: Shutdown::default(),
                sound: None,
                source: crate::session::hands::Source { name: "p".into(), text: text.into() },
                patch,
                scene: 0,
                raw: false,
                system: None,
                patch_file: None,
                shader: shader::Watch::new("field", &[]),
                inputs: Vec::new(),
                shader_folders: Vec::new(),
            },
        };
        Rig { state, events, commands }
    }

    pub fn press(&mut self, key: Key) {
        self.state.stroke(Stroke::pressed(key));
    }

    pub fn until(&mut self, ms: u64) {
        while self.state.hands.bus.clock().now_ns() < ms * 1_000_000 {
            self.state.hands.bus.clock().advance_to(self.state.hands.bus.clock().now_ns() + 2_000_000);
            self.state.tend_plan();
        }
    }

    pub fn events(&self) -> Vec<Event> {
        self.stamped().into_iter().map(|stamped| stamped.event.clone()).collect()
    }

    pub fn stamped(&self) -> Vec<Arc<Stamped>> {
        let mut events = Vec::new();
        self.events.drain(&mut events);
        events
    }

    /// The names of the prompts that were asked for.
    pub fn prompts(&self) -> Vec<String> {
        let name = |command| match command {
            Command::Prompt { name, .. } => name,
            _ => None,
        };
        self.commands.try_iter().filter_map(name).collect()
    }
}

#[test]
fn a_piece_without_scenes_begins_with_its_first_prompt() {
    let mut rig = Rig::new("[prompts]\nmoon = \"The moon\"\n");
    rig.state.begin();
    rig.until(1000);
    assert_eq!((rig.events(), rig.prompts()), (vec![], vec!["moon".to_string()]));
    for (key, text) in [('N', "the patch has no scenes"), ('P', "the patch has no scenes")] {
        rig.press(Key::Char(key));
        assert_eq!(rig.events(), [Event::Notice { text: text.into() }]);
    }
}

#[test]
fn keys_lead_through_the_plan() {
    let mut rig = Rig::new(PIECE);
    rig.state.begin();
    let scene = |name: &str, index| Event::Scene { name: name.into(), index, of: 2 };
    let flipped = Event::Param { id: ParamId::TopK, value: 10.0, by: Hand::Plan };
    assert_eq!((rig.events(), rig.prompts()), (vec![scene("a", 0), flipped], vec!["moon".to_string()]));
    rig.press(Key::Char('P'));
    assert_eq!(rig.events(), [Event::Notice { text: "this is the first scene".into() }]);
    rig.press(Key::Char('N'));
    assert_eq!((rig.events(), rig.prompts()), (vec![scene("b", 1)], vec!["dawn".to_string()]));
    rig.press(Key::Char('N'));
    assert_eq!(rig.events(), [Event::Notice { text: "this is the last scene".into() }]);
    rig.state.act(crate::score::Action::Scene("a".into()), Hand::Midi);
    assert_eq!(rig.events(), [scene("a", 0)], "what stands there already is not set again");
    rig.state.act(crate::score::Action::Scene("c".into()), Hand::Midi);
    assert!(matches!(&rig.events()[..], [Event::Notice { text }] if text.starts_with("there is no scene \"c\"")));
}

#[test]
fn a_glide_is_the_plans_until_a_hand_takes_it() {
    let mut rig = Rig::new(PIECE);
    rig.state.begin();
    rig.until(1000);
    let value = |rig: &Rig| rig.state.hands.params.get(ParamId::Hue);
    assert!((value(&rig) - 0.75).abs() < 0.02, "{}", value(&rig));
    let moves = rig.events().iter().filter(|e| matches!(e, Event::Param { id: ParamId::Hue, .. })).count();
    assert!((18..=20).contains(&moves), "{moves}");
    rig.state.set(ParamId::Hue, 0.1, Hand::Midi);
    rig.until(5000);
    assert_eq!(value(&rig), 0.1);
    assert_eq!(rig.events(), [Event::Param { id: ParamId::Hue, value: 0.1, by: Hand::Midi }]);
}

#[test]
fn a_changed_patch_is_led_to_in_its_scene() {
    let mut rig = Rig::new(PIECE);
    rig.state.begin();
    rig.until(3000);
    rig.press(Key::Char('N'));
    rig.press(Key::Char('P'));
    drop((rig.events(), rig.prompts()));
    let text = PIECE.replace("0.95", "0.15");
    rig.state.take_patch(patch::parse("p.toml", &text).unwrap(), "p.toml".into(), text);
    rig.until(6000);
    assert_eq!(rig.state.hands.params.get(ParamId::Hue), 0.15);
    let by_plan = |e: &Event| matches!(e, Event::Param { by: Hand::Plan, .. });
    let events = rig.events();
    let ids: std::collections::HashSet<ParamId> = events
        .iter()
        .filter(|e| by_plan(e))
        .filter_map(|e| if let Event::Param { id, .. } = e { Some(*id) } else { None })
        .collect();
    assert_eq!(ids.into_iter().collect::<Vec<_>>(), [ParamId::Hue]);
    assert!(!events.iter().any(|e| matches!(e, Event::Scene { .. })) && rig.prompts().is_empty());
}

#[test]
fn a_panic_lasts_until_it_is_taken_back_and_gives_back_what_was() {
    let mut rig = Rig::new("[prompts]\nmoon = \"The moon\"\n");
    let panics = |rig: &Rig| rig.events().iter().filter(|event| **event == Event::Panic).count();
    let at = |rig: &Rig| [ParamId::Mute, ParamId::Hold].map(|id| rig.state.hands.params.get(id));
    rig.press(Key::Char(' '));
    rig.press(Key::Char('!'));
    assert_eq!((panics(&rig), at(&rig)), (1, [1.0, 1.0]));
    // Neither plan nor patch ends it; what they set holds afterwards.
    rig.state.set(ParamId::Mute, 0.0, Hand::Plan);
    rig.state.set(ParamId::Hold, 1.0, Hand::Patch);
    assert_eq!(at(&rig), [1.0, 1.0]);
    rig.press(Key::Char('!'));
    assert_eq!((panics(&rig), at(&rig)), (0, [0.0, 1.0]));
    rig.press(Key::Char('!'));
    assert_eq!((panics(&rig), at(&rig)), (1, [1.0, 1.0]));
}

#[test]
fn the_help_turns_its_pages_both_ways_until_it_is_closed() {
    let mut rig = Rig::new(PIECE);
    let before = rig.state.hands.params.values();
    let turned = [Key::PageDown, Key::PageUp, Key::PageUp, Key::PageUp, Key::Escape, Key::Escape];
    let keys = ['?', '?'].map(Key::Char).into_iter().chain(turned);
    keys.for_each(|key| rig.press(key));
    let mut heard = Vec::new();
    rig.events.drain(&mut heard);
    let shown: Vec<(bool, u32)> = heard
        .iter()
        .filter_map(|stamped| match stamped.event {
            Event::Help { on, page } => Some((on, page)),
            _ => None,
        })
        .collect();
    assert_eq!(shown, [(true, 0), (true, 1), (true, 2), (true, 1), (true, 0), (false, 0)]);
    assert_eq!(rig.state.hands.params.values(), before, "no parameter was turned");
}

#[test]
fn a_key_gives_the_next_digit_its_meaning_once() {
    let mut rig = Rig::new(PIECE);
    let mut commands = |keys: &str| {
        keys.chars().for_each(|c| rig.press(Key::Char(c)));
        let told = |command| match command {
            Command::Snapshot(slot) => format!("keep {slot}"),
            Command::Restore(slot) => format!("restore {slot}"),
            Command::Blend { name, .. } => format!("blend {}", name.unwrap_or_default()),
            Command::Prompt { name, .. } => format!("prompt {}", name.unwrap_or_default()),
            _ => "another".to_string(),
        };
        rig.commands.try_iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(commands("a3A31"), ["keep 2", "restore 2", "prompt moon"]);
    assert_eq!(commands("w2w02"), ["blend dawn", "blend ", "prompt dawn"]);
    // Another key does what it always does, and nothing is awaited any more.
    assert_eq!(commands("ar1"), ["another", "prompt moon"]);
    assert_eq!(commands("a9w9"), [""; 0]);
    rig.press(Key::Tab);
    assert_eq!(rig.state.selected, ParamId::Pace);
}

#[test]
fn a_key_that_has_nothing_to_do_says_so() {
    let mut rig = Rig::new(PIECE);
    let mut said = |key| {
        rig.press(Key::Char(key));
        let mut heard = Vec::new();
        rig.events.drain(&mut heard);
        let notice = heard.into_iter().find_map(|stamped| match &stamped.event {
            Event::Notice { text } => Some(text.clone()),
            _ => None,
        });
        notice.unwrap_or_default()
    };
    assert_eq!(said('9'), "the patch has no prompt 9");
    assert!(said('f').contains("window") && said('g').contains("window") && said('o').is_empty());
}

#[test]
fn one_key_panics_whatever_is_open() {
    for open in [":", ":!", "?", "a", "J", "L", "L2", ":x?"] {
        let mut rig = Rig::new("[prompts]\nmoon = \"The moon\"\nsea = \"O sea\"\n");
        open.chars().for_each(|c| rig.press(Key::Char(c)));
        rig.events();
        rig.press(Key::Ctrl('g'));
        assert_eq!(rig.state.hands.params.get(ParamId::Mute), 1.0, "{open}");
        assert!(rig.events().contains(&Event::Panic), "{open}");
        rig.press(Key::Ctrl('g'));
        assert_eq!(rig.state.hands.params.get(ParamId::Mute), 0.0, "{open}");
    }
}

#[test]
fn of_what_waits_for_a_digit_what_was_pressed_last_has_it() {
    for (keys, kept, learnt) in
        [("La2", true, false), ("aL2", false, true), ("La2L", true, false), ("Lax2", false, true)]
    {
        let mut rig = Rig::new("[prompts]\nmoon = \"The moon\"\nsea = \"O sea\"\n");
        keys.chars().for_each(|c| rig.press(Key::Char(c)));
        let snapshot = rig.commands.try_iter().any(|command| matches!(command, Command::Snapshot(1)));
        let learns = |event: &Event| matches!(event, Event::Notice { text } if text.contains("learn prompt.sea"));
        assert_eq!((snapshot, rig.events().iter().any(learns)), (kept, learnt), "{keys}");
        assert!(rig.state.learning.is_some() && rig.state.awaited.is_none(), "{keys}");
    }
    // Typed meanwhile by another hand: the next digits are letters, and nothing is awaited after them.
    let mut rig = Rig::new("[prompts]\nmoon = \"The moon\"\n");
    rig.press(Key::Char('a'));
    rig.state.act(Action::Type, Hand::Osc);
    [Key::Char('2'), Key::Escape, Key::Char('2')].into_iter().for_each(|key| rig.press(key));
    assert!(!rig.commands.try_iter().any(|command| matches!(command, Command::Snapshot(_))));
}

#[test]
fn a_panic_drops_what_waits() {
    let mut rig = Rig::new("[prompts]\nmoon = \"m\"\n");
    rig.press(Key::Char('L'));
    rig.press(Key::Char(':'));
    rig.press(Key::Char('x'));
    rig.commands.try_iter().for_each(drop);
    rig.state.act(Action::Panic, Hand::Midi);
    assert!(rig.state.learning.is_none());
    assert!(rig.events().iter().any(|event| matches!(event, Event::Typing { on: false, .. })));
    assert!(rig.commands.try_iter().any(|command| matches!(command, Command::Unqueue)));
    rig.press(Key::Char('q'));
    assert!(rig.state.hands.shutdown.requested(), "keys are keys again");
}
