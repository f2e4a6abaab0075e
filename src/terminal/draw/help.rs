//! The help over everything, cut into as many pages as the screen asks for. Pure.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Widget};

use super::overlay::clear;
use super::text::cut;
use crate::score::HelpPage;
use crate::terminal::palette::{Palette, Role};

/// Help broken into longer lines than this is hard to read.
const WIDEST: u16 = 116;
/// A smaller screen has no room for a frame.
const FRAMED: (u16, u16) = (34, 8);

/// A place in the help: a line of the whole, and a row of it.
type Place = (usize, usize);

/// Where the reader is. What stands at the head of the page stays in sight when the screen has another size.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bookmark {
    /// How far the help was turned when it was drawn last.
    turned: Option<usize>,
    place: Place,
}

/// What stands on a screen at once.
struct Page<'a> {
    title: &'a str,
    rows: Vec<(String, String)>,
    first: Place,
}

impl Bookmark {
    /// The page that is open, after the performer has turned the help so far.
    fn open(&mut self, turned: usize, pages: &[Page]) -> usize {
        let at = match self.turned {
            Some(before) => {
                let at = pages.iter().rposition(|page| page.first <= self.place).unwrap_or(0);
                (at as i64 + turned as i64 - before as i64).rem_euclid(pages.len() as i64) as usize
            }
            None => turned % pages.len(),
        };
        if self.turned != Some(turned) {
            (self.turned, self.place) = (Some(turned), pages[at].first);
        }
        at
    }

    /// The help was closed.
    pub fn close(&mut self) {
        *self = Bookmark::default();
    }
}

/// Draws the page that is open.
pub fn draw(
    sections: &[HelpPage],
    turned: usize,
    bookmark: &mut Bookmark,
    palette: Palette,
    area: Rect,
    buf: &mut Buffer,
) {
    let quiet = palette.of(Role::Quiet);
    let framed = area.width >= FRAMED.0 && area.height >= FRAMED.1;
    // The frame and a column beside it; without one, a line for the title where there are two.
    let (beside, above) = if framed { (4, 2) } else { (0, u16::from(area.height > 1)) };
    let pages = pages(sections, usize::from(area.width.min(WIDEST) - beside), usize::from(area.height - above));
    if pages.is_empty() {
        return;
    }
    let at = bookmark.open(turned, &pages);
    let Page { title, rows, .. } = &pages[at];
    let count = format!("{}/{}", at + 1, pages.len());
    let inside = if framed {
        let (title, how) = (format!(" help {count}  {title} "), " ?, PgDn, PgUp turn  Esc closes ");
        let widest = rows.iter().map(|(left, right)| left.chars().count() + right.chars().count()).max().unwrap_or(0);
        let widest = widest.max(title.len()).max(how.len()) as u16;
        let (width, height) = ((widest + beside).min(area.width), (rows.len() as u16 + above).min(area.height));
        let frame =
            Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
        clear(frame, buf);
        let block = Block::bordered().title(title).title_bottom(how).border_style(quiet).title_style(quiet);
        let inside = block.inner(frame);
        block.render(frame, buf);
        Rect { x: inside.x + 1, width: inside.width - 2, ..inside }
    } else {
        clear(area, buf);
        if above > 0 {
            buf.set_stringn(area.x, area.y, format!("{count} {title}"), usize::from(area.width), quiet);
        }
        Rect { y: area.y + above, height: area.height - above, ..area }
    };
    for ((name, text), y) in rows.iter().zip(inside.y..inside.bottom()) {
        let name = Span::styled(name.clone(), palette.of(Role::Strong));
        let line = Line::from(vec![name, Span::styled(text.clone(), palette.of(Role::Plain))]);
        buf.set_line(inside.x, y, &cut(line, usize::from(inside.width)), inside.width);
    }
}

/// The whole help in pages of this size. Each section begins a page, and a line is only broken where a page has no room
/// for all of it.
fn pages(sections: &[HelpPage], columns: usize, height: usize) -> Vec<Page<'_>> {
    let mut pages: Vec<Page> = Vec::new();
    let mut item = 0;
    for section in sections {
        let mut fresh = true;
        for block in section.blocks(columns) {
            for (i, rows) in block.chunks(height.max(1)).enumerate() {
                match pages.last_mut().filter(|page| !fresh && page.rows.len() + rows.len() <= height) {
                    Some(page) => page.rows.extend_from_slice(rows),
                    None => pages.push(Page { title: &section.title, rows: rows.to_vec(), first: (item, i * height) }),
                }
                fresh = false;
            }
            item += 1;
        }
    }
    pages
}
