//! Real-time priority for the callback's thread, where the system gives it: on Linux a player that waits behind other
//! programs for its turn is heard as a gap. JACK, CoreAudio and WASAPI see to it themselves.

use std::sync::atomic::{AtomicU8, Ordering};

/// What became of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    NotAsked,
    Granted,
    Denied,
}

/// What to do where it was denied.
pub const REMEDY: &str = "the system gives the sound no priority over other programs, so it may crackle when the machine \
                          is busy; add yourself to the group audio (sudo usermod -aG audio $USER), allow it rtprio 20 \
                          in /etc/security/limits.d/audio.conf (@audio - rtprio 20), and log in again";

/// Where the callback leaves the answer.
#[derive(Debug, Default)]
pub struct Answer(AtomicU8);

impl Answer {
    pub fn get(&self) -> Priority {
        match self.0.load(Ordering::Relaxed) {
            1 => Priority::Granted,
            2 => Priority::Denied,
            _ => Priority::NotAsked,
        }
    }

    fn set(&self, priority: Priority) {
        self.0.store(priority as u8, Ordering::Relaxed);
    }
}

/// Asks for the calling thread, once, as its first act: one or two system calls.
pub fn ask(answer: &Answer) {
    #[cfg(target_os = "linux")]
    {
        // Above the programs of the desktop, below the kernel's own and a JACK server's.
        const PRIORITY: libc::c_int = 10;
        // SAFETY: plain calls about the calling thread, with a structure that lives on its stack.
        let granted = unsafe {
            let policy = libc::sched_getscheduler(0) & !libc::SCHED_RESET_ON_FORK;
            if policy == libc::SCHED_FIFO || policy == libc::SCHED_RR {
                true
            } else {
                let mut param: libc::sched_param = std::mem::zeroed();
                param.sched_priority = PRIORITY;
                // Threads that this one may start do not inherit it.
                libc::sched_setscheduler(0, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, &param) == 0
            }
        };
        answer.set(if granted { Priority::Granted } else { Priority::Denied });
    }
    #[cfg(not(target_os = "linux"))]
    let _ = answer;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn asking_is_answered_one_way_or_the_other() {
        let told = std::thread::spawn(|| {
            let answer = Answer::default();
            assert_eq!(answer.get(), Priority::NotAsked);
            ask(&answer);
            answer.get()
        });
        assert_ne!(told.join().unwrap(), Priority::NotAsked);
    }
}
