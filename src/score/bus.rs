//! The bus: stamps each event with its time and number and hands it to every consumer, in one order for all.
//!
//! Emitting takes a short lock and never waits for a consumer. The audio callback does not emit: what it has to say
//! leaves by a ring of its own and is emitted by the session.

use std::sync::{Arc, Mutex};

use super::{Clock, Event, Policy, Queue, Stamped};

/// A consumer that takes what it needs of each event at once (the sound's lock-free ring).
type Tap = Box<dyn Fn(&Stamped) + Send>;

/// A handle on the bus; clones share it.
#[derive(Clone)]
pub struct Bus {
    clock: Clock,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    next_seq: u64,
    queues: Vec<Queue>,
    taps: Vec<Tap>,
}

impl Bus {
    pub fn new(clock: Clock) -> Bus {
        Bus { clock, inner: Arc::default() }
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// A queue that receives every event from now on.
    pub fn subscribe(&self, name: &'static str, policy: Policy, capacity: usize) -> Queue {
        let queue = Queue::new(name, policy, capacity);
        self.lock().queues.push(queue.clone());
        queue
    }

    /// Calls `tap` with every event from now on, under the bus's lock: it must be quick and must not emit.
    pub fn tap(&self, tap: impl Fn(&Stamped) + Send + 'static) {
        self.lock().taps.push(Box::new(tap));
    }

    /// Stamps the event with the present time and hands it out; returns its number.
    pub fn emit(&self, event: Event) -> u64 {
        let t_ns = self.clock.now_ns();
        self.emit_at(t_ns, event)
    }

    /// The same for something that happened at `t_ns`.
    pub fn emit_at(&self, t_ns: u64, event: Event) -> u64 {
        let mut inner = self.lock();
        let seq = inner.next_seq;
        inner.hand_out(Stamped { seq, t_ns, event });
        seq
    }

    /// Hands out an event that already has its number and time, as a replay does.
    pub fn relay(&self, stamped: Stamped) {
        self.lock().hand_out(stamped);
    }

    /// Closes every queue: consumers finish what they hold and end.
    pub fn close(&self) {
        for queue in &self.lock().queues {
            queue.close();
        }
    }

    /// Events lost and events coalesced by each consumer, by its name.
    pub fn losses(&self) -> Vec<(&'static str, u64, u64)> {
        self.lock().queues.iter().map(|q| (q.name(), q.dropped(), q.coalesced())).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Inner {
    fn hand_out(&mut self, stamped: Stamped) {
        self.next_seq = stamped.seq + 1;
        for tap in &self.taps {
            tap(&stamped);
        }
        let stamped = Arc::new(stamped);
        for queue in &self.queues {
            queue.push(stamped.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_consumer_sees_the_same_order() {
        let bus = Bus::new(Clock::at_rest());
        let (a, b) = (bus.subscribe("a", Policy::Whole, 5000), bus.subscribe("b", Policy::Whole, 5000));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        bus.emit(Event::Note { text: String::new() });
                    }
                });
            }
        });
        let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
        a.drain(&mut of_a);
        b.drain(&mut of_b);
        assert_eq!(of_a, of_b);
        assert!(of_a.iter().enumerate().all(|(i, e)| e.seq == i as u64));
        assert_eq!(of_a.len(), 4000);
    }
}
