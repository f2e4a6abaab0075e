//! Films, parts and single pictures of a recording. ffmpeg is played by a script that keeps what it was asked for, so that
//! neither it nor its codecs need be here; where there is no graphics adapter or no shell these say so and pass.
#![cfg(unix)]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{ok, stderr, xiao};
use xiao::visuals::Offscreen;

const SIZE: &str = "64x48";
const FRAME_BYTES: u64 = 64 * 48 * 4;

/// A folder with a recording of some two seconds in `rec`; `None` where nothing can be drawn or played by a script.
fn recorded() -> Option<tempfile::TempDir> {
    if let Err(why) = Offscreen::new(64, 48) {
        eprintln!("skipped: {why}");
        return None;
    }
    if !Path::new("/bin/sh").exists() {
        eprintln!("skipped: no sh");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let play = ["play", "--stage", "plain", "--sound", "none", "--record", "rec", "--seconds", "2", "--seed", "3"];
    ok(xiao(dir.path()).args(play));
    Some(dir)
}

/// A folder for a PATH that holds nothing but this `ffmpeg`, which answers when it is asked whether it runs.
fn path(dir: &Path, ffmpeg: Option<&str>) -> PathBuf {
    let bin = dir.join("bin");
    let _ = std::fs::remove_dir_all(&bin);
    std::fs::create_dir(&bin).unwrap();
    if let Some(script) = ffmpeg {
        let script = format!("#!/bin/sh\nPATH=/usr/bin:/bin\n[ \"$1\" = -version ] && exit 0\n{script}\n");
        std::fs::write(bin.join("ffmpeg"), script).unwrap();
        std::fs::set_permissions(bin.join("ffmpeg"), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    bin
}

/// `xiao render rec …` with that PATH, small unless a size is asked for.
fn render(dir: &Path, ffmpeg: Option<&str>, args: &[&str]) -> Output {
    let mut command = xiao(dir);
    let size = if args.contains(&"--size") { &[][..] } else { &["--size", SIZE] };
    command.args(["render", "rec"]).args(size).args(args).env("PATH", path(dir, ffmpeg));
    command.output().unwrap()
}

/// Keeps the arguments, the frames and the sound, and makes a film of one word.
const FAKE: &str = r#"printf '%s\n' "$@" > args.txt
cat > frames.rgba
for arg; do case "$arg" in *.wav) cp "${arg#file:}" kept.wav;; esac; done
for last; do :; done
echo film > "${last#file:}""#;

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Seconds, largest magnitude in a file of sound.
fn heard(file: PathBuf) -> (f64, i32) {
    let mut wav = hound::WavReader::open(file).unwrap();
    let seconds = f64::from(wav.duration()) / f64::from(wav.spec().sample_rate);
    (seconds, wav.samples::<i32>().map(|x| x.unwrap().abs()).max().unwrap_or(0))
}

#[test]
fn sound_and_picture_reach_ffmpeg_in_step_and_the_same_each_time() {
    let Some(dir) = recorded() else { return };
    let at = |name: &str| dir.path().join(name);
    let film = render(dir.path(), Some(FAKE), &["--film", "evening.mp4", "--fps", "25"]);
    assert!(film.status.success(), "{}", stderr(&film));
    assert_eq!(std::fs::read_to_string(at("evening.mp4")).unwrap(), "film\n");
    assert_eq!(names(dir.path()), ["args.txt", "bin", "evening.mp4", "frames.rgba", "kept.wav", "rec"], "no scraps");
    let args = std::fs::read_to_string(at("args.txt")).unwrap();
    let args: Vec<_> = args.lines().collect();
    assert!(args.windows(2).any(|pair| pair == ["-video_size", SIZE]), "{args:?}");
    assert!(args.windows(2).any(|pair| pair == ["-framerate", "25"]), "{args:?}");
    assert_eq!(args.last(), Some(&"file:evening.part.mp4"));

    let frames = std::fs::read(at("frames.rgba")).unwrap();
    assert_eq!(frames.len() as u64 % FRAME_BYTES, 0);
    let count = frames.len() as u64 / FRAME_BYTES;
    let (seconds, peak) = heard(at("kept.wav"));
    // Two seconds and the last notes' one.
    assert!((74..=84).contains(&count), "{count} frames");
    assert!((seconds - count as f64 / 25.0).abs() < 1e-3, "{seconds} s of sound, {count} frames");
    assert!(peak > 80_000, "{peak}");

    let again = render(dir.path(), Some(FAKE), &["--film", "again.webm", "--fps", "25"]);
    assert!(again.status.success() && std::fs::read(at("frames.rgba")).unwrap() == frames, "{}", stderr(&again));
    let there = render(dir.path(), Some(FAKE), &["--film", "evening.mp4"]);
    assert!(!there.status.success() && stderr(&there).contains("there already"), "{}", stderr(&there));
}

#[test]
fn a_part_is_the_same_as_in_the_whole() {
    let Some(dir) = recorded() else { return };
    let film = |args: &[&str]| {
        let _ = std::fs::remove_file(dir.path().join("f.mkv"));
        let made = render(dir.path(), Some(FAKE), &[&["--film", "f.mkv", "--fps", "20"], args].concat());
        assert!(made.status.success(), "{}", stderr(&made));
        let wav = hound::WavReader::open(dir.path().join("kept.wav")).unwrap();
        let sound: Vec<i32> = wav.into_samples().map(Result::unwrap).collect();
        (std::fs::read(dir.path().join("frames.rgba")).unwrap(), sound)
    };
    // The river remembers what it drew, and at this size words leave a wake in it.
    let river = ["--set", "stage.scene=river", "--size", "320x240"];
    let (frames, _) = film(&river);
    let (part, _) = film(&[&river[..], &["--from", "1.5", "--to", "1.7"]].concat());
    assert_eq!(part.len(), 4 * 320 * 240 * 4);
    assert!(part[..] == frames[30 * 320 * 240 * 4..][..part.len()]);

    let (frames, sound) = film(&[]);
    let (part, part_sound) = film(&["--from", "0.5", "--to", "1.5"]);
    assert_eq!(part.len() as u64, 20 * FRAME_BYTES);
    assert!(part[..] == frames[10 * FRAME_BYTES as usize..][..part.len()]);
    assert_eq!(part_sound.len(), 2 * 48_000);
    assert!(part_sound[..] == sound[48_000..][..part_sound.len()]);

    // The frames of a folder, and one alone, are those of the film.
    let out = render(dir.path(), None, &["--frames", "out", "--fps", "20", "--from", "0.5", "--to", "0.6"]);
    assert!(out.status.success(), "{}", stderr(&out));
    assert_eq!(names(&dir.path().join("out")), ["frame-000000.png", "frame-000001.png"]);
    let one = render(dir.path(), None, &["--picture", "p.png", "--fps", "20", "--at", "0.55"]);
    assert!(one.status.success(), "{}", stderr(&one));
    let pixels = |file: &str| {
        let file = std::io::BufReader::new(std::fs::File::open(dir.path().join(file)).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut pixels = vec![0; FRAME_BYTES as usize];
        reader.next_frame(&mut pixels).unwrap();
        pixels
    };
    assert!(pixels("out/frame-000001.png") == frames[11 * FRAME_BYTES as usize..][..FRAME_BYTES as usize]);
    assert!(pixels("p.png") == pixels("out/frame-000001.png"));
    let beyond = render(dir.path(), None, &["--frames", "none", "--from", "60"]);
    assert!(
        !beyond.status.success() && stderr(&beyond).contains("there is no picture from 60 s on"),
        "{}",
        stderr(&beyond)
    );
}

#[test]
fn a_film_that_fails_leaves_nothing_and_says_why() {
    let Some(dir) = recorded() else { return };
    for script in [
        "head -c 20000 > /dev/null; echo 'av_interleaved_write_frame(): No space left on device' >&2; exit 1",
        "cat > /dev/null; echo 'No space left on device' >&2; exit 1",
        "echo half > evening.part.mp4; kill -9 $$",
    ] {
        let film = render(dir.path(), Some(script), &["--film", "evening.mp4"]);
        let said = stderr(&film);
        assert!(!film.status.success() && said.contains("evening.mp4 was not made"), "{said}");
        assert!(said.contains("No space left on device") || said.contains("signal: 9"), "{said}");
        assert_eq!(names(dir.path()), ["bin", "rec"], "{script}");
    }
    let odd = xiao(dir.path()).args(["render", "rec", "--film", "f.mp4", "--size", "63x48"]).output().unwrap();
    assert!(!odd.status.success() && stderr(&odd).contains("take 64x48"), "{}", stderr(&odd));
    let gif = render(dir.path(), None, &["--film", "f.gif"]);
    assert!(!gif.status.success() && stderr(&gif).contains(".webm"), "{}", stderr(&gif));
}

/// Begins a film whose ffmpeg is this script, and gives it so many signals, the first when the script has made `begun`.
fn interrupted(dir: &Path, script: &str, fps: &str, signals: u32) -> Output {
    let mut command = xiao(dir);
    command.args(["render", "rec", "--film", "f.mp4", "--fps", fps]).env("PATH", path(dir, Some(script)));
    let child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let waited = std::time::Instant::now();
    while !dir.join("begun").exists() && waited.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for _ in 0..signals {
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        std::thread::sleep(std::time::Duration::from_millis(if signals > 1 { 500 } else { 0 }));
    }
    child.wait_with_output().unwrap()
}

#[test]
fn a_signal_ends_it_and_leaves_nothing() {
    let Some(dir) = recorded() else { return };
    for (script, fps, says) in [
        ("touch begun; while head -c 100000 > /dev/null; do sleep 0.05; done", "240", "broken off after"),
        ("cat > /dev/null; touch begun; exec sleep 60", "10", "broken off while ffmpeg made the film whole"),
    ] {
        let ended = interrupted(dir.path(), script, fps, 1);
        assert!(!ended.status.success() && stderr(&ended).contains(says), "{}", stderr(&ended));
        assert_eq!(names(dir.path()), ["begun", "bin", "rec"]);
        std::fs::remove_file(dir.path().join("begun")).unwrap();
    }
}

#[test]
fn a_second_signal_ends_it_at_once_and_leaves_nothing() {
    let Some(dir) = recorded() else { return };
    // It takes a frame and no other: whoever gives it more waits.
    let script = "head -c 12288 > /dev/null; sleep 1; echo $$ > begun; exec sleep 60";
    let ended = interrupted(dir.path(), script, "240", 2);
    assert_eq!(ended.status.code(), Some(130), "{}", stderr(&ended));
    assert_eq!(names(dir.path()), ["begun", "bin", "rec"]);
    let ffmpeg = std::fs::read_to_string(dir.path().join("begun")).unwrap();
    let alive = Command::new("kill").args(["-0", ffmpeg.trim()]).output().unwrap();
    assert!(!alive.status.success(), "ffmpeg runs on");
}

#[test]
fn a_film_may_have_a_colon_in_its_name() {
    let Some(dir) = recorded() else { return };
    let film = render(dir.path(), Some(FAKE), &["--film", "21:30.mp4", "--to", "0.5"]);
    assert!(film.status.success(), "{}", stderr(&film));
    let args = std::fs::read_to_string(dir.path().join("args.txt")).unwrap();
    assert!(args.lines().any(|arg| arg == "file:21:30.part.wav") && args.ends_with("file:21:30.part.mp4\n"), "{args}");
    assert_eq!(names(dir.path()), ["21:30.mp4", "args.txt", "bin", "frames.rgba", "kept.wav", "rec"]);
}

#[test]
fn without_ffmpeg_its_parts_are_laid_out_with_the_command() {
    let Some(dir) = recorded() else { return };
    let args = ["--film", "an evening.mp4", "--fps", "10"];
    let film = render(dir.path(), None, &args);
    assert!(film.status.success() && stderr(&film).contains("ffmpeg was not found"), "{}", stderr(&film));
    let folder = dir.path().join("an evening-frames");
    let names = names(&folder);
    let frames = names.iter().filter(|name| name.starts_with("frame-")).count();
    assert_eq!(names.len(), frames + 2);
    let (seconds, _) = heard(folder.join("sound.wav"));
    assert!(frames >= 30 && (seconds - frames as f64 / 10.0).abs() < 1e-3, "{frames} frames, {seconds} s");
    let command = std::fs::read_to_string(folder.join("join.txt")).unwrap();
    assert!(command.contains("-framerate 10 -i frame-%06d.png -i file:sound.wav"), "{command}");
    assert!(command.ends_with("'file:../an evening.mp4'\n") && stderr(&film).contains(command.trim_end()), "{command}");
    let again = render(dir.path(), None, &args);
    assert!(!again.status.success() && stderr(&again).contains("is not empty"), "{}", stderr(&again));
}
