//! Scenes: a frame state and a size become glyphs, bars and discs, in the order in which they are painted, and a field of
//! light behind them.
//!
//! A scene is one file of Rust, which places glyphs, and one of WGSL beside it, which lights the field. Pure and without
//! wgpu, so that what stands where can be tested anywhere: no clock and no chance, but what the frame state holds.

mod body;
mod breath;
mod brush;
mod fault;
mod film;
mod foot;
mod help;
mod loom;
mod page;
mod plate;
mod river;

pub use brush::{Brush, Color, DISC, Glyph, Look, SOLID, faded, mixed};

use super::FrameState;
use super::text::Typesetter;
use crate::score::{ParamId, SignalId};

/// A scene of the stage.
pub struct Scene {
    /// Its name in `stage.scene`.
    pub name: &'static str,
    /// What it shows, in a line.
    pub help: &'static str,
    /// Its field; none: the patch's shader.
    pub wgsl: Option<&'static str>,
    /// Places its glyphs.
    pub draw: fn(&FrameState, &mut Brush, Place),
    /// Whether its glyphs stand over the field; else only the field sees them, as a texture.
    pub over: bool,
    /// What moves where: tests hold it to that.
    pub claims: &'static [Claim],
    /// What moves although nothing happens; all else stands.
    pub drift: &'static str,
    /// How much that is at most: the mean change of a channel in a second, of 255. Tests hold it to that.
    pub drift_most: f32,
}

/// A promise of a scene: when this moves, the picture changes there.
pub struct Claim {
    pub what: What,
    /// Left, top, right, bottom as parts of the picture.
    pub region: [f32; 4],
}

/// What a scene claims to show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    Signal(SignalId),
    /// A token arrives.
    Token,
    /// How probable the tokens are.
    Certainty,
    /// The tokens that were not drawn.
    Rejected,
    /// A token is found to be a flaw.
    Flaw,
    /// The model crashes.
    Crash,
    /// The load of each core.
    Cores,
    /// The time of each layer.
    Layers,
}

/// Where a scene may draw, in pixels: all of the picture but the foot.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The foot's upper edge.
    pub bottom: f32,
    /// What stands over the scene at the top and takes room from it.
    pub ceiling: Option<Ceiling>,
}

/// What stands over the words and takes room from them.
#[derive(Clone, Copy, Debug)]
pub struct Ceiling {
    /// Its lower edge in pixels.
    pub y: f32,
    /// How much of it is there, 0..1, while it comes and goes.
    pub there: f32,
}

/// The scenes in the order of the names of `stage.scene`.
pub static SCENES: [Scene; 8] =
    [page::SCENE, river::SCENE, loom::SCENE, breath::SCENE, film::SCENE, body::SCENE, fault::SCENE, page::SHADER];

/// The scene of a crash.
pub const FAULT: usize = 6;

/// A frame as it is painted: the glyphs of each scene that is shown, and of what stands over them.
#[derive(Debug, Default)]
pub struct Frame {
    pub glyphs: Vec<Glyph>,
    /// How many of them, from the first, belong to scenes: shaders see these. The rest explains, and stands over all.
    pub scene: usize,
    /// How much of the scenes' glyphs stands over the field, 0..1.
    pub over: f32,
    /// Where the eye is to go in the coming scene, as parts of the picture.
    pub focus: [f32; 2],
    typesetter: Typesetter,
    /// How many of the glyphs are the picture's; after them comes what is typed.
    picture: usize,
}

impl Frame {
    /// Paints the frame of `size` pixels anew.
    pub fn paint(&mut self, state: &FrameState, size: [u32; 2]) {
        self.glyphs.clear();
        let mut brush = Brush::new(&mut self.glyphs, &mut self.typesetter, size, state.palette());
        let cross = &state.cross;
        let bottom = foot::top(state, &brush);
        let plate = plate::Plate::of(state, &brush, bottom);
        let place = Place { bottom, ceiling: plate.as_ref().map(plate::Plate::ceiling) };
        self.over = 0.0;
        for (scene, part) in cross.parts().into_iter().flatten() {
            brush.alpha = part;
            self.over += part * f32::from(SCENES[scene].over);
            (SCENES[scene].draw)(state, &mut brush, place);
        }
        brush.alpha = 1.0;
        self.focus = [brush.focus[0] / brush.width, brush.focus[1] / brush.height];
        self.scene = brush.count();
        foot::draw(state, &mut brush);
        if let Some(plate) = plate {
            plate.draw(&mut brush);
        }
        if state.help {
            help::draw(state, &mut brush);
        }
        self.picture = brush.count();
        foot::typing(state, &mut brush, false);
    }

    /// Paints what is typed anew over a picture that stands; false where nothing is and was.
    pub fn retype(&mut self, state: &FrameState, size: [u32; 2]) -> bool {
        let was = self.glyphs.len();
        self.glyphs.truncate(self.picture);
        foot::typing(state, &mut Brush::new(&mut self.glyphs, &mut self.typesetter, size, state.palette()), true);
        was > self.picture || self.glyphs.len() > self.picture
    }
}

/// The picture's part of a window: left, top, width and height in pixels, as `stage.letterbox` has it.
pub fn letterbox(state: &FrameState, size: [u32; 2]) -> [u32; 4] {
    let [width, height] = size.map(|side| side.max(1));
    let ratio = state.params.get(ParamId::Letterbox);
    if ratio < 0.2 {
        return [0, 0, width, height];
    }
    let wide = ((height as f32 * ratio).round() as u32).clamp(1, width);
    let tall = ((width as f32 / ratio).round() as u32).clamp(1, height);
    [(width - wide) / 2, (height - tall) / 2, wide, tall]
}

/// The glyphs of a frame, for tests.
#[cfg(test)]
pub fn build(state: &FrameState, size: [u32; 2], into: &mut Vec<Glyph>) {
    let mut frame = Frame::default();
    frame.paint(state, size);
    *into = frame.glyphs;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::{Event, Hand, Stamped};

    #[test]
    fn the_scenes_are_those_of_the_parameter() {
        let names: Vec<_> = SCENES.iter().map(|s| s.name).collect();
        assert_eq!(names, ParamId::StageScene.spec().names());
        assert_eq!(SCENES[FAULT].name, "fault");
    }

    #[test]
    fn the_picture_has_the_shape_that_is_asked_for() {
        let mut state = FrameState::new();
        let mut shape = |ratio: f32, size| {
            let set = Event::Param { id: ParamId::Letterbox, value: ratio, by: Hand::Key };
            state.apply(&Stamped { seq: 0, t_ns: 0, event: set });
            state.advance(1);
            letterbox(&state, size)
        };
        assert_eq!(shape(0.0, [1280, 720]), [0, 0, 1280, 720]);
        assert_eq!(shape(1.0, [1280, 720]), [280, 0, 720, 720]);
        assert_eq!(shape(4.0, [1280, 720]), [0, 200, 1280, 320]);
        assert_eq!(shape(1.5, [1, 1]), [0, 0, 1, 1]);
        assert_eq!(shape(0.0, [0, 0]), [0, 0, 1, 1]);
    }
}
