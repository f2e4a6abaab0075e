//! The stage as plain text: the words go to `out` as they come, everything else aside, to stderr.
//!
//! Runs on the main thread where there is no terminal or nobody wants one, so that `xiao play | …` works. Ends when
//! shutdown is requested or the queue is closed.

use std::io::{self, ErrorKind, Write};
use std::time::Duration;

use crate::desk::clean;
use crate::score::event::{back_to, branched, waits};
use crate::score::{Event, Queue, Received, Shutdown};

/// What the plain stage needs.
pub struct PlainOptions<W> {
    pub events: Queue,
    pub shutdown: Shutdown,
    /// Where the words go; flushed after each token.
    pub out: W,
}

/// How long a last event is waited for after shutdown was requested.
const GRACE: Duration = Duration::from_millis(60);

/// Performs until shutdown is requested or the queue is closed and empty.
///
/// A reader that has gone (`xiao play | head`) is no error: shutdown is requested and the rest is left unsaid.
///
/// # Errors
/// If `out` cannot be written for another reason; shutdown is requested then too.
pub fn run<W: Write>(options: PlainOptions<W>, aside: &mut impl Write) -> io::Result<()> {
    let PlainOptions { events, shutdown, out } = options;
    let mut words = Words { out, newlines: 2, turned: false };
    let mut last = Vec::new();
    let mut open = true;
    while open {
        match events.receive(Duration::from_millis(100)) {
            Received::Event(stamped) => last.push(stamped),
            Received::Nothing => {}
            Received::Closed => open = false,
        }
        if shutdown.requested() {
            // What is on its way is still said.
            while let Received::Event(stamped) = events.receive(GRACE) {
                last.push(stamped);
            }
            open = false;
        }
        let written = last.drain(..).try_for_each(|stamped| words.take(&stamped.event, aside));
        if let Err(error) = written {
            shutdown.request("the words have no reader");
            return if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) };
        }
    }
    match words.end() {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

struct Words<W> {
    out: W,
    /// Newlines at the end of what was written; the very beginning counts as a blank line.
    newlines: usize,
    turned: bool,
}

impl<W: Write> Words<W> {
    fn take(&mut self, event: &Event, aside: &mut impl Write) -> io::Result<()> {
        // stderr may be closed; the words go on.
        let mut say = |text: String| drop(writeln!(aside, "xiao: {}", clean::line(&text)));
        match event {
            Event::Token(token) => return self.write(&clean::text(&token.text)),
            Event::Layer { text, .. } => {
                self.turned = false;
                return self.write(&clean::text(text));
            }
            Event::PieceEnd { .. } => self.turned = true,
            Event::Prompt { text, .. } => {
                self.turned = true;
                say(format!("prompt: {text}"));
            }
            Event::Queued { name, text, when } if !text.is_empty() => say(waits(name.as_deref(), text, *when)),
            Event::Scene { name, index, of } => say(format!("scene {} of {of}: {name}", u64::from(*index) + 1)),
            Event::Settings { name, .. } => say(format!("settings {name}")),
            Event::Begin { title, model, seed, .. } => say(format!("{title} · {model} · seed {seed}")),
            Event::Sound { output, .. } => say(format!("sound: {output}")),
            Event::Fault { place, what, remedy } if remedy.is_empty() => say(format!("fault in {place}: {what}")),
            Event::Fault { place, what, remedy } => say(format!("fault in {place}: {what}; {remedy}")),
            Event::Notice { text } => say(text.clone()),
            Event::Load { done: 0, .. } => say("the model is being brought into memory".to_string()),
            Event::Rewind { text, .. } => say(format!("taken back: {text}")),
            Event::Restore { slot, .. } => {
                self.turned = true;
                say(back_to(*slot));
            }
            Event::Snapshot { slot } => say(format!("kept as {}", slot + 1)),
            Event::Branch { instead_of, taken, .. } => say(branched(instead_of, taken)),
            Event::Flaw(flaw) if !flaw.cause.is_empty() => say(format!("{}: {}", flaw.title(), flaw.cause)),
            Event::Note { text } => say(format!("note: {text}")),
            _ => {}
        }
        Ok(())
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        if self.turned {
            self.turned = false;
            while self.newlines < 2 {
                self.out.write_all(b"\n")?;
                self.newlines += 1;
            }
        }
        self.out.write_all(text.as_bytes())?;
        let trailing = text.len() - text.trim_end_matches('\n').len();
        self.newlines = if trailing == text.len() { self.newlines + trailing } else { trailing };
        self.out.flush()
    }

    /// Ends the last line.
    fn end(&mut self) -> io::Result<()> {
        if self.newlines == 0 {
            self.out.write_all(b"\n")?;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::score::{Policy, Stamped, Token};

    fn queue(events: Vec<Event>) -> Queue {
        let queue = Queue::new("plain", Policy::Coalesce, 1000);
        for (seq, event) in events.into_iter().enumerate() {
            queue.push(Arc::new(Stamped { seq: seq as u64, t_ns: 0, event }));
        }
        queue.close();
        queue
    }

    fn token(text: &str) -> Event {
        Event::Token(Token {
            id: 1,
            text: text.to_string(),
            index: 0,
            latency_ms: 1.0,
            p: 1.0,
            surprise_bits: 0.0,
            entropy_bits: 0.0,
            context_fill: 0.0,
            inside: Default::default(),
            top: Vec::new(),
        })
    }

    fn prompt() -> Event {
        Event::Prompt { name: None, text: "春".to_string(), tokens: 1 }
    }

    fn said(events: Vec<Event>) -> (String, String) {
        let (mut out, mut aside) = (Vec::new(), Vec::new());
        let options = PlainOptions { events: queue(events), shutdown: Shutdown::default(), out: &mut out };
        run(options, &mut aside).unwrap();
        (String::from_utf8(out).unwrap(), String::from_utf8(aside).unwrap())
    }

    #[test]
    fn words_go_out_and_the_rest_aside() {
        let fault = Event::Fault { place: "generator".into(), what: "it\nfell\x1b[2J".into(), remedy: String::new() };
        let (out, aside) = said(vec![
            prompt(),
            token("春"),
            token("風"),
            fault,
            Event::PieceEnd { tokens: 2 },
            prompt(),
            token("a\tb\n"),
            token("\x1b]0;x\x07"),
            Event::PieceEnd { tokens: 2 },
            token("c"),
        ]);
        assert_eq!(out, "春風\n\na\tb\n]0;x\n\nc\n");
        assert_eq!(aside, "xiao: prompt: 春\nxiao: fault in generator: it fell[2J\nxiao: prompt: 春\n");
    }

    #[test]
    fn pieces_that_end_with_newlines_stand_no_further_apart() {
        let end = || Event::PieceEnd { tokens: 1 };
        assert_eq!(said(vec![token("a\n\n"), end(), token("b")]).0, "a\n\nb\n");
        assert_eq!(said(vec![token("a\n"), token("\n"), end(), token("b\n")]).0, "a\n\nb\n");
        assert_eq!(said(vec![]).0, "");
    }

    #[test]
    fn each_token_is_flushed() {
        /// Counts what has been flushed.
        #[derive(Default)]
        struct Pipe(Vec<usize>, usize);
        impl Write for &mut Pipe {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.1 += bytes.len();
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                self.0.push(self.1);
                Ok(())
            }
        }
        let mut pipe = Pipe::default();
        let events = queue(vec![token("ab"), token("c")]);
        run(PlainOptions { events, shutdown: Shutdown::default(), out: &mut pipe }, &mut io::sink()).unwrap();
        assert_eq!(pipe.0, [2, 3, 4]);
    }

    #[test]
    fn a_reader_that_has_gone_ends_the_show_quietly() {
        struct Gone(ErrorKind);
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for (kind, quiet) in [(ErrorKind::BrokenPipe, true), (ErrorKind::StorageFull, false)] {
            let shutdown = Shutdown::default();
            let options = PlainOptions { events: queue(vec![token("a")]), shutdown: shutdown.clone(), out: Gone(kind) };
            assert_eq!(run(options, &mut io::sink()).is_ok(), quiet);
            assert!(shutdown.requested());
        }
    }

    #[test]
    fn shutdown_ends_it_after_what_waits() {
        let events = Queue::new("plain", Policy::Coalesce, 10);
        events.push(Arc::new(Stamped { seq: 0, t_ns: 0, event: token("last") }));
        let shutdown = Shutdown::default();
        shutdown.request("q");
        let mut out = Vec::new();
        run(PlainOptions { events, shutdown, out: &mut out }, &mut io::sink()).unwrap();
        assert_eq!(out, b"last\n");
    }
}
