//! The colours that a terminal has, and what they are used for.
//!
//! Four depths: none (`NO_COLOR`, only bold, dim and underline), sixteen, 256 and all of them. With the last two the colours
//! are ours, and so is the dark ground they stand on: what the terminal has behind its text is not known. With the others
//! both are the terminal's. Pure.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use crate::desk::page::{Glyph, Ink};

/// Below this probability a token was improbable, and is accented.
pub const IMPROBABLE: f32 = 0.02;

/// How many colours the terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    None,
    Sixteen,
    Many,
    Full,
}

impl Depth {
    /// From the environment's `NO_COLOR`, `COLORTERM` and `TERM`.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Depth {
        let get = |name| get(name).unwrap_or_default();
        let (colorterm, term) = (get("COLORTERM"), get("TERM"));
        // The DEC terminals had none, whatever claims to be one of them today.
        if !get("NO_COLOR").is_empty() || term == "dumb" || term.starts_with("vt1") || term.starts_with("vt2") {
            Depth::None
        } else if matches!(colorterm.as_str(), "truecolor" | "24bit") {
            Depth::Full
        } else if term.contains("256") {
            Depth::Many
        } else {
            Depth::Sixteen
        }
    }
}

/// What a colour is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Names of things, rules, what is unimportant.
    Quiet,
    /// Values and ordinary words.
    Plain,
    /// The title, what is chosen.
    Strong,
    /// The chosen parameter.
    Chosen,
    Prompt,
    Improbable,
    Flaw,
    Fault,
    /// Bars and curves.
    Bar,
}

/// The styles of one depth.
#[derive(Clone, Copy, Debug)]
pub struct Palette(pub Depth);

impl Palette {
    /// What the words stand on; none where the terminal's own ground has to do.
    pub fn ground(self) -> Option<Color> {
        match self.0 {
            Depth::Full => Some(Color::Rgb(9, 9, 11)),
            Depth::Many => Some(Color::Indexed(232)),
            Depth::Sixteen | Depth::None => None,
        }
    }

    /// No light, as far as the terminal can be told so.
    pub fn dark(self) -> Style {
        match self.0 {
            Depth::Full => Style::default().bg(Color::Rgb(0, 0, 0)),
            Depth::Many => Style::default().bg(Color::Indexed(16)),
            Depth::Sixteen => Style::default().bg(Color::Black),
            Depth::None => Style::default(),
        }
    }

    /// The same roles in colours that the terminal has chosen for its own ground.
    pub fn on_any_ground(self) -> Palette {
        match self.0 {
            Depth::Full | Depth::Many => Palette(Depth::Sixteen),
            Depth::Sixteen | Depth::None => self,
        }
    }

    /// Puts the ground behind what was drawn, and gives a colour to what has none: the terminal's own may be black.
    pub fn lay_ground(self, area: Rect, buf: &mut Buffer) {
        let (Some(ground), Some(plain)) = (self.ground(), self.of(Role::Plain).fg) else { return };
        for at in area.positions() {
            let Some(cell) = buf.cell_mut(at) else { continue };
            if cell.bg == Color::Reset {
                cell.bg = ground;
            }
            if cell.fg == Color::Reset {
                cell.fg = plain;
            }
        }
    }

    pub fn of(self, role: Role) -> Style {
        let style = Style::default();
        let (full, many, sixteen, modifier) = match role {
            Role::Quiet => ((126, 128, 136), 245, Color::Reset, Modifier::DIM),
            Role::Plain => ((200, 198, 190), 251, Color::Reset, Modifier::empty()),
            Role::Strong => ((240, 236, 222), 255, Color::Reset, Modifier::BOLD),
            Role::Chosen => ((240, 236, 222), 255, Color::Reset, Modifier::REVERSED),
            Role::Prompt => ((126, 178, 190), 109, Color::Cyan, Modifier::ITALIC),
            Role::Improbable => ((232, 168, 72), 179, Color::Yellow, Modifier::BOLD),
            Role::Flaw => ((222, 108, 140), 168, Color::Magenta, Modifier::UNDERLINED),
            Role::Fault => ((232, 92, 80), 203, Color::Red, Modifier::BOLD),
            Role::Bar => ((120, 160, 140), 108, Color::Green, Modifier::empty()),
        };
        match self.0 {
            // With colours to spare, dim and bold are colours.
            Depth::Full | Depth::Many => {
                let kept = modifier & (Modifier::REVERSED | Modifier::UNDERLINED);
                let (r, g, b) = full;
                let color = if self.0 == Depth::Full { Color::Rgb(r, g, b) } else { Color::Indexed(many) };
                style.fg(color).add_modifier(kept)
            }
            Depth::Sixteen => style.fg(sixteen).add_modifier(modifier),
            // Bold is a word that is certain, so the improbable and the wrong look otherwise.
            Depth::None => style.add_modifier(match role {
                Role::Improbable => Modifier::UNDERLINED,
                Role::Flaw => Modifier::REVERSED,
                _ => modifier,
            }),
        }
    }

    /// A glyph of the page; `certainty` (0..1) says how plainly its probability shows.
    pub fn glyph(self, glyph: &Glyph, certainty: f32) -> Style {
        let style = match glyph.ink {
            Ink::Prompt => self.of(Role::Prompt),
            Ink::Word { p } if p < IMPROBABLE && certainty > 0.0 => self.of(Role::Improbable),
            Ink::Word { p } => self.word(1.0 - certainty * (1.0 - p.clamp(0.0, 1.0).sqrt())),
        };
        if glyph.flawed { style.patch(self.of(Role::Flaw)) } else { style }
    }

    /// A word at a brightness of 0..1; the darkest still has a contrast of 4.5:1 (WCAG 2.2, success criterion 1.4.3).
    pub fn word(self, brightness: f32) -> Style {
        let style = Style::default();
        match self.0 {
            Depth::Full => {
                let at = |full: f32| (full * (0.5 + 0.5 * brightness)) as u8;
                style.fg(Color::Rgb(at(246.0), at(240.0), at(224.0)))
            }
            // The grey ramp is 232..=255.
            Depth::Many => style.fg(Color::Indexed(244 + (11.0 * brightness) as u8)),
            Depth::Sixteen | Depth::None => match brightness {
                0.75.. => style.add_modifier(Modifier::BOLD),
                0.45.. => style,
                _ => style.add_modifier(Modifier::DIM),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_how_many_colours() {
        let depth =
            |vars: &[(&str, &str)]| Depth::from_env(|name| vars.iter().find(|v| v.0 == name).map(|v| v.1.to_string()));
        assert_eq!(depth(&[]), Depth::Sixteen);
        assert_eq!(depth(&[("TERM", "screen-256color")]), Depth::Many);
        assert_eq!(depth(&[("TERM", "xterm"), ("COLORTERM", "truecolor")]), Depth::Full);
        assert_eq!(depth(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]), Depth::None);
        assert_eq!(depth(&[("NO_COLOR", ""), ("TERM", "linux")]), Depth::Sixteen);
        assert_eq!((depth(&[("TERM", "vt100")]), depth(&[("TERM", "vte-256color")])), (Depth::None, Depth::Many));
    }

    #[test]
    fn without_colour_no_colour_is_used() {
        let palette = Palette(Depth::None);
        for role in [Role::Quiet, Role::Chosen, Role::Prompt, Role::Improbable, Role::Flaw, Role::Fault, Role::Bar] {
            assert_eq!(palette.of(role).fg, None, "{role:?}");
        }
        for brightness in [0.0, 0.5, 1.0] {
            assert_eq!(palette.word(brightness).fg, None);
        }
    }

    #[test]
    fn without_colour_certainty_is_still_seen() {
        let glyph = |p, flawed| {
            let mut page = crate::desk::page::Page::default();
            page.token("a", p, 0);
            if flawed {
                page.flaw(0, 1);
            }
            Palette(Depth::None).glyph(page.glyph(0), 0.8)
        };
        let styles = [glyph(1.0, false), glyph(0.25, false), glyph(0.05, false), glyph(0.001, false), glyph(1.0, true)];
        for (i, style) in styles.iter().enumerate() {
            assert!(styles[..i].iter().all(|other| other != style), "{styles:#?}");
        }
    }

    #[test]
    fn the_surer_the_brighter() {
        let Some(Color::Indexed(dark)) = Palette(Depth::Many).word(0.1).fg else { panic!() };
        let Some(Color::Indexed(bright)) = Palette(Depth::Many).word(1.0).fg else { panic!() };
        assert!(dark < bright && bright == 255);
    }

    /// The light of a colour, 0..1; of those by number only the cube and the greys, which every terminal has alike.
    fn light(color: Color) -> f64 {
        let [r, g, b] = match color {
            Color::Rgb(r, g, b) => [r, g, b],
            Color::Indexed(grey @ 232..) => [8 + 10 * (grey - 232); 3],
            Color::Indexed(n @ 16..) => {
                [(n - 16) / 36, (n - 16) / 6 % 6, (n - 16) % 6].map(|v| [0, 95, 135, 175, 215, 255][usize::from(v)])
            }
            other => panic!("the terminal's own {other:?}"),
        };
        let linear = |v: u8| match f64::from(v) / 255.0 {
            v if v <= 0.04045 => v / 12.92,
            v => ((v + 0.055) / 1.055).powf(2.4),
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    #[test]
    fn everything_can_be_read_on_our_ground() {
        for palette in [Palette(Depth::Full), Palette(Depth::Many)] {
            let ground = light(palette.ground().unwrap());
            let contrast = |style: Style| (light(style.fg.unwrap()) + 0.05) / (ground + 0.05);
            let roles = [Role::Quiet, Role::Plain, Role::Strong, Role::Chosen, Role::Prompt];
            for role in roles.into_iter().chain([Role::Improbable, Role::Flaw, Role::Fault, Role::Bar]) {
                assert!(contrast(palette.of(role)) >= 4.5, "{palette:?} {role:?} {}", contrast(palette.of(role)));
            }
            for brightness in [0.0, 0.3, 1.0] {
                let contrast = contrast(palette.word(brightness));
                assert!(contrast >= 4.5, "{palette:?} {brightness} {contrast}");
            }
        }
    }
}
