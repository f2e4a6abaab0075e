//! Slots and what they say.

use super::*;
use crate::patch::parse;

fn slots() -> Slots {
    let list = |name: &str, words: &[&str]| (name.to_string(), words.iter().map(|word| word.to_string()).collect());
    Slots { words: vec![list("season", &["春", "夏", "秋"]), list("verb", &["falls"])], missing: "nothing".into() }
}

#[test]
fn slots_say_what_is_known() {
    let facts = Facts {
        flaw: Some("a leap".into()),
        flaw_text: Some("banana".into()),
        line: Some("The moon is up".into()),
        ..Facts::default()
    };
    let (mut signals, mut params) = (SignalValues::default(), ParamValues::default());
    signals.set(SignalId::Fan, Some(1240.4));
    signals.set(SignalId::Cpu, Some(0.634));
    signals.set(SignalId::Power, Some(4.25));
    signals.set(SignalId::Temperature, Some(63.0));
    params.set(ParamId::Word1, 0.5);
    params.set(ParamId::Word2, 1.0);
    for (text, said) in [
        ("The moon", "The moon"),
        ("{flaw}: {flaw.text}", "a leap: banana"),
        ("{line}, {fault}, {error}.", "The moon is up, nothing, nothing."),
        ("{fan} rpm, {cpu} %, {watts} W, { temperature } °C", "1240 rpm, 63 %, 4.2 W, 63 °C"),
        ("{machine.fan}{machine.memory}", "1240nothing"),
        ("{word.season} {word.verb}", "夏 falls"),
        ("{{fan}} } {{ }}", "{fan} } { }"),
        ("春", "春"),
    ] {
        let template = Template::read(text, &slots()).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"));
        assert_eq!((template.fill(&facts, &signals, &params).as_str(), template.source()), (said, text));
    }
    assert_eq!(Template::plain("{fan").fill(&facts, &signals, &params), "{fan");
    assert!(Template::plain("").is_empty() && !Template::plain("{").is_empty());
    for (position, word) in [(0.0, "春"), (0.33, "春"), (0.34, "夏"), (0.67, "秋"), (1.0, "秋")] {
        params.set(ParamId::Word1, position);
        assert_eq!(Template::read("{word.season}", &slots()).unwrap().fill(&facts, &signals, &params), word);
    }
}

#[test]
fn what_is_wrong_has_its_brace_and_the_nearest_word() {
    let wrong = |text: &str| Template::read(text, &slots()).unwrap_err();
    assert_eq!(wrong("{{ {fam} {word.seson}").iter().map(|w| w.brace).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(wrong("{fam}")[0].message, "there is no slot \"fam\"; did you mean \"fan\"?");
    assert!(wrong("{word.seson}")[0].message.ends_with("did you mean \"word.season\"?"));
    assert!(wrong("{xyzzy}")[0].message.contains("a slot is flaw, flaw.text"));
    assert!(wrong("a {fan")[0].message.contains("nothing closes"));
    assert_eq!(wrong("{fan {fan}").len(), 1);
}

#[test]
fn a_patch_says_where_a_slot_is_wrong() {
    let refused = |text: &str| {
        let error = parse("p.toml", text).unwrap_err();
        error.lines().collect::<Vec<_>>()
    };
    let said = refused("[prompts]\nmoon = \"The {{moon}} at {fam}\"\n");
    assert_eq!(said, ["p.toml:2:25: [prompts] moon: there is no slot \"fam\"; did you mean \"fan\"?"]);
    let said = refused("[words]\nverb = [\"falls\"]\n[prompts]\nmoon = '''\nThe moon\n{word.vreb}'''\n");
    assert!(said[0].starts_with("p.toml:6:1: ") && said[0].ends_with("did you mean \"word.verb\"?"), "{said:?}");
    for (words, right) in [
        ("verb = \"falls\"", "2:8: [words] verb is a list of texts, as in [\"春\", \"夏\"]"),
        ("verb = []", "2:8: [words] verb is a list of texts, as in [\"春\", \"夏\"]"),
        ("verb = [\"a\", 3]", "2:8: [words] verb is a list of texts, as in [\"春\", \"夏\"]"),
        ("a = [\"x\"]\nb = [\"x\"]\nc = [\"x\"]\nd = [\"x\"]\ne = [\"x\"]", "6:1: [words] has more than four lists"),
    ] {
        let said = refused(&format!("[words]\n{words}\n[prompts]\nmoon = \"m\"\n"));
        assert!(said.len() == 1 && said[0].starts_with(&format!("p.toml:{right}")), "{said:?}");
    }
    let patch = parse("p.toml", "missing = \"?\"\n[prompts]\nmoon = \"at {fan}\"\n").unwrap();
    let (facts, signals, params) = Default::default();
    assert_eq!(patch.prompts[0].template.fill(&facts, &signals, &params), "at ?");
}
