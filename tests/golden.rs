//! Golden frames: every scene in both languages as it was found good, drawn again and compared.
//!
//! On llvmpipe, which made them, the mean difference of the channels is at most 2 of 255 and at most one pixel in a
//! hundred differs by more than 24 in any of them: another Mesa rounds otherwise. On any other adapter only the structure
//! is compared: the mean of each of 32 by 18 parts of the picture, by 12 of 255.
//!
//! `XIAO_GOLDEN=write cargo test --test golden` makes them anew.

#[path = "common/stage.rs"]
mod stage;

use std::fs;
use std::path::Path;

use stage::{LANGUAGES, crash, difference, fixture, no_adapter, performance, picture, shown_in};
use xiao::visuals::scene::{FAULT, SCENES};
use xiao::visuals::{Offscreen, adapters, write_png};

const SIZE: [u32; 2] = [480, 270];
/// The moment, and when the crash was that the scene fault needs.
const AT_S: f64 = 8.0;
const CRASH_S: f64 = 6.8;

fn drawn(scene: usize, language: &str) -> Vec<u8> {
    drawn_at(scene, language, AT_S)
}

fn drawn_at(scene: usize, language: &str, at_s: f64) -> Vec<u8> {
    let mut events = shown_in(scene);
    events.extend(performance(language));
    if scene == FAULT {
        events.push(crash(CRASH_S));
        events.sort_by_key(|e| e.t_ns);
    }
    picture(&mut Offscreen::new(SIZE[0], SIZE[1]).unwrap(), &events, at_s)
}

fn read_png(path: &Path) -> Vec<u8> {
    let file = fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}; see the head of this test", path.display()));
    let mut reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!(([info.width, info.height], info.color_type), (SIZE, png::ColorType::Rgba), "{}", path.display());
    pixels
}

/// The mean of each part of the picture.
fn structure(pixels: &[u8]) -> Vec<f64> {
    let (wide, tall) = (SIZE[0] as usize / 32, SIZE[1] as usize / 18);
    let part = |n: usize| {
        let corner = (n / 32 * tall, n % 32 * wide);
        let places = (0..wide * tall).map(|i| ((corner.0 + i / wide) * SIZE[0] as usize + corner.1 + i % wide) * 4);
        places.map(|at| pixels[at..at + 3].iter().map(|v| f64::from(*v)).sum::<f64>()).sum::<f64>()
            / (3 * wide * tall) as f64
    };
    (0..32 * 18).map(part).collect()
}

/// What is wrong with a picture, if anything.
fn compared(found: &[u8], golden: &[u8], software: bool) -> Option<String> {
    if software {
        let mean = difference(found, golden);
        let most = |a: &[u8], b: &[u8]| (0..3).map(|k| a[k].abs_diff(b[k])).max();
        let off = found.chunks(4).zip(golden.chunks(4)).filter(|(a, b)| most(a, b) > Some(24)).count();
        let part = off as f64 / (found.len() / 4) as f64;
        return (mean > 2.0 || part > 0.01).then(|| format!("mean difference {mean:.2}, {:.1} % off", part * 100.0));
    }
    let parts = structure(found).into_iter().zip(structure(golden));
    let most = parts.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    (most > 12.0).then(|| format!("a part of the picture is off by {most:.1}"))
}

#[test]
fn every_scene_looks_as_it_was_found_good() {
    if no_adapter() {
        return;
    }
    let write = std::env::var("XIAO_GOLDEN").is_ok_and(|v| v == "write");
    let software = adapters().iter().all(|a| a.name.contains("llvmpipe"));
    let mut wrong = Vec::new();
    for language in LANGUAGES {
        for (number, scene) in SCENES.iter().enumerate() {
            let name = format!("{}-{language}.png", scene.name);
            let (golden, found) = (fixture("golden").join(&name), drawn(number, language));
            if write {
                fs::create_dir_all(fixture("golden")).unwrap();
                write_png(&golden, SIZE[0], SIZE[1], &found).unwrap();
            }
            if let Some(why) = compared(&found, &read_png(&golden), software) {
                let beside = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name);
                write_png(&beside, SIZE[0], SIZE[1], &found).unwrap();
                wrong.push(format!("{}: {why}; found: {}", golden.display(), beside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn another_scene_or_moment_is_found_out() {
    if no_adapter() {
        return;
    }
    let page = drawn(0, "english");
    for software in [true, false] {
        assert_eq!(compared(&page, &page, software), None);
        for other in [drawn(1, "english"), drawn(0, "chinese"), drawn_at(0, "english", 0.5 * AT_S)] {
            assert!(compared(&page, &other, software).is_some(), "software {software}");
        }
    }
}
