//! A plan under way: which scene is being played, where its parameters glide, and when the next one begins.
//!
//! Pure: it is told what happens and what time it is, by the clock of the events, and says what is to be done. The
//! hands' thread owns it and does that.

#[cfg(test)]
mod tests;

use super::glide::{Glides, ns};
use crate::patch::{Next, Plan};
use crate::score::{Event, Hand, ParamId, Params, Stamped};

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// A scene begins: an event for all to know.
    Tell(Event),
    /// Set a parameter, by the hand that leads it.
    Set(ParamId, f32, Hand),
    /// Play the prompt at this place of the bank.
    Play(usize),
    /// Take the prompt at this place of the bank as the second one.
    Second(usize),
    /// Take up the shader of this name.
    Shade(String),
}

/// A plan and how far it has come. With an empty plan nothing is ever asked for.
#[derive(Debug, Default)]
pub struct Course {
    plan: Plan,
    /// The present scene's place.
    at: usize,
    begun_ns: u64,
    tokens: u32,
    pieces: u32,
    /// When the last token of this scene came; at first, when the scene began.
    token_ns: u64,
    /// A flaw came that ends the scene.
    flawed: bool,
    /// Parameters on their way. They go on through the scenes that do not name them.
    pub glides: Glides,
}

impl Course {
    /// Nothing is under way until [`Course::begin`].
    pub fn new(plan: Plan) -> Course {
        Course { plan, ..Course::default() }
    }

    /// Begins the scene at a place, if the plan has it; `params` say where the glides begin.
    pub fn begin(&mut self, at: usize, now_ns: u64, params: &Params, asks: &mut Vec<Ask>) {
        let Some(scene) = self.plan.scenes.get(at).cloned() else { return };
        (self.at, self.begun_ns, self.token_ns) = (at, now_ns, now_ns);
        (self.tokens, self.pieces, self.flawed) = (0, 0, false);
        let of = self.plan.scenes.len() as u32;
        // A stage has room for one: the scene's name is told last.
        asks.extend(scene.settings.map(|name| Ask::Tell(Event::Settings { name, over_s: scene.over_s })));
        asks.push(Ask::Tell(Event::Scene { name: scene.name, index: at as u32, of }));
        // The shader first: it brings its inputs' defaults, which the scene's own values follow, also one that stands already.
        let inputs = scene.params.iter().filter(|(id, to)| id.name().starts_with("shader.") && params.get(*id) == *to);
        let stand: Vec<Ask> = inputs.map(|(id, to)| Ask::Set(*id, *to, Hand::Plan)).collect();
        if let Some(shader) = scene.shader {
            asks.push(Ask::Shade(shader));
            asks.extend(stand);
        }
        self.glides.lead(scene.params.into_iter(), (scene.over_s, Hand::Plan), now_ns, params, asks);
        asks.extend(scene.blend.map(Ask::Second));
        asks.extend(scene.prompt.map(Ask::Play));
    }

    /// The place so many scenes on, if there is one.
    pub fn step(&self, by: i32) -> Option<usize> {
        let count = self.plan.scenes.len() as i64;
        let to = self.at as i64 + i64::from(by);
        let to = if self.plan.round && count > 0 { to.rem_euclid(count) } else { to };
        (0..count).contains(&to).then_some(to as usize)
    }

    /// Takes up a changed plan. The scene of the present one's name is played on, and led to what was changed of it;
    /// where there is none any more, the one in its place begins.
    pub fn take(&mut self, plan: Plan, now_ns: u64, params: &Params, asks: &mut Vec<Ask>) {
        let old = std::mem::replace(&mut self.plan, plan);
        let Some(was) = old.scenes.get(self.at) else { return self.begin(0, now_ns, params, asks) };
        let Some(last) = self.plan.scenes.len().checked_sub(1) else {
            let mut glides = std::mem::take(&mut self.glides);
            glides.release_all_of(Hand::Plan);
            *self = Course { glides, ..Course::default() };
            return;
        };
        let Some(at) = self.plan.place(&was.name) else {
            return self.begin(self.at.min(last), now_ns, params, asks);
        };
        self.at = at;
        let scene = self.plan.scenes[at].clone();
        let changed = scene.params.into_iter().filter(|param| !was.params.contains(param));
        self.glides.lead(changed, (scene.over_s, Hand::Plan), now_ns, params, asks);
        asks.extend(scene.shader.filter(|shader| was.shader.as_ref() != Some(shader)).map(Ask::Shade));
    }

    /// Takes in what happened. A parameter that another hand moves is left to it until a scene names it again.
    pub fn hear(&mut self, stamped: &Stamped) {
        let t_ns = stamped.t_ns;
        match &stamped.event {
            Event::Param { id, by, .. } if !matches!(by, Hand::Plan | Hand::Settings) => self.glides.moved(*id, t_ns),
            // What was on its way as the scene began belongs to the one before.
            _ if t_ns < self.begun_ns => {}
            Event::Token(_) => {
                self.tokens += 1;
                self.token_ns = t_ns;
            }
            Event::PieceEnd { .. } => self.pieces += 1,
            Event::Flaw(flaw) => self.flawed |= self.next().flaws.contains(&flaw.kind),
            _ => {}
        }
    }

    /// Lets time pass: the next scene begins if the present one is over, and what glides moves on.
    pub fn tick(&mut self, now_ns: u64, params: &Params, asks: &mut Vec<Ask>) {
        if self.over(now_ns)
            && let Some(at) = self.step(1)
        {
            self.begin(at, now_ns, params, asks);
        }
        self.glides.tick(now_ns, asks);
    }

    fn next(&self) -> Next {
        self.plan.scenes.get(self.at).map(|scene| scene.next).unwrap_or_default()
    }

    fn over(&self, now_ns: u64) -> bool {
        let passed = |since_ns: u64, s: Option<f32>| s.is_some_and(|s| now_ns.saturating_sub(since_ns) >= ns(s));
        let next = self.next();
        self.flawed
            || passed(self.begun_ns, next.s)
            || passed(self.token_ns, next.waiting_s)
            || next.tokens.is_some_and(|n| self.tokens >= n)
            || next.pieces.is_some_and(|n| self.pieces >= n)
    }
}
