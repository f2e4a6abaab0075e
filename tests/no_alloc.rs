//! The audio callback's work allocates nothing: a storm of every kind of cue, matrix and bank swaps and
//! parameters that jump, in rooms of two to eight loudspeakers, under a guard.

use assert_no_alloc::{AllocDisabler, assert_no_alloc, reset_violation_count, violation_count};
use xiao::audio::bank::{Bank, Sample};
use xiao::audio::{Engine, Report, link};
use xiao::patch::matrix::{Envelope, Lfo, Matrix, Origin, Route, Shape, Wave};
use xiao::score::layout::Form;
use xiao::score::{
    Candidate, Event, Flaw, FlawKind, Hand, Happening, Inside, Layout, MachineSample, MorphSide, ParamId, SignalId,
    Spectrum, Spent, Stamped, Token,
};

#[global_allocator]
static GUARD: AllocDisabler = AllocDisabler;

/// Cables like this one, and others from a wave and from an envelope.
fn matrix(route: Route) -> Matrix {
    let wave = Route { from: Origin::Lfo(0), ..route };
    let envelope = Route { from: Origin::Envelope(0), ..route };
    Matrix {
        routes: [route, wave, envelope].repeat(20),
        lfos: vec![Lfo { name: "tide".into(), wave: Wave::Drift, rate_hz: 3.0, phase: 0.5 }],
        envelopes: vec![Envelope {
            name: "hit".into(),
            on: Happening::Token,
            attack_s: 0.01,
            hold_s: 0.0,
            release_s: 0.5,
        }],
    }
}

/// Numbers that jump about, the same each time.
struct Random(u32);

impl Random {
    fn below(&mut self, n: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 16) % n
    }

    fn part(&mut self) -> f32 {
        self.below(1001) as f32 / 1000.0
    }
}

const FLAWS: [FlawKind; 7] = [
    FlawKind::Leap,
    FlawKind::Repetition,
    FlawKind::ScriptMix,
    FlawKind::BrokenCharacter,
    FlawKind::Hesitation,
    FlawKind::EarlyEnd,
    FlawKind::TemplateLeak,
];

/// Everything that can come in one round, but parameters.
fn storm(round: u32, random: &mut Random, mut emit: impl FnMut(Event)) {
    emit(Event::Prompt { name: None, text: "春".into(), tokens: 1 });
    emit(Event::Load { done: u64::from(round % 7), total: 6 });
    emit(Event::Prefill { done: round, total: 600 });
    for i in 0..1 + random.below(6) {
        emit(Event::Token(token(round + i)));
    }
    let kind = FLAWS[round as usize % FLAWS.len()];
    emit(Event::Flaw(Flaw { kind, index: round, period: 1 + random.below(40), count: 1, cause: String::new() }));
    emit(Event::Machine(machine(round)));
    emit(Event::Callback { load: random.part(), xruns: u64::from(random.below(3)) });
    match random.below(12) {
        0 => emit(Event::Forget { tokens: 1, kept: 1, text: String::new() }),
        1 => emit(Event::Rewind { to: 0, text: String::new() }),
        2 => emit(Event::PieceEnd { tokens: 9 }),
        3 if round.is_multiple_of(5) => {
            emit(Event::Fault { place: "here".into(), what: "what".into(), remedy: String::new() });
        }
        4 if round.is_multiple_of(5) => emit(Event::Panic),
        5 => {
            let name = "slendro".to_string();
            let scale = include_str!("../assets/tunings/slendro.scl").to_string();
            emit(Event::Tuning { name, scale, keyboard: None });
        }
        6 => emit(Event::Tuning { name: "gong".into(), scale: String::new(), keyboard: None }),
        7 => {
            let values = ParamId::ALL.iter().filter(|id| id.morphs()).map(|id| (*id, id.spec().at(random.part())));
            let values = values.collect();
            emit(Event::Morph { side: [MorphSide::First, MorphSide::Second][round as usize % 2], values });
        }
        _ => {}
    }
    // A scene's parameters come as others do, in a crowd.
    if round.is_multiple_of(30) {
        emit(Event::Scene { name: "dusk".into(), index: 0, of: 2 });
    }
}

/// The whole test is one function, since the guard's counter is one per process.
#[test]
fn the_callback_allocates_nothing() {
    let before = violation_count();
    assert_no_alloc(|| std::hint::black_box(vec![1u8; 1000]).len());
    assert!(violation_count() > before, "the guard sees an allocation");
    reset_violation_count();
    for layout in
        [Layout::default(), Layout { channels: 8, form: Form::Ring }, Layout { channels: 5, form: Form::Line }]
    {
        play(layout, 1500);
    }
}

fn play(layout: Layout, rounds: u32) {
    let spectrum = Spectrum::default();
    let engine = Engine::in_room(48_000, 1, Matrix::default(), layout).with_spectrum(spectrum.clone());
    let (mut desk, mut player) = link(engine);
    // Held and never read, as with a recorder that hangs: the tape fills up and gaps begin.
    let _tape = desk.tape();
    let send = desk.cue_sender();
    let mut block = vec![0.0f32; layout.count() * 1024];
    let mut seq = 0;
    let mut emit = |event| {
        send(&Stamped { seq, t_ns: 0, event });
        seq += 1;
    };
    let mut random = Random(u32::from(layout.channels));
    let (mut heard, mut swapped, mut banks, mut jumps, mut peak) = (0, 0, 0, 0, 0.0f32);
    let mut seen = [0.0f32; 32];
    // Each time another, so that the callback would be the one to free it.
    let bank = || {
        let noise = |seed: u32| (0..20_000u32).map(move |i| (i.wrapping_mul(seed) % 1000) as f32 / 1000.0 - 0.5);
        Bank { samples: [2_654_435_761, 40_503].map(|seed| Sample::new(noise(seed).collect())).into() }
    };
    for round in 0..rounds {
        storm(round, &mut random, &mut emit);
        for id in ParamId::ALL {
            // Now and then one is no number. Silent for a whole round is no test: the mute comes now and then.
            let value = match *id {
                _ if random.below(3000) == 7 => f32::NAN,
                ParamId::Mute => f32::from(random.below(8) == 0),
                ParamId::Level => -random.part() * 6.0,
                _ => id.spec().at(random.part()),
            };
            jumps += 1;
            emit(Event::Param { id: *id, value, by: [Hand::Midi, Hand::Plan][round as usize % 2] });
        }
        if round % 3 == 0 {
            let route = Route {
                shape: Shape::S,
                steps: 5,
                hold: round.is_multiple_of(2),
                lag_s: [0.1, 0.3],
                ..Route::new(Origin::Signal(SignalId::Cpu), ParamId::ALL[round as usize % ParamId::COUNT], 0.5)
            };
            swapped += u32::from(desk.swap_matrix(1_000_000, matrix(route)));
        }
        if round % 5 == 0 {
            banks += u32::from(desk.swap_bank(2_000_000, bank()));
        }
        let frames = [64, 100, 512, 1024, 1, 128][random.below(6) as usize];
        let block = &mut block[..layout.count() * frames];
        assert_no_alloc(|| player.fill(block));
        seen.iter_mut().zip(spectrum.read()).for_each(|(most, now)| *most = most.max(now));
        peak = block.iter().fold(peak, |peak, x| peak.max(x.abs()));
        assert!(peak <= 0.892, "{peak} at round {round}");
        heard += desk.reports().filter(|r| matches!(r, Report::Heard { .. })).count() as u32;
    }
    let n = layout.count();
    assert_eq!(violation_count(), 0, "allocations or frees in Player::fill with {n} channels");
    assert!(jumps > 50_000 && heard > jumps, "{heard} cues, {jumps} of them parameters");
    assert!(swapped == rounds / 3 && peak > 0.05, "it played: {swapped} swaps, peak {peak}");
    assert!(seen.iter().all(|most| (0.2..=1.0).contains(most)), "every band was seen: {seen:?}");
    assert!(banks > rounds / 20, "{banks} banks of samples were taken");
    assert_eq!(desk.dropped(), (0, 0));
}

fn token(i: u32) -> Token {
    let surprise_bits = (i % 13) as f32;
    Token {
        id: i,
        text: ["月", " moon", "\n", "，", "", " Ravens"][i as usize % 6].into(),
        index: i,
        latency_ms: (i % 300) as f32,
        p: (-surprise_bits).exp2(),
        surprise_bits,
        entropy_bits: 3.0,
        context_fill: 0.5,
        inside: Inside {
            spent: Spent { attention_ms: 1.0, ..Spent::default() },
            layers_us: (0..i % 20).map(|layer| 100 * layer).collect(),
            lens: vec![],
        },
        top: (0..i % 9).map(|k| Candidate { id: 1000 + k, text: "x".into(), p: 0.5 / (k + 1) as f32 }).collect(),
    }
}

fn machine(i: u32) -> MachineSample {
    MachineSample {
        values: vec![(SignalId::Cpu, (i % 10) as f32 / 10.0), (SignalId::Temperature, f32::NAN)],
        cores: (0..24).map(|core| ((core + i) % 24) as f32 / 23.0).collect(),
        absent: vec![(SignalId::Fan, "none".into())],
    }
}
