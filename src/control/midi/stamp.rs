//! The system's own stamps of messages, brought onto our clock. Pure; runs in midir's callback.
//!
//! A callback comes when its thread has its turn, up to milliseconds after the message; ALSA, CoreMIDI and WinMM stamp
//! a message as it arrives. Under JACK midir stamps in the callback itself, so that both are the same.

use std::time::{Duration, Instant};

/// The stamps' clock may run slower than ours by this part, which would look as if callbacks came ever later.
const DRIFT: f64 = 100e-6;

/// When a port's stamps began to count, as far as it is known: as the least late callback has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stamps {
    zero: Option<Instant>,
    heard: Option<Instant>,
}

impl Stamps {
    /// When a message came that is stamped `micros` and whose callback has it `now`.
    pub fn came(&mut self, micros: u64, now: Instant) -> Instant {
        // A count that is older than our clock is none that can be followed.
        let Some(zero) = now.checked_sub(Duration::from_micros(micros)) else { return now };
        let passed = self.heard.map_or(Duration::ZERO, |heard| now.saturating_duration_since(heard));
        let known = self.zero.map(|known| known + passed.mul_f64(DRIFT));
        let zero = known.map_or(zero, |known| known.min(zero));
        (self.zero, self.heard) = (Some(zero), Some(now));
        zero + Duration::from_micros(micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_callbacks_move_no_stamp_and_a_slower_clock_is_followed() {
        let (start, mut stamps) = (Instant::now() + Duration::from_secs(9), Stamps::default());
        let mut worst = Duration::ZERO;
        for i in 0..3600u64 {
            // A second by our clock, a little less by the stamps'; callbacks up to 7 ms late.
            let (came, micros) = (i * 1_000_000, 500 + i * 999_970);
            let now = start + Duration::from_micros(came + [0, 7000, 300, 2500][i as usize % 4]);
            let at = stamps.came(micros, now);
            assert!(at <= now);
            worst = worst.max(at.saturating_duration_since(start + Duration::from_micros(came)));
        }
        assert!(worst < Duration::from_micros(700), "{worst:?}");
        assert_eq!(Stamps::default().came(u64::MAX, start), start);
    }
}
