//! The thread `xiao-machine`: looks at the machine, emits what it saw, sleeps.

use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use super::Sensors;
use crate::score::{Bus, Event, Shutdown};

/// The running thread.
#[derive(Debug)]
pub struct Monitor(JoinHandle<()>);

impl Monitor {
    /// Emits one [`Event::Machine`] at once and then one after every `every`, until the end is asked for.
    pub fn spawn(bus: Bus, shutdown: Shutdown, every: Duration) -> io::Result<Monitor> {
        let thread = std::thread::Builder::new().name("xiao-machine".into());
        let handle = thread.spawn(move || {
            let mut sensors = Sensors::open();
            loop {
                bus.emit(Event::Machine(sensors.sample()));
                if shutdown.wait(every) {
                    return;
                }
            }
        })?;
        Ok(Monitor(handle))
    }

    /// Waits for the thread's end; false if it was a panic.
    pub fn join(self) -> bool {
        self.0.join().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::{Clock, Policy, Received};

    #[test]
    fn samples_come_until_the_end() {
        let (bus, shutdown) = (Bus::new(Clock::live()), Shutdown::default());
        let queue = bus.subscribe("q", Policy::Whole, 1000);
        let monitor = Monitor::spawn(bus, shutdown.clone(), Duration::from_millis(5)).unwrap();
        for i in 0..3 {
            let Received::Event(event) = queue.receive(Duration::from_secs(30)) else { panic!("no sample") };
            let Event::Machine(sample) = &event.event else { panic!("{event:?}") };
            assert!(!sample.values.is_empty() && (i > 0 || !sample.absent.is_empty()));
        }
        shutdown.request("done");
        assert!(monitor.join());
    }
}
