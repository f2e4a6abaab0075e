//! What the sound as a whole must do: rendered, measured, and compared with itself.

use super::bank::Banks;
use super::cue::{GHOSTS, MachineCue, Script, TokenCue};
use super::dsp::CHUNK;
use super::limiter::CEILING;
use super::render::{to_samples, to_stems};
use super::{Cue, CueKind, Engine, Report, Voice, link};
use crate::patch::{Matrix, Modulator, Origin, Route, matrix::Shape};
use crate::score::layout::Form;
use crate::score::{
    Candidate, Event, Flaw, FlawKind, Hand, Layout, MachineSample, MorphSide, ParamId, SignalId, Stamped, Timeline,
    Token,
};

mod bounds;
mod playing;
mod samples;

const RATE: u32 = 48_000;

fn engine() -> Engine {
    Engine::new(RATE, 7, Matrix::default())
}

fn token(surprise_bits: f32) -> CueKind {
    CueKind::Token(TokenCue {
        index: 0,
        latency_ms: 100.0,
        p: (-surprise_bits).exp2(),
        surprise_bits,
        entropy_bits: 3.0,
        context_fill: 0.1,
        spent: Default::default(),
        layers_ms: [0.0; 8],
        script: Script::Letter,
        word: 0,
        ghosts: [0.0; GHOSTS],
        phones: Default::default(),
    })
}

fn take(engine: &mut Engine, kind: CueKind) -> u64 {
    engine.take(Cue { seq: 0, t_ns: 0, kind })
}

fn set(engine: &mut Engine, id: ParamId, value: f32) {
    take(engine, CueKind::Param { id, value });
}

fn play(engine: &mut Engine, seconds: f32) -> Vec<f32> {
    let mut out = vec![0.0; 2 * (seconds * RATE as f32) as usize];
    engine.render(&mut out);
    out
}

fn left(stereo: &[f32]) -> Vec<f32> {
    stereo.iter().step_by(2).copied().collect()
}

fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|x| x * x).sum::<f32>() / samples.len() as f32).sqrt()
}

fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, x| x.abs().max(peak))
}

/// Only the tokens' voice, dry, past the fade-in.
fn only_tokens() -> Engine {
    let mut engine = engine();
    for id in [ParamId::HumLevel, ParamId::BreathLevel, ParamId::TensionLevel, ParamId::WeightLevel] {
        set(&mut engine, id, -60.0);
    }
    set(&mut engine, ParamId::ReverbMix, 0.0);
    play(&mut engine, 2.0);
    engine
}

/// A performance of ten seconds with everything in it.
fn script() -> Vec<Stamped> {
    let mut events =
        vec![(0, Event::Sound { rate_hz: RATE, seed: 7, output: "none".into(), layout: Default::default() })];
    let ms = 1_000_000u64;
    events.push((10 * ms, Event::Param { id: ParamId::TokenLength, value: 0.8, by: Hand::Patch }));
    events.push((500 * ms, Event::Prompt { name: None, text: "春".into(), tokens: 4 }));
    events.push((700 * ms, Event::Prefill { done: 2, total: 4 }));
    for i in 0..30u64 {
        let surprise_bits = ((i * 7) % 11) as f32;
        events.push((
            (1000 + 120 * i) * ms,
            Event::Token(Token {
                id: 3,
                text: ["风", " the", ",", "\n"][i as usize % 4].into(),
                index: i as u32,
                latency_ms: 110.0,
                p: (-surprise_bits).exp2(),
                surprise_bits,
                entropy_bits: 3.0,
                context_fill: 0.2,
                inside: Default::default(),
                top: vec![Candidate { id: 3, text: "a".into(), p: 0.5 }, Candidate { id: 4, text: "b".into(), p: 0.2 }],
            }),
        ));
        events.push((
            (1050 + 120 * i) * ms,
            Event::Machine(MachineSample {
                values: vec![(SignalId::Cpu, 0.5), (SignalId::Fan, 2000.0)],
                cores: vec![0.1 * (i % 10) as f32, 0.8],
                absent: vec![],
            }),
        ));
    }
    events.push((
        2600 * ms,
        Event::Flaw(Flaw { kind: FlawKind::Leap, index: 9, period: 1, count: 1, cause: String::new() }),
    ));
    events.push((3300 * ms, Event::Param { id: ParamId::HumPitch, value: 45.0, by: Hand::Midi }));
    events.push((4700 * ms, Event::Fault { place: "generator".into(), what: "x".into(), remedy: String::new() }));
    events.push((9000 * ms, Event::PieceEnd { tokens: 30 }));
    events.push((10_000 * ms, Event::End { reason: "q".into() }));
    events.sort_by_key(|(t, _)| *t);
    events.into_iter().enumerate().map(|(i, (t_ns, event))| Stamped { seq: i as u64, t_ns, event }).collect()
}

/// Plays events live through the rings in blocks of this many frames; gives the samples and the events with what was
/// heard among them.
fn live(events: &[Stamped], frames: usize, seconds: f32) -> (Vec<f32>, Vec<Stamped>) {
    live_with(Layout::default(), events, &Banks::default(), frames, seconds)
}

/// The same in a room, with samples.
fn live_with(
    layout: Layout,
    events: &[Stamped],
    banks: &Banks,
    frames: usize,
    seconds: f32,
) -> (Vec<f32>, Vec<Stamped>) {
    let n = layout.count();
    let (mut desk, mut player) = link(Engine::in_room(RATE, 7, Matrix::default(), layout));
    let send = desk.cue_sender();
    let mut recorded = events.to_vec();
    let mut waiting = events.iter().peekable();
    let mut out = Vec::new();
    let mut block = vec![0.0; n * frames];
    while out.len() < n * (seconds * RATE as f32) as usize {
        let now_ns = (out.len() / n) as u64 * 1_000_000_000 / u64::from(RATE);
        while let Some(event) = waiting.next_if(|e| e.t_ns <= now_ns) {
            send(event);
            if let Some(bank) = banks.of(event.seq) {
                assert!(desk.swap_bank(event.seq, bank.clone()));
            }
        }
        player.fill(&mut block);
        out.extend_from_slice(&block);
        for report in desk.reports() {
            if let Report::Heard { of, frame } = report {
                let seq = 1000 + recorded.len() as u64;
                recorded.push(Stamped { seq, t_ns: now_ns, event: Event::Heard { of, frame } });
            }
        }
    }
    (out, recorded)
}

#[test]
fn rendering_the_recording_gives_the_samples_that_were_played() {
    for frames in [128, 1000, 441] {
        let (played, recorded) = live(&script(), frames, 11.0);
        let (rate_hz, rendered) = to_samples(&recorded, &Banks::default(), 1.0).unwrap();
        assert_eq!(rate_hz, RATE);
        let n = played.len().min(rendered.len());
        assert!(n > 2 * 10 * RATE as usize);
        let worst = played.iter().zip(&rendered).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= 1.0 / 8_388_607.0, "blocks of {frames}: {worst}");
        assert!(rms(&played) > 0.01 && peak(&played) <= CEILING);
    }
}

#[test]
fn a_recording_without_sound_is_placed_by_its_times_and_one_cut_short_goes_on() {
    let (_, by_time) = to_samples(&script(), &Banks::default(), 0.0).unwrap();
    assert!((by_time.len() as i64 / 2 - 10 * i64::from(RATE)).abs() < 2 * CHUNK as i64);
    assert!(rms(&by_time) > 0.01);
    let (_, recorded) = live(&script(), 256, 11.0);
    // The reports of the second half were lost.
    let half = recorded.iter().filter(|e| !matches!(e.event, Event::Heard { of, .. } if of > 40)).cloned();
    let (_, cut) = to_samples(&half.collect::<Vec<_>>(), &Banks::default(), 0.0).unwrap();
    let (a, b) = (rms(&cut[2 * 5 * 48_000..2 * 9 * 48_000]), rms(&by_time[2 * 5 * 48_000..2 * 9 * 48_000]));
    assert!((a / b - 1.0).abs() < 0.2, "{a} {b}");
}

#[test]
fn the_samples_do_not_depend_on_the_block() {
    let run = |frames: usize| {
        let mut engine = engine();
        take(&mut engine, CueKind::Prompt);
        take(&mut engine, token(6.0));
        let mut out = vec![0.0; 2 * 48_000];
        out.chunks_mut(2 * frames).for_each(|block| engine.render(block));
        out
    };
    let reference = run(64);
    for frames in [1, 100, 512, 1000] {
        assert!(run(frames) == reference, "blocks of {frames}");
    }
}

#[test]
fn the_end_is_silence_without_a_step() {
    let mut engine = engine();
    let before = left(&play(&mut engine, 3.0));
    take(&mut engine, CueKind::End);
    let after = left(&play(&mut engine, 0.6));
    assert!(rms(&before[RATE as usize..]) > 1e-3);
    assert!(peak(&after[RATE as usize / 3..]) < 1e-3, "{}", peak(&after[RATE as usize / 3..]));
    let step = |samples: &[f32]| samples.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
    assert!(step(&after) <= 1.5 * step(&before[RATE as usize..]), "{} after {}", step(&after), step(&before));
}

#[test]
fn another_seed_is_another_sound_and_the_same_is_the_same() {
    let run = |seed| play(&mut Engine::new(RATE, seed, Matrix::default()), 1.0);
    assert!(run(1) == run(1));
    assert!(run(1) != run(2));
}

#[test]
fn a_token_sounds_at_its_frame() {
    let mut engine = only_tokens();
    play(&mut engine, 0.01);
    let frame = take(&mut engine, token(4.0));
    assert_eq!(frame, engine.frame());
    // What is left of the present chunk, then the limiter's chunk, then the note.
    let mut rest = vec![0.0; 2 * (frame as usize - (2.01 * RATE as f32) as usize + CHUNK)];
    engine.render(&mut rest);
    assert!(peak(&rest) < 1e-6, "{}", peak(&rest));
    let mut note = [0.0; 2 * 480];
    engine.render(&mut note);
    assert!(peak(&note) > 0.01, "within 10 ms: {}", peak(&note));
    assert!(note[0].abs() < 1e-3, "and softly from the first sample");
}

/// The strongest frequency between 100 Hz and 3 kHz, by correlation.
fn pitch_hz(samples: &[f32]) -> f32 {
    let power = |hz: f32| {
        let (mut re, mut im) = (0.0f32, 0.0f32);
        for (i, x) in samples.iter().enumerate() {
            let angle = std::f32::consts::TAU * hz * i as f32 / RATE as f32;
            re += x * angle.cos();
            im += x * angle.sin();
        }
        re * re + im * im
    };
    let steps = (0..240).map(|i| 100.0 * (i as f32 / 48.0).exp2());
    steps.map(|hz| (power(hz), hz)).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap().1
}

#[test]
fn pitch_rises_with_surprise() {
    let pitch = |bits| {
        let mut engine = only_tokens();
        take(&mut engine, token(bits));
        pitch_hz(&left(&play(&mut engine, 0.2)))
    };
    let pitches = [0.5, 3.0, 6.0, 9.0].map(pitch);
    assert!(pitches.windows(2).all(|w| w[1] > 1.1 * w[0]), "{pitches:?}");
    // The home of the scale stands two octaves over the hum's root, D2.
    assert!((pitch(0.0) / 293.7 - 1.0).abs() < 0.02, "{}", pitch(0.0));
}

#[test]
fn latency_is_length() {
    let rest = |latency_ms| {
        let mut engine = only_tokens();
        let CueKind::Token(mut cue) = token(3.0) else { unreachable!() };
        cue.latency_ms = latency_ms;
        take(&mut engine, CueKind::Token(cue));
        play(&mut engine, 0.8);
        rms(&play(&mut engine, 0.2))
    };
    assert!(rest(400.0) > 2.0 * rest(10.0));
}

#[test]
fn waiting_grows_and_a_token_resolves_it() {
    let mut engine = engine();
    for id in [ParamId::HumLevel, ParamId::BreathLevel, ParamId::TokenLevel, ParamId::WeightLevel] {
        set(&mut engine, id, -60.0);
    }
    assert!(rms(&play(&mut engine, 4.0)[2 * 96_000..]) < 1e-6, "nothing was asked, nothing is awaited");
    take(&mut engine, CueKind::Prompt);
    let heard: Vec<f32> = (0..4).map(|_| rms(&play(&mut engine, 2.0))).collect();
    assert!(heard.windows(2).all(|w| w[1] > 1.15 * w[0]), "{heard:?}");
    for _ in 0..50 {
        take(&mut engine, token(2.0));
        play(&mut engine, 0.1);
    }
    let after = rms(&play(&mut engine, 0.1));
    assert!(after < 0.05 * heard[3], "{after}");
}
