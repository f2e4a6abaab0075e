//! The terminal while it is ours: taken over, and given back whatever happens, a panic included.
//!
//! What other threads say on their way down in the meantime is kept and printed afterwards, so that it does not tear the
//! picture. One screen at a time.

use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crossterm::{cursor, event, execute, terminal};

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

/// The terminal while it is ours; dropping it gives it back.
pub(super) struct Screen {
    /// What panicking threads said meanwhile.
    last_words: Arc<Mutex<Vec<String>>>,
    former_hook: Option<Arc<Hook>>,
}

impl Screen {
    pub fn enter(performed: fn() -> bool) -> io::Result<Screen> {
        // From here on any failure drops the screen and so gives back what was taken.
        let mut screen = Screen { last_words: Arc::default(), former_hook: None };
        TAKEN.store(true, Ordering::Release);
        terminal::enable_raw_mode()?;
        execute!(io::stdout(), terminal::EnterAlternateScreen, cursor::Hide, event::EnableBracketedPaste)?;
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

/// Why the terminal of this name (`TERM`) is none to draw on, if it is not: it has no cursor that can be moved.
pub fn no_screen(term: Option<&str>) -> Option<String> {
    match term.unwrap_or_default() {
        // Windows has no such names.
        "" => cfg!(unix).then(|| "TERM is not set, so nothing is known of this terminal".to_string()),
        name @ ("dumb" | "unknown") => Some(format!("TERM is {name}, a terminal without a screen to draw on")),
        _ => None,
    }
}

/// Whether the terminal is ours. A second leaving would move the cursor onto what was printed in between.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Gives the terminal back if it was taken, from any thread, as when the process is about to end at once. Does as much
/// as can be done; there is nobody left to tell of the rest.
pub fn give_back() {
    super::quiet::give_back();
    if !TAKEN.swap(false, Ordering::AcqRel) {
        return;
    }
    let _ = terminal::disable_raw_mode();
    let _ = execute!(io::stdout(), event::DisableBracketedPaste, terminal::LeaveAlternateScreen, cursor::Show);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_without_a_screen_is_known_by_its_name() {
        assert!(no_screen(Some("dumb")).is_some_and(|why| why.contains("TERM is dumb")));
        assert_eq!((no_screen(None).is_some(), no_screen(Some("")).is_some()), (cfg!(unix), cfg!(unix)));
        assert_eq!((no_screen(Some("xterm-256color")), no_screen(Some("linux"))), (None, None));
    }
}
