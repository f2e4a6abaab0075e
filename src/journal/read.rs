//! Reads a journal, line by line, so that a replay of hours need not hold them in memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::record::{Header, VERSION};
use super::{JOURNAL, JournalError, PATCH};
use crate::score::{Event, Stamped};

/// No performance is longer than a year: a later time is damage, and a rendering would never end.
const LONGEST_NS: u64 = 366 * 24 * 3600 * 1_000_000_000;

/// Frames of a year at the highest rate.
const LAST_FRAME: u64 = LONGEST_NS / 1_000_000_000 * 384_000;

/// Whether a rendering of it would never end, or its number leaves none for those that follow.
fn broken(stamped: &Stamped) -> bool {
    let late = matches!(stamped.event, Event::Heard { frame, .. } if frame > LAST_FRAME);
    late || stamped.seq > u64::MAX / 2
}

/// No line is longer than this; the longest by far hold a patch or a shader.
const LONGEST_LINE: u64 = 16 << 20;

/// An open journal: its header, and its events as an iterator.
///
/// The iterator ends at the end of the journal or after the first error. A half-written last line, as a `kill -9` or
/// a power cut leaves it, is no error: [`Reader::truncated`] tells of it.
#[derive(Debug)]
pub struct Reader {
    /// The journal's file.
    path: PathBuf,
    header: Header,
    input: BufReader<File>,
    line: Vec<u8>,
    /// The number, from 1, and the place of the line that comes next.
    next_line: u64,
    offset: u64,
    ended: bool,
    truncated: Option<String>,
    done: bool,
}

impl Reader {
    /// Opens the journal in a performance's folder (or the journal file itself) and reads its header.
    pub fn open(dir: &Path) -> Result<Reader, JournalError> {
        let path = if dir.is_file() { dir.to_path_buf() } else { dir.join(JOURNAL) };
        let file = File::open(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => JournalError::NotAPerformance { path: dir.to_path_buf() },
            _ => JournalError::CannotRead { path: path.clone(), source },
        })?;
        let mut input = BufReader::with_capacity(64 * 1024, file);
        let mut line = Vec::new();
        let read = (&mut input).take(64 * 1024).read_until(b'\n', &mut line);
        read.map_err(|source| JournalError::CannotRead { path: path.clone(), source })?;
        let header = header(&path, &line)?;
        let offset = line.len() as u64;
        Ok(Reader { path, header, input, line, next_line: 2, offset, ended: false, truncated: None, done: false })
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Why the journal does not reach the performance's end, once all of it was read; none if it does.
    pub fn truncated(&self) -> Option<&str> {
        self.truncated.as_deref()
    }

    fn next_event(&mut self) -> Result<Option<Stamped>, JournalError> {
        let cannot = |source| JournalError::CannotRead { path: self.path.clone(), source };
        self.line.clear();
        (&mut self.input).take(LONGEST_LINE).read_until(b'\n', &mut self.line).map_err(cannot)?;
        if self.line.is_empty() {
            if !self.ended {
                self.truncated = Some(format!(
                    "the journal has no end: the performance was cut off after line {}",
                    self.next_line - 1
                ));
            }
            return Ok(None);
        }
        let (line, offset) = (self.next_line, self.offset);
        self.next_line += 1;
        self.offset += self.line.len() as u64;
        match serde_json::from_slice::<Stamped>(&self.line) {
            Ok(stamped) if stamped.t_ns > LONGEST_NS => {
                let why = format!("t_ns {} is more than a year after the beginning", stamped.t_ns);
                Err(JournalError::Broken { path: self.path.clone(), line, offset, why })
            }
            Ok(stamped) if broken(&stamped) => {
                let why = "a number in it is beyond any performance".to_string();
                Err(JournalError::Broken { path: self.path.clone(), line, offset, why })
            }
            Ok(stamped) => {
                self.ended |= matches!(stamped.event, Event::End { .. });
                Ok(Some(stamped))
            }
            Err(error) => {
                if self.input.fill_buf().map_err(cannot)?.is_empty() {
                    self.truncated =
                        Some(format!("the last line ({line}, from byte {offset}) is half written and was left out"));
                    return Ok(None);
                }
                // Without the error's own "at line 1 column 80", which counts within this line.
                let at = offset + error.column().saturating_sub(1) as u64;
                let why = error.to_string();
                let why = why.split(" at line ").next().unwrap_or_default().to_string();
                Err(JournalError::Broken { path: self.path.clone(), line, offset: at, why })
            }
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Stamped, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.next_event().transpose();
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}

fn header(path: &Path, line: &[u8]) -> Result<Header, JournalError> {
    let path = path.to_path_buf();
    let not = |why: &str| JournalError::NotAJournal { path: path.clone(), why: why.to_string() };
    // Only a whole line ends in a newline; half a header is an empty recording if it may have been one.
    if !line.ends_with(b"\n") {
        let empty = line.is_empty() || line.starts_with(b"{");
        return Err(if empty { JournalError::Empty { path } } else { not("it is no JSON object") });
    }
    let value: serde_json::Value = serde_json::from_slice(line).map_err(|e| not(&e.to_string()))?;
    let Some(found) = value.get("xiao_journal").and_then(|v| v.as_u64()) else {
        return Err(not("it has no \"xiao_journal\""));
    };
    if found > u64::from(VERSION) {
        let xiao = value.get("xiao").and_then(|v| v.as_str()).unwrap_or("of that time").to_string();
        return Err(JournalError::TooNew { path, found, known: VERSION, xiao });
    }
    serde_json::from_value(value).map_err(|e| not(&e.to_string()))
}

/// A journal in memory: about 1 kB a token.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    pub header: Header,
    pub events: Vec<Stamped>,
    /// The patch the performance began with, where the folder holds it.
    pub patch: Option<String>,
    /// Why the journal does not reach the performance's end; none if it does.
    pub truncated: Option<String>,
}

/// Reads a performance's folder (or its journal file) whole.
pub fn read(dir: &Path) -> Result<Recording, JournalError> {
    let mut reader = Reader::open(dir)?;
    let events = reader.by_ref().collect::<Result<_, _>>()?;
    let patch = std::fs::read_to_string(reader.path.with_file_name(PATCH)).ok();
    Ok(Recording { header: reader.header, events, patch, truncated: reader.truncated })
}
