//! The contact sheet and the other looks at a recording, as the command line makes them.

mod common;
#[path = "common/stage.rs"]
mod stage;

use std::path::Path;

use common::{ok, stderr, xiao};
use stage::{fixture, no_adapter};

fn pixels(file: &Path) -> ([u32; 2], Vec<u8>) {
    let mut reader =
        png::Decoder::new(std::io::BufReader::new(std::fs::File::open(file).unwrap())).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    ([info.width, info.height], pixels)
}

#[test]
fn a_contact_sheet_shows_each_scene_of_a_moment() {
    if no_adapter() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let recording = fixture("performances/english");
    let render = |args: &[&str]| {
        let mut command = xiao(dir.path());
        command.arg("render").arg(&recording).args(args);
        command
    };
    let small = ["--size", "160x90", "--fps", "10"];
    let said = stderr(&ok(render(&["--contact", "a.png"]).args(small)));
    assert!(said.contains("8 scenes at 8.0 s"), "{said}");
    let (size, sheet) = pixels(&dir.path().join("a.png"));
    assert_eq!(size, [2 * 176 + 16, 4 * 126 + 16]);
    let tile = |n: usize| -> Vec<u8> {
        let (left, top) = (16 + n % 2 * 176, 16 + n / 2 * 126);
        let row = |y: usize| &sheet[((top + y) * size[0] as usize + left) * 4..][..640];
        (0..90).flat_map(row).copied().collect()
    };
    let tiles: Vec<_> = (0..8).map(tile).collect();
    for (i, one) in tiles.iter().enumerate() {
        assert!(tiles[..i].iter().all(|other| other != one), "tile {i} is another's");
    }

    // One of its pictures is the frame itself, and a value holds whatever the recording sets.
    let river = ["--from", "6", "--to", "8.1", "--set", "stage.scene=river", "--set", "stage.palette=paper"];
    ok(render(&["--frames", "frames"]).args(river).args(small));
    let (_, frame) = pixels(&dir.path().join("frames/frame-000020.png"));
    ok(render(&["--contact", "b.png", "--set", "stage.palette=paper"]).args(small));
    let (_, sheet) = pixels(&dir.path().join("b.png"));
    let row = |y: usize| &sheet[((16 + y) * size[0] as usize + 192) * 4..][..640];
    assert!((0..90).flat_map(row).eq(&frame), "the river's picture is not its frame");
    assert!(frame[0] > 150, "paper is light");

    let again = render(&["--contact", "a.png"]).output().unwrap();
    assert!(!again.status.success() && stderr(&again).contains("a.png is there already"), "{}", stderr(&again));
    let played = render(&["--contact", "c.png", "--set", "generator.pace=2"]).output().unwrap();
    assert_eq!(played.status.code(), Some(2));
    assert!(stderr(&played).contains("only stage.* and shader.*"), "{}", stderr(&played));
}
