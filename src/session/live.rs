//! A live performance: brings everything up, runs the stage, and takes everything down in order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use crossbeam_channel::RecvTimeoutError;

use super::hands::{self, Hands};
use super::midi_out::Synths;
use super::network::Network;
use super::pictures::Pictures;
use super::samples;
use super::shade;
use super::sound::{self, Sound};
use super::stage::{self, Stage};
use super::tuning;
use super::{Record, SoundOptions, StageChoice, View};
use crate::journal::{Folder, Header, Recorder};
use crate::machine::{self, Monitor};
use crate::model::fit::Fit;
use crate::model::{Model, Source, Worker, WorkerOptions, library};
use crate::patch::{self, Patch};
use crate::score::{Bus, Clock, Event, Hand, ParamId, Params, Policy, Shutdown, Spectrum};
use crate::visuals::shader;

/// Events that the journal may be behind before the recording ends.
const JOURNAL_QUEUE: usize = 1 << 18;
/// How long the hands may take to come to an end.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the machine is looked at.
const MACHINE_EVERY: Duration = Duration::from_millis(200);

/// What `xiao play` was asked for.
pub struct Options {
    /// A patch file or the name of one.
    pub patch: String,
    pub model: Option<Source>,
    /// The scene of the patch's plan to begin with; `None`: the first.
    pub scene: Option<String>,
    /// Tokens that the model holds in mind; `None`: as many as is usual.
    pub context: Option<usize>,
    /// Load what does not seem to fit into memory.
    pub force: bool,
    /// Plain text whatever the patch says of conversations, and what the model is told before everything else.
    pub raw: bool,
    pub system: Option<String>,
    pub stage: Option<StageChoice>,
    pub view: View,
    /// The display that the window fills: its number, or a part of its name.
    pub display: Option<String>,
    pub sound: SoundOptions,
    pub seconds: Option<Duration>,
    pub seed: Option<u64>,
    pub record: Record,
    /// Parameters from the command line; they go before the patch's.
    pub set: Vec<(ParamId, f32)>,
    /// Control over the network; it goes before the patch's.
    pub osc: patch::OscWish,
}

/// Plays until the end is asked for.
///
/// # Errors
/// Whatever is wrong before the show begins: patch, shader, model, folder, a stage or device that was asked for by name.
/// Once it plays, faults are events.
pub fn play(options: Options) -> anyhow::Result<()> {
    let found = patch::find(&options.patch)?;
    let mut patch = patch::parse(&found.file, &found.text)?;
    patch.chat.take(options.raw, options.system.as_deref());
    let patch = patch;
    let scene = options.scene.as_deref().map_or(Ok(0), |name| patch.plan.find(name));
    let scene = scene.map_err(|why| anyhow::anyhow!("{}: {why}", found.file))?;
    let shader_folders = shader_folders(found.path.as_deref());
    let shade = shade::find(&patch.shader, &shader_folders).map_err(|why| anyhow::anyhow!("{}: {why}", found.file))?;
    let source = options.model.map_or_else(|| source(&patch, found.path.as_deref()), Ok)?;
    // SAFETY: nothing has started a thread yet; the graphics and sound libraries, which do, come after.
    unsafe { crate::model::limit_threads(&source) };
    let (choice, stage_notice) = stage::choose(options.stage, options.view, options.display.as_deref())?;
    let sound_plan = sound::Plan::make(&options.sound)?;
    Fit::read(&source, options.context)?.check(options.force)?;
    let hash_later = source.bytes()? > HASHED_AT_ONCE;
    let (model, sha256) = load(&source, options.context, hash_later)?;
    let started = jiff::Zoned::now();
    let folder = match &options.record {
        Record::Off => None,
        Record::Dated => Some(Folder::create(None, &started)?),
        Record::Into(folder) => Some(Folder::create(Some(folder), &started)?),
    };
    let seed = options.seed.unwrap_or_else(new_seed);

    let shutdown = Shutdown::default();
    end_on_signals(&shutdown)?;
    crate::model::silence_worker_panics();
    let bus = Bus::new(Clock::live());
    let recorder = match &folder {
        Some(folder) => {
            folder.write_patch(&found.text)?;
            let events = bus.subscribe("journal", Policy::Whole, JOURNAL_QUEUE);
            Some(Recorder::spawn(
                folder,
                &Header::new(&started, &machine::host().to_string(), &found.file),
                events,
                bus.clone(),
            )?)
        }
        None => None,
    };
    let (keys_to, keys) = crossbeam_channel::bounded(256);
    let spectrum = Spectrum::default();
    let stage = Stage::new(choice, &bus, keys_to, &shutdown, &patch.title, &spectrum).beside(options.view);
    let pictures = Pictures::new(folder.as_ref().map(Folder::path));
    let view = choice == StageChoice::Window && options.view == View::Window;
    let windows = stage::Windows { view, display: options.display, pictures: pictures.clone() };
    let stage = stage.live().windows(windows);
    bus.emit(Event::Begin {
        xiao: env!("CARGO_PKG_VERSION").into(),
        title: patch.title.clone(),
        model: source.name(),
        sha256,
        seed,
    });
    bus.emit(Event::Card { text: model.info().plate() });
    bus.emit(Event::Patch { name: found.file.clone(), text: found.text.clone() });
    bus.emit(shade.event());
    let folder_path = folder.as_ref().map(Folder::path);
    let (sound, sound_notice) = Sound::start(sound_plan, folder_path, &bus, seed, patch.matrix.clone(), &spectrum)?;
    if let Some(sound) = &sound {
        bus.emit(sound.event());
    }
    let tuning = tuning::read(&patch, found.path.as_deref());
    bus.emit(tuning.clone().unwrap_or_else(tuning::fault));
    for (event, given) in super::hands::morph(&patch).into_iter().zip(&patch.morph) {
        if !given.is_empty() {
            bus.emit(event);
        }
    }
    let params = Arc::new(Params::default());
    // What stands later goes before: the wishes of the model's file and of the shader's, the patch, the command line.
    let (wishes, inputs) = (model.sampling().params.clone(), shade.defaults());
    let from_model = wishes.iter().map(|p| (p, Hand::Model));
    let from_patch = inputs.iter().chain(&patch.params).map(|p| (p, Hand::Patch));
    for ((id, value), by) in from_model.chain(from_patch).chain(options.set.iter().map(|p| (p, Hand::CommandLine))) {
        let value = params.set(*id, *value);
        bus.emit(Event::Param { id: *id, value, by });
    }
    for notice in shade.notices() {
        bus.emit(notice);
    }
    for text in stage_notice.into_iter().chain(sound_notice).chain(model.warnings().to_vec()) {
        bus.emit(Event::Notice { text });
    }
    if hash_later {
        hash_beside(source.clone(), &bus)?;
    }

    let monitor = Monitor::spawn(bus.clone(), shutdown.clone(), MACHINE_EVERY)
        .context("no thread for the machine's sensors could be started")?;
    let worker = Worker::spawn(WorkerOptions {
        model,
        source,
        params: params.clone(),
        matrix: patch.matrix.clone(),
        sampler: patch.sampler.clone(),
        chat: patch.chat.clone(),
        bus: bus.clone(),
        seed,
        shutdown: shutdown.clone(),
    })
    .context("no thread for the model could be started")?;
    let synths = Synths::start(&bus, &params, &patch.listeners());
    let network = Network::start(&bus, &params, options.osc, &patch);
    let hands = Hands {
        bus: bus.clone(),
        params,
        worker: worker.commands(),
        keys,
        pictures,
        shutdown: shutdown.clone(),
        sound,
        synths,
        network,
        tuning: tuning.unwrap_or_else(|_| tuning::usual()),
        patch,
        source: hands::Source { name: options.patch, text: found.text.clone() },
        scene,
        raw: options.raw,
        system: options.system,
        patch_file: found.path.as_deref().map(|path| patch::Watch::new(path, &found.text)),
        shader: shader::Watch::new(&shade.shader.name, &shader_folders),
        inputs: shade.program.inputs.clone(),
        shader_folders,
    };
    let (hands_done, hands_ended) = crossbeam_channel::bounded(1);
    let hands_shutdown = shutdown.clone();
    std::thread::Builder::new()
        .name("xiao-hands".into())
        .spawn(move || {
            let _ends = EndsShow(hands_shutdown);
            let _ = hands_done.send(hands.run());
        })
        .context("no thread for the hands could be started")?;
    if let Some(seconds) = options.seconds {
        end_after(seconds, &shutdown)?;
    }

    // A stage that panics has given its screen back; what it leaves behind is still taken down in order.
    let shown = catch_unwind(AssertUnwindSafe(|| stage.run()))
        .unwrap_or_else(|_| Err(anyhow::anyhow!("the stage failed; the recording is whole up to here")));
    shutdown.request(if shown.is_ok() { "the stage was closed" } else { "the stage failed" });
    // The voices of the model fall silent first, the journal last: it keeps what the others say on their way out.
    worker.join();
    monitor.join();
    // A sound or MIDI server that hangs may hold the hands for ever; the recording is closed all the same.
    let sound = match hands_ended.recv_timeout(PATIENCE) {
        Ok(sound) => sound,
        Err(why) => {
            super::remark(match why {
                RecvTimeoutError::Timeout => {
                    "the sound or MIDI system does not answer; the recorded sound may be cut short"
                }
                RecvTimeoutError::Disconnected => "the hands' thread failed; the recorded sound may be cut short",
            });
            None
        }
    };
    bus.emit(Event::End { reason: shutdown.reason().unwrap_or_default() });
    if let Some(sound) = sound
        && let Err(error) = sound.close(&bus, true)
    {
        super::remark(&format!("the sound is not whole: {error:#}"));
    }
    bus.close();
    if let (Some(recorder), Some(folder)) = (recorder, &folder) {
        match recorder.join() {
            Ok(summary) => {
                super::remark(&format!("recorded in {} ({} events)", folder.path().display(), summary.events));
            }
            Err(error) => super::remark(&format!("the recording in {} is not whole: {error}", folder.path().display())),
        }
    }
    for (name, dropped, _) in bus.losses() {
        if dropped > 0 {
            super::remark(&format!("{dropped} events were lost on their way to the {name}"));
        }
    }
    shown
}

/// Asks for the end of the show when the thread that holds it panics.
struct EndsShow(Shutdown);

impl Drop for EndsShow {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.request("the hands' thread failed");
        }
    }
}

/// Ends the performance after a time, on a thread that nothing can hold up.
fn end_after(time: Duration, shutdown: &Shutdown) -> anyhow::Result<()> {
    let shutdown = shutdown.clone();
    let wait = move || {
        if !shutdown.wait(time) {
            shutdown.request("the time was up");
        }
    };
    std::thread::Builder::new().name("xiao-timer".into()).spawn(wait).context("no thread for the timer")?;
    Ok(())
}

/// What `xiao check` looks for beyond the patch itself: the files that it names.
///
/// # Errors
/// The shader or the model is not there, or tuning or samples cannot be played.
pub fn check_files(patch: &Patch, patch_file: Option<&Path>) -> anyhow::Result<()> {
    let shaders = std::iter::once(&patch.shader).chain(patch.plan.scenes.iter().filter_map(|s| s.shader.as_ref()));
    for name in shaders {
        shade::find(name, &shader_folders(patch_file)).map_err(anyhow::Error::msg)?;
    }
    tuning::read(patch, patch_file).map_err(anyhow::Error::msg)?;
    crate::model::Info::read(&source(patch, patch_file)?)?;
    samples::check(patch, patch_file)
}

/// The patch's model: a file, looked for beside the patch first, a name of `xiao models`, or the one inside xiao.
fn source(patch: &Patch, patch_file: Option<&Path>) -> anyhow::Result<Source> {
    let Some(model) = patch.model.as_deref().filter(|model| !model.is_empty()) else { return Ok(Source::Embedded) };
    let beside = patch_file.and_then(|p| p.parent()).map(|folder| folder.join(model));
    match beside.filter(|path| model != "embedded" && path.exists()) {
        Some(path) => Ok(Source::File(path)),
        None => Ok(library::find(model)?),
    }
}

/// A model up to this size is hashed before the show, which takes a few hundredths of a second.
const HASHED_AT_ONCE: u64 = 64 << 20;

/// Loads the model, and hashes it unless that is to be done later.
fn load(source: &Source, context: Option<usize>, hash_later: bool) -> anyhow::Result<(Model, String)> {
    let sha256 = if hash_later { String::new() } else { source.sha256()? };
    Ok((Model::load_with_context(source, context)?, sha256))
}

/// Hashes a large model while it plays already. Reading it brings it into memory besides.
fn hash_beside(source: Source, bus: &Bus) -> anyhow::Result<()> {
    let bus = bus.clone();
    let hash = move || {
        bus.emit(match source.sha256() {
            Ok(sha256) => Event::Hashed { sha256 },
            Err(problem) => Event::Notice { text: problem.to_string() },
        });
    };
    std::thread::Builder::new().name("xiao-hash".into()).spawn(hash).context("no thread to hash the model")?;
    Ok(())
}

/// Where shaders are looked for: `shaders/` beside the patch, above it, and in the working folder.
fn shader_folders(patch: Option<&Path>) -> Vec<PathBuf> {
    let beside = patch.and_then(|p| p.parent()).map(|p| p.to_path_buf());
    let above = beside.as_deref().and_then(|p| p.parent()).map(|p| p.join("shaders"));
    let mut folders: Vec<PathBuf> = beside.map(|p| p.join("shaders")).into_iter().chain(above).collect();
    if !folders.iter().any(|f| f == Path::new("shaders")) {
        folders.push("shaders".into());
    }
    folders
}

/// A seed for a performance that asked for none, small enough to be read out and typed again.
fn new_seed() -> u64 {
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
    (nanos ^ u64::from(std::process::id()).rotate_left(17)) % 1_000_000
}

/// Ctrl-C and a request to terminate end the performance in order; the second one ends it at once.
pub(super) fn end_on_signals(shutdown: &Shutdown) -> anyhow::Result<()> {
    let shutdown = shutdown.clone();
    let ask = move || {
        // Asked twice: something hangs, and the performer wants out.
        if shutdown.requested() {
            crate::terminal::give_back();
            super::scrap::clear();
            std::process::exit(130);
        }
        shutdown.request("a signal asked for the end");
    };
    ctrlc::set_handler(ask).context("signals cannot be listened to")
}
