//! What the terminal shows, as it follows from events and time alone.
//!
//! Owned by the stage on the main thread. Nothing here draws, and nothing here reads a clock.

mod log;
mod patch;
mod pause;
mod switched;

use std::collections::VecDeque;

use log::kept;
pub use log::{Remark, Tone};
pub use pause::Pause;

use super::clean;
use super::course::Course;
use super::energy::Energy;
use super::history::History;
use super::page::Page;
use super::shown::Shown;
use super::tempo::Tempo;
use super::typing::Typing;
use crate::patch::sampler::Stage;
use crate::patch::{Matrix, Modulator, Prompt};
use crate::score::event::{back_to, branched, waits};
use crate::score::{
    Candidate, Event, Hand, Happening, HelpPage, ParamId, ParamValues, SignalId, SignalValues, Since, Stamped,
};

/// Ports of controllers that are kept.
const PORTS: usize = 8;
/// So long a controller's lamp is lit.
const LIT_NS: u64 = 400_000_000;

/// What a controller said last.
#[derive(Clone, Debug, PartialEq)]
pub struct Control {
    pub t_ns: u64,
    pub port: String,
    pub what: String,
}

/// Everything that is drawn.
#[derive(Clone, Debug)]
pub struct State {
    pub title: String,
    /// The scene of the plan and its place, as "dawn 1/3"; empty without a plan.
    pub scene: String,
    /// The settings that were recalled last, and when they are reached.
    pub settings: Option<(String, u64)>,
    /// How far the scene has come and what ends it.
    pub course: Course,
    pub tempo: Tempo,
    /// The patch's bank, the prompt being played, and the one that is crossed to.
    pub prompts: Vec<Prompt>,
    pub playing: Option<String>,
    pub second: Option<String>,
    /// The prompt that waits, by its name if it has one, and what a page says of it.
    pub queued: Option<(Option<String>, String)>,
    /// The order of the sampler's stages, where the patch says one.
    pub order: Option<Vec<Stage>>,
    pub model: String,
    /// What the plate says of the model, line by line.
    pub card: Vec<String>,
    /// Since when the plate is shown.
    pub plate_ns: Option<u64>,
    pub seed: u64,
    pub sound: Option<String>,
    pub page: Page,
    /// Values as the hands set them.
    pub params: ParamValues,
    /// Values as they are played: with the matrix added.
    pub played: ParamValues,
    /// Who moved each parameter last.
    pub moved_by: Vec<Option<Hand>>,
    pub selected: Option<ParamId>,
    pub signals: SignalValues,
    pub cores: Vec<f32>,
    /// What this machine does not have, with the reason.
    pub absent: Vec<(SignalId, String)>,
    pub history: History,
    pub energy: Energy,
    /// The likeliest tokens at the last token's place.
    pub roads: Vec<Candidate>,
    /// The token that was taken.
    pub taken: Option<Candidate>,
    pub log: VecDeque<Remark>,
    /// The last faults, whatever else was logged since.
    pub faults: VecDeque<Remark>,
    /// What controllers said last, one for each port.
    pub controls: Vec<Control>,
    /// How often the sound device ran dry, and when it last did.
    pub xruns: (u64, Option<u64>),
    /// The page of the help that is open.
    pub help: Option<usize>,
    /// The help's pages of the patch's own keys.
    pub own_keys: Vec<HelpPage>,
    /// The line that the performer types in, where it is open.
    pub typing: Option<Typing>,
    /// What the audience's stage shows, as it was told last.
    pub shown: Shown,
    /// Whether a recording is played again.
    pub replayed: bool,
    /// Events lost and coalesced by each consumer.
    pub losses: Vec<(&'static str, u64, u64)>,
    pub now_ns: u64,
    modulator: Modulator,
    since: Since,
    reading: Option<(u32, u32)>,
    loading: Option<(u64, u64)>,
    resting: bool,
    ended: Option<String>,
}

impl Default for State {
    fn default() -> State {
        State::new()
    }
}

impl State {
    pub fn new() -> State {
        State {
            title: String::new(),
            scene: String::new(),
            settings: None,
            course: Course::default(),
            tempo: Tempo::default(),
            prompts: Vec::new(),
            playing: None,
            second: None,
            queued: None,
            order: None,
            model: String::new(),
            card: Vec::new(),
            plate_ns: None,
            seed: 0,
            sound: None,
            page: Page::default(),
            params: ParamValues::default(),
            played: ParamValues::default(),
            moved_by: vec![None; ParamId::COUNT],
            selected: None,
            signals: SignalValues::default(),
            cores: Vec::new(),
            absent: Vec::new(),
            history: History::default(),
            energy: Energy::default(),
            roads: Vec::new(),
            taken: None,
            log: VecDeque::new(),
            faults: VecDeque::new(),
            controls: Vec::new(),
            xruns: (0, None),
            help: None,
            own_keys: Vec::new(),
            typing: None,
            shown: Shown::default(),
            replayed: false,
            losses: Vec::new(),
            now_ns: 0,
            modulator: Modulator::new(Matrix::default()),
            since: Since::default(),
            reading: None,
            loading: None,
            resting: false,
            ended: None,
        }
    }

    /// Takes an event; true if something that is shown changed.
    pub fn take(&mut self, stamped: &Stamped) -> bool {
        let t_ns = stamped.t_ns;
        stamped.event.apply(&mut self.signals);
        if let Some(what) = Happening::of(&stamped.event) {
            self.since.happened(what, t_ns);
            self.modulator.happened(what);
        }
        // Rate and energy follow from when a token came.
        if matches!(stamped.event, Event::Token(_)) {
            self.since.write(t_ns, &mut self.signals);
            self.energy.token(self.signals.get(SignalId::Energy));
        }
        self.history.take(&stamped.event, &self.signals);
        self.course.take(t_ns, &stamped.event);
        match &stamped.event {
            Event::Begin { title, model, seed, .. } => {
                (self.title, self.model, self.seed) = (clean::line(title), clean::line(model), *seed);
            }
            // A journal may have been written by anyone.
            Event::Card { text } => {
                self.card = text.lines().take(12).map(|l| clean::line(l).chars().take(240).collect()).collect();
            }
            Event::Scene { name, index, of } => {
                self.scene = format!("{} {}/{of}", clean::line(name), u64::from(*index) + 1);
            }
            Event::Settings { name, over_s } => {
                self.settings = Some((clean::line(name), t_ns + (f64::from(*over_s) * 1e9) as u64));
                self.remark(t_ns, Tone::Notice, &format!("settings {name}"));
            }
            Event::Sound { output, .. } => self.sound = Some(clean::line(output)),
            Event::Prompt { name, text, tokens } => {
                self.playing = name.as_deref().map(clean::line);
                self.page.prompt(text);
                self.reading = Some((0, *tokens));
                self.resting = false;
                self.roads.clear();
            }
            Event::Layer { text, tokens, index, .. } => {
                self.page.layer(text, *index, *tokens);
                self.resting = false;
            }
            Event::Prefill { done, total } => self.reading = (done < total).then_some((*done, *total)),
            Event::Token(token) => {
                self.page.token(&token.text, token.p, token.index);
                (self.reading, self.resting) = (None, false);
                self.roads.clone_from(&token.top);
                // One that is half a character brings no text yet, and has a spelling among the others.
                let spelled = token.top.iter().find(|road| road.id == token.id);
                let text = spelled.map_or(&token.text, |road| &road.text).clone();
                self.taken = Some(Candidate { id: token.id, text, p: token.p });
            }
            Event::PieceEnd { .. } => {
                self.page.turn();
                self.resting = true;
            }
            Event::Flaw(flaw) => {
                self.page.flaw(flaw.index, flaw.span());
                if !flaw.cause.is_empty() {
                    self.remark(t_ns, Tone::Flaw, &format!("{}: {}", flaw.title(), flaw.cause));
                }
            }
            Event::Rewind { text, .. } => {
                self.page.rewind(text);
                self.resting = false;
            }
            Event::Restore { slot, name, prompt, text, index, ended, given } => {
                // Older recordings have no name here.
                let known = || self.prompts.iter().find(|known| known.text == *prompt).map(|known| known.name.as_str());
                self.playing = name.as_deref().or_else(known).map(clean::line);
                self.page.prompt(prompt);
                self.page.restore(text, *index, given);
                if *ended {
                    self.page.turn();
                }
                self.resting = *ended;
                self.remark(t_ns, Tone::Notice, &back_to(*slot));
            }
            Event::Snapshot { slot } => self.remark(t_ns, Tone::Notice, &format!("kept as {}", slot + 1)),
            Event::Branch { instead_of, taken, .. } => self.remark(t_ns, Tone::Notice, &branched(instead_of, taken)),
            Event::Loop { period: 0 } => self.remark(t_ns, Tone::Notice, "the loop is let go"),
            Event::Loop { period } => self.remark(t_ns, Tone::Notice, &format!("a loop of {period} tokens is held")),
            Event::Queued { text, .. } if text.is_empty() => self.waits_no_longer(t_ns),
            Event::Queued { name, text, when } => {
                self.waits(t_ns, name.as_deref().map(clean::line), clean::line(&waits(name.as_deref(), text, *when)));
            }
            Event::Blend { name, text, .. } => {
                self.second = name.as_deref().filter(|_| !text.is_empty()).map(clean::line);
                match text.as_str() {
                    "" => self.remark(t_ns, Tone::Notice, "no second prompt"),
                    text => self.remark(t_ns, Tone::Notice, &format!("second prompt: {text}")),
                }
            }
            Event::Load { done, total } => self.loading = (done < total).then_some((*done, *total)),
            Event::Machine(sample) => {
                self.cores.clone_from(&sample.cores);
                for (id, reason) in &sample.absent {
                    self.absent.retain(|(old, _)| old != id);
                    self.absent.push((*id, clean::line(reason)));
                }
                // A sensor that speaks again is no longer absent.
                self.absent.retain(|(id, _)| sample.values.iter().all(|(there, _)| there != id));
                self.energy.sample(t_ns, self.signals.get(SignalId::Power));
            }
            Event::Param { id, value, by } => {
                self.params.set(*id, *value);
                self.moved_by[*id as usize] = Some(*by);
            }
            Event::Tempo { .. } => self.tempo.take(&stamped.event),
            Event::Select { id } => self.selected = Some(*id),
            Event::Help { on, page } => self.help = on.then_some(*page as usize),
            Event::Typing { on, text, at } => {
                let composed = self.typing.take().unwrap_or_default().composed;
                self.typing = on.then(|| Typing { text: text.clone(), at: *at, composed });
            }
            Event::Control { port, what } => self.control(t_ns, port, what),
            Event::Callback { xruns, .. } if *xruns > 0 => self.xruns = (self.xruns.0 + xruns, Some(t_ns)),
            Event::Callback { .. } => {}
            Event::Forget { tokens, .. } => {
                let text = format!("the context was full: the oldest {tokens} tokens have left it");
                self.remark(t_ns, Tone::Notice, &text);
            }
            Event::Tuning { name, .. } => self.remark(t_ns, Tone::Notice, &format!("tuning {name}")),
            Event::Morph { side, values } => self.remark(t_ns, Tone::Notice, &kept(*side, values.is_empty())),
            Event::Panic => self.remark(t_ns, Tone::Notice, "panic: silence until ! or Ctrl-G is pressed again"),
            Event::Samples { folder, files } => {
                let name = std::path::Path::new(folder).file_name().unwrap_or_default().to_string_lossy();
                let text = match files.len() {
                    0 => "no samples any more".to_string(),
                    many => format!("{many} samples from {name}"),
                };
                self.remark(t_ns, Tone::Notice, &text);
            }
            Event::Patch { name, text } => {
                self.mended("patch");
                self.remark(t_ns, Tone::Notice, &format!("patch {name}"));
                self.take_patch(name, text);
            }
            Event::Fault { place, what, remedy } => {
                let remedy = if remedy.is_empty() { String::new() } else { format!("; {remedy}") };
                self.remark(t_ns, Tone::Fault, &format!("{place}: {what}{remedy}"));
            }
            Event::Notice { text } => self.remark(t_ns, Tone::Notice, text),
            Event::Note { text } => self.remark(t_ns, Tone::Note, text),
            Event::Picture { file } => self.remark(t_ns, Tone::Notice, &format!("picture {file}")),
            Event::End { reason } => self.ended = Some(clean::line(reason)),
            // Another one, or the same mended: what was wrong with the last is no longer the stage's.
            Event::Shader { .. } => return self.mended("shader"),
            Event::Heard { .. } | Event::Hashed { .. } => return false,
        }
        true
    }

    /// Lets time pass, up to `now_ns`; true if that alone changes what is shown: the clock each second, a wait, what the
    /// matrix moves and a controller's lamp each tenth.
    pub fn tick(&mut self, now_ns: u64) -> bool {
        let before = self.moment();
        let dt_s = now_ns.saturating_sub(self.now_ns) as f32 / 1e9;
        self.now_ns = now_ns;
        self.since.write(now_ns, &mut self.signals);
        self.played = self.modulator.apply(&self.params, &self.signals, dt_s);
        self.plate_ns = (self.played.get(ParamId::Plate) >= 0.5).then(|| self.plate_ns.unwrap_or(now_ns));
        before != self.moment()
    }

    fn moment(&self) -> (u64, u64) {
        let waits = matches!(self.pause(), Some(Pause::Held { .. } | Pause::Resting { .. } | Pause::Waiting { .. }));
        let moves = waits || self.played != self.params || self.controls.iter().any(|control| self.lit(control));
        (self.now_ns / 1_000_000_000, if moves { self.now_ns / 100_000_000 } else { 0 })
    }

    /// Whether a controller has just spoken.
    pub fn lit(&self, control: &Control) -> bool {
        self.now_ns < control.t_ns + LIT_NS
    }

    /// Why a signal is absent, where that was said.
    pub fn reason(&self, id: SignalId) -> Option<&str> {
        self.absent.iter().find(|(absent, _)| *absent == id).map(|(_, reason)| reason.as_str())
    }

    /// Why signals are absent: each reason with the names that share it.
    pub fn absences(&self) -> Vec<(&str, Vec<&'static str>)> {
        let mut reasons: Vec<(&str, Vec<&'static str>)> = Vec::new();
        for (id, reason) in &self.absent {
            let name = id.name().trim_start_matches("machine.");
            match reasons.iter_mut().find(|(known, _)| known == reason) {
                Some((_, names)) => names.push(name),
                None => reasons.push((reason, vec![name])),
            }
        }
        reasons
    }

    /// Who lost events, and who merged some, with how many.
    pub fn lost(&self) -> [Vec<String>; 2] {
        let of = |pick: fn(&(&'static str, u64, u64)) -> u64| {
            let lost = self.losses.iter().filter(|l| pick(l) > 0);
            lost.map(|l| format!("{} {}", l.0, pick(l))).collect()
        };
        [of(|l| l.1), of(|l| l.2)]
    }

    fn control(&mut self, t_ns: u64, port: &str, what: &str) {
        let control = Control { t_ns, port: clean::line(port), what: clean::line(what) };
        match self.controls.iter().position(|known| known.port == control.port) {
            Some(at) => self.controls[at] = control,
            None if self.controls.len() < PORTS => self.controls.push(control),
            // The one that has been silent the longest gives way.
            None => {
                if let Some(silent) = self.controls.iter_mut().min_by_key(|known| known.t_ns) {
                    *silent = control;
                }
            }
        }
    }

    /// Whether a journal is among the consumers, and whether it has lost anything.
    pub fn recording(&self) -> Option<bool> {
        self.losses.iter().find(|(name, ..)| *name == "journal").map(|(_, dropped, _)| *dropped == 0)
    }
}

#[cfg(test)]
mod tests;
