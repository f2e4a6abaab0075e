//! One binding at one port: what a message of its control asks for.

use crate::control::decoder::{SEVEN, Said, Value};
use crate::control::travel;
use crate::patch::hands::{Binding, Play, Source, Takeover, Target};
use crate::patch::matrix::Shape;
use crate::score::param::Curve;
use crate::score::{Action, ParamId};

use super::Current;

/// A binding and what is known of its control.
#[derive(Clone, Debug)]
pub struct Control {
    pub binding: Binding,
    /// Where the control stood at its last message, 0..=1.
    last: Option<f32>,
    /// The value that this control gave the parameter; while the parameter still has it, the control holds it.
    given: Option<f32>,
    /// Where on its travel the parameter is while it is moved at a speed: more exact than a value of whole numbers.
    place: Option<f32>,
    /// When its key was struck last.
    struck_ns: Option<u64>,
}

/// A wheel that was let go may come to rest a little beside its middle; a stick wears, and is never pushed quite straight.
const DEAD: f32 = 0.03;
const DEAD_STICK: f32 = 0.15;
/// A key that is struck again sooner repeats by itself: hands are hardly so quick, and consoles repeat 11 to 30 times a
/// second.
const REPEATS_NS: u64 = 120_000_000;

/// A range of a parameter as a control travels it, bent by the binding's curve.
#[derive(Clone, Copy)]
struct Travel {
    id: ParamId,
    from: f32,
    to: f32,
    shape: Shape,
    steps: Option<u16>,
}

impl Travel {
    /// The value for a control at `at` of 0..=1, following the parameter's own curve between the ends.
    fn value(&self, at: f32) -> f32 {
        let spec = self.id.spec();
        let at = match self.steps {
            Some(steps) => (at * f32::from(steps)).floor().min(f32::from(steps - 1)) / f32::from(steps - 1),
            None => at,
        };
        // The ends are exact, whatever the curves round to.
        match self.shape.bend(at.clamp(0.0, 1.0), &mut false) {
            bent if bent <= 0.0 => spec.clamp(self.from),
            bent if bent >= 1.0 => spec.clamp(self.to),
            bent => {
                let (start, end) = (spec.position(self.from), spec.position(self.to));
                spec.at(start + (end - start) * bent)
            }
        }
    }

    /// Whether the way from one value to another is the one that is wanted, up the travel or (negative) down. From
    /// outside the range the nearer end may lie behind.
    fn leads(&self, from: f32, to: f32, wanted: f32) -> bool {
        let up = if self.from <= self.to { wanted } else { -wanted };
        (to - from) * up >= 0.0
    }

    /// Where a control would stand for this value, 0..=1; out of the range, at its nearer end. None: the range is no range.
    fn place(&self, value: f32) -> Option<f32> {
        let spec = self.id.spec();
        let (start, end) = (spec.position(self.from), spec.position(self.to));
        (start != end).then(|| self.shape.unbend(((spec.position(value) - start) / (end - start)).clamp(0.0, 1.0)))
    }
}

impl Control {
    pub fn new(binding: Binding) -> Control {
        Control { binding, last: None, given: None, place: None, struck_ns: None }
    }

    pub fn target(&self) -> &Target {
        &self.binding.target
    }

    /// The parameter that it plays, if it plays one.
    pub fn param(&self) -> Option<ParamId> {
        match self.binding.target {
            Target::Param { id, .. } => Some(id),
            _ => None,
        }
    }

    /// Whether it is pressed, rather than standing somewhere.
    pub fn is_button(&self) -> bool {
        !matches!(self.binding.play, Play::Place { .. } | Play::Turn { .. } | Play::Speed(_))
    }

    /// A foot that has left a pedal is not known of by its cable.
    fn is_pedal(&self) -> bool {
        let switches = self.param().is_some_and(|id| id.spec().curve == Curve::Switch);
        switches && matches!(self.binding.source, Source::Cc(64..=69))
    }

    /// Whether what it does lasts until it is let go.
    pub fn lasts(&self) -> bool {
        let of_param = matches!(self.binding.target, Target::Param { .. });
        matches!(self.binding.play, Play::Hold | Play::Speed(_)) || (of_param && self.binding.play == Play::Momentary)
    }

    pub fn is_pressed(&self) -> bool {
        self.last.is_some_and(|at| at > 0.0)
    }

    /// A key that lasts is struck, and nobody will say when it is let go: the next time does.
    pub fn struck(&mut self, now_ns: u64, current: Current) -> Option<Action> {
        let before = self.struck_ns.replace(now_ns);
        if before.is_some_and(|before| now_ns.saturating_sub(before) < REPEATS_NS) {
            return None;
        }
        let on = match self.binding.target {
            // Another hand may have let it go, or held it.
            Target::Param { id, to, .. } if self.binding.play == Play::Momentary => current(id) != id.spec().clamp(to),
            _ => !self.is_pressed(),
        };
        // What it was before does not count.
        self.last = Some(f32::from(!on));
        self.moved(Value::At { raw: if on { SEVEN } else { 0 }, most: SEVEN }, current)
    }

    /// Whether it acts again and again while it is held.
    pub fn repeats(&self) -> bool {
        matches!(self.binding.play, Play::Step(_))
    }

    pub fn hears(&self, said: Said) -> bool {
        let channel = self.binding.channel;
        self.binding.source == said.source && (channel.is_none() || channel == said.channel)
    }

    /// What it asks for when it is released, if it is pressed.
    pub fn let_go(&mut self, current: Current) -> Option<Action> {
        if let Play::Speed(_) = self.binding.play {
            self.last = None;
        }
        let pressed = (self.is_button() || self.is_pedal()) && self.is_pressed();
        pressed.then(|| self.moved(Value::At { raw: 0, most: SEVEN }, current)).flatten()
    }

    /// What a message of this control asks for.
    pub fn moved(&mut self, value: Value, current: Current) -> Option<Action> {
        let (raw, most) = match value {
            Value::At { raw, most } => (raw, most),
            Value::Step(steps) => return self.turned(steps, 1.0 / 127.0, current),
        };
        if let Play::Turn { encoder, step } = self.binding.play {
            return self.turned(encoder.steps(raw.min(SEVEN) as u8), step, current);
        }
        let at = f32::from(raw) / f32::from(most);
        let before = self.last.replace(at);
        if let (Target::Param { .. }, Play::Place { takeover, .. }) = (&self.binding.target, &self.binding.play) {
            return self.placed(*takeover, at, before, 0.5 / f32::from(most), current);
        }
        // A key's velocity is a press however soft; a slider that is used as a button is pressed in its upper half.
        let source = self.binding.source;
        let pressed = |at: f32| match source {
            source if source.is_button() => at > 0.0,
            // These rest at a half.
            Source::Axis(_) | Source::Bend | Source::MpeBend if source.rests_in_the_middle() => at >= 0.75,
            _ => at >= 0.5,
        };
        let (is, was) = (pressed(at), before.is_some_and(pressed));
        // A key that is struck again without a release between is struck again.
        let pressed_now = is && (!was || source.is_button());
        match (&self.binding.target, &self.binding.play) {
            (Target::Prompt(name), Play::Hold) if pressed_now => Some(Action::PromptDown(name.clone())),
            (Target::Prompt(name), Play::Hold) => (was && !is).then(|| Action::PromptUp(name.clone())),
            (Target::Prompt(name), _) => pressed_now.then(|| Action::Prompt(name.clone())),
            (Target::Trigger(action), _) => pressed_now.then(|| action.clone()),
            (&Target::Param { id, from, to }, Play::Toggle) => {
                let spec = id.spec();
                let away = |end: f32| (spec.position(current(id)) - spec.position(end)).abs();
                pressed_now.then(|| Action::Set(id, spec.clamp(if away(to) < away(from) { from } else { to })))
            }
            (&Target::Param { id, .. }, Play::Press(values)) => {
                let now = current(id);
                let next = values.iter().position(|v| *v == now).map_or(0, |at| (at + 1) % values.len());
                pressed_now.then(|| Action::Set(id, values[next]))
            }
            (Target::Param { .. }, Play::Speed(_)) => None,
            (Target::Param { .. }, &Play::Step(step)) => pressed_now.then(|| self.turned(1, step, current)).flatten(),
            (&Target::Param { id, from, to }, _) => {
                // A slider says where it stands. A button that was not pressed here is let go of something else.
                let first = before.is_none() && !source.is_button();
                let changed = is != was || first || (is && source.is_button());
                changed.then(|| Action::Set(id, id.spec().clamp(if is { to } else { from })))
            }
        }
    }

    /// A fader at `at`, `before` at its last message; `near` is half of its least step.
    fn placed(
        &mut self,
        takeover: Takeover,
        at: f32,
        before: Option<f32>,
        near: f32,
        current: Current,
    ) -> Option<Action> {
        let travel = self.travel()?;
        let wanted = travel.value(at);
        let now = current(travel.id);
        let holds = self.given == Some(now);
        match takeover {
            Takeover::Jump => {}
            _ if holds => {}
            Takeover::Pickup => {
                let here = travel.place(now).unwrap_or(at);
                let met = (at - here).abs() <= near || before.is_some_and(|b| (b - here) * (at - here) <= 0.0);
                if !met {
                    self.given = None;
                    return None;
                }
            }
            Takeover::Scale => return self.scaled(travel, at, before?, now),
        }
        self.given = Some(wanted);
        Some(Action::Set(travel.id, wanted))
    }

    /// The value goes the part of its way to the end that the fader goes of its own.
    fn scaled(&mut self, travel: Travel, at: f32, before: f32, now: f32) -> Option<Action> {
        let here = travel.place(now)?;
        let there = if at > before {
            here + (at - before) / (1.0 - before) * (1.0 - here)
        } else if at < before {
            here - (before - at) / before * here
        } else {
            return None;
        };
        let value = travel.value(there);
        // From where both are at one place on, the fader holds it.
        self.given = (value == travel.value(at)).then_some(value);
        Some(Action::Set(travel.id, value))
    }

    /// Moves on what is moved at a speed, by the time that has passed.
    pub fn passes(&mut self, time_s: f32, current: Current) -> Option<(ParamId, f32)> {
        let Play::Speed(speed) = self.binding.play else { return None };
        let pushed = self.pushed();
        if pushed == 0.0 {
            self.place = None;
            return None;
        }
        let travel = self.travel()?;
        let now = current(travel.id);
        let place = self.place.filter(|_| self.given == Some(now)).or_else(|| travel.place(now))?;
        let place = (place + speed * pushed * time_s).clamp(0.0, 1.0);
        let value = travel.value(place);
        (self.place, self.given) = (Some(place), Some(value));
        (value != now && travel.leads(now, value, speed * pushed)).then_some((travel.id, value))
    }

    /// How far it is pushed from where it rests, -1..=1: little of it moves very slowly.
    fn pushed(&self) -> f32 {
        let source = self.binding.source;
        let Some(at) = self.last else { return 0.0 };
        if source.is_button() {
            return f32::from(at > 0.0);
        }
        let way = if source.rests_in_the_middle() { 2.0 * at - 1.0 } else { at };
        let dead = if let Source::Axis(_) = source { DEAD_STICK } else { DEAD };
        let far = ((way.abs() - dead) / (1.0 - dead)).max(0.0);
        far * far * way.signum()
    }

    fn turned(&mut self, steps: i32, step: f32, current: Current) -> Option<Action> {
        let travel = self.travel().filter(|_| steps != 0)?;
        let now = current(travel.id);
        let whole = matches!(travel.id.spec().curve, Curve::Step | Curve::Switch);
        let value = travel.value(travel.place(now)? + steps as f32 * step);
        if whole && value == travel.id.spec().clamp(now) {
            // A parameter of whole values moves by one at least, within the range.
            let falling = travel.from > travel.to;
            let next =
                travel::nudged(travel.id, now, if (steps as f32 * step > 0.0) != falling { 1e-6 } else { -1e-6 });
            let (low, high) = if falling { (travel.to, travel.from) } else { (travel.from, travel.to) };
            let next = next.clamp(low, high);
            return travel.leads(now, next, steps as f32 * step).then_some(Action::Set(travel.id, next));
        }
        travel.leads(now, value, steps as f32 * step).then_some(Action::Set(travel.id, value))
    }

    fn travel(&self) -> Option<Travel> {
        let Target::Param { id, from, to } = self.binding.target else { return None };
        let (shape, steps) = match self.binding.play {
            Play::Place { shape, steps, .. } => (shape, steps),
            _ => (Shape::Lin, None),
        };
        Some(Travel { id, from, to, shape, steps })
    }

    /// Where the control would have to stand to show what its target is, 0..=1; for a button, 0 or 1.
    pub fn shown(&self, current: Current) -> Option<f32> {
        let Target::Param { id, to, .. } = self.binding.target else { return None };
        let now = current(id);
        match &self.binding.play {
            Play::Place { .. } | Play::Turn { .. } => self.travel()?.place(now),
            Play::Press(values) => Some(f32::from(values.contains(&now))),
            Play::Momentary | Play::Toggle | Play::Hold | Play::Step(_) | Play::Speed(_) => {
                Some(f32::from(now == id.spec().clamp(to)))
            }
        }
    }
}
