//! What the tests of the stage's pictures share: recordings, states moved on in small steps, and pixels.

#![allow(dead_code)]

use std::path::{Path, PathBuf};

use xiao::score::{Event, Hand, ParamId, Stamped};
use xiao::visuals::scene::FAULT;
use xiao::visuals::{FrameState, Offscreen};

pub const LANGUAGES: [&str; 2] = ["chinese", "english"];

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The events of a recorded performance.
pub fn performance(language: &str) -> Vec<Stamped> {
    xiao::journal::read(&fixture("performances").join(language)).unwrap().events
}

pub fn at(t_s: f64, event: Event) -> Stamped {
    Stamped { seq: 0, t_ns: (t_s * 1e9) as u64, event }
}

pub fn set(id: ParamId, value: f32) -> Stamped {
    at(0.0, Event::Param { id, value, by: Hand::Patch })
}

/// The model crashes.
pub fn crash(t_s: f64) -> Stamped {
    at(t_s, Event::Fault { place: "generator".into(), what: "the weights ran out".into(), remedy: String::new() })
}

/// Before a recording's events: the scene, without the foot's meters, and without the scene fault coming by itself.
pub fn shown_in(scene: usize) -> Vec<Stamped> {
    vec![
        set(ParamId::StageScene, scene as f32),
        set(ParamId::Crossfade, 0.0),
        set(ParamId::Meters, 0.0),
        set(ParamId::FaultScene, f32::from(scene == FAULT)),
    ]
}

/// Frames a second that a test draws.
pub const FPS: f64 = 10.0;

/// Moves a state on from its beginning to each frame's time and gives it to `each`.
pub fn frames(events: &[Stamped], to_s: f64, mut each: impl FnMut(u64, &FrameState)) {
    let (mut state, mut events) = (FrameState::new(), events.iter().peekable());
    for frame in 0..=(to_s * FPS).round() as u64 {
        let t_ns = (frame as f64 / FPS * 1e9) as u64;
        while let Some(event) = events.next_if(|e| e.t_ns <= t_ns) {
            state.apply(event);
        }
        state.advance(t_ns);
        each(frame, &state);
    }
}

/// The frame at a time, drawn after those of the two seconds before, which fields remember.
pub fn picture(screen: &mut Offscreen, events: &[Stamped], t_s: f64) -> Vec<u8> {
    pictures(screen, events, &[t_s]).remove(0)
}

/// The same for times in their order, the first of which has two seconds before it.
pub fn pictures(screen: &mut Offscreen, events: &[Stamped], times_s: &[f64]) -> Vec<Vec<u8>> {
    // A field forgets what it drew when another scene was there.
    for scene in [0.0, 1.0] {
        let mut other = FrameState::new();
        other.apply(&set(ParamId::StageScene, scene));
        other.advance(1);
        screen.frame(&other).unwrap();
    }
    let wanted: Vec<u64> = times_s.iter().map(|s| (s * FPS).round() as u64).collect();
    let first = wanted[0].saturating_sub((2.0 * FPS) as u64);
    let mut found = Vec::new();
    frames(events, *times_s.last().unwrap(), |frame, state| {
        if frame >= first {
            let pixels = screen.frame(state).unwrap();
            if wanted.contains(&frame) {
                found.push(pixels);
            }
        }
    });
    found
}

/// A machine without any graphics driver cannot run these tests; they say so and pass.
pub fn no_adapter() -> bool {
    let none = Offscreen::new(16, 16).is_err();
    if none {
        eprintln!("skipped: there is no graphics adapter");
    }
    none
}

/// The mean difference of the channels red, green and blue of all pixels, of 255.
pub fn difference(a: &[u8], b: &[u8]) -> f64 {
    let sum: u64 = a.chunks(4).zip(b.chunks(4)).map(|(a, b)| apart(a, b)).sum();
    sum as f64 / (a.len() / 4 * 3) as f64
}

/// The summed difference of two pixels.
pub fn apart(a: &[u8], b: &[u8]) -> u64 {
    a.iter().zip(b).take(3).map(|(a, b)| u64::from(a.abs_diff(*b))).sum()
}
