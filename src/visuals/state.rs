//! Frame state: what a frame needs to know, made from events and time alone.
//!
//! Belongs to whichever thread draws. No clock and no chance in here: the same patch, events and times give the same
//! frame, so a replay shows what was shown.

mod cross;
mod marks;
mod roll;
mod strata;
#[cfg(test)]
pub(super) mod tests;
mod told;

pub use cross::Cross;
pub use marks::{Mark, Marks};
pub use roll::{EXPOSURES, Exposure, Roll};
pub use strata::{KEPT, MOST_STRATA, Strata, Stratum};
pub use told::{Crash, Message, ShaderText};

use super::page::Page;
use super::palette::Palette;
use super::scene;
use crate::desk::Typing;
use crate::patch::{self, Modulator};
use crate::score::event::{back_to, branched, waits};
use crate::score::help::with_own;
use crate::score::{Event, Hand, Happening, HelpPage, ParamId, ParamValues, SignalId, SignalValues, Since, Stamped};

/// Signals as the field sees them follow their measurement in this time, so that a sample each 200 ms is no flicker.
const GLIDE_S: f32 = 0.3;

/// How long the scene fault stays after the model is back.
const RETURN_S: f32 = 2.5;
/// How soon the water has carried a word from the mouth, how far words may lie beyond it when they come faster than that,
/// in half cells, and how fast the water drifts by itself, in half cells a second.
const FLOW_S: f32 = 0.8;
const BEYOND: f64 = 7.0;
const DRIFT: f32 = 0.35;

/// Everything that a frame shows.
#[derive(Clone, Debug)]
pub struct FrameState {
    pub(super) t_ns: u64,
    pub(super) page: Page,
    /// Values as the hands set them.
    pub(super) base: ParamValues,
    /// Values as they are played: with the matrix added.
    pub(super) params: ParamValues,
    pub(super) signals: SignalValues,
    /// Each signal's place in its range, following slowly; `None` where absent.
    pub(super) glide: [Option<f32>; SignalId::COUNT],
    /// The load of each core, following slowly.
    pub(super) cores: Vec<f32>,
    cores_now: Vec<f32>,
    /// The sound, band by band from low to high, each 0..1.
    pub(super) bands: [f32; 32],
    /// Why a signal is absent, where that was said.
    pub(super) absent: Vec<Option<String>>,
    pub(super) selected: ParamId,
    /// When a parameter was last moved or chosen by hand.
    pub(super) touched_ns: Option<u64>,
    pub(super) help: bool,
    /// The page that is open, and all of them.
    pub(super) help_page: usize,
    pub(super) help_pages: Vec<HelpPage>,
    /// The same but for the patch's own keys.
    usual_help: Vec<HelpPage>,
    /// What the plate says of the model, line by line.
    pub(super) card: Vec<String>,
    /// When the plate was last shown or hidden.
    pub(super) plate_ns: Option<u64>,
    /// The line that the performer types in, where it is open and has no other page to be on.
    pub(super) typing: Option<Typing>,
    pub(super) fault: Option<Message>,
    pub(super) notice: Option<Message>,
    pub(super) prompts: Vec<String>,
    /// The prompt is being read: from its event to the first token.
    pub(super) reading: bool,
    /// The model is being brought into memory.
    pub(super) loading: bool,
    /// The last token's time and how surprising it was (0..1), for what ripples.
    pub(super) last_token: Option<(u64, f32)>,
    pub(super) tokens: u64,
    pub(super) piece_ns: u64,
    pub(super) last_flaw_ns: Option<u64>,
    pub(super) ended_ns: Option<u64>,
    /// The last tokens, the lines as exposures, and the machine's evening.
    pub(super) marks: Marks,
    pub(super) roll: Roll,
    pub(super) strata: Strata,
    /// The scene that is shown, and the one that is going.
    pub(super) cross: Cross,
    /// How far the water has flowed, in half cells: with the words, and slowly while none comes.
    pub(super) flow: f64,
    pub(super) last_fault_ns: Option<u64>,
    /// When the model crashed, what it said, and when it was back.
    pub(super) crash: Option<Crash>,
    shader: Option<ShaderText>,
    modulator: Modulator,
    since: Since,
}

impl Default for FrameState {
    fn default() -> Self {
        FrameState::new()
    }
}

impl FrameState {
    /// An empty stage at time 0, every parameter at its default.
    pub fn new() -> FrameState {
        FrameState {
            t_ns: 0,
            page: Page::default(),
            base: ParamValues::default(),
            params: ParamValues::default(),
            signals: SignalValues::default(),
            glide: [None; SignalId::COUNT],
            cores: Vec::new(),
            cores_now: Vec::new(),
            bands: [0.0; 32],
            absent: vec![None; SignalId::COUNT],
            selected: ParamId::Temperature,
            touched_ns: None,
            help: false,
            help_page: 0,
            help_pages: Vec::new(),
            usual_help: Vec::new(),
            card: Vec::new(),
            plate_ns: None,
            typing: None,
            fault: None,
            notice: None,
            prompts: Vec::new(),
            reading: false,
            loading: false,
            last_token: None,
            tokens: 0,
            piece_ns: 0,
            last_flaw_ns: None,
            ended_ns: None,
            marks: Marks::default(),
            roll: Roll::default(),
            strata: Strata::default(),
            cross: Cross::default(),
            flow: 0.0,
            last_fault_ns: None,
            crash: None,
            shader: None,
            modulator: Modulator::new(patch::Matrix::default()),
            since: Since::default(),
        }
    }

    /// The line that is typed, for what an input method composes in it.
    #[cfg(feature = "window")]
    pub(super) fn typing_mut(&mut self) -> Option<&mut Typing> {
        self.typing.as_mut()
    }

    /// The pages of the help overlay.
    pub fn set_help(&mut self, pages: Vec<HelpPage>) {
        (self.help_pages, self.usual_help) = (pages.clone(), pages);
    }

    /// The shader that was last taken up: its name and whole text.
    pub fn shader(&self) -> Option<(&str, &str)> {
        self.shader.as_ref().map(|s| (&*s.name, &*s.text))
    }

    pub(super) fn shader_text(&self) -> Option<&ShaderText> {
        self.shader.as_ref()
    }

    /// Takes in an event. Time stands until [`FrameState::advance`].
    pub fn apply(&mut self, stamped: &Stamped) {
        let t_ns = stamped.t_ns;
        stamped.event.apply(&mut self.signals);
        if let Some(what) = Happening::of(&stamped.event) {
            self.since.happened(what, t_ns);
            self.modulator.happened(what);
        }
        match &stamped.event {
            Event::Begin { title, model, .. } => self.notice(t_ns, join(&[title, model], " · ")),
            Event::Card { text } => {
                // A journal may have been written by anyone.
                let line = |line: &str| line.chars().take(240).collect();
                self.card = text.lines().take(12).map(line).collect();
            }
            Event::Prompt { text, tokens, .. } => {
                self.page.prompt(t_ns, text, *tokens);
                self.marks.begin(t_ns);
                self.roll.prompt(t_ns, text);
                self.is_back(t_ns);
                (self.reading, self.loading, self.piece_ns) = (true, false, t_ns);
                self.signals.set(SignalId::Prefill, Some(0.0));
            }
            Event::Scene { name, .. } => self.notice(t_ns, name.clone()),
            Event::Settings { name, .. } => self.notice(t_ns, format!("settings {name}")),
            Event::Token(token) => {
                self.page.token(t_ns, token);
                self.roll.token(t_ns, token);
                self.marks.token(t_ns, token, self.flow);
                self.reading = false;
                self.tokens += 1;
                self.last_token = Some((t_ns, SignalId::Surprise.spec().position(token.surprise_bits)));
            }
            Event::Rewind { to, text } => {
                self.page.rewind(t_ns, *to, text);
                self.marks.rewind(t_ns, *to);
                self.roll.close(t_ns);
            }
            Event::Restore { slot, prompt, text, index, given, .. } => {
                self.page.restore(t_ns, prompt, (text, given), *index);
                self.marks.begin(t_ns);
                self.roll.restore(t_ns, prompt, text);
                self.notice(t_ns, back_to(*slot));
            }
            Event::Layer { text, tokens, index, .. } => {
                self.page.layer(t_ns, text, *index, *tokens);
                self.roll.close(t_ns);
            }
            Event::Snapshot { slot } => self.notice(t_ns, format!("kept as {}", slot + 1)),
            Event::Branch { instead_of, taken, .. } => self.notice(t_ns, branched(instead_of, taken)),
            Event::Loop { period: 0 } => self.notice(t_ns, "the loop is let go".to_string()),
            Event::Loop { period } => self.notice(t_ns, format!("a loop of {period} tokens is held")),
            Event::Queued { text, .. } if text.is_empty() => {
                self.notice.take_if(|notice| notice.text.starts_with("next: "));
            }
            Event::Queued { name, text, when } => self.notice(t_ns, waits(name.as_deref(), text, *when)),
            Event::Blend { text, .. } if text.is_empty() => self.notice(t_ns, "no second prompt".to_string()),
            Event::Blend { text, .. } => self.notice(t_ns, format!("second prompt: {text}")),
            Event::Forget { tokens, kept, .. } => self.page.forget(t_ns, *tokens, *kept),
            Event::Flaw(flaw) => {
                self.page.flaw(t_ns, flaw);
                self.marks.flaw(t_ns, flaw);
                self.roll.flaw(flaw.kind);
                self.last_flaw_ns = Some(t_ns);
                self.notice(t_ns, flaw.title());
            }
            Event::Machine(sample) => {
                self.cores_now.clone_from(&sample.cores);
                if self.cores.len() != sample.cores.len() {
                    self.cores.clone_from(&sample.cores);
                }
                for (id, _) in &sample.values {
                    self.absent[*id as usize] = None;
                }
                for (id, reason) in &sample.absent {
                    self.absent[*id as usize] = Some(reason.clone());
                }
            }
            Event::Param { id, value, by } => {
                if *id == ParamId::Plate && self.base.get(*id) != id.spec().clamp(*value) {
                    self.plate_ns = Some(t_ns);
                }
                self.base.set(*id, *value);
                if !matches!(by, Hand::Model | Hand::Patch | Hand::Plan | Hand::Settings | Hand::Clock) {
                    (self.selected, self.touched_ns) = (*id, Some(t_ns));
                }
            }
            Event::Select { id } => (self.selected, self.touched_ns) = (*id, Some(t_ns)),
            Event::Help { on, page } => (self.help, self.help_page) = (*on, *page as usize),
            Event::Typing { on, text, at } => {
                let composed = self.typing.take().unwrap_or_default().composed;
                self.typing = on.then(|| Typing { text: text.clone(), at: *at, composed });
            }
            Event::Patch { name, text } => {
                self.fault.take_if(|fault| fault.text.starts_with("patch: "));
                self.take_patch(t_ns, name, text);
            }
            Event::Shader { name, text } => {
                self.fault.take_if(|fault| fault.text.starts_with("shader: "));
                self.shader = Some(ShaderText { name: name.as_str().into(), text: text.as_str().into() });
            }
            Event::Fault { place, what, remedy } => {
                if place == "generator" {
                    self.crash = Some(Crash { t_ns, what: what.clone(), back_ns: None });
                    self.roll.close(t_ns);
                }
                self.last_fault_ns = Some(t_ns);
                let what = join(&[place, what], ": ");
                self.fault = Some(Message { t_ns, text: join(&[&what, remedy], "; ") });
            }
            Event::Notice { text } => self.notice(t_ns, text.clone()),
            Event::Note { text } => self.notice(t_ns, format!("noted: {text}")),
            Event::End { .. } => self.ended_ns = Some(t_ns),
            Event::Load { done, total } => {
                self.loading = done < total;
                if !self.loading {
                    self.is_back(t_ns);
                }
            }
            Event::Hashed { .. }
            | Event::PieceEnd { .. }
            | Event::Prefill { .. }
            | Event::Sound { .. }
            | Event::Tuning { .. }
            | Event::Morph { .. }
            | Event::Panic
            | Event::Picture { .. }
            | Event::Samples { .. }
            | Event::Control { .. }
            | Event::Heard { .. }
            | Event::Tempo { .. }
            | Event::Callback { .. } => {}
        }
    }

    /// Takes in the sound as it is at the next frame.
    pub fn hear(&mut self, bands: &[f32; 32]) {
        self.bands = *bands;
    }

    /// Moves time on to `t_ns` (never back): whatever fades, follows or waits.
    pub fn advance(&mut self, t_ns: u64) {
        let dt_s = t_ns.saturating_sub(self.t_ns) as f32 / 1e9;
        self.t_ns = self.t_ns.max(t_ns);
        self.since.write(self.t_ns, &mut self.signals);
        self.params = self.modulator.apply(&self.base, &self.signals, dt_s);
        let follow = 1.0 - (-dt_s / GLIDE_S).exp();
        for (id, glide) in SignalId::ALL.iter().zip(&mut self.glide) {
            let target = self.signals.get(*id).map(|value| id.spec().position(value));
            *glide = match (*glide, target) {
                (Some(at), Some(target)) => Some(at + (target - at) * follow),
                (_, target) => target,
            };
        }
        for (core, now) in self.cores.iter_mut().zip(&self.cores_now) {
            *core += (now - *core) * follow;
        }
        // The water follows the words, and never quite stands.
        let behind = (self.marks.mouth() - self.flow).max(0.0);
        // The more words wait, the faster it runs: none may be said out of sight.
        let pull = f64::from(dt_s / FLOW_S) * (1.0 + 0.25 * behind);
        self.flow += (behind * (1.0 - (-pull).exp())).max(behind - BEYOND) + f64::from(DRIFT * dt_s);
        self.strata.settle(self.t_ns, &self.signals);
        self.cross.advance(self.wanted_scene(), self.params.get(ParamId::Crossfade), self.t_ns, dt_s);
    }

    /// The scene that is to be shown: a crash comes before what was chosen.
    fn wanted_scene(&self) -> usize {
        let crashed = self.crash.as_ref().is_some_and(|c| c.back_ns.is_none_or(|t_ns| self.since(t_ns) < RETURN_S));
        if crashed && self.params.get(ParamId::FaultScene) >= 0.5 {
            scene::FAULT
        } else {
            (self.params.get(ParamId::StageScene) as usize).min(scene::SCENES.len() - 1)
        }
    }

    /// The colours of the stage.
    pub fn palette(&self) -> &'static Palette {
        Palette::of(self.base.get(ParamId::Palette))
    }

    /// Whether the picture is held as it is.
    pub fn frozen(&self) -> bool {
        self.params.get(ParamId::Freeze) >= 0.5
    }

    /// The model is there, after a crash or anyway.
    fn is_back(&mut self, t_ns: u64) {
        if let Some(crash) = &mut self.crash {
            crash.back_ns.get_or_insert(t_ns);
        }
    }

    fn notice(&mut self, t_ns: u64, text: String) {
        self.notice = Some(Message { t_ns, text });
    }

    fn take_patch(&mut self, t_ns: u64, name: &str, text: &str) {
        // A patch that does not parse is not taken up by the session either, and its fault says so; this can only be
        // a recording of another version, so the stage keeps what it has.
        if let Ok(patch) = patch::parse(name, text) {
            self.help_pages = with_own(&self.usual_help, &patch.own_keys());
            self.modulator = Modulator::new(patch.matrix);
            self.prompts = patch.prompts.into_iter().map(|p| p.name).collect();
        } else {
            self.notice(t_ns, format!("{name} is not a patch of this version"));
        }
    }

    /// How far the waiting for the next word is within a period that repeats, 0..1. From whole nanoseconds: as an `f32`,
    /// the seconds of a day go in steps of 8 ms.
    pub(super) fn waiting_turn(&self, period_s: f64) -> f32 {
        let waited_ns = self.t_ns.saturating_sub(self.last_token.map_or(0, |t| t.0));
        (waited_ns as f64 / 1e9 / period_s).fract() as f32
    }

    /// Seconds from `t_ns` to now; 0 for what lies ahead.
    pub(super) fn since(&self, t_ns: u64) -> f32 {
        self.t_ns.saturating_sub(t_ns) as f32 / 1e9
    }
}

/// Joins what is not empty.
fn join(parts: &[&str], between: &str) -> String {
    parts.iter().filter(|p| !p.is_empty()).copied().collect::<Vec<_>>().join(between)
}
