//! The page: where its letters stand, in which light, and that none is lost.

use super::super::{Glyph, SOLID, build};
use super::*;
use crate::score::{Event, Stamped, Token};
use crate::visuals::palette::{PALETTES, contrast, luminance};

fn token(index: u32, text: &str, p: f32) -> Event {
    Event::Token(Token {
        id: 0,
        text: text.into(),
        index,
        latency_ms: 50.0,
        p,
        surprise_bits: -p.log2(),
        entropy_bits: 1.0,
        context_fill: 0.1,
        inside: Default::default(),
        top: vec![],
    })
}

fn stage(events: &[(u64, Event)], t_ms: u64) -> (FrameState, Vec<Glyph>) {
    let mut state = FrameState::new();
    for (seq, (t_ms, event)) in events.iter().enumerate() {
        let t_ns = t_ms * 1_000_000;
        state.advance(t_ns);
        state.apply(&Stamped { seq: seq as u64, t_ns, event: event.clone() });
    }
    state.advance(t_ms * 1_000_000);
    let mut glyphs = Vec::new();
    build(&state, [1280, 720], &mut glyphs);
    (state, glyphs)
}

fn find(glyphs: &[Glyph], c: char) -> Glyph {
    *glyphs.iter().find(|g| g.cell == c as u32 && g.size[1] > 16.0).unwrap_or_else(|| panic!("no {c:?}"))
}

fn light(glyph: &Glyph) -> u32 {
    glyph.color[..3].iter().map(|c| u32::from(*c)).sum::<u32>() * u32::from(glyph.color[3])
}

#[test]
fn han_takes_twice_the_width_of_latin() {
    let (_, glyphs) = stage(&[(0, token(0, "小Q", 0.9))], 3000);
    let (han, latin) = (find(&glyphs, '小'), find(&glyphs, 'Q'));
    assert_eq!((han.size, latin.size), ([48.0, 48.0], [24.0, 48.0]));
    assert_eq!(latin.pos, [han.pos[0] + 48.0, han.pos[1]]);
}

#[test]
fn the_certain_is_brighter_than_the_improbable_and_that_is_warm() {
    let (_, glyphs) = stage(&[(0, token(0, "Q", 0.95)), (10, token(1, "W", 0.001))], 3000);
    let (sure, leap) = (find(&glyphs, 'Q'), find(&glyphs, 'W'));
    assert!(light(&sure) > light(&leap));
    let warmth = |g: &Glyph| i32::from(g.color[0]) - i32::from(g.color[2]);
    assert!(warmth(&leap) > warmth(&sure) + 80);
}

#[test]
fn every_settled_word_of_the_last_line_keeps_its_contrast() {
    let set = |id, value: f32| (0, Event::Param { id, value, by: crate::score::Hand::Patch });
    for (number, palette) in PALETTES.iter().enumerate() {
        for certainty in [0.8, 1.0] {
            for p in (0..=80).map(|bits| 0.5f32.powf(0.25 * bits as f32)) {
                let played = [set(ParamId::Palette, number as f32), set(ParamId::Certainty, certainty)];
                let (_, glyphs) = stage(&[&played[..], &[(0, token(0, "Q", p))]].concat(), 5000);
                let glyph = find(&glyphs, 'Q');
                let found = contrast(luminance(glyph.color), palette.behind_words());
                assert!(found >= 7.0 && glyph.color[3] == 255, "{} {certainty} p {p}: {found}", palette.name);
            }
        }
    }
}

#[test]
fn a_token_comes_up_in_its_attack() {
    let alpha = |t_ms| find(&stage(&[(0, token(0, "Q", 0.9))], t_ms).1, 'Q').color[3];
    assert!(alpha(10) < alpha(60) && alpha(60) < alpha(150));
    assert_eq!(alpha(150), 255);
}

#[test]
fn the_last_word_is_in_sight_however_long_the_text() {
    let mut events: Vec<_> =
        (0..3000).map(|i| (u64::from(i), token(i, if i % 7 == 0 { "\n" } else { " leaf" }, 0.5))).collect();
    events.push((3000, token(3000, " Q", 0.5)));
    for t_ms in [3001, 3100, 9000] {
        let (_, glyphs) = stage(&events, t_ms);
        let last = find(&glyphs, 'Q');
        assert!(last.pos[1] > 0.0 && last.pos[1] + last.size[1] < 720.0 && last.pos[0] + last.size[0] < 1280.0);
        assert!(glyphs.len() < 2000);
    }
}

#[test]
fn a_small_window_still_shows_the_last_word_plainly() {
    let mut state = stage(&[(0, token(0, "Q", 1.0))], 3000).0;
    state.advance(4_000_000_000);
    for size in [[320, 200], [640, 360], [200, 900], [3840, 2160]] {
        let mut glyphs = Vec::new();
        build(&state, size, &mut glyphs);
        let word = glyphs.iter().find(|g| g.cell == 'Q' as u32).unwrap();
        assert!(word.color[3] == 255 && word.pos[1] > 0.0 && word.size[1] >= 16.0, "{size:?} {word:?}");
        let foot = glyphs.iter().find(|g| g.cell == 't' as u32).unwrap();
        assert!(word.pos[1] + word.size[1] <= foot.pos[1], "{size:?}");
    }
}

#[test]
fn an_older_line_rises_and_fades() {
    let events = [(0, token(0, "Q", 0.9)), (1000, token(1, "\nW", 0.9))];
    let old = |t_ms| find(&stage(&events, t_ms).1, 'Q');
    assert!(old(1100).pos[1] > old(1300).pos[1]);
    assert!(old(1300).pos[1] > old(2000).pos[1]);
    assert!(old(2000).color[3] <= find(&stage(&events, 2000).1, 'W').color[3]);
}

#[test]
fn the_caret_grows_while_nothing_comes() {
    let caret = |t_ms| {
        let glyphs = stage(&[(0, token(0, "Q", 0.9))], t_ms).1;
        let right = find(&glyphs, 'Q');
        let x = right.pos[0] + right.size[0];
        *glyphs.iter().find(|g| g.cell == SOLID && g.pos[0] >= x && g.pos[1] < 500.0).unwrap()
    };
    assert!(caret(8000).size[0] > caret(2000).size[0] && caret(2000).size[0] > caret(100).size[0]);
}

#[test]
fn what_was_forgotten_dissolves() {
    let prompt = Event::Prompt { name: None, text: "Q".into(), tokens: 1 };
    let events =
        [(0, prompt), (10, token(0, "W", 0.9)), (1000, Event::Forget { tokens: 1, kept: 1, text: String::new() })];
    assert!(stage(&events, 1001).1.iter().any(|g| g.cell == 'W' as u32));
    let (_, glyphs) = stage(&events, 6000);
    assert!(!glyphs.iter().any(|g| g.cell == 'W' as u32 && g.size[1] > 16.0));
    assert_eq!(find(&glyphs, 'Q').color, PALETTES[0].prompt);
}

#[test]
fn columns_of_large_type_use_the_height() {
    for size in [[1280, 720], [640, 360], [1920, 1080], [1080, 1920]] {
        for text_size in [3.0, 8.0, 16.0] {
            let set = |id, value| (0, Event::Param { id, value, by: crate::score::Hand::Patch });
            let played = [set(ParamId::Vertical, 1.0), set(ParamId::TextSize, text_size)];
            let text = (0, token(0, &"春江潮水连，".repeat(4), 0.9));
            let (state, _) = stage(&[&played[..], &[text]].concat(), 5000);
            let mut glyphs = Vec::new();
            build(&state, size, &mut glyphs);
            let foot = glyphs.iter().filter(|g| g.cell == 't' as u32).map(|g| g.pos[1]).fold(f32::MAX, f32::min);
            // The oldest column in sight is full.
            let first = glyphs.iter().rfind(|g| g.cell == '春' as u32).unwrap();
            let column: Vec<_> = glyphs.iter().filter(|g| g.pos[0] == first.pos[0] && g.size == first.size).collect();
            let high = column.iter().map(|g| g.pos[1]).fold(f32::MAX, f32::min);
            let low = column.iter().map(|g| g.pos[1] + g.size[1]).fold(0.0, f32::max);
            assert!(column.len() >= 5 && low <= foot, "{size:?} {text_size}: {} {low} {foot}", column.len());
            let used = (low - high) / (foot - high);
            assert!(used > 0.6, "{size:?} {text_size}: {used}");
        }
    }
}

#[test]
fn no_line_is_cut_by_the_edge_at_which_it_leaves() {
    let words: Vec<_> = (0..40).map(|i| (u64::from(i) * 200, token(i, "Q春\n", 0.9))).collect();
    for vertical in [0.0, 1.0] {
        for text_size in [1.0, 3.0, 5.0, 8.0, 12.0] {
            let set = |id, value| (0, Event::Param { id, value, by: crate::score::Hand::Patch });
            let played = [set(ParamId::Vertical, vertical), set(ParamId::TextSize, text_size)];
            // While the last line rises, and when all stand.
            for t_ms in [7850, 7950, 8050, 8150, 9000] {
                let (_, glyphs) = stage(&[&played[..], &words].concat(), t_ms);
                let letters = glyphs.iter().filter(|g| g.cell == '春' as u32 || g.cell == 'Q' as u32);
                let cut = |g: &&Glyph| g.pos[1] < 0.0 || g.pos[0] + g.size[0] > 1280.0;
                assert_eq!(letters.filter(cut).count(), 0, "{vertical} {text_size} {t_ms}");
            }
        }
    }
}
