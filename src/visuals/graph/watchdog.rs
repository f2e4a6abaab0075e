//! The watchdog over an artist's shader: how long it would take, tried at small sizes before it is taken up, and how long
//! frames take while it runs. A shader always ends (`shader::bound`), but one may take seconds for a frame.
//!
//! The only clock in here that is not the performance's, since it measures the graphics device. On the drawing thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A frame that takes longer is slow; after so many slow ones in a row, or one very slow one, the shader is suspected.
const SLOW: Duration = Duration::from_millis(300);
const PATIENCE: u32 = 4;
const VERY_SLOW: Duration = Duration::from_secs(2);

/// The first picture of a trial; the next one is twice as wide and high.
const TRIAL: [u32; 2] = [32, 18];
/// A picture that takes longer is not followed by a larger one.
const QUICK: Duration = Duration::from_millis(100);
/// How often a picture is drawn before its time is believed: a machine that is busy elsewhere now and then takes longer.
const TRIES: u32 = 3;
/// Nobody waits longer for a picture of a trial.
pub const LONGEST_TRIAL: Duration = Duration::from_secs(5);

/// Tries a shader for frames of `size` pixels; `draw` draws a picture of a size and says how long it took. The error is
/// how long a frame would take, where that is too long.
///
/// A small picture's time, as many times as the frame has more pixels, is too much rather than too little: handing over
/// takes its time at any size, and a graphics card draws many pixels at once. So where it is little all is well, and where
/// it is much a larger picture is looked at.
pub fn trial(size: [u32; 2], mut draw: impl FnMut([u32; 2]) -> Duration) -> Result<(), Duration> {
    let mut small = [TRIAL[0].min(size[0]), TRIAL[1].min(size[1])];
    // The first time it is also translated.
    let mut took = draw(small);
    while took < LONGEST_TRIAL {
        took = draw(small);
        let frame = |took| foreseen(took, small, size);
        for _ in 1..TRIES {
            if frame(took) > VERY_SLOW && took < LONGEST_TRIAL {
                took = took.min(draw(small));
            }
        }
        if frame(took) <= VERY_SLOW {
            return Ok(());
        }
        if took > QUICK || small == size {
            return Err(frame(took));
        }
        small = [(small[0] * 2).min(size[0]), (small[1] * 2).min(size[1])];
    }
    Err(foreseen(took, small, size))
}

fn foreseen(took: Duration, small: [u32; 2], size: [u32; 2]) -> Duration {
    let pixels = |size: [u32; 2]| f64::from(size[0]) * f64::from(size[1]);
    took.min(LONGEST_TRIAL).mul_f64((pixels(size) / pixels(small)).max(1.0))
}

/// What the watchdog found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Nothing,
    /// Its frames are slow: the default shader is to run in its place, to see how long that takes here.
    Suspect,
    /// The default shader's frames are quick: it is to be let go.
    Guilty,
    /// The default shader's frames are as slow: it is to run again.
    Innocent,
}

/// Follows the frames of one shader.
pub struct Watchdog {
    /// The frame that is on its way: when it was handed over, and then how long it took, in ns.
    on_its_way: Option<(Instant, Arc<AtomicU64>)>,
    looked: Option<Instant>,
    /// A frame that takes longer is slow here.
    limit: Duration,
    slow: u32,
    stand_in: Option<StandIn>,
}

/// The default shader, while it runs in the place of one that is suspected.
struct StandIn {
    /// The first of its frames still waits for those before it.
    first: bool,
    frames: u32,
    quickest: Duration,
}

impl Default for Watchdog {
    fn default() -> Watchdog {
        Watchdog { on_its_way: None, looked: None, limit: SLOW, slow: 0, stand_in: None }
    }
}

impl Watchdog {
    /// Looks at the frames that were handed over before this one.
    pub fn look(&mut self, queue: &wgpu::Queue) -> Found {
        let now = Instant::now();
        let gap = self.looked.replace(now).map_or(Duration::ZERO, |before| now - before);
        let Some((since, done)) = &self.on_its_way else {
            let done = Arc::new(AtomicU64::new(0));
            let tell = done.clone();
            queue.on_submitted_work_done(move || tell.store(now.elapsed().as_nanos().max(1) as u64, Ordering::Relaxed));
            self.on_its_way = Some((now, done));
            return Found::Nothing;
        };
        let (took, came) = match done.load(Ordering::Relaxed) {
            0 => (since.elapsed(), false),
            ns => (Duration::from_nanos(ns), true),
        };
        let paused = gap > SLOW;
        if came || paused {
            self.on_its_way = None;
        }
        self.judge(took, came, paused)
    }

    /// Judges a frame that came or has not come yet. `paused`: nobody looked meanwhile. The window may have been hidden,
    /// and then nobody was told that the frame had come either; so it is a slow one, and no very slow one.
    fn judge(&mut self, took: Duration, came: bool, paused: bool) -> Found {
        if let Some(stand_in) = &mut self.stand_in {
            if !came || paused || std::mem::take(&mut stand_in.first) {
                return Found::Nothing;
            }
            stand_in.frames += 1;
            stand_in.quickest = stand_in.quickest.min(took);
            if stand_in.quickest <= self.limit {
                *self = Watchdog::default();
                return Found::Guilty;
            }
            if stand_in.frames >= PATIENCE {
                // From now on a slow frame is one that takes twice as long as the default shader's.
                *self = Watchdog { limit: stand_in.quickest * 2, ..Watchdog::default() };
                return Found::Innocent;
            }
            return Found::Nothing;
        }
        if came || paused {
            self.slow = if took > self.limit { self.slow + 1 } else { 0 };
        }
        if self.slow < PATIENCE && (paused || took <= self.limit.max(VERY_SLOW)) {
            return Found::Nothing;
        }
        let stand_in = StandIn { first: true, frames: 0, quickest: Duration::MAX };
        *self = Watchdog { limit: self.limit, stand_in: Some(stand_in), ..Watchdog::default() };
        Found::Suspect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn it_bears_a_slow_frame_and_suspects_a_slow_shader() {
        let mut dog = Watchdog::default();
        let mut look = |ms, came, paused| dog.judge(MS(ms), came, paused);
        for ms in [400, 400, 400, 20, 400, 400, 400] {
            assert_eq!(look(ms, true, false), Found::Nothing);
        }
        assert_eq!(look(400, true, false), Found::Suspect);
        let mut dog = Watchdog::default();
        assert_eq!(dog.judge(MS(1900), false, false), Found::Nothing, "not yet");
        assert_eq!(dog.judge(MS(2100), false, false), Found::Suspect);
    }

    #[test]
    fn a_shader_is_let_go_only_where_the_default_one_is_quicker() {
        let suspect = |dog: &mut Watchdog| (0..9).find(|_| dog.judge(MS(900), true, false) == Found::Suspect).unwrap();
        let mut dog = Watchdog::default();
        suspect(&mut dog);
        // The first frame still waits for the suspect's.
        assert_eq!(dog.judge(MS(900), true, false), Found::Nothing);
        assert_eq!(dog.judge(MS(30), true, false), Found::Guilty);

        let mut dog = Watchdog::default();
        suspect(&mut dog);
        assert!((0..4).all(|_| dog.judge(MS(800), true, false) == Found::Nothing));
        assert_eq!(dog.judge(MS(700), true, false), Found::Innocent);
        // No to and fro: only what is slower still is suspected again.
        assert!((0..99).all(|_| dog.judge(MS(1300), true, false) == Found::Nothing));
        assert!((0..3).all(|_| dog.judge(MS(1500), true, false) == Found::Nothing));
        assert_eq!(dog.judge(MS(1500), true, false), Found::Suspect);
    }

    #[test]
    fn a_window_that_was_hidden_costs_no_shader() {
        let mut dog = Watchdog::default();
        assert_eq!(dog.judge(MS(3_600_000), false, true), Found::Nothing);
        assert_eq!(dog.judge(MS(30), true, false), Found::Nothing);
        // But frames that hold up the drawing themselves are slow ones.
        assert!((0..3).all(|_| dog.judge(MS(3000), true, true) == Found::Nothing));
        assert_eq!(dog.judge(MS(3000), true, true), Found::Suspect);
    }

    /// A device on which a drawing takes `fixed_us` and each pixel `pixel_ns`; `busy` adds to some drawings.
    fn tried(fixed_us: u64, pixel_ns: u64, busy: impl Fn(usize) -> u64) -> (Result<(), Duration>, Vec<[u32; 2]>) {
        let mut drawn = Vec::new();
        let result = trial([640, 360], |size| {
            let busy_us = busy(drawn.len());
            drawn.push(size);
            let pixels = u64::from(size[0] * size[1]);
            Duration::from_micros(fixed_us + busy_us) + Duration::from_nanos(pixels * pixel_ns)
        });
        (result, drawn)
    }

    #[test]
    fn a_quick_shader_passes_also_on_a_busy_machine() {
        let (result, drawn) = tried(500, 100, |_| 0);
        assert_eq!((result, drawn.len()), (Ok(()), 2));
        // Every drawing is held up; or all but one in three by much.
        assert_eq!(tried(500, 100, |_| 20_000).0, Ok(()));
        assert_eq!(tried(500, 100, |at| if at % 3 == 0 { 0 } else { 300_000 }).0, Ok(()));
    }

    #[test]
    fn a_slow_shader_is_foreseen_and_never_drawn_large() {
        // 230,400 pixels of 20 us: 4.6 s.
        let (result, drawn) = tried(500, 20_000, |_| 0);
        assert_eq!(result.unwrap_err().as_secs_f32().round(), 5.0);
        assert!(drawn.iter().all(|size| size[0] <= 128), "{drawn:?}");
        // Pixels of 20 ms: more than anybody waits for.
        let (result, drawn) = tried(500, 20_000_000, |_| 0);
        assert!(result.unwrap_err() > Duration::from_secs(60));
        assert_eq!(drawn.len(), 1);
    }
}
