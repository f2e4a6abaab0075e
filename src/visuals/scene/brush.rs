//! The brush: puts characters and rectangles of whole pixels on a frame.

use bytemuck::{Pod, Zeroable};

use crate::visuals::glyphs;

/// sRGB red, green, blue, and alpha.
pub type Color = [u8; 4];

/// One instance as the graphics card takes it: 24 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Glyph {
    /// Upper left corner in pixels.
    pub pos: [f32; 2],
    /// Width and height in pixels.
    pub size: [f32; 2],
    /// The character's code point, or [`SOLID`].
    pub cell: u32,
    pub color: Color,
}

/// The cell of a plain rectangle.
pub const SOLID: u32 = 0x1_0000;

/// Paints into a list of glyphs for a frame of a known size.
pub struct Brush<'a> {
    glyphs: &'a mut Vec<Glyph>,
    pub width: f32,
    pub height: f32,
}

impl<'a> Brush<'a> {
    pub fn new(glyphs: &'a mut Vec<Glyph>, [width, height]: [u32; 2]) -> Brush<'a> {
        Brush { glyphs, width: width as f32, height: height as f32 }
    }

    /// How many pixels of the frame one pixel of small type takes: small text is 16 lines high at 720.
    pub fn unit(&self) -> f32 {
        (self.height / 720.0).round().max(1.0)
    }

    /// A character with its upper left corner at `x`, `y`, each of its pixels `scale` wide; what is invisible or
    /// outside the frame is left out.
    pub fn char(&mut self, x: f32, y: f32, scale: f32, c: char, color: Color) {
        let shown = glyphs::shown(c);
        let half_cells = glyphs::width(c);
        let size = [8.0 * scale * half_cells as f32, 16.0 * scale];
        if c != ' ' && half_cells > 0 && self.is_seen(x, y, size, color) {
            self.glyphs.push(Glyph { pos: [x, y], size, cell: shown as u32, color });
        }
    }

    /// A line of small text; returns where it ends.
    pub fn text(&mut self, x: f32, y: f32, text: &str, color: Color) -> f32 {
        self.sized(x, y, self.unit(), text, color)
    }

    /// The same with type of which each pixel takes `scale` of the frame's.
    pub fn sized(&mut self, x: f32, y: f32, scale: f32, text: &str, color: Color) -> f32 {
        text.chars().fold(x, |x, c| {
            self.char(x, y, scale, c, color);
            x + 8.0 * scale * glyphs::advance(c) as f32
        })
    }

    pub fn rect(&mut self, x: f32, y: f32, width: f32, height: f32, color: Color) {
        let (pos, size) = ([x.round(), y.round()], [width.round(), height.round()]);
        if size[0] > 0.0 && size[1] > 0.0 && self.is_seen(pos[0], pos[1], size, color) {
            self.glyphs.push(Glyph { pos, size, cell: SOLID, color });
        }
    }

    fn is_seen(&self, x: f32, y: f32, [width, height]: [f32; 2], color: Color) -> bool {
        color[3] > 0 && x < self.width && y < self.height && x + width > 0.0 && y + height > 0.0
    }
}

/// The pixels that a line of small text takes, at a unit of 1.
pub fn text_width(text: &str) -> f32 {
    8.0 * text.chars().map(glyphs::advance).sum::<u32>() as f32
}

/// As much of the text as fits into `width` pixels at a unit of 1, with an ellipsis where it was cut.
pub fn fit(text: &str, width: f32) -> String {
    if text_width(text) <= width {
        return text.to_string();
    }
    let mut left = width - text_width("…");
    let mut cut: String = text
        .chars()
        .take_while(|c| {
            left -= 8.0 * glyphs::advance(*c) as f32;
            left >= 0.0
        })
        .collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

/// The colour with its alpha taken down to the part `alpha`.
pub fn faded(color: Color, alpha: f32) -> Color {
    [color[0], color[1], color[2], (f32::from(color[3]) * alpha.clamp(0.0, 1.0)).round() as u8]
}

/// Between two colours: `a` at 0, `b` at 1.
pub fn mixed(a: Color, b: Color, at: f32) -> Color {
    let at = at.clamp(0.0, 1.0);
    std::array::from_fn(|i| (f32::from(a[i]) * (1.0 - at) + f32::from(b[i]) * at).round() as u8)
}

/// The colour with its light taken down to the part `by`, its alpha left.
pub fn dimmed(color: Color, by: f32) -> Color {
    mixed([0, 0, 0, color[3]], color, by)
}

/// 0 at and below `from`, 1 at and above `to`, smooth between.
pub fn smooth(from: f32, to: f32, x: f32) -> f32 {
    let x = ((x - from) / (to - from)).clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_where_it_ends() {
        assert_eq!(fit("no fan sensor", 200.0), "no fan sensor");
        assert_eq!(fit("no fan sensor", 64.0 + text_width("…")), "no fan s…");
        assert_eq!(fit("春江潮水连", 32.0 + text_width("…")), "春江…");
    }

    #[test]
    fn only_what_is_seen_is_painted() {
        let mut glyphs = Vec::new();
        let mut brush = Brush::new(&mut glyphs, [100, 100]);
        brush.char(10.0, 10.0, 2.0, '小', [255; 4]);
        brush.char(10.0, 10.0, 2.0, ' ', [255; 4]);
        brush.char(10.0, 100.0, 2.0, 'a', [255; 4]);
        brush.char(10.0, -32.0, 2.0, 'a', [255; 4]);
        brush.char(10.0, 10.0, 2.0, 'a', [255, 255, 255, 0]);
        assert_eq!(glyphs, [Glyph { pos: [10.0; 2], size: [32.0; 2], cell: '小' as u32, color: [255; 4] }]);
    }
}
