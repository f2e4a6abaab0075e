//! A million bytes, the same each time, as MIDI and as OSC: no panic, no value out of its range, nothing that stays held.

#[path = "common/inbox.rs"]
mod inbox;

/// Xorshift, of Marsaglia.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

const BYTES: usize = 1_000_000;

#[test]
fn midi() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut sent, mut asked) = (0, [0; 2]);
    while sent < BYTES {
        let mut hands = inbox::Hands::new();
        for _ in 0..2000 {
            let drawn = random.next();
            let mut bytes = drawn.to_le_bytes();
            // Three of four look like a message, and of those one in two is of a control that is bound to something.
            if drawn >> 62 > 0 {
                bytes[0] |= 0x80;
                (bytes[1], bytes[2]) = (bytes[1] & 127, bytes[2] & 127);
            }
            if drawn >> 61 & 1 == 0 {
                bytes[1] &= 0x47;
            }
            let length = if drawn >> 62 > 1 { 3 } else { (drawn >> 56) as usize % 8 };
            hands.midi(&bytes[..length]);
            sent += length;
        }
        let of_these = hands.end();
        asked = [asked[0] + of_these[0], asked[1] + of_these[1]];
    }
    assert!(asked[0] > 10_000 && asked[1] > 100, "it was played with: {asked:?}");
}

#[test]
fn osc() {
    let seeds: [&[u8]; 5] = [
        b"/xiao/param/sampler/temperature\0,f\0\0\x3f\x80\0\0",
        b"/xiao/param/*/*\0,f\0\0\0\0\0\0",
        b"/xiao/prompt\0\0\0\0,s\0\0dawn\0\0\0\0",
        b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x10/xiao/panic\0,\0\0\0",
        b"GET /xiao/param/stage/hue?VALUE HTTP/1.1\r\nHost: x\r\n\r\n",
    ];
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut sent = 0;
    while sent < BYTES {
        let drawn = random.next();
        let mut bytes = seeds[drawn as usize % seeds.len()].to_vec();
        for _ in 0..drawn >> 60 {
            let at = random.next() as usize % bytes.len();
            match random.next() % 4 {
                0 => bytes.truncate(at.max(1)),
                1 => bytes.insert(at, random.next() as u8),
                _ => bytes[at] = random.next() as u8,
            }
        }
        // One in eight is nothing but chance.
        if drawn >> 57 & 7 == 0 {
            bytes.iter_mut().for_each(|byte| *byte = random.next() as u8);
        }
        inbox::osc(&bytes);
        sent += bytes.len();
    }
}
