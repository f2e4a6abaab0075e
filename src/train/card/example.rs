//! A record for the tests of curve and card: a training as it may have been.

use crate::train::{CorpusReport, Counts, HeldOut, Mark, Overlap, Recipe, Record, Script, Shape, SourceReport};

/// A bilingual model after 40 minutes, with a curve of so many marks.
pub(in crate::train) fn record(marks: usize) -> Record {
    let tokens = 19_200_000;
    let mark = |i: usize| {
        let part = (i + 1) as f64 / marks as f64;
        let loss = 3.9 + 4.6 * (-60.0 * part).exp() + 0.7 * (1.0 - part).powi(2) + 0.04 * (i as f64 * 12.9).sin();
        Mark {
            tokens: (part * tokens as f64) as u64,
            seconds: part * 2400.0,
            loss,
            held_out: (i % 10 == 9 || i + 1 == marks).then_some(loss + 0.15 + 0.1 * part),
        }
    };
    let counts = |pieces, characters, bytes| Counts { pieces, characters, bytes };
    let overlap = Overlap {
        moved: 31,
        runs: 40_000,
        shared_runs: 80,
        runs_before: 44_000,
        shared_runs_before: 4400,
        lines: 3000,
        shared_lines: 27,
    };
    let shape = Shape::MICRO;
    Record {
        name: "Little <voice> & friends".into(),
        licence: "CC0-1.0".into(),
        author: Some("the maker".into()),
        base: None,
        base_licence: None,
        shape,
        parameters: shape.parameters() as u64,
        recipe: Recipe { seed: 7, minutes: Some(40.0), weight_decay: 0.07, ..Recipe::default() },
        corpus: CorpusReport {
            sources: vec![
                SourceReport { name: "poems.txt".into(), bytes: 15_000_000, pieces: 74_808, weight: 1.0 },
                SourceReport { name: "verse.txt".into(), bytes: 4_300_000, pieces: 12_000, weight: 0.5 },
            ],
            sha256: "0123456789abcdef".repeat(4),
            training: vec![
                (Script::Chinese, counts(74_000, 4_900_000, 14_800_000)),
                (Script::English, counts(11_800, 4_200_000, 4_210_000)),
            ],
            held_out: vec![
                (Script::Chinese, counts(700, 48_000, 144_000)),
                (Script::English, counts(120, 43_000, 43_500)),
            ],
            dropped: vec![("shorter than 8 characters".into(), 31), ("a duplicate".into(), 402)],
            shared_lines: 27,
            overlap: vec![(Script::Chinese, overlap)],
        },
        corpus_tokens: 6_500_000,
        tokens,
        seconds: 2400.0,
        threads: 2,
        curve: (0..marks).map(mark).collect(),
        untrained: Some(8.72),
        taken: "the mean of the last weights".into(),
        kind: "Q8_0".into(),
        held_out: vec![
            HeldOut {
                script: Script::Chinese,
                pieces: 700,
                tokens: 50_000,
                characters: 48_000,
                bytes: 144_000,
                nats: 210_000.0,
            },
            HeldOut {
                script: Script::English,
                pieces: 120,
                tokens: 14_000,
                characters: 43_000,
                bytes: 43_500,
                nats: 56_000.0,
            },
        ],
    }
}
