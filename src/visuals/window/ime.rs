//! Input methods, as Chinese is typed with: they are listened to while the performer's line is open, and only then, so
//! that they take no key from playing.
//!
//! The frames say whether it is open and show what is being composed; the systems of bevy hear what that is.

use std::sync::{Arc, Mutex};

use bevy::math::Vec2;
use bevy::prelude::{Entity, MessageReader, Query, Res};
use bevy::window::{Ime, Window, WindowFocused};

use super::{Show, lock};
use crate::score::{Key, Stroke};

/// What is shared between the frames and the systems.
#[derive(Clone, Default)]
pub struct Composing(Arc<Mutex<Line>>);

#[derive(Default)]
struct Line {
    open: bool,
    composed: String,
    /// The window that it is composed in.
    of: Option<Entity>,
}

impl Composing {
    /// The line is open or not; what is being composed in it comes back.
    pub fn follow(&self, open: bool) -> String {
        let mut line = lock(&self.0);
        line.open = open;
        if !open {
            line.composed.clear();
        }
        line.composed.clone()
    }

    pub fn is_open(&self) -> bool {
        lock(&self.0).open
    }

    /// Whether keys belong to the input method just now.
    pub fn is_composing(&self) -> bool {
        !lock(&self.0).composed.is_empty()
    }
}

/// Takes in what is composed, hands on what is settled, and has both windows listen while the line is open.
pub fn compose(
    mut heard: MessageReader<Ime>,
    mut focus: MessageReader<WindowFocused>,
    show: Res<Show>,
    mut windows: Query<&mut Window>,
) {
    let mut line = lock(&show.composing.0);
    for ime in heard.read().filter(|_| line.open).cloned().collect::<Vec<_>>() {
        match ime {
            Ime::Preedit { window, value, .. } => (line.composed, line.of) = (value, Some(window)),
            Ime::Commit { value, .. } => {
                line.composed.clear();
                for c in value.chars() {
                    let _ = show.keys.try_send(Stroke::pressed(Key::Written(c)));
                }
            }
            // Of the other window it says nothing.
            Ime::Enabled { window } | Ime::Disabled { window } if line.of == Some(window) => line.composed.clear(),
            Ime::Enabled { .. } | Ime::Disabled { .. } => {}
        }
    }
    // A word that was half composed is left behind with its window, and would keep the keys from the line.
    if focus.read().filter(|focus| !focus.focused && line.of == Some(focus.window)).count() > 0 {
        line.composed.clear();
    }
    for mut window in &mut windows {
        if window.ime_enabled != line.open {
            window.ime_enabled = line.open;
            // Where the line stands: its candidates are shown above the foot.
            window.ime_position = Vec2::new(window.width() * 0.07, window.height() * 0.8);
        }
    }
}

#[cfg(test)]
mod tests {
    use bevy::ecs::system::RunSystemOnce;
    use bevy::prelude::{Entity, Messages, World};

    use super::*;

    #[test]
    fn what_is_composed_is_shown_and_what_is_settled_is_typed() {
        let (keys, typed) = crossbeam_channel::unbounded();
        let mut world = World::new();
        let window = world.spawn(Window::default()).id();
        world.insert_resource(Show { keys, ..Show::of(window, "1") });
        let composing = world.resource::<Show>().composing.clone();
        // As winit sends them while someone types "chunjiang" and takes the first candidate.
        let preedit = |value: &str| {
            let cursor = (!value.is_empty()).then_some((value.len(), value.len()));
            Ime::Preedit { window, value: value.into(), cursor }
        };
        let steps = |world: &mut World, imes: Vec<Ime>| {
            // A world of its own for each step, as a system that runs once has read nothing before.
            world.insert_resource(Messages::<Ime>::default());
            world.init_resource::<Messages<WindowFocused>>();
            for ime in imes {
                world.write_message(ime);
            }
            world.run_system_once(compose).unwrap();
        };
        let enabled = |world: &World, window: Entity| world.get::<Window>(window).unwrap().ime_enabled;
        steps(&mut world, vec![preedit("x")]);
        assert!(!enabled(&world, window) && !composing.is_composing(), "the line is closed");
        composing.follow(true);
        steps(&mut world, vec![Ime::Enabled { window }, preedit("chun"), preedit("chun jiang")]);
        assert!(enabled(&world, window) && composing.is_composing());
        assert_eq!(composing.follow(true), "chun jiang");
        steps(&mut world, vec![preedit(""), Ime::Commit { window, value: "春江".into() }]);
        assert!(!composing.is_composing());
        assert_eq!(typed.try_iter().collect::<Vec<_>>(), ['春', '江'].map(|c| Stroke::pressed(Key::Written(c))));
        // The focus goes elsewhere, and with it what is half composed; another window's leaves it.
        let other = world.spawn(Window::default()).id();
        for (left, composed) in [(other, "yue"), (window, "")] {
            steps(&mut world, vec![preedit("yue")]);
            world.insert_resource(Messages::<WindowFocused>::default());
            world.write_message(WindowFocused { window: left, focused: false });
            steps(&mut world, vec![Ime::Disabled { window: other }]);
            assert_eq!(composing.follow(true), composed);
        }
        world.insert_resource(Messages::<WindowFocused>::default());
        steps(&mut world, vec![preedit("chao")]);
        assert_eq!(composing.follow(false), "");
        steps(&mut world, vec![Ime::Commit { window, value: "潮".into() }, Ime::Disabled { window }]);
        assert!(!enabled(&world, window) && typed.try_iter().next().is_none());
    }
}
