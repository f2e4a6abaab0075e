//! A 5-gram model over tokens, with modified Kneser-Ney smoothing (Chen and Goodman 1998, interpolated): the best that
//! can be had by counting. Its memory is sorted tables, about 80 bytes for each token that it learns from.
//!
//! A piece's first token, the tag of its script, is given and never foretold; no context reaches back before it.

/// Tokens that are seen together.
const ORDERS: usize = 5;
/// Bits of a token in a packed context.
const BITS: usize = 16;
/// Tokens that a context can be packed of.
pub const MOST_TOKENS: usize = 1 << BITS;

/// What was counted of pieces.
pub struct Ngram {
    /// By the length of their contexts, from none on.
    orders: Vec<Order>,
    vocabulary: usize,
}

/// A context, the latest token in the lowest bits, and what followed it.
type Gram = (u64, u16);

/// All contexts of one length.
struct Order {
    /// Sorted; those of `contexts[i]` stand from `starts[i]` to `starts[i + 1]` in `words` and `counts`.
    contexts: Vec<u64>,
    starts: Vec<u32>,
    /// Of each context: the sum of its counts, and what of it the discounts leave for shorter contexts.
    mass: Vec<(f32, f32)>,
    /// Sorted within their context.
    words: Vec<u16>,
    /// In the longest contexts how often each was seen. In shorter ones, behind how many different tokens: a word that
    /// is frequent in one phrase only says little elsewhere. What begins a piece has nothing before it, and is counted.
    counts: Vec<u32>,
    /// Taken from counts of 1, of 2, and of 3 and more.
    discounts: [f32; 3],
}

impl Ngram {
    /// Counts pieces of tokens below `vocabulary`, which is at most [`MOST_TOKENS`]; others are taken modulo that.
    pub fn learn(pieces: &[&[u32]], vocabulary: usize) -> Ngram {
        let mut grams = Vec::new();
        for ids in pieces {
            grams.extend(ids.windows(ORDERS).map(gram));
        }
        let mut orders = Vec::with_capacity(ORDERS);
        for length in (0..ORDERS).rev() {
            let order = Order::of(grams);
            // Without its oldest token: one for each different gram.
            let mask = if length > 1 { u64::MAX >> (64 - BITS * (length - 1)) } else { 0 };
            grams = if length == 0 {
                Vec::new()
            } else {
                order.grams().map(|(context, id)| (context & mask, id)).collect()
            };
            if length > 1 {
                grams.extend(pieces.iter().filter(|ids| ids.len() >= length).map(|ids| gram(&ids[..length])));
            }
            orders.push(order);
        }
        orders.reverse();
        Ngram { orders, vocabulary }
    }

    /// How well each token of a piece behind the first is foreseen from the four before it: `-ln p` for each of
    /// `ids[1..]`. Always finite.
    pub fn foresee(&self, ids: &[u32]) -> Vec<f64> {
        (1..ids.len()).map(|at| -self.probability(&ids[(at + 1).saturating_sub(ORDERS)..at], ids[at]).ln()).collect()
    }

    /// The probability of `id` behind `before`, at most four tokens.
    fn probability(&self, before: &[u32], id: u32) -> f64 {
        let mut p = 1.0 / self.vocabulary as f64;
        for (length, order) in self.orders.iter().enumerate().take(before.len() + 1) {
            let context = packed(&before[before.len() - length..]);
            // Where a context was never seen, no longer one was.
            let Ok(i) = order.contexts.binary_search(&context) else { break };
            let (sum, left) = order.mass[i];
            let range = order.starts[i] as usize..order.starts[i + 1] as usize;
            let count = order.words[range.clone()].binary_search(&(id as u16)).map_or(0, |at| order.counts[range][at]);
            let kept = if count == 0 { 0.0 } else { count as f32 - order.discounts[count.min(3) as usize - 1] };
            p = (f64::from(kept) + f64::from(left) * p) / f64::from(sum);
        }
        p
    }
}

impl Order {
    fn of(mut grams: Vec<Gram>) -> Order {
        grams.sort_unstable();
        let (mut contexts, mut starts, mut words, mut counts) = (Vec::new(), Vec::new(), Vec::new(), Vec::<u32>::new());
        for same in grams.chunk_by(|a, b| a == b) {
            let (context, id) = same[0];
            if contexts.last() != Some(&context) {
                contexts.push(context);
                starts.push(words.len() as u32);
            }
            words.push(id);
            counts.push(same.len() as u32);
        }
        starts.push(words.len() as u32);
        drop(grams);
        let discounts = discounts(&counts);
        let mass = starts.windows(2).map(|range| {
            let counts = &counts[range[0] as usize..range[1] as usize];
            let left = counts.iter().map(|count| discounts[(*count).min(3) as usize - 1]).sum();
            (counts.iter().map(|count| *count as f32).sum(), left)
        });
        Order { mass: mass.collect(), contexts, starts, words, counts, discounts }
    }

    /// Each different gram.
    fn grams(&self) -> impl Iterator<Item = Gram> {
        let ranges = self.starts.windows(2).map(|range| range[0] as usize..range[1] as usize);
        self.contexts.iter().zip(ranges).flat_map(|(context, range)| self.words[range].iter().map(|id| (*context, *id)))
    }
}

/// What is best taken from counts of 1, 2 and more, by how many grams were seen once to four times.
fn discounts(counts: &[u32]) -> [f32; 3] {
    let mut seen = [0.0f64; 5];
    counts.iter().filter(|count| **count < 5).for_each(|count| seen[*count as usize] += 1.0);
    let once = if seen[1] > 0.0 { seen[1] / (seen[1] + 2.0 * seen[2]) } else { 0.5 };
    std::array::from_fn(|i| {
        let (count, more) = (i + 1, i + 2);
        let best = if seen[count] > 0.0 { count as f64 - more as f64 * once * seen[more] / seen[count] } else { once };
        // Of few grams the estimate may leave the range in which anything is left for shorter contexts.
        best.clamp(0.1, count as f64 - 0.05) as f32
    })
}

fn gram(ids: &[u32]) -> Gram {
    let (id, context) = ids.split_last().map_or((0, &[][..]), |(id, context)| (*id, context));
    (packed(context), id as u16)
}

fn packed(ids: &[u32]) -> u64 {
    ids.iter().fold(0, |packed, id| packed << BITS | u64::from(*id as u16))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Pieces in which some words go together, from a plain generator.
    fn pieces() -> Vec<Vec<u32>> {
        let mut state = 7u64;
        let mut below = move |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % n) as u32
        };
        let mut piece = || {
            let mut ids = vec![1 + below(2)];
            for _ in 0..below(30) {
                let last = ids[ids.len() - 1];
                ids.push(if below(3) == 0 { 3 + below(17) } else { 3 + (last * 5 + 1) % 17 });
            }
            ids.push(0);
            ids
        };
        (0..200).map(|_| piece()).collect()
    }

    /// The same by the definition, with maps of whole grams.
    struct Plain {
        counts: BTreeMap<Vec<u32>, u32>,
        vocabulary: usize,
    }

    impl Plain {
        fn learn(pieces: &[Vec<u32>], vocabulary: usize) -> Plain {
            let (mut raw, mut before): (BTreeMap<_, u32>, BTreeMap<_, BTreeSet<u32>>) = Default::default();
            for ids in pieces {
                for to in 2..=ids.len() {
                    for from in to.saturating_sub(ORDERS)..to {
                        *raw.entry(ids[from..to].to_vec()).or_default() += 1;
                        if from > 0 {
                            before.entry(ids[from..to].to_vec()).or_default().insert(ids[from - 1]);
                        }
                    }
                }
            }
            let count = |gram: &Vec<u32>, n: u32| match before.get(gram) {
                Some(before) if gram.len() < ORDERS => before.len() as u32,
                _ => n,
            };
            let counts = raw.iter().map(|(gram, n)| (gram.clone(), count(gram, *n))).collect();
            Plain { counts, vocabulary }
        }

        fn probability(&self, before: &[u32], id: u32) -> f64 {
            let shorter = match before {
                [] => 1.0 / self.vocabulary as f64,
                [_, rest @ ..] => self.probability(rest, id),
            };
            let of_order: Vec<u32> =
                self.counts.iter().filter(|(gram, _)| gram.len() == before.len() + 1).map(|(_, n)| *n).collect();
            let d = discounts(&of_order);
            let behind: Vec<_> = self
                .counts
                .iter()
                .filter(|(gram, _)| gram.len() == before.len() + 1 && gram.starts_with(before))
                .collect();
            if behind.is_empty() {
                return shorter;
            }
            let take = |n: u32| f64::from(d[n.min(3) as usize - 1]);
            let sum: f64 = behind.iter().map(|(_, n)| f64::from(**n)).sum();
            let left: f64 = behind.iter().map(|(_, n)| take(**n)).sum();
            let mine = behind.iter().find(|(gram, _)| gram[before.len()] == id);
            (mine.map_or(0.0, |(_, n)| f64::from(**n) - take(**n)) + left * shorter) / sum
        }
    }

    #[test]
    fn it_counts_as_the_definition_does() {
        let pieces = pieces();
        let slices: Vec<&[u32]> = pieces.iter().map(Vec::as_slice).collect();
        let (ngram, plain) = (Ngram::learn(&slices, 24), Plain::learn(&pieces, 24));
        for ids in [&pieces[3], &pieces[120], &vec![2, 4, 23, 4, 22, 21, 6, 0], &vec![1, 0]] {
            for (at, nats) in ngram.foresee(ids).into_iter().enumerate() {
                let at = at + 1;
                let right = -plain.probability(&ids[at.saturating_sub(ORDERS - 1)..at], ids[at]).ln();
                assert!((nats - right).abs() < 1e-5, "{at} of {ids:?}: {nats} and {right}");
            }
        }
    }

    #[test]
    fn what_may_come_next_is_all_there_is() {
        let pieces = pieces();
        let slices: Vec<&[u32]> = pieces.iter().map(Vec::as_slice).collect();
        let ngram = Ngram::learn(&slices, 24);
        for before in [&[][..], &[1], &[2, 5], &pieces[7][..4], &[23, 23, 23, 23], &[9, 12, 23, 10]] {
            let sum: f64 = (0..24).map(|id| ngram.probability(before, id)).sum();
            assert!((sum - 1.0).abs() < 1e-5, "{before:?}: {sum}");
        }
        // What it has read it foresees better than what it has not.
        let per_token = |ids: &[u32]| ngram.foresee(ids).iter().sum::<f64>() / ids.len() as f64;
        assert!(per_token(&[1, 23, 22, 21, 20, 23, 0]) > 2.0 * per_token(&pieces[0]));
    }

    #[test]
    fn nothing_learnt_is_no_opinion() {
        for pieces in [vec![], vec![&[][..]], vec![&[1][..]]] {
            let ngram = Ngram::learn(&pieces, 16);
            assert_eq!(ngram.foresee(&[1, 5, 0]), [16f64.ln(); 2]);
        }
        let once = Ngram::learn(&[&[1, 5]], 16);
        let nats = once.foresee(&[1, 5, 6]);
        assert!(nats[0] < 16f64.ln() && nats.iter().all(|nats| nats.is_finite()), "{nats:?}");
    }
}
