//! The matrix: what is measured moves what is played.
//!
//! A pure value, compiled once from the patch. Each consumer holds a [`Modulator`] and evaluates it at its own rate
//! from the signals it has received, so a replay gives the same result. Evaluation does not allocate: it runs in the
//! audio callback.

mod modulator;
mod mover;
mod shape;

pub use modulator::Modulator;
pub use mover::{Envelope, Lfo, Wave};
pub use shape::Shape;

use crate::score::{ParamId, SignalId};

/// At most so many, so that a modulator's state is a fixed array.
pub const MAX_ROUTES: usize = 64;
pub const MAX_LFOS: usize = 16;
pub const MAX_ENVELOPES: usize = 16;

/// What a cable begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Signal(SignalId),
    /// An index into [`Matrix::lfos`].
    Lfo(u8),
    /// An index into [`Matrix::envelopes`].
    Envelope(u8),
}

/// One cable from an origin to a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Route {
    pub from: Origin,
    pub to: ParamId,
    /// Part of the parameter's travel that a full origin adds, -1..=1.
    pub amount: f32,
    pub shape: Shape,
    /// So many even steps between nothing and all; 0 is none.
    pub steps: u8,
    /// Takes a new value at each token only, and keeps it until the next.
    pub hold: bool,
    /// Time constants in seconds in which the cable follows upwards and downwards; 0 follows at once.
    pub lag_s: [f32; 2],
}

impl Route {
    /// A plain cable.
    pub fn new(from: Origin, to: ParamId, amount: f32) -> Route {
        Route { from, to, amount, shape: Shape::Lin, steps: 0, hold: false, lag_s: [0.0; 2] }
    }
}

/// All cables of a patch, at most [`MAX_ROUTES`], and what of its own they begin at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    pub routes: Vec<Route>,
    pub lfos: Vec<Lfo>,
    pub envelopes: Vec<Envelope>,
}
