//! The full-screen stage: takes over the terminal, draws at most thirty times a second and only what changed, reads the
//! keys. It asks nothing of the terminal that would have to be answered.
//!
//! Runs until shutdown is requested: on the main thread, or as the performer's view on a thread of its own.

use std::io::{self, BufWriter, Stdout};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::keys::{Keyboard, Nudge};
use super::palette::{Depth, Palette};
use super::screen::Screen;
use super::{draw, marks};
use crate::desk::State;
use crate::desk::shown::Follow;
use crate::desk::state::Tone;
use crate::score::{Clock, Event, Hand, HelpPage, ParamId, Queue, Shutdown, Stamped, Stroke};

const FRAME: Duration = Duration::from_millis(33);
const COUNT_LOSSES_EVERY: Duration = Duration::from_secs(1);

/// Whom the page is for, where there is room for more than the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// The audience: the words come first, and only a very large terminal has the performer's desk around them.
    Stage,
    /// The performer, who has the words before the eyes already.
    Desk,
}

/// What the stage needs.
pub struct TerminalOptions {
    pub face: Face,
    /// What is known before the first event: nothing, or what another stage has taken in.
    pub state: State,
    /// What the stage shows, on which this page has a section.
    pub follow: Box<dyn Follow>,
    pub events: Queue,
    pub clock: Clock,
    /// Whether the calling thread's panics are caught and performed, so that nobody need read of them afterwards.
    pub performed: fn() -> bool,
    /// Where keys go; a full channel loses them.
    pub keys: Sender<Stroke>,
    pub shutdown: Shutdown,
    /// The sections of the help.
    pub help: Vec<HelpPage>,
    /// Events lost and coalesced by each consumer, by its name. A consumer called `journal` means that this
    /// performance is recorded.
    pub losses: Box<dyn Fn() -> Vec<(&'static str, u64, u64)> + Send>,
}

/// What a key turns that this stage has nothing of.
const ABSENT: [(ParamId, &str); 6] = [
    (ParamId::StageScene, "the scenes are the window's; the terminal has the page only"),
    (ParamId::Palette, "the palettes are the window's; the terminal has colours of its own"),
    (ParamId::Hue, "the hue is the window's; the terminal has colours of its own"),
    (ParamId::TextSize, "the size of the text is the window's; here it is the terminal's own"),
    (ParamId::Vertical, "text in columns is the window's; the terminal has lines only"),
    (ParamId::Doubt, "how else doubt shows is the window's; here it is always colour"),
];

/// Says to whoever presses a key that nothing here follows from it. A recording keeps it, and a film shows it.
fn say_what_is_absent(state: &mut State, stamped: &Stamped) {
    let Event::Param { id, by: Hand::Key, .. } = stamped.event else { return };
    let Some((_, what)) = ABSENT.iter().find(|(absent, _)| *absent == id) else { return };
    // A key that is pressed again and again is answered once.
    if !state.log.iter().any(|remark| state.is_news(remark) && remark.text == *what) {
        state.remark(stamped.t_ns, Tone::Notice, what);
    }
}

/// Performs until shutdown is requested.
///
/// # Errors
/// If the terminal cannot be taken over or written to; it is given back before this returns.
pub fn run(mut options: TerminalOptions) -> io::Result<()> {
    let _screen = Screen::enter(options.performed)?;
    let out = BufWriter::with_capacity(1 << 16, io::stdout());
    let mut terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>> = Terminal::new(CrosstermBackend::new(out))?;
    let environment = |name: &str| std::env::var(name).ok();
    let (palette, plain) = (Palette(Depth::from_env(environment)), marks::are_plain(environment));
    let mut state = options.state;
    let (mut batch, mut kept) = (Vec::new(), draw::Kept::default());
    let keyboard = Keyboard::listen(options.keys, options.shutdown.clone())?;
    let mut next_count = Instant::now();
    let mut changed = true;
    while !options.shutdown.requested() {
        let frame = Instant::now();
        if frame >= next_count {
            next_count = frame + COUNT_LOSSES_EVERY;
            let losses = (options.losses)();
            changed |= losses != state.losses;
            state.losses = losses;
        }
        options.events.drain(&mut batch);
        for event in batch.drain(..) {
            changed |= state.take(&event);
            if options.face == Face::Stage && !state.replayed {
                say_what_is_absent(&mut state, &event);
            }
            options.follow.take(&event);
        }
        let now_ns = options.clock.now_ns();
        let shown = options.follow.shown(now_ns);
        changed |= state.tick(now_ns) || shown != state.shown;
        state.shown = shown;
        if changed {
            terminal.draw(|frame| {
                let area = frame.area();
                let buf = frame.buffer_mut();
                draw::show(&mut state, &options.help, palette, options.face, &mut kept, area, buf);
                if plain {
                    marks::make_plain(frame.buffer_mut());
                }
            })?;
            changed = false;
        }
        match keyboard.until(frame + FRAME) {
            Some(Nudge::Redraw) => {
                // Not `clear`, which asks the terminal for its cursor and waits two seconds for an answer.
                let size = terminal.size()?;
                terminal.resize(size.into())?;
                changed = true;
            }
            Some(Nudge::Resize) => changed = true,
            None => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_does_nothing_here_says_so_once() {
        let mut state = State::new();
        let mut press = |t_ns, by| {
            let event = Event::Param { id: ParamId::StageScene, value: 1.0, by };
            state.tick(t_ns);
            say_what_is_absent(&mut state, &Stamped { seq: 0, t_ns, event });
            state.log.len()
        };
        assert_eq!([press(0, Hand::Plan), press(0, Hand::Key), press(1, Hand::Key)], [0, 1, 1]);
        assert_eq!(press(60_000_000_000, Hand::Key), 2);
        assert!(state.log[0].text.contains("the scenes are the window's"));
    }
}
