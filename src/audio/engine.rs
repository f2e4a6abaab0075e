//! The engine: cues in, samples out; a pure function of the matrix, the cues with their frames, the seed and the rate.
//!
//! It works in chunks of 64 frames counted from frame 0 and keeps what is left of one, so that the result does not
//! depend on the size of the device's blocks. A cue acts at the next chunk. Runs in the audio callback: no allocation,
//! no lock, no panic, and nothing that is not a number ever leaves it.

use super::bank::Bank;
use super::cue::{CORES, Cue, CueKind};
use super::delay::{Delay, DelayControl};
use super::dsp::{CHUNK, Smooth, Stereo, follow, gain, note_hz, smoothstep};
use super::figure::{Figure, FigureControl};
use super::limiter::Limiter;
use super::melody::{Melody, MelodyControl, Notes};
use super::room::Room;
use super::tuning::Tuning;
use super::voices::breath::BreathControl;
use super::voices::hum::HumControl;
use super::voices::tension::TensionControl;
use super::voices::throat::ThroatControl;
use super::voices::weight::WeightControl;
use super::voices::{Breath, Gestures, Ghosts, Grains, Hum, Plucks, Tension, Throat, Weight};
use crate::patch::{Matrix, Modulator};
use crate::score::{FlawKind, ParamId, ParamValues, SignalId, SignalValues, Since};

/// How loud each voice is at 0 dB of its own level, so that the table's defaults make a balanced whole.
const HUM: f32 = 0.9;
const BREATH: f32 = 1.7;
const TENSION: f32 = 1.5;
const TOKEN: f32 = 1.85;
const GHOSTS: f32 = 1.6;
const THROAT: f32 = 1.4;
const GRAINS: f32 = 2.2;
const WEIGHT: f32 = 1.2;
/// What the level parameter's 0 dB is; the defaults come to about -18 LUFS.
const MASTER: f32 = 2.0;
/// The sound rises from silence in this time when the engine begins.
const FADE_IN_S: f32 = 1.5;
/// A fault holds everything down for so long before it returns.
const SINK_S: f32 = 2.2;

pub struct Engine {
    rate_hz: u32,
    seed: u64,
    /// The first frame of the next chunk.
    frame: u64,
    modulator: Box<Modulator>,
    base: ParamValues,
    /// The parameters as the matrix left them in the last chunk.
    played: ParamValues,
    signals: SignalValues,
    since: Since,
    cores: [f32; CORES],
    core_count: usize,
    prefill: f32,
    /// The frame at which the model was last asked or last answered, while it owes a token.
    asked: Option<u64>,
    sunk_until: u64,
    sink: Smooth,
    sink_lag: f32,
    root: Smooth,
    level: Smooth,
    /// The performance is over: the sound goes down to silence and stays there.
    ended: bool,
    mix: Smooth,
    melody: Melody,
    tuning: Tuning,
    hum: Hum,
    breath: Breath,
    tension: Tension,
    notes: Notes,
    figure: Figure,
    weight: Weight,
    gestures: Gestures,
    room: Room,
    delay: Delay,
    limiter: Limiter,
    /// The last chunk as it leaves, interleaved, and how much of it has left.
    ready: [f32; 2 * CHUNK],
    left_off: usize,
}

impl Engine {
    /// An engine at frame 0. `rate_hz` is the sample rate, brought into 8,000..=384,000.
    pub fn new(rate_hz: u32, seed: u64, matrix: Matrix) -> Engine {
        let rate_hz = rate_hz.clamp(8_000, 384_000);
        let rate = rate_hz as f32;
        let base = ParamValues::default();
        Engine {
            rate_hz,
            seed,
            frame: 0,
            modulator: Box::new(Modulator::new(matrix)),
            base,
            played: base,
            signals: SignalValues::default(),
            since: Since::default(),
            cores: [0.0; CORES],
            core_count: 0,
            prefill: 0.0,
            asked: None,
            sunk_until: 0,
            sink: Smooth(0.0),
            sink_lag: 0.0,
            root: Smooth(base.get(ParamId::HumPitch)),
            level: Smooth(0.0),
            ended: false,
            mix: Smooth(base.get(ParamId::ReverbMix)),
            melody: Melody::new(rate, seed),
            tuning: Tuning::default(),
            hum: Hum::new(rate, seed),
            breath: Breath::new(rate, seed),
            tension: Tension::new(rate, seed),
            notes: Notes {
                plucks: Plucks::new(rate, seed),
                ghosts: Ghosts::new(rate, seed),
                throat: Throat::new(rate, seed),
                grains: Grains::new(rate),
            },
            figure: Figure::new(rate),
            weight: Weight::new(rate),
            gestures: Gestures::new(rate, seed),
            room: Room::new(rate),
            delay: Delay::new(rate),
            limiter: Limiter::new(rate),
            ready: [0.0; 2 * CHUNK],
            left_off: 2 * CHUNK,
        }
    }

    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The frame at which a cue taken now would act.
    pub fn frame(&self) -> u64 {
        self.frame
    }

    /// Takes a cue and returns the frame at which it acts.
    pub fn take(&mut self, cue: Cue) -> u64 {
        cue.apply(&mut self.signals);
        if let Some(what) = cue.happening() {
            self.since.happened(what, self.now_ns());
            self.modulator.happened(what);
        }
        let root = self.root.0;
        let control = MelodyControl { params: &self.played, root, tuning: &self.tuning };
        match cue.kind {
            CueKind::Prompt => {
                self.figure.forget();
                self.asked = Some(self.frame);
                self.prefill = 0.0;
                self.melody.prompt(&control);
            }
            // Loading is heard as reading is: the tension climbs with it.
            CueKind::Load(part) | CueKind::Prefill(part) => {
                self.asked.get_or_insert(self.frame);
                self.prefill = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
            }
            CueKind::Token(token) => {
                self.asked = Some(self.frame);
                self.melody.token(token);
            }
            CueKind::Rewind => self.melody.rewind(&control),
            CueKind::Forget => self.melody.forget(&control, &mut self.gestures),
            CueKind::PieceEnd => {
                self.asked = None;
                self.melody.piece_end(&control);
            }
            CueKind::Flaw { kind, period } => {
                if kind == FlawKind::Repetition {
                    self.figure.begin(period, &figure_control(&self.played));
                }
                self.melody.flaw(kind, &control, &mut self.gestures);
            }
            CueKind::Machine(machine) => {
                self.core_count = usize::from(machine.core_count).min(CORES);
                for (core, load) in self.cores.iter_mut().zip(machine.cores) {
                    *core = if load.is_finite() { load.clamp(0.0, 1.0) } else { 0.0 };
                }
            }
            CueKind::Param { id, value } => self.base.set(id, value),
            CueKind::Fault => {
                self.sunk_until = self.frame + (SINK_S * self.rate_hz as f32) as u64;
                self.melody.fault(&control, &mut self.gestures);
            }
            CueKind::Tuning(tuning) => self.tuning = tuning,
            CueKind::Callback { .. } => {}
            CueKind::End => self.ended = true,
        }
        self.frame
    }

    /// Puts another matrix in the place of the present one, which comes back to be freed elsewhere.
    pub fn swap_matrix(&mut self, modulator: Box<Modulator>) -> Box<Modulator> {
        std::mem::replace(&mut self.modulator, modulator)
    }

    /// Whether another bank may come: the one before has been given back.
    pub fn takes_bank(&self) -> bool {
        self.notes.grains.settled()
    }

    /// Puts another bank of samples in the place of the present one, whose grains fade; it is [`Engine::spent_bank`]
    /// then. One that fades still is cut and comes back: see [`Engine::takes_bank`].
    pub fn swap_bank(&mut self, bank: Bank) -> Option<Bank> {
        self.notes.grains.swap(bank)
    }

    /// The bank before, to be freed elsewhere, once nothing of it sounds.
    pub fn spent_bank(&mut self) -> Option<Bank> {
        self.notes.grains.spent()
    }

    /// Fills a block of any length with interleaved stereo.
    pub fn render(&mut self, block: &mut [f32]) {
        let mut filled = 0;
        while filled < block.len() {
            if self.left_off == self.ready.len() {
                self.chunk();
                self.left_off = 0;
            }
            let n = (block.len() - filled).min(self.ready.len() - self.left_off);
            block[filled..filled + n].copy_from_slice(&self.ready[self.left_off..self.left_off + n]);
            filled += n;
            self.left_off += n;
        }
    }

    fn now_ns(&self) -> u64 {
        (u128::from(self.frame) * 1_000_000_000 / u128::from(self.rate_hz)) as u64
    }

    /// Makes the next chunk.
    fn chunk(&mut self) {
        let dt = CHUNK as f32 / self.rate_hz as f32;
        self.since.write(self.now_ns(), &mut self.signals);
        let params = self.modulator.apply(&self.base, &self.signals, dt);
        self.played = params;

        let sunk = f32::from(self.frame < self.sunk_until);
        // Two followers in a row: the fall begins and ends softly.
        self.sink_lag += (sunk - self.sink_lag) * follow(dt, if sunk > 0.0 { 0.35 } else { 0.9 });
        let sink = self.sink.toward(self.sink_lag, follow(dt, 0.25)).at;
        self.root.toward(params.get(ParamId::HumPitch), follow(dt, 0.1));
        let root = self.root.0 - 7.0 * sink;
        let root_hz = note_hz(root);

        let (mut dry, mut send) = (Stereo::SILENCE, Stereo::SILENCE);
        self.voices(&params, root_hz, sink, &mut dry, &mut send);
        let control = MelodyControl { params: &params, root: self.root.0, tuning: &self.tuning };
        if let Some(hz) = self.melody.chunk(&control, &mut self.notes) {
            self.figure.token(hz);
        }
        self.figure.chunk(&figure_control(&params), &mut self.notes.plucks);
        let notes = sound(self.notes.plucks.render(), || self.notes.plucks.reset());
        let ghosts = sound(self.notes.ghosts.render(), || self.notes.ghosts.reset());
        let control =
            ThroatControl { gain: gain(params.get(ParamId::ThroatLevel)), size: params.get(ParamId::ThroatSize) };
        let throat = sound(self.notes.throat.render(&control), || self.notes.throat.reset(self.seed));
        let grains = sound(self.notes.grains.render(), || self.notes.grains.reset());
        let glides = sound(self.gestures.render(), || self.gestures.reset());
        dry.add(&notes, TOKEN);
        send.add(&notes, TOKEN);
        dry.add(&ghosts, 0.7 * GHOSTS);
        send.add(&ghosts, GHOSTS);
        dry.add(&grains, GRAINS);
        send.add(&grains, 0.6 * GRAINS);
        dry.add(&throat, THROAT);
        send.add(&throat, 0.5 * THROAT);
        dry.add(&glides, TOKEN * 0.8);
        send.add(&glides, TOKEN);

        let rate = self.rate_hz as f32;
        let echoes = self.delay.render(
            &notes,
            &DelayControl {
                time_s: params.get(ParamId::DelayBeats) * self.pace_s(),
                feedback: params.get(ParamId::DelayFeedback),
                mix: params.get(ParamId::DelayMix),
            },
        );
        let echoes = sound(echoes, || self.delay.reset());
        dry.add(&echoes, TOKEN);
        send.add(&echoes, 0.6 * TOKEN);
        let walls = sound(self.room.render(&send), || self.room.reset());
        let mut mix = self.mix.toward(params.get(ParamId::ReverbMix), follow(dt, 0.06));
        let fade_in = smoothstep(self.frame as f32 / (FADE_IN_S * rate));
        let on = f32::from(!self.ended && params.get(ParamId::Mute) < 0.5);
        let target = on * MASTER * gain(params.get(ParamId::Level)) * fade_in * (1.0 - 0.35 * sink);
        let mut level = self.level.toward(target, follow(dt, 0.04));
        let mut sum = Stereo::SILENCE;
        for i in 0..CHUNK {
            let (level, mix) = (level.next(), mix.next());
            let (near, far) = (level * (1.0 - 0.4 * mix), level * 1.3 * mix);
            sum.left[i] = near * dry.left[i] + far * walls.left[i];
            sum.right[i] = near * dry.right[i] + far * walls.right[i];
        }
        self.limiter.set_ceiling(gain(params.get(ParamId::Ceiling)));
        let mut out = self.limiter.process(&sum);
        if !out.is_finite() {
            // Every voice is checked before, so this is the last of three nets.
            self.limiter = Limiter::new(rate);
            out = Stereo::SILENCE;
        }
        for i in 0..CHUNK {
            self.ready[2 * i] = out.left[i];
            self.ready[2 * i + 1] = out.right[i];
        }
        self.frame += CHUNK as u64;
    }

    /// Seconds from one token to the next, as it is at present; a third of one before there is a pace.
    fn pace_s(&self) -> f32 {
        let rate = self.signals.get(SignalId::Rate).filter(|rate| *rate > 0.0);
        rate.map_or(0.33, |rate| (1.0 / rate).clamp(0.05, 2.0))
    }

    /// The voices that never end: hum, breath, tension, weight.
    fn voices(&mut self, params: &ParamValues, root_hz: f32, sink: f32, dry: &mut Stereo, send: &mut Stereo) {
        let (rate, seed) = (self.rate_hz as f32, self.seed);
        let signal = |id: SignalId| self.signals.get(id).map(|v| id.spec().position(v));
        let load = signal(SignalId::Cpu).unwrap_or(0.1);
        let cores = if self.core_count > 0 { &self.cores[..self.core_count] } else { std::slice::from_ref(&load) };
        let hum = self.hum.render(&HumControl {
            root_hz,
            brightness: params.get(ParamId::HumBrightness) * (1.0 - 0.7 * sink),
            cores,
            gain: HUM * gain(params.get(ParamId::HumLevel)),
        });
        let hum = sound(hum, || self.hum = Hum::new(rate, seed));

        let fan = signal(SignalId::Fan).or_else(|| signal(SignalId::Temperature)).unwrap_or(0.0);
        let breath = self.breath.render(&BreathControl {
            root_hz,
            effort: (0.75 * load + 0.4 * fan).min(1.0),
            gain: BREATH * gain(params.get(ParamId::BreathLevel)) * (1.0 - 0.6 * sink),
        });
        let breath = sound(breath, || self.breath = Breath::new(rate, seed));

        let tension = self.tension.render(&TensionControl {
            root_hz,
            waited_s: self.asked.map(|asked| (self.frame - asked) as f32 / rate),
            prefill: self.prefill,
            gain: TENSION * gain(params.get(ParamId::TensionLevel)),
        });
        let tension = sound(tension, || self.tension = Tension::new(rate, seed));

        let weight = self.weight.render(&WeightControl {
            root_hz,
            memory: signal(SignalId::Memory).unwrap_or(0.3),
            context: signal(SignalId::ContextFill).unwrap_or(0.0),
            forgetting: signal(SignalId::Forgetting).unwrap_or(0.0),
            gain: WEIGHT * gain(params.get(ParamId::WeightLevel)) * (1.0 - 0.5 * sink),
        });
        let weight = sound(weight, || self.weight = Weight::new(rate));

        dry.add(&weight, 1.0);
        dry.add(&hum, 1.0);
        send.add(&hum, 0.25);
        dry.add(&breath, 1.0);
        send.add(&breath, 0.4);
        dry.add(&tension, 0.8);
        send.add(&tension, 0.9);
    }
}

fn figure_control(params: &ParamValues) -> FigureControl {
    FigureControl { gain: gain(params.get(ParamId::LoopLevel)), rounds: params.get(ParamId::LoopRounds) }
}

/// The chunk if it is sound, else silence, and the voice that made it begins anew.
fn sound(chunk: Stereo, reset: impl FnOnce()) -> Stereo {
    if chunk.is_finite() {
        chunk
    } else {
        reset();
        Stereo::SILENCE
    }
}
