//! How fast this machine reads its memory: what a model's speed can at best be reckoned against.

use std::hint::black_box;
use std::time::Instant;

use super::super::fit;

/// Much larger than any processor's caches.
const BUFFER_BYTES: u64 = 256 << 20;
const TIMES: usize = 5;

/// Bytes a second, by as many threads, the best of several runs over one large buffer.
pub fn measure(threads: usize) -> f64 {
    let room = fit::available().unwrap_or(BUFFER_BYTES * 4) / 4;
    let words = vec![1u64; (BUFFER_BYTES.min(room) / 8).max(1024) as usize];
    let part = words.len().div_ceil(threads.max(1));
    let once = || {
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for part in words.chunks(part) {
                scope.spawn(|| black_box(sum(part)));
            }
        });
        (words.len() * 8) as f64 / begun.elapsed().as_secs_f64()
    };
    (0..TIMES).map(|_| once()).fold(0.0, f64::max)
}

/// Eight sums side by side, so that no addition waits for the one before.
fn sum(words: &[u64]) -> u64 {
    let mut sums = [0u64; 8];
    for chunk in words.chunks_exact(8) {
        call_for(chunk.as_ptr());
        sums.iter_mut().zip(chunk).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
    }
    sums.into_iter().fold(0, u64::wrapping_add)
}

/// Calls for what will be read soon and a little later, as the products of matrices do: without it a core has too few
/// lines of memory on their way at once, and reads at two thirds of what the machine can give (18 of 27 GB/s).
#[inline(always)]
fn call_for(at: *const u64) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch may ask for any address.
    unsafe {
        use std::arch::x86_64::*;
        _mm_prefetch::<_MM_HINT_T0>(at.wrapping_byte_add(1 << 10).cast());
        _mm_prefetch::<_MM_HINT_T1>(at.wrapping_byte_add(8 << 10).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read() {
        assert_eq!(sum(&[3; 8 * 1000]), 24_000);
    }
}
