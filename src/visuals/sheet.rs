//! A contact sheet: pictures of one size in a grid on the stage's ground, each with its name beneath in the stage's type.
//!
//! Pure: pixels go in and come out. Any thread.

use super::palette::Palette;
use super::scene::Color;
use super::text::glyphs;

/// How many pictures stand side by side.
const COLUMNS: u32 = 2;

pub struct Sheet {
    /// Pixels of a picture.
    tile: [u32; 2],
    /// Pixels of the whole.
    size: [u32; 2],
    /// Pixels between pictures, and those of the frame to one of the type.
    gap: u32,
    scale: u32,
    palette: &'static Palette,
    pixels: Vec<u8>,
}

impl Sheet {
    /// Room for so many pictures of `tile` pixels.
    pub fn new(tile: [u32; 2], count: u32, palette: &'static Palette) -> Sheet {
        let scale = (tile[1] / 360).max(1);
        let gap = 16 * scale;
        let rows = count.div_ceil(COLUMNS);
        let size = [COLUMNS * (tile[0] + gap) + gap, rows * (tile[1] + band(scale)) + gap];
        let ground: [u8; 4] = palette.ground;
        let pixels = ground.repeat((size[0] * size[1]) as usize);
        Sheet { tile, size, gap, scale, palette, pixels }
    }

    /// Puts the picture of number `at` in its place, and its name beneath: what the name does not fit is left out.
    pub fn put(&mut self, at: u32, rgba: &[u8], name: &str) {
        let [wide, tall] = self.tile;
        let left = self.gap + at % COLUMNS * (wide + self.gap);
        let top = self.gap + at / COLUMNS * (tall + band(self.scale));
        for (row, line) in (top..).zip(rgba.chunks_exact(wide as usize * 4)) {
            let from = ((row * self.size[0] + left) * 4) as usize;
            if let Some(place) = self.pixels.get_mut(from..from + line.len()) {
                place.copy_from_slice(line);
            }
        }
        let mut x = left;
        for c in name.chars() {
            let advance = 8 * self.scale * glyphs::advance(c);
            if x + advance > left + wide {
                break;
            }
            self.letter(c, [x, top + tall + 7 * self.scale], self.palette.label);
            x += advance;
        }
    }

    fn letter(&mut self, c: char, [left, top]: [u32; 2], [r, g, b, _]: Color) {
        for (y, row) in (0..).zip(glyphs::rows(c)) {
            for x in (0..16).filter(|x| row & (0x8000 >> x) != 0) {
                for (dx, dy) in (0..self.scale).flat_map(|dy| (0..self.scale).map(move |dx| (dx, dy))) {
                    let at = (top + y * self.scale + dy) * self.size[0] + left + x * self.scale + dx;
                    if let Some(pixel) = self.pixels.get_mut(at as usize * 4..at as usize * 4 + 3) {
                        pixel.copy_from_slice(&[r, g, b]);
                    }
                }
            }
        }
    }

    /// Width, height and RGBA pixels of the whole.
    pub fn done(self) -> (u32, u32, Vec<u8>) {
        (self.size[0], self.size[1], self.pixels)
    }
}

/// The height of a name with the room around it.
fn band(scale: u32) -> u32 {
    36 * scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stand_apart_and_have_their_names() {
        let mut sheet = Sheet::new([40, 20], 3, Palette::of(0.0));
        let red = [255, 0, 0, 255].repeat(800);
        (0..3).for_each(|i| sheet.put(i, &red, "a long name"));
        let (wide, tall, pixels) = sheet.done();
        assert_eq!((wide, tall, pixels.len()), (128, 128, 128 * 128 * 4));
        let at = |x: u32, y: u32| &pixels[((y * wide + x) * 4) as usize..][..3];
        assert_eq!([at(15, 16), at(16, 16), at(55, 35), at(56, 35)], [[0; 3], [255, 0, 0], [255, 0, 0], [0; 3]]);
        assert_eq!([at(72, 16), at(16, 72), at(72, 72)], [[255, 0, 0], [255, 0, 0], [0; 3]]);
        let label = Palette::of(0.0).label;
        let inked = |x: std::ops::Range<u32>, y: std::ops::Range<u32>| {
            y.flat_map(|y| x.clone().map(move |x| (x, y))).filter(|(x, y)| at(*x, *y) == &label[..3]).count()
        };
        assert!(inked(16..56, 36..72) > 20);
        assert_eq!(inked(56..72, 0..128) + inked(0..16, 0..128), 0, "a name keeps below its picture");
    }
}
