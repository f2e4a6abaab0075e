//! What each voice is told for one chunk, and how much of it goes to the near and into the room.

use super::Engine;
use crate::audio::bus::Voice;
use crate::audio::delay::DelayControl;
use crate::audio::dsp::{CHUNK, Stereo, gain};
use crate::audio::figure::FigureControl;
use crate::audio::melody::MelodyControl;
use crate::audio::tempo::{GridControl, Step};
use crate::audio::voices::breath::BreathControl;
use crate::audio::voices::hum::HumControl;
use crate::audio::voices::tension::TensionControl;
use crate::audio::voices::throat::ThroatControl;
use crate::audio::voices::weight::WeightControl;
use crate::audio::voices::{Breath, Hum, Tension, Weight};
use crate::score::{ParamId, ParamValues, SignalId};

/// How loud each voice is at 0 dB of its own level, so that the table's defaults make a balanced whole.
const HUM: f32 = 0.9;
const BREATH: f32 = 1.7;
const TENSION: f32 = 1.5;
const TOKEN: f32 = 1.85;
const GHOSTS: f32 = 1.6;
const THROAT: f32 = 1.4;
const GRAINS: f32 = 2.2;
const WEIGHT: f32 = 1.2;
/// A token that was released on a line of its own grid is heard a block later; so long after a line it sounds at once.
const LATE_S: f32 = 0.03;

impl Engine {
    /// Seconds from one token to the next, as it is at present; a third of one before there is a pace.
    fn pace_s(&self) -> f32 {
        let rate = self.signals.get(SignalId::Rate).filter(|rate| *rate > 0.0);
        rate.map_or(0.33, |rate| (1.0 / rate).clamp(0.05, 2.0))
    }

    /// What tokens and moments set going, and its echoes.
    pub(super) fn notes(&mut self, params: &ParamValues) {
        let grid = GridControl {
            bpm: params.get(ParamId::TempoBpm),
            steps: params.get(ParamId::TempoGrid),
            swing: params.get(ParamId::TempoSwing),
        };
        let step = self.grid.chunk(&grid);
        let in_time = step == Step::Between
            && params.get(ParamId::Grid) >= 0.5
            && self.grid.since_line_s() < LATE_S.min(20.0 / (grid.bpm * grid.steps.max(1.0)));
        let for_tokens = if in_time { Step::At(0) } else { step };
        let control = MelodyControl { params, root: self.root.0, tuning: &self.tuning };
        if let Some(hz) = self.melody.chunk(&control, for_tokens, &mut self.notes) {
            self.figure.token(hz);
        }
        self.figure.chunk(&figure_control(params), step, &mut self.notes.plucks);
        let (failed, seed) = (&mut self.failed, self.seed);
        let plucks = sound(failed, "tokens", self.notes.plucks.render(), || self.notes.plucks.reset());
        let ghosts = sound(failed, "ghosts", self.notes.ghosts.render(), || self.notes.ghosts.reset());
        let control =
            ThroatControl { gain: gain(params.get(ParamId::ThroatLevel)), size: params.get(ParamId::ThroatSize) };
        let throat = self.notes.throat.render(&control);
        let throat = sound(failed, "throat", throat, || self.notes.throat.reset(seed));
        let grains = sound(failed, "samples", self.notes.grains.render(), || self.notes.grains.reset());
        let gestures = sound(failed, "gestures", self.gestures.render(), || self.gestures.reset());
        // On a grid an echo keeps to its steps.
        let beat_s = match step {
            Step::Free => self.pace_s(),
            _ => 60.0 / (grid.bpm * grid.steps.max(1.0)),
        };
        let delay = DelayControl {
            time_s: params.get(ParamId::DelayBeats) * beat_s,
            feedback: params.get(ParamId::DelayFeedback),
            mix: params.get(ParamId::DelayMix),
        };
        let echoes = self.delay.render(&plucks, &delay);
        let echoes = sound(&mut self.failed, "delay", echoes, || self.delay.reset());
        self.bus.add(Voice::Tokens, &plucks, TOKEN, TOKEN);
        self.bus.add(Voice::Tokens, &echoes, TOKEN, 0.6 * TOKEN);
        self.bus.add(Voice::Ghosts, &ghosts, 0.7 * GHOSTS, GHOSTS);
        self.bus.add(Voice::Samples, &grains, GRAINS, 0.6 * GRAINS);
        self.bus.add(Voice::Throat, &throat, THROAT, 0.5 * THROAT);
        self.bus.add(Voice::Gestures, &gestures, 0.8 * TOKEN, TOKEN);
    }

    /// The voices that never end: hum, breath, tension, weight.
    pub(super) fn voices(&mut self, params: &ParamValues, root_hz: f32, sink: f32) {
        let (rate, seed, layout) = (self.rate_hz as f32, self.seed, self.layout);
        let signal = |id: SignalId| self.signals.get(id).map(|v| id.spec().position(v));
        let load = signal(SignalId::Cpu).unwrap_or(0.1);
        let cores = if self.core_count > 0 { &self.cores[..self.core_count] } else { std::slice::from_ref(&load) };
        let control = HumControl {
            root_hz,
            brightness: params.get(ParamId::HumBrightness) * (1.0 - 0.7 * sink),
            beating: params.get(ParamId::HumBeating),
            cores,
            gain: HUM * gain(params.get(ParamId::HumLevel)),
        };
        let channels = &mut self.bus.hum[..layout.count()];
        self.hum.render(&control, channels);
        if !channels.iter().flatten().map(|x| x.abs()).sum::<f32>().is_finite() {
            channels.fill([0.0; CHUNK]);
            self.hum = Hum::new(rate, seed, layout);
            self.failed = Some("hum");
        }
        self.bus.send_hum(layout, 0.25);

        let fan = signal(SignalId::Fan).or_else(|| signal(SignalId::Temperature)).unwrap_or(0.0);
        let breath = self.breath.render(&BreathControl {
            root_hz,
            effort: (0.75 * load + 0.4 * fan).min(1.0),
            turbulence: params.get(ParamId::BreathTurbulence),
            gain: BREATH * gain(params.get(ParamId::BreathLevel)) * (1.0 - 0.6 * sink),
        });
        let tension = self.tension.render(&TensionControl {
            root_hz,
            waited_s: self.asked.map(|asked| (self.frame - asked) as f32 / rate),
            prefill: self.prefill,
            gain: TENSION * gain(params.get(ParamId::TensionLevel)),
        });
        let weight = self.weight.render(&WeightControl {
            root_hz,
            memory: signal(SignalId::Memory).unwrap_or(0.3),
            context: signal(SignalId::ContextFill).unwrap_or(0.0),
            forgetting: signal(SignalId::Forgetting).unwrap_or(0.0),
            gain: WEIGHT * gain(params.get(ParamId::WeightLevel)) * (1.0 - 0.5 * sink),
        });
        let failed = &mut self.failed;
        let breath = sound(failed, "breath", breath, || self.breath = Breath::new(rate, seed));
        let tension = sound(failed, "tension", tension, || self.tension = Tension::new(rate, seed));
        let weight = sound(failed, "weight", weight, || self.weight = Weight::new(rate));
        self.bus.add(Voice::Breath, &breath, 1.0, 0.4);
        self.bus.add(Voice::Tension, &tension, 0.8, 0.9);
        self.bus.add(Voice::Weight, &weight, 1.0, 0.0);
    }
}

pub(super) fn figure_control(params: &ParamValues) -> FigureControl {
    FigureControl { gain: gain(params.get(ParamId::LoopLevel)), rounds: params.get(ParamId::LoopRounds) }
}

/// The chunk if it is sound, else silence; then the voice that made it begins anew, and its name is told.
fn sound(failed: &mut Option<&'static str>, voice: &'static str, chunk: Stereo, reset: impl FnOnce()) -> Stereo {
    if chunk.is_finite() {
        chunk
    } else {
        *failed = Some(voice);
        reset();
        Stereo::SILENCE
    }
}
