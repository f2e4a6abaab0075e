//! The tempo in the hands, under a clock that stands where it is put: set by a hand, and by a clock that ticks.

use std::sync::Arc;

use crate::patch;
use crate::score::{Event, Hand, Key, ParamId};
use crate::session::hands::scenes::tests::Rig;

const MS: u64 = 1_000_000;

/// A patch with this below `[tempo]`, its performance begun.
fn rig(tempo: &str) -> Rig {
    let mut rig = Rig::new(&format!("[prompts]\nmoon = \"The moon\"\n[tempo]\n{tempo}"));
    rig.state.begin_tempo();
    rig
}

/// Lets a port say something at a time in ms.
fn says(rig: &mut Rig, ms: f64, port: &str, byte: u8) {
    let t_ns = (ms * MS as f64) as u64;
    rig.state.hands.bus.clock().advance_to(t_ns);
    rig.state.hear_clock(t_ns, &Arc::from(port), &[byte]);
    rig.state.tend_clock(&|port| port != "gone");
}

/// Ticks at 150 bpm from a time on; gives the time after them.
fn ticks(rig: &mut Rig, from_ms: f64, port: &str, count: usize) -> f64 {
    ticks_at(150.0, rig, from_ms, port, count)
}

fn ticks_at(bpm: f64, rig: &mut Rig, from_ms: f64, port: &str, count: usize) -> f64 {
    let step_ms = 60_000.0 / bpm / 24.0;
    (0..count).for_each(|i| says(rig, from_ms + step_ms * i as f64, port, 0xf8));
    from_ms + step_ms * count as f64
}

/// The tempos told, with whose they are.
fn tempos(events: &[Event]) -> Vec<(f64, f64, String)> {
    let told = events.iter().filter_map(|event| match event {
        Event::Tempo { bpm, beat, from, .. } => Some(((bpm * 100.0).round() / 100.0, *beat, from.clone())),
        _ => None,
    });
    told.collect()
}

fn said(events: &[Event], words: &str) -> bool {
    events.iter().any(|event| matches!(event, Event::Notice { text } if text.contains(words)))
}

#[test]
fn a_hand_that_sets_the_tempo_moves_no_beat() {
    let mut rig = rig("");
    assert_eq!(tempos(&rig.events()), [(90.0, 0.0, String::new())]);
    rig.state.hands.bus.clock().advance_to(2000 * MS);
    rig.state.set(ParamId::TempoBpm, 120.0, Hand::Key);
    rig.state.hands.bus.clock().advance_to(3000 * MS);
    rig.state.set(ParamId::TempoBpm, 120.0, Hand::Key);
    rig.state.set(ParamId::TempoBpm, 60.0, Hand::Key);
    assert_eq!(tempos(&rig.events()), [(120.0, 3.0, String::new()), (60.0, 5.0, String::new())]);
    // Nobody asked for a clock.
    ticks(&mut rig, 3000.0, "volca", 48);
    assert_eq!(rig.events(), []);
}

#[test]
fn a_clock_is_followed_until_it_is_silent_and_the_tempo_stays() {
    let mut rig = rig("from = \"midi\"\ndevice = \"VOLCA*\"");
    rig.events();
    ticks(&mut rig, 400.0, "other", 48);
    assert_eq!(rig.events(), []);
    says(&mut rig, 1999.0, "volca", 0xfa);
    let end_ms = ticks(&mut rig, 2000.0, "volca", 48);
    let events = rig.events();
    assert!(said(&events, "the tempo follows the clock of volca"));
    let told = tempos(&events);
    // The first tick is beat 0 before the tempo is known.
    assert_eq!(told[0], (90.0, 0.0, String::new()));
    assert_eq!((told[1].0, told[1].2.as_str()), (150.0, "volca"));
    assert!((told[1].1 - 5.0 / 24.0).abs() < 1e-3 && told.len() == 2, "{told:?}");
    assert!((rig.state.hands.params.get(ParamId::TempoBpm) - 150.0).abs() < 1e-3);
    // Another one that ticks meanwhile is not heard; a knob is told why it does nothing, once.
    ticks(&mut rig, end_ms, "volca 2", 12);
    rig.state.set(ParamId::TempoBpm, 60.0, Hand::Midi);
    rig.state.set(ParamId::TempoBpm, 61.0, Hand::Midi);
    let events = rig.events();
    assert!(said(&events, "follows the clock of volca while it ticks") && events.len() == 1, "{events:?}");
    // Two beats of silence.
    rig.state.hands.bus.clock().advance_to((end_ms as u64 + 900) * MS);
    rig.state.tend_clock(&|_| true);
    let events = rig.events();
    assert!(said(&events, "the clock of volca is silent"));
    assert_eq!(tempos(&events).iter().map(|told| (told.0, told.2.as_str())).collect::<Vec<_>>(), [(150.0, "")]);
    rig.press(Key::Char('n'));
    rig.state.set(ParamId::TempoBpm, 60.0, Hand::Midi);
    rig.state.tell_moves();
    assert_eq!(tempos(&rig.events()).len(), 1);
}

#[test]
fn what_a_clock_leads_is_not_taken_back_before_it_is_gone() {
    let mut rig = rig("from = \"midi\"");
    rig.state.set(ParamId::TopK, 7.0, Hand::Key);
    rig.state.set(ParamId::TempoBpm, 60.0, Hand::Key);
    let end_ms = ticks(&mut rig, 100.0, "volca", 48);
    let undone = |rig: &mut Rig| {
        rig.press(Key::Char('u'));
        rig.state.hands.params.get(ParamId::TopK) != 7.0
    };
    assert!(undone(&mut rig), "the step before it");
    rig.events();
    assert!(undone(&mut rig) && said(&rig.events(), "nothing to take back"));
    rig.state.hands.bus.clock().advance_to((end_ms as u64 + 900) * MS);
    rig.state.tend_clock(&|_| true);
    rig.events();
    assert!(undone(&mut rig) && said(&rig.events(), "taken back: sound.tempo.bpm"));
    assert_eq!(rig.state.hands.params.get(ParamId::TempoBpm), 90.0);
}

#[test]
fn a_clock_that_is_too_fast_is_said_once_and_not_followed_until_it_is_slower() {
    for fast in [400.0, 25_000.0] {
        let mut rig = rig("from = \"midi\"");
        let end_ms = ticks(&mut rig, 100.0, "volca", 48);
        rig.events();
        let end_ms = ticks_at(fast, &mut rig, end_ms, "volca", 4800);
        let events = rig.events();
        let notices: Vec<&Event> = events.iter().filter(|event| matches!(event, Event::Notice { .. })).collect();
        assert!(notices.len() == 1 && said(&events, "20 to 300 are followed"), "{notices:?}");
        let told = tempos(&events);
        assert_eq!((told.last().unwrap().0, told.last().unwrap().2.as_str()), (150.0, ""), "{fast} bpm");
        assert!(told.len() < 4, "{fast} bpm: {} tempos", told.len());
        // The tempo is the hand's meanwhile.
        rig.state.set(ParamId::TempoBpm, 60.0, Hand::Key);
        assert_eq!(tempos(&rig.events()).len(), 1);
        ticks(&mut rig, end_ms, "volca", 96);
        let events = rig.events();
        assert!(said(&events, "the tempo follows the clock of volca"));
        assert_eq!(tempos(&events).last().map(|told| (told.0, told.2.as_str())), Some((150.0, "volca")));
    }
}

#[test]
fn a_stopped_clock_withholds_tokens_where_the_patch_says_so() {
    let hold = |rig: &Rig| rig.state.hands.params.get(ParamId::Hold);
    for (word, held) in [("go_on", 0.0), ("hold", 1.0)] {
        let mut rig = rig(&format!("from = \"midi\"\nstop = \"{word}\""));
        let end_ms = ticks(&mut rig, 100.0, "volca", 48);
        says(&mut rig, end_ms, "volca", 0xfc);
        assert_eq!(hold(&rig), held);
        // Silent, it is still stopped; what it withholds it lets go when it starts.
        rig.state.hands.bus.clock().advance_to((end_ms as u64 + 5000) * MS);
        rig.state.tend_clock(&|_| true);
        assert_eq!(hold(&rig), held);
        says(&mut rig, end_ms + 5001.0, "volca", 0xfb);
        assert_eq!(hold(&rig), 0.0);
        says(&mut rig, end_ms + 5002.0, "volca", 0xfc);
        rig.state.tend_clock(&|_| false);
        assert_eq!(hold(&rig), 0.0, "pulled out, nobody would start it again");
        says(&mut rig, end_ms + 5003.0, "volca", 0xfc);
        rig.state.hands.patch = patch::parse("p.toml", "[prompts]\na = \"a\"").unwrap();
        rig.state.take_tempo();
        assert_eq!(hold(&rig), 0.0);
    }
    // A pedal is not let go by a clock's start.
    let mut rig = rig("from = \"midi\"\nstop = \"hold\"");
    rig.state.set(ParamId::Hold, 1.0, Hand::Midi);
    says(&mut rig, 1.0, "volca", 0xfa);
    assert_eq!(hold(&rig), 1.0);
}
