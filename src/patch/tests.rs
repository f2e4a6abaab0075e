//! What patches may say, and what is said of those that may not.

use super::matrix::{Envelope, MAX_ROUTES, Shape, Wave};
use super::sampler::{Stage, Word};
use super::*;
use crate::score::{Action, Happening, SignalId};

/// Lines before the one under test, so that places are seen to be counted.
const HEAD: &str = "[prompts]\nmoon = \"The moon\"\n";

pub(super) fn ok(text: &str) -> Patch {
    parse("p.toml", &format!("{HEAD}{text}")).unwrap()
}

/// The single problem of a patch.
pub(super) fn refused(text: &str) -> String {
    let error = parse("p.toml", &format!("{HEAD}{text}")).unwrap_err();
    assert_eq!(error.problems.len(), 1, "{:?}", error.lines().collect::<Vec<_>>());
    let line = error.to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

#[test]
fn every_shipped_patch_is_whole() {
    for (name, text) in BUILT_IN {
        let patch = parse(&format!("patches/{name}.toml"), text).unwrap();
        assert!(patch.prompts.len() >= 2 && !patch.controllers.is_empty() && !patch.matrix.routes.is_empty(), "{name}");
        for device in &patch.controllers {
            for binding in &device.bindings {
                if let Target::Prompt(to) = &binding.target {
                    assert!(patch.prompts.iter().any(|p| p.name == *to), "{name}: {to}");
                }
            }
        }
        // The same seed must give the same words, whatever the machine does meanwhile.
        for route in &patch.matrix.routes {
            let to = route.to.name();
            assert!(!to.starts_with("sampler.") && !to.starts_with("generator."), "{name}: {to}");
        }
        let on_disk = std::fs::read_to_string(format!("{}/patches/{name}.toml", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert_eq!(on_disk, text);
    }
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/patches")).unwrap();
    let patches = folder.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "toml"));
    assert_eq!(patches.count(), BUILT_IN.len(), "every patch of patches/ is compiled in");
}

#[test]
fn a_folder_of_samples_is_text() {
    let top = |line: &str| parse("p.toml", &format!("{line}\n{HEAD}"));
    assert_eq!(top("samples = \"sounds/rain\"").unwrap().samples.as_deref(), Some("sounds/rain"));
    assert_eq!(top("").unwrap().samples, None);
    assert!(top("samples = 3").unwrap_err().to_string().contains("samples takes text in quotes"));
    assert!(top("sample = \"a\"").unwrap_err().to_string().contains("\"samples\""));
}

#[test]
fn a_patch_is_read_as_it_is_written() {
    let patch = ok(r#"
        "春" = "春"
        [params]
        "sampler.temperature" = 1
        sound.hum.level_db = -12.5
        generator.hold = true
        [sampler]
        order = ["temperature", "Top-K", "typ_p"]
        ban = ["月", "<0x0A>", 123]
        bias = { " moon" = 2, "12" = -5.5 }
        dry_breakers = ["\n", "。"]
        [midi."nano*"]
        cc0 = "sound.level_db"
        cc127 = { to = "sound.hum.pitch", takeover = "pickup", range = [60, 30] }
        note36 = "prompt.moon"
        note37 = "prompt.previous"
        [[matrix]]
        from = "machine.cpu"
        to = "stage.hue"
        amount = -0.5
        curve = "s"
        lag_ms = 250
        "#);
    assert_eq!((patch.title.as_str(), patch.shader.as_str(), patch.model), ("p", "field", None));
    assert_eq!(patch.prompts.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["moon", "春"]);
    let wanted = [(ParamId::Temperature, 1.0), (ParamId::HumLevel, -12.5), (ParamId::Hold, 1.0)];
    assert_eq!(patch.params, wanted);
    let sampler = SamplerSpec {
        order: Some(vec![Stage::Temperature, Stage::TopK, Stage::Typical]),
        ban: vec![Word::Text("月".into()), Word::Text("<0x0A>".into()), Word::Id(123)],
        bias: vec![(Word::Text(" moon".into()), 2.0), (Word::Id(12), -5.5)],
        dry_breakers: Some(vec!["\n".into(), "。".into()]),
    };
    assert_eq!(patch.sampler, sampler);
    assert_eq!(ok("").sampler, SamplerSpec::default());
    assert_eq!(ok("[sampler]\norder = []").sampler.order, Some(vec![]));
    assert_eq!(patch.controllers[0].pattern, "nano*");
    let place = |takeover| Play::Place { takeover, shape: Shape::Lin, steps: None };
    let bindings = [
        (Source::Cc(0), Target::Param { id: ParamId::Level, from: -60.0, to: 6.0 }, place(Takeover::Jump)),
        (Source::Cc(127), Target::Param { id: ParamId::HumPitch, from: 60.0, to: 30.0 }, place(Takeover::Pickup)),
        (Source::Note(36), Target::Prompt("moon".into()), Play::Momentary),
        (Source::Note(37), Target::Trigger(Action::PromptStep(-1)), Play::Momentary),
    ];
    let wanted = bindings.map(|(source, target, play)| Binding {
        source,
        channel: None,
        target,
        play,
        light: Default::default(),
    });
    assert_eq!(patch.controllers[0].bindings, wanted);
    let from = Origin::Signal(SignalId::Cpu);
    let route = Route { shape: Shape::S, lag_s: [0.25; 2], ..Route::new(from, ParamId::Hue, -0.5) };
    assert_eq!(patch.matrix.routes, [route]);
}

#[test]
fn waves_and_envelopes_are_named_and_led_by_cables() {
    let patch = ok(r#"
        [lfo.tide]
        wave = "drift"
        rate_hz = 0.05
        [lfo.pulse]
        rate_hz = 2
        phase = 0.25
        [envelope.hit]
        on = "flaw"
        release_ms = 2500
        [[matrix]]
        from = "lfo.pulse"
        to = "stage.hue"
        amount = 0.5
        steps = 4
        hold = true
        lag_ms = 100
        lag_down_ms = 400
        [[matrix]]
        from = "envelope.hit"
        to = "stage.background"
        amount = 1
        curve = "threshold"
        at = 0.8
        "#);
    let matrix = patch.matrix;
    let (tide, pulse) = (("tide", Wave::Drift, 0.05, 0.0), ("pulse", Wave::Sine, 2.0, 0.25));
    let lfos: Vec<_> = matrix.lfos.iter().map(|l| (l.name.as_str(), l.wave, l.rate_hz, l.phase)).collect();
    assert_eq!(lfos, [tide, pulse]);
    let hit = Envelope { name: "hit".into(), on: Happening::Flaw, attack_s: 0.01, hold_s: 0.0, release_s: 2.5 };
    assert_eq!(matrix.envelopes, [hit]);
    let first = Route { steps: 4, hold: true, lag_s: [0.1, 0.4], ..Route::new(Origin::Lfo(1), ParamId::Hue, 0.5) };
    let shape = Shape::Threshold { at: 0.8, hysteresis: 0.05 };
    let second = Route { shape, ..Route::new(Origin::Envelope(0), ParamId::Background, 1.0) };
    assert_eq!(matrix.routes, [first, second]);
}

#[test]
fn each_mistake_is_told_with_its_place_and_remedy() {
    let cases = [
        (
            "[params]\n\"sampler.temprature\" = 1",
            "4:1: [params] has no \"sampler.temprature\"; did you mean \"sampler.temperature\"?",
        ),
        (
            "[params]\nsampler.temprature = 1",
            "4:9: [params] has no \"sampler.temprature\"; did you mean \"sampler.temperature\"?",
        ),
        ("[params]\nxyzzy = 1", "4:1: [params] has no \"xyzzy\"; `xiao params` lists every parameter"),
        ("[params]\n\"sampler.temperature\" = 9", "4:25: [params] \"sampler.temperature\" is 9, outside 0 to 2"),
        ("[params]\n\"sound.level_db\" = nan", "4:20: [params] \"sound.level_db\" is NaN, outside -60 to 6 dB"),
        ("[params]\n\"sampler.top_k\" = 1.5", "4:19: [params] \"sampler.top_k\" takes whole numbers, not 1.5"),
        (
            "[params]\n\"sampler.top_p\" = \"high\"",
            "4:19: [params] \"sampler.top_p\" takes a number from 0 to 1, not text",
        ),
        ("[params]\n\"generator.hold\" = 0.5", "4:20: [params] \"generator.hold\" takes true or false"),
        ("[params]\nstage.hue = 0.1\n\"stage.hue\" = 0.2", "5:1: [params] sets \"stage.hue\" twice"),
        ("[parms]\na = 1", "3:2: a patch has no \"parms\"; did you mean \"params\"?"),
        ("sampler = 1", "3:11: [prompts] sampler takes text in quotes, not a number"),
        ("[sampler]\nordr = []", "4:1: [sampler] has no \"ordr\"; did you mean \"order\"?"),
        (
            "[sampler]\ntemperature = 1",
            "4:1: [sampler] has no \"temperature\"; write \"sampler.temperature\" below [params]",
        ),
        (
            "[sampler]\norder = [\"top_k\", \"min_q\"]",
            "4:19: [sampler] order: there is no \"min_q\"; did you mean \"min_p\"?",
        ),
        (
            "[sampler]\norder = [\"xyzzy\"]",
            "4:10: [sampler] order: there is no \"xyzzy\"; the stages are penalties, dry, top_k, typical, top_p, min_p, xtc, temperature",
        ),
        ("[sampler]\norder = [\"top_k\", \"top-k\"]", "4:19: [sampler] order names \"top_k\" twice"),
        ("[sampler]\norder = [1]", "4:10: [sampler] order takes names in quotes, not a number"),
        (
            "[sampler]\norder = \"top_k\"",
            "4:9: [sampler] order takes a list of stages, as in [\"top_k\", \"temperature\"], not text",
        ),
        ("[sampler]\nban = [-1]", "4:8: [sampler] ban: no token has the number -1"),
        ("[sampler]\nban = [\"\"]", "4:8: [sampler] ban: an empty text is no word; take it out"),
        ("[sampler]\nban = [true]", "4:8: [sampler] ban takes text or token numbers, not true or false"),
        ("[sampler]\nbias = [1]", "4:8: [sampler] bias is a table, as in { \" moon\" = 2.0 }, not a list"),
        ("[sampler]\nbias = { a = 101 }", "4:14: [sampler] bias \"a\" is 101, outside -100 to 100"),
        ("[sampler]\nbias = { 99999999 = 1 }", "4:10: [sampler] bias \"99999999\": no token has this number"),
        (
            "[sampler]\ndry_breakers = [\"\"]",
            "4:17: [sampler] dry_breakers takes text of at least one character, not \"\"",
        ),
        ("next = \"x\"", "3:1: [prompts] may not use \"next\": \"prompt.next\" is an action; rename it"),
        ("\"a b\" = \"x\"", "3:1: [prompts] \"a b\" may hold only letters, digits, - and _"),
        ("sun = 3", "3:7: [prompts] sun takes text in quotes, not a number"),
        ("sun = \"\"", "3:7: [prompts] sun is empty; give it at least one character"),
        ("moon = \"again\"", "3:1: not valid TOML: duplicate key"),
        ("[midi]\ncc1 = \"stage.hue\"", "4:1: [midi] names a device first: write [midi.\"*\"] above \"cc1\""),
        (
            "[midi.\"*\"]\ncc128 = \"stage.hue\"",
            "4:1: [midi.\"*\"] cc128: a control is written cc0 to cc127, note0 to note127, fine0 to fine31 (14 bits), nrpn0, rpn0, bend, pressure, poly0, program, program0, mpe-bend, mpe-pressure or mpe-slide, with ch1- to ch16- before it for one channel",
        ),
        (
            "[midi.\"*\"]\ncc1 = \"stage.hew\"",
            "4:7: [midi.\"*\"] cc1: there is no \"stage.hew\"; did you mean \"stage.hue\"?",
        ),
        (
            "[midi.\"*\"]\ncc1 = \"prompt.mon\"",
            "4:7: [midi.\"*\"] cc1: [prompts] has no \"mon\"; did you mean \"moon\"?",
        ),
        (
            "[midi.\"*\"]\ncc1 = { to = \"stage.hue\", takeovr = \"jump\" }",
            "4:27: [midi.\"*\"] cc1 has no \"takeovr\"; did you mean \"takeover\"?",
        ),
        (
            "[midi.\"*\"]\ncc1 = { to = \"stage.hue\", takeover = \"fade\" }",
            "4:38: [midi.\"*\"] cc1 takeover is one of \"jump\", \"pickup\", \"scale\", not \"fade\"",
        ),
        (
            "[midi.\"*\"]\ncc1 = { to = \"stage.hue\", range = [0, 2] }",
            "4:39: [midi.\"*\"] cc1 range is 2, outside 0 to 1",
        ),
        (
            "[midi.\"*\"]\ncc1 = { to = \"stage.hue\", range = [0] }",
            "4:35: [midi.\"*\"] cc1 range takes two numbers, as in [0, 1]",
        ),
        (
            "[midi.\"*\"]\ncc1 = { to = \"prompt.next\", range = [0, 1] }",
            "4:29: [midi.\"*\"] cc1: prompt.next has no \"range\", as parameters have; take it out",
        ),
        (
            "[midi.\"*\"]\ncc1 = \"stage.hue\"\ncc01 = \"stage.hue\"",
            "5:1: [midi.\"*\"] cc01 is the same control as one above",
        ),
        ("[matrix]\nfrom = \"machine.cpu\"", "3:2: write [[matrix]], with two brackets, above each route"),
        (
            "[[matrix]]\nfrom = \"machine.cpu\"\nto = \"stage.hue\"",
            "3:1: [[matrix]] lacks \"amount\"; it needs from, to, amount",
        ),
        (
            "[[matrix]]\nfrom = \"machine.gpu\"\nto = \"stage.hue\"\namount = 1",
            "4:8: [[matrix]] from: there is no \"machine.gpu\"; did you mean \"machine.cpu\"?",
        ),
        (
            "[[matrix]]\nfrom = \"machine.cpu\"\nto = \"stage.hue\"\namount = 2",
            "6:10: [[matrix]] amount is 2, outside -1 to 1",
        ),
        (
            "[[matrix]]\nfrom = \"machine.cpu\"\nto = \"stage.hue\"\namount = 1\ncurve = \"steep\"",
            "7:9: [[matrix]] curve: there is no \"steep\"; it is one of lin, exp, log, s, inverse, threshold",
        ),
        (
            "[[matrix]]\nfrom = \"machine.cpu\"\nto = \"stage.hue\"\namount = 1\nlag_ms = -1",
            "7:10: [[matrix]] lag_ms is -1, outside 0 to 600000",
        ),
        (
            "[[matrix]]\nfrom = \"lfo.tide\"\nto = \"stage.hue\"\namount = 1\n[lfo.tie]\nrate_hz = 1",
            "4:8: [[matrix]] from: there is no \"lfo.tide\"; did you mean \"lfo.tie\"?",
        ),
        (
            "[[matrix]]\nfrom = \"machine.cpu\"\nto = \"stage.hue\"\namount = 1\nat = 0.5",
            "7:1: [[matrix]] at belongs to curve = \"threshold\"; take it out, or add that",
        ),
        ("[lfo.tide]\nwave = \"sine\"", "3:6: [lfo.tide] lacks \"rate_hz\"; it needs rate_hz"),
        (
            "[lfo.tide]\nrate_hz = 1\nwave = \"sinus\"",
            "5:8: [lfo.tide] wave: there is no \"sinus\"; did you mean \"sine\"?",
        ),
        ("[envelope.hit]\non = \"tokens\"", "4:6: [envelope.hit] on: there is no \"tokens\"; did you mean \"token\"?"),
        ("[lfo]\ntide = 1", "4:1: write [lfo.tide] above its keys, not a number"),
        ("[params\na = 1", "3:8: not valid TOML: unclosed table, expected `]`"),
    ];
    for (text, wanted) in cases {
        assert_eq!(refused(text), format!("p.toml:{wanted}"), "{text}");
    }
}

#[test]
fn a_patch_without_prompts_is_refused() {
    let error = parse("p.toml", "title = \"x\"").unwrap_err().to_string();
    assert_eq!(error, "p.toml: there is no prompt to play; write one below [prompts], as in: moon = \"The moon\"");
    let error = parse("p.toml", "shader = \"../x.wgsl\"\n[prompts]").unwrap_err();
    assert_eq!(error.problems.iter().map(|p| p.at.unwrap()).collect::<Vec<_>>(), [(1, 10), (2, 2)]);
}

#[test]
fn cables_are_counted() {
    let cable = "[[matrix]]\nfrom = \"machine.cpu\"\nto = \"stage.hue\"\namount = 0.1\n";
    assert_eq!(ok(&cable.repeat(MAX_ROUTES)).matrix.routes.len(), MAX_ROUTES);
    assert!(refused(&cable.repeat(MAX_ROUTES + 1)).starts_with("p.toml:259:1: [[matrix]] has more than 64 routes"));
}

#[test]
fn no_text_whatever_panics() {
    let text = BUILT_IN[0].1;
    for cut in (0..text.len()).filter(|i| text.is_char_boundary(*i)) {
        let _ = parse("p.toml", &text[..cut]);
    }
    for byte in
        ["\0", "\u{feff}", "\r\n", "[[[", "a.b.c = 1\na.b = 2", "prompts = 1\nparams = []\nmidi = 1\nmatrix = 1"]
    {
        let _ = parse("p.toml", byte);
    }
}
