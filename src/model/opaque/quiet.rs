//! Quiet: one of candle's modules prints its progress to stdout as it loads, where the stage or a continuation stands.
//! While a [`Quiet`] lives, the process's stdout goes nowhere. Held for a load and no longer.

#[cfg(unix)]
mod stdout {
    use std::fs::File;
    use std::io::Write;
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

    /// The stdout that was put by.
    pub struct Quiet(Option<OwnedFd>);

    impl Quiet {
        /// Does nothing where stdout or `/dev/null` cannot be had.
        pub fn begin() -> Quiet {
            let _ = std::io::stdout().flush();
            let Ok(nowhere) = File::options().write(true).open("/dev/null") else { return Quiet(None) };
            // SAFETY: both calls take any number and answer -1 for what is not an open descriptor; `nowhere` is open for
            // as long as dup2 needs it, and a copy that was made is owned by nobody else. Close-on-exec, so that no child
            // inherits it.
            unsafe {
                let copy = libc::fcntl(libc::STDOUT_FILENO, libc::F_DUPFD_CLOEXEC, 3);
                if copy < 0 {
                    return Quiet(None);
                }
                libc::dup2(nowhere.as_raw_fd(), libc::STDOUT_FILENO);
                Quiet(Some(OwnedFd::from_raw_fd(copy)))
            }
        }
    }

    impl Drop for Quiet {
        fn drop(&mut self) {
            let _ = std::io::stdout().flush();
            if let Some(copy) = &self.0 {
                // SAFETY: the copy was made by `begin` and is open.
                unsafe { libc::dup2(copy.as_raw_fd(), libc::STDOUT_FILENO) };
            }
        }
    }
}

#[cfg(not(unix))]
mod stdout {
    /// Elsewhere the module's lines are seen.
    pub struct Quiet(());

    impl Quiet {
        pub fn begin() -> Quiet {
            Quiet(())
        }
    }
}

pub use stdout::Quiet;
