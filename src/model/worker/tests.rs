//! Tests of the worker with the embedded model: what it emits, never how fast.

use std::time::Duration;

use super::super::{Generator, Step};
use super::*;
use crate::patch::{Origin, Route, Template};
use crate::score::{Clock, Event, Hand, ParamId, ParamValues, Queue, Received, SignalId, Timeline, Token, When};

/// A worker, its parameters and everything it emits.
struct Rig {
    worker: Worker,
    params: Arc<Params>,
    bus: Bus,
    events: Queue,
    shutdown: Shutdown,
}

fn rig(seed: u64, matrix: Matrix) -> Rig {
    let bus = Bus::new(Clock::live());
    let events = bus.subscribe("test", Policy::Whole, 100_000);
    let (params, shutdown) = (Arc::new(Params::default()), Shutdown::default());
    let worker = Worker::spawn(WorkerOptions {
        model: Model::load(&Source::Embedded).unwrap(),
        source: Source::Embedded,
        params: params.clone(),
        matrix,
        sampler: SamplerSpec::default(),
        chat: patch::Chat::default(),
        bus: bus.clone(),
        seed,
        shutdown: shutdown.clone(),
    });
    Rig { worker: worker.unwrap(), params, bus, events, shutdown }
}

impl Rig {
    fn prompt(&self, text: &str) {
        assert!(self.worker.send(Command::Prompt { name: None, text: Template::plain(text), when: When::Now }));
    }

    fn next(&self) -> Event {
        match self.events.receive(Duration::from_secs(60)) {
            Received::Event(stamped) => stamped.event.clone(),
            other => panic!("{other:?}"),
        }
    }

    /// Passes events until one is wanted.
    fn until<T>(&self, want: impl Fn(Event) -> Option<T>) -> T {
        loop {
            if let Some(found) = want(self.next()) {
                return found;
            }
        }
    }

    fn tokens(&self, n: usize) -> Vec<Token> {
        (0..n).map(|_| self.until(token)).collect()
    }

    /// No token comes any more, though the worker had time for many.
    fn is_silent(&self) -> bool {
        let mut seen = Vec::new();
        self.events.drain(&mut seen);
        std::thread::sleep(Duration::from_millis(150));
        seen.clear();
        self.events.drain(&mut seen);
        !seen.iter().any(|e| matches!(e.event, Event::Token(_)))
    }

    /// Whether nothing at all is told for a while.
    fn is_still(&self) -> bool {
        !matches!(self.events.receive(Duration::from_millis(150)), Received::Event(_))
    }

    fn end(self) {
        self.shutdown.request("test");
        self.worker.join();
    }
}

fn token(event: Event) -> Option<Token> {
    if let Event::Token(token) = event { Some(token) } else { None }
}

#[test]
fn the_worker_and_the_generator_play_the_same_tokens() {
    let rig = rig(11, Matrix::default());
    rig.prompt("The moon");
    let got: Vec<u32> = rig.tokens(60).iter().map(|t| t.id).collect();
    rig.end();
    let mut generator = Generator::new(Model::load(&Source::Embedded).unwrap(), 11);
    generator.prompt("The moon").unwrap();
    let mut right = Vec::new();
    while right.len() < 60 {
        if let Step::Token { token, .. } = generator.step(&ParamValues::default()).unwrap() {
            right.push(token.id);
        }
    }
    assert_eq!(got, right);
}

#[test]
fn a_prompt_is_announced_read_and_played() {
    let rig = rig(1, Matrix::default());
    rig.params.set(ParamId::Pace, 50.0);
    // In the middle of a line, where no piece ends.
    rig.prompt(&format!("{}春眠", "春眠不觉晓，处处闻啼鸟。".repeat(6)));
    let Event::Prompt { tokens, .. } = rig.next() else { panic!() };
    let mut last = 0;
    loop {
        match rig.next() {
            Event::Prefill { done, total } => {
                assert!(done > last && total == tokens);
                last = done;
            }
            Event::Token(token) => {
                assert_eq!((last, token.index), (tokens, 0));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    rig.prompt("moon");
    let name = rig.until(|e| if let Event::Prompt { text, .. } = e { Some(text) } else { None });
    assert_eq!((name.as_str(), rig.tokens(1)[0].index), ("moon", 0));
    rig.worker.send(Command::Again);
    assert_eq!(rig.until(|e| if let Event::Prompt { text, .. } = e { Some(text) } else { None }), "moon");
    rig.end();
}

#[test]
fn the_pedal_withholds_and_a_turn_of_the_knob_acts_on_the_withheld_token() {
    let rig = rig(5, Matrix::default());
    for (id, value) in [(ParamId::Temperature, 2.0), (ParamId::TopK, 0.0), (ParamId::TopP, 1.0), (ParamId::MinP, 0.0)] {
        rig.params.set(id, value);
    }
    rig.params.set(ParamId::RepeatPenalty, 1.0);
    rig.params.set(ParamId::Pace, 100.0);
    rig.prompt("The moon");
    rig.tokens(3);
    for _ in 0..5 {
        rig.params.set(ParamId::Hold, 1.0);
        while !rig.is_silent() {}
        // At 0 the likeliest must come, whatever the heat was when the token was computed.
        rig.params.set(ParamId::Temperature, 0.0);
        rig.params.set(ParamId::Pace, 20.0);
        rig.params.set(ParamId::Hold, 0.0);
        let token = rig.tokens(1).remove(0);
        rig.params.set(ParamId::Temperature, 2.0);
        assert_eq!(token.id, token.top[0].id);
    }
    rig.end();
}

#[test]
fn a_crash_is_an_event_and_the_prompt_comes_back() {
    let rig = rig(2, Matrix::default());
    rig.params.set(ParamId::Pace, 100.0);
    rig.prompt("The moon");
    rig.tokens(2);
    // Two in a row: the second brings the model back from its file.
    rig.worker.send(Command::Crash);
    rig.worker.send(Command::Crash);
    for _ in 0..2 {
        let fault = |e| if let Event::Fault { place, what, .. } = e { Some((place, what)) } else { None };
        let (place, what) = rig.until(fault);
        assert_eq!((place.as_str(), what.as_str()), ("generator", "the performer broke the generator"));
    }
    assert_eq!(rig.until(|e| if let Event::Prompt { text, .. } = e { Some(text) } else { None }), "The moon");
    let tokens = rig.tokens(3);
    assert_eq!(tokens.iter().map(|t| t.index).collect::<Vec<_>>(), [0, 1, 2]);
    rig.end();
}

#[test]
fn a_model_that_comes_back_says_so_without_a_prompt() {
    let rig = rig(2, Matrix::default());
    rig.worker.send(Command::Crash);
    rig.until(|e| matches!(e, Event::Fault { .. }).then_some(()));
    let (done, total) = rig.until(|e| if let Event::Load { done, total } = e { Some((done, total)) } else { None });
    assert!(done == total && total > 0, "{done} of {total}");
    rig.end();
}

#[test]
fn a_piece_that_ends_begins_again() {
    let rig = rig(4, Matrix::default());
    rig.params.set(ParamId::Rest, 0.0);
    rig.prompt("春");
    let ended = rig.until(|e| if let Event::PieceEnd { tokens } = e { Some(tokens) } else { None });
    assert!(ended > 0);
    assert!(matches!(rig.next(), Event::Prompt { .. }));
    assert_eq!(rig.tokens(1)[0].index, 0);
    rig.end();
}

#[test]
fn the_matrix_reaches_the_sampler() {
    // Full load turns the heat down to nothing.
    let route = Route::new(Origin::Signal(SignalId::Cpu), ParamId::Temperature, -1.0);
    let rig = rig(6, Matrix { routes: vec![route], ..Matrix::default() });
    rig.params.set(ParamId::Temperature, 2.0);
    rig.params.set(ParamId::RepeatPenalty, 1.0);
    let sample = crate::score::MachineSample { values: vec![(SignalId::Cpu, 1.0)], ..Default::default() };
    rig.bus.emit(Event::Machine(sample));
    rig.prompt("The moon");
    assert!(rig.tokens(30).iter().all(|t| t.id == t.top[0].id));
    rig.worker.send(Command::Matrix(Matrix::default()));
    assert!(rig.tokens(200).iter().any(|t| t.id != t.top[0].id));
    rig.end();
}

#[test]
fn shutdown_ends_every_wait() {
    rig(0, Matrix::default()).end();
    let held = rig(0, Matrix::default());
    held.params.set(ParamId::Hold, 1.0);
    held.prompt("The moon");
    held.until(|e| matches!(e, Event::Prefill { .. }).then_some(()));
    held.end();
}

#[test]
fn ways_back_are_events_that_a_stage_can_follow() {
    let rig = rig(4, Matrix::default());
    // Held, so that each command meets a piece that stands still.
    rig.params.set(ParamId::Pace, 50.0);
    rig.prompt("The moon");
    rig.tokens(6);
    rig.params.set(ParamId::Hold, 1.0);
    assert!(rig.is_silent());
    rig.worker.send(Command::Snapshot(0));
    rig.until(|e| matches!(e, Event::Snapshot { slot: 0 }).then_some(()));
    rig.worker.send(Command::Rewind(2));
    let (to, taken) = rig.until(|e| if let Event::Rewind { to, text } = e { Some((to, text)) } else { None });
    assert!(to >= 4 && !taken.is_empty());
    rig.worker.send(Command::Branch);
    let back = rig.until(|e| if let Event::Rewind { to, .. } = e { Some(to) } else { None });
    let branch = rig.until(|e| if let Event::Branch { index, taken, .. } = e { Some((index, taken)) } else { None });
    assert_eq!((back, branch.0), (to - 1, to - 1));
    rig.worker.send(Command::Restore(0));
    let restored =
        rig.until(|e| if let Event::Restore { prompt, index, .. } = e { Some((prompt, index)) } else { None });
    assert_eq!(restored, ("The moon".to_string(), to + 2));
    rig.worker.send(Command::Restore(5));
    assert!(rig.until(|e| if let Event::Notice { text } = e { Some(text) } else { None }).contains("kept as 6"));
    rig.params.set(ParamId::Lock, 1.0);
    rig.params.set(ParamId::Hold, 0.0);
    let period = rig.until(|e| if let Event::Loop { period } = e { Some(period) } else { None });
    assert_eq!(period, 8, "the piece grows to the loop's length first");
    let next = rig.until(token);
    assert_eq!(next.index, 8);
    rig.params.set(ParamId::Lock, 0.0);
    rig.until(|e| matches!(e, Event::Loop { period: 0 }).then_some(()));
    rig.worker.send(Command::Blend { name: None, text: Template::plain("春") });
    assert!(rig.until(|e| if let Event::Blend { tokens, .. } = e { Some(tokens) } else { None }) > 0);
    rig.tokens(2);
    rig.end();
}

#[test]
fn nothing_is_taken_back_where_nothing_stands() {
    let rig = rig(4, Matrix::default());
    rig.worker.send(Command::Rewind(1));
    let said = rig.until(|e| if let Event::Notice { text } = e { Some(text) } else { None });
    assert!(said.contains("no piece"), "{said}");
    rig.prompt("O sea");
    rig.tokens(1);
    rig.end();
}

#[test]
fn what_was_kept_and_the_second_prompt_outlive_a_crash() {
    let rig = rig(5, Matrix::default());
    rig.prompt("The moon");
    rig.worker.send(Command::Blend { name: None, text: Template::plain("春") });
    rig.tokens(4);
    rig.worker.send(Command::Snapshot(0));
    rig.until(|e| matches!(e, Event::Snapshot { .. }).then_some(()));
    // Another second prompt, so that going back changes it.
    rig.worker.send(Command::Blend { name: None, text: Template::default() });
    rig.worker.send(Command::Crash);
    rig.until(|e| matches!(e, Event::Prompt { .. }).then_some(()));
    rig.tokens(2);
    rig.worker.send(Command::Restore(0));
    rig.until(|e| matches!(e, Event::Restore { slot: 0, .. }).then_some(()));
    let Event::Blend { text, tokens, .. } = rig.next() else { panic!() };
    assert_eq!((text.as_str(), tokens > 0), ("春", true));
    rig.tokens(2);
    rig.end();
}

#[test]
fn the_prompt_of_a_kept_piece_is_the_present_one_again() {
    let rig = rig(5, Matrix::default());
    let prompt = || rig.until(|e| if let Event::Prompt { text, .. } = e { Some(text) } else { None });
    rig.prompt("The moon");
    rig.tokens(4);
    rig.worker.send(Command::Snapshot(0));
    rig.prompt("春");
    assert_eq!((prompt(), rig.tokens(2).len()), ("春".to_string(), 2));
    rig.worker.send(Command::Restore(0));
    rig.worker.send(Command::Again);
    assert_eq!(prompt(), "The moon");
    // A prompt that comes after a wish to begin again, or before it, is the one that is asked.
    rig.tokens(1);
    rig.worker.send(Command::Again);
    rig.prompt("春");
    rig.worker.send(Command::Again);
    let model = Model::load(&Source::Embedded).unwrap();
    let right = super::super::prompt::tokens(model.tokenizer(), "春").len() as u32;
    let read = rig.until(|e| match e {
        Event::Prompt { text, tokens, .. } if text == "春" => Some(tokens),
        _ => None,
    });
    assert_eq!(read, right);
    rig.end();
}

#[test]
fn a_kept_piece_that_had_ended_rests_again() {
    let rig = rig(5, Matrix::default());
    rig.params.set(ParamId::Rest, 10.0);
    rig.prompt("The moon");
    let ended = |e| if let Event::PieceEnd { tokens } = e { Some(tokens) } else { None };
    let tokens = rig.until(ended);
    rig.worker.send(Command::Snapshot(0));
    rig.prompt("春");
    rig.tokens(2);
    rig.worker.send(Command::Restore(0));
    let back = rig.until(|e| if let Event::Restore { index, ended, .. } = e { Some((index, ended)) } else { None });
    assert_eq!(back, (tokens, true));
    assert!(rig.is_still(), "it does not end once more");
    // At rest, it waits for nothing else.
    rig.worker.send(Command::Prompt { name: None, text: Template::plain("春"), when: When::Piece });
    rig.tokens(1);
    rig.end();
}

#[test]
fn tokens_come_on_lines_of_the_beat_and_never_two_on_one() {
    let rig = rig(3, Matrix::default());
    let line = Timeline::from_the_beginning(240.0);
    rig.bus.emit(line.event(Hand::Patch, "").1);
    rig.params.set(ParamId::Grid, ParamId::Grid.spec().named("1/16").unwrap());
    rig.prompt("The moon");
    let mut lines = Vec::new();
    while lines.len() < 24 {
        match rig.events.receive(Duration::from_secs(60)) {
            // However late the machine makes it, a token belongs to the line before it.
            Received::Event(stamped) if matches!(stamped.event, Event::Token(_)) => {
                lines.push((4.0 * line.beats(stamped.t_ns) + 1e-6).floor());
            }
            Received::Event(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(lines.windows(2).all(|w| w[0] < w[1]), "{lines:?}");
    // The pedal withholds them there too.
    rig.params.set(ParamId::Hold, 1.0);
    std::thread::sleep(Duration::from_millis(50));
    assert!(rig.is_silent());
    rig.params.set(ParamId::Hold, 0.0);
    rig.tokens(2);
    rig.end();
}
mod holds;
mod layers;
mod templates;
mod waiting;
