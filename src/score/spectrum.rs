//! The spectrum of the sound as it leaves the engine: one writer in the audio callback, any number of readers elsewhere.
//!
//! No allocation, no lock. The bands are written one by one, so a reader may see some of the last look and some of the
//! one before it, five milliseconds apart.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Bands from low to high.
pub const BANDS: usize = 32;

/// A handle on the present levels, each 0..1; clones share them. Silence until something is written.
#[derive(Clone, Debug, Default)]
pub struct Spectrum(Arc<[AtomicU32; BANDS]>);

impl Spectrum {
    pub fn write(&self, levels: &[f32; BANDS]) {
        for (to, level) in self.0.iter().zip(levels) {
            to.store(level.to_bits(), Ordering::Relaxed);
        }
    }

    pub fn read(&self) -> [f32; BANDS] {
        std::array::from_fn(|band| f32::from_bits(self.0[band].load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_thread_writes_another_reads() {
        let spectrum = Spectrum::default();
        assert_eq!(spectrum.read(), [0.0; BANDS]);
        let writer = spectrum.clone();
        let wrote = std::thread::spawn(move || {
            for round in 1..=10_000 {
                writer.write(&std::array::from_fn(|band| (round * band) as f32));
            }
        });
        // While it is written each band holds a value that was written whole, and none goes back.
        let mut before = [0.0; BANDS];
        while !wrote.is_finished() {
            let now = spectrum.read();
            for (band, (now, before)) in now.iter().zip(&before).enumerate() {
                let whole = if band == 0 { *now == 0.0 } else { (now / band as f32).fract() == 0.0 };
                assert!(now >= before && whole, "band {band}: {before} {now}");
            }
            before = now;
        }
        wrote.join().unwrap();
        assert_eq!(spectrum.read()[31], 310_000.0);
    }
}
