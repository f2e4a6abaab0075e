//! The watchdog over an artist's shader: how long it would take, tried at a small size before it is taken up, and how long
//! frames take while it runs. A shader always ends (`shader::bound`), but one may take seconds for a frame.
//!
//! The only clock in here that is not the performance's, since it measures the graphics device. On the drawing thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A frame that takes longer is slow; after so many slow ones in a row, or one very slow one, the shader is let go.
const SLOW: Duration = Duration::from_millis(300);
const PATIENCE: u32 = 4;
const VERY_SLOW: Duration = Duration::from_secs(2);

/// The side of the trial's picture.
pub const TRIAL: [u32; 2] = [32, 18];

/// How long a whole frame would take, from the time of the trial, where the processor draws: it draws one part after the
/// other, a graphics card all at once.
pub fn foreseen(trial: Duration, size: [u32; 2]) -> Duration {
    let ratio = f64::from(size[0]) * f64::from(size[1]) / f64::from(TRIAL[0] * TRIAL[1]);
    trial.mul_f64(ratio.max(1.0))
}

/// Whether a frame that takes so long is too slow to be taken up at all.
pub fn too_slow(foreseen: Duration) -> bool {
    foreseen > VERY_SLOW
}

/// Follows the frames.
#[derive(Default)]
pub struct Watchdog {
    /// The frame that is on its way: when it was handed over, and then how long it took, in ns.
    on_its_way: Option<(Instant, Arc<AtomicU64>)>,
    slow: u32,
}

impl Watchdog {
    /// Looks at the frames that were handed over before this one. True when the shader is to be let go.
    pub fn barks(&mut self, queue: &wgpu::Queue) -> bool {
        let Some((since, done)) = &self.on_its_way else {
            let (since, done) = (Instant::now(), Arc::new(AtomicU64::new(0)));
            let tell = done.clone();
            queue.on_submitted_work_done(move || {
                tell.store(since.elapsed().as_nanos().max(1) as u64, Ordering::Relaxed)
            });
            self.on_its_way = Some((since, done));
            return false;
        };
        let took = match done.load(Ordering::Relaxed) {
            0 => since.elapsed(),
            ns => Duration::from_nanos(ns),
        };
        let came = done.load(Ordering::Relaxed) > 0;
        if came {
            self.on_its_way = None;
        }
        self.judge(took, came)
    }

    fn judge(&mut self, took: Duration, came: bool) -> bool {
        if came {
            self.slow = if took > SLOW { self.slow + 1 } else { 0 };
        }
        let barks = took > VERY_SLOW || self.slow >= PATIENCE;
        if barks {
            *self = Watchdog::default();
        }
        barks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_bears_a_slow_frame_and_no_slow_shader() {
        let mut dog = Watchdog::default();
        let ms = Duration::from_millis;
        assert!(!dog.judge(ms(400), true) && !dog.judge(ms(400), true) && !dog.judge(ms(20), true));
        assert!((0..3).all(|_| !dog.judge(ms(400), true)));
        assert!(dog.judge(ms(400), true));
        assert!(!dog.judge(ms(1900), false), "not yet");
        assert!(dog.judge(ms(2100), false));
    }

    #[test]
    fn a_trial_foresees_the_frame() {
        assert_eq!(foreseen(Duration::from_millis(1), [640, 360]), Duration::from_millis(400));
        assert!(!too_slow(foreseen(Duration::from_millis(1), [640, 360])));
        assert!(too_slow(foreseen(Duration::from_millis(10), [640, 360])));
    }
}
