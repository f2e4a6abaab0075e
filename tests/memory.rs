//! Memory stays flat while frames are drawn: a gallery's screen runs for weeks.

#![cfg(target_os = "linux")]

use xiao::score::{Event, Stamped};
use xiao::visuals::{FrameState, Offscreen};

/// What this process holds, in kB.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Each shader that comes with xiao; a branch in one once cost half a megabyte a frame in Mesa's software driver.
#[test]
fn no_shipped_shader_costs_memory_by_the_frame() {
    for name in ["field", "ink"] {
        let Ok(mut screen) = Offscreen::new(640, 360) else {
            println!("skipped: no graphics adapter");
            return;
        };
        let text = xiao::visuals::shader::builtin(name).unwrap().to_string();
        let mut state = FrameState::new();
        state.apply(&Stamped { seq: 0, t_ns: 0, event: Event::Shader { name: name.into(), text } });
        let mut draw = |frames: std::ops::Range<u64>| {
            for frame in frames {
                state.advance(frame * 33_000_000);
                screen.frame(&state).unwrap();
            }
            resident_kb()
        };
        let before = draw(0..60);
        let after = draw(60..180);
        assert!(after < before + 12_000, "{name}: {before} kB became {after} kB in 120 frames");
    }
}
