//! Whole pages are made and read.

use super::super::example::record;
use super::super::metre::Metre;
use super::super::pieces::{Asked, Piece};
use super::super::recitation::{Recitation, Recited, Unit};
use super::super::{Card, Measured};
use super::*;
use crate::model::Source;
use crate::score::FlawKind;
use crate::train::Yardstick;

fn card() -> Card {
    let mut card = Card::read(&Source::Embedded, "my voice.gguf").unwrap();
    card.record = Some(record(50));
    card
}

fn measured() -> Measured {
    let piece = |script, seed, temperature, text: &str, ended, flaws: &[FlawKind]| Piece {
        asked: Asked::new(script, seed, temperature),
        text: text.into(),
        tokens: 12,
        ended,
        flaws: flaws.into(),
    };
    Measured {
        samples: vec![
            piece(Script::Chinese, 1, 0.7, "潮水平。", true, &[]),
            piece(Script::Chinese, 2, 0.7, "，夜雨``` ````", false, &[FlawKind::ScriptMix]),
            piece(Script::English, 1, 1.0, " doth shine\u{1b}[2J", true, &[]),
        ],
        metre: vec![(0.7, Metre { pieces: 40, five: 20, seven: 8 })],
        recitation: Some(Recitation {
            recited: vec![Recited {
                script: Script::Chinese,
                unit: Unit::Verse,
                lines: 1000,
                short: 12,
                training: 31,
                held_out: 2,
            }],
            own: vec![(Script::Chinese, Unit::Verse, [5000, 250])],
            corpus_sha256: "0123456789abcdef".repeat(4),
        }),
    }
}

#[test]
fn a_whole_card_tells_everything() {
    let mut card = card();
    card.measured = Some(measured());
    card.yardsticks =
        vec![Yardstick { name: "xz -9".into(), script: Script::Chinese, bits_per_character: 9.5, bits_per_byte: 3.2 }];
    let text = page(&card, Some("my voice.svg"));
    for part in [
        MARK,
        "\n# Little &lt;voice\\> &amp; friends\n",
        "xiao play --model 'my voice.gguf'\n",
        "| poems.txt | 15.5 MB | 74,808 | 1 |".replace("15.5", "15.0").as_str(),
        "| training, Chinese | 74,000 | 4,900,000 | 14,800,000 |",
        "shorter than 8 characters (31), a duplicate (402)",
        "Chinese: 31 pieces that shared too much",
        "has 0.2 % (before: 10.0 %), of its lines 0.9 %",
        "| weights | the mean of the last weights |",
        ", by the weights above",
        "](my%20voice.svg)",
        "| Chinese | **this model** | 6.312 | 2.104 | 66.7 |",
        "|  | xz -9 | 9.500 | 3.200 |  |",
        "it needed 8.720 nats a token, now 4.156.",
        "| Chinese, verses between two marks | 1,000 | 3.1 % | 0.2 % | 5.0 % |",
        "| 0.7 | 40 | 20 | 8 | 70.0 % |",
        "| two scripts in one line | 1 of 2 | 0 of 1 |",
        "\n── 1 ── 春江 ──\n春江潮水平。\n",
        "▪ (stopped)",
        "xiao train poems.txt verse.txt --weight verse.txt=0.5 -o 'my voice.gguf' --size micro --minutes 40 --seed 7 --threads 2 --weight-decay 0.07 --dropout 0 --name 'Little <voice> & friends' --licence CC0-1.0 --author 'the maker'",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(!text.contains('\u{1b}') && !text.contains("NaN"));
    assert_eq!(page(&card, Some("my voice.svg")), text);
    assert!(!text.contains("other texts"));
    card.record.as_mut().unwrap().corpus.sha256 = "ff".repeat(32);
    assert!(page(&card, None).contains("The lines were looked up in other texts than those it was trained from"));
}

#[test]
fn no_text_of_the_model_ends_its_block() {
    let mut card = card();
    card.measured = Some(measured());
    let text = page(&card, None);
    assert!(text.contains("`````text\n"), "{text}");
    // Every fence that opens is closed by one of its own length.
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match open {
            None if ticks >= 3 => open = Some(ticks),
            Some(length) if ticks >= length && line.len() == ticks => open = None,
            _ => {}
        }
    }
    assert_eq!(open, None);
}

#[test]
fn what_is_not_known_is_said() {
    let mut card = card();
    let text = page(&card, None);
    assert!(text.contains("Not measured: the texts were not at hand.") && text.contains("None were taken."));
    assert!(text.contains("No yardsticks were measured beside it."));
    card.record = None;
    card.info.lineage.description = "a | b\n# c <img src=x>".into();
    let text = page(&card, None);
    assert!(text.contains("holds no record of a training"), "{text}");
    assert!(text.contains("| description | a \\| b \\# c &lt;img src=x\\> |"), "{text}");
    assert!(!text.contains("xiao train") && !text.contains("recites"));
}

#[test]
fn a_record_of_nothing_is_still_a_card() {
    let mut card = card();
    let mut empty = record(0);
    (empty.untrained, empty.tokens, empty.corpus_tokens, empty.seconds) = (None, 0, 0, f64::NAN);
    (empty.corpus, empty.recipe.minutes) = (Default::default(), None);
    for score in &mut empty.held_out {
        (score.tokens, score.characters, score.bytes, score.nats) = (0, 0, 0, 0.0);
    }
    empty.base = Some(("starter.gguf".into(), "ab".repeat(32)));
    card.record = Some(empty);
    let text = page(&card, None);
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    assert!(text.contains("This has not been measured.") && text.contains("starter.gguf (sha256 `abababababababab`)"));
    assert!(text.contains("--from BASE.gguf") && text.contains("BASE.gguf is starter.gguf (sha256 `abababab"));
}

#[test]
fn what_the_base_had_read_is_not_claimed_to_be_known() {
    let mut card = card();
    assert!(!page(&card, None).contains("it may have known some of this"));
    if let Some(record) = &mut card.record {
        record.base = Some(("starter.gguf".into(), "ab".repeat(32)));
    }
    assert!(page(&card, None).contains("it may have known some of this"));
}
