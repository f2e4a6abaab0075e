//! What a synthesiser is sent, without a synthesiser.

mod clock;

use std::collections::{HashMap, HashSet};

use super::short::{CONTINUE, START, STOP, TICK};
use super::*;
use crate::patch;
use crate::score::{Flaw, FlawKind, Hand, MachineSample};

const MS: u64 = 1_000_000;

fn synth(rows: &str) -> Synth {
    let text = format!("[prompts]\na = \"a\"\n[midi_out.\"*\"]\n{rows}");
    let mut patch = patch::parse("p.toml", &text).unwrap_or_else(|e| panic!("{e}"));
    patch.midi_out.remove(0)
}

fn token(surprise_bits: f32, latency_ms: f32) -> Event {
    Event::Token(Token {
        id: 1,
        text: "x".into(),
        index: 0,
        latency_ms,
        p: (-surprise_bits).exp2(),
        surprise_bits,
        entropy_bits: 3.0,
        context_fill: 0.5,
        top: Vec::new(),
        inside: Default::default(),
    })
}

fn flaw(kind: FlawKind) -> Event {
    Event::Flaw(Flaw { kind, index: 0, period: 1, count: 1, cause: String::new() })
}

fn cpu(value: f32) -> Event {
    Event::Machine(MachineSample { values: vec![(SignalId::Cpu, value)], ..MachineSample::default() })
}

/// A part with its own time: everything that it sends, with when.
struct Player {
    score: ScoreOut,
    now_ns: u64,
    sent: Vec<(u64, Short)>,
}

impl Player {
    fn new(rows: &str) -> Player {
        Player { score: ScoreOut::new(&synth(rows), 0), now_ns: 0, sent: Vec::new() }
    }

    fn act(&mut self, act: impl FnOnce(&mut ScoreOut, u64, &mut Vec<Short>)) {
        let mut out = Vec::new();
        act(&mut self.score, self.now_ns, &mut out);
        self.sent.extend(out.into_iter().map(|message| (self.now_ns, message)));
    }

    fn event(&mut self, event: Event) {
        let stamped = Stamped { seq: 0, t_ns: self.now_ns, event };
        self.act(|score, now_ns, out| score.event(&stamped, now_ns, out));
    }

    /// Goes on to `to_ns`, waking when something is due.
    fn go(&mut self, to_ns: u64) {
        while let Some(due) = self.score.due_ns().filter(|due| *due <= to_ns) {
            self.now_ns = self.now_ns.max(due);
            self.act(ScoreOut::tick);
            let still = self.score.due_ns().is_some_and(|next| next <= due);
            assert!(!still, "{due} is still due at {}", self.now_ns);
        }
        self.now_ns = to_ns;
        self.act(ScoreOut::tick);
    }

    /// The messages of one status (the upper half of the byte) with their times.
    fn of(&self, status: u8) -> Vec<(u64, Vec<u8>)> {
        let of = |bytes: &[u8]| if bytes[0] >= 0xf0 { bytes[0] == status } else { bytes[0] & 0xf0 == status };
        self.sent.iter().filter(|(_, m)| of(m.bytes())).map(|(t, m)| (*t, m.bytes().to_vec())).collect()
    }

    fn times(&self, message: Short) -> Vec<u64> {
        self.sent.iter().filter(|(_, m)| *m == message).map(|(t, _)| *t).collect()
    }
}

/// Asserts that every note that begins ends once before it begins again; gives those that sound at the end.
fn paired(sent: &[(u64, Short)]) -> HashSet<(u8, u8)> {
    let mut sounding = HashSet::new();
    for (t, message) in sent {
        if let [status, note, velocity] = *message.bytes() {
            let key = (status & 0x0f, note);
            match status & 0xf0 {
                0x90 => assert!(velocity > 0 && sounding.insert(key), "{key:?} begins twice at {t}"),
                0x80 => assert!(sounding.remove(&key), "{key:?} ends and does not sound at {t}"),
                _ => {}
            }
        }
    }
    sounding
}

#[test]
fn a_token_is_a_note_within_its_ranges() {
    let mut player =
        Player::new("tokens = { channel = 3, notes = [48, 72], velocity = [40, 110], length_ms = [60, 800] }");
    for bits in 0..=20 {
        player.event(token(bits as f32, 50.0 * bits as f32));
        player.go(player.now_ns + 2000 * MS);
    }
    let (on, off) = (player.of(0x90), player.of(0x80));
    assert_eq!((on.len(), off.len()), (21, 21));
    assert_eq!((on[0].1[..].to_vec(), on[20].1[1]), (vec![0x92, 48, 40], 72));
    assert!(on.windows(2).all(|w| w[0].1[1] <= w[1].1[1] && w[0].1[2] <= w[1].1[2]), "{on:?}");
    assert!(on.iter().all(|(_, m)| [0, 2, 4, 7, 9].contains(&((m[1] - 48) % 12)) && (40..=110).contains(&m[2])));
    let lengths: Vec<u64> = on.iter().zip(&off).map(|(on, off)| (off.0 - on.0) / MS).collect();
    assert_eq!((lengths[0], lengths[20]), (60, 800));
    assert!(lengths.windows(2).all(|w| w[0] <= w[1]), "{lengths:?}");
    let before = player.sent.len();
    player.event(token(f32::NAN, 1.0));
    player.event(token(1.0, f32::NAN));
    player.go(player.now_ns + 100 * MS);
    assert_eq!(player.sent.len(), before, "what is missing is not played");
}

#[test]
fn pitches_may_fall_and_voices_are_counted() {
    let mut player = Player::new("tokens = { notes = [60, 48], scale = [0, 7], length_ms = [5000, 5000], voices = 2 }");
    for bits in [0.0, 12.0, 6.0, 4.0] {
        player.event(token(bits, 1.0));
        player.go(player.now_ns + 100 * MS);
        assert!(paired(&player.sent).len() <= 2);
    }
    assert_eq!(player.of(0x90).iter().map(|(_, m)| m[1]).collect::<Vec<_>>(), [60, 48, 55, 55]);
}

#[test]
fn flaws_and_moments_have_their_own_notes() {
    let mut player = Player::new(
        "channel = 10\nflaws = { note = 36 }\nprompt = { note = 48, velocity = 1 }\nfault = { note = 50, channel = 2 }",
    );
    for kind in [FlawKind::Repetition, FlawKind::Leap, FlawKind::TemplateLeak] {
        player.event(flaw(kind));
        player.go(player.now_ns + 200 * MS);
    }
    player.event(Event::Prompt { name: None, text: "x".into(), tokens: 1 });
    player.event(Event::Fault { place: "x".into(), what: "y".into(), remedy: String::new() });
    let on: Vec<Vec<u8>> = player.of(0x90).into_iter().map(|(_, m)| m).collect();
    assert_eq!(on, [[0x99, 36, 100], [0x99, 38, 100], [0x99, 42, 100], [0x99, 48, 1], [0x91, 50, 100]]);
}

#[test]
fn of_a_crowd_the_most_surprising_is_played_and_the_wire_is_not_full() {
    let rows = "tokens = {}\nflaws = { note = 36 }\ntension = { cc = 1 }\nclock = { bpm = 300 }\ncc = { 2 = \"token.surprise\", 3 = \"token.probability\", 4 = \"token.latency\", 5 = \"token.entropy\" }";
    let mut player = Player::new(rows);
    for i in 0..5000u64 {
        let bits = if i % 16 == 7 { 12.0 } else { (i % 7) as f32 };
        player.event(token(bits, bits));
        player.event(flaw(FlawKind::Leap));
        player.go(player.now_ns + MS);
    }
    let notes: Vec<_> = player.of(0x90).into_iter().filter(|(_, m)| m[1] >= 48).collect();
    assert!((280..=320).contains(&notes.len()), "{}", notes.len());
    let top = notes.iter().filter(|(_, m)| m[1] == 84).count();
    assert!(top * 10 > notes.len() * 9, "{top} of {}", notes.len());
    let (mut first, mut most) = (0, 0);
    for last in 0..player.sent.len() {
        while player.sent[last].0 - player.sent[first].0 > 1000 * MS {
            first += 1;
        }
        most = most.max(last - first + 1);
    }
    assert!(most < 1000, "{most} messages in one second");
}

#[test]
fn controls_are_sent_when_they_change_and_fifty_times_a_second_at_most() {
    let mut player = Player::new("cc = { 74 = \"machine.cpu\", 71 = { from = \"machine.fan\", channel = 2 } }");
    for i in 0..4000 {
        player.event(cpu((i % 1000) as f32 / 1000.0));
        player.go(player.now_ns + MS);
    }
    let sent = player.of(0xb0);
    assert!((150..=200).contains(&sent.len()), "{}", sent.len());
    assert!(sent.windows(2).all(|w| w[1].0 - w[0].0 >= EVERY_NS && w[1].1[2] != w[0].1[2]));
    let before = player.sent.len();
    for bad in [f32::NAN, f32::INFINITY] {
        player.event(cpu(bad));
        player.go(player.now_ns + 100 * MS);
    }
    player.go(player.now_ns + 1000 * MS);
    assert_eq!(player.sent.len(), before, "an absent signal leaves the control where it is");
    player.event(cpu(7.0));
    player.go(player.now_ns + 100 * MS);
    assert_eq!(player.sent.last().unwrap().1.bytes(), [0xb0, 74, 127]);
}

#[test]
fn a_control_has_its_range_and_its_curve() {
    let rows = "cc = { 1 = { from = \"token.latency\", between = [0, 20], range = [127, 64], curve = \"exp\" } }";
    let mut player = Player::new(rows);
    for ms in [0.0, 10.0, 20.0, 900.0] {
        player.event(token(1.0, ms));
        player.go(player.now_ns + 100 * MS);
    }
    assert_eq!(player.of(0xb0).iter().map(|(_, m)| m[2]).collect::<Vec<_>>(), [127, 111, 64]);
}

#[test]
fn the_tension_grows_while_nothing_comes_and_falls_with_the_token() {
    let mut player = Player::new("tension = { cc = 1, seconds = 4 }");
    for _ in 0..50 {
        player.event(token(1.0, 1.0));
        player.go(player.now_ns + 50 * MS);
    }
    assert_eq!(player.of(0xb0).iter().map(|(_, m)| m[2]).collect::<Vec<_>>(), [0], "it lies still at 20 tokens/s");
    player.go(player.now_ns + 6000 * MS);
    let values: Vec<u8> = player.of(0xb0).iter().map(|(_, m)| m[2]).collect();
    assert!(values.windows(2).all(|w| w[0] < w[1]) && *values.last().unwrap() == 127, "{values:?}");
    player.event(token(1.0, 1.0));
    assert_eq!(player.sent.last().unwrap(), &(player.now_ns, Short::control(0, 1, 0)), "at once");
    player.go(player.now_ns + 3000 * MS);
    player.act(|score, _, out| score.stop(out));
    assert_eq!(player.of(0xb0).iter().rev().nth(1).unwrap().1, [0xb0, 1, 0], "it is not left tense");
}

/// Whatever happens, in whatever order.
#[test]
fn every_note_that_begins_ends_once() {
    let maps = [
        "tokens = { length_ms = [5, 60000], voices = 32 }\nflaws = { note = 36 }\ntension = { cc = 1 }\nclock = { per_token = 6 }",
        "channel = 10\ntokens = { notes = [36, 60], scale = [0, 1, 2, 3, 4, 5], voices = 3 }\nflaws = { note = 40, length_ms = 3000 }\nprompt = { note = 41, length_ms = 5 }\ncc = { 3 = \"token.surprise\" }\nclock = { bpm = 90 }",
        "",
    ];
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let mut draw = |n: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % n
    };
    let mut happened: HashMap<u64, u32> = HashMap::new();
    let mut player = Player::new(maps[0]);
    let mut connected = true;
    for _ in 0..60_000 {
        let before = player.sent.len();
        let what = draw(400);
        *happened.entry(what.min(4)).or_default() += 1;
        match what {
            0 => player.act(|score, _, out| score.panic(out)),
            1 => {
                let map = synth(maps[draw(3) as usize]);
                player.act(|score, now_ns, out| score.take(&map, now_ns, out));
            }
            2 => {
                connected = !connected;
                match connected {
                    true => player.act(|score, _, out| score.found(out)),
                    false => player.score.lost(),
                }
            }
            3 => player.act(|score, _, out| score.stop(out)),
            4..100 => player.event(flaw([FlawKind::Repetition, FlawKind::Leap, FlawKind::EarlyEnd][draw(3) as usize])),
            100..110 => player.event(Event::Prompt { name: None, text: "x".into(), tokens: 1 }),
            _ => player.event(token(draw(14) as f32, draw(700) as f32)),
        }
        assert!(connected || player.sent.len() == before, "nothing is sent to a port that is away");
        if [0, 3].contains(&what) && connected {
            assert_eq!(paired(&player.sent), HashSet::new());
            player.sent.clear();
        }
        player.go(player.now_ns + draw(30) * MS);
    }
    assert!((0..=4).all(|what| happened[&what] > 20), "{happened:?}");
    if !connected {
        player.act(|score, _, out| score.found(out));
    }
    player.act(|score, _, out| score.stop(out));
    assert_eq!(paired(&player.sent), HashSet::new());
}

#[test]
fn a_panic_silences_every_channel() {
    let mut player = Player::new("tokens = { length_ms = [9000, 9000] }");
    player.event(token(3.0, 1.0));
    player.act(|score, _, out| score.panic(out));
    assert!(paired(&player.sent).is_empty());
    for channel in 0..16 {
        for cc in [120, 123] {
            assert_eq!(player.times(Short::control(channel, cc, 0)).len(), 1);
        }
    }
    player.go(player.now_ns + 100 * MS);
    player.event(token(3.0, 1.0));
    assert_eq!(paired(&player.sent).len(), 1, "the score plays on");
}
