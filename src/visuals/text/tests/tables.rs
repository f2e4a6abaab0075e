//! Text and the lines that it breaks into.

use super::super::{Direction, Order};
use super::{broken, page};

/// Text, half cells, lines.
const ACROSS: [(&str, u32, &[&str]); 22] = [
    // English.
    ("the moon, rises", 8, &["the moon, ", "rises"]),
    ("a well-known road", 8, &["a well-", "known ", "road"]),
    ("it costs $3.50 (today)", 10, &["it costs ", "$3.50 ", "(today)"]),
    ("don’t go", 4, &["don’", "t go"]),
    ("wait        no", 6, &["wait        ", "no"]),
    // Chinese: nothing closes at a line's start, nothing opens at its end.
    ("春江潮水。连海平", 8, &["春江潮水。", "连海平"]),
    ("他说：“春江潮水。”然后", 8, &["他说：", "“春江潮", "水。”然", "后"]),
    ("海上《明月》共潮生", 6, &["海上", "《明月》", "共潮生"]),
    ("海上明月……生", 8, &["海上明月……", "生"]),
    // A heap of punctuation hangs no further than two cells.
    ("春江潮水。。。。。", 8, &["春江潮", "水。。。。。"]),
    ("！！！！！！！！", 6, &["！！！！！", "！！！"]),
    // Mixed, and Hangul by words.
    ("小model模型", 8, &["小model", "模型"]),
    ("用Rust写", 5, &["用", "Rust", "写"]),
    ("달이 뜬다", 6, &["달이 ", "뜬다"]),
    // Right to left.
    ("שלום עולם טוב", 9, &["שלום עולם ", "טוב"]),
    ("السلام عليكم", 8, &["السلام ", "عليكم"]),
    // An address breaks after its strokes.
    ("see https://example.org/a/b?c=d now", 16, &["see https://", "example.org/a/b?", "c=d now"]),
    // Very long words.
    ("incomprehensible", 6, &["incomp", "rehens", "ible"]),
    ("an incomprehensible", 6, &["an ", "incomp", "rehens", "ible"]),
    // Emoji are boxes of half a cell, and a family is not parted.
    ("ab👩\u{200d}👩\u{200d}👧", 3, &["ab", "👩\u{200d}👩\u{200d}👧"]),
    // Marks stay with their letter.
    ("e\u{301}e\u{301}e\u{301}", 2, &["e\u{301}e\u{301}", "e\u{301}"]),
    ("กีกีกี", 2, &["กีกี", "กี"]),
];

const DOWN: [(&str, u32, &[&str]); 5] = [
    ("春江潮水。连海平", 8, &["春江潮水。", "连海平"]),
    ("第12章 moon", 6, &["第12章 ", "moon"]),
    // Two digits are not parted, and one stands in a whole cell.
    ("（12月", 3, &["（", "12", "月"]),
    ("春3月", 4, &["春3", "月"]),
    // The quotation mark takes a whole cell beside Han.
    ("“春”江", 6, &["“春”", "江"]),
];

#[test]
fn texts_break_into_lines() {
    for (direction, table) in [(Direction::Across, &ACROSS[..]), (Direction::Down, &DOWN[..])] {
        for (text, columns, lines) in table {
            assert_eq!(broken(text, *columns, direction), *lines, "{text} {columns} {direction:?}");
        }
    }
}

#[test]
fn a_line_knows_its_width_and_order() {
    let of = |text: &str| page(text).lines(40).into_iter().map(|l| (l.width, l.order)).collect::<Vec<_>>();
    assert_eq!(of("the moon  "), [(8, Order::Plain)]);
    assert_eq!(of("moon שלום"), [(9, Order::Ltr)]);
    assert_eq!(of("(שלום moon)\nmoon"), [(11, Order::Rtl), (4, Order::Plain)]);
    // The alef has become part of the lam.
    assert_eq!(of("سلام"), [(3, Order::Rtl)]);
    // A paragraph keeps its way over all its lines.
    let lines = page("שלום moon").lines(5);
    assert_eq!(
        lines.iter().map(|l| (l.order, l.indent(5))).collect::<Vec<_>>(),
        [(Order::Rtl, 1.0), (Order::Rtl, 1.0)]
    );
}

#[test]
fn what_is_invisible_is_not_written_unless_it_acts() {
    let written = |text: &str| page(text).cells().iter().map(|c| c.ch).collect::<String>();
    assert_eq!(written("a\u{feff}\u{fe0f}\u{202e}\u{7}\u{ad}b"), "ab");
    assert_eq!(written("می\u{200c}خ\u{200f}"), "می\u{200c}خ\u{200f}");
    assert_eq!(written("a\u{2028}b\r\nc\td"), "a\nb\nc d");
    // A model that heaps marks onto a letter does not write them all.
    assert_eq!(written(&format!("a{}b", "\u{301}".repeat(1000))).chars().count(), 10);
}
