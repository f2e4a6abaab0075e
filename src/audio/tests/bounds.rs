//! What the sound never does, whatever it is given.

use super::*;

#[test]
fn a_thousand_tokens_a_second_are_no_wall() {
    let mut engine = only_tokens();
    let mut out = Vec::new();
    for i in 0..3000 {
        take(&mut engine, token((i % 9) as f32));
        out.extend(play(&mut engine, 0.001));
    }
    let fast = rms(&out[2 * 96_000..]);
    let mut engine = only_tokens();
    let mut out = Vec::new();
    for i in 0..30 {
        take(&mut engine, token((i % 9) as f32));
        out.extend(play(&mut engine, 0.1));
    }
    let normal = rms(&out[2 * 96_000..]);
    assert!(fast < 2.0 * normal && fast > 0.3 * normal, "{fast} {normal}");
}

#[test]
fn nothing_absurd_gets_out() {
    let mut engine = engine();
    let absurd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e38, -1e38, f32::MIN_POSITIVE, 0.0];
    let mut out = Vec::new();
    for round in 0..120usize {
        let x = absurd[round % absurd.len()];
        for (i, id) in ParamId::ALL.iter().enumerate() {
            set(&mut engine, *id, absurd[(round + i) % absurd.len()]);
        }
        take(&mut engine, CueKind::Prefill(x));
        take(
            &mut engine,
            CueKind::Machine(MachineCue {
                values: [x; SignalId::COUNT],
                absent: 1 << (round % 20),
                cores: [x; 16],
                core_count: 255,
            }),
        );
        take(
            &mut engine,
            CueKind::Token(TokenCue {
                index: u32::MAX,
                latency_ms: x,
                p: x,
                surprise_bits: x,
                entropy_bits: x,
                context_fill: x,
                spent: Default::default(),
                layers_ms: [0.0; 8],
                script: Script::Sign,
                word: 0,
                ghosts: [x; GHOSTS],
                phones: crate::audio::voices::throat::phones("strength 夜"),
            }),
        );
        let kinds = [
            FlawKind::Leap,
            FlawKind::Repetition,
            FlawKind::ScriptMix,
            FlawKind::BrokenCharacter,
            FlawKind::Hesitation,
            FlawKind::EarlyEnd,
            FlawKind::TemplateLeak,
        ];
        take(&mut engine, CueKind::Flaw { kind: kinds[round % kinds.len()], period: u32::MAX });
        take(&mut engine, [CueKind::Fault, CueKind::Forget, CueKind::PieceEnd, CueKind::Prompt][round % 4]);
        let routes = ParamId::ALL.iter().map(|to| Route {
            shape: Shape::Exp,
            lag_s: [x; 2],
            ..Route::new(Origin::Signal(SignalId::ALL[round % SignalId::COUNT]), *to, x)
        });
        engine.swap_matrix(Box::new(Modulator::new(Matrix { routes: routes.collect(), ..Matrix::default() })));
        out.extend(play(&mut engine, 0.05));
    }
    assert!(out.iter().all(|x| x.is_finite()));
    assert!(peak(&out) <= CEILING);
    // And it still plays.
    for id in ParamId::ALL {
        set(&mut engine, *id, id.spec().default);
    }
    engine.swap_matrix(Box::new(Modulator::new(Matrix::default())));
    assert!(rms(&play(&mut engine, 3.0)[2 * 96_000..]) > 0.005);
}

#[test]
fn turning_a_knob_makes_no_step() {
    let steps = |turn: &dyn Fn(&mut Engine, usize)| {
        let mut engine = engine();
        play(&mut engine, 3.0);
        let mut out = Vec::new();
        for i in 0..100 {
            turn(&mut engine, i);
            out.extend(left(&play(&mut engine, 0.02)));
        }
        // The second difference: a click stands out of a smooth wave by far.
        out.windows(3).map(|w| (w[2] - 2.0 * w[1] + w[0]).abs()).fold(0.0, f32::max)
    };
    let still = steps(&|_, _| {});
    for id in [ParamId::Level, ParamId::HumLevel, ParamId::HumBrightness, ParamId::ReverbMix, ParamId::HumPitch] {
        let spec = id.spec();
        let turned = steps(&|engine, i| set(engine, id, if i % 10 < 5 { spec.min } else { spec.max }));
        // Louder and brighter extremes move faster by themselves; a click of the hum's level would be a hundredfold.
        let loudest = steps(&|engine, _| set(engine, id, spec.max)).max(still);
        assert!(turned < 2.0 * loudest + 1e-4, "{}: {turned} against {loudest}", id.name());
    }
}
