//! The hands' part in a plan: they let its time pass, do what it asks for, and go to a scene when a hand wants it.

#[cfg(test)]
pub(super) mod tests;

use super::State;
use crate::patch::Plan;
use crate::score::{Action, Event, Hand, When};
use crate::session::course::Ask;

impl State {
    /// Begins the piece: the scene that was asked for where the patch has a plan, and a prompt in any case.
    pub(super) fn begin(&mut self) {
        let (at, now_ns) = (self.hands.scene, self.hands.bus.clock().now_ns());
        self.course.begin(at, now_ns, &self.hands.params, &mut self.asks);
        if !self.asks.iter().any(|ask| matches!(ask, Ask::Play(_))) {
            self.asks.push(Ask::Play(0));
        }
        self.answer();
        if let Some(second) = self.hands.patch.blend.map(|at| self.hands.patch.prompts[at].name.clone()) {
            self.act(Action::BlendWith(second), Hand::Patch);
        }
    }

    /// Tells the plan what happened meanwhile, and does what it asks for.
    pub(super) fn tend_plan(&mut self) {
        self.tell_moves();
        self.events.drain(&mut self.heard);
        let mut heard = std::mem::take(&mut self.heard);
        for event in heard.drain(..) {
            self.course.hear(&event);
            self.hear_prompt(&event.event);
        }
        self.heard = heard;
        let now_ns = self.hands.bus.clock().now_ns();
        self.course.tick(now_ns, &self.hands.params, &mut self.asks);
        if !self.asks.is_empty() {
            // What a hand moved before belongs to the scene before.
            self.tell_moves_now();
        }
        self.answer();
        self.tend_crossing();
    }

    pub(super) fn take_plan(&mut self, plan: Plan) {
        let now_ns = self.hands.bus.clock().now_ns();
        self.course.take(plan, now_ns, &self.hands.params, &mut self.asks);
        self.answer();
    }

    pub(super) fn scene_step(&mut self, by: i32) {
        match self.course.step(by) {
            Some(at) => self.scene(at),
            None if self.hands.patch.plan.scenes.is_empty() => self.say("the patch has no scenes"),
            None if by > 0 => self.say("this is the last scene"),
            None => self.say("this is the first scene"),
        }
    }

    pub(super) fn scene_named(&mut self, name: &str) {
        match self.hands.patch.plan.find(name) {
            Ok(at) => self.scene(at),
            Err(why) => self.say(&why),
        }
    }

    fn scene(&mut self, at: usize) {
        let now_ns = self.hands.bus.clock().now_ns();
        self.course.begin(at, now_ns, &self.hands.params, &mut self.asks);
        self.answer();
    }

    pub(super) fn answer(&mut self) {
        let mut asks = std::mem::take(&mut self.asks);
        for ask in asks.drain(..) {
            match ask {
                Ask::Tell(event) => {
                    if let Event::Scene { name, .. } = &event {
                        self.scene_begins(name);
                    }
                    self.hands.bus.emit(event);
                }
                Ask::Set(id, value, by) => self.set(id, value, by),
                Ask::Play(at) => self.play(at, When::Now),
                Ask::Second(at) => self.act(Action::BlendNth(Some(at)), Hand::Plan),
                Ask::Shade(name) => self.shade(&name),
            }
        }
        self.asks = asks;
    }

    pub(super) fn say(&self, text: &str) {
        self.hands.bus.emit(Event::Notice { text: text.to_string() });
    }
}
