//! Which of several controls and tables a message is for.

use super::*;

#[test]
fn a_program_is_a_press_and_parts_of_a_control_are_mapped() {
    let bindings = vec![
        (Source::ProgramIs(5), Target::Prompt("moon".into()), Play::Momentary),
        (Source::ProgramIs(6), param(ParamId::Hold, 0.0, 1.0), Play::Toggle),
        (Source::Cc14(21), param(ParamId::TopP, 0.0, 1.0), place(Takeover::Jump)),
        (Source::Nrpn(1300), param(ParamId::MinP, 0.0, 1.0), place(Takeover::Jump)),
    ];
    let mut mapping = Mapping::new(&[device("*", bindings)]);
    let params = Params::default();
    let mut program = |number| {
        let mut actions = Vec::new();
        let mapped = mapping.message("k", &[0xc1, number], &|id| params.get(id), &mut actions, &mut |_| {});
        (mapped, actions)
    };
    assert_eq!(program(5), (true, vec![Action::Prompt("moon".into())]));
    assert_eq!(program(5), (true, vec![Action::Prompt("moon".into())]));
    assert_eq!(program(4), (false, vec![]));
    assert_eq!(program(6), (true, vec![Action::Set(ParamId::Hold, 1.0)]));
    let mut mapped = |number| mapping.message("k", &[0xb0, number, 1], &|id| params.get(id), &mut vec![], &mut |_| {});
    assert!([21, 53, 98, 99, 6, 38].into_iter().all(&mut mapped));
    assert!(![20, 22, 7, 100, 101].into_iter().any(&mut mapped));
}

#[test]
fn a_table_that_gives_way_stands_behind_the_map_of_a_known_controller() {
    let own = |pattern: &str, gives_way, known, cc, id| Controller {
        gives_way,
        known,
        ..device(pattern, vec![(Source::Cc(cc), param(id, 0.0, 1.0), place(Takeover::Jump))])
    };
    let all = [
        own("*", true, false, 1, ParamId::TopP),
        own("*", true, false, 2, ParamId::MinP),
        own("*nano*", false, true, 1, ParamId::Hue),
        own("*", false, true, 2, ParamId::Certainty),
    ];
    let mut mapping = Mapping::new(&all);
    let mut plays = |port: &str, cc| mapping.all_played_by(Kind::Midi, port, Source::Cc(cc), Some(0)).pop();
    assert_eq!(plays("nanoKONTROL2", 1).as_deref(), Some("stage.hue"));
    assert_eq!(plays("nanoKONTROL2", 2).as_deref(), Some("sampler.min_p"));
    // Of any other the patch knows best.
    assert_eq!(plays("other", 1).as_deref(), Some("sampler.top_p"));
    assert_eq!(plays("other", 2).as_deref(), Some("sampler.min_p"));
    assert_eq!(plays("other", 3), None);
}
