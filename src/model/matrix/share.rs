//! Work shared out to candle's pool of threads.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::utils::barrier_pool;

/// Calls `f` with each of `0..n`, in any order, on the pool's threads or, if `alone`, on this one. Not to be called from
/// within the pool.
///
/// Each thread takes a share of what is left, smaller and smaller, so that none has long to wait for the last.
pub fn each(n: usize, alone: bool, f: impl Fn(usize) + Sync) {
    if alone {
        return (0..n).for_each(f);
    }
    let pool = barrier_pool();
    let shares = 3 * (pool.n_workers() + 1);
    let next = AtomicUsize::new(0);
    let take = |start: usize| (start < n).then(|| start + (n - start).div_ceil(shares));
    pool.execute(|_| {
        while let Ok(start) = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
            (start..start + (n - start).div_ceil(shares)).for_each(&f);
        }
    });
}

/// A slice that several threads write to, each its own places.
pub struct Out<'a, T> {
    start: *mut T,
    length: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: places are handed out by unsafe functions alone, whose callers see to it that no two threads share one.
unsafe impl<T: Send> Sync for Out<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Out<'_, T> {}

impl<'a, T: Copy> Out<'a, T> {
    pub fn new(slice: &'a mut [T]) -> Out<'a, T> {
        Out { start: slice.as_mut_ptr(), length: slice.len(), slice: PhantomData }
    }

    /// # Safety
    /// Nobody else uses this place meanwhile.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn at(&self, i: usize) -> &mut T {
        assert!(i < self.length);
        // SAFETY: within the slice, and the caller's alone.
        unsafe { &mut *self.start.add(i) }
    }

    /// # Safety
    /// Nobody else uses these places meanwhile.
    pub unsafe fn write(&self, i: usize, from: &[T]) {
        assert!(i + from.len() <= self.length);
        // SAFETY: within the slice, and the caller's alone.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), self.start.add(i), from.len()) };
    }
}
