//! What hands ask for, and the keys they press, in words that every stage and controller shares.

use super::{MorphSide, ParamId};

/// A key on the window or the terminal, without the toolkit's own types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    Char(char),
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Enter,
    Escape,
    Tab,
    /// Shift-Tab.
    BackTab,
    Backspace,
    /// F1 to F12.
    Function(u8),
    /// A control character, as in Ctrl-C.
    Ctrl(char),
    /// A character that was pasted or composed by an input method: text, and never a shortcut.
    Written(char),
}

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Pressed,
    /// It is still held, and the system says so as for typing.
    Repeated,
    Released,
    /// Pressed, where nobody will say when it is let go, as in a terminal.
    Struck,
}

/// A key and what happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stroke {
    pub key: Key,
    pub way: Way,
}

impl Stroke {
    pub fn pressed(key: Key) -> Stroke {
        Stroke { key, way: Way::Pressed }
    }

    pub fn struck(key: Key) -> Stroke {
        Stroke { key, way: Way::Struck }
    }
}

/// What the next digit means, after the key that asks for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digit {
    /// The place where the piece is kept.
    Keep,
    /// The place that the piece goes back to.
    Restore,
    /// The place whose settings are recalled.
    Recall,
    /// The place where the settings are stored; 0 writes what was stored into the patch.
    Store,
    /// The prompt of the bank that is blended with; 0 is none.
    Blend,
}

/// What is asked of settings, parameters under a name; a place is counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsAsk {
    /// Stores the parameters as they stand in this place.
    Store(u8),
    /// Leads to what is stored in this place.
    RecallNth(u8),
    /// Leads to settings by their name.
    Recall(String),
    /// Writes what was stored while playing into the patch.
    Save,
    /// Takes back what a recall, a scene, a changed patch or a hand did to the parameters last.
    Undo,
}

/// What the performer asks the instrument to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Sets a parameter to a value in its own unit.
    Set(ParamId, f32),
    /// Moves a parameter by this part of its travel (0.01 is one hundredth); a step or switch moves by at least one.
    Nudge(ParamId, f32),
    /// The same for the parameter that the arrow keys move.
    NudgeSelected(f32),
    /// Moves a parameter of whole values by so many of them, round its ends.
    Turn(ParamId, i32),
    /// Turns a switch over; a parameter that is no switch goes to the other end of its travel.
    Toggle(ParamId),
    /// Plays a prompt of the patch's bank by name.
    Prompt(String),
    /// A prompt of the bank is held down: it is played until it is let go, and then what it interrupted goes on.
    PromptDown(String),
    PromptUp(String),
    /// Puts the words of a prompt of the bank into the piece, which goes on from them.
    Layer(String),
    /// Plays the next (or, negative, an earlier) prompt of the bank.
    PromptStep(i32),
    /// Plays the prompt at this place of the bank, counted from 0.
    PromptNth(usize),
    /// Begins the next (or, negative, an earlier) scene of the patch's plan.
    SceneStep(i32),
    /// Begins a scene of the plan by name.
    Scene(String),
    /// Feeds the last error back: the words of the last flaw, or the last fault, become the prompt.
    PromptError,
    /// Opens the line that a prompt is typed in.
    Type,
    /// Begins the present prompt again.
    Again,
    /// Takes back so many tokens.
    Rewind(u32),
    /// Takes back the last token and draws the likeliest of the others.
    Branch,
    /// Goes back to the last leap and takes the likeliest other road there.
    BranchAtLeap,
    /// Breaks out of the loop the model is in: for a while its tokens may not be drawn.
    Escape,
    /// Keeps the piece as it is under this number, 0 to 7.
    Snapshot(u8),
    /// Makes the piece what it was when kept.
    Restore(u8),
    /// Recalls or stores settings.
    Settings(SettingsAsk),
    /// Takes a prompt of the patch's bank as the second one of `generator.blend`.
    BlendWith(String),
    /// The same by its place in the bank, counted from 0; `None` takes the second prompt away.
    BlendNth(Option<usize>),
    /// Lets the next key, if it is a digit, mean this.
    Await(Digit),
    /// Kills the generator as an error would, to be performed.
    Crash,
    /// Silence at once, and no further token; again takes it back.
    Panic,
    /// Keeps the sound's parameters as they stand as this end of `sound.morph`.
    Keep(MorphSide),
    /// Keeps the performer's words in the journal.
    Note(String),
    /// Takes a picture of the stage.
    Picture,
    /// Chooses the parameter that the arrow keys move: the next (or, negative, an earlier) one.
    SelectStep(i32),
    /// Chooses the first parameter of the next (or, negative, an earlier) group.
    SelectGroup(i32),
    /// Lets the next control that is moved play the chosen parameter, and writes that into the patch.
    Learn,
    /// Takes every control from the chosen parameter.
    Unlearn,
    /// Shows or hides the help.
    Help,
    /// Hides the help if it is shown.
    HideHelp,
    Quit,
}
