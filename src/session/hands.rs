//! The hands' thread: turns keys, MIDI, OSC and changed files into actions, and actions into parameters, commands and
//! events.
//!
//! It polls every 2 ms, so a turned knob reaches the very next token. It owns the patch that is being played.

mod act;
mod activity;
mod controllers;
mod controls;
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
use crate::control::{self, Mapping};
use crate::model::Command;
use crate::patch::{self, Patch};
use crate::score::{Bus, Digit, Event, Hand, Key, ParamId, Params, Policy, Queue, Shutdown, Stamped, Stroke, Way};
use crate::visuals::shader::{Input, Watch};

/// How often keys and MIDI are looked at.
const TICK: Duration = Duration::from_millis(2);
/// Files are looked at every so many ticks: ten times a second.
const TICKS_PER_FILE_LOOK: u32 = 50;

/// After a longer pause, as while a sound device is opened, nothing that moves at a speed leaps.
const LONGEST_S: f32 = 0.05;

/// Events that the hands may be behind, while a sound device is opened.
const EVENT_QUEUE: usize = 4096;

/// What is said where full screen is asked for in a terminal.
const NO_FULL_SCREEN: &str = "f is for the window, which then fills its display; a terminal has no full screen";

/// Everything that hands can reach.
pub struct Hands {
    pub bus: Bus,
    pub params: Arc<Params>,
    pub worker: Sender<Command>,
    pub keys: Receiver<Stroke>,
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
    /// How many gamepads are here.
    pads: usize,
    /// When what is moved at a speed was moved on last.
    tended_ns: u64,
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
            pads: 0,
            tended_ns: 0,
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
                Ok(stroke) => state.stroke(stroke),
                Err(RecvTimeoutError::Timeout) => {}
                // No stage sends keys: nothing to hear from, only the rest to look after.
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(TICK),
            }
            controllers.tend(&mut state);
            state.tend_speeds();
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
    fn stroke(&mut self, Stroke { key, way }: Stroke) {
        if way == Way::Released {
            self.own_key(key, way);
            return;
        }
        // A line is typed as fast as the keys repeat; of all else only what goes a step acts again.
        let types = self.line.is_open() && !matches!(key, Key::Ctrl(_) | Key::Function(_));
        if way == Way::Repeated && !types && (self.own_key(key, way) || !control::keyboard::repeats(key)) {
            return;
        }
        if self.is_typed(key) {
            return;
        }
        // Of what waits for a digit, what was pressed last has it.
        let awaited = self.awaited.take();
        let digit = awaited.and_then(|awaited| control::keyboard::digit(awaited, key));
        if awaited.is_some() && key == Key::Escape {
            return self.say("no digit: all is as it was");
        }
        if digit.is_none() && self.learning_key(key) {
            return;
        }
        // While the help is open, the keys of pages are its own.
        let turned = self.help.and_then(|page| match key {
            Key::PageDown => Some(page.saturating_add(1)),
            Key::PageUp => Some(page.saturating_sub(1)),
            _ => None,
        });
        if turned.is_some() {
            return self.show_help(turned);
        }
        if let Some(action) = digit {
            self.act(action, Hand::Key);
        } else if !self.own_key(key, way) {
            self.usual_key(key);
        }
    }

    /// Does what a key means where the patch does not say.
    fn usual_key(&mut self, key: Key) {
        if let Some(action) = control::keyboard::action(key) {
            self.act(action, Hand::Key);
        } else if key == Key::Char('f') {
            // A window keeps this key to itself.
            self.hands.bus.emit(Event::Notice { text: NO_FULL_SCREEN.into() });
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

    /// The same for one of many small moves.
    fn slide(&mut self, id: ParamId, value: f32, by: Hand) {
        let before = self.hands.params.get(id);
        self.put_told(id, value, by, true);
        if self.hands.params.get(id) != before {
            self.note_move(id, before, by);
        }
    }

    fn put(&mut self, id: ParamId, value: f32, by: Hand) {
        self.put_told(id, value, by, moves::comes_in_streams(by));
    }

    /// `streams`: so many follow that not each is told.
    fn put_told(&mut self, id: ParamId, value: f32, by: Hand, streams: bool) {
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
        if streams {
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
