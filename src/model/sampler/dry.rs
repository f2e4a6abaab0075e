//! DRY: a token that would go on repeating a sequence is held back, the more the longer the sequence.
//!
//! As llama.cpp does it: with `n` tokens repeated so far, the token that came after them last time loses
//! `multiplier * base^(n - allowed_length)`. Sequences do not reach over a breaker (a line's end, a quotation mark).

use std::cmp::Reverse;

use super::{Candidates, Now, Scratch};
use crate::score::{ParamId, ParamValues};

pub(super) fn is_on(params: &ParamValues) -> bool {
    params.get(ParamId::DryMultiplier) != 0.0 && params.get(ParamId::DryWindow) > 0.0
}

/// The largest power of e that an `f32` holds.
const MOST: f64 = 88.0;

pub(super) fn act(candidates: &mut Candidates, scratch: &mut Scratch, now: &Now) {
    let allowed = now.params.get(ParamId::DryAllowedLength) as usize;
    let window = now.recent(now.params.get(ParamId::DryWindow) as usize);
    if window.len() <= allowed {
        return;
    }
    let limit = now.plan.since_breaker(window);
    if limit < allowed {
        return;
    }
    // Backwards from here on: 0 is the latest token.
    let (n, at) = (window.len(), |i: usize| window[window.len() - 1 - i]);
    let Scratch { ids, amounts, lengths, repeated } = scratch;
    repeats(n, at, lengths);
    repeated.clear();
    for (k, length) in lengths.iter().enumerate().skip(1) {
        let (after, length) = (at(k - 1), (*length as usize).min(limit));
        if length >= allowed && !now.plan.is_breaker(after) {
            repeated.push((after, length));
        }
    }
    repeated.sort_unstable_by_key(|(id, length)| (*id, Reverse(*length)));
    repeated.dedup_by_key(|(id, _)| *id);
    let multiplier = f64::from(now.params.get(ParamId::DryMultiplier));
    let base = f64::from(now.params.get(ParamId::DryBase)).ln();
    ids.clear();
    amounts.clear();
    for (id, length) in repeated.iter() {
        ids.push(*id);
        amounts.push((multiplier * ((length - allowed) as f64 * base).min(MOST).exp()) as f32);
    }
    candidates.edit(ids, |i, logit| logit - amounts[i]);
}

/// For each place from 1 on, how many tokens from there on are the same as from 0 on. Each token is looked at a few
/// times only, for what lies within a stretch that is known to repeat the beginning is known from the beginning.
fn repeats(n: usize, at: impl Fn(usize) -> u32, lengths: &mut Vec<u32>) {
    lengths.clear();
    lengths.resize(n, 0);
    let (mut left, mut right) = (0, 0);
    for k in 1..n {
        let mut length = if k < right { (lengths[k - left] as usize).min(right - k) } else { 0 };
        while k + length < n && at(length) == at(k + length) {
            length += 1;
        }
        lengths[k] = length as u32;
        if k + length > right {
            (left, right) = (k, k + length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_those_of_a_plain_search() {
        let mut seed = 1u32;
        for n in 1..200 {
            let text: Vec<u32> = (0..n)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 24) % 3
                })
                .collect();
            let mut lengths = Vec::new();
            repeats(n, |i| text[i], &mut lengths);
            for k in 1..n {
                let plain = (0..n - k).take_while(|i| text[*i] == text[k + i]).count();
                assert_eq!(lengths[k] as usize, plain, "{text:?} {k}");
            }
        }
    }
}
