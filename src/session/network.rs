//! The network's thread: Open Sound Control in and out, and the answers of OSCQuery.
//!
//! It sleeps until an event comes, or two milliseconds, and is there only while the patch or the command line asks for
//! it. [`Network`] is how the hands reach it; what it hears waits for them in an inbox.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError};

use crate::network::{Inbox, Line, Names};
use crate::patch::{Osc, OscWish, Patch};
use crate::score::{Action, Bus, Event, Params, Policy, Queue, Received};

/// Events that may wait for the thread.
const QUEUE: usize = 1 << 13;
/// How often it is looked for packets while nothing happens.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// Events that are taken before it is looked for packets again.
const EVENTS: usize = 256;
/// How long the thread may take to come to an end.
const PATIENCE: Duration = Duration::from_secs(1);

/// The network of a performance.
pub struct Network {
    bus: Bus,
    params: Arc<Params>,
    wish: OscWish,
    inbox: Inbox,
    open: Option<Open>,
}

/// The thread that is there, with what it was told.
struct Open {
    orders: Sender<(Osc, Names)>,
    queue: Queue,
    /// Closes when the thread has ended.
    ended: Receiver<()>,
    told: (Osc, Names),
}

impl Network {
    /// Opens what the patch and the command line ask for; no thread is started where they ask for nothing.
    pub fn start(bus: &Bus, params: &Arc<Params>, wish: OscWish, patch: &Patch) -> Network {
        let mut this = Network { bus: bus.clone(), params: params.clone(), wish, inbox: Inbox::default(), open: None };
        this.take(patch);
        this
    }

    /// Opens what this patch asks for. Nothing is disturbed where it is the same.
    pub fn take(&mut self, patch: &Patch) {
        let Some(osc) = self.wish.over(patch.osc.as_ref()) else { return self.stop() };
        let told = (osc, Names::of(patch));
        // One that has failed is begun anew.
        self.open.take_if(|open| open.ended.try_recv() == Err(TryRecvError::Disconnected));
        match &mut self.open {
            Some(open) if open.told == told => {}
            Some(open) => {
                open.told = told.clone();
                let _ = open.orders.send(told);
            }
            None => self.spawn(told),
        }
    }

    /// What has come in since the last time.
    pub fn heard(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        self.inbox.drain(&mut actions);
        actions
    }

    fn spawn(&mut self, told: (Osc, Names)) {
        let queue = self.bus.subscribe("network", Policy::Coalesce, QUEUE);
        let (orders, received) = crossbeam_channel::unbounded();
        let (ends, ended) = crossbeam_channel::bounded(0);
        let (osc, names) = told.clone();
        let line = Line::new(osc, names, self.params.values(), self.inbox.clone());
        let (bus, events) = (self.bus.clone(), queue.clone());
        let run = move || {
            // Dropped, and so heard of, when the thread ends in whatever way.
            let _ends: Sender<()> = ends;
            if catch_unwind(AssertUnwindSafe(|| run(line, &bus, &events, &received))).is_err() {
                events.close();
                bus.emit(fault("the network's thread failed".into()));
            }
        };
        match std::thread::Builder::new().name("xiao-network".into()).spawn(run) {
            Ok(_) => self.open = Some(Open { orders, queue, ended, told }),
            Err(error) => {
                queue.close();
                self.bus.emit(fault(format!("no thread could be started: {error}")));
            }
        }
    }

    fn stop(&mut self) {
        let Some(Open { queue, ended, .. }) = self.open.take() else { return };
        queue.close();
        let _ = ended.recv_timeout(PATIENCE);
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.stop();
    }
}

fn fault(what: String) -> Event {
    let remedy = "this performance goes on without; save the patch to try again".into();
    Event::Fault { place: "OSC".into(), what, remedy }
}

/// Works until the queue is closed.
fn run(mut line: Line, bus: &Bus, events: &Queue, orders: &Receiver<(Osc, Names)>) {
    let mut tell = Vec::new();
    loop {
        for (osc, names) in orders.try_iter() {
            line.take(osc, names);
        }
        line.tick(bus.clock().now_ns(), &mut tell);
        for event in tell.drain(..) {
            bus.emit(event);
        }
        let mut wait = LOOK_EVERY;
        for _ in 0..EVENTS {
            match events.receive(wait) {
                Received::Event(event) => line.event(&event),
                Received::Nothing => break,
                Received::Closed => return,
            }
            wait = Duration::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch;
    use crate::score::{Clock, ParamId};
    use std::net::UdpSocket;

    fn patch(osc: &str) -> Patch {
        patch::parse("p.toml", &format!("[prompts]\nmoon = \"The moon\"\n{osc}")).unwrap()
    }

    #[test]
    fn it_is_there_only_while_it_is_asked_for() {
        let bus = Bus::new(Clock::live());
        let told = bus.subscribe("test", Policy::Whole, 999);
        let other = UdpSocket::bind("127.0.0.1:0").unwrap();
        other.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let params = Arc::new(Params::default());
        let mut network = Network::start(&bus, &params, OscWish::default(), &patch(""));
        assert!(network.open.is_none());
        let out = format!("[osc]\nout = [\"{}\"]\nsignals = false", other.local_addr().unwrap());
        network.take(&patch(&out));
        network.take(&patch(&out));
        bus.emit(Event::PieceEnd { tokens: 7 });
        let mut bytes = [0; 999];
        let mut heard = Vec::new();
        while !heard.starts_with(b"/xiao/piece_end\0") {
            let (length, _) = other.recv_from(&mut bytes).unwrap();
            heard = bytes[..length].to_vec();
        }
        assert!(network.open.is_some());
        network.take(&patch(""));
        assert!(network.open.is_none() && network.heard().is_empty());
        assert_eq!(told.dropped(), 0);
    }

    #[test]
    fn what_comes_in_waits_for_the_hands() {
        let bus = Bus::new(Clock::live());
        // A port that was free a moment ago.
        let at = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let wish = OscWish { port: Some(at.port()), ..OscWish::default() };
        let network = Network::start(&bus, &Arc::new(Params::default()), wish, &patch(""));
        let other = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut heard = Vec::new();
        for _ in 0..10_000 {
            let _ = other.send_to(b"/xiao/param/stage/hue\0\0\0,i\0\0\0\0\0\x01", at);
            heard = network.heard();
            if !heard.is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(heard.first(), Some(&Action::Set(ParamId::Hue, 1.0)));
    }
}
