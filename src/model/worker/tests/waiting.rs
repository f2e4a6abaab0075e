//! Prompts that wait for their moment.

use super::*;

impl Rig {
    fn choose(&self, name: &str, when: When) {
        self.worker.send(Command::Prompt { name: Some(name.into()), text: Template::plain(name), when });
    }

    /// The tokens until a prompt begins, and its text.
    fn tokens_before(&self) -> (String, String) {
        let mut said = String::new();
        loop {
            match self.next() {
                Event::Token(token) => said.push_str(&token.text),
                Event::Prompt { text, .. } => return (said, text),
                _ => {}
            }
        }
    }
}

fn queued(event: Event) -> Option<(Option<String>, When)> {
    if let Event::Queued { name, when, .. } = event { Some((name, when)) } else { None }
}

#[test]
fn a_chosen_prompt_waits_for_the_sentence() {
    let rig = rig(7, Matrix::default());
    rig.params.set(ParamId::Pace, 60.0);
    rig.prompt("春江潮水");
    rig.tokens(2);
    rig.choose("moon", When::Sentence);
    assert_eq!(rig.until(queued), (Some("moon".into()), When::Sentence));
    let (said, text) = rig.tokens_before();
    assert_eq!(text, "moon");
    assert!(
        said.is_empty() || said.ends_with(['。', '？', '！', '\n', '.', '?', '!']) || said.contains('\n'),
        "{said:?}"
    );
    assert_eq!(rig.until(queued), (None, When::Now), "it waits no longer");
    rig.end();
}

#[test]
fn a_later_choice_replaces_the_earlier_and_the_same_takes_it_back() {
    let rig = rig(7, Matrix::default());
    rig.params.set(ParamId::Hold, 1.0);
    rig.prompt("O sea");
    rig.until(|e| matches!(e, Event::Prefill { done, total } if done == total).then_some(()));
    rig.choose("moon", When::Token);
    rig.choose("dawn", When::Token);
    assert_eq!([rig.until(queued).0, rig.until(queued).0], [Some("moon".into()), Some("dawn".into())]);
    rig.choose("dawn", When::Token);
    assert_eq!(rig.until(queued), (None, When::Now));
    rig.worker.send(Command::Unqueue);
    rig.choose("moon", When::Token);
    assert_eq!(rig.until(queued).0, Some("moon".into()));
    rig.worker.send(Command::Unqueue);
    assert_eq!(rig.until(queued), (None, When::Now));
    rig.choose("moon", When::Token);
    rig.params.set(ParamId::Hold, 0.0);
    let (said, text) = rig.tokens_before();
    assert!(!said.is_empty() && text == "moon", "after a token: {said:?}");
    rig.end();
}

#[test]
fn a_beat_comes_by_itself_and_now_waits_for_nothing() {
    let rig = rig(7, Matrix::default());
    rig.params.set(ParamId::TempoBpm, 300.0);
    rig.params.set(ParamId::Hold, 1.0);
    rig.prompt("O sea");
    rig.until(|e| matches!(e, Event::Prefill { .. }).then_some(()));
    rig.choose("moon", When::Beat);
    assert_eq!(rig.tokens_before(), (String::new(), "moon".into()));
    rig.choose("dawn", When::Piece);
    rig.choose("sea", When::Now);
    assert_eq!(rig.until(queued), (None, When::Now));
    assert_eq!(rig.until(queued), (Some("dawn".into()), When::Piece));
    assert_eq!(rig.tokens_before().1, "sea");
    assert_eq!(rig.until(queued), (None, When::Now));
    rig.end();
}

#[test]
fn what_waits_in_an_interrupted_piece_waits_on_where_another_comes_back() {
    let rig = rig(7, Matrix::default());
    rig.params.set(ParamId::Pace, 60.0);
    rig.prompt("O sea");
    rig.tokens(3);
    rig.worker.send(Command::Snapshot(0));
    rig.choose("dawn", When::Piece);
    assert_eq!(rig.until(queued).0, Some("dawn".into()));
    rig.worker.send(Command::Hold { name: "moon".into(), text: Template::plain("moon") });
    assert_eq!(rig.tokens_before().1, "moon");
    rig.tokens(1);
    rig.worker.send(Command::Restore(0));
    rig.until(|e| matches!(e, Event::Restore { slot: 0, .. }).then_some(()));
    assert_eq!(rig.tokens_before().1, "dawn");
    assert_eq!(rig.until(queued), (None, When::Now));
    rig.end();
}

#[test]
fn what_waits_for_the_pieces_end_begins_there_and_after_a_crash() {
    let rig = rig(4, Matrix::default());
    rig.params.set(ParamId::Rest, 30.0);
    rig.prompt("春");
    rig.choose("moon", When::Piece);
    rig.until(|e| matches!(e, Event::PieceEnd { .. }).then_some(()));
    assert_eq!(rig.tokens_before(), (String::new(), "moon".into()));
    rig.choose("sea", When::Piece);
    rig.until(queued);
    rig.until(queued);
    rig.worker.send(Command::Crash);
    assert_eq!(rig.until(|e| if let Event::Prompt { text, .. } = e { Some(text) } else { None }), "sea");
    rig.end();
}
