//! From a token's event at the cue ring to its note.

use std::time::Duration;

use xiao::audio::output::{OutputOptions, choose};
use xiao::audio::{Engine, link};
use xiao::patch::Matrix;
use xiao::score::{Event, Hand, ParamId, Stamped, Token};

use super::jackd::{BLOCK, RATE_HZ};
use super::{Listener, Random, frame_at, tell, time_of};

const TOKENS: usize = 300;

/// All else is silent, so that every sound is a token's.
const SILENT: [ParamId; 11] = [
    ParamId::HumLevel,
    ParamId::BreathLevel,
    ParamId::WeightLevel,
    ParamId::TensionLevel,
    ParamId::GhostLevel,
    ParamId::ThroatLevel,
    ParamId::FlawLevel,
    ParamId::LoopLevel,
    ParamId::SampleLevel,
    ParamId::DelayMix,
    ParamId::ReverbMix,
];

pub fn from_tokens() -> anyhow::Result<()> {
    let mut listener = Listener::start()?;
    let device = choose(&OutputOptions { host: Some("jack".into()), ..OutputOptions::default() })?;
    let (mut desk, player) = link(Engine::new(device.rate_hz(), 1, Matrix::default()));
    let send = desk.cue_sender();
    let mut seq = 0;
    let mut emit = |event| {
        send(&Stamped { seq, t_ns: 0, event });
        seq += 1;
    };
    for id in SILENT {
        emit(Event::Param { id, value: id.spec().min, by: Hand::CommandLine });
    }
    // So short that a note has gone when the next one comes.
    for (id, value) in [(ParamId::TokenLength, 0.05), (ParamId::TokenLevel, 0.0), (ParamId::Level, 0.0)] {
        emit(Event::Param { id, value, by: Hand::CommandLine });
    }
    let output = device.open(player).map_err(|refused| anyhow::anyhow!("{:?}", refused))?;
    listener.join()?;
    // The engine fades in.
    std::thread::sleep(Duration::from_millis(2500));
    let mut random = Random(7);
    let mut sent = Vec::new();
    for i in 0..TOKENS as u32 {
        let surprise_bits = (8.0 * random.next()) as f32;
        let token = Token {
            id: i,
            text: " moon".into(),
            index: i,
            latency_ms: 20.0,
            p: (-surprise_bits).exp2(),
            surprise_bits,
            entropy_bits: 3.0,
            context_fill: 0.5,
            inside: Default::default(),
            top: vec![],
        };
        sent.push(listener.now_us() as f64);
        emit(Event::Token(token));
        random.wait_ms(20.0, 60.0);
        desk.reports().for_each(drop);
        listener.drain();
    }
    let device_ms = 1e3 * f64::from(listener.device_frames()) / f64::from(RATE_HZ);
    std::thread::sleep(Duration::from_millis(100));
    listener.drain();
    drop(output.close());
    let blocks = listener.stop()?;

    let level: Vec<f32> = blocks
        .iter()
        .flat_map(|block| block.frames[0].iter().zip(&block.frames[1]).map(|(left, right)| left.abs().max(right.abs())))
        .collect();
    let (mut by_peak, mut by_floor, mut waits, mut inside) = (vec![], vec![], vec![], vec![]);
    let mut unclear = 0;
    for (i, at) in sent.iter().enumerate() {
        // Nothing before the event can be its sound: even the cycle that runs takes it behind 64 frames of look-ahead.
        let first = frame_at(&blocks, *at);
        let end = sent.get(i + 1).map_or(level.len(), |next| frame_at(&blocks, *next));
        let window = &level[first..end.min(level.len())];
        let peak = window.iter().fold(0.0f32, |peak, x| peak.max(*x));
        let onset = |over: f32| window.iter().position(|x| *x > over).map(|place| first + place);
        let (Some(heard), Some(floor)) = (onset(0.05 * peak), onset(1e-3)) else {
            unclear += 1;
            continue;
        };
        // The note before still sounds.
        if heard == first || peak < 0.01 {
            unclear += 1;
            continue;
        }
        by_peak.push((time_of(&blocks, heard) - at) / 1e3);
        if floor > first {
            by_floor.push((time_of(&blocks, floor) - at) / 1e3);
        }
        // The onset lies behind the one chunk of look-ahead and less than half a block after it.
        let taken = (heard - 64) / BLOCK as usize;
        waits.push((blocks[taken].usecs as f64 - at) / 1e3);
        inside.push((time_of(&blocks, heard) - blocks[taken].usecs as f64) / 1e3);
    }
    println!("a token's event to its note, {TOKENS} at random moments, {unclear} unclear");
    tell("  to 5 % of the note's peak", &by_peak, Some([2.0, 3.0]));
    tell("  to -60 dB of full scale", &by_floor, None);
    tell("    of it, until the callback took it", &waits, None);
    tell("    of it, look-ahead of 64 frames and attack", &inside, None);
    let with_device: Vec<f64> = by_peak.iter().map(|ms| ms + device_ms).collect();
    tell(&format!("  with the device's own {device_ms:.2} ms"), &with_device, None);
    Ok(())
}
