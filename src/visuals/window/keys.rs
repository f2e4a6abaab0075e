//! The keys of both windows, in the score's words. `f` and F11 stay here: full screen of the window that has the focus.

use bevy::input::ButtonState;
use bevy::input::keyboard::{Key as Logical, KeyboardInput};
use bevy::prelude::{KeyCode, Local, MessageReader, Query, Res};
use bevy::window::{MonitorSelection, Window, WindowMode};

use super::Show;
use crate::score::Key;

/// Passes pressed keys on. A full channel loses the key rather than hold up the frame.
pub fn press(
    mut pressed: MessageReader<KeyboardInput>,
    mut ctrl: Local<bool>,
    show: Res<Show>,
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
        if let Some(key) = key(&input.logical_key, ctrl).filter(|key| !input.repeat || (show.repeats)(*key)) {
            let _ = show.keys.try_send(key);
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
    fn a_key_that_is_held_acts_again_only_where_it_may() {
        let (keys, pressed) = crossbeam_channel::unbounded();
        let mut world = bevy::prelude::World::new();
        let window = world.spawn(Window::default()).id();
        world.insert_resource(Show { keys, repeats: |key| key == Key::Up, ..Show::of(window, "1") });
        world.init_resource::<bevy::prelude::Messages<KeyboardInput>>();
        for (logical_key, repeat) in [(Logical::Space, false), (Logical::Space, true), (Logical::ArrowUp, true)] {
            let state = ButtonState::Pressed;
            let key_code = KeyCode::Space;
            world.write_message(KeyboardInput { key_code, logical_key, state, text: None, repeat, window });
        }
        bevy::ecs::system::RunSystemOnce::run_system_once(&mut world, press).unwrap();
        assert_eq!(pressed.try_iter().collect::<Vec<_>>(), [Key::Char(' '), Key::Up]);
    }

    #[test]
    fn keys_have_the_scores_names() {
        assert_eq!(key(&Logical::Character("春".into()), false), Some(Key::Char('春')));
        assert_eq!(key(&Logical::Character("C".into()), true), Some(Key::Ctrl('c')));
        assert_eq!(key(&Logical::Space, false), Some(Key::Char(' ')));
        assert_eq!(key(&Logical::ArrowLeft, false), Some(Key::Left));
        assert_eq!(key(&Logical::Shift, false), None);
    }
}
