//! The window: nannou opens it, hands over its frames and brings the keys; the renderer is the stage's own.
//!
//! Blocks the main thread from [`run`] until shutdown is asked for or the window is closed, then returns, so that the
//! session can join its threads. Nannou runs bevy below it, whose render thread calls `render`; everything of ours
//! that is drawn lies behind one lock. A process can open one window in its life (winit's event loop cannot be made twice).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

use bevy::core_pipeline::tonemapping::{DebandDither, Tonemapping};
use bevy::input::ButtonState;
use bevy::input::keyboard::{Key as Logical, KeyboardInput};
use bevy::prelude::{IntoScheduleConfigs, KeyCode, Local, MessageReader, Query, Res, Update};
use bevy::render::view::Msaa;
use bevy::window::{MonitorSelection, PresentMode, Window, WindowMode};
use crossbeam_channel::Sender;
use nannou::prelude::{App, ClearColorConfig, Frame, RenderApp, SetCamera, UpdateMode, UpdateModeExt};

use super::{FrameState, Renderer, VisualsError};
use crate::score::{Bus, Clock, Event, HelpPage, Key, Queue, Shutdown, Stamped};

pub use super::displays::{adapters as displays, display_available};

/// Frames per second where the processor draws: the model needs the rest of it.
const SOFTWARE_RATE_HZ: f64 = 15.0;

/// What the window needs of the session.
pub struct WindowOptions {
    pub title: String,
    /// The events to show.
    pub events: Queue,
    /// The performance's clock: what time a frame shows.
    pub clock: Clock,
    /// Where pressed keys go. `f` and F11 stay here: full screen.
    pub keys: Sender<Key>,
    pub shutdown: Shutdown,
    /// Where a shader that failed is reported; `None` in a replay, whose journal has it already.
    pub bus: Option<Bus>,
    /// The pages of the help overlay.
    pub help: Vec<HelpPage>,
    /// The sound as it leaves the engine.
    pub spectrum: crate::score::Spectrum,
}

/// Opens the window and shows the events until the end. Returns when shutdown was asked for; closing the window asks
/// for it. An error leaves the shutdown alone, so that the session can go on with another stage.
pub fn run(options: WindowOptions) -> Result<(), VisualsError> {
    // Asked first, since nannou panics where there is none.
    super::displays::display().map_err(VisualsError::Window)?;
    let software = super::displays::adapter()?.get_info().device_type == wgpu::DeviceType::Cpu;
    // Bevy's log goes to standard error, which belongs to the performer. Ours to take first: then its own try fails,
    // and says so into the silence.
    let _ = bevy::log::tracing::subscriber::set_global_default(bevy::log::tracing::subscriber::NoSubscriber::new());

    let shutdown = options.shutdown.clone();
    let mut state = FrameState::new();
    state.set_help(options.help.clone());
    let inner = Inner { options, software, state, target: None, queue: None, events: Vec::new() };
    *lock(&OPENING) = Some(Stage(Arc::new(Mutex::new(inner))));
    let ended = catch_unwind(AssertUnwindSafe(|| {
        nannou::app(model).update(update).render(render).add_plugin(take_keys).run();
    }));
    lock(&OPENING).take();
    match ended {
        Ok(()) => {
            shutdown.request("window closed");
            Ok(())
        }
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            let line = text.and_then(|t| t.lines().next()).unwrap_or("it ended without a reason");
            Err(VisualsError::Window(line.to_string()))
        }
    }
}

/// Nannou takes plain functions, so what they need waits here from [`run`] to [`model`].
static OPENING: Mutex<Option<Stage>> = Mutex::new(None);

/// Nannou's model: cloned for the render thread each frame.
#[derive(Clone)]
struct Stage(Arc<Mutex<Inner>>);

struct Inner {
    options: WindowOptions,
    software: bool,
    state: FrameState,
    /// The renderer, and the format and samples it was made for.
    target: Option<(Renderer, wgpu::TextureFormat, u32)>,
    queue: Option<wgpu::Queue>,
    events: Vec<Arc<Stamped>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

/// Opens the window with a camera that changes no colour: no tone mapping, no multisampling, no dithering.
fn model(app: &App) -> Stage {
    let stage = lock(&OPENING).take().expect("run puts the stage there before nannou starts");
    let camera = app.new_camera().tonemapping(Tonemapping::None).clear_color(ClearColorConfig::None).build();
    app.command_scope(|mut commands| {
        commands.entity(camera).insert((Msaa::Off, DebandDither::Disabled));
    });
    let mut inner = lock(&stage.0);
    let window = app
        .new_window::<Stage>()
        .camera(camera)
        .primary()
        .title(inner.options.title.clone())
        .size(1280, 720)
        .present_mode(PresentMode::Fifo)
        .build();
    inner.queue = Some(app.window(window).queue().clone());
    // Also when another window has the focus: the performer may be typing elsewhere, the audience is looking here.
    app.set_update_mode(if inner.software { UpdateMode::rate(SOFTWARE_RATE_HZ) } else { UpdateMode::Continuous });
    let keys = Keys { keys: inner.options.keys.clone() };
    app.command_scope(move |mut commands| commands.insert_resource(keys));
    drop(inner);
    stage
}

/// The main thread's part of each frame: takes in the events.
fn update(app: &App, stage: &mut Stage) {
    let mut guard = lock(&stage.0);
    let inner = &mut *guard;
    if inner.options.shutdown.requested() {
        app.quit();
    }
    // Here and not with the drawing: a window that is hidden gets no frames, and its queue must not fill.
    inner.options.events.drain(&mut inner.events);
    for event in inner.events.drain(..) {
        inner.state.apply(&event);
    }
}

/// The render thread's part: draws at the clock's present time.
fn render(_app: &RenderApp, stage: &Stage, frame: Frame) {
    let mut guard = lock(&stage.0);
    let inner = &mut *guard;
    inner.state.hear(&inner.options.spectrum.read());
    inner.state.advance(inner.options.clock.now_ns());

    let Some(queue) = inner.queue.as_ref() else { return };
    let (format, samples) = (frame.texture_format(), frame.resolve_target_msaa_samples());
    if inner.target.as_ref().is_none_or(|(_, f, s)| (*f, *s) != (format, samples)) {
        inner.target =
            Some((Renderer::new(frame.device(), queue, format, samples, inner.software).watched(), format, samples));
    }
    let Some((renderer, ..)) = inner.target.as_mut() else { return };
    renderer.prepare(frame.device(), queue, frame.texture_size(), &inner.state);
    {
        let attachment = frame.color_attachment(wgpu::LoadOp::Clear(wgpu::Color::BLACK));
        let mut encoder = frame.command_encoder();
        renderer.encode(frame.device(), &mut encoder);
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("stage"),
            color_attachments: &[Some(attachment)],
            ..Default::default()
        });
        renderer.paint(&mut pass);
    }
    if let (Some(fault), Some(bus)) = (renderer.take_fault(), &inner.options.bus) {
        bus.emit(Event::Fault {
            place: format!("shader {} line {}", fault.name, fault.line),
            what: fault.message,
            remedy: "the last good one runs on".to_string(),
        });
    }
}

/// Where pressed keys go, as bevy's systems reach it.
#[derive(bevy::prelude::Resource)]
struct Keys {
    keys: Sender<Key>,
}

fn take_keys(app: &mut bevy::app::App) {
    app.add_systems(Update, press_keys.run_if(bevy::prelude::resource_exists::<Keys>));
}

/// Passes pressed keys on. A full channel loses the key rather than hold up the frame.
fn press_keys(
    mut pressed: MessageReader<KeyboardInput>,
    mut ctrl: Local<bool>,
    keys: Res<Keys>,
    mut windows: Query<&mut Window>,
) {
    for input in pressed.read() {
        let down = input.state == ButtonState::Pressed;
        // In the order of the events: within one slow frame Ctrl may have been pressed and let go again.
        if input.logical_key == Logical::Control {
            *ctrl = down;
        }
        if !down {
            continue;
        }
        let ctrl = *ctrl;
        if input.key_code == KeyCode::F11 || (input.logical_key == Logical::Character("f".into()) && !ctrl) {
            if let Ok(mut window) = windows.get_mut(input.window)
                && !input.repeat
            {
                window.mode = match window.mode {
                    WindowMode::Windowed => WindowMode::BorderlessFullscreen(MonitorSelection::Current),
                    _ => WindowMode::Windowed,
                };
            }
            continue;
        }
        if let Some(key) = key(&input.logical_key, ctrl) {
            let _ = keys.keys.try_send(key);
        }
    }
}

/// A key in the score's words; `None` for those that mean nothing here.
fn key(logical: &Logical, ctrl: bool) -> Option<Key> {
    Some(match logical {
        Logical::Character(text) => {
            let mut chars = text.chars();
            let (Some(c), None) = (chars.next(), chars.next()) else { return None };
            if ctrl { Key::Ctrl(c.to_ascii_lowercase()) } else { Key::Char(c) }
        }
        Logical::Space => Key::Char(' '),
        Logical::ArrowUp => Key::Up,
        Logical::ArrowDown => Key::Down,
        Logical::ArrowLeft => Key::Left,
        Logical::ArrowRight => Key::Right,
        Logical::PageUp => Key::PageUp,
        Logical::PageDown => Key::PageDown,
        Logical::Home => Key::Home,
        Logical::End => Key::End,
        Logical::Enter => Key::Enter,
        Logical::Escape => Key::Escape,
        Logical::Tab => Key::Tab,
        Logical::Backspace => Key::Backspace,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_scores_names() {
        assert_eq!(key(&Logical::Character("春".into()), false), Some(Key::Char('春')));
        assert_eq!(key(&Logical::Character("C".into()), true), Some(Key::Ctrl('c')));
        assert_eq!(key(&Logical::Space, false), Some(Key::Char(' ')));
        assert_eq!(key(&Logical::ArrowLeft, false), Some(Key::Left));
        assert_eq!(key(&Logical::Shift, false), None);
    }
}
