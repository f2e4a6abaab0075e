//! Loads and stores of registers, at any address.
//!
//! The standard library's own ones check their pointers wherever a build has debug assertions, as the one that plays
//! has, and take a way through the stack for it: a Q4_K_M file was read at 18 GB/s instead of 25. For the same reason
//! pointers here are moved with `wrapping_add`.

use std::arch::x86_64::*;

#[repr(C, packed)]
struct Anywhere<T>(T);

/// What lies at an address.
///
/// # Safety
/// The bytes can be read, and every pattern of them is a value.
#[inline(always)]
pub unsafe fn load<T: Copy>(at: *const u8) -> T {
    // SAFETY: the caller's; a packed struct may lie anywhere.
    unsafe { (*at.cast::<Anywhere<T>>()).0 }
}

/// # Safety
/// The bytes can be written.
#[inline(always)]
pub unsafe fn store<T: Copy>(at: *mut u8, value: T) {
    // SAFETY: the caller's; a packed struct may lie anywhere.
    unsafe { (*at.cast::<Anywhere<T>>()).0 = value };
}

/// What begins with byte `at` of these.
///
/// # Safety
/// It ends within them, and every pattern of bytes is a value.
#[inline(always)]
pub unsafe fn part<T: Copy, const N: usize>(bytes: &[u8; N], at: usize) -> T {
    // SAFETY: the caller's.
    unsafe { load(&raw const bytes[at]) }
}

/// Does something for `I` = 0 to 3, written out: a loop is not unrolled where its loads are checked.
macro_rules! four_times {
    ($i:ident, $body:block) => {{
        const $i: usize = 0;
        $body
    }
    {
        const $i: usize = 1;
        $body
    }
    {
        const $i: usize = 2;
        $body
    }
    {
        const $i: usize = 3;
        $body
    }};
}
pub(super) use four_times;

#[inline(always)]
pub fn sixteen(from: &[f32; 16]) -> __m512 {
    // SAFETY: 64 bytes.
    unsafe { load(from.as_ptr().cast()) }
}

#[inline(always)]
pub fn put_sixteen(to: &mut [f32; 16], numbers: __m512) {
    // SAFETY: 64 bytes.
    unsafe { store(to.as_mut_ptr().cast(), numbers) };
}

#[inline(always)]
pub fn put_line(to: &mut [u8; 64], bytes: __m512i) {
    // SAFETY: 64 bytes.
    unsafe { store(to.as_mut_ptr(), bytes) };
}
