//! Draws the next token: which of the roads is taken.
//!
//! Stages act one after the other on the candidates, in the patch's order or in llama.cpp's, whose meanings and names
//! they have, so that settings carry over. First come bans and biases, last mirostat, then the draw. A draw is a pure
//! function of logits, text, parameters, plan and dice, but for mirostat's line, which is a plain value that can be
//! kept and restored; so a performance can be repeated on any machine. Runs on the worker's thread.

mod candidates;
mod cuts;
mod defaults;
mod dice;
mod dry;
mod ladder;
mod mirostat;
mod penalties;
mod phrase;
mod plan;
mod temperature;
#[cfg(test)]
mod tests;
mod view;

pub use defaults::Sampling;
pub use dice::Dice;
pub use mirostat::Mirostat;
pub use plan::SamplerPlan;
pub use view::{Moved, StageView};

use candidates::Candidates;

use crate::patch::sampler::Stage;
use crate::score::{ParamId, ParamValues};

/// What a stage is, for when others take its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Moves single logits: acts in every case.
    Weighs,
    /// Cuts: mirostat takes its place, and at temperature 0 there is nothing left to cut.
    Cuts,
    Heats,
}

/// When a stage does anything at all.
type IsOn = fn(&ParamValues) -> bool;
type Act = fn(&mut Candidates, &mut Scratch, &Now);

/// The stages in the order of [`Stage`].
static STAGES: [(Stage, Kind, IsOn, Act); 8] = [
    (Stage::Penalties, Kind::Weighs, penalties::is_on, penalties::act),
    (Stage::Dry, Kind::Weighs, dry::is_on, dry::act),
    (Stage::TopK, Kind::Cuts, cuts::top_k_is_on, cuts::top_k),
    (Stage::Typical, Kind::Cuts, cuts::typical_is_on, cuts::typical),
    (Stage::TopP, Kind::Cuts, cuts::top_p_is_on, cuts::top_p),
    (Stage::MinP, Kind::Cuts, cuts::min_p_is_on, cuts::min_p),
    (Stage::Xtc, Kind::Cuts, cuts::xtc_is_on, cuts::xtc),
    (Stage::Temperature, Kind::Heats, temperature::is_on, temperature::act),
];

/// What a stage may look at.
struct Now<'a> {
    history: &'a [u32],
    plan: &'a SamplerPlan,
    /// Within their ranges.
    params: ParamValues,
    dice: Dice,
}

impl<'a> Now<'a> {
    fn new(history: &'a [u32], plan: &'a SamplerPlan, params: &ParamValues, dice: Dice) -> Now<'a> {
        let mut clamped = ParamValues::default();
        for id in ParamId::ALL {
            clamped.set(*id, params.get(*id));
        }
        Now { history, plan, params: clamped, dice }
    }

    /// The last `n` tokens.
    fn recent(&self, n: usize) -> &'a [u32] {
        &self.history[self.history.len().saturating_sub(n)..]
    }
}

/// Memory that stages use while they act.
#[derive(Default)]
struct Scratch {
    ids: Vec<u32>,
    amounts: Vec<f32>,
    lengths: Vec<u32>,
    repeated: Vec<(u32, usize)>,
}

/// Scratch memory and mirostat's line: nothing else is kept from one token to the next.
#[derive(Default)]
pub struct Sampler {
    candidates: Candidates,
    scratch: Scratch,
    mirostat: Mirostat,
}

impl Sampler {
    /// Draws from `logits` (vocabulary). `history` are the tokens so far, the last one last. Returns `None` where no
    /// logit is a number.
    pub fn draw(
        &mut self,
        logits: &[f32],
        history: &[u32],
        plan: &SamplerPlan,
        params: &ParamValues,
        dice: Dice,
    ) -> Option<u32> {
        let now = Now::new(history, plan, params, dice);
        let steered = self.run(logits, &now, &mut |_, _, _| {});
        let id = self.candidates.pick(dice.road)?;
        if steered {
            self.mirostat.learn(&mut self.candidates, id, &now.params);
        }
        Some(id)
    }

    /// Mirostat's line as it stands, to be kept with a snapshot of the text.
    pub fn mirostat(&self) -> Mirostat {
        self.mirostat
    }

    /// Goes on with a line that was kept.
    pub fn restore(&mut self, mirostat: Mirostat) {
        self.mirostat = mirostat;
    }

    /// Forgets what was learnt: a prompt begins.
    pub fn reset(&mut self) {
        self.mirostat = Mirostat::default();
    }

    /// Lets every stage act, and `seen` look at the candidates after each; true where mirostat steers.
    fn run(&mut self, logits: &[f32], now: &Now, seen: &mut dyn FnMut(&'static str, bool, &mut Candidates)) -> bool {
        let Sampler { candidates, scratch, mirostat } = self;
        let (plan, params) = (now.plan, &now.params);
        candidates.load(logits);
        seen("model", true, candidates);
        let bans = ban(candidates, scratch, logits, now);
        seen("ban", bans, candidates);
        let biases = bias(candidates, scratch, now);
        seen("bias", biases, candidates);
        let cold = plan.order.contains(&Stage::Temperature) && temperature::is_cold(params);
        let steered = !cold && mirostat::is_on(params);
        for stage in &plan.order {
            let (_, kind, is_on, act) = &STAGES[*stage as usize];
            let in_place = match kind {
                Kind::Weighs => true,
                Kind::Cuts => !cold && !steered,
                Kind::Heats => !cold,
            };
            let on = in_place && is_on(params);
            if on {
                act(candidates, scratch, now);
            }
            if !(cold && *kind == Kind::Heats) {
                seen(stage.name(), on, candidates);
            }
        }
        if cold {
            candidates.top(1);
            seen(Stage::Temperature.name(), true, candidates);
        }
        match steered {
            true => mirostat.cut(candidates, params),
            false => *mirostat = Mirostat::default(),
        }
        seen("mirostat", steered, candidates);
        steered
    }

    /// Room for as many entries as are ever asked for, for tests that nothing is allocated.
    #[cfg(test)]
    fn room(&self) -> usize {
        let Scratch { ids, amounts, lengths, repeated } = &self.scratch;
        self.candidates.room() + ids.capacity() + amounts.capacity() + lengths.capacity() + repeated.capacity()
    }
}

/// Takes out the tokens that the patch bans; true where it bans any.
fn ban(candidates: &mut Candidates, scratch: &mut Scratch, logits: &[f32], now: &Now) -> bool {
    let plan = now.plan;
    let any = !plan.banned.is_empty() || !plan.banned_phrases.is_empty();
    if !any || now.params.get(ParamId::Ban) < 0.5 {
        return false;
    }
    let ids = &mut scratch.ids;
    ids.clear();
    ids.extend_from_slice(&plan.banned);
    plan.banned_phrases.iter().for_each(|phrase| phrase.completed_by(now.history, |id| ids.push(id)));
    ids.sort_unstable();
    ids.dedup();
    candidates.edit(ids, |_, _| f32::NEG_INFINITY);
    if candidates.best() == f32::NEG_INFINITY {
        // Everything is banned: the show goes on as if nothing were.
        candidates.load(logits);
    }
    true
}

/// Adds what the patch adds; true where it adds anything.
fn bias(candidates: &mut Candidates, scratch: &mut Scratch, now: &Now) -> bool {
    let strength = now.params.get(ParamId::Bias);
    let (ids, by) = &now.plan.biased;
    let any = !ids.is_empty() || !now.plan.biased_phrases.is_empty();
    if !any || strength == 0.0 {
        return false;
    }
    candidates.edit(ids, |i, logit| logit + by[i] * strength);
    for (phrase, by) in &now.plan.biased_phrases {
        scratch.ids.clear();
        phrase.completed_by(now.history, |id| scratch.ids.push(id));
        scratch.ids.sort_unstable();
        scratch.ids.dedup();
        candidates.edit(&scratch.ids, |_, logit| logit + by * strength);
    }
    true
}
