//! The banks of a recording: its folders are read again, and what is not as it was is told.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{Bank, Reader, Sample};
use crate::score::{Event, SampleFile, Stamped};

/// A bank for each [`Event::Samples`] of a recording, by the event's number.
#[derive(Clone, Debug, Default)]
pub struct Banks {
    by_seq: HashMap<u64, Bank>,
    /// Files that are missing or not as they were: which, where they were looked for, what to do.
    pub problems: Vec<String>,
}

impl Banks {
    /// Reads the sounds of a recording again at `rate_hz`. Each file is looked for where it was when it was played, then
    /// in a folder of the same name in `recording`. One that is missing or has changed is silence in its place.
    pub fn recall(events: &[Stamped], recording: &Path, rate_hz: u32) -> Banks {
        let mut banks = Banks::default();
        let mut read: Vec<((&str, &[SampleFile]), Bank)> = Vec::new();
        for stamped in events {
            let Event::Samples { folder, files } = &stamped.event else { continue };
            let key = (folder.as_str(), files.as_slice());
            let bank = match read.iter().find(|(other, _)| *other == key) {
                Some((_, bank)) => bank.clone(),
                None => banks.read(folder, files, recording, rate_hz),
            };
            read.push((key, bank.clone()));
            banks.by_seq.insert(stamped.seq, bank);
        }
        banks
    }

    /// The bank that event `seq` brought.
    pub fn of(&self, seq: u64) -> Option<&Bank> {
        self.by_seq.get(&seq)
    }

    /// Gives the bank of event `seq`, as [`Banks::recall`] would have found it.
    #[cfg(test)]
    pub fn insert(&mut self, seq: u64, bank: Bank) {
        self.by_seq.insert(seq, bank);
    }

    fn read(&mut self, folder: &str, files: &[SampleFile], recording: &Path, rate_hz: u32) -> Bank {
        let mut places = vec![PathBuf::from(folder)];
        places.extend(Path::new(folder).file_name().map(|name| recording.join(name)));
        let mut reader = Reader::new(rate_hz);
        let mut sample = |file: &SampleFile| {
            let mut changed = None;
            // A journal may come from elsewhere: a name leads nowhere but into its folder.
            let name = Path::new(&file.name).file_name().unwrap_or_default();
            for place in &places {
                match reader.open(&place.join(name)) {
                    Ok(source) if source.sha256 == file.sha256 => {
                        return reader.read(source).map(|read| read.sample).map_err(|e| e.to_string());
                    }
                    Ok(_) => changed = changed.or(Some(place)),
                    Err(_) => {}
                }
            }
            Err(match changed {
                Some(place) => {
                    format!("is not the same any more in {}; put back the one that was played", place.display())
                }
                None => format!(
                    "is not in {}; put it back, or into {}",
                    places[0].display(),
                    places[places.len() - 1].display()
                ),
            })
        };
        let samples = files.iter().map(|file| {
            sample(file).unwrap_or_else(|problem| {
                self.problems.push(format!("{}: {problem}; it is silent", file.name));
                Sample::new(Vec::new())
            })
        });
        Bank { samples: samples.collect() }
    }
}
