//! A frame that fails ends the windows and nothing else.
//!
//! A graphics device that goes in the middle of a frame makes one of bevy's systems panic (a buffer of a lost device cannot
//! be mapped). That panic would drop the whole render world; at that wgpu panics in turn, since a frame is still held, and
//! two panics at once end the process. So it is caught right round the frame, and the render world is never dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use bevy::app::{App, AppExit, Plugin, Update};
use bevy::ecs::schedule::{InternedScheduleLabel, Schedule, ScheduleLabel};
use bevy::prelude::{IntoScheduleConfigs, MessageWriter, Res, Resource, World, resource_exists};
use bevy::render::RenderApp;

use super::{Show, hush};

/// A frame has failed.
static FAILED: AtomicBool = AtomicBool::new(false);
/// Stands round the render world's own schedule.
pub struct Guard;

/// The schedule that the render world runs in the place of its own.
#[derive(ScheduleLabel, Clone, Debug, PartialEq, Eq, Hash)]
struct Guarded;

/// What it runs within.
#[derive(Resource)]
struct Within(InternedScheduleLabel);

impl Plugin for Guard {
    fn build(&self, app: &mut App) {
        FAILED.store(false, Ordering::Relaxed);
        app.add_systems(Update, leave.run_if(resource_exists::<Show>));
    }

    /// Once every plugin was built, and before the render world goes to its own thread.
    fn finish(&self, app: &mut App) {
        let Some(render) = app.get_sub_app_mut(RenderApp) else { return };
        if let Some(schedule) = render.update_schedule.replace(Guarded.intern()) {
            render.insert_resource(Within(schedule));
            render.add_systems(Guarded, frame);
        }
        if let Some(mut extract) = render.take_extract() {
            let mut gone = false;
            render.set_extract(move |main, render| {
                // Nothing is handed to a render world that has failed: it may be short of what it needs.
                if !FAILED.load(Ordering::Relaxed) {
                    extract(main, render);
                }
                if FAILED.load(Ordering::Relaxed) && !std::mem::replace(&mut gone, true) {
                    abandon(render);
                }
            });
        }
    }
}

/// One frame; none any more once one has failed.
fn frame(world: &mut World) {
    if FAILED.load(Ordering::Relaxed) {
        return;
    }
    let schedule = world.resource::<Within>().0;
    if catch_unwind(AssertUnwindSafe(|| world.run_schedule(schedule))).is_err() {
        FAILED.store(true, Ordering::Relaxed);
    }
}

/// Lets a render world be that has failed, with all that lies on the graphics device: to drop it would panic, and that more
/// than once. An empty one takes its place.
fn abandon(render: &mut World) {
    std::mem::forget(std::mem::take(render));
    render.add_schedule(Schedule::new(Guarded));
}

/// The device is lost, as bevy has found out between two frames.
pub fn device_is_lost() {
    FAILED.store(true, Ordering::Relaxed);
}

/// Ends the windows when a frame has failed.
fn leave(show: Res<Show>, mut exit: MessageWriter<AppExit>) {
    if FAILED.load(Ordering::Relaxed) {
        let what = "a frame could not be drawn, the graphics device may be lost".into();
        show.end(Err(super::plain(what, hush::said())));
        exit.write(AppExit::error());
    }
}
