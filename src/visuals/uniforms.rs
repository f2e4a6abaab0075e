//! What a shader may read: the struct `u`, written in WGSL from the signal and parameter tables.
//!
//! Every member is one `f32` (but `resolution`), so the layout is the plain order and a new row of a table is a new
//! member. Pure; no wgpu in here.

use std::fmt::Write;

use super::FrameState;
use crate::score::param::PARAMS;
use crate::score::signal::SIGNALS;
use crate::score::{ParamId, SignalId};

/// Members that are no row of a table, with what they mean. `resolution` counts twice.
const MOMENTS: [(&str, &str); 7] = [
    ("time", "seconds since the performance began"),
    ("token_age", "seconds since the last token came, -1 before the first"),
    ("tokens", "how many tokens have come"),
    ("piece_age", "seconds since the present prompt was given"),
    ("flaw_age", "seconds since the model last erred, -1 if it never has"),
    ("reading", "1 while the prompt is being read, else 0"),
    ("spread", "how far the last token's ripple should reach: its surprise, 0..1, held until the next token"),
];

/// How many `f32` the struct holds, padded to whole `vec4`s.
pub const COUNT: usize = (2 + MOMENTS.len() + SignalId::COUNT + ParamId::COUNT).div_ceil(4) * 4;

/// The WGSL that stands before every field shader.
pub fn prelude() -> String {
    let mut wgsl = String::from("struct Stage {\n  resolution: vec2<f32>, // pixels\n");
    let mut member = |name: &str, help: &str| {
        let _ = writeln!(wgsl, "  {name}: f32, // {help}");
    };
    for (name, help) in MOMENTS {
        member(name, help);
    }
    for spec in &SIGNALS {
        member(
            &word(spec.name),
            &format!("{}; {} to {} {} as 0..1, -1 if absent", spec.help, spec.min, spec.max, spec.unit),
        );
    }
    for spec in &PARAMS {
        member(&word(spec.name), &format!("{}; its travel as 0..1", spec.help));
    }
    wgsl.push_str("}\n@group(0) @binding(0) var<uniform> u: Stage;\n");
    wgsl
}

/// A dotted name as a WGSL identifier.
fn word(name: &str) -> String {
    name.replace('.', "_")
}

/// The struct's content for this frame of `size` pixels.
pub fn pack(state: &FrameState, size: [u32; 2]) -> [f32; COUNT] {
    let age = |t_ns: Option<u64>| t_ns.map_or(-1.0, |t_ns| state.since(t_ns));
    let moments = [
        state.since(0),
        age(state.last_token.map(|t| t.0)),
        state.tokens as f32,
        state.since(state.piece_ns),
        age(state.last_flaw_ns),
        f32::from(state.reading),
        state.last_token.map_or(0.0, |t| t.1),
    ];
    let signals = state.glide.iter().map(|at| at.unwrap_or(-1.0));
    let params = ParamId::ALL.iter().map(|id| id.spec().position(state.params.get(*id)));
    let mut packed = [0.0; COUNT];
    let values = size.map(|s| s as f32).into_iter().chain(moments).chain(signals).chain(params);
    for (slot, value) in packed.iter_mut().zip(values) {
        *slot = value;
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_member_has_its_place() {
        let wgsl = prelude();
        let members: Vec<&str> =
            wgsl.lines().filter_map(|l| l.trim().split_once(": f32").map(|(name, _)| name)).collect();
        assert_eq!(members.len() + 2, 2 + MOMENTS.len() + SignalId::COUNT + ParamId::COUNT);
        let place = |name: &str| 2 + members.iter().position(|m| *m == name).unwrap();

        let mut state = FrameState::new();
        state.advance(2_500_000_000);
        state.glide[SignalId::Cpu as usize] = Some(0.7);
        state.params.set(ParamId::Hue, 0.25);
        let packed = pack(&state, [1280, 720]);
        assert_eq!(packed[..2], [1280.0, 720.0]);
        assert_eq!(packed[place("time")], 2.5);
        assert_eq!(packed[place("token_age")], -1.0);
        assert_eq!(packed[place("machine_cpu")], 0.7);
        assert_eq!(packed[place("machine_fan")], -1.0);
        assert_eq!(packed[place("stage_hue")], 0.25);
        assert_eq!(packed[place("generator_waiting")], 0.25);
    }
}
