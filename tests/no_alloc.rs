//! The audio callback's work allocates nothing: a storm of cues, matrix swaps and parameter changes under a guard.

use assert_no_alloc::{AllocDisabler, assert_no_alloc, reset_violation_count, violation_count};
use xiao::audio::bank::{Bank, Sample};
use xiao::audio::{Engine, Report, link};
use xiao::patch::matrix::{Envelope, Lfo, Matrix, Origin, Route, Shape, Wave};
use xiao::score::{Event, Flaw, FlawKind, Hand, Happening, MachineSample, ParamId, SignalId, Stamped, Token};

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

/// The whole test is one function, since the guard's counter is one per process.
#[test]
fn the_callback_allocates_nothing() {
    let before = violation_count();
    assert_no_alloc(|| std::hint::black_box(vec![1u8; 1000]).len());
    assert!(violation_count() > before, "the guard sees an allocation");
    reset_violation_count();

    let (mut desk, mut player) = link(Engine::new(48_000, 1, Matrix::default()));
    // Held and never read, as with a recorder that hangs: the tape fills up and gaps begin.
    let _tape = desk.tape();
    let send = desk.cue_sender();
    let mut block = vec![0.0f32; 2 * 1024];
    let mut seq = 0;
    let mut emit = |event| {
        send(&Stamped { seq, t_ns: 0, event });
        seq += 1;
    };
    let (mut heard, mut swapped, mut banks, mut peak) = (0, 0, 0, 0.0f32);
    // Each time another, so that the callback would be the one to free it.
    let bank = || {
        let noise = |seed: u32| (0..20_000u32).map(move |i| (i.wrapping_mul(seed) % 1000) as f32 / 1000.0 - 0.5);
        Bank { samples: [2_654_435_761, 40_503].map(|seed| Sample::new(noise(seed).collect())).into() }
    };
    for round in 0..600u32 {
        emit(Event::Prompt { name: None, text: "春".into(), tokens: 1 });
        emit(Event::Prefill { done: round, total: 600 });
        for i in 0..4 {
            emit(Event::Token(token(round + i)));
        }
        let kinds = [FlawKind::Leap, FlawKind::Repetition, FlawKind::ScriptMix, FlawKind::BrokenCharacter];
        emit(Event::Flaw(Flaw {
            kind: kinds[round as usize % 4],
            index: round,
            period: 3,
            count: 1,
            cause: String::new(),
        }));
        emit(Event::Machine(machine(round)));
        for id in ParamId::ALL {
            // One of the values is no number.
            let value = if round % 50 == 7 { f32::NAN } else { id.spec().at((round % 11) as f32 / 10.0) };
            emit(Event::Param { id: *id, value, by: Hand::Midi });
        }
        emit(Event::Forget { tokens: 1, kept: 1, text: String::new() });
        if round % 40 == 20 {
            emit(Event::Fault { place: "here".into(), what: "what".into(), remedy: String::new() });
            emit(Event::PieceEnd { tokens: 9 });
        }
        if round % 3 == 0 {
            let route = Route {
                shape: Shape::S,
                steps: 5,
                hold: round.is_multiple_of(2),
                lag_s: [0.1, 0.3],
                ..Route::new(Origin::Signal(SignalId::Cpu), ParamId::ALL[round as usize % ParamId::COUNT], 0.5)
            };
            swapped += u64::from(desk.swap_matrix(1_000_000, matrix(route)));
        }
        if round % 5 == 0 {
            banks += u64::from(desk.swap_bank(2_000_000, bank()));
        }
        let block = &mut block[..2 * [64, 100, 512, 1024][round as usize % 4]];
        assert_no_alloc(|| player.fill(block));
        peak = block.iter().fold(peak, |peak, x| peak.max(x.abs()));
        heard += desk.reports().filter(|r| matches!(r, Report::Heard { .. })).count();
    }
    assert_eq!(violation_count(), 0, "allocations or frees in Player::fill");
    assert!(heard > 10_000 && swapped == 200 && peak > 0.05, "it played: {heard} cues, {swapped} swaps, peak {peak}");
    assert!(banks > 100, "{banks} banks of samples were taken");
    assert_eq!(desk.dropped(), (0, 0));
}

fn token(i: u32) -> Token {
    let surprise_bits = (i % 13) as f32;
    Token {
        id: i,
        text: "月".into(),
        index: i,
        latency_ms: (i % 300) as f32,
        p: (-surprise_bits).exp2(),
        surprise_bits,
        entropy_bits: 3.0,
        context_fill: 0.5,
        inside: Default::default(),
        top: vec![],
    }
}

fn machine(i: u32) -> MachineSample {
    MachineSample {
        values: vec![(SignalId::Cpu, (i % 10) as f32 / 10.0), (SignalId::Temperature, f32::NAN)],
        cores: (0..24).map(|core| ((core + i) % 24) as f32 / 23.0).collect(),
        absent: vec![(SignalId::Fan, "none".into())],
    }
}
