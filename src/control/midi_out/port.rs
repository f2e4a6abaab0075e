//! One port that is sent to, as the backend has it.
//!
//! Under JACK it is a client of our own, which puts each message at the frame that belongs to the time at which it was
//! sent, one block later: midir would put it at the beginning of the next block, up to a whole block early.

#[cfg(not(feature = "midi-jack"))]
pub use plain::Connection;
#[cfg(feature = "midi-jack")]
pub use timed::Connection;

#[cfg(not(feature = "midi-jack"))]
mod plain {
    use midir::{MidiOutput, MidiOutputConnection, MidiOutputPort};

    pub struct Connection(MidiOutputConnection);

    impl Connection {
        /// Connects to a port, under this name.
        pub fn open(client: &str, to: &MidiOutputPort) -> Result<Connection, String> {
            let output = MidiOutput::new(client).map_err(|e| e.to_string())?;
            output.connect(to, "out").map(Connection).map_err(|e| e.to_string())
        }

        /// Sends a message of up to three bytes now; false if it is not taken.
        pub fn send(&mut self, message: &[u8]) -> bool {
            self.0.send(message).is_ok()
        }
    }
}

#[cfg(feature = "midi-jack")]
mod timed {
    use jack::{AsyncClient, Client, ClientOptions, Control, Frames, ProcessScope, RawMidi};
    use midir::MidiOutputPort;
    use rtrb::{Consumer, Producer, RingBuffer};

    /// Messages that may wait for a block: more than a storm of a second.
    const QUEUE: usize = 2048;

    pub struct Connection {
        client: AsyncClient<(), Writer>,
        queue: Producer<Timed>,
    }

    /// A message, and when it was sent on the server's clock.
    #[derive(Clone, Copy)]
    struct Timed {
        at_us: u64,
        bytes: [u8; 3],
        len: u8,
    }

    /// What the process callback owns.
    struct Writer {
        port: jack::Port<jack::MidiOut>,
        queue: Consumer<Timed>,
    }

    impl Connection {
        /// Connects to a port, under this name.
        pub fn open(client: &str, to: &MidiOutputPort) -> Result<Connection, String> {
            let words = |error: jack::Error| error.to_string();
            let (client, _) = Client::new(client, ClientOptions::NO_START_SERVER).map_err(words)?;
            let port = client.register_port("out", jack::MidiOut::default()).map_err(words)?;
            let name = port.name().map_err(words)?;
            let (queue, waiting) = RingBuffer::new(QUEUE);
            let client = client.activate_async((), Writer { port, queue: waiting }).map_err(words)?;
            client.as_client().connect_ports_by_name(&name, &to.id()).map_err(words)?;
            Ok(Connection { client, queue })
        }

        /// Sends a message of up to three bytes now; false if it is not taken.
        pub fn send(&mut self, message: &[u8]) -> bool {
            let mut bytes = [0; 3];
            let Some(to) = bytes.get_mut(..message.len()) else { return false };
            to.copy_from_slice(message);
            let at_us = self.client.as_client().time();
            self.queue.push(Timed { at_us, bytes, len: message.len() as u8 }).is_ok()
        }
    }

    impl jack::ProcessHandler for Writer {
        fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
            let mut last = 0;
            let mut writer = self.port.writer(scope);
            while let Ok(message) = self.queue.peek() {
                let Some(frame) = frame(message.at_us, scope) else { break };
                last = frame.max(last);
                let bytes = &message.bytes[..usize::from(message.len)];
                if writer.write(&RawMidi { time: last, bytes }).is_err() {
                    break;
                }
                let _ = self.queue.pop();
            }
            Control::Continue
        }
    }

    /// The frame of the present block for what was sent then; `None` if it belongs to the next.
    fn frame(at_us: u64, scope: &ProcessScope) -> Option<Frames> {
        // A server that tells no times puts all at the beginning.
        let Ok(times) = scope.cycle_times() else { return Some(0) };
        let frames = f64::from(scope.n_frames());
        let since_us = at_us as f64 + f64::from(times.period_usecs) - times.current_usecs as f64;
        let frame = since_us / f64::from(times.period_usecs.max(1.0)) * frames;
        (frame < frames).then_some(frame.max(0.0) as Frames)
    }
}
