//! Pieces to tokens, on a few threads.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Piece, Script};
use crate::model::Tokenizer;

/// Pieces that a thread takes at once.
const CHUNK: usize = 256;

/// The tokens of each piece in their order: the script's control token, the text, the end of a piece. Control tokens
/// that the tokenizer does not know are left out.
pub fn encode(tokenizer: &Tokenizer, pieces: &[Piece], threads: usize) -> Vec<Vec<u32>> {
    let tags = Script::ALL.map(|script| tokenizer.control(script.tag()));
    let one = |piece: &Piece| {
        let text = tokenizer.encode(&piece.text);
        let mut ids = Vec::with_capacity(text.len() + 2);
        ids.extend(tags[piece.script as usize]);
        ids.extend(text);
        ids.extend(tokenizer.eos());
        ids
    };
    let chunks: Vec<&[Piece]> = pieces.chunks(CHUNK).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(chunk) = {
            let i = next.fetch_add(1, Ordering::Relaxed);
            chunks.get(i).map(|chunk| (i, chunk))
        } {
            done.push((chunk.0, chunk.1.iter().map(one).collect::<Vec<_>>()));
        }
        done
    };
    let mut done: Vec<(usize, Vec<Vec<u32>>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..threads.clamp(1, chunks.len().max(1))).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        // A thread that panicked would leave a hole; its panic goes on here.
        done.extend(
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))),
        );
        done
    });
    done.sort_unstable_by_key(|(i, _)| *i);
    done.into_iter().flat_map(|(_, ids)| ids).collect()
}
