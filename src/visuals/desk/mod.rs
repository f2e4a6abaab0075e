//! The performer's view: the desk that the terminal shows, in the stage's own type, for a second window.
//!
//! Pure, as the scenes are: a desk, a frame state and a size become glyphs. It has no field, only the palette's dark
//! ground. Sections stand on the left, the words in the middle, every parameter on the right, the signals below.

mod foot;
mod params;
mod row;
mod sections;
mod shown;
#[cfg(test)]
mod tests;
mod words;

use std::ops::Range;

pub use shown::{Follower, shown};

use row::{Ink, Pen, Piece, Row};
use sections::Section;

use super::glyphs;
use super::palette::{PALETTES, Palette};
use super::scene::{Brush, Glyph};
use super::text::Typesetter;
use crate::desk::State;
use crate::desk::room::{Wish, places};
use crate::desk::words::clock;
use crate::score::{HelpPage, ParamId};

/// Columns of a title that has its row behind it.
const TITLE: usize = 8;

/// A page of the help takes more than this, where the parameters leave it no more.
const LEAST_HELP: usize = 60;

/// A sound device's name that is shorter than this says nothing.
const LEAST_NAME: usize = 8;

/// Where the sections, the words and the parameters stand, as columns of the grid.
struct Columns {
    left: Range<usize>,
    middle: Option<Range<usize>>,
    right: Option<Range<usize>>,
}

impl Columns {
    /// Narrow windows keep the sections, then the parameters, then the words.
    fn of(columns: usize) -> Columns {
        let left = 1..1 + if columns < 60 { columns - 2 } else { (columns * 3 / 10).clamp(33, 52) };
        let right = match columns {
            90.. => Some(columns - 1 - (columns * 5 / 12).clamp(46, 66)..columns - 1),
            60.. => Some(left.end + 2..columns - 1),
            _ => None,
        };
        let middle = right.as_ref().filter(|_| columns >= 90).map(|right| left.end + 2..right.start - 2);
        Columns { left, middle, right }
    }
}

/// The columns that the words have in a window of `size` pixels; none where there is no room for them.
pub fn page_width(size: [u32; 2]) -> Option<usize> {
    let (mut glyphs, mut typesetter) = (Vec::new(), Typesetter::default());
    let columns = Pen::new(Brush::new(&mut glyphs, &mut typesetter, size, &PALETTES[0])).columns;
    Columns::of(columns.max(2)).middle.map(|middle| words::measure(middle.len()))
}

/// What the view shows.
pub struct Seen<'a> {
    pub desk: &'a State,
    /// The stage's palette.
    pub palette: &'static Palette,
    pub help: &'a [HelpPage],
}

/// The palette, or the first dark one: the view lights the performer's face, not the room.
fn dark(palette: &'static Palette) -> &'static Palette {
    if palette.is_light() { &PALETTES[0] } else { palette }
}

/// Paints the whole view, from its ground on, anew.
pub fn paint(seen: &Seen, size: [u32; 2], glyphs: &mut Vec<Glyph>, typesetter: &mut Typesetter) {
    glyphs.clear();
    let mut brush = Brush::new(glyphs, typesetter, size, dark(seen.palette));
    let (width, height) = (brush.width, brush.height);
    brush.rect(0.0, 0.0, width, height, brush.palette.ground);
    let mut pen = Pen::new(brush);
    let (columns, rows) = (pen.columns, pen.rows);
    if columns < 24 || rows < 6 {
        pen.row(0, 0, columns, &vec![Piece::text(format!("小 {}", seen.desk.title), Ink::Strong)]);
        return;
    }
    header(seen.desk, &mut pen);
    let mut foot = Vec::new();
    if seen.desk.played.get(ParamId::Meters) >= 0.5 {
        foot.extend(foot::signals(seen.desk, columns - 2, rows / 8));
        foot.extend(foot::missing(seen.desk));
    }
    foot.extend(foot::losses(seen.desk));
    foot.extend(foot::log(seen.desk, columns - 2, if rows >= 50 { 5 } else { 3 }));
    foot.truncate(rows.saturating_sub(5));
    let (top, bottom) = (2, rows - 1 - foot.len());
    for (i, row) in foot.iter().enumerate() {
        pen.row(1, bottom + 1 + i, columns - 2, row);
    }
    let Columns { left, middle, right } = Columns::of(columns);
    place(&sections::all(seen.desk, left.len()), left.start, top..bottom, left.len(), &mut pen);
    if let Some(right) = right {
        params::draw(seen.desk, right.start, top..bottom, right.len(), &mut pen);
    }
    if let Some(middle) = middle {
        words::draw(seen.desk, middle.start, top..bottom, middle.len(), &mut pen);
    }
    if let Some(typing) = &seen.desk.typing {
        pen.panel(0, rows - 1, columns, 1);
        let line = typing.line(columns - 2, self::columns);
        pen.row(1, rows - 1, columns - 2, &vec![Piece::text(line, Ink::Strong)]);
    }
    if let Some(turned) = seen.desk.help {
        help(seen.help, turned, &mut pen);
    }
}

fn header(desk: &State, pen: &mut Pen) {
    let mut right: Row = desk.switched().map(|word| Piece::text(format!("{word}  "), Ink::Fault)).collect();
    match desk.recording() {
        Some(true) => right.push(Piece::text("● REC  ", Ink::Fault)),
        Some(false) => right.push(Piece::text("● REC BROKEN  ", Ink::Fault)),
        None if desk.replayed => right.push(Piece::text("REPLAY  ", Ink::Strong)),
        None => {}
    }
    right.push(Piece::text(clock(desk.now_ns), Ink::Plain));
    let wide = |row: &Row| row.iter().map(Piece::columns).sum::<usize>();
    // The device's name has what these leave, and no more than a third of the row.
    let width = pen.columns - 2;
    let room = width.saturating_sub(wide(&right) + 2).min(width / 3);
    if let Some(output) = desk.sound.as_ref().filter(|_| room >= LEAST_NAME) {
        right.insert(0, Piece::text(format!("{}  ", row::cut(output, room)), Ink::Quiet));
    }
    let wide = wide(&right).min(width);
    let mut left = vec![Piece::text("小 xiao  ", Ink::Quiet), Piece::text(&desk.title, Ink::Strong)];
    if !desk.scene.is_empty() {
        left.push(Piece::text(format!("  {}", desk.scene), Ink::Prompt));
    }
    if !desk.model.is_empty() {
        left.push(Piece::text(format!("  {}  seed {}", desk.model, desk.seed), Ink::Quiet));
    }
    pen.row(1, 0, (pen.columns - 2).saturating_sub(wide + 1), &left);
    pen.row(pen.columns - 1 - wide, 0, wide, &right);
}

/// Puts sections below each other.
fn place(sections: &[Section], x: usize, rows: Range<usize>, width: usize, pen: &mut Pen) {
    let wishes: Vec<Wish> = sections.iter().map(|s| Wish { lines: s.rows.len(), least: s.least }).collect();
    for (section, place) in sections.iter().zip(places(&wishes, rows.len())) {
        let y = rows.start + place.row;
        if place.behind {
            pen.row(x, y, TITLE, &vec![Piece::text(section.title, Ink::Quiet)]);
            pen.row(x + TITLE, y, width.saturating_sub(TITLE), &section.rows[0]);
            continue;
        }
        pen.heading(x, y, width, section.title);
        let first = section.first.saturating_sub(place.lines / 2).min(section.rows.len() - place.lines);
        for (i, row) in section.rows[first..first + place.lines].iter().enumerate() {
            pen.row(x, y + 1 + i, width, row);
        }
    }
}

/// The page of the help that it was turned to, of as many as a window of this height asks for: over the sections and the
/// words, so that no name beside it is cut; over everything where that is too narrow to read.
fn help(sections: &[HelpPage], turned: usize, pen: &mut Pen) {
    let rows = pen.rows;
    let room = Columns::of(pen.columns).right.map_or(pen.columns, |right| right.start - 1);
    let room = if room < LEAST_HELP { pen.columns } else { room };
    let wide = (room - 2).min(96);
    let most = rows.saturating_sub(6).max(1);
    let cut = |section: &HelpPage| {
        let lines = section.rows(wide - 4);
        let pages = lines.chunks(most).map(|lines| (section.title.clone(), lines.to_vec()));
        pages.collect::<Vec<_>>()
    };
    let pages: Vec<_> = sections.iter().flat_map(cut).collect();
    let at = turned % pages.len().max(1);
    let Some((title, lines)) = pages.get(at) else { return };
    let tall = (lines.len() + 4).min(rows - 2);
    let (x, y) = ((room - wide) / 2, (rows - tall) / 2);
    pen.panel(0, y, room, tall);
    let title = format!("help {}/{}  {title}   ? PgDn PgUp turn the page  Esc closes", at + 1, pages.len());
    pen.row(x + 2, y + 1, wide - 4, &vec![Piece::text(title, Ink::Quiet)]);
    for (i, (name, text)) in lines.iter().enumerate() {
        pen.row(x + 2, y + 3 + i, wide - 4, &vec![Piece::text(format!("{name}{text}"), Ink::Plain)]);
    }
}

/// Columns that a text takes.
fn columns(text: &str) -> usize {
    text.chars().map(glyphs::advance).sum::<u32>() as usize
}
