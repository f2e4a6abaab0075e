//! Strata: the machine's whole evening as sediment. A layer falls each second; when there are many, the deeper ones are
//! pressed together, the more the deeper, so that weeks fit into as much memory as minutes and the last minutes stay fine.
//!
//! Any thread, no clock.

use crate::score::{SignalId, SignalValues};

/// More layers than these are pressed together.
pub const MOST_STRATA: usize = 240;
/// So many of the youngest stay as they fell.
const FINE: usize = 60;
const SECOND_NS: u64 = 1_000_000_000;

/// What a layer keeps of each signal that it knows.
pub const KEPT: [SignalId; 5] =
    [SignalId::Memory, SignalId::Cpu, SignalId::Temperature, SignalId::Power, SignalId::Rate];

/// Some seconds of the machine's life.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stratum {
    /// When it began to fall.
    pub t_ns: u64,
    /// Seconds that were pressed into it.
    pub seconds: f32,
    /// Places in their ranges, 0..1, in the order of [`KEPT`]; none where a signal was absent.
    pub at: [Option<f32>; KEPT.len()],
}

/// All layers, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Strata {
    layers: Vec<Stratum>,
    /// Up to where time has been laid down.
    laid_ns: u64,
}

impl Strata {
    pub fn layers(&self) -> &[Stratum] {
        &self.layers
    }

    /// Lays down what the signals say, once a second of the performance.
    pub fn settle(&mut self, t_ns: u64, signals: &SignalValues) {
        if t_ns < self.laid_ns {
            return;
        }
        // After a leap in time (a window that slept) one layer stands for all of it.
        let seconds = ((t_ns - self.laid_ns) / SECOND_NS + 1) as f32;
        self.laid_ns = (t_ns / SECOND_NS + 1) * SECOND_NS;
        let at = KEPT.map(|id| signals.get(id).map(|value| id.spec().position(value)));
        self.layers.push(Stratum { t_ns, seconds, at });
        if self.layers.len() > MOST_STRATA {
            self.press();
        }
    }

    /// Presses two neighbours together: those that lie longest below where layers so deep should be thick.
    fn press(&mut self) {
        let deep = self.layers.len() - FINE;
        let thin = |i: &usize| (self.layers[*i].seconds + self.layers[i + 1].seconds) / (deep - i) as f32;
        let at = (0..deep - 1).min_by(|a, b| thin(a).total_cmp(&thin(b))).unwrap_or(0);
        let b = self.layers.remove(at + 1);
        let a = &mut self.layers[at];
        for (x, y) in a.at.iter_mut().zip(b.at) {
            *x = match (*x, y) {
                (Some(x), Some(y)) => Some((x * a.seconds + y * b.seconds) / (a.seconds + b.seconds)),
                (x, y) => x.or(y),
            };
        }
        a.seconds += b.seconds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_fits_and_the_last_minute_stays_fine() {
        let (mut strata, mut signals) = (Strata::default(), SignalValues::default());
        for second in 0..600_000u64 {
            signals.set(SignalId::Memory, Some(if second < 300_000 { 0.2 } else { 0.8 }));
            strata.settle(second * SECOND_NS, &signals);
            strata.settle(second * SECOND_NS + 500, &signals);
        }
        let layers = strata.layers();
        assert!(layers.len() <= MOST_STRATA && strata.layers.capacity() <= 4 * MOST_STRATA);
        assert!(layers[layers.len() - 60..].iter().all(|l| l.seconds == 1.0 && l.at[0] == Some(0.8)));
        assert!((layers.iter().map(|l| f64::from(l.seconds)).sum::<f64>() - 600_000.0).abs() < 1.0);
        assert!(layers[0].at[0].unwrap() < 0.21);
        assert_eq!(layers[0].at[2], None);
    }
}
