//! Tests of the whole way from text to places.

mod paths;
mod places;
mod tables;

use super::{Direction, Page, Typesetter};
use crate::score::Token;

fn page(text: &str) -> Page {
    let mut page = Page::default();
    page.token(0, &Token::plain(0, text));
    page
}

fn broken(text: &str, columns: u32, direction: Direction) -> Vec<String> {
    let page = page(text);
    let mut setter = Typesetter::default();
    let lines = setter.lines(&page, columns, direction);
    lines.iter().map(|l| page.cells().range(l.start..l.end).map(|c| c.ch).collect()).collect()
}
