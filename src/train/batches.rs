//! What is read in which order: each epoch every piece once, in an order of its own.
//!
//! A piece is read from its beginning, so that the model learns how pieces begin and end. One that is longer than the
//! context is read in parts, each begun by the control token as a piece is, and by a whole line where there are lines.
//! Pieces of a source with weight 0.3 are read in three epochs of ten, those with weight 2 twice in each.

use super::pass::Batch;
use super::random::Random;

/// A piece's tokens and how often it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoded {
    /// Control token, text, end.
    pub ids: Vec<u32>,
    pub weight: f32,
}

/// An endless walk through the pieces; where it stands is all that a checkpoint needs of it.
#[derive(Clone, Debug)]
pub struct Batches {
    pieces: Vec<Encoded>,
    seed: u64,
    at: Position,
    order: Vec<usize>,
}

/// Where the walk stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Position {
    pub epoch: u64,
    /// Parts of the present epoch that have been read.
    pub part: usize,
}

impl Batches {
    /// The walk from `at` on, through pieces that fit into the context.
    pub fn new(pieces: Vec<Encoded>, seed: u64, at: Position) -> Batches {
        let mut batches = Batches { pieces, seed, at, order: Vec::new() };
        batches.shuffle();
        batches
    }

    pub fn place(&self) -> Position {
        self.at
    }

    /// Tokens that are foreseen in one epoch, each piece once.
    pub fn tokens(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.ids.len() as u64 - 1).sum()
    }

    fn shuffle(&mut self) {
        let mut random = Random::new(self.seed ^ self.at.epoch.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        self.order.clear();
        for (i, piece) in self.pieces.iter().enumerate() {
            let times = piece.weight.floor() + f32::from(random.share() < f64::from(piece.weight.fract()));
            self.order.extend(std::iter::repeat_n(i, times as usize));
        }
        random.shuffle(&mut self.order);
    }

    /// The next `tokens` or a few more, shared out among `into` as evenly as pieces allow. Returns how many.
    pub fn next(&mut self, tokens: usize, into: &mut [Batch]) -> usize {
        into.iter_mut().for_each(Batch::clear);
        let mut taken = 0;
        while taken < tokens {
            if self.at.part >= self.order.len() {
                self.at = Position { epoch: self.at.epoch + 1, part: 0 };
                self.shuffle();
                // Weights so small that an epoch may be empty.
                continue;
            }
            let piece = &self.pieces[self.order[self.at.part]];
            self.at.part += 1;
            taken += piece.ids.len() - 1;
            if let Some(least) = into.iter_mut().min_by_key(|batch| batch.len()) {
                least.push(&piece.ids);
            }
        }
        taken
    }
}

/// Pieces of which none foresees more than `context` tokens; a longer one is cut behind a `line_end` where it has one.
pub fn parted(pieces: Vec<Encoded>, context: usize, line_end: u32) -> Vec<Encoded> {
    let mut parts = Vec::with_capacity(pieces.len());
    for piece in pieces {
        if piece.ids.len() <= context + 1 {
            if piece.ids.len() > 1 {
                parts.push(piece);
            }
            continue;
        }
        let (tag, mut rest) = (piece.ids[0], &piece.ids[1..]);
        while !rest.is_empty() {
            let (part, after) = rest.split_at(cut(rest, context, line_end));
            let ids = std::iter::once(tag).chain(part.iter().copied()).collect();
            parts.push(Encoded { ids, weight: piece.weight });
            rest = after;
        }
    }
    parts
}

/// How many tokens the next part takes: about as many as those after it, so that no part is a few tokens only.
fn cut(rest: &[u32], context: usize, line_end: u32) -> usize {
    if rest.len() <= context {
        return rest.len();
    }
    let even = rest.len().div_ceil(rest.len().div_ceil(context));
    // What is left behind the cut is a part too.
    let most = context.min(rest.len() - even / 2);
    let lines = (even / 2..=most).filter(|at| rest[at - 1] == line_end);
    lines.min_by_key(|at| at.abs_diff(even)).unwrap_or(even)
}

/// Pieces of about so many tokens together, evenly from the first to the last, so that every file has its share.
pub fn spread(pieces: &[Encoded], tokens: usize) -> impl Iterator<Item = &Encoded> {
    let all: usize = pieces.iter().map(|piece| piece.ids.len()).sum();
    let share = (tokens as f64 / all.max(1) as f64).min(1.0);
    let count = move |i: usize| (i as f64 * share + 1e-9).floor();
    pieces.iter().enumerate().filter(move |(i, _)| count(i + 1) > count(*i)).map(|(_, piece)| piece)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(first: u32, length: u32, weight: f32) -> Encoded {
        Encoded { ids: (first..first + length).collect(), weight }
    }

    #[test]
    fn an_epoch_reads_every_piece_once_and_another_in_another_order() {
        let pieces: Vec<_> = (0..20).map(|i| piece(i * 10, 4, 1.0)).collect();
        let mut batches = Batches::new(pieces, 3, Position::default());
        assert_eq!(batches.tokens(), 60);
        let mut into = [Batch::default(), Batch::default()];
        let mut epoch = || {
            assert_eq!(batches.next(60, &mut into), 60);
            assert_eq!(into[0].len(), into[1].len());
            into.iter().flat_map(|batch| batch.ids.iter().step_by(3)).copied().collect::<Vec<_>>()
        };
        let (first, second) = (epoch(), epoch());
        assert_ne!(first, second);
        let sorted = |mut ids: Vec<u32>| {
            ids.sort_unstable();
            ids
        };
        assert_eq!(sorted(first), sorted(second));
    }

    #[test]
    fn a_walk_goes_on_from_where_it_stood() {
        let pieces: Vec<_> = (0..50).map(|i| piece(i * 10, 3 + i % 5, 0.7)).collect();
        let mut whole = Batches::new(pieces.clone(), 3, Position::default());
        let mut into = [Batch::default()];
        for _ in 0..9 {
            whole.next(40, &mut into);
        }
        let mut resumed = Batches::new(pieces, 3, whole.place());
        let mut again = [Batch::default()];
        for _ in 0..9 {
            whole.next(40, &mut into);
            resumed.next(40, &mut again);
            assert_eq!(into, again);
        }
    }

    #[test]
    fn weights_tell_how_often_a_piece_is_read() {
        let pieces = vec![piece(0, 3, 0.25), piece(100, 3, 1.0), piece(200, 3, 2.0)];
        let mut batches = Batches::new(pieces, 1, Position::default());
        let mut counts = [0.0f64; 3];
        let mut into = [Batch::default()];
        for _ in 0..2000 {
            batches.next(1, &mut into);
            counts[into[0].ids[0] as usize / 100] += 1.0;
        }
        assert!(
            (counts[0] / counts[1] - 0.25).abs() < 0.05 && (counts[2] / counts[1] - 2.0).abs() < 0.02,
            "{counts:?}"
        );
    }

    #[test]
    fn a_long_piece_is_read_in_even_parts_that_begin_alike() {
        let parts = parted(vec![piece(0, 40, 1.0), piece(50, 1, 1.0)], 16, 99);
        assert_eq!(parts.iter().map(|p| p.ids.len()).collect::<Vec<_>>(), [14, 14, 14]);
        assert!(parts.iter().all(|p| p.ids[0] == 0));
        let text: Vec<u32> = parts.iter().flat_map(|p| p.ids[1..].to_vec()).collect();
        assert_eq!(text, (1..40).collect::<Vec<_>>());
    }

    #[test]
    fn a_long_piece_is_cut_behind_its_lines() {
        // The tag 9, then lines of seven tokens that end in 1.
        let ids = std::iter::once(9).chain((1..=70).map(|i| u32::from(i % 7 == 0))).collect();
        let parts = parted(vec![Encoded { ids, weight: 1.0 }], 16, 1);
        assert_eq!(parts.iter().map(|p| p.ids.len() - 1).collect::<Vec<_>>(), [14; 5]);
        assert!(parts.iter().all(|p| p.ids[0] == 9 && p.ids.ends_with(&[1])));
        // One line end, almost at the context: the rest would be three tokens.
        let ids = std::iter::once(9).chain((1..=19).map(|i| u32::from(i == 16))).collect();
        let parts = parted(vec![Encoded { ids, weight: 1.0 }], 16, 1);
        assert_eq!(parts.iter().map(|p| p.ids.len() - 1).collect::<Vec<_>>(), [10, 9]);
    }

    #[test]
    fn a_glance_is_spread_over_all_pieces() {
        let pieces: Vec<_> = (0..100).map(|i| piece(i * 10, 10, 1.0)).collect();
        let some: Vec<u32> = spread(&pieces, 200).map(|piece| piece.ids[0] / 10).collect();
        assert_eq!(some.len(), 20);
        assert!(some[0] < 6 && some[19] > 94 && some.windows(2).all(|w| w[1] - w[0] == 5), "{some:?}");
        assert_eq!(spread(&pieces, 1_000_000).count(), 100);
        assert_eq!(spread(&[], 10).count(), 0);
    }
}
