//! Where the card is written, and what it may overwrite: nothing but an older card of xiao's own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::{Card, page};
use crate::train::{TrainError, curve};

impl Card {
    /// Whether [`Card::write`] would find its place, to be asked before the card is measured.
    ///
    /// # Errors
    /// There is another file of that name, or no folder for it.
    pub fn may_write(&self, file: &Path, force: bool) -> Result<(), TrainError> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return Err(TrainError::text(file, "there is no such folder; make it first, or name another file with -o"));
        }
        if file.extension().is_some_and(|end| end == "gguf" || end == "svg") {
            return Err(TrainError::text(
                file,
                "a card is a text, not a model or a picture; name a file that ends in .md",
            ));
        }
        for target in [Some(file.to_path_buf()), self.picture(file)].iter().flatten() {
            if !force && !may_be_overwritten(target).map_err(|e| TrainError::reading(target, e))? {
                let problem = "it is there already and no card of xiao's; name another file with -o, or --force it";
                return Err(TrainError::text(target, problem));
            }
        }
        Ok(())
    }

    /// Writes the card to `file` and, where there is a record, the learning curve beside it as `.svg`; returns what was
    /// written. With `force` whatever is there is overwritten.
    ///
    /// # Errors
    /// As [`Card::may_write`], or it cannot be written.
    pub fn write(&self, file: &Path, force: bool) -> Result<Vec<PathBuf>, TrainError> {
        self.may_write(file, force)?;
        let picture = self.picture(file);
        let name = picture.as_ref().and_then(|path| path.file_name()).map(|name| name.to_string_lossy());
        put(file, &page::page(self, name.as_deref()))?;
        if let (Some(path), Some(record)) = (&picture, &self.record) {
            put(path, &curve::picture(record))?;
        }
        Ok(std::iter::once(file.to_path_buf()).chain(picture).collect())
    }

    /// Where the learning curve goes, if there is one.
    fn picture(&self, file: &Path) -> Option<PathBuf> {
        let record = self.record.as_ref()?;
        (!record.curve.is_empty()).then(|| file.with_extension("svg"))
    }
}

fn put(file: &Path, text: &str) -> Result<(), TrainError> {
    std::fs::write(file, text).map_err(|e| TrainError::writing(file, e))
}

/// Whether there is nothing, or something that xiao made.
fn may_be_overwritten(file: &Path) -> std::io::Result<bool> {
    let file = match File::open(file) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(true),
        Err(e) => return Err(e),
    };
    let mut first = Vec::new();
    BufReader::new(std::io::Read::take(file, 200)).read_until(b'\n', &mut first)?;
    let first = first.trim_ascii_end();
    Ok(first == page::MARK.as_bytes() || first == curve::MARK.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::example::record;
    use super::*;
    use crate::model::Source;

    #[test]
    fn only_cards_are_overwritten_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("voice.md");
        let mut card = Card::read(&Source::Embedded, "voice.gguf").unwrap();
        card.record = Some(record(5));
        let picture = folder.path().join("voice.svg");
        for _ in 0..2 {
            assert_eq!(card.write(&file, false).unwrap(), [file.clone(), picture.clone()]);
        }
        assert!(std::fs::read_to_string(&file).unwrap().contains("](voice.svg)"));
        std::fs::write(&picture, "<svg>mine</svg>").unwrap();
        std::fs::remove_file(&file).unwrap();
        let error = card.write(&file, false).unwrap_err().to_string();
        assert!(error.contains("voice.svg: it is there already") && error.contains("--force"), "{error}");
        assert!(!file.exists(), "nothing is written by halves");
        assert_eq!(std::fs::read_to_string(&picture).unwrap(), "<svg>mine</svg>");
        card.write(&file, true).unwrap();
        let nowhere = card.write(&folder.path().join("none/voice.md"), false).unwrap_err().to_string();
        assert!(nowhere.contains("voice.md: there is no such folder"), "{nowhere}");
        let picture = card.write(&picture, true).unwrap_err().to_string();
        assert!(picture.contains("ends in .md"), "{picture}");
        let folder_itself = card.write(folder.path(), true).unwrap_err().to_string();
        assert!(folder_itself.contains("cannot be written"), "{folder_itself}");
    }
}
