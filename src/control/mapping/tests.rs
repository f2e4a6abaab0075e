//! From messages to actions.

mod pushed;
mod which;

use super::*;
use crate::patch::hands::{Encoder, Light};
use crate::patch::matrix::Shape;
use crate::patch::{Binding, Play, Source, Takeover, Target};
use crate::score::{ParamValues, Params};

fn param(id: ParamId, from: f32, to: f32) -> Target {
    Target::Param { id, from, to }
}

fn place(takeover: Takeover) -> Play {
    Play::Place { takeover, shape: Shape::Lin, steps: None }
}

fn binding(source: Source, target: Target, play: Play) -> Binding {
    Binding { source, channel: None, target, play, light: Light::default() }
}

fn device(pattern: &str, bindings: Vec<(Source, Target, Play)>) -> Controller {
    let bindings = bindings.into_iter().map(|(source, target, play)| binding(source, target, play)).collect();
    Controller {
        kind: Kind::Midi,
        pattern: pattern.to_string(),
        bindings,
        feedback: None,
        known: false,
        gives_way: false,
    }
}

/// Sends messages and performs what they set, as the hands thread does.
fn play(mapping: &mut Mapping, params: &Params, port: &str, messages: &[[u8; 3]]) -> Vec<Action> {
    let mut all = Vec::new();
    for bytes in messages {
        let mut actions = Vec::new();
        mapping.message(port, bytes, &|id| params.get(id), &mut actions, &mut |_| {});
        for action in &actions {
            if let Action::Set(id, value) = action {
                params.set(*id, *value);
            }
        }
        all.extend(actions);
    }
    all
}

#[test]
fn a_knob_travels_the_range_and_may_be_turned_round() {
    let temperature = param(ParamId::Temperature, 0.0, 2.0);
    let length = param(ParamId::TokenLength, 8.0, 0.05);
    let mut mapping = Mapping::new(&[device(
        "*",
        vec![(Source::Cc(7), temperature, place(Takeover::Jump)), (Source::Cc(8), length, place(Takeover::Jump))],
    )]);
    let params = Params::default();
    // Any channel.
    assert_eq!(
        play(&mut mapping, &params, "knobs", &[[0xb0, 7, 0], [0xb3, 7, 127]]),
        [Action::Set(ParamId::Temperature, 0.0), Action::Set(ParamId::Temperature, 2.0)]
    );
    assert_eq!(
        play(&mut mapping, &params, "knobs", &[[0xb0, 8, 0], [0xb0, 8, 127]]),
        [Action::Set(ParamId::TokenLength, 8.0), Action::Set(ParamId::TokenLength, 0.05)]
    );
    // The middle of an exponential travel is the geometric mean.
    let [Action::Set(_, middle)] = play(&mut mapping, &params, "knobs", &[[0xb0, 8, 64]])[..] else { panic!() };
    assert!((middle - (8.0f32 * 0.05).sqrt()).abs() < 0.02, "{middle}");
}

#[test]
fn pickup_waits_until_the_knob_meets_the_value() {
    let temperature = param(ParamId::Temperature, 0.0, 2.0);
    let mut mapping = Mapping::new(&[device("*", vec![(Source::Cc(7), temperature, place(Takeover::Pickup))])]);
    let params = Params::default(); // 0.8 is the control's 50.8
    let cc = |value| [0xb0, 7, value];
    assert_eq!(play(&mut mapping, &params, "k", &[cc(10), cc(30), cc(50)]), []);
    assert_eq!(play(&mut mapping, &params, "k", &[cc(51), cc(100), cc(90)]).len(), 3);
    // Another hand moves it: the knob lets go until it has passed the new value, however fast it is turned.
    params.set(ParamId::Temperature, 0.2);
    assert_eq!(play(&mut mapping, &params, "k", &[cc(91), cc(60)]), []);
    assert_eq!(play(&mut mapping, &params, "k", &[cc(2)]).len(), 1);
    assert_eq!(play(&mut mapping, &params, "k", &[cc(3)]).len(), 1);
    // A second controller of the same kind has not met it yet.
    assert_eq!(play(&mut mapping, &params, "other", &[cc(90)]), []);
}

#[test]
fn pickup_reaches_a_value_outside_the_binding_at_its_end() {
    let narrow = param(ParamId::Temperature, 0.0, 0.5);
    let mut mapping = Mapping::new(&[device("*", vec![(Source::Cc(7), narrow, place(Takeover::Pickup))])]);
    let params = Params::default();
    assert_eq!(play(&mut mapping, &params, "k", &[[0xb0, 7, 100], [0xb0, 7, 126]]), []);
    assert_eq!(play(&mut mapping, &params, "k", &[[0xb0, 7, 127]]), [Action::Set(ParamId::Temperature, 0.5)]);
}

#[test]
fn notes_trigger_once_and_hold_a_parameter_while_down() {
    let mut mapping = Mapping::new(&[device(
        "pads",
        vec![
            (Source::Note(36), Target::Prompt("dawn".into()), Play::Momentary),
            (Source::Note(37), Target::Trigger(Action::PromptStep(-1)), Play::Momentary),
            (Source::Note(38), param(ParamId::Hold, 0.0, 1.0), Play::Momentary),
            (Source::Cc(64), Target::Trigger(Action::Crash), Play::Momentary),
        ],
    )]);
    let params = Params::default();
    assert_eq!(
        play(&mut mapping, &params, "Pads", &[[0x90, 36, 1], [0x80, 36, 64], [0x90, 37, 9], [0x90, 37, 0]]),
        [Action::Prompt("dawn".into()), Action::PromptStep(-1)]
    );
    assert_eq!(
        play(&mut mapping, &params, "Pads", &[[0x90, 38, 100], [0x90, 38, 0]]),
        [Action::Set(ParamId::Hold, 1.0), Action::Set(ParamId::Hold, 0.0)]
    );
    // A button that sends 127 and 0, then a slider that passes the middle twice.
    let ups = [[0xb0, 64, 127], [0xb0, 64, 0], [0xb0, 64, 63], [0xb0, 64, 64], [0xb0, 64, 99], [0xb0, 64, 3]];
    assert_eq!(play(&mut mapping, &params, "Pads", &ups), [Action::Crash, Action::Crash]);
    assert_eq!(play(&mut mapping, &params, "keys", &ups), []);
}

#[test]
fn the_pattern_that_says_most_wins() {
    let prompt = |name: &str| Target::Prompt(name.into());
    let mut mapping = Mapping::new(&[
        device(
            "*",
            vec![
                (Source::Note(1), prompt("any"), Play::Momentary),
                (Source::Note(2), prompt("any too"), Play::Momentary),
            ],
        ),
        device("nano*", vec![(Source::Note(1), prompt("nano"), Play::Momentary)]),
    ]);
    let params = Params::default();
    let got = play(&mut mapping, &params, "nanoKONTROL2:0", &[[0x90, 1, 1], [0x90, 2, 1]]);
    assert_eq!(got, [Action::Prompt("nano".into()), Action::Prompt("any too".into())]);
    assert_eq!(play(&mut mapping, &params, "piano", &[[0x90, 1, 1]]), [Action::Prompt("any".into())]);
}

#[test]
fn garbage_says_nothing_and_stays_in_range() {
    let mut bindings = Vec::new();
    for n in 0..128 {
        bindings.push((Source::Cc(n), param(ParamId::HumPitch, 60.0, 24.0), place(Takeover::Pickup)));
        bindings.push((Source::Note(n), param(ParamId::TopK, 0.0, 500.0), Play::Momentary));
    }
    let mut mapping = Mapping::new(&[device("*", bindings)]);
    let values = ParamValues::default();
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let mut actions = Vec::new();
    for _ in 0..200_000 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let bytes = random.to_le_bytes();
        let length = (random >> 61) as usize;
        mapping.message("p", &bytes[..length], &|id| values.get(id), &mut actions, &mut |_| {});
    }
    assert!(actions.len() > 1000);
    for action in &actions {
        let Action::Set(id, value) = action else { panic!("{action:?}") };
        assert_eq!(id.spec().clamp(*value), *value);
    }
    actions.clear();
    for bytes in [&[][..], &[0xb0], &[0xb0, 7], &[0xf8], &[0xf0, 1, 2, 0xf7], &[0xb0, 0x87, 1], &[7, 7, 7]] {
        mapping.message("p", bytes, &|id| values.get(id), &mut actions, &mut |_| {});
    }
    assert_eq!(actions, []);
}

#[test]
fn scale_takeover_reaches_both_ends_and_never_jumps() {
    let temperature = param(ParamId::Temperature, 0.0, 2.0);
    let mut mapping = Mapping::new(&[device("*", vec![(Source::Cc(7), temperature, place(Takeover::Scale))])]);
    let params = Params::default();
    params.set(ParamId::Temperature, 1.6);
    let cc = |value| [0xb0, 7, value];
    // The first message says only where the knob is; then the value goes its part of the way.
    assert_eq!(play(&mut mapping, &params, "k", &[cc(64)]), []);
    let mut was = 1.6;
    for value in 65..=127 {
        play(&mut mapping, &params, "k", &[cc(value)]);
        let now = params.get(ParamId::Temperature);
        assert!(now > was && now - was < 0.02, "{value}: {was} {now}");
        was = now;
    }
    assert_eq!(was, 2.0);
    // From where they met on the knob holds the value.
    play(&mut mapping, &params, "k", &[cc(100)]);
    assert!((params.get(ParamId::Temperature) - 2.0 * 100.0 / 127.0).abs() < 1e-4);
    // Another hand moves it; down again both reach nothing together.
    params.set(ParamId::Temperature, 0.3);
    for value in (0..100).rev() {
        play(&mut mapping, &params, "k", &[cc(value)]);
    }
    assert_eq!(params.get(ParamId::Temperature), 0.0);
}

#[test]
fn every_kind_of_control_moves_its_parameter() {
    let temperature = || param(ParamId::Temperature, 0.0, 2.0);
    let at = |raw: f32, most: f32| 2.0 * raw / most;
    // The messages, and where the parameter is after them.
    let cases: Vec<(Source, Play, Vec<Vec<u8>>, f32)> = vec![
        (Source::Cc(7), place(Takeover::Jump), vec![vec![0xb4, 7, 32]], at(32.0, 127.0)),
        (Source::Cc14(7), place(Takeover::Jump), vec![vec![0xb0, 7, 64], vec![0xb0, 39, 1]], at(8193.0, 16383.0)),
        (Source::Bend, place(Takeover::Jump), vec![vec![0xe0, 1, 2]], at(257.0, 16383.0)),
        (Source::Pressure, place(Takeover::Jump), vec![vec![0xd0, 127]], 2.0),
        (Source::Poly(60), place(Takeover::Jump), vec![vec![0xa0, 60, 127], vec![0xa0, 61, 0]], 2.0),
        (Source::Program, place(Takeover::Jump), vec![vec![0xc0, 0]], 0.0),
        (
            Source::Nrpn(300),
            place(Takeover::Jump),
            vec![vec![0xb0, 99, 2], vec![0xb0, 98, 44], vec![0xb0, 6, 10], vec![0xb0, 38, 3]],
            at(1283.0, 16383.0),
        ),
        (
            Source::Nrpn(300),
            place(Takeover::Jump),
            vec![vec![0xb0, 99, 2], vec![0xb0, 98, 44], vec![0xb0, 96, 0], vec![0xb0, 96, 0], vec![0xb0, 97, 0]],
            0.8 + at(1.0, 127.0),
        ),
        (Source::Rpn(2), place(Takeover::Jump), vec![vec![0xb0, 101, 0], vec![0xb0, 100, 2], vec![0xb0, 6, 127]], 2.0),
    ];
    for (source, how, messages, wanted) in cases {
        let mut mapping = Mapping::new(&[device("*", vec![(source, temperature(), how)])]);
        let params = Params::default();
        for bytes in &messages {
            let mut actions = Vec::new();
            mapping.message("k", bytes, &|id| params.get(id), &mut actions, &mut |_| {});
            for action in actions {
                let Action::Set(id, value) = action else { panic!() };
                params.set(id, value);
            }
        }
        let is = params.get(ParamId::Temperature);
        assert!((is - wanted).abs() < 1e-5, "{source}: {is}, not {wanted}");
    }
}

#[test]
fn encoders_move_on_from_where_the_parameter_is() {
    for (encoder, up, down) in
        [(Encoder::Twos, 2, 126), (Encoder::Offset, 66, 62), (Encoder::Sign, 2, 66), (Encoder::SignTurned, 66, 2)]
    {
        let turn = |step| Play::Turn { encoder, step };
        let mut mapping = Mapping::new(&[device(
            "*",
            vec![
                (Source::Cc(1), param(ParamId::Temperature, 0.0, 2.0), turn(0.01)),
                (Source::Cc(2), param(ParamId::TopK, 10.0, 50.0), turn(0.001)),
                (Source::Cc(3), param(ParamId::Temperature, 2.0, 0.0), turn(0.01)),
            ],
        )]);
        let params = Params::default();
        play(&mut mapping, &params, "k", &[[0xb0, 1, up]]);
        assert!((params.get(ParamId::Temperature) - 0.84).abs() < 1e-5, "{encoder:?}");
        params.set(ParamId::Temperature, 1.5);
        play(&mut mapping, &params, "k", &[[0xb0, 1, down], [0xb0, 3, down]]);
        assert!((params.get(ParamId::Temperature) - 1.5).abs() < 1e-5, "{encoder:?}");
        // Whole values move by one at least, and stay within the binding's range.
        play(&mut mapping, &params, "k", &[[0xb0, 2, up], [0xb0, 2, up]]);
        assert_eq!(params.get(ParamId::TopK), 42.0);
        params.set(ParamId::TopK, 50.0);
        assert_eq!(play(&mut mapping, &params, "k", &[[0xb0, 2, up]]), [Action::Set(ParamId::TopK, 50.0)]);
    }
}

#[test]
fn buttons_toggle_cycle_and_are_radio_groups() {
    let hold = || param(ParamId::Hold, 0.0, 1.0);
    let scene = |value: f32| (param(ParamId::StageScene, 0.0, 7.0), Play::Press(vec![value]));
    let (river, loom) = (scene(1.0), scene(2.0));
    let mut mapping = Mapping::new(&[device(
        "*",
        vec![
            (Source::Note(1), hold(), Play::Toggle),
            (Source::Cc(64), hold(), Play::Toggle),
            (Source::Note(2), river.0, river.1),
            (Source::Note(3), loom.0, loom.1),
            (Source::Note(4), param(ParamId::Palette, 0.0, 4.0), Play::Press(vec![0.0, 1.0, 4.0])),
            (
                Source::Cc(20),
                param(ParamId::StageScene, 0.0, 7.0),
                Play::Place { takeover: Takeover::Jump, shape: Shape::Lin, steps: Some(3) },
            ),
        ],
    )]);
    let params = Params::default();
    let mut press = |messages: &[[u8; 3]], id| {
        play(&mut mapping, &params, "pads", messages);
        params.get(id)
    };
    let tap = |note| [[0x90, note, 100], [0x80, note, 0]];
    assert_eq!(press(&tap(1), ParamId::Hold), 1.0);
    assert_eq!(press(&tap(1), ParamId::Hold), 0.0);
    // A button of control changes acts as it goes down, and so does a fader that crosses its middle.
    assert_eq!(press(&[[0xb0, 64, 127], [0xb0, 64, 0]], ParamId::Hold), 1.0);
    assert_eq!(press(&[[0xb0, 64, 63], [0xb0, 64, 64], [0xb0, 64, 70]], ParamId::Hold), 0.0);
    assert_eq!(press(&tap(2), ParamId::StageScene), 1.0);
    assert_eq!(press(&tap(3), ParamId::StageScene), 2.0);
    assert_eq!(press(&tap(3), ParamId::StageScene), 2.0);
    for wanted in [1.0, 4.0, 0.0, 1.0] {
        assert_eq!(press(&tap(4), ParamId::Palette), wanted);
    }
    for (raw, wanted) in [(0, 0.0), (42, 0.0), (43, 4.0), (84, 4.0), (85, 7.0), (127, 7.0)] {
        assert_eq!(press(&[[0xb0, 20, raw]], ParamId::StageScene), wanted, "{raw}");
    }
}

#[test]
fn a_channel_is_heard_alone_where_one_is_named() {
    let mut only = binding(Source::Cc(7), param(ParamId::Temperature, 0.0, 2.0), place(Takeover::Jump));
    only.channel = Some(1);
    let mut mapping = Mapping::new(&[Controller {
        kind: Kind::Midi,
        pattern: "*".into(),
        bindings: vec![only, binding(Source::Cc(7), param(ParamId::TopP, 0.0, 1.0), place(Takeover::Jump))],
        feedback: None,
        known: false,
        gives_way: false,
    }]);
    let params = Params::default();
    assert_eq!(play(&mut mapping, &params, "k", &[[0xb0, 7, 127]]), [Action::Set(ParamId::TopP, 1.0)]);
    let both = [Action::Set(ParamId::Temperature, 0.0), Action::Set(ParamId::TopP, 0.0)];
    assert_eq!(play(&mut mapping, &params, "k", &[[0xb1, 7, 0]]), both);
}

#[test]
fn what_is_known_of_a_control_outlives_a_changed_patch() {
    let temperature = param(ParamId::Temperature, 0.0, 2.0);
    let knob = (Source::Cc(7), temperature, place(Takeover::Pickup));
    let mut mapping = Mapping::new(&[device("*", vec![knob.clone()])]);
    let params = Params::default();
    assert_eq!(play(&mut mapping, &params, "k", &[[0xb0, 7, 51], [0xb0, 7, 60]]).len(), 2);
    let pad = (Source::Note(1), param(ParamId::Hold, 0.0, 1.0), Play::Toggle);
    mapping.take(&[device("*", vec![pad, knob])]);
    assert_eq!(play(&mut mapping, &params, "k", &[[0xb0, 7, 100]]).len(), 1, "it holds the value still");
    assert_eq!(play(&mut mapping, &params, "k", &[[0x90, 1, 1]]).len(), 1);
    mapping.take(&[]);
    assert_eq!(play(&mut mapping, &params, "k", &[[0xb0, 7, 3]]), []);
}

#[test]
fn a_pad_that_holds_a_prompt_is_pressed_and_let_go() {
    let bindings = vec![
        (Source::Note(36), Target::Prompt("moon".into()), Play::Hold),
        (Source::Cc(64), Target::Prompt("sea".into()), Play::Hold),
    ];
    let mut mapping = Mapping::new(&[device("*", bindings)]);
    let (down, up) = (|name: &str| Action::PromptDown(name.into()), |name: &str| Action::PromptUp(name.into()));
    let messages = [[0x90, 36, 90], [0xb0, 64, 100], [0xb0, 64, 120], [0x90, 36, 0], [0x80, 36, 0], [0xb0, 64, 0]];
    let actions = play(&mut mapping, &Params::default(), "pads", &messages);
    assert_eq!(actions, [down("moon"), down("sea"), up("moon"), up("sea")]);
}

#[test]
fn what_is_pressed_is_let_go_with_its_cable() {
    let hold = (Source::Note(1), Target::Prompt("moon".into()), Play::Hold);
    let pedal = (Source::Cc(64), param(ParamId::Hold, 0.0, 1.0), Play::Momentary);
    let pad = (Source::Note(2), param(ParamId::Meters, 0.0, 1.0), Play::Toggle);
    let mut mapping = Mapping::new(&[device("*", vec![hold, pedal, pad])]);
    let params = Params::default();
    assert_eq!(play(&mut mapping, &params, "k", &[[0x90, 1, 9], [0xb0, 64, 127], [0x90, 2, 9]]).len(), 3);
    let now = |id: ParamId| params.get(id);
    assert_eq!(mapping.let_go(Some("other"), &now), []);
    let released = [Action::PromptUp("moon".into()), Action::Set(ParamId::Hold, 0.0)];
    let released = released.map(|action| (Kind::Midi, action));
    assert_eq!(mapping.let_go(Some("k"), &now), released);
    assert_eq!(mapping.let_go(None, &now), [], "once");
    // A pedal without a word about it; a switch that is no pedal stays where it was put.
    let on = |cc| (Source::Cc(cc), param(ParamId::Hold, 0.0, 1.0), place(Takeover::Jump));
    let mut mapping = Mapping::new(&[device("*", vec![on(64), on(20)])]);
    play(&mut mapping, &params, "k", &[[0xb0, 64, 127], [0xb0, 20, 127]]);
    assert_eq!(mapping.let_go(Some("k"), &now_of(&params)), [(Kind::Midi, Action::Set(ParamId::Hold, 0.0))]);
}

fn now_of(params: &Params) -> impl Fn(ParamId) -> f32 + use<'_> {
    move |id| params.get(id)
}
