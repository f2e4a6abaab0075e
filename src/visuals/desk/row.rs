//! Rows of the view: pieces of text, bars and curves on a grid of half cells. Pure.

use super::columns;
use crate::visuals::glyphs;
use crate::visuals::palette::Palette;
use crate::visuals::scene::{Brush, Color, faded};

/// What a piece says, from which its colour follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ink {
    Plain,
    Strong,
    Quiet,
    Prompt,
    /// Improbable, moved or wrong.
    Fault,
    Bar,
}

impl Ink {
    fn color(self, palette: &Palette) -> Color {
        match self {
            Ink::Plain => palette.paper,
            Ink::Strong => palette.lit,
            Ink::Quiet => palette.label,
            Ink::Prompt => palette.prompt,
            Ink::Fault => palette.accent,
            Ink::Bar => palette.bar(),
        }
    }
}

/// What stands side by side in a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    Text(String, Ink),
    /// Filled to a part, 0..1, with a tick where it is played.
    Bar {
        part: f32,
        tick: Option<f32>,
        columns: usize,
        ink: Ink,
    },
    /// Heights, 0..1, oldest first; it ends at the right.
    Curve {
        heights: Vec<f32>,
        columns: usize,
    },
}

pub type Row = Vec<Piece>;

impl Piece {
    pub fn text(text: impl Into<String>, ink: Ink) -> Piece {
        Piece::Text(text.into(), ink)
    }

    /// The text in exactly so many columns, cut or filled up.
    pub fn fitted(text: &str, wide: usize, ink: Ink) -> Piece {
        let cut = cut(text, wide);
        let fill = wide - columns(&cut);
        Piece::Text(cut + &" ".repeat(fill), ink)
    }

    pub fn bar(part: f32, columns: usize) -> Piece {
        Piece::Bar { part, tick: None, columns, ink: Ink::Bar }
    }

    pub fn columns(&self) -> usize {
        match self {
            Piece::Text(text, _) => columns(text),
            Piece::Bar { columns, .. } | Piece::Curve { columns, .. } => *columns,
        }
    }
}

/// As much of the text as so many columns hold, with an ellipsis where it was cut.
pub fn cut(text: &str, wide: usize) -> String {
    if columns(text) <= wide {
        return text.to_string();
    }
    let ellipsis = columns("…");
    let mut left = wide.saturating_sub(ellipsis);
    let mut cut: String = text
        .chars()
        .take_while(|c| {
            let wide = glyphs::advance(*c) as usize;
            let fits = wide <= left;
            left = left.saturating_sub(wide);
            fits
        })
        .collect();
    if wide >= ellipsis {
        cut.push('…');
    }
    cut
}

/// A brush on a grid of columns and rows.
pub struct Pen<'a> {
    brush: Brush<'a>,
    pub columns: usize,
    pub rows: usize,
    cell: [f32; 2],
}

impl<'a> Pen<'a> {
    pub fn new(brush: Brush<'a>) -> Pen<'a> {
        let unit = brush.unit();
        let cell = [8.0 * unit, 18.0 * unit];
        let (columns, rows) = ((brush.width / cell[0]) as usize, ((brush.height - 4.0 * unit) / cell[1]) as usize);
        Pen { brush, columns, rows, cell }
    }

    fn at(&self, column: usize, row: usize) -> [f32; 2] {
        let unit = self.brush.unit();
        [column as f32 * self.cell[0], 4.0 * unit + row as f32 * self.cell[1]]
    }

    /// Puts a row's pieces from `x` on into `wide` columns.
    pub fn row(&mut self, x: usize, y: usize, wide: usize, row: &Row) {
        let (mut x, end) = (x, x + wide);
        for piece in row {
            let room = end.saturating_sub(x);
            if room == 0 {
                return;
            }
            self.piece(x, y, room, piece);
            x += piece.columns();
        }
    }

    fn piece(&mut self, x: usize, y: usize, room: usize, piece: &Piece) {
        let [left, top] = self.at(x, y);
        let unit = self.brush.unit();
        let palette = self.brush.palette;
        match piece {
            Piece::Text(text, ink) => {
                self.brush.text(left, top, &cut(text, room), ink.color(palette));
            }
            Piece::Bar { part, tick, columns, ink } => {
                if *columns == 0 {
                    return;
                }
                let wide = (*columns).min(room) as f32 * self.cell[0] - 2.0 * unit;
                let part = if part.is_nan() { 0.0 } else { part.clamp(0.0, 1.0) };
                self.brush.rect(left, top + 5.0 * unit, wide, 7.0 * unit, palette.track);
                self.brush.rect(left, top + 5.0 * unit, wide * part, 7.0 * unit, ink.color(palette));
                if let Some(tick) = tick {
                    let x = left + (wide - 2.0 * unit) * tick.clamp(0.0, 1.0);
                    self.brush.rect(x, top + 2.0 * unit, 2.0 * unit, 13.0 * unit, palette.accent);
                }
            }
            Piece::Curve { heights, columns } => {
                // Two of them to a column.
                let (most, step) = ((*columns).min(room) * 2, self.cell[0] / 2.0);
                let shown = &heights[heights.len().saturating_sub(most)..];
                let first = left + (most - shown.len()) as f32 * step;
                for (i, height) in shown.iter().enumerate() {
                    let tall = (14.0 * unit * height.clamp(0.0, 1.0)).max(unit);
                    let x = first + i as f32 * step;
                    self.brush.rect(x, top + 15.0 * unit - tall, step - unit, tall, palette.bar());
                }
            }
        }
    }

    /// A title with a rule behind it.
    pub fn heading(&mut self, x: usize, y: usize, wide: usize, title: &str) {
        self.row(x, y, wide, &vec![Piece::text(title, Ink::Quiet)]);
        let from = columns(title) + 1;
        if from < wide {
            let [left, top] = self.at(x + from, y);
            let unit = self.brush.unit();
            let rule = faded(self.brush.palette.label, 0.35);
            self.brush.rect(left, top + 8.0 * unit, (wide - from) as f32 * self.cell[0], unit, rule);
        }
    }

    /// A ground over what is there.
    pub fn panel(&mut self, x: usize, y: usize, wide: usize, tall: usize) {
        let [left, top] = self.at(x, y);
        let (wide, tall) = (wide as f32 * self.cell[0], tall as f32 * self.cell[1]);
        self.brush.rect(left, top, wide, tall, self.brush.palette.panel());
    }
}
