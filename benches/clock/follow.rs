//! The MIDI clock on its way in: how soon its tempo is found, and how far the instrument's beats drift from it.
//!
//! A JACK client ticks at a steady tempo, each tick up to 2 ms early or late, the same each time; `xiao play` follows it,
//! and sends a clock of its own, which the same client hears. Both are told: the timeline that the recording has, by the
//! show's clock, and the ticks that a slave would get, by the server's. The clocks of both run at the same rate; where the
//! machine stands still, the server's stumbles for seconds, and the master that lives by it stumbles too.

use std::process::{Command, Stdio};

use xiao::journal;
use xiao::score::{Event, Stamped};

use super::*;

/// No round number, as a performer's tempo is none.
const BPM: f64 = 127.3;
const JITTER_US: f64 = 2000.0;
const TICKS: f64 = 24.0;
const LOCK_ASKED_BEATS: f64 = 2.0;
const DRIFT_ASKED_TICKS: f64 = 1.0;

const PATCH: &str = r#"
model = "embedded"
controllers = false
[prompts]
a = "The moon"
[params]
"generator.hold" = 1
"sound.tempo.bpm" = 90
[tempo]
from   = "midi"
device = "xiao-clock-in*"
[midi_out."xiao-clock-in*"]
clock = "tempo"
"#;

fn tick_us() -> f64 {
    60e6 / BPM / TICKS
}

/// Ticks, and hears ticks.
struct Master {
    out: jack::Port<jack::MidiOut>,
    back: jack::Port<jack::MidiIn>,
    /// In µs of the server's clock.
    heard: rtrb::Producer<f64>,
    /// When the first tick is due.
    begin: rtrb::Consumer<f64>,
    /// When the next tick goes.
    next_us: f64,
    beat: Option<Beat>,
}

/// The ticks from the first one on.
struct Beat {
    begun_us: f64,
    ticks: u64,
    seed: u64,
}

impl Beat {
    /// When the next one goes: late or early, the same each time.
    fn next_us(&mut self) -> f64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let part = (self.seed >> 33) as f64 / (1u64 << 30) as f64 - 1.0;
        self.ticks += 1;
        self.begun_us + (self.ticks - 1) as f64 * tick_us() + part * JITTER_US
    }
}

impl jack::ProcessHandler for Master {
    fn process(&mut self, _: &jack::Client, scope: &jack::ProcessScope) -> jack::Control {
        let Ok(times) = scope.cycle_times() else { return jack::Control::Continue };
        let (now_us, frame_us) = (times.current_usecs as f64, 1e6 / f64::from(RATE_HZ));
        for message in self.back.iter(scope).filter(|message| message.bytes == [0xf8]) {
            let _ = self.heard.push(now_us + f64::from(message.time) * frame_us);
        }
        let mut out = self.out.writer(scope);
        if let Ok(begun_us) = self.begin.pop() {
            let _ = out.write(&jack::RawMidi { time: 0, bytes: &[0xfa] });
            let mut beat = Beat { begun_us, ticks: 0, seed: 5 };
            self.next_us = beat.next_us();
            self.beat = Some(beat);
        }
        let Some(beat) = &mut self.beat else { return jack::Control::Continue };
        let mut earliest = 0;
        loop {
            let frame = (self.next_us - now_us) / frame_us;
            if frame >= f64::from(scope.n_frames()) {
                return jack::Control::Continue;
            }
            // What a cycle that was left out should have sent goes at once.
            earliest = earliest.max(frame.max(0.0) as u32);
            let _ = out.write(&jack::RawMidi { time: earliest, bytes: &[0xf8] });
            self.next_us = beat.next_us();
        }
    }
}

pub fn follow(minutes: f64) -> anyhow::Result<()> {
    let (client, _) = jack::Client::new("xiao-clock-in", jack::ClientOptions::NO_START_SERVER)?;
    let out = client.register_port("out", jack::MidiOut::default())?;
    let back = client.register_port("back", jack::MidiIn::default())?;
    let (heard_in, mut heard) = rtrb::RingBuffer::new(1 << 12);
    let (mut begin, begin_out) = rtrb::RingBuffer::new(1);
    let master = Master { out, back, heard: heard_in, begin: begin_out, next_us: 0.0, beat: None };
    let client = client.activate_async((), master)?;

    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("clock.toml"), PATCH)?;
    let mut show = Command::new(env!("CARGO_BIN_EXE_xiao"))
        .args(["play", "clock.toml", "--stage", "none", "--sound", "none", "--record", "rec", "--seed", "1"])
        .current_dir(folder.path())
        .env_remove("DISPLAY")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    // Its own clock is heard when it has found both ports.
    let deadline = Instant::now() + Duration::from_secs(30);
    while heard.pop().is_err() {
        anyhow::ensure!(Instant::now() < deadline, "no clock came from `xiao play`");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_secs(1));
    let begun_us = client.as_client().time() as f64 + 20e3;
    let _ = begin.push(begun_us);
    let watch = jackd::Watch::begin();
    let (began, mut ticks) = (Instant::now(), Vec::new());
    while began.elapsed() < Duration::from_secs_f64(60.0 * minutes) {
        std::thread::sleep(Duration::from_millis(100));
        ticks.extend(std::iter::from_fn(|| heard.pop().ok()));
    }
    let stalls = watch.end();
    // It ends while the clock still ticks.
    let _ = Command::new("kill").arg(show.id().to_string()).status();
    anyhow::ensure!(show.wait()?.success(), "xiao play did not end in order");
    let events = journal::read(&folder.path().join("rec"))?.events;
    drop(client);

    println!("clock in, {BPM} bpm for {minutes} minutes, each tick up to {} ms early or late", JITTER_US / 1e3);
    tell_timeline(&events)?;
    tell_ticks(&ticks, begun_us);
    tell_stalls(stalls);
    Ok(())
}

/// What the recording says of the beats.
fn tell_timeline(events: &[Stamped]) -> anyhow::Result<()> {
    // At its start the first tick is a beat, before the tempo is known.
    let is_followed = |e: &Stamped| matches!(&e.event, Event::Tempo { from, .. } if !from.is_empty());
    let beat = |e: &Stamped| Timeline::of(e).filter(|_| matches!(e.event, Event::Tempo { by: Hand::Clock, .. }));
    let first = events.iter().find_map(beat).ok_or_else(|| anyhow::anyhow!("the clock was not heard"))?;
    let first_ns = first.t_ns(0.0) as f64;
    let locked = events.iter().position(is_followed).ok_or_else(|| anyhow::anyhow!("the clock was not followed"))?;
    let locked_ns = events[locked].t_ns as f64;
    let beat_ns = 60e9 / BPM;
    let lock_beats = (locked_ns - first_ns) / beat_ns;
    // How far the beats are from the clock's, in ticks, at each change and at the end, from where the first tick came.
    let lines: Vec<Timeline> = events[locked..].iter().filter(|e| is_followed(e)).filter_map(Timeline::of).collect();
    let end_ns = events.iter().rev().find(|e| matches!(e.event, Event::End { .. })).map_or(0, |e| e.t_ns);
    let off = |line: &Timeline, t_ns: u64| TICKS * (line.beats(t_ns) - (t_ns as f64 - first_ns) / beat_ns);
    let after = |at: usize| lines.get(at + 1).map_or(end_ns, |next| next.since_ns());
    let all: Vec<f64> =
        lines.iter().enumerate().flat_map(|(at, l)| [off(l, l.since_ns()), off(l, after(at))]).collect();
    let minute = end_ns.saturating_sub(60_000_000_000);
    let settled = |t_ns: u64| t_ns as f64 > locked_ns + 8.0 * beat_ns;
    let bpms: Vec<f64> = lines.iter().filter(|l| settled(l.since_ns())).map(Timeline::bpm).collect();
    let (least, most) = all.iter().fold((f64::MAX, f64::MIN), |(least, most), x| (x.min(least), x.max(most)));
    let drift = all.last().copied().unwrap_or_default() - all[0];
    let met = |yes: bool| if yes { "met" } else { "NOT met" };
    println!("  locked after {lock_beats:.2} beats, asked {LOCK_ASKED_BEATS}: {}", met(lock_beats <= LOCK_ASKED_BEATS));
    println!(
        "  the beats drift from the clock's by {drift:+.3} of a tick ({:+.2} ms) from lock to end, and stand between \
         {least:+.3} and {most:+.3} on the way; asked {DRIFT_ASKED_TICKS}: {}",
        drift * tick_us() / 1e3,
        met(drift.abs() < DRIFT_ASKED_TICKS)
    );
    println!(
        "  the timeline was told {} times, {} of them in the last minute; once settled at {:.3} to {:.3} bpm",
        lines.len(),
        lines.iter().filter(|l| l.since_ns() > minute).count(),
        bpms.iter().copied().fold(f64::NAN, f64::min),
        bpms.iter().copied().fold(f64::NAN, f64::max)
    );
    Ok(())
}

/// What a slave hears of it.
fn tell_ticks(ticks: &[f64], begun_us: f64) {
    // Four beats after the beginning the tempo is found and corrected.
    let after: Vec<f64> = ticks.iter().map(|us| (us - begun_us) / tick_us()).filter(|at| *at > 4.0 * TICKS).collect();
    let (Some(first), Some(last)) = (after.first(), after.last()) else {
        return println!("  no ticks were heard of it");
    };
    // Apart from a whole number: which tick it is was told by the timeline.
    let mut steady = *first - first.round();
    let mut off = Vec::new();
    for at in &after {
        let here = at - steady;
        off.push(here - here.round() + steady);
        steady += 0.01 * (here - here.round());
    }
    let tenth = (off.len() / 10).max(1);
    let of = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (begin, end) = (of(&off[..tenth]), of(&off[off.len() - tenth..]));
    let mean = of(&off);
    let mut far: Vec<f64> = off.iter().map(|x| (x - mean).abs() * tick_us() / 1e3).collect();
    far.sort_by(f64::total_cmp);
    println!(
        "  the ticks that a slave hears: {} where {:.0} are due; {:+.3} of a tick of drift; from the clock's own by \
         {:+.2} ms, apart from that p50 {:.2} ms  p99 {:.2}  max {:.2}",
        after.len() - 1,
        last - first,
        end - begin,
        mean * tick_us() / 1e3,
        far[far.len() / 2],
        far[(far.len() - 1) * 99 / 100],
        far[far.len() - 1]
    );
}
