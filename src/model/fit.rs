//! Whether a model fits into this machine's memory: what it will need, and what is available.
//!
//! Asked before a model is loaded, by whoever loads it. Mapped weights could be dropped by the system and read again,
//! but every token needs all of them: a model that does not fit would read its whole file from the disk for each token.
//! So the weights count in full. Reads a few files below `/proc` and `/sys` and nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::decoder::Config;
use super::gguf::Gguf;
use super::{ModelError, Source, opaque};

/// What the program takes beside the model: code, sound, recording. Measured at 23 MiB with an embedded model of
/// 3 MiB of weights, in plain lines with sound and recording; a window takes its share from the graphics driver besides.
const PROGRAM_BYTES: u64 = 32 << 20;
/// What a token of the vocabulary takes in the tokenizer's tables, in the logits and in their copies. A SentencePiece
/// vocabulary of 128,256 tokens was measured at 54 MiB, 440 bytes a token.
const TOKEN_BYTES: u64 = 512;
/// Rows that are computed at once while a prompt is read, as the decoder does.
const ROWS: u64 = 32;

/// What a model needs of memory and what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// The model's file, for the error.
    pub file: String,
    pub needed: u64,
    /// `None` where this system does not tell.
    pub available: Option<u64>,
}

/// The parts of what a model needs, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// The weights as they stand in the file, and any second copy of them.
    pub weights: u64,
    /// Keys and values at the context that is used.
    pub cache: u64,
    /// Tokenizer, logits, rows in the making, the program itself.
    pub working: u64,
}

/// How a model is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Plays {
    /// By xiao's own decoder, with all that an instrument needs.
    Own,
    /// By a module of candle's, without rewinding or signals from inside.
    Opaque,
    Not,
}

impl Need {
    /// Of a model whose header was read, and how it is played. `context` as when it is loaded.
    ///
    /// # Errors
    /// It cannot be played: its architecture, a type of its tensors, or a header that does not hold together.
    pub(super) fn of(gguf: &Gguf, context: Option<usize>) -> Result<(Plays, Need), ModelError> {
        if let Some(tensor) = gguf.tensors.iter().find(|t| t.kind.candle().is_none()) {
            return Err(gguf.wrong_type(tensor));
        }
        if let Some(need) = opaque::need(gguf, context) {
            return Ok((Plays::Opaque, need?));
        }
        let config = Config::read(gguf, context)?;
        let weights = gguf.tensors.iter().map(|t| t.bytes()).fold(0, u64::saturating_add);
        let cache = config.cache_bytes(config.context);
        Ok((Plays::Own, Need::new(weights, cache, config.vocabulary, config.width, config.ffn)))
    }

    /// `ffn` is the width inside the feed-forward part, 0 where it is not known.
    pub fn new(weights: u64, cache: u64, vocabulary: usize, width: usize, ffn: usize) -> Need {
        let row = (8 * width as u64).saturating_add(3 * ffn as u64).saturating_mul(4);
        let working = PROGRAM_BYTES
            .saturating_add(TOKEN_BYTES.saturating_mul(vocabulary as u64))
            .saturating_add(ROWS.saturating_mul(row));
        Need { weights, cache, working }
    }

    pub fn total(&self) -> u64 {
        self.weights.saturating_add(self.cache).saturating_add(self.working)
    }
}

impl Fit {
    /// Reads a model's header and holds what it will need against what there is.
    ///
    /// # Errors
    /// As when it is loaded.
    pub fn read(source: &Source, context: Option<usize>) -> Result<Fit, ModelError> {
        let gguf = Gguf::read(source)?;
        Ok(Fit::new(gguf.file.clone(), Need::of(&gguf, context)?.1))
    }

    /// Holds a need against what this machine has at this moment.
    pub fn new(file: String, need: Need) -> Fit {
        Fit { file, needed: need.total(), available: available() }
    }

    /// `None` where this system does not tell what is available.
    pub fn fits(&self) -> Option<bool> {
        self.available.map(|available| self.needed <= available)
    }

    /// Refuses what does not fit, unless it is forced. What cannot be told is let through.
    ///
    /// # Errors
    /// It does not fit.
    pub fn check(&self, force: bool) -> Result<(), ModelError> {
        match self.available {
            Some(available) if !force && self.needed > available => Err(ModelError::DoesNotFit {
                file: self.file.clone(),
                needed: size(self.needed),
                available: size(available),
            }),
            _ => Ok(()),
        }
    }
}

/// Bytes for people: `3.2 GiB`, `870 MiB`.
pub fn size(bytes: u64) -> String {
    let mib = bytes as f64 / (1u64 << 20) as f64;
    match mib {
        m if m >= 1000.0 => format!("{:.1} GiB", m / 1024.0),
        m if m >= 10.0 => format!("{m:.0} MiB"),
        m => format!("{m:.1} MiB"),
    }
}

/// What a program could take now without swapping, a container's limit taken into account; `None` where the system does
/// not tell.
pub fn available() -> Option<u64> {
    available_below(Path::new("/"))
}

/// The same, with `root` in the place of `/`.
fn available_below(root: &Path) -> Option<u64> {
    let mut free = figure(&read(&root.join("proc/meminfo"))?, "MemAvailable:")?.checked_mul(1024)?;
    for line in read(&root.join("proc/self/cgroup")).unwrap_or_default().lines() {
        // `0::/path` in version 2, `9:memory:/path` in version 1.
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let version = match controllers {
            "" => &V2,
            list if list.split(',').any(|c| c == "memory") => &V1,
            _ => continue,
        };
        // A limit may stand at the group itself or at any that it is in. Inside a container the path may be the host's
        // and lead nowhere; the root, which is tried last, is the container's own then.
        let mut group = PathBuf::from(path.trim_start_matches('/'));
        loop {
            free = free.min(version.room(&root.join(version.base).join(&group)).unwrap_or(u64::MAX));
            if !group.pop() {
                break;
            }
        }
    }
    Some(free)
}

/// Where a version of control groups keeps its figures.
struct Groups {
    base: &'static str,
    limit: &'static str,
    used: &'static str,
    /// Pages of files, which the system drops when memory is wanted. They count as used, a model's own file among them.
    files: [&'static str; 2],
}

const V2: Groups = Groups {
    base: "sys/fs/cgroup",
    limit: "memory.max",
    used: "memory.current",
    files: ["inactive_file", "active_file"],
};
const V1: Groups = Groups {
    base: "sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    files: ["total_inactive_file", "total_active_file"],
};

impl Groups {
    /// What is left below a group's limit; `None` where it has none.
    fn room(&self, group: &Path) -> Option<u64> {
        let number = |name| read(&group.join(name))?.trim().parse::<u64>().ok();
        // Version 2 says `max` where there is no limit, which is no number.
        let limit = number(self.limit)?;
        let stat = read(&group.join("memory.stat")).unwrap_or_default();
        let files = self.files.iter().filter_map(|name| figure(&stat, name)).fold(0u64, u64::saturating_add);
        Some(limit.saturating_sub(number(self.used)?.saturating_sub(files)))
    }
}

/// The number that stands behind a word at the beginning of a line.
fn figure(text: &str, word: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some(word)).then(|| words.next()?.parse().ok())?
    })
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::super::Info;
    use super::*;

    const GIB: u64 = 1 << 30;

    /// A tree in the place of `/`, from (path, text).
    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:  16777216 kB\nMemAvailable:   8388608 kB\n");

    #[test]
    fn without_groups_the_system_alone_counts() {
        assert_eq!(available_below(machine(&[MEMINFO]).path()), Some(8 * GIB));
        assert_eq!(available_below(machine(&[]).path()), None, "no such file: another system");
        assert_eq!(available_below(machine(&[("proc/meminfo", "MemAvailable: many kB\n")]).path()), None);
    }

    #[test]
    fn the_tightest_of_the_groups_counts() {
        let mut files = vec![
            MEMINFO,
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("sys/fs/cgroup/a/b/memory.current", "5\n"),
            ("sys/fs/cgroup/a/memory.max", "4294967296\n"),
            ("sys/fs/cgroup/a/memory.current", "3221225472\n"),
        ];
        assert_eq!(available_below(machine(&files).path()), Some(GIB));
        // Half of what is used are pages of files, which can be had back.
        files.push((
            "sys/fs/cgroup/a/memory.stat",
            "anon 1610612736\ninactive_file 1073741824\nactive_file 536870912\n",
        ));
        assert_eq!(available_below(machine(&files).path()), Some(GIB * 5 / 2));
    }

    #[test]
    fn a_group_of_the_old_kind_whose_path_leads_nowhere() {
        let files = [
            MEMINFO,
            ("proc/self/cgroup", "3:cpu:/docker/x\n9:memory:/docker/x\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "2147483648\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "1073741824\n"),
            ("sys/fs/cgroup/memory/memory.stat", "total_active_file 0\n"),
        ];
        assert_eq!(available_below(machine(&files).path()), Some(GIB));
    }

    #[test]
    fn what_does_not_fit_is_refused_in_one_line_unless_forced() {
        let fit = Fit { file: "big.gguf".into(), needed: 5 * GIB, available: Some(4 * GIB) };
        let error = fit.check(false).unwrap_err().to_string();
        for word in ["big.gguf", "5.0 GiB", "4.0 GiB", "quantization", "--context", "--force"] {
            assert!(error.contains(word), "{word}: {error}");
        }
        assert!(!error.contains('\n'));
        fit.check(true).unwrap();
        Fit { available: None, ..fit.clone() }.check(false).unwrap();
        Fit { needed: 4 * GIB, ..fit }.check(false).unwrap();
    }

    #[test]
    fn a_need_is_never_less_than_its_parts() {
        let info = Info::read(&Source::Embedded).unwrap();
        let fit = Fit::read(&Source::Embedded, None).unwrap();
        assert!(fit.needed >= info.memory_bytes + PROGRAM_BYTES && fit.needed < 100 << 20, "{fit:?}");
        assert_eq!(Need::new(u64::MAX, u64::MAX, usize::MAX, 1, 1).total(), u64::MAX);
    }

    #[test]
    fn sizes_are_said_in_words() {
        assert_eq!([size(3 << 20), size(870 << 20), size(5 * GIB / 2)], ["3.0 MiB", "870 MiB", "2.5 GiB"]);
    }
}
