//! Rows of activations that are about to be multiplied.

#[cfg(target_arch = "x86_64")]
use super::wide::{Input, Rounded, round::Grain};

/// Rows (m, columns), kept between products so that no memory is asked for once it has grown.
#[derive(Default)]
pub struct Rows {
    m: usize,
    columns: usize,
    x: Vec<f32>,
    #[cfg(target_arch = "x86_64")]
    rounded: [Rounded; Grain::ALL.len()],
    #[cfg(target_arch = "x86_64")]
    is_rounded: [bool; Grain::ALL.len()],
}

impl Rows {
    /// Takes `m` rows of equal length.
    pub fn set(&mut self, x: &[f32], m: usize) {
        assert!(m > 0 && x.len().is_multiple_of(m));
        self.fill(m, x.len() / m).copy_from_slice(x);
    }

    /// Where `m` rows of so many columns are to be written, which saves the copy of [`Rows::set`]. What stood there
    /// before is undefined.
    pub fn fill(&mut self, m: usize, columns: usize) -> &mut [f32] {
        (self.m, self.columns) = (m, columns);
        #[cfg(target_arch = "x86_64")]
        {
            self.is_rounded = Default::default();
        }
        self.x.resize(m * columns, 0.0);
        &mut self.x
    }

    pub fn m(&self) -> usize {
        self.m
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    pub fn floats(&self) -> &[f32] {
        &self.x
    }

    /// The rows for the kernels of [`super::wide`]; rounds them in these ways, which is done once for each.
    #[cfg(target_arch = "x86_64")]
    pub fn input(&mut self, grains: impl Iterator<Item = Grain>) -> Input<'_> {
        for grain in grains {
            if !std::mem::replace(&mut self.is_rounded[grain as usize], true) {
                self.rounded[grain as usize].set(&self.x, self.m, grain);
            }
        }
        Input { m: self.m, columns: self.columns, floats: &self.x, rounded: &self.rounded }
    }
}
