//! Performances that are written and not played: events at their times, for what is to be rendered.

use xiao::patch;
use xiao::score::{
    Candidate, Event, Flaw, FlawKind, Hand, Inside, MachineSample, ParamId, SignalId, Spent, Stamped, Token,
};

/// Events in the making.
pub struct Scene(Vec<(f32, Event)>);

impl Scene {
    /// Begins as a performance of this built-in patch does.
    pub fn new(patch: &str) -> Scene {
        Scene::of(patch, patch::builtin(patch).unwrap())
    }

    pub fn of(name: &str, text: &str) -> Scene {
        let patch = patch::parse(name, text).unwrap();
        let mut scene = Scene(Vec::new());
        scene.at(0.0, Event::Patch { name: name.into(), text: text.into() });
        let layout = Default::default();
        scene.at(0.0, Event::Sound { rate_hz: 48_000, seed: 7, output: String::new(), layout });
        for (id, value) in patch.params {
            scene.at(0.0, Event::Param { id, value, by: Hand::Patch });
        }
        scene
    }

    pub fn at(&mut self, seconds: f32, event: Event) {
        self.0.push((seconds, event));
    }

    /// The events in their order; the performance ends then.
    pub fn end(mut self, seconds: f32) -> Vec<Stamped> {
        self.at(seconds, Event::Note { text: "end".into() });
        self.0.sort_by(|a, b| a.0.total_cmp(&b.0));
        let stamp = |(i, (s, event)): (usize, (f32, Event))| Stamped {
            seq: i as u64,
            t_ns: (f64::from(s) * 1e9) as u64,
            event,
        };
        self.0.into_iter().enumerate().map(stamp).collect()
    }
}

/// A token as a middling model on a middling machine draws it.
fn plain() -> Token {
    Token {
        id: 3,
        text: " moon".into(),
        index: 0,
        latency_ms: 100.0,
        p: 0.2,
        surprise_bits: 2.3,
        entropy_bits: 3.0,
        context_fill: 0.3,
        top: (0..4).map(|i| Candidate { id: i, text: "x".into(), p: 0.3 / (i + 1) as f32 }).collect(),
        inside: Inside {
            spent: Spent { attention_ms: 20.0, ..Spent::default() },
            layers_us: vec![10_000; 8],
            lens: Vec::new(),
        },
    }
}

pub fn token(index: u32, surprise_bits: f32) -> Event {
    let text = [" the", "月", ",", " river", "\n"][index as usize % 5].into();
    Event::Token(Token { index, text, surprise_bits, p: (-surprise_bits).exp2(), ..plain() })
}

/// A machine with eight cores, a third busy, and every sensor; what is given stands in the place of the usual.
pub fn machine(given: &[(SignalId, f32)]) -> Event {
    let usual = [
        (SignalId::Cpu, 0.3),
        (SignalId::CpuPeak, 0.3),
        (SignalId::LoadAverage, 0.4),
        (SignalId::Memory, 0.4),
        (SignalId::OwnMemory, 100.0),
        (SignalId::Swap, 0.0),
        (SignalId::CpuPressure, 0.0),
        (SignalId::MemoryPressure, 0.0),
        (SignalId::IoPressure, 0.0),
        (SignalId::Temperature, 45.0),
        (SignalId::Fan, 1500.0),
        (SignalId::Power, 20.0),
    ];
    let value = |(id, usual)| (id, given.iter().find(|(other, _)| *other == id).map_or(usual, |(_, given)| *given));
    let core = |i: usize| {
        let id = SignalId::ALL[SignalId::Core1 as usize + i];
        given.iter().find(|(other, _)| *other == id).map_or(0.3, |(_, given)| *given)
    };
    Event::Machine(MachineSample {
        values: usual.map(value).to_vec(),
        cores: (0..8).map(core).collect(),
        absent: Vec::new(),
    })
}

/// Fourteen seconds in which nothing moves but this signal, which stands at one end of its range, 0 or 1.
pub fn performance(id: SignalId, at: f32) -> Vec<Stamped> {
    let spec = id.spec();
    let value = spec.min + at * (spec.max - spec.min);
    let (mut scene, mut token) = (Scene::new("first"), plain());
    let (mut interval, mut talking) = (0.25, 14.0);
    let mut given = Vec::new();
    match id {
        SignalId::Latency => token.latency_ms = value,
        SignalId::Rate => interval = if at > 0.5 { 1.0 / spec.max } else { 1.0 },
        SignalId::Probability => token.p = value,
        SignalId::Surprise => token.surprise_bits = value,
        SignalId::Entropy => token.entropy_bits = value,
        SignalId::AttentionTime => token.inside.spent.attention_ms = value.max(0.1),
        SignalId::FeedForwardTime => token.inside.spent.feed_forward_ms = value,
        SignalId::OutputTime => token.inside.spent.output_ms = value,
        SignalId::SamplingTime => token.inside.spent.sampling_ms = value,
        SignalId::BytesRead => token.inside.spent.read_mb = value,
        // What a token draws is watts times seconds: above 100 W the power's own cable is at its end.
        SignalId::Energy => given.push((SignalId::Power, 100.0 + 100.0 * at)),
        SignalId::ContextFill => token.context_fill = value,
        SignalId::Load | SignalId::Prefill | SignalId::Waiting => talking = 0.0,
        SignalId::Flaw | SignalId::Fault | SignalId::Forgetting | SignalId::Xrun | SignalId::SoundLoad => {}
        id if (SignalId::Layers1..=SignalId::Layers8).contains(&id) => {
            token.inside.layers_us[id as usize - SignalId::Layers1 as usize] = (1000.0 * value) as u32;
        }
        id => given.push((id, value)),
    }
    for i in 0..70 {
        scene.at(0.2 * i as f32, machine(&given));
    }
    let mut index = 0;
    while index as f32 * interval < talking {
        token.index = index;
        scene.at(index as f32 * interval, Event::Token(token.clone()));
        index += 1;
    }
    let on = at > 0.5;
    match id {
        SignalId::Flaw if on => {
            let flaw = Flaw { kind: FlawKind::Leap, index: 40, period: 1, count: 1, cause: String::new() };
            scene.at(10.0, Event::Flaw(flaw));
        }
        SignalId::Fault if on => {
            scene.at(10.0, Event::Fault { place: "generator".into(), what: "x".into(), remedy: String::new() });
        }
        SignalId::Forgetting if on => scene.at(10.0, Event::Forget { tokens: 9, kept: 1, text: String::new() }),
        SignalId::Xrun if on => scene.at(10.0, Event::Callback { load: 0.0, xruns: 1 }),
        SignalId::SoundLoad => {
            (0..28).for_each(|i| scene.at(0.5 * i as f32, Event::Callback { load: value, xruns: 0 }))
        }
        // The part that has been read stands still, or has come to its end.
        SignalId::Load => (0..60).for_each(|i| {
            scene.at(2.0 + 0.2 * i as f32, Event::Load { done: (f64::from(value) * 1e6) as u64, total: 1_000_000 });
        }),
        SignalId::Prefill => {
            scene.at(2.0, Event::Prompt { name: None, text: "x".into(), tokens: 100 });
            (0..60).for_each(|i| {
                scene.at(2.2 + 0.2 * i as f32, Event::Prefill { done: (100.0 * value) as u32, total: 100 });
            });
        }
        // One waits for an answer, the other for nothing.
        SignalId::Waiting if on => scene.at(2.0, Event::Prompt { name: None, text: "x".into(), tokens: 4 }),
        _ => {}
    }
    scene.end(14.0)
}

/// So many seconds of a patch, its plan at its own times, with words as a model writes them: mostly expected, now and
/// then not.
pub fn play_patch(name: &str, text: &str, seconds: f32) -> Vec<Stamped> {
    let patch = patch::parse(name, text).unwrap();
    let mut scene = Scene::of(name, text);
    let value = |id: ParamId| patch.params.iter().find(|(of, _)| *of == id).map_or(id.spec().default, |(_, v)| *v);
    let mut now: Vec<f32> = ParamId::ALL.iter().map(|id| value(*id)).collect();
    // Every change of the pace, for the tokens.
    let mut paces = vec![(0.0, value(ParamId::Pace))];
    let mut from_s = 0.0;
    for part in patch.plan.scenes.iter().cycle() {
        if from_s >= seconds {
            break;
        }
        if part.prompt.is_some() {
            scene.at(from_s, Event::Prompt { name: None, text: "x".into(), tokens: 2 });
        }
        for (id, to) in &part.params {
            let spec = id.spec();
            let steps = ((part.over_s * 20.0) as usize).max(1);
            let (a, b) = (spec.position(now[*id as usize]), spec.position(*to));
            for k in 1..=steps {
                let value = spec.at(a + (b - a) * k as f32 / steps as f32);
                let at = from_s + part.over_s * k as f32 / steps as f32;
                scene.at(at, Event::Param { id: *id, value, by: Hand::Plan });
                if *id == ParamId::Pace {
                    paces.push((at, value));
                }
            }
            now[*id as usize] = *to;
        }
        from_s += part.next.s.unwrap_or(seconds);
    }
    let (mut at, mut index, mut seed) = (0.5f32, 0u32, 1u32);
    while at < seconds {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let dice = (seed >> 8) as f32 / (1 << 24) as f32;
        scene.at(at, token(index, 10.0 * dice * dice));
        let pace = paces.iter().rev().find(|(from, _)| *from <= at).map_or(8.0, |(_, pace)| *pace);
        index += 1;
        at += if index.is_multiple_of(40) { 2.0 } else { 1.0 / if pace < 0.1 { 60.0 } else { pace } };
        if index.is_multiple_of(97) {
            let flaw = Flaw { kind: FlawKind::Leap, index, period: 1, count: 1, cause: String::new() };
            scene.at(at, Event::Flaw(flaw));
        }
    }
    for i in 0..(5.0 * seconds) as u32 {
        let load = 0.3 + 0.25 * (i as f32 * 0.05).sin();
        scene.at(0.2 * i as f32, machine(&[(SignalId::Cpu, load), (SignalId::Core1, 0.9), (SignalId::Core2, load)]));
    }
    scene.end(seconds)
}
