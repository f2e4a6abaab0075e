//! The page: what is written, taken back, forgotten and let go.

use super::*;

fn broken(text: &str, columns: u32) -> Vec<String> {
    let mut page = Page::default();
    page.token(0, &Token::plain(0, text));
    let line = |l: &Line| page.cells.range(l.start..l.end).map(|c| c.ch).collect::<String>();
    page.lines(columns).iter().map(line).collect()
}

#[test]
fn words_stay_whole_and_spaces_hang() {
    assert_eq!(broken("the moon rises", 9), ["the moon ", "rises"]);
    assert_eq!(broken("the moon rises", 8), ["the moon ", "rises"]);
    assert_eq!(broken("the moon, rises", 8), ["the moon, ", "rises"]);
    assert_eq!(broken("incomprehensible", 6), ["incomp", "rehens", "ible"]);
    assert_eq!(broken("an incomprehensible", 6), ["an ", "incomp", "rehens", "ible"]);
}

#[test]
fn han_breaks_anywhere_but_before_a_full_stop() {
    assert_eq!(broken("春江潮水连海平", 8), ["春江潮水", "连海平"]);
    assert_eq!(broken("春江潮水。连海平", 8), ["春江潮水。", "连海平"]);
    assert_eq!(broken("春江潮「水」", 8), ["春江潮", "「水」"]);
    assert_eq!(broken("小model模", 8), ["小model", "模"]);
}

#[test]
fn newlines_break_and_a_flood_of_them_does_not_push_the_words_away() {
    assert_eq!(broken("a\nb", 40), ["a", "b"]);
    assert_eq!(broken("a\n\n\n\n\n\nb", 40), ["a", "", "b"]);
    assert_eq!(broken("a\n", 40), ["a", ""]);
    assert_eq!(broken("", 40), [""]);
}

#[test]
fn a_line_is_born_when_its_word_did_not_fit() {
    let mut page = Page::default();
    for (i, text) in ["the moo", "n", " r", "ise", "s"].iter().enumerate() {
        page.token(i as u64 * 100, &Token::plain(i as u32, text));
    }
    let lines = page.lines(13);
    assert_eq!(lines.len(), 2);
    // "rise" still fitted at 300; the "s" of 400 did not.
    assert_eq!((lines[1].start, lines[1].born_ns), (9, 400));
}

#[test]
fn memory_is_bounded_and_what_is_seen_does_not_move() {
    let mut page = Page::default();
    for i in 0..MAX_CELLS as u32 - 1 {
        page.token(0, &Token::plain(i, if i % 50 == 49 { "\n" } else { "x" }));
    }
    let last = |page: &Page| {
        let lines = page.lines(30);
        lines[lines.len() - 20..].iter().map(|l| l.end - l.start).collect::<Vec<_>>()
    };
    let seen = last(&page);
    page.token(0, &Token::plain(9999, "\nab"));
    assert!(page.cells.len() < KEPT_CELLS + 60, "{}", page.cells.len());
    assert_eq!(last(&page)[..19], seen[1..]);
    for i in 0..20_000 {
        page.token(0, &Token::plain(i, "模"));
        assert!(page.cells.len() <= MAX_CELLS);
    }
}

#[test]
fn another_prompt_leaves_the_text_behind() {
    let mut page = Page::default();
    page.prompt(0, "春", 1);
    page.token(1, &Token::plain(0, "风"));
    page.prompt(2, "moon", 2);
    page.token(3, &Token::plain(0, "lit"));
    let text: String = page.cells.iter().map(|c| c.ch).collect();
    assert_eq!(text, "春风\n\nmoonlit");
    assert!(page.cells.iter().take(2).all(|c| c.left_ns == Some(2)));
    assert!(page.cells.iter().skip(4).all(|c| c.left_ns.is_none()));
    // A piece that begins again without its prompt having been read again.
    page.token(4, &Token::plain(0, "light"));
    let text: String = page.cells.iter().map(|c| c.ch).collect();
    assert_eq!(text, "春风\n\nmoonlit\n\nmoonlight");
}

#[test]
fn what_the_model_forgets_leaves_the_page() {
    let mut page = Page::default();
    page.prompt(0, "abcd", 4);
    for i in 0..6 {
        page.token(1, &Token::plain(i, &i.to_string()));
    }
    page.forget(2, 3, 2); // c, d and the first token
    let left = |page: &Page| page.cells.iter().filter(|c| c.left_ns.is_some()).map(|c| c.ch).collect::<String>();
    assert_eq!(left(&page), "cd0");
    page.forget(3, 2, 2);
    assert_eq!(left(&page), "cd012");
}

#[test]
fn a_flaw_marks_its_tokens_only() {
    let mut page = Page::default();
    page.prompt(0, "ab", 2);
    for i in 0..6 {
        page.token(1, &Token::plain(i, &i.to_string()));
    }
    page.flaw(5, &Flaw { kind: FlawKind::Repetition, index: 4, period: 2, count: 1, cause: String::new() });
    let marked: String = page.cells.iter().filter(|c| c.flaw.is_some()).map(|c| c.ch).collect();
    assert_eq!(marked, "34");
}

#[test]
fn words_are_taken_back_and_pieces_come_back() {
    let shown = |page: &Page| page.cells.iter().map(|c| c.ch).collect::<String>();
    let mut page = Page::default();
    page.prompt(0, "O", 1);
    page.token(1, &Token::plain(0, " sea"));
    page.rewind(2, 0, " sea");
    page.token(3, &Token::plain(0, " moon"));
    assert_eq!(shown(&page), "O moon", "the prompt is not begun again");
    page.token(4, &Token::plain(1, "\n\n\n"));
    page.rewind(5, 1, "\n\n\n");
    assert_eq!(shown(&page), "O moon");
    page.restore(6, "A", (" road home", &[]), 2);
    page.rewind(7, 1, " home");
    assert!(shown(&page).ends_with("A road"));
    page.restore(8, "A", ("", &[]), 0);
    page.token(9, &Token::plain(0, "!"));
    assert!(shown(&page).ends_with("A!") && !shown(&page).ends_with("A\n\nA!"));
}

#[test]
fn the_performers_words_in_a_piece_are_taken_back_and_forgotten_as_its_own() {
    let mut page = Page::default();
    page.prompt(0, "ab", 2);
    page.token(1, &Token::plain(0, "x"));
    page.layer(2, "mn", 1, 2);
    page.token(3, &Token::plain(3, "y"));
    let shown = |page: &Page| page.cells.iter().map(|c| c.ch).collect::<String>();
    let theirs: String = page.cells.iter().filter(|c| c.voice == Voice::Performer).map(|c| c.ch).collect();
    assert_eq!((shown(&page), theirs), ("abxmny".to_string(), "abmn".to_string()));
    let mut forgetful = page.clone();
    forgetful.forget(4, 3, 1);
    let left: String = forgetful.cells.iter().filter(|c| c.left_ns.is_some()).map(|c| c.ch).collect();
    assert_eq!(left, "bxm");
    // So they are when the piece comes back.
    let mut back = page.clone();
    back.restore(4, "ab", ("xmny", &[(1, 3)]), 4);
    let theirs: String = back.cells.iter().filter(|c| c.voice == Voice::Performer).map(|c| c.ch).collect();
    assert_eq!(theirs.replace('\n', ""), "abmnabmn");
    page.rewind(4, 2, "ny");
    assert_eq!(shown(&page), "abxm");
    page.rewind(5, 0, "abxm");
    assert_eq!(shown(&page), "ab", "the prompt stays");
}
