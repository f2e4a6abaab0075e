//! Work shared out to candle's pool of threads.

use std::marker::PhantomData;

/// Calls `f` with each of `0..n`, in any order, on the pool's threads or, if `alone`, on this one.
pub fn each(n: usize, alone: bool, f: impl Fn(usize) + Sync) {
    if alone {
        (0..n).for_each(f);
    } else {
        candle_core::utils::barrier_pool().execute_chunked(n, |range| range.for_each(&f));
    }
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
