//! Folders with every kind of sound that artists and accidents put into them.

use std::f64::consts::TAU;
use std::fs;
use std::path::PathBuf;

use hound::{SampleFormat, WavSpec, WavWriter};
use tempfile::TempDir;

use super::*;
use crate::score::{Event, Stamped};

const RATE: u32 = 48_000;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/samples").join(name)
}

fn floats(rate_hz: u32, channels: u16) -> WavSpec {
    WavSpec { channels, sample_rate: rate_hz, bits_per_sample: 32, sample_format: SampleFormat::Float }
}

/// A sine of half of full scale.
fn tone(hz: f64, i: usize, rate_hz: u32) -> f32 {
    (0.5 * (TAU * hz * i as f64 / f64::from(rate_hz)).sin()) as f32
}

/// A sine of half of full scale, the same in every channel.
fn sine(path: &Path, hz: f64, seconds: f64, rate_hz: u32, channels: u16) {
    let mut wav = WavWriter::create(path, floats(rate_hz, channels)).unwrap();
    for i in 0..(seconds * f64::from(rate_hz)) as u32 {
        for _ in 0..channels {
            wav.write_sample(tone(hz, i as usize, rate_hz)).unwrap();
        }
    }
    wav.finalize().unwrap();
}

/// How far the middle of a sample is from a sine of half of full scale, and its largest magnitude anywhere.
fn away(sample: &Sample, hz: f64) -> (f32, f32) {
    let (mut worst, mut peak) = (0.0f32, 0.0f32);
    let edge = sample.frames() / 8;
    for i in 0..sample.frames() {
        let [left, right] = sample.at(i as f64);
        peak = peak.max(left.abs()).max(right.abs());
        if i > edge && i < sample.frames() - edge {
            let wanted = tone(hz, i, RATE);
            worst = worst.max((left - wanted).abs()).max((right - wanted).abs());
        }
    }
    (worst, peak)
}

fn problem<'a>(of: &'a [String], name: &str) -> &'a str {
    let mut found = of.iter().filter(|problem| problem.starts_with(&format!("{name}: ")));
    let problem = found.next().unwrap_or_else(|| panic!("nothing is said of {name} in {of:#?}"));
    assert!(found.next().is_none(), "once: {of:#?}");
    problem
}

#[test]
fn every_format_is_decoded_in_the_order_of_the_names_and_at_the_engines_rate() {
    let dir = TempDir::new().unwrap();
    for name in ["sine.flac", "sine.ogg", "sine.mp3"] {
        fs::copy(fixture(name), dir.path().join(name)).unwrap();
    }
    // The name says otherwise, and it plays all the same.
    fs::copy(fixture("sine.flac"), dir.path().join("wrong.wav")).unwrap();
    for (name, rate_hz, channels) in
        [("a.wav", 44_100, 1), ("b.WAV", 192_000, 2), ("c.wav", 48_000, 2), ("d.wav", 11_025, 1)]
    {
        sine(&dir.path().join(name), 440.0, 0.5, rate_hz, channels);
    }
    fs::write(dir.path().join("notes.txt"), "no sound").unwrap();
    fs::write(dir.path().join("._a.wav"), "what macOS lays beside").unwrap();
    let loaded = load(dir.path(), RATE).unwrap();
    assert!(loaded.problems.is_empty() && loaded.notices.is_empty(), "{:?} {:?}", loaded.problems, loaded.notices);
    let names: Vec<&str> = loaded.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["a.wav", "b.WAV", "c.wav", "d.wav", "sine.flac", "sine.mp3", "sine.ogg", "wrong.wav"]);
    for (file, sample) in loaded.files.iter().zip(loaded.bank.samples.iter()) {
        assert_eq!(file.frames, sample.frames() as u64);
        assert_eq!(file.sha256.len(), 64);
        let seconds = match file.name.as_bytes() {
            [b'a'..=b'd', ..] => 0.5,
            [.., b'v' | b'c'] => 1.0,
            _ => 0.25,
        };
        let (worst, peak) = away(sample, 440.0);
        let lossy = file.name.ends_with("mp3") || file.name.ends_with("ogg");
        // FLAC at 8 bits; lossy ones at the lowest of their qualities, and MP3 may be a sample late.
        assert!(
            worst
                < if lossy {
                    0.12
                } else if seconds == 1.0 {
                    0.01
                } else {
                    1e-5
                },
            "{}: {worst} away",
            file.name
        );
        assert!(peak < 0.6, "{}: {peak}", file.name);
        let length = sample.frames() as f32 / RATE as f32;
        assert!(
            (length - seconds).abs() < 0.002 || lossy && (length - seconds).abs() < 0.12,
            "{}: {length} s",
            file.name
        );
    }
    let again = load(dir.path(), RATE).unwrap();
    assert!(again.bank.samples == loaded.bank.samples && again.files == loaded.files, "the same each time");
    let other = load(dir.path(), 44_100).unwrap();
    assert_eq!(other.bank.samples[0].frames(), 22_050);
}

#[test]
fn what_lies_above_the_engines_half_rate_does_not_come_back_below() {
    let dir = TempDir::new().unwrap();
    sine(&dir.path().join("bat.wav"), 30_000.0, 0.5, 192_000, 1);
    let loaded = load(dir.path(), RATE).unwrap();
    let sample = &loaded.bank.samples[0];
    let middle = (4000..20_000).map(|i| sample.at(f64::from(i))[0].abs()).fold(0.0, f32::max);
    assert!(middle < 1e-4, "{middle}");
}

#[test]
fn each_bad_file_is_told_and_the_rest_plays() {
    let dir = TempDir::new().unwrap();
    let at = |name: &str| dir.path().join(name);
    sine(&at("good.wav"), 440.0, 0.3, 44_100, 2);
    let good = fs::read(at("good.wav")).unwrap();
    fs::write(at("empty.wav"), b"").unwrap();
    fs::write(at("header.wav"), &good[..44]).unwrap();
    sine(&at("none.wav"), 440.0, 0.0, 44_100, 1);
    fs::write(at("text.mp3"), "It was the best of times, it was the worst of times.\n".repeat(40)).unwrap();
    fs::create_dir(at("folder.wav")).unwrap();
    fs::write(at("other.aiff"), b"FORM").unwrap();
    fs::write(at("truncated.wav"), &good[..good.len() / 2]).unwrap();
    let flac = fs::read(fixture("sine.flac")).unwrap();
    fs::write(at("truncated.flac"), &flac[..flac.len() * 3 / 4]).unwrap();
    let ogg = fs::read(fixture("sine.ogg")).unwrap();
    fs::write(at("truncated.ogg"), &ogg[..ogg.len() - 100]).unwrap();
    let mut turned = good.clone();
    // Sample rate and channels, as no file has them.
    turned[24..28].copy_from_slice(&u32::MAX.to_le_bytes());
    fs::write(at("rate.wav"), &turned).unwrap();
    let mut turned = good.clone();
    turned[22..24].copy_from_slice(&[0, 0]);
    fs::write(at("channels.wav"), &turned).unwrap();
    sine(&at("eight.wav"), 440.0, 0.3, 48_000, 8);
    let huge = File::create(at("huge.wav")).unwrap();
    huge.set_len(2 << 30).unwrap();
    let mut wild = WavWriter::create(at("wild.wav"), floats(RATE, 1)).unwrap();
    for i in 0..4800 {
        wild.write_sample([0.25, f32::NAN, f32::INFINITY, -1e30][usize::from(i % 100 == 0) * (i / 100 % 4)]).unwrap();
    }
    wild.finalize().unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(at("loop.wav"), at("loop.wav")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", at("zero.wav")).unwrap();
    }
    let loaded = load(dir.path(), RATE).unwrap();
    for (name, says) in [
        ("empty.wav", "empty"),
        ("header.wav", ";"),
        ("none.wav", "no sound"),
        ("text.mp3", "not a WAV, FLAC, Ogg Vorbis or MP3"),
        ("folder.wav", "is a folder"),
        ("other.aiff", "convert it"),
        ("rate.wav", ";"),
        ("channels.wav", ";"),
        // Its only page of sound is not whole.
        ("truncated.ogg", ";"),
        ("huge.wav", "2048 MB"),
    ] {
        let problem = problem(&loaded.problems, name);
        assert!(problem.contains(says), "{problem}");
    }
    for (name, says) in [
        ("truncated.wav", "0.15 s of 0.30 s"),
        ("truncated.flac", "cut short"),
        ("eight.wav", "8 channels"),
        ("wild.wav", "no numbers"),
    ] {
        let notice = problem(&loaded.notices, name);
        assert!(notice.contains(says), "{notice}");
    }
    #[cfg(unix)]
    {
        problem(&loaded.problems, "loop.wav");
        assert!(problem(&loaded.problems, "zero.wav").contains("device"));
    }
    let names: Vec<&str> = loaded.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["eight.wav", "good.wav", "truncated.flac", "truncated.wav", "wild.wav"]);
    assert!(loaded.problems.len() <= 12, "{:#?}", loaded.problems);
    for sample in loaded.bank.samples.iter() {
        assert!((0..sample.frames()).all(|i| sample.at(i as f64).iter().all(|x| x.is_finite())));
    }
    let half = loaded.bank.samples[3].frames();
    assert!((half as f32 / 7200.0 - 1.0).abs() < 0.01, "{half}");
    // Eight of the same: the fronts with centre, back and side.
    let eight = &loaded.bank.samples[0];
    let loudest = (2000..12_000).map(|i| eight.at(f64::from(i))[0].abs()).fold(0.0, f32::max);
    assert!((loudest - 0.5 * (1.0 + 3.0 * 0.5f32.sqrt()) / 2.5f32.sqrt()).abs() < 0.01, "{loudest}");
}

#[test]
fn a_file_that_may_not_be_read_is_told() {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let dir = TempDir::new().unwrap();
        sine(&dir.path().join("a.wav"), 440.0, 0.1, RATE, 1);
        sine(&dir.path().join("b.wav"), 440.0, 0.1, RATE, 1);
        fs::set_permissions(dir.path().join("a.wav"), fs::Permissions::from_mode(0o000)).unwrap();
        // Whoever may read everything can read this too.
        if File::open(dir.path().join("a.wav")).is_err() {
            let loaded = load(dir.path(), RATE).unwrap();
            assert!(problem(&loaded.problems, "a.wav").contains("may be read"), "{:?}", loaded.problems);
            assert_eq!(loaded.files.len(), 1);
        }
    }
}

#[test]
fn folders_that_are_of_no_use_say_why() {
    let dir = TempDir::new().unwrap();
    let said = |path: &Path| load(path, RATE).unwrap_err().to_string();
    assert!(said(dir.path()).contains("holds no sound; put"), "{}", said(dir.path()));
    assert!(said(&dir.path().join("nowhere")).contains("cannot be read"));
    fs::write(dir.path().join("a.wav"), b"").unwrap();
    assert!(said(dir.path()).contains("a.wav: is empty"));
    assert!(said(&dir.path().join("a.wav")).contains("cannot be read"), "a file is no folder");
}

#[test]
fn what_is_too_long_or_too_many_is_left_out() {
    let dir = TempDir::new().unwrap();
    sine(&dir.path().join("0long.wav"), 440.0, 121.0, 8000, 1);
    for i in 0..70 {
        sine(&dir.path().join(format!("{i:02}.wav")), 440.0, 0.01, 8000, 1);
    }
    let loaded = load(dir.path(), 8000).unwrap();
    assert_eq!(loaded.files.len(), MOST);
    let long = loaded.files.iter().position(|file| file.name == "0long.wav").unwrap();
    assert_eq!(loaded.bank.samples[long].frames(), LONGEST_S * 8000);
    assert!(problem(&loaded.notices, "0long.wav").contains("longer than 120 s"));
    assert!(loaded.notices.iter().any(|notice| notice.contains("of 71 sounds the first 64")), "{:?}", loaded.notices);

    let mut reader = Reader::new(8000);
    reader.room = 8000;
    let source = reader.open(&dir.path().join("0long.wav")).unwrap();
    assert!(matches!(reader.read(source), Err(SampleError::NoRoom)));
    let source = reader.open(&dir.path().join("01.wav")).unwrap();
    assert_eq!(reader.read(source).unwrap().sample.frames(), 80, "a shorter one finds room");
}

/// Bytes turned over in a real file: whatever comes of it, it is told or it plays, and the thread lives.
#[test]
fn mutilated_files_never_bring_the_reader_down() {
    let dir = TempDir::new().unwrap();
    sine(&dir.path().join("sine.wav"), 440.0, 0.02, 8000, 2);
    let wav = fs::read(dir.path().join("sine.wav")).unwrap();
    let whole = ["sine.flac", "sine.ogg", "sine.mp3"].map(|name| fs::read(fixture(name)).unwrap());
    let mut random = 1u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    for round in 0..400 {
        let mut bytes = if round % 4 == 3 { wav.clone() } else { whole[round % 4].clone() };
        for _ in 0..1 + next(6) {
            // Headers more often than what follows.
            let at = if next(2) == 0 { next(64) } else { next(bytes.len()) };
            bytes[at] = [0, 1, 0x7f, 0x80, 0xff, next(256) as u8][next(6)];
        }
        bytes.truncate(bytes.len() - if next(3) == 0 { next(bytes.len() - 1) } else { 0 });
        let path = dir.path().join("x.wav");
        fs::write(&path, &bytes).unwrap();
        let mut reader = Reader::new(RATE);
        let read = reader.open(&path).and_then(|source| reader.read(source));
        if let Ok(read) = read {
            assert!(read.sample.frames() > 0 && read.sample.stereo.iter().all(|x| x.is_finite()), "round {round}");
        }
    }
}

#[test]
fn a_recording_finds_its_sounds_again_or_says_which_it_does_not() {
    let dir = TempDir::new().unwrap();
    let (sounds, recording) = (dir.path().join("sounds"), dir.path().join("rec"));
    fs::create_dir_all(&sounds).unwrap();
    fs::create_dir_all(&recording).unwrap();
    for (name, hz) in [("a.wav", 300.0), ("b.wav", 400.0), ("c.wav", 500.0)] {
        sine(&sounds.join(name), hz, 0.1, 44_100, 1);
    }
    let loaded = load(&sounds, RATE).unwrap();
    let event = Event::Samples { folder: sounds.to_string_lossy().into(), files: loaded.files.clone() };
    let events = [
        Stamped { seq: 5, t_ns: 0, event: event.clone() },
        Stamped { seq: 7, t_ns: 0, event: Event::Samples { folder: String::new(), files: vec![] } },
        Stamped { seq: 9, t_ns: 0, event },
    ];
    let banks = Banks::recall(&events, &recording, RATE);
    assert!(banks.problems.is_empty(), "{:?}", banks.problems);
    assert!(banks.of(5).unwrap().samples == loaded.bank.samples);
    assert!(banks.of(7).unwrap().samples.is_empty() && banks.of(6).is_none());
    assert!(Arc::ptr_eq(&banks.of(5).unwrap().samples, &banks.of(9).unwrap().samples), "read once");

    sine(&sounds.join("b.wav"), 401.0, 0.1, 44_100, 1);
    fs::remove_file(sounds.join("c.wav")).unwrap();
    let banks = Banks::recall(&events, &recording, RATE);
    assert!(problem(&banks.problems, "b.wav").contains("not the same any more"), "{:?}", banks.problems);
    assert!(problem(&banks.problems, "c.wav").contains("is not in"), "{:?}", banks.problems);
    assert_eq!(banks.problems.len(), 2, "each once");
    let bank = banks.of(9).unwrap();
    assert_eq!(bank.samples.iter().map(Sample::frames).collect::<Vec<_>>(), [4800, 0, 0], "silence keeps its place");

    // Beside the recording, wherever that has gone.
    fs::create_dir(recording.join("sounds")).unwrap();
    sine(&recording.join("sounds/b.wav"), 400.0, 0.1, 44_100, 1);
    sine(&recording.join("sounds/c.wav"), 500.0, 0.1, 44_100, 1);
    let banks = Banks::recall(&events, &recording, RATE);
    assert!(banks.problems.is_empty() && banks.of(5).unwrap().samples == loaded.bank.samples, "{:?}", banks.problems);
}
