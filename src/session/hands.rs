//! The hands' thread: turns keys, MIDI, OSC and changed files into actions, and actions into parameters, commands and
//! events.
//!
//! It polls every 2 ms, so a turned knob reaches the very next token. It owns the patch that is being played.

mod activity;
mod controllers;
mod crossing;
mod learning;
mod line;
#[cfg(feature = "link")]
mod link;
mod moves;
mod panic;
mod patch_file;
mod prompts;
mod scenes;
mod settings;
mod shader;
mod tempo;
mod typing;
mod undo;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use controllers::Controllers;
use learning::Learning;
pub use learning::Source;
use line::Line;
use moves::Moves;
pub(super) use patch_file::morph;
use tempo::Tempo;

use super::course::{Ask, Course};
use super::midi_out::Synths;
use super::network::Network;
use super::pictures::Pictures;
use super::samples::Samples;
use super::sound::Sound;
use crate::control::{self, Mapping, travel};
use crate::model::Command;
use crate::patch::{self, Patch, Template};
use crate::score::{Action, Bus, Digit, Event, Hand, Key, ParamId, Params, Policy, Queue, Shutdown, Stamped};
use crate::visuals::shader::{Input, Watch};

/// How often keys and MIDI are looked at.
const TICK: Duration = Duration::from_millis(2);
/// Files are looked at every so many ticks: ten times a second.
const TICKS_PER_FILE_LOOK: u32 = 50;

/// Events that the hands may be behind, while a sound device is opened.
const EVENT_QUEUE: usize = 4096;

/// What is said where a picture is asked for and there is no window.
const NO_WINDOW: &str = "pictures need the window; `xiao render --picture` makes one of any moment";

/// What is said where full screen is asked for in a terminal.
const NO_FULL_SCREEN: &str = "f is for the window, which then fills its display; a terminal has no full screen";

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
    pub network: Network,
    /// The tuning that is played.
    pub tuning: Event,
    pub patch: Patch,
    /// What the patch was read from, where that is no file.
    pub source: Source,
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
    /// The prompt that was chosen last, and the one that is played, places in the patch's bank.
    prompt: usize,
    playing: usize,
    selected: ParamId,
    /// What the next key means, if it is a digit.
    awaited: Option<Digit>,
    /// The model has erred, or something has failed.
    erred: bool,
    /// The line that prompts are typed in.
    line: Line,
    /// How far the help that is shown was turned. Each stage has as many pages as its size asks for, and begins again
    /// after the last.
    help: Option<u32>,
    /// While a panic lasts, what it holds and what that is to be afterwards.
    panicked: Option<Vec<(ParamId, f32)>>,
    /// The patch's plan, what it has yet to hear, and what it asks for.
    course: Course,
    events: Queue,
    heard: Vec<Arc<Stamped>>,
    asks: Vec<Ask>,
    samples: Samples,
    /// What waits for a control, if anything does.
    learning: Option<Learning>,
    moves: Moves,
    kept: settings::Kept,
    /// The MIDI inputs that are here.
    ports: Vec<String>,
    tempo: Tempo,
}

impl Hands {
    /// Begins the piece and works until the end is asked for, then gives the sound back to be closed.
    pub fn run(self) -> Option<Sound> {
        let mut state = State {
            mapping: Mapping::new(&control::known::behind(&self.patch)),
            prompt: 0,
            playing: 0,
            selected: ParamId::Temperature,
            awaited: None,
            erred: false,
            line: Line::default(),
            help: None,
            panicked: None,
            course: Course::new(self.patch.plan.clone()),
            events: self.bus.subscribe("hands", Policy::Coalesce, EVENT_QUEUE),
            heard: Vec::new(),
            asks: Vec::new(),
            samples: Samples::default(),
            learning: None,
            moves: Moves::default(),
            kept: Default::default(),
            ports: Vec::new(),
            tempo: Tempo::default(),
            hands: self,
        };
        state.begin_tempo();
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
            for action in state.hands.network.heard() {
                state.act(action, Hand::Osc);
            }
            state.tend_learning();
            state.tend_plan();
            #[cfg(feature = "link")]
            state.tend_link();
            let lost = state.hands.sound.as_mut().is_some_and(|sound| sound.tend(&state.hands.bus));
            if let Some(sound) = &mut state.hands.sound {
                state.samples.tend(sound, &state.hands.bus);
            }
            if lost && cfg!(feature = "midi-jack") {
                controllers.server_is_gone();
                state.ports.clear();
                state.let_go(None);
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
        if self.is_typed(key) {
            return;
        }
        if self.learning_key(key) {
            return;
        }
        // While the help is open, the keys of pages are its own.
        let turned = self.help.and_then(|page| match key {
            Key::PageDown => Some(page.saturating_add(1)),
            Key::PageUp => Some(page.saturating_sub(1)),
            _ => None,
        });
        if turned.is_some() {
            self.awaited = None;
            return self.show_help(turned);
        }
        let digit = self.awaited.take().and_then(|awaited| control::keyboard::digit(awaited, key));
        if let Some(action) = digit.or_else(|| control::keyboard::action(key)) {
            self.act(action, Hand::Key);
        } else if key == Key::Char('f') {
            // A window keeps this key to itself.
            self.hands.bus.emit(Event::Notice { text: NO_FULL_SCREEN.into() });
        }
    }

    /// True if the patch binds the control to anything.
    fn midi(&mut self, message: &control::Message) -> bool {
        if self.learn_from(message) {
            return true;
        }
        let params = self.hands.params.clone();
        let mut actions = Vec::new();
        let mapped =
            self.mapping.message(&message.port, message.bytes(), &|id| params.get(id), &mut actions, &mut |_| {});
        for action in actions {
            self.act(action, Hand::Midi);
        }
        mapped
    }

    fn act(&mut self, action: Action, by: Hand) {
        if !moves::is_move(&action) {
            // What was moved before it is told before it.
            self.tell_moves_now();
        }
        let bus = &self.hands.bus;
        match action {
            Action::Set(id, value) => self.set(id, value, by),
            Action::Nudge(id, part) => self.set(id, travel::nudged(id, self.hands.params.get(id), part), by),
            Action::NudgeSelected(part) => self.act(Action::Nudge(self.selected, part), by),
            Action::Turn(id, steps) => self.set(id, travel::turned(id, self.hands.params.get(id), steps), by),
            Action::Toggle(id) => self.set(id, travel::toggled(id, self.hands.params.get(id)), by),
            Action::Prompt(name) => match self.hands.patch.prompts.iter().position(|p| p.name == name) {
                Some(at) => self.choose(at),
                None => {
                    bus.emit(Event::Notice { text: format!("the patch has no prompt {name:?}") });
                }
            },
            Action::PromptDown(name) => self.hold_prompt(name),
            Action::PromptUp(name) => self.command(Command::LetGo(name)),
            Action::Layer(name) => self.layer(name),
            Action::PromptNth(nth) if nth < self.hands.patch.prompts.len() => self.choose(nth),
            Action::PromptNth(nth) => {
                bus.emit(Event::Notice { text: format!("the patch has no prompt {}", nth + 1) });
            }
            Action::PromptStep(step) => {
                let count = self.hands.patch.prompts.len() as i64;
                self.choose((self.prompt as i64 + i64::from(step)).rem_euclid(count) as usize);
            }
            Action::SceneStep(step) => self.scene_step(step),
            Action::Scene(name) => self.scene_named(&name),
            Action::PromptError => self.feed_error_back(),
            Action::Type => self.open_line(),
            Action::Again => self.command(Command::Again),
            Action::Rewind(n) => self.command(Command::Rewind(n)),
            Action::Branch => self.command(Command::Branch),
            Action::BranchAtLeap => self.command(Command::BranchAtLeap),
            Action::Escape => {
                self.set(ParamId::Lock, 0.0, by);
                self.command(Command::Escape);
            }
            Action::Await(digit) => {
                self.awaited = Some(digit);
                bus.emit(Event::Notice { text: asked(digit).into() });
            }
            Action::Snapshot(8..) => {
                bus.emit(Event::Notice { text: "a piece is kept in one of the places 1 to 8".into() });
            }
            Action::Snapshot(slot) => self.command(Command::Snapshot(slot)),
            Action::Restore(slot) => self.command(Command::Restore(slot)),
            Action::Settings(ask) => self.settings(ask, by),
            Action::BlendWith(name) => match self.hands.patch.prompts.iter().find(|p| p.name == name) {
                Some(prompt) => {
                    let (name, text) = (Some(prompt.name.clone()), prompt.template.clone());
                    self.command(Command::Blend { name, text });
                }
                None => {
                    bus.emit(Event::Notice { text: format!("the patch has no prompt {name:?}") });
                }
            },
            Action::BlendNth(None) => self.command(Command::Blend { name: None, text: Template::default() }),
            Action::BlendNth(Some(nth)) => match self.hands.patch.prompts.get(nth).map(|prompt| prompt.name.clone()) {
                Some(name) => self.act(Action::BlendWith(name), by),
                None => drop(bus.emit(Event::Notice { text: format!("the patch has no prompt {}", nth + 1) })),
            },
            Action::Crash => self.command(Command::Crash),
            Action::Panic => self.panic(by),
            Action::Keep(side) => {
                let values = ParamId::ALL
                    .iter()
                    .filter(|id| id.morphs() && !of_time(**id))
                    .map(|id| (*id, self.hands.params.get(*id)));
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
            Action::SelectStep(step) => self.select(travel::selected(self.selected, step)),
            Action::SelectGroup(step) => self.select(travel::selected_group(self.selected, step)),
            Action::Learn => self.learn(),
            Action::Unlearn => self.unlearn(),
            Action::Help => self.show_help(Some(self.help.map_or(0, |page| page.saturating_add(1)))),
            Action::HideHelp if self.help.is_none() => self.command(Command::Unqueue),
            Action::HideHelp => self.show_help(None),
            Action::Quit => self.hands.shutdown.request("the performer ended it"),
        }
    }

    fn select(&mut self, id: ParamId) {
        self.selected = id;
        self.hands.bus.emit(Event::Select { id });
        self.learn_selected();
    }

    /// Sets a parameter, to be taken back.
    fn set(&mut self, id: ParamId, value: f32, by: Hand) {
        let before = self.hands.params.get(id);
        self.put(id, value, by);
        if self.hands.params.get(id) != before {
            self.note_move(id, before, by);
        }
    }

    fn put(&mut self, id: ParamId, value: f32, by: Hand) {
        if id == ParamId::TempoBpm && self.leaves_tempo_to_clock(by) {
            return;
        }
        let held = self.panicked.as_mut().and_then(|after| after.iter_mut().find(|(held, _)| *held == id));
        if let Some((_, after)) = held {
            *after = value;
            return;
        }
        let before = self.hands.params.get(id);
        let value = self.hands.params.set(id, value);
        if value != before {
            self.crosses(id);
        }
        if moves::comes_in_streams(by) {
            self.moves.moved(id, before, by);
        } else if value != before {
            self.moves.told(id);
            self.hands.bus.emit(Event::Param { id, value, by });
            if id == ParamId::TempoBpm {
                self.retime(by);
            }
        }
    }

    /// Shows a page; none closes the help.
    fn show_help(&mut self, page: Option<u32>) {
        if self.help != page {
            self.help = page;
            self.hands.bus.emit(Event::Help { on: page.is_some(), page: page.unwrap_or(0) });
        }
    }

    fn command(&self, command: Command) {
        // The worker is gone only when the performance is ending.
        let _ = self.hands.worker.send(command);
    }

    fn want_samples(&mut self) {
        let path = self.hands.patch_file.as_ref().map(patch::Watch::path);
        self.samples.want(&self.hands.patch, path);
    }
}

/// The beats are everybody's, so the ends of the morph that a hand keeps leave them out.
fn of_time(id: ParamId) -> bool {
    id.name().starts_with("sound.tempo.")
}

/// What is said while a digit is awaited.
fn asked(digit: Digit) -> &'static str {
    match digit {
        Digit::Keep => "a digit, 1 to 8: where the piece is kept",
        Digit::Restore => "a digit, 1 to 8: what was kept there comes back",
        Digit::Recall => "a digit, 1 to 8: the settings there are recalled",
        Digit::Store => "a digit, 1 to 8: where the settings are stored; 0 writes them into the patch",
        Digit::Blend => "a digit: the second prompt by its place; 0 is none",
    }
}
