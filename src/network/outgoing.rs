//! What goes out: events become messages, moments at once and values as often as somebody can follow.
//!
//! Pure, under whatever clock the caller has. A value is sent when it moves, then at most thirty times a second, and
//! where it comes to rest in any case.

use super::address::{self, Place};
use super::packet::{self, Arg, Message, say};
use crate::score::{Event, Flaw, Happening, ParamId, ParamValues, SignalId, SignalValues, Since, Stamped, Token};

/// The time from one message of an address to its next.
const EVERY_NS: u64 = 33_333_333;
/// A signal that moves by less than this part of its range stays as it was sent.
const STILL: f32 = 1.0 / 2000.0;

/// When a value was sent last, and whether it has moved since.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    moved: bool,
    sent_ns: Option<u64>,
}

impl Pace {
    /// True, once, where a message is due.
    fn due(&mut self, now_ns: u64) -> bool {
        let due = self.moved && self.sent_ns.is_none_or(|sent_ns| now_ns >= sent_ns.saturating_add(EVERY_NS));
        if due {
            *self = Pace { moved: false, sent_ns: Some(now_ns) };
        }
        due
    }
}

/// What is known of the performance, and what of it is yet to be said.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Whether signals are said, too.
    pub say_signals: bool,
    pub params: ParamValues,
    pub signals: SignalValues,
    since: Since,
    param_paces: [Pace; ParamId::COUNT],
    signal_paces: [Pace; SignalId::COUNT],
    /// The signals as they were said.
    said: SignalValues,
    /// Moments that are to be said at the next tick.
    moments: Vec<Message>,
    /// The prompt and the scene as they were said.
    prompt: Option<Message>,
    scene: Option<Message>,
}

impl Outgoing {
    /// Begins with the parameters as they stand; they are said at the first tick.
    pub fn new(params: ParamValues, say_signals: bool) -> Outgoing {
        let mut outgoing = Outgoing {
            say_signals,
            params,
            signals: SignalValues::default(),
            since: Since::default(),
            param_paces: [Pace::default(); ParamId::COUNT],
            signal_paces: [Pace::default(); SignalId::COUNT],
            said: SignalValues::default(),
            moments: Vec::new(),
            prompt: None,
            scene: None,
        };
        outgoing.say_all();
        outgoing
    }

    /// Says everything anew: there is somebody who has not heard it.
    pub fn say_all(&mut self) {
        self.param_paces = [Pace { moved: true, sent_ns: None }; ParamId::COUNT];
        self.said = SignalValues::default();
        self.moments.extend(self.prompt.iter().chain(&self.scene).cloned());
    }

    /// Takes an event.
    pub fn event(&mut self, stamped: &Stamped) {
        stamped.event.apply(&mut self.signals);
        if let Some(what) = Happening::of(&stamped.event) {
            self.since.happened(what, stamped.t_ns);
        }
        match &stamped.event {
            Event::Param { id, value, .. } => {
                self.params.set(*id, *value);
                self.param_paces[*id as usize].moved = true;
            }
            Event::Prompt { name, text, .. } | Event::Restore { name, prompt: text, .. } => {
                self.prompt = Some(prompt(name.as_deref(), text));
            }
            Event::Scene { name, index, of } => {
                let args = vec![packet::text(name), Arg::Int(*index as i32), Arg::Int(*of as i32)];
                self.scene = Some(say("/xiao/scene", args));
            }
            _ => {}
        }
        self.moments.extend(match &stamped.event {
            Event::Prompt { .. } | Event::Restore { .. } => self.prompt.clone(),
            Event::Scene { .. } => self.scene.clone(),
            event => moment(event),
        });
    }

    /// What is to be said now.
    pub fn tick(&mut self, now_ns: u64, into: &mut Vec<Message>) {
        self.since.write(now_ns, &mut self.signals);
        // What set a moment off stands before it.
        for id in ParamId::ALL {
            if self.param_paces[*id as usize].due(now_ns) {
                let (param, travel) = (Place::Param(*id), Place::Travel(*id));
                into.extend([param, travel].iter().filter_map(|place| self.answer(place)));
            }
        }
        into.append(&mut self.moments);
        if !self.say_signals {
            return;
        }
        for id in SignalId::ALL {
            let (value, said) = (self.signals.get(*id), self.said.get(*id));
            let still = (id.spec().max - id.spec().min) * STILL;
            let pace = &mut self.signal_paces[*id as usize];
            pace.moved = match (value, said) {
                (Some(value), Some(said)) => (value - said).abs() >= still,
                (value, said) => value != said,
            };
            if pace.due(now_ns) {
                self.said.set(*id, value);
                into.extend(self.answer(&Place::Signal(*id)));
            }
        }
    }

    /// What is answered to whoever asks what stands at a place; nothing where it has no value.
    pub fn answer(&self, place: &Place) -> Option<Message> {
        Some(match place {
            Place::Param(id) => say(address::of("param", id.name()), vec![value(*id, self.params.get(*id))]),
            Place::Travel(id) => {
                let position = id.spec().position(self.params.get(*id));
                say(address::of("travel", id.name()), vec![Arg::Float(position)])
            }
            // Absent is not zero.
            Place::Signal(id) => {
                say(address::of("signal", id.name()), vec![self.signals.get(*id).map_or(Arg::Nil, Arg::Float)])
            }
            Place::Prompt => self.prompt.clone()?,
            Place::Scene => self.scene.clone()?,
            Place::Moment(_) | Place::Told(_) | Place::Dump => return None,
        })
    }

    /// Every parameter, every signal that there is, the prompt and the scene.
    pub fn dump(&self) -> impl Iterator<Item = Message> {
        let params = ParamId::ALL.iter().map(|id| Place::Param(*id));
        let there = SignalId::ALL.iter().filter(move |id| self.signals.get(**id).is_some());
        let places = params.chain(there.map(|id| Place::Signal(*id))).chain([Place::Prompt, Place::Scene]);
        places.filter_map(move |place| self.answer(&place))
    }
}

/// A parameter's value as OSC has it.
pub fn value(id: ParamId, value: f32) -> Arg {
    match address::kind(id) {
        "s" => id.spec().name_of(value).map_or(Arg::Nil, packet::text),
        "i" => Arg::Int(value as i32),
        "T" => Arg::Bool(value >= 0.5),
        _ => Arg::Float(value),
    }
}

fn prompt(name: Option<&str>, text: &str) -> Message {
    say("/xiao/prompt", vec![packet::text(name.unwrap_or_default()), packet::text(text)])
}

/// What an event says by itself.
fn moment(event: &Event) -> Option<Message> {
    Some(match event {
        Event::Token(Token { text, p, surprise_bits, latency_ms, .. }) => {
            let numbers = [*p, *surprise_bits, *latency_ms].map(Arg::Float);
            say("/xiao/token", [vec![packet::text(text)], numbers.to_vec()].concat())
        }
        Event::Flaw(Flaw { kind, cause, .. }) => {
            // The words of the journal and of patches.
            let word = serde_json::to_value(kind).ok()?;
            say("/xiao/flaw", vec![packet::text(word.as_str()?), packet::text(cause)])
        }
        Event::Fault { place, what, remedy } => {
            say("/xiao/fault", [place, what, remedy].map(|text| packet::text(text)).to_vec())
        }
        Event::Settings { name, over_s } => say("/xiao/settings", vec![packet::text(name), Arg::Float(*over_s)]),
        Event::Queued { text, .. } if text.is_empty() => say("/xiao/queued", vec![packet::text(""), packet::text("")]),
        Event::Queued { name, text, when } => {
            say("/xiao/queued", vec![packet::text(name.as_deref().unwrap_or(text)), packet::text(when.name())])
        }
        Event::PieceEnd { tokens } => say("/xiao/piece_end", vec![Arg::Int(*tokens as i32)]),
        Event::Tempo { bpm, beat, from, .. } => {
            say("/xiao/tempo", vec![Arg::Float(*bpm as f32), Arg::Float(*beat as f32), packet::text(from)])
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::{FlawKind, Hand, MachineSample};

    const MS: u64 = 1_000_000;

    struct Rig {
        outgoing: Outgoing,
        now_ns: u64,
    }

    impl Rig {
        fn new(signals: bool) -> Rig {
            let mut rig = Rig { outgoing: Outgoing::new(ParamValues::default(), signals), now_ns: 0 };
            rig.until(100);
            rig
        }

        fn take(&mut self, event: Event) {
            self.outgoing.event(&Stamped { seq: 0, t_ns: self.now_ns, event });
        }

        /// What is said until then, without signals that follow from time alone.
        fn until(&mut self, ms: u64) -> Vec<(u64, Message)> {
            let (mut said, mut now) = (Vec::new(), Vec::new());
            while self.now_ns < ms * MS {
                self.now_ns += 2 * MS;
                self.outgoing.tick(self.now_ns, &mut now);
                said.extend(now.drain(..).map(|message| (self.now_ns / MS, message)));
            }
            said.retain(|(_, message)| !message.addr.ends_with("waiting") && !message.addr.starts_with("/xiao/travel"));
            said
        }
    }

    fn turn(value: f32) -> Event {
        Event::Param { id: ParamId::Hue, value, by: Hand::Midi }
    }

    #[test]
    fn a_parameter_is_said_when_it_moves_and_where_it_rests() {
        let mut rig = Rig::new(false);
        assert_eq!(rig.until(200), []);
        rig.take(turn(0.25));
        let hue = |value| say("/xiao/param/stage/hue", vec![Arg::Float(value)]);
        assert_eq!(rig.until(300), [(202, hue(0.25))]);
        // Turned five hundred times a second for a second.
        let mut said = Vec::new();
        for i in 0..500u64 {
            rig.take(turn(i as f32 / 1000.0));
            said.extend(rig.until(300 + 2 * (i + 1)));
        }
        said.extend(rig.until(2000));
        assert!((29..=31).contains(&said.len()), "{}", said.len());
        assert_eq!(said.last().unwrap().1, hue(0.499));
    }

    #[test]
    fn values_have_their_types_and_travel_goes_along() {
        let mut rig = Rig::new(false);
        for (id, value) in [(ParamId::TopK, 7.0), (ParamId::Hold, 1.0), (ParamId::StageScene, 1.0)] {
            rig.take(Event::Param { id, value, by: Hand::Osc });
        }
        let mut said = Vec::new();
        rig.outgoing.tick(rig.now_ns + MS, &mut said);
        let wanted = [
            ("/xiao/param/sampler/top_k", Arg::Int(7)),
            ("/xiao/travel/sampler/top_k", Arg::Float(7.0 / 500.0)),
            ("/xiao/param/generator/hold", true.into()),
            ("/xiao/travel/generator/hold", Arg::Float(1.0)),
            ("/xiao/param/stage/scene", "river".into()),
            ("/xiao/travel/stage/scene", Arg::Float(1.0 / 7.0)),
        ];
        assert_eq!(said, wanted.map(|(address, arg)| say(address, vec![arg])));
    }

    #[test]
    fn moments_are_said_at_once_and_each() {
        let mut rig = Rig::new(false);
        let token = Token {
            id: 1,
            text: "a\0".into(),
            index: 0,
            latency_ms: 12.0,
            p: 0.5,
            surprise_bits: 1.0,
            entropy_bits: 2.0,
            context_fill: 0.1,
            top: Vec::new(),
            inside: Default::default(),
        };
        let flaw = Flaw { kind: FlawKind::ScriptMix, index: 1, period: 1, count: 1, cause: "春a".into() };
        rig.take(Event::Scene { name: "a".into(), index: 0, of: 2 });
        rig.take(Event::Prompt { name: None, text: "The moon".into(), tokens: 3 });
        rig.take(Event::Restore {
            slot: 0,
            name: None,
            prompt: "O sea".into(),
            text: "so".into(),
            index: 1,
            ended: false,
            given: Vec::new(),
        });
        rig.take(Event::Token(token.clone()));
        rig.take(Event::Token(token));
        rig.take(Event::Flaw(flaw));
        rig.take(Event::Fault { place: "a".into(), what: "b".into(), remedy: "c".into() });
        rig.take(Event::PieceEnd { tokens: 9 });
        rig.take(Event::Note { text: "unsaid".into() });
        let numbers = [0.5, 1.0, 12.0].map(Arg::Float);
        let token = say("/xiao/token", [vec!["a␀".into()], numbers.to_vec()].concat());
        let wanted = [
            say("/xiao/scene", vec!["a".into(), Arg::Int(0), Arg::Int(2)]),
            say("/xiao/prompt", vec!["".into(), "The moon".into()]),
            say("/xiao/prompt", vec!["".into(), "O sea".into()]),
            token.clone(),
            token,
            say("/xiao/flaw", vec!["script_mix".into(), "春a".into()]),
            say("/xiao/fault", vec!["a".into(), "b".into(), "c".into()]),
            say("/xiao/piece_end", vec![Arg::Int(9)]),
        ];
        assert_eq!(rig.until(102).into_iter().map(|(_, said)| said).collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn signals_are_said_when_they_change_and_thirty_times_a_second() {
        let sample = |value: f32| {
            Event::Machine(MachineSample { values: vec![(SignalId::Temperature, value)], ..Default::default() })
        };
        let (mut rig, mut silent) = (Rig::new(true), Rig::new(false));
        let warm =
            |said: Vec<(u64, Message)>| said.into_iter().filter(|(_, m)| m.addr.ends_with("temperature")).count();
        rig.take(sample(50.0));
        assert_eq!(warm(rig.until(1000)), 1);
        let mut count = 0;
        for i in 0..500u64 {
            rig.take(sample(50.0 + i as f32 / 10.0));
            silent.take(sample(i as f32));
            count += warm(rig.until(1000 + 2 * (i + 1)));
        }
        assert!((29..=31).contains(&count), "{count}");
        assert_eq!(warm(silent.until(2000)), 0);
        assert_eq!(warm(rig.until(3000)), 1);
        rig.take(sample(99.9));
        rig.take(sample(99.91));
        assert_eq!(warm(rig.until(4000)), 0);
        // It is gone, and that is said once.
        rig.take(Event::Machine(MachineSample {
            absent: vec![(SignalId::Temperature, "unplugged".into())],
            ..Default::default()
        }));
        let gone = rig.until(5000);
        assert!(gone.iter().any(|(_, m)| *m == say("/xiao/signal/machine/temperature", vec![Arg::Nil])), "{gone:?}");
    }

    #[test]
    fn everything_is_dumped_with_what_is_there() {
        let mut rig = Rig::new(false);
        let before = rig.outgoing.dump().count();
        assert!(before >= ParamId::COUNT);
        rig.take(Event::Machine(MachineSample { values: vec![(SignalId::Cpu, 0.5)], ..Default::default() }));
        rig.take(Event::Scene { name: "a".into(), index: 0, of: 2 });
        let dump: Vec<_> = rig.outgoing.dump().collect();
        assert_eq!(dump.len(), before + 2);
        assert!(dump.contains(&say("/xiao/signal/machine/cpu", vec![Arg::Float(0.5)])));
        assert_eq!(rig.outgoing.answer(&Place::Dump), None);
        let absent = say("/xiao/signal/machine/fan", vec![Arg::Nil]);
        assert_eq!(rig.outgoing.answer(&Place::Signal(SignalId::Fan)), Some(absent));
        // Somebody new hears all of it.
        rig.until(200);
        rig.outgoing.say_all();
        assert!(rig.until(300).len() > ParamId::COUNT);
    }
}
