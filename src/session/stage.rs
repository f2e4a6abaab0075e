//! The choice of a stage and its running on the main thread.

use std::io::{Write, stdout};

use anyhow::bail;
use crossbeam_channel::Sender;

use super::pictures::Pictures;
use super::view::{self, Shown};
use super::{StageChoice, View};
use crate::desk::State;
use crate::score::{Bus, Event, Policy, Queue, Shutdown, Spectrum, Stroke};
use crate::visuals::desk::Follower;
use crate::visuals::{VisualsError, display_available};
use crate::{control, model, terminal};

/// Events that a stage may be behind before it loses any: over a minute of the fastest model.
const STAGE_QUEUE: usize = 1 << 17;

/// What a stage works with.
pub struct Stage {
    choice: StageChoice,
    events: Option<Queue>,
    bus: Bus,
    keys: Sender<Stroke>,
    shutdown: Shutdown,
    #[cfg_attr(not(feature = "window"), expect(dead_code, reason = "only the window has a title"))]
    title: String,
    /// Whether this is no replay: a shader that fails is to be said then, which a replay's journal has already.
    live: bool,
    /// The sound, for the shaders.
    #[cfg_attr(not(feature = "window"), expect(dead_code, reason = "only the window's shaders see the sound"))]
    spectrum: Spectrum,
    /// What is shown beside it.
    view: Option<view::Waiting>,
    /// Whether somebody reads that.
    read_beside: Box<dyn Fn() -> bool + Send>,
    /// What a window that failed has shown, for the stage that takes its place.
    shown: State,
    follower: Follower,
    /// Whether the window has a second one beside it, and where both are.
    windows: Windows,
    /// Stderr as it was at the beginning: the sound libraries are kept off it at times, the stage never.
    aside: Box<dyn Write>,
}

/// What only the window knows of.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(feature = "window"), allow(dead_code, reason = "only the window has displays"))]
pub struct Windows {
    /// The performer has a window too.
    pub view: bool,
    /// The display that the stage fills.
    pub display: Option<String>,
    /// Where pictures go.
    pub pictures: Pictures,
}

/// Chooses a stage: the one asked for, or the best that this machine has beside a view. The second value says why it is
/// not the window, where that is worth a notice. `display` is the one that the window is to fill.
pub fn choose(
    asked: Option<StageChoice>,
    beside: View,
    display: Option<&str>,
) -> anyhow::Result<(StageChoice, Option<String>)> {
    view::check(beside, asked)?;
    if display.is_some() && asked.is_some_and(|stage| stage != StageChoice::Window) {
        bail!("--display is where the stage's window goes: take --stage window, or leave --display out");
    }
    match asked {
        Some(StageChoice::Window) => match display_available() {
            Ok(()) => Ok((StageChoice::Window, None)),
            Err(why) => bail!("no window can be opened: {why}; try --stage terminal"),
        },
        Some(StageChoice::Terminal) => match view::no_terminal() {
            Some(why) => bail!("--stage terminal: {why}; try --stage plain"),
            None => Ok((StageChoice::Terminal, None)),
        },
        Some(choice) => Ok((choice, None)),
        None => match display_available() {
            Ok(()) => Ok((StageChoice::Window, None)),
            // The terminal is the view's.
            Err(why) if beside == View::Window => bail!("--view window: no window can be opened: {why}"),
            Err(why) if beside != View::None => Ok((StageChoice::None, Some(format!("no window: {why}")))),
            Err(why) if view::is_terminal() => Ok((StageChoice::Terminal, Some(format!("no window: {why}")))),
            Err(why) => Ok((StageChoice::Plain, display.map(|_| format!("no window: {why}")))),
        },
    }
}

impl Stage {
    /// Subscribes to the bus, so that the stage sees every event from now on.
    pub fn new(
        choice: StageChoice,
        bus: &Bus,
        keys: Sender<Stroke>,
        shutdown: &Shutdown,
        title: &str,
        spectrum: &Spectrum,
    ) -> Stage {
        let events = (choice != StageChoice::None).then(|| bus.subscribe("stage", Policy::Coalesce, STAGE_QUEUE));
        Stage {
            choice,
            events,
            bus: bus.clone(),
            keys,
            shutdown: shutdown.clone(),
            title: title.to_string(),
            live: false,
            spectrum: spectrum.clone(),
            view: None,
            read_beside: Box::new(|| false),
            shown: State::new(),
            follower: Follower::default(),
            windows: Windows::default(),
            aside: aside(),
        }
    }

    /// Says that this is no replay.
    pub fn live(self) -> Stage {
        Stage { live: true, ..self }
    }

    /// Says where its windows are.
    pub fn windows(self, windows: Windows) -> Stage {
        Stage { windows, ..self }
    }

    /// Shows this beside it, from the events that come from now on.
    pub fn beside(self, view: View) -> Stage {
        Stage { view: view::Waiting::new(view, &self.bus, &self.keys, &self.shutdown), ..self }
    }

    /// Shows the performance until its end is asked for. On the main thread, which the window needs.
    pub fn run(mut self) -> anyhow::Result<()> {
        self.shown.replayed = !self.live;
        let view = self.view.take().map(|view| view.show(self.shown.clone())).transpose()?;
        let shutdown = self.shutdown.clone();
        let beside = view.is_some();
        if let Some(view) = &view {
            self.read_beside = Box::new(view.is_read());
        }
        // Dropped after the view and every stage, when nothing has the terminal any more.
        let mut driver = Driver(None);
        let _view = Beside { view, shutdown };
        if let (StageChoice::Window, Some(events)) = (self.choice, self.events.clone()) {
            // A view has the terminal; without one, who types there should know where the keys are.
            let quiet = (!beside).then(terminal::Quiet::begin).flatten();
            if quiet.is_some() {
                let _ = writeln!(self.aside, "xiao: the keys are the window's; here only Ctrl-C acts");
            }
            self.windows.pictures.open(true);
            let shown = self.window(events);
            self.windows.pictures.open(false);
            drop(quiet);
            match shown {
                Err(why) if !self.shutdown.requested() => {
                    self.give_way(&why, beside);
                    driver.0 = why.driver().map(str::to_string);
                }
                other => return Ok(other?),
            }
        }
        let Some(events) = self.events.filter(|_| self.choice != StageChoice::None) else {
            while !self.shutdown.wait(std::time::Duration::from_secs(3600)) {}
            return Ok(());
        };
        match self.choice {
            StageChoice::None | StageChoice::Window => {}
            StageChoice::Plain => {
                let options = terminal::PlainOptions { events, shutdown: self.shutdown, out: stdout() };
                terminal::plain::run(options, &mut self.aside)?;
            }
            StageChoice::Terminal => {
                let bus = self.bus.clone();
                terminal::stage::run(terminal::TerminalOptions {
                    face: terminal::Face::Stage,
                    state: self.shown,
                    follow: Box::new(self.follower),
                    events,
                    clock: self.bus.clock().clone(),
                    performed: model::is_worker_thread,
                    keys: self.keys,
                    shutdown: self.shutdown,
                    help: control::help::sections(),
                    losses: Box::new(move || bus.losses()),
                })?;
            }
        }
        Ok(())
    }

    /// Another stage takes the place of the window; none beside a view, which has the terminal.
    fn give_way(&mut self, why: &VisualsError, beside: bool) {
        let (choice, remedy) = match view::is_terminal() {
            _ if beside => (StageChoice::None, "it goes on without it"),
            true => (StageChoice::Terminal, "it goes on in the terminal"),
            false => (StageChoice::Plain, "it goes on in plain lines"),
        };
        self.choice = choice;
        self.bus.emit(Event::Fault { place: "stage".into(), what: why.to_string(), remedy: remedy.into() });
        if self.choice == StageChoice::None
            && let Some(events) = &self.events
        {
            // Nobody empties it any more.
            events.close();
        }
    }

    #[cfg(feature = "window")]
    fn window(&mut self, events: Queue) -> Result<(), VisualsError> {
        let options = crate::visuals::window::WindowOptions {
            events,
            clock: self.bus.clock().clone(),
            bus: self.bus.clone(),
            live: self.live,
            keys: self.keys.clone(),
            shutdown: self.shutdown.clone(),
            title: self.title.clone(),
            help: control::help::pages(),
            spectrum: self.spectrum.clone(),
            view: self.windows.view,
            read_beside: std::mem::replace(&mut self.read_beside, Box::new(|| false)),
            display: self.windows.display.clone(),
            pictures: self.windows.pictures.folder(),
        };
        crate::visuals::window::run(options, &mut self.shown, &mut self.follower)
    }

    #[cfg(not(feature = "window"))]
    fn window(&mut self, _events: Queue) -> Result<(), VisualsError> {
        Err(VisualsError::window("xiao was built without the feature \"window\""))
    }
}

/// The view beside the stage: when the stage ends, or falls, it ends too, and its terminal is there for what is said.
struct Beside {
    view: Option<Shown>,
    shutdown: Shutdown,
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(view) = self.view.take() {
            self.shutdown.request(if std::thread::panicking() { "the stage failed" } else { "the stage was closed" });
            view.join();
        }
    }
}

/// What the graphics driver said when the window failed: for whoever mends it, said when the show is over.
struct Driver(Option<String>);

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(said) = &self.0 {
            super::remark(&format!("the window failed; its driver said: {said}"));
        }
    }
}

/// A copy of stderr, or stderr itself where none can be made.
fn aside() -> Box<dyn Write> {
    #[cfg(unix)]
    if let Ok(copy) = std::os::fd::AsFd::as_fd(&std::io::stderr()).try_clone_to_owned() {
        return Box::new(std::fs::File::from(copy));
    }
    Box::new(std::io::stderr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::Clock;

    #[test]
    fn a_display_is_for_a_window() {
        for stage in [StageChoice::Plain, StageChoice::None] {
            let refused = choose(Some(stage), View::None, Some("2")).unwrap_err().to_string();
            assert!(refused.contains("--stage window, or leave --display out"), "{refused}");
            assert!(choose(Some(stage), View::None, None).is_ok());
        }
    }

    #[test]
    fn a_lost_window_beside_a_view_leaves_no_queue_to_fill() {
        let bus = Bus::new(Clock::at_rest());
        let (keys, _pressed) = crossbeam_channel::bounded(1);
        let mut stage =
            Stage::new(StageChoice::Window, &bus, keys, &Shutdown::default(), "t", &Spectrum::default()).live();
        let events = stage.events.clone().unwrap();
        stage.give_way(&VisualsError::NoAdapter, true);
        assert_eq!(stage.choice, StageChoice::None);
        for _ in 0..=STAGE_QUEUE {
            bus.emit(Event::PieceEnd { tokens: 1 });
        }
        let mut waiting = Vec::new();
        events.drain(&mut waiting);
        assert_eq!((waiting.len(), bus.losses()), (1, vec![("stage", 0, 0)]), "the fault, and nothing after it");
    }

    #[test]
    fn another_stage_goes_on_with_the_events() {
        let bus = Bus::new(Clock::at_rest());
        let (keys, _pressed) = crossbeam_channel::bounded(1);
        let mut stage = Stage::new(StageChoice::Window, &bus, keys, &Shutdown::default(), "t", &Spectrum::default());
        stage.give_way(&VisualsError::NoAdapter, false);
        assert!(matches!(stage.choice, StageChoice::Terminal | StageChoice::Plain));
        assert!(stage.events.is_some_and(|events| !events.is_closed()));
    }
}
