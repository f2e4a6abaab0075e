//! The model's card: as a page from the command line, and as a plate in a recording.

mod common;

use common::{journal, ok, stderr, stdout, xiao};

#[test]
fn any_model_has_a_card_and_nothing_of_anyone_elses_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let verse = |i: usize| format!("小灯明一室，夜雨到第{i}更。\n机上无人语，窗前有叶声。\n\n");
    std::fs::write(dir.path().join("poems.txt"), (0..200).map(verse).collect::<String>()).unwrap();
    std::fs::write(dir.path().join("words.md"), "## Where it comes from\n\nA *drawer* of mine.\n").unwrap();
    let make = ["card", "embedded", "poems.txt", "--quick", "--about", "words.md"];
    let written = stdout(&ok(xiao(dir.path()).args(make)));
    assert_eq!(written.trim(), "embedded.md\nembedded.svg");
    let page = std::fs::read_to_string(dir.path().join("embedded.md")).unwrap();
    for part in [
        "## To make it again",
        "looked up in other texts than those it was trained from",
        "\n## Where it comes from\n\nA *drawer* of mine.\n\n",
        "## Whether it recites",
        "| 0.7 | 10 |",
        "Chinese at temperature 1.0: 3 pieces",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // The same model and the same texts make the same card, over the old one.
    ok(xiao(dir.path()).args(make));
    assert_eq!(std::fs::read_to_string(dir.path().join("embedded.md")).unwrap(), page);
    std::fs::write(dir.path().join("embedded.md"), "my own words\n").unwrap();
    let refused = xiao(dir.path()).args(make).output().unwrap();
    assert_eq!((refused.status.code(), stderr(&refused).lines().count()), (Some(2), 1), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("no card of xiao's"), "{}", stderr(&refused));
    assert_eq!(std::fs::read_to_string(dir.path().join("embedded.md")).unwrap(), "my own words\n");
}

#[test]
fn what_a_card_is_made_from_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let poems = "小灯明一室，夜雨到三更。\n\n".repeat(200);
    std::fs::create_dir(dir.path().join("poems")).unwrap();
    std::fs::write(dir.path().join("poems.md"), &poems).unwrap();
    std::fs::write(dir.path().join("poems/one.txt"), &poems).unwrap();
    let make = |args: &[&str]| xiao(dir.path()).args(["card", "embedded", "--quick", "--force"]).args(args).output();
    for (args, spared) in [
        (&["poems.md", "-o", "poems.md"][..], "poems.md"),
        (&["--about", "poems.md", "-o", "poems.md"], "poems.md"),
        (&["poems", "-o", "poems/one.txt"], "poems/one.txt"),
    ] {
        let refused = make(args).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
        assert!(stderr(&refused).contains("what the card is to be made from"), "{}", stderr(&refused));
        assert_eq!(std::fs::read_to_string(dir.path().join(spared)).unwrap(), poems);
    }
}

#[test]
fn the_plate_is_in_the_recording_and_a_recording_without_one_replays() {
    let dir = tempfile::tempdir().unwrap();
    let play = ["play", "--stage", "plain", "--sound", "none", "--record", "rec", "--seconds", "1"];
    ok(xiao(dir.path()).args(play).args(["--set", "stage.plate=1"]));
    let rec = dir.path().join("rec");
    let events = journal(&rec);
    let card = events.iter().find(|e| e["event"] == "card").expect("no card in the journal");
    let text = card["text"].as_str().unwrap();
    assert!(text.contains("parameters") && text.lines().count() <= 12, "{text}");
    // As an older xiao would have written it.
    let lines = std::fs::read_to_string(rec.join("journal.jsonl")).unwrap();
    let before: String = lines
        .lines()
        .filter(|l| !l.contains("\"card\"") && !l.contains("stage.plate"))
        .map(|l| format!("{l}\n"))
        .collect();
    std::fs::write(rec.join("journal.jsonl"), before).unwrap();
    ok(xiao(dir.path()).args(["replay", "rec", "--stage", "plain", "--sound", "none"]));
}
