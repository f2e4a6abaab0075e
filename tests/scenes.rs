//! A piece in scenes, played whole: what its journal holds, that it replays, and how `check` and `--scene` speak of it.

mod common;

use std::fs;
use std::path::Path;

use common::{journal, ok, stderr, stdout, xiao};
use serde_json::Value;

const PIECE: &str = r#"title = "t"

[prompts]
moon = "The moon"
dawn = "春"

[params]
"generator.pace" = 20

[[scene]]
name   = "dawn"
prompt = "dawn"
next   = { s = 1.5 }
over_s = 1
[scene.params]
"sound.hum.level_db" = -30
"generator.rest_s"   = 0.5
"sound.scale.mode"   = 2

[[scene]]
name = "walk"
next = { tokens = 8 }
[scene.params]
"sampler.temperature" = 1.1

[[scene]]
name   = "moon"
prompt = "moon"
"#;

fn play(folder: &Path, rec: &str, more: &[&str]) -> Vec<Value> {
    let args = ["play", "t.toml", "--stage", "plain", "--sound", "none", "--seed", "3", "--record", rec];
    ok(xiao(folder).args(args).args(more));
    journal(&folder.join(rec))
}

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("t.toml"), PIECE).unwrap();
    dir
}

fn at_s(event: &Value) -> f64 {
    event["t_ns"].as_f64().unwrap() / 1e9
}

#[test]
fn a_planned_piece_is_in_its_journal_and_renders_as_it_was_heard() {
    let dir = folder();
    let events = play(dir.path(), "rec", &["--seconds", "4"]);
    let place = |name: &str| events.iter().position(|e| e["event"] == "scene" && e["name"] == name).expect(name);
    let (dawn, walk, moon) = (place("dawn"), place("walk"), place("moon"));
    assert_eq!(events.iter().filter(|e| e["event"] == "scene").count(), 3);
    assert_eq!((&events[walk]["index"], &events[walk]["of"]), (&1.into(), &3.into()));
    let apart = at_s(&events[walk]) - at_s(&events[dawn]);
    assert!((1.5..1.8).contains(&apart), "{apart} s");
    let tokens = events[walk..moon].iter().filter(|e| e["event"] == "token").count();
    assert!((8..=9).contains(&tokens), "{tokens}");

    // The scene comes before its prompt, and the bank's first prompt is not played besides.
    let prompts: Vec<usize> = (0..events.len()).filter(|i| events[*i]["event"] == "prompt").collect();
    assert_eq!(prompts.iter().map(|i| &events[*i]["name"]).collect::<Vec<_>>(), ["dawn", "moon"]);
    assert!(dawn < prompts[0] && prompts[0] < walk && moon < prompts[1]);

    let by_plan = |id: &str| -> Vec<(usize, f64)> {
        let moved = |(_, e): &(usize, &Value)| e["event"] == "param" && e["id"] == id && e["by"] == "plan";
        events.iter().enumerate().filter(moved).map(|(i, e)| (i, e["value"].as_f64().unwrap())).collect()
    };
    let hum = by_plan("sound.hum.level_db");
    assert!((8..=20).contains(&hum.len()) && hum[0].0 > dawn && hum.last().unwrap().0 < walk, "{hum:?}");
    assert!(hum.windows(2).all(|w| w[1].1 < w[0].1) && hum.last().unwrap().1 == -30.0, "{hum:?}");
    let apart = |w: &[(usize, f64)]| at_s(&events[w[1].0]) - at_s(&events[w[0].0]);
    assert!(hum.windows(2).all(|w| apart(w) > 0.045), "{hum:?}");
    assert!(by_plan("sound.scale.mode")[0].0 < prompts[0], "what has no between is there before the first word");
    let warmth = by_plan("sampler.temperature");
    assert!(warmth.len() == 1 && warmth[0].0 == walk + 1, "{warmth:?}");

    // Nothing but the journal is needed to make its sound again.
    ok(xiao(dir.path()).args(["render", "rec", "--wav", "again.wav"]));
    let samples = |file: &str| -> Vec<i32> {
        hound::WavReader::open(dir.path().join(file)).unwrap().samples().map(Result::unwrap).collect()
    };
    let (heard, rendered) = (samples("rec/sound.wav"), samples("again.wav"));
    let common = heard.len().min(rendered.len());
    assert!(common > 2 * 48_000 * 2, "{} and {} samples", heard.len(), rendered.len());
    assert_eq!((0..common).find(|&i| heard[i].abs_diff(rendered[i]) > 1), None, "first different sample of {common}");

    let again = ok(xiao(dir.path()).args(["replay", "rec", "--stage", "plain", "--sound", "none"]));
    let said: Vec<String> = stderr(&again).lines().filter(|l| l.contains(": scene ")).map(str::to_string).collect();
    assert_eq!(said, ["xiao: scene 1 of 3: dawn", "xiao: scene 2 of 3: walk", "xiao: scene 3 of 3: moon"]);
}

#[test]
fn a_piece_may_begin_at_any_scene() {
    let dir = folder();
    let events = play(dir.path(), "rec", &["--seconds", "2", "--scene", "walk"]);
    let scenes: Vec<&Value> = events.iter().filter(|e| e["event"] == "scene").map(|e| &e["name"]).collect();
    assert_eq!(scenes, ["walk", "moon"]);
    // This scene has no prompt, so the bank's first one begins.
    let prompt = events.iter().find(|e| e["event"] == "prompt").unwrap();
    assert_eq!(prompt["name"], "moon");
    let refused = xiao(dir.path()).args(["play", "t.toml", "--scene", "wlak"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(stderr(&refused), "xiao: t.toml: there is no scene \"wlak\"; did you mean \"walk\"?\n");
}

#[test]
fn a_saved_plan_goes_on_with_the_present_scene() {
    let dir = folder();
    let piece = "[prompts]\nmoon = \"The moon\"\n[[scene]]\nname = \"a\"\nnext = \"hand\"\n[scene.params]\nstage.hue = 0.3\n\
                 generator.pace = 5\n[[scene]]\nname = \"b\"\n";
    fs::write(dir.path().join("t.toml"), piece).unwrap();
    let args = ["play", "t.toml", "--stage", "plain", "--sound", "none", "--record", "rec", "--seconds", "5"];
    let mut child = xiao(dir.path()).args(args).stdout(std::process::Stdio::null()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2500));
    fs::write(dir.path().join("t.toml"), piece.replace("0.3", "0.7")).unwrap();
    assert!(child.wait().unwrap().success());
    let events = journal(&dir.path().join("rec"));
    assert_eq!(events.iter().filter(|e| e["event"] == "scene").count(), 1);
    let moved: Vec<_> = events.iter().filter(|e| e["by"] == "plan").map(|e| (&e["id"], at_s(e) > 1.0)).collect();
    assert_eq!(moved.len(), 3, "{moved:?}");
    assert_eq!((moved[2].0, moved[2].1), (&"stage.hue".into(), true));
}

#[test]
fn check_says_how_long_a_plan_is() {
    let dir = folder();
    let check = |text: &str| {
        fs::write(dir.path().join("t.toml"), text).unwrap();
        let json = stdout(&ok(xiao(dir.path()).args(["check", "t.toml", "--json"])));
        let json: Value = serde_json::from_str(&json).unwrap();
        (stdout(&ok(xiao(dir.path()).args(["check", "t.toml"]))), json["scenes"].clone(), json["plan_s"].clone())
    };
    let (said, scenes, length) = check(PIECE);
    assert!(said.trim_end().ends_with("0 matrix routes, 3 scenes"), "{said}");
    assert_eq!((scenes, length), (3.into(), Value::Null));
    let (said, _, length) = check(&PIECE.replace("tokens = 8", "s = 90.5, flaw = \"any\""));
    assert!(said.trim_end().ends_with(", 3 scenes (at most 1:32 min and then the last)"), "{said}");
    assert_eq!(length, 92.0);
    let round = PIECE.replace("tokens = 8", "s = 240").replace("prompt = \"moon\"\n", "next = { s = 60 }\n");
    let (said, ..) = check(&format!("plan = \"loop\"\n{round}"));
    assert!(said.trim_end().ends_with(", 3 scenes (5:02 min a round)"), "{said}");
    let (said, scenes, length) = check("[prompts]\nmoon = \"The moon\"\n");
    assert!(said.trim_end().ends_with("0 matrix routes"), "{said}");
    assert_eq!((scenes, length), (0.into(), 0.0.into()));
}
