//! Where the patch's plan stands, as it follows from the events: the scene, how far it has come, what ends it.
//!
//! Owned by the stage's state; pure. It plays nothing: `session::course` does.

use crate::patch::{Next, Plan};
use crate::score::Event;

/// The plan and the scene that is being played.
#[derive(Clone, Debug, Default)]
pub struct Course {
    plan: Plan,
    at: Option<usize>,
    begun_ns: u64,
    token_ns: u64,
    tokens: u32,
    pieces: u32,
}

/// One of the things that end a scene.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    pub text: String,
    /// How near it is, 0..1; `None` where that cannot be said.
    pub part: Option<f32>,
}

impl Course {
    /// A patch was taken up; the scene that is being played is the one of the same name.
    pub fn take_plan(&mut self, plan: Plan) {
        let name = self.at.and_then(|at| self.plan.scenes.get(at)).map(|scene| scene.name.clone());
        self.plan = plan;
        self.at = name.and_then(|name| self.plan.place(&name));
    }

    pub fn take(&mut self, t_ns: u64, event: &Event) {
        match event {
            Event::Scene { name, index, .. } => {
                self.at = self.plan.place(name).or(Some(*index as usize));
                (self.begun_ns, self.token_ns) = (t_ns, t_ns);
                (self.tokens, self.pieces) = (0, 0);
            }
            Event::Token(_) => {
                self.tokens += 1;
                self.token_ns = t_ns;
            }
            Event::PieceEnd { .. } => self.pieces += 1,
            _ => {}
        }
    }

    /// The time since the scene began; `None` without a scene.
    pub fn played_ns(&self, now_ns: u64) -> Option<u64> {
        self.at.map(|_| now_ns.saturating_sub(self.begun_ns))
    }

    /// What comes after the scene: a name, or nothing.
    pub fn following(&self) -> Option<&str> {
        let at = self.at? + 1;
        let at = if self.plan.round && at == self.plan.scenes.len() { 0 } else { at };
        self.plan.scenes.get(at).map(|scene| scene.name.as_str())
    }

    /// All that ends the scene, whichever comes first.
    pub fn endings(&self, now_ns: u64) -> Vec<Ending> {
        let Some(scene) = self.at.and_then(|at| self.plan.scenes.get(at)) else { return Vec::new() };
        if self.following().is_none() {
            return vec![Ending { text: "the last scene: it stays".into(), part: None }];
        }
        let Next { s, tokens, pieces, flaws, waiting_s } = scene.next;
        let mut endings = Vec::new();
        let mut add = |text: String, part: Option<f32>| endings.push(Ending { text, part });
        if let Some(s) = s {
            let gone = seconds(self.begun_ns, now_ns);
            add(format!("{} left of {}", minutes(s - gone), minutes(s)), Some(gone / s));
        }
        let count = |done: u32, of: u32, what: &str| (format!("{done} of {of} {what}"), Some(done as f32 / of as f32));
        if let Some(of) = tokens {
            let (text, part) = count(self.tokens, of, "tokens");
            add(text, part);
        }
        if let Some(of) = pieces {
            let (text, part) = count(self.pieces, of, "pieces");
            add(text, part);
        }
        if let Some(s) = waiting_s {
            let gone = seconds(self.token_ns, now_ns);
            add(format!("{s:.0} s without a token"), Some(gone / s));
        }
        match flaws {
            [] => {}
            [kind] => {
                let word = serde_json::to_value(kind).ok().and_then(|word| word.as_str().map(str::to_string));
                add(format!("a flaw: {}", word.unwrap_or_default().replace('_', " ")), None);
            }
            _ => add("any flaw".into(), None),
        }
        if endings.is_empty() {
            endings.push(Ending { text: "the hand leads on: N".into(), part: None });
        }
        endings
    }
}

/// Minutes and seconds of a time that is no less than nothing.
fn minutes(s: f32) -> String {
    let s = s.max(0.0).round() as u64;
    format!("{}:{:02}", s / 60, s % 60)
}

fn seconds(then_ns: u64, now_ns: u64) -> f32 {
    (now_ns.saturating_sub(then_ns) as f64 / 1e9) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch;

    const PIECE: &str = r#"
[prompts]
a = "A"
[[scene]]
name = "dawn"
next = { s = 60, tokens = 40, flaw = "script_mix", waiting_s = 5 }
[[scene]]
name = "noon"
next = "hand"
[[scene]]
name = "dusk"
"#;

    fn texts(course: &Course, now_ns: u64) -> Vec<String> {
        course.endings(now_ns).into_iter().map(|ending| ending.text).collect()
    }

    #[test]
    fn what_ends_a_scene_and_how_near_it_is() {
        let mut course = Course::default();
        course.take_plan(patch::parse("p", PIECE).unwrap().plan);
        assert!(course.endings(0).is_empty() && course.played_ns(0).is_none());
        let scene = |name: &str, index| Event::Scene { name: name.into(), index, of: 3 };
        course.take(1_000_000_000, &scene("dawn", 0));
        course.take(2_000_000_000, &Event::PieceEnd { tokens: 1 });
        let now_ns = 16_000_000_000;
        let endings = course.endings(now_ns);
        assert_eq!(
            texts(&course, now_ns),
            ["0:45 left of 1:00", "0 of 40 tokens", "5 s without a token", "a flaw: script mix"]
        );
        assert_eq!((endings[0].part, endings[2].part, endings[3].part), (Some(0.25), Some(3.0), None));
        assert_eq!((course.following(), course.played_ns(now_ns)), (Some("noon"), Some(15_000_000_000)));
        course.take(now_ns, &scene("noon", 1));
        assert_eq!(texts(&course, now_ns), ["the hand leads on: N"]);
        course.take(now_ns, &scene("dusk", 2));
        assert_eq!(texts(&course, now_ns), ["the last scene: it stays"]);
    }

    #[test]
    fn a_changed_patch_keeps_the_scene_by_its_name() {
        let mut course = Course::default();
        course.take_plan(patch::parse("p", PIECE).unwrap().plan);
        course.take(0, &Event::Scene { name: "noon".into(), index: 1, of: 3 });
        let mut plan = patch::parse("p", PIECE).unwrap().plan;
        plan.scenes.remove(0);
        course.take_plan(plan);
        assert_eq!(course.following(), Some("dusk"));
        course.take_plan(Plan::default());
        assert_eq!(course.following(), None);
    }
}
