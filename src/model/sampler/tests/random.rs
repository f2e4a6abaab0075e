//! Any logits, any parameters, any order: what must hold all the same.

use super::*;

/// The sampler as it was before there were stages, by a full sort.
fn plain_draw(logits: &[f32], history: &[u32], params: &ParamValues, chance: f64) -> u32 {
    let mut logits = logits.to_vec();
    let penalty = params.get(ParamId::RepeatPenalty);
    let mut recent = history[history.len().saturating_sub(params.get(ParamId::RepeatWindow) as usize)..].to_vec();
    recent.sort();
    recent.dedup();
    for id in recent {
        let logit = &mut logits[id as usize];
        *logit = if *logit > 0.0 { *logit / penalty } else { *logit * penalty };
    }
    let mut sorted: Vec<(f32, u32)> = logits.iter().copied().zip(0..).collect();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let (temperature, max) = (params.get(ParamId::Temperature), sorted[0].0);
    if temperature <= 0.0 {
        return sorted[0].1;
    }
    let top_k = params.get(ParamId::TopK) as usize;
    let log_sum = if top_k > 0 {
        sorted.truncate(top_k);
        let sum: f64 = sorted.iter().map(|(logit, _)| f64::from(logit - max).exp()).sum();
        f64::from(max) + sum.ln()
    } else {
        crate::model::decoder::spread(&logits).log_sum
    };
    let (top_p, least) = (f64::from(params.get(ParamId::TopP)), max + params.get(ParamId::MinP).ln());
    let (mut held, mut keep) = (0.0, 0);
    for (logit, _) in &sorted {
        if keep > 0 && (*logit < least || top_p < 1.0 && held >= top_p) {
            break;
        }
        held += (f64::from(*logit) - log_sum).exp();
        keep += 1;
    }
    let weight = |logit: f32| f64::from((logit - max) / temperature).exp();
    let total: f64 = sorted[..keep].iter().map(|(logit, _)| weight(*logit)).sum();
    let mut left = chance * total;
    let passes = |(logit, _): &&(f32, u32)| {
        left -= weight(*logit);
        left < 0.0
    };
    sorted[..keep].iter().find(passes).unwrap_or(&sorted[keep - 1]).1
}

#[test]
fn with_the_new_stages_off_the_draws_are_those_of_old() {
    let mut numbers = Numbers(0);
    let (mut sampler, plan) = (Sampler::default(), SamplerPlan::default());
    for round in 0..1500 {
        let n = [5, 60, 700, 4000][round % 4];
        let (logits, history) = (numbers.logits(n), numbers.history(20, n));
        let mut params = ParamValues::default();
        for id in [
            ParamId::Temperature,
            ParamId::TopK,
            ParamId::TopP,
            ParamId::MinP,
            ParamId::RepeatPenalty,
            ParamId::RepeatWindow,
        ] {
            match numbers.below(4) {
                0 => params.set(id, open().get(id)),
                1 => {}
                _ => params.set(id, id.spec().at(numbers.next())),
            }
        }
        let dice = dice(round as u64);
        let old = plain_draw(&logits, &history, &params, dice.road);
        assert_eq!(sampler.draw(&logits, &history, &plan, &params, dice), Some(old), "{round} of {n}: {params:?}");
    }
}

#[test]
fn whatever_is_played_a_token_comes_and_none_that_is_banned() {
    let mut numbers = Numbers(77_000);
    let (mut sampler, mut plan) = (Sampler::default(), SamplerPlan::default());
    for round in 0..1200 {
        let n = [2, 30, 500, 4000][round % 4];
        let mut logits = numbers.logits(n);
        let history = numbers.history(60, n.min(12));
        for _ in 0..numbers.below(4) {
            let at = numbers.below(n);
            logits[at] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX][numbers.below(4)];
        }
        let usable = (0..n as u32).filter(|id| logits[*id as usize] > f32::NEG_INFINITY).collect::<Vec<_>>();
        plan.banned = usable.iter().copied().filter(|_| numbers.next() < 0.3).collect();
        plan.biased = summed(numbers.history(5, n).into_iter().map(|id| (id, numbers.next() * 8.0 - 4.0)).collect());
        let mut order = Stage::WORDS.map(|(_, stage)| stage);
        if numbers.next() < 0.5 {
            (1..8).for_each(|i| order.swap(i, numbers.below(i + 1)));
        }
        plan.set_order(&order[..numbers.below(9)]);
        let params = numbers.params();
        let (dice, line) = (dice(round as u64), sampler.mirostat());
        let drawn = sampler.draw(&logits, &history, &plan, &params, dice);
        let Some(id) = drawn else {
            assert!(usable.is_empty(), "{round}: {params:?}");
            continue;
        };
        assert!(usable.contains(&id), "{round}");
        let banned = params.get(ParamId::Ban) >= 0.5 && plan.banned.len() < usable.len();
        assert!(!banned || !plan.banned.contains(&id), "{round}");
        let mut p = Vec::new();
        sampler.candidates.probabilities(&mut p);
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9 && p[id as usize] >= 0.0);
        // The same again, whatever was drawn before.
        let mut other = Sampler::default();
        other.restore(line);
        assert_eq!(other.draw(&logits, &history, &plan, &params, dice), drawn);
        assert_eq!(other.mirostat(), sampler.mirostat());
        // And the view ends with what was drawn from.
        let views = other.stages(&logits, &history, &plan, &params, dice, 5);
        assert!(views.iter().all(|v| v.left > 0 && v.best.len() <= 5 && (0.0..=1.001).contains(&v.held)));
        assert_eq!(other.mirostat(), sampler.mirostat());
    }
    assert_eq!(sampler.draw(&[f32::NAN, f32::NAN], &[], &plan, &open(), dice(0)), None);
    assert_eq!(sampler.draw(&[], &[], &plan, &open(), dice(0)), None);
}

#[test]
fn many_candidates_are_kept_as_few_are() {
    // More tokens than become a list: every cut against a full sort.
    let mut numbers = Numbers(500_000);
    for round in 0..60 {
        let n = 9000;
        let logits: Vec<f32> = (0..n).map(|_| (numbers.next() * 64.0).floor() / 16.0).collect();
        let mut sorted: Vec<(f32, u32)> = logits.iter().copied().zip(0..).collect();
        sorted.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let sum: f64 = logits.iter().map(|x| f64::from(*x).exp()).sum();
        let p = |logit: f32| f64::from(logit).exp() / sum;
        let at = 0.3 + 0.69 * numbers.next();
        let (id, mut wanted): (ParamId, Vec<u32>) = match round % 3 {
            0 => {
                let mut held = 0.0;
                let needed = sorted.iter().take_while(|(logit, _)| {
                    let enough = held >= f64::from(at);
                    held += p(*logit);
                    !enough
                });
                (ParamId::TopP, needed.map(|(_, id)| *id).collect())
            }
            1 => {
                let entropy: f64 = logits.iter().map(|x| -p(*x) * p(*x).ln()).sum();
                let mut by: Vec<(f64, u32)> =
                    (0..n as u32).map(|id| ((-p(logits[id as usize]).ln() - entropy).abs(), id)).collect();
                by.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                let mut held = 0.0;
                let needed = by.iter().take_while(|(_, id)| {
                    let enough = held > f64::from(at);
                    held += p(logits[*id as usize]);
                    !enough
                });
                (ParamId::TypicalP, needed.map(|(_, id)| *id).collect())
            }
            _ => {
                let least = sorted[0].0 + (at * 0.2).ln();
                let kept = sorted.iter().filter(|(logit, _)| *logit >= least);
                (ParamId::MinP, kept.map(|(_, id)| *id).collect())
            }
        };
        let value = if id == ParamId::MinP { at * 0.2 } else { at };
        wanted.sort_unstable();
        let got = ids(&left(&logits, &[], &SamplerPlan::default(), &with(&[(id, value)])));
        // The sum over the vocabulary is an f32's: at the edge a token may be kept or not.
        let other = got.iter().filter(|id| wanted.binary_search(id).is_err()).count();
        assert!(other <= 1 && got.len().abs_diff(wanted.len()) <= 1, "{id:?}: {} {}", got.len(), wanted.len());
        assert!(wanted.len() > 1, "{id:?} {at}");
    }
}

#[test]
fn a_token_costs_no_allocation() {
    let mut numbers = Numbers(900_000);
    let (mut sampler, plan) = (Sampler::default(), SamplerPlan { banned: vec![3, 5], ..SamplerPlan::default() });
    let logits: Vec<Vec<f32>> = (0..8).map(|_| numbers.logits(5000)).collect();
    let history = numbers.history(600, 9);
    let params: Vec<ParamValues> = (0..100).map(|_| numbers.params()).collect();
    let round = |sampler: &mut Sampler| {
        for (i, params) in params.iter().enumerate() {
            sampler.draw(&logits[i % 8], &history, &plan, params, dice(i as u64));
        }
    };
    round(&mut sampler);
    let room = sampler.room();
    round(&mut sampler);
    assert_eq!(sampler.room(), room);
}
