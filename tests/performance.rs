//! Whole performances: played, recorded, killed, replayed, rendered.

mod common;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{ids, journal, ok, stderr, stdout, words, xiao};

/// A short performance on plain lines without a device, recorded into `rec`.
fn play(folder: &Path, rec: &str, more: &[&str]) -> Command {
    let mut command = xiao(folder);
    command.args(["play", "--stage", "plain", "--sound", "none", "--record", rec]).args(more);
    command
}

fn samples(file: &Path) -> Vec<f32> {
    let mut reader = hound::WavReader::open(file).unwrap();
    let scale = (1i64 << (reader.spec().bits_per_sample - 1)) as f32;
    reader.samples::<i32>().map(|s| s.unwrap() as f32 / scale).collect()
}

#[test]
fn what_was_seen_is_what_was_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let seen = stdout(&ok(&mut play(dir.path(), "rec", &["--seconds", "4", "--seed", "3"])));
    let rec = dir.path().join("rec");
    let events = journal(&rec);
    let recorded = words(&events);
    assert!(recorded.chars().count() > 10, "{recorded:?}");
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    assert_eq!(letters(&seen), letters(&recorded));
    for (i, event) in events.iter().enumerate() {
        assert_eq!(event["seq"].as_u64(), Some(i as u64));
    }
    assert_eq!(events[0]["event"], "begin");
    assert_eq!(events[0]["sha256"].as_str().unwrap().len(), 64);
    // After the end only the sound still says at which frame it heard it.
    let last = events.iter().rfind(|e| e["event"] != "heard").unwrap();
    assert_eq!(last["event"], "end");
    assert!(rec.join("patch.toml").exists());

    let sound = samples(&rec.join("sound.wav"));
    let peak = sound.iter().fold(0.0f32, |a, s| a.max(s.abs()));
    let rms = (sound.iter().map(|s| s * s).sum::<f32>() / sound.len() as f32).sqrt();
    assert!((0.02..0.999).contains(&peak), "peak {peak}");
    assert!(rms > 0.003, "rms {rms}");

    // The replay says the same words and leaves the recording as it was.
    let before = std::fs::read(rec.join("journal.jsonl")).unwrap();
    let again = stdout(&ok(xiao(dir.path()).args(["replay", "rec", "--stage", "plain", "--sound", "none"])));
    assert_eq!(letters(&again), letters(&seen));
    assert_eq!(std::fs::read(rec.join("journal.jsonl")).unwrap(), before);

    // The rendered sound is the sound that was recorded.
    ok(xiao(dir.path()).args(["render", "rec", "--wav", "again.wav"]));
    let rendered = samples(&dir.path().join("again.wav"));
    let common = sound.len().min(rendered.len());
    assert!(common > 2 * 48_000 * 2, "{} and {} samples", sound.len(), rendered.len());
    let differ = (0..common).find(|&i| (sound[i] - rendered[i]).abs() > 1.5 / 8_388_608.0);
    assert_eq!(differ, None, "first different sample of {common}");
    let refused = xiao(dir.path()).args(["render", "rec", "--wav", "again.wav"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
}

/// A WAV of half a second of a falling tone.
fn tone(file: &Path, hz: f32) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 44_100,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(file, spec).unwrap();
    for i in 0..22_050 {
        let t = i as f32 / 44_100.0;
        wav.write_sample((12_000.0 * (-4.0 * t).exp() * (std::f32::consts::TAU * hz * t).sin()) as i16).unwrap();
    }
    wav.finalize().unwrap();
}

#[test]
fn the_artists_own_sounds_are_in_the_recording_and_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    std::fs::create_dir_all(at("patches/sounds")).unwrap();
    for (name, hz) in [("a.wav", 220.0), ("b.wav", 330.0), ("c.wav", 440.0)] {
        tone(&at("patches/sounds").join(name), hz);
    }
    std::fs::write(at("patches/sounds/bad.mp3"), "no sound at all").unwrap();
    let patch = "samples = \"sounds\"\n[params]\n\"sound.sample.level_db\" = 0\n[prompts]\nmoon = \"The moon\"\n";
    std::fs::write(at("patches/t.toml"), patch).unwrap();
    let refused = xiao(dir.path()).args(["check", "patches/t.toml"]).output().unwrap();
    assert!(!refused.status.success() && stderr(&refused).contains("bad.mp3: is not a WAV"), "{}", stderr(&refused));

    ok(&mut play(dir.path(), "rec", &["patches/t.toml", "--seconds", "4", "--seed", "3"]));
    let events = journal(&at("rec"));
    let loaded = events.iter().find(|e| e["event"] == "samples").expect("the samples are an event");
    let names: Vec<_> = loaded["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a.wav", "b.wav", "c.wav"]);
    assert!(events.iter().any(|e| e["event"] == "heard" && e["of"] == loaded["seq"]), "the engine took them");
    assert!(events.iter().any(|e| e["event"] == "notice" && e["text"].as_str().unwrap().contains("bad.mp3")));

    let differ = |name: &str| {
        let said = stderr(&ok(xiao(dir.path()).args(["render", "rec", "--wav", name])));
        let (played, rendered) = (samples(&at("rec/sound.wav")), samples(&at(name)));
        let common = played.len().min(rendered.len());
        assert!(common > 2 * 48_000 * 2);
        (said, (0..common).any(|i| (played[i] - rendered[i]).abs() > 1.5 / 8_388_608.0))
    };
    assert!(!differ("same.wav").1, "the same samples");
    for name in ["a.wav", "b.wav"] {
        std::fs::remove_file(at("patches/sounds").join(name)).unwrap();
    }
    tone(&at("patches/sounds/c.wav"), 441.0);
    let (said, other) = differ("other.wav");
    assert!(other && said.contains("a.wav: is not in") && said.contains("c.wav: is not the same"), "{said}");
    let said = ok(xiao(dir.path()).args(["replay", "rec", "--stage", "plain", "--sound", "again.wav"]));
    assert!(stderr(&said).contains("b.wav: is not in"), "{}", stderr(&said));
    // Laid into the recording they are found again.
    std::fs::create_dir(at("rec/sounds")).unwrap();
    for (name, hz) in [("a.wav", 220.0), ("b.wav", 330.0), ("c.wav", 440.0)] {
        tone(&at("rec/sounds").join(name), hz);
    }
    assert!(!differ("found.wav").1, "the same samples again");
}

#[test]
fn the_same_seed_plays_what_say_says() {
    let dir = tempfile::tempdir().unwrap();
    let patch = "title = \"t\"\n[prompts]\nmoon = \"The moon\"\n";
    std::fs::write(dir.path().join("t.toml"), patch).unwrap();
    for rec in ["a", "b"] {
        ok(&mut play(dir.path(), rec, &["t.toml", "--seconds", "2", "--seed", "11", "--set", "generator.pace=30"]));
    }
    let (a, b) = (journal(&dir.path().join("a")), journal(&dir.path().join("b")));
    let common = ids(&a).len().min(ids(&b).len());
    assert!(common > 20, "{common}");
    assert_eq!(ids(&a)[..common], ids(&b)[..common]);
    let said = stdout(&ok(xiao(dir.path()).args(["say", "The moon", "--tokens", "20", "--seed", "11"])));
    let words = words(&a);
    assert!(words.starts_with(said.trim_end_matches('\n')), "{words:?} does not begin with {said:?}");
}

#[test]
fn a_killed_performance_can_be_replayed() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = play(dir.path(), "rec", &["--seed", "5"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    std::thread::sleep(Duration::from_secs(4));
    // SIGKILL, as `kill -9` sends it.
    child.kill().unwrap();
    let killed_after = started.elapsed();
    child.wait().unwrap();
    let events = journal(&dir.path().join("rec"));
    let last_ns = events.last().unwrap()["t_ns"].as_u64().unwrap();
    // The clock of the performance begins a little after the process.
    let lost = killed_after.saturating_sub(Duration::from_nanos(last_ns));
    assert!(lost < Duration::from_millis(1500), "the last {lost:?} are missing, the start of the process included");
    assert!(ids(&events).len() > 8);
    assert!(samples(&dir.path().join("rec/sound.wav")).len() > 48_000);
    let again = stdout(&ok(xiao(dir.path()).args(["replay", "rec", "--stage", "plain", "--sound", "none"])));
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    assert!(letters(&again).contains(&letters(&words(&events))), "{again:?}");
}

#[test]
fn a_saved_patch_is_taken_up_and_a_broken_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("t.toml");
    let patch =
        |pace: &str| format!("title = \"t\"\n[prompts]\nmoon = \"The moon\"\n[params]\n\"generator.pace\" = {pace}\n");
    std::fs::write(&file, patch("5")).unwrap();
    let mut child =
        play(dir.path(), "rec", &["t.toml", "--seconds", "6"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(2000));
    std::fs::write(&file, patch("\"fast\"")).unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    std::fs::write(&file, patch("7")).unwrap();
    assert!(child.wait().unwrap().success());
    let events = journal(&dir.path().join("rec"));
    let place = |what: &dyn Fn(&serde_json::Value) -> bool| events.iter().position(what);
    let fault = place(&|e| e["event"] == "fault" && e["place"] == "patch").expect("the broken patch was not said");
    let good = place(&|e| e["event"] == "param" && e["id"] == "generator.pace" && e["value"] == 7.0)
        .expect("the good patch was not taken up");
    assert!(fault < good);
    assert!(events[fault]["what"].as_str().unwrap().contains("t.toml:5"), "{}", events[fault]);
}
