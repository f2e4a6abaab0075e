//! The MIDI clock on its way out and in, through a JACK server with the dummy driver and blocks of 128 frames:
//! `cargo bench --features jack,midi-jack --bench clock` is the way out for a minute; another number of seconds may follow
//! `--`, and `-- in 10` is the way in, for ten minutes.
//!
//! A second JACK client hears the ticks of 120 bpm. It knows each to the frame, on the server's clock, which is that of
//! the events too; so it is told how far each tick is from its place on the timeline, apart from the mean of all, and how
//! far they have drifted. Jitter is told as a part of the millisecond that is asked for at the 99th of a hundred; beside
//! it how long the machine itself stood still meanwhile. Not a test: nothing fails here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use xiao::patch;
use xiao::score::{Bus, Clock, Hand, Params, Timeline};
use xiao::session::midi_out::Synths;

#[path = "clock/follow.rs"]
mod follow;
#[path = "../tests/common/jackd.rs"]
mod jackd;

use jackd::{RATE_HZ, Server};

const BPM: f64 = 120.0;
const ASKED_MS: f64 = 1.0;

/// Hears ticks, in µs of the server's clock.
struct Ear {
    port: jack::Port<jack::MidiIn>,
    heard: rtrb::Producer<f64>,
}

impl jack::ProcessHandler for Ear {
    fn process(&mut self, _: &jack::Client, scope: &jack::ProcessScope) -> jack::Control {
        let Ok(times) = scope.cycle_times() else { return jack::Control::Continue };
        for message in self.port.iter(scope).filter(|message| message.bytes == [0xf8]) {
            let _ = self.heard.push(times.current_usecs as f64 + f64::from(message.time) * 1e6 / f64::from(RATE_HZ));
        }
        jack::Control::Continue
    }
}

fn main() -> anyhow::Result<()> {
    jackd::hush_libjack();
    let number = std::env::args().skip(1).find_map(|word| word.parse::<f64>().ok());
    let comes_in = std::env::args().any(|word| word == "in");
    let name = format!("xiao-clock-{}", std::process::id());
    // SAFETY: the beginning of the program; no other thread runs.
    let Some(_server) = (unsafe { Server::start(&name) }) else {
        println!("skipped: jackd is not here or does not start");
        return Ok(());
    };
    match comes_in {
        true => follow::follow(number.unwrap_or(1.0)),
        false => goes_out(number.unwrap_or(60.0) as u64),
    }
}

fn goes_out(seconds: u64) -> anyhow::Result<()> {
    let (client, _) = jack::Client::new("xiao-ear", jack::ClientOptions::NO_START_SERVER)?;
    let port = client.register_port("clock", jack::MidiIn::default())?;
    let (heard_in, mut heard) = rtrb::RingBuffer::new(1 << 18);
    let client = client.activate_async((), Ear { port, heard: heard_in })?;

    let bus = Bus::new(Clock::live());
    let apart_us = client.as_client().time() as f64 - bus.clock().now_ns() as f64 / 1e3;
    let patch = patch::parse("p.toml", "[prompts]\na = \"a\"\n[midi_out.\"xiao-ear*\"]\nclock = \"tempo\"")?;
    let synths = Synths::start(&bus, &Arc::new(Params::default()), &patch.listeners());
    let timeline = Timeline::from_the_beginning(BPM);
    bus.emit(timeline.event(Hand::Patch, "").1);
    // The port is found, and the first beat has come.
    std::thread::sleep(Duration::from_secs(3));
    while heard.pop().is_ok() {}
    let watch = jackd::Watch::begin();
    let (began, mut ticks) = (Instant::now(), Vec::new());
    while began.elapsed() < Duration::from_secs(seconds) {
        std::thread::sleep(Duration::from_millis(100));
        ticks.extend(std::iter::from_fn(|| heard.pop().ok()));
    }
    let stalls = watch.end();
    drop(synths);

    // The event was stamped a moment after the timeline's zero; the mean takes that up.
    let places = ticks.iter().map(|us| timeline.beats(((us - apart_us) * 1e3) as u64) * 24.0);
    let off_ms: Vec<f64> = places.map(|place| (place - place.round()) * timeline.beat_ns() / 24e6).collect();
    anyhow::ensure!(off_ms.len() > 100, "only {} ticks were heard", off_ms.len());
    let mean = off_ms.iter().sum::<f64>() / off_ms.len() as f64;
    let mut far: Vec<f64> = off_ms.iter().map(|ms| (ms - mean).abs()).collect();
    far.sort_by(f64::total_cmp);
    let at = |part: usize| far[(far.len() - 1) * part / 100];
    println!(
        "clock out, {} ticks: p50 {:.3} ms  p99 {:.3} ms  max {:.3} ms; p99 is {:.2} of the {ASKED_MS} ms asked; {mean:.2} ms \
         behind the beat, a block of them",
        far.len(),
        at(50),
        at(99),
        at(100),
        at(99) / ASKED_MS
    );
    let tenth = off_ms.len() / 10;
    let of = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let drift_ms = of(&off_ms[off_ms.len() - tenth..]) - of(&off_ms[..tenth]);
    let wanted = (ticks[ticks.len() - 1] - ticks[0]) / 1e3 / (timeline.beat_ns() / 24e6);
    println!(
        "drift over {seconds} s: {drift_ms:.3} ms, {:.4} of a tick; {} ticks where {:.0} are due",
        drift_ms / (timeline.beat_ns() / 24e6),
        ticks.len() - 1,
        wanted
    );
    tell_stalls(stalls);
    Ok(())
}

fn tell_stalls(stalls: Option<Vec<jackd::Stall>>) {
    match stalls {
        Some(stalls) => {
            let longest = stalls.iter().map(|(_, late)| *late).max().unwrap_or_default();
            println!("a core of the machine stood still {} times for over 1 ms, {longest:?} at most", stalls.len());
        }
        None => println!("the system gives no real-time priority: nobody watched the machine"),
    }
}
