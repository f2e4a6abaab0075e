//! The plate: what the model is, as on the label beside a picture, in the upper right corner over a dark ground.

use super::brush::{Brush, Color, faded, fit, smooth, text_width};
use super::tone;
use crate::score::ParamId;
use crate::visuals::FrameState;

/// How long the plate takes to come and to go.
const FADE_S: f32 = 0.35;
const GROUND: Color = [7, 9, 11, 238];

/// Paints the plate, which ends above `bottom`, so that the line being written stays free.
pub fn draw(state: &FrameState, brush: &mut Brush, bottom: f32) {
    let on = state.params.get(ParamId::Plate) >= 0.5;
    let come = state.plate_ns.map_or(1.0, |t_ns| smooth(0.0, FADE_S, state.since(t_ns)));
    let alpha = if on { come } else { 1.0 - come };
    let Some((name, lines)) = state.card.split_first().filter(|_| alpha > 0.0 && (on || state.plate_ns.is_some()))
    else {
        return;
    };
    let unit = brush.unit();
    let (pad, leading) = (18.0 * unit, 21.0 * unit);
    let margin = (brush.width * 0.07).round();
    let top = (brush.height * 0.06).round();
    let room = (brush.width - 2.0 * margin - 2.0 * pad) / unit;
    // The name in twice the size, where there is room for it.
    let large = if 2.0 * text_width(name) <= room { 2.0 } else { 1.0 };
    let name = fit(name, room);
    let head = 16.0 * large * unit + 20.0 * unit;
    let fitting = ((bottom - top - 2.0 * pad - head) / leading).floor().max(0.0) as usize;
    let shown = &lines[..lines.len().min(fitting)];
    let widest = shown.iter().map(|line| text_width(line)).fold(large * text_width(&name), f32::max);
    let wide = widest.min(room) * unit + 2.0 * pad;
    let tall = 2.0 * pad + head + shown.len() as f32 * leading - 5.0 * unit;
    let left = brush.width - margin - wide;

    brush.rect(left, top, wide, tall, faded(GROUND, alpha));
    frame(brush, [left, top, wide, tall], unit, faded(tone::LABEL, 0.4 * alpha));
    let (x, mut y) = (left + pad, top + pad);
    brush.sized(x, y, large * unit, &name, faded(tone::PAPER, alpha));
    y += head;
    brush.rect(x, y - 10.0 * unit, 40.0 * unit, unit, faded(tone::AMBER, alpha));
    for line in shown {
        brush.text(x, y, &fit(line, room), faded(tone::LABEL, alpha));
        y += leading;
    }
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
        assert_eq!((ground(&[1.0], 400), ground(&[1.0], 9000)), (GROUND[3], GROUND[3]));
        assert!(ground(&[1.0, 0.0], 100) > ground(&[1.0, 0.0], 250) && ground(&[1.0, 0.0], 400) == 0);
    }

    #[test]
    fn it_stays_within_the_frame_and_off_the_line_being_written() {
        let long = format!("{}\n{}", "长".repeat(30), "a word and another ".repeat(3).repeat(4) + "\n").repeat(6);
        for card in [CARD, &long] {
            for size in [[1280, 720], [640, 360], [1920, 1080], [400, 200], [320, 900], [3840, 2160]] {
                let glyphs = plate(card, &[1.0], 5000, size);
                let (ground, inside) = glyphs.split_first().unwrap();
                let corner = |g: &Glyph| [g.pos[0] + g.size[0], g.pos[1] + g.size[1]];
                let [right, below] = corner(ground);
                assert!(ground.pos[0] >= 0.0 && right <= size[0] as f32, "{size:?} {ground:?}");
                assert!(below <= size[1] as f32 * 0.75, "{size:?} {ground:?}");
                for glyph in inside {
                    assert!(glyph.pos[0] >= ground.pos[0] && glyph.pos[1] >= ground.pos[1], "{size:?} {glyph:?}");
                    assert!(corner(glyph)[0] <= right && corner(glyph)[1] <= below, "{size:?} {glyph:?} {ground:?}");
                }
            }
        }
    }
}
