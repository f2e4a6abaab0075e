//! What the worker's thread does with the model, one short piece of work after another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::super::generator::{Reading, SLOTS};
use super::super::{Branched, Forgot, Generator, Layered, ModelError, Restored, Rewound, Source, Step};
use super::modulation::Modulation;
use super::{Command, WorkerOptions};
use crate::patch::{self, SamplerSpec, Template};
use crate::score::{Bus, Event, ParamId, ParamValues, Params, Queue, Shutdown, When};
use holds::{Below, Held};
use waiting::Waiting;

mod beat;
mod holds;
mod orders;
mod recovery;
mod waiting;

use beat::Beat;

/// The longest the thread waits without looking around.
const LOOK: Duration = Duration::from_millis(5);
/// A model of this size is told of while it loads, in parts of so many bytes.
const TOLD_BYTES: u64 = 32 << 20;
const LOAD_BYTES: u64 = 32 << 20;
/// A prompt with its name in the bank, where it has one.
type Named = (Option<String>, Template);
/// The second prompt as it was filled, and its tokens.
type Second = ((Option<String>, String), u32);
/// The prompt that was played, and the second one.
type Asked = (Option<Named>, Option<Second>);

/// The thread's own state.
pub(super) struct Player {
    generator: Generator,
    source: Source,
    params: Arc<Params>,
    bus: Bus,
    seed: u64,
    shutdown: Shutdown,
    commands: Receiver<Command>,
    prompt: Option<Named>,
    /// The prompt that was chosen and has not begun yet, and whether that was told.
    waiting: Option<Waiting>,
    told: bool,
    /// The prompts that are held, the one that is heard last, and what is to go on once the model is back.
    holds: Vec<Held>,
    returning: Option<Below>,
    /// The second prompt and its tokens.
    blend: Option<Second>,
    /// Both as they were when a piece was kept.
    kept: [Asked; SLOTS],
    phase: Phase,
    modulation: Modulation,
    sampler: SamplerSpec,
    chat: patch::Chat,
    /// The present prompt is asked anew, as if it had not been answered.
    again: bool,
    beat: Beat,
    /// Bytes of the model that have been brought into memory.
    loaded: u64,
    /// Faults since the last token.
    faults: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// There is no prompt yet.
    Idle,
    /// The prompt is to be taken up.
    Begin,
    /// The prompt is being read.
    Read,
    /// The next distribution is to be computed.
    Compute,
    /// It is known; the token waits for its time.
    Ready,
    /// The piece has ended, then.
    Rest(Instant),
    /// The model is gone until then.
    Fault(Instant),
}

impl Player {
    pub fn new(options: WorkerOptions, commands: Receiver<Command>, heard: Queue) -> Player {
        let WorkerOptions { model, source, params, matrix, sampler, chat, bus, seed, shutdown } = options;
        let now_ns = bus.clock().now_ns();
        let modulation = Modulation::new(matrix, heard, now_ns);
        Player {
            generator: {
                let mut generator = Generator::new(model, seed);
                generator.set_manner(chat.clone());
                generator
            },
            source,
            params,
            bus,
            seed,
            shutdown,
            commands,
            prompt: None,
            waiting: None,
            told: false,
            holds: Vec::new(),
            returning: None,
            blend: None,
            kept: Default::default(),
            phase: Phase::Idle,
            modulation,
            sampler,
            chat,
            again: false,
            beat: Beat::new(now_ns),
            loaded: 0,
            faults: 0,
        }
    }

    pub fn run(&mut self) {
        self.take_plan(true);
        loop {
            // Whatever a panic leaves half-done belongs to the generator, which `recover` makes anew.
            match catch_unwind(AssertUnwindSafe(|| self.turn())) {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => return,
                Ok(Err(e)) => self.fault(&e.to_string()),
                Err(payload) => {
                    let said = payload.downcast_ref::<&str>().map(|s| s.to_string());
                    let said = said.or_else(|| payload.downcast_ref::<String>().cloned());
                    self.fault(&said.unwrap_or_else(|| "it failed without a word".to_string()));
                }
            }
        }
    }

    /// One short piece of work or one short wait; false when it is time to end.
    fn turn(&mut self) -> Result<bool, ModelError> {
        if self.shutdown.requested() {
            return Ok(false);
        }
        if let Ok(command) = self.commands.try_recv() {
            self.obey(command);
            return Ok(true);
        }
        if self.loaded < self.generator.model().mapped_bytes() {
            self.load()?;
            return Ok(true);
        }
        self.listen_for_beat();
        match self.phase {
            Phase::Idle => {
                self.values();
                return Ok(self.wait(LOOK));
            }
            Phase::Begin => self.begin()?,
            Phase::Read => {
                let progress = self.generator.prefill_chunk()?;
                self.bus.emit(Event::Prefill { done: progress.done, total: progress.total });
                if progress.done == progress.total {
                    self.phase = Phase::Ready;
                }
            }
            Phase::Compute => {
                if let Some(forgot) = self.generator.advance()? {
                    self.forgot(forgot);
                }
                self.phase = Phase::Ready;
            }
            Phase::Ready => {
                let values = self.values();
                match self.withheld(&values) {
                    Some(left) => return Ok(self.wait(left.min(LOOK))),
                    None => self.release(&values)?,
                }
            }
            Phase::Rest(since) => {
                let rest = Duration::from_secs_f32(self.values().get(ParamId::Rest));
                match rest.checked_sub(since.elapsed()) {
                    Some(left) if !left.is_zero() => return Ok(self.wait(left.min(LOOK))),
                    _ => self.phase = Phase::Begin,
                }
            }
            Phase::Fault(until) => {
                self.values();
                match until.checked_duration_since(Instant::now()) {
                    Some(left) if !left.is_zero() => return Ok(self.wait(left.min(LOOK))),
                    _ => self.recover()?,
                }
            }
        }
        Ok(true)
    }

    /// Waits for a command and obeys it; false if nobody can send one any more.
    fn wait(&mut self, timeout: Duration) -> bool {
        match self.commands.recv_timeout(timeout) {
            Ok(command) => self.obey(command),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return !self.shutdown.wait(timeout),
        }
        true
    }

    fn obey(&mut self, command: Command) {
        let held = self.generator.held().is_some();
        self.carry_out(command);
        if held && self.generator.held().is_none() {
            self.bus.emit(Event::Loop { period: 0 });
        }
    }

    /// Makes the patch's order and words ready for this model, and says what of them does nothing.
    fn take_plan(&mut self, say: bool) {
        let (plan, warnings) = self.generator.model().plan(&self.sampler);
        self.generator.set_plan(plan);
        for text in warnings.into_iter().filter(|_| say) {
            self.bus.emit(Event::Notice { text });
        }
    }

    /// A model that is gone comes back first.
    fn begin_soon(&mut self) {
        if !matches!(self.phase, Phase::Fault(_)) {
            self.phase = Phase::Begin;
        }
    }

    fn begin(&mut self) -> Result<(), ModelError> {
        let Some((name, template)) = self.prompt.clone() else {
            self.phase = Phase::Idle;
            return Ok(());
        };
        let text = self.fill(&template);
        let Reading { tokens, forgot } = match std::mem::take(&mut self.again) {
            true => self.generator.ask_again(&text)?,
            false => self.generator.prompt(&text)?,
        };
        self.bus.emit(Event::Prompt { name, text, tokens });
        self.tell_begun();
        if let Some(forgot) = forgot {
            self.forgot(forgot);
        }
        self.phase = Phase::Read;
        Ok(())
    }

    /// A text with its slots filled.
    fn fill(&mut self, template: &Template) -> String {
        self.modulation.fill(template, &self.params, self.bus.clock().now_ns())
    }

    /// Brings the next part of the model into memory, so that the first word does not wait for the disk.
    fn load(&mut self) -> Result<(), ModelError> {
        let total = self.generator.model().mapped_bytes();
        // What is read in a few milliseconds anyway needs no bar.
        let told = total >= TOLD_BYTES;
        if told && self.loaded == 0 {
            self.bus.emit(Event::Load { done: 0, total });
        }
        self.loaded = self.generator.model().touch(self.loaded, LOAD_BYTES);
        if told && self.loaded >= total {
            self.generator.warm_up()?;
        }
        if told {
            self.bus.emit(Event::Load { done: self.loaded.min(total), total });
        }
        Ok(())
    }

    fn notice(&self, text: &str) {
        self.bus.emit(Event::Notice { text: text.to_string() });
    }

    fn forgot(&self, Forgot { tokens, kept, text }: Forgot) {
        self.bus.emit(Event::Forget { tokens, kept, text });
    }

    fn rewound(&mut self, Rewound { to, text }: Rewound) {
        self.bus.emit(Event::Rewind { to, text });
        self.go_on();
    }

    fn branched(&mut self, branched: Option<Branched>, otherwise: &str) {
        let Some(Branched { rewound, instead_of, taken }) = branched else { return self.notice(otherwise) };
        let index = rewound.to;
        self.rewound(rewound);
        self.bus.emit(Event::Branch { index, instead_of, taken });
    }

    /// The piece stands somewhere else: what may come next is asked for anew.
    fn go_on(&mut self) {
        self.phase = Phase::Compute;
        self.beat.restart(self.now_ns());
    }

    /// The piece is over: what waits begins, but for the beat.
    fn rest(&mut self) {
        self.phase = Phase::Rest(Instant::now());
        if self.waiting.as_ref().is_some_and(|waiting| waiting.when != When::Beat) {
            self.begin_waiting();
        }
    }

    /// The parameters at this moment.
    fn values(&mut self) -> ParamValues {
        self.modulation.values(&self.params, self.bus.clock().now_ns())
    }

    fn now_ns(&self) -> u64 {
        self.bus.clock().now_ns()
    }

    /// How long the token must still wait: for the pedal, for its time in the pace, or for a line of the grid.
    fn withheld(&mut self, values: &ParamValues) -> Option<Duration> {
        if values.get(ParamId::Hold) >= 0.5 {
            self.beat.hold();
            return Some(LOOK);
        }
        self.beat.left(values, self.modulation.timeline(), self.now_ns())
    }

    fn release(&mut self, values: &ParamValues) -> Result<(), ModelError> {
        let held = self.generator.held();
        let began_ns = self.now_ns();
        let step = self.generator.draw(values)?;
        let drawn_ns = self.now_ns();
        // On a grid drawing begins before the line, by the time that it takes, which is up to milliseconds.
        if let Some(left) = self.beat.drew(drawn_ns - began_ns, drawn_ns) {
            std::thread::sleep(left);
        }
        if self.generator.held() != held {
            self.bus.emit(Event::Loop { period: self.generator.held().unwrap_or(0) });
        }
        self.beat.released(values, self.now_ns());
        self.phase = Phase::Compute;
        match step {
            Step::Token { token, flaws } => {
                let begins = self.waiting.as_ref().is_some_and(|waiting| waiting.begins_after(&token.text));
                self.bus.emit(Event::Token(token));
                for flaw in flaws {
                    self.bus.emit(Event::Flaw(flaw));
                }
                self.faults = 0;
                if begins {
                    self.begin_waiting();
                }
            }
            Step::Forget(forgot) => self.forgot(forgot),
            Step::PieceEnd { tokens, flaw } => {
                if let Some(flaw) = flaw {
                    self.bus.emit(Event::Flaw(flaw));
                }
                self.bus.emit(Event::PieceEnd { tokens });
                self.rest();
            }
        }
        Ok(())
    }
}
