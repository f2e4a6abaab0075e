//! A consumer's own copy of the matrix and where each cable, wave and envelope stands.

use super::mover::Course;
use super::{MAX_ENVELOPES, MAX_LFOS, MAX_ROUTES, Matrix, Origin, Route};
use crate::score::{Happening, ParamId, ParamValues, SignalValues};

/// Moves parameters by the matrix. It takes no memory after it was made.
#[derive(Clone, Debug)]
pub struct Modulator {
    matrix: Matrix,
    cables: [Cable; MAX_ROUTES],
    courses: [Course; MAX_ENVELOPES],
    /// Since it was made.
    seconds: f64,
    /// A token has come since the last evaluation.
    token: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Cable {
    above: bool,
    /// What the last token left, if the cable holds.
    held: Option<f32>,
    /// In double precision: over minutes a step is smaller than the last place of a single one.
    followed: Option<f64>,
}

impl Cable {
    fn go(&mut self, route: &Route, position: f32, token: bool, dt_s: f32) -> f32 {
        let mut target = route.shape.bend(position, &mut self.above);
        if route.steps > 0 {
            let steps = f32::from(route.steps);
            target = (target * steps).round() / steps;
        }
        if route.hold {
            target = match self.held {
                Some(held) if !token => held,
                _ => target,
            };
            self.held = Some(target);
        }
        let at = match self.followed {
            Some(at) => {
                let target = f64::from(target);
                let lag_s = f64::from(route.lag_s[usize::from(target < at)]);
                if lag_s > 0.0 { at + (target - at) * (1.0 - (-f64::from(dt_s) / lag_s).exp()) } else { target }
            }
            None => f64::from(target),
        };
        self.followed = Some(at);
        at as f32
    }
}

impl Modulator {
    pub fn new(matrix: Matrix) -> Modulator {
        Modulator {
            matrix,
            cables: [Cable::default(); MAX_ROUTES],
            courses: [Course::default(); MAX_ENVELOPES],
            seconds: 0.0,
            token: false,
        }
    }

    /// Something happened: its envelopes begin, and after a token the cables that hold look anew.
    pub fn happened(&mut self, what: Happening) {
        self.token |= what == Happening::Token;
        for (course, envelope) in self.courses.iter_mut().zip(&self.matrix.envelopes) {
            if envelope.on == what {
                course.begin();
            }
        }
    }

    /// The parameters as they are to be played: `base` with every cable added, each value clamped into its range.
    ///
    /// `dt_s` is the time since the last call. A cable from an absent signal does nothing.
    pub fn apply(&mut self, base: &ParamValues, signals: &SignalValues, dt_s: f32) -> ParamValues {
        self.offsets(signals, dt_s).add(base)
    }

    /// What every cable adds; for one who moves the base by what the cables do.
    pub fn offsets(&mut self, signals: &SignalValues, dt_s: f32) -> Offsets {
        self.seconds += f64::from(dt_s);
        let (mut lfos, mut envelopes) = ([0.0; MAX_LFOS], [0.0; MAX_ENVELOPES]);
        for (i, (value, lfo)) in lfos.iter_mut().zip(&self.matrix.lfos).enumerate() {
            *value = lfo.at(self.seconds, i as u64);
        }
        for ((value, envelope), course) in envelopes.iter_mut().zip(&self.matrix.envelopes).zip(&mut self.courses) {
            *value = course.go(envelope, dt_s);
        }
        let mut offset = [0.0f32; ParamId::COUNT];
        for (route, cable) in self.matrix.routes.iter().zip(&mut self.cables) {
            let position = match route.from {
                Origin::Signal(id) => signals.get(id).map(|value| id.spec().position(value)),
                Origin::Lfo(i) => lfos.get(usize::from(i)).copied(),
                Origin::Envelope(i) => envelopes.get(usize::from(i)).copied(),
            };
            let Some(position) = position else {
                *cable = Cable::default();
                continue;
            };
            offset[route.to as usize] += route.amount * cable.go(route, position, self.token, dt_s);
        }
        self.token = false;
        Offsets(offset)
    }
}

/// What the cables add to each parameter, as a part of its travel.
pub struct Offsets([f32; ParamId::COUNT]);

impl Offsets {
    /// The values with what is added, each clamped into its range.
    pub fn add(&self, base: &ParamValues) -> ParamValues {
        let mut out = *base;
        for (i, id) in ParamId::ALL.iter().enumerate() {
            if self.0[i] != 0.0 {
                out.0[i] = self.add_to(*id, base);
            }
        }
        out
    }

    /// The same for one parameter.
    pub fn add_to(&self, id: ParamId, base: &ParamValues) -> f32 {
        let spec = id.spec();
        spec.at(spec.position(base.get(id)) + self.0[id as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Envelope, Lfo, Shape, Wave};
    use super::*;
    use crate::score::SignalId;

    const CPU: Origin = Origin::Signal(SignalId::Cpu);

    fn one(route: Route) -> Modulator {
        Modulator::new(Matrix { routes: vec![route], ..Matrix::default() })
    }

    fn cable(amount: f32, shape: Shape, lag_s: [f32; 2]) -> Modulator {
        one(Route { shape, lag_s, ..Route::new(CPU, ParamId::HumBrightness, amount) })
    }

    fn cpu(value: Option<f32>) -> SignalValues {
        let mut signals = SignalValues::default();
        signals.set(SignalId::Cpu, value);
        signals
    }

    fn brightness(modulator: &mut Modulator, value: Option<f32>, dt_s: f32) -> f32 {
        modulator.apply(&ParamValues::default(), &cpu(value), dt_s).get(ParamId::HumBrightness)
    }

    #[test]
    fn a_full_signal_adds_the_amount_of_the_travel() {
        // Brightness is 0.3 of 0..1.
        let got = |amount, shape, value| brightness(&mut cable(amount, shape, [0.0; 2]), value, 0.0);
        assert!((got(0.5, Shape::Lin, Some(1.0)) - 0.8).abs() < 1e-6);
        assert!((got(-0.2, Shape::Lin, Some(1.0)) - 0.1).abs() < 1e-6);
        assert!((got(0.4, Shape::Exp, Some(0.5)) - 0.4).abs() < 1e-6);
        assert!((got(0.4, Shape::Inverse, Some(0.0)) - 0.7).abs() < 1e-6);
        assert_eq!(got(1.0, Shape::Lin, Some(1.0)), 1.0);
        assert_eq!(got(1.0, Shape::Lin, None), 0.3);
    }

    #[test]
    fn a_lag_follows_in_its_time_up_and_down() {
        let mut cable = cable(0.5, Shape::Lin, [0.2, 0.05]);
        brightness(&mut cable, Some(0.0), 0.0);
        let mut value = 0.0;
        (0..20).for_each(|_| value = brightness(&mut cable, Some(1.0), 0.01));
        assert!((value - (0.3 + 0.5 * (1.0 - (-1.0f32).exp()))).abs() < 1e-3, "{value}");
        let top = value - 0.3;
        (0..5).for_each(|_| value = brightness(&mut cable, Some(0.0), 0.01));
        assert!((value - (0.3 + top * (-1.0f32).exp())).abs() < 1e-3, "{value}");
    }

    #[test]
    fn steps_and_holds() {
        let route = Route { steps: 4, ..Route::new(CPU, ParamId::HumBrightness, 0.4) };
        let mut stepped = one(route);
        assert!((brightness(&mut stepped, Some(0.55), 0.01) - 0.5).abs() < 1e-6);
        let mut held = one(Route { steps: 0, hold: true, ..route });
        let first = brightness(&mut held, Some(0.5), 0.01);
        assert_eq!(brightness(&mut held, Some(1.0), 0.01), first);
        held.happened(Happening::Token);
        assert!((brightness(&mut held, Some(1.0), 0.01) - 0.7).abs() < 1e-6);
        held.happened(Happening::Flaw);
        assert!((brightness(&mut held, Some(0.0), 0.01) - 0.7).abs() < 1e-6);
    }

    #[test]
    fn waves_and_envelopes_are_origins_too() {
        let matrix = Matrix {
            routes: vec![
                Route::new(Origin::Lfo(0), ParamId::HumBrightness, 0.5),
                Route::new(Origin::Envelope(0), ParamId::ReverbMix, 0.5),
            ],
            lfos: vec![Lfo { name: "tide".into(), wave: Wave::Saw, rate_hz: 1.0, phase: 0.0 }],
            envelopes: vec![Envelope {
                name: "hit".into(),
                on: Happening::Flaw,
                attack_s: 0.0,
                hold_s: 1.0,
                release_s: 1.0,
            }],
        };
        let mut modulator = Modulator::new(matrix);
        let base = ParamValues::default();
        let still = SignalValues::default();
        let params = modulator.apply(&base, &still, 0.5);
        assert!((params.get(ParamId::HumBrightness) - 0.55).abs() < 1e-6);
        assert_eq!(params.get(ParamId::ReverbMix), base.get(ParamId::ReverbMix));
        modulator.happened(Happening::Flaw);
        let params = modulator.apply(&base, &still, 0.25);
        assert!((params.get(ParamId::ReverbMix) - base.get(ParamId::ReverbMix) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn cables_do_not_touch_what_they_do_not_reach() {
        let base = ParamValues::default();
        let out = cable(0.5, Shape::Lin, [0.0; 2]).apply(&base, &cpu(Some(1.0)), 0.0);
        for id in ParamId::ALL {
            assert!(*id == ParamId::HumBrightness || out.get(*id) == base.get(*id));
        }
    }
}
