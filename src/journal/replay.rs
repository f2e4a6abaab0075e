//! Plays a recording's events again, paced as they were.

use std::time::Duration;

use crate::score::{Bus, Shutdown, Stamped};

/// Hands out each event on `bus` with its own number and time, when the bus's clock has come to that time.
///
/// Returns true when the recording has come to its end, false if `shutdown` was asked for before. A virtual clock is
/// moved by whoever renders; this waits for it.
pub fn replay(events: impl IntoIterator<Item = Stamped>, bus: &Bus, shutdown: &Shutdown) -> bool {
    for event in events {
        loop {
            let wait_ns = event.t_ns.saturating_sub(bus.clock().now_ns());
            // At most 50 ms at a time, for a virtual clock moves at a pace of its own.
            if shutdown.wait(Duration::from_nanos(wait_ns.min(50_000_000))) {
                return false;
            }
            if event.t_ns <= bus.clock().now_ns() {
                break;
            }
        }
        bus.relay(event);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::tests::token;
    use super::*;
    use crate::score::{Clock, Policy, Received};

    fn events(times_ns: &[u64]) -> Vec<Stamped> {
        // Numbers with gaps, as a journal may have them.
        times_ns.iter().zip(5..).map(|(t, i)| Stamped { seq: i * 3, t_ns: *t, event: token(i as u32, "x") }).collect()
    }

    #[test]
    fn no_event_comes_before_its_time_and_all_come_as_they_were() {
        let bus = Bus::new(Clock::at_rest());
        let (queue, shutdown) = (bus.subscribe("q", Policy::Whole, 9), Shutdown::default());
        let recorded = events(&[0, 0, 500, 900]);
        std::thread::scope(|scope| {
            let player = scope.spawn(|| replay(recorded.clone(), &bus, &shutdown));
            let next = || match queue.receive(Duration::from_secs(20)) {
                Received::Event(event) => (*event).clone(),
                other => panic!("{other:?}"),
            };
            assert_eq!([next(), next()], recorded[..2]);
            bus.clock().advance_to(499);
            assert_eq!(queue.receive(Duration::from_millis(20)), Received::Nothing);
            bus.clock().advance_to(1000);
            assert_eq!([next(), next()], recorded[2..]);
            assert!(player.join().unwrap());
        });
    }

    #[test]
    fn a_replay_may_be_left() {
        let bus = Bus::new(Clock::at_rest());
        let (queue, shutdown) = (bus.subscribe("q", Policy::Whole, 9), Shutdown::default());
        shutdown.request("q");
        assert!(!replay(events(&[1_000_000]), &bus, &shutdown));
        assert_eq!(queue.receive(Duration::ZERO), Received::Nothing);
    }
}
