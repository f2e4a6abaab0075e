//! The help over a darkened stage: its first page has keys and prompts on the left, every parameter with its value on
//! the right; each of the others has the whole width.

use super::brush::{Brush, fit};
use crate::score::{ParamId, reading};
use crate::visuals::FrameState;

/// Paints the overlay over the whole frame.
pub fn draw(state: &FrameState, brush: &mut Brush) {
    let unit = brush.unit();
    let (width, height) = (brush.width, brush.height);
    brush.rect(0.0, 0.0, width, height, brush.palette.panel());
    let margin = (width * 0.07).round();
    let line = 22.0 * unit;
    let column = ((width - 2.0 * margin) / 2.0 - 16.0 * unit).floor();
    let top = (height * 0.07).round();

    let mut y = top;
    let at = state.help_page % state.help_pages.len().max(1);
    let first = at == 0;
    let wide = if first { column } else { width - 2.0 * margin } / unit;
    let page = state.help_pages.get(at).cloned().unwrap_or_default();
    if !first {
        brush.text(margin, y, &fit(&page.title, wide), brush.palette.label);
        y += 2.0 * line;
    }
    let palette = brush.palette;
    let keys = page.rows((wide / 8.0) as usize);
    let mut rows: Vec<_> = keys.into_iter().map(|(name, text)| (format!("{name}{text}"), palette.paper)).collect();
    if first && !state.prompts.is_empty() {
        rows.extend([(String::new(), palette.label), ("prompts".to_string(), palette.label)]);
        let prompts = state.prompts.iter().enumerate();
        rows.extend(prompts.map(|(i, name)| (format!("{}  {name}", i + 1), palette.prompt)));
    }
    // The last row that stands within the frame says that there are more.
    let room = (((height - 0.5 * top - y) / line).floor() as usize).max(1);
    let cut = rows.len() > room;
    for (text, color) in rows.iter().take(if cut { room - 1 } else { room }) {
        brush.text(margin, y, &fit(text, wide), *color);
        y += line;
    }
    if cut {
        brush.text(margin, y, "…", palette.label);
    }
    if !first {
        return;
    }

    // All of them, or as many around the chosen one as there is room for, with arrows where there are more.
    let room = ((height - 2.0 * top) / line).floor().max(3.0) as usize;
    let (count, chosen) = (ParamId::COUNT, state.selected as usize);
    let shown = if count <= room { 0..count } else { around(chosen, count, room - 2) };
    let x = margin + column + 32.0 * unit;
    let values = x + 216.0 * unit;
    let more = usize::from(shown.len() < count);
    if shown.start > 0 {
        brush.text(x, top, "↑", brush.palette.label);
    }
    if shown.end < count {
        brush.text(x, top + (shown.len() + 1) as f32 * line, "↓", brush.palette.label);
    }
    for (i, id) in ParamId::ALL[shown].iter().enumerate() {
        let y = top + (i + more) as f32 * line;
        let color = if *id == state.selected { brush.palette.prompt } else { brush.palette.label };
        brush.text(x, y, id.name(), color);
        brush.text(
            values,
            y,
            &fit(&reading::param(*id, state.base.get(*id)), (width - margin - values) / unit),
            brush.palette.paper,
        );
    }
}

/// `room` rows with the chosen one in the middle, or near an end of the table.
fn around(chosen: usize, count: usize, room: usize) -> std::ops::Range<usize> {
    let first = chosen.saturating_sub(room / 2).min(count - room);
    first..first + room
}

#[cfg(test)]
mod tests {
    use super::super::{Glyph, build};
    use super::*;
    use crate::score::{Event, HelpPage, Stamped};
    use crate::visuals::palette::PALETTES;

    #[test]
    fn help_shows_keys_and_parameters_within_the_frame() {
        let mut state = FrameState::new();
        state.set_help(vec![HelpPage { title: "keys".into(), lines: vec![("Ω".into(), "quit".into())] }]);
        let mut glyphs: Vec<Glyph> = Vec::new();
        build(&state, [1280, 720], &mut glyphs);
        let (before, key) = (glyphs.len(), 'Ω' as u32);
        assert!(!glyphs.iter().any(|g| g.cell == key));
        state.apply(&Stamped { seq: 0, t_ns: 0, event: Event::Help { on: true, page: 0 } });
        build(&state, [1280, 720], &mut glyphs);
        assert!(glyphs.iter().any(|g| g.cell == key));
        let lines: std::collections::BTreeSet<_> = glyphs[before..].iter().map(|g| g.pos[1] as i32).collect();
        assert!(lines.len() > 20);
        for size in [[1280, 720], [640, 360], [1920, 1080], [400, 200]] {
            for id in ParamId::ALL {
                state.apply(&Stamped { seq: 0, t_ns: 0, event: Event::Select { id: *id } });
                build(&state, size, &mut glyphs);
                let [width, height] = size.map(|s| s as f32);
                // Wherever it stands in the table, the chosen one is in sight.
                let overlay = glyphs.iter().rposition(|g| g.size == [width, height]).unwrap();
                let inside = |g: &Glyph| g.pos[1] + g.size[1] <= height && g.pos[0] + g.size[0] <= width;
                assert!(glyphs[overlay..].iter().all(inside), "{size:?}");
                let chosen = glyphs[overlay..].iter().filter(|g| g.color == PALETTES[0].prompt);
                let name: String = chosen.filter_map(|g| char::from_u32(g.cell)).collect();
                assert!(id.name().starts_with(&name) && (name == id.name() || width < 1000.0), "{size:?} {name}");
                assert!(!name.is_empty(), "{size:?} {id:?}");
            }
        }
    }

    #[test]
    fn however_many_prompts_a_patch_has_they_stay_in_the_frame() {
        let mut state = FrameState::new();
        state.set_help(vec![HelpPage { title: "keys".into(), lines: vec![("Ω".into(), "quit".into()); 12] }]);
        let help = Event::Help { on: true, page: 0 };
        state.apply(&Stamped { seq: 0, t_ns: 0, event: help });
        let mut glyphs: Vec<Glyph> = Vec::new();
        for (count, cut) in [(3, false), (300, true)] {
            let named = |i| format!("moon{i} = \"moon\"\n");
            let text = format!("[prompts]\n{}", (0..count).map(named).collect::<String>());
            state.apply(&Stamped { seq: 1, t_ns: 0, event: Event::Patch { name: "p".into(), text } });
            build(&state, [1280, 720], &mut glyphs);
            let overlay = glyphs.iter().rposition(|g| g.size == [1280.0, 720.0]).unwrap();
            assert!(glyphs[overlay..].iter().all(|g| g.pos[1] + g.size[1] <= 720.0), "{count}");
            assert_eq!(glyphs[overlay..].iter().any(|g| g.cell == '…' as u32 && g.pos[0] < 600.0), cut, "{count}");
        }
    }

    #[test]
    fn the_rows_around_the_chosen_one_stay_within_the_table() {
        assert_eq!(around(0, 41, 26), 0..26);
        assert_eq!(around(20, 41, 26), 7..33);
        assert_eq!(around(40, 41, 26), 15..41);
    }
}
