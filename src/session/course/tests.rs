//! Plans played under a clock of the test's own.

use super::*;
use crate::patch;
use crate::score::{Flaw, FlawKind, Token};
use crate::session::glide::STEP_NS;

const S: u64 = 1_000_000_000;

/// A plan under way with its parameters, and what it asked for.
struct Rig {
    course: Course,
    params: Params,
    now_ns: u64,
    /// Times in ns with what was asked for then.
    asked: Vec<(u64, Ask)>,
}

fn plan(text: &str) -> Plan {
    let text = format!("{text}\n[prompts]\nmoon = \"The moon\"\ndawn = \"春\"\n");
    patch::parse("p.toml", &text).unwrap().plan
}

impl Rig {
    fn new(text: &str) -> Rig {
        let mut rig = Rig { course: Course::new(plan(text)), params: Params::default(), now_ns: 0, asked: Vec::new() };
        rig.doing(|course, now_ns, params, asks| course.begin(0, now_ns, params, asks));
        rig
    }

    /// Does what is asked for, as the hands do.
    fn doing(&mut self, act: impl FnOnce(&mut Course, u64, &Params, &mut Vec<Ask>)) {
        let mut asks = Vec::new();
        act(&mut self.course, self.now_ns, &self.params, &mut asks);
        for ask in asks {
            if let Ask::Set(id, value, by) = ask {
                self.params.set(id, value);
                self.hear(Event::Param { id, value, by });
            }
            self.asked.push((self.now_ns, ask));
        }
    }

    fn hear(&mut self, event: Event) {
        self.course.hear(&Stamped { seq: 0, t_ns: self.now_ns, event });
    }

    fn turn(&mut self, id: ParamId, value: f32, by: Hand) {
        let value = self.params.set(id, value);
        self.hear(Event::Param { id, value, by });
    }

    /// Ticks every 2 ms.
    fn until(&mut self, s: f64) {
        while self.now_ns < (s * 1e9) as u64 {
            self.now_ns += 2_000_000;
            self.doing(|course, now_ns, params, asks| course.tick(now_ns, params, asks));
        }
    }

    fn take(&mut self, text: &str) {
        let plan = plan(text);
        self.doing(|course, now_ns, params, asks| course.take(plan, now_ns, params, asks));
    }

    /// The scenes that began, with their times in tenths of a second.
    fn scenes(&self) -> Vec<(u64, String)> {
        let scene = |(t_ns, ask): &(u64, Ask)| match ask {
            Ask::Tell(Event::Scene { name, .. }) => Some(((t_ns + S / 20) / (S / 10), name.clone())),
            _ => None,
        };
        self.asked.iter().filter_map(scene).collect()
    }

    fn sets(&self, of: ParamId) -> Vec<(u64, f32)> {
        let set = |(t_ns, ask): &(u64, Ask)| match ask {
            Ask::Set(id, value, _) if *id == of => Some((*t_ns, *value)),
            _ => None,
        };
        self.asked.iter().filter_map(set).collect()
    }
}

fn token() -> Event {
    Event::Token(Token {
        id: 1,
        text: "a".into(),
        index: 0,
        latency_ms: 1.0,
        p: 1.0,
        surprise_bits: 0.0,
        entropy_bits: 0.0,
        context_fill: 0.0,
        top: Vec::new(),
        inside: Default::default(),
    })
}

fn flaw(kind: FlawKind) -> Event {
    Event::Flaw(Flaw { kind, index: 0, period: 1, count: 1, cause: String::new() })
}

fn names(scenes: &[(u64, String)]) -> Vec<&str> {
    scenes.iter().map(|(_, name)| name.as_str()).collect()
}

#[test]
fn without_a_plan_nothing_is_asked_for() {
    let mut rig = Rig::new("");
    rig.hear(token());
    rig.until(5.0);
    assert_eq!((rig.asked.as_slice(), rig.course.step(1), rig.course.step(-1)), (&[][..], None, None));
}

#[test]
fn a_scene_is_told_then_set_then_its_prompt_is_played_and_the_last_stays() {
    let mut rig = Rig::new(
        r#"
        [[scene]]
        name = "a"
        prompt = "dawn"
        next = { s = 2 }
        [scene.params]
        "generator.pace" = 4
        [[scene]]
        name = "b"
        "#,
    );
    let told = |name: &str, index| Ask::Tell(Event::Scene { name: name.into(), index, of: 2 });
    assert_eq!(rig.asked, [(0, told("a", 0)), (0, Ask::Set(ParamId::Pace, 4.0, Hand::Plan)), (0, Ask::Play(1))]);
    rig.until(1000.0);
    assert_eq!(rig.asked[3..], [(2 * S, told("b", 1))]);
    assert_eq!((rig.course.step(1), rig.course.step(-1), rig.course.step(-2)), (None, Some(0), None));
}

#[test]
fn a_loop_begins_again_and_goes_round_both_ways() {
    let rig = Rig::new("plan = \"loop\"\nscene = [{ name = \"a\", next = { s = 1 } }, { name = \"b\", next.s = 2 }]");
    assert_eq!((rig.course.step(1), rig.course.step(-1), rig.course.step(-3)), (Some(1), Some(1), Some(1)));
    let mut rig = rig;
    rig.until(7.5);
    let wanted = [(0, "a"), (10, "b"), (30, "a"), (40, "b"), (60, "a"), (70, "b")];
    assert_eq!(rig.scenes(), wanted.map(|(t, name)| (t, name.to_string())));
}

#[test]
fn whichever_comes_first_leads_on() {
    let of = |next: &str| {
        Rig::new(&format!(
            "scene = [{{ name = \"a\", next = {next} }}, {{ name = \"b\", next = \"hand\" }}, {{ name = \"c\" }}]"
        ))
    };
    let mut rig = of("{ s = 60, tokens = 3 }");
    for _ in 0..2 {
        rig.hear(token());
    }
    rig.until(1.0);
    assert_eq!(names(&rig.scenes()), ["a"]);
    rig.hear(token());
    rig.until(1.1);
    // A hand alone leads on from the second.
    for _ in 0..99 {
        rig.hear(token());
        rig.hear(flaw(FlawKind::Leap));
    }
    rig.until(200.0);
    assert_eq!(names(&rig.scenes()), ["a", "b"]);

    let mut rig = of("{ flaw = \"leap\" }");
    rig.hear(flaw(FlawKind::Hesitation));
    rig.until(1.0);
    assert_eq!(names(&rig.scenes()), ["a"]);
    rig.hear(flaw(FlawKind::Leap));
    rig.until(1.1);
    assert_eq!(names(&rig.scenes()), ["a", "b"]);
    let mut rig = of("{ flaw = \"any\" }");
    rig.hear(flaw(FlawKind::ScriptMix));
    rig.until(0.1);
    assert_eq!(names(&rig.scenes()), ["a", "b"]);

    let mut rig = of("{ pieces = 2 }");
    rig.hear(Event::PieceEnd { tokens: 9 });
    rig.until(1.0);
    assert_eq!(names(&rig.scenes()), ["a"]);
    rig.hear(Event::PieceEnd { tokens: 9 });
    rig.until(1.1);
    assert_eq!(names(&rig.scenes()), ["a", "b"]);

    // Words hold the waiting off; without any it counts from the scene's beginning.
    let mut rig = of("{ waiting_s = 3 }");
    for i in 1..5 {
        rig.until(f64::from(i) * 2.0);
        rig.hear(token());
    }
    rig.until(20.0);
    assert_eq!(rig.scenes()[1], (110, "b".to_string()));
    let mut rig = of("{ waiting_s = 3 }");
    rig.until(5.0);
    assert_eq!(rig.scenes()[1], (30, "b".to_string()));
}

#[test]
fn what_was_on_its_way_belongs_to_the_scene_before() {
    let mut rig =
        Rig::new("scene = [{ name = \"a\", next.s = 1 }, { name = \"b\", next.tokens = 1 }, { name = \"c\" }]");
    rig.until(1.5);
    rig.course.hear(&Stamped { seq: 0, t_ns: S - 1, event: token() });
    rig.until(2.0);
    assert_eq!(names(&rig.scenes()), ["a", "b"]);
    rig.hear(token());
    rig.until(2.1);
    assert_eq!(names(&rig.scenes()), ["a", "b", "c"]);
}

/// Glides a level, a length and a switch in ten seconds.
const GLIDE: &str = r#"
    [[scene]]
    name = "a"
    over_s = 10
    next = { s = 20 }
    [scene.params]
    "sound.hum.level_db" = -34
    "sound.token.length_s" = 4.8
    "sampler.top_k" = 10
    "sound.mute" = true
    [[scene]]
    name = "b"
    over_s = 1
    [scene.params]
    "sound.hum.level_db" = -14
"#;

#[test]
fn parameters_glide_as_a_fader_would_and_switches_flip() {
    let mut rig = Rig::new(GLIDE);
    assert_eq!((rig.sets(ParamId::TopK), rig.sets(ParamId::Mute)), (vec![(0, 10.0)], vec![(0, 1.0)]));
    rig.until(5.0);
    // Half the way is half the decibels, and of a length that goes by ratios the geometric mean: √(1.2 · 4.8).
    assert!((rig.params.get(ParamId::HumLevel) + 24.0).abs() < 0.2, "{}", rig.params.get(ParamId::HumLevel));
    assert!((rig.params.get(ParamId::TokenLength) - 2.4).abs() < 0.05, "{}", rig.params.get(ParamId::TokenLength));
    rig.until(19.0);
    assert_eq!((rig.params.get(ParamId::HumLevel), rig.params.get(ParamId::TokenLength)), (-34.0, 4.8));
    let sets = rig.sets(ParamId::HumLevel);
    assert!((190..=200).contains(&sets.len()), "{}", sets.len());
    assert!(sets.windows(2).all(|w| w[1].0 - w[0].0 >= STEP_NS && w[1].1 < w[0].1), "{sets:?}");
    assert!((10 * S..10 * S + STEP_NS).contains(&sets.last().unwrap().0));
    rig.until(22.0);
    assert_eq!(rig.params.get(ParamId::HumLevel), -14.0);
}

#[test]
fn what_stands_there_already_is_not_set() {
    let mut rig = Rig::new("[[scene]]\nname = \"a\"\nover_s = 3\n[scene.params]\n\"sound.hum.level_db\" = -14");
    rig.until(5.0);
    assert_eq!(rig.sets(ParamId::HumLevel), []);
}

#[test]
fn the_performers_hand_wins_until_the_next_scene() {
    let mut rig = Rig::new(GLIDE);
    rig.until(2.0);
    rig.turn(ParamId::HumLevel, -50.0, Hand::Midi);
    rig.until(19.0);
    // The other goes on.
    assert_eq!((rig.params.get(ParamId::HumLevel), rig.params.get(ParamId::TokenLength)), (-50.0, 4.8));
    rig.until(20.5);
    let between = rig.params.get(ParamId::HumLevel);
    assert!((-50.0..-14.0).contains(&between) && between > -40.0, "{between}");
    rig.until(22.0);
    assert_eq!(rig.params.get(ParamId::HumLevel), -14.0);
}

#[test]
fn a_glide_goes_on_through_a_scene_that_does_not_name_it() {
    let mut rig = Rig::new(GLIDE);
    rig.until(2.0);
    rig.doing(|course, now_ns, params, asks| course.begin(course.step(1).unwrap(), now_ns, params, asks));
    rig.until(15.0);
    assert_eq!((rig.params.get(ParamId::HumLevel), rig.params.get(ParamId::TokenLength)), (-14.0, 4.8));
}

#[test]
fn a_changed_plan_keeps_the_scene_and_leads_only_to_what_changed() {
    let mut rig = Rig::new(GLIDE);
    rig.until(12.0);
    rig.turn(ParamId::TokenLength, 1.0, Hand::Key);
    let before = rig.asked.len();
    rig.take(&format!("[[scene]]\nname = \"z\"\nnext = {{ s = 1 }}\n{}", GLIDE.replace("-34", "-20")));
    rig.until(19.9);
    assert_eq!(
        rig.asked[before..].iter().filter(|(_, ask)| !matches!(ask, Ask::Set(ParamId::HumLevel, ..))).count(),
        0
    );
    assert!((rig.params.get(ParamId::HumLevel) - -23.0).abs() < 0.3, "{}", rig.params.get(ParamId::HumLevel));
    assert_eq!(rig.params.get(ParamId::TokenLength), 1.0);
    // Its time counts from where it began.
    rig.until(21.0);
    assert_eq!(rig.scenes(), [(0, "a".to_string()), (200, "b".to_string())]);
}

#[test]
fn a_scenes_own_values_come_after_its_shaders_defaults() {
    // The first stands at 0.5 already, and the shader's default would take it away.
    let scene = "[[scene]]\nname = \"a\"\nshader = \"rain\"\n[scene.params]\n\"shader.1\" = 0.5\n\"shader.2\" = 0.9\n";
    let asked: Vec<Ask> = Rig::new(scene).asked.into_iter().map(|(_, ask)| ask).skip(1).collect();
    let set = |id, value| Ask::Set(id, value, Hand::Plan);
    assert_eq!(asked, [Ask::Shade("rain".into()), set(ParamId::Shader1, 0.5), set(ParamId::Shader2, 0.9)]);
}

#[test]
fn a_changed_shader_of_the_present_scene_is_taken_up() {
    let next = "[[scene]]\nname = \"b\"\nshader = \"c\"";
    let scene = |shader: &str| format!("[[scene]]\nname = \"a\"\nnext = \"hand\"\n{shader}\n{next}");
    let mut rig = Rig::new(&scene("shader = \"field\""));
    let before = rig.asked.len();
    rig.take(&scene("shader = \"rain\""));
    rig.take(&scene("shader = \"rain\"\nover_s = 2"));
    // What is no longer named stays, as where a scene names none.
    rig.take(&scene(""));
    assert_eq!(rig.asked[before..], [(0, Ask::Shade("rain".into()))]);
}

#[test]
fn plans_may_come_and_go_and_lose_the_present_scene() {
    let mut rig = Rig::new("");
    rig.until(1.0);
    rig.take(GLIDE);
    rig.until(22.0);
    rig.take("[[scene]]\nname = \"c\"");
    rig.until(23.0);
    assert_eq!(names(&rig.scenes()), ["a", "b", "c"]);
    let asked = rig.asked.len();
    rig.take("");
    rig.until(99.0);
    assert_eq!((rig.asked.len(), rig.course.step(1)), (asked, None));
}

#[test]
fn a_scene_tells_the_settings_that_it_leads_to() {
    let text = "[settings.dusk]\nover_s = 2\nblend = \"dawn\"\nprompt = \"moon\"\n\"stage.hue\" = 0.25\n\
                \"sampler.top_k\" = 5\n[[scene]]\nname = \"a\"\nsettings = \"dusk\"\n";
    let mut rig = Rig::new(text);
    let asked: Vec<Ask> = rig.asked.iter().map(|(_, ask)| ask.clone()).collect();
    let wanted = [
        Ask::Tell(Event::Settings { name: "dusk".into(), over_s: 2.0 }),
        Ask::Tell(Event::Scene { name: "a".into(), index: 0, of: 1 }),
        Ask::Set(ParamId::TopK, 5.0, Hand::Plan),
        Ask::Second(1),
        Ask::Play(0),
    ];
    assert_eq!(asked, wanted);
    rig.until(2.1);
    assert_eq!(rig.params.get(ParamId::Hue), 0.25);
}
