//! MIDI ports: opens every input, notices what is plugged in and pulled out, and hands over what they say.
//!
//! Only this file and `midi_out` see midir. [`Midi`] is owned by the hands thread. midir's callback may be JACK's process thread:
//! it does no more than push a few bytes into a bounded lock-free queue, and counts what did not fit.

mod stamp;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use midir::{Ignore, MidiInput, MidiInputConnection, MidiInputPort};
use serde::Serialize;

use super::clock_in::is_clock;
use super::device::{called, device, free_name, unnumbered};
use super::known;
use stamp::Stamps;

/// How often the list of ports is read, since midir does not tell of changes; 0.15 ms each time under ALSA. A port that
/// leaves and comes back between two looks would stay deaf, so a second would be too long for a loose cable.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Messages that may wait between two polls; of ten thousand a second, which only programs send, three seconds: the hands
/// may be held up by a sound device that is opened.
const QUEUE: usize = 1 << 15;
/// The clock's messages that may wait, apart from the others so that no knob crowds them out; eight seconds.
const CLOCK_QUEUE: usize = 1024;

/// The name under which other programs see xiao.
const CLIENT: &str = "xiao";

/// Why no MIDI can be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MidiError {
    /// The system has no MIDI that can be opened; the reason in words.
    #[error("no MIDI on this machine ({0}): playing without")]
    Absent(String),
}

/// What one control said.
#[derive(Clone, Debug)]
pub struct Message {
    /// The port's name, as the patch's patterns see it.
    pub port: Arc<str>,
    /// When the callback had it; of the clock's, when it came, as the backend stamps it.
    pub at: Instant,
    bytes: [u8; 3],
    len: u8,
}

impl Message {
    /// A message as it would come from a port.
    #[cfg(test)]
    pub fn of(port: &str, bytes: &[u8]) -> Message {
        let mut own = [0; 3];
        own[..bytes.len()].copy_from_slice(bytes);
        Message { port: port.into(), at: Instant::now(), bytes: own, len: bytes.len() as u8 }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// What the callback pushes: a plain value, so that pushing it moves 32 bytes and frees nothing.
#[derive(Clone, Copy)]
struct Raw {
    port: u32,
    at: Instant,
    bytes: [u8; 3],
    len: u8,
}

impl Raw {
    fn of(self, names: &[Arc<str>]) -> Message {
        let Raw { port, at, bytes, len } = self;
        Message { port: names[port as usize].clone(), at, bytes, len }
    }
}

/// A port that is open.
struct Open {
    /// midir's identifier with the name, since ALSA gives a freed number to the next device.
    key: (String, String),
    /// How mappings and messages call it.
    name: String,
    /// None where connecting failed: it is listed so that it is tried and told of once, not every look.
    _connection: Option<MidiInputConnection<()>>,
}

/// Every MIDI input of the machine.
///
/// Under JACK it lives as long as the server: a client of a dead server goes on listing the old ports, so whoever
/// learns of the server's end (the sound does) opens another.
pub struct Midi {
    /// Lists the ports. Each connection has a client of its own, as midir wants it.
    lister: MidiInput,
    open: Vec<Open>,
    /// Names by the number in [`Raw`]; one entry for each name ever seen, so replugging does not grow it.
    names: Vec<Arc<str>>,
    sender: Sender<Raw>,
    receiver: Receiver<Raw>,
    /// The same for the clock's messages.
    clock_sender: Sender<Raw>,
    clock_receiver: Receiver<Raw>,
    dropped: Arc<AtomicU64>,
    next_look: Instant,
}

impl Midi {
    /// Opens the machine's MIDI, without any port yet: the first [`Midi::poll`] connects what is there.
    ///
    /// # Errors
    /// [`MidiError::Absent`] where there is none, at once and without a word on stderr.
    pub fn open() -> Result<Midi, MidiError> {
        let lister = client()?;
        let (sender, receiver) = bounded(QUEUE);
        let (clock_sender, clock_receiver) = bounded(CLOCK_QUEUE);
        Ok(Midi {
            lister,
            open: Vec::new(),
            names: Vec::new(),
            sender,
            receiver,
            clock_sender,
            clock_receiver,
            dropped: Arc::default(),
            next_look: Instant::now(),
        })
    }

    /// Adds what has come since the last poll to `messages` and what was plugged in or out to `notices`. Every 2 ms is
    /// often enough; it costs nothing while nothing comes.
    pub fn poll(&mut self, messages: &mut Vec<Message>, notices: &mut Vec<String>) {
        let now = Instant::now();
        if now >= self.next_look {
            self.next_look = now + LOOK_EVERY;
            self.look(notices);
        }
        messages.extend(self.receiver.try_iter().map(|raw| raw.of(&self.names)));
    }

    /// Adds what clocks have said since the last poll: ticks, start, continue, stop and the song's place.
    pub fn poll_clocks(&mut self, messages: &mut Vec<Message>) {
        messages.extend(self.clock_receiver.try_iter().map(|raw| raw.of(&self.names)));
    }

    /// Whether a port of this name is open.
    pub fn has(&self, port: &str) -> bool {
        self.open.iter().any(|open| open.name == port)
    }

    /// The names of the inputs that are here.
    pub fn ports(&self) -> impl Iterator<Item = &str> {
        self.open.iter().map(|open| open.name.as_str())
    }

    /// Messages lost because nobody polled for seconds.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn look(&mut self, notices: &mut Vec<String>) {
        let ports = named_ports(&self.lister);
        self.open.retain(|open| {
            let stays = ports.iter().any(|(key, _)| *key == open.key);
            if !stays {
                notices.push(format!("MIDI: {} is gone", open.name));
            }
            stays
        });
        for (key, port) in ports {
            if self.open.iter().all(|open| open.key != key) {
                let name = free_name(&key.1, |name| self.open.iter().any(|open| open.name == name));
                let connection = self.connect(&name, &port);
                notices.push(match &connection {
                    Ok(_) => match known::for_port(&name).filter(|known| known.ports != "*") {
                        Some(known) => format!("MIDI: {name} is here, known as {}", known.title),
                        None => format!("MIDI: {name} is here"),
                    },
                    Err(reason) => format!("MIDI: {name} cannot be opened ({reason}): plug it in again"),
                });
                self.open.push(Open { key, name, _connection: connection.ok() });
            }
        }
    }

    fn connect(&mut self, name: &str, port: &MidiInputPort) -> Result<MidiInputConnection<()>, String> {
        let number = self.names.iter().position(|n| **n == *name).unwrap_or_else(|| {
            self.names.push(name.into());
            self.names.len() - 1
        }) as u32;
        let (controls, clocks, dropped) = (self.sender.clone(), self.clock_sender.clone(), self.dropped.clone());
        let mut stamps = Stamps::default();
        let push = move |micros: u64, message: &[u8], _: &mut ()| {
            let (now, clock) = (Instant::now(), is_clock(message));
            // Active sensing and sysex are neither a control nor a clock.
            if message.is_empty() || message.len() > 3 || (message[0] >= 0xf0 && !clock) {
                return;
            }
            let mut bytes = [0; 3];
            bytes[..message.len()].copy_from_slice(message);
            let at = if clock { stamps.came(micros, now) } else { now };
            let raw = Raw { port: number, at, bytes, len: message.len() as u8 };
            let sender = if clock { &clocks } else { &controls };
            if sender.try_send(raw).is_err() {
                dropped.fetch_add(1, Ordering::Relaxed);
            }
        };
        let mut input = MidiInput::new(CLIENT).map_err(|e| e.to_string())?;
        input.ignore(Ignore::SysexAndActiveSense);
        input.connect(port, "in", push, ()).map_err(|e| e.to_string())
    }
}

/// Every input port with its identifier and name, in the system's order, but for the outputs of xiao itself; those that
/// JACK numbers behind those whose name it is.
fn named_ports(lister: &MidiInput) -> Vec<((String, String), MidiInputPort)> {
    let ports = lister.ports().into_iter();
    // A port may go between the two calls; then it has no name and is not there.
    let mut ports: Vec<_> = ports
        .filter_map(|port| Some(((port.id(), lister.port_name(&port).ok()?), port)))
        .filter(|((_, name), _)| !is_own(name))
        .collect();
    ports.sort_by_key(|((_, name), _)| unnumbered(name) != device(name));
    ports
}

/// Whether a port is xiao's own, which it must not play to nor listen to. JACK numbers clients of the same name.
pub(super) fn is_own(name: &str) -> bool {
    let client = name.split(':').next().unwrap_or_default();
    let rest = client.strip_prefix("xiao-out").or_else(|| client.strip_prefix(CLIENT));
    rest.is_some_and(|rest| {
        let number = rest.strip_prefix('-');
        rest.is_empty() || number.is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
    })
}

fn client() -> Result<MidiInput, MidiError> {
    probe().map_err(MidiError::Absent)?;
    MidiInput::new(CLIENT).map_err(|e| MidiError::Absent(e.to_string()))
}

/// Finds out whether there is a JACK server. libjack is loaded when it is first called, and midir does not ask whether
/// that went well; this also makes libjack's own messages go to the `log` crate instead of stderr.
#[cfg(feature = "midi-jack")]
pub(super) fn probe() -> Result<(), String> {
    match jack::Client::new(CLIENT, jack::ClientOptions::NO_START_SERVER) {
        Ok(_) => Ok(()),
        Err(jack::Error::LibraryError(_)) => Err("libjack is not installed".to_string()),
        Err(_) => Err("no JACK server is running".to_string()),
    }
}

/// Finds out whether there is an ALSA sequencer, before ALSA's own words about it reach stderr.
#[cfg(all(target_os = "linux", not(feature = "midi-jack")))]
pub(super) fn probe() -> Result<(), String> {
    use std::io::ErrorKind;
    const SEQUENCER: &str = "/dev/snd/seq";
    match std::fs::OpenOptions::new().read(true).write(true).open(SEQUENCER) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == ErrorKind::NotFound => {
            Err(format!("there is no {SEQUENCER}; where a controller is plugged in, `modprobe snd-seq` makes it"))
        }
        Err(e) if e.kind() == ErrorKind::PermissionDenied => {
            Err(format!("{SEQUENCER} may not be opened; join the group `audio`"))
        }
        Err(e) => Err(format!("{SEQUENCER}: {e}")),
    }
}

#[cfg(all(not(target_os = "linux"), not(feature = "midi-jack")))]
pub(super) fn probe() -> Result<(), String> {
    Ok(())
}

/// What `xiao devices` says of MIDI.
#[derive(Clone, Debug, Serialize)]
pub struct MidiReport {
    /// The system midir was built for.
    pub backend: &'static str,
    /// The names of the inputs, as a patch's patterns see them.
    pub inputs: Vec<String>,
    /// The names of the outputs.
    pub outputs: Vec<String>,
    /// Why there can be none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<String>,
}

/// Looks at the machine's MIDI ports once.
pub fn list() -> MidiReport {
    let backend = match () {
        _ if cfg!(feature = "midi-jack") => "jack",
        _ if cfg!(target_os = "linux") => "alsa",
        _ if cfg!(target_os = "macos") => "coremidi",
        _ if cfg!(target_os = "windows") => "winmm",
        _ => "other",
    };
    match client() {
        Ok(lister) => {
            let inputs = called(named_ports(&lister).into_iter().map(|((_, name), _)| name));
            MidiReport { backend, inputs, outputs: super::midi_out::names(), unavailable: None }
        }
        Err(MidiError::Absent(reason)) => {
            MidiReport { backend, inputs: Vec::new(), outputs: Vec::new(), unavailable: Some(reason) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_and_opening_agree() {
        let report = list();
        match Midi::open() {
            Ok(_) => assert_eq!(report.unavailable, None),
            Err(error) => {
                let reason = report.unavailable.expect("the list gives the reason too");
                assert_eq!(error.to_string(), format!("no MIDI on this machine ({reason}): playing without"));
                assert!(report.inputs.is_empty() && report.outputs.is_empty());
            }
        }
    }

    #[test]
    fn xiao_does_not_hear_itself() {
        for name in ["xiao:in", "xiao-01:in", "xiao-out:out", "xiao-out-02:out", "xiao:in 128:0"] {
            assert!(is_own(name), "{name}");
        }
        for name in ["xiao-test-knobs:knobs", "xiaomi:in", "volca", "", "xiao-outer:x", "xiao-:x"] {
            assert!(!is_own(name), "{name}");
        }
    }
}
