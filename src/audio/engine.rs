//! The engine: cues in, samples out; a pure function of the matrix, the cues with their frames, the seed and the rate.
//!
//! It works in chunks of 64 frames counted from frame 0 and keeps what is left of one, so that the result does not
//! depend on the size of the device's blocks. A cue acts at the next chunk. Runs in the audio callback: no allocation,
//! no lock, no panic, and nothing that is not a number ever leaves it.

mod voicing;

use voicing::figure_control;

use super::bands::{BANDS, Bands};
use super::bank::Bank;
use super::bus::{Bus, Voice};
use super::cue::{CORES, Cue, CueKind};
use super::delay::Delay;
use super::dsp::{CHUNK, Chunk, Smooth, follow, gain, note_hz, smoothstep};
use super::figure::Figure;
use super::master::{Master, MasterControl};
use super::melody::{Melody, MelodyControl, Notes};
use super::morph::Morph;
use super::tempo::Grid;
use super::tuning::Tuning;
use super::voices::{Breath, Gestures, Ghosts, Grains, Hum, Plucks, Tension, Throat, Weight};
use crate::patch::{Matrix, Modulator};
use crate::score::layout::MOST_CHANNELS;
use crate::score::{FlawKind, Layout, ParamId, ParamValues, SignalValues, Since, Spectrum};

/// What the level parameter's 0 dB is; the defaults come to about -18 LUFS.
const MASTER: f32 = 2.0;
/// The sound rises from silence in this time when the engine begins.
const FADE_IN_S: f32 = 1.5;
/// A fault holds everything down for so long before it returns.
const SINK_S: f32 = 2.2;
/// The master moves in this time, and in this one when everything is to be silent at once.
const LEVEL_S: f32 = 0.04;
const PANIC_S: f32 = 0.004;
/// After a panic what still rings is taken away when it is not heard any more.
const PANIC_OVER_S: f32 = 0.04;

pub struct Engine {
    rate_hz: u32,
    seed: u64,
    layout: Layout,
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
    /// The performance is over: the sound goes down to silence and stays there.
    ended: bool,
    /// Everything is to be silent, and what rings is taken away at this frame.
    hushed_at: Option<u64>,
    morph: Morph,
    grid: Grid,
    melody: Melody,
    tuning: Tuning,
    hum: Hum,
    breath: Breath,
    tension: Tension,
    notes: Notes,
    figure: Figure,
    weight: Weight,
    gestures: Gestures,
    delay: Delay,
    bus: Bus,
    master: Master,
    bands: Bands,
    /// Where the stage reads them.
    spectrum: Option<Spectrum>,
    /// The voice that last gave what is not a number.
    failed: Option<&'static str>,
    /// The last chunk as it leaves, interleaved, and how much of it has left.
    ready: [f32; MOST_CHANNELS * CHUNK],
    left_off: usize,
}

impl Engine {
    /// A stereo engine at frame 0. `rate_hz` is the sample rate, brought into 8,000..=384,000.
    pub fn new(rate_hz: u32, seed: u64, matrix: Matrix) -> Engine {
        Engine::in_room(rate_hz, seed, matrix, Layout::default())
    }

    /// The same for a room with these loudspeakers.
    pub fn in_room(rate_hz: u32, seed: u64, matrix: Matrix, layout: Layout) -> Engine {
        let rate_hz = rate_hz.clamp(8_000, 384_000);
        let rate = rate_hz as f32;
        let base = ParamValues::default();
        Engine {
            rate_hz,
            seed,
            layout,
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
            ended: false,
            hushed_at: None,
            morph: Morph::default(),
            grid: Grid::new(rate),
            melody: Melody::new(rate, seed),
            tuning: Tuning::default(),
            hum: Hum::new(rate, seed, layout),
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
            delay: Delay::new(rate),
            bus: Bus::new(),
            master: Master::new(rate, layout, base.get(ParamId::ReverbMix)),
            bands: Bands::new(rate),
            spectrum: None,
            failed: None,
            ready: [0.0; MOST_CHANNELS * CHUNK],
            left_off: layout.count() * CHUNK,
        }
    }

    /// The same, and what leaves it can be seen in the spectrum.
    pub fn with_spectrum(self, spectrum: Spectrum) -> Engine {
        Engine { spectrum: Some(spectrum), ..self }
    }

    /// The level of each band of what has left, 0..1, from low to high.
    pub fn bands(&self) -> &[f32; BANDS] {
        self.bands.levels()
    }

    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Keeps each voice apart too, see [`Engine::stem`]. Before it plays: it takes memory.
    pub fn keep_stems(&mut self) {
        self.master.keep_stems();
    }

    /// A voice's part of the last chunk that was made, a channel each; `None` unless they are kept.
    pub fn stem(&self, voice: Voice) -> Option<&[Chunk]> {
        self.master.stem(voice)
    }

    /// The voice that gave what is not a number since the last call, if one did. It has begun anew.
    pub fn take_failed(&mut self) -> Option<&'static str> {
        self.failed.take()
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
        self.grid.heard(cue.t_ns, self.frame);
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
                // A model that is back without a prompt is asked for nothing.
                if part < 1.0 {
                    self.asked.get_or_insert(self.frame);
                }
                self.prefill = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
            }
            CueKind::Token(token) => {
                self.asked = Some(self.frame);
                self.melody.token(token);
            }
            CueKind::Rewind { rests } => {
                if rests {
                    self.asked = None;
                }
                self.melody.rewind(&control);
            }
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
            CueKind::Tempo(timeline) => self.grid.retime(timeline),
            CueKind::Morph { side, values } => self.morph.keep(side, values),
            CueKind::Panic => {
                self.melody.hush();
                self.hushed_at = Some(self.frame + (PANIC_OVER_S * self.rate_hz as f32) as u64);
            }
            CueKind::Loop(period) => self.figure.hold(period),
            CueKind::Callback { xruns, .. } if xruns > 0 => self.melody.stumble(&control, &mut self.gestures),
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

    /// Fills a block of any length with interleaved frames of every channel.
    pub fn render(&mut self, block: &mut [f32]) {
        let whole = self.layout.count() * CHUNK;
        let mut filled = 0;
        while filled < block.len() {
            if self.left_off == whole {
                self.chunk();
                self.left_off = 0;
            }
            let n = (block.len() - filled).min(whole - self.left_off);
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
        let offsets = self.modulator.offsets(&self.signals, dt);
        let params = offsets.add(&self.morph.apply(&self.base, offsets.add_to(ParamId::Morph, &self.base)));
        self.played = params;

        let sunk = f32::from(self.frame < self.sunk_until);
        // Two followers in a row: the fall begins and ends softly.
        self.sink_lag += (sunk - self.sink_lag) * follow(dt, if sunk > 0.0 { 0.35 } else { 0.9 });
        let sink = self.sink.toward(self.sink_lag, follow(dt, 0.25)).at;
        self.root.toward(params.get(ParamId::HumPitch), follow(dt, 0.1));
        let root_hz = note_hz(self.root.0 - 7.0 * sink);

        self.bus.clear();
        self.voices(&params, root_hz, sink);
        self.notes(&params);
        self.leave(&params, sink);
        if self.hushed_at.is_some_and(|at| self.frame >= at) {
            self.hushed_at = None;
            self.hush();
        }
        self.frame += CHUNK as u64;
    }

    /// The whole goes through the master and is ready to leave.
    fn leave(&mut self, params: &ParamValues, sink: f32) {
        let fade_in = smoothstep(self.frame as f32 / (FADE_IN_S * self.rate_hz as f32));
        let on = !self.ended && self.hushed_at.is_none() && params.get(ParamId::Mute) < 0.5;
        let gain_now = f32::from(on) * MASTER * gain(params.get(ParamId::Level)) * fade_in * (1.0 - 0.35 * sink);
        let control = MasterControl {
            gain: gain_now,
            lag_s: if self.hushed_at.is_some() { PANIC_S } else { LEVEL_S },
            mix: params.get(ParamId::ReverbMix),
            ceiling: gain(params.get(ParamId::Ceiling)),
            ceiling_lufs: params.get(ParamId::CeilingLoud),
        };
        let n = self.layout.count();
        let mut out = [[0.0; CHUNK]; MOST_CHANNELS];
        if let Some(part) = self.master.render(&mut self.bus, &control, &mut out[..n]) {
            self.failed = Some(part);
        }
        if self.bands.hear(&out[..n])
            && let Some(spectrum) = &self.spectrum
        {
            spectrum.write(self.bands.levels());
        }
        for (channel, chunk) in out[..n].iter().enumerate() {
            for (to, x) in self.ready[channel..].iter_mut().step_by(n).zip(chunk) {
                *to = *x;
            }
        }
    }

    /// Takes away all that rings.
    fn hush(&mut self) {
        self.notes.plucks.reset();
        self.notes.ghosts.reset();
        self.notes.grains.reset();
        self.notes.throat.reset(self.seed);
        self.gestures.reset();
        self.figure.forget();
        self.delay.reset();
        self.master.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_that_fails_is_told_and_begins_anew() {
        let mut engine = Engine::new(48_000, 1, Matrix::default());
        let mut block = vec![0.0; 2 * 48_000];
        engine.render(&mut block);
        assert_eq!(engine.take_failed(), None);
        engine.hum.poison();
        engine.render(&mut block);
        assert_eq!((engine.take_failed(), engine.take_failed()), (Some("hum"), None));
        assert!(block.iter().all(|x| x.is_finite()));
        assert!(block[96_000 - 4800..].iter().any(|x| x.abs() > 1e-3), "and it plays on");
    }
}
