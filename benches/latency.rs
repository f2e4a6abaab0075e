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

use xiao::journal;
use xiao::model::bench::Series;
use xiao::score::Stamped;

#[path = "latency/draw.rs"]
mod draw;
#[path = "../tests/common/jackd.rs"]
mod jackd;
#[path = "latency/knob.rs"]
mod knob;
#[path = "latency/note.rs"]
mod note;

use jackd::{BLOCK, RATE_HZ, Server};

fn main() -> anyhow::Result<()> {
    jackd::hush_libjack();
    let name = format!("xiao-latency-{}", std::process::id());
    // SAFETY: the beginning of the program; no other thread runs.
    let Some(_server) = (unsafe { Server::start(&name) }) else {
        println!("skipped: jackd is not here or does not start");
        return Ok(());
    };
    if !std::env::args().any(|word| word == "draw") {
        note::from_tokens()?;
        knob::to_sound()?;
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

/// The place in what was rendered at which all that was captured stands, sample for sample; looked for from `near` on.
fn align(captured: &[[f32; 2]], played: &[f32], near: usize) -> Option<usize> {
    let same = |at: &usize| {
        captured.iter().enumerate().all(|(i, frame)| played.get(2 * (at + i)..2 * (at + i) + 2) == Some(&frame[..]))
    };
    (near..(played.len() / 2).saturating_sub(captured.len())).find(same)
}
