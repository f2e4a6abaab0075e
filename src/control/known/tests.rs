//! The maps, as data and as drawings.

use super::*;

#[test]
fn every_map_is_whole() {
    let all = all();
    assert_eq!(all.len(), MAPS.len());
    for known in &all {
        let controls: usize = known.rows.iter().map(|row| row.controls.len()).sum();
        assert_eq!(known.controller.bindings.len(), controls, "{}", known.name);
        let kind = if known.name == "gamepad" { Kind::Gamepad } else { Kind::Midi };
        assert!(known.controller.known && known.controller.kind == kind);
        assert_eq!(named(known.name).unwrap().title, known.title);
        let loudness = known.controller.bindings.iter().any(|b| b.target.to_string() == "sound.level_db");
        let prompts = known.controller.bindings.iter().filter(|b| matches!(&b.target, Target::Trigger(_)));
        assert!(loudness && prompts.count() >= 8, "{} can be played with", known.name);
    }
    assert_eq!(all.last().unwrap().ports, "*");
}

#[test]
fn a_device_is_known_by_what_its_port_is_called() {
    for (port, name) in [
        ("MIDI Mix:MIDI Mix MIDI 1", "midimix"),
        ("nanoKONTROL2:nanoKONTROL2 nanoKONTROL2 _ CTR", "nanokontrol2"),
        ("Launch Control XL:Launch Control XL MIDI 1", "launch-control-xl"),
        ("X-TOUCH MINI:X-TOUCH MINI MIDI 1 #2", "x-touch-mini"),
        ("Arturia BeatStep:Arturia BeatStep MIDI 1", "beatstep"),
        ("system:midi_capture_1", "generic"),
    ] {
        assert_eq!(for_port(port).unwrap().name, name, "{port}");
    }
}

#[test]
fn a_patch_says_more_of_a_gamepad() {
    let known = named("gamepad").unwrap();
    let text = "[prompts]\na = \"a\"\n[gamepad.\"*Xbox*\"]\nsouth = \"prompt.a\"\n[midi.\"*\"]\ncc1 = \"prompt.a\"\n";
    let played = known.played_by(&patch::parse("p.toml", text).unwrap());
    assert_eq!(
        played.iter().map(|c| (c.kind, c.known)).collect::<Vec<_>>(),
        [(Kind::Gamepad, false), (Kind::Gamepad, true)]
    );
}

#[test]
fn a_map_that_is_wrong_says_how() {
    let row = "title = 't'\nports = '*'\n[[row]]\nshape = 'knob'\nat = [0, 0]\n";
    for (text, wanted) in [
        ("title = 't'", "ports"),
        ("title = 't'\nports = '*'", "[[row]]"),
        (&format!("{row}controls = ['cc1', 'cc2']\nplays = ['stage.hue']"), "2 controls play 1"),
        (&format!("{row}controls = ['cc1', 'cc1']\nplays = ['stage.hue', 'stage.hue']"), "cc1 plays two things"),
        (&format!("{row}controls = ['cc1']\nplays = ['stage.hew']"), "stage.hue"),
        (&row.replace("knob", "lever"), "lever"),
    ] {
        let why = read("t", text).unwrap_err();
        assert!(why.contains(wanted), "{why}");
    }
}

#[test]
fn a_drawing_has_every_control_and_what_it_plays() {
    for known in all() {
        let drawn = draw(&known, std::slice::from_ref(&known.controller));
        for row in &known.rows {
            for control in &row.controls {
                assert!(drawn.contains(&format!(">{control}</text>")), "{}: {control}", known.name);
            }
        }
        assert!(drawn.contains(">level</text>") && drawn.ends_with("</svg>\n"));
        assert!(!drawn.contains("NaN"));
    }
}

#[test]
fn the_pictures_of_the_readme_are_what_is_drawn() {
    for known in all() {
        let file = std::path::Path::new("assets/controllers").join(known.name).with_extension("svg");
        let drawn = draw(&known, std::slice::from_ref(&known.controller));
        if std::env::var_os("XIAO_GOLDEN").is_some_and(|how| how == "write") {
            std::fs::write(&file, &drawn).unwrap();
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(kept == drawn, "{} is not what is drawn: XIAO_GOLDEN=write makes it anew", file.display());
    }
}

#[test]
fn a_patch_is_drawn_over_the_map() {
    let known = named("nanokontrol2").unwrap();
    let text = "[prompts]\na = \"a\"\n[midi.\"nano*\"]\ncc16 = \"prompt.a\"\n";
    let drawn = |text: &str| draw(&known, &known.played_by(&patch::parse("p.toml", text).unwrap()));
    let svg = drawn(text);
    assert!(svg.contains(">prompt</text>") && svg.contains(">a</text>"), "the bank's own names");
    assert!(!svg.contains(">temperature</text>") && svg.contains(">pace</text>"));
    let alone = drawn(&format!("controllers = false\n{text}"));
    assert!(alone.contains(">a</text>") && !alone.contains(">pace</text>"));
}
