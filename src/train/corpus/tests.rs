//! The corpus as a whole, on invented verse; and by hand on a real one.

use super::*;

use std::fs;
use std::path::Path;

use crate::train::Vocabulary;

/// Invented verse: `count` pieces of eight lines each, no two alike.
pub(crate) fn verses(script: Script, count: usize, seed: u64) -> String {
    const HAN: &str = "春夏秋冬山水云月风花雪雨江河湖海天地日星松竹梅兰鸟鱼人心梦酒诗琴舟桥楼台烟霞";
    const WORDS: &str = "the moon and a river over hills goes slowly where no lamp was lit until morning came to us with rain \
        her song fell on stone like dust or light that nobody kept but he who had waited by water";
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move |most: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % most
    };
    let (han, words): (Vec<char>, Vec<&str>) = (HAN.chars().collect(), WORDS.split_whitespace().collect());
    let mut line = || match script {
        Script::Chinese => {
            let mut half = || (0..5).map(|_| han[next(han.len())]).collect::<String>();
            format!("{}，{}。", half(), half())
        }
        Script::English => (0..7).map(|_| words[next(words.len())]).collect::<Vec<_>>().join(" "),
    };
    let piece = |_| (0..8).map(|_| line()).collect::<Vec<_>>().join("\n");
    (0..count).map(piece).collect::<Vec<_>>().join("\n\n")
}

fn read(texts: &[(&str, &str)]) -> Result<Corpus, TrainError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in texts {
        fs::write(folder.path().join(name), text).unwrap();
    }
    Corpus::read(&[folder.path().into()], &[])
}

fn texts(pieces: &[Piece]) -> HashSet<&str> {
    pieces.iter().map(|piece| piece.text.as_str()).collect()
}

#[test]
fn a_piece_stays_on_its_side_whatever_else_there_is() {
    let (zh, en, more) =
        (verses(Script::Chinese, 300, 1), verses(Script::English, 300, 2), verses(Script::English, 9000, 3));
    let small = read(&[("en.txt", &en)]).unwrap();
    let both = read(&[("en.txt", &en), ("zh.txt", &zh)]).unwrap();
    let large = read(&[("a.txt", &more), ("en.txt", &en)]).unwrap();
    for corpus in [&small, &both, &large] {
        assert_eq!(corpus.report.dropped, []);
        assert!(texts(&corpus.training).is_disjoint(&texts(&corpus.held_out)));
    }
    let of_script = |corpus: &Corpus| corpus.held_out.iter().filter(|p| p.script == Script::English).count();
    assert!((8..=25).contains(&small.held_out.len()), "{}", small.held_out.len());
    assert_eq!(of_script(&both), small.held_out.len());
    assert!(both.held_out.len() >= small.held_out.len() + 8);
    assert!(small.held_out.iter().all(|piece| both.held_out.iter().any(|other| other.text == piece.text)));
    assert!(texts(&small.training).is_disjoint(&texts(&large.held_out)), "what is learnt is never held out later");
    let again = read(&[("en.txt", &en), ("zh.txt", &zh)]).unwrap();
    assert_eq!((again.training, again.held_out, again.report), (both.training, both.held_out, both.report));
}

#[test]
fn near_doubles_are_never_on_two_sides() {
    let text = verses(Script::Chinese, 200, 4);
    let plain = read(&[("a.txt", &text)]).unwrap();
    assert!(plain.held_out.len() >= 4);
    // The same pieces with another first line and other points.
    let variant = |piece: &str| format!("又见故人来。\n{}", piece.split_once('\n').unwrap().1.replace('，', "！"));
    let variants = text.split("\n\n").map(variant).collect::<Vec<_>>().join("\n\n");
    let corpus = read(&[("a.txt", &text), ("b.txt", &variants)]).unwrap();
    let (script, overlap) = corpus.report.overlap[0];
    assert!(script == Script::Chinese && overlap.moved > 0 && overlap.shared_runs_before > 0, "{overlap:?}");
    assert_eq!(overlap.shared_runs, 0, "{overlap:?}");
    let tail = |text: &str| text.split_once('\n').unwrap().1.replace('！', "，");
    let learnt: HashSet<String> = corpus.training.iter().map(|piece| tail(&piece.text)).collect();
    assert!(corpus.held_out.len() >= 4);
    assert!(corpus.held_out.iter().all(|piece| !learnt.contains(&tail(&piece.text))));
}

#[test]
fn a_refrain_is_told() {
    let refrain = "and all the bells of the harbour were ringing";
    let text = verses(Script::English, 200, 5).replace("\n\n", &format!("\n{refrain}\n\n"));
    let corpus = read(&[("a.txt", &text)]).unwrap();
    let (_, overlap) = corpus.report.overlap[0];
    assert!(overlap.shared_lines >= 4 && overlap.shared_lines <= corpus.held_out.len() as u64, "{overlap:?}");
    assert_eq!(corpus.report.shared_lines, overlap.shared_lines);
    assert!(overlap.shared_runs > 0 && overlap.shared_runs < overlap.runs / 5, "{overlap:?}");
}

#[test]
fn doubles_and_scraps_are_dropped_and_counted() {
    let text = verses(Script::English, 40, 6);
    let (first, _) = text.split_once("\n\n").unwrap();
    let corpus = read(&[("a.txt", &format!("* *\n\n{text}\n\n{first}\n\nII.")), ("b.txt", first)]).unwrap();
    let dropped = [("shorter than 4 characters".to_string(), 2), ("exact double".to_string(), 2)];
    assert_eq!(corpus.report.dropped, dropped);
    assert_eq!(corpus.report.sources.iter().map(|source| source.pieces).collect::<Vec<_>>(), [40, 0]);
    let counts = corpus.report.training[0].1.pieces + corpus.report.held_out[0].1.pieces;
    assert_eq!(counts, 40);
}

#[test]
fn one_long_poem_is_parted_and_held_out_all_the_same() {
    let text = verses(Script::English, 12, 7).replace("\n\n", "\n");
    let corpus = read(&[("a.txt", &text)]).unwrap();
    assert!(!corpus.held_out.is_empty() && corpus.training.len() >= 7, "{:?}", corpus.report);
}

#[test]
fn what_cannot_be_used_is_refused_in_words() {
    for (text, words) in [
        ("", ["the texts hold no text", "2000"]),
        ("The moon\n", ["only 8 bytes", "2000"]),
        ("The moon\0", ["a.txt: byte 8 is 0", "UTF-8"]),
    ] {
        let error = read(&[("a.txt", text)]).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)) && !error.contains('\n'), "{error}");
    }
}

#[test]
fn pieces_are_tagged_and_ended_in_their_order() {
    let corpus =
        read(&[("a.txt", &verses(Script::English, 700, 8)), ("b.txt", &verses(Script::Chinese, 9, 9))]).unwrap();
    let tokenizer = Vocabulary::train(&corpus, 400).unwrap().tokenizer().unwrap();
    let ids = encode(&tokenizer, &corpus.training, 3);
    assert_eq!(ids, encode(&tokenizer, &corpus.training, 1));
    assert_eq!(ids.len(), corpus.training.len());
    for (piece, ids) in corpus.training.iter().zip(&ids) {
        let tag = if piece.script == Script::Chinese { 1 } else { 2 };
        assert_eq!((ids[0], ids[ids.len() - 1]), (tag, 0));
        let text: Vec<u8> = ids.iter().flat_map(|id| tokenizer.bytes(*id).to_vec()).collect();
        assert_eq!(String::from_utf8(text).unwrap(), piece.text);
    }
}

/// Figures of a real corpus, by hand: `XIAO_CORPUS=FOLDER cargo test --lib a_real_corpus -- --ignored --nocapture`.
#[test]
#[ignore = "needs a corpus"]
fn a_real_corpus() {
    let Some(folder) = std::env::var_os("XIAO_CORPUS") else { return };
    let corpus = Corpus::read(&[Path::new(&folder).into()], &[]).unwrap();
    println!("{}", serde_json::to_string_pretty(&corpus.report).unwrap());
    for size in [3072, 6144, 8192] {
        let vocabulary = Vocabulary::train(&corpus, size).unwrap();
        assert_eq!(vocabulary, Vocabulary::train(&corpus, size).unwrap());
        let tokenizer = vocabulary.tokenizer().unwrap();
        let other = crate::train::vocabulary::tests::peer(&vocabulary);
        let all = || corpus.training.iter().chain(&corpus.held_out);
        let differ = all().filter(|p| tokenizer.encode(&p.text) != other(&p.text)).count();
        println!(
            "{size}: {} tokens, {differ} of {} pieces differ from the peer",
            vocabulary.tokens.len(),
            all().count()
        );
        for script in Script::ALL {
            let held: Vec<Piece> = corpus.held_out.iter().filter(|p| p.script == script).cloned().collect();
            let tokens: usize = encode(&tokenizer, &held, 2).iter().map(|ids| ids.len() - 2).sum();
            let characters: usize = held.iter().map(|p| p.text.chars().filter(|c| !c.is_whitespace()).count()).sum();
            let bytes: usize = held.iter().map(|p| p.text.len()).sum();
            let (c, b) = (tokens as f64 / characters as f64, tokens as f64 / bytes as f64);
            println!("{script}: {c:.4} tokens a character without blanks, {b:.4} a byte");
        }
    }
}
