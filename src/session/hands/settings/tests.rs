//! Settings recalled, stored and written, without a thread, a model or a device.

#[path = "../../../../tests/common/ear.rs"]
#[allow(dead_code, reason = "the ear hears more than clicks")]
mod ear;

use super::*;
use crate::audio::{Cue, Engine};
use crate::patch::Matrix;
use crate::score::{MachineSample, SignalId, Stamped, Token};
use crate::session::hands::scenes::tests::Rig;

const PATCH: &str = r#"
[prompts]
moon = "The moon"
dawn = "春"
[settings]
hold = ["sampler", "sound.hum", "stage"]
[settings.dusk]
over_s = 4
prompt = "dawn"
"sampler.temperature" = 1.8
"sampler.top_k" = 5
"sound.level_db" = 0
"sound.hum.level_db" = -40
"sound.hum.pitch" = 50
"sound.hum.brightness" = 1
"sound.token.length_s" = 0.1
"sound.breath.level_db" = -6
"sound.reverb.mix" = 1
"sound.delay.mix" = 0.9
"stage.hue" = 0.05
"generator.blend" = 1
[settings.2]
"sampler.top_p" = 0.5
"#;

fn recall(rig: &mut Rig, name: &str) {
    rig.state.act(Action::Settings(SettingsAsk::Recall(name.into())), Hand::Midi);
}

fn ask(rig: &mut Rig, ask: SettingsAsk) -> Vec<String> {
    rig.state.act(Action::Settings(ask), Hand::Midi);
    let said = rig.events().into_iter().filter_map(|event| match event {
        Event::Notice { text } => Some(text),
        Event::Fault { what, .. } => Some(what),
        _ => None,
    });
    said.collect()
}

fn at(rig: &Rig, id: ParamId) -> f32 {
    rig.state.hands.params.get(id)
}

#[test]
fn a_recall_over_four_seconds_goes_one_way_and_ends_exactly() {
    let mut rig = Rig::new(PATCH);
    let wanted = rig.state.hands.patch.settings.get("dusk").unwrap().params.clone();
    let from = rig.state.hands.params.values();
    recall(&mut rig, "dusk");
    rig.until(3990);
    assert!(wanted.iter().any(|(id, to)| at(&rig, *id) != *to), "it takes its time");
    rig.until(4060);
    let events = rig.events();
    assert_eq!(events[0], Event::Settings { name: "dusk".into(), over_s: 4.0 });
    assert_eq!(rig.prompts(), ["dawn"]);
    for (id, to) in wanted {
        let told: Vec<f32> = std::iter::once(from.get(id))
            .chain(events.iter().filter_map(|event| match event {
                Event::Param { id: of, value, by: Hand::Settings } if *of == id => Some(*value),
                _ => None,
            }))
            .collect();
        assert_eq!((told.last(), at(&rig, id)), (Some(&to), to), "{}", id.name());
        let up = to > from.get(id);
        assert!(told.windows(2).all(|w| if up { w[0] < w[1] } else { w[0] > w[1] }), "{}: {told:?}", id.name());
        let steps = if id == ParamId::TopK { 2..=2 } else { 70..=82 };
        assert!(steps.contains(&told.len()), "{}: {}", id.name(), told.len());
    }
    assert!(events.iter().all(|event| !matches!(event, Event::Param { by, .. } if *by != Hand::Settings)));
}

#[test]
fn a_hand_takes_its_parameter_out_and_a_later_recall_has_it_again() {
    let mut rig = Rig::new(PATCH);
    recall(&mut rig, "dusk");
    rig.until(1000);
    rig.state.act(Action::Set(ParamId::Hue, 0.7), Hand::Midi);
    rig.until(5000);
    assert_eq!((at(&rig, ParamId::Hue), at(&rig, ParamId::Temperature)), (0.7, 1.8));
    recall(&mut rig, "dusk");
    rig.until(9100);
    assert_eq!(at(&rig, ParamId::Hue), 0.05);
}

#[test]
fn what_is_stored_comes_back_at_once_or_in_the_seconds_that_a_parameter_says() {
    let mut rig = Rig::new(PATCH);
    rig.state.set(ParamId::Temperature, 1.25, Hand::Key);
    rig.state.set(ParamId::TokenLength, 3.0, Hand::Key);
    assert_eq!(ask(&mut rig, SettingsAsk::Store(2)), ["settings stored in place 3"]);
    rig.state.set(ParamId::Temperature, 0.25, Hand::Key);
    rig.state.set(ParamId::TokenLength, 4.0, Hand::Key);
    ask(&mut rig, SettingsAsk::RecallNth(2));
    // The patch holds the sampler, the hum and the stage alone.
    assert_eq!((at(&rig, ParamId::Temperature), at(&rig, ParamId::TokenLength)), (1.25, 4.0));
    rig.state.set(ParamId::Temperature, 0.25, Hand::Key);
    rig.state.set(ParamId::SettingsOver, 2.0, Hand::Key);
    rig.until(100);
    recall(&mut rig, "3");
    rig.until(1100);
    assert!((at(&rig, ParamId::Temperature) - 0.75).abs() < 0.05);
    rig.until(2200);
    assert_eq!(at(&rig, ParamId::Temperature), 1.25);
    assert_eq!(ask(&mut rig, SettingsAsk::RecallNth(6)), ["nothing is stored in place 7"]);
    assert_eq!(ask(&mut rig, SettingsAsk::Store(8)), ["settings are stored in one of the places 1 to 8"]);
    assert_eq!(
        ask(&mut rig, SettingsAsk::Recall("dsk".into())),
        ["there are no settings \"dsk\"; did you mean \"dusk\"?"]
    );
}

#[test]
fn a_place_is_the_patchs_until_it_is_stored_and_again_when_the_patch_changes_it() {
    let mut rig = Rig::new(PATCH);
    ask(&mut rig, SettingsAsk::RecallNth(1));
    assert_eq!(at(&rig, ParamId::TopP), 0.5);
    rig.state.set(ParamId::TopP, 0.75, Hand::Key);
    ask(&mut rig, SettingsAsk::Store(1));
    rig.state.set(ParamId::TopP, 0.1, Hand::Key);
    let same = format!("{PATCH}\n# a word more\n");
    rig.state.take_patch(crate::patch::parse("p.toml", &same).unwrap(), "p.toml".into(), same);
    ask(&mut rig, SettingsAsk::RecallNth(1));
    assert_eq!(at(&rig, ParamId::TopP), 0.75);
    let other = PATCH.replace("= 0.5", "= 0.25");
    rig.state.take_patch(crate::patch::parse("p.toml", &other).unwrap(), "p.toml".into(), other);
    ask(&mut rig, SettingsAsk::RecallNth(1));
    assert_eq!(at(&rig, ParamId::TopP), 0.25);
}

#[test]
fn what_was_stored_is_written_when_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    std::fs::write(&path, PATCH).unwrap();
    let mut rig = Rig::new(PATCH);
    rig.state.hands.patch_file = Some(crate::patch::Watch::new(&path, PATCH));
    assert_eq!(ask(&mut rig, SettingsAsk::Save), ["no settings were stored that the patch has not"]);
    rig.state.set(ParamId::Temperature, 0.1, Hand::Key);
    ask(&mut rig, SettingsAsk::Store(0));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), PATCH, "nothing is written unasked");
    let said = ask(&mut rig, SettingsAsk::Save).pop().unwrap();
    assert!(said.starts_with("settings 1 written into ") && said.ends_with("p.toml"), "{said}");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with(PATCH) && text[PATCH.len()..].starts_with("\n[settings.1]\n\"sampler.temperature\" = 0.1\n")
    );
    rig.state.look_at_files();
    assert_eq!(rig.events(), [], "its own change is no news");
    assert_eq!(ask(&mut rig, SettingsAsk::Save), ["no settings were stored that the patch has not"]);
    rig.state.set(ParamId::Temperature, 1.9, Hand::Key);
    recall(&mut rig, "1");
    assert_eq!(at(&rig, ParamId::Temperature), 0.1);
}

#[test]
fn a_panic_taken_back_brings_the_last_settings() {
    let mut rig = Rig::new(&PATCH.replace("\"stage.hue\"", "\"sound.mute\" = true\n\"stage.hue\""));
    let panic = |rig: &mut Rig| rig.state.act(Action::Panic, Hand::Key);
    let held = |rig: &Rig| [ParamId::Mute, ParamId::Hold].map(|id| at(rig, id));
    rig.state.set(ParamId::Temperature, 0.5, Hand::Key);
    panic(&mut rig);
    panic(&mut rig);
    assert_eq!((at(&rig, ParamId::Temperature), held(&rig)), (0.5, [0.0, 0.0]), "there are none yet");
    ask(&mut rig, SettingsAsk::Store(0));
    rig.state.set(ParamId::Temperature, 1.5, Hand::Key);
    panic(&mut rig);
    assert_eq!((at(&rig, ParamId::Temperature), held(&rig)), (1.5, [1.0, 1.0]));
    panic(&mut rig);
    assert_eq!((at(&rig, ParamId::Temperature), held(&rig)), (0.5, [0.0, 0.0]));
    // Those that mute are to mute afterwards too; their glide and their prompt are not waited for.
    recall(&mut rig, "dusk");
    drop(rig.prompts());
    panic(&mut rig);
    panic(&mut rig);
    assert_eq!((at(&rig, ParamId::Temperature), held(&rig)), (1.8, [1.0, 0.0]));
    assert!(rig.prompts().is_empty());
}

/// Plays the events at their times and says how many clicks there are.
fn clicks(events: &[std::sync::Arc<Stamped>], s: usize) -> usize {
    const RATE: u32 = 48_000;
    let mut engine = Engine::new(RATE, 7, Matrix::default());
    let (mut block, mut samples) = (vec![0.0f32; 256], Vec::new());
    let take = |engine: &mut Engine, event: Event| {
        if let Some(cue) = Cue::from_event(&Stamped { seq: 0, t_ns: 0, event }) {
            engine.take(cue);
        }
    };
    let values = vec![(SignalId::Cpu, 0.7), (SignalId::Memory, 0.5)];
    take(&mut engine, Event::Machine(MachineSample { values, cores: vec![0.9, 0.4], absent: Vec::new() }));
    let mut events = events.iter().peekable();
    for i in 0..s * RATE as usize / 128 {
        let now_ns = i as u64 * 128 * 1_000_000_000 / u64::from(RATE);
        while let Some(stamped) = events.next_if(|stamped| stamped.t_ns <= now_ns) {
            take(&mut engine, stamped.event.clone());
        }
        if i % 150 == 20 {
            let token = Token {
                id: i as u32,
                text: "a".into(),
                index: i as u32,
                latency_ms: 30.0,
                p: 0.3,
                surprise_bits: 2.0,
                entropy_bits: 3.0,
                context_fill: 0.1,
                top: Vec::new(),
                inside: Default::default(),
            };
            take(&mut engine, Event::Token(token));
        }
        engine.render(&mut block);
        samples.extend_from_slice(&block);
    }
    assert!(samples.iter().any(|x| x.abs() > 0.01), "there is something to hear");
    let channel = |c: usize| samples.iter().skip(c).step_by(2).copied().collect::<Vec<f32>>();
    (0..2).map(|c| ear::clicks(&channel(c)).len()).sum()
}

#[test]
fn neither_a_recall_over_four_seconds_nor_one_at_once_clicks() {
    for text in [PATCH.to_string(), PATCH.replace("over_s = 4", "over_s = 0")] {
        let mut rig = Rig::new(&text);
        rig.until(1500);
        recall(&mut rig, "dusk");
        rig.until(5600);
        assert_eq!(at(&rig, ParamId::HumLevel), -40.0);
        assert_eq!(clicks(&rig.stamped(), 7), 0);
    }
}
