//! The hands with a bank of prompts, without a thread, a model or a device.

use crate::model::Command;
use crate::score::{Event, Key, ParamId, When};
use crate::session::hands::scenes::tests::Rig;

const BANK: &str = "[prompts]\nmoon = \"The moon\"\nsea = \"O sea\"\ndawn = \"春\"\n";

fn prompts(rig: &Rig) -> Vec<(String, When)> {
    let asked = |command| match command {
        Command::Prompt { name, when, .. } => Some((name.unwrap_or_default(), when)),
        Command::Unqueue => Some(("back".to_string(), When::Now)),
        _ => None,
    };
    rig.commands.try_iter().filter_map(asked).collect()
}

#[test]
fn a_chosen_prompt_waits_as_the_parameter_says_and_the_plans_own_does_not() {
    let mut rig = Rig::new(BANK);
    rig.state.hands.params.set(ParamId::Queue, 2.0);
    rig.state.begin();
    rig.press(Key::Char('n'));
    rig.press(Key::Char('3'));
    let asked = [("moon", When::Now), ("sea", When::Sentence), ("dawn", When::Sentence)];
    assert_eq!(prompts(&rig), asked.map(|(name, when)| (name.to_string(), when)));
    // Esc closes the help first.
    for key in [Key::Char('?'), Key::Escape, Key::Escape] {
        rig.press(key);
    }
    assert_eq!(prompts(&rig), [("back".to_string(), When::Now)]);
}

#[test]
fn after_a_prompt_that_was_taken_back_the_bank_goes_on_from_the_one_that_plays() {
    let mut rig = Rig::new(BANK);
    rig.press(Key::Char('3'));
    let none = Event::Queued { name: None, text: String::new(), when: When::Now };
    rig.state.hands.bus.emit(Event::Prompt { name: Some("sea".into()), text: "O sea".into(), tokens: 2 });
    rig.state.tend_plan();
    rig.press(Key::Char('n'));
    rig.state.hands.bus.emit(none);
    rig.state.tend_plan();
    rig.press(Key::Char('p'));
    let names: Vec<_> = prompts(&rig).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["dawn", "moon", "moon"]);
}

#[test]
fn a_typed_prompt_is_played_or_layered_and_its_keys_are_no_shortcuts() {
    let mut rig = Rig::new(BANK);
    rig.state.hands.params.set(ParamId::Queue, 1.0);
    let mut asked = |keys: &[Key]| {
        keys.iter().for_each(|key| rig.press(*key));
        let text = |command| match command {
            Command::Prompt { name, text, when } => format!("{name:?} {} {}", text.source(), when.name()),
            Command::Layer { text, .. } => format!("layer {}", text.source()),
            _ => "another".to_string(),
        };
        rig.commands.try_iter().map(text).collect::<Vec<_>>()
    };
    let typed = |open: char, text: &str, last: Key| {
        [Key::Char(open)].into_iter().chain(text.chars().map(Key::Char)).chain([last]).collect::<Vec<_>>()
    };
    assert_eq!(asked(&typed(':', "q {fan}", Key::Enter)), ["None q {fan} token"]);
    assert_eq!(asked(&typed('/', "{", Key::Tab)), ["layer {"]);
    assert_eq!(asked(&typed(':', "nnn", Key::Escape)), [""; 0]);
    assert_eq!(asked(&[Key::Written('n'), Key::Written('q')]), [""; 0], "what is pasted is no shortcut");
    assert_eq!(asked(&[Key::Char(':'), Key::Written('月'), Key::Enter]), ["None 月 token"]);
    assert!(!rig.state.hands.shutdown.requested());
    let typing = |event: Event| if let Event::Typing { on, text, at } = event { Some((on, text, at)) } else { None };
    let told: Vec<_> = rig.events().into_iter().filter_map(typing).collect();
    assert_eq!(told[..2], [(true, String::new(), 0), (true, "q".into(), 1)]);
    assert_eq!(told.last(), Some(&(false, String::new(), 0)));
    rig.press(Key::Char(':'));
    rig.press(Key::Ctrl('c'));
    assert!(rig.state.hands.shutdown.requested());
}

#[test]
fn an_error_is_fed_back_with_the_patchs_own_prompt_or_its_words() {
    for (head, wanted) in [("", "{error}"), ("error = \"mirror\"\n", "You said {flaw.text}.")] {
        let mut rig = Rig::new(&format!("{head}{BANK}mirror = \"You said {{flaw.text}}.\"\n"));
        rig.press(Key::Char('E'));
        assert_eq!((rig.events().len(), prompts(&rig).len()), (1, 0), "nothing has gone wrong yet");
        let fault = Event::Fault { place: "sound".into(), what: "gone".into(), remedy: String::new() };
        rig.state.hands.bus.emit(fault);
        rig.state.tend_plan();
        rig.press(Key::Char('E'));
        let Ok(Command::Prompt { text, .. }) = rig.commands.try_recv() else { panic!() };
        assert_eq!(text.source(), wanted);
    }
}
