//! From what happens to what is heard, end to end through a JACK server with the dummy driver, blocks of 128 frames:
//! `cargo bench --features jack,midi-jack --bench latency` (add `--profile dev` to measure what `make play` builds;
//! `-- draw` for the last of the three alone).
//!
//! A second JACK client hears the player's ports. Its samples are timed by the server (the start of the cycle in which a
//! block was made, and its place in it), the events by the same clock. So the times are those at which a sample stands
//! at the server's output; the device comes after, with as much as the server says of it.
//!
//! Three ways: a token's event at the cue ring to its note, in this process; a MIDI controller to a change of level in
//! `xiao play`; and a controller to the first token that is drawn with what it set. Not a test: nothing fails here.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use xiao::audio::bank::Banks;
use xiao::audio::output::{OutputOptions, choose};
use xiao::audio::{Engine, link, render};
use xiao::journal;
use xiao::model::bench::Series;
use xiao::patch::Matrix;
use xiao::score::{Event, Hand, ParamId, Stamped, Token};

#[path = "latency/draw.rs"]
mod draw;
#[path = "../tests/common/jackd.rs"]
mod jackd;

use jackd::{BLOCK, RATE_HZ, Server};

const TOKENS: usize = 300;
/// Turns of the knob, down and up each.
const TURNS: usize = 100;
/// A level change is heard from here.
const HEARD_DB: f32 = 1.0;

fn main() -> anyhow::Result<()> {
    jackd::hush_libjack();
    let name = format!("xiao-latency-{}", std::process::id());
    // SAFETY: the beginning of the program; no other thread runs.
    let Some(_server) = (unsafe { Server::start(&name) }) else {
        println!("skipped: jackd is not here or does not start");
        return Ok(());
    };
    if !std::env::args().any(|word| word == "draw") {
        tokens()?;
        knob()?;
    }
    draw::to_tokens()
}

/// What one cycle brought.
struct Block {
    /// When it began, by the server's clock.
    usecs: u64,
    frames: [[f32; BLOCK as usize]; 2],
}

/// Hears the player, and plays a controller.
struct Ear {
    inputs: [jack::Port<jack::AudioIn>; 2],
    knob: jack::Port<jack::MidiOut>,
    heard: rtrb::Producer<Block>,
    turns: rtrb::Consumer<[u8; 3]>,
    missed: u64,
}

impl jack::ProcessHandler for Ear {
    fn process(&mut self, _: &jack::Client, scope: &jack::ProcessScope) -> jack::Control {
        let mut out = self.knob.writer(scope);
        while let Ok(bytes) = self.turns.pop() {
            let _ = out.write(&jack::RawMidi { time: 0, bytes: &bytes });
        }
        let (Ok(times), BLOCK) = (scope.cycle_times(), scope.n_frames()) else { return jack::Control::Continue };
        let mut block = Block { usecs: times.current_usecs, frames: [[0.0; BLOCK as usize]; 2] };
        for (frames, input) in block.frames.iter_mut().zip(&self.inputs) {
            frames.copy_from_slice(input.as_slice(scope));
        }
        self.missed += u64::from(self.heard.push(block).is_err());
        jack::Control::Continue
    }
}

/// The ear as the bench holds it.
struct Listener {
    client: jack::AsyncClient<(), Ear>,
    heard: rtrb::Consumer<Block>,
    turns: rtrb::Producer<[u8; 3]>,
    blocks: Vec<Block>,
    names: [String; 2],
}

impl Listener {
    fn start() -> anyhow::Result<Listener> {
        let (client, _) = jack::Client::new("xiao-ear", jack::ClientOptions::NO_START_SERVER)?;
        let inputs = ["left", "right"].map(|name| client.register_port(name, jack::AudioIn::default()));
        let [left, right] = inputs;
        let (left, right) = (left?, right?);
        let names = [left.name()?, right.name()?];
        let knob = client.register_port("knob", jack::MidiOut::default())?;
        // Half a minute; it is emptied far more often.
        let (heard_in, heard) = rtrb::RingBuffer::new(30 * (RATE_HZ / BLOCK) as usize);
        let (turns, turns_out) = rtrb::RingBuffer::new(16);
        let ear = Ear { inputs: [left, right], knob, heard: heard_in, turns: turns_out, missed: 0 };
        let client = client.activate_async((), ear)?;
        Ok(Listener { client, heard, turns, blocks: Vec::new(), names })
    }

    /// Joins the ear to the player when its ports are there.
    fn join(&self) -> anyhow::Result<()> {
        let client = self.client.as_client();
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            let ports = client.ports(Some("cpal_client.*:out_"), None, jack::PortFlags::IS_OUTPUT);
            if ports.len() == 2 {
                for (port, name) in ports.iter().zip(&self.names) {
                    client.connect_ports_by_name(port, name)?;
                }
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        anyhow::bail!("the player did not come to the server")
    }

    fn now_us(&self) -> u64 {
        self.client.as_client().time()
    }

    /// What the device adds behind the server's output, in frames, as the server says.
    fn device_frames(&self) -> u32 {
        let port = self.client.as_client().port_by_name("system:playback_1");
        port.map_or(0, |port| port.get_latency_range(jack::LatencyType::Playback).1)
    }

    fn drain(&mut self) {
        while let Ok(block) = self.heard.pop() {
            self.blocks.push(block);
        }
    }

    fn stop(mut self) -> anyhow::Result<Vec<Block>> {
        self.drain();
        let (_client, (), ear) = self.client.deactivate()?;
        while let Ok(block) = self.heard.pop() {
            self.blocks.push(block);
        }
        anyhow::ensure!(ear.missed == 0, "{} blocks were missed", ear.missed);
        Ok(self.blocks)
    }
}

/// All that was heard, frame after frame.
fn frames(blocks: &[Block]) -> Vec<[f32; 2]> {
    blocks.iter().flat_map(|b| (0..BLOCK as usize).map(move |i| [b.frames[0][i], b.frames[1][i]])).collect()
}

/// When the frame stood at the server's output, in µs.
fn time_of(blocks: &[Block], frame: usize) -> f64 {
    let block = &blocks[frame / BLOCK as usize];
    block.usecs as f64 + (frame % BLOCK as usize) as f64 * 1e6 / f64::from(RATE_HZ)
}

/// The first frame that stands there at this time or later.
fn frame_at(blocks: &[Block], usecs: f64) -> usize {
    let running = blocks.partition_point(|block| block.usecs as f64 <= usecs).saturating_sub(1);
    let into = (usecs - blocks[running].usecs as f64).max(0.0) * f64::from(RATE_HZ) / 1e6;
    running * BLOCK as usize + (into.ceil() as usize).min(BLOCK as usize)
}

/// Numbers from 0 to 1, the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1u64 << 31) as f64
    }

    /// Waits at random, so that events fall anywhere in a block.
    fn wait_ms(&mut self, from: f64, to: f64) {
        std::thread::sleep(Duration::from_secs_f64((from + (to - from) * self.next()) / 1e3));
    }
}

/// Prints times given in ms.
fn tell(what: &str, times: &[f64], blocks_asked: Option<[f64; 2]>) {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(most) = sorted.last() else { return println!("{what:<44} nothing was heard") };
    let block_ms = 1e3 * f64::from(BLOCK) / f64::from(RATE_HZ);
    let (middle, p99) = (Series(sorted.clone()).median().unwrap_or_default(), sorted[(sorted.len() - 1) * 99 / 100]);
    let verdict = blocks_asked.map_or(String::new(), |[at_middle, at_99]| {
        let (by_middle, by_99) = (middle / block_ms <= at_middle, p99 / block_ms <= at_99);
        format!("  asked {at_middle:.2} and {at_99:.2}: {}", if by_middle && by_99 { "met" } else { "NOT met" })
    });
    println!(
        "{what:<44} median {middle:6.2} ms  p99 {p99:6.2}  max {most:6.2}  min {:6.2}   {:.2} / {:.2} / {:.2} blocks, \
         {:.2} of two blocks ({}){verdict}",
        sorted[0],
        middle / block_ms,
        p99 / block_ms,
        most / block_ms,
        middle / (2.0 * block_ms),
        sorted.len(),
    );
}

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

fn tokens() -> anyhow::Result<()> {
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

/// The hum alone, steady, and a knob for the whole level.
const KNOB: &str = "
model = \"embedded\"
[prompts]
a = \"春\"
[params]
\"generator.hold\" = 1
\"sound.level_db\" = 0
\"sound.hum.level_db\" = -6
\"sound.hum.pitch\" = 60
\"sound.hum.brightness\" = 0.6
\"sound.hum.beating\" = 0
\"sound.breath.level_db\" = -60
\"sound.weight.level_db\" = -60
\"sound.tension.level_db\" = -60
\"sound.token.level_db\" = -60
\"sound.ghosts.level_db\" = -60
\"sound.reverb.mix\" = 0
\"sound.delay.mix\" = 0
[midi.\"*\"]
cc7 = { to = \"sound.level_db\", range = [-20, 0] }
cc8 = \"sound.mute\"
";

/// `xiao play` of a patch, recorded, with the ear at its sound.
struct Show {
    child: Child,
    folder: tempfile::TempDir,
}

impl Show {
    fn begin(patch: &str, listener: &mut Listener) -> anyhow::Result<Show> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("knob.toml"), patch)?;
        let child = Command::new(env!("CARGO_BIN_EXE_xiao"))
            .args(["play", "knob.toml", "--stage", "none", "--record", "rec", "--seed", "1"])
            .current_dir(folder.path())
            .env_remove("DISPLAY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        listener.join()?;
        std::thread::sleep(Duration::from_secs(4));
        listener.drain();
        Ok(Show { child, folder })
    }

    /// Ends it in order; what it recorded.
    fn end(mut self) -> anyhow::Result<Vec<Stamped>> {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let status = self.child.wait()?;
        anyhow::ensure!(status.success(), "xiao play: {status}");
        Ok(journal::read(&self.folder.path().join("rec"))?.events)
    }
}

fn knob() -> anyhow::Result<()> {
    let mut listener = Listener::start()?;
    let show = Show::begin(KNOB, &mut listener)?;
    let mut random = Random(11);
    let mut turned = Vec::new();
    // Eight time constants of the level, so that it rests before the next turn.
    let mut turn = |listener: &mut Listener, cc: u8, value: u8| {
        turned.push((cc, value, listener.now_us() as f64));
        let _ = listener.turns.push([0xb0, cc, value]);
        random.wait_ms(320.0, 380.0);
        listener.drain();
    };
    for _ in 0..TURNS {
        turn(&mut listener, 7, 0);
        turn(&mut listener, 7, 127);
    }
    for _ in 0..TURNS / 2 {
        turn(&mut listener, 8, 127);
        turn(&mut listener, 8, 0);
    }
    let device_ms = 1e3 * f64::from(listener.device_frames()) / f64::from(RATE_HZ);
    let blocks = listener.stop()?;
    let events = show.end()?;

    // What was played, and what would have been had nobody touched the knob: the same but for the gain.
    let banks = Banks::default();
    let moved = |event: &Event| matches!(event, Event::Param { by: Hand::Midi, .. });
    let still: Vec<Stamped> = events.iter().filter(|e| !moved(&e.event)).cloned().collect();
    let (_, played) = render::to_samples(&events, &banks, 0.0)?;
    let (_, still) = render::to_samples(&still, &banks, 0.0)?;
    let captured = frames(&blocks);
    let over = still.iter().fold(0.0f32, |peak, x| peak.max(x.abs())) * 0.1;
    let heard = 10.0f32.powf(HEARD_DB / 20.0);
    let (mut down, mut up, mut mute, mut ways, mut disturbed) = (vec![], vec![], vec![], [vec![], vec![]], 0);
    let mut place = 0;
    for (cc, value, time) in turned {
        let first = blocks.partition_point(|block| (block.usecs as f64) < time) * BLOCK as usize;
        let span = first - RATE_HZ as usize / 50..first + RATE_HZ as usize / 5;
        // Found anew each time: where the machine stood still, the server left out a block for one of us.
        let Some(at) = align(&captured[span.clone()], &played, place) else {
            disturbed += 1;
            continue;
        };
        place = at;
        let gain = |frame: usize| {
            let still = still.get(2 * (frame - span.start + at)).copied().filter(|x| x.abs() > over)?;
            Some((captured[frame][0] / still).abs())
        };
        let Some(before) = (span.start..first).rev().find_map(gain) else { continue };
        let falls = (cc == 7) == (value == 0);
        let is_heard = |gain: f32| if falls { gain < before / heard } else { gain > before * heard };
        let moves = |gain: f32| (gain / before - 1.0).abs() > 0.005;
        let frame = |is: &dyn Fn(f32) -> bool| (first..span.end).find(|frame| gain(*frame).is_some_and(is));
        let (Some(begun), Some(frame)) = (frame(&moves), frame(&is_heard)) else {
            disturbed += 1;
            continue;
        };
        let ms = (time_of(&blocks, frame) - time) / 1e3;
        match (cc, falls) {
            (7, true) => down.push(ms),
            (7, false) => up.push(ms),
            (_, true) => mute.push(ms),
            _ => continue,
        }
        ways[usize::from(falls)].push(1e3 * (frame - begun) as f64 / f64::from(RATE_HZ));
    }
    println!("\na controller's CC to a change of {HEARD_DB} dB in `xiao play`, {disturbed} turns disturbed");
    let ten_ms = 10.0 / (1e3 * f64::from(BLOCK) / f64::from(RATE_HZ));
    tell("  level down (20 dB)", &down, Some([2.0 + ten_ms, f64::INFINITY]));
    tell("  level up (20 dB)", &up, Some([2.0 + ten_ms, f64::INFINITY]));
    tell("  mute", &mute, Some([2.0 + ten_ms, f64::INFINITY]));
    tell("    of it down, from 0.04 dB to 1 dB", &ways[1], None);
    tell("    of it up", &ways[0], None);
    println!("  the device adds its own {device_ms:.2} ms");
    Ok(())
}

/// The place in what was rendered at which all that was captured stands, sample for sample; looked for from `near` on.
fn align(captured: &[[f32; 2]], played: &[f32], near: usize) -> Option<usize> {
    let same = |at: &usize| {
        captured.iter().enumerate().all(|(i, frame)| played.get(2 * (at + i)..2 * (at + i) + 2) == Some(&frame[..]))
    };
    (near..(played.len() / 2).saturating_sub(captured.len())).find(same)
}
