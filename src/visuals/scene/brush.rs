//! The brush: puts characters and rectangles of whole pixels on a frame.

use bytemuck::{Pod, Zeroable};

use crate::visuals::glyphs;
use crate::visuals::palette::Palette;
use crate::visuals::text::{Placed, Typesetter};

/// sRGB red, green, blue, and alpha.
pub type Color = [u8; 4];

/// One instance as the graphics card takes it: 28 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Glyph {
    /// Upper left corner in pixels.
    pub pos: [f32; 2],
    /// Width and height in pixels.
    pub size: [f32; 2],
    /// The character's code point, or [`SOLID`] or [`DISC`].
    pub cell: u32,
    pub color: Color,
    pub look: Look,
}

/// How a glyph looks beyond its colour.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Look {
    /// 0 is sharp, 255 lost in haze.
    pub blur: u8,
    /// 128 is the type's own weight, below it strokes are thinner, above it bolder.
    pub weight: u8,
    /// 0 is whole, 255 is gone, grain by grain.
    pub dissolve: u8,
    /// Turned about its middle, 256ths of a whole turn clockwise.
    pub turn: u8,
}

impl Look {
    pub const PLAIN: Look = Look { blur: 0, weight: 128, dissolve: 0, turn: 0 };

    /// The look with this much haze, 0..1.
    pub fn blurred(self, blur: f32) -> Look {
        Look { blur: byte(blur), ..self }
    }

    /// The look with strokes from thin (-1) to bold (1).
    pub fn weighted(self, weight: f32) -> Look {
        Look { weight: byte(0.502 + 0.498 * weight), ..self }
    }

    /// The look with this part of its grains gone, 0..1.
    pub fn dissolved(self, dissolve: f32) -> Look {
        Look { dissolve: byte(dissolve), ..self }
    }

    /// The look turned by so many whole turns, clockwise.
    pub fn turned(self, turns: f32) -> Look {
        Look { turn: (turns.rem_euclid(1.0) * 256.0) as u8, ..self }
    }
}

fn byte(part: f32) -> u8 {
    (part.clamp(0.0, 1.0) * 255.0).round() as u8
}

/// The cell of a plain rectangle; blur softens its edges.
pub const SOLID: u32 = 0x1_0000;
/// The cell of a disc, or an ellipse.
pub const DISC: u32 = 0x1_0001;

/// Paints into a list of glyphs for a frame of a known size.
pub struct Brush<'a> {
    glyphs: &'a mut Vec<Glyph>,
    pub width: f32,
    pub height: f32,
    pub palette: &'static Palette,
    /// Words are darker than the ground.
    light: bool,
    /// What the alpha of everything is multiplied with: a scene that comes or goes.
    pub alpha: f32,
    /// Where the eye is to go, in pixels: the place of the next word.
    pub focus: [f32; 2],
    /// Remembers how the page breaks.
    pub typesetter: &'a mut Typesetter,
}

impl<'a> Brush<'a> {
    pub fn new(
        glyphs: &'a mut Vec<Glyph>,
        typesetter: &'a mut Typesetter,
        [width, height]: [u32; 2],
        palette: &'static Palette,
    ) -> Brush<'a> {
        let (width, height) = (width as f32, height as f32);
        let (light, focus) = (palette.is_light(), [0.5 * width, 0.55 * height]);
        Brush { glyphs, width, height, palette, light, alpha: 1.0, focus, typesetter }
    }

    /// How many glyphs have been painted.
    pub fn count(&self) -> usize {
        self.glyphs.len()
    }

    /// How many pixels of the frame one pixel of small type takes: small text is 16 lines high at 720.
    pub fn unit(&self) -> f32 {
        (self.height / 720.0).round().max(1.0)
    }

    /// A character with its upper left corner at `x`, `y`, each of its pixels `scale` wide; what is invisible or
    /// outside the frame is left out.
    pub fn char(&mut self, x: f32, y: f32, scale: f32, c: char, color: Color) {
        self.styled(x, y, scale, c, color, Look::PLAIN);
    }

    /// The same with a look of its own.
    pub fn styled(&mut self, x: f32, y: f32, scale: f32, c: char, color: Color, look: Look) {
        let half_cells = glyphs::width(c);
        if c != ' ' && half_cells > 0 {
            self.put([x, y], [8.0 * scale * half_cells as f32, 16.0 * scale], glyphs::shown(c) as u32, color, look);
        }
    }

    /// A line of small text; returns where it ends.
    pub fn text(&mut self, x: f32, y: f32, text: &str, color: Color) -> f32 {
        self.sized(x, y, self.unit(), text, color)
    }

    /// The same with type of which each pixel takes `scale` of the frame's.
    pub fn sized(&mut self, x: f32, y: f32, scale: f32, text: &str, color: Color) -> f32 {
        self.looking(x, y, scale, text, color, Look::PLAIN)
    }

    /// The same with a look of its own.
    pub fn looking(&mut self, x: f32, y: f32, scale: f32, text: &str, color: Color, look: Look) -> f32 {
        text.chars().fold(x, |x, c| {
            self.styled(x, y, scale, c, color, look);
            x + 8.0 * scale * glyphs::advance(c) as f32
        })
    }

    pub fn rect(&mut self, x: f32, y: f32, width: f32, height: f32, color: Color) {
        self.put([x.round(), y.round()], [width.round(), height.round()], SOLID, color, Look::PLAIN);
    }

    /// A rectangle between whole pixels, with edges as soft as `blur`, 0..1: light rather than a thing.
    pub fn glow(&mut self, x: f32, y: f32, width: f32, height: f32, color: Color, blur: f32) {
        self.put([x, y], [width, height], SOLID, color, Look::PLAIN.blurred(blur));
    }

    /// A disc about a middle, with an edge as soft as `blur`, 0..1.
    pub fn disc(&mut self, middle: [f32; 2], radius: f32, color: Color, blur: f32) {
        let pos = middle.map(|m| m - radius);
        self.put(pos, [2.0 * radius; 2], DISC, color, Look::PLAIN.blurred(blur));
    }

    /// A ring about a middle, `thick` pixels inwards from its radius: of short strokes, since a square as large as the ring
    /// costs a processor that draws 20 times the time.
    pub fn ring(&mut self, middle: [f32; 2], radius: f32, thick: f32, color: Color) {
        const STROKES: usize = 128;
        let r = radius - 0.5 * thick;
        let (long, wide) = (std::f32::consts::TAU * r / STROKES as f32 + 0.5 * thick, thick + 0.7);
        for stroke in 0..STROKES {
            let turns = stroke as f32 / STROKES as f32;
            let (sin, cos) = (turns * std::f32::consts::TAU).sin_cos();
            let pos = [middle[0] + r * sin - 0.5 * long, middle[1] - r * cos - 0.5 * wide];
            self.put(pos, [long, wide], SOLID, color, Look::PLAIN.blurred(0.4).turned(turns));
        }
    }

    /// A glyph that was placed for type of this scale; turned, it lies on its side.
    pub fn placed(&mut self, at: &Placed, scale: f32, color: Color, look: Look) {
        if at.ch == ' ' || at.half_cells == 0 {
            return;
        }
        let (size, lies) = ([8.0 * scale * at.half_cells as f32, 16.0 * scale], at.size(scale));
        let pos = [at.x + 0.5 * (lies[0] - size[0]), at.y + 0.5 * (lies[1] - size[1])];
        let look = if at.turned { look.turned(0.25) } else { look };
        self.put(pos, size, glyphs::shown(at.ch) as u32, color, look);
    }

    fn put(&mut self, pos: [f32; 2], size: [f32; 2], cell: u32, color: Color, look: Look) {
        let mut color = faded(color, self.alpha);
        if self.light && color[3] < 255 {
            color[3] = inked(color[3]);
        }
        if size[0] > 0.0 && size[1] > 0.0 && look.dissolve < 255 && self.is_seen(pos[0], pos[1], size, color) {
            self.glyphs.push(Glyph { pos, size, cell, color, look });
        }
    }

    fn is_seen(&self, x: f32, y: f32, [width, height]: [f32; 2], color: Color) -> bool {
        color[3] > 0 && x < self.width && y < self.height && x + width > 0.0 && y + height > 0.0
    }
}

/// Light is added to a dark ground and taken from a light one, and the eye sees half the light as three quarters of it: what
/// is faint must be plainer on paper to look as faint as on ink.
fn inked(alpha: u8) -> u8 {
    byte(1.0 - (1.0 - f32::from(alpha) / 255.0).powf(1.8))
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
        let mut typesetter = Typesetter::default();
        let mut brush = Brush::new(&mut glyphs, &mut typesetter, [100, 100], Palette::of(0.0));
        brush.char(10.0, 10.0, 2.0, '小', [255; 4]);
        brush.char(10.0, 10.0, 2.0, ' ', [255; 4]);
        brush.char(10.0, 100.0, 2.0, 'a', [255; 4]);
        brush.char(10.0, -32.0, 2.0, 'a', [255; 4]);
        brush.char(10.0, 10.0, 2.0, 'a', [255, 255, 255, 0]);
        assert_eq!(
            glyphs,
            [Glyph { pos: [10.0; 2], size: [32.0; 2], cell: '小' as u32, color: [255; 4], look: Look::PLAIN }]
        );
    }
}
