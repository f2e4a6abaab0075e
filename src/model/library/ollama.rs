//! Ollama's store: manifests, small JSON files called by host, namespace, model and tag, name the blobs that hold the
//! weights. Reads the manifests, and of the blobs the names alone.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The layer of a manifest that is the model itself.
const MODEL: &str = "application/vnd.ollama.image.model";
/// Longer than any manifest.
const LONGEST: u64 = 1 << 20;

/// The models of a store: name as Ollama shows it, and the blob. At most `most` files and folders are looked at.
pub fn files(root: &Path, most: usize) -> Vec<(String, PathBuf)> {
    let manifests = root.join("manifests");
    let (mut files, mut folders, mut looked) = (Vec::new(), vec![(manifests, Vec::<String>::new())], 0);
    while let Some((folder, path)) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            looked += 1;
            let name = entry.file_name().to_string_lossy().into_owned();
            if looked > most || name.starts_with('.') {
                continue;
            }
            let path = [path.as_slice(), &[name]].concat();
            match entry.file_type() {
                // host/namespace/model/tag
                Ok(kind) if kind.is_dir() && path.len() < 4 => folders.push((entry.path(), path)),
                Ok(kind) if kind.is_file() && path.len() == 4 => {
                    files.extend(blob(root, &entry.path()).map(|blob| (shown(&path), blob)));
                }
                _ => {}
            }
        }
    }
    files.sort();
    files
}

/// `llama3.2:1b`; what is not of Ollama's own library keeps its namespace, and what is from elsewhere its host.
fn shown(path: &[String]) -> String {
    let [host, space, model, tag] = path else { return path.join("/") };
    match (host.as_str(), space.as_str()) {
        ("registry.ollama.ai", "library") => format!("{model}:{tag}"),
        ("registry.ollama.ai", _) => format!("{space}/{model}:{tag}"),
        _ => format!("{host}/{space}/{model}:{tag}"),
    }
}

fn blob(root: &Path, manifest: &Path) -> Option<PathBuf> {
    let mut text = String::new();
    File::open(manifest).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    let manifest: serde_json::Value = serde_json::from_str(&text).ok()?;
    let layer = manifest["layers"].as_array()?.iter().find(|layer| layer["mediaType"] == MODEL)?;
    let digest = layer["digest"].as_str()?.strip_prefix("sha256:")?;
    // A digest and nothing else: the text must not lead out of the store.
    (!digest.is_empty() && digest.chars().all(|c| c.is_ascii_hexdigit()))
        .then(|| root.join("blobs").join(format!("sha256-{digest}")))
        .filter(|blob| blob.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_lead_to_blobs_and_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir_all(root.join("blobs")).unwrap();
        fs::write(root.join("blobs/sha256-ab12"), "x").unwrap();
        fs::write(root.join("outside"), "x").unwrap();
        let manifest = |kind: &str, digest: &str| {
            format!(
                r#"{{"layers":[{{"mediaType":"application/x","digest":"sha256:00"}},{{"mediaType":"{kind}","digest":"{digest}"}}]}}"#
            )
        };
        for (path, text) in [
            ("registry.ollama.ai/library/llama3.2/1b", manifest(MODEL, "sha256:ab12")),
            ("registry.ollama.ai/someone/mine/latest", manifest(MODEL, "sha256:ab12")),
            ("hf.co/org/name/Q4_K_M", manifest(MODEL, "sha256:ab12")),
            ("registry.ollama.ai/library/gone/1b", manifest(MODEL, "sha256:ff")),
            ("registry.ollama.ai/library/bad/1", manifest(MODEL, "sha256:../../outside")),
            ("registry.ollama.ai/library/bad/2", manifest("application/vnd.ollama.image.adapter", "sha256:ab12")),
            ("registry.ollama.ai/library/bad/3", "{\"layers\": 7}".to_string()),
            ("registry.ollama.ai/library/bad/4", "春眠".to_string()),
        ] {
            let path = root.join("manifests").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let found = files(root, 1000);
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["hf.co/org/name:Q4_K_M", "llama3.2:1b", "someone/mine:latest"]);
        assert!(found.iter().all(|(_, blob)| blob.ends_with("blobs/sha256-ab12")));
        assert!(files(&root.join("none"), 1000).is_empty());
    }
}
