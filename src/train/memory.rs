//! How much memory a training takes, asked before it begins and not when the system ends it.

use super::pass::Pass;
use super::trainer::{PASS_TOKENS, pass_tokens};
use super::{Corpus, Shape, TrainError};
use crate::model::fit::{available, size};

/// Runs as long as the weights besides each thread's gradients: weights, the optimizer's two, the mean, the best, and
/// one more while the best are chosen.
const RUNS: usize = 6;
/// Of each byte of text: itself as it was read and as pieces, its tokens, and what the split remembers.
const PER_BYTE: u64 = 6;
/// The program itself, and the model that plays the samples.
const PROGRAM: u64 = 80 << 20;

/// Bytes that a training takes at its height, a little more rather than less.
pub fn needed(shape: &Shape, threads: usize, batch_tokens: usize, text_bytes: u64) -> u64 {
    // The looks at the held-out part fill their passes, however small those of the training are.
    let tokens = pass_tokens(batch_tokens, threads).max(PASS_TOKENS);
    // A pass ends with the piece that fills it.
    let mut segments = vec![shape.context; tokens / shape.context + 1];
    segments.extend(Some(tokens % shape.context).filter(|rest| *rest > 0));
    // Buffers grow with the longest pass so far, and what grows takes more than it needs.
    let room = Pass::room(shape, &segments) * 5 / 4;
    let floats = RUNS * shape.parameters() + threads * (shape.parameters() + room);
    4 * floats as u64 + PER_BYTE * text_bytes + PROGRAM
}

/// Refuses what this machine has no memory for. What cannot be told is let through.
///
/// # Errors
/// How much is missing, and what takes less.
pub fn check(shape: &Shape, threads: usize, batch_tokens: usize, corpus: &Corpus) -> Result<(), TrainError> {
    let bytes = corpus.report.sources.iter().map(|source| source.bytes).sum();
    let needed = needed(shape, threads, batch_tokens, bytes);
    match available() {
        Some(available) if needed > available => Err(TrainError::Input(format!(
            "the training would take about {} of memory, and {} is available; give a smaller --size or --context, or \
             fewer --threads",
            size(needed),
            size(available)
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_training_is_reckoned_as_it_was_measured() {
        // 505 MB were measured with 200 kB of text, and 787 MB for six layers, a context of 512 and 29 MB of text.
        let mb = |shape: &Shape, bytes| needed(shape, 2, 4096, bytes) / 1_000_000;
        let micro = mb(&Shape::MICRO, 200_000);
        let verse = mb(&Shape { layers: 6, context: 512, ..Shape::MICRO }, 29_000_000);
        assert!((505..650).contains(&micro) && (787..1050).contains(&verse), "{micro} {verse}");
        let many = needed(&Shape::MICRO, 32, 4096, 200_000) / 1_000_000;
        assert!((3400..6000).contains(&many), "{many}: each thread looks at the held-out part by itself");
        assert!(mb(&Shape::NANO, 200_000) < 300 && mb(&Shape::SMALL, 200_000) > 800);
    }

    #[test]
    fn what_has_no_room_is_refused_before_it_begins() {
        let vast = Shape { width: 4096, layers: 64, heads: 64, kv_heads: 64, ffn: 16_384, ..Shape::SMALL };
        let Err(e) = check(&vast, 64, 4096, &Corpus::default()) else {
            assert!(available().is_none_or(|bytes| bytes > 1 << 40));
            return;
        };
        assert!(e.to_string().contains("is available; give a smaller --size"), "{e}");
    }
}
