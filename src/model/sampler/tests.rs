//! The stages against plain references, against llama.cpp's figures, and against each other.

use super::dice::chance;
use super::phrase::Phrase;
use super::plan::summed;
use super::*;

mod random;

/// Every stage off, temperature 1.
fn open() -> ParamValues {
    let mut params = ParamValues::default();
    for (id, value) in [
        (ParamId::Temperature, 1.0),
        (ParamId::TopK, 0.0),
        (ParamId::TopP, 1.0),
        (ParamId::MinP, 0.0),
        (ParamId::RepeatPenalty, 1.0),
    ] {
        params.set(id, value);
    }
    params
}

fn with(settings: &[(ParamId, f32)]) -> ParamValues {
    let mut params = open();
    settings.iter().for_each(|(id, value)| params.set(*id, *value));
    params
}

fn dice(n: u64) -> Dice {
    Dice::roll(1, n, &ParamValues::default())
}

/// Numbers without end, in 0..1.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 += 1;
        chance(99, self.0) as f32
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() * n as f32) as usize % n
    }

    /// As a model's logits are: a few tall ones over many small ones.
    fn logits(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.next().powi(6) * 16.0 - 4.0).collect()
    }

    fn history(&mut self, n: usize, of: usize) -> Vec<u32> {
        (0..n).map(|_| self.below(of) as u32).collect()
    }

    /// Every sampler's parameter anywhere in its range, but every second one at its default.
    fn params(&mut self) -> ParamValues {
        let mut params = ParamValues::default();
        for id in ParamId::ALL.iter().filter(|id| id.name().starts_with("sampler.")) {
            let (on, at) = (self.next() < 0.5, self.next());
            if on {
                params.set(*id, id.spec().at(at));
            }
        }
        params
    }
}

/// What is left after all stages: tokens and probabilities, by number.
fn left(logits: &[f32], history: &[u32], plan: &SamplerPlan, params: &ParamValues) -> Vec<(u32, f64)> {
    let mut sampler = Sampler::default();
    let strikes = Dice { road: 0.0, xtc: 0.0 };
    sampler.run(logits, &Now::new(history, plan, params, strikes), &mut |_, _, _| {});
    let mut p = Vec::new();
    sampler.candidates.probabilities(&mut p);
    let mut ids = Vec::new();
    sampler.candidates.each(|_, id| ids.push(id));
    ids.sort_unstable();
    ids.into_iter().map(|id| (id, p[id as usize])).collect()
}

fn ids(left: &[(u32, f64)]) -> Vec<u32> {
    left.iter().map(|(id, _)| *id).collect()
}

/// Probabilities 0.4, 0.3, 0.2, 0.1 in a mixed order.
fn four() -> Vec<f32> {
    [0.2f32, 0.4, 0.1, 0.3].map(f32::ln).to_vec()
}

/// The tokens that four parameters leave of [`four`].
fn of_four(settings: &[(ParamId, f32)]) -> Vec<u32> {
    ids(&left(&four(), &[], &SamplerPlan::default(), &with(settings)))
}

#[test]
fn draws_follow_the_distribution() {
    let (mut sampler, plan) = (Sampler::default(), SamplerPlan::default());
    let mut shares = |temperature: f32| {
        let mut counts = [0.0f64; 4];
        for n in 0..20_000 {
            let params = with(&[(ParamId::Temperature, temperature)]);
            counts[sampler.draw(&four(), &[], &plan, &params, dice(n)).unwrap() as usize] += 1.0 / 20_000.0;
        }
        counts
    };
    for (got, right) in shares(1.0).iter().zip([0.2, 0.4, 0.1, 0.3]) {
        assert!((got - right).abs() < 0.015, "{got} {right}");
    }
    assert!((shares(0.5)[1] - 0.16 / 0.30).abs() < 0.015);
}

#[test]
fn each_cut_leaves_what_it_should() {
    assert_eq!(of_four(&[]), [0, 1, 2, 3]);
    assert_eq!(of_four(&[(ParamId::TopK, 2.0)]), [1, 3]);
    assert_eq!(of_four(&[(ParamId::TopP, 0.65)]), [1, 3]);
    assert_eq!(of_four(&[(ParamId::TopP, 0.75)]), [0, 1, 3]);
    assert_eq!(of_four(&[(ParamId::TopP, 0.0)]), [1]);
    assert_eq!(of_four(&[(ParamId::MinP, 0.6)]), [1, 3]);
    assert_eq!(of_four(&[(ParamId::MinP, 1.0)]), [1]);
    assert_eq!(of_four(&[(ParamId::Temperature, 0.0)]), [1]);
    // The entropy is 1.28 nats; the surprises are 0.92, 1.20, 1.61 and 2.30: nearest is 0.3, then 0.2, 0.4, 0.1.
    assert_eq!(of_four(&[(ParamId::TypicalP, 0.0)]), [3]);
    assert_eq!(of_four(&[(ParamId::TypicalP, 0.4)]), [0, 3]);
    assert_eq!(of_four(&[(ParamId::TypicalP, 0.6)]), [0, 1, 3]);
    // Of those from 0.15 on only 0.2 stays; from 0.25 on only 0.3.
    assert_eq!(of_four(&[(ParamId::XtcProbability, 1.0), (ParamId::XtcThreshold, 0.15)]), [0, 2]);
    assert_eq!(of_four(&[(ParamId::XtcProbability, 1.0), (ParamId::XtcThreshold, 0.25)]), [0, 2, 3]);
    assert_eq!(of_four(&[(ParamId::XtcProbability, 1.0), (ParamId::XtcThreshold, 0.45)]), [0, 1, 2, 3]);
    assert_eq!(of_four(&[(ParamId::XtcProbability, 1.0), (ParamId::XtcThreshold, 0.0)]), [2]);
    // Surprises in bits: 1.3, 1.7, 2.3, 3.3; the line begins at twice tau.
    assert_eq!(of_four(&[(ParamId::Mirostat, 2.0), (ParamId::MirostatTau, 1.0)]), [1, 3]);
    assert_eq!(of_four(&[(ParamId::Mirostat, 2.0), (ParamId::MirostatTau, 0.0)]), [1]);
    // Mirostat takes the place of the cuts.
    assert_eq!(of_four(&[(ParamId::Mirostat, 2.0), (ParamId::TopK, 1.0)]), [0, 1, 2, 3]);
}

#[test]
fn xtc_strikes_as_often_as_it_is_told() {
    let (mut sampler, plan) = (Sampler::default(), SamplerPlan::default());
    let params = with(&[(ParamId::XtcProbability, 0.25), (ParamId::XtcThreshold, 0.05)]);
    let lowest = |n| sampler.draw(&four(), &[], &plan, &params, Dice { road: 0.0, ..dice(n) }) == Some(2);
    let struck = (0..4000).map(lowest).filter(|struck| *struck).count();
    assert!((900..1100).contains(&struck), "{struck}");
}

#[test]
fn the_penalties_hold_back_only_the_window() {
    let params = |settings: &[(ParamId, f32)]| {
        let mut params = with(&[(ParamId::Temperature, 0.0), (ParamId::RepeatWindow, 2.0)]);
        settings.iter().for_each(|(id, value)| params.set(*id, *value));
        params
    };
    let (mut sampler, plan) = (Sampler::default(), SamplerPlan::default());
    let mut draw = |logits: &[f32], history: &[u32], params: &ParamValues| {
        sampler.draw(logits, history, &plan, params, dice(0)).unwrap()
    };
    let repeat = params(&[(ParamId::RepeatPenalty, 2.0)]);
    assert_eq!(draw(&[3.0, 2.0, 1.0], &[0, 2], &repeat), 1);
    assert_eq!(draw(&[3.0, 2.0, 1.0], &[0, 2, 2], &repeat), 0);
    assert_eq!(draw(&[-1.0, -1.5, -3.0], &[0, 0], &repeat), 1);
    // Once for presence, for each time for frequency.
    let presence = params(&[(ParamId::PresencePenalty, 0.6)]);
    assert_eq!(draw(&[3.0, 2.0, 1.0], &[0, 0], &presence), 0);
    let frequency = params(&[(ParamId::FrequencyPenalty, 0.6)]);
    assert_eq!(draw(&[3.0, 2.0, 1.0], &[0, 0], &frequency), 1);
    assert_eq!(draw(&[3.0, 2.0, 1.0], &[0, 1], &frequency), 0);
    let drawn_on = params(&[(ParamId::FrequencyPenalty, -0.6)]);
    assert_eq!(draw(&[3.0, 2.0, 1.0], &[1, 1], &drawn_on), 1);
}

/// How much DRY takes off the logit of a token.
fn dry_penalty(history: &[u32], token: u32, allowed: f32, breakers: &[&[u32]]) -> f32 {
    let mut plan = SamplerPlan::default();
    breakers.iter().for_each(|sequence| plan.add_breaker(Phrase::of(sequence)));
    let params = with(&[(ParamId::DryMultiplier, 0.5), (ParamId::DryBase, 2.0), (ParamId::DryAllowedLength, allowed)]);
    let mut sampler = Sampler::default();
    sampler.run(&[0.0; 10], &Now::new(history, &plan, &params, dice(0)), &mut |_, _, _| {});
    -sampler.candidates.logit(token)
}

#[test]
fn dry_penalties_are_those_worked_out_by_hand() {
    // 1 2 3 came before and was followed by 4; now 1 2 3 stands there again: 4 would be the fourth.
    let history = [1, 2, 3, 4, 0, 1, 2, 3];
    assert_eq!(dry_penalty(&history, 4, 2.0, &[]), 0.5 * 2.0);
    assert_eq!(dry_penalty(&history, 4, 3.0, &[]), 0.5);
    assert_eq!(dry_penalty(&history, 4, 4.0, &[]), 0.0);
    assert_eq!(dry_penalty(&history, 5, 2.0, &[]), 0.0);
    // The longest of several repetitions counts: `2 3` went on with 5, `0 2 3` with 5 too.
    let history = [0, 2, 3, 5, 2, 3, 5, 0, 2, 3];
    assert_eq!(dry_penalty(&history, 5, 2.0, &[]), 0.5 * 2.0);
    // One token over and over: five 7s are four that repeat themselves.
    assert_eq!(dry_penalty(&[7; 5], 7, 2.0, &[]), 0.5 * 4.0);
    // A breaker ends the sequence; one that would come next is never held back.
    let history = [1, 9, 2, 3, 4, 0, 1, 9, 2, 3];
    assert_eq!(dry_penalty(&history, 4, 2.0, &[]), 0.5 * 4.0);
    assert_eq!(dry_penalty(&history, 4, 2.0, &[&[9]]), 0.5);
    assert_eq!(dry_penalty(&history, 4, 2.0, &[&[9, 2]]), 0.0);
    assert_eq!(dry_penalty(&history, 4, 1.0, &[&[9, 2]]), 0.5);
    assert_eq!(dry_penalty(&[1, 2, 9, 5, 1, 2], 9, 2.0, &[]), 0.5);
    assert_eq!(dry_penalty(&[1, 2, 9, 5, 1, 2], 9, 2.0, &[&[9]]), 0.0);
    // However long, the penalty stays a number.
    assert!(dry_penalty(&[7; 4000], 7, 1.0, &[]).is_finite());
}

#[test]
fn the_temperature_follows_indecision() {
    let heat = |logits: &[f32], exponent: f32| {
        let params =
            with(&[(ParamId::Temperature, 1.0), (ParamId::DynamicRange, 0.5), (ParamId::DynamicExponent, exponent)]);
        let left = left(logits, &[], &SamplerPlan::default(), &params);
        f64::from(logits[0] - logits[1]) / (left[0].1 / left[1].1).ln()
    };
    let logits = [1.0, 0.0, 0.0, 0.0];
    let sum = 1.0f64.exp() + 3.0;
    let p = [1.0f64.exp() / sum, 1.0 / sum];
    let undecided = -(p[0] * p[0].ln() + 3.0 * p[1] * p[1].ln()) / 4.0f64.ln();
    assert!((heat(&logits, 1.0) - (0.5 + undecided)).abs() < 1e-5);
    assert!((heat(&logits, 2.0) - (0.5 + undecided.powi(2))).abs() < 1e-5);
    // At temperature 0 it still follows: only a model without any doubt takes the likeliest.
    let cold = with(&[(ParamId::Temperature, 0.0), (ParamId::DynamicRange, 1.0)]);
    assert_eq!(left(&logits, &[], &SamplerPlan::default(), &cold).len(), 4);
    assert_eq!(left(&[1e20, 0.0], &[], &SamplerPlan::default(), &cold)[0], (0, 1.0));
}

#[test]
fn mirostat_brings_the_surprise_to_where_it_is_wished() {
    // A long tail: 1/n, as words have it; 7.6 bits by itself.
    let logits: Vec<f32> = (1..3000).map(|n| -(n as f32).ln()).collect();
    let (mut sampler, plan) = (Sampler::default(), SamplerPlan::default());
    for tau in [1.5, 3.0, 5.0] {
        sampler.reset();
        let params = with(&[(ParamId::Mirostat, 2.0), (ParamId::MirostatTau, tau)]);
        let mut heard = 0.0;
        for n in 0..3000 {
            let id = sampler.draw(&logits, &[], &plan, &params, dice(n)).unwrap();
            if n >= 1000 {
                // The surprise among what the cut left: that is what it steers.
                heard += (sampler.candidates.sums().log_sum - f64::from(logits[id as usize])) / 2000.0;
            }
        }
        let bits = heard / std::f64::consts::LN_2;
        assert!((bits - f64::from(tau)).abs() < 0.1, "{tau}: {bits}");
    }
    // The line is a plain value: restored, it goes on as it would have.
    let params = with(&[(ParamId::Mirostat, 2.0)]);
    let kept = sampler.mirostat();
    let road = |sampler: &mut Sampler| {
        sampler.restore(kept);
        (0..50).map(|n| sampler.draw(&logits, &[], &plan, &params, dice(n))).collect::<Vec<_>>()
    };
    assert_eq!(road(&mut sampler), road(&mut Sampler::default()));
    sampler.draw(&logits, &[], &plan, &open(), dice(0));
    assert_eq!(sampler.mirostat(), Mirostat::default());
}

#[test]
fn the_order_matters() {
    // min-p before temperature: heat does not bring back what was cut; after it, cold cuts more.
    let params = with(&[(ParamId::MinP, 0.6), (ParamId::Temperature, 0.5)]);
    let mut plan = SamplerPlan::default();
    assert_eq!(ids(&left(&four(), &[], &plan, &params)), [1, 3]);
    plan.set_order(&[Stage::Temperature, Stage::MinP]);
    assert_eq!(ids(&left(&four(), &[], &plan, &params)), [1]);
    // A stage that the order leaves out does not act.
    plan.set_order(&[Stage::TopK]);
    assert_eq!(ids(&left(&four(), &[], &plan, &params)), [0, 1, 2, 3]);
    plan.set_order(&[]);
    let cold = with(&[(ParamId::Temperature, 0.0)]);
    assert_eq!(ids(&left(&four(), &[], &plan, &cold)), [0, 1, 2, 3]);
    // Penalties after a cut act on what is left.
    plan.set_order(&[Stage::TopK, Stage::Penalties, Stage::TopP]);
    let params = with(&[(ParamId::TopK, 2.0), (ParamId::PresencePenalty, 2.0), (ParamId::TopP, 0.1)]);
    assert_eq!(ids(&left(&four(), &[1], &plan, &params)), [3]);
}

#[test]
fn what_is_off_is_neutral_whatever_its_other_parameters_say() {
    let mut numbers = Numbers(5_000);
    let plan = SamplerPlan::default();
    for _ in 0..100 {
        let (logits, history) = (numbers.logits(300), numbers.history(40, 8));
        let wanted = left(&logits, &history, &plan, &open());
        let mut params = open();
        for id in [
            ParamId::RepeatWindow,
            ParamId::DryBase,
            ParamId::DryAllowedLength,
            ParamId::DryWindow,
            ParamId::XtcThreshold,
            ParamId::DynamicExponent,
            ParamId::MirostatTau,
            ParamId::MirostatEta,
            ParamId::Bias,
            ParamId::Ban,
            ParamId::Seed,
        ] {
            params.set(id, id.spec().at(numbers.next()));
        }
        assert_eq!(left(&logits, &history, &plan, &params), wanted);
    }
}

#[test]
fn bans_and_biases_are_played() {
    let plan = SamplerPlan {
        banned: vec![1],
        banned_phrases: vec![Phrase::of(&[7, 3])],
        biased: summed(vec![(0, 1.0), (2, 3.0), (0, -2.0)]),
        biased_phrases: vec![(Phrase::of(&[8, 9, 2]), -10.0)],
        ..SamplerPlan::default()
    };
    let share = |history: &[u32], settings: &[(ParamId, f32)]| -> Vec<f64> {
        let mut all = [0.0; 4];
        left(&four(), history, &plan, &with(settings)).into_iter().for_each(|(id, p)| all[id as usize] = p);
        all.to_vec()
    };
    let near = |got: Vec<f64>, right: [f64; 4]| {
        let sum: f64 = right.iter().sum();
        assert!(got.iter().zip(right).all(|(a, b)| (a - b / sum).abs() < 1e-6), "{got:?} {right:?}");
    };
    let e = std::f64::consts::E;
    near(share(&[], &[]), [0.2 / e, 0.0, 0.1 * e.powi(3), 0.3]);
    near(share(&[7], &[]), [0.2 / e, 0.0, 0.1 * e.powi(3), 0.0]);
    near(share(&[7, 5], &[(ParamId::Ban, 0.0)]), [0.2 / e, 0.4, 0.1 * e.powi(3), 0.3]);
    near(share(&[7], &[(ParamId::Bias, 0.0), (ParamId::Ban, 0.0)]), [0.2, 0.4, 0.1, 0.3]);
    near(share(&[], &[(ParamId::Bias, 2.0)]), [0.2 / e.powi(2), 0.0, 0.1 * e.powi(6), 0.3]);
    near(share(&[8, 9], &[]), [0.2 / e, 0.0, 0.1 * e.powi(-7), 0.3]);
    // At temperature 0 too.
    assert_eq!(ids(&left(&four(), &[], &plan, &with(&[(ParamId::Temperature, 0.0)]))), [2]);
    // With everything banned the show goes on.
    let all = SamplerPlan { banned: vec![0, 1, 2, 3], ..SamplerPlan::default() };
    assert_eq!(left(&four(), &[], &all, &open()).len(), 4);
}

#[test]
fn the_view_shows_each_stage() {
    let params = with(&[(ParamId::TopK, 3.0), (ParamId::XtcProbability, 1.0), (ParamId::XtcThreshold, 0.25)]);
    let strikes = Dice { road: 0.0, xtc: 0.0 };
    let views = Sampler::default().stages(&four(), &[], &SamplerPlan::default(), &params, strikes, 2);
    let names: Vec<_> = views.iter().map(|v| v.name).collect();
    let wanted = ["model", "ban", "bias", "penalties", "dry", "top_k", "typical", "top_p", "min_p", "xtc"];
    assert_eq!(names[..10], wanted);
    assert_eq!(names[10..], ["temperature", "mirostat"]);
    let on: Vec<_> = views.iter().filter(|v| v.on).map(|v| (v.name, v.left)).collect();
    assert_eq!(on, [("model", 4), ("top_k", 3), ("xtc", 2)]);
    let [model, top_k, xtc] = [0, 5, 9].map(|i| &views[i]);
    assert!((model.entropy_bits - 1.8464).abs() < 1e-3 && (model.held - 1.0).abs() < 1e-6);
    assert!((top_k.held - 0.9).abs() < 1e-6);
    assert!((xtc.held - 0.5).abs() < 1e-6, "{xtc:?}");
    let near = |got: &[Moved], wanted: [(u32, f32, f32); 2]| {
        for (got, (id, before, after)) in got.iter().zip(wanted) {
            assert!(got.id == id && (got.before - before).abs() < 1e-6 && (got.after - after).abs() < 1e-6, "{got:?}");
        }
    };
    near(&top_k.best, [(1, 0.4, 0.4 / 0.9), (3, 0.3, 0.3 / 0.9)]);
    near(&xtc.best, [(3, 0.3 / 0.9, 0.6), (1, 0.4 / 0.9, 0.0)]);
}

/// Chains of llama.cpp's own samplers on logits that a formula gives: `n` and `seed` make the logits, `set` and
/// `order` are ours, `ids` and `p` are what llama.cpp left, likeliest first (the first few of `left`).
#[test]
fn what_is_left_is_what_llama_cpp_leaves() {
    for line in include_str!("llama_cpp.jsonl").lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let numbers = |value: &serde_json::Value| -> Vec<u32> {
            value.as_array().unwrap().iter().map(|x| x.as_u64().unwrap() as u32).collect()
        };
        let mut seed = case["seed"].as_u64().unwrap() as u32;
        let logits: Vec<f32> = (0..case["n"].as_u64().unwrap())
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let u = (seed >> 8) as f32 / 16_777_216.0;
                (u * u) * (u * u) * 14.0 - 2.0
            })
            .collect();
        let mut params = open();
        for (name, value) in case["set"].as_object().unwrap() {
            params.set(ParamId::from_name(name).unwrap(), value.as_f64().unwrap() as f32);
        }
        let mut plan = SamplerPlan::default();
        let order = case["order"].as_array().unwrap().iter();
        plan.set_order(&order.map(|name| Stage::from_name(name.as_str().unwrap()).unwrap()).collect::<Vec<_>>());
        case["breakers"].as_array().unwrap().iter().for_each(|b| plan.add_breaker(Phrase::of(&numbers(b))));
        let mut got = left(&logits, &numbers(&case["history"]), &plan, &params);
        got.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let (wanted, p) = (numbers(&case["ids"]), case["p"].as_array().unwrap());
        assert_eq!(got.len() as u64, case["left"].as_u64().unwrap(), "{line}");
        for ((mine, id), p) in got.iter().zip(&wanted).zip(p) {
            let p = p.as_f64().unwrap();
            assert!(mine.0 == *id && (mine.1 - p).abs() < 1e-6 + p * 1e-4, "{mine:?} {id} {p}: {line}");
        }
    }
}
