//! Does the sound hold while everything else works as hard as it can: the model on every core without pause, the patch
//! rewritten each second, sound and journal recorded, JACK in real time at blocks of 128 frames?
//!
//! Twelve seconds, or `XIAO_LOAD_SECONDS`. Skipped, with a line that says so, where jackd is missing or does not start.
#![cfg(all(target_os = "linux", feature = "jack", feature = "midi-jack"))]

#[path = "common/jackd.rs"]
mod jackd;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jackd::{Server, Stall, Watch, Xruns};
use xiao::journal;
use xiao::score::Event;

/// An xrun is told within this time of the stall that made it. Thirty stalls in two minutes would excuse one in forty
/// that was made by something else.
const NEAR: Duration = Duration::from_millis(50);

/// A patch whose cables and parameters are others each time.
fn patch(round: u32) -> String {
    let part = |of: u32| f64::from((round * 7 + of) % of) / f64::from(of);
    let mut text = format!(
        "title = \"load\"\nmodel = \"embedded\"\nshader = \"field\"\ntuning = \"{}\"\n[prompts]\na = \"春\"\n[params]\n\
         \"generator.rest_s\" = 0\n\"sampler.temperature\" = 0.9\n\"sound.hum.pitch\" = {}\n\
         \"sound.throat.level_db\" = -20\n\"sound.reverb.mix\" = {:.2}\n\"sound.ghosts.count\" = {}\n",
        ["equal", "just", "sanfen", "slendro"][round as usize % 4],
        30 + round % 20,
        part(5),
        round % 8,
    );
    let ends =
        ["hum.brightness", "token.brightness", "reverb.mix", "delay.feedback", "breath.turbulence", "hum.beating"];
    let from = ["machine.cpu", "token.surprise", "token.entropy", "context.fill"];
    for cable in 0..12 + round as usize % 5 {
        text += &format!(
            "[[matrix]]\nfrom = \"{}\"\nto = \"sound.{}\"\namount = {:.2}\nlag_ms = {}\n",
            from[cable % from.len()],
            ends[(cable + round as usize) % ends.len()],
            part(11) - 0.4,
            100 * (cable + 1),
        );
    }
    text
}

#[test]
fn the_sound_holds_under_full_load() {
    let name = format!("xiao-load-{}", std::process::id());
    jackd::hush_libjack();
    // SAFETY: the only test of this binary; no other thread reads the environment.
    let Some(_server) = (unsafe { Server::start(&name) }) else {
        println!("skipped: jackd is not here or does not start");
        return;
    };
    // On a machine that stands still again and again, a shorter stall may be what nobody saw: such a round is played anew.
    for round in 1.. {
        let (unexcused, stalls) = play();
        match stalls {
            Some(0) | None => return assert_eq!(unexcused, 0, "xruns while the machine ran"),
            // A core that stands still is no fault of the player's; on a machine that runs there is no excuse.
            Some(_) if unexcused == 0 => return,
            Some(stalls) => assert!(round < 3, "{unexcused} xruns while the machine ran, beside {stalls} stalls"),
        }
    }
}

/// Plays under load once; the xruns that no stall of the machine explains, and how often it stood still, where that can
/// be seen.
fn play() -> (usize, Option<usize>) {
    let seconds: u64 = std::env::var("XIAO_LOAD_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(12);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("load.toml");
    std::fs::write(&file, patch(0)).unwrap();
    let (watch, xruns) = (Watch::begin(), Xruns::begin().unwrap());
    let show = Command::new(env!("CARGO_BIN_EXE_xiao"))
        .args(["play", "load.toml", "--stage", "none", "--set", "generator.pace=0", "--record", "rec"])
        .args(["--seconds", &seconds.to_string(), "--seed", "1"])
        .current_dir(dir.path())
        .env("CANDLE_NUM_THREADS", cores.to_string())
        .env_remove("DISPLAY")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let mut round = 0;
    while begun.elapsed() + Duration::from_secs(2) < Duration::from_secs(seconds) {
        std::thread::sleep(Duration::from_millis(900));
        round += 1;
        // As editors do it: whole, and then in its place.
        std::fs::write(dir.path().join("new"), patch(round)).unwrap();
        std::fs::rename(dir.path().join("new"), &file).unwrap();
    }
    let show = show.wait_with_output().unwrap();
    let (stalls, server_xruns) = (watch.end(), xruns.told());
    let said = String::from_utf8_lossy(&show.stderr);
    assert!(show.status.success(), "{}: {said}", show.status);

    let events = journal::read(&dir.path().join("rec")).unwrap().events;
    let count = |of: fn(&Event) -> bool| events.iter().filter(|e| of(&e.event)).count();
    let callbacks = events.iter().filter_map(|e| match &e.event {
        Event::Callback { load, xruns } => Some((*load, *xruns)),
        _ => None,
    });
    let xruns: u64 = callbacks.clone().map(|(_, xruns)| xruns).sum();
    let loads: Vec<f32> = callbacks.filter(|(_, xruns)| *xruns == 0).map(|(load, _)| load).collect();
    let mean = loads.iter().sum::<f32>() / loads.len() as f32;
    let most = loads.iter().fold(0.0f32, |most, load| most.max(*load));
    let excused = |at: &&Instant| {
        let near = |(stall, _): &Stall| at.duration_since(*stall).max(stall.duration_since(**at)) < NEAR;
        stalls.as_ref().is_some_and(|stalls| stalls.iter().any(near))
    };
    let unexcused = server_xruns.len() - server_xruns.iter().filter(excused).count();
    let tokens = count(|e| matches!(e, Event::Token(_)));
    let reloads = count(|e| matches!(e, Event::Patch { .. })) - 1;
    let faults = count(|e| matches!(e, Event::Fault { .. }));
    println!(
        "{seconds} s on {cores} cores: {xruns} xruns in the journal, {} at the server, {unexcused} of them while the \
         machine itself ran (it stood still {:?} times, for {:.1} ms at most); {tokens} tokens, {reloads} reloads; the callback took {:.1} % of \
         its time, at most {:.1} % of half a second",
        server_xruns.len(),
        stalls.as_ref().map(Vec::len),
        stalls.iter().flatten().map(|(_, late)| 1e3 * late.as_secs_f64()).fold(0.0, f64::max),
        100.0 * mean,
        100.0 * most,
    );
    assert!(events.iter().any(|e| matches!(&e.event, Event::Sound { output, .. } if output.starts_with("jack"))));
    assert_eq!(faults, 0);
    // That there was a load; how much is the machine's affair, which may have other work.
    assert!(tokens > 5 * seconds as usize, "{tokens} tokens");
    assert!(reloads > 0, "{reloads} reloads");
    assert!(!said.contains("are silence"), "{said}");
    assert!(mean < 0.5, "the callback takes {mean} of its time");
    if stalls.is_none() {
        println!("the system gives no real-time priority: xruns are told and not judged");
        return (0, None);
    }
    (unexcused, stalls.map(|stalls| stalls.len()))
}
