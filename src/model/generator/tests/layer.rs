//! Words that the performer puts into a piece.

use super::*;

#[test]
fn the_model_goes_on_as_if_it_had_written_the_words() {
    let mut params = ParamValues::default();
    params.set(ParamId::Temperature, 0.0);
    params.set(ParamId::RepeatPenalty, 1.0);
    let mut g = generator(3);
    g.prompt("The moon").unwrap();
    take(&mut g, &params, 4);
    let layered = g.layer("and the sea").unwrap();
    assert_eq!((layered.index, layered.left_out, &layered.forgot), (4, 0, &None));
    assert_eq!(layered.text, " and the sea", "a space is between two words");
    let ids = g.text.ids().to_vec();
    let next = g.step(&params).unwrap();
    let Step::Token { token, .. } = next else { panic!() };
    assert_eq!(token.index, 4 + layered.tokens);
    let mut model = Model::load(&Source::Embedded).unwrap();
    assert_eq!(token.id, model.peek(&ids).unwrap().top(1)[0].id);
    // They can be taken back as what was written can.
    let rewound = g.rewind(1 + layered.tokens).unwrap();
    assert_eq!((rewound.to, rewound.text), (4, format!("{}{}", layered.text, token.text)));
}

#[test]
fn a_piece_that_comes_back_says_which_words_are_the_performers() {
    let mut g = generator(3);
    g.prompt("春").unwrap();
    take(&mut g, &ParamValues::default(), 3);
    let first = g.layer("江月").unwrap();
    take(&mut g, &ParamValues::default(), 2);
    let second = g.layer("潮").unwrap();
    g.snapshot(0);
    let theirs = |g: &mut Generator| {
        let restored = g.restore(0).unwrap();
        let text: Vec<char> = restored.text.chars().collect();
        restored
            .given
            .iter()
            .map(|(from, to)| text[*from as usize..*to as usize].iter().collect())
            .collect::<Vec<String>>()
    };
    assert_eq!(theirs(&mut g), ["江月", "潮"]);
    // What is taken back is no longer theirs.
    g.rewind(second.tokens + 2 + first.tokens).unwrap();
    g.snapshot(0);
    assert_eq!(theirs(&mut g), [""; 0]);
}

#[test]
fn a_piece_that_had_ended_goes_on() {
    let mut g = generator(3);
    g.prompt("春").unwrap();
    while !g.ended() {
        g.step(&ParamValues::default()).unwrap();
    }
    let index = g.piece.index;
    assert_eq!(g.layer("江").unwrap().index, index);
    let Step::Token { token, .. } = g.step(&ParamValues::default()).unwrap() else { return };
    assert_eq!(token.index, g.piece.index - 1);
    assert!(g.layer("").is_none());
}

#[test]
fn words_never_outgrow_the_context() {
    let model = Model::load_with_context(&Source::Embedded, Some(64)).unwrap();
    let mut g = Generator::new(model, 3);
    g.prompt("The moon").unwrap();
    g.blend_with(Some("春江")).unwrap();
    for round in 0..30 {
        let layered = g.layer(&"the sea is still, ".repeat(1 + round % 12)).unwrap();
        assert!(layered.tokens <= 16, "{layered:?}");
        assert!(g.text.ids().len() <= 64 && g.other.as_ref().unwrap().ids().len() <= 64);
        assert!(matches!(g.step(&open()), Ok(Step::Token { .. } | Step::Forget(_) | Step::PieceEnd { .. })));
    }
    assert!(g.layer(&"the sea ".repeat(99)).unwrap().left_out > 0);
}

#[test]
fn only_what_the_model_writes_is_its_flaw() {
    let mut g = generator(3);
    g.prompt("The moon").unwrap();
    take(&mut g, &ParamValues::default(), 2);
    g.layer("sea sea sea sea sea sea").unwrap();
    assert!(g.piece.flaws.looping().is_some(), "what comes after may go on with it");
    let layered = g.layer("春").unwrap();
    assert_eq!(layered.text, "春", "no space before what needs none");
}
