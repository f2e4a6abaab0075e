//! No device: a thread that plays for nobody at the pace of the clock, so that a recording has its sound anyway.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::link::Player;
use crate::score::Shutdown;

/// A player that runs without a device.
pub struct Silent {
    stop: Shutdown,
    thread: Option<JoinHandle<Player>>,
}

impl Silent {
    /// Begins to play. If no thread can be made the player is lost with the error.
    pub fn start(mut player: Player) -> std::io::Result<Silent> {
        let stop = Shutdown::default();
        let stopped = stop.clone();
        let run = move || {
            let began = Instant::now();
            let mut block = vec![0.0; 256 * player.channels()];
            let mut played = 0u64;
            loop {
                let due = (began.elapsed().as_secs_f64() * f64::from(player.rate_hz())) as u64;
                while played + 256 <= due {
                    player.fill(&mut block);
                    played += 256;
                }
                if stopped.wait(Duration::from_millis(5)) {
                    return player;
                }
            }
        };
        let thread = std::thread::Builder::new().name("xiao-silent".into()).spawn(run)?;
        Ok(Silent { stop, thread: Some(thread) })
    }

    /// Ends and gives the player back, to go on elsewhere.
    pub fn stop(mut self) -> Option<Player> {
        self.stop.request("stop");
        self.thread.take()?.join().ok()
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        self.stop.request("stop");
    }
}
