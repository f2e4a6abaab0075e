//! How weights follow their gradients: Muon for the layers' matrices, AdamW for the table and the norms.
//!
//! Muon (Jordan 2024, <https://kellerjordan.github.io/posts/muon/>) moves a matrix by its averaged gradient with all
//! singular values made alike; with the scale of Moonlight (Liu et al. 2025, arXiv:2502.16982) its steps are as large as
//! AdamW's (Loshchilov and Hutter 2019, arXiv:1711.05101), so one learning rate serves both.

use std::ops::Range;
use std::thread;

use super::pass::kernels::{add, square_sum};
use super::pass::product::{Matrix, Target, multiply};
use super::weights::Places;

/// How much of the averages stays from step to step.
const MOMENTUM: f32 = 0.95;
const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.95;
const EPS: f32 = 1e-8;
/// Root mean square of an AdamW step beside its learning rate.
const MUON_SCALE: f32 = 0.2;

/// What the optimizer remembers.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimizer {
    /// The averaged gradient of each weight.
    pub first: Vec<f32>,
    /// The averaged square, of what AdamW moves.
    pub second: Vec<f32>,
    pub steps: u64,
    jobs: Vec<Job>,
}

/// The numbers of one step.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Of the table and the norms.
    pub table: f32,
    pub matrices: f32,
    pub weight_decay: f32,
    /// Gradients together longer than this are shortened to it.
    pub clip: f32,
}

/// What one thread does at a time.
#[derive(Clone, Debug, PartialEq)]
struct Job {
    range: Range<usize>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// With weight decay or without.
    Adam(bool),
    Muon {
        rows: usize,
        columns: usize,
    },
}

/// A job with its parts of all the runs.
struct Task<'a> {
    kind: Kind,
    weights: &'a mut [f32],
    gradient: &'a [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

/// Elements of a run that are moved at once.
const RUN: usize = 1 << 16;

impl Optimizer {
    pub fn new(places: &Places) -> Optimizer {
        let mut jobs = Vec::new();
        for tensor in places.tensors() {
            if tensor.is_norm() || tensor.is_embedding() {
                let range = tensor.range.clone();
                let ends = |at: usize| (at + RUN).min(range.end);
                let run = |at| Job { range: at..ends(at), kind: Kind::Adam(!tensor.is_norm()) };
                jobs.extend(range.clone().step_by(RUN).map(run));
            } else {
                jobs.push(Job { range: tensor.range, kind: Kind::Muon { rows: tensor.rows, columns: tensor.columns } });
            }
        }
        Optimizer { first: vec![0.0; places.len], second: vec![0.0; places.len], steps: 0, jobs }
    }

    /// Goes on from a checkpoint.
    pub fn resume(&mut self, first: Vec<f32>, second: Vec<f32>, steps: u64) {
        (self.first, self.second, self.steps) = (first, second, steps);
    }

    /// Moves the weights by the gradients, which `others` are added to first. Returns the length of the gradient.
    pub fn step(&mut self, weights: &mut [f32], gradient: &mut [f32], others: &[&[f32]], rates: Rates) -> f32 {
        self.steps += 1;
        let threads = others.len() + 1;
        let length = gather(gradient, others);
        let clip = if length > rates.clip { rates.clip / length } else { 1.0 };
        let bias = [1.0 - BETA_1.powi(self.steps as i32), 1.0 - BETA_2.powi(self.steps as i32)];
        // The long jobs first, so that the threads end together.
        let mut tasks = Vec::new();
        let (mut w, mut g) = (weights, &*gradient);
        let (mut m, mut v) = (self.first.as_mut_slice(), self.second.as_mut_slice());
        for job in &self.jobs {
            let n = job.range.len();
            let (weights, gradient) = (take(&mut w, n), &g[..n]);
            g = &g[n..];
            tasks.push(Task { kind: job.kind, weights, gradient, first: take(&mut m, n), second: take(&mut v, n) });
        }
        tasks.sort_by_key(|task| task.cost());
        let tasks = std::sync::Mutex::new(tasks);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let mut room = Room::default();
                    loop {
                        let task = tasks.lock().unwrap_or_else(|e| e.into_inner()).pop();
                        let Some(task) = task else { return };
                        task.run(rates, clip, bias, &mut room);
                    }
                });
            }
        });
        length
    }
}

fn take<'a>(run: &mut &'a mut [f32], n: usize) -> &'a mut [f32] {
    let (head, tail) = std::mem::take(run).split_at_mut(n);
    *run = tail;
    head
}

/// Adds all gradients into the first; returns their length together.
fn gather(gradient: &mut [f32], others: &[&[f32]]) -> f32 {
    let part = gradient.len().div_ceil(others.len() + 1).max(1);
    let squares: f64 = thread::scope(|scope| {
        let sums: Vec<_> = gradient
            .chunks_mut(part)
            .enumerate()
            .map(|(i, run)| {
                scope.spawn(move || {
                    others.iter().for_each(|other| add(run, &other[i * part..][..run.len()]));
                    square_sum(run)
                })
            })
            .collect();
        sums.into_iter().map(|sum| sum.join().unwrap_or(f64::NAN)).sum()
    });
    squares.sqrt() as f32
}

impl Task<'_> {
    fn cost(&self) -> usize {
        match self.kind {
            Kind::Adam(_) => self.weights.len() * 20,
            Kind::Muon { rows, columns } => rows * columns * rows.min(columns) * 20,
        }
    }

    fn run(self, rates: Rates, clip: f32, bias: [f32; 2], room: &mut Room) {
        match self.kind {
            Kind::Adam(decays) => {
                let decay = if decays { 1.0 - rates.table * rates.weight_decay } else { 1.0 };
                adam(self, decay, rates.table, clip, bias);
            }
            Kind::Muon { rows, columns } => {
                room.direction.resize(self.weights.len(), 0.0);
                momentum(self.first, self.gradient, clip, &mut room.direction);
                room.even(rows, columns);
                let rate = rates.matrices * MUON_SCALE * (rows.max(columns) as f32).sqrt();
                blend(self.weights, 1.0 - rates.matrices * rates.weight_decay, &room.direction, -rate);
            }
        }
    }
}

/// The averaged gradient `m` goes on; `direction` is what follows if the next step had been taken already (Nesterov).
fn momentum(m: &mut [f32], gradient: &[f32], clip: f32, direction: &mut [f32]) {
    pulp::Arch::new().dispatch(|| {
        for ((m, g), d) in m.iter_mut().zip(gradient).zip(direction) {
            let g = g * clip;
            *m += (1.0 - MOMENTUM) * (g - *m);
            *d = g * (1.0 - MOMENTUM) + *m * MOMENTUM;
        }
    });
}

/// `a = a × share + b × more`
fn blend(a: &mut [f32], share: f32, b: &[f32], more: f32) {
    pulp::Arch::new().dispatch(|| a.iter_mut().zip(b).for_each(|(a, b)| *a = *a * share + b * more));
}

fn adam(task: Task, decay: f32, rate: f32, clip: f32, bias: [f32; 2]) {
    let Task { weights, gradient, first, second, .. } = task;
    pulp::Arch::new().dispatch(|| {
        for (((w, g), m), v) in weights.iter_mut().zip(gradient).zip(first).zip(second) {
            let g = g * clip;
            *m = BETA_1 * *m + (1.0 - BETA_1) * g;
            *v = BETA_2 * *v + (1.0 - BETA_2) * g * g;
            *w = *w * decay - rate * (*m / bias[0]) / ((*v / bias[1]).sqrt() + EPS);
        }
    });
}

/// One thread's room for Muon.
#[derive(Default)]
struct Room {
    direction: Vec<f32>,
    next: Vec<f32>,
    square: Vec<f32>,
    polynomial: Vec<f32>,
}

impl Room {
    /// Makes the singular values of `direction` (rows, columns) all about 1, by five steps of Newton and Schulz with
    /// Jordan's coefficients, on the shorter side.
    fn even(&mut self, rows: usize, columns: usize) {
        const A: f32 = 3.4445;
        const B: f32 = -4.7750;
        const C: f32 = 2.0315;
        let Room { direction, next, square, polynomial } = self;
        let wide = rows <= columns;
        let n = rows.min(columns);
        let scale = 1.0 / (square_sum(direction).sqrt() as f32 + 1e-7);
        direction.iter_mut().for_each(|x| *x *= scale);
        next.resize(direction.len(), 0.0);
        square.resize(n * n, 0.0);
        polynomial.resize(n * n, 0.0);
        for _ in 0..5 {
            let x = Matrix::new(direction, rows, columns);
            let (left, right) = if wide { (x, x.t()) } else { (x.t(), x) };
            multiply(square, n, Target::Overwrite, left, right, 1.0);
            // polynomial = b × square + c × square²
            blend(polynomial, 0.0, square, B);
            let s = Matrix::new(square, n, n);
            multiply(polynomial, n, Target::Add, s, s, C);
            let p = Matrix::new(polynomial, n, n);
            blend(next, 0.0, direction, A);
            let (left, right) = if wide { (p, x) } else { (x, p) };
            multiply(next, columns, Target::Add, left, right, 1.0);
            std::mem::swap(direction, next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Shape;
    use crate::train::random::Random;

    const SMALL: Shape = Shape { vocabulary: 300, width: 64, layers: 1, heads: 2, kv_heads: 1, ffn: 96, context: 32 };

    #[test]
    fn a_direction_becomes_even() {
        let mut random = Random::new(2);
        for (rows, columns) in [(32, 96), (96, 32), (64, 64)] {
            let mut room =
                Room { direction: (0..rows * columns).map(|_| random.normal()).collect(), ..Room::default() };
            room.even(rows, columns);
            // The mean of its squared singular values lies near 1; the coefficients leave 0.7 to 1.2.
            let mean = square_sum(&room.direction) / rows.min(columns) as f64;
            assert!((0.6..1.3).contains(&mean), "{rows} × {columns}: {mean}");
        }
    }

    #[test]
    fn gradients_of_all_threads_count_and_are_clipped() {
        let places = Places::new(SMALL);
        let rates = Rates { table: 0.01, matrices: 0.01, weight_decay: 0.1, clip: 1.0 };
        let whole: Vec<f32> = (0..places.len).map(|i| ((i % 13) as f32 - 6.0) * 0.1).collect();
        let half: Vec<f32> = whole.iter().map(|g| g * 0.5).collect();
        let (start, mut one) = (places.start(1), Optimizer::new(&places));
        let mut a = start.clone();
        let length = one.step(&mut a, &mut whole.clone(), &[], rates);
        let mut two = Optimizer::new(&places);
        let mut b = start.clone();
        assert!((two.step(&mut b, &mut half.clone(), &[&half], rates) / length - 1.0).abs() < 1e-5);
        assert!(length > 10.0, "{length}");
        let off = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 1e-5, "{off}");
        assert!(a.iter().zip(&start).filter(|(a, b)| a != b).count() > places.len * 9 / 10);
    }

    #[test]
    fn adam_walks_down_a_bowl() {
        let places = Places::new(SMALL);
        let mut optimizer = Optimizer::new(&places);
        let rates = Rates { table: 0.02, matrices: 0.02, weight_decay: 0.0, clip: 1e9 };
        let mut weights = vec![1.0; places.len];
        for _ in 0..200 {
            let mut gradient = weights.clone();
            optimizer.step(&mut weights, &mut gradient, &[], rates);
        }
        let table = &weights[places.embedding.clone()];
        assert!(table.iter().all(|w| w.abs() < 0.1), "{}", table[0]);
    }
}
