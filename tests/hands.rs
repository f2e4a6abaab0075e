//! The performer's hands over real MIDI: every kind of message, a storm of them, a cable that is pulled out fifty times,
//! and what a controller is told in return, all through a JACK server and a whole show.
//!
//! About a minute. Skipped, with a line that says so, where jackd is missing or does not start.
#![cfg(all(target_os = "linux", feature = "jack", feature = "midi-jack"))]

#[path = "common/jackd.rs"]
mod jackd;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jackd::Server;
use midir::os::unix::{VirtualInput, VirtualOutput};
use midir::{MidiInput, MidiInputConnection, MidiOutput, MidiOutputConnection};
use xiao::journal;
use xiao::score::{Event, Hand, ParamId};

const PATCH: &str = r#"
title = "hands"
controllers = false
[prompts]
a = "The moon"
b = "A river"
[params]
"generator.pace" = 20
[midi."*xiao-hands*"]
feedback = "*xiao-lamps*"
cc1        = "sampler.temperature"
ch2-cc1    = "sound.delay.mix"
fine2      = "sampler.top_p"
nrpn300    = "sampler.min_p"
rpn5       = "sampler.repeat_penalty"
bend       = "stage.hue"
pressure   = "stage.background"
poly40     = "stage.certainty"
program    = { to = "stage.ghosts" }
note35     = "prompt.a"
note36     = "prompt.b"
note37     = "generator.hold"
note38     = { to = "stage.meters", mode = "toggle" }
cc10       = { to = "sound.hum.brightness", encoder = "twos" }
cc11       = { to = "sound.reverb.mix", takeover = "pickup" }
cc12       = { to = "stage.text_size", steps = 4 }
cc13       = { to = "stage.palette", value = ["paper", "ember"] }
mpe-slide  = "shader.12"
"#;

/// What the storm moves: a control each.
const STORM: [(u8, ParamId); 12] = [
    (20, ParamId::Shader1),
    (21, ParamId::Shader2),
    (22, ParamId::Shader3),
    (23, ParamId::Shader4),
    (24, ParamId::Shader5),
    (25, ParamId::Shader6),
    (26, ParamId::TokenBrightness),
    (27, ParamId::BreathTurbulence),
    (28, ParamId::ThroatSize),
    (29, ParamId::SampleSpread),
    (30, ParamId::SamplePosition),
    (31, ParamId::Hue),
];
const STORM_S: u64 = 10;
const STORM_HZ: u64 = 10_000;
const REPLUGS: u32 = 50;

/// A show that is ended with the test.
struct Show {
    child: Child,
    folder: tempfile::TempDir,
}

impl Show {
    fn begin() -> Show {
        let folder = tempfile::tempdir().unwrap();
        let mut patch = PATCH.to_string();
        for (cc, id) in STORM {
            patch += &format!("ch16-cc{cc} = \"{}\"\n", id.name());
        }
        std::fs::write(folder.path().join("hands.toml"), patch).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_xiao"))
            .args(["play", "hands.toml", "--stage", "none", "--record", "rec", "--seed", "1"])
            .current_dir(folder.path())
            .env_remove("DISPLAY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Show { child, folder }
    }

    fn recording(&self) -> PathBuf {
        self.folder.path().join("rec")
    }

    /// All events so far; a recording is brought up to date four times a second.
    fn events(&self) -> Vec<Event> {
        journal::read(&self.recording())
            .map_or_else(|_| Vec::new(), |r| r.events.into_iter().map(|e| e.event).collect())
    }

    fn until(&self, what: &str, mut each: impl FnMut(), done: impl Fn(&[Event]) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(40);
        while !done(&self.events()) {
            assert!(Instant::now() < deadline, "{what}: {:?}", self.events().iter().rev().take(12).collect::<Vec<_>>());
            each();
            std::thread::sleep(Duration::from_millis(150));
        }
    }

    /// Sends until the parameter stands there.
    fn plays(&self, knobs: &mut MidiOutputConnection, messages: &[&[u8]], id: ParamId, wanted: f32) {
        let send = || messages.iter().for_each(|bytes| knobs.send(bytes).unwrap());
        self.until(&format!("{} to {wanted}", id.name()), send, |events| {
            value(events, id).is_some_and(|value| (value - wanted).abs() < 1e-3)
        });
    }

    /// Open files, threads, and megabytes of memory.
    fn holds(&self) -> [usize; 3] {
        let of = |what: &str| format!("/proc/{}/{what}", self.child.id());
        let count = |what: &str| std::fs::read_dir(of(what)).unwrap().count();
        let statm = std::fs::read_to_string(of("statm")).unwrap();
        let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
        [count("fd"), count("task"), (pages * 4096) >> 20]
    }

    /// Ends it in order; what it said on its way out.
    fn end(mut self) -> (Vec<Event>, String) {
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let mut said = String::new();
        std::io::Read::read_to_string(&mut self.child.stderr.take().unwrap(), &mut said).unwrap();
        assert!(self.child.wait().unwrap().success(), "{said}");
        (self.events(), said)
    }
}

impl Drop for Show {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a parameter was last set by MIDI.
fn value(events: &[Event], wanted: ParamId) -> Option<f32> {
    events.iter().rev().find_map(|event| match event {
        Event::Param { id, value, by: Hand::Midi } if *id == wanted => Some(*value),
        _ => None,
    })
}

/// How often a port was told to be here.
fn seen(events: &[Event]) -> usize {
    let here = |event: &&Event| matches!(event, Event::Notice { text } if text.contains("xiao-hands") && text.ends_with("is here"));
    events.iter().filter(here).count()
}

fn plug_in() -> MidiOutputConnection {
    MidiOutput::new("xiao-hands").unwrap().create_virtual("knobs").unwrap()
}

type Heard = Arc<Mutex<Vec<Vec<u8>>>>;

fn lamps(heard: &Heard) -> MidiInputConnection<()> {
    let heard = heard.clone();
    let hear = move |_: u64, bytes: &[u8], _: &mut ()| heard.lock().unwrap().push(bytes.to_vec());
    MidiInput::new("xiao-lamps").unwrap().create_virtual("lamps", hear, ()).unwrap()
}

#[test]
fn hands_are_trusted_blind() {
    jackd::hush_libjack();
    // SAFETY: the only test of this binary; no other thread reads the environment.
    let Some(_server) = (unsafe { Server::start(&format!("xiao-hands-{}", std::process::id())) }) else {
        println!("skipped: jackd is not here or does not start");
        return;
    };
    let show = Show::begin();
    // The device is absent at the start.
    show.until("tokens", || (), |events| events.iter().any(|event| matches!(event, Event::Token(_))));
    let heard = Heard::default();
    let _lamps = lamps(&heard);
    let mut knobs = plug_in();
    show.until("the controller", || (), |events| seen(events) == 1);

    every_kind(&show, &mut knobs);
    is_told(&show, &mut knobs, &heard);
    storm(&show, &mut knobs);
    replug(&show, knobs);

    let (events, said) = show.end();
    assert!(!said.contains("were lost"), "{said}");
    assert!(!events.iter().any(|event| matches!(event, Event::Fault { .. })));
    assert!(!events.iter().any(|event| matches!(event, Event::Notice { text } if text.contains("came too fast"))));
}

/// Each kind of message moves its parameter.
fn every_kind(show: &Show, knobs: &mut MidiOutputConnection) {
    let half14 = 8192.0 / 16383.0;
    show.plays(knobs, &[&[0xb0, 1, 127]], ParamId::Temperature, 2.0);
    show.plays(knobs, &[&[0xb1, 1, 127]], ParamId::DelayMix, 1.0);
    show.plays(knobs, &[&[0xb0, 2, 64], &[0xb0, 34, 0]], ParamId::TopP, half14);
    show.plays(knobs, &[&[0xb0, 99, 2], &[0xb0, 98, 44], &[0xb0, 6, 64], &[0xb0, 38, 0]], ParamId::MinP, half14);
    show.plays(
        knobs,
        &[&[0xb0, 101, 0], &[0xb0, 100, 5], &[0xb0, 6, 127], &[0xb0, 38, 127]],
        ParamId::RepeatPenalty,
        2.0,
    );
    show.plays(knobs, &[&[0xe0, 0, 64]], ParamId::Hue, half14);
    show.plays(knobs, &[&[0xd0, 127]], ParamId::Background, 1.0);
    show.plays(knobs, &[&[0xa0, 40, 0]], ParamId::Certainty, 0.0);
    show.plays(knobs, &[&[0xc0, 127]], ParamId::StageGhosts, 1.0);
    show.plays(knobs, &[&[0xb0, 12, 127]], ParamId::TextSize, 16.0);
    show.plays(knobs, &[&[0xb0, 13, 127], &[0xb0, 13, 0]], ParamId::Palette, 1.0);
    // A pedal withholds tokens; release lets them go.
    show.plays(knobs, &[&[0x90, 37, 100]], ParamId::Hold, 1.0);
    show.plays(knobs, &[&[0x80, 37, 0]], ParamId::Hold, 0.0);
    let prompts = |events: &[Event]| {
        let is_b = |event: &&Event| matches!(event, Event::Prompt { name: Some(name), .. } if name == "b");
        events.iter().filter(is_b).count()
    };
    show.until("the prompt", || knobs.send(&[0x90, 36, 1]).unwrap(), |events| prompts(events) > 0);
    // An encoder moves it by steps, from where it stands.
    let before = ParamId::HumBrightness.spec().default;
    show.until(
        "the encoder",
        || knobs.send(&[0xb0, 10, 3]).unwrap(),
        |events| value(events, ParamId::HumBrightness).is_some_and(|value| value > before),
    );
    let up = value(&show.events(), ParamId::HumBrightness).unwrap();
    let steps = (up - before) * 127.0;
    assert!((steps - steps.round()).abs() < 1e-3 && steps.round() as i32 % 3 == 0, "{steps} steps");
    // Pickup does nothing until it has met the value.
    knobs.send(&[0xb0, 11, 127]).unwrap();
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(value(&show.events(), ParamId::ReverbMix), None);
    show.plays(knobs, &[&[0xb0, 11, 20], &[0xb0, 11, 60]], ParamId::ReverbMix, 60.0 / 127.0);
    // The lower zone of MPE with one member, then the slide of its note.
    let zone: [&[u8]; 5] = [&[0xb0, 101, 0], &[0xb0, 100, 6], &[0xb0, 6, 1], &[0x91, 60, 9], &[0xb1, 74, 127]];
    show.plays(knobs, &zone, ParamId::Shader12, 1.0);
    // What is no control and what is broken is let be.
    let junk: [&[u8]; 5] = [&[0xf0, 1, 2, 3, 0xf7], &[0xfe], &[0xf8], &[0xff], &[0xf3, 1]];
    junk.iter().for_each(|bytes| knobs.send(bytes).unwrap());
    knobs.send(&[0xb0, 101, 0]).and(knobs.send(&[0xb0, 100, 6])).and(knobs.send(&[0xb0, 6, 0])).unwrap();
    show.plays(knobs, &[&[0xb0, 1, 0]], ParamId::Temperature, 0.0);
}

/// The lamps follow what is set elsewhere, and what was not sent by the hand itself.
fn is_told(show: &Show, knobs: &mut MidiOutputConnection, heard: &Heard) {
    heard.lock().unwrap().clear();
    let told = |wanted: &[u8]| heard.lock().unwrap().iter().any(|bytes| bytes == wanted);
    show.until("a lit lamp", || knobs.send(&[0x90, 38, 100]).unwrap(), |_| told(&[0x90, 38, 0]));
    let lit = |_: &[Event]| told(&[0x90, 35, 127]) && told(&[0x90, 36, 0]);
    show.until("the prompts' lamps", || knobs.send(&[0x90, 35, 100]).unwrap(), lit);
}

/// Ten thousand messages a second, and each control ends where it was last put.
fn storm(show: &Show, knobs: &mut MidiOutputConnection) {
    let tokens = |events: &[Event]| events.iter().filter(|event| matches!(event, Event::Token(_))).count();
    let before = tokens(&show.events());
    let (began, mut sent, mut seed, mut last) = (Instant::now(), 0u64, 7u32, [0u8; STORM.len()]);
    while began.elapsed() < Duration::from_secs(STORM_S) {
        let due = began.elapsed().as_micros() as u64 * STORM_HZ / 1_000_000;
        while sent < due {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (seed >> 8) as usize % STORM.len();
            let value = (seed >> 24) as u8 & 127;
            if knobs.send(&[0xbf, STORM[at].0, value]).is_ok() {
                last[at] = value;
            }
            sent += 1;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let wanted = |at: usize| STORM[at].1.spec().at(f32::from(last[at]) / 127.0);
    show.until(
        "the last values",
        || (),
        |events| (0..STORM.len()).all(|at| value(events, STORM[at].1).is_some_and(|v| (v - wanted(at)).abs() < 1e-3)),
    );
    let (events, rate) = (show.events(), sent / STORM_S);
    let came = tokens(&events) - before;
    println!("{rate} messages/s for {STORM_S} s; {came} tokens meanwhile, at 20 a second and rests");
    assert!(rate > STORM_HZ * 9 / 10 && came > 20, "{rate} messages/s, {came} tokens");
}

/// Pulled out and put back: each time it plays, and nothing grows.
fn replug(show: &Show, mut knobs: MidiOutputConnection) {
    let base = seen(&show.events());
    let mut before = [0; 3];
    for round in 1..=REPLUGS {
        drop(knobs);
        // Longer than between two looks.
        std::thread::sleep(Duration::from_millis(320));
        knobs = plug_in();
        std::thread::sleep(Duration::from_millis(320));
        knobs.send(&[0xb0, 1, round as u8]).unwrap();
        // A client that goes takes what it has not sent yet with it.
        std::thread::sleep(Duration::from_millis(100));
        if round == 5 {
            before = show.holds();
        }
    }
    show.plays(&mut knobs, &[&[0xb0, 1, 127]], ParamId::Temperature, 2.0);
    let (events, after) = (show.events(), show.holds());
    let times = seen(&events) - base;
    println!("{times} of {REPLUGS} times back; files, threads, MB: {before:?} before, {after:?} after");
    assert!(times as u32 >= REPLUGS * 9 / 10, "a busy machine may miss one that was away for a moment: {times}");
    assert!(
        after[0] <= before[0] + 3 && after[1] <= before[1] + 3 && after[2] <= before[2] + 12,
        "{before:?} {after:?}"
    );
    // The values of each round arrived, but for a round whose port was not seen.
    let spec = ParamId::Temperature.spec();
    let came = (1..=REPLUGS).filter(|round| {
        let wanted = spec.at(*round as f32 / 127.0);
        events.iter().any(
            |e| matches!(e, Event::Param { id: ParamId::Temperature, value, .. } if (*value - wanted).abs() < 1e-4),
        )
    });
    let came = came.count();
    assert!(came as u32 + REPLUGS / 10 >= times as u32, "{came} of {times}");
}
