//! The full-screen stage: takes over the terminal, draws at most thirty times a second, reads the keys.
//!
//! Runs on the main thread until shutdown is requested. The terminal is given back whatever happens, a panic included;
//! what threads say on their way down in the meantime is kept and printed afterwards, so that it does not tear the
//! picture.

use std::io::{self, BufWriter, Stdout, Write};
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, TrySendError};
use crossterm::event::{self, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::{cursor, execute, terminal};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::draw;
use super::palette::{Depth, Palette};
use super::state::State;
use crate::score::{Clock, Key, Queue, Shutdown};

const FRAME: Duration = Duration::from_millis(33);
const COUNT_LOSSES_EVERY: Duration = Duration::from_secs(1);

/// What the stage needs.
pub struct TerminalOptions {
    pub events: Queue,
    pub clock: Clock,
    /// Whether the calling thread's panics are caught and performed, so that nobody need read of them afterwards.
    pub performed: fn() -> bool,
    /// Where keys go; a full channel loses them.
    pub keys: Sender<Key>,
    pub shutdown: Shutdown,
    /// The lines of the help overlay.
    pub help: Vec<String>,
    /// Events lost and coalesced by each consumer, by its name. A consumer called `journal` means that this
    /// performance is recorded.
    pub losses: Box<dyn Fn() -> Vec<(&'static str, u64, u64)> + Send>,
}

/// Performs until shutdown is requested.
///
/// # Errors
/// If the terminal cannot be taken over or written to; it is given back before this returns.
pub fn run(options: TerminalOptions) -> io::Result<()> {
    let _screen = Screen::enter(options.performed)?;
    let out = BufWriter::with_capacity(1 << 16, io::stdout());
    let mut terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>> = Terminal::new(CrosstermBackend::new(out))?;
    let palette = Palette(Depth::from_env(|name| std::env::var(name).ok()));
    let mut state = State::new();
    let mut batch = Vec::new();
    let mut keyboard = Keyboard { keys: options.keys, shutdown: options.shutdown.clone(), works: true };
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
        }
        changed |= state.tick(options.clock.now_ns());
        if changed {
            terminal.draw(|f| draw::draw(&mut state, &options.help, palette, f.area(), f.buffer_mut()))?;
            changed = false;
        }
        match keyboard.read_until(frame + FRAME) {
            Some(Nudge::Redraw) => {
                terminal.clear()?;
                changed = true;
            }
            Some(Nudge::Resize) => changed = true,
            None => {}
        }
    }
    Ok(())
}

/// What the keyboard asks of the stage itself.
enum Nudge {
    /// Ctrl-L: something else wrote on the terminal.
    Redraw,
    Resize,
}

struct Keyboard {
    keys: Sender<Key>,
    shutdown: Shutdown,
    /// False once the terminal's input has failed: the show goes on without keys.
    works: bool,
}

impl Keyboard {
    /// Hands on keys as they are pressed, until the next frame is due.
    fn read_until(&mut self, deadline: Instant) -> Option<Nudge> {
        let mut nudge = None;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if !self.works {
                self.shutdown.wait(left);
                return nudge;
            }
            let event = match event::poll(left) {
                Ok(false) => return nudge,
                Ok(true) => event::read(),
                Err(e) => Err(e),
            };
            match event {
                Ok(event::Event::Key(key)) => match key_of(key) {
                    Some(Key::Ctrl('l')) => nudge = Some(Nudge::Redraw),
                    Some(key) => self.send(key),
                    None => {}
                },
                Ok(event::Event::Resize(..)) => nudge = nudge.or(Some(Nudge::Resize)),
                Ok(_) => {}
                Err(_) => self.works = false,
            }
        }
    }

    fn send(&self, key: Key) {
        let left_alone = matches!(self.keys.try_send(key), Err(TrySendError::Disconnected(_)));
        // Nobody listens any more; the way out must still work.
        if left_alone && matches!(key, Key::Char('q') | Key::Ctrl('c')) {
            self.shutdown.request("the performer ended it");
        }
    }
}

/// crossterm's key in xiao's words.
fn key_of(key: KeyEvent) -> Option<Key> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    Some(match key.code {
        KeyCode::Char(c) if key.modifiers.contains(KeyModifiers::CONTROL) => Key::Ctrl(c.to_ascii_lowercase()),
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Tab => Key::Tab,
        KeyCode::Backspace => Key::Backspace,
        _ => return None,
    })
}

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

/// The terminal while it is ours; dropping it gives it back.
struct Screen {
    /// What panicking threads said meanwhile.
    last_words: Arc<Mutex<Vec<String>>>,
    former_hook: Option<Arc<Hook>>,
}

impl Screen {
    fn enter(performed: fn() -> bool) -> io::Result<Screen> {
        // From here on any failure drops the screen and so gives back what was taken.
        let mut screen = Screen { last_words: Arc::default(), former_hook: None };
        TAKEN.store(true, Ordering::Release);
        terminal::enable_raw_mode()?;
        execute!(io::stdout(), terminal::EnterAlternateScreen, cursor::Hide)?;
        let former: Arc<Hook> = Arc::from(std::panic::take_hook());
        screen.former_hook = Some(former.clone());
        let (last_words, stage) = (screen.last_words.clone(), std::thread::current().id());
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() == stage {
                give_back();
                former(info);
            } else if !performed() {
                last_words.lock().unwrap_or_else(|e| e.into_inner()).push(info.to_string());
            }
        }));
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
        // A panicking thread may not change the hook; the process is ending then.
        if !std::thread::panicking()
            && let Some(former) = self.former_hook.take()
        {
            drop(std::panic::take_hook());
            std::panic::set_hook(Box::new(move |info| former(info)));
        }
        for words in self.last_words.lock().unwrap_or_else(|e| e.into_inner()).drain(..) {
            let _ = writeln!(io::stderr(), "{words}");
        }
    }
}

/// Whether the terminal is ours. A second leaving would move the cursor onto what was printed in between.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Does as much as can be done; there is nobody left to tell of the rest.
fn give_back() {
    if !TAKEN.swap(false, Ordering::AcqRel) {
        return;
    }
    let _ = terminal::disable_raw_mode();
    let _ = execute!(io::stdout(), terminal::LeaveAlternateScreen, cursor::Show);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_our_words() {
        let key = |code, modifiers| key_of(KeyEvent::new(code, modifiers));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Key::Ctrl('c')));
        assert_eq!(key(KeyCode::Char('T'), KeyModifiers::SHIFT), Some(Key::Char('T')));
        assert_eq!(key(KeyCode::PageUp, KeyModifiers::NONE), Some(Key::PageUp));
        assert_eq!(key(KeyCode::F(1), KeyModifiers::NONE), None);
        let released = KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(key_of(released), None);
    }
}
