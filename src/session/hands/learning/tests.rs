//! Learning: keys and messages in, notices and the patch's text out.

use super::*;
use crate::score::{Action, Hand, ParamId, Stroke, Way};
use crate::session::hands::scenes::tests::Rig;

const PATCH: &str = "# mine\n[prompts]\nmoon = \"m\"  # the moon\ndawn = \"d\"\n\n[midi.\"k*\"]\ncc1 = \"sampler.top_p\" # big\n\
                     cc2 = \"sampler.temperature\"\n";

/// A performance of this patch, in a file of a folder.
struct Play {
    rig: Rig,
    folder: tempfile::TempDir,
    ms: u64,
}

impl Play {
    fn new() -> Play {
        let folder = tempfile::tempdir().unwrap();
        let mut rig = Rig::new(PATCH);
        let path = folder.path().join("p.toml");
        std::fs::write(&path, PATCH).unwrap();
        rig.state.hands.patch_file = Some(patch::Watch::new(&path, PATCH));
        rig.state.ports = vec!["knobs".into()];
        Play { rig, folder, ms: 0 }
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("p.toml")).unwrap()
    }

    fn key(&mut self, key: Key) -> String {
        self.rig.press(key);
        self.said()
    }

    /// Moves controls of a port and waits until they are learnt; returns what was said.
    fn moves(&mut self, port: &str, messages: &[&[u8]]) -> String {
        for bytes in messages {
            self.rig.state.midi(&control::Message::of(port, bytes));
        }
        self.ms += 1000;
        self.rig.state.hands.bus.clock().advance_to(self.ms * 1_000_000);
        self.rig.state.tend_learning();
        self.said()
    }

    fn said(&self) -> String {
        let said = self.rig.events().into_iter().filter_map(|event| match event {
            Event::Notice { text } => Some(text),
            Event::Fault { what, .. } => Some(what),
            _ => None,
        });
        said.collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn a_moved_control_plays_the_chosen_parameter_and_is_written() {
    let mut play = Play::new();
    assert!(play.key(Key::Char('L')).starts_with("learn sampler.temperature: move a control"));
    let said = play.moves("knobs", &[&[0xb0, 7, 3], &[0xb0, 7, 5]]);
    assert!(said.contains("cc7 of knobs plays sampler.temperature, written into "), "{said}");
    assert!(said.ends_with("; cc2 there plays it as well"), "{said}");
    assert_eq!(play.text(), format!("{PATCH}cc7 = \"sampler.temperature\"\n"), "all else byte for byte");
    assert!(play.rig.state.learning.is_none());
    play.moves("knobs", &[&[0xb0, 7, 127]]);
    assert_eq!(play.rig.state.hands.params.get(ParamId::Temperature), 2.0, "it plays at once");
    play.rig.state.look_at_files();
    play.rig.state.look_at_files();
    assert_eq!(play.said(), "", "its own change is no news");
}

#[test]
fn nothing_plays_while_it_is_listened_to() {
    let mut play = Play::new();
    play.key(Key::Char('L'));
    let said = play.moves("knobs", &[&[0xb0, 1, 127], &[0xb0, 1, 126]]);
    assert!(said.contains("; before, it played sampler.top_p"), "{said}");
    assert_ne!(play.rig.state.hands.params.get(ParamId::TopP), 1.0 - 1.0 / 127.0);
    assert_eq!(play.text(), PATCH.replace("\"sampler.top_p\" #", "\"sampler.temperature\" #"));
}

#[test]
fn reserved_controls_want_a_second_word() {
    let mut play = Play::new();
    play.key(Key::Char('L'));
    let said = play.moves("knobs", &[&[0xb0, 0, 1], &[0xb0, 0, 2]]);
    assert!(said.contains("cc0 is bank select") && play.text() == PATCH, "{said}");
    assert!(play.key(Key::Char('L')).contains("a reserved one as well"));
    let said = play.moves("knobs", &[&[0xb0, 0, 1], &[0xb0, 0, 2]]);
    assert!(said.contains("cc0 of knobs plays"), "{said}");
    play.key(Key::Char('L'));
    play.key(Key::Char('L'));
    assert_eq!(play.key(Key::Char('L')), "nothing was learnt");
    assert!(play.rig.state.learning.is_none());
}

#[test]
fn arrows_and_digits_choose_what_is_learnt_and_escape_leaves() {
    let mut play = Play::new();
    play.key(Key::Char('L'));
    let said = play.key(Key::Down);
    assert!(said.starts_with(&format!("learn {}", play.rig.state.selected.name())), "{said}");
    assert!(play.key(Key::Char('2')).starts_with("learn prompt.dawn"));
    assert_eq!(play.key(Key::Char('7')), "the patch has no prompt 7");
    let said = play.moves("pads", &[&[0x99, 36, 100], &[0x89, 36, 0]]);
    assert!(said.contains("ch10-note36 of pads plays prompt.dawn"), "{said}");
    assert_eq!(play.text(), format!("{PATCH}\n[midi.pads]\nch10-note36 = \"prompt.dawn\"\n"));
    play.key(Key::Char('L'));
    assert_eq!(play.key(Key::Escape), "nothing was learnt");
    assert_eq!(play.moves("pads", &[&[0x99, 37, 100]]), "");
}

#[test]
fn unlearning_takes_the_controls_and_says_which() {
    let mut play = Play::new();
    assert!(play.key(Key::Char('U')).contains("cc2 no longer plays sampler.temperature"));
    assert_eq!(play.text(), PATCH.replace("cc2 = \"sampler.temperature\"\n", ""));
    play.moves("knobs", &[&[0xb0, 2, 0]]);
    assert_ne!(play.rig.state.hands.params.get(ParamId::Temperature), 0.0);
    // A map that xiao has of a controller is no part of the patch.
    let said = "no control of the patch plays sampler.temperature; by its map cc70 of knobs does";
    assert_eq!(play.key(Key::Char('U')), said);
}

#[test]
fn a_file_that_does_not_hold_together_is_left_alone() {
    let mut play = Play::new();
    let broken = format!("{PATCH}[params]\n\"sampler.temprature\" = 1\n");
    std::fs::write(play.folder.path().join("p.toml"), &broken).unwrap();
    play.key(Key::Char('L'));
    let said = play.moves("knobs", &[&[0xb0, 7, 3], &[0xb0, 7, 5]]);
    assert!(said.contains("did you mean \"sampler.temperature\""), "{said}");
    assert_eq!(play.text(), broken);
}

#[test]
fn a_patch_of_the_programs_own_is_put_beside_the_others_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("patches/first.toml");
    assert_eq!(create(path.clone(), "mine"), Ok(path.clone()));
    assert!(create(path.clone(), "other").unwrap_err().contains("has come since the show began"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    assert_eq!(new_path("first"), Path::new("patches/first.toml"));
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_a_kept_file_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("real.toml"), folder.path().join("link.toml"));
    std::fs::write(&file, "old").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    replace(&link, "new").unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");
    let mut permissions = std::fs::metadata(&file).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&file, permissions).unwrap();
    assert!(replace(&link, "newer").is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing half made is left");
}

#[test]
fn a_controller_has_the_table_that_says_most_of_its_name() {
    let text = "[prompts]\na = \"a\"\n[midi.\"*\"]\ncc1 = \"prompt.a\"\n[midi.\"nano*\"]\ncc1 = \"prompt.a\"\n\
                [midi.\"nanoKON*\"]\ncc1 = \"prompt.a\"\n";
    let patch = patch::parse("p.toml", text).unwrap();
    let tables = ["nanoKONTROL2", "nanoPAD", "other"].map(|port| table_of(&patch, Kind::Midi, port));
    assert_eq!(tables, ["nanoKON*", "nano*", "other"]);
}

#[test]
fn learning_is_for_midi_and_leaves_other_hands_alone() {
    let mut play = Play::new();
    play.key(Key::Char('L'));
    play.rig.state.act(Action::Set(ParamId::TopK, 5.0), Hand::Osc);
    assert_eq!(play.rig.state.hands.params.get(ParamId::TopK), 5.0);
    assert!(play.rig.state.learning.is_some());
}

#[test]
fn f_keys_and_gamepads_are_learnt_too() {
    let mut play = Play::new();
    play.key(Key::Char('L'));
    play.key(Key::Function(5));
    let said = play.moves("k1", &[]);
    assert!(said.contains("f5 of the keyboard plays sampler.temperature, written into"), "{said}");
    assert!(play.text().ends_with("[keys]\nf5 = \"sampler.temperature\"\n"), "{}", play.text());
    play.key(Key::Char('L'));
    play.key(Key::Char('2'));
    #[cfg(feature = "gamepad")]
    {
        play.rig.state.pad("Pad", Said::pressed(patch::Source::Button("south")));
        assert!(play.moves("k1", &[]).contains("south of Pad plays prompt.dawn, written into"));
        play.rig.state.pad("Pad", Said::pressed(patch::Source::Button("south")));
        assert_eq!(play.rig.prompts(), ["dawn"]);
    }
    // What was learnt plays: from one end of the travel to the other.
    let at = |play: &Play| play.rig.state.hands.params.get(ParamId::Temperature);
    let before = at(&play);
    play.key(Key::Function(5));
    assert_ne!(at(&play), before);
    // F11 is the window's.
    play.key(Key::Char('L'));
    play.key(Key::Function(11));
    assert_eq!(play.moves("k1", &[]), "");
}

#[test]
fn the_patchs_own_keys_go_before_all_others() {
    let mut rig = Rig::new(
        "[prompts]\nmoon = \"m\"\ndawn = \"d\"\n[keys]\nt = \"prompt.dawn\"\n3 = { to = \"sampler.top_k\", value = 7 }\n\
         f2 = { to = \"generator.hold\", mode = \"momentary\" }\n",
    );
    let before = rig.state.hands.params.get(ParamId::Temperature);
    rig.press(Key::Char('t'));
    rig.press(Key::Char('3'));
    assert_eq!(rig.prompts(), ["dawn"]);
    let get = |rig: &Rig, id| rig.state.hands.params.get(id);
    assert_eq!((get(&rig, ParamId::Temperature), get(&rig, ParamId::TopK)), (before, 7.0));
    rig.press(Key::Char('T'));
    assert!(get(&rig, ParamId::Temperature) > before, "the others are as they were");
    // A digit that was asked for is one.
    rig.press(Key::Char('J'));
    rig.state.hands.params.set(ParamId::TopK, 9.0);
    rig.press(Key::Char('3'));
    assert_eq!(get(&rig, ParamId::TopK), 9.0);
    // A line that is typed takes the letters, not the function keys.
    rig.press(Key::Char(':'));
    rig.press(Key::Char('t'));
    rig.press(Key::Function(2));
    assert_eq!((rig.prompts(), get(&rig, ParamId::Hold)), (vec![], 1.0));
    rig.state.stroke(Stroke { key: Key::Function(2), way: Way::Released });
    assert_eq!(get(&rig, ParamId::Hold), 0.0);
    // What is held repeats where it goes a step, and nothing else does.
    rig.press(Key::Escape);
    rig.state.stroke(Stroke { key: Key::Char('t'), way: Way::Repeated });
    rig.state.stroke(Stroke { key: Key::Char('x'), way: Way::Repeated });
    assert_eq!(rig.prompts(), Vec::<String>::new());
    let warm = get(&rig, ParamId::Temperature);
    rig.state.stroke(Stroke { key: Key::Char('T'), way: Way::Repeated });
    assert!(get(&rig, ParamId::Temperature) > warm);
}

#[test]
fn where_no_input_is_that_is_said() {
    let mut play = Play::new();
    assert!(!play.key(Key::Char('L')).contains("no MIDI input"));
    play.key(Key::Escape);
    play.rig.state.ports.clear();
    let said = play.key(Key::Char('L'));
    assert!(
        said.starts_with("learn sampler.temperature")
            && said.contains("no MIDI input is here yet: plug one in, or press F1 to F12, but F11"),
        "{said}"
    );
}

#[test]
fn a_page_of_the_help_turns_while_its_key_repeats() {
    let mut rig = Rig::new(PATCH);
    let before = rig.state.hands.params.get(ParamId::Temperature);
    rig.press(Key::Char('?'));
    rig.state.stroke(Stroke { key: Key::PageDown, way: Way::Repeated });
    assert_eq!((rig.state.help, rig.state.hands.params.get(ParamId::Temperature)), (Some(1), before));
}

#[test]
fn what_a_control_played_by_a_map_is_told() {
    let mut play = Play::new();
    // The chosen parameter is the temperature; this one has the pace by the map for any controller.
    play.key(Key::Char('L'));
    let said = play.moves("knobs", &[&[0xb0, 74, 10], &[0xb0, 74, 11]]);
    assert!(said.contains("cc74 of knobs plays sampler.temperature"), "{said}");
    assert!(said.contains("before, it played generator.pace"), "{said}");
}

#[test]
fn a_program_is_a_press_for_a_prompt() {
    let mut play = Play::new();
    play.key(Key::Char('L'));
    play.key(Key::Char('2'));
    let said = play.moves("k1", &[&[0xc0, 5]]);
    assert!(said.contains("program5 of k1 plays prompt.dawn"), "{said}");
}

#[test]
fn a_digit_that_is_given_up_is_told() {
    let mut play = Play::new();
    play.key(Key::Char('J'));
    assert_eq!(play.key(Key::Escape), "no digit: all is as it was");
}
