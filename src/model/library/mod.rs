//! The models that lie on this machine: where they are, what they are, and which one a name means.
//!
//! [`list`] reads headers and nothing else, on a few threads of its own for as long as it takes; [`find`] reads no file at
//! all. Nothing is fetched, moved or written.

mod entry;
mod ollama;
mod places;
mod recommended;

pub use entry::{Entry, LeftOut};
pub use places::Surroundings;
pub use recommended::{CONTEXT, RECOMMENDED, Recommended};

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;

use super::{ModelError, Source, fit};

/// What `xiao models` shows.
#[derive(Clone, Debug, Serialize)]
pub struct Listing {
    /// What this machine has for a model; `None` where it does not tell.
    pub available_bytes: Option<u64>,
    pub models: Vec<Entry>,
    pub left_out: Vec<LeftOut>,
}

/// Looks through the usual places.
pub fn list(around: &Surroundings) -> Listing {
    let available = fit::available();
    let found: Vec<_> = places::find(around).into_iter().map(|f| Mutex::new(Some(f))).collect();
    let (next, read) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    // A header is up to some megabytes of tokens: with many models it pays to read several at once.
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(8).min(found.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(slot) = found.get(i) else { break };
                    let Some(model) = slot.lock().unwrap_or_else(|e| e.into_inner()).take() else { continue };
                    let entry = entry::read(model, available);
                    read.lock().unwrap_or_else(|e| e.into_inner()).push((i, entry));
                }
            });
        }
    });
    let mut read = read.into_inner().unwrap_or_else(|e| e.into_inner());
    read.sort_by_key(|(i, _)| *i);
    let mut listing = Listing { available_bytes: available, models: Vec::new(), left_out: Vec::new() };
    for (_, entry) in read {
        match entry {
            Ok(entry) => listing.models.push(entry),
            Err(left_out) => listing.left_out.push(left_out),
        }
    }
    listing
}

/// What a name means: `embedded`, a file, or a model of the list, whole or by the beginning of its name.
///
/// # Errors
/// It means nothing, or several models.
pub fn find(name: &str) -> Result<Source, ModelError> {
    if name == "embedded" {
        return Ok(Source::Embedded);
    }
    // What is a path keeps its own errors: it may be misspelt, unreadable, or a folder.
    if Path::new(name).exists() {
        return Ok(Source::File(name.into()));
    }
    find_among(name, &Surroundings::here())
}

fn find_among(name: &str, around: &Surroundings) -> Result<Source, ModelError> {
    let found = places::find(around);
    let wanted = name.strip_suffix(".gguf").unwrap_or(name).to_lowercase();
    let names = |f: &places::Found| -> Vec<String> {
        std::iter::once(&f.name).chain(&f.also).map(|name| name.to_lowercase()).collect()
    };
    let whole: Vec<_> = found.iter().filter(|f| names(f).contains(&wanted)).collect();
    let begun: Vec<_> = found.iter().filter(|f| names(f).iter().any(|n| n.starts_with(&wanted))).collect();
    let candidates = if whole.is_empty() { begun } else { whole };
    match candidates.as_slice() {
        [one] => return Ok(Source::File(one.parts[0].clone())),
        // A name that only a path can have, and nothing is there: the loader says so.
        [] if name.contains(['/', '\\']) || name.to_lowercase().ends_with(".gguf") => {
            return Ok(Source::File(name.into()));
        }
        [] => {}
        several => {
            let names: Vec<_> = several.iter().take(8).map(|f| f.name.as_str()).collect();
            let more = if several.len() > 8 { format!(" and {} more", several.len() - 8) } else { String::new() };
            let names = names.join(", ");
            return Err(ModelError::Input(format!("the model {name:?} may be {names}{more}; write one of them out")));
        }
    }
    let all = found.iter().flat_map(|f| std::iter::once(&f.name).chain(&f.also)).map(String::as_str);
    let near = |candidate: &str| strsim::jaro_winkler(&candidate.to_lowercase(), &wanted);
    let nearest = all.chain(["embedded"]).max_by(|a, b| near(a).total_cmp(&near(b))).unwrap_or("embedded");
    Err(ModelError::Input(format!(
        "there is no model {name:?}, neither a file nor in `xiao models`; did you mean {nearest:?}?"
    )))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::fit::Plays;
    use super::*;

    const EMBEDDED: &[u8] = include_bytes!("../../../assets/models/verse.gguf");

    fn machine(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Surroundings) {
        let dir = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let around = Surroundings { working: dir.path().into(), home: Some(dir.path().into()), ..Default::default() };
        (dir, around)
    }

    #[test]
    fn headers_make_a_list_and_faults_a_reason() {
        let half = &EMBEDDED[..EMBEDDED.len() / 2];
        let (_dir, around) = machine(&[
            ("models/good.gguf", EMBEDDED),
            ("models/half.gguf", half),
            ("models/poem.gguf", "春眠不觉晓".as_bytes()),
            (".lmstudio/models/a/b/mmproj-x.gguf", EMBEDDED),
            ("models/big-00002-of-00002.gguf", EMBEDDED),
        ]);
        let listing = list(&around);
        let row = |name: &str| listing.models.iter().find(|m| m.name == name).unwrap();
        let good = row("good");
        assert_eq!((good.plays, good.family.as_str(), good.quantization.as_str()), (Plays::Own, "llama", "Q8_0"));
        assert_eq!((good.parameters, good.bytes), (4_524_288, EMBEDDED.len() as u64));
        assert!(good.needed_bytes.unwrap() > good.bytes && good.why.is_none());
        assert_eq!(good.fits.is_some(), listing.available_bytes.is_some());
        assert!(row("half").why.as_ref().unwrap().starts_with("cut short"), "{:?}", row("half"));
        assert!(row("poem").why.as_ref().unwrap().contains("not a GGUF"));
        assert!(row("big").why.as_ref().unwrap().contains("1 of its 2 parts"));
        assert_eq!(listing.left_out.len(), 1);
        assert_eq!(serde_json::to_value(good).unwrap()["plays"], "own");
    }

    #[test]
    fn names_lead_to_files_or_to_a_helpful_error() {
        let (dir, around) = machine(&[
            ("models/Llama-3.2-1B-Instruct-Q4_K_M.gguf", b"x"),
            ("models/Llama-3.2-3B-Instruct-Q4_K_M.gguf", b"x"),
            ("models/Mistral-7B-v0.3-Q8_0.gguf", b"x"),
            ("models/Mistral-7B-v0.3-Q8_0-long.gguf", b"x"),
        ]);
        let file = |name: &str| match find_among(name, &around) {
            Ok(Source::File(path)) => path.file_name().unwrap().to_string_lossy().into_owned(),
            other => panic!("{other:?}"),
        };
        assert_eq!(file("llama-3.2-1b"), "Llama-3.2-1B-Instruct-Q4_K_M.gguf");
        assert_eq!(file("Mistral-7B-v0.3-Q8_0"), "Mistral-7B-v0.3-Q8_0.gguf", "whole names go before beginnings");
        assert_eq!(file("mistral-7b-v0.3-q8_0.gguf"), "Mistral-7B-v0.3-Q8_0.gguf");
        assert_eq!(file("elsewhere/none.gguf"), "none.gguf");
        let error = |name: &str| find_among(name, &around).unwrap_err().to_string();
        assert!(error("llama").contains("1B-Instruct-Q4_K_M, Llama-3.2-3B"), "{}", error("llama"));
        assert!(error("Misral").contains("did you mean \"Mistral-7B"), "{}", error("Misral"));
        assert!(error("embeded").contains("\"embedded\""));
        assert_eq!(find("embedded").unwrap(), Source::Embedded);
        let path = dir.path().join("models");
        assert_eq!(find(path.to_str().unwrap()).unwrap(), Source::File(path), "the loader says that it is a folder");
    }
}
