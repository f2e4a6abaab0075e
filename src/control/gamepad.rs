//! Gamepads: what their sticks and buttons say, and which of them are here.
//!
//! Only this file sees gilrs. [`Gamepads`] is owned by the hands thread. gilrs knows by its table where the buttons of each
//! make are, so that `south` is the lowest of the four whatever letter it has. It watches for plugging with a thread of its own.

use std::sync::Arc;

use gilrs::{Axis, Button, EventType, GamepadId, Gilrs};

use super::decoder::{SEVEN, Said, Value};
use super::device::free_name;
use crate::patch::Source;

/// The greatest value of a stick or trigger; a stick's middle is half of it.
const STICK: u16 = 1 << 14;

/// What happened to a gamepad.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    Here(Arc<str>),
    Said(Arc<str>, Said),
    /// Whatever was pressed on it is let go unheard.
    Gone(Arc<str>),
}

/// Every gamepad of the machine.
pub struct Gamepads {
    gilrs: Gilrs,
    /// The names by which patches know them; one that comes back has the same again.
    names: Vec<(GamepadId, Arc<str>)>,
    /// What was found here when this was opened and is still to be told.
    found: Vec<GamepadId>,
}

impl Gamepads {
    /// Looks for gamepads.
    ///
    /// # Errors
    /// In words, where the system lets nobody look.
    pub fn open() -> Result<Gamepads, String> {
        let gilrs = Gilrs::new().map_err(|e| e.to_string())?;
        let found = gilrs.gamepads().map(|(id, _)| id).collect();
        Ok(Gamepads { gilrs, names: Vec::new(), found })
    }

    /// Adds what has happened since the last poll.
    pub fn poll(&mut self, heard: &mut Vec<Heard>) {
        for id in std::mem::take(&mut self.found) {
            heard.push(Heard::Here(self.name(id)));
        }
        while let Some(event) = self.gilrs.next_event() {
            let name = self.name(event.id);
            heard.extend(match event.event {
                EventType::Connected => Some(Heard::Here(name)),
                EventType::Disconnected => Some(Heard::Gone(name)),
                what => said(what).map(|said| Heard::Said(name, said)),
            });
        }
    }

    fn name(&mut self, id: GamepadId) -> Arc<str> {
        if let Some((_, name)) = self.names.iter().find(|(known, _)| *known == id) {
            return name.clone();
        }
        let own = self.gilrs.gamepad(id).name().trim().to_string();
        let name: Arc<str> = free_name(&own, |name| self.names.iter().any(|(_, known)| **known == *name)).into();
        self.names.push((id, name.clone()));
        name
    }
}

/// The names of the gamepads that are here.
///
/// # Errors
/// In words, where the system lets nobody look.
pub fn names() -> Result<Vec<String>, String> {
    let mut heard = Vec::new();
    Gamepads::open()?.poll(&mut heard);
    let here = heard.into_iter().filter_map(|heard| match heard {
        Heard::Here(name) => Some(name.to_string()),
        _ => None,
    });
    Ok(here.collect())
}

/// What a stick, a trigger or a button says.
fn said(event: EventType) -> Option<Said> {
    let (source, raw, most) = match event {
        // A pressed button also says how far, which only the triggers have more to say of than all.
        EventType::ButtonPressed(button, _) => (Source::Button(button_word(button)?), SEVEN, SEVEN),
        EventType::ButtonReleased(button, _) => (Source::Button(button_word(button)?), 0, SEVEN),
        EventType::ButtonChanged(button, value, _) => {
            let word = match button {
                Button::LeftTrigger2 => "left-trigger",
                Button::RightTrigger2 => "right-trigger",
                _ => return None,
            };
            (Source::Axis(word), part(value), STICK)
        }
        EventType::AxisChanged(axis, value, _) => (Source::Axis(axis_word(axis)?), part((value + 1.0) / 2.0), STICK),
        _ => return None,
    };
    Some(Said { source, channel: None, value: Value::At { raw, most } })
}

fn part(value: f32) -> u16 {
    (value.clamp(0.0, 1.0) * f32::from(STICK)).round() as u16
}

fn button_word(button: Button) -> Option<&'static str> {
    Some(match button {
        Button::South => "south",
        Button::East => "east",
        Button::North => "north",
        Button::West => "west",
        Button::LeftTrigger => "left-shoulder",
        Button::RightTrigger => "right-shoulder",
        Button::Select => "select",
        Button::Start => "start",
        Button::Mode => "mode",
        Button::LeftThumb => "left-thumb",
        Button::RightThumb => "right-thumb",
        Button::DPadUp => "dpad-up",
        Button::DPadDown => "dpad-down",
        Button::DPadLeft => "dpad-left",
        Button::DPadRight => "dpad-right",
        _ => return None,
    })
}

fn axis_word(axis: Axis) -> Option<&'static str> {
    Some(match axis {
        Axis::LeftStickX => "left-x",
        Axis::LeftStickY => "left-y",
        Axis::RightStickX => "right-x",
        Axis::RightStickY => "right-y",
        Axis::LeftZ => "left-z",
        Axis::RightZ => "right-z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::hands::{AXES, BUTTONS};

    /// Some code of a device; what it is does not matter.
    fn code() -> gilrs::ev::Code {
        Button::South.to_nec().unwrap()
    }

    #[test]
    fn what_gilrs_says_is_a_control_of_a_patch() {
        let at = |event| {
            let said = said(event)?;
            let Value::At { raw, most } = said.value else { panic!("{said:?}") };
            Some((said.source.to_string(), f32::from(raw) / f32::from(most)))
        };
        for (event, word, place) in [
            (EventType::ButtonPressed(Button::South, code()), "south", 1.0),
            (EventType::ButtonReleased(Button::LeftTrigger, code()), "left-shoulder", 0.0),
            (EventType::ButtonChanged(Button::LeftTrigger2, 0.25, code()), "left-trigger", 0.25),
            (EventType::AxisChanged(Axis::LeftStickX, -1.0, code()), "left-x", 0.0),
            (EventType::AxisChanged(Axis::LeftStickX, 0.0, code()), "left-x", 0.5),
            (EventType::AxisChanged(Axis::RightStickY, 1.0, code()), "right-y", 1.0),
            (EventType::AxisChanged(Axis::RightStickY, f32::NAN, code()), "right-y", 0.0),
        ] {
            assert_eq!(at(event), Some((word.to_string(), place)));
        }
        // A trigger is told once, though it is a button as well; a button's own way down is not.
        for nothing in [
            EventType::ButtonPressed(Button::LeftTrigger2, code()),
            EventType::ButtonChanged(Button::South, 1.0, code()),
            EventType::ButtonPressed(Button::Unknown, code()),
            EventType::Connected,
        ] {
            assert_eq!(at(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn every_word_of_a_patch_is_said_by_something() {
        use Button::*;
        let buttons = [
            South,
            East,
            North,
            West,
            LeftTrigger,
            RightTrigger,
            LeftTrigger2,
            RightTrigger2,
            Select,
            Start,
            Mode,
            LeftThumb,
            RightThumb,
            DPadUp,
            DPadDown,
            DPadLeft,
            DPadRight,
        ];
        let pressed = buttons.into_iter().flat_map(|button| {
            [EventType::ButtonPressed(button, code()), EventType::ButtonChanged(button, 1.0, code())]
        });
        let axes =
            [Axis::LeftStickX, Axis::LeftStickY, Axis::RightStickX, Axis::RightStickY, Axis::LeftZ, Axis::RightZ];
        let moved = axes.into_iter().map(|axis| EventType::AxisChanged(axis, 0.0, code()));
        let mut said: Vec<String> = pressed.chain(moved).filter_map(said).map(|said| said.source.to_string()).collect();
        let mut words: Vec<&str> = BUTTONS.into_iter().chain(AXES).collect();
        said.sort();
        words.sort();
        assert_eq!(said, words);
    }

    #[test]
    fn the_list_and_opening_agree_and_nothing_is_pressed_by_itself() {
        let opened = Gamepads::open();
        assert_eq!(names().map(|_| ()), opened.as_ref().map(|_| ()).map_err(Clone::clone));
        if let Ok(mut pads) = opened {
            let mut heard = Vec::new();
            pads.poll(&mut heard);
            assert!(heard.iter().all(|heard| matches!(heard, Heard::Here(_) | Heard::Said(..))), "{heard:?}");
        }
    }
}
