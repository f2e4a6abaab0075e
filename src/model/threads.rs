//! How many cores compute. candle's pool spins while it waits, so one core is always left to the sound.

use super::Source;

/// A model whose file is smaller than this is computed by one core: its products are so short that sharing them out
/// costs as much as it saves. Measured with a model of 2.8 million parameters: 2,700 tokens a second on one core, 3,900 on two;
/// either is far more than a stage can show, and a core that spins is heard.
const SMALL_BYTES: u64 = 32 << 20;

/// The variable of the environment that holds the number; candle reads it too.
pub const THREADS: &str = "CANDLE_NUM_THREADS";

/// The number of cores that compute a model: what `CANDLE_NUM_THREADS` says, else one for a small model, else all
/// physical cores but one.
pub fn threads(source: &Source) -> usize {
    if let Some(n) = std::env::var(THREADS).ok().and_then(|n| n.parse().ok()).filter(|n| *n > 0) {
        return n;
    }
    if is_small(source) {
        return 1;
    }
    candle_core::utils::get_num_threads().saturating_sub(1).max(1)
}

/// Whether a model is best computed by one core.
pub fn is_small(source: &Source) -> bool {
    source.bytes().is_ok_and(|bytes| bytes < SMALL_BYTES)
}

/// Holds candle to [`threads`]. candle reads the number once, when it first computes.
///
/// # Safety
/// Sets a variable of the environment: to be called at the start of `main`, before any other thread runs.
pub unsafe fn limit_threads(source: &Source) {
    // SAFETY: the caller guarantees that no other thread reads the environment.
    unsafe { std::env::set_var(THREADS, threads(source).to_string()) };
}
