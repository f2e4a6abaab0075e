//! The keys of both windows, in the score's words. `f` and F11 stay here: full screen of the window that has the focus.

use bevy::input::ButtonState;
use bevy::input::keyboard::{Key as Logical, KeyboardFocusLost, KeyboardInput};
use bevy::prelude::{KeyCode, Local, MessageReader, Query, Res};
use bevy::window::{MonitorSelection, Window, WindowMode};

use super::Show;
use crate::score::{Key, Stroke, Way};

/// The keys that change what others mean, while they are held.
#[derive(Clone, Copy, Default)]
pub struct Modifiers {
    ctrl: bool,
    shift: bool,
}

/// What is held.
#[derive(Default)]
pub struct Held {
    modifiers: Modifiers,
    /// Each key by its place on the keyboard with what it was when it was pressed: Shift may be let go before it.
    down: Vec<(KeyCode, Key)>,
}

/// Passes keys on. A full channel loses the key rather than hold up the frame.
pub fn press(
    mut pressed: MessageReader<KeyboardInput>,
    mut left: MessageReader<KeyboardFocusLost>,
    mut held: Local<Held>,
    show: Res<Show>,
    mut windows: Query<&mut Window>,
) {
    let send = |key, way| _ = show.keys.try_send(Stroke { key, way });
    // While the performer types, every key but F11 is the line's; while a word is composed, the input method's.
    let (typing, composing) = (show.composing.is_open(), show.composing.is_composing());
    for input in pressed.read() {
        let down = input.state == ButtonState::Pressed;
        // In the order of the events: within one slow frame Ctrl may have been pressed and let go again.
        match input.logical_key {
            Logical::Control => held.modifiers.ctrl = down,
            Logical::Shift => held.modifiers.shift = down,
            _ => {}
        }
        if !down {
            if let Some(at) = held.down.iter().position(|(code, _)| *code == input.key_code) {
                send(held.down.remove(at).1, Way::Released);
            }
            continue;
        }
        let is_f = input.logical_key == Logical::Character("f".into()) && !held.modifiers.ctrl && !typing;
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
        let passes = |key: &Key| !composing || matches!(key, Key::Ctrl(_));
        let was = held.down.iter().find(|(code, _)| *code == input.key_code).map(|(_, key)| *key);
        // What repeats is what was pressed, though Shift has been let go since.
        let now = was.filter(|_| input.repeat).or_else(|| key(&input.logical_key, held.modifiers));
        let Some(key) = now.filter(passes) else { continue };
        send(key, if input.repeat { Way::Repeated } else { Way::Pressed });
        if was.is_none() {
            held.down.push((input.key_code, key));
        }
    }
    // What is let go while another program has the keys is let go unheard.
    if left.read().count() > 0 {
        held.down.drain(..).for_each(|(_, key)| send(key, Way::Released));
        held.modifiers = Modifiers::default();
    }
}

/// A key in the score's words; `None` for those that mean nothing here.
fn key(logical: &Logical, held: Modifiers) -> Option<Key> {
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
        function => {
            let at = FUNCTIONS.iter().position(|known| known == function)?;
            Key::Function(at as u8 + 1)
        }
    })
}

const FUNCTIONS: [Logical; 12] = [
    Logical::F1,
    Logical::F2,
    Logical::F3,
    Logical::F4,
    Logical::F5,
    Logical::F6,
    Logical::F7,
    Logical::F8,
    Logical::F9,
    Logical::F10,
    Logical::F11,
    Logical::F12,
];

#[cfg(test)]
mod tests {
    use bevy::ecs::system::RunSystemOnce;
    use bevy::prelude::{Entity, Messages, World};
    use crossbeam_channel::Receiver;

    use super::*;

    /// A window, and where its keys go.
    fn window() -> (World, Entity, Receiver<Stroke>) {
        let (keys, strokes) = crossbeam_channel::unbounded();
        let mut world = World::new();
        let window = world.spawn(Window::default()).id();
        world.insert_resource(Show { keys, ..Show::of(window, "1") });
        world.init_resource::<Messages<KeyboardInput>>();
        world.init_resource::<Messages<KeyboardFocusLost>>();
        (world, window, strokes)
    }

    fn input(window: Entity, key_code: KeyCode, logical_key: Logical, way: Way) -> KeyboardInput {
        let state = if way == Way::Released { ButtonState::Released } else { ButtonState::Pressed };
        KeyboardInput { key_code, logical_key, state, text: None, repeat: way == Way::Repeated, window }
    }

    #[test]
    fn what_happens_to_a_key_is_handed_on() {
        let (mut world, window, strokes) = window();
        let (shift, x) = (KeyCode::ShiftLeft, KeyCode::KeyX);
        for (code, logical, way) in [
            (shift, Logical::Shift, Way::Pressed),
            (x, Logical::Character("X".into()), Way::Pressed),
            (x, Logical::Character("X".into()), Way::Repeated),
            (shift, Logical::Shift, Way::Released),
            (x, Logical::Character("x".into()), Way::Repeated),
            (x, Logical::Character("x".into()), Way::Released),
            (KeyCode::F5, Logical::F5, Way::Pressed),
        ] {
            world.write_message(input(window, code, logical, way));
        }
        world.write_message(KeyboardFocusLost);
        world.run_system_once(press).unwrap();
        let (x, five) = (Key::Char('X'), Key::Function(5));
        let wanted = [
            (x, Way::Pressed),
            (x, Way::Repeated),
            (x, Way::Repeated),
            (x, Way::Released),
            (five, Way::Pressed),
            (five, Way::Released),
        ];
        assert_eq!(strokes.try_iter().collect::<Vec<_>>(), wanted.map(|(key, way)| Stroke { key, way }));
    }

    #[test]
    fn keys_have_the_scores_names() {
        let (none, ctrl) = (Modifiers::default(), Modifiers { ctrl: true, shift: false });
        let shift = Modifiers { ctrl: false, shift: true };
        assert_eq!(key(&Logical::Character("春".into()), none), Some(Key::Char('春')));
        assert_eq!(key(&Logical::Character("C".into()), ctrl), Some(Key::Ctrl('c')));
        assert_eq!(key(&Logical::Space, none), Some(Key::Char(' ')));
        assert_eq!(key(&Logical::ArrowLeft, none), Some(Key::Left));
        assert_eq!([none, shift].map(|held| key(&Logical::Tab, held)), [Some(Key::Tab), Some(Key::BackTab)]);
        assert_eq!(key(&Logical::Shift, none), None);
    }

    #[test]
    fn while_the_performer_types_keys_are_letters() {
        let (mut world, window, strokes) = window();
        world.resource::<Show>().composing.follow(true);
        for (code, text, way) in [
            (KeyCode::KeyF, "f", Way::Pressed),
            (KeyCode::KeyX, "x", Way::Pressed),
            (KeyCode::KeyX, "x", Way::Repeated),
        ] {
            world.write_message(input(window, code, Logical::Character(text.into()), way));
        }
        world.write_message(input(window, KeyCode::ControlLeft, Logical::Control, Way::Pressed));
        world.write_message(input(window, KeyCode::KeyG, Logical::Character("g".into()), Way::Pressed));
        world.run_system_once(press).unwrap();
        let typed: Vec<Key> = strokes.try_iter().map(|stroke| stroke.key).collect();
        assert_eq!(typed, [Key::Char('f'), Key::Char('x'), Key::Char('x'), Key::Ctrl('g')]);
        assert_eq!(world.get::<Window>(window).unwrap().mode, WindowMode::Windowed);
    }
}
