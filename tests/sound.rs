//! The sound as a listener has it: every signal is heard, nothing clicks, and the shipped patches are as loud as they
//! should be. Rendered from events alone, so that no device is needed; `common/ear.rs` says what is counted.

#[path = "common/ear.rs"]
mod ear;
#[path = "common/score.rs"]
mod score;

use ear::{clicks, difference, mono, onsets, third_octaves};
use score::{Scene, machine, performance, play_patch};
use xiao::audio::bank::Banks;
use xiao::audio::render::to_samples;
use xiao::audio::{Cue, Engine};
use xiao::patch::{self, BUILT_IN, Matrix, Modulator};
use xiao::score::{Event, Flaw, FlawKind, Hand, ParamId, SignalId, Stamped};

const RATE: u32 = 48_000;

fn render(events: &[Stamped]) -> Vec<f32> {
    to_samples(events, &Banks::default(), 0.5).unwrap().1
}

/// The last seconds of one channel's mean.
fn last(samples: &[f32], seconds: usize) -> Vec<f32> {
    let mono = mono(samples, 2);
    mono[mono.len() - seconds * RATE as usize..].to_vec()
}

#[test]
fn every_signal_is_heard_through_the_first_patch() {
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get());
    let all: Vec<SignalId> = SignalId::ALL.to_vec();
    let deaf: Vec<String> = std::thread::scope(|scope| {
        let parts: Vec<_> = all
            .chunks(all.len().div_ceil(threads))
            .map(|part| {
                scope.spawn(move || {
                    let mut deaf = Vec::new();
                    for id in part {
                        let [still, moved] = [0.0, 1.0].map(|at| last(&render(&performance(*id, at)), 6));
                        match difference(&still, &moved, RATE) {
                            Some(heard) => println!("{}: {heard}", id.name()),
                            None => deaf.push(id.name().to_string()),
                        }
                    }
                    deaf
                })
            })
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    assert!(deaf.is_empty(), "not heard: {deaf:?}");
}

#[test]
fn with_everything_still_the_sound_is_steady() {
    // Nothing is asked and the machine does the same all the time.
    let mut scene = Scene::new("first");
    for i in 0..300 {
        scene.at(0.2 * i as f32, machine(&[]));
    }
    let samples = mono(&render(&scene.end(56.0)), 2);
    let settled = &samples[6 * RATE as usize..54 * RATE as usize];
    assert_eq!(onsets(settled, RATE), Vec::<usize>::new());
    // The drone's strings and their overtones beat, the slowest over minutes; none comes or goes.
    let parts: Vec<Vec<f64>> = settled.chunks(24 * RATE as usize).map(|part| third_octaves(part, RATE)).collect();
    let top = parts[0].iter().copied().fold(f64::MIN, f64::max);
    for (band, (a, b)) in parts[0].iter().zip(&parts[1]).enumerate() {
        assert!(a.max(*b) < top - 20.0 || (a - b).abs() < 6.0, "band {band}: {a} {b}");
    }
    let loud: Vec<f32> = settled
        .chunks(RATE as usize)
        .map(|part| 10.0 * (part.iter().map(|x| x * x).sum::<f32>() / part.len() as f32).log10())
        .collect();
    let (low, high) = loud.iter().fold((f32::MAX, f32::MIN), |(l, h), x| (l.min(*x), h.max(*x)));
    assert!(high - low < 6.0, "{loud:?}");
}

/// A number from 0 to 1 that looks random and is the same each time (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 24) as f32
    }
}

/// Ten minutes of the worst a performer can do: a parameter of the sound jumps at every block of 128 frames, tokens come
/// in crowds so that voices are stolen, flaws and crashes fall between them, and other patches are taken up all the time.
#[test]
fn ten_minutes_of_random_jumps_have_no_click() {
    let minutes = 10;
    let ids: Vec<ParamId> = ParamId::ALL
        .iter()
        .copied()
        .filter(|id| id.name().starts_with("sound."))
        .filter(|id| *id != ParamId::Mute)
        .collect();
    let matrices: Vec<Matrix> = BUILT_IN.iter().map(|(name, text)| patch::parse(name, text).unwrap().matrix).collect();
    let mut dice = Dice(11);
    let mut engine = Engine::new(RATE, 7, Matrix::default());
    let mut meter = ebur128::EbuR128::new(2, RATE, ebur128::Mode::I | ebur128::Mode::TRUE_PEAK).unwrap();
    let mut samples = Vec::with_capacity(2 * 60 * RATE as usize);
    let (mut block, mut seq) = (vec![0.0f32; 256], 0);
    let (mut found, mut sum, mut count) = (Vec::new(), [0.0f64; 2], 0u64);
    let blocks = minutes * 60 * RATE as usize / 128;
    for i in 0..blocks {
        let mut take = |event: Event| {
            seq += 1;
            let cue = Cue::from_event(&Stamped { seq, t_ns: 0, event });
            cue.into_iter().for_each(|cue| _ = engine.take(cue));
        };
        let id = ids[(dice.roll() * ids.len() as f32) as usize % ids.len()];
        // The faders jump about the upper half, so that there is something to click.
        let at = if id.name().ends_with("level_db") { 0.5 + 0.5 * dice.roll() } else { dice.roll() };
        take(Event::Param { id, value: id.spec().at(at), by: Hand::Midi });
        if dice.roll() < 0.08 {
            let crowd = if dice.roll() < 0.02 { 40 } else { 1 };
            (0..crowd).for_each(|k| take(score::token(i as u32 + k, 12.0 * dice.roll())));
        }
        if dice.roll() < 0.02 {
            let kinds = [FlawKind::Leap, FlawKind::Repetition, FlawKind::ScriptMix, FlawKind::BrokenCharacter];
            let kind = kinds[(dice.roll() * 4.0) as usize % 4];
            take(Event::Flaw(Flaw { kind, index: 0, period: 3, count: 2, cause: String::new() }));
        }
        if dice.roll() < 0.01 {
            let load = dice.roll();
            take(machine(&[(SignalId::Cpu, load), (SignalId::Memory, dice.roll()), (SignalId::Fan, 6000.0 * load)]));
        }
        match dice.roll() {
            x if x < 0.0005 => take(Event::Fault { place: "x".into(), what: "x".into(), remedy: String::new() }),
            x if x < 0.001 => take(Event::Panic),
            x if x < 0.002 => take(Event::Prompt { name: None, text: "月".into(), tokens: 3 }),
            x if x < 0.003 => take(Event::Loop { period: (x * 4000.0) as u32 % 9 }),
            x if x < 0.004 => take(Event::Callback { load: 0.1, xruns: 1 }),
            x if x < 0.005 => {
                take(Event::Param { id: ParamId::Mute, value: f32::from(dice.roll() < 0.3), by: Hand::Midi })
            }
            _ => {}
        }
        if i % 300 == 0 {
            let matrix = matrices[i / 300 % matrices.len()].clone();
            engine.swap_matrix(Box::new(Modulator::new(matrix)));
        }
        engine.render(&mut block);
        assert!(block.iter().all(|x| x.is_finite()));
        meter.add_frames_f32(&block).unwrap();
        block.chunks_exact(2).for_each(|f| (sum[0], sum[1]) = (sum[0] + f64::from(f[0]), sum[1] + f64::from(f[1])));
        count += 128;
        samples.extend_from_slice(&block);
        if samples.len() >= 2 * 60 * RATE as usize || i + 1 == blocks {
            for channel in 0..2 {
                let alone: Vec<f32> = samples.iter().skip(channel).step_by(2).copied().collect();
                found.extend(clicks(&alone).into_iter().map(|at| (count as usize - alone.len() + at, channel)));
            }
            samples.clear();
        }
    }
    assert!(found.is_empty(), "{} clicks, as at {:?}", found.len(), &found[..found.len().min(12)]);
    let peak = (0..2).map(|c| 20.0 * meter.true_peak(c).unwrap().log10()).fold(f64::MIN, f64::max);
    assert!(peak <= -1.0, "true peak {peak:.2} dB");
    for sum in sum {
        let dc = 20.0 * (sum / count as f64).abs().max(1e-12).log10();
        assert!(dc < -60.0, "DC {dc:.1} dB");
    }
    let loud = meter.loudness_global().unwrap();
    assert!(loud > -40.0, "{loud}: there was something to hear");
}

/// Every patch that comes with xiao, its plan at its own times, is as loud as broadcast and concert halls expect.
#[test]
fn the_shipped_patches_are_neither_loud_nor_faint() {
    let mut told = Vec::new();
    for (name, text) in BUILT_IN {
        let samples = render(&play_patch(name, text, 240.0));
        let mut meter = ebur128::EbuR128::new(2, RATE, ebur128::Mode::I | ebur128::Mode::TRUE_PEAK).unwrap();
        meter.add_frames_f32(&samples).unwrap();
        let loud = meter.loudness_global().unwrap();
        let peak = (0..2).map(|c| 20.0 * meter.true_peak(c).unwrap().log10()).fold(f64::MIN, f64::max);
        println!("{name}: {loud:.1} LUFS, {peak:.1} dBTP");
        if !(-23.0..=-14.0).contains(&loud) || peak > -1.0 {
            told.push(format!("{name}: {loud:.1} LUFS, {peak:.1} dBTP"));
        }
    }
    assert!(told.is_empty(), "{told:?}");
}
