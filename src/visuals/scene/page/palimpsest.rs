//! The palimpsest: beside each of the last tokens what could have stood there, likeliest first, sinking into the page.

use super::super::brush::{Brush, Look, faded, smooth};
use super::Sheet;
use crate::score::ParamId;
use crate::visuals::FrameState;
use crate::visuals::text::{Direction, Placed, Setting, words};

/// How many tokens keep a trace of what was not drawn, and for how long.
const GHOSTS: usize = 24;
const GHOST_S: f32 = 6.0;

/// Paints the traces of a line whose letters, each with its token's index, stand at `tokens`. Under the line that is being
/// written there is room for three, beside a finished one for one.
pub fn draw(
    state: &FrameState,
    brush: &mut Brush,
    tokens: &[(u32, Placed)],
    sheet: &Sheet,
    (last, bottom): (bool, f32),
    alpha: f32,
) {
    let plain = state.params.get(ParamId::StageGhosts);
    // Roads as large as the words themselves would be read with them.
    if plain <= 0.0 || sheet.scale < 2.0 {
        return;
    }
    // Between a finished line and the next there is room for one, if the type is large enough, and not where a flaw's
    // line stands.
    let (most, scale) =
        if last { (3, (sheet.scale * 0.5).floor().max(1.0)) } else { (1, (sheet.scale * 0.375).floor()) };
    if scale < 1.0 {
        return;
    }
    let step = 17.0 * scale;
    let below = if last { 20.0 } else { 16.0 } * sheet.scale;
    let (mut free, mut placed) = (f32::MIN, Vec::new());
    for mark in state.marks.iter().rev().take(GHOSTS).rev() {
        let age_s = state.since(mark.t_ns);
        let at = tokens.iter().find(|(index, _)| *index == mark.token.index);
        let Some((_, at)) = at.filter(|_| age_s < GHOST_S && mark.left_ns.is_none() && (last || mark.flaw.is_none()))
        else {
            continue;
        };
        let old = smooth(0.25 * GHOST_S, GHOST_S, age_s);
        let (along, across) = match sheet.direction {
            Direction::Across => (at.x, at.y + below),
            Direction::Down => (at.y, at.x - step),
        };
        // Where the one before it still needs the room, it stands further off.
        let off = if along < free && last { 1.5 * step } else { 0.0 };
        for (i, (text, p)) in mark.roads().take(most).enumerate() {
            let come = smooth(0.04 * i as f32, 0.3 + 0.08 * i as f32, age_s);
            let there = alpha * plain * come * (1.0 - old) * (0.30 + 0.70 * p.sqrt());
            let color = faded(brush.palette.label, there);
            let away = off + i as f32 * step + if last { old * 6.0 * scale } else { 0.0 };
            let origin = match sheet.direction {
                Direction::Across => [along, across + away],
                Direction::Down => [across - away, along],
            };
            placed.clear();
            let setting = Setting { direction: sheet.direction, scale, origin };
            let extent = words::set(text, u32::MAX, &setting, step, &mut placed);
            // While a line rises, the last of its roads would stand in the foot.
            for glyph in placed.iter().filter(|glyph| glyph.y + 16.0 * scale <= bottom) {
                brush.placed(glyph, scale, color, Look::PLAIN.dissolved(old));
            }
            free = free.max(along + 8.0 * scale * (extent.half_cells as f32 + 1.0));
        }
    }
}
