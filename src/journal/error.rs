//! What can go wrong with a performance's folder, each in one line with the place and what to do.

use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("{}: cannot be written: {source}; name another folder with --record, or play with --no-record", path.display())]
    CannotWrite { path: PathBuf, source: io::Error },
    #[error("{}: is not empty, and nothing is ever overwritten; name a new folder with --record", path.display())]
    Taken { path: PathBuf },
    /// The recording ended before the performance did.
    #[error("{}: the recording ends after {events} events: {source}", path.display())]
    Ended { path: PathBuf, events: u64, source: io::Error },
    #[error("{}: the recording ends after {events} events: the disk did not keep up and the queue was full", path.display())]
    Overflow { path: PathBuf, events: u64 },
    #[error("{}: no performance is here (no journal.jsonl); give a folder like performances/2026-11-23_21-30-05", path.display())]
    NotAPerformance { path: PathBuf },
    #[error("{}: cannot be read: {source}", path.display())]
    CannotRead { path: PathBuf, source: io::Error },
    #[error("{}: nothing was recorded: the header line is missing or half written", path.display())]
    Empty { path: PathBuf },
    #[error("{}: line 1 is not the header of a xiao journal: {why}", path.display())]
    NotAJournal { path: PathBuf, why: String },
    #[error("{}: journal format {found}, but this xiao reads up to {known}; play it with xiao {xiao} or later", path.display())]
    TooNew { path: PathBuf, found: u64, known: u32, xiao: String },
    #[error("{}:{line}: broken at byte {offset}: {why}; cut the file before this line to replay what comes before it", path.display())]
    Broken { path: PathBuf, line: u64, offset: u64, why: String },
}
