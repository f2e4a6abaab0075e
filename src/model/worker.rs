//! The generator on a thread of its own: commands in, events out.
//!
//! The thread owns the model. It looks at its commands, the shutdown and the parameters at least every few
//! milliseconds while it waits, and between any two chunks of a prompt or tokens while it computes. A panic or an error
//! becomes a fault event and the same prompt begins again a second later; no other thread notices more than silence.

mod facts;
mod modulation;
mod player;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, unbounded};

use super::{Model, Source};
use crate::patch::{self, Matrix, SamplerSpec, Template};
use crate::score::{Bus, Params, Policy, Shutdown, When};
use player::Player;

const NAME: &str = "xiao-worker";

/// What a worker needs.
pub struct WorkerOptions {
    pub model: Model,
    /// Where the model came from, to bring it back after a second fault.
    pub source: Source,
    pub params: Arc<Params>,
    pub matrix: Matrix,
    /// The patch's order of stages and words.
    pub sampler: SamplerSpec,
    pub chat: patch::Chat,
    pub bus: Bus,
    pub seed: u64,
    pub shutdown: Shutdown,
}

/// What the worker is asked to do. Slots in a text are filled when it begins.
#[derive(Clone, Debug)]
pub enum Command {
    /// Leaves the text so far and begins with this prompt, at once or when its moment has come. One that waits already
    /// gives way; chosen once more, it is taken back.
    Prompt { name: Option<String>, text: Template, when: When },
    /// Takes back the prompt that waits, if one does.
    Unqueue,
    /// Plays this prompt until it is let go; then the piece that it interrupted goes on as it was.
    Hold { name: String, text: Template },
    /// Lets the held prompt of this name go.
    LetGo(String),
    /// Puts words into the piece, as if they had been written.
    Layer { name: Option<String>, text: Template },
    /// Begins the present prompt again.
    Again,
    /// Takes back so many tokens.
    Rewind(u32),
    /// Takes back the last token and draws the likeliest of the others.
    Branch,
    /// The same where the piece last leapt.
    BranchAtLeap,
    /// Breaks out of a loop.
    Escape,
    /// Keeps the piece as it is.
    Snapshot(u8),
    /// Makes the piece what it was when kept.
    Restore(u8),
    /// Takes up a second prompt for `generator.blend`; an empty text leaves it.
    Blend { name: Option<String>, text: Template },
    /// Takes up a patch's matrix.
    Matrix(Matrix),
    /// Takes up a patch's order of stages and words.
    Sampler(SamplerSpec),
    /// Takes up how the model is spoken to, from the next prompt on.
    Chat(patch::Chat),
    /// Fails as an error in the generator would.
    Crash,
}

/// A handle on the thread.
pub struct Worker {
    commands: Sender<Command>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts the thread. It waits for its first [`Command::Prompt`].
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn spawn(options: WorkerOptions) -> std::io::Result<Worker> {
        let (commands, received) = unbounded();
        // Subscribed here, so that nothing emitted after `spawn` is missed.
        let heard = options.bus.subscribe("worker", Policy::Coalesce, 4096);
        let thread = std::thread::Builder::new().name(NAME.into()).spawn(move || {
            Player::new(options, received, heard.clone()).run();
            heard.close();
        })?;
        Ok(Worker { commands, thread })
    }

    /// Asks for something; false if the thread has ended.
    pub fn send(&self, command: Command) -> bool {
        self.commands.send(command).is_ok()
    }

    /// A way to ask from another thread.
    pub fn commands(&self) -> Sender<Command> {
        self.commands.clone()
    }

    /// Waits for the thread, which ends when the shutdown is requested.
    pub fn join(self) {
        drop(self.commands);
        // Panics are caught inside; one outside the catch has nothing left to say.
        let _ = self.thread.join();
    }
}

/// Whether the calling thread computes for the worker: a panic here is caught, performed and not fatal.
pub fn is_worker_thread() -> bool {
    std::thread::current().name().is_some_and(|name| name == NAME || name.starts_with("candle-bp"))
}

/// Keeps the worker's panics off the terminal, which belongs to the stage; those of other threads go on as before.
pub fn silence_worker_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !is_worker_thread() {
            before(info);
        }
    }));
}
