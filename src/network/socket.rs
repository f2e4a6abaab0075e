//! The sockets, and with them everything that the network's thread owns. Nothing here waits: what cannot be sent now is
//! left out, and told.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::address::{Names, Place, Space};
use super::complaints::{Complaints, Wrong};
use super::http::Server;
use super::inbox::Inbox;
use super::incoming::{self, Allowance, Heard};
use super::outgoing::Outgoing;
use super::packet::{self, Message};
use super::query;
use crate::patch::Osc;
use crate::score::{Event, ParamValues, Stamped};

/// Packets that are read in one tick. The system holds back fewer.
const PACKETS: usize = 1000;
/// The longest packet that UDP has.
const LONGEST: usize = 1 << 16;
/// How often a port that was taken is tried again.
const RETRY_NS: u64 = 2_000_000_000;

/// A socket that messages go out by, and where they go.
#[derive(Debug)]
struct Target {
    to: SocketAddr,
    socket: UdpSocket,
}

/// Where it is listened.
#[derive(Debug)]
struct Ear {
    socket: UdpSocket,
    at: SocketAddr,
    server: Option<Server>,
}

/// The instrument's end of the line.
#[derive(Debug)]
pub struct Line {
    spec: Osc,
    space: Space,
    inbox: Inbox,
    ear: Option<Ear>,
    /// When the port was tried last.
    tried_ns: Option<u64>,
    targets: Vec<Target>,
    outgoing: Outgoing,
    allowance: Allowance,
    complaints: Complaints,
    buffer: Vec<u8>,
    said: Vec<Message>,
}

impl Line {
    /// Nothing is opened before the first [`Line::tick`].
    pub fn new(spec: Osc, names: Names, params: ParamValues, inbox: Inbox) -> Line {
        Line {
            outgoing: Outgoing::new(params, spec.signals),
            targets: targets(&spec.out),
            spec,
            space: Space::new(names),
            inbox,
            ear: None,
            tried_ns: None,
            allowance: Allowance::default(),
            complaints: Complaints::default(),
            buffer: vec![0; LONGEST],
            said: Vec::new(),
        }
    }

    /// Takes up what a changed patch says; what is the same stays open.
    pub fn take(&mut self, spec: Osc, names: Names) {
        if spec.listen != self.spec.listen {
            (self.ear, self.tried_ns) = (None, None);
        }
        if spec.out != self.spec.out {
            self.targets = targets(&spec.out);
            self.outgoing.say_all();
        }
        if names != self.space.names {
            self.space = Space::new(names);
        }
        self.outgoing.say_signals = spec.signals;
        self.spec = spec;
    }

    /// Where it is listened; none while the port is taken, or where nothing is to come in.
    pub fn listens_at(&self) -> Option<SocketAddr> {
        self.ear.as_ref().map(|ear| ear.at)
    }

    /// Takes an event, to be told at the next tick.
    pub fn event(&mut self, stamped: &Stamped) {
        self.outgoing.event(stamped);
    }

    /// Hears what has come, answers, and says what is due.
    pub fn tick(&mut self, now_ns: u64, tell: &mut Vec<Event>) {
        self.open(now_ns, tell);
        self.hear(now_ns);
        if let Some(Ear { at, server: Some(server), .. }) = &mut self.ear {
            let known = query::Known { at: *at, space: &self.space, now: &self.outgoing };
            server.tend(now_ns, |request| query::answer(request, &known));
        }
        self.outgoing.tick(now_ns, &mut self.said);
        for message in self.said.drain(..) {
            if self.targets.is_empty() {
                continue;
            }
            let bytes = packet::bytes(message);
            for target in &self.targets {
                if let Err(error) = target.socket.send_to(&bytes, target.to) {
                    self.complaints.note(Wrong::Unsent, target.to, &error.to_string(), now_ns);
                }
            }
        }
        tell.extend(self.complaints.due(now_ns).into_iter().map(|text| Event::Notice { text }));
    }

    fn open(&mut self, now_ns: u64, tell: &mut Vec<Event>) {
        let Some(at) = self.spec.listen.filter(|_| self.ear.is_none()) else { return };
        if self.tried_ns.is_some_and(|tried_ns| now_ns < tried_ns.saturating_add(RETRY_NS)) {
            return;
        }
        let first = self.tried_ns.replace(now_ns).is_none();
        let fault = |what: String, remedy: String| Event::Fault { place: "OSC".into(), what, remedy };
        let bound = UdpSocket::bind(at).and_then(|socket| {
            socket.set_nonblocking(true)?;
            Ok((socket.local_addr()?, socket))
        });
        match bound {
            Ok((at, socket)) => {
                let server = Server::bind(at);
                if let Err(error) = &server {
                    let what = format!("OSCQuery cannot listen at {at}: {error}");
                    tell.push(fault(what, "OSC itself works; give [osc] another port for both".into()));
                }
                let open = if at.ip().is_loopback() { "" } else { "; whoever reaches this machine can play" };
                tell.push(Event::Notice { text: format!("OSC: listening at {at}{open}") });
                self.ear = Some(Ear { socket, at, server: server.ok() });
            }
            Err(error) if first => {
                let remedy = "end the program that has the port, or give [osc] another one; it is tried again";
                tell.push(fault(format!("cannot listen at {at}: {error}"), remedy.into()));
            }
            Err(_) => {}
        }
    }

    fn hear(&mut self, now_ns: u64) {
        self.allowance.tick(now_ns);
        let Some(ear) = &self.ear else { return };
        let (mut heard, mut all) = (Heard::default(), false);
        for _ in 0..PACKETS {
            let (length, who) = match ear.socket.recv_from(&mut self.buffer) {
                Ok(packet) => packet,
                // What some systems say of an answer that nobody took.
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::Interrupted) => continue,
                Err(_) => break,
            };
            let (allowance, complaints) = (&mut self.allowance, &mut self.complaints);
            incoming::packet(&self.buffer[..length], (who, now_ns), &self.space, allowance, complaints, &mut heard);
            for action in heard.actions.drain(..) {
                if !self.inbox.push(action) {
                    self.complaints.note(Wrong::TooFast, who, "", now_ns);
                }
            }
            for place in heard.asked.drain(..) {
                all |= place == Place::Dump;
                let answers = match place {
                    Place::Dump => packet::bundles(self.outgoing.dump()),
                    place => self.outgoing.answer(&place).map(packet::bytes).into_iter().collect(),
                };
                for bytes in answers {
                    if let Err(error) = ear.socket.send_to(&bytes, who) {
                        self.complaints.note(Wrong::Unsent, who, &error.to_string(), now_ns);
                    }
                }
            }
        }
        if all {
            // Many a control surface sends from one port and listens at another, where it is one of those in `out`.
            self.outgoing.say_all();
        }
    }
}

/// Each has a socket of its own: what is bound to the loopback reaches nobody else, and what is bound to everything is
/// more than a loopback needs.
fn targets(out: &[SocketAddr]) -> Vec<Target> {
    let open = |to: &SocketAddr| {
        let from: IpAddr = match (to.is_ipv4(), to.ip().is_loopback()) {
            (true, true) => Ipv4Addr::LOCALHOST.into(),
            (true, false) => Ipv4Addr::UNSPECIFIED.into(),
            (false, true) => Ipv6Addr::LOCALHOST.into(),
            (false, false) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((from, 0)).ok()?;
        socket.set_nonblocking(true).ok()?;
        // For those who send to a whole room.
        let _ = socket.set_broadcast(true);
        Some(Target { to: *to, socket })
    };
    out.iter().filter_map(open).collect()
}
