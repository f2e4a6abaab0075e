//! Tests of the generator with the embedded model: the same seed, the same words.

mod conversation;
mod layer;

use super::super::Source;
use super::*;
use crate::score::ParamId;

fn generator(seed: u64) -> Generator {
    Generator::new(Model::load(&Source::Embedded).unwrap(), seed)
}

fn take(generator: &mut Generator, params: &ParamValues, n: usize) -> Vec<Step> {
    (0..n).map(|_| generator.step(params).unwrap()).collect()
}

fn ids(steps: &[Step]) -> Vec<Option<u32>> {
    let id = |step: &Step| if let Step::Token { token, .. } = step { Some(token.id) } else { None };
    steps.iter().map(id).collect()
}

#[test]
fn the_same_seed_is_the_same_piece_and_again_another() {
    let params = ParamValues::default();
    let (mut a, mut b, mut c) = (generator(7), generator(7), generator(8));
    for g in [&mut a, &mut b, &mut c] {
        g.prompt("The moon").unwrap();
    }
    let first = ids(&take(&mut a, &params, 40));
    assert_eq!(first, ids(&take(&mut b, &params, 40)));
    assert_ne!(first, ids(&take(&mut c, &params, 40)));
    a.again();
    assert_ne!(first, ids(&take(&mut a, &params, 40)));
    let mut d = Generator::resume(Model::load(&Source::Embedded).unwrap(), 7, b.draws());
    d.prompt("The moon").unwrap();
    b.again();
    assert_eq!(ids(&take(&mut b, &params, 10)), ids(&take(&mut d, &params, 10)));
}

#[test]
fn a_control_acts_on_the_very_next_token() {
    let (mut warm, mut cold) = (ParamValues::default(), ParamValues::default());
    warm.set(ParamId::Temperature, 2.0);
    for id in [ParamId::TopK, ParamId::MinP] {
        warm.set(id, 0.0);
    }
    warm.set(ParamId::TopP, 1.0);
    warm.set(ParamId::RepeatPenalty, 1.0);
    cold.set(ParamId::RepeatPenalty, 1.0);
    cold.set(ParamId::Temperature, 0.0);
    // The same road with the same draw, once with each temperature at the token after the fourth.
    let mut other = 0;
    for seed in 0..12 {
        let drawn = [warm, cold].map(|last| {
            let mut g = generator(seed);
            g.prompt("春").unwrap();
            take(&mut g, &warm, 4);
            g.advance().unwrap();
            let likeliest = g.distribution().unwrap().top(1)[0].id;
            (ids(&[g.draw(&last).unwrap()])[0], likeliest)
        });
        assert_eq!(drawn[0].1, drawn[1].1, "the model's own distribution is untouched");
        assert!(drawn[1].0.is_none() || drawn[1].0 == Some(drawn[1].1), "at 0 the likeliest is taken at once");
        other += usize::from(drawn[0].0 != drawn[1].0);
    }
    assert!(other > 6, "{other}");
}

#[test]
fn a_full_context_forgets_and_goes_on() {
    let mut params = ParamValues::default();
    params.set(ParamId::Temperature, 1.2);
    let model = Model::load_with_context(&Source::Embedded, Some(64)).unwrap();
    let mut g = Generator::new(model, 3);
    let head = g.prompt("The moon and I").unwrap().tokens;
    let (mut forgets, mut tokens) = (0, 0);
    for step in take(&mut g, &params, 400) {
        match step {
            Step::Forget(f) => {
                assert_eq!(f.kept, head);
                assert_eq!(f.tokens, (64 - head).div_ceil(2));
                forgets += 1;
            }
            Step::Token { token, .. } => {
                assert!(token.context_fill <= 1.0 && token.p > 0.0 && token.top.len() == 8);
                tokens += 1;
            }
            Step::PieceEnd { .. } => {}
        }
    }
    assert!(forgets >= 3 && tokens > 300, "{forgets} {tokens}");
}

#[test]
fn a_prompt_longer_than_the_context_keeps_head_and_tail() {
    let model = Model::load_with_context(&Source::Embedded, Some(64)).unwrap();
    let all = prompt::tokens(model.tokenizer(), &"The moon rose. ".repeat(40));
    let mut g = Generator::new(model, 0);
    let reading = g.prompt(&"The moon rose. ".repeat(40)).unwrap();
    assert_eq!(reading.tokens as usize, all.len());
    let forgot = reading.forgot.unwrap();
    assert_eq!((forgot.tokens, forgot.kept), (reading.tokens - 48, 16));
    assert!(forgot.text.contains("The moon rose. The moon rose."));
    assert_eq!(g.text.ids()[..16], all[..16]);
    assert_eq!(g.text.ids()[16..], all[all.len() - 32..]);
    assert_eq!(g.prefill_chunk().unwrap(), Progress { done: 48, total: 48 });
    assert!(g.distribution().is_some());
}

#[test]
fn an_empty_prompt_plays_and_none_is_an_error() {
    let mut g = generator(1);
    assert!(g.step(&ParamValues::default()).is_err());
    assert_eq!(g.prompt("").unwrap().tokens, 1);
    assert!(matches!(g.step(&ParamValues::default()).unwrap(), Step::Token { .. }));
}

#[test]
fn the_texts_join_to_the_bytes_of_the_tokens() {
    let mut params = ParamValues::default();
    params.set(ParamId::Temperature, 2.0);
    let mut g = generator(5);
    g.prompt("春").unwrap();
    let (mut text, mut bytes) = (String::new(), Vec::new());
    for _ in 0..120 {
        match g.step(&params).unwrap() {
            Step::Token { token, .. } => {
                text.push_str(&token.text);
                bytes.extend_from_slice(g.model().tokenizer().bytes(token.id));
            }
            Step::PieceEnd { .. } => break,
            Step::Forget(_) => {}
        }
    }
    text.push_str(&g.finish());
    assert_eq!(text, String::from_utf8_lossy(&bytes));
}

/// Everything open, so that many roads are there.
fn open() -> ParamValues {
    let mut params = ParamValues::default();
    for (id, value) in [
        (ParamId::Temperature, 1.0),
        (ParamId::TopK, 0.0),
        (ParamId::TopP, 1.0),
        (ParamId::MinP, 0.0),
        (ParamId::RepeatPenalty, 1.0),
    ] {
        params.set(id, value);
    }
    params
}

fn text(steps: &[Step]) -> String {
    let text = |step: &Step| if let Step::Token { token, .. } = step { token.text.clone() } else { String::new() };
    steps.iter().map(text).collect()
}

#[test]
fn taking_back_leaves_what_would_have_been_without() {
    let mut cold = ParamValues::default();
    cold.set(ParamId::Temperature, 0.0);
    let mut g = generator(3);
    g.prompt("春江潮水").unwrap();
    let first = take(&mut g, &cold, 12);
    let rewound = g.rewind(5).unwrap();
    assert_eq!(rewound, Rewound { to: 7, text: text(&first[7..]) });
    let again = take(&mut g, &cold, 5);
    assert_eq!(ids(&again), ids(&first[7..]), "without chance the same road is taken again");
    let Step::Token { token, .. } = &again[0] else { panic!("{again:?}") };
    assert_eq!(token.index, 7);
    assert_eq!(g.rewind(1000).unwrap().to, 0);
    assert_eq!(g.rewind(1), None);
    assert_eq!(ids(&take(&mut g, &cold, 3)), ids(&first[..3]));
}

#[test]
fn half_a_character_is_taken_back_too() {
    let params = open();
    let mut g = generator(9);
    g.prompt("O").unwrap();
    let mut whole = String::new();
    for round in 0..200 {
        match g.step(&params).unwrap() {
            Step::Token { token, .. } => whole.push_str(&token.text),
            Step::PieceEnd { .. } => whole.clear(),
            Step::Forget(_) => {}
        }
        if round % 3 == 2
            && let Some(rewound) = g.rewind(2)
        {
            assert!(whole.ends_with(&rewound.text), "{whole:?} {rewound:?}");
            whole.truncate(whole.len() - rewound.text.len());
        }
    }
}

#[test]
fn the_road_not_taken_is_the_next_likeliest() {
    let mut cold = ParamValues::default();
    cold.set(ParamId::Temperature, 0.0);
    cold.set(ParamId::RepeatPenalty, 1.0);
    let mut g = generator(3);
    g.prompt("The moon").unwrap();
    let steps = take(&mut g, &cold, 6);
    let Step::Token { token: last, .. } = &steps[5] else { panic!() };
    let branched = g.branch().unwrap();
    assert_eq!((branched.rewound.to, &branched.rewound.text), (5, &last.text));
    assert_eq!((&branched.instead_of, &branched.taken), (&last.top[0].text, &last.top[1].text));
    let Step::Token { token, .. } = g.step(&cold).unwrap() else { panic!() };
    assert_eq!((token.id, token.index), (last.top[1].id, 5));
    assert_eq!(g.branch_at_leap(), None, "nothing has leapt");
    assert_eq!(generator(0).branch(), None);
}

#[test]
fn a_kept_piece_comes_back_whole_with_its_prompt() {
    let params = open();
    let mut g = generator(5);
    g.prompt("The moon").unwrap();
    let first = text(&take(&mut g, &params, 10));
    assert!(g.snapshot(2) && !g.snapshot(SLOTS as u8));
    let next = g.draws();
    let on = ids(&take(&mut g, &params, 8));
    g.prompt("春").unwrap();
    take(&mut g, &params, 20);
    assert_eq!(g.restore(1), None);
    let restored = g.restore(2).unwrap();
    assert_eq!(restored, Restored { prompt: "The moon".into(), text: first, given: Vec::new(), index: 10 });
    // The same draws from there on are the same words.
    g.draws = next;
    assert_eq!(ids(&take(&mut g, &params, 8)), on);
}

#[test]
fn a_held_loop_goes_round_and_can_be_escaped_from() {
    let mut params = open();
    let mut g = generator(5);
    g.prompt("The moon").unwrap();
    let before = ids(&take(&mut g, &params, 10));
    params.set(ParamId::Lock, 1.0);
    params.set(ParamId::LockLength, 4.0);
    let held = ids(&take(&mut g, &params, 12));
    assert_eq!(g.held(), Some(4));
    for (i, id) in held.iter().enumerate() {
        assert_eq!(*id, before[6 + i % 4], "{i}");
    }
    // The hand is still on the pad, and the piece leaves all the same.
    assert_eq!(g.escape(), Some(4));
    params.set(ParamId::Lock, 0.0);
    let free = ids(&take(&mut g, &params, 8));
    assert!(free.iter().all(|id| !before[6..].contains(id)), "{free:?} {before:?}");
    assert_eq!((g.held(), g.escape()), (None, None));
}

#[test]
fn the_blend_leads_from_one_prompt_to_the_other() {
    let at = |share: f32| {
        let mut params = open();
        params.set(ParamId::Temperature, 0.0);
        params.set(ParamId::Blend, share);
        let mut g = generator(1);
        g.prompt("The moon").unwrap();
        g.blend_with(Some("春江潮水")).unwrap();
        ids(&take(&mut g, &params, 8))
    };
    let alone = |prompt: &str| {
        let mut params = open();
        params.set(ParamId::Temperature, 0.0);
        let mut g = generator(1);
        g.prompt(prompt).unwrap();
        ids(&take(&mut g, &params, 8))
    };
    assert_eq!(at(0.0), alone("The moon"));
    assert_eq!(at(1.0), alone("春江潮水"));
    // On the way one token's distribution is the mixture of both.
    let mut params = open();
    params.set(ParamId::Blend, 0.5);
    let mut g = generator(1);
    g.prompt("The moon").unwrap();
    g.blend_with(Some("春江潮水")).unwrap();
    let Step::Token { token, .. } = g.step(&params).unwrap() else { panic!() };
    let p = |prompt: &str| {
        let mut model = Model::load(&Source::Embedded).unwrap();
        let ids = prompt::tokens(model.tokenizer(), prompt);
        model.peek(&ids).unwrap().probability(token.id)
    };
    let mixed = 0.5 * p("The moon") + 0.5 * p("春江潮水");
    assert!((token.p - mixed).abs() < 1e-5 * mixed.max(1e-3), "{} {mixed}", token.p);
    // Without a second prompt the knob does nothing.
    g.blend_with(None).unwrap();
    params.set(ParamId::Blend, 1.0);
    assert!(matches!(g.step(&params).unwrap(), Step::Token { .. }));
}

#[test]
fn what_two_prompts_share_is_not_read_twice() {
    let long = "The moon rose over the sea, and the sea was still. ".repeat(9);
    let mut g = generator(1);
    g.prompt(&format!("{long} And")).unwrap();
    g.advance().unwrap();
    let read = g.text.engine().len();
    g.prompt(&format!("{long} But then the wind came")).unwrap();
    let kept = g.text.engine().len();
    let chunk = g.text.engine().chunk();
    assert_eq!(kept % chunk, 0);
    assert!(kept + chunk >= read.min(g.text.ids().len()), "{kept} of {read} in parts of {chunk}");
    let shared = g.step(&open()).unwrap();
    let mut fresh = generator(1);
    fresh.prompt(&format!("{long} But then the wind came")).unwrap();
    assert_eq!(ids(&[shared]), ids(&[fresh.step(&open()).unwrap()]));
}

#[test]
fn a_token_tells_of_its_inside() {
    let mut params = ParamValues::default();
    params.set(ParamId::Lens, 2.0);
    let mut g = generator(1);
    g.prompt("The moon").unwrap();
    let steps = take(&mut g, &params, 2);
    let Step::Token { token, .. } = &steps[1] else { panic!() };
    let spent = token.inside.spent;
    assert!(spent.attention_ms > 0.0 && spent.feed_forward_ms > 0.0 && spent.output_ms > 0.0);
    assert!(spent.attention_ms + spent.feed_forward_ms + spent.output_ms <= token.latency_ms);
    assert!(spent.read_mb > 4.0 && spent.read_mb < 5.5, "{}", spent.read_mb);
    assert_eq!(token.inside.layers_us.len(), 4);
    assert_eq!(token.inside.lens.iter().map(|g| g.layer).collect::<Vec<_>>(), [2]);
}

#[test]
fn another_prompt_leaves_the_piece_behind_on_both_sides_of_a_blend() {
    let mut params = open();
    params.set(ParamId::Temperature, 0.0);
    params.set(ParamId::Blend, 1.0);
    let (mut g, mut fresh) = (generator(1), generator(1));
    g.prompt("The moon").unwrap();
    g.blend_with(Some("春江潮水")).unwrap();
    take(&mut g, &params, 8);
    g.prompt("O sea").unwrap();
    fresh.prompt("O sea").unwrap();
    fresh.blend_with(Some("春江潮水")).unwrap();
    assert_eq!(ids(&take(&mut g, &params, 8)), ids(&take(&mut fresh, &params, 8)));
}

/// A generator whose context has just been cut, with tokens of its opening among what is gone.
fn cut() -> Generator {
    let model = Model::load_with_context(&Source::Embedded, Some(64)).unwrap();
    let mut g = Generator::new(model, 3);
    g.prompt(&"The moon rose. ".repeat(40)).unwrap();
    while g.piece.index < 44 {
        if let Step::PieceEnd { .. } = g.step(&open()).unwrap() {
            g.again();
        }
    }
    assert!(g.text.ids().len() < 16 + 44, "only a part of the piece is still there");
    g
}

#[test]
fn no_road_is_taken_where_the_context_does_not_reach() {
    let mut g = cut();
    let (tokens, reach) = (g.piece.index, g.text.reach() as u32);
    assert_eq!(g.branch_at(tokens), None);
    assert_eq!(g.piece.index, tokens, "nothing was taken back either");
    assert_eq!(g.branch_at(reach).unwrap().rewound.to, tokens - reach);
}

#[test]
fn a_second_prompt_takes_up_what_is_left_of_the_piece() {
    let mut g = cut();
    g.blend_with(Some("春")).unwrap();
    let other = g.other.as_ref().unwrap().ids();
    let left = &g.text.ids()[16..];
    assert!(other.ends_with(left) && other.len() == left.len() + prompt::tokens(g.model.tokenizer(), "春").len());
}

#[test]
fn a_generator_inherits_what_was_kept() {
    let params = open();
    let mut old = generator(5);
    old.prompt("The moon").unwrap();
    take(&mut old, &params, 10);
    old.snapshot(0);
    let mut g = Generator::resume(old.model.fresh(), 5, old.draws());
    g.inherit(&mut old);
    assert_eq!((g.restore(0).unwrap().index, old.restore(0)), (10, None));
    assert!(matches!(g.step(&params).unwrap(), Step::Token { .. }));
}
