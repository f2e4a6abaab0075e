//! Events as the journal keeps them, and what they say to the signals.

use super::*;

impl Token {
    /// A token of which only the text and its place matter.
    pub fn plain(index: u32, text: &str) -> Token {
        Token {
            id: 0,
            text: text.into(),
            index,
            latency_ms: 1.0,
            p: 0.5,
            surprise_bits: 1.0,
            entropy_bits: 1.0,
            context_fill: 0.0,
            top: Vec::new(),
            inside: Inside::default(),
        }
    }
}

#[test]
fn the_journal_form_is_one_flat_object() {
    let stamped =
        Stamped { seq: 3, t_ns: 5, event: Event::Param { id: ParamId::Temperature, value: 0.5, by: Hand::Midi } };
    let line = serde_json::to_string(&stamped).unwrap();
    assert_eq!(line, r#"{"seq":3,"t_ns":5,"event":"param","id":"sampler.temperature","value":0.5,"by":"midi"}"#);
    assert_eq!(serde_json::from_str::<Stamped>(&line).unwrap(), stamped);
    // Another hand is another word, and those of before stay as they are.
    for (by, word) in [(Hand::Osc, "\"osc\""), (Hand::CommandLine, "\"command_line\""), (Hand::Clock, "\"clock\"")] {
        assert_eq!((serde_json::to_string(&by).unwrap().as_str(), serde_json::from_str(word).unwrap()), (word, by));
    }
}

#[test]
fn a_card_goes_through_the_journal_and_a_journal_of_before_has_none() {
    let stamped = Stamped { seq: 1, t_ns: 2, event: Event::Card { text: "A voice\n3 M".into() } };
    let line = serde_json::to_string(&stamped).unwrap();
    assert_eq!(line, r#"{"seq":1,"t_ns":2,"event":"card","text":"A voice\n3 M"}"#);
    assert_eq!(serde_json::from_str::<Stamped>(&line).unwrap(), stamped);
    let before = r#"{"seq":0,"t_ns":0,"event":"begin","xiao":"0.1.0","title":"t","model":"m","sha256":"","seed":1}"#;
    assert!(matches!(serde_json::from_str::<Stamped>(before).unwrap().event, Event::Begin { .. }));
}

#[test]
fn help_has_pages_and_controllers_have_words_and_journals_of_before_are_read() {
    for event in
        [Event::Help { on: true, page: 3 }, Event::Control { port: "nanoKONTROL2".into(), what: "cc7 = 64".into() }]
    {
        let stamped = Stamped { seq: 1, t_ns: 2, event };
        let line = serde_json::to_string(&stamped).unwrap();
        assert_eq!(serde_json::from_str::<Stamped>(&line).unwrap(), stamped);
    }
    let before = r#"{"seq":0,"t_ns":0,"event":"help","on":true}"#;
    assert_eq!(serde_json::from_str::<Stamped>(before).unwrap().event, Event::Help { on: true, page: 0 });
    let of = |port: &str| Event::Control { port: port.into(), what: String::new() }.continuous();
    assert!(of("knobs").is_some() && of("knobs") != of("pads"));
}

#[test]
fn a_tempo_goes_through_the_journal_and_the_later_one_stands_for_both() {
    let event = Event::Tempo { bpm: 123.4, beat: 17.25, by: Hand::Clock, from: "volca".into() };
    let line = serde_json::to_string(&Stamped { seq: 1, t_ns: 2, event: event.clone() }).unwrap();
    let wanted = r#"{"seq":1,"t_ns":2,"event":"tempo","bpm":123.4,"beat":17.25,"by":"clock","from":"volca"}"#;
    assert_eq!(line, wanted);
    assert_eq!(serde_json::from_str::<Stamped>(&line).unwrap().event, event);
    assert_eq!(event.continuous(), Event::Tempo { bpm: 1.0, beat: 0.0, by: Hand::Key, from: "".into() }.continuous());
}
