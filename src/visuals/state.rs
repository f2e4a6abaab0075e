//! Frame state: what a frame needs to know, made from events and time alone.
//!
//! Belongs to whichever thread draws. No clock and no chance in here: the same patch, events and times give the same
//! frame, so a replay shows what was shown.

use std::sync::Arc;

use super::page::Page;
use crate::patch::{self, Modulator};
use crate::score::event::branched;
use crate::score::{Event, Hand, Happening, HelpPage, ParamId, ParamValues, SignalId, SignalValues, Since, Stamped};

/// Signals as the field sees them follow their measurement in this time, so that a sample each 200 ms is no flicker.
const GLIDE_S: f32 = 0.3;

/// A line of words for the foot of the stage, with when it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub t_ns: u64,
    pub text: String,
}

/// A shader as an event brought it.
#[derive(Clone, Debug, PartialEq)]
pub struct ShaderText {
    pub name: Arc<str>,
    pub text: Arc<str>,
}

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
    pub(super) cores: Vec<f32>,
    /// Why a signal is absent, where that was said.
    pub(super) absent: Vec<Option<String>>,
    pub(super) selected: ParamId,
    /// When a parameter was last moved or chosen by hand.
    pub(super) touched_ns: Option<u64>,
    pub(super) help: bool,
    /// The page that is open, and all of them.
    pub(super) help_page: usize,
    pub(super) help_pages: Vec<HelpPage>,
    /// What the plate says of the model, line by line.
    pub(super) card: Vec<String>,
    /// When the plate was last shown or hidden.
    pub(super) plate_ns: Option<u64>,
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
            absent: vec![None; SignalId::COUNT],
            selected: ParamId::Temperature,
            touched_ns: None,
            help: false,
            help_page: 0,
            help_pages: Vec::new(),
            card: Vec::new(),
            plate_ns: None,
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
            shader: None,
            modulator: Modulator::new(patch::Matrix::default()),
            since: Since::default(),
        }
    }

    /// The pages of the help overlay.
    pub fn set_help(&mut self, pages: Vec<HelpPage>) {
        self.help_pages = pages;
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
                (self.reading, self.loading, self.piece_ns) = (true, false, t_ns);
                self.signals.set(SignalId::Prefill, Some(0.0));
            }
            Event::Scene { name, .. } => self.notice(t_ns, name.clone()),
            Event::Token(token) => {
                self.page.token(t_ns, token);
                self.reading = false;
                self.tokens += 1;
                self.last_token = Some((t_ns, SignalId::Surprise.spec().position(token.surprise_bits)));
            }
            Event::Rewind { to, text } => self.page.rewind(t_ns, *to, text),
            Event::Restore { slot, prompt, text, index } => {
                self.page.restore(t_ns, prompt, text, *index);
                self.notice(t_ns, format!("back to {}", slot + 1));
            }
            Event::Snapshot { slot } => self.notice(t_ns, format!("kept as {}", slot + 1)),
            Event::Branch { instead_of, taken, .. } => self.notice(t_ns, branched(instead_of, taken)),
            Event::Loop { period: 0 } => self.notice(t_ns, "the loop is let go".to_string()),
            Event::Loop { period } => self.notice(t_ns, format!("a loop of {period} tokens is held")),
            Event::Blend { text, .. } if text.is_empty() => self.notice(t_ns, "no second prompt".to_string()),
            Event::Blend { text, .. } => self.notice(t_ns, format!("second prompt: {text}")),
            Event::Forget { tokens, kept, .. } => self.page.forget(t_ns, *tokens, *kept),
            Event::Flaw(flaw) => {
                self.page.flaw(t_ns, flaw);
                self.last_flaw_ns = Some(t_ns);
                self.notice(t_ns, flaw.title());
            }
            Event::Machine(sample) => {
                self.cores.clone_from(&sample.cores);
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
                if !matches!(by, Hand::Model | Hand::Patch | Hand::Plan) {
                    (self.selected, self.touched_ns) = (*id, Some(t_ns));
                }
            }
            Event::Select { id } => (self.selected, self.touched_ns) = (*id, Some(t_ns)),
            Event::Help { on, page } => (self.help, self.help_page) = (*on, *page as usize),
            Event::Patch { name, text } => self.take_patch(t_ns, name, text),
            Event::Shader { name, text } => {
                self.shader = Some(ShaderText { name: name.as_str().into(), text: text.as_str().into() });
            }
            Event::Fault { place, what, remedy } => {
                let what = join(&[place, what], ": ");
                self.fault = Some(Message { t_ns, text: join(&[&what, remedy], "; ") });
            }
            Event::Notice { text } => self.notice(t_ns, text.clone()),
            Event::Note { text } => self.notice(t_ns, format!("noted: {text}")),
            Event::End { .. } => self.ended_ns = Some(t_ns),
            Event::Load { done, total } => self.loading = done < total,
            Event::Hashed { .. }
            | Event::PieceEnd { .. }
            | Event::Prefill { .. }
            | Event::Sound { .. }
            | Event::Tuning { .. }
            | Event::Morph { .. }
            | Event::Panic
            | Event::Samples { .. }
            | Event::Control { .. }
            | Event::Heard { .. }
            | Event::Callback { .. } => {}
        }
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
    }

    fn notice(&mut self, t_ns: u64, text: String) {
        self.notice = Some(Message { t_ns, text });
    }

    fn take_patch(&mut self, t_ns: u64, name: &str, text: &str) {
        // A patch that does not parse is not taken up by the session either, and its fault says so; this can only be
        // a recording of another version, so the stage keeps what it has.
        if let Ok(patch) = patch::parse(name, text) {
            self.modulator = Modulator::new(patch.matrix);
            self.prompts = patch.prompts.into_iter().map(|p| p.name).collect();
        } else {
            self.notice(t_ns, format!("{name} is not a patch of this version"));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::MachineSample;

    fn at(t_ns: u64, event: Event) -> Stamped {
        Stamped { seq: 0, t_ns, event }
    }

    #[test]
    fn absent_comes_with_its_reason_and_goes_when_measured() {
        let mut state = FrameState::new();
        let absent = vec![(SignalId::Fan, "no sensor".to_string())];
        state.apply(&at(0, Event::Machine(MachineSample { absent, ..Default::default() })));
        state.advance(1);
        assert_eq!(state.absent[SignalId::Fan as usize].as_deref(), Some("no sensor"));
        assert_eq!((state.signals.get(SignalId::Fan), state.glide[SignalId::Fan as usize]), (None, None));
        let values = vec![(SignalId::Fan, 3000.0)];
        state.apply(&at(2, Event::Machine(MachineSample { values, ..Default::default() })));
        state.advance(3);
        assert_eq!(state.absent[SignalId::Fan as usize], None);
        assert_eq!(state.glide[SignalId::Fan as usize], Some(0.5));
    }

    #[test]
    fn a_hand_selects_what_it_moves_and_a_patch_does_not() {
        let mut state = FrameState::new();
        state.apply(&at(0, Event::Param { id: ParamId::Hue, value: 0.2, by: Hand::Patch }));
        assert_eq!(state.selected, ParamId::Temperature);
        state.apply(&at(0, Event::Param { id: ParamId::TopP, value: 0.5, by: Hand::Midi }));
        state.advance(10);
        assert_eq!((state.selected, state.params.get(ParamId::TopP)), (ParamId::TopP, 0.5));
        assert_eq!(state.params.get(ParamId::Hue), 0.2);
    }

    #[test]
    fn waiting_grows_with_time_alone_and_time_does_not_run_back() {
        let mut state = FrameState::new();
        state.advance(3_000_000_000);
        assert_eq!(state.signals.get(SignalId::Waiting), Some(3.0));
        state.advance(1_000_000_000);
        assert_eq!(state.signals.get(SignalId::Waiting), Some(3.0));
    }

    #[test]
    fn a_fault_says_where_what_and_what_to_do() {
        let mut state = FrameState::new();
        let fault = |place: &str, remedy: &str| Event::Fault {
            place: place.into(),
            what: "gone".into(),
            remedy: remedy.into(),
        };
        state.apply(&at(5, fault("sound", "plug it in")));
        assert_eq!(state.fault, Some(Message { t_ns: 5, text: "sound: gone; plug it in".into() }));
        state.apply(&at(6, fault("", "")));
        assert_eq!(state.fault.unwrap().text, "gone");
    }
}
