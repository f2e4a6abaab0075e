//! The terminal's keyboard, in xiao's words.
//!
//! It has a thread of its own: where a terminal goes away while it is read, crossterm's reading never comes back and
//! spins, and the stage must come to its end all the same. Keys leave by a channel and are never waited for.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use crossterm::event::{self, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::score::{Key, Shutdown, Stroke, Way};

/// How long the thread may go on after the stage's end.
const LOOK: Duration = Duration::from_millis(50);

/// How long a pasted text may wait for the hands.
const PASTE: Duration = Duration::from_secs(2);

/// What the keyboard asks of the stage itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nudge {
    /// Ctrl-L: something else wrote on the terminal.
    Redraw,
    Resize,
}

/// The keyboard while it is listened to; dropping it ends that.
pub(super) struct Keyboard {
    nudges: Receiver<Nudge>,
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Keyboard {
    /// Hands on what happens to the keys.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn listen(keys: Sender<Stroke>, shutdown: Shutdown) -> io::Result<Keyboard> {
        let (nudge, nudges) = bounded(16);
        let over = Arc::new(AtomicBool::new(false));
        let ended = over.clone();
        let listen = move || {
            let mut down = Vec::new();
            while !ended.load(Ordering::Acquire) {
                match event::poll(LOOK) {
                    Ok(false) => continue,
                    Ok(true) => {}
                    // The terminal's input has failed: the show goes on without keys.
                    Err(_) => return,
                }
                match event::read() {
                    Ok(event::Event::Key(key)) => match stroke(key, &mut down, cfg!(windows)) {
                        Some(Stroke { key: Key::Ctrl('l'), .. }) => _ = nudge.try_send(Nudge::Redraw),
                        Some(stroke) => send(&keys, &shutdown, stroke),
                        None => {}
                    },
                    Ok(event::Event::Paste(text)) => paste(&keys, &text),
                    Ok(event::Event::Resize(..)) => _ = nudge.try_send(Nudge::Resize),
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
        };
        let thread = std::thread::Builder::new().name("xiao-keys".into()).spawn(listen)?;
        Ok(Keyboard { nudges, over, thread })
    }

    /// Waits until a moment, and says what the stage was asked for meanwhile.
    pub fn until(&self, deadline: Instant) -> Option<Nudge> {
        let mut asked = None;
        loop {
            match self.nudges.recv_deadline(deadline) {
                Ok(Nudge::Redraw) => asked = Some(Nudge::Redraw),
                Ok(Nudge::Resize) => asked = asked.or(Some(Nudge::Resize)),
                Err(RecvTimeoutError::Timeout) => return asked,
                // Its thread has ended: nothing comes any more, and time passes all the same.
                Err(RecvTimeoutError::Disconnected) => {
                    std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
                    return asked;
                }
            }
        }
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        // What it might still read belongs to whoever has the terminal next. One that spins is left behind.
        let patience = Instant::now() + 2 * LOOK;
        while !self.thread.is_finished() && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn send(keys: &Sender<Stroke>, shutdown: &Shutdown, stroke: Stroke) {
    let left_alone = matches!(keys.try_send(stroke), Err(TrySendError::Disconnected(_)));
    // Nobody listens any more; the way out must still work.
    if left_alone && matches!(stroke.key, Key::Char('q') | Key::Ctrl('c')) {
        shutdown.request("the performer ended it");
    }
}

/// Hands on what was pasted. The hands take hundreds of keys in a moment; what they do not take is lost.
fn paste(keys: &Sender<Stroke>, text: &str) {
    let patience = Instant::now() + PASTE;
    for c in text.chars() {
        if keys.send_deadline(Stroke::pressed(Key::Written(c)), patience).is_err() {
            return;
        }
    }
}

/// crossterm's key in xiao's words. Only the console of Windows says when a key is let go, and not that one repeats: so
/// much can be told by which are `down`. A panic is never taken for a key that repeats.
fn stroke(event: KeyEvent, down: &mut Vec<Key>, tells_release: bool) -> Option<Stroke> {
    let mut key = named(event)?;
    let was_down = down.iter().position(|known| *known == key);
    let way = match (event.kind, was_down) {
        (KeyEventKind::Repeat, _) => Way::Repeated,
        (KeyEventKind::Release, at) => {
            // Shift was let go before it, so it has another name: the one that was pressed last is meant.
            if let Some(at) = at.or(down.len().checked_sub(1)) {
                key = down.remove(at);
            }
            Way::Released
        }
        (KeyEventKind::Press, _) if !tells_release => Way::Struck,
        (KeyEventKind::Press, Some(_)) if matches!(key, Key::Ctrl(_) | Key::Char('!')) => Way::Pressed,
        (KeyEventKind::Press, Some(_)) => Way::Repeated,
        (KeyEventKind::Press, None) => {
            down.push(key);
            Way::Pressed
        }
    };
    Some(Stroke { key, way })
}

fn named(key: KeyEvent) -> Option<Key> {
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
        KeyCode::Tab if key.modifiers.contains(KeyModifiers::SHIFT) => Key::BackTab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Tab => Key::Tab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::F(n @ 1..=12) => Key::Function(n),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_our_words() {
        let key =
            |code, modifiers| stroke(KeyEvent::new(code, modifiers), &mut Vec::new(), false).map(|stroke| stroke.key);
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Key::Ctrl('c')));
        assert_eq!(key(KeyCode::Char('T'), KeyModifiers::SHIFT), Some(Key::Char('T')));
        assert_eq!(key(KeyCode::BackTab, KeyModifiers::SHIFT), Some(Key::BackTab));
        assert_eq!(key(KeyCode::Tab, KeyModifiers::NONE), Some(Key::Tab));
        assert_eq!(key(KeyCode::PageUp, KeyModifiers::NONE), Some(Key::PageUp));
        assert_eq!(key(KeyCode::F(1), KeyModifiers::NONE), Some(Key::Function(1)));
        assert_eq!(key(KeyCode::F(13), KeyModifiers::NONE), None);
        let mut down = Vec::new();
        let mut told = |code, kind, tells| {
            stroke(KeyEvent::new_with_kind(code, KeyModifiers::NONE, kind), &mut down, tells).unwrap()
        };
        let of = |key, way| Stroke { key, way };
        let (press, release) = (KeyEventKind::Press, KeyEventKind::Release);
        assert_eq!(told(KeyCode::Up, press, false), Stroke::struck(Key::Up));
        assert_eq!(told(KeyCode::Up, KeyEventKind::Repeat, false), of(Key::Up, Way::Repeated));
        // The console of Windows: what is held is pressed again and again, and let go under the name it has by then.
        let [large, small] = ['N', 'n'].map(Key::Char);
        assert_eq!(told(KeyCode::Char('N'), press, true), of(large, Way::Pressed));
        assert_eq!(told(KeyCode::Char('N'), press, true), of(large, Way::Repeated));
        assert_eq!(told(KeyCode::Char('n'), release, true), of(large, Way::Released));
        assert_eq!(told(KeyCode::Char('N'), press, true), of(large, Way::Pressed));
        assert_eq!(told(KeyCode::Char('N'), release, true), of(large, Way::Released));
        assert_eq!(told(KeyCode::Char('n'), release, true), of(small, Way::Released));
        for _ in 0..2 {
            assert_eq!(told(KeyCode::Char('!'), press, true), of(Key::Char('!'), Way::Pressed));
        }
    }

    #[test]
    fn what_is_pasted_is_text_and_waits_for_room() {
        let (keys, pasted) = bounded(2);
        let hands = std::thread::spawn(move || pasted.iter().collect::<Vec<_>>());
        paste(&keys, "q\r春月");
        drop(keys);
        assert_eq!(hands.join().unwrap(), ['q', '\r', '春', '月'].map(|c| Stroke::pressed(Key::Written(c))));
    }
}
