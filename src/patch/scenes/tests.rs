//! What plans may say, and what is said of those that may not.

use super::*;
use crate::patch::{Patch, Target, parse};
use crate::score::Action;

/// Two lines before those under test. Top-level keys go before it.
const HEAD: &str = "[prompts]\nmoon = \"The moon\"\n";

fn read(text: &str) -> Patch {
    let patch = parse("p.toml", &format!("{HEAD}{text}"));
    patch.unwrap_or_else(|e| panic!("{:?}", e.lines().collect::<Vec<_>>()))
}

/// The single problem of a patch.
fn refused(text: &str) -> String {
    let error = parse("p.toml", text).unwrap_err();
    assert_eq!(error.problems.len(), 1, "{text}\n{:?}", error.lines().collect::<Vec<_>>());
    error.lines().next().unwrap()
}

const TWO: &str = r#"
[[scene]]
name   = "dawn"
prompt = "moon"
shader = "ink"
next   = { s = 45, tokens = 60, pieces = 2, flaw = "leap", waiting_s = 3.5 }
over_s = 12
[scene.params]
"sound.hum.level_db" = -20
sampler.temperature = 1.2
[[scene]]
name = "黄昏"
"#;

#[test]
fn a_plan_is_read_as_it_is_written() {
    let plan = read(TWO).plan;
    let flaws = &[FlawKind::Leap];
    let next = Next { s: Some(45.0), tokens: Some(60), pieces: Some(2), flaws, waiting_s: Some(3.5) };
    let params = vec![(ParamId::HumLevel, -20.0), (ParamId::Temperature, 1.2)];
    let dawn = Scene {
        name: "dawn".into(),
        prompt: Some(0),
        settings: None,
        blend: None,
        shader: Some("ink".into()),
        next,
        over_s: 12.0,
        params,
    };
    let dusk = Scene {
        name: "黄昏".into(),
        prompt: None,
        settings: None,
        blend: None,
        shader: None,
        next: Next::default(),
        over_s: 0.0,
        params: Vec::new(),
    };
    assert_eq!(plan, Plan { scenes: vec![dawn, dusk], round: false });
    assert_eq!(read("").plan, Plan::default());
    let plan =
        parse("p.toml", &format!("plan = \"loop\"\n{HEAD}[[scene]]\nname = \"a\"\nnext = \"hand\"")).unwrap().plan;
    assert!(plan.round && plan.scenes[0].next == Next::default());
    assert_eq!(
        read("[[scene]]\nname = \"a\"\nnext.flaw = \"any\"\n[[scene]]\nname = \"b\"").plan.scenes[0].next.flaws.len(),
        7
    );
}

#[test]
fn the_words_for_flaws_are_those_of_the_journal() {
    let (any, each) = FLAWS.split_first().unwrap();
    for (word, kinds) in each {
        let [kind] = kinds else { panic!("{word}") };
        assert_eq!(serde_json::to_value(kind).unwrap(), *word);
        assert!(any.1.contains(kind));
    }
    assert_eq!(any.1.len(), each.len());
}

#[test]
fn a_note_leads_to_a_scene() {
    let patch = read(&format!(
        "[midi.\"*\"]\nnote1 = \"scene.next\"\nnote2 = \"scene.previous\"\nnote3 = \"scene.黄昏\"\n{TWO}"
    ));
    let actions: Vec<_> = patch.controllers[0].bindings.iter().map(|b| b.target.clone()).collect();
    let wanted = [Action::SceneStep(1), Action::SceneStep(-1), Action::Scene("黄昏".into())].map(Target::Trigger);
    assert_eq!(actions, wanted);
    let text = format!("{HEAD}[midi.\"*\"]\nnote1 = \"scene.down\"{TWO}");
    let wanted = "p.toml:4:9: [midi.\"*\"] note1: there is no [[scene]] of the name \"down\"; did you mean \"dawn\"?";
    assert_eq!(refused(&text), wanted);
}

#[test]
fn its_length_is_known_where_time_alone_leads() {
    let of = |plan: &str, scenes: &str| parse("p.toml", &format!("{plan}\n{HEAD}{scenes}")).unwrap().plan;
    let scene = |name: &str, next: &str| format!("[[scene]]\nname = \"{name}\"\n{next}\n");
    let plan = of("", &[scene("a", "next.s = 45"), scene("b", "next.s = 30"), scene("c", "")].concat());
    assert_eq!((plan.length_s(), plan.may_be_shorter()), (Some(75.0), false));
    let plan = of("", &[scene("a", "next = { s = 45, flaw = \"any\" }"), scene("b", "")].concat());
    assert_eq!((plan.length_s(), plan.may_be_shorter()), (Some(45.0), true));
    for next in ["next.tokens = 5", "next = \"hand\""] {
        let plan = of("", &[scene("a", "next.s = 45"), scene("b", next), scene("c", "")].concat());
        assert_eq!(plan.length_s(), None, "{next}");
    }
    assert_eq!(of("plan = \"loop\"", &scene("a", "next = \"hand\"")).length_s(), None);
    assert_eq!(of("plan = \"loop\"", &scene("a", "next.s = 5")).length_s(), Some(5.0));
}

#[test]
fn a_name_is_found_or_the_nearest_is_said() {
    let plan = read(TWO).plan;
    assert_eq!(plan.find("黄昏"), Ok(1));
    assert_eq!(plan.find("down").unwrap_err(), "there is no scene \"down\"; did you mean \"dawn\"?");
    assert_eq!(Plan::default().find("dawn").unwrap_err(), "there is no scene \"dawn\"; the patch has no scenes");
}

#[test]
fn each_mistake_is_told_with_its_place_and_remedy() {
    let cases = [
        ("[scene]\nname = \"a\"", "3:2: write [[scene]], with two brackets, above each scene"),
        ("[scene.params]\nstage.hue = 1", "3:2: write [[scene]], with two brackets, above each scene"),
        ("[[scene]]\nover_s = 1", "3:1: [[scene]] lacks \"name\"; it needs name"),
        ("[[scene]]\nname = 1", "4:8: [[scene]] name takes text in quotes, not a number"),
        ("[[scene]]\nname = \"a b\"", "4:8: [[scene]] name \"a b\" may hold only letters, digits, - and _"),
        ("[[scene]]\nname = \"\"", "4:8: [[scene]] name \"\" may hold only letters, digits, - and _"),
        (
            "[[scene]]\nname = \"next\"",
            "4:8: [[scene]] may not be called \"next\": \"scene.next\" is an action; rename it",
        ),
        (
            "[[scene]]\nname = \"a\"\nnext.s = 1\n[[scene]]\nname = \"a\"",
            "7:8: [[scene]] a is the name of a scene above; rename one",
        ),
        (
            "[[scene]]\nname = \"a\"\nprompts = \"moon\"",
            "5:1: [[scene]] a has no \"prompts\"; did you mean \"prompt\"?",
        ),
        (
            "[[scene]]\nname = \"a\"\nprompt = \"mon\"",
            "5:10: [[scene]] a prompt: [prompts] has no \"mon\"; did you mean \"moon\"?",
        ),
        ("[[scene]]\nname = \"a\"\nover_s = -1", "5:10: [[scene]] a over_s is -1, outside 0 to 3600 s"),
        ("[[scene]]\nname = \"a\"\nover_s = nan", "5:10: [[scene]] a over_s is NaN, outside 0 to 3600 s"),
        (
            "[[scene]]\nname = \"a\"\n[[scene]]\nname = \"b\"",
            "3:1: [[scene]] a lacks \"next\", as in next = { s = 60 } or next = \"hand\"",
        ),
        (
            "[[scene]]\nname = \"a\"\nnext.s = 5",
            "5:1: [[scene]] a is the last and has no \"next\"; take it out, or write plan = \"loop\"",
        ),
        (
            "[[scene]]\nname = \"a\"\n[scene.params]\n\"sampler.temprature\" = 1",
            "6:1: [scene.params] has no \"sampler.temprature\"; did you mean \"sampler.temperature\"?",
        ),
        (
            "[[scene]]\nname = \"a\"\n[scene.params]\nstage.hue = 2",
            "6:13: [scene.params] \"stage.hue\" is 2, outside 0 to 1",
        ),
        (
            "[[scene]]\nname = \"a\"\n[scene.params]\nstage.hue = 0.1\n\"stage.hue\" = 0.2",
            "7:1: [scene.params] sets \"stage.hue\" twice",
        ),
        (
            "[[scene]]\nname = \"a\"\n[scene.params]\nstage.scene = \"lom\"",
            "6:15: [scene.params] \"stage.scene\" takes page, river, loom, breath, film, body, fault, shader, not \"lom\"; did you mean \"loom\"?",
        ),
        ("[[scene]]\nname = \"a\"\nparams = 1", "5:1: [scene.params] is a table of its own, not a number"),
    ];
    for (text, wanted) in cases {
        assert_eq!(refused(&format!("{HEAD}{text}")), format!("p.toml:{wanted}"), "{text}");
    }
    // Keys of the top stand before the first section.
    for (text, wanted) in [
        ("plan = \"loop\"", "1:1: plan needs scenes; write [[scene]] above each, or take it out"),
        ("scene = []", "1:1: the plan is empty; write [[scene]] above each scene"),
        ("scene = 3", "1:1: write [[scene]], with two brackets, above each scene"),
        ("plan = \"lop\"\nscene = [{ name = \"a\" }]", "1:8: plan is \"stay\" or \"loop\", not \"lop\""),
        (
            "plan = \"loop\"\nscene = [{ name = \"a\" }]",
            "2:10: [[scene]] a lacks \"next\", as in next = { s = 60 } or next = \"hand\"",
        ),
    ] {
        assert_eq!(refused(&format!("{text}\n{HEAD}")), format!("p.toml:{wanted}"), "{text}");
    }
}

#[test]
fn each_mistake_of_a_next_is_told() {
    for (next, wanted) in [
        ("{}", "8: [[scene]] a next never comes; name one of s, tokens, pieces, flaw, waiting_s, or write \"hand\""),
        ("\"hands\"", "8: [[scene]] a next is \"hand\" or a table, as in { s = 60 }, not \"hands\""),
        ("45", "8: [[scene]] a next is \"hand\" or a table, as in { s = 60 }, not a number"),
        ("{ token = 4 }", "10: [[scene]] a next has no \"token\"; did you mean \"tokens\"?"),
        ("{ min = 4 }", "10: [[scene]] a next has no \"min\"; it has s, tokens, pieces, flaw, waiting_s"),
        ("{ s = 0 }", "14: [[scene]] a next s is 0, outside 0.1 to 86400 s"),
        ("{ s = -5 }", "14: [[scene]] a next s is -5, outside 0.1 to 86400 s"),
        ("{ s = nan }", "14: [[scene]] a next s is NaN, outside 0.1 to 86400 s"),
        ("{ s = inf }", "14: [[scene]] a next s is inf, outside 0.1 to 86400 s"),
        ("{ s = \"5\" }", "14: [[scene]] a next s takes a number from 0.1 to 86400 s, not text"),
        ("{ tokens = 0 }", "19: [[scene]] a next tokens is 0, outside 1 to 1000000"),
        ("{ tokens = 1.5 }", "19: [[scene]] a next tokens is a whole number, not 1.5"),
        ("{ waiting_s = 0 }", "22: [[scene]] a next waiting_s is 0, outside 0.1 to 86400 s"),
        ("{ flaw = \"leaps\" }", "17: [[scene]] a next flaw: there is no \"leaps\"; did you mean \"leap\"?"),
        ("{ flaw = true }", "17: [[scene]] a next flaw takes text in quotes, not true or false"),
    ] {
        let text = format!("{HEAD}[[scene]]\nname = \"a\"\nnext = {next}\n[[scene]]\nname = \"b\"");
        assert_eq!(refused(&text), format!("p.toml:5:{wanted}"), "{next}");
    }
}

#[test]
fn scenes_are_counted() {
    let scenes = |n: usize| (0..n).map(|i| format!("[[scene]]\nname = \"s{i}\"\nnext.s = 1\n")).collect::<String>();
    let text = |n| format!("plan = \"loop\"\n{HEAD}{}", scenes(n));
    assert_eq!(parse("p.toml", &text(MAX_SCENES)).unwrap().plan.scenes.len(), MAX_SCENES);
    assert_eq!(refused(&text(MAX_SCENES + 2)), "p.toml:196:1: [[scene]]: there are more than 64; take some out");
}

#[test]
fn no_plan_whatever_panics() {
    for text in ["scene", "[[scene]]", "[[scene]]\nnext", "scene = [1]", "scene = [[]]", "scene.a = 1", "plan = 1"] {
        let _ = parse("p.toml", text);
        let _ = parse("p.toml", &format!("{text}\n{HEAD}"));
    }
    let whole = format!("{HEAD}{TWO}");
    for cut in (0..whole.len()).filter(|i| whole.is_char_boundary(*i)) {
        let _ = parse("p.toml", &whole[..cut]);
    }
}

#[test]
fn a_scene_leads_to_settings_and_says_more_itself() {
    let settings = "[settings.dusk]\nover_s = 4\nprompt = \"moon\"\nblend = \"moon\"\n\"stage.hue\" = 0.25\n\
                    \"sampler.top_k\" = 5\n";
    let own = "next = \"hand\"\nover_s = 9\n[scene.params]\n\"sampler.top_k\" = 7\n";
    let plan = read(&format!(
        "{settings}[[scene]]\nname = \"a\"\nsettings = \"dusk\"\n{own}[[scene]]\nname = \"b\"\nsettings = \"dusk\"\n"
    ))
    .plan;
    let [a, b] = &plan.scenes[..] else { panic!("{plan:?}") };
    assert_eq!((a.over_s, a.prompt, a.blend, a.settings.as_deref()), (9.0, Some(0), Some(0), Some("dusk")));
    assert_eq!(a.params, [(ParamId::TopK, 7.0), (ParamId::Hue, 0.25)]);
    assert_eq!((b.over_s, &b.params[..]), (4.0, &[(ParamId::Hue, 0.25), (ParamId::TopK, 5.0)][..]));
    let wrong = refused(&format!("{HEAD}{settings}[[scene]]\nname = \"a\"\nsettings = \"dsk\"\n"));
    assert!(wrong.ends_with("[[scene]] a settings: there is no \"dsk\"; did you mean \"dusk\"?"), "{wrong}");
}
