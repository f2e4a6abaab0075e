//! Prompts that are played while they are held.

use super::*;
use crate::score::event::INTERRUPTED;

impl Rig {
    fn down(&self, name: &str) {
        self.worker.send(Command::Hold { name: name.into(), text: Template::plain(name) });
    }

    fn up(&self, name: &str) {
        self.worker.send(Command::LetGo(name.into()));
    }
}

fn prompt(event: Event) -> Option<String> {
    if let Event::Prompt { text, .. } = event { Some(text) } else { None }
}

/// The name of the prompt, the text, and the index of the next token of a piece that goes on.
fn back(event: Event) -> Option<(Option<String>, String, u32)> {
    match event {
        Event::Restore { slot: INTERRUPTED, name, text, index, .. } => Some((name, text, index)),
        _ => None,
    }
}

/// The likeliest tokens, so that a piece can be told from another without its chance.
fn still(rig: &Rig) {
    rig.params.set(ParamId::Temperature, 0.0);
}

#[test]
fn an_interrupted_piece_goes_on_as_if_nothing_had_been() {
    let whole = rig(3, Matrix::default());
    still(&whole);
    whole.prompt("O sea");
    let right: Vec<u32> = whole.tokens(24).iter().map(|t| t.id).collect();
    whole.end();

    let rig = rig(3, Matrix::default());
    still(&rig);
    rig.params.set(ParamId::Pace, 50.0);
    rig.prompt("O sea");
    let mut got = rig.tokens(8);
    rig.down("The moon");
    // What was drawn until the press belongs to the piece.
    let interrupted = rig.until(|e| match e {
        Event::Token(token) => Some(Some(token)),
        Event::Prompt { .. } => Some(None),
        _ => None,
    });
    if let Some(token) = interrupted {
        got.push(token);
        assert_eq!(rig.until(prompt), "The moon");
    }
    rig.tokens(4);
    rig.up("The moon");
    let (name, text, index) = rig.until(back);
    let said: String = got.iter().map(|t| t.text.as_str()).collect();
    assert_eq!((name, text, index), (None, said, got.len() as u32));
    got.extend(rig.tokens(24 - index as usize));
    assert_eq!(got.iter().map(|t| t.id).collect::<Vec<_>>(), right);
    rig.end();
}

#[test]
fn of_several_the_last_is_heard_and_each_gives_back_what_it_took() {
    let rig = rig(3, Matrix::default());
    rig.params.set(ParamId::Pace, 50.0);
    rig.prompt("O sea");
    rig.tokens(3);
    rig.down("moon");
    assert_eq!(rig.until(prompt), "moon");
    rig.tokens(2);
    rig.down("dawn");
    assert_eq!(rig.until(prompt), "dawn");
    rig.tokens(2);
    // The lower one is let go: what it had interrupted comes after the upper one.
    rig.up("moon");
    rig.tokens(2);
    rig.up("dawn");
    let (name, _, index) = rig.until(back);
    assert!(name.is_none() && index >= 3);
    // In the other order each comes back in turn.
    rig.down("moon");
    rig.until(prompt);
    rig.tokens(2);
    rig.down("dawn");
    rig.until(prompt);
    rig.up("dawn");
    assert_eq!(rig.until(back).0.as_deref(), Some("moon"));
    rig.up("moon");
    assert_eq!(rig.until(back).0, None);
    rig.up("moon");
    rig.tokens(2);
    rig.end();
}

#[test]
fn a_chosen_prompt_ends_the_hold_and_one_that_waits_goes_on_waiting() {
    let rig = rig(3, Matrix::default());
    let choose =
        |when| rig.worker.send(Command::Prompt { name: Some("dawn".into()), text: Template::plain("春"), when });
    rig.params.set(ParamId::Pace, 50.0);
    rig.prompt("O sea");
    rig.tokens(3);
    rig.down("moon");
    assert_eq!(rig.until(prompt), "moon");
    choose(When::Now);
    assert_eq!(rig.until(prompt), "春");
    rig.up("moon");
    rig.tokens(4);
    // A prompt that waits in the piece waits there until it is back.
    rig.params.set(ParamId::Rest, 30.0);
    choose(When::Piece);
    rig.down("moon");
    assert_eq!(rig.until(prompt), "moon");
    rig.until(|e| matches!(e, Event::PieceEnd { .. }).then_some(()));
    rig.up("moon");
    rig.until(back);
    rig.until(|e| matches!(e, Event::PieceEnd { .. }).then_some(()));
    assert_eq!(rig.until(prompt), "春");
    rig.end();
}

#[test]
fn an_ended_piece_comes_back_at_rest_and_does_not_end_again() {
    let rig = rig(3, Matrix::default());
    rig.params.set(ParamId::Rest, 30.0);
    rig.prompt("O sea");
    rig.until(|e| matches!(e, Event::PieceEnd { .. }).then_some(()));
    rig.down("moon");
    assert_eq!(rig.until(prompt), "moon");
    rig.tokens(1);
    rig.up("moon");
    assert!(rig.until(|e| if let Event::Restore { ended, .. } = e { Some(ended) } else { None }));
    assert!(rig.is_still(), "it does not end once more");
    // What was chosen meanwhile for the piece's end begins: it has ended.
    rig.down("moon");
    assert_eq!(rig.until(prompt), "moon");
    rig.worker.send(Command::Prompt { name: Some("dawn".into()), text: Template::plain("春"), when: When::Piece });
    rig.up("moon");
    assert_eq!(rig.until(prompt), "春");
    rig.end();
}

#[test]
fn a_crash_while_a_prompt_is_held_leaves_what_it_interrupted() {
    let rig = rig(3, Matrix::default());
    rig.params.set(ParamId::Pace, 50.0);
    rig.prompt("O sea");
    rig.tokens(5);
    rig.down("moon");
    assert_eq!(rig.until(prompt), "moon");
    rig.tokens(1);
    rig.worker.send(Command::Crash);
    rig.up("moon");
    let (_, _, index) = rig.until(back);
    assert!(index >= 5);
    let next = rig.tokens(1).remove(0);
    assert_eq!(next.index, index);
    // With nothing to come back to, the model falls silent.
    rig.end();
    let rig = super::rig(3, Matrix::default());
    rig.down("moon");
    rig.until(prompt);
    rig.up("moon");
    assert!(rig.is_silent());
    rig.end();
}
