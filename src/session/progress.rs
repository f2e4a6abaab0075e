//! How far a rendering has come: one line on a terminal's stderr, rewritten; nothing where no terminal listens.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Between two lines about it.
const PERIOD: Duration = Duration::from_millis(200);

pub struct Progress {
    what: &'static str,
    of: u64,
    begun: Instant,
    said: Option<Instant>,
    shown: bool,
}

impl Progress {
    /// `what` is counted, up to `of`.
    pub fn new(what: &'static str, of: u64) -> Progress {
        Progress { what, of, begun: Instant::now(), said: None, shown: std::io::stderr().is_terminal() }
    }

    pub fn at(&mut self, done: u64) {
        let now = Instant::now();
        if self.shown && now.duration_since(self.said.unwrap_or(self.begun)) >= PERIOD {
            self.said = Some(now);
            let left_s = self.begun.elapsed().as_secs_f64() / done.max(1) as f64 * self.of.saturating_sub(done) as f64;
            let line = format!("{} {done} of {}, {left_s:.0} s left", self.what, self.of);
            let _ = write!(std::io::stderr(), "\r{line:<60}");
        }
    }
}

impl Drop for Progress {
    /// Wipes it away.
    fn drop(&mut self) {
        if self.said.is_some() {
            let _ = write!(std::io::stderr(), "\r{:60}\r", "");
        }
    }
}
