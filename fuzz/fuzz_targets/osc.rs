//! Any bytes as an OSC packet and as a request of OSCQuery: taken apart, understood, answered.

#![no_main]

#[path = "../../tests/common/inbox.rs"]
#[allow(dead_code)]
mod inbox;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| inbox::osc(bytes));
