//! The performer's desk, drawn whole and read.

use super::*;
use crate::desk::shown::{Input, Roll, Shader, Shown};

const PIECE: &str = r#"
[prompts]
dawn = "春"
moon = "The moon"
sea = "海"
[sampler]
order = ["temperature", "top_k"]
[lfo.tide]
wave = "saw"
rate_hz = 0.001
phase = 0.5
[[matrix]]
from = "lfo.tide"
to = "sampler.temperature"
amount = 0.5
[[scene]]
name = "one"
next = { s = 60 }
[[scene]]
name = "two"
"#;

/// A stage with the desk in the midst of a piece.
fn desk() -> Stage {
    let mut stage = Stage::new();
    stage.face = Face::Desk;
    stage.take(Event::Patch { name: "piece.toml".into(), text: PIECE.into() });
    stage.take(Event::Scene { name: "one".into(), index: 0, of: 2 });
    stage.take(Event::Prompt { name: Some("moon".into()), text: "The moon".into(), tokens: 2 });
    stage.take(Event::Param { id: ParamId::TopK, value: 12.0, by: Hand::Midi });
    stage.take(Event::Select { id: ParamId::Temperature });
    stage.machine();
    for text in ["江潮", "水連", "海平"] {
        stage.say(text, 0.5);
    }
    stage.take(Event::Control { port: "nanoKONTROL2:1".into(), what: "cc7 = 64, not mapped".into() });
    stage
}

#[test]
fn the_desk_has_everything_that_is_played_and_plays() {
    let mut stage = desk();
    for (width, height) in [(120, 40), (200, 60)] {
        let screen = stage.screen(width, height);
        assert!(screen.iter().all(|line| Span::raw(line.as_str()).width() <= usize::from(width)));
        for text in [
            "The moon江潮水連海平",
            "one 1/2  for 00:09",
            "0:51 left of 1:00",
            "then two",
            "▸ 2 moon",
            "  3 sea",
            "→海平",
            " ·sea",
            "sampler, in the patch's order",
            "temperature 1.31 → top_k 12",
            "nanoKONTROL2",
            "cc7 = 64, not mapped",
            "unavailable: no power meter",
            "latency ",
            "cpu ",
            "fan       unavailable",
            "fan: no fan sensor",
        ] {
            assert!(has(&screen, text), "{width}x{height} lacks {text:?}: {screen:#?}");
        }
        // Base, what the matrix makes of it, and the hand.
        let row = screen.iter().find(|line| line.contains("▸temperature")).unwrap();
        assert!(row.contains("0.80 →1.31"), "{row}");
        let row = screen.iter().find(|line| line.contains(" top_k  ") && line.contains("midi")).unwrap();
        assert!(row.contains("12 tokens"), "{row}");
    }
    // The audience's page keeps its room for the words until there is a great deal of it.
    stage.face = Face::Stage;
    assert!(!has(&stage.screen(120, 40), "nanoKONTROL2") && has(&stage.screen(200, 60), "nanoKONTROL2"));
    stage.face = Face::Desk;
    for (width, height) in [(80, 24), (40, 12), (20, 5), (110, 30), (119, 31), (300, 90), (1, 1)] {
        stage.screen(width, height);
    }
}

#[test]
fn the_chosen_parameter_is_in_sight_on_the_desk() {
    let mut stage = desk();
    for id in ParamId::ALL {
        stage.take(Event::Select { id: *id });
        let mark = format!("▸{}", crate::desk::words::short(*id));
        assert!(has(&stage.screen(120, 40), &mark), "{mark}");
    }
}

#[test]
fn a_token_that_was_not_among_the_likeliest_stands_below_them() {
    let mut stage = desk();
    let mut token = |id| {
        stage.take(Event::Token(Token {
            id,
            text: "odd".into(),
            index: 9,
            latency_ms: 1.0,
            p: 0.012,
            surprise_bits: 6.0,
            entropy_bits: 2.0,
            context_fill: 0.1,
            inside: Default::default(),
            top: vec![Candidate { id: 4, text: "usual".into(), p: 0.9 }],
        }));
        stage.screen(120, 40)
    };
    let screen = token(9);
    assert!(has(&screen, " usual         90% ████") && has(&screen, "→odd          1.2%"), "{screen:#?}");
}

#[test]
fn faults_have_an_age_and_xruns_are_counted() {
    let mut stage = desk();
    stage.take(Event::Callback { load: 0.25, xruns: 3 });
    let fault = |what: &str| Event::Fault { place: "generator".into(), what: what.into(), remedy: String::new() };
    stage.take(fault("it fell"));
    stage.take(fault("again"));
    let screen = stage.screen(120, 40);
    assert!(
        has(&screen, "1 s ago    generator: again") && has(&screen, "2 s ago    generator: it fell"),
        "{screen:#?}"
    );
    assert!(has(&screen, "load 25.0%  3 xruns, 3 s ago"), "{screen:#?}");
    stage.state.losses = vec![("view", 2, 0)];
    assert!(has(&stage.screen(120, 40), "events lost: view 2"));
}

#[test]
fn energy_is_added_up_where_it_is_measured() {
    let mut stage = Stage::new();
    stage.face = Face::Desk;
    assert!(has(&stage.screen(120, 40), "not measured yet"));
    for i in 0..4 {
        stage.take(Event::Machine(MachineSample { values: vec![(SignalId::Power, 10.0)], ..Default::default() }));
        stage.say("a", 0.5);
        assert!(i == 0 || has(&stage.screen(120, 40), &format!("{} J", 20 * i)), "{i}");
    }
    // A sample and a token every two seconds, at ten watts.
    assert!(has(&stage.screen(120, 40), "60 J, 20.00 J a token (last 3)"), "{:#?}", stage.screen(120, 40));
}

#[test]
fn the_stage_its_roll_and_its_shader_are_told() {
    let mut stage = desk();
    stage.take(Event::Select { id: ParamId::Shader1 });
    stage.state.shown = Shown {
        scene: "loom",
        going: Some(("page", 40)),
        palette: "ember",
        roll: Roll { left: 35, of: 36, full: 2 },
        shader: Some(Shader { name: "mine.fs".into(), is_shown: false, refused: None, notes: vec!["a note".into()] }),
        inputs: vec![Input { id: ParamId::Shader1, name: "zoom".into(), value: "2.5".into(), played: "3".into() }],
    };
    for (width, height) in [(120, 50), (200, 60)] {
        let screen = stage.screen(width, height);
        for text in [
            "loom  40% from page  ember",
            "35 of 36 exposures left  2 full",
            "mine.fs  not shown",
            "a note",
            "▸zoom                     2.5",
        ] {
            assert!(has(&screen, text), "{width}x{height} lacks {text:?}: {screen:#?}");
        }
    }
}

#[test]
fn a_faults_remedy_is_seen_in_a_narrow_column() {
    let mut stage = desk();
    stage.take(Event::Fault {
        place: "sound".into(),
        what: "the device HDA Intel PCH is gone".into(),
        remedy: "plug it in".into(),
    });
    for (width, height) in [(110, 30), (120, 40), (150, 45)] {
        let screen = stage.screen(width, height);
        let goes_on = |line: &String| line.contains("plug it in") && !line.contains("sound: ");
        assert!(has(&screen, "1 s ago    sound: ") && screen.iter().any(goes_on), "{width}x{height} {screen:#?}");
    }
}
