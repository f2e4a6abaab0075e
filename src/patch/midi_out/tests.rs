//! What `[midi_out]` may say, and what is said where it may not.

use super::*;
use crate::patch::tests::{ok, refused};

#[test]
fn synthesisers_are_read_as_they_are_written() {
    let patch = ok(r#"
        [midi_out."Volca*"]
        channel = 2
        tokens  = { channel = 1, notes = [48, 60], velocity = [40, 110], length_ms = [60, 800], voices = 4 }
        flaws   = { channel = 10, note = 36 }
        prompt  = { note = 48, velocity = 64, length_ms = 500 }
        tension = { cc = 1, seconds = 4 }
        clock   = { per_token = 6 }
        [midi_out."Volca*".cc]
        74 = "machine.cpu"
        71 = { from = "token.latency", channel = 16, between = [0, 20], range = [127, 0], curve = "s" }
        [midi_out."*"]
        tokens = { notes = [72, 60], scale = [0, 6] }
        clock = { bpm = 120 }
        "#);
    let [volca, any] = patch.midi_out.as_slice() else { panic!("{:?}", patch.midi_out) };
    let tokens = volca.tokens.as_ref().unwrap();
    assert_eq!((tokens.channel, tokens.voices, tokens.pitches.as_slice()), (0, 4, &[48, 50, 52, 55, 57, 60][..]));
    assert_eq!((tokens.velocity, tokens.length_ms), ([40, 110], [60.0, 800.0]));
    assert_eq!(volca.flaws, Some(Hit { channel: 9, note: 36, velocity: 100, length_ms: 100.0 }));
    let prompt = Hit { channel: 1, note: 48, velocity: 64, length_ms: 500.0 };
    assert_eq!(volca.hits, [(Happening::Prompt, prompt)]);
    let control = |channel, cc, from, between, range, shape| Control { channel, cc, from, between, range, shape };
    let controls = [
        control(1, 1, SignalId::Waiting, [0.0, 4.0], [0, 127], Shape::Exp),
        control(1, 74, SignalId::Cpu, [0.0, 1.0], [0, 127], Shape::Lin),
        control(15, 71, SignalId::Latency, [0.0, 20.0], [127, 0], Shape::S),
    ];
    assert_eq!(volca.controls, controls);
    assert_eq!((volca.clock, any.clock), (Some(ClockFrom::PerToken(6)), Some(ClockFrom::Bpm(120.0))));
    assert_eq!(any.tokens.as_ref().unwrap().pitches, [72, 66, 60]);
    assert_eq!(ok("").midi_out, []);
}

#[test]
fn each_mistake_in_a_synthesiser_is_told_with_its_place_and_remedy() {
    let cases = [
        ("[midi_uot.x]", "3:2: a patch has no \"midi_uot\"; did you mean \"midi_out\"?"),
        ("[midi_out]\ntokens = {}", "4:1: [midi_out] names a port first: write [midi_out.\"*\"] above \"tokens\""),
        ("[midi_out]\nclock = 1", "4:1: [midi_out] names a port first: write [midi_out.\"*\"] above \"clock\""),
        ("[midi_out.\"*\"]\ntoken = {}", "4:1: [midi_out.\"*\"] has no \"token\"; did you mean \"tokens\"?"),
        (
            "[midi_out.\"*\"]\ntokens = 3",
            "4:10: [midi_out.\"*\"] tokens takes a table, as in { channel = 1 }, not a number",
        ),
        (
            "[midi_out.\"*\"]\ntokens = { chanel = 1 }",
            "4:12: [midi_out.\"*\"] tokens has no \"chanel\"; did you mean \"channel\"?",
        ),
        ("[midi_out.\"*\"]\ntokens = { channel = 17 }", "4:22: [midi_out.\"*\"] tokens channel is 17, outside 1 to 16"),
        (
            "[midi_out.\"*\"]\ntokens = { notes = 48 }",
            "4:20: [midi_out.\"*\"] tokens notes takes two numbers, as in [48, 84]",
        ),
        (
            "[midi_out.\"*\"]\ntokens = { notes = [48, 128] }",
            "4:25: [midi_out.\"*\"] tokens notes is 128, outside 0 to 127",
        ),
        (
            "[midi_out.\"*\"]\ntokens = { velocity = [1.5, 2] }",
            "4:24: [midi_out.\"*\"] tokens velocity takes whole numbers, not 1.5",
        ),
        (
            "[midi_out.\"*\"]\ntokens = { scale = \"gong\" }",
            "4:20: [midi_out.\"*\"] tokens scale takes a list of semitones, as in [0, 2, 4, 7, 9], not text",
        ),
        (
            "[midi_out.\"*\"]\ntokens = { notes = [48, 50], scale = [5] }",
            "4:38: [midi_out.\"*\"] tokens scale has no note from 48 to 50; it is counted from 48",
        ),
        ("[midi_out.\"*\"]\nflaws = { channel = 10 }", "4:9: [midi_out.\"*\"] flaws lacks \"note\"; it needs note"),
        ("[midi_out.\"*\"]\nflaws = { note = 122 }", "4:18: [midi_out.\"*\"] flaws note is 122, outside 0 to 121"),
        ("[midi_out.\"*\"]\ntension = { cc = 120 }", "4:18: [midi_out.\"*\"] tension cc is 120, outside 0 to 119"),
        (
            "[midi_out.\"*\"]\nclock = { bpm = 120, per_token = 6 }",
            "4:9: [midi_out.\"*\"] clock takes either \"bpm\" or \"per_token\"",
        ),
        (
            "[midi_out.\"*\"]\nclock = \"temp\"",
            "4:9: [midi_out.\"*\"] clock takes \"tempo\", { bpm = 120 } or { per_token = 6 }",
        ),
        ("[midi_out.\"*\"]\nclock = {}", "4:9: [midi_out.\"*\"] clock takes either \"bpm\" or \"per_token\""),
        ("[midi_out.\"*\"]\nclock = { bpm = 1000 }", "4:17: [midi_out.\"*\"] clock bpm is 1000, outside 20 to 300"),
        (
            "[midi_out.\"*\".cc]\ncc74 = \"machine.cpu\"",
            "4:1: [midi_out.\"*\"] cc \"cc74\": a control is a number from 0 to 119",
        ),
        (
            "[midi_out.\"*\".cc]\n74 = \"machine.gpu\"",
            "4:6: [midi_out.\"*\"] cc 74: there is no \"machine.gpu\"; did you mean \"machine.cpu\"?",
        ),
        (
            "[midi_out.\"*\".cc]\n74 = { from = \"xyzzy\" }",
            "4:15: [midi_out.\"*\"] cc 74 from: there is no \"xyzzy\"; `xiao signals` lists every signal",
        ),
        (
            "[midi_out.\"*\".cc]\n74 = { from = \"machine.cpu\", curve = \"sharp\" }",
            "4:38: [midi_out.\"*\"] cc 74 curve: there is no \"sharp\"; it is one of lin, exp, log, s, inverse, threshold",
        ),
        (
            "[midi_out.\"*\".cc]\n74 = { from = \"machine.cpu\", between = [1, 1] }",
            "4:40: [midi_out.\"*\"] cc 74 between takes two different numbers, as in [0, 1]",
        ),
        ("[midi_out.\"*\".cc]\n74 = {}", "4:6: [midi_out.\"*\"] cc 74 lacks \"from\"; it needs from"),
        (
            "[midi_out.\"*\".cc]\n74 = \"machine.cpu\"\n074 = \"machine.cpu\"",
            "5:1: [midi_out.\"*\"] cc 074 is the same control as one above or as the tension's",
        ),
    ];
    for (text, wanted) in cases {
        assert_eq!(refused(text), format!("p.toml:{wanted}"), "{text}");
    }
}

#[test]
fn the_synthesisers_of_the_readme_are_read() {
    for readme in [include_str!("../../../README.md"), include_str!("../../../README.zh.md")] {
        let begin = readme.find("[midi_out.").unwrap();
        let example = readme[begin..].split("```").next().unwrap();
        let patch = ok(example);
        assert!(patch.midi_out[0].tokens.is_some() && patch.midi_out[0].controls.len() == 3);
    }
}
