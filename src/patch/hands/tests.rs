//! Bindings with all their options, and what is said of those that make no sense.

use super::*;
use crate::patch::{Patch, parse};

const HEAD: &str = "[prompts]\nmoon = \"The moon\"\n";

fn ok(text: &str) -> Patch {
    parse("p.toml", &format!("{HEAD}{text}")).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn refused(text: &str) -> String {
    let error = parse("p.toml", &format!("{HEAD}{text}")).unwrap_err();
    assert_eq!(error.problems.len(), 1, "{:?}", error.lines().collect::<Vec<_>>());
    error.to_string()
}

#[test]
fn every_word_for_a_control_is_read_and_written_alike() {
    let midi = [
        "cc0",
        "cc127",
        "fine31",
        "note60",
        "poly1",
        "program",
        "program7",
        "nrpn16383",
        "rpn6",
        "bend",
        "pressure",
        "mpe-bend",
        "mpe-pressure",
        "mpe-slide",
    ];
    for word in midi {
        let (source, channel) = Source::read(word, Kind::Midi).unwrap_or_else(|| panic!("{word}"));
        assert_eq!((source.to_string().as_str(), channel), (word, None));
        assert_eq!(Source::read(&format!("ch16-{word}"), Kind::Midi), Some((source, Some(15))));
    }
    let others =
        [(Kind::Gamepad, "left-x"), (Kind::Gamepad, "dpad-up"), (Kind::Keyboard, "f12"), (Kind::Keyboard, "space")];
    for (kind, word) in others.into_iter().chain([(Kind::Keyboard, "ä"), (Kind::Keyboard, "f")]) {
        assert_eq!(Source::read(word, kind).unwrap().0.to_string(), word);
    }
    for word in [
        "cc128",
        "cc",
        "cc-1",
        "cc+1",
        "fine32",
        "note1x",
        "nrpn16384",
        "ch0-cc1",
        "ch17-cc1",
        "ch-cc1",
        "space",
        "a",
        "",
    ] {
        assert_eq!(Source::read(word, Kind::Midi), None, "{word}");
    }
    for word in ["f13", "f0", "ab", "", "\u{7}"] {
        assert_eq!(Source::read(word, Kind::Keyboard), None, "{word}");
    }
}

#[test]
fn a_binding_says_how_it_plays() {
    let patch = ok(r#"
        [midi."nano*"]
        feedback = true
        heartbeat_s = 2
        lamp = [1, 5]
        cc1 = { to = "sampler.temperature", takeover = "scale", curve = "s", steps = 5 }
        ch2-fine3 = { to = "sound.level_db", takeover = "pickup", range = [-40, 0] }
        cc16 = { to = "generator.pace", encoder = "offset", step = 0.02 }
        cc17 = { to = "generator.pace", encoder = "twos" }
        note1 = { to = "generator.hold", mode = "toggle", light = "cc41" }
        note2 = { to = "stage.scene", value = "river", lamp = [0, 3] }
        note3 = { to = "stage.palette", value = ["ink", "paper", 4] }
        cc64 = { to = "generator.hold", mode = "momentary" }
        program3 = "prompt.moon"
        "#);
    let [nano] = &patch.controllers[..] else { panic!() };
    assert_eq!(nano.feedback, Some(Feedback { pattern: "nano*".into(), heartbeat_s: Some(2.0), lamp: [1, 5] }));
    let plays: Vec<Play> = nano.bindings.iter().map(|b| b.play.clone()).collect();
    let place = |takeover, shape, steps| Play::Place { takeover, shape, steps };
    assert_eq!(
        plays,
        [
            place(Takeover::Scale, Shape::S, Some(5)),
            place(Takeover::Pickup, Shape::Lin, None),
            Play::Turn { encoder: Encoder::Offset, step: 0.02 },
            Play::Turn { encoder: Encoder::Twos, step: 1.0 / 127.0 },
            Play::Toggle,
            Play::Press(vec![1.0]),
            Play::Press(vec![0.0, 1.0, 4.0]),
            Play::Momentary,
            Play::Momentary,
        ]
    );
    assert_eq!(nano.bindings[1].channel, Some(1));
    assert_eq!(nano.bindings[4].light, Light { at: Some(Source::Cc(41)), lamp: None });
    assert_eq!(nano.bindings[5].light, Light { at: None, lamp: Some([0, 3]) });
    assert_eq!(nano.bindings[8].target, Target::Prompt("moon".into()));
    assert_eq!(
        ok("[midi.\"*\"]\nfeedback = \"MIDIOUT*\"").controllers[0].feedback.as_ref().unwrap().pattern,
        "MIDIOUT*"
    );
    assert_eq!(ok("[midi.\"*\"]\nfeedback = false").controllers[0].feedback, None);
}

#[test]
fn what_makes_no_sense_is_said_with_its_place_and_remedy() {
    let bind = |binding: &str| format!("[midi.\"k\"]\n{binding}");
    let temperature = "to = \"sampler.temperature\"";
    for (text, said) in [
        (bind("cc128 = \"prompt.next\""), "p.toml:4:1: [midi.\"k\"] cc128: a control is written cc0 to cc127"),
        (bind("cc1 = \"prompt.next\"\nch1-cc1 = 3"), "[midi.\"k\"] ch1-cc1 takes a target in quotes"),
        (bind(&format!("cc1 = {{ {temperature}, takeover = \"pick\" }}")), "one of \"jump\", \"pickup\", \"scale\""),
        (bind(&format!("cc1 = {{ {temperature}, curve = \"threshold\" }}")), "one of \"lin\""),
        (bind(&format!("cc1 = {{ {temperature}, encoder = \"two\" }}")), "did you mean \"twos\"?"),
        (bind(&format!("bend = {{ {temperature}, encoder = \"twos\" }}")), "encoders send MIDI's control changes"),
        (bind(&format!("cc1 = {{ {temperature}, encoder = \"twos\", takeover = \"jump\" }}")), "an encoder has none"),
        (
            bind(&format!("cc1 = {{ {temperature}, step = 0.1 }}")),
            "\"step\" is an encoder's or a button's; say encoder",
        ),
        (bind(&format!("cc1 = {{ {temperature}, steps = 1 }}")), "outside 2 to 128"),
        (bind(&format!("cc1 = {{ {temperature}, mode = \"toggle\", value = 1 }}")), "both \"mode\" and \"value\""),
        (bind(&format!("cc1 = {{ {temperature}, value = 9 }}")), "outside 0 to 2"),
        (bind(&format!("cc1 = {{ {temperature}, value = [] }}")), "an empty list"),
        (bind(&format!("note1 = {{ {temperature}, takeover = \"jump\" }}")), "a button has no \"takeover\""),
        (bind("cc1 = { to = \"prompt.next\", mode = \"toggle\" }"), "prompt.next has no \"mode\", as parameters have"),
        (bind(&format!("cc1 = {{ {temperature}, light = \"bend\" }}")), "the message that lights it"),
        (bind(&format!("cc1 = {{ {temperature}, lamp = [0, 128] }}")), "two whole numbers from 0 to 127"),
        (bind("lamp = [0, 1]"), "without feedback = true"),
        (bind("feedback = 3"), "true, false or an output's name"),
        (bind("feedback = true\nheartbeat_s = 0"), "outside 0.5 to 60 s"),
    ] {
        let error = refused(&text);
        assert!(error.contains(said), "{text}\n{error}");
    }
}

#[test]
fn gamepads_and_keys_have_tables_of_their_own() {
    let patch = ok(r#"
        [gamepad."*Xbox*"]
        left-x = { to = "sampler.temperature", speed = 0.5 }
        right-trigger = { to = "sound.level_db", range = [-40, 0] }
        south = { to = "prompt.moon", mode = "hold" }
        dpad-up = { to = "sampler.top_p", step = -0.05 }
        east = "generator.hold"
        [keys]
        o = "stage.freeze"
        O = { to = "stage.freeze", mode = "momentary" }
        "[" = "prompt.moon"
        f5 = { to = "stage.palette", value = ["ink", "paper"] }
        space = { to = "sampler.top_k", range = [10, 20], step = 0.5 }
        "#);
    let [pad, keys] = &patch.controllers[..] else { panic!() };
    assert_eq!((pad.kind, pad.pattern.as_str(), keys.kind), (Kind::Gamepad, "*Xbox*", Kind::Keyboard));
    let plays = |c: &Controller| c.bindings.iter().map(|b| (b.source.to_string(), b.play.clone())).collect::<Vec<_>>();
    let place = Play::Place { takeover: Takeover::Jump, shape: Shape::Lin, steps: None };
    let named =
        |all: Vec<(&str, Play)>| all.into_iter().map(|(word, play)| (word.to_string(), play)).collect::<Vec<_>>();
    assert_eq!(
        plays(pad),
        named(vec![
            ("left-x", Play::Speed(0.5)),
            ("right-trigger", place),
            ("south", Play::Hold),
            ("dpad-up", Play::Step(-0.05)),
            ("east", Play::Momentary),
        ])
    );
    assert_eq!(
        plays(keys),
        named(vec![
            ("o", Play::Toggle),
            ("O", Play::Momentary),
            ("[", Play::Momentary),
            ("f5", Play::Press(vec![0.0, 1.0])),
            ("space", Play::Step(0.5)),
        ])
    );
    for (text, said) in [
        ("[gamepad]\nsouth = \"prompt.moon\"", "[gamepad] names a device first: write [gamepad.\"*\"] above \"south\""),
        ("[gamepad.\"*\"]\nx = \"prompt.moon\"", "[gamepad.\"*\"] x: a control is written south, east"),
        ("[gamepad.\"*\"]\nfeedback = true", "cannot be told anything: take \"feedback\" out"),
        ("[keys]\nfeedback = \"prompt.moon\"", "[keys] feedback: a control is written a single character in quotes"),
        ("[keys]\nf = \"prompt.moon\"", "[keys] f is the window's, for full screen: take another key"),
        ("[keys]\nf11 = \"prompt.moon\"", "[keys] f11 is the window's"),
        ("[keys]\no = { to = \"stage.freeze\", light = \"cc1\" }", "[keys] o has no lamp: take \"light\" out"),
        ("[keys]\no = { to = \"stage.hue\", step = 0 }", "step is 0, which moves nothing"),
        ("[keys]\no = { to = \"stage.hue\", step = 2 }", "outside -1 to 1 of the travel"),
        ("[keys]\no = { to = \"stage.hue\", step = 0.1, speed = 1 }", "both \"speed\" and \"step\""),
        ("[keys]\no = { to = \"stage.hue\", takeover = \"jump\" }", "a button has no \"takeover\""),
        ("[gamepad.\"*\"]\nleft-x = { to = \"stage.hue\", speed = 30 }", "outside -20 to 20 of the travel a second"),
        (
            "[gamepad.\"*\"]\nleft-x = { to = \"stage.hue\", speed = 1, curve = \"s\" }",
            "is for controls that have a place",
        ),
        ("[midi.\"*\"]\ncc1 = { to = \"stage.hue\", speed = 1, steps = 4 }", "is for controls that have a place"),
        ("[midi.\"*\"]\ncc1 = { to = \"stage.hue\", speed = 1, step = 0.1 }", "has no meaning beside \"speed\""),
        ("[gamepad.\"*\"]\nleft-x = { to = \"stage.hue\", step = 0.1 }", "comes back by itself may have a \"speed\""),
        ("[keys]\no = { to = \"stage.hue\", encoder = \"twos\" }", "cc0 to cc127; a button may have a \"step\""),
        ("[keys]\no = { to = \"stage.hue\", range = [0.5, 0.5], step = 0.1 }", "range is one value only"),
        ("[midi.\"*\"]\nprogram5 = { to = \"prompt.moon\", mode = \"hold\" }", "a program is never let go"),
        ("[midi.\"*\"]\nprogram5 = { to = \"stage.hue\", mode = \"momentary\" }", "a program is never let go"),
        ("[midi.\"*\"]\ngives_way = 3", "[midi.\"*\"] gives_way is true or false, not a number"),
        (
            "[keys.\"*\"]\no = \"prompt.moon\"",
            "[keys] names no device: write its keys right below [keys], without \"*\"",
        ),
    ] {
        let error = refused(text);
        assert!(error.contains(said), "{text}\n{error}");
    }
}

#[test]
fn the_four_codings_of_encoders() {
    for (encoder, cases) in [
        (Encoder::Twos, [(1, 1), (5, 5), (127, -1), (124, -4), (0, 0), (64, -64), (63, 63)]),
        (Encoder::Offset, [(65, 1), (69, 5), (63, -1), (60, -4), (64, 0), (0, -64), (127, 63)]),
        (Encoder::Sign, [(1, 1), (5, 5), (65, -1), (68, -4), (0, 0), (64, 0), (127, -63)]),
        (Encoder::SignTurned, [(65, 1), (69, 5), (1, -1), (4, -4), (0, 0), (64, 0), (63, -63)]),
    ] {
        for (bits, steps) in cases {
            assert_eq!(encoder.steps(bits), steps, "{encoder:?} {bits}");
        }
    }
}

#[test]
fn reserved_controls_are_known() {
    let numbers: Vec<u8> = (0..=127).filter(|n| reserved(Source::Cc(*n)).is_some()).collect();
    assert_eq!(numbers, [0, 6, 32, 38, 98, 99, 100, 101, 120, 121, 122, 123, 124, 125, 126, 127]);
    assert_eq!(reserved(Source::Note(0)), None);
}

#[test]
fn a_prompt_is_held_or_pressed() {
    let binding = |text: &str| ok(&format!("[midi.\"*\"]\nnote1 = {text}\n")).controllers[0].bindings[0].play.clone();
    assert_eq!(binding("\"prompt.moon\""), Play::Momentary);
    assert_eq!(binding("{ to = \"prompt.moon\", mode = \"hold\" }"), Play::Hold);
    assert_eq!(binding("{ to = \"prompt.moon\", mode = \"press\", light = \"cc3\" }"), Play::Momentary);
    let said = refused("[midi.\"*\"]\nnote1 = { to = \"prompt.moon\", mode = \"hodl\" }\n");
    assert!(said.starts_with("p.toml:4:") && said.ends_with("did you mean \"hold\"?"), "{said}");
    assert!(refused("[midi.\"*\"]\nnote1 = { to = \"prompt.next\", mode = \"hold\" }\n").contains("take it out"));
}

#[test]
fn a_prompt_is_layered_by_its_name() {
    let patch = ok("[midi.\"*\"]\nnote1 = \"layer.moon\"\n");
    assert_eq!(patch.controllers[0].bindings[0].target, Target::Trigger(crate::score::Action::Layer("moon".into())));
    assert!(refused("[midi.\"*\"]\nnote1 = \"layer.moom\"\n").ends_with("did you mean \"moon\"?"));
}
