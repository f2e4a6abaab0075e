//! Events and time in, what is shown out.

use super::*;
use crate::score::{MachineSample, When};

fn at(t_ns: u64, event: Event) -> Stamped {
    Stamped { seq: 0, t_ns, event }
}

#[test]
fn pauses_have_their_names() {
    let mut state = State::new();
    state.take(&at(0, Event::Prompt { name: None, text: "春".into(), tokens: 8 }));
    state.take(&at(0, Event::Prefill { done: 2, total: 8 }));
    assert_eq!(state.pause(), Some(Pause::Reading { done: 2, total: 8 }));
    state.take(&at(0, Event::Prefill { done: 8, total: 8 }));
    assert_eq!(state.pause(), None);
    assert!(state.tick(2_000_000_000));
    assert_eq!(state.pause(), Some(Pause::Waiting { s: 2.0 }));
    assert!(!state.tick(2_010_000_000));
    assert!(state.tick(2_100_000_000));
    state.take(&at(0, Event::PieceEnd { tokens: 3 }));
    assert!(matches!(state.pause(), Some(Pause::Resting { .. })));
    let back = |ended| {
        let (prompt, text) = ("春".into(), "风".into());
        Event::Restore { slot: 0, name: None, prompt, text, index: 1, ended, given: Vec::new() }
    };
    state.take(&at(0, back(false)));
    assert!(!matches!(state.pause(), Some(Pause::Resting { .. })));
    state.take(&at(0, back(true)));
    assert!(matches!(state.pause(), Some(Pause::Resting { .. })));
    state.take(&at(0, Event::Param { id: ParamId::Hold, value: 1.0, by: Hand::Key }));
    assert!(matches!(state.pause(), Some(Pause::Held { .. })));
}

#[test]
fn a_sensor_may_come_back() {
    let mut state = State::new();
    let absent = vec![(SignalId::Fan, "no fan".to_string()), (SignalId::Power, "no meter".to_string())];
    state.take(&at(0, Event::Machine(MachineSample { absent, ..Default::default() })));
    let values = vec![(SignalId::Fan, 900.0)];
    state.take(&at(0, Event::Machine(MachineSample { values, ..Default::default() })));
    assert_eq!(state.absent, [(SignalId::Power, "no meter".to_string())]);
    assert_eq!(state.signals.get(SignalId::Fan), Some(900.0));
}

const PATCH: &str = r#"
[prompts]
dawn = "春"
moon = "The moon"
[sampler]
order = ["temperature", "top_k"]
[lfo.tide]
wave = "saw"
rate_hz = 1.0
[[matrix]]
from = "lfo.tide"
to = "stage.hue"
amount = 0.4
"#;

#[test]
fn a_patch_brings_its_bank_its_order_and_what_the_matrix_moves() {
    let mut state = State::new();
    state.take(&at(0, Event::Patch { name: "p.toml".into(), text: PATCH.into() }));
    assert_eq!(state.prompts.len(), 2);
    assert_eq!(state.order.as_deref(), Some(&[Stage::Temperature, Stage::TopK][..]));
    state.tick(500_000_000);
    let hue = state.params.get(ParamId::Hue);
    assert!((state.played.get(ParamId::Hue) - hue - 0.2).abs() < 1e-3, "{}", state.played.get(ParamId::Hue));
    // What the matrix moves is drawn anew each tenth, and nothing else before the clock moves on.
    assert!(!state.tick(501_000_000) && state.tick(610_000_000));
    state.take(&at(0, Event::Prompt { name: Some("moon".into()), text: "The moon".into(), tokens: 2 }));
    state.take(&at(0, Event::Blend { name: Some("dawn".into()), text: "春".into(), tokens: 1 }));
    assert_eq!((state.playing.as_deref(), state.second.as_deref()), (Some("moon"), Some("dawn")));
    state.take(&at(0, Event::Blend { name: None, text: String::new(), tokens: 0 }));
    state.take(&at(0, Event::Patch { name: "p.toml".into(), text: "not a patch".into() }));
    assert_eq!((state.second.as_deref(), state.prompts.len()), (None, 2));
    let mut back = |prompt: &str| {
        let (prompt, text) = (prompt.into(), "风".into());
        state.take(&at(
            0,
            Event::Restore { slot: 0, name: None, prompt, text, index: 1, ended: false, given: Vec::new() },
        ));
        state.playing.clone()
    };
    assert_eq!(back("秋"), None, "it has no name, and the one before is not played");
    assert_eq!(back("春").as_deref(), Some("dawn"), "older recordings have none here");
}

#[test]
fn controllers_xruns_and_faults_are_kept_apart_from_the_log() {
    let mut state = State::new();
    let says = |what: &str| Event::Control { port: "knobs\x1b".into(), what: what.into() };
    state.take(&at(0, says("cc7 = 1")));
    state.take(&at(1_000_000_000, says("cc7 = 2")));
    state.tick(1_100_000_000);
    assert_eq!(state.controls, [Control { t_ns: 1_000_000_000, port: "knobs".into(), what: "cc7 = 2".into() }]);
    assert!(state.lit(&state.controls[0]));
    assert!(state.tick(1_600_000_000) && !state.lit(&state.controls[0]));
    for i in 0..20 {
        state.take(&at(i, Event::Control { port: i.to_string(), what: String::new() }));
    }
    assert_eq!(state.controls.len(), PORTS);
    assert!(state.controls.iter().any(|control| control.port == "19"), "who speaks now is seen");
    assert!(state.controls.iter().any(|control| control.port == "knobs"), "and who spoke last of the others");
    state.take(&at(5, Event::Callback { load: 0.1, xruns: 2 }));
    state.take(&at(6, Event::Callback { load: 0.1, xruns: 0 }));
    assert_eq!(state.xruns, (2, Some(5)));
    let fault = Event::Fault { place: "sound".into(), what: "gone".into(), remedy: String::new() };
    state.take(&at(7, fault));
    for i in 0..99 {
        state.take(&at(i, Event::Notice { text: i.to_string() }));
    }
    assert_eq!((state.faults.len(), state.faults[0].text.as_str()), (1, "sound: gone"));
    assert!(state.log.iter().all(|remark| remark.tone == Tone::Notice));
}

#[test]
fn what_is_mended_is_said_no_longer() {
    let mut state = State::new();
    let fault = |place: &str| Event::Fault { place: place.into(), what: "line 2".into(), remedy: "mend it".into() };
    let shader = || Event::Shader { name: "mine".into(), text: String::new() };
    assert!(!state.take(&at(0, shader())));
    for place in ["shader", "patch", "sound"] {
        state.take(&at(1, fault(place)));
    }
    assert!(state.take(&at(2, shader())));
    let texts = |remarks: &VecDeque<Remark>| remarks.iter().map(|remark| remark.text.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&state.faults), ["patch: line 2; mend it", "sound: line 2; mend it"]);
    assert_eq!(texts(&state.log).len(), 2, "nothing is said of it");
    state.take(&at(3, Event::Patch { name: "p.toml".into(), text: PATCH.into() }));
    assert_eq!(texts(&state.faults), ["sound: line 2; mend it"]);
}

#[test]
fn what_waits_no_longer_is_told_no_longer() {
    let mut state = State::new();
    let queued = |name: Option<&str>, text: &str| Event::Queued {
        name: name.map(str::to_string),
        text: text.into(),
        when: When::Piece,
    };
    let said = |state: &State| state.log.iter().map(|remark| remark.text.clone()).collect::<Vec<_>>();
    state.take(&at(0, queued(Some("dawn"), "春")));
    assert_eq!(said(&state), ["next: dawn, at the end of the piece"]);
    state.take(&at(1, queued(None, "")));
    assert_eq!((said(&state), &state.queued), (vec!["taken back: dawn".to_string()], &None));
    // One that takes the place of another, and begins, is no longer to come.
    state.take(&at(2, queued(Some("moon"), "The moon")));
    state.take(&at(2, queued(Some("dawn"), "春")));
    assert_eq!(said(&state)[1..], ["next: dawn, at the end of the piece"]);
    state.take(&at(3, Event::Prompt { name: Some("dawn".into()), text: "春".into(), tokens: 1 }));
    state.take(&at(3, queued(None, "")));
    assert_eq!(said(&state), ["taken back: dawn"]);
}
