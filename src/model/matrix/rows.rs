//! Rows of activations that are about to be multiplied.

/// Rows (m, columns), kept between products so that no memory is asked for once it has grown.
#[derive(Default)]
pub struct Rows {
    m: usize,
    columns: usize,
    x: Vec<f32>,
}

impl Rows {
    pub fn new() -> Rows {
        Rows::default()
    }

    /// Takes `m` rows of equal length.
    pub fn set(&mut self, x: &[f32], m: usize) {
        assert!(m > 0 && x.len() % m == 0);
        self.fill(m, x.len() / m).copy_from_slice(x);
    }

    /// Where `m` rows of so many columns are to be written, which saves the copy of [`Rows::set`]. What stood there
    /// before is undefined.
    pub fn fill(&mut self, m: usize, columns: usize) -> &mut [f32] {
        (self.m, self.columns) = (m, columns);
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
}
