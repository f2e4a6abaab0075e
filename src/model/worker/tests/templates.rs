//! Prompts whose slots are filled when they begin.

use super::*;
use crate::patch::Slots;
use crate::score::{Flaw, FlawKind, MachineSample};

#[test]
fn slots_are_filled_when_the_prompt_begins_and_each_time_it_does() {
    let rig = rig(3, Matrix::default());
    let slots = Slots { words: vec![("sky".into(), vec!["moon".into(), "sun".into()])], missing: "no fan".into() };
    let text = Template::read("The {word.sky} at {fan}: {flaw.text}", &slots).unwrap();
    let prompt = || rig.until(|e| if let Event::Prompt { text, .. } = e { Some(text) } else { None });
    rig.params.set(ParamId::Hold, 1.0);
    rig.worker.send(Command::Prompt { name: None, text, when: When::Now });
    assert_eq!(prompt(), "The moon at no fan: no fan");
    rig.params.set(ParamId::Word1, 1.0);
    rig.bus.emit(Event::Machine(MachineSample { values: vec![(SignalId::Fan, 900.0)], ..Default::default() }));
    rig.bus.emit(Event::Flaw(Flaw { kind: FlawKind::EarlyEnd, index: 0, period: 1, count: 1, cause: String::new() }));
    rig.worker.send(Command::Again);
    assert_eq!(prompt(), "The sun at 900: an early end");
    let second = Template::read("{word.sky}", &slots).unwrap();
    rig.worker.send(Command::Blend { name: None, text: second });
    assert_eq!(rig.until(|e| if let Event::Blend { text, .. } = e { Some(text) } else { None }), "sun");
    rig.end();
}
