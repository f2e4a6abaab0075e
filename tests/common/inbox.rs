//! Any bytes as what comes in from outside while a show plays: MIDI and OSC. The fuzz targets call the same.

use std::collections::BTreeSet;

use xiao::control::learn::Learn;
use xiao::control::{ClockIn, Mapping, clock_in};
use xiao::network::complaints::Complaints;
use xiao::network::incoming::{self, Allowance, Heard};
use xiao::network::outgoing::Outgoing;
use xiao::network::query::{self, Known};
use xiao::network::{Names, Space, packet};
use xiao::patch::hands::reserved;
use xiao::patch::{Kind, parse};
use xiao::score::{Action, ParamId, ParamValues, Params, Timeline};

/// A control of every kind that MIDI has, in every way to play.
const PATCH: &str = r#"
controllers = false
[prompts]
moon = "m"
dawn = "d"
[midi."*"]
cc1 = "sampler.temperature"
cc2 = { to = "sampler.top_p", takeover = "pickup", curve = "exp" }
cc3 = { to = "sampler.min_p", takeover = "scale", steps = 5 }
cc4 = { to = "stage.scene", value = [1, 2, 3] }
cc16 = { to = "generator.pace", encoder = "twos" }
cc17 = { to = "generator.pace", encoder = "offset" }
cc18 = { to = "sampler.top_k", encoder = "sign" }
cc19 = { to = "sampler.top_k", encoder = "sign_turned", step = 0.1 }
fine7 = { to = "sound.level_db", range = [0, -40] }
nrpn1300 = "stage.hue"
rpn5 = "stage.certainty"
bend = { to = "generator.blend", speed = 2 }
pressure = "sound.token.brightness"
poly36 = "sound.reverb.mix"
mpe-bend = "sound.hum.pitch"
mpe-pressure = "sound.hum.brightness"
mpe-slide = "sound.delay.mix"
program = "stage.palette"
program5 = "prompt.moon"
note1 = { to = "prompt.moon", mode = "hold" }
ch2-note1 = { to = "prompt.dawn", mode = "hold" }
cc65 = { to = "prompt.dawn", mode = "hold" }
note40 = "generator.hold"
cc64 = "generator.hold"
note41 = { to = "stage.freeze", mode = "toggle" }
note42 = { to = "sampler.top_k", step = -0.05 }
note43 = { to = "sampler.top_p", speed = -0.5 }
"#;

/// Hands that hear whatever is sent to them.
pub struct Hands {
    mapping: Mapping,
    learn: Learn,
    clock: ClockIn,
    beats: Timeline,
    params: Params,
    /// The prompts that are held.
    down: BTreeSet<String>,
    now_ns: u64,
    /// How often anything was asked for, and a prompt held.
    asked: [usize; 2],
}

impl Hands {
    pub fn new() -> Hands {
        Hands {
            mapping: Mapping::new(&parse("inbox.toml", PATCH).unwrap().controllers),
            learn: Learn::new(false),
            clock: ClockIn::at(0),
            beats: Timeline::new(0, 0.0, 90.0),
            params: Params::default(),
            down: BTreeSet::new(),
            now_ns: 0,
            asked: [0; 2],
        }
    }

    /// One message, whatever it is.
    pub fn midi(&mut self, message: &[u8]) {
        self.now_ns += 700_000;
        let (params, learn, now_ns) = (&self.params, &mut self.learn, self.now_ns);
        let mut actions = Vec::new();
        let mut heard = |said| learn.hear(Kind::Midi, "port", said, now_ns);
        self.mapping.message("port", message, &|id| params.get(id), &mut actions, &mut heard);
        self.mapping.passes(0.0007, &|id| params.get(id), &mut |_, id, value| actions.push(Action::Set(id, value)));
        self.take(actions);
        if let Some(learnt) = self.learn.learnt(now_ns) {
            assert_eq!(reserved(learnt.source), None);
        }
        if clock_in::is_clock(message) {
            self.clock.hear(now_ns, message);
            if let Some(beats) = self.clock.correction(&self.beats) {
                assert!((20.0..=300.0).contains(&beats.bpm()));
                self.beats = beats;
            }
        }
    }

    /// The cable is pulled out: nothing stays pressed. Says how often anything was asked for, and a prompt held.
    pub fn end(mut self) -> [usize; 2] {
        let let_go = self.mapping.let_go(None, &|id| self.params.get(id));
        self.take(let_go.into_iter().map(|(_, action)| action).collect());
        assert!(self.down.is_empty(), "still held: {:?}", self.down);
        assert_eq!(self.params.get(ParamId::Hold), 0.0, "the tokens are still withheld");
        self.asked
    }

    fn take(&mut self, actions: Vec<Action>) {
        for action in actions {
            self.asked[0] += 1;
            match action {
                Action::Set(id, value) => {
                    let spec = id.spec();
                    assert!((spec.min..=spec.max).contains(&value), "{} = {value}", id.name());
                    self.params.set(id, value);
                }
                Action::PromptDown(name) => {
                    self.asked[1] += 1;
                    self.down.insert(name);
                }
                Action::PromptUp(name) => drop(self.down.remove(&name)),
                Action::Prompt(name) => assert_eq!(name, "moon"),
                other => panic!("nothing is bound to {other:?}"),
            }
        }
    }
}

/// A packet, and a request of OSCQuery.
pub fn osc(bytes: &[u8]) {
    thread_local! {
        static SPACE: Space = Space::new(Names {
            prompts: vec!["dawn".into(), "春".into()],
            scenes: vec!["a".into()],
            settings: vec!["dusk".into()],
        });
        static NOW: Outgoing = Outgoing::new(ParamValues::default(), true);
    }
    let at = "127.0.0.1:9000".parse().unwrap();
    SPACE.with(|space| {
        NOW.with(|now| {
            let (mut allowance, mut complaints, mut heard) =
                (Allowance::default(), Complaints::default(), Heard::default());
            incoming::packet(bytes, (at, 0), space, &mut allowance, &mut complaints, &mut heard);
            for action in &heard.actions {
                if let Action::Set(_, value) = action {
                    assert!(value.is_finite());
                }
            }
            let answers = heard.asked.iter().filter_map(|place| now.answer(place));
            for answer in answers {
                assert!(packet::messages(&packet::bytes(answer)).is_ok());
            }
            if let Some(answer) = query::answer(bytes, &Known { at, space, now }) {
                assert!(answer.starts_with(b"HTTP/1.1 "));
            }
        });
    });
}
