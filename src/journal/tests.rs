//! Journals as they are found: whole, cut at any byte, broken, of another time, or no journals at all.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::score::event::INTERRUPTED;
use crate::score::{Candidate, Event, Hand, ParamId, Stamped, Token};

/// A token like those of a real performance, with eight roads not taken.
pub(super) fn token(index: u32, text: &str) -> Event {
    let top = (0..8).map(|i| Candidate { id: 1000 + i, text: "月".into(), p: 0.123_456_7 / (i + 1) as f32 }).collect();
    Event::Token(Token {
        id: 4321,
        text: text.into(),
        index,
        latency_ms: 1.234_567,
        p: 0.1,
        surprise_bits: 3.456_789,
        entropy_bits: 5.678_9,
        context_fill: 0.3 + index as f32 * 1e-3,
        inside: Default::default(),
        top,
    })
}

fn score() -> Vec<Stamped> {
    let prompt = |name: &str, text: &str| Event::Prompt { name: Some(name.into()), text: text.into(), tokens: 1 };
    let events = [
        prompt("dawn", "春"),
        token(0, "风"),
        token(1, ""),
        Event::Param { id: ParamId::Temperature, value: 0.9, by: Hand::Midi },
        token(2, "来"),
        Event::PieceEnd { tokens: 3 },
        token(0, "夜"),
        prompt("moon", "The moon"),
        prompt("sea", "O sea"),
        token(0, " is\n"),
        Event::End { reason: "q".into() },
    ];
    (0..).zip(events).map(|(i, event)| Stamped { seq: i, t_ns: i * 1_000_000_007, event }).collect()
}

fn lines() -> Vec<String> {
    let header = Header::new(&jiff::Zoned::now(), "a machine", "first");
    let mut lines = vec![serde_json::to_string(&header).unwrap() + "\n"];
    lines.extend(score().iter().map(|e| serde_json::to_string(e).unwrap() + "\n"));
    lines
}

fn write(dir: &Path, journal: impl AsRef<[u8]>) -> PathBuf {
    fs::write(dir.join(JOURNAL), journal).unwrap();
    dir.to_path_buf()
}

#[test]
fn a_journal_cut_at_any_byte_gives_what_came_before() {
    let home = tempfile::tempdir().unwrap();
    let (lines, score) = (lines(), score());
    let whole = lines.concat();
    let full = read(&write(home.path(), &whole)).unwrap();
    assert_eq!((full.events.as_slice(), full.truncated), (score.as_slice(), None));
    let begin_last_two = whole.len() - lines[lines.len() - 2..].concat().len();
    for cut in begin_last_two..whole.len() - 1 {
        let recording = read(&write(home.path(), &whole.as_bytes()[..cut])).unwrap();
        // A line is whole once its closing brace is there, with or without its newline.
        let rows = whole.as_bytes()[..cut].split(|b| *b == b'\n');
        let parsed = rows.filter(|l| serde_json::from_slice::<Stamped>(l).is_ok()).count();
        assert_eq!(recording.events, score[..parsed], "cut at {cut}");
        assert!(parsed >= score.len() - 2 && recording.truncated.is_some(), "cut at {cut}");
    }
    // Only the newline is missing: nothing is lost.
    assert_eq!(read(&write(home.path(), whole.trim_end())).unwrap().truncated, None);
    // A power cut may leave zeros.
    let zeros = [whole.as_bytes(), &[0; 100]].concat();
    let recording = read(&write(home.path(), zeros)).unwrap();
    assert_eq!(recording.events, score);
    assert!(recording.truncated.unwrap().contains("half written"));
}

#[test]
fn a_broken_line_in_the_middle_is_told_with_its_place() {
    let home = tempfile::tempdir().unwrap();
    let mut lines = lines();
    let before: usize = lines[..3].iter().map(String::len).sum();
    lines[3] = "{\"seq\":2,oops}\n".into();
    let error = read(&write(home.path(), lines.concat())).unwrap_err().to_string();
    let wanted = format!("journal.jsonl:4: broken at byte {}: key must be a string; cut", before + 9);
    assert!(error.contains(&wanted) && !error.contains('\n'), "{error}");
    let mut reader = Reader::open(home.path()).unwrap();
    assert_eq!(reader.by_ref().filter(|e| e.is_ok()).count(), 2);
    assert!(reader.next().is_none());
}

#[test]
fn what_is_no_journal_is_refused_in_one_line() {
    let home = tempfile::tempdir().unwrap();
    let said = |text: &str| read(&write(home.path(), text)).unwrap_err().to_string();
    let newer = lines()[0].replace("\"xiao_journal\":1,\"xiao\":\"0.1.0\"", "\"xiao_journal\":2,\"xiao\":\"7.0.0\"");
    assert!(said(&newer).contains("journal format 2, but this xiao reads up to 1; play it with xiao 7.0.0 or later"));
    assert!(said("").ends_with("nothing was recorded: the header line is missing or half written"));
    assert!(said(&lines()[0][..20]).contains("nothing was recorded"));
    assert!(said("hello\n").contains("line 1 is not the header of a xiao journal"));
    assert!(said("{\"seq\":1}\n").ends_with("it has no \"xiao_journal\""));
    let missing = home.path().join("none");
    assert!(read(&missing).unwrap_err().to_string().contains("no performance is here (no journal.jsonl)"));
}

#[test]
fn a_header_alone_is_an_empty_recording() {
    let home = tempfile::tempdir().unwrap();
    let recording = read(&write(home.path(), &lines()[0])).unwrap();
    assert!(recording.events.is_empty());
    assert!(recording.truncated.unwrap().contains("cut off after line 1"));
}

#[test]
fn the_words_are_joined_by_piece() {
    let pieces = pieces(&score());
    let told: Vec<_> =
        pieces.iter().map(|p| (p.name.as_deref().unwrap(), p.prompt.as_str(), p.text.as_str())).collect();
    assert_eq!(told, [("dawn", "春", "风来"), ("dawn", "春", "夜"), ("sea", "O sea", " is\n")]);
    let home = tempfile::tempdir().unwrap();
    let recording = read(&write(home.path(), lines().concat())).unwrap();
    assert_eq!(text(&recording), "风来\n夜\n is\n");
}

#[test]
fn what_is_taken_back_is_no_word_of_its_piece() {
    let prompt = |name: &str, text: &str| Event::Prompt { name: Some(name.into()), text: text.into(), tokens: 1 };
    let rewind = |to, text: &str| Event::Rewind { to, text: text.into() };
    let (back, text) = ("春".to_string(), "风雨".to_string());
    let events = [
        prompt("dawn", "春"),
        token(0, "风"),
        token(1, "来"),
        rewind(1, "来"),
        token(1, "雨"),
        Event::PieceEnd { tokens: 2 },
        rewind(1, "雨"),
        token(1, "去"),
        prompt("moon", "The moon"),
        token(0, " is"),
        Event::Restore { slot: 0, name: None, prompt: back, text, index: 2, ended: false, given: Vec::new() },
        Event::PieceEnd { tokens: 2 },
    ];
    let events: Vec<_> = (0..).zip(events).map(|(seq, event)| Stamped { seq, t_ns: seq, event }).collect();
    let pieces = pieces(&events);
    let told: Vec<_> = pieces.iter().map(|p| (p.name.as_deref().unwrap(), p.text.as_str())).collect();
    assert_eq!(told, [("dawn", "风去"), ("moon", " is"), ("dawn", "风雨")]);
}

#[test]
fn a_piece_that_was_interrupted_is_one_piece() {
    let prompt = |name: &str, text: &str| Event::Prompt { name: Some(name.into()), text: text.into(), tokens: 1 };
    let back = |text: &str, index, ended| Event::Restore {
        slot: INTERRUPTED,
        name: Some("dawn".into()),
        prompt: "春".into(),
        text: text.into(),
        index,
        ended,
        given: Vec::new(),
    };
    let events = [
        prompt("dawn", "春"),
        token(0, "风"),
        prompt("moon", "The moon"),
        token(0, " is"),
        back("风", 1, false),
        token(1, "来"),
        Event::PieceEnd { tokens: 2 },
        prompt("moon", "The moon"),
        token(0, " was"),
        back("风来", 2, true),
        prompt("sea", "O sea"),
        token(0, " is"),
    ];
    let events: Vec<_> = (0..).zip(events).map(|(seq, event)| Stamped { seq, t_ns: seq, event }).collect();
    let pieces = pieces(&events);
    let told: Vec<_> = pieces.iter().map(|p| (p.name.as_deref().unwrap(), p.text.as_str())).collect();
    assert_eq!(told, [("dawn", "风来"), ("moon", " is"), ("moon", " was"), ("sea", " is")]);
}

#[test]
fn events_of_older_recordings_are_read() {
    let stamped = Stamped { seq: 0, t_ns: 0, event: token(0, "a") };
    let mut old = serde_json::to_value(&stamped).unwrap();
    fn remove(value: &mut serde_json::Value) {
        if let Some(map) = value.as_object_mut() {
            map.remove("inside");
            map.values_mut().for_each(remove);
        }
    }
    remove(&mut old);
    assert!(!old.to_string().contains("attention_ms"));
    assert_eq!(serde_json::from_value::<Stamped>(old).unwrap().event, stamped.event);
}

/// Every number comes back as it was, whatever its bits: a replay must make the same samples.
#[test]
fn numbers_survive_the_journal_bit_by_bit() {
    let mut state = 1u32;
    for _ in 0..50_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let value = f32::from_bits(state);
        if value.is_finite() {
            let stamped =
                Stamped { seq: 0, t_ns: u64::MAX, event: Event::Param { id: ParamId::Hue, value, by: Hand::Key } };
            let line = serde_json::to_string(&stamped).unwrap();
            let Stamped { event: Event::Param { value: read, .. }, t_ns, .. } = serde_json::from_str(&line).unwrap()
            else {
                unreachable!()
            };
            assert_eq!((read.to_bits(), t_ns), (value.to_bits(), u64::MAX), "{line}");
        }
    }
}

/// Prints what a token costs in bytes and in time to read; run with `--ignored --nocapture`.
#[test]
#[ignore = "measures, and asserts only that all came back"]
fn what_a_token_costs() {
    let home = tempfile::tempdir().unwrap();
    let n = 100_000u64;
    let line = |i| {
        serde_json::to_string(&Stamped { seq: i, t_ns: i * 50_000_000, event: token(i as u32 % 200, "春") }).unwrap()
    };
    let bytes = line(n).len() + 1;
    let start = std::time::Instant::now();
    let journal: String = (0..n).map(|i| line(i) + "\n").collect();
    let wrote = start.elapsed();
    write(home.path(), lines()[0].clone() + &journal);
    let start = std::time::Instant::now();
    assert_eq!(read(home.path()).unwrap().events.len() as u64, n);
    let read = start.elapsed();
    println!("{bytes} bytes a token; {:?} to form, {:?} to read", wrote / n as u32, read / n as u32);
}
