//! The line through the machine's own loopback: OSC in and out, questions, a storm, OSCQuery.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use super::packet::{self, Arg, Message, say};
use super::{Inbox, Line, Names};
use crate::patch::Osc;
use crate::score::{Action, Event, Hand, ParamId, ParamValues, Stamped};

const MS: u64 = 1_000_000;

/// A line, somebody at its other end, and a clock that stands where it is put.
struct Rig {
    line: Line,
    inbox: Inbox,
    other: UdpSocket,
    now_ns: u64,
    told: Vec<Event>,
}

impl Rig {
    fn new() -> Rig {
        // The port that is free for UDP may be taken for TCP by another test.
        loop {
            let rig = Rig::once();
            if rig.told.len() == 1 {
                return rig;
            }
        }
    }

    fn once() -> Rig {
        let other = UdpSocket::bind("127.0.0.1:0").unwrap();
        other.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let (inbox, names) =
            (Inbox::default(), Names { prompts: vec!["dawn".into()], scenes: Vec::new(), settings: Vec::new() });
        let spec = Osc { listen: Some("127.0.0.1:0".parse().unwrap()), out: Vec::new(), signals: false };
        let line = Line::new(spec, names, ParamValues::default(), inbox.clone());
        let mut rig = Rig { line, inbox, other, now_ns: 0, told: Vec::new() };
        rig.tick();
        rig
    }

    fn tick(&mut self) {
        self.now_ns += 2 * MS;
        self.line.tick(self.now_ns, &mut self.told);
    }

    fn at(&self) -> SocketAddr {
        self.line.listens_at().unwrap()
    }

    fn send(&self, bytes: &[u8]) {
        self.other.send_to(bytes, self.at()).unwrap();
    }

    /// Ticks until so many actions have come.
    fn actions(&mut self, count: usize) -> Vec<Action> {
        let mut actions = Vec::new();
        for _ in 0..10_000 {
            self.tick();
            self.inbox.drain(&mut actions);
            if actions.len() >= count {
                return actions;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("only {actions:?} came");
    }

    fn receive(&self) -> Vec<Message> {
        let mut bytes = vec![0; 65536];
        let (length, _) = self.other.recv_from(&mut bytes).unwrap();
        packet::messages(&bytes[..length]).unwrap()
    }

    /// What is answered over HTTP to this request.
    fn get(&mut self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.at()).unwrap();
        stream.write_all(request).unwrap();
        stream.set_nonblocking(true).unwrap();
        let (mut answer, mut some) = (Vec::new(), [0; 4096]);
        for _ in 0..20_000 {
            self.line.tick(self.now_ns, &mut self.told);
            match stream.read(&mut some) {
                Ok(0) => return String::from_utf8(answer).unwrap(),
                Ok(n) => answer.extend(&some[..n]),
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        panic!("no end of {}", String::from_utf8_lossy(&answer));
    }
}

#[test]
fn what_comes_in_is_done_and_what_is_asked_for_is_answered() {
    let mut rig = Rig::new();
    assert!(matches!(&rig.told[..], [Event::Notice { text }] if text.starts_with("OSC: listening at 127.0.0.1:")));
    rig.send(&packet::bytes(say("/xiao/param/stage/hue", vec![Arg::Float(0.25)])));
    rig.send(&packet::bytes(say("/xiao/prompt/dawn", vec![])));
    assert_eq!(rig.actions(2), [Action::Set(ParamId::Hue, 0.25), Action::Prompt("dawn".into())]);
    let hue = Event::Param { id: ParamId::Hue, value: 0.25, by: Hand::Osc };
    rig.line.event(&Stamped { seq: 0, t_ns: 0, event: hue });
    rig.send(&packet::bytes(say("/xiao/param/stage/hue", vec![])));
    rig.send(&packet::bytes(say("/xiao/do/generator/crash", vec![])));
    assert_eq!(rig.actions(1), [Action::Crash]);
    assert_eq!(rig.receive(), [say("/xiao/param/stage/hue", vec![Arg::Float(0.25)])]);
    // Everything at once.
    rig.send(&packet::bytes(say("/xiao/dump", vec![])));
    rig.send(&packet::bytes(say("/xiao/do/generator/crash", vec![])));
    rig.actions(1);
    let mut all = Vec::new();
    while all.len() < ParamId::COUNT {
        all.extend(rig.receive());
    }
    assert!(all.contains(&say("/xiao/param/stage/hue", vec![Arg::Float(0.25)])));
}

#[test]
fn what_happens_goes_out_to_those_the_patch_names() {
    let mut rig = Rig::new();
    let listen = Some(rig.at());
    let out = vec![rig.other.local_addr().unwrap()];
    rig.line.take(Osc { listen: Some("127.0.0.1:0".parse().unwrap()), out, signals: false }, Names::default());
    assert_eq!(rig.line.listens_at(), listen, "what is the same stays open");
    rig.tick();
    // Whoever is new hears where everything stands.
    let first: Vec<_> = (0..2 * ParamId::COUNT).flat_map(|_| rig.receive()).collect();
    assert!(first.contains(&say("/xiao/param/sampler/temperature", vec![Arg::Float(0.8)])));
    rig.line.event(&Stamped { seq: 0, t_ns: 0, event: Event::PieceEnd { tokens: 7 } });
    rig.tick();
    assert_eq!(rig.receive(), [say("/xiao/piece_end", vec![Arg::Int(7)])]);
    // And again when anybody asks for everything, for the asker may listen elsewhere than it sends from.
    let asker = UdpSocket::bind("127.0.0.1:0").unwrap();
    asker.send_to(&packet::bytes(say("/xiao/dump", vec![])), rig.at()).unwrap();
    asker.send_to(&packet::bytes(say("/xiao/do/generator/crash", vec![])), rig.at()).unwrap();
    rig.actions(1);
    rig.tick();
    let again: Vec<_> = (0..2 * ParamId::COUNT).flat_map(|_| rig.receive()).collect();
    assert_eq!(again, first);
}

#[test]
fn ten_thousand_turns_a_second_lose_no_last_value() {
    let mut rig = Rig::new();
    let mut last = Vec::new();
    // Twenty in each tick of two milliseconds, for a second.
    for i in 0..500 {
        for k in 0..20usize {
            let id = ParamId::ALL[k];
            let address = super::address::of("travel", id.name());
            rig.send(&packet::bytes(say(address, vec![Arg::Float((i * 20 + k) as f32 / 10_000.0)])));
        }
        rig.tick();
    }
    rig.send(&packet::bytes(say("/xiao/do/prompt/again", vec![])));
    while last.last() != Some(&Action::Again) {
        last.extend(rig.actions(1));
    }
    for k in 0..20 {
        let id = ParamId::ALL[k];
        let stands = last.iter().rfind(|action| matches!(action, Action::Set(known, _) if *known == id));
        let wanted = id.spec().at((499 * 20 + k) as f32 / 10_000.0);
        assert_eq!(stands, Some(&Action::Set(id, wanted)));
    }
    assert!(rig.told.len() == 1, "{:?}", rig.told);
}

#[test]
fn nonsense_is_told_once_in_a_while() {
    let mut rig = Rig::new();
    for _ in 0..50 {
        rig.send(b"hello");
    }
    rig.send(&packet::bytes(say("/xiao/do/generator/crash", vec![])));
    rig.actions(1);
    rig.now_ns += 2_000 * MS;
    rig.tick();
    let who = rig.other.local_addr().unwrap();
    let text = format!("OSC: 50 packets were no OSC, the last from {who}");
    assert_eq!(rig.told.last(), Some(&Event::Notice { text }));
}

#[test]
fn a_taken_port_is_a_fault_and_is_tried_again() {
    let other = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = other.local_addr().unwrap();
    let spec = Osc { listen: Some(at), out: Vec::new(), signals: false };
    let (mut line, mut told) =
        (Line::new(spec, Names::default(), ParamValues::default(), Inbox::default()), Vec::new());
    for s in 0..5 {
        line.tick(s * 1_000 * MS, &mut told);
    }
    assert!(
        matches!(&told[..], [Event::Fault { place, remedy, .. }] if place == "OSC" && !remedy.is_empty()),
        "{told:?}"
    );
    drop(other);
    line.tick(9_000 * MS, &mut told);
    assert_eq!(line.listens_at(), Some(at));
    assert!(told.iter().any(|event| matches!(event, Event::Notice { text } if text.contains("listening"))));
}

#[test]
fn a_taken_port_for_the_questions_leaves_osc_as_it_is() {
    let (_other, at) = loop {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = other.local_addr().unwrap();
        if UdpSocket::bind(at).is_ok() {
            break (other, at);
        }
    };
    let spec = Osc { listen: Some(at), out: Vec::new(), signals: false };
    let (mut line, mut told) =
        (Line::new(spec, Names::default(), ParamValues::default(), Inbox::default()), Vec::new());
    line.tick(0, &mut told);
    assert_eq!(line.listens_at(), Some(at));
    assert!(matches!(&told[..], [Event::Fault { what, .. }, Event::Notice { .. }] if what.contains("OSCQuery")));
}

#[test]
fn questions_are_answered_over_http() {
    let mut rig = Rig::new();
    let tree = rig.get(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n");
    let (head, body) = tree.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("application/json"), "{head}");
    let tree: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(tree["CONTENTS"]["xiao"]["CONTENTS"]["prompt"]["CONTENTS"]["dawn"]["TYPE"], "N");
    assert!(rig.get(b"GET /?HOST_INFO HTTP/1.1\r\n\r\n").contains(&format!("\"OSC_PORT\":{}", rig.at().port())));
    assert!(rig.get(b"GET /nothing HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
    assert!(rig.get(&[b'x'; 9000]).starts_with("HTTP/1.1 400"));
    // A client that closes in the middle is forgotten.
    drop(TcpStream::connect(rig.at()).unwrap());
    rig.tick();
}

#[test]
fn clients_that_do_not_go_on_are_cut_off_and_others_have_their_turn() {
    let mut rig = Rig::new();
    let slow: Vec<_> = (0..8).map(|_| TcpStream::connect(rig.at()).unwrap()).collect();
    for mut stream in &slow {
        stream.write_all(b"GET /").unwrap();
    }
    let mut ninth = TcpStream::connect(rig.at()).unwrap();
    ninth.write_all(b"GET /xiao/dump HTTP/1.1\r\n\r\n").unwrap();
    ninth.set_nonblocking(true).unwrap();
    let mut some = [0; 64];
    for _ in 0..100 {
        rig.tick();
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(ninth.read(&mut some).is_err(), "there is no place for it yet");
    rig.now_ns += 2_000 * MS;
    for _ in 0..10_000 {
        rig.line.tick(rig.now_ns, &mut rig.told);
        match ninth.read(&mut some) {
            Ok(n) => {
                assert!(some[..n].starts_with(b"HTTP/1.1 200"));
                break;
            }
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    for mut stream in slow {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        assert!(!matches!(stream.read(&mut some), Ok(1..)), "it is closed");
    }
}
