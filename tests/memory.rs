//! Memory stays flat while frames are drawn: a gallery's screen runs for weeks.

#![cfg(target_os = "linux")]

use xiao::score::{Event, Hand, ParamId, Stamped, Token};
use xiao::visuals::{FrameState, Offscreen};

const SIZE: [u32; 2] = [160, 90];
/// Until everything is there that comes once, and where scenes cross, until each of the seven was there.
const FIRST: u64 = 300;
const FIRST_CROSSING: u64 = 800;
/// So many times so many frames. What leaks grows in each; a buffer or an arena of the allocator's that is made larger
/// once, a megabyte at times, in one of them.
const ROUNDS: u64 = 3;
const FRAMES: u64 = 500;
/// Where nothing grows there are some tens of kB at random.
const MOST_KB_A_FRAME: u64 = 1;

/// What this process holds, in kB.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn set(id: ParamId, value: f32) -> Event {
    Event::Param { id, value, by: Hand::Key }
}

fn token(index: u32) -> Event {
    Event::Token(Token {
        id: 0,
        text: if index % 9 == 8 { "\n".into() } else { " 春moon".into() },
        index,
        latency_ms: 50.0,
        p: 0.3,
        surprise_bits: 1.7,
        entropy_bits: 1.0,
        context_fill: 0.1,
        inside: Default::default(),
        top: vec![],
    })
}

/// How much memory the frames of a round take at least, of a stage that began with these events, and at which words come.
/// `None` without an adapter.
fn grown_kb(events: &[Event], crossing: bool) -> Option<u64> {
    let Ok(mut screen) = Offscreen::new(SIZE[0], SIZE[1]) else {
        println!("skipped: no graphics adapter");
        return None;
    };
    let mut state = FrameState::new();
    let put = |state: &mut FrameState, t_ns, event| state.apply(&Stamped { seq: 0, t_ns, event });
    for event in events {
        put(&mut state, 0, event.clone());
    }
    let mut held_kb = Vec::new();
    let first = if crossing { FIRST_CROSSING } else { FIRST };
    for frame in 0..=first + ROUNDS * FRAMES {
        let t_ns = frame * 33_000_000;
        if frame >= first && (frame - first).is_multiple_of(FRAMES) {
            held_kb.push(resident_kb());
        }
        // Words, as long as what they take is not yet all there.
        if frame % 5 == 0 {
            put(&mut state, t_ns, token((frame / 5) as u32));
        }
        if crossing && frame % 100 == 0 {
            put(&mut state, t_ns, set(ParamId::StageScene, (frame / 100 % 7) as f32));
        }
        state.advance(t_ns);
        screen.frame(&state).unwrap();
    }
    assert_eq!(screen.take_fault(), None);
    held_kb.windows(2).map(|round| round[1].saturating_sub(round[0])).min()
}

fn flat(what: &str, events: &[Event], crossing: bool) {
    if let Some(grown_kb) = grown_kb(events, crossing) {
        assert!(grown_kb <= FRAMES * MOST_KB_A_FRAME, "{what}: {grown_kb} kB more after {FRAMES} frames");
    }
}

/// One after the other, since all of them are in one process.
#[test]
fn no_picture_costs_memory_by_the_frame() {
    for (scene, name) in ParamId::StageScene.spec().names().iter().enumerate() {
        flat(name, &[set(ParamId::StageScene, scene as f32)], false);
    }
    flat("paper", &[set(ParamId::Palette, 1.0), set(ParamId::Plate, 1.0)], false);
    flat("crossing", &[set(ParamId::Crossfade, 2.0)], true);
    let text = xiao::visuals::shader::builtin("ink").unwrap();
    flat("ink", &[Event::Shader { name: "ink".into(), text: text.into() }], false);
    // An artist's shader, most of which lies in a branch over a uniform: Mesa's software driver compiled it anew for
    // every frame and kept each one, half a megabyte.
    let steps: String = (0..60).map(|i| format!("x = fract(sin(x * {i}.7 + uv.x * {i}.3) * 43.5);\n")).collect();
    let text = format!(
        "fn field(uv: vec2<f32>) -> vec3<f32> {{ var x = uv.y; if u.time < 0.0 {{ {steps} }} return vec3<f32>(x); }}"
    );
    let events = [Event::Shader { name: "mine".into(), text }, set(ParamId::StageScene, 7.0)];
    flat("a branch over a uniform", &events, false);
}
