//! What the audience's stage shows, in words and numbers, as both of the performer's pages say it.
//!
//! The stage itself is not known here: whoever draws it tells this, or follows it beside a page. Plain data.

use crate::score::{ParamId, Stamped};

/// The stage at a moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    /// The scene that is coming or there; empty where nothing is known of the stage.
    pub scene: &'static str,
    /// The scene that is going, and how many percent of the other are there.
    pub going: Option<(&'static str, u32)>,
    pub palette: &'static str,
    pub roll: Roll,
    pub shader: Option<Shader>,
    /// What of the shader can be played.
    pub inputs: Vec<Input>,
}

/// The roll in the camera.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Roll {
    /// Exposures that are left, of so many.
    pub left: usize,
    pub of: usize,
    /// Rolls that are full.
    pub full: u32,
}

/// The artist's shader.
#[derive(Clone, Debug, PartialEq)]
pub struct Shader {
    pub name: String,
    /// Whether the scene is the one that shows it.
    pub is_shown: bool,
    /// Why the one that was tried last was refused.
    pub refused: Option<String>,
    /// What the artist should know of it.
    pub notes: Vec<String>,
}

/// A parameter by the name that the artist gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    pub id: ParamId,
    pub name: String,
    /// How it reads as the hands set it, and as it is played.
    pub value: String,
    pub played: String,
}

impl Shown {
    /// The artist's words for a parameter.
    pub fn input(&self, id: ParamId) -> Option<&Input> {
        self.inputs.iter().find(|input| input.id == id)
    }
}

/// Follows the stage for a page that does not draw it.
pub trait Follow: Send {
    fn take(&mut self, stamped: &Stamped);

    /// The stage as it is at `now_ns`, which never goes back.
    fn shown(&mut self, now_ns: u64) -> Shown;
}
