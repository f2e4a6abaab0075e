//! OSC packets: bytes to messages, whatever the bytes are, and messages to bytes.
//!
//! Pure; only here is rosc seen. It goes down into bundles and arrays by recursion, so that 64 KiB of brackets would
//! overflow the stack. Bundles are therefore taken apart here, and arrays, which no address of ours takes, are refused.

use rosc::{OscBundle, OscPacket, OscTime};

pub use rosc::{OscMessage as Message, OscType as Arg};

/// Bundles within bundles.
const DEPTH: usize = 8;
/// Arguments of one message.
const ARGS: usize = 64;
/// Bytes of a bundle that is sent, so that no network has to cut it up.
const BUNDLE: usize = 1200;
/// Bytes of one text that is sent; a datagram holds less than 65,536.
const TEXT: usize = 4096;

/// The bytes are no OSC, or none that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoOsc;

/// Every message of a packet, in its order. Time tags are passed over: what comes is played at once.
///
/// # Errors
/// Any part of it is no OSC; then none of it is taken.
pub fn messages(bytes: &[u8]) -> Result<Vec<Message>, NoOsc> {
    let mut messages = Vec::new();
    take_apart(bytes, DEPTH, &mut messages)?;
    Ok(messages)
}

fn take_apart(bytes: &[u8], depth: usize, into: &mut Vec<Message>) -> Result<(), NoOsc> {
    if !bytes.starts_with(b"#bundle\0") {
        into.push(message(bytes)?);
        return Ok(());
    }
    let mut rest = bytes.get(16..).filter(|_| depth > 0).ok_or(NoOsc)?;
    while let Some((size, after)) = rest.split_first_chunk() {
        let size = u32::from_be_bytes(*size) as usize;
        let (element, after) = after.split_at_checked(size).ok_or(NoOsc)?;
        take_apart(element, depth - 1, into)?;
        rest = after;
    }
    if rest.is_empty() { Ok(()) } else { Err(NoOsc) }
}

fn message(bytes: &[u8]) -> Result<Message, NoOsc> {
    let end = bytes.iter().position(|b| *b == 0).filter(|_| bytes.first() == Some(&b'/')).ok_or(NoOsc)?;
    let tags = bytes.get(end / 4 * 4 + 4..).ok_or(NoOsc)?;
    if tags.is_empty() {
        // Old senders leave the list of types out where there are no arguments.
        let addr = std::str::from_utf8(&bytes[..end]).map_err(|_| NoOsc)?;
        return Ok(Message { addr: addr.to_string(), args: Vec::new() });
    }
    let tags = &tags[..tags.iter().position(|b| *b == 0).ok_or(NoOsc)?];
    if !tags.starts_with(b",") || tags.len() > ARGS + 1 || tags.contains(&b'[') {
        return Err(NoOsc);
    }
    match rosc::decoder::decode_udp(bytes) {
        Ok((_, OscPacket::Message(message))) => Ok(message),
        _ => Err(NoOsc),
    }
}

/// A message of our own.
pub fn say(address: impl Into<String>, args: Vec<Arg>) -> Message {
    Message { addr: address.into(), args }
}

/// Text as OSC can carry it: no NUL, which would end it and shift all that follows, and not without end.
pub fn text(text: &str) -> Arg {
    let end = (0..=TEXT.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    Arg::String(text[..end].replace('\0', "␀"))
}

/// The bytes of one message.
pub fn bytes(message: Message) -> Vec<u8> {
    rosc::encoder::encode(&OscPacket::Message(message)).unwrap_or_default()
}

/// The bytes of many, in as few packets as go through any network whole.
pub fn bundles(messages: impl IntoIterator<Item = Message>) -> Vec<Vec<u8>> {
    // "At once", as the specification writes it.
    let now = OscTime { seconds: 0, fractional: 1 };
    let head = rosc::encoder::encode(&OscPacket::Bundle(OscBundle { timetag: now, content: Vec::new() }));
    let head = head.unwrap_or_default();
    let mut bundles: Vec<Vec<u8>> = Vec::new();
    for message in messages {
        let element = bytes(message);
        if bundles.last().is_none_or(|bundle| bundle.len() + 4 + element.len() > BUNDLE) {
            bundles.push(head.clone());
        }
        let bundle = bundles.last_mut().expect("one was pushed if there was none");
        bundle.extend((element.len() as u32).to_be_bytes());
        bundle.extend(element);
    }
    bundles
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message without arguments in a bundle in a bundle, so many deep.
    fn nested(depth: usize) -> Vec<u8> {
        let mut packet = b"/x\0\0,\0\0\0".to_vec();
        for _ in 0..depth {
            let mut outer = b"#bundle\0\0\0\0\0\0\0\0\x01".to_vec();
            outer.extend((packet.len() as u32).to_be_bytes());
            outer.extend(packet);
            packet = outer;
        }
        packet
    }

    #[test]
    fn bytes_become_messages() {
        type Row<'a> = (&'a [u8], Result<Vec<Message>, NoOsc>);
        let table: &[Row] = &[
            (b"/a\0\0,\0\0\0", Ok(vec![say("/a", vec![])])),
            (b"/a\0\0", Ok(vec![say("/a", vec![])])),
            (b"/abc\0\0\0\0,f\0\0\x3f\0\0\0", Ok(vec![say("/abc", vec![Arg::Float(0.5)])])),
            (b"/a\0\0,is\0\0\0\0\x07river", Err(NoOsc)),
            (
                b"/a\0\0,isTF\0\0\0\0\0\0\x07river\0\0\0",
                Ok(vec![say("/a", vec![Arg::Int(7), Arg::String("river".into()), true.into(), false.into()])]),
            ),
            (b"/a\0\0,d\0\0\x3f\xe0\0\0\0\0\0\0", Ok(vec![say("/a", vec![Arg::Double(0.5)])])),
            (b"/a\0\0,h\0\0\0\0\0\0\0\0\0\x09", Ok(vec![say("/a", vec![Arg::Long(9)])])),
            (b"/a\0\0,i\0\0\0\0", Err(NoOsc)),
            (b"/a\0\0i\0\0\0\0\0\0\x07", Err(NoOsc)),
            (b"/a\0\0,[i]\0\0\0\0\0\0\0\x07", Err(NoOsc)),
            (b"/a", Err(NoOsc)),
            (b"a\0\0\0,\0\0\0", Err(NoOsc)),
            (b"/\xff\0\0,\0\0\0", Err(NoOsc)),
            (b"/\xff\0\0", Err(NoOsc)),
            (b"", Err(NoOsc)),
            (b"hello", Err(NoOsc)),
            (b"#bundle\0\0\0\0\0\0\0\0\x01", Ok(vec![])),
            (b"#bundle\0\0\0\0\0", Err(NoOsc)),
            (b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x10/a\0\0,\0\0\0", Err(NoOsc)),
            (b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x08/a\0\0,\0\0\0\0\0", Err(NoOsc)),
            (
                b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x08/a\0\0,\0\0\0\0\0\0\x08/b\0\0,\0\0\0",
                Ok(vec![say("/a", vec![]), say("/b", vec![])]),
            ),
        ];
        for (bytes, wanted) in table {
            assert_eq!(messages(bytes), *wanted, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn depths_that_would_overflow_the_stack_are_refused() {
        assert_eq!(messages(&nested(DEPTH)).unwrap().len(), 1);
        assert_eq!(messages(&nested(DEPTH + 1)), Err(NoOsc));
        assert_eq!(messages(&nested(3000)), Err(NoOsc));
        let mut arrays = b"/x\0\0,".to_vec();
        arrays.resize(32_000, b'[');
        arrays.resize(64_003, b']');
        arrays.push(0);
        assert_eq!(messages(&arrays), Err(NoOsc));
    }

    #[test]
    fn a_million_packets_of_anything() {
        const SEEDS: [&[u8]; 4] = [
            b"/xiao/param/sampler/temperature\0,f\0\0\x3f\0\0\0",
            b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x08/a\0\0,\0\0\0\0\0\0\x08/b\0\0,\0\0\0",
            b"/xiao/*/{a,b}/[0-9]\0,sbtrmcTFNI\0river\0\0\0\0\0\0\x01\x01\0\0\0\0\0\0\x01\0\0\0\x02abcdefgh\0\0\0a",
            b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x14#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\0",
        ];
        let mut random = 0x9e37_79b9_7f4a_7c15u64;
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        };
        let (mut bytes, mut good) = (Vec::new(), 0);
        for i in 0..1_000_000 {
            bytes.clear();
            if i % 2 == 0 {
                bytes.extend(SEEDS[next() as usize % SEEDS.len()]);
                for _ in 0..next() % 4 {
                    let at = next() as usize % bytes.len();
                    bytes[at] = next() as u8;
                }
                bytes.truncate(bytes.len() - (next() % 6) as usize % bytes.len());
            } else {
                for _ in 0..next() % 9 {
                    bytes.extend(next().to_le_bytes());
                }
            }
            good += usize::from(messages(&bytes).is_ok());
        }
        assert!(good > 20_000, "{good}");
    }

    #[test]
    fn what_is_sent_is_read_again() {
        let sent = say("/xiao/token", vec![text("a\0b"), Arg::Float(0.5), true.into(), Arg::Nil]);
        assert_eq!(messages(&bytes(sent.clone())), Ok(vec![sent]));
        assert_eq!(text("a\0b"), Arg::String("a␀b".into()));
        let Arg::String(cut) = text(&"春".repeat(9999)) else { panic!() };
        assert_eq!(cut.len(), TEXT - 1);
    }

    #[test]
    fn bundles_are_no_longer_than_networks_like() {
        let all: Vec<_> = (0..300).map(|i| say(format!("/xiao/signal/{i}"), vec![Arg::Int(i)])).collect();
        let bundles = bundles(all.clone());
        assert!((5..20).contains(&bundles.len()) && bundles.iter().all(|bundle| bundle.len() <= BUNDLE));
        let read: Vec<_> = bundles.iter().flat_map(|bundle| messages(bundle).unwrap()).collect();
        assert_eq!(read, all);
        // One that does not fit goes alone.
        assert_eq!(super::bundles([say("/x", vec![text(&"x".repeat(3000))])]).len(), 1);
    }
}
