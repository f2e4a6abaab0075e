//! What events sound like: tokens become notes of a scale over the hum's root, and what happens seldom has
//! a small gesture of its own.
//!
//! Surprise is height: what the model expected stays low and wooden, the unexpected rises and turns to metal. Latency
//! is length. Faster than sixty notes a second the ear hears a wall, so of what comes closer the most surprising
//! sounds, and notes grow softer and shorter as their number grows.

mod pitch;

pub use pitch::{MelodyControl, step_of};

use crate::audio::cue::{Script, TokenCue};
use crate::audio::dsp::{CHUNK, Noise, gain, note_hz};
use crate::audio::tempo::Step;
use crate::audio::voices::{Gestures, Ghost, Ghosts, Grain, Grains, MODES, Pluck, Plucks, Sweep, Throat};
use crate::score::{FlawKind, ParamId};

/// Notes come no closer than this.
const SPACING_S: f32 = 0.016;
/// Notes that can be waiting for their time.
const LATER: usize = 12;
/// The tokens' home over the default hum, D4: a sample that sounds on it is in tune, in MIDI notes.
const AS_RECORDED: f32 = 62.0;
/// A grain has no attack and is short: so much louder it stands beside the whole sample.
const GRAIN: f32 = 2.0;

/// The voices that a token sets going.
pub struct Notes {
    pub plucks: Plucks,
    pub ghosts: Ghosts,
    pub throat: Throat,
    pub grains: Grains,
}

pub struct Melody {
    rate_hz: f32,
    noise: Noise,
    /// Of its own, so that the notes are the same with samples and without.
    grain_noise: Noise,
    /// Where the last note stood, so that the next is not far from it.
    place: f32,
    last_step: i32,
    /// Frames since the last token's note.
    since: u64,
    waiting: Option<TokenCue>,
    /// Tokens' notes per second, as it decays.
    density: f32,
    /// Bells and cadences of the last seconds, as they decay.
    bells: f32,
    later: [Option<Later>; LATER],
}

/// A note that sounds in so many frames.
#[derive(Clone, Copy)]
struct Later {
    frames: u64,
    pluck: Pluck,
}

impl Melody {
    pub fn new(rate_hz: f32, seed: u64) -> Melody {
        Melody {
            rate_hz,
            noise: Noise::new(seed ^ 0x6d65_6c6f),
            grain_noise: Noise::new(seed ^ 0x6772_6169),
            place: 0.0,
            last_step: 0,
            since: u64::MAX / 2,
            waiting: None,
            density: 0.0,
            bells: 0.0,
            later: [None; LATER],
        }
    }

    pub fn token(&mut self, token: TokenCue) {
        // Bytes of a character that is not whole yet make no note of their own unless they surprise.
        let kept = self.waiting.map_or(f32::NEG_INFINITY, |w| w.surprise_bits);
        if token.surprise_bits > kept || self.waiting.is_none() {
            self.waiting = Some(token);
        }
    }

    /// A low bell and its fifth: the question is put.
    pub fn prompt(&mut self, control: &MelodyControl) {
        let level = control.level() * self.solemnity();
        self.after(0.0, pluck(control.root + 12.0, 0.45, 5.0, 0.55 * level, -0.1));
        self.after(0.12, pluck(control.root + 19.0, 0.35, 4.0, 0.32 * level, 0.25));
    }

    /// How much a bell weighs: one in a while is solemn, one a second is a noise.
    fn solemnity(&mut self) -> f32 {
        let weight = 1.0 / (1.0 + self.bells);
        self.bells += 1.0;
        weight
    }

    /// A cadence: fifth, third, home.
    pub fn piece_end(&mut self, control: &MelodyControl) {
        let level = control.level() * self.solemnity();
        for (k, interval) in [7.0, 4.0, 0.0, -12.0].into_iter().enumerate() {
            let at_s = [0.15, 0.55, 1.05, 1.07][k];
            self.after(at_s, pluck(control.home() + interval, 0.3, 3.5, 0.42 * level, 0.3 - 0.2 * k as f32));
        }
    }

    /// Three steps back.
    pub fn rewind(&mut self, control: &MelodyControl) {
        let level = control.level();
        for k in 0..3u8 {
            let step = control.semitones(self.last_step - i32::from(k));
            let place = 0.5 - 0.5 * f32::from(k);
            self.after(0.07 * f32::from(k), pluck(control.home() + step, 0.1, 0.5, 0.4 * level, place));
        }
    }

    /// Air that falls away.
    pub fn forget(&mut self, control: &MelodyControl, gestures: &mut Gestures) {
        gestures.begin(Sweep {
            from_hz: note_hz(control.home() + 24.0),
            to_hz: note_hz(control.home() - 5.0),
            length_s: 1.6,
            gain: 0.35 * control.level(),
            air: 1.0,
            place: (0.6, -0.6),
        });
    }

    pub fn flaw(&mut self, kind: FlawKind, control: &MelodyControl, gestures: &mut Gestures) {
        let level = gain(control.params.get(ParamId::FlawLevel));
        let note = control.home() + control.semitones(self.last_step);
        match kind {
            FlawKind::Leap => {
                let to = (note + 16.0).min(control.home() + 40.0);
                gestures.begin(Sweep {
                    from_hz: note_hz(note - 5.0),
                    to_hz: note_hz(to),
                    length_s: 0.5,
                    gain: 0.3 * level,
                    air: 0.25,
                    place: (-0.5, 0.5),
                });
                self.after(0.42, pluck(to, 0.9, 2.5, 0.3 * level, 0.5));
            }
            // The figure is its gesture.
            FlawKind::Repetition => {}
            FlawKind::ScriptMix => {
                self.after(0.0, pluck(note + 5.0, 0.7, 1.5, 0.35 * level, -0.8));
                self.after(0.05, pluck(note + 10.0, 0.7, 1.5, 0.3 * level, 0.8));
            }
            // The same note twice, the second time a shade lower: it cannot make up its mind.
            FlawKind::Hesitation => {
                self.after(0.0, pluck(note, 0.2, 0.8, 0.3 * level, -0.4));
                self.after(0.17, pluck(note - 1.0, 0.2, 1.2, 0.25 * level, 0.4));
            }
            // The cadence stops short on its first step.
            FlawKind::EarlyEnd => self.after(0.0, pluck(control.home() + 7.0, 0.05, 0.4, 0.45 * level, 0.0)),
            FlawKind::TemplateLeak => {
                self.after(0.0, pluck(note + 1.0, 0.95, 0.9, 0.3 * level, 0.6));
                self.after(0.06, pluck(note - 6.0, 0.95, 0.9, 0.25 * level, -0.6));
            }
            FlawKind::BrokenCharacter => gestures.begin(Sweep {
                from_hz: note_hz(control.home() + 31.0),
                to_hz: note_hz(control.home() + 17.0),
                length_s: 0.22,
                gain: 0.4 * level,
                air: 0.95,
                place: (self.place, self.place),
            }),
        }
    }

    /// The sound device ran dry: a dry cough, high and short, as long as the gap was.
    pub fn stumble(&mut self, control: &MelodyControl, gestures: &mut Gestures) {
        gestures.begin(Sweep {
            from_hz: note_hz(control.home() + 19.0),
            to_hz: note_hz(control.home() + 31.0),
            length_s: 0.14,
            gain: 0.5 * gain(control.params.get(ParamId::FlawLevel)),
            air: 1.0,
            place: (0.7, -0.7),
        });
    }

    /// A gong under everything and a fall over it; the engine lets the rest sink meanwhile.
    pub fn fault(&mut self, control: &MelodyControl, gestures: &mut Gestures) {
        self.waiting = None;
        let level = gain(control.params.get(ParamId::FaultLevel));
        self.after(0.0, pluck(control.root, 0.95, 8.0, 0.8 * level, 0.0));
        self.after(0.02, pluck(control.root + 13.0, 1.0, 5.0, 0.35 * level, -0.4));
        gestures.begin(Sweep {
            from_hz: note_hz(control.home() + 12.0),
            to_hz: note_hz(control.root - 5.0),
            length_s: 2.4,
            gain: 0.4 * level,
            air: 0.3,
            place: (0.5, -0.3),
        });
        // The way back: three steps up when the worst is over.
        for (k, interval) in [0.0, 7.0, 12.0].into_iter().enumerate() {
            let at_s = 3.4 + 0.5 * k as f32;
            self.after(at_s, pluck(control.root + 12.0 + interval, 0.3, 3.0, 0.3 * level, 0.0));
        }
    }

    /// Everything that waits to sound is let go.
    pub fn hush(&mut self) {
        self.waiting = None;
        self.later = [None; LATER];
    }

    /// Strikes what is due at this chunk; returns the note of a token among it, in Hz. On a grid a token waits for the
    /// next step, and of several the most surprising sounds.
    pub fn chunk(&mut self, control: &MelodyControl, step: Step, notes: &mut Notes) -> Option<f32> {
        self.since = self.since.saturating_add(CHUNK as u64);
        self.density *= 1.0 - CHUNK as f32 / self.rate_hz;
        self.bells *= 1.0 - 0.2 * CHUNK as f32 / self.rate_hz;
        for place in &mut self.later {
            let Some(later) = place else { continue };
            if later.frames < CHUNK as u64 {
                notes.plucks.strike(&Pluck { after: later.frames as u32, ..later.pluck });
                *place = None;
            } else {
                later.frames -= CHUNK as u64;
            }
        }
        let after = match step {
            Step::At(frame) => frame,
            Step::Free if self.since >= (SPACING_S * self.rate_hz) as u64 => 0,
            Step::Free | Step::Between => return None,
        };
        let token = self.waiting.take()?;
        self.since = 0;
        Some(self.strike(&token, control, after, notes))
    }

    fn strike(&mut self, token: &TokenCue, control: &MelodyControl, after: u32, notes: &mut Notes) -> f32 {
        let finite = |x: f32| if x.is_finite() { x } else { 0.0 };
        let (surprise, p) = (finite(token.surprise_bits).clamp(0.0, 16.0), finite(token.p).clamp(0.0, 1.0));
        let step = step_of(surprise);
        self.last_step = step;
        self.density += 1.0;
        // Up to about 12 notes a second each has its full weight.
        let crowd = 1.0 / (1.0 + self.density / 12.0);
        let colour = 0.95 * control.params.get(ParamId::TokenBrightness) + 0.35 * (1.0 - p) - 0.12;
        let slow = (finite(token.latency_ms) / 300.0).clamp(0.0, 2.0);
        let length_s = control.params.get(ParamId::TokenLength) * (0.7 + 0.6 * slow) * (0.25 + 0.75 * crowd);
        let weight = (0.4 + 0.6 * (surprise / 8.0).min(1.0)) * crowd.sqrt() * (0.94 + 0.06 * self.noise.next());
        self.place = (0.6 * self.place + 0.5 * self.noise.next()).clamp(-0.85, 0.85);
        let (weight, length_s, below) = match token.script {
            Script::Letter => (weight, length_s, 0.0),
            // One sign is a word: it has a body an octave below.
            Script::Sign => (weight, length_s, 0.35),
            Script::Mark => (0.55 * weight, 0.45 * length_s, 0.0),
            Script::Blank => (0.4 * weight, 0.3 * length_s, 0.0),
            Script::LineBreak => (0.7 * weight, 1.6 * length_s, 0.8),
        };
        let note = control.home() + control.semitones(step);
        let gain = weight * control.level();
        let partials = partials(&token.layers_ms, control.params.get(ParamId::TokenLayers));
        notes.plucks.strike(&Pluck { partials, after, ..pluck(note, colour, length_s, gain, self.place) });
        if below > 0.0 && self.density < 14.0 {
            let low = pluck(note - 12.0, 0.5 * colour, 1.2 * length_s, below * gain, -0.5 * self.place);
            notes.plucks.strike(&Pluck { partials, after, ..low });
        }
        self.haunt(token, control, crowd, &mut notes.ghosts);
        self.scatter(token, control, weight, note, &mut notes.grains);
        // A voice speaks below the notes, and as long as the token lasts at this pace.
        let hz = note_hz(control.home() - 12.0 + control.semitones(step.min(7)));
        notes.throat.speak(token.phones, hz, (0.9 / self.density.max(1.0)).clamp(0.06, 0.6));
        note_hz(note)
    }

    /// The candidates that were not drawn, round the chosen one and after it.
    fn haunt(&self, token: &TokenCue, control: &MelodyControl, crowd: f32, ghosts: &mut Ghosts) {
        let many = control.params.get(ParamId::GhostCount) as usize;
        let level = gain(control.params.get(ParamId::GhostLevel)) * crowd.sqrt();
        for (i, p) in token.ghosts.iter().take(many).enumerate().filter(|(_, p)| **p > 0.0) {
            let bits = -p.log2();
            let side = if i % 2 == 0 { 1.0 } else { -1.0 };
            ghosts.appear(&Ghost {
                hz: note_hz(control.home() + 12.0 + control.semitones(step_of(bits))),
                p: *p,
                place: (self.place + side * (0.35 + 0.12 * i as f32)).clamp(-1.0, 1.0),
                after_s: 0.04 + 0.05 * i as f32,
                length_s: control.params.get(ParamId::GhostLength) * (0.3 + 0.7 * crowd),
                gain: level,
            });
        }
    }

    /// The artist's own sound for this word, as grains that follow each other or as the whole of it. What was expected
    /// begins where `sound.sample.position` says, what surprises further on.
    fn scatter(&mut self, token: &TokenCue, control: &MelodyControl, weight: f32, note: f32, grains: &mut Grains) {
        if grains.is_empty() {
            return;
        }
        let get = |id| control.params.get(id);
        let many = get(ParamId::SampleDensity).max(1.0);
        let (spread, position) = (get(ParamId::SampleSpread), get(ParamId::SamplePosition));
        let length_s = Some(0.001 * get(ParamId::SampleGrain)).filter(|s| *s > 0.0);
        // The time to the next token, as far as it is known.
        let pace_s = (0.9 / self.density.max(1.0)).clamp(0.06, 0.6);
        let step_s = length_s.map_or(pace_s / many, |s| 0.5 * s);
        let surprise = if token.surprise_bits.is_nan() { 0.0 } else { (token.surprise_bits / 16.0).clamp(0.0, 1.0) };
        let further = 0.8 * surprise * (1.0 - position);
        // Grains follow each other, whole samples lie over each other.
        let level = weight * gain(get(ParamId::SampleLevel)) * length_s.map_or(1.0 / many.sqrt(), |_| GRAIN);
        for k in 0..many as usize {
            let on_s = step_s * k as f32;
            let late_s = spread * pace_s * self.grain_noise.unit();
            let astray = 0.5 * spread * self.grain_noise.next();
            let aside = spread * self.grain_noise.next();
            grains.begin(&Grain {
                sample: token.word,
                from: position + if length_s.is_some() { further + astray } else { 0.0 },
                on_s: if length_s.is_some() { on_s } else { 0.0 },
                length_s,
                speed: (get(ParamId::SamplePitch) * (note - AS_RECORDED) / 12.0).exp2(),
                after_s: on_s + late_s,
                gain: level,
                place: self.place + aside,
            });
        }
    }

    fn after(&mut self, seconds: f32, pluck: Pluck) {
        if let Some(place) = self.later.iter_mut().find(|l| l.is_none()) {
            *place = Some(Later { frames: (seconds * self.rate_hz) as u64, pluck });
        }
    }
}

fn pluck(note: f32, colour: f32, length_s: f32, gain: f32, place: f32) -> Pluck {
    Pluck { hz: note_hz(note), colour, length_s, gain, place, partials: [1.0; MODES], after: 0 }
}

/// What the layers' times make of a note's partials, from the bottom of the model to the top: a layer that took longer
/// than the others lets its partial come forward. Times differ by little, so they count by their third power and more.
fn partials(layers_ms: &[f32; 8], amount: f32) -> [f32; MODES] {
    let told = layers_ms.iter().filter(|ms| **ms > 0.0 && ms.is_finite());
    let (sum, n) = told.fold((0.0f32, 0), |(sum, n), ms| (sum + ms, n + 1));
    if n == 0 || amount.is_nan() || amount <= 0.0 {
        return [1.0; MODES];
    }
    let mean = sum / n as f32;
    std::array::from_fn(|k| match layers_ms[k * n / MODES] {
        ms if ms > 0.0 && ms.is_finite() => (ms / mean).powf(6.0 * amount).clamp(0.25, 3.0),
        _ => 1.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_layer_brings_its_partial_forward() {
        let mut layers = [2.0f32; 8];
        assert_eq!(partials(&layers, 0.5), [1.0; MODES]);
        layers[5] = 2.6;
        let heard = partials(&layers, 0.5);
        assert!(heard[5] > 1.8 && heard[0] < 1.0, "{heard:?}");
        assert_eq!(partials(&layers, 0.0), [1.0; MODES]);
        // Of four layers each has two partials; a model that tells no times leaves the note as it is.
        let four = partials(&[1.0, 1.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0], 1.0);
        assert!(four[6] == four[7] && four[7] > 2.0 && four[5] < 1.0, "{four:?}");
        assert_eq!(partials(&[0.0; 8], 1.0), [1.0; MODES]);
        assert!(
            partials(&[f32::NAN, 1e30, -1.0, 0.0, f32::INFINITY, 1.0, 1.0, 1.0], 1.0).iter().all(|x| x.is_finite())
        );
    }
}
