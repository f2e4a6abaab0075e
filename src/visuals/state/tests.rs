//! Frame states: what events leave behind, and that memory stays flat.

use super::*;
use crate::score::{Flaw, FlawKind, Inside, MachineSample, Token};

/// A token that took 50 ms.
pub fn token(index: u32, text: &str, p: f32) -> Token {
    Token {
        id: 0,
        text: text.into(),
        index,
        latency_ms: 50.0,
        p,
        surprise_bits: -p.log2(),
        entropy_bits: 1.0,
        context_fill: 0.1,
        inside: Inside::default(),
        top: vec![],
    }
}

fn at(t_ns: u64, event: Event) -> Stamped {
    Stamped { seq: 0, t_ns, event }
}

#[test]
fn absent_comes_with_its_reason_and_goes_when_measured() {
    let mut state = FrameState::new();
    let absent = vec![(SignalId::Fan, "no sensor".to_string())];
    state.apply(&at(0, Event::Machine(MachineSample { absent, ..Default::default() })));
    state.advance(1);
    assert_eq!(state.absent[SignalId::Fan as usize].as_deref(), Some("no sensor"));
    assert_eq!((state.signals.get(SignalId::Fan), state.glide[SignalId::Fan as usize]), (None, None));
    let values = vec![(SignalId::Fan, 3000.0)];
    state.apply(&at(2, Event::Machine(MachineSample { values, ..Default::default() })));
    state.advance(3);
    assert_eq!(state.absent[SignalId::Fan as usize], None);
    assert_eq!(state.glide[SignalId::Fan as usize], Some(0.5));
}

#[test]
fn a_hand_selects_what_it_moves_and_a_patch_does_not() {
    let mut state = FrameState::new();
    state.apply(&at(0, Event::Param { id: ParamId::Hue, value: 0.2, by: Hand::Patch }));
    assert_eq!(state.selected, ParamId::Temperature);
    state.apply(&at(0, Event::Param { id: ParamId::TopP, value: 0.5, by: Hand::Midi }));
    state.advance(10);
    assert_eq!((state.selected, state.params.get(ParamId::TopP)), (ParamId::TopP, 0.5));
    assert_eq!(state.params.get(ParamId::Hue), 0.2);
}

#[test]
fn waiting_grows_with_time_alone_and_time_does_not_run_back() {
    let mut state = FrameState::new();
    state.advance(3_000_000_000);
    assert_eq!(state.signals.get(SignalId::Waiting), Some(3.0));
    state.advance(1_000_000_000);
    assert_eq!(state.signals.get(SignalId::Waiting), Some(3.0));
}

#[test]
fn a_crash_is_over_when_the_model_is_back_with_a_prompt_or_without() {
    let prompt = Event::Prompt { name: None, text: "The moon".into(), tokens: 2 };
    for back in [Event::Load { done: 9, total: 9 }, prompt] {
        let mut state = FrameState::new();
        let fault = Event::Fault { place: "generator".into(), what: "gone".into(), remedy: String::new() };
        state.apply(&at(0, fault));
        // What is still being read is not back.
        state.apply(&at(1, Event::Load { done: 1, total: 9 }));
        state.advance(9_000_000_000);
        assert_eq!(state.wanted_scene(), scene::FAULT);
        state.apply(&at(10_000_000_000, back));
        state.advance(10_000_000_000);
        assert_eq!(state.wanted_scene(), scene::FAULT);
        state.advance(13_000_000_000);
        assert_ne!(state.wanted_scene(), scene::FAULT);
    }
}

#[test]
fn weeks_of_waiting_turn_as_smoothly_as_seconds() {
    let mut state = FrameState::new();
    for waited_ns in [1_250_000_000, 2_000_001_250_000_000] {
        state.advance(waited_ns);
        assert_eq!(state.waiting_turn(5.0), 0.25);
        state.advance(waited_ns + 1_000_000);
        assert!((state.waiting_turn(5.0) - 0.2502).abs() < 1e-6, "{}", state.waiting_turn(5.0));
    }
}

#[test]
fn a_fault_says_where_what_and_what_to_do() {
    let mut state = FrameState::new();
    let fault =
        |place: &str, remedy: &str| Event::Fault { place: place.into(), what: "gone".into(), remedy: remedy.into() };
    state.apply(&at(5, fault("sound", "plug it in")));
    assert_eq!(state.fault, Some(Message { t_ns: 5, text: "sound: gone; plug it in".into() }));
    state.apply(&at(6, fault("", "")));
    assert_eq!(state.fault.unwrap().text, "gone");
}

/// A long evening in short: what happens after the token `i`, the `index`-th of its piece, and the index that follows.
fn befalls(i: u32, index: u32) -> (Option<Event>, u32) {
    let moon = || "The moon is where it was, and the river too".to_string();
    let flaw = Flaw { kind: FlawKind::Repetition, index, period: 4, count: 3, cause: String::new() };
    match i % 2000 {
        250 => (Some(Event::Rewind { to: index - 1, text: " an江。".into() }), index - 1),
        500 | 1250 => (Some(Event::Flaw(flaw)), index + 1),
        750 | 1500 => (Some(Event::Forget { tokens: 200, kept: 2, text: String::new() }), index + 1),
        1000 => (
            Some(Event::Restore {
                slot: 0,
                name: None,
                prompt: moon(),
                text: "春江潮水。".into(),
                index: 3,
                ended: false,
                given: Vec::new(),
            }),
            3,
        ),
        1999 => (Some(Event::Prompt { name: None, text: moon(), tokens: 9 }), 0),
        _ => (None, index + 1),
    }
}

#[test]
fn memory_stays_flat_over_a_hundred_thousand_tokens() {
    let (mut state, mut frame) = (FrameState::new(), crate::visuals::scene::Frame::default());
    let mut index = 0;
    for i in 0..100_000u32 {
        let t_ns = u64::from(i) * 20_000_000;
        // In the middle of the evening the model is stuck on what has no width.
        let text = if i / 10_000 == 5 { "\u{200d}" } else { ["春", " an", "江。", "\n"][i as usize % 4] };
        state.apply(&at(t_ns, Event::Token(token(index, text, 0.5))));
        let (event, next) = befalls(i, index);
        index = next;
        if let Some(event) = event {
            state.apply(&at(t_ns, event));
        }
        if i % 500 == 0 {
            state.apply(&at(t_ns, Event::Machine(MachineSample { cores: vec![0.5; 8], ..Default::default() })));
            state
                .apply(&at(t_ns, Event::Param { id: ParamId::StageScene, value: (i / 500 % 8) as f32, by: Hand::Key }));
            state.advance(t_ns);
            frame.paint(&state, [1280, 720]);
            let text = |e: &Exposure| e.text.len();
            for (what, found, most) in [
                ("cells", state.page.cells().len(), crate::visuals::page::MAX_CELLS),
                ("marks", state.marks.iter().len(), marks::MOST_MARKS),
                ("strata", state.strata.layers().len(), MOST_STRATA),
                ("exposures", state.roll.exposures().len(), EXPOSURES),
                ("text of an exposure", state.roll.exposures().iter().map(text).max().unwrap_or(0), 4 * 128),
                ("room for glyphs", frame.glyphs.capacity(), 8192),
            ] {
                assert!(found <= most, "{i}: {found} {what}, at most {most}");
            }
        }
    }
}

#[test]
fn however_fast_words_come_none_is_said_out_of_sight() {
    let mut state = FrameState::new();
    for i in 0..400u64 {
        let t_ns = i * 25_000_000;
        state.apply(&at(t_ns, Event::Token(token(i as u32, " river", 0.5))));
        state.advance(t_ns);
        state.advance(t_ns + 12_000_000);
        let beyond = state.marks.mouth() - state.flow;
        assert!((0.0..=BEYOND + 1e-3).contains(&beyond), "token {i}: {beyond} half cells");
    }
    // Then the water slows down, and never quite stands.
    let ran = state.flow;
    state.advance(20_000_000_000);
    let stood = state.flow;
    state.advance(21_000_000_000);
    assert!(stood > ran && (state.flow - stood - f64::from(DRIFT)).abs() < 1e-3, "{}", state.flow - stood);
}
