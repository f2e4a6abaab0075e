//! The stages one after the other, for people: what each leaves and how it moves the likeliest tokens.

use super::{Candidates, Dice, Now, Sampler, SamplerPlan};
use crate::score::ParamValues;

/// The distribution after one stage.
#[derive(Clone, Debug, PartialEq)]
pub struct StageView {
    /// The stage's name; the first is the model itself.
    pub name: &'static str,
    /// Whether it acts at all.
    pub on: bool,
    /// Tokens that may still be drawn.
    pub left: usize,
    /// The probability that the model gives to those tokens.
    pub held: f32,
    pub entropy_bits: f32,
    /// Those that are likeliest before or after, each with its probability before and after this stage.
    pub best: Vec<Moved>,
}

/// A token before and after a stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    pub id: u32,
    pub before: f32,
    pub after: f32,
}

impl Sampler {
    /// What each stage would do to these logits, with the `most` likeliest tokens. Nothing is drawn or remembered.
    pub fn stages(
        &mut self,
        logits: &[f32],
        history: &[u32],
        plan: &SamplerPlan,
        params: &ParamValues,
        dice: Dice,
        most: usize,
    ) -> Vec<StageView> {
        let now = Now::new(history, plan, params, dice);
        let (mut model, mut before, mut after) = (Vec::new(), Vec::new(), Vec::new());
        let mut views = Vec::new();
        let mirostat = self.mirostat;
        self.run(logits, &now, &mut |name, on, candidates: &mut Candidates| {
            candidates.probabilities(&mut after);
            if views.is_empty() {
                model.clone_from(&after);
                before.clone_from(&after);
            }
            let held: f64 = after.iter().zip(&model).filter(|(p, _)| **p > 0.0).map(|(_, p)| p).sum();
            let nats: f64 = after.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
            views.push(StageView {
                name,
                on,
                left: candidates.count(),
                held: held as f32,
                entropy_bits: (nats / std::f64::consts::LN_2).max(0.0) as f32,
                best: best(&before, &after, most),
            });
            before.clone_from(&after);
        });
        self.mirostat = mirostat;
        views
    }
}

fn best(before: &[f64], after: &[f64], most: usize) -> Vec<Moved> {
    let mut ids: Vec<u32> = (0..after.len() as u32).collect();
    let weight = |id: u32| before[id as usize].max(after[id as usize]);
    ids.sort_by(|a, b| weight(*b).total_cmp(&weight(*a)).then(a.cmp(b)));
    let moved = |id: u32| Moved { id, before: before[id as usize] as f32, after: after[id as usize] as f32 };
    ids.into_iter().filter(|id| weight(*id) > 0.0).take(most).map(moved).collect()
}
