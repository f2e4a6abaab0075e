//! Writes the journal, on the thread `xiao-journal`.
//!
//! It takes events from a queue of its own and waits for the disk so that no other thread has to. An error, or a
//! queue that was full, ends the recording and nothing else, and is said as a fault event.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Zoned;
use serde::{Deserialize, Serialize};

use super::{Folder, JOURNAL, JournalError};
use crate::score::{Bus, Event, Queue, Received, Stamped};

/// The journal's format. It grows when a reader of the old one could not read the new one.
pub const VERSION: u32 = 1;

/// Buffered lines go to the system this often: what a `kill -9` may cost.
const FLUSH: Duration = Duration::from_millis(250);
/// And to the disk this often: what a power cut may cost. A sync may take tens of milliseconds.
const SYNC: Duration = Duration::from_secs(1);

/// The journal's first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The format; see [`VERSION`].
    pub xiao_journal: u32,
    /// The version of xiao that wrote it.
    pub xiao: String,
    /// When it began, with the time zone (RFC 9557): `2026-11-23T21:30:05.12+01:00[Europe/Berlin]`.
    pub started: String,
    /// The machine in one line: system, processor, cores, memory. Not its name.
    #[serde(default)]
    pub machine: String,
    /// The patch's file as the performer named it.
    #[serde(default)]
    pub patch: String,
}

impl Header {
    /// The header of a performance that begins at `started`.
    pub fn new(started: &Zoned, machine: &str, patch: &str) -> Header {
        Header {
            xiao_journal: VERSION,
            xiao: env!("CARGO_PKG_VERSION").to_string(),
            started: started.to_string(),
            machine: machine.to_string(),
            patch: patch.to_string(),
        }
    }
}

/// What was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The performance's folder.
    pub path: PathBuf,
    pub events: u64,
    /// Length of the journal.
    pub bytes: u64,
}

/// A running recording.
#[derive(Debug)]
pub struct Recorder(JoinHandle<Result<Summary, JournalError>>);

impl Recorder {
    /// Writes the header at once and then whatever comes through `events` (to be subscribed with
    /// [`crate::score::Policy::Whole`]), until that queue is closed and empty. Faults are emitted on `bus`.
    pub fn spawn(folder: &Folder, header: &Header, events: Queue, bus: Bus) -> Result<Recorder, JournalError> {
        let path = folder.path().to_path_buf();
        let file = folder.new_file(JOURNAL)?;
        let cannot = |source| JournalError::CannotWrite { path: path.join(JOURNAL), source };
        let mut journal = Journal::new(file);
        journal.line(header).and_then(|()| journal.flush()).map_err(cannot)?;
        let of = path.clone();
        std::thread::Builder::new()
            .name("xiao-journal".into())
            .spawn(move || run(of, journal, &events, &bus))
            .map(Recorder)
            .map_err(cannot)
    }

    /// Waits until the queue is closed and all of it is on the disk. Fails if the recording ended before.
    pub fn join(self) -> Result<Summary, JournalError> {
        self.0.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn run(path: PathBuf, mut journal: Journal, events: &Queue, bus: &Bus) -> Result<Summary, JournalError> {
    let ended = journal.follow(events);
    let error = match ended {
        Ok(()) if events.dropped() == 0 => {
            return Ok(Summary { path, events: journal.events, bytes: journal.bytes });
        }
        Ok(()) => JournalError::Overflow { path: path.join(JOURNAL), events: journal.events },
        Err(source) => JournalError::Ended { path: path.join(JOURNAL), events: journal.events, source },
    };
    // Closed before the fault is emitted, so that it does not fill a queue that nobody empties.
    events.close();
    events.drain(&mut Vec::new());
    let remedy = "the show goes on without a recording; give the next one a disk with room, by --record";
    bus.emit(Event::Fault { place: "journal".into(), what: error.to_string(), remedy: remedy.into() });
    Err(error)
}

/// The open file with what was counted.
#[derive(Debug)]
struct Journal {
    out: BufWriter<File>,
    line: Vec<u8>,
    events: u64,
    bytes: u64,
}

impl Journal {
    fn new(file: File) -> Journal {
        Journal { out: BufWriter::with_capacity(64 * 1024, file), line: Vec::new(), events: 0, bytes: 0 }
    }

    /// Writes events until the queue is closed and empty; all of it is on the disk at the end.
    fn follow(&mut self, events: &Queue) -> io::Result<()> {
        let (mut flushed, mut synced) = (Instant::now(), Instant::now());
        loop {
            let closed = match events.receive(FLUSH.saturating_sub(flushed.elapsed())) {
                Received::Event(event) => {
                    self.line(&finite(&event))?;
                    self.events += 1;
                    false
                }
                Received::Nothing => false,
                Received::Closed => true,
            };
            if closed || flushed.elapsed() >= FLUSH {
                self.flush()?;
                flushed = Instant::now();
            }
            if closed || synced.elapsed() >= SYNC {
                self.sync()?;
                synced = Instant::now();
            }
            if closed {
                return Ok(());
            }
        }
    }

    fn line(&mut self, of: &impl Serialize) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, of)?;
        self.line.push(b'\n');
        self.bytes += self.line.len() as u64;
        self.out.write_all(&self.line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn sync(&self) -> io::Result<()> {
        match self.out.get_ref().sync_data() {
            // Some file systems cannot sync; their word is still written.
            Err(e) if matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
            other => other,
        }
    }
}

/// The event with every number finite: JSON has no NaN and no infinity, and a `null` in their place would break the
/// line for its reader.
fn finite(event: &Stamped) -> Cow<'_, Stamped> {
    let mut numbers_are_finite = true;
    let mut look = |x: &f32| numbers_are_finite &= x.is_finite();
    match &event.event {
        Event::Token(t) => {
            [t.latency_ms, t.p, t.surprise_bits, t.entropy_bits, t.context_fill].iter().for_each(&mut look);
            t.top.iter().for_each(|c| look(&c.p));
        }
        Event::Param { value, .. } => look(value),
        Event::Machine(sample) => {
            sample.values.iter().for_each(|(_, value)| look(value));
            sample.cores.iter().for_each(&mut look);
        }
        _ => {}
    }
    if numbers_are_finite {
        return Cow::Borrowed(event);
    }
    let mut event = event.clone();
    let mend = |x: &mut f32| *x = if x.is_nan() { 0.0 } else { x.clamp(f32::MIN, f32::MAX) };
    match &mut event.event {
        Event::Token(t) => {
            let of_token =
                [&mut t.latency_ms, &mut t.p, &mut t.surprise_bits, &mut t.entropy_bits, &mut t.context_fill];
            of_token.into_iter().for_each(mend);
            t.top.iter_mut().for_each(|c| mend(&mut c.p));
        }
        Event::Param { value, .. } => mend(value),
        // Absent is not zero: a reading that is no number is left out.
        Event::Machine(sample) => {
            sample.values.retain(|(_, value)| value.is_finite());
            sample.cores.iter_mut().for_each(mend);
        }
        _ => {}
    }
    Cow::Owned(event)
}

#[cfg(test)]
mod tests {
    use super::super::{read, tests::token};
    use super::*;
    use crate::score::{Clock, MachineSample, Policy, SignalId};

    fn header() -> Header {
        Header::new(&"2026-11-23T21:30:05+01:00[Europe/Berlin]".parse().unwrap(), "a machine", "first")
    }

    fn folder(home: &tempfile::TempDir) -> Folder {
        Folder::create(Some(&home.path().join("show")), &Zoned::now()).unwrap()
    }

    #[test]
    fn what_was_emitted_is_what_is_read() {
        let home = tempfile::tempdir().unwrap();
        let folder = folder(&home);
        folder.write_patch("title = \"x\"").unwrap();
        let bus = Bus::new(Clock::at_rest());
        let (queue, seen) = (bus.subscribe("journal", Policy::Whole, 100), bus.subscribe("seen", Policy::Whole, 100));
        let recorder = Recorder::spawn(&folder, &header(), queue, bus.clone()).unwrap();
        for i in 0..20 {
            bus.clock().advance_to(i * 7_000_001);
            bus.emit(token(i as u32, "春\n\"x\""));
        }
        bus.emit(Event::End { reason: "q".into() });
        bus.close();
        let summary = recorder.join().unwrap();
        let mut wanted = Vec::new();
        seen.drain(&mut wanted);
        let recording = read(folder.path()).unwrap();
        assert_eq!(recording.events, wanted.iter().map(|e| (**e).clone()).collect::<Vec<_>>());
        assert_eq!((recording.header, recording.truncated, summary.events), (header(), None, 21));
        assert_eq!(recording.patch.as_deref(), Some("title = \"x\""));
        let length = std::fs::metadata(folder.path().join(JOURNAL)).unwrap().len();
        assert_eq!((summary.path.as_path(), summary.bytes), (folder.path(), length));
        let again = bus.subscribe("journal", Policy::Whole, 100);
        assert!(matches!(Recorder::spawn(&folder, &header(), again, bus), Err(JournalError::CannotWrite { .. })));
    }

    #[test]
    fn a_full_queue_ends_the_recording_and_says_so() {
        let home = tempfile::tempdir().unwrap();
        let folder = folder(&home);
        let bus = Bus::new(Clock::at_rest());
        let (queue, seen) = (bus.subscribe("journal", Policy::Whole, 2), bus.subscribe("seen", Policy::Whole, 100));
        for i in 0..5 {
            bus.emit(token(i, "x"));
        }
        let recorder = Recorder::spawn(&folder, &header(), queue, bus.clone()).unwrap();
        let error = recorder.join().unwrap_err();
        assert!(matches!(error, JournalError::Overflow { events: 2, .. }), "{error}");
        let mut events = Vec::new();
        seen.drain(&mut events);
        assert!(matches!(&events.last().unwrap().event, Event::Fault { place, .. } if place == "journal"));
        assert_eq!(read(folder.path()).unwrap().events.len(), 2);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_ends_the_recording_and_says_so() {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let bus = Bus::new(Clock::at_rest());
        let (queue, seen) = (bus.subscribe("journal", Policy::Whole, 9), bus.subscribe("seen", Policy::Whole, 9));
        bus.emit(token(0, "x"));
        let error = run("show".into(), Journal::new(full), &queue, &bus).unwrap_err().to_string();
        assert!(error.starts_with("show/journal.jsonl: the recording ends") && error.contains("No space left"));
        assert!(queue.is_closed(), "nothing more is taken");
        let mut events = Vec::new();
        seen.drain(&mut events);
        assert!(matches!(&events[1].event, Event::Fault { what, .. } if *what == error));
    }

    #[test]
    fn numbers_that_json_lacks_do_not_break_a_line() {
        let Event::Token(mut t) = token(0, "x") else { unreachable!() };
        t.surprise_bits = f32::INFINITY;
        t.top[0].p = f32::NAN;
        let sample =
            MachineSample { values: vec![(SignalId::Fan, f32::NAN), (SignalId::Cpu, 0.5)], ..Default::default() };
        for event in [Event::Token(t), Event::Machine(sample)] {
            let stamped = Stamped { seq: 0, t_ns: 0, event };
            let mended = finite(&stamped).into_owned();
            let line = serde_json::to_string(&mended).unwrap();
            assert_eq!(serde_json::from_str::<Stamped>(&line).unwrap(), mended);
            match mended.event {
                Event::Token(t) => assert_eq!((t.surprise_bits, t.top[0].p), (f32::MAX, 0.0)),
                Event::Machine(sample) => assert_eq!(sample.values, [(SignalId::Cpu, 0.5)]),
                _ => unreachable!(),
            }
        }
    }
}
