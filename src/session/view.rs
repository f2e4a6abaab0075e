//! The performer's view: the terminal's page beside another stage, on a thread of its own.
//!
//! It has a subscription of its own, called `view`, and its keys go where the stage's go. That it fails or is slow
//! changes nothing for the stage; the terminal is given back whatever happens. The second window is the stage's own, in
//! `visuals::window`.

use std::io::{IsTerminal, stdin, stdout};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use crossbeam_channel::Sender;

use super::{StageChoice, View};
use crate::desk::State;
use crate::score::{Bus, Event, Policy, Queue, Shutdown, Stroke};
use crate::{control, model, terminal};

/// Events that the view may be behind before it loses any, as the stage.
const QUEUE: usize = 1 << 17;
/// How long a terminal that takes no more characters may keep the view from its end.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the view can be there beside this stage.
///
/// # Errors
/// It cannot: one line that says why and what to do.
pub fn check(view: View, stage: Option<StageChoice>) -> anyhow::Result<()> {
    match (view, stage) {
        (View::None, _) => Ok(()),
        (View::Window, None | Some(StageChoice::Window)) => Ok(()),
        (View::Window, Some(_)) => {
            bail!("--view window opens beside the stage's window: take --stage window, or --view terminal")
        }
        (View::Terminal, Some(StageChoice::Terminal)) => {
            bail!(
                "--view terminal: the terminal is the stage already; leave --view out, or take --stage window or none"
            )
        }
        (View::Terminal, Some(StageChoice::Plain)) => {
            bail!("--view terminal and --stage plain both write to the terminal; take --stage window or none")
        }
        (View::Terminal, _) => match no_terminal() {
            Some(why) => bail!("--view terminal: {why}; leave it out here"),
            None => Ok(()),
        },
    }
}

/// Why there is no terminal to read from and to draw on, if there is none.
pub fn no_terminal() -> Option<String> {
    if !(stdout().is_terminal() && stdin().is_terminal()) {
        return Some("it needs a terminal for input and output, and this is a pipe or a file".to_string());
    }
    terminal::no_screen(std::env::var("TERM").ok().as_deref())
}

/// Whether there is a terminal to read from and to draw on.
pub fn is_terminal() -> bool {
    no_terminal().is_none()
}

/// A view that has subscribed and is not shown yet.
pub struct Waiting {
    events: Queue,
    bus: Bus,
    keys: Sender<Stroke>,
    shutdown: Shutdown,
}

impl Waiting {
    /// Subscribes to the bus, so that the view sees every event from now on; none where none is wanted.
    pub fn new(view: View, bus: &Bus, keys: &Sender<Stroke>, shutdown: &Shutdown) -> Option<Waiting> {
        (view == View::Terminal).then(|| Waiting {
            events: bus.subscribe("view", Policy::Coalesce, QUEUE),
            bus: bus.clone(),
            keys: keys.clone(),
            shutdown: shutdown.clone(),
        })
    }

    /// Shows it until the end is asked for, from what is known before the first event.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn show(self, known: State) -> anyhow::Result<Shown> {
        let Waiting { events, bus, keys, shutdown } = self;
        let read = events.clone();
        let show = move || {
            let (clock, told) = (bus.clock().clone(), bus.clone());
            let left = events.clone();
            let shown = terminal::stage::run(terminal::TerminalOptions {
                face: terminal::Face::Desk,
                state: known,
                follow: Box::new(crate::visuals::desk::Follower::default()),
                events,
                clock,
                performed: model::is_worker_thread,
                keys,
                shutdown,
                help: control::help::sections(),
                losses: Box::new(move || told.losses()),
            });
            // Nobody reads it any more.
            left.close();
            if let Err(error) = shown {
                let what = format!("the performer's view ended: {error}");
                bus.emit(Event::Fault { place: "view".into(), what, remedy: "the stage plays on".into() });
            }
        };
        let thread = std::thread::Builder::new().name("xiao-view".into()).spawn(show);
        Ok(Shown { thread: thread.context("no thread for the view could be started")?, events: read })
    }
}

/// A view on its thread.
pub struct Shown {
    thread: JoinHandle<()>,
    events: Queue,
}

impl Shown {
    /// Says whether it is still there to be read.
    pub fn is_read(&self) -> impl Fn() -> bool + Send + 'static {
        let events = self.events.clone();
        move || !events.is_closed()
    }

    /// Waits until it has given the terminal back, once the end is asked for.
    pub fn join(self) {
        let began = Instant::now();
        while !self.thread.is_finished() && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        if self.thread.is_finished() {
            // A panic gave the terminal back and said its words.
            let _ = self.thread.join();
        } else {
            terminal::give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_that_want_the_same_terminal_are_refused_with_a_way_out() {
        let refused = |view, stage| check(view, stage).map_err(|why| why.to_string()).unwrap_err();
        assert!(refused(View::Terminal, Some(StageChoice::Terminal)).contains("--stage window or none"));
        assert!(refused(View::Terminal, Some(StageChoice::Plain)).contains("--stage window or none"));
        assert!(refused(View::Window, Some(StageChoice::Plain)).contains("--stage window"));
        assert!(check(View::Window, None).is_ok() && check(View::Window, Some(StageChoice::Window)).is_ok());
        assert!(check(View::None, Some(StageChoice::Plain)).is_ok());
        assert_eq!(check(View::Terminal, None).is_ok(), is_terminal());
    }

    #[test]
    fn only_the_terminal_subscribes() {
        let (bus, shutdown) = (Bus::new(crate::score::Clock::at_rest()), Shutdown::default());
        let (keys, _) = crossbeam_channel::bounded(1);
        assert!(Waiting::new(View::None, &bus, &keys, &shutdown).is_none());
        let waiting = Waiting::new(View::Terminal, &bus, &keys, &shutdown).unwrap();
        assert_eq!(waiting.events.name(), "view");
        assert_eq!(bus.losses(), [("view", 0, 0)]);
    }
}
