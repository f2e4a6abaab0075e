//! Finds a patch by name or path: on disk first, then among those compiled in.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::PatchError;
use super::error::did_you_mean;

/// The patches inside the program: name and text.
pub const BUILT_IN: [(&str, &str); 5] = [
    ("first", include_str!("../../patches/first.toml")),
    ("waiting", include_str!("../../patches/waiting.toml")),
    ("snow", include_str!("../../patches/snow.toml")),
    ("boil", include_str!("../../patches/boil.toml")),
    ("loom", include_str!("../../patches/loom.toml")),
];

/// The text of a patch that is compiled in.
pub fn builtin(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
}

/// A patch's text and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How messages call it.
    pub file: String,
    pub text: String,
    /// The file to watch; none for a patch that is compiled in.
    pub path: Option<PathBuf>,
}

/// Finds a patch: a path, or a name that stands for `patches/NAME.toml` in the working folder or for a built-in one.
///
/// Fails where there is no such file or it cannot be read as text.
pub fn find(name_or_path: &str) -> Result<Found, PatchError> {
    find_under(Path::new(""), name_or_path)
}

/// The longest file that is taken for a patch, in bytes.
const LONGEST: u64 = 1 << 20;

/// At most one byte more than a patch may have, so that an endless file ends.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn find_under(folder: &Path, wanted: &str) -> Result<Found, PatchError> {
    let is_path = wanted.ends_with(".toml") || wanted.contains(['/', std::path::MAIN_SEPARATOR]);
    let path = if is_path { folder.join(wanted) } else { folder.join("patches").join(format!("{wanted}.toml")) };
    let file = path.display().to_string();
    let error = match read(&path) {
        Ok(bytes) if bytes.len() as u64 > LONGEST => {
            return Err(PatchError::whole(&file, "longer than a megabyte; is it a patch?".to_string()));
        }
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => return Ok(Found { file, text, path: Some(path) }),
            Err(e) => {
                let at = e.utf8_error().valid_up_to();
                return Err(PatchError::whole(&file, format!("not text: byte {at} is not UTF-8; is it a patch?")));
            }
        },
        Err(error) => error,
    };
    if error.kind() != io::ErrorKind::NotFound {
        return Err(PatchError::whole(&file, format!("cannot be read: {error}")));
    }
    if let (false, Some(text)) = (is_path, builtin(wanted)) {
        return Ok(Found { file: format!("{wanted} (built in)"), text: text.to_string(), path: None });
    }
    let names = BUILT_IN.map(|(name, _)| name);
    let near = did_you_mean(wanted.trim_end_matches(".toml"), names);
    let stop = if near.is_empty() { ";" } else { "" };
    Err(PatchError::whole(&file, format!("no such patch{near}{stop} built in: {}", names.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_on_disk_goes_before_the_built_in_one() {
        let folder = tempfile::tempdir().unwrap();
        let found = find_under(folder.path(), "first").unwrap();
        assert_eq!((found.path, found.text.as_str()), (None, builtin("first").unwrap()));
        std::fs::create_dir(folder.path().join("patches")).unwrap();
        std::fs::write(folder.path().join("patches/first.toml"), "mine").unwrap();
        let found = find_under(folder.path(), "first").unwrap();
        assert_eq!(found.text, "mine");
        assert!(found.path.unwrap().ends_with("patches/first.toml"));
        assert_eq!(find_under(folder.path(), "patches/first.toml").unwrap().text, "mine");
    }

    #[test]
    fn what_is_not_there_is_said_with_what_is() {
        let folder = tempfile::tempdir().unwrap();
        let error = find_under(folder.path(), "frist").unwrap_err().to_string();
        assert!(
            error.contains("did you mean \"first\"?") && error.ends_with("built in: first, waiting, snow, boil, loom"),
            "{error}"
        );
        let error = find_under(folder.path(), "no/such.toml").unwrap_err().to_string();
        assert!(error.ends_with("such.toml: no such patch; built in: first, waiting, snow, boil, loom"), "{error}");
        std::fs::write(folder.path().join("x.toml"), b"a = \"\xff\"").unwrap();
        let error = find_under(folder.path(), "x.toml").unwrap_err().to_string();
        assert!(error.contains("byte 5 is not UTF-8"), "{error}");
    }
}
