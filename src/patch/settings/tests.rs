//! What settings may say, what is said of those that may not, and how they are written.

use super::*;
use crate::patch::{BUILT_IN, Patch, Target, parse};
use crate::score::{Action, SettingsAsk};

/// Two lines before those under test.
const HEAD: &str = "[prompts]\nmoon = \"The moon\"\n";

fn patch(text: &str) -> Patch {
    let patch = parse("p.toml", &format!("{HEAD}{text}"));
    patch.unwrap_or_else(|e| panic!("{:?}", e.lines().collect::<Vec<_>>()))
}

/// The single problem of a patch.
fn refused(text: &str) -> String {
    let error = parse("p.toml", &format!("{HEAD}{text}")).unwrap_err();
    assert_eq!(error.problems.len(), 1, "{text}\n{:?}", error.lines().collect::<Vec<_>>());
    error.lines().next().unwrap()
}

#[test]
fn settings_are_read_as_they_are_written() {
    let settings = patch(
        "[settings.dusk]\nprompt = \"moon\"\nover_s = 4\n\"sound.hum.level_db\" = -20\nsampler.temperature = 1.2\n\
         [settings.\"黄昏\"]\nstage.palette = \"ember\"\nblend = \"moon\"\n",
    )
    .settings;
    let dusk = Setting {
        name: "dusk".into(),
        prompt: Some(0),
        blend: None,
        over_s: Some(4.0),
        params: vec![(ParamId::HumLevel, -20.0), (ParamId::Temperature, 1.2)],
    };
    assert_eq!(settings.find("dusk"), Ok(&dusk));
    let evening = settings.get("黄昏").unwrap();
    assert_eq!((evening.blend, evening.over_s, evening.params[0]), (Some(0), None, (ParamId::Palette, 3.0)));
    assert_eq!(settings.find("dsk").unwrap_err(), "there are no settings \"dsk\"; did you mean \"dusk\"?");
    assert_eq!(settings.find("3").unwrap_err(), "nothing is stored in place 3");
    assert_eq!(patch("").settings, Settings::default());
}

#[test]
fn every_mistake_has_its_place_and_the_nearest_word() {
    for (text, wanted) in [
        (
            "[settings]\na.sampler.temprature = 1",
            "p.toml:4:11: [settings.a] has no \"sampler.temprature\"; did you mean",
        ),
        ("[settings.a]\npromt = \"moon\"", "p.toml:4:1: [settings.a] has no \"promt\"; did you mean \"prompt\"?"),
        (
            "[settings.a]\nprompt = \"mon\"",
            "p.toml:4:10: [settings.a] prompt: there is no \"mon\"; did you mean \"moon\"?",
        ),
        ("[settings.a]\n\"settings.over_s\" = 1", "p.toml:4:1: [settings.a] cannot hold \"settings.over_s\""),
        (
            "[settings.a]\n[midi.\"*\"]\nnote1 = \"settings.recall.b\"",
            "p.toml:5:9: [midi.\"*\"] note1: [settings] has no \"b\"",
        ),
        ("[settings.a]\nover_s = -1", "p.toml:4:10: [settings.a] over_s is -1, outside 0 to 3600"),
        ("[settings.a]\n\"sampler.top_k\" = 1.5", "p.toml:4:19: [settings.a] \"sampler.top_k\" takes whole numbers"),
        ("[settings]\nhodl = []", "p.toml:4:1: [settings] has no \"hodl\"; did you mean \"hold\"?"),
        ("[settings]\ndusk = 3", "p.toml:4:1: [settings] has no \"dusk\"; settings have a name: write [settings.dusk]"),
        (
            "[settings]\nbetween = [\"a\"]",
            "p.toml:4:11: [settings] between names 2 settings, as in [\"day\", \"night\"]",
        ),
        (
            "[settings]\ncorners = [\"1\", \"dusc\", \"2\", \"8\"]\ndusk = {}",
            "p.toml:4:11: [settings] corners: there are no settings \"dusc\"; did you mean \"dusk\"?",
        ),
        (
            "[[matrix]]\nfrom = \"machine.cpu\"\nto = \"settings.x\"\namount = 1",
            "p.toml:5:6: [[matrix]] to: \"settings.x\" is moved by hands and scenes alone",
        ),
        ("[settings]\nhold = \"sound\"", "p.toml:4:8: [settings] hold is a list, as in"),
        (
            "[settings]\nhold = [\"sond\"]",
            "p.toml:4:9: [settings] hold: nothing of \"sond\" can be stored; did you mean \"sound\"?",
        ),
        ("[settings.\"a b\"]", "p.toml:3:11: [settings] \"a b\" may hold only letters, digits, - and _"),
        ("[[settings]]", "p.toml:3:3: [settings] is a table of its own, not a list"),
    ] {
        let said = refused(text);
        assert!(said.starts_with(wanted), "{text}\n{said}");
    }
}

#[test]
fn notes_recall_and_store() {
    let patch = patch(
        "[settings.dusk]\n[midi.\"*\"]\nnote1 = \"settings.recall.dusk\"\nnote2 = \"settings.recall.3\"\n\
         note3 = \"settings.store.8\"\nnote4 = \"settings.save\"\n",
    );
    let wanted =
        [SettingsAsk::Recall("dusk".into()), SettingsAsk::RecallNth(2), SettingsAsk::Store(7), SettingsAsk::Save];
    let words = ["settings.recall.dusk", "settings.recall.3", "settings.store.8", "settings.save"];
    for ((binding, wanted), word) in patch.controllers[0].bindings.iter().zip(wanted).zip(words) {
        assert_eq!(binding.target, Target::Trigger(Action::Settings(wanted)));
        assert_eq!(binding.target.to_string(), word);
    }
}

#[test]
fn what_is_stored_goes_by_groups_and_never_holds_a_pedal() {
    let all = Settings::default();
    assert!(all.holds(ParamId::Temperature) && all.holds(ParamId::StageScene) && all.holds(ParamId::Morph));
    for id in [ParamId::Hold, ParamId::Lock, ParamId::Mute, ParamId::Ceiling, ParamId::FlashGuard, ParamId::Blackout] {
        assert!(!all.holds(id), "{}", id.name());
    }
    let some = patch("[settings]\nhold = [\"sampler\", \"sound.hum\", \"stage.hue\"]").settings;
    let held = [ParamId::TopK, ParamId::HumPitch, ParamId::Hue, ParamId::TokenLevel, ParamId::Palette];
    assert_eq!(held.map(|id| some.holds(id)), [true, true, true, false, false]);
}

#[test]
fn stored_settings_are_tables_more_and_all_else_stays() {
    let setting = |name: &str, params: &[(ParamId, f32)]| Setting {
        name: name.into(),
        params: params.to_vec(),
        ..Setting::default()
    };
    let stored = [
        setting("1", &[(ParamId::Temperature, 0.1), (ParamId::TopK, 7.0), (ParamId::Meters, 0.0)]),
        setting("4", &[(ParamId::Palette, 3.0), (ParamId::HumLevel, -30.0)]),
    ];
    let tables = "\n[settings.1]\n\"sampler.temperature\" = 0.1\n\"sampler.top_k\" = 7\n\"stage.meters\" = false\n\
                  \n[settings.4]\n\"stage.palette\" = \"ember\"\n\"sound.hum.level_db\" = -30.0\n";
    for (name, text) in BUILT_IN {
        let written = write(text, &stored).unwrap();
        assert_eq!(written, format!("{text}{tables}"), "{name}");
        let read = parse("p.toml", &written).unwrap().settings;
        assert_eq!(read.named, stored, "{name}");
    }
    // Others of the performer's stay, and of the same place all that is not stored.
    let mine = "[settings.dusk] # mine\nover_s = 4   # slow\n\n[settings.4] # old\nover_s = 2\nstage.palette = 1 # warm\n\n\
                [params]\n";
    let written = write(mine, &stored[1..]).unwrap();
    let wanted = "stage.palette = \"ember\" # warm\n\"sound.hum.level_db\" = -30.0\n";
    assert_eq!(written, mine.replace("stage.palette = 1 # warm\n", wanted));
    assert!(write("settings = 3", &stored).unwrap_err().contains("\"settings\" is no table"));
}
