//! Quiet: ALSA and JACK print to stderr when there is no card or no server, behind the terminal stage's back. While a
//! [`Hush`] lives, the process's stderr goes nowhere.

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::os::fd::AsRawFd;
    use std::sync::{Mutex, MutexGuard};

    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    pub struct Hush {
        stderr: libc::c_int,
        _turn: MutexGuard<'static, ()>,
    }

    impl Hush {
        /// Hushes stderr until it is dropped; does nothing where that cannot be done.
        pub fn begin() -> Hush {
            let turn = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
            let nowhere = File::options().write(true).open("/dev/null");
            // SAFETY: dup and dup2 take any number and answer -1 for what is not an open descriptor; `nowhere` is open
            // for as long as dup2 needs it. Close-on-exec, so that no child inherits the copy.
            let stderr = match nowhere {
                Ok(nowhere) => unsafe {
                    let stderr = libc::fcntl(libc::STDERR_FILENO, libc::F_DUPFD_CLOEXEC, 3);
                    if stderr >= 0 {
                        libc::dup2(nowhere.as_raw_fd(), libc::STDERR_FILENO);
                    }
                    stderr
                },
                Err(_) => -1,
            };
            Hush { stderr, _turn: turn }
        }
    }

    impl Drop for Hush {
        fn drop(&mut self) {
            if self.stderr >= 0 {
                // SAFETY: `self.stderr` was opened by `begin` and is closed here only.
                unsafe {
                    libc::dup2(self.stderr, libc::STDERR_FILENO);
                    libc::close(self.stderr);
                }
            }
        }
    }
}

#[cfg(not(unix))]
mod unix {
    /// These libraries exist on Unix only.
    pub struct Hush;

    impl Hush {
        pub fn begin() -> Hush {
            Hush
        }
    }
}

pub use unix::Hush;
