//! The matrix: what is measured moves what is played.
//!
//! A pure value, compiled once from the patch. Each consumer holds a [`Modulator`] and evaluates it at its own rate
//! from the signals it has received, so a replay gives the same result. Evaluation does not allocate: it runs in the
//! audio callback.

use crate::score::{ParamId, ParamValues, SignalId, SignalValues};

/// At most this many routes, so that a modulator's state is a fixed array.
pub const MAX_ROUTES: usize = 64;

/// How a signal's place in its range (0..1) is bent before it is added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    #[default]
    Lin,
    /// Slow, then fast: the square.
    Exp,
    /// Fast, then slow: the square root.
    Log,
    /// Slow at both ends.
    S,
    /// Full at 0, nothing at 1.
    Inverse,
}

impl Shape {
    /// Words of the patch and what they mean.
    pub const WORDS: [(&'static str, Shape); 5] =
        [("lin", Shape::Lin), ("exp", Shape::Exp), ("log", Shape::Log), ("s", Shape::S), ("inverse", Shape::Inverse)];

    fn bend(self, x: f32) -> f32 {
        match self {
            Shape::Lin => x,
            Shape::Exp => x * x,
            Shape::Log => x.sqrt(),
            Shape::S => x * x * (3.0 - 2.0 * x),
            Shape::Inverse => 1.0 - x,
        }
    }
}

/// One cable from a signal to a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Route {
    pub from: SignalId,
    pub to: ParamId,
    /// Part of the parameter's travel that a full signal adds, -1..=1.
    pub amount: f32,
    pub shape: Shape,
    /// Time constant in seconds in which the cable follows its signal; 0 follows at once.
    pub lag_s: f32,
}

/// All cables of a patch; at most [`MAX_ROUTES`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    pub routes: Vec<Route>,
}

/// A consumer's own copy of the matrix and how far each cable has followed its signal.
#[derive(Clone, Debug)]
pub struct Modulator {
    matrix: Matrix,
    followed: [Option<f32>; MAX_ROUTES],
}

impl Modulator {
    pub fn new(matrix: Matrix) -> Modulator {
        Modulator { matrix, followed: [None; MAX_ROUTES] }
    }

    /// The parameters as they are to be played: `base` with every cable added, each value clamped into its range.
    ///
    /// `dt_s` is the time since the last call, for the lags. A cable from an absent signal does nothing.
    pub fn apply(&mut self, base: &ParamValues, signals: &SignalValues, dt_s: f32) -> ParamValues {
        let mut offset = [0.0f32; ParamId::COUNT];
        for (route, followed) in self.matrix.routes.iter().zip(&mut self.followed) {
            let Some(value) = signals.get(route.from) else {
                *followed = None;
                continue;
            };
            let target = route.shape.bend(route.from.spec().position(value));
            let at = match *followed {
                Some(at) if route.lag_s > 0.0 => at + (target - at) * (1.0 - (-dt_s / route.lag_s).exp()),
                _ => target,
            };
            *followed = Some(at);
            offset[route.to as usize] += route.amount * at;
        }
        let mut out = *base;
        for (i, offset) in offset.iter().enumerate() {
            if *offset != 0.0 {
                let spec = ParamId::ALL[i].spec();
                out.0[i] = spec.at(spec.position(base.0[i]) + offset);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cable(amount: f32, shape: Shape, lag_s: f32) -> Modulator {
        let route = Route { from: SignalId::Cpu, to: ParamId::HumBrightness, amount, shape, lag_s };
        Modulator::new(Matrix { routes: vec![route] })
    }

    fn cpu(value: Option<f32>) -> SignalValues {
        let mut signals = SignalValues::default();
        signals.set(SignalId::Cpu, value);
        signals
    }

    #[test]
    fn a_full_signal_adds_the_amount_of_the_travel() {
        let base = ParamValues::default(); // brightness 0.3 of 0..1
        let got =
            |amount, shape, value| cable(amount, shape, 0.0).apply(&base, &cpu(value), 0.0).get(ParamId::HumBrightness);
        assert!((got(0.5, Shape::Lin, Some(1.0)) - 0.8).abs() < 1e-6);
        assert!((got(-0.2, Shape::Lin, Some(1.0)) - 0.1).abs() < 1e-6);
        assert!((got(0.4, Shape::Exp, Some(0.5)) - 0.4).abs() < 1e-6);
        assert!((got(0.4, Shape::Inverse, Some(0.0)) - 0.7).abs() < 1e-6);
        assert_eq!(got(1.0, Shape::Lin, Some(1.0)), 1.0);
        assert_eq!(got(1.0, Shape::Lin, None), 0.3);
    }

    #[test]
    fn a_lag_follows_in_its_time() {
        let base = ParamValues::default();
        let mut cable = cable(0.5, Shape::Lin, 0.2);
        cable.apply(&base, &cpu(Some(0.0)), 0.0);
        let mut value = 0.0;
        for _ in 0..20 {
            value = cable.apply(&base, &cpu(Some(1.0)), 0.01).get(ParamId::HumBrightness);
        }
        assert!((value - (0.3 + 0.5 * (1.0 - (-1.0f32).exp()))).abs() < 1e-3, "{value}");
    }

    #[test]
    fn cables_do_not_touch_what_they_do_not_reach() {
        let base = ParamValues::default();
        let out = cable(0.5, Shape::Lin, 0.0).apply(&base, &cpu(Some(1.0)), 0.0);
        for id in ParamId::ALL {
            assert!(*id == ParamId::HumBrightness || out.get(*id) == base.get(*id));
        }
    }
}
