//! Which files the texts are: paths as they were given, folders opened. Reads folders, never a file.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{SourceReport, TrainError};

/// The files in the order in which they are read, each once.
pub(super) fn list(texts: &[PathBuf]) -> Result<Vec<PathBuf>, TrainError> {
    if texts.is_empty() {
        return Err(TrainError::Input("no text is given; name text files, or folders that hold some".to_string()));
    }
    let (mut files, mut seen) = (Vec::new(), HashSet::new());
    for path in texts {
        let about = fs::metadata(path).map_err(|e| TrainError::reading(path, e))?;
        if about.is_dir() {
            if seen.contains(&real(path)?) {
                continue;
            }
            if below(path, &mut files, &mut seen)? == 0 {
                return Err(TrainError::text(
                    path,
                    "no .txt file is in this folder; a file of another kind must be named",
                ));
            }
        } else if !about.is_file() {
            // Reading a pipe would wait for its other end.
            return Err(TrainError::text(path, "it is not a file; save the text to one first"));
        } else if seen.insert(real(path)?) {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// Every `.txt` file below a folder, in the order of names. What is hidden is passed over, and so is what was there
/// before: a link back to a folder above leads nowhere. Gives how many there are, those that were there before too.
fn below(folder: &Path, files: &mut Vec<PathBuf>, seen: &mut HashSet<PathBuf>) -> Result<usize, TrainError> {
    let mut found = 0;
    if !seen.insert(real(folder)?) {
        return Ok(found);
    }
    let reading = |e| TrainError::reading(folder, e);
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(reading)? {
        entries.push(entry.map_err(reading)?.path());
    }
    entries.sort();
    for path in entries {
        if path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b".")) {
            continue;
        }
        // A link that leads nowhere is no text.
        let Ok(about) = fs::metadata(&path) else { continue };
        let is_text = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("txt"));
        if about.is_dir() {
            found += below(&path, files, seen)?;
        } else if about.is_file() && is_text {
            found += 1;
            if seen.insert(real(&path)?) {
                files.push(path);
            }
        }
    }
    Ok(found)
}

fn real(path: &Path) -> Result<PathBuf, TrainError> {
    path.canonicalize().map_err(|e| TrainError::reading(path, e))
}

/// What is told of each file, with its weight.
pub(super) fn sources(files: &[PathBuf], weights: &[(String, f32)]) -> Result<Vec<SourceReport>, TrainError> {
    let name = |file: &PathBuf| file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    let report = |file| SourceReport { name: name(file), bytes: 0, pieces: 0, weight: 1.0 };
    let mut sources: Vec<SourceReport> = files.iter().map(report).collect();
    for (name, weight) in weights {
        if !(*weight > 0.0 && *weight <= 100.0) {
            return Err(TrainError::Input(format!(
                "the weight of {name} is {weight}; choose one above 0, at most 100"
            )));
        }
        let by_path = |i: &usize| files[*i].to_string_lossy() == *name;
        let mut named: Vec<usize> = (0..files.len()).filter(by_path).collect();
        if named.is_empty() {
            named = (0..files.len()).filter(|i| sources[*i].name == *name).collect();
        }
        if named.len() > 1 {
            let paths: Vec<String> = named.iter().map(|i| files[*i].display().to_string()).collect();
            let paths = paths.join(" and ");
            let problem = format!("a weight is given for {name}, which {paths} are called; give the path instead");
            return Err(TrainError::Input(problem));
        }
        if named.is_empty() {
            let mut names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
            names.dedup();
            let more = if names.len() > 12 { format!(" and {} more", names.len() - 12) } else { String::new() };
            let names = names[..names.len().min(12)].join(", ");
            return Err(TrainError::Input(format!("a weight is given for {name}; the texts are {names}{more}")));
        }
        named.iter().for_each(|i| sources[*i].weight = *weight);
    }
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_opened_in_order_and_loops_end() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("inner")).unwrap();
        fs::create_dir(at(".git")).unwrap();
        for name in ["b.txt", "a.TXT", "SOURCES.md", ".hidden.txt", "inner/c.txt", ".git/d.txt", "verse"] {
            fs::write(at(name), "moon").unwrap();
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.path(), at("inner/loop")).unwrap();
            std::os::unix::fs::symlink(at("nowhere"), at("nowhere.txt")).unwrap();
        }
        let names = |texts: &[PathBuf]| -> Vec<String> {
            sources(&list(texts).unwrap(), &[]).unwrap().into_iter().map(|source| source.name).collect()
        };
        assert_eq!(names(&[folder.path().into()]), ["a.TXT", "b.txt", "c.txt"]);
        assert_eq!(names(&[at("b.txt"), at("verse"), folder.path().into()]), ["b.txt", "verse", "a.TXT", "c.txt"]);
        fs::create_dir(at("empty")).unwrap();
        for (texts, word) in [(vec![], "no text is given"), (vec![at("none.txt")], "none.txt: cannot be read")] {
            let error = list(&texts).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
        let error = list(&[at("empty")]).unwrap_err().to_string();
        assert!(error.contains("no .txt file"), "{error}");
    }

    #[test]
    fn a_weight_must_name_a_file() {
        let files = [PathBuf::from("x/zh.txt"), PathBuf::from("x/en.txt")];
        let weigh = |name: &str, weight| sources(&files, &[(name.to_string(), weight)]);
        let weights: Vec<f32> = weigh("en.txt", 0.3).unwrap().iter().map(|source| source.weight).collect();
        assert_eq!(weights, [1.0, 0.3]);
        let error = weigh("epic.txt", 0.3).unwrap_err().to_string();
        assert!(error.contains("zh.txt, en.txt"), "{error}");
        for wrong in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert!(weigh("en.txt", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn two_files_of_one_name_are_weighted_by_their_paths() {
        let files = [PathBuf::from("a/x.txt"), PathBuf::from("b/x.txt")];
        let sources = |name: &str| sources(&files, &[(name.to_string(), 0.5)]);
        let weights: Vec<f32> = sources("b/x.txt").unwrap().iter().map(|source| source.weight).collect();
        assert_eq!(weights, [1.0, 0.5]);
        let error = sources("x.txt").unwrap_err().to_string();
        assert!(error.contains("a/x.txt and b/x.txt") && error.contains("give the path"), "{error}");
    }
}
