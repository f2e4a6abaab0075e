//! The plate: what the model is, as on the label beside a picture, in the upper right corner over a dark ground.

use super::brush::{Brush, Color, faded, fit, smooth, text_width};
use super::{Ceiling, page};
use crate::score::ParamId;
use crate::visuals::FrameState;

/// How long the plate takes to come and to go.
const FADE_S: f32 = 0.35;

/// A plate laid out for a frame.
pub struct Plate<'a> {
    name: String,
    /// How much larger than small type the name is.
    large: f32,
    lines: &'a [String],
    /// How much of it is there, 0..1.
    there: f32,
    /// Left, top, width, height.
    place: [f32; 4],
    unit: f32,
}

impl<'a> Plate<'a> {
    /// Lays the plate out above `bottom`, the foot's upper edge, with room for a line of words between; `None` where it
    /// is not shown.
    pub fn of(state: &'a FrameState, brush: &Brush, bottom: f32) -> Option<Plate<'a>> {
        let on = state.params.get(ParamId::Plate) >= 0.5;
        let there = match state.plate_ns.map(|t_ns| smooth(0.0, FADE_S, state.since(t_ns))) {
            Some(come) => {
                if on {
                    come
                } else {
                    1.0 - come
                }
            }
            None => f32::from(on),
        };
        let (name, lines) = state.card.split_first().filter(|_| there > 0.0)?;
        let unit = brush.unit();
        let margin = (brush.width * 0.07).round();
        let top = (brush.height * 0.06).round();
        let room = (brush.width - 2.0 * margin) / unit - 2.0 * PAD;
        // The name in twice the size, where there is room for it.
        let large = if 2.0 * text_width(name) <= room { 2.0 } else { 1.0 };
        let name = fit(name, room);
        let tall = |lines: usize| (2.0 * PAD + head(large) + lines as f32 * LEADING - 5.0) * unit;
        let free = page::lowest(state, brush, bottom) - GAP * unit - top;
        // A window that has no room for the name has none for a plate.
        let lines = &lines[..(0..=lines.len()).rev().find(|n| tall(*n) <= free)?];
        let widest = lines.iter().map(|line| text_width(line)).fold(large * text_width(&name), f32::max);
        let wide = (widest.min(room) + 2.0 * PAD) * unit;
        let place = [brush.width - margin - wide, top, wide, tall(lines.len())];
        Some(Plate { name, large, lines, there, place, unit })
    }

    /// What it takes from the words.
    pub fn ceiling(&self) -> Ceiling {
        Ceiling { y: self.place[1] + self.place[3] + GAP * self.unit, there: self.there }
    }

    pub fn draw(&self, brush: &mut Brush) {
        let unit = self.unit;
        let [left, top, wide, tall] = self.place;
        let tint = |color| faded(color, self.there);
        brush.rect(left, top, wide, tall, tint(brush.palette.panel()));
        let line = tint(faded(brush.palette.label, 0.4));
        frame(brush, self.place, unit, line);
        let (x, y) = (left + PAD * unit, top + PAD * unit);
        brush.sized(x, y, self.large * unit, &self.name, tint(brush.palette.paper));
        let below = y + head(self.large) * unit;
        if !self.lines.is_empty() {
            brush.rect(x, below - 13.0 * unit, 40.0 * unit, unit, tint(brush.palette.accent));
        }
        let room = wide / unit - 2.0 * PAD;
        for (line, row) in self.lines.iter().zip(0..) {
            brush.text(x, below + row as f32 * LEADING * unit, &fit(line, room), tint(brush.palette.label));
        }
    }
}

/// From the plate's edge to its words, from line to line, and from the plate to the page, in pixels of small type.
const PAD: f32 = 18.0;
const LEADING: f32 = 21.0;
const GAP: f32 = 14.0;

/// What the name takes with the stroke below it.
fn head(large: f32) -> f32 {
    16.0 * large + 20.0
}

/// A thin line around, just inside the edge.
fn frame(brush: &mut Brush, [x, y, wide, tall]: [f32; 4], thick: f32, color: Color) {
    brush.rect(x, y, wide, thick, color);
    brush.rect(x, y + tall - thick, wide, thick, color);
    brush.rect(x, y + thick, thick, tall - 2.0 * thick, color);
    brush.rect(x + wide - thick, y + thick, thick, tall - 2.0 * thick, color);
}

#[cfg(test)]
mod tests {
    use super::super::{Glyph, SOLID, build};
    use super::*;
    use crate::score::{Event, Hand, Stamped};
    use crate::visuals::palette::PALETTES;

    const CARD: &str = "Little voice 小声\n2.98 M parameters, 5 layers of 192\n6.31 bits a character of unseen Chinese";

    /// The glyphs of a frame `t_ms` after the plate was switched, without those of one that has none.
    fn plate(card: &str, switched: &[f32], t_ms: u64, size: [u32; 2]) -> Vec<Glyph> {
        let mut state = FrameState::new();
        let mut frame = |events: Vec<Event>| {
            for event in events {
                state.apply(&Stamped { seq: 0, t_ns: 10_000_000_000, event });
            }
            state.advance(10_000_000_000 + t_ms * 1_000_000);
            let mut glyphs = Vec::new();
            build(&state, size, &mut glyphs);
            glyphs
        };
        let without = frame(vec![]);
        let set = |value: &f32| Event::Param { id: ParamId::Plate, value: *value, by: Hand::Patch };
        let events = std::iter::once(Event::Card { text: card.into() }).chain(switched.iter().map(set));
        let with = frame(events.collect());
        with.into_iter().filter(|glyph| !without.contains(glyph)).collect()
    }

    fn words(glyphs: &[Glyph]) -> String {
        glyphs.iter().filter(|g| g.cell != SOLID).filter_map(|g| char::from_u32(g.cell)).collect()
    }

    #[test]
    fn it_is_there_when_it_is_wanted_and_says_what_the_card_says() {
        assert_eq!(plate(CARD, &[], 5000, [1280, 720]), []);
        let glyphs = plate(CARD, &[1.0], 5000, [1280, 720]);
        assert_eq!(words(&glyphs), CARD.replace([' ', '\n'], ""));
        assert_eq!(plate("", &[1.0], 5000, [1280, 720]), []);
        assert_eq!(plate(CARD, &[1.0, 0.0], 5000, [1280, 720]), []);
    }

    #[test]
    fn it_comes_and_goes_softly() {
        let ground =
            |switched: &[f32], t_ms| plate(CARD, switched, t_ms, [1280, 720]).first().map_or(0, |g| g.color[3]);
        assert!(0 < ground(&[1.0], 100) && ground(&[1.0], 100) < ground(&[1.0], 250));
        assert_eq!((ground(&[1.0], 400), ground(&[1.0], 9000)), (255, 255));
        assert!(ground(&[1.0, 0.0], 100) > ground(&[1.0, 0.0], 250) && ground(&[1.0, 0.0], 400) == 0);
    }

    #[test]
    fn it_stays_within_the_frame_and_off_the_line_being_written() {
        let long = format!("{}\n{}\n", "长".repeat(30), "a word and another ".repeat(12)).repeat(6);
        for card in [CARD, &long] {
            for size in [[1280, 720], [640, 360], [1920, 1080], [400, 200], [320, 900], [3840, 2160]] {
                let glyphs = plate(card, &[1.0], 5000, size);
                // The caret moves as well.
                let Some(at) = glyphs.iter().position(|g| g.color == PALETTES[0].panel()) else {
                    assert!(glyphs.is_empty() && size == [400, 200], "{size:?}");
                    continue;
                };
                let (caret, [ground, inside @ ..]) = glyphs.split_at(at) else { panic!("{size:?}") };
                let corner = |g: &Glyph| [g.pos[0] + g.size[0], g.pos[1] + g.size[1]];
                let [right, below] = corner(ground);
                assert!(ground.pos[0] >= 0.0 && right <= size[0] as f32, "{size:?} {ground:?}");
                assert!(caret.iter().all(|g| g.pos[1] >= below || g.pos[0] >= right), "{size:?} {ground:?} {caret:?}");
                for glyph in inside {
                    assert!(glyph.pos[0] >= ground.pos[0] && glyph.pos[1] >= ground.pos[1], "{size:?} {glyph:?}");
                    assert!(corner(glyph)[0] <= right && corner(glyph)[1] <= below, "{size:?} {glyph:?} {ground:?}");
                }
            }
        }
    }

    #[test]
    fn the_words_sink_under_it_and_rise_again() {
        let mut state = FrameState::new();
        state.apply(&Stamped { seq: 0, t_ns: 0, event: Event::Card { text: "a\n".repeat(12) } });
        let mut caret = |value: f32, t_ms: u64| {
            let set = Event::Param { id: ParamId::Plate, value, by: Hand::Key };
            state.apply(&Stamped { seq: 0, t_ns: t_ms * 1_000_000, event: set });
            let mut glyphs = Vec::new();
            let mut at = |state: &mut FrameState, after: u64| {
                state.advance((t_ms + after) * 1_000_000);
                build(state, [1280, 720], &mut glyphs);
                // Of the solid ones the caret alone is neither bar nor plate.
                glyphs.iter().find(|g| g.cell == SOLID && g.size[0] < 60.0 && g.size[1] > 30.0).unwrap().pos[1]
            };
            [at(&mut state, 0), at(&mut state, 150), at(&mut state, 900)]
        };
        let down = caret(1.0, 1000);
        assert!(down[0] < down[1] && down[1] < down[2], "{down:?}");
        let up = caret(0.0, 4000);
        assert!(up[0] > up[1] && up[1] > up[2], "{up:?}");
    }
}
