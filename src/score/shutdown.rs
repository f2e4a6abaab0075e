//! The one signal that every thread listens to.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Asks every thread to come to an end; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(Arc<(Mutex<Option<String>>, Condvar)>);

impl Shutdown {
    /// Asks for the end. The first reason given is the one kept.
    pub fn request(&self, reason: &str) {
        let mut slot = self.0.0.lock().unwrap_or_else(|e| e.into_inner());
        slot.get_or_insert_with(|| reason.to_string());
        self.0.1.notify_all();
    }

    /// Whether the end was asked for.
    pub fn requested(&self) -> bool {
        self.0.0.lock().unwrap_or_else(|e| e.into_inner()).is_some()
    }

    /// Why the end was asked for.
    pub fn reason(&self) -> Option<String> {
        self.0.0.lock().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// Sleeps for `timeout` or until the end is asked for, whichever is first; true if it was asked for.
    pub fn wait(&self, timeout: Duration) -> bool {
        let slot = self.0.0.lock().unwrap_or_else(|e| e.into_inner());
        let (slot, _) =
            self.0.1.wait_timeout_while(slot, timeout, |reason| reason.is_none()).unwrap_or_else(|e| e.into_inner());
        slot.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_is_kept_and_waiting_ends() {
        let shutdown = Shutdown::default();
        assert!(!shutdown.wait(Duration::ZERO));
        let other = shutdown.clone();
        let waiter = std::thread::spawn(move || other.wait(Duration::from_secs(60)));
        shutdown.request("q");
        shutdown.request("later");
        assert!(waiter.join().unwrap());
        assert_eq!(shutdown.reason().as_deref(), Some("q"));
    }
}
