//! The hands of a patch: which control of which controller plays what, and how.
//!
//! `[midi."NAME"]` and `[gamepad."NAME"]` are tables of bindings, `[keys]` is the keyboard's.

mod keys;
mod play;
mod read;
mod source;
mod target;
#[cfg(test)]
mod tests;

pub use source::{AXES, BUTTONS, Source, reserved};
pub use target::{TRIGGERS, Target, trigger};

pub(super) use read::controllers;
pub(super) use target::Bank;

use std::cmp::Reverse;

use super::matrix::Shape;

/// Whose controls a table of bindings names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Midi,
    Gamepad,
    Keyboard,
}

/// The mapping of one controller, or of all whose names match.
#[derive(Clone, Debug, PartialEq)]
pub struct Controller {
    pub kind: Kind,
    /// The port's or gamepad's name with `*` for any run of characters; case does not matter. The keyboard has none.
    pub pattern: String,
    pub bindings: Vec<Binding>,
    /// What the controller is told in return, if anything.
    pub feedback: Option<Feedback>,
    /// One that xiao knows by itself: whatever a patch says of a control goes before.
    pub known: bool,
    /// A table of a patch that is for whatever controller nothing else is known of.
    pub gives_way: bool,
}

impl Controller {
    /// Of several that are for one port, what this one says of a control goes before those that are greater: a patch's own,
    /// the map of a controller that is known, a patch's that gives way, the map for any; of each the one that says most of
    /// the name first.
    pub fn order(&self) -> (u8, Reverse<usize>) {
        let rank = match (self.known, self.gives_way, self.pattern.as_str()) {
            (false, false, _) => 0,
            (true, _, "*") => 3,
            (true, ..) => 1,
            (false, true, _) => 2,
        };
        (rank, Reverse(self.pattern.chars().filter(|c| *c != '*').count()))
    }
}

/// One control and what it plays.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    pub source: Source,
    /// The channel that is listened to, 0..=15; none is any.
    pub channel: Option<u8>,
    pub target: Target,
    pub play: Play,
    /// What lights this control, where it is not the control itself.
    pub light: Light,
}

/// How a control's messages become a parameter's value. Prompts and triggers take a press, prompts a
/// release, too.
#[derive(Clone, Debug, PartialEq)]
pub enum Play {
    /// A knob or fader: where it stands is where the parameter stands.
    Place { takeover: Takeover, shape: Shape, steps: Option<u16> },
    /// An encoder without ends: each step moves the parameter by this part of its travel.
    Turn { encoder: Encoder, step: f32 },
    /// The range's second end while it is pressed, its first when it is let go.
    Momentary,
    /// From one end of the range to the other at each press.
    Toggle,
    /// A prompt, for as long as it is pressed.
    Hold,
    /// One value at each press; of several, the next one. Buttons of one parameter are a radio group.
    Press(Vec<f32>),
    /// A part of the parameter's travel at each press, down where it is negative.
    Step(f32),
    /// So many times the parameter's travel in a second while it is pushed all the way, the other way where it is negative:
    /// for sticks, which come back to their middle by themselves.
    Speed(f32),
}

/// What happens when a control's position and the parameter's value differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Takeover {
    /// The value jumps to the control.
    #[default]
    Jump,
    /// The control does nothing until it has met the value.
    Pickup,
    /// The value moves as the control does, faster or slower, so that both reach the same end together.
    Scale,
}

/// How an encoder writes a step into the seven bits of a control change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoder {
    /// 1 to 63 is up, 127 to 64 is down: two's complement.
    Twos,
    /// 65 up, 63 down: so far from 64.
    Offset,
    /// 1 to 63 up, 65 to 127 down: the highest bit is the sign.
    Sign,
    /// The same with the sign turned round.
    SignTurned,
}

impl Encoder {
    /// Words of the patch.
    pub const WORDS: [(&'static str, Encoder); 4] = [
        ("twos", Encoder::Twos),
        ("offset", Encoder::Offset),
        ("sign", Encoder::Sign),
        ("sign_turned", Encoder::SignTurned),
    ];

    /// Steps up (or, negative, down) that these seven bits mean.
    pub fn steps(self, bits: u8) -> i32 {
        let bits = i32::from(bits & 127);
        let signed = if bits >= 64 { 64 - bits } else { bits };
        match self {
            Encoder::Twos if bits >= 64 => bits - 128,
            Encoder::Twos => bits,
            Encoder::Offset => bits - 64,
            Encoder::Sign => signed,
            Encoder::SignTurned => -signed,
        }
    }
}

/// What a controller is told, so that its lamps, rings and motor faders show what is.
#[derive(Clone, Debug, PartialEq)]
pub struct Feedback {
    /// The output port's name with `*`; the controller's own pattern where the patch says no more than `true`.
    pub pattern: String,
    /// Everything is told again so often, for controllers that forget or are switched between pages.
    pub heartbeat_s: Option<f32>,
    /// What a lamp is sent when it is off and on.
    pub lamp: [u8; 2],
}

/// Where a control's lamp or ring is, and what it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Light {
    /// The message that lights it; none: the one that the control itself sends.
    pub at: Option<Source>,
    /// What it is sent when it is off and on; none: what the controller's other lamps are sent.
    pub lamp: Option<[u8; 2]>,
}
