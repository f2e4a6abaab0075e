//! What bytes say.

use super::*;

fn heard(decoder: &mut Decoder, messages: &[&[u8]]) -> Vec<(Source, Value)> {
    let mut all = Vec::new();
    for bytes in messages {
        decoder.take(bytes, &mut |said| all.push((said.source, said.value)));
    }
    all
}

fn seven(raw: u16) -> Value {
    Value::At { raw, most: SEVEN }
}

fn fourteen(raw: u16) -> Value {
    Value::At { raw, most: FOURTEEN }
}

#[test]
fn each_kind_of_message_has_its_source() {
    let cases: [(&[u8], Source, Value); 8] = [
        (&[0x80, 60, 64], Source::Note(60), seven(0)),
        (&[0x90, 60, 99], Source::Note(60), seven(99)),
        (&[0x90, 60, 0], Source::Note(60), seven(0)),
        (&[0xa3, 61, 5], Source::Poly(61), seven(5)),
        (&[0xbf, 80, 127], Source::Cc(80), seven(127)),
        (&[0xd0, 77], Source::Pressure, seven(77)),
        (&[0xe0, 0, 64], Source::Bend, fourteen(8192)),
        (&[0xe0, 127, 127], Source::Bend, fourteen(FOURTEEN)),
    ];
    for (bytes, source, value) in cases {
        let mut said = Vec::new();
        Decoder::default().take(bytes, &mut |s| said.push(s));
        assert_eq!(said, [Said { source, channel: Some(bytes[0] & 15), value }], "{bytes:?}");
    }
    // A program is a number, and a press of that one.
    let mut said = Vec::new();
    Decoder::default().take(&[0xc2, 12], &mut |s| said.push((s.source, s.value)));
    assert_eq!(said, [(Source::Program, seven(12)), (Source::ProgramIs(12), seven(127))]);
}

#[test]
fn coarse_and_fine_are_one_value_whichever_comes_first() {
    let pairs = |said: Vec<(Source, Value)>| -> Vec<u16> {
        said.into_iter()
            .filter_map(|(source, value)| match (source, value) {
                (Source::Cc14(7), Value::At { raw, most: FOURTEEN }) => Some(raw),
                _ => None,
            })
            .collect()
    };
    // Up over the edge of a coarse step: never a value in which the halves do not belong together.
    let mut coarse_first = Decoder::default();
    let said =
        heard(&mut coarse_first, &[&[0xb0, 7, 63], &[0xb0, 39, 127], &[0xb0, 7, 64], &[0xb0, 39, 0], &[0xb0, 39, 1]]);
    assert_eq!(pairs(said), [8191, 8192, 8193]);
    let mut fine_first = Decoder::default();
    let said = heard(&mut fine_first, &[&[0xb0, 39, 127], &[0xb0, 7, 63], &[0xb0, 39, 0], &[0xb0, 7, 64]]);
    assert_eq!(pairs(said), [8191, 8192]);
    // Channels are apart, and a control without a fine half is none of fourteen bits.
    let mut decoder = Decoder::default();
    assert!(pairs(heard(&mut decoder, &[&[0xb0, 7, 9], &[0xb1, 39, 1], &[0xb0, 7, 10]])).is_empty());
}

#[test]
fn four_messages_are_an_nrpn() {
    let mut decoder = Decoder::default();
    let nrpn = Source::Nrpn(1 << 7 | 20);
    let last = |said: Vec<(Source, Value)>| said.into_iter().filter(|(s, _)| *s == nrpn).collect::<Vec<_>>();
    let select: [&[u8]; 2] = [&[0xb0, 99, 1], &[0xb0, 98, 20]];
    assert_eq!(last(heard(&mut decoder, &select)), []);
    assert_eq!(last(heard(&mut decoder, &[&[0xb0, 6, 100]])), [(nrpn, seven(100))]);
    assert_eq!(last(heard(&mut decoder, &[&[0xb0, 38, 3]])), [(nrpn, fourteen(100 << 7 | 3))]);
    // From now on its value is whole only with both halves; the selection stays for further data.
    assert_eq!(last(heard(&mut decoder, &[&[0xb0, 6, 101], &[0xb0, 38, 0]])), [(nrpn, fourteen(101 << 7))]);
    assert_eq!(
        last(heard(&mut decoder, &[&[0xb0, 96, 0], &[0xb0, 97, 0]])),
        [(nrpn, Value::Step(1)), (nrpn, Value::Step(-1))]
    );
    // Another channel has selected nothing; 127 and 127 ends the selection.
    assert_eq!(last(heard(&mut decoder, &[&[0xb1, 6, 5]])), []);
    assert_eq!(last(heard(&mut decoder, &[&[0xb0, 99, 127], &[0xb0, 98, 127], &[0xb0, 6, 5]])), []);
}

#[test]
fn an_rpn_is_apart_from_an_nrpn_of_its_number() {
    let mut decoder = Decoder::default();
    let said = heard(&mut decoder, &[&[0xb0, 101, 0], &[0xb0, 100, 5], &[0xb0, 6, 64]]);
    assert_eq!(said.last(), Some(&(Source::Rpn(5), seven(64))));
    // Half a selection of the other kind selects nothing.
    let said = heard(&mut decoder, &[&[0xb0, 98, 5], &[0xb0, 6, 64]]);
    assert_eq!(said.last(), Some(&(Source::Cc(6), seven(64))));
}

#[test]
fn the_youngest_note_of_a_zone_leads() {
    let mut decoder = Decoder::default();
    // The controller announces a zone of five channels below its master.
    heard(&mut decoder, &[&[0xb0, 101, 0], &[0xb0, 100, 6], &[0xb0, 6, 5]]);
    assert_eq!(decoder.members(), 5);
    let mpe = |said: Vec<(Source, Value)>| -> Vec<(Source, Value)> {
        let of = |s: &Source| matches!(s, Source::MpeBend | Source::MpePressure | Source::MpeSlide);
        said.into_iter().filter(|(s, _)| of(s)).collect()
    };
    heard(&mut decoder, &[&[0x91, 60, 90], &[0x92, 64, 90]]);
    let said = heard(&mut decoder, &[&[0xd1, 9], &[0xd2, 10], &[0xb2, 74, 11], &[0xe2, 0, 65], &[0xe1, 0, 1]]);
    assert_eq!(
        mpe(said),
        [(Source::MpePressure, seven(10)), (Source::MpeSlide, seven(11)), (Source::MpeBend, fourteen(65 << 7))]
    );
    // When it is let go the one before leads again.
    let said = heard(&mut decoder, &[&[0x82, 64, 0], &[0xd1, 12], &[0xd2, 13]]);
    assert_eq!(mpe(said), [(Source::MpePressure, seven(12))]);
    // The master's bend is the whole zone's, and a channel beyond it is none of it.
    let said = heard(&mut decoder, &[&[0xe0, 0, 64], &[0xd9, 3]]);
    assert_eq!(said, [(Source::Bend, fourteen(8192)), (Source::Pressure, seven(3))]);
    // No channels: no zone.
    heard(&mut decoder, &[&[0xb0, 6, 0]]);
    assert_eq!(decoder.members(), 0);
}

#[test]
fn any_bytes_are_taken_and_stay_in_range() {
    let mut decoder = Decoder::default();
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let mut count = 0;
    for _ in 0..300_000 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let bytes = random.to_le_bytes();
        decoder.take(&bytes[..(random >> 61) as usize], &mut |said| {
            count += 1;
            if let Value::At { raw, most } = said.value {
                assert!(raw <= most && (most == SEVEN || most == FOURTEEN), "{said:?}");
            }
            assert!(said.channel.is_some_and(|c| c < 16));
        });
    }
    assert!(count > 10_000);
    for bytes in [&[][..], &[0xb0], &[0xb0, 7], &[0xf8], &[0xf0, 1, 2, 0xf7], &[0xb0, 0x87, 1], &[7, 7, 7]] {
        decoder.take(bytes, &mut |said| panic!("{bytes:?}: {said:?}"));
    }
    assert!(decoder.notes.len() < 16 * 128);
}
