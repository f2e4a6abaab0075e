//! MIDI out ports: opens those that the patch plays or tells anything, notices what is plugged in and pulled out, and sends
//! them the score, or what a controller has to show.
//!
//! Beside `midi` the only file that sees midir. [`Outputs`] is owned by the MIDI-out thread. Whatever ends it, dropping
//! included, every note that was begun is ended first.

mod port;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use midir::{MidiOutput, MidiOutputPort};

use super::device::{called, unnumbered};
use super::midi::{LOOK_EVERY, MidiError, is_own, probe};
use super::score_out::Short;
use super::voice::{Role, Voice};
use crate::patch::Listeners;
use crate::score::{Event, ParamValues, Stamped, Timeline};
use port::Connection;

/// The name under which other programs see what xiao plays.
const CLIENT: &str = "xiao-out";
/// Every MIDI output that the patch plays.
pub struct Outputs {
    /// Lists the ports. Each connection has a client of its own, as midir wants it.
    lister: MidiOutput,
    listeners: Listeners,
    /// Where every parameter stands, as far as events have told.
    params: ParamValues,
    /// The beats, as they were told last.
    timeline: Option<Timeline>,
    /// One for each port that is or was here, and for what it is.
    parts: Vec<Part>,
    next_look_ns: u64,
    /// Patterns of which it was said that nothing matches.
    missed: Vec<String>,
}

/// A port with what it plays.
struct Part {
    /// midir's identifier with the name, since ALSA gives a freed number to the next device.
    key: (String, String),
    voice: Voice,
    /// None while the port is away, and where connecting failed.
    connection: Option<Connection>,
    /// It is listed by the system.
    here: bool,
    /// It did not take what it was sent, and that was not said yet.
    refused: bool,
}

/// What is remembered of ports while there is no MIDI: the notes that they were left with.
#[derive(Default)]
pub struct Left(Vec<Part>);

impl Outputs {
    /// Opens the machine's MIDI, without any port yet: the first [`Outputs::tick`] connects what is there. What `left`
    /// knows is taken up.
    ///
    /// # Errors
    /// [`MidiError::Absent`] where there is none, at once and without a word on stderr.
    pub fn open(
        listeners: &Listeners,
        params: ParamValues,
        left: &mut Left,
        now_ns: u64,
    ) -> Result<Outputs, MidiError> {
        let lister = client()?;
        let parts = std::mem::take(&mut left.0);
        let listeners_yet = Listeners::default();
        let mut outputs = Outputs {
            lister,
            listeners: listeners_yet,
            params,
            timeline: None,
            parts,
            next_look_ns: 0,
            missed: Vec::new(),
        };
        outputs.take(listeners, now_ns);
        Ok(outputs)
    }

    /// Plays an event.
    pub fn event(&mut self, stamped: &Stamped, now_ns: u64) {
        if let Event::Param { id, value, .. } = &stamped.event {
            self.params.set(*id, *value);
        }
        self.timeline = Timeline::of(stamped).or(self.timeline);
        self.each(|part, out| part.voice.event(stamped, now_ns, out));
    }

    /// The beats are these from now on.
    pub fn retime(&mut self, timeline: Timeline, now_ns: u64) {
        self.timeline = Some(timeline);
        for part in &mut self.parts {
            if let Voice::Score(score) = &mut part.voice {
                score.retime(timeline, now_ns);
            }
        }
    }

    /// Sends what is due, and looks for ports every now and then; what was plugged in or out is added to `notices`.
    pub fn tick(&mut self, now_ns: u64, notices: &mut Vec<String>) {
        self.each(|part, out| part.voice.tick(now_ns, out));
        if now_ns >= self.next_look_ns {
            self.next_look_ns = now_ns + LOOK_EVERY.as_nanos() as u64;
            self.look(now_ns, notices);
        }
    }

    /// When [`Outputs::tick`] has something to do next.
    pub fn due_ns(&self) -> u64 {
        let parts = self.parts.iter().filter_map(|part| part.voice.due_ns());
        parts.min().unwrap_or(u64::MAX).min(self.next_look_ns)
    }

    /// Plays these from now on. A port whose part is the same plays on undisturbed.
    pub fn take(&mut self, listeners: &Listeners, now_ns: u64) {
        self.listeners = listeners.clone();
        self.missed.clear();
        self.next_look_ns = now_ns;
        let mut left = Vec::new();
        for mut part in std::mem::take(&mut self.parts) {
            match part.voice.role().wanted(&self.listeners, &part.key.1) {
                Some(wanted) => part.act(|voice, out| voice.take(wanted, self.params, now_ns, out)),
                None => {
                    part.stop();
                    left.push(part);
                    continue;
                }
            }
            self.parts.push(part);
        }
        close(left);
    }

    /// Cuts off whatever sounds, on every channel of every port.
    pub fn panic(&mut self) {
        self.each(|part, out| part.voice.panic(out));
    }

    /// The JACK server is gone: closing its ports crashes inside libjack, so they are left as they are.
    pub fn abandon(mut self) -> Left {
        let mut parts = std::mem::take(&mut self.parts);
        for part in &mut parts {
            std::mem::forget(part.connection.take());
            part.lose();
            part.here = false;
        }
        // The lister is a client too.
        std::mem::forget(self);
        Left(parts)
    }

    fn each(&mut self, act: impl Fn(&mut Part, &mut Vec<Short>)) {
        let mut out = Vec::new();
        for part in &mut self.parts {
            act(part, &mut out);
            part.send(&mut out);
        }
    }

    fn look(&mut self, now_ns: u64, notices: &mut Vec<String>) {
        let ports = named_ports(&self.lister);
        for part in self.parts.iter_mut().filter(|part| part.here) {
            if ports.iter().all(|(key, _)| *key != part.key) {
                part.lose();
                part.here = false;
                notices.push(format!("MIDI out: {} is gone; it plays again when it is back", part.key.1));
            } else if std::mem::take(&mut part.refused) {
                notices.push(format!("MIDI out: {} takes nothing any more: plug it in again", part.key.1));
            }
        }
        for (key, port) in &ports {
            for role in Role::ALL {
                self.look_at(role, key, port, now_ns, notices);
            }
        }
        for (role, pattern) in Role::patterns(&self.listeners) {
            let has_part = self.parts.iter().any(|part| part.here && part.voice.pattern() == (role, pattern.as_str()));
            if !has_part && !self.missed.contains(&pattern) {
                notices.push(format!(
                    "MIDI out: no port matches {pattern:?} yet; `xiao devices` lists those that are there"
                ));
                self.missed.push(pattern);
            }
        }
    }

    /// Opens a port for what it is to be, unless it is open already or nothing wants it.
    fn look_at(
        &mut self,
        role: Role,
        key: &(String, String),
        port: &MidiOutputPort,
        now_ns: u64,
        notices: &mut Vec<String>,
    ) {
        let of_role = |part: &Part| part.voice.role() == role;
        if self.parts.iter().any(|part| of_role(part) && part.here && part.key == *key) {
            return;
        }
        let Some(wanted) = role.wanted(&self.listeners, &key.1) else { return };
        // The part that it had before, with the notes that it was left with.
        let known = self.parts.iter().position(|p| of_role(p) && !p.here && unnumbered(&p.key.1) == unnumbered(&key.1));
        let at = known.unwrap_or_else(|| {
            let mut voice = Voice::new(wanted, self.params, now_ns);
            if let (Voice::Score(score), Some(timeline)) = (&mut voice, self.timeline) {
                score.retime(timeline, now_ns);
            }
            self.parts.push(Part { key: key.clone(), voice, connection: None, here: true, refused: false });
            self.parts.len() - 1
        });
        let part = &mut self.parts[at];
        (part.key, part.here) = (key.clone(), true);
        let name = &part.key.1;
        match Connection::open(CLIENT, port) {
            Ok(connection) => {
                notices.push(format!("MIDI out: {} {name}", part.voice.role().does()));
                part.connection = Some(connection);
                part.act(|voice, out| voice.found(now_ns, out));
            }
            Err(reason) => {
                notices.push(format!("MIDI out: {name} cannot be opened ({reason}): plug it in again"));
            }
        }
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        self.parts.iter_mut().for_each(Part::stop);
        close(std::mem::take(&mut self.parts));
    }
}

impl Part {
    fn act(&mut self, act: impl FnOnce(&mut Voice, &mut Vec<Short>)) {
        let mut out = Vec::new();
        act(&mut self.voice, &mut out);
        self.send(&mut out);
    }

    fn send(&mut self, out: &mut Vec<Short>) {
        let Some(connection) = &mut self.connection else { return out.clear() };
        for message in out.drain(..) {
            // A library below may assert what a server that has died does not keep.
            let sent = catch_unwind(AssertUnwindSafe(|| connection.send(message.bytes())));
            if !matches!(sent, Ok(true)) {
                self.refused = true;
                if cfg!(feature = "midi-jack") {
                    // As in `Outputs::abandon`.
                    std::mem::forget(self.connection.take());
                }
                self.lose();
                return;
            }
        }
    }

    fn stop(&mut self) {
        self.act(Voice::stop);
    }

    /// What is begun and not ended now waits for the port to come back.
    fn lose(&mut self) {
        self.voice.lost();
        drop(self.connection.take());
    }
}

/// Closes ports whose last messages are on their way.
fn close(parts: Vec<Part>) {
    // JACK takes them with its next block, the longest of which are 43 ms, and forgets those of a port that is closed.
    if cfg!(feature = "midi-jack") && parts.iter().any(|part| part.connection.is_some()) {
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(parts);
}

fn client() -> Result<MidiOutput, MidiError> {
    probe().map_err(MidiError::Absent)?;
    MidiOutput::new(CLIENT).map_err(|e| MidiError::Absent(e.to_string()))
}

/// Every output port with its identifier and name, in the system's order, but for the inputs of xiao itself.
fn named_ports(lister: &MidiOutput) -> Vec<((String, String), MidiOutputPort)> {
    let ports = lister.ports().into_iter();
    // A port may go between the two calls; then it has no name and is not there.
    ports
        .filter_map(|port| Some(((port.id(), lister.port_name(&port).ok()?), port)))
        .filter(|((_, name), _)| !is_own(name))
        .collect()
}

/// The names of the outputs, for `xiao devices`; none where there is no MIDI.
pub(super) fn names() -> Vec<String> {
    let named = |lister| called(named_ports(&lister).into_iter().map(|((_, name), _)| name));
    client().map(named).unwrap_or_default()
}
