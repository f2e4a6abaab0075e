//! Finding shaders by name and watching their files.
//!
//! A name with an ending means that file; one without means NAME.wgsl, .fs, .isf or .frag in each folder in turn, and
//! then one inside the program. Touches files, so it belongs to the hands thread or the session; it compiles nothing.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Shaders inside the program.
const BUILTIN: [(&str, &str); 2] =
    [("field", include_str!("../../../shaders/field.wgsl")), ("ink", include_str!("../../../shaders/ink.wgsl"))];

/// What files of shaders end in, in the order in which a name without an ending tries them in each folder.
pub const ENDINGS: [&str; 4] = ["wgsl", "fs", "isf", "frag"];

/// The shader of a patch that names none.
pub const DEFAULT: &str = "field";

/// A shader's source.
#[derive(Clone, Debug, PartialEq)]
pub struct Shader {
    pub name: String,
    pub text: String,
    /// The file it was read from; `None` for one inside the program.
    pub path: Option<PathBuf>,
}

/// Why there is no such shader.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    #[error(
        "there is no shader {name:?}{nearest}; shaders are NAME.wgsl or, as ISF, NAME.fs, .isf or .frag in {folders}, or one of: {known}"
    )]
    Unknown { name: String, nearest: String, folders: String, known: String },
    #[error("cannot read {path}: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
}

/// The text of a shader inside the program.
pub fn builtin(name: &str) -> Option<&'static str> {
    BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Finds a shader by its name, with or without its ending: a file in one of the folders comes before one inside the
/// program, an earlier folder before a later.
pub fn find(name: &str, folders: &[PathBuf]) -> Result<Shader, FindError> {
    let name = plain(name);
    if let Some(path) = file(name, folders) {
        return read(name, path);
    }
    if let Some(text) = builtin(name) {
        return Ok(Shader { name: name.to_string(), text: text.to_string(), path: None });
    }
    let known = known(folders);
    let stem = name.rsplit_once('.').filter(|(_, ending)| ENDINGS.contains(ending)).map_or(name, |(stem, _)| stem);
    let nearest = known
        .iter()
        .map(|k| (strsim::damerau_levenshtein(k, stem), k))
        .filter(|(distance, k)| *distance <= 2.max(k.len() / 3))
        .min();
    Err(FindError::Unknown {
        name: name.to_string(),
        nearest: nearest.map_or(String::new(), |(_, k)| format!(", did you mean {k:?}?")),
        folders: folders.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", "),
        known: known.join(", "),
    })
}

/// All names that [`find`] would find, in alphabetical order.
pub fn known(folders: &[PathBuf]) -> Vec<String> {
    let on_disk = folders.iter().filter_map(|f| std::fs::read_dir(f).ok()).flatten().filter_map(|entry| {
        let path = entry.ok()?.path();
        let ending = path.extension()?.to_str()?;
        ENDINGS.contains(&ending).then(|| path.file_stem().map(|s| s.to_string_lossy().into_owned()))?
    });
    let mut names: Vec<String> = BUILTIN.iter().map(|(name, _)| name.to_string()).chain(on_disk).collect();
    names.sort();
    names.dedup();
    names
}

/// The name as it is shown: `.wgsl` says nothing new, the endings of ISF do.
fn plain(name: &str) -> &str {
    name.strip_suffix(".wgsl").unwrap_or(name)
}

fn file(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    // A name with a path in it is not a name.
    if Path::new(name).file_name()?.to_str() != Some(name) {
        return None;
    }
    let ended = name.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending));
    let files: Vec<String> = match ended {
        true => vec![name.to_string()],
        false => ENDINGS.iter().map(|ending| format!("{name}.{ending}")).collect(),
    };
    folders.iter().flat_map(|folder| files.iter().map(|file| folder.join(file))).find(|path| path.is_file())
}

fn read(name: &str, path: PathBuf) -> Result<Shader, FindError> {
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Shader { name: name.to_string(), text, path: Some(path) }),
        Err(source) => Err(FindError::Unreadable { path, source }),
    }
}

/// Looks whether a shader's file has changed since the last look; also when a file appears that comes before the one
/// in use. The hands look every 100 ms, so what was saved is on the stage within 200.
#[derive(Debug)]
pub struct Watch {
    name: String,
    folders: Vec<PathBuf>,
    seen: Option<(PathBuf, SystemTime, u64)>,
}

impl Watch {
    /// Watches the shader from how its file stands now.
    pub fn new(name: &str, folders: &[PathBuf]) -> Watch {
        let mut watch = Watch { name: plain(name).to_string(), folders: folders.to_vec(), seen: None };
        watch.seen = watch.look();
        watch
    }

    /// The name that is watched, without its ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The shader's new text if its file changed since the last call. A file that went away changes nothing: what was
    /// read of it runs on. Costs at most one `stat` per folder and ending.
    pub fn changed(&mut self) -> Option<Result<Shader, FindError>> {
        let now = self.look()?;
        if self.seen.as_ref() == Some(&now) {
            return None;
        }
        let path = now.0.clone();
        self.seen = Some(now);
        Some(read(&self.name, path))
    }

    fn look(&self) -> Option<(PathBuf, SystemTime, u64)> {
        let path = file(&self.name, &self.folders)?;
        let meta = path.metadata().ok()?;
        Some((path, meta.modified().ok()?, meta.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_before_the_builtin_one() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().to_path_buf()];
        assert_eq!(find("field.wgsl", &folders).unwrap().path, None);
        std::fs::write(folder.path().join("field.wgsl"), "mine").unwrap();
        let found = find("field", &folders).unwrap();
        assert_eq!((found.text.as_str(), found.path.is_some()), ("mine", true));
    }

    #[test]
    fn a_misspelt_name_gets_the_nearest() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("bamboo.wgsl"), "").unwrap();
        let error = |name| find(name, &[folder.path().to_path_buf()]).unwrap_err().to_string();
        assert!(error("feild").contains("did you mean \"field\"?"), "{}", error("feild"));
        assert!(error("bambo").contains("did you mean \"bamboo\"?"));
        assert!(!error("quite-different").contains("did you mean"));
        assert!(error("../secret").contains("there is no shader"));
    }

    #[test]
    fn both_kinds_are_found_with_and_without_their_endings() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folders = [first.path().to_path_buf(), second.path().to_path_buf()];
        std::fs::write(first.path().join("lotus.fs"), "isf").unwrap();
        std::fs::write(second.path().join("lotus.wgsl"), "wgsl").unwrap();
        std::fs::write(second.path().join("reed.frag"), "frag").unwrap();
        std::fs::write(second.path().join("notes.txt"), "").unwrap();
        let text = |name: &str| find(name, &folders).unwrap().text;
        assert_eq!(text("lotus"), "isf");
        assert_eq!(text("reed"), "frag");
        assert_eq!((text("lotus.fs"), find("lotus.fs", &folders).unwrap().name), ("isf".into(), "lotus.fs".into()));
        std::fs::write(first.path().join("lotus.wgsl"), "nearer").unwrap();
        assert_eq!((text("lotus"), text("lotus.fs")), ("nearer".into(), "isf".into()));
        assert!(find("reed.isf", &folders).unwrap_err().to_string().contains("did you mean \"reed\"?"));
        assert_eq!(known(&folders), ["field", "ink", "lotus", "reed"]);

        let mut watch = Watch::new("lotus.fs", &folders);
        std::fs::write(first.path().join("lotus.fs"), "isf, again").unwrap();
        assert_eq!(watch.changed().unwrap().unwrap().text, "isf, again");
    }

    #[test]
    fn a_watch_sees_changes_and_files_that_appear() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("field.wgsl");
        let mut watch = Watch::new("field", &[folder.path().to_path_buf()]);
        assert!(watch.changed().is_none());
        std::fs::write(&path, "one").unwrap();
        assert_eq!(watch.changed().unwrap().unwrap().text, "one");
        assert!(watch.changed().is_none());
        std::fs::write(&path, "longer").unwrap();
        assert_eq!(watch.changed().unwrap().unwrap().text, "longer");
        std::fs::remove_file(&path).unwrap();
        assert!(watch.changed().is_none());
    }
}
