//! Keys, sticks and buttons: steps, speeds, and what lasts until it is let go.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

fn of(kind: Kind, bindings: Vec<(Source, Target, Play)>) -> Mapping {
    let mut controller = device("*", bindings);
    controller.kind = kind;
    Mapping::new(&[controller])
}

/// What a key asks for, performed; a second lies between two strokes.
fn key(mapping: &mut Mapping, params: &Params, source: Source, ways: &[Way]) -> Vec<Action> {
    static SECONDS: AtomicU64 = AtomicU64::new(0);
    let mut all = Vec::new();
    for way in ways {
        let mut actions = Vec::new();
        let now_ns = 1_000_000_000 * SECONDS.fetch_add(1, Ordering::Relaxed);
        assert!(mapping.key(source, *way, now_ns, &|id| params.get(id), &mut actions));
        perform(params, &actions);
        all.extend(actions);
    }
    all
}

fn perform(params: &Params, actions: &[Action]) {
    for action in actions {
        if let Action::Set(id, value) = action {
            params.set(*id, *value);
        }
    }
}

/// Lets time pass in ticks of 2 ms; returns where the parameter stands then.
fn pass(mapping: &mut Mapping, params: &Params, ms: u32, id: ParamId) -> f32 {
    for _ in 0..ms / 2 {
        let mut moved = Vec::new();
        mapping.passes(0.002, &|id| params.get(id), &mut |_, id, value| moved.push(Action::Set(id, value)));
        perform(params, &moved);
    }
    params.get(id)
}

fn stick(mapping: &mut Mapping, params: &Params, source: Source, at: f32) -> Vec<Action> {
    let said = Said { source, channel: None, value: Value::At { raw: (at * 16384.0) as u16, most: 16384 } };
    let mut actions = Vec::new();
    mapping.said(Kind::Gamepad, "pad", said, &|id| params.get(id), &mut actions);
    perform(params, &actions);
    actions
}

#[test]
fn a_key_that_is_let_go_and_one_that_nobody_hears_of_again() {
    let (hold, o, p) = (param(ParamId::Hold, 0.0, 1.0), Source::Key('o'), Source::Function(5));
    let prompt = Target::Prompt("moon".into());
    let mut mapping = of(Kind::Keyboard, vec![(o, hold, Play::Momentary), (p, prompt, Play::Hold)]);
    let params = Params::default();
    let set = |value| Action::Set(ParamId::Hold, value);
    let (down, up) = (Action::PromptDown("moon".into()), Action::PromptUp("moon".into()));
    assert_eq!(key(&mut mapping, &params, o, &[Way::Pressed, Way::Repeated, Way::Released]), [set(1.0), set(0.0)]);
    // In a terminal the next stroke lets it go.
    assert_eq!(key(&mut mapping, &params, o, &[Way::Struck]), [set(1.0)]);
    assert_eq!(key(&mut mapping, &params, o, &[Way::Struck]), [set(0.0)]);
    assert_eq!(key(&mut mapping, &params, p, &[Way::Pressed, Way::Released]), [down.clone(), up.clone()]);
    assert_eq!(key(&mut mapping, &params, p, &[Way::Struck, Way::Struck]), [down, up]);
    let mut none = Vec::new();
    assert!(!mapping.key(Source::Key('x'), Way::Pressed, 0, &|id| params.get(id), &mut none));
}

#[test]
fn a_step_goes_a_part_of_the_travel_at_each_press_and_while_a_key_repeats() {
    let temperature = param(ParamId::Temperature, 0.0, 2.0);
    let scene = param(ParamId::StageScene, ParamId::StageScene.spec().min, ParamId::StageScene.spec().max);
    let keys = ['o', 'O', '.', ','].map(Source::Key);
    let [up, down, next, before] = keys;
    let mut mapping = of(
        Kind::Keyboard,
        vec![
            (up, temperature.clone(), Play::Step(0.1)),
            (down, temperature, Play::Step(-0.1)),
            (next, scene.clone(), Play::Step(0.001)),
            (before, scene, Play::Step(-0.001)),
        ],
    );
    let params = Params::default();
    let at = |params: &Params| (params.get(ParamId::Temperature) * 100.0).round();
    key(&mut mapping, &params, up, &[Way::Pressed, Way::Released, Way::Struck]);
    assert_eq!(at(&params), 120.0);
    key(&mut mapping, &params, up, &[Way::Pressed, Way::Repeated, Way::Repeated, Way::Repeated, Way::Repeated]);
    assert_eq!(at(&params), 200.0, "it stays within the range");
    key(&mut mapping, &params, down, &[Way::Struck]);
    assert_eq!(at(&params), 180.0);
    // What has whole values goes one at least.
    let scenes = |params: &Params| params.get(ParamId::StageScene);
    let was = scenes(&params);
    key(&mut mapping, &params, next, &[Way::Struck, Way::Struck]);
    assert_eq!(scenes(&params), was + 2.0);
    key(&mut mapping, &params, before, &[Way::Pressed, Way::Released]);
    assert_eq!(scenes(&params), was + 1.0);
}

#[test]
fn a_key_toggles_and_goes_through_values_however_it_is_struck() {
    let (mute, palette) = (param(ParamId::Mute, 0.0, 1.0), param(ParamId::Palette, 0.0, 1.0));
    let [m, c] = ['m', 'c'].map(Source::Key);
    let bindings = vec![(m, mute, Play::Toggle), (c, palette, Play::Press(vec![0.0, 1.0, 2.0]))];
    let mut mapping = of(Kind::Keyboard, bindings);
    let params = Params::default();
    let ways = [Way::Struck, Way::Pressed, Way::Repeated, Way::Released, Way::Struck];
    let values = |actions: Vec<Action>| -> Vec<f32> {
        let value = |action: Action| if let Action::Set(_, value) = action { value } else { panic!("{action:?}") };
        actions.into_iter().map(value).collect()
    };
    assert_eq!(values(key(&mut mapping, &params, m, &ways)), [1.0, 0.0, 1.0]);
    assert_eq!(values(key(&mut mapping, &params, c, &ways)), [1.0, 2.0, 0.0]);
}

#[test]
fn a_stick_moves_what_it_plays_for_as_long_as_it_is_pushed() {
    let (x, id) = (Source::Axis("left-x"), ParamId::Temperature);
    let mut mapping = of(Kind::Gamepad, vec![(x, param(id, 0.0, 2.0), Play::Speed(0.5))]);
    let params = Params::default();
    params.set(id, 0.4);
    // Half of the travel in a second, all the way.
    assert_eq!(stick(&mut mapping, &params, x, 1.0), []);
    assert!((pass(&mut mapping, &params, 1000, id) - 1.4).abs() < 1e-3);
    // Half pushed, far less than half as fast, and the other way.
    stick(&mut mapping, &params, x, 0.25);
    let there = pass(&mut mapping, &params, 1000, id);
    assert!((1.2..1.3).contains(&there), "{there}");
    // In its middle or a little beside it rests, and another hand's value stays.
    stick(&mut mapping, &params, x, 0.56);
    params.set(id, 0.3);
    assert_eq!(pass(&mut mapping, &params, 500, id), 0.3);
    // Another hand moves it meanwhile: it goes on from there, and comes to its end exactly.
    stick(&mut mapping, &params, x, 1.0);
    pass(&mut mapping, &params, 100, id);
    params.set(id, 1.9);
    assert_eq!(pass(&mut mapping, &params, 1000, id), 2.0);
    // The cable is pulled while it is pushed.
    params.set(id, 1.0);
    assert_eq!(mapping.let_go(Some("pad"), &|id| params.get(id)), []);
    assert_eq!(pass(&mut mapping, &params, 500, id), 1.0);
}

#[test]
fn a_slow_stick_moves_whole_values_too() {
    let (y, id) = (Source::Axis("left-y"), ParamId::TopK);
    let spec = id.spec();
    let mut mapping = of(Kind::Gamepad, vec![(y, param(id, spec.min, spec.max), Play::Speed(0.2))]);
    let params = Params::default();
    let before = params.get(id);
    // Far less than one in a tick.
    stick(&mut mapping, &params, y, 0.8);
    let after = pass(&mut mapping, &params, 1000, id);
    assert!(after > before && after.fract() == 0.0, "{before} {after}");
}

#[test]
fn triggers_and_buttons_rest_at_their_end_and_move_one_way() {
    let (trigger, cross, id) = (Source::Axis("left-trigger"), Source::Button("dpad-down"), ParamId::Temperature);
    let bindings =
        vec![(trigger, param(id, 0.0, 2.0), Play::Speed(0.5)), (cross, param(id, 0.0, 2.0), Play::Speed(-0.5))];
    let mut mapping = of(Kind::Gamepad, bindings);
    let params = Params::default();
    params.set(id, 1.0);
    stick(&mut mapping, &params, trigger, 0.0);
    assert_eq!(pass(&mut mapping, &params, 200, id), 1.0);
    stick(&mut mapping, &params, trigger, 1.0);
    assert!((pass(&mut mapping, &params, 500, id) - 1.5).abs() < 1e-3);
    stick(&mut mapping, &params, trigger, 0.0);
    stick(&mut mapping, &params, cross, 1.0);
    assert!((pass(&mut mapping, &params, 1000, id) - 0.5).abs() < 1e-3);
    stick(&mut mapping, &params, cross, 0.0);
    assert!((pass(&mut mapping, &params, 1000, id) - 0.5).abs() < 1e-3);
    // A pitch wheel of MIDI comes back by itself too.
    let mut mapping = Mapping::new(&[device("*", vec![(Source::Bend, param(id, 0.0, 2.0), Play::Speed(1.0))])]);
    play(&mut mapping, &params, "keys", &[[0xe0, 0, 64]]);
    assert!((pass(&mut mapping, &params, 500, id) - 0.5).abs() < 1e-3);
    play(&mut mapping, &params, "keys", &[[0xe0, 127, 127]]);
    assert!((pass(&mut mapping, &params, 500, id) - 1.5).abs() < 2e-3);
}

#[test]
fn a_gamepads_buttons_and_triggers_are_pressed() {
    let (south, trigger) = (Source::Button("south"), Source::Axis("right-trigger"));
    let bindings = vec![
        (south, Target::Prompt("moon".into()), Play::Hold),
        (trigger, param(ParamId::Hold, 0.0, 1.0), Play::Momentary),
    ];
    let mut mapping = of(Kind::Gamepad, bindings);
    let params = Params::default();
    assert_eq!(stick(&mut mapping, &params, south, 1.0), [Action::PromptDown("moon".into())]);
    assert_eq!(mapping.let_go(Some("pad"), &|id| params.get(id)), [(Kind::Gamepad, Action::PromptUp("moon".into()))]);
    let said: Vec<Action> =
        [0.2, 0.6, 0.9, 0.4].into_iter().flat_map(|at| stick(&mut mapping, &params, trigger, at)).collect();
    let set = |value| Action::Set(ParamId::Hold, value);
    assert_eq!(said, [set(0.0), set(1.0), set(0.0)]);
}

#[test]
fn what_was_not_pressed_here_is_not_let_go() {
    let o = Source::Key('o');
    let level = param(ParamId::Level, -60.0, 0.0);
    let mut mapping = of(Kind::Keyboard, vec![(o, level, Play::Momentary)]);
    let params = Params::default();
    // It was pressed while a line was typed.
    assert_eq!(key(&mut mapping, &params, o, &[Way::Released]), []);
    assert_eq!(key(&mut mapping, &params, o, &[Way::Pressed, Way::Released]).len(), 2);
    assert_eq!(key(&mut mapping, &params, o, &[Way::Released]), []);
}

#[test]
fn a_key_that_repeats_in_a_terminal_is_struck_once() {
    let (o, id) = (Source::Key('o'), ParamId::Hold);
    let mut mapping = of(Kind::Keyboard, vec![(o, param(id, 0.0, 1.0), Play::Momentary)]);
    let params = Params::default();
    let mut strike = |params: &Params, ms: u64| {
        let mut actions = Vec::new();
        mapping.key(o, Way::Struck, ms * 1_000_000, &|id| params.get(id), &mut actions);
        perform(params, &actions);
        params.get(id)
    };
    assert_eq!(strike(&params, 0), 1.0);
    // The first repeat comes late; those behind it are not struck by any hand.
    let held: Vec<f32> = (0..20).map(|i| strike(&params, 500 + 30 * i)).collect();
    assert_eq!(held, [0.0; 20]);
    // A console that repeats slowly.
    let held: Vec<f32> = (0..5).map(|i| strike(&params, 1162 + 92 * i)).collect();
    assert_eq!(held, [0.0; 5]);
    assert_eq!(strike(&params, 2000), 1.0);
    // Another key let it go: the next strike holds again.
    params.set(id, 0.0);
    assert_eq!(strike(&params, 3000), 1.0);
}

#[test]
fn a_stick_that_rests_presses_nothing() {
    let x = Source::Axis("left-x");
    let mut mapping = of(Kind::Gamepad, vec![(x, Target::Prompt("moon".into()), Play::Hold)]);
    let params = Params::default();
    let said: Vec<Action> =
        [0.5, 0.1, 0.5, 0.7, 0.9, 0.5].into_iter().flat_map(|at| stick(&mut mapping, &params, x, at)).collect();
    assert_eq!(said, [Action::PromptDown("moon".into()), Action::PromptUp("moon".into())]);
}

#[test]
fn from_outside_its_range_nothing_moves_the_wrong_way() {
    let (id, [down, up, slow]) = (ParamId::Temperature, ['a', 'b', 'c'].map(Source::Key));
    let range = || param(id, 0.5, 1.0);
    let bindings =
        vec![(down, range(), Play::Step(-0.1)), (up, range(), Play::Step(0.1)), (slow, range(), Play::Speed(-1.0))];
    let mut mapping = of(Kind::Keyboard, bindings);
    let params = Params::default();
    params.set(id, 0.2);
    key(&mut mapping, &params, down, &[Way::Pressed]);
    assert_eq!(params.get(id), 0.2);
    key(&mut mapping, &params, slow, &[Way::Pressed]);
    assert_eq!(pass(&mut mapping, &params, 100, id), 0.2);
    key(&mut mapping, &params, slow, &[Way::Released]);
    key(&mut mapping, &params, up, &[Way::Pressed]);
    assert!((params.get(id) - 0.55).abs() < 1e-6);
}
