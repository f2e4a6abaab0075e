//! One consumer's queue: bounded, with one stated policy for when it is full, and counters for what that policy did.
//!
//! Used by the stage, the journal and whoever else may sleep. The audio callback has a lock-free ring of its own
//! (`audio::cue`), since it must never wait for this one's lock.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::Stamped;

/// What a full queue does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// For a stage. From half full on, an event that a later one makes needless (see [`super::Event::continuous`]) is
    /// replaced by it; whatever cannot be replaced, every token above all, is kept until the queue is quite full.
    Coalesce,
    /// For the journal. Nothing is ever replaced or left out: a full queue closes, and the recording ends with an error.
    Whole,
}

/// How many waiting events a coalescing push looks through, at a few nanoseconds each.
const SEARCHED: usize = 1024;

/// A handle on a queue; clones share it.
#[derive(Clone, Debug)]
pub struct Queue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: &'static str,
    policy: Policy,
    capacity: usize,
    events: Mutex<VecDeque<Arc<Stamped>>>,
    arrived: Condvar,
    closed: AtomicBool,
    dropped: AtomicU64,
    coalesced: AtomicU64,
}

/// What [`Queue::receive`] came back with.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    Event(Arc<Stamped>),
    Nothing,
    /// The queue is closed and empty.
    Closed,
}

impl Queue {
    /// `name` is how drops are reported; `capacity` counts events.
    pub fn new(name: &'static str, policy: Policy, capacity: usize) -> Queue {
        Queue(Arc::new(Inner {
            name,
            policy,
            capacity,
            events: Mutex::default(),
            arrived: Condvar::new(),
            closed: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
            coalesced: AtomicU64::new(0),
        }))
    }

    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// Adds an event, never waiting for the consumer; false if it was not taken.
    pub fn push(&self, event: Arc<Stamped>) -> bool {
        if self.is_closed() {
            return false;
        }
        let mut events = self.0.events.lock().unwrap_or_else(|e| e.into_inner());
        if self.0.policy == Policy::Coalesce && events.len() >= self.0.capacity / 2 {
            // From the back, where the last of its kind is, and not through a whole crowd of tokens: the bus waits.
            if let Some(key) = event.event.continuous()
                && let Some(back) = events.iter().rev().take(SEARCHED).position(|e| e.event.continuous() == Some(key))
            {
                let at = events.len() - 1 - back;
                events.remove(at);
                self.0.coalesced.fetch_add(1, Ordering::Relaxed);
            }
        }
        if events.len() >= self.0.capacity {
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
            if self.0.policy == Policy::Whole {
                self.0.closed.store(true, Ordering::Release);
                self.0.arrived.notify_all();
            }
            return false;
        }
        events.push_back(event);
        self.0.arrived.notify_one();
        true
    }

    /// The next event, waiting for it no longer than `timeout`.
    pub fn receive(&self, timeout: Duration) -> Received {
        let deadline = Instant::now() + timeout;
        let mut events = self.0.events.lock().unwrap_or_else(|e| e.into_inner());
        loop {
            if let Some(event) = events.pop_front() {
                return Received::Event(event);
            }
            if self.is_closed() {
                return Received::Closed;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Received::Nothing;
            }
            events = self.0.arrived.wait_timeout(events, left).unwrap_or_else(|e| e.into_inner()).0;
        }
    }

    /// Moves everything that is waiting to the end of `into`.
    pub fn drain(&self, into: &mut Vec<Arc<Stamped>>) {
        into.extend(self.0.events.lock().unwrap_or_else(|e| e.into_inner()).drain(..));
    }

    /// No more events are taken; those that wait can still be received.
    pub fn close(&self) {
        // Under the lock, so that a receiver between its look and its wait cannot miss it.
        let _events = self.0.events.lock().unwrap_or_else(|e| e.into_inner());
        self.0.closed.store(true, Ordering::Release);
        self.0.arrived.notify_all();
    }

    pub fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Acquire)
    }

    /// Events lost because the queue was full.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// Events replaced by a later one of their kind.
    pub fn coalesced(&self) -> u64 {
        self.0.coalesced.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Event, Hand, ParamId};
    use super::*;

    fn at(seq: u64, event: Event) -> Arc<Stamped> {
        Arc::new(Stamped { seq, t_ns: 0, event })
    }

    fn knob(seq: u64, value: f32) -> Arc<Stamped> {
        at(seq, Event::Param { id: ParamId::Temperature, value, by: Hand::Midi })
    }

    fn discrete(seq: u64) -> Arc<Stamped> {
        at(seq, Event::Note { text: String::new() })
    }

    #[test]
    fn a_hanging_stage_keeps_every_token_and_the_last_of_each_knob() {
        let queue = Queue::new("stage", Policy::Coalesce, 64);
        for i in 0..1000 {
            assert!(queue.push(knob(i, i as f32)));
            if i % 50 == 0 {
                assert!(queue.push(discrete(10_000 + i)));
            }
        }
        let mut got = Vec::new();
        queue.drain(&mut got);
        assert_eq!(got.iter().filter(|e| e.event.continuous().is_none()).count(), 20);
        assert_eq!(got.iter().rfind(|e| e.event.continuous().is_some()).unwrap(), &knob(999, 999.0));
        assert_eq!(queue.dropped(), 0);
        assert!(queue.coalesced() > 900);
    }

    #[test]
    fn a_full_stage_counts_what_it_lost() {
        let queue = Queue::new("stage", Policy::Coalesce, 4);
        for i in 0..6 {
            queue.push(discrete(i));
        }
        assert_eq!(queue.dropped(), 2);
    }

    #[test]
    fn a_full_journal_closes_after_what_it_holds() {
        let queue = Queue::new("journal", Policy::Whole, 2);
        assert!(queue.push(knob(0, 0.0)));
        assert!(queue.push(knob(1, 0.0)));
        assert!(!queue.push(knob(2, 0.0)));
        assert!(matches!(queue.receive(Duration::ZERO), Received::Event(e) if e.seq == 0));
        assert!(matches!(queue.receive(Duration::ZERO), Received::Event(e) if e.seq == 1));
        assert_eq!(queue.receive(Duration::ZERO), Received::Closed);
    }
}
