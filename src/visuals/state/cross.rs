//! The crossing from one scene of the stage to the next.
//!
//! One crossing at a time: a scene that is asked for in the middle of one follows when it is over, and only the one that
//! was asked for last; asking for the scene that is just going turns the crossing round. So nothing jumps, however a
//! fader is torn about. Only a crash waits for nothing. Any thread, no clock.

use super::super::scene::FAULT;

/// A crash cuts in at once, in the middle of another crossing as well.
const CUT_S: f32 = 0.12;

/// Which scene is shown, which one is going, and how far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cross {
    /// The scene that is coming or there, and since when.
    pub to: usize,
    pub to_ns: u64,
    /// The scene that is going, and since when it was there.
    pub from: usize,
    pub from_ns: u64,
    /// How far: 1 when only `to` is there.
    at: f32,
    settled: bool,
}

impl Cross {
    /// Moves on by `dt_s` towards the scene `wanted`, crossing in `over_s` seconds.
    pub fn advance(&mut self, wanted: usize, over_s: f32, t_ns: u64, dt_s: f32) {
        if !self.settled {
            // The first scene of a performance is there from its beginning.
            *self = Cross { to: wanted, to_ns: t_ns, from: wanted, from_ns: t_ns, at: 1.0, settled: true };
            return;
        }
        if self.at < 1.0 {
            let over_s = if FAULT == self.to { over_s.min(CUT_S) } else { over_s };
            self.at = (self.at + dt_s / over_s.max(1e-3)).min(1.0);
        }
        let crashed = wanted == FAULT && self.to != FAULT && self.from != FAULT;
        if wanted != self.to && (self.at >= 1.0 || crashed) {
            // Of two scenes that cross, the one that is seen best is the one that goes.
            if self.at >= 0.5 {
                (self.from, self.from_ns) = (self.to, self.to_ns);
            }
            (self.to, self.to_ns) = (wanted, t_ns);
            self.at = if over_s <= 0.0 { 1.0 } else { 0.0 };
        } else if wanted != self.to && wanted == self.from {
            (self.from, self.to, self.from_ns, self.to_ns) = (self.to, self.from, self.to_ns, self.from_ns);
            self.at = 1.0 - self.at;
        }
    }

    /// How much of the coming scene is there, 0..1, smooth.
    pub fn part(&self) -> f32 {
        self.at * self.at * (3.0 - 2.0 * self.at)
    }

    /// The scenes that are shown and how much of each: the one that is going, and the one that is coming or there.
    pub fn parts(&self) -> [Option<(usize, f32)>; 2] {
        match self.going() {
            Some(from) => [Some((from, 1.0 - self.part())), Some((self.to, self.part()))],
            None => [None, Some((self.to, 1.0))],
        }
    }

    /// The scene that is going, while it is still there.
    pub fn going(&self) -> Option<usize> {
        (self.settled && self.at < 1.0 && self.from != self.to).then_some(self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_cross_without_a_jump_whatever_is_asked() {
        let (mut cross, mut t_ns) = (Cross::default(), 0);
        let mut weights = |wanted: usize, cross: &mut Cross| {
            t_ns += 100_000_000;
            cross.advance(wanted, 1.0, t_ns, 0.1);
            let mut weights = [0.0f32; 8];
            weights[cross.from] += 1.0 - cross.part();
            weights[cross.to] += cross.part();
            weights
        };
        let mut before = weights(1, &mut cross);
        assert_eq!(before[1], 1.0);
        for step in 0..400usize {
            let now = weights(step / 7 * 5 % FAULT, &mut cross);
            assert!((now.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            let jump = now.iter().zip(before).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(jump < 0.2, "{step}: {jump}");
            before = now;
        }
        for _ in 0..25 {
            before = weights(3, &mut cross);
        }
        assert_eq!((before[3], cross.going()), (1.0, None));
    }

    #[test]
    fn a_crash_waits_for_no_crossing() {
        // How long two scenes have crossed already, of ten seconds, and which of them is still seen best.
        for (steps, best) in [(2, 0), (8, 2)] {
            let (mut cross, mut t_ns) = (Cross::default(), 0);
            let mut go = |cross: &mut Cross, wanted: usize, dt_s: f32| {
                t_ns += (dt_s * 1e9) as u64;
                cross.advance(wanted, 10.0, t_ns, dt_s);
            };
            go(&mut cross, 0, 0.0);
            (0..=steps).for_each(|_| go(&mut cross, 2, 1.0));
            go(&mut cross, FAULT, 0.02);
            assert_eq!((cross.from, cross.to), (best, FAULT));
            go(&mut cross, FAULT, CUT_S);
            assert_eq!((cross.to, cross.going()), (FAULT, None));
            // Back again it takes its time, and another crash in the middle turns it round.
            (0..3).for_each(|_| go(&mut cross, 2, 1.0));
            go(&mut cross, FAULT, 0.02);
            assert_eq!((cross.from, cross.to), (2, FAULT));
            go(&mut cross, FAULT, CUT_S);
            assert_eq!(cross.going(), None);
        }
    }

    #[test]
    fn without_a_time_a_scene_cuts_in() {
        let mut cross = Cross::default();
        cross.advance(0, 0.0, 0, 0.0);
        cross.advance(2, 0.0, 1, 0.1);
        assert_eq!((cross.to, cross.going()), (2, None));
    }
}
