//! Where people keep model files, and which files lie there. Looks at names and folders only; opens Ollama's manifests,
//! and no model.
//!
//! Every walk is bounded in depth and in number. What cannot be read is passed over: it is not ours to complain about.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::ollama;

/// Files and folders looked at in one place.
const MOST_ENTRIES: usize = 20_000;
/// Model files taken from all places together.
const MOST_FILES: usize = 2_000;

/// Variables of the environment that move a place.
const VARIABLES: [&str; 6] =
    ["OLLAMA_MODELS", "LLAMA_CACHE", "HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"];

/// What the places are reckoned from.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The working folder; empty is the process's own, so that paths stay short.
    pub working: PathBuf,
    pub home: Option<PathBuf>,
    /// Where Ollama keeps its models when it runs as a service.
    pub service: Option<PathBuf>,
    pub variables: HashMap<&'static str, OsString>,
}

impl Surroundings {
    /// Those of this process.
    pub fn here() -> Surroundings {
        let said = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(|value| (name, value));
        Surroundings {
            working: PathBuf::new(),
            home: std::env::home_dir().filter(|home| !home.as_os_str().is_empty()),
            service: cfg!(target_os = "linux").then(|| PathBuf::from("/usr/share/ollama/.ollama/models")),
            variables: VARIABLES.into_iter().filter_map(said).collect(),
        }
    }

    fn variable(&self, name: &str) -> Option<PathBuf> {
        self.variables.get(name).map(PathBuf::from)
    }

    /// The user's folder for caches.
    fn cache(&self) -> Option<PathBuf> {
        self.variable("XDG_CACHE_HOME").or_else(|| Some(self.home.as_ref()?.join(".cache")))
    }
}

/// A folder in which models may lie.
struct Place {
    key: &'static str,
    root: PathBuf,
    layout: Layout,
}

enum Layout {
    /// GGUF files, so many folders deep.
    Files(usize),
    /// Manifests that name blobs.
    Ollama,
}

fn places(around: &Surroundings) -> Vec<Place> {
    let home = |below: &str| around.home.as_ref().map(|home| home.join(below));
    let cache = |below: &str| around.cache().map(|cache| cache.join(below));
    let hub = || around.variable("HF_HUB_CACHE").or_else(|| Some(around.variable("HF_HOME")?.join("hub")));
    let ollama = || around.variable("OLLAMA_MODELS");
    let rows = [
        ("here", Some(around.working.clone()), Layout::Files(0)),
        ("here", Some(around.working.join("models")), Layout::Files(4)),
        ("~/models", home("models"), Layout::Files(4)),
        ("lmstudio", home(".lmstudio/models"), Layout::Files(4)),
        ("lmstudio", cache("lm-studio/models"), Layout::Files(4)),
        ("ollama", ollama().or_else(|| home(".ollama/models")), Layout::Ollama),
        ("ollama", around.service.clone().filter(|_| ollama().is_none()), Layout::Ollama),
        ("llama.cpp", around.variable("LLAMA_CACHE").or_else(|| cache("llama.cpp")), Layout::Files(3)),
        ("llama.cpp", home("Library/Caches/llama.cpp"), Layout::Files(3)),
        ("llama.cpp", around.variable("LOCALAPPDATA").map(|local| local.join("llama.cpp")), Layout::Files(3)),
        // models--org--name/snapshots/revision/, and a folder for each quantization in some
        ("huggingface", hub().or_else(|| cache("huggingface/hub")), Layout::Files(4)),
    ];
    rows.into_iter().filter_map(|(key, root, layout)| Some(Place { key, root: root?, layout })).collect()
}

/// A model by its files alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Unlike any other of the list, letters taken as equal in either case.
    pub name: String,
    /// Other names of the same file: Ollama's tags, links in the hub.
    pub also: Vec<String>,
    pub place: &'static str,
    /// One file, or the parts of a split one in order.
    pub parts: Vec<PathBuf>,
    /// How many parts the names say there are.
    pub of: usize,
}

/// A file that may be one part of several.
struct File {
    path: PathBuf,
    name: String,
    /// (number, of how many)
    part: (usize, usize),
}

/// All models of all places, each file once, with names that tell them apart.
pub fn find(around: &Surroundings) -> Vec<Found> {
    let (mut found, mut seen): (Vec<Found>, HashMap<PathBuf, String>) = Default::default();
    let mut again: Vec<(String, String)> = Vec::new();
    for place in places(around) {
        let files = match place.layout {
            Layout::Files(depth) => gguf_files(&place.root, depth),
            Layout::Ollama => ollama::files(&place.root, MOST_ENTRIES).into_iter().map(File::whole).collect(),
        };
        // Parts of one file lie side by side and are called alike.
        let mut models: BTreeMap<(PathBuf, String, usize), Vec<(usize, PathBuf)>> = BTreeMap::new();
        for file in files {
            // The hub keeps a file once and links to it from each revision.
            let Ok(canonical) = file.path.canonicalize() else { continue };
            if let Some(first) = seen.get(&canonical) {
                again.push((first.clone(), file.name));
                continue;
            }
            if seen.len() == MOST_FILES {
                continue;
            }
            seen.insert(canonical, file.name.clone());
            let folder = file.path.parent().unwrap_or(Path::new("")).to_path_buf();
            models.entry((folder, file.name, file.part.1)).or_default().push((file.part.0, file.path));
        }
        for ((_, name, of), mut parts) in models {
            parts.sort();
            let parts = parts.into_iter().map(|(_, path)| path).collect();
            found.push(Found { name, also: Vec::new(), place: place.key, parts, of });
        }
    }
    for (first, name) in again {
        if let Some(f) = found.iter_mut().find(|f| f.name == first && f.name != name && !f.also.contains(&name)) {
            f.also.push(name);
        }
    }
    tell_apart(&mut found);
    found
}

/// Names that occur more than once get their place before them; where that is not enough, the path is the name.
fn tell_apart(found: &mut [Found]) {
    for attempt in 0..2 {
        let mut times: HashMap<String, usize> = HashMap::new();
        for f in found.iter() {
            *times.entry(f.name.to_lowercase()).or_default() += 1;
        }
        for f in found.iter_mut().filter(|f| times[&f.name.to_lowercase()] > 1) {
            f.name = match attempt {
                0 => format!("{}/{}", f.place.trim_start_matches("~/"), f.name),
                _ => f.parts[0].display().to_string(),
            };
        }
    }
}

impl File {
    fn whole((name, path): (String, PathBuf)) -> File {
        File { path, name, part: (1, 1) }
    }

    /// `x-00002-of-00003` is the second part of `x`.
    fn named(path: PathBuf) -> Option<File> {
        let stem = path.file_stem()?.to_str()?;
        let digits = |text: &str| text.parse().ok().filter(|_| text.len() == 5 && !text.starts_with('+'));
        let split = stem.rsplit_once("-of-").and_then(|(head, of)| {
            let (name, number) = head.rsplit_once('-')?;
            Some((name, digits(number)?, digits(of)?))
        });
        let (name, part) = match split {
            Some((name, number, of)) if (1..=of).contains(&number) => (name, (number, of)),
            _ => (stem, (1, 1)),
        };
        Some(File { name: name.to_string(), part, path })
    }
}

/// GGUF files below a folder, hidden ones left out, in the order of their paths.
fn gguf_files(root: &Path, depth: usize) -> Vec<File> {
    let (mut files, mut folders, mut looked) = (Vec::new(), vec![(root.to_path_buf(), depth)], 0);
    // Folders may be links, even to one that they lie in.
    let mut entered = HashSet::new();
    while let Some((folder, depth)) = folders.pop() {
        let read = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
        if !read.canonicalize().is_ok_and(|real| entered.insert(real)) {
            continue;
        }
        for entry in fs::read_dir(read).into_iter().flatten().flatten() {
            looked += 1;
            if looked > MOST_ENTRIES {
                return files;
            }
            let name = entry.file_name();
            let path = folder.join(&name);
            if name.to_string_lossy().starts_with('.') {
                continue;
            }
            let is_gguf = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf"));
            match fs::metadata(&path) {
                Ok(about) if about.is_dir() && depth > 0 => folders.push((path, depth - 1)),
                Ok(about) if about.is_file() && is_gguf => files.extend(File::named(path)),
                _ => {}
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn around(root: &Path) -> Surroundings {
        Surroundings { working: root.join("work"), home: Some(root.join("home")), ..Surroundings::default() }
    }

    fn names(found: &[Found]) -> Vec<&str> {
        found.iter().map(|f| f.name.as_str()).collect()
    }

    #[test]
    fn every_place_is_looked_at_and_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for path in [
            "work/a.gguf",
            "work/deeper/no.gguf",
            "work/models/b.GGUF",
            "work/models/readme.txt",
            "work/models/.hidden.gguf",
            "home/models/some/where/c.gguf",
            "home/models/1/2/3/4/5/no.gguf",
            "home/.lmstudio/models/who/what/d.gguf",
            "home/.cache/lm-studio/models/who/what/e.gguf",
            "home/.cache/llama.cpp/f.gguf",
            "home/.cache/huggingface/hub/models--o--n/snapshots/1234/g.gguf",
        ] {
            write(root, path, "x");
        }
        let found = find(&around(root));
        assert_eq!(names(&found), ["a", "b", "c", "d", "e", "f", "g"]);
        let places: Vec<_> = found.iter().map(|f| f.place).collect();
        assert_eq!(places, ["here", "here", "~/models", "lmstudio", "lmstudio", "llama.cpp", "huggingface"]);
    }

    #[test]
    fn variables_move_places() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for path in ["cpp/a.gguf", "hf/hub/models--o--n/snapshots/1/b.gguf", "home/.cache/llama.cpp/no.gguf"] {
            write(root, path, "x");
        }
        let variables = [("LLAMA_CACHE", root.join("cpp").into()), ("HF_HOME", root.join("hf").into())].into();
        assert_eq!(names(&find(&Surroundings { variables, ..around(root) })), ["a", "b"]);
    }

    #[test]
    #[cfg(unix)]
    fn a_file_with_several_links_is_listed_once_and_circles_end() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let hub = dir.path().join("home/.cache/huggingface/hub/models--o--n");
        write(&hub, "blobs/abc", "x");
        for revision in ["1", "2"] {
            fs::create_dir_all(hub.join("snapshots").join(revision)).unwrap();
            symlink("../../blobs/abc", hub.join("snapshots").join(revision).join("a.gguf")).unwrap();
        }
        symlink(&hub, hub.join("circle")).unwrap();
        symlink("../../blobs/abc", hub.join("snapshots/2/other.gguf")).unwrap();
        symlink("nowhere", hub.join("snapshots/1/broken.gguf")).unwrap();
        let found = find(&around(dir.path()));
        assert_eq!(names(&found), ["a"]);
        assert_eq!(found[0].also, ["other"]);
    }

    #[test]
    fn parts_are_one_model() {
        let dir = tempfile::tempdir().unwrap();
        for n in [2, 1, 3] {
            write(dir.path(), &format!("home/models/big-Q4-0000{n}-of-00003.gguf"), "x");
        }
        write(dir.path(), "home/models/odd-1-of-2.gguf", "x");
        let found = find(&around(dir.path()));
        assert_eq!(names(&found), ["big-Q4", "odd-1-of-2"]);
        assert_eq!((found[0].parts.len(), found[0].of), (3, 3));
        assert!(found[0].parts[0].ends_with("big-Q4-00001-of-00003.gguf"));
    }

    #[test]
    fn equal_names_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["work/a.gguf", "home/models/A.gguf", "home/models/x/b.gguf", "home/models/y/b.gguf", "work/c.gguf"]
        {
            write(dir.path(), path, "x");
        }
        let found = find(&around(dir.path()));
        assert_eq!(names(&found)[..3], ["here/a", "c", "models/A"]);
        assert!(found[3].name.ends_with("x/b.gguf") && found[4].name.ends_with("y/b.gguf"), "{found:?}");
    }
}
