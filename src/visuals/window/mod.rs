//! The window: nannou opens it, hands over its frames and brings the keys; the renderer is the stage's own. Beside it,
//! where that is asked for, a second window for the performer.
//!
//! Blocks the main thread from [`run`] until shutdown is asked for or the stage is closed, then returns, so that the
//! session can join its threads. Nannou runs bevy below it, whose render thread calls `render`; everything of ours
//! that is drawn lies behind one lock. A process can open windows once in its life (winit's event loop cannot be made
//! twice): what fails comes back as an error, and the session goes on with another stage.

mod awake;
mod drawing;
mod guard;
mod hush;
mod ime;
mod keys;
mod picture;
mod place;
mod xlib;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use bevy::app::AppExit;
use bevy::core_pipeline::tonemapping::{DebandDither, Tonemapping};
use bevy::prelude::{Commands, Entity, IntoScheduleConfigs, Query, Res, Resource, Update, With};
use bevy::render::error_handler::{RenderErrorHandler, RenderErrorPolicy};
use bevy::render::sync_world::RenderEntity;
use bevy::render::view::Msaa;
use bevy::window::PresentMode;
use crossbeam_channel::Sender;
use nannou::prelude::{App, ClearColorConfig, Draw, Frame, RenderApp, SetCamera, UpdateMode, UpdateModeExt};

use drawing::Target;
use ime::Composing;
use picture::Pending;

use super::desk::Follower;
use super::{FrameState, VisualsError};
use crate::desk::State as Desk;
use crate::score::{Bus, Clock, Event, HelpPage, Queue, Shutdown, Stamped, Stroke};

pub use super::displays::{adapters as displays, display_available};

/// Frames per second where the processor draws: the model needs the rest of it.
const SOFTWARE_RATE_HZ: f64 = 15.0;

/// So long the end waits for pictures that were asked for.
const PICTURES_TAKE: Duration = Duration::from_secs(2);

/// What the window needs of the session.
pub struct WindowOptions {
    pub title: String,
    /// The events to show.
    pub events: Queue,
    /// The performance's clock: what time a frame shows.
    pub clock: Clock,
    /// Where keys go. `f` and F11 stay here: full screen.
    pub keys: Sender<Stroke>,
    pub shutdown: Shutdown,
    /// Where it says what happens to it.
    pub bus: Bus,
    /// Not a replay, whose journal has the shaders that failed already and whose pictures were taken.
    pub live: bool,
    /// The pages of the help overlay.
    pub help: Vec<HelpPage>,
    /// The sound as it leaves the engine.
    pub spectrum: crate::score::Spectrum,
    /// Whether the performer has a window too.
    pub view: bool,
    /// Whether the performer reads a page elsewhere, in the terminal.
    pub read_beside: Box<dyn Fn() -> bool + Send>,
    /// The display that the stage fills: its number, or a part of its name.
    pub display: Option<String>,
    /// The folder that pictures are named from.
    pub pictures: PathBuf,
}

/// Opens the window and shows the events until the end. Returns when shutdown was asked for; closing the stage asks
/// for it. An error leaves the shutdown alone, so that the session can go on with another stage; `desk` and `follower`
/// hold then all that the events have said, for that stage to begin with.
pub fn run(options: WindowOptions, desk: &mut Desk, follower: &mut Follower) -> Result<(), VisualsError> {
    // Asked first, since nannou panics where there is none.
    super::displays::display().map_err(VisualsError::window)?;
    let software = super::displays::adapter()?.get_info().device_type == wgpu::DeviceType::Cpu;
    // Bevy's log goes to standard error, which belongs to the performer. Ours to take first: then its own try fails,
    // and says so into the silence.
    let _ = bevy::log::tracing::subscriber::set_global_default(bevy::log::tracing::subscriber::NoSubscriber::new());

    let shutdown = options.shutdown.clone();
    let _hush = hush::Hush::begin();
    let _awake = awake::Awake::hold(options.bus.clone());
    let mut state = FrameState::new();
    state.set_help(options.help.clone());
    let pending = Pending::default();
    let target = Target::new(pending.clone());
    let bus = options.bus.clone();
    let kept = Arc::new(Mutex::new(Kept { state, desk: std::mem::take(desk) }));
    let inner = Inner {
        options,
        software,
        kept: kept.clone(),
        cameras: Cameras::default(),
        composing: Composing::default(),
        target,
        queue: None,
        events: Vec::new(),
        ends: None,
    };
    *lock(&OPENING) = Some(Stage(Arc::new(Mutex::new(inner))));
    lock(&ENDED).take();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        nannou::app(model).update(update).render(render).add_plugin(systems).run();
    }));
    lock(&OPENING).take();
    pending.finish(PICTURES_TAKE, &bus);
    {
        let mut kept = lock(&kept);
        *desk = std::mem::take(&mut kept.desk);
        *follower = Follower::of(std::mem::take(&mut kept.state));
    }
    let why = lock(&ENDED).take();
    match (ended, why) {
        (_, Some(Err(why))) => Err(why),
        (Ok(()), Some(Ok(()))) => {
            shutdown.request("window closed");
            Ok(())
        }
        (Ok(()), None) if shutdown.requested() => Ok(()),
        (Ok(()), None) => Err(VisualsError::window("it ended by itself")),
        // On its way out already: there is nothing left to save.
        (Err(_), Some(Ok(()))) => {
            shutdown.request("window closed");
            Ok(())
        }
        (Err(_), None) => Err(plain("it ended without a word".into(), hush::said())),
    }
}

/// What the audience may read of it; how a driver or a library puts it stands apart.
fn plain(what: String, driver: Option<String>) -> VisualsError {
    let gone = xlib::is_lost() || driver.as_deref().is_some_and(|said| said.contains("IoError"));
    VisualsError::Window { what: if gone { "the X server is gone".into() } else { what }, driver }
}

/// Nannou takes plain functions, so what they need waits here from [`run`] to [`model`].
static OPENING: Mutex<Option<Stage>> = Mutex::new(None);
/// Why the windows ended, where it was not the shutdown: closed by hand, or what failed.
static ENDED: Mutex<Option<Result<(), VisualsError>>> = Mutex::new(None);

/// Nannou's model: cloned for the render thread each frame.
#[derive(Clone)]
struct Stage(Arc<Mutex<Inner>>);

struct Inner {
    options: WindowOptions,
    software: bool,
    kept: Arc<Mutex<Kept>>,
    cameras: Cameras,
    composing: Composing,
    target: Target,
    queue: Option<wgpu::Queue>,
    events: Vec<Arc<Stamped>>,
    /// When the windows close at the latest, once the end was asked for.
    ends: Option<Instant>,
}

/// What follows from the events, and outlives the windows: nothing in it belongs to the graphics device, which must go
/// with them.
struct Kept {
    state: FrameState,
    /// What the performer's window shows; without one it follows all the same, for the stage that takes the place of
    /// this.
    desk: Desk,
}

/// The cameras of the stage and of the view as the render thread calls them, which has entities of its own.
type Cameras = Arc<Mutex<[Option<Entity>; 2]>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

/// The windows as bevy's systems know them.
#[derive(Resource)]
struct Show {
    stage: Entity,
    camera: Entity,
    /// The performer's window and its camera.
    view: Option<(Entity, Entity)>,
    cameras: Cameras,
    composing: Composing,
    keys: Sender<Stroke>,
    bus: Bus,
    display: Option<String>,
}

impl Show {
    fn notice(&self, text: String) {
        self.bus.emit(Event::Notice { text });
    }

    /// The first reason is the one that counts.
    fn end(&self, why: Result<(), VisualsError>) {
        lock(&ENDED).get_or_insert(why);
    }
}

#[cfg(test)]
impl Show {
    /// A stage that is to be on a display, and nothing else.
    fn of(stage: Entity, display: &str) -> Show {
        Show {
            stage,
            camera: stage,
            view: None,
            cameras: Cameras::default(),
            composing: Composing::default(),
            keys: crossbeam_channel::bounded(1).0,
            bus: Bus::new(Clock::at_rest()),
            display: Some(display.to_string()),
        }
    }
}

/// A camera that changes no colour: no tone mapping, no multisampling, no dithering.
fn camera(app: &App) -> Entity {
    let camera = app.new_camera().tonemapping(Tonemapping::None).clear_color(ClearColorConfig::None).build();
    app.command_scope(|mut commands| {
        commands.entity(camera).insert((Msaa::Off, DebandDither::Disabled));
    });
    camera
}

/// Opens the windows.
fn model(app: &App) -> Stage {
    let stage = lock(&OPENING).take().expect("run puts the stage there before nannou starts");
    let mut inner = lock(&stage.0);
    let title = inner.options.title.clone();
    let open = |camera, title: String, width, height| {
        app.new_window::<Stage>().camera(camera).title(title).size(width, height).present_mode(PresentMode::Fifo)
    };
    let stages = camera(app);
    let window = open(stages, title.clone(), 1280, 720).primary().build();
    let view = inner.options.view.then(|| {
        let camera = camera(app);
        (open(camera, format!("{title} — view"), 1280, 800).build(), camera)
    });
    inner.queue = Some(app.window(window).queue().clone());
    // Also when another window has the focus: the performer may be typing elsewhere, the audience is looking here.
    app.set_update_mode(if inner.software { UpdateMode::rate(SOFTWARE_RATE_HZ) } else { UpdateMode::Continuous });
    let show = Show {
        stage: window,
        camera: stages,
        view,
        cameras: inner.cameras.clone(),
        composing: inner.composing.clone(),
        keys: inner.options.keys.clone(),
        bus: inner.options.bus.clone(),
        display: inner.options.display.clone(),
    };
    app.command_scope(move |mut commands| commands.insert_resource(show));
    drop(inner);
    stage
}

/// The main thread's part of each frame: takes in the events.
fn update(app: &App, stage: &mut Stage) {
    let mut guard = lock(&stage.0);
    let inner = &mut *guard;
    let mut kept = lock(&inner.kept);
    // Here and not with the drawing: a window that is hidden gets no frames, and its queue must not fill.
    inner.options.events.drain(&mut inner.events);
    let read = (inner.options.view && lock(&inner.cameras)[1].is_some()) || (inner.options.read_beside)();
    for event in inner.events.drain(..) {
        // What was typed in a recording was nobody's to read.
        let of_then = !inner.options.live && matches!(event.event, Event::Typing { on: true, .. });
        if is_for_stage(&event.event, read) && !of_then {
            kept.state.apply(&event);
        }
        kept.desk.take(&event);
        if let (Event::Picture { file }, true) = (&event.event, inner.options.live) {
            let path = inner.options.pictures.join(file);
            inner.target.pictures.push(inner.target.pending.ask(path, &inner.options.bus));
        }
    }
    let composed = inner.composing.follow(inner.options.live && kept.desk.typing.is_some());
    let Kept { state, desk } = &mut *kept;
    for typing in desk.typing.iter_mut().chain(state.typing_mut()) {
        typing.composed.clone_from(&composed);
    }
    kept.desk.tick(inner.options.clock.now_ns());
    if inner.options.view {
        kept.desk.losses = inner.options.bus.losses();
    }
    // Only frames bring the pictures that were asked for, so they go on until these are there.
    if inner.options.shutdown.requested() {
        let now = Instant::now();
        let ends = *inner.ends.get_or_insert(now + PICTURES_TAKE);
        if inner.target.pending.is_empty() || now >= ends {
            app.quit();
        }
    }
}

/// The help and what is typed are on the audience's picture only where the performer has no page of their own for them.
fn is_for_stage(event: &Event, read_elsewhere: bool) -> bool {
    !(read_elsewhere && matches!(event, Event::Help { on: true, .. } | Event::Typing { on: true, .. }))
}

/// The render thread's part, for one window at a time: draws at the clock's present time.
fn render(_app: &RenderApp, stage: &Stage, frame: Frame) {
    let mut guard = lock(&stage.0);
    let inner = &mut *guard;
    // What nannou calls the frame's window is its camera.
    let [stage, view] = *lock(&inner.cameras);
    if stage == Some(frame.window_id()) {
        drawing::stage(inner, &frame);
    } else if view == Some(frame.window_id()) {
        drawing::view(inner, &frame);
    }
}

/// Looks the cameras up under their names in the render thread.
fn find_cameras(show: Res<Show>, names: Query<&RenderEntity>) {
    let name = |camera| names.get(camera).ok().map(RenderEntity::id);
    *lock(&show.cameras) = [name(show.camera), show.view.and_then(|(_, camera)| name(camera))];
}

/// What bevy does for us beside nannou.
fn systems(app: &mut bevy::app::App) {
    // A graphics device that is lost ends the windows with a reason, and the session shows the rest elsewhere.
    app.insert_resource(RenderErrorHandler(|error, main_world, _| {
        if let Some(show) = main_world.get_resource::<Show>() {
            let said = format!("{:?}: {}", error.ty, hush::one_line(&error.description));
            show.end(Err(plain("the graphics device is lost".into(), Some(said))));
        }
        main_world.write_message(AppExit::error());
        guard::device_is_lost();
        RenderErrorPolicy::StopRendering
    }));
    app.add_plugins(guard::Guard);
    app.add_observer(place::stand_alone);
    app.add_systems(Update, (xlib::survive, xlib::stay_on, no_drawing));
    let of_show = (
        find_cameras,
        (ime::compose, keys::press).chain(),
        place::follow_display,
        place::place_view,
        place::hide_cursor,
        place::close,
    );
    app.add_systems(Update, of_show.run_if(bevy::prelude::resource_exists::<Show>));
    #[cfg(debug_assertions)]
    app.add_systems(Update, lose_device);
}

/// Takes away nannou's own drawing, which is not used here and makes itself anew in each frame: what it prepares for the
/// graphics device it would never take back (nannou_draw 0.20, 2.5 kB a frame: 3 GB a day at 15 frames a second).
fn no_drawing(windows: Query<Entity, With<Draw>>, mut commands: Commands) {
    for window in windows {
        commands.entity(window).remove::<Draw>();
    }
}

/// For trials of what happens then: `XIAO_LOSE_DEVICE_S=5` destroys the graphics device after so many seconds. Only in
/// builds with debug assertions.
#[cfg(debug_assertions)]
fn lose_device(
    time: bevy::prelude::Res<bevy::prelude::Time>,
    device: bevy::prelude::Res<bevy::render::renderer::RenderDevice>,
    mut done: bevy::prelude::Local<bool>,
) {
    let after_s = std::env::var("XIAO_LOSE_DEVICE_S").ok().and_then(|s| s.parse::<f32>().ok());
    if !*done && after_s.is_some_and(|s| time.elapsed_secs() >= s) {
        *done = true;
        device.wgpu_device().destroy();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_is_the_performers_where_they_have_a_page() {
        let help = |on| Event::Help { on, page: 0 };
        assert!(is_for_stage(&help(true), false) && !is_for_stage(&help(true), true));
        assert!(is_for_stage(&help(false), true), "what was open before goes");
        let typing = |on| Event::Typing { on, text: String::new(), at: 0 };
        assert!(is_for_stage(&typing(true), false) && !is_for_stage(&typing(true), true));
        assert!(is_for_stage(&typing(false), true) && is_for_stage(&Event::Panic, true));
    }
}
