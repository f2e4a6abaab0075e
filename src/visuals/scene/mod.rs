//! The scene: a frame state and a size become glyphs and bars, in the order in which they are painted.
//!
//! Pure and without wgpu, so that what stands where can be tested anywhere.

mod brush;
mod foot;
mod help;
mod plate;
mod words;

pub use brush::{Brush, Color, Glyph, SOLID};

use super::FrameState;

/// Fills `into` with the frame of `size` pixels.
pub fn build(state: &FrameState, size: [u32; 2], into: &mut Vec<Glyph>) {
    into.clear();
    let mut brush = Brush::new(into, size);
    let foot_top = foot::draw(state, &mut brush);
    let plate = plate::Plate::of(state, &brush, foot_top);
    words::draw(state, &mut brush, foot_top, plate.as_ref().map(plate::Plate::ceiling));
    if let Some(plate) = plate {
        plate.draw(&mut brush);
    }
    if state.help {
        help::draw(state, &mut brush);
    }
}

/// Colours of the stage, sRGB with alpha: paper for the model's words, a cool tone for the performer's, amber for what
/// is improbable or wrong. Each has a luminance above 0.4 where it carries words (7:1 over the field).
mod tone {
    use super::Color;

    pub const PAPER: Color = [0xf6, 0xf0, 0xe2, 255];
    pub const PROMPT: Color = [0x8f, 0xc4, 0xd4, 255];
    pub const AMBER: Color = [0xff, 0xae, 0x3c, 255];
    pub const LABEL: Color = [0xb4, 0xb6, 0xb2, 255];
    pub const BAR: Color = [0xb4, 0xb6, 0xb2, 230];
    pub const TRACK: Color = [0x80, 0x88, 0x88, 70];
}
