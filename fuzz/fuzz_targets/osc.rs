//! Any bytes as an OSC packet and as a request of OSCQuery: taken apart, understood, answered.

#![no_main]

use libfuzzer_sys::fuzz_target;
use xiao::network::complaints::Complaints;
use xiao::network::incoming::{self, Allowance, Heard};
use xiao::network::outgoing::Outgoing;
use xiao::network::query::{self, Known};
use xiao::network::{Names, Space, packet};
use xiao::score::{Action, ParamValues};

fuzz_target!(|bytes: &[u8]| {
    thread_local! {
        static SPACE: Space = Space::new(Names { prompts: vec!["dawn".into(), "春".into()], scenes: vec!["a".into()] });
        static NOW: Outgoing = Outgoing::new(ParamValues::default(), true);
    }
    let at = "127.0.0.1:9000".parse().unwrap();
    SPACE.with(|space| {
        NOW.with(|now| {
            let (mut allowance, mut complaints, mut heard) =
                (Allowance::default(), Complaints::default(), Heard::default());
            incoming::packet(bytes, (at, 0), space, &mut allowance, &mut complaints, &mut heard);
            for action in &heard.actions {
                if let Action::Set(_, value) = action {
                    assert!(value.is_finite());
                }
            }
            let answers = heard.asked.iter().filter_map(|place| now.answer(place));
            for answer in answers {
                assert!(packet::messages(&packet::bytes(answer)).is_ok());
            }
            if let Some(answer) = query::answer(bytes, &Known { at, space, now }) {
                assert!(answer.starts_with(b"HTTP/1.1 "));
            }
        });
    });
});
