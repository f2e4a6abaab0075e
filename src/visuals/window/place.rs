//! Where the windows are: the display that was asked for, one that is unplugged, the cursor, and who closed what.
//!
//! Systems of bevy, on the main thread.

use bevy::app::AppExit;
use bevy::prelude::{
    Added, Commands, Entity, Has, Insert, Local, MessageReader, MessageWriter, On, Query, RemovedComponents, Res, Time,
    With,
};
use bevy::window::{
    CursorMoved, CursorOptions, Monitor, MonitorSelection, OnMonitor, PrimaryMonitor, Window, WindowCloseRequested,
    WindowMode, WindowPosition,
};

use super::Show;
use crate::visuals::VisualsError;
use crate::visuals::displays::{Display, choose};

/// So long without a movement, and the cursor over the stage is hidden.
const CURSOR_STAYS_S: f32 = 2.0;

/// Bevy takes the windows of a display that is unplugged away with it; so none is said to be on any.
pub fn stand_alone(on: On<Insert, OnMonitor>, mut commands: Commands) {
    commands.entity(on.entity).remove::<OnMonitor>();
}

fn describe(monitor: &Monitor, primary: bool) -> Display {
    Display {
        name: monitor.name.clone().unwrap_or_default(),
        width: monitor.physical_width,
        height: monitor.physical_height,
        x: monitor.physical_position.x,
        y: monitor.physical_position.y,
        primary,
    }
}

/// Brings the stage to the display that was asked for, when it is there or comes back; with one that is gone, the stage
/// goes on in a window.
pub fn follow_display(
    show: Res<Show>,
    added: Query<Entity, Added<Monitor>>,
    mut removed: RemovedComponents<Monitor>,
    monitors: Query<(Entity, &Monitor, Has<PrimaryMonitor>)>,
    mut windows: Query<&mut Window>,
    mut said: Local<bool>,
) {
    let gone: Vec<Entity> = removed.read().collect();
    let Ok(mut window) = windows.get_mut(show.stage) else { return };
    if let WindowMode::BorderlessFullscreen(MonitorSelection::Entity(on)) = window.mode
        && gone.contains(&on)
    {
        window.mode = WindowMode::Windowed;
        show.notice("the stage's display is gone; the stage goes on in a window: f brings it to full screen".into());
    }
    let Some(wanted) = show.display.as_deref() else { return };
    if added.is_empty() {
        return;
    }
    let mut there: Vec<(Display, Entity)> =
        monitors.iter().map(|(entity, monitor, primary)| (describe(monitor, primary), entity)).collect();
    there.sort_by(|(a, _), (b, _)| a.place().cmp(&b.place()));
    let (displays, entities): (Vec<Display>, Vec<Entity>) = there.into_iter().unzip();
    match choose(&displays, wanted) {
        Some(at) => {
            let chosen = entities[at];
            if added.contains(chosen) {
                window.mode = WindowMode::BorderlessFullscreen(MonitorSelection::Entity(chosen));
            }
        }
        None if !*said => {
            *said = true;
            let names: Vec<String> = displays.iter().map(Display::to_string).collect();
            show.notice(format!("there is no display {wanted:?}; there are: {}", names.join(", ")));
        }
        None => {}
    }
}

/// Of the display that the view is on it takes this much of each side at most: what is around it can still be reached.
const VIEW_FILLS: f32 = 0.9;

/// Brings the view to the performer: to the primary display, or another where the stage fills that one. Where both are on
/// one, to its right, so that something of the stage is seen. Once, at the beginning.
pub fn place_view(
    show: Res<Show>,
    monitors: Query<(&Monitor, Has<PrimaryMonitor>)>,
    mut windows: Query<&mut Window>,
    mut done: Local<bool>,
) {
    let Some((view, _)) = show.view else { return };
    if *done || monitors.is_empty() {
        return;
    }
    let Ok(mut window) = windows.get_mut(view) else { return };
    *done = true;
    let mut displays: Vec<(Display, f64)> =
        monitors.iter().map(|(monitor, primary)| (describe(monitor, primary), monitor.scale_factor)).collect();
    displays.sort_by(|(a, _), (b, _)| a.place().cmp(&b.place()));
    let (displays, scales): (Vec<Display>, Vec<f64>) = displays.into_iter().unzip();
    let stage = show.display.as_deref().and_then(|wanted| choose(&displays, wanted));
    let at = performers(&displays, stage);
    let scale = scales[at] as f32;
    let (corner, size) = corner(&displays[at], stage.is_some_and(|stage| stage != at), [1280.0 * scale, 800.0 * scale]);
    window.resolution.set(size[0] / scale, size[1] / scale);
    window.position = WindowPosition::At(corner.into());
}

/// The performer's display, where the stage fills this one.
fn performers(displays: &[Display], stage: Option<usize>) -> usize {
    let others = || (0..displays.len()).filter(|at| Some(*at) != stage);
    others().find(|at| displays[*at].primary).or_else(|| others().next()).unwrap_or(0)
}

/// Where on a display the view goes, and how large it is, of the size that is wanted, in pixels: in the middle of one that
/// is its own.
fn corner(display: &Display, own: bool, wanted: [f32; 2]) -> ([i32; 2], [f32; 2]) {
    let room = [display.width as f32, display.height as f32];
    let size = [0, 1].map(|side| wanted[side].min((room[side] * VIEW_FILLS).floor()));
    // The window manager's frame needs some of the rest.
    let share = if own { [0.5, 0.5] } else { [0.8, 0.5] };
    let rest = [0, 1].map(|side| ((room[side] - size[side]) * share[side]) as i32);
    ([display.x + rest[0], display.y + rest[1]], size)
}

/// Hides the cursor over the stage: always on a full screen, else after a while without a movement.
pub fn hide_cursor(
    show: Res<Show>,
    time: Res<Time>,
    mut moved: MessageReader<CursorMoved>,
    mut moved_s: Local<f32>,
    mut windows: Query<(&Window, &mut CursorOptions)>,
) {
    let now_s = time.elapsed_secs();
    if moved.read().filter(|moved| moved.window == show.stage).count() > 0 {
        *moved_s = now_s;
    }
    if let Ok((window, mut cursor)) = windows.get_mut(show.stage) {
        let visible = window.mode == WindowMode::Windowed && now_s - *moved_s < CURSOR_STAYS_S;
        if cursor.visible != visible {
            cursor.visible = visible;
        }
    }
}

/// Closing the view leaves the stage; closing the stage ends the show. A stage that went without being asked is a fault.
pub fn close(
    show: Res<Show>,
    mut asked: MessageReader<WindowCloseRequested>,
    mut removed: RemovedComponents<Window>,
    cameras: Query<Entity, With<bevy::prelude::Camera>>,
    mut exit: MessageWriter<AppExit>,
    mut commands: Commands,
) {
    if asked.read().any(|asked| asked.window == show.stage) {
        show.end(Ok(()));
        exit.write(AppExit::Success);
    }
    for window in removed.read() {
        if window == show.stage {
            show.end(Err(VisualsError::window("its window went away")));
            exit.write(AppExit::Success);
        }
        if let Some((view, camera)) = show.view
            && view == window
            && cameras.contains(camera)
        {
            commands.entity(camera).despawn();
            show.notice("the performer's view was closed; the stage plays on".into());
        }
    }
    if super::xlib::is_lost() {
        show.end(Err(VisualsError::window("the X server is gone")));
        exit.write(AppExit::Success);
    }
}

#[cfg(test)]
mod tests {
    use bevy::ecs::system::RunSystemOnce;
    use bevy::math::IVec2;
    use bevy::prelude::World;

    use super::*;

    #[test]
    fn the_view_is_the_performers_and_fits() {
        let display = |x, width, height, primary| Display { name: String::new(), width, height, x, y: 0, primary };
        let displays = [display(0, 1280, 720, true), display(1280, 1920, 1080, false)];
        assert_eq!([None, Some(1), Some(0)].map(|stage| performers(&displays, stage)), [0, 0, 1]);
        assert_eq!(performers(&displays[..1], Some(0)), 0, "there is no other");
        assert_eq!(corner(&displays[0], false, [1280.0, 800.0]), ([102, 36], [1152.0, 648.0]));
        assert_eq!(corner(&displays[1], true, [1280.0, 800.0]), ([1280 + 320, 140], [1280.0, 800.0]));
    }

    #[test]
    fn displays_are_counted_from_left_to_right_whenever_they_came() {
        for order in [[0, 1920], [1920, 0]] {
            let mut world = World::new();
            let plugged = order.map(|x| {
                world
                    .spawn(Monitor {
                        name: Some(format!("at {x}")),
                        physical_height: 1080,
                        physical_width: 1920,
                        physical_position: IVec2::new(x, 0),
                        refresh_rate_millihertz: None,
                        scale_factor: 1.0,
                        video_modes: Vec::new(),
                    })
                    .id()
            });
            let [first, second] = if order[0] == 0 { plugged } else { [plugged[1], plugged[0]] };
            for (wanted, display) in [("1", first), ("2", second), ("at 1920", second)] {
                let stage = world.spawn(Window::default()).id();
                world.insert_resource(Show::of(stage, wanted));
                world.run_system_once(follow_display).unwrap();
                let mode = world.get::<Window>(stage).unwrap().mode;
                let wanted_mode = WindowMode::BorderlessFullscreen(MonitorSelection::Entity(display));
                assert_eq!(mode, wanted_mode, "{wanted} of {order:?}");
            }
        }
    }
}
