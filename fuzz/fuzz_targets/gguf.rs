//! Any bytes as a model file: looked at, loaded, and a few tokens read. What it wants of the program is the same as in
//! `tests/hostile.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/common/hostile.rs"]
mod hostile;

fuzz_target!(|bytes: &[u8]| {
    let _ = hostile::play(bytes);
});
