//! The few lines of an HTTP server that OSCQuery needs: connections that are never waited for, few of them, and each
//! for a short time.
//!
//! Of the small servers on crates.io, tiny_http 0.12 waits for ever for a client that does not go on, and has a thread
//! for each. This one is looked after by the network's thread between two packets.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

use super::query::LONGEST;

/// Connections at once; others wait in the system's own queue.
const MOST: usize = 8;
/// A client that takes longer than this is cut off.
const PATIENCE_NS: u64 = 2_000_000_000;

/// A listening port with the connections that are open.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    open: Vec<Connection>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    since_ns: u64,
    heard: Vec<u8>,
    /// What is answered, and how much of it has gone.
    answer: Option<(Vec<u8>, usize)>,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// The port is taken, or the address is none of this machine's.
    pub fn bind(at: SocketAddr) -> io::Result<Server> {
        let listener = TcpListener::bind(at)?;
        listener.set_nonblocking(true)?;
        Ok(Server { listener, open: Vec::new() })
    }

    /// Goes on with every connection as far as it goes without waiting. `answer` has none while a request is not whole.
    pub fn tend(&mut self, now_ns: u64, answer: impl Fn(&[u8]) -> Option<Vec<u8>>) {
        while self.open.len() < MOST
            && let Ok((stream, _)) = self.listener.accept()
        {
            if stream.set_nonblocking(true).is_ok() {
                self.open.push(Connection { stream, since_ns: now_ns, heard: Vec::new(), answer: None });
            }
        }
        self.open.retain_mut(|connection| {
            now_ns.saturating_sub(connection.since_ns) < PATIENCE_NS && connection.goes_on(&answer).unwrap_or(false)
        });
    }
}

impl Connection {
    /// False where it has come to its end.
    fn goes_on(&mut self, answer: impl Fn(&[u8]) -> Option<Vec<u8>>) -> io::Result<bool> {
        if self.answer.is_none() {
            let ended = self.hear()?;
            match answer(&self.heard) {
                Some(bytes) => self.answer = Some((bytes, 0)),
                None => return Ok(!ended),
            }
        }
        let Some((bytes, gone)) = &mut self.answer else { return Ok(true) };
        if *gone < bytes.len() {
            while *gone < bytes.len() {
                match self.stream.write(&bytes[*gone..]) {
                    Ok(0) => return Ok(false),
                    Ok(n) => *gone += n,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                    Err(error) => return Err(error),
                }
            }
            self.stream.shutdown(Shutdown::Write)?;
        }
        // Closed before the client has, it would take back what is still on its way.
        self.heard.clear();
        Ok(!self.hear()?)
    }

    /// Hears what has come, at most so much as a request may have; true where the client has closed.
    fn hear(&mut self) -> io::Result<bool> {
        let mut some = [0; 2048];
        while self.heard.len() < LONGEST {
            match self.stream.read(&mut some) {
                Ok(0) => return Ok(true),
                Ok(n) => self.heard.extend(&some[..n]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}
