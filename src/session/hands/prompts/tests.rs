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
    rig.state.key(Key::Char('n'));
    rig.state.key(Key::Char('3'));
    let asked = [("moon", When::Now), ("sea", When::Sentence), ("dawn", When::Sentence)];
    assert_eq!(prompts(&rig), asked.map(|(name, when)| (name.to_string(), when)));
    // Esc closes the help first.
    for key in [Key::Char('?'), Key::Escape, Key::Escape] {
        rig.state.key(key);
    }
    assert_eq!(prompts(&rig), [("back".to_string(), When::Now)]);
}

#[test]
fn after_a_prompt_that_was_taken_back_the_bank_goes_on_from_the_one_that_plays() {
    let mut rig = Rig::new(BANK);
    rig.state.key(Key::Char('3'));
    let none = Event::Queued { name: None, text: String::new(), when: When::Now };
    rig.state.hands.bus.emit(Event::Prompt { name: Some("sea".into()), text: "O sea".into(), tokens: 2 });
    rig.state.tend_plan();
    rig.state.key(Key::Char('n'));
    rig.state.hands.bus.emit(none);
    rig.state.tend_plan();
    rig.state.key(Key::Char('p'));
    let names: Vec<_> = prompts(&rig).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["dawn", "moon", "moon"]);
}
