//! The hands' thread: turns keys, MIDI and changed files into actions, and actions into parameters, commands and
//! events.
//!
//! It polls every 2 ms, so a turned knob reaches the very next token. It owns the patch that is being played.

mod activity;
mod controllers;
mod scenes;
mod shader;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use controllers::Controllers;

use super::course::{Ask, Course};
use super::midi_out::Synths;
use super::pictures::Pictures;
use super::samples::Samples;
use super::sound::Sound;
use super::tuning;
use crate::control::{self, Mapping, travel};
use crate::model::Command;
use crate::patch::{self, Patch};
use crate::score::{Action, Bus, Event, Hand, Key, MorphSide, ParamId, Params, Policy, Queue, Shutdown, Stamped};
use crate::visuals::shader::{Input, Watch};

/// How often keys and MIDI are looked at.
const TICK: Duration = Duration::from_millis(2);
/// Files are looked at every so many ticks: ten times a second.
const TICKS_PER_FILE_LOOK: u32 = 50;

/// Events that the hands may be behind, while a sound device is opened.
const EVENT_QUEUE: usize = 4096;

/// What is said where a picture is asked for and there is no window.
const NO_WINDOW: &str = "pictures need the window; `xiao render --picture` makes one of any moment";

/// Everything that hands can reach.
pub struct Hands {
    pub bus: Bus,
    pub params: Arc<Params>,
    pub worker: Sender<Command>,
    pub keys: Receiver<Key>,
    pub pictures: Pictures,
    pub shutdown: Shutdown,
    pub sound: Option<Sound>,
    pub synths: Synths,
    /// The tuning that is played.
    pub tuning: Event,
    pub patch: Patch,
    /// The scene that the piece begins with, a place in the patch's plan.
    pub scene: usize,
    /// How the command line wants a model to be spoken to, whatever the patch says.
    pub raw: bool,
    pub system: Option<String>,
    pub patch_file: Option<patch::Watch>,
    pub shader: Watch,
    /// The inputs of the shader that was taken up last; none while another one is still to come.
    pub inputs: Vec<Input>,
    /// Where shaders are looked for, nearest first.
    pub shader_folders: Vec<PathBuf>,
}

/// What the hands remember between two actions.
struct State {
    hands: Hands,
    mapping: Mapping,
    /// The prompt being played, an index into the patch's bank.
    prompt: usize,
    selected: ParamId,
    /// The page of the help that is shown.
    help: Option<u32>,
    /// How many pages it has.
    help_pages: u32,
    /// While a panic lasts, what it holds and what that is to be afterwards.
    panicked: Option<Vec<(ParamId, f32)>>,
    /// The patch's plan, what it has yet to hear, and what it asks for.
    course: Course,
    events: Queue,
    heard: Vec<Arc<Stamped>>,
    asks: Vec<Ask>,
    samples: Samples,
}

impl Hands {
    /// Begins the piece and works until the end is asked for, then gives the sound back to be closed.
    pub fn run(self) -> Option<Sound> {
        let mut state = State {
            mapping: Mapping::new(&self.patch.midi),
            prompt: 0,
            selected: ParamId::Temperature,
            help: None,
            help_pages: control::help::pages().len() as u32,
            panicked: None,
            course: Course::new(self.patch.plan.clone()),
            events: self.bus.subscribe("hands", Policy::Coalesce, EVENT_QUEUE),
            heard: Vec::new(),
            asks: Vec::new(),
            samples: Samples::default(),
            hands: self,
        };
        state.begin();
        let mut controllers = Controllers::open(&state.hands.bus);
        state.hands.bus.emit(Event::Select { id: state.selected });
        if state.hands.patch.samples.is_some() {
            state.want_samples();
        }
        let mut ticks = 0u32;
        while !state.hands.shutdown.requested() {
            match state.hands.keys.recv_timeout(TICK) {
                Ok(key) => state.key(key),
                Err(RecvTimeoutError::Timeout) => {}
                // No stage sends keys: nothing to hear from, only the rest to look after.
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(TICK),
            }
            controllers.tend(&mut state);
            state.tend_plan();
            let lost = state.hands.sound.as_mut().is_some_and(|sound| sound.tend(&state.hands.bus));
            if let Some(sound) = &mut state.hands.sound {
                state.samples.tend(sound, &state.hands.bus);
            }
            if lost && cfg!(feature = "midi-jack") {
                controllers.server_is_gone();
                state.hands.synths.server_is_gone();
            }
            ticks += 1;
            if ticks.is_multiple_of(TICKS_PER_FILE_LOOK) {
                state.look_at_files();
                controllers.tell_losses(&state.hands.bus);
            }
        }
        // Nobody empties it any more.
        state.events.close();
        state.hands.sound
    }
}

impl State {
    fn key(&mut self, key: Key) {
        if let Some(action) = control::keyboard::action(key) {
            self.act(action, Hand::Key);
        }
    }

    /// True if the patch binds the control to anything.
    fn midi(&mut self, message: &control::Message) -> bool {
        let params = self.hands.params.clone();
        let mut actions = Vec::new();
        let mapped = self.mapping.message(&message.port, message.bytes(), &|id| params.get(id), &mut actions);
        for action in actions {
            self.act(action, Hand::Midi);
        }
        mapped
    }

    fn act(&mut self, action: Action, by: Hand) {
        let bus = &self.hands.bus;
        match action {
            Action::Set(id, value) => self.set(id, value, by),
            Action::Nudge(id, part) => self.set(id, travel::nudged(id, self.hands.params.get(id), part), by),
            Action::NudgeSelected(part) => self.act(Action::Nudge(self.selected, part), by),
            Action::Turn(id, steps) => self.set(id, travel::turned(id, self.hands.params.get(id), steps), by),
            Action::Toggle(id) => self.set(id, travel::toggled(id, self.hands.params.get(id)), by),
            Action::Prompt(name) => match self.hands.patch.prompts.iter().position(|p| p.name == name) {
                Some(at) => self.play(at),
                None => {
                    bus.emit(Event::Notice { text: format!("the patch has no prompt {name:?}") });
                }
            },
            Action::PromptNth(nth) if nth < self.hands.patch.prompts.len() => self.play(nth),
            Action::PromptNth(_) => {}
            Action::PromptStep(step) => {
                let count = self.hands.patch.prompts.len() as i64;
                self.play((self.prompt as i64 + i64::from(step)).rem_euclid(count) as usize);
            }
            Action::SceneStep(step) => self.scene_step(step),
            Action::Scene(name) => self.scene_named(&name),
            Action::Again => self.command(Command::Again),
            Action::Rewind(n) => self.command(Command::Rewind(n)),
            Action::Branch => self.command(Command::Branch),
            Action::BranchAtLeap => self.command(Command::BranchAtLeap),
            Action::Escape => {
                self.set(ParamId::Lock, 0.0, by);
                self.command(Command::Escape);
            }
            Action::Snapshot(slot) => self.command(Command::Snapshot(slot)),
            Action::Restore(slot) => self.command(Command::Restore(slot)),
            Action::BlendWith(name) => match self.hands.patch.prompts.iter().find(|p| p.name == name) {
                Some(prompt) => {
                    let (name, text) = (Some(prompt.name.clone()), prompt.text.clone());
                    self.command(Command::Blend { name, text });
                }
                None => {
                    bus.emit(Event::Notice { text: format!("the patch has no prompt {name:?}") });
                }
            },
            Action::Crash => self.command(Command::Crash),
            Action::Panic => self.panic(by),
            Action::Keep(side) => {
                let values = ParamId::ALL.iter().filter(|id| id.morphs()).map(|id| (*id, self.hands.params.get(*id)));
                bus.emit(Event::Morph { side, values: values.collect() });
            }
            Action::Note(text) => {
                bus.emit(Event::Note { text });
            }
            Action::Picture => {
                bus.emit(match self.hands.pictures.next(bus.clock().now_ns()) {
                    Some(file) => Event::Picture { file },
                    None => Event::Notice { text: NO_WINDOW.into() },
                });
            }
            Action::SelectStep(step) => {
                self.selected = travel::selected(self.selected, step);
                bus.emit(Event::Select { id: self.selected });
            }
            Action::Help => self.show_help(Some(self.help.map_or(0, |page| page + 1))),
            Action::HideHelp => self.show_help(None),
            Action::Quit => self.hands.shutdown.request("the performer ended it"),
        }
    }

    fn set(&mut self, id: ParamId, value: f32, by: Hand) {
        let held = self.panicked.as_mut().and_then(|after| after.iter_mut().find(|(held, _)| *held == id));
        if let Some((_, after)) = held {
            *after = value;
            return;
        }
        let before = self.hands.params.get(id);
        let value = self.hands.params.set(id, value);
        if value != before {
            self.hands.bus.emit(Event::Param { id, value, by });
        }
    }

    /// Silence and no further token, whatever a plan, a patch or another hand sets meanwhile; again, both are what they
    /// would be without it.
    fn panic(&mut self, by: Hand) {
        const HELD: [ParamId; 2] = [ParamId::Mute, ParamId::Hold];
        let bus = &self.hands.bus;
        match self.panicked.take() {
            None => {
                bus.emit(Event::Panic);
                let before = HELD.map(|id| self.hands.params.get(id));
                HELD.into_iter().for_each(|id| self.set(id, 1.0, by));
                self.panicked = Some(HELD.into_iter().zip(before).collect());
            }
            Some(after) => {
                bus.emit(Event::Notice { text: "the panic is over".into() });
                after.into_iter().for_each(|(id, value)| self.set(id, value, by));
            }
        }
    }

    /// Shows a page; none, or one after the last, closes the help.
    fn show_help(&mut self, page: Option<u32>) {
        let page = page.filter(|page| *page < self.help_pages);
        if self.help != page {
            self.help = page;
            self.hands.bus.emit(Event::Help { on: page.is_some(), page: page.unwrap_or(0) });
        }
    }

    fn play(&mut self, at: usize) {
        self.prompt = at;
        let prompt = &self.hands.patch.prompts[at];
        self.command(Command::Prompt { name: Some(prompt.name.clone()), text: prompt.text.clone() });
    }

    fn command(&self, command: Command) {
        // The worker is gone only when the performance is ending.
        let _ = self.hands.worker.send(command);
    }

    fn want_samples(&mut self) {
        let path = self.hands.patch_file.as_ref().map(patch::Watch::path);
        self.samples.want(&self.hands.patch, path);
    }

    fn look_at_files(&mut self) {
        let fault = |place: String, what: String| Event::Fault {
            place,
            what,
            remedy: "the last good one plays on; mend the file and save it".into(),
        };
        if let Some(watch) = &mut self.hands.patch_file
            && let Some(read) = watch.changed()
        {
            let file = watch.path().display().to_string();
            let taken = read
                .map_err(|e| format!("{file}: {e}"))
                .and_then(|text| patch::parse(&file, &text).map(|patch| (patch, text)).map_err(|e| e.to_string()));
            match taken {
                Ok((patch, text)) => self.take_patch(patch, file, text),
                Err(what) => drop(self.hands.bus.emit(fault("patch".into(), what))),
            }
        }
        self.look_at_shader();
    }

    /// Takes up a changed patch. Only what the file changed is set, so that no knob jumps back.
    fn take_patch(&mut self, mut patch: Patch, file: String, text: String) {
        patch.chat.take(self.hands.raw, self.hands.system.as_deref());
        let old = std::mem::replace(&mut self.hands.patch, patch);
        let seq = self.hands.bus.emit(Event::Patch { name: file, text });
        for param in self.hands.patch.params.clone() {
            if !old.params.contains(&param) {
                self.set(param.0, param.1, Hand::Patch);
            }
        }
        let patch = &self.hands.patch;
        self.command(Command::Matrix(patch.matrix.clone()));
        if patch.chat != old.chat {
            self.command(Command::Chat(patch.chat.clone()));
        }
        let second =
            |patch: &Patch| patch.blend.map(|at| (patch.prompts[at].name.clone(), patch.prompts[at].text.clone()));
        if second(patch) != second(&old) {
            let (name, text) = second(patch).map_or((None, String::new()), |(name, text)| (Some(name), text));
            self.command(Command::Blend { name, text });
        }
        if patch.sampler != old.sampler {
            self.command(Command::Sampler(patch.sampler.clone()));
        }
        if let Some(sound) = &mut self.hands.sound
            && !sound.take_matrix(seq, patch.matrix.clone())
        {
            let text = "the sound does not answer: it plays on with the matrix that it had".into();
            self.hands.bus.emit(Event::Notice { text });
        }
        for (event, changed) in morph(patch).into_iter().zip([0, 1].map(|i| patch.morph[i] != old.morph[i])) {
            if changed {
                self.hands.bus.emit(event);
            }
        }
        // Its files may have been mended meanwhile, so they are read again.
        let path = self.hands.patch_file.as_ref().map(patch::Watch::path);
        match tuning::read(patch, path) {
            Ok(tuning) if tuning == self.hands.tuning => {}
            Ok(tuning) => {
                self.hands.tuning = tuning.clone();
                self.hands.bus.emit(tuning);
            }
            Err(what) => drop(self.hands.bus.emit(tuning::fault(what))),
        }
        self.hands.synths.take(&patch.midi_out);
        // What is not changed stays as the hands left it: pickups that have met, the prompt being played.
        if patch.midi != old.midi {
            self.mapping = Mapping::new(&patch.midi);
        }
        let playing = &old.prompts[self.prompt].name;
        self.prompt = patch.prompts.iter().position(|p| p.name == *playing).unwrap_or(0);
        let other_samples = patch.samples != old.samples || self.samples.failed();
        let other_shader = (patch.shader != old.shader).then(|| patch.shader.clone());
        let (same_model, plan) = (patch.model == old.model, patch.plan.clone());
        if other_samples {
            self.want_samples();
        }
        if let Some(name) = other_shader {
            self.shade(&name);
        }
        if plan != old.plan {
            self.take_plan(plan);
        }
        let text = match same_model {
            true => "the patch was taken up anew".into(),
            false => "the patch was taken up anew; its other model comes with the next performance".into(),
        };
        self.hands.bus.emit(Event::Notice { text });
    }
}

/// The ends of the morph that a patch brings.
pub(super) fn morph(patch: &Patch) -> [Event; 2] {
    let [first, second] = &patch.morph;
    [(MorphSide::First, first), (MorphSide::Second, second)]
        .map(|(side, values)| Event::Morph { side, values: values.clone() })
}
