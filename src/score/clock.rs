//! Time, in nanoseconds since the performance began: live from the machine's monotonic clock, or virtual for films
//! and tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// A clock that all threads share; cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    Live(Instant),
    Virtual(Arc<AtomicU64>),
}

impl Clock {
    /// Starts now.
    pub fn live() -> Clock {
        Clock(Source::Live(Instant::now()))
    }

    /// Stands at 0 until it is [`Clock::advance_to`]-ed.
    pub fn at_rest() -> Clock {
        Clock(Source::Virtual(Arc::default()))
    }

    /// Nanoseconds since the performance began.
    pub fn now_ns(&self) -> u64 {
        match &self.0 {
            Source::Live(start) => start.elapsed().as_nanos() as u64,
            Source::Virtual(now) => now.load(Ordering::Acquire),
        }
    }

    /// The time of a moment of the machine's clock; of a virtual clock, what it is now.
    pub fn at_ns(&self, moment: Instant) -> u64 {
        match &self.0 {
            Source::Live(start) => moment.saturating_duration_since(*start).as_nanos() as u64,
            Source::Virtual(_) => self.now_ns(),
        }
    }

    /// Moves a virtual clock forward, never back. A live clock moves by itself and takes no notice.
    pub fn advance_to(&self, t_ns: u64) {
        if let Source::Virtual(now) = &self.0 {
            now.fetch_max(t_ns, Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_clock_moves_only_forward() {
        let clock = Clock::at_rest();
        let other = clock.clone();
        clock.advance_to(10);
        clock.advance_to(4);
        assert_eq!(other.now_ns(), 10);
    }
}
