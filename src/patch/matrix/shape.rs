//! How a cable bends what comes in. Pure but for the threshold, which remembers on which side it was.

/// How an origin's place in its range (0..1) is bent before it is added.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
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
    /// Nothing below `at`, full from there; back only when it has fallen by `hysteresis`.
    Threshold { at: f32, hysteresis: f32 },
}

impl Shape {
    /// Words of the patch and what they mean; a threshold's figures are read beside it.
    pub const WORDS: [(&'static str, Shape); 6] = [
        ("lin", Shape::Lin),
        ("exp", Shape::Exp),
        ("log", Shape::Log),
        ("s", Shape::S),
        ("inverse", Shape::Inverse),
        ("threshold", Shape::Threshold { at: 0.5, hysteresis: 0.05 }),
    ];

    /// `was_above` is the threshold's memory.
    pub fn bend(self, x: f32, was_above: &mut bool) -> f32 {
        match self {
            Shape::Lin => x,
            Shape::Exp => x * x,
            Shape::Log => x.sqrt(),
            Shape::S => x * x * (3.0 - 2.0 * x),
            Shape::Inverse => 1.0 - x,
            Shape::Threshold { at, hysteresis } => {
                *was_above = if *was_above { x >= at - hysteresis } else { x >= at };
                f32::from(*was_above)
            }
        }
    }

    /// Where an origin stands that is bent to `y`; a threshold has no such place and gives `y`.
    pub fn unbend(self, y: f32) -> f32 {
        match self {
            Shape::Lin | Shape::Threshold { .. } => y,
            Shape::Exp => y.sqrt(),
            Shape::Log => y * y,
            Shape::S => 0.5 - ((1.0 - 2.0 * y).clamp(-1.0, 1.0).asin() / 3.0).sin(),
            Shape::Inverse => 1.0 - y,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_bent_is_found_again() {
        for (word, shape) in Shape::WORDS.into_iter().filter(|(word, _)| *word != "threshold") {
            for x in (0..=100).map(|i| i as f32 / 100.0) {
                assert!((shape.unbend(shape.bend(x, &mut false)) - x).abs() < 2e-3, "{word} {x}");
            }
        }
    }

    #[test]
    fn every_shape_stays_within_the_travel() {
        for (word, shape) in Shape::WORDS {
            let bent = (0..=100).map(|i| shape.bend(i as f32 / 100.0, &mut false));
            assert!(bent.clone().all(|y| (0.0..=1.0).contains(&y)), "{word}");
            let (first, last) = (shape.bend(0.0, &mut false), shape.bend(1.0, &mut false));
            assert_eq!((first, last), if word == "inverse" { (1.0, 0.0) } else { (0.0, 1.0) }, "{word}");
        }
    }

    #[test]
    fn a_threshold_does_not_flutter() {
        let (shape, mut above) = (Shape::Threshold { at: 0.5, hysteresis: 0.2 }, false);
        let heard: Vec<f32> = [0.4, 0.51, 0.49, 0.31, 0.29, 0.45, 0.5].map(|x| shape.bend(x, &mut above)).to_vec();
        assert_eq!(heard, [0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
    }
}
