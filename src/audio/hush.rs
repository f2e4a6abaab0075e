//! Quiet: ALSA and JACK print to stderr when there is no card or no server, behind the terminal stage's back. While a
//! [`Hush`] lives, the process's stderr goes nowhere. They nest: whoever holds the screen may hold one all along.

#[cfg(unix)]
mod stderr {
    use std::fs::File;
    use std::os::fd::AsRawFd;
    use std::sync::{Mutex, MutexGuard};

    /// How many hold it, and the copy of stderr that the first one put by.
    static HELD: Mutex<(usize, libc::c_int)> = Mutex::new((0, -1));

    fn held() -> MutexGuard<'static, (usize, libc::c_int)> {
        HELD.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Stderr goes nowhere until the last of these is dropped.
    pub struct Hush(());

    impl Hush {
        /// Does nothing where stderr or `/dev/null` cannot be had.
        pub fn begin() -> Hush {
            let mut held = held();
            if held.0 == 0
                && let Ok(nowhere) = File::options().write(true).open("/dev/null")
            {
                // SAFETY: both calls take any number and answer -1 for what is not an open descriptor; `nowhere` is
                // open for as long as dup2 needs it. Close-on-exec, so that no child inherits the copy.
                unsafe {
                    held.1 = libc::fcntl(libc::STDERR_FILENO, libc::F_DUPFD_CLOEXEC, 3);
                    if held.1 >= 0 {
                        libc::dup2(nowhere.as_raw_fd(), libc::STDERR_FILENO);
                    }
                }
            }
            held.0 += 1;
            Hush(())
        }
    }

    impl Drop for Hush {
        fn drop(&mut self) {
            let mut held = held();
            held.0 -= 1;
            if held.0 == 0 && held.1 >= 0 {
                // SAFETY: the copy was made by `begin`; it is closed here only, and forgotten.
                unsafe {
                    libc::dup2(held.1, libc::STDERR_FILENO);
                    libc::close(held.1);
                }
                held.1 = -1;
            }
        }
    }
}

#[cfg(not(unix))]
mod stderr {
    /// The libraries that print exist on Unix only.
    pub struct Hush(());

    impl Hush {
        pub fn begin() -> Hush {
            Hush(())
        }
    }
}

pub use stderr::Hush;
