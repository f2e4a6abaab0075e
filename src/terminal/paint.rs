//! Colours for commands that print line after line: the stage's palette where stdout is a terminal, plain text elsewhere.
//!
//! The ground is the terminal's, which may be light. So what is said has the sixteen colours, which it chose for that
//! ground, and only words by their probability, which need many greys, bring the stage's dark ground along.
//!
//! Everything that is painted is cleaned first, so that no text and no model can send an escape sequence. Pure, but for
//! [`Paint::for_stdout`].

use std::io::IsTerminal;

use ratatui::prelude::IntoCrossterm;
use ratatui::style::{Modifier, Style};

use super::palette::{Depth, Palette, Role};
use super::screen::no_screen;
use crate::desk::clean;

/// How words are coloured; plain where there is no palette.
#[derive(Clone, Copy, Debug, Default)]
pub struct Paint(pub Option<Palette>);

impl Paint {
    /// In as many colours as the terminal has, if stdout is one that understands them.
    pub fn for_stdout() -> Paint {
        let get = |name: &str| std::env::var(name).ok();
        let understands = std::io::stdout().is_terminal() && no_screen(get("TERM").as_deref()).is_none();
        Paint(understands.then(|| Palette(Depth::from_env(get))))
    }

    /// A text in one line.
    pub fn text(self, role: Role, text: &str) -> String {
        self.styled(text, |palette| palette.on_any_ground().of(role))
    }

    /// A word that the model gave the probability `p`, in one line: the surer, the brighter. Accented where it is marked.
    pub fn word(self, p: f32, marked: bool, text: &str) -> String {
        self.styled(text, |palette| match marked {
            true => grounded(palette, palette.of(Role::Improbable).add_modifier(Modifier::UNDERLINED)),
            false => grounded(palette, palette.word(p.clamp(0.0, 1.0).sqrt())),
        })
    }

    fn styled(self, text: &str, style: impl FnOnce(Palette) -> Style) -> String {
        let text = clean::line(text);
        match self.0 {
            Some(palette) if !text.is_empty() => style(palette).into_crossterm().apply(text).to_string(),
            _ => text,
        }
    }
}

fn grounded(palette: Palette, style: Style) -> Style {
    palette.ground().map_or(style, |ground| style.bg(ground))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_our_own_sequences_reaches_the_terminal() {
        let evil = "\x1b[2Ja\n\u{9b}b";
        assert_eq!(Paint::default().word(0.5, true, evil), "[2Ja b");
        assert_eq!(Paint(Some(Palette(Depth::None))).text(Role::Plain, ""), "");
        // crossterm's, whatever NO_COLOR says where the tests run.
        let painted = Paint(Some(Palette(Depth::Sixteen))).word(0.001, true, evil);
        assert!(painted.contains("[2Ja b") && painted.starts_with("\x1b[") && painted.ends_with('m'), "{painted:?}");
        assert!(painted.contains("\x1b[4m"), "{painted:?}");
    }

    #[test]
    fn a_light_terminal_can_be_read() {
        for depth in [Depth::Full, Depth::Many] {
            let paint = Paint(Some(Palette(depth)));
            let word = paint.word(1.0, false, "sure");
            assert!(word.contains("48;"), "no ground of its own: {word:?}");
            for said in [paint.text(Role::Strong, "name"), paint.text(Role::Quiet, "name")] {
                assert!(!said.contains("38;2") && !said.contains("38;5;2"), "a colour of ours: {said:?}");
            }
        }
    }
}
