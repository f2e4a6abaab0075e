//! The keys of both windows, in the score's words. `f` and F11 stay here: full screen of the window that has the focus.

use bevy::input::ButtonState;
use bevy::input::keyboard::{Key as Logical, KeyboardInput};
use bevy::prelude::{KeyCode, Local, MessageReader, Query, Res};
use bevy::window::{MonitorSelection, Window, WindowMode};

use super::Show;
use crate::score::Key;

/// The keys that change what others mean, while they are held.
#[derive(Clone, Copy, Default)]
pub struct Held {
    ctrl: bool,
    shift: bool,
}

/// Passes pressed keys on. A full channel loses the key rather than hold up the frame.
pub fn press(
    mut pressed: MessageReader<KeyboardInput>,
    mut held: Local<Held>,
    show: Res<Show>,
    mut windows: Query<&mut Window>,
) {
    // While the performer types, every key but F11 is the line's; while a word is composed, the input method's.
    let (typing, composing) = (show.composing.is_open(), show.composing.is_composing());
    for input in pressed.read() {
        let down = input.state == ButtonState::Pressed;
        // In the order of the events: within one slow frame Ctrl may have been pressed and let go again.
        match input.logical_key {
            Logical::Control => held.ctrl = down,
            Logical::Shift => held.shift = down,
            _ => {}
        }
        if !down {
            continue;
        }
        let is_f = input.logical_key == Logical::Character("f".into()) && !held.ctrl && !typing;
        if input.key_code == KeyCode::F11 || is_f {
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
        let passes = |key: &Key| {
            let ctrl = matches!(key, Key::Ctrl(_));
            let wanted = !input.repeat || (typing && !ctrl) || (show.repeats)(*key);
            wanted && (!composing || ctrl)
        };
        if let Some(key) = key(&input.logical_key, *held).filter(passes) {
            let _ = show.keys.try_send(key);
        }
    }
}

/// A key in the score's words; `None` for those that mean nothing here.
fn key(logical: &Logical, held: Held) -> Option<Key> {
    Some(match logical {
        Logical::Character(text) => {
            let mut chars = text.chars();
            let (Some(c), None) = (chars.next(), chars.next()) else { return None };
            if held.ctrl { Key::Ctrl(c.to_ascii_lowercase()) } else { Key::Char(c) }
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
        Logical::Tab if held.shift => Key::BackTab,
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
        let (none, ctrl) = (Held::default(), Held { ctrl: true, shift: false });
        let shift = Held { ctrl: false, shift: true };
        assert_eq!(key(&Logical::Character("春".into()), none), Some(Key::Char('春')));
        assert_eq!(key(&Logical::Character("C".into()), ctrl), Some(Key::Ctrl('c')));
        assert_eq!(key(&Logical::Space, none), Some(Key::Char(' ')));
        assert_eq!(key(&Logical::ArrowLeft, none), Some(Key::Left));
        assert_eq!([none, shift].map(|held| key(&Logical::Tab, held)), [Some(Key::Tab), Some(Key::BackTab)]);
        assert_eq!(key(&Logical::Shift, none), None);
    }

    #[test]
    fn while_the_performer_types_keys_are_letters() {
        let (keys, pressed) = crossbeam_channel::unbounded();
        let mut world = bevy::prelude::World::new();
        let window = world.spawn(Window::default()).id();
        world.insert_resource(Show { keys, ..Show::of(window, "1") });
        world.resource::<Show>().composing.follow(true);
        world.init_resource::<bevy::prelude::Messages<KeyboardInput>>();
        for (text, repeat) in [("f", false), ("x", false), ("x", true)] {
            let (state, key_code, logical_key) = (ButtonState::Pressed, KeyCode::KeyX, Logical::Character(text.into()));
            world.write_message(KeyboardInput { key_code, logical_key, state, text: None, repeat, window });
        }
        // A panic that is held down is one.
        let (state, key_code) = (ButtonState::Pressed, KeyCode::KeyG);
        for (logical_key, repeat) in
            [(Logical::Control, false), (Logical::Character("g".into()), false), (Logical::Character("g".into()), true)]
        {
            world.write_message(KeyboardInput { key_code, logical_key, state, text: None, repeat, window });
        }
        bevy::ecs::system::RunSystemOnce::run_system_once(&mut world, press).unwrap();
        let wanted = [Key::Char('f'), Key::Char('x'), Key::Char('x'), Key::Ctrl('g')];
        assert_eq!(pressed.try_iter().collect::<Vec<_>>(), wanted);
        assert_eq!(world.get::<Window>(window).unwrap().mode, WindowMode::Windowed);
    }
}
