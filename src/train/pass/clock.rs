//! Where the time of a training step goes.

use std::time::{Duration, Instant};

/// A part of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Products with the layers' matrices.
    Products,
    /// The output's products.
    Output,
    /// Attention with its own products.
    Attention,
    /// Norms, rotation, feed-forward's gate, sums.
    Elements,
    /// Surprise of the targets and its gradient.
    Surprise,
    /// The optimizer.
    Optimizer,
}

impl Part {
    pub const ALL: [Part; 6] =
        [Part::Products, Part::Output, Part::Attention, Part::Elements, Part::Surprise, Part::Optimizer];

    pub fn name(self) -> &'static str {
        match self {
            Part::Products => "products with the layers' matrices",
            Part::Output => "products with the output matrix",
            Part::Attention => "attention",
            Part::Elements => "norms, rotation, gate",
            Part::Surprise => "surprise",
            Part::Optimizer => "optimizer",
        }
    }
}

/// Adds up the time of each part; costs some 50 ns a lap.
#[derive(Clone, Debug)]
pub struct Clock {
    last: Instant,
    spent: [Duration; Part::ALL.len()],
}

impl Default for Clock {
    fn default() -> Clock {
        Clock { last: Instant::now(), spent: Default::default() }
    }
}

impl Clock {
    /// What follows is timed from now on.
    pub fn start(&mut self) {
        self.last = Instant::now();
    }

    /// The time since the last lap or start was spent on this.
    pub fn lap(&mut self, part: Part) {
        let now = Instant::now();
        self.spent[part as usize] += now - self.last;
        self.last = now;
    }

    pub fn spent(&self, part: Part) -> Duration {
        self.spent[part as usize]
    }

    pub fn add(&mut self, other: &Clock) {
        self.spent.iter_mut().zip(other.spent).for_each(|(a, b)| *a += b);
    }
}
