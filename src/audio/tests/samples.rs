//! The artist's own sounds as the whole engine plays them.

use super::*;
use crate::audio::bank::{Bank, Banks, Sample};

/// A bank of tones of one second at these frequencies, in Hz.
fn bank(hz: &[f32]) -> Bank {
    let tone = |hz: &f32| {
        let step = std::f32::consts::TAU * hz / RATE as f32;
        Sample::new((0..RATE).flat_map(|i| [0.6 * (i as f32 * step).sin(); 2]).collect())
    };
    Bank { samples: hz.iter().map(tone).collect() }
}

/// The script with banks that come, change in mid-sound and go.
fn script_with_samples() -> (Vec<Stamped>, Banks) {
    let mut events = script();
    let mut banks = Banks::default();
    let samples = || Event::Samples { folder: "/somewhere".into(), files: vec![] };
    let changes: [(u64, u64, &[f32]); 4] =
        [(900, 1200, &[300.0, 401.0, 502.0]), (901, 2000, &[700.0]), (902, 2004, &[800.0, 900.0]), (903, 4000, &[])];
    for (seq, t_ms, hz) in changes {
        events.push(Stamped { seq, t_ns: t_ms * 1_000_000, event: samples() });
        banks.insert(seq, bank(hz));
    }
    let whole = Event::Param { id: ParamId::SampleGrain, value: 0.0, by: Hand::Key };
    events.push(Stamped { seq: 904, t_ns: 3_000_000_000, event: whole });
    events.sort_by_key(|e| e.t_ns);
    (events, banks)
}

#[test]
fn rendering_with_samples_gives_what_was_played() {
    let (events, banks) = script_with_samples();
    for frames in [128, 1000, 441] {
        let (played, recorded) = live_with(Layout::default(), &events, &banks, frames, 11.0);
        let heard = recorded.iter().filter(|e| matches!(e.event, Event::Heard { of: 900..=903, .. })).count();
        assert_eq!(heard, 4);
        let (_, rendered) = to_samples(&recorded, &banks, 1.0).unwrap();
        let worst = played.iter().zip(&rendered).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= 1.0 / 8_388_607.0, "blocks of {frames}: {worst}");
        assert!(played.len() > 2 * 10 * RATE as usize && peak(&played) <= CEILING);
    }
}

#[test]
fn samples_are_heard_while_there_is_a_bank_and_change_nothing_else() {
    let (events, banks) = script_with_samples();
    let (without, _) = live_with(Layout::default(), &events, &Banks::default(), 128, 11.0);
    let (with, _) = live_with(Layout::default(), &events, &banks, 128, 11.0);
    let differs = |from_s: f32, to_s: f32| {
        let range = 2 * (from_s * RATE as f32) as usize..2 * (to_s * RATE as f32) as usize;
        with[range.clone()].iter().zip(&without[range]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    assert_eq!(differs(0.0, 1.2), 0.0);
    assert!(differs(1.2, 2.0) > 0.02 && differs(3.1, 4.0) > 0.02, "{} {}", differs(1.2, 2.0), differs(3.1, 4.0));
    assert!(differs(8.0, 11.0) < 2e-3, "the room has forgotten them: {}", differs(8.0, 11.0));
}

#[test]
fn the_same_word_has_the_same_sound_and_another_bank_makes_no_click() {
    let mut engine = only_tokens();
    for (id, value) in [
        (ParamId::TokenLevel, -60.0),
        (ParamId::SampleLevel, 0.0),
        (ParamId::SampleGrain, 0.0),
        (ParamId::SampleDensity, 1.0),
        (ParamId::SampleSpread, 0.0),
        (ParamId::DelayMix, 0.0),
    ] {
        set(&mut engine, id, value);
    }
    let change = |engine: &mut Engine, hz: &[f32]| {
        drop(engine.spent_bank());
        assert!(engine.takes_bank() && engine.swap_bank(bank(hz)).is_none());
        left(&play(engine, 0.3))
    };
    let speak = |engine: &mut Engine, word: u32| {
        let CueKind::Token(token) = token(2.0) else { unreachable!() };
        take(engine, CueKind::Token(TokenCue { word, ..token }));
        left(&play(engine, 0.3))
    };
    for (word, hz) in [(3, 300.0), (4, 500.0), (5, 700.0), (3, 300.0)] {
        // The sound of the word before ends with its bank.
        change(&mut engine, &[300.0, 500.0, 700.0]);
        let heard = pitch_hz(&speak(&mut engine, word));
        assert!((heard / hz - 1.0).abs() < 0.02, "{word}: {heard} for {hz}");
    }
    let before = speak(&mut engine, 5);
    let after = change(&mut engine, &[300.0]);
    // The second difference of the loudest tone is what it was, and no more at the change.
    let click = |samples: &[f32]| samples.windows(3).map(|w| (w[2] - 2.0 * w[1] + w[0]).abs()).fold(0.0, f32::max);
    assert!(click(&after) < 1.2 * click(&before), "{} after {}", click(&after), click(&before));
    assert!(peak(&before) > 0.1 && peak(&after[RATE as usize / 10..]) < 1e-3, "it is gone");
    assert!(engine.spent_bank().is_some());
    // Pitch follows the tokens' scale where it is told to: an octave and more for so much surprise.
    set(&mut engine, ParamId::SamplePitch, 1.0);
    take(&mut engine, token(9.0));
    let heard = pitch_hz(&left(&play(&mut engine, 0.2)));
    assert!(heard > 2.0 * 300.0, "{heard}");
}
