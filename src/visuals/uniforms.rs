//! What a shader may read: the struct `u`, written in WGSL from the signal and parameter tables.
//!
//! After a head of vectors every member is one `f32`, so the layout is the plain order and a new row of a table is a new
//! member. GLSL's std140 lays it out in the same way. Pure; no wgpu in here.

use std::fmt::Write;

use super::FrameState;
use super::palette::linear;
use crate::score::param::PARAMS;
use crate::score::signal::SIGNALS;
use crate::score::{ParamId, SignalId};

/// Vectors at the head of the struct, with what they mean.
const HEAD: [(&str, &str, &str); 7] = [
    ("resolution", "vec2<f32>", "pixels"),
    ("focus", "vec2<f32>", "where the next word will be, as parts of the picture"),
    ("ground", "vec4<f32>", "the palette's ground, linear"),
    ("paper", "vec4<f32>", "the palette's words"),
    ("accent", "vec4<f32>", "the palette's second colour"),
    ("lamp", "vec4<f32>", "the palette's lamp: light that carries no words"),
    ("bands", "array<vec4<f32>, 8>", "the sound's spectrum, 32 bands from low to high, 0..1"),
];
/// How many `f32` they take.
const HEAD_LEN: usize = 2 + 2 + 4 * 4 + 32;

/// Members that are no row of a table, with what they mean.
pub const MOMENTS: [(&str, &str); 14] = [
    ("time", "seconds since the performance began; begins again every 8000 s, so that weeks do not make it coarse"),
    ("dt", "seconds since the frame before"),
    ("frame", "how many frames came before this one; begins again after 1048576"),
    ("token_age", "seconds since the last token came, -1 before the first; as every age in steps of 8 ms after a day"),
    ("tokens", "how many tokens have come; begins again after 1048576"),
    ("piece_age", "seconds since the present prompt was given"),
    ("flaw_age", "seconds since the model last erred, -1 if it never has"),
    ("fault_age", "seconds since something last failed, -1 if nothing has"),
    ("scene_age", "seconds since this scene of the stage was chosen"),
    ("shown", "how much of this scene there is, 0..1, while one crosses to another"),
    ("reading", "1 while the prompt is being read, else 0"),
    ("crashed", "1 from a crash of the model until it is back, else 0"),
    ("spread", "how far the last token's ripple should reach: its surprise, 0..1, held until the next token"),
    ("flow", "how far the water has flowed, in hundreds of letters: with the words, and slowly while none comes"),
];

/// Every `WRAP_S` seconds time begins again: a motion that repeats a whole number of times in 1000 s goes on without a seam.
const WRAP_S: f64 = 8000.0;
/// The same for the water.
const WRAP_FLOW: f64 = 1000.0;

/// The same for what is counted: an `f32` counts by ones up to 16 times as many.
const WRAP_COUNT: u64 = 1 << 20;

/// How many `f32` the struct holds, padded to whole `vec4`s.
pub const COUNT: usize = (HEAD_LEN + MOMENTS.len() + SignalId::COUNT + ParamId::COUNT).div_ceil(4) * 4;
/// The struct's content.
pub type Packed = [f32; COUNT];

/// What a field is told besides the state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moment {
    /// Pixels of the field.
    pub size: [u32; 2],
    pub focus: [f32; 2],
    pub dt_s: f32,
    pub frame: u64,
    /// When this scene was chosen, and how much of it there is.
    pub scene_ns: u64,
    pub shown: f32,
}

/// The names of all members that are one `f32`, in their order.
pub fn members() -> Vec<String> {
    let names = MOMENTS.iter().map(|(name, _)| *name);
    names.chain(SIGNALS.iter().map(|s| s.name)).chain(PARAMS.iter().map(|p| p.name)).map(word).collect()
}

/// The WGSL that stands before every field shader.
pub fn prelude() -> String {
    let mut wgsl = String::from("struct Stage {\n");
    for (name, kind, help) in HEAD {
        let _ = writeln!(wgsl, "  {name}: {kind}, // {help}");
    }
    let mut member = |name: &str, help: &str| {
        let _ = writeln!(wgsl, "  {}: f32, // {help}", word(name));
    };
    for (name, help) in MOMENTS {
        member(name, help);
    }
    for spec in &SIGNALS {
        member(spec.name, &format!("{}; {} to {} {} as 0..1, -1 if absent", spec.help, spec.min, spec.max, spec.unit));
    }
    for spec in &PARAMS {
        member(spec.name, &format!("{}; its travel as 0..1", spec.help));
    }
    wgsl.push_str("}\n");
    wgsl.push_str(include_str!("prelude.wgsl"));
    wgsl
}

/// A dotted name as a WGSL identifier.
fn word(name: &str) -> String {
    name.replace('.', "_")
}

/// The struct's content for a field.
pub fn pack(state: &FrameState, moment: &Moment) -> Packed {
    let age = |t_ns: Option<u64>| t_ns.map_or(-1.0, |t_ns| state.since(t_ns));
    let palette = state.palette();
    let colors = [palette.ground, palette.paper, palette.accent, palette.lamp];
    let colors = colors.map(|c| [linear(c[0]), linear(c[1]), linear(c[2]), 1.0]);
    let moments: [f32; MOMENTS.len()] = [
        (state.t_ns as f64 / 1e9).rem_euclid(WRAP_S) as f32,
        moment.dt_s,
        (moment.frame % WRAP_COUNT) as f32,
        age(state.last_token.map(|t| t.0)),
        (state.tokens % WRAP_COUNT) as f32,
        state.since(state.piece_ns),
        age(state.last_flaw_ns),
        age(state.last_fault_ns),
        state.since(moment.scene_ns),
        moment.shown,
        f32::from(state.reading),
        f32::from(state.crash.as_ref().is_some_and(|crash| crash.back_ns.is_none())),
        state.last_token.map_or(0.0, |t| t.1),
        (state.flow / 100.0).rem_euclid(WRAP_FLOW) as f32,
    ];
    let signals = state.glide.iter().map(|at| at.unwrap_or(-1.0));
    let params = ParamId::ALL.iter().map(|id| id.spec().position(state.params.get(*id)));
    let head = moment.size.map(|s| s as f32).into_iter().chain(moment.focus).chain(colors.into_iter().flatten());
    let values = head.chain(state.bands).chain(moments).chain(signals).chain(params);
    let mut packed = [0.0; COUNT];
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
        let written = wgsl.lines().filter_map(|l| l.trim().split_once(": f32").map(|(name, _)| name.to_string()));
        let members: Vec<String> = written.take_while(|name| !name.contains(' ')).collect();
        assert_eq!(members, super::members());
        let place = |name: &str| HEAD_LEN + members.iter().position(|m| *m == name).unwrap();

        let mut state = FrameState::new();
        state.advance(2_500_000_000);
        state.glide[SignalId::Cpu as usize] = Some(0.7);
        state.params.set(ParamId::Hue, 0.25);
        state.hear(&[0.5; 32]);
        let packed = pack(&state, &Moment { size: [1280, 720], focus: [0.5, 0.25], ..Default::default() });
        assert_eq!(packed[..4], [1280.0, 720.0, 0.5, 0.25]);
        assert_eq!(packed[20..52], [0.5; 32]);
        assert_eq!(packed[place("time")], 2.5);
        assert_eq!(packed[place("token_age")], -1.0);
        assert_eq!(packed[place("machine_cpu")], 0.7);
        assert_eq!(packed[place("machine_fan")], -1.0);
        assert_eq!(packed[place("stage_hue")], 0.25);
        assert_eq!(packed[place("generator_waiting")], 0.25);
        // After half a year of tokens each is still told from the one before.
        let mut tokens = |count: u64| {
            state.tokens = count;
            pack(&state, &Moment::default())[place("tokens")]
        };
        assert_eq!([(1 << 24) + 1, (1 << 24) + 2].map(&mut tokens), [1.0, 2.0]);
    }
}
