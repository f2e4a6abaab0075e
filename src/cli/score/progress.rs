//! How far a score has come.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::model::Foreseen;

/// Between two lines about it.
const PERIOD: Duration = Duration::from_millis(200);

/// How far it has come, on a terminal's stderr while stdout shows nothing.
pub struct Progress {
    bytes: usize,
    done: usize,
    tokens: usize,
    begun: Instant,
    said: Option<Instant>,
    shown: bool,
}

impl Progress {
    /// Of so many bytes; `silent` where stdout shows nothing on the way.
    pub fn new(bytes: usize, silent: bool) -> Progress {
        let shown = std::io::stderr().is_terminal() && (silent || !std::io::stdout().is_terminal());
        Progress { bytes, done: 0, tokens: 0, begun: Instant::now(), said: None, shown }
    }

    pub fn add(&mut self, seen: &Foreseen) {
        self.done += seen.text.len();
        self.tokens += seen.tokens.len();
        let now = Instant::now();
        if self.shown && now.duration_since(self.said.unwrap_or(self.begun)) >= PERIOD {
            self.said = Some(now);
            let share = 100.0 * self.done as f64 / self.bytes.max(1) as f64;
            let rate = self.tokens as f64 / self.begun.elapsed().as_secs_f64();
            let _ = write!(std::io::stderr(), "\r{share:>4.0} % read, {rate:.0} tokens a second ");
        }
    }

    /// Wipes it away.
    pub fn end(&self) {
        if self.said.is_some() {
            let _ = write!(std::io::stderr(), "\r{:50}\r", "");
        }
    }
}
