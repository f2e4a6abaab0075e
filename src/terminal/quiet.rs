//! The terminal behind a window: it takes no keys, so it does not show what is typed there either, and the shell that has
//! it afterwards does not get to read it.
//!
//! The main thread makes it quiet and, whatever happened, gives it back; so does whoever ends the program at once.

#[cfg(unix)]
mod unix {
    use std::mem::MaybeUninit;
    use std::os::fd::{AsRawFd, BorrowedFd};
    use std::sync::{Mutex, MutexGuard};

    /// How the terminal was; `None` while it is not quiet.
    static FORMER: Mutex<Option<libc::termios>> = Mutex::new(None);

    fn former() -> MutexGuard<'static, Option<libc::termios>> {
        FORMER.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Whether stdin is our terminal. Whoever runs in the background and touches it is stopped by the system.
    fn is_ours() -> bool {
        // SAFETY: both only ask, and an error of the first is no process group's number.
        unsafe { libc::tcgetpgrp(libc::STDIN_FILENO) == libc::getpgrp() }
    }

    /// Makes stdin quiet; false where it is no terminal of ours.
    pub fn begin() -> bool {
        let mut former = former();
        if former.is_none() && is_ours() {
            use std::os::fd::AsFd;
            *former = hush(std::io::stdin().as_fd());
        }
        former.is_some()
    }

    pub fn end() {
        if let Some(was) = former().take().filter(|_| is_ours()) {
            use std::os::fd::AsFd;
            set(std::io::stdin().as_fd(), &was);
        }
    }

    /// Turns the echo off, and the keys that would end or stop the program without it, and says how the terminal was; `None` where it is none.
    pub(super) fn hush(terminal: BorrowedFd) -> Option<libc::termios> {
        let mut was = MaybeUninit::uninit();
        // SAFETY: the descriptor is open, and the call writes the whole of `was` where it returns 0.
        let was = unsafe { (libc::tcgetattr(terminal.as_raw_fd(), was.as_mut_ptr()) == 0).then(|| was.assume_init()) }?;
        let mut quiet = was;
        quiet.c_lflag &= !(libc::ECHO | libc::ECHONL);
        // Either would leave it quiet for the shell: the one ends the program on the spot, the other stops it.
        quiet.c_cc[libc::VQUIT] = libc::_POSIX_VDISABLE;
        quiet.c_cc[libc::VSUSP] = libc::_POSIX_VDISABLE;
        set(terminal, &quiet).then_some(was)
    }

    /// Sets it so, and forgets what was typed and not read.
    pub(super) fn set(terminal: BorrowedFd, to: &libc::termios) -> bool {
        // SAFETY: the descriptor is open, and `to` came from the system.
        unsafe { libc::tcsetattr(terminal.as_raw_fd(), libc::TCSAFLUSH, to) == 0 }
    }
}

#[cfg(not(unix))]
mod unix {
    pub fn begin() -> bool {
        false
    }

    pub fn end() {}
}

/// The terminal while it is quiet; dropping it gives it back.
#[derive(Debug)]
pub struct Quiet(());

impl Quiet {
    /// Makes the terminal that controls the program quiet; none where there is none.
    pub fn begin() -> Option<Quiet> {
        unix::begin().then_some(Quiet(()))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back if it is quiet, from any thread.
pub(super) fn give_back() {
    unix::end();
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

    use super::unix;

    #[test]
    fn the_echo_goes_and_comes_back() {
        let (mut ours, mut theirs) = (0, 0);
        let null = std::ptr::null_mut();
        // SAFETY: both numbers are there to be written; the others may be absent.
        assert_eq!(unsafe { libc::openpty(&mut ours, &mut theirs, null, null.cast(), null.cast()) }, 0);
        // SAFETY: the call above opened them, and nobody else knows of them.
        let [_ours, theirs] = [ours, theirs].map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
        let echoes = || {
            let mut now = std::mem::MaybeUninit::<libc::termios>::uninit();
            // SAFETY: as in `hush`.
            let now = unsafe { (libc::tcgetattr(theirs.as_raw_fd(), now.as_mut_ptr()), now.assume_init()).1 };
            now.c_lflag & libc::ECHO != 0
        };
        assert!(echoes());
        let was = unix::hush(theirs.as_fd()).unwrap();
        assert!(!echoes());
        assert!(unix::set(theirs.as_fd(), &was) && echoes());
        let file = tempfile::tempfile().unwrap();
        assert!(unix::hush(file.as_fd()).is_none());
    }
}
