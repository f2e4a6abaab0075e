//! The MIDI-out thread: plays the score on the performer's synthesisers, and tells controllers what they show.
//!
//! It sleeps until an event comes or a message is due, or a few milliseconds for orders, whichever is first. It is there only while the patch has
//! something for it. [`Synths`] is how the hands reach it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError};

use crate::audio::output::priority;
use crate::control::Outputs;
use crate::control::midi_out::Left;
use crate::patch::Listeners;
use crate::score::{Bus, Event, Params, Policy, Queue, Received, Stamped, Timeline};

/// Events that may wait while a port does not take what it is sent.
const QUEUE: usize = 1 << 14;
/// Orders are looked at this often while nothing happens.
const ORDERS_EVERY: Duration = Duration::from_millis(5);
/// How often MIDI is looked for on a machine that had none.
const RETRY: Duration = Duration::from_secs(5);
/// How long the thread may take to come to an end; a port that does not answer is left to itself.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the thread is told.
enum Order {
    Take(Listeners),
    Retime(Timeline),
    ServerGone,
}

/// The synthesisers of a performance. Dropping it ends every note.
pub struct Synths {
    bus: Bus,
    params: Arc<Params>,
    /// The beats, as far as they were told here.
    timeline: Option<Timeline>,
    playing: Option<Playing>,
}

struct Playing {
    orders: Sender<Order>,
    queue: Queue,
    /// Closes when the thread has ended.
    ended: Receiver<()>,
    listeners: Listeners,
}

impl Synths {
    /// Plays the patch's synthesisers; no thread is started where it has none.
    pub fn start(bus: &Bus, params: &Arc<Params>, listeners: &Listeners) -> Synths {
        let mut this = Synths { bus: bus.clone(), params: params.clone(), timeline: None, playing: None };
        this.take(listeners);
        this
    }

    /// Plays these from now on. Nothing is disturbed where they are the same.
    pub fn take(&mut self, listeners: &Listeners) {
        let none = *listeners == Listeners::default();
        if self.playing.as_ref().map_or(none, |playing| playing.listeners == *listeners) {
            return;
        }
        if none {
            return self.stop();
        }
        match &mut self.playing {
            Some(playing) => {
                playing.listeners = listeners.clone();
                let _ = playing.orders.send(Order::Take(listeners.clone()));
            }
            None => self.spawn(listeners),
        }
    }

    /// The beats are these from now on. The thread hears of them by itself; this is for one that was not there then, as
    /// in a replay, where the patch is taken up a little after its event.
    pub fn retime(&mut self, timeline: Timeline) {
        self.timeline = Some(timeline);
        self.tell(Order::Retime(timeline));
    }

    /// The JACK server is gone, and the ports with it.
    pub fn server_is_gone(&self) {
        self.tell(Order::ServerGone);
    }

    fn tell(&self, order: Order) {
        if let Some(playing) = &self.playing {
            let _ = playing.orders.send(order);
        }
    }

    fn spawn(&mut self, listeners: &Listeners) {
        let queue = self.bus.subscribe("MIDI out", Policy::Coalesce, QUEUE);
        let (orders, received) = crossbeam_channel::unbounded();
        let (ends, ended) = crossbeam_channel::bounded(0);
        let mut thread = Thread {
            bus: self.bus.clone(),
            queue: queue.clone(),
            orders: received,
            params: self.params.clone(),
            listeners: listeners.clone(),
            timeline: self.timeline,
            left: Left::default(),
        };
        let run = move || {
            // Dropped, and so heard of, when the thread ends in whatever way.
            let _ends: Sender<()> = ends;
            // A clock that waits behind other programs for its turn is heard as one that limps.
            priority::ask(&Default::default());
            thread.run();
        };
        match std::thread::Builder::new().name("xiao-midi-out".into()).spawn(run) {
            Ok(_) => self.playing = Some(Playing { orders, queue, ended, listeners: listeners.clone() }),
            Err(error) => {
                queue.close();
                let what = format!("no thread could be started: {error}");
                let remedy = "this performance goes on without; save the patch to try again".into();
                self.bus.emit(Event::Fault { place: "MIDI out".into(), what, remedy });
            }
        }
    }

    fn stop(&mut self) {
        let Some(Playing { orders, queue, ended, .. }) = self.playing.take() else { return };
        drop(orders);
        queue.close();
        let _ = ended.recv_timeout(PATIENCE);
    }
}

impl Drop for Synths {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What the thread owns.
struct Thread {
    bus: Bus,
    queue: Queue,
    orders: Receiver<Order>,
    params: Arc<Params>,
    listeners: Listeners,
    /// The beats, as they were told last.
    timeline: Option<Timeline>,
    /// What the ports were left with when the MIDI system went away.
    left: Left,
}

impl Thread {
    fn run(&mut self) {
        let mut outputs = self.open(true);
        let (mut looked, mut notices) = (Instant::now(), Vec::new());
        loop {
            loop {
                match (self.orders.try_recv(), &mut outputs) {
                    (Ok(Order::Take(listeners)), outputs) => {
                        if let Some(outputs) = outputs {
                            outputs.take(&listeners, self.now_ns());
                        }
                        self.listeners = listeners;
                    }
                    (Ok(Order::Retime(timeline)), outputs) => {
                        if self.timeline.is_none_or(|known| known.since_ns() < timeline.since_ns()) {
                            self.timeline = Some(timeline);
                            if let Some(outputs) = outputs {
                                outputs.retime(timeline, self.now_ns());
                            }
                        }
                    }
                    (Ok(Order::ServerGone), Some(_)) => {
                        self.left = outputs.take().map(Outputs::abandon).unwrap_or_default();
                        looked = Instant::now();
                    }
                    (Ok(_), None) => {}
                    (Err(TryRecvError::Empty), _) => break,
                    (Err(TryRecvError::Disconnected), _) => return,
                }
            }
            if outputs.is_none() && looked.elapsed() >= RETRY {
                looked = Instant::now();
                outputs = self.open(false);
            }
            let mut wait = ORDERS_EVERY;
            if let Some(outputs) = &mut outputs {
                outputs.tick(self.now_ns(), &mut notices);
                wait = wait.min(Duration::from_nanos(outputs.due_ns().saturating_sub(self.now_ns())));
            }
            for text in notices.drain(..) {
                self.bus.emit(Event::Notice { text });
            }
            match self.queue.receive(wait) {
                Received::Event(event) => self.play(&event, outputs.as_mut()),
                Received::Nothing => {}
                Received::Closed => return,
            }
        }
    }

    fn play(&mut self, event: &Arc<Stamped>, outputs: Option<&mut Outputs>) {
        self.timeline = Timeline::of(event).or(self.timeline);
        if let Some(outputs) = outputs {
            if matches!(event.event, Event::Panic) {
                return outputs.panic();
            }
            outputs.event(event, self.now_ns());
        }
    }

    fn open(&mut self, say: bool) -> Option<Outputs> {
        let now_ns = self.now_ns();
        match Outputs::open(&self.listeners, self.params.values(), &mut self.left, now_ns) {
            Ok(mut outputs) => {
                if let Some(timeline) = self.timeline {
                    outputs.retime(timeline, now_ns);
                }
                Some(outputs)
            }
            Err(why) => {
                if say {
                    self.bus.emit(Event::Notice { text: format!("MIDI out: {why}") });
                }
                None
            }
        }
    }

    fn now_ns(&self) -> u64 {
        self.bus.clock().now_ns()
    }
}
