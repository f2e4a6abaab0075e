//! The help: keys and prompts on the left, every parameter with its value on the right, over a darkened stage.

use super::brush::{Brush, fit};
use super::foot::reading;
use super::tone;
use crate::score::ParamId;
use crate::visuals::FrameState;

/// Paints the overlay over the whole frame.
pub fn draw(state: &FrameState, brush: &mut Brush) {
    let unit = brush.unit();
    let (width, height) = (brush.width, brush.height);
    brush.rect(0.0, 0.0, width, height, [4, 6, 8, 250]);
    let margin = (width * 0.07).round();
    let line = 22.0 * unit;
    let column = ((width - 2.0 * margin) / 2.0 - 16.0 * unit).floor();
    let top = (height * 0.07).round();

    let mut y = top;
    for text in &state.help_lines {
        brush.text(margin, y, &fit(text, column / unit), tone::PAPER);
        y += line;
    }
    if !state.prompts.is_empty() {
        y += line;
        brush.text(margin, y, "prompts", tone::LABEL);
        y += line;
        for (i, name) in state.prompts.iter().enumerate() {
            brush.text(margin, y, &fit(&format!("{}  {name}", i + 1), column / unit), tone::PROMPT);
            y += line;
        }
    }

    let x = margin + column + 32.0 * unit;
    let values = x + 208.0 * unit;
    for (i, id) in ParamId::ALL.iter().enumerate() {
        let y = top + i as f32 * line;
        let color = if *id == state.selected { tone::PROMPT } else { tone::LABEL };
        brush.text(x, y, id.name(), color);
        brush.text(values, y, &fit(&reading(*id, state.base.get(*id)), (width - margin - values) / unit), tone::PAPER);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Glyph, build};
    use super::*;
    use crate::score::{Event, Stamped};

    #[test]
    fn help_shows_keys_and_every_parameter_within_the_frame() {
        let mut state = FrameState::new();
        state.set_help(vec!["Ω quit".into()]);
        let mut glyphs: Vec<Glyph> = Vec::new();
        build(&state, [1280, 720], &mut glyphs);
        let (before, key) = (glyphs.len(), 'Ω' as u32);
        assert!(!glyphs.iter().any(|g| g.cell == key));
        state.apply(&Stamped { seq: 0, t_ns: 0, event: Event::Help { on: true } });
        build(&state, [1280, 720], &mut glyphs);
        assert!(glyphs.iter().any(|g| g.cell == key));
        let lines: std::collections::BTreeSet<_> = glyphs[before..].iter().map(|g| g.pos[1] as i32).collect();
        assert!(lines.len() > ParamId::COUNT);
        assert!(glyphs.iter().all(|g| g.pos[1] + g.size[1] <= 720.0 && g.pos[0] + g.size[0] <= 1280.0));
    }
}
