//! Keeps the display on while the window shows: a small program of the desktop's holds its screen saver off.
//!
//! Linux: `gnome-session-inhibit`, else `systemd-inhibit`; beside them the X server itself is told (see `xlib`). macOS:
//! `caffeinate`. Windows: the system's own call. Each program runs `cat` on a pipe of ours, so that it ends with xiao
//! whatever becomes of xiao. A thread of its own; that nothing works is a notice and no fault.
//!
//! The crate keepawake does the same over D-Bus for 18 crates more, and panics where the bus goes before it does.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::score::{Bus, Event};

/// What is tried, in this order.
#[cfg(target_os = "macos")]
const PROGRAMS: &[&[&str]] = &[&["caffeinate", "-d", "-i", "cat"]];
#[cfg(all(unix, not(target_os = "macos")))]
const PROGRAMS: &[&[&str]] = &[
    &["gnome-session-inhibit", "--app-id", "xiao", "--reason", "a performance", "--inhibit", "idle", "cat"],
    &["systemd-inhibit", "--what=idle", "--who=xiao", "--why=a performance", "--mode=block", "cat"],
];
#[cfg(not(unix))]
const PROGRAMS: &[&[&str]] = &[];

/// A program that cannot reach its desktop has ended by then.
const TRIAL: Duration = Duration::from_millis(700);

/// The window is there by then.
const WINDOW_TAKES: Duration = Duration::from_secs(10);

/// As long as it is there, the display stays on.
pub struct Awake(#[expect(dead_code, reason = "its end is the sign")] Sender<()>);

impl Awake {
    /// Begins in the background.
    pub fn hold(bus: Bus) -> Awake {
        let (stop, stopped) = bounded(0);
        // Without a thread the display may go dark: no reason to end a show.
        let _ = std::thread::Builder::new().name("xiao-awake".into()).spawn(move || hold(&stopped, bus));
        Awake(stop)
    }
}

fn hold(stopped: &Receiver<()>, bus: Bus) {
    if cfg!(windows) {
        set_windows(true);
        let _ = stopped.recv();
        return set_windows(false);
    }
    for program in PROGRAMS {
        let Some(mut child) = start(program) else { continue };
        let ended = stopped.recv_timeout(TRIAL) != Err(RecvTimeoutError::Timeout);
        let runs = matches!(child.try_wait(), Ok(None));
        if runs && !ended {
            let _ = stopped.recv();
        }
        let _ = child.kill();
        let _ = child.wait();
        if runs || ended {
            return;
        }
    }
    // An X server is told by itself, once the window is there.
    let ended = stopped.recv_timeout(WINDOW_TAKES) != Err(RecvTimeoutError::Timeout);
    if ended || super::xlib::keeps_on() {
        return;
    }
    let text = "nothing on this machine keeps the display on; turn its screen saver off for the show";
    bus.emit(Event::Notice { text: text.into() });
}

fn start(program: &[&str]) -> Option<Child> {
    let [name, arguments @ ..] = program else { return None };
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().ok()
}

#[cfg(windows)]
fn set_windows(on: bool) {
    const CONTINUOUS: u32 = 0x8000_0000;
    const SYSTEM_AND_DISPLAY: u32 = 0x3;
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn SetThreadExecutionState(flags: u32) -> u32;
    }
    // SAFETY: a plain system call without pointers.
    unsafe { SetThreadExecutionState(CONTINUOUS | if on { SYSTEM_AND_DISPLAY } else { 0 }) };
}

#[cfg(not(windows))]
fn set_windows(_on: bool) {}
