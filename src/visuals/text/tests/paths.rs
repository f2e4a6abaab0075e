//! Whatever way led to a page, its lines are those of a fresh typesetter, and memory stays bounded.

use super::super::page::MAX_CELLS;
use super::super::{Direction, Order, Page, Setting, Typesetter, place};
use crate::score::Token;

const PIECES: [&str; 26] = [
    "moon ",
    "春江",
    "。",
    "“",
    "”",
    "\n",
    "שלום ",
    "سلام",
    "12",
    "3",
    "e\u{301}",
    "-",
    "   ",
    "…",
    "！！！",
    "——",
    "a",
    "https://a.b/c",
    "\u{64e}",
    "第",
    "(",
    ")",
    "lا",
    "😀\u{200d}",
    "กี",
    "12月",
];

/// Where widths, joins and ways of running turn on the next character.
const SINGLES: [&str; 16] = ["春", "春", "1", "2", "a", " ", "。", "（", "“", "—", "\n", "א", "ل", "ا", "\u{301}", "3"];

struct Lots(u64);

impl Lots {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

/// Plays on a page by chance, so many steps, up to `heap` of the pieces at a time; returns how many cells it let go.
fn play(seed: u64, steps: u64, heap: usize, pieces: &[&str]) -> u64 {
    let parts = pieces.contains(&"\n");
    let mut lots = Lots(seed);
    let (mut page, mut aside) = (Page::default(), Page::default());
    let mut tokens: Vec<String> = Vec::new();
    let mut setters: Vec<Typesetter> = (0..4).map(|_| Typesetter::default()).collect();
    let mut measures = [(40, Direction::Across), (7, Direction::Across), (12, Direction::Down), (5, Direction::Down)];
    for step in 0..steps {
        // Taking back makes what stands before as young as a second.
        let t_ns = step * 400_000_000;
        match lots.below(40) {
            0..26 => {
                let text: String = (0..=lots.below(heap)).map(|_| pieces[lots.below(pieces.len())]).collect();
                page.token(t_ns, &Token::plain(tokens.len() as u32, &text));
                tokens.push(text);
            }
            26..32 if !tokens.is_empty() => {
                let to = tokens.len() - 1 - lots.below(tokens.len().min(4));
                page.rewind(t_ns, to as u32, &tokens.split_off(to).concat());
            }
            32 if parts => {
                page.prompt(t_ns, pieces[lots.below(pieces.len())], 3);
                tokens.clear();
            }
            33 if parts => page.restore(t_ns, "月", (&tokens.concat(), &[(2, 4)]), tokens.len() as u32),
            34 => page.forget(t_ns, 2, 1),
            35 => measures[3].0 = 2 + lots.below(30) as u32,
            // Another page that was this one once.
            36 => aside = page.clone(),
            37 => std::mem::swap(&mut page, &mut aside),
            // A new line that is no flood.
            _ if parts => page.token(t_ns, &Token::plain(tokens.len() as u32 + 1, "a\n")),
            _ => {}
        }
        for (setter, (columns, direction)) in setters.iter_mut().zip(measures) {
            if lots.below(3) == 0 {
                let lines = setter.lines(&page, columns, direction);
                let mut fresh = Typesetter::default();
                let due = fresh.lines(&page, columns, direction);
                let wrong = lines.iter().zip(due).position(|(a, b)| a != b);
                assert!(lines == due, "seed {seed}, step {step}, {columns} {direction:?}: line {wrong:?}");
            }
        }
    }
    page.gone()
}

#[test]
fn lines_do_not_depend_on_the_way_to_them() {
    for seed in 0..24 {
        play(seed, 400, 4, &PIECES);
        play(seed, 2000, 1, &SINGLES);
    }
}

#[test]
fn nor_when_the_page_has_let_go() {
    // Without newlines it lets go in the middle of a line.
    let unbroken: Vec<&str> = PIECES.into_iter().filter(|piece| *piece != "\n").collect();
    for pieces in [&PIECES[..], &unbroken] {
        let gone: u64 = (100..106).map(|seed| play(seed, 60, 12_000, pieces)).sum();
        assert!(gone > 100_000, "{gone}");
    }
}

#[test]
fn a_paragraph_that_lost_its_beginning_is_set_anew() {
    let (mut page, mut setter) = (Page::default(), Typesetter::default());
    page.token(0, &Token::plain(0, "א"));
    page.token(1, &Token::plain(1, &"1".repeat(MAX_CELLS - 1)));
    assert!(setter.lines(&page, 13, Direction::Across).iter().all(|line| line.order == Order::Rtl));
    page.token(2, &Token::plain(2, "1"));
    // Where it was cut, a line began.
    assert!(page.gone() > 0 && page.gone() % 13 == 0, "{}", page.gone());
    let lines = setter.lines(&page, 13, Direction::Across);
    assert!(lines == page.lines(13) && lines.iter().all(|line| line.order == Order::Plain));
}

#[test]
fn a_page_is_bounded_however_much_is_written() {
    let (mut page, mut setter, mut gone) = (Page::default(), Typesetter::default(), 0);
    for i in 0..100_000 {
        page.token(u64::from(i), &Token::plain(i, PIECES[i as usize % PIECES.len()]));
        page.forget(u64::from(i), 1, 0);
        let lines = setter.lines(&page, 9, Direction::Across);
        assert!(page.cells().len() <= MAX_CELLS && lines.len() <= MAX_CELLS);
        if page.gone() > gone {
            assert!(lines == page.lines(9), "after {i} tokens");
            gone = page.gone();
        }
    }
    assert!(gone > 100_000, "{gone}");
    assert!(page.cells().capacity() <= 2 * MAX_CELLS, "{}", page.cells().capacity());
    // At once as well: a text from a file.
    page.restore(0, "", (&"春".repeat(1_000_000), &[]), 1);
    assert!(page.cells().len() <= MAX_CELLS && page.cells().capacity() <= 2 * MAX_CELLS);
}

/// Prints what a frame costs: `cargo test --lib text::tests::paths::cost -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn cost() {
    let (mut page, mut setter) = (Page::default(), Typesetter::default());
    let mut i = 0;
    while page.cells().len() < 64_000 {
        page.token(0, &Token::plain(i, ["the moon rises ", "春江潮水连海平，", "海上。\n"][i as usize % 3]));
        i += 1;
    }
    for direction in [Direction::Across, Direction::Down] {
        let begun = std::time::Instant::now();
        let lines = setter.lines(&page, 100, direction).len();
        println!("{direction:?}: {} cells anew: {:?}, {lines} lines", page.cells().len(), begun.elapsed());
        let (mut whole, mut back) = (std::time::Duration::ZERO, std::time::Duration::ZERO);
        for n in 0..100 {
            page.token(0, &Token::plain(i + n, "春 moon"));
            let begun = std::time::Instant::now();
            setter.lines(&page, 100, direction);
            whole += begun.elapsed();
        }
        for n in (0..100).rev() {
            page.rewind(0, i + n, "春 moon");
            let begun = std::time::Instant::now();
            setter.lines(&page, 100, direction);
            back += begun.elapsed();
        }
        println!("after a token {:?}, after taking one back {:?}", whole / 100, back / 100);
        let begun = std::time::Instant::now();
        let (mut placed, mut sum) = (0, 0.0);
        for line in setter.lines(&page, 100, direction) {
            place(&page, line, &Setting { direction, scale: 3.0, origin: [0.0; 2] }, &mut |glyph| {
                placed += 1;
                sum += glyph.x + glyph.y;
            });
        }
        println!("placing {placed}: {:?} for 5000 ({sum})", begun.elapsed() * 5000 / placed);
    }
    let begun = std::time::Instant::now();
    page.forget(0, 1, 0);
    println!("forgetting a token {:?}", begun.elapsed());
}
