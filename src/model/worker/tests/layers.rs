//! Words put into the piece while it is played, read, at rest and gone.

use super::*;

#[test]
fn words_go_in_where_there_is_a_piece_and_elsewhere_it_is_said_why_not() {
    let rig = rig(3, Matrix::default());
    let layer =
        |text: &str| assert!(rig.worker.send(Command::Layer { name: Some("sea".into()), text: Template::plain(text) }));
    let notice = |event| if let Event::Notice { text } = event { Some(text) } else { None };
    let layered = |event| match event {
        Event::Layer { name, text, tokens, index } => Some((name, text, tokens, index)),
        _ => None,
    };
    layer("O sea");
    assert!(rig.until(notice).contains("no piece yet"));
    rig.params.set(ParamId::Pace, 50.0);
    rig.params.set(ParamId::Rest, 30.0);
    rig.prompt("春");
    layer("O sea");
    assert!(rig.until(notice).contains("once the prompt has been read"));
    rig.tokens(2);
    rig.params.set(ParamId::Hold, 1.0);
    while !rig.is_silent() {}
    layer("月");
    let (name, text, tokens, index) = rig.until(layered);
    assert_eq!((name.as_deref(), text.as_str()), (Some("sea"), "月"));
    assert!(matches!(rig.next(), Event::Prefill { .. }), "they are read before the next token");
    rig.params.set(ParamId::Hold, 0.0);
    assert_eq!(rig.tokens(1)[0].index, index + tokens);
    let ended = rig.until(|e| if let Event::PieceEnd { tokens } = e { Some(tokens) } else { None });
    layer("The moon");
    assert_eq!(rig.until(layered).3, ended, "a piece at rest goes on");
    rig.worker.send(Command::Crash);
    layer("O sea");
    assert!(rig.until(notice).contains("the model is gone"));
    rig.tokens(1);
    rig.end();
}
