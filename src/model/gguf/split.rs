//! Models in several files: `name-00001-of-00003.gguf` and so on, the way llama.cpp splits them.
//!
//! The first part holds the keys and is the one to give; every part has its own table of tensors. Only names are made
//! here; opening them is the reader's work.

use std::path::{Path, PathBuf};

/// Parts that a model may have; the largest that are published have about 30.
pub(super) const MAX_PARTS: u64 = 999;

/// What a split file's name says: its place, counted from 1, and the number of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub part: u64,
    pub count: u64,
}

/// What is before the number, and the place that the name says.
fn parse(path: &Path) -> Option<(String, Place)> {
    let name = path.file_name()?.to_str()?.strip_suffix(".gguf")?;
    let (rest, count) = name.rsplit_once("-of-")?;
    let (stem, part) = rest.rsplit_once('-')?;
    let number = |digits: &str| digits.parse::<u64>().ok().filter(|n| digits.len() == 5 && *n > 0);
    Some((stem.to_string(), Place { part: number(part)?, count: number(count)? }))
}

/// The path of another part of the same model; none if the name is not one of a split file.
pub(super) fn sibling(path: &Path, part: u64, count: u64) -> Option<PathBuf> {
    let (stem, _) = parse(path)?;
    Some(path.with_file_name(format!("{stem}-{part:05}-of-{count:05}.gguf")))
}

/// All the parts of a model whose first part is `path`, as far as they exist; `path` alone if its name says nothing.
pub(in super::super) fn parts(path: &Path) -> Vec<PathBuf> {
    let mut parts = vec![path.to_path_buf()];
    if let Some((_, Place { part: 1, count })) = parse(path) {
        let others = (2..=count.min(MAX_PARTS)).filter_map(|part| sibling(path, part, count));
        parts.extend(others.take_while(|path| path.is_file()));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parts() {
        let first = Path::new("/models/moon-q4-00001-of-00012.gguf");
        assert_eq!(parse(first), Some(("moon-q4".to_string(), Place { part: 1, count: 12 })));
        assert_eq!(sibling(first, 3, 12).unwrap(), Path::new("/models/moon-q4-00003-of-00012.gguf"));
        for other in
            ["moon.gguf", "moon-1-of-2.gguf", "moon-00001-of-00002.bin", "moon-00000-of-00002.gguf", "00001-of-2"]
        {
            assert_eq!(parse(Path::new(other)), None, "{other}");
        }
        assert_eq!(parts(Path::new("moon-00001-of-00002.gguf")).len(), 1);
    }
}
