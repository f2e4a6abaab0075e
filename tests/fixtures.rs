//! llama.cpp's figures in `tests/fixtures/` belong to the files that the seed gives today. With `XIAO_TINY=FOLDER` the
//! files stay there, to be tried out or fuzzed with.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use xiao::model::{GgufWriter, Source};

#[path = "common/fixture.rs"]
mod fixture;

use fixture::{Random, TINY, Tiny};

const SEED: u64 = 1;
/// Greedy tokens after each prompt.
const STEPS: &str = "24";

fn figures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{name}.json"))
}

fn kept(temporary: &Path) -> PathBuf {
    std::env::var_os("XIAO_TINY").map_or(temporary.to_path_buf(), PathBuf::from)
}

/// Every tiny model as (name, what it is, its type, its file in `folder`).
fn files(folder: &Path) -> Vec<(String, Tiny, &'static str, PathBuf)> {
    let each = TINY.iter().flat_map(|tiny| tiny.types.iter().map(move |kind| (*tiny, *kind)));
    each.map(|(tiny, kind)| {
        let name = format!("{}-{kind}", tiny.name());
        let path = folder.join(format!("{name}.gguf"));
        std::fs::write(&path, tiny.write(kind, SEED)).unwrap();
        (name, tiny, kind, path)
    })
    .collect()
}

#[test]
fn the_figures_belong_to_the_files_of_the_seed() {
    let folder = tempfile::tempdir().unwrap();
    for (name, _, _, path) in files(&kept(folder.path())) {
        let text = std::fs::read_to_string(figures(&name)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["seed"], SEED, "{name}");
        assert_eq!(json["sha256"], Source::File(path).sha256().unwrap(), "{name}: the figures are another file's");
        for run in json["runs"].as_array().unwrap() {
            let sizes = ["logits", "greedy", "logits_greedy"].map(|key| run[key].as_array().unwrap().len());
            assert_eq!(sizes, [fixture::VOCABULARY, 24, fixture::VOCABULARY], "{name}");
        }
    }
}

/// Runs the program of `logits.cpp`, named by `XIAO_LOGITS`, on every file.
#[test]
#[ignore = "makes the figures again; needs llama.cpp"]
fn make_the_figures() {
    let program = std::env::var("XIAO_LOGITS").expect("XIAO_LOGITS names the program made from logits.cpp");
    let folder = tempfile::tempdir().unwrap();
    for (name, tiny, kind, path) in files(&kept(folder.path())) {
        // (context, tokens of the prompt)
        let runs: &[(usize, usize)] = match (tiny.architecture, tiny.variant) {
            ("phi3", "factors") => &[(256, 7), (512, 48), (512, 300)],
            _ => &[(256, 7), (256, 48)],
        };
        let done: Vec<String> = runs
            .iter()
            .map(|(context, tokens)| {
                // No control token of either vocabulary.
                let mut random = Random::named("prompt", *tokens as u64);
                let prompt: Vec<usize> = (0..*tokens).map(|_| 20 + random.below(480)).collect();
                let said = said_by(&program, &path, *context, &prompt);
                format!("{{\"prompt\": {prompt:?}, {}", said.trim().strip_prefix('{').unwrap())
            })
            .collect();
        let head = serde_json::json!({
            "architecture": tiny.architecture,
            "variant": tiny.variant,
            "type": kind,
            "seed": SEED,
            "bytes": std::fs::metadata(&path).unwrap().len(),
            "sha256": Source::File(path).sha256().unwrap(),
        });
        let mut text = head.to_string();
        text.pop();
        writeln!(text, ",\"runs\":[\n{}\n]}}", done.join(",\n")).unwrap();
        std::fs::write(figures(&name), text).unwrap();
    }
}

fn said_by(program: &str, model: &Path, context: usize, prompt: &[usize]) -> String {
    let mut command = Command::new(program);
    command.arg(model).arg(context.to_string()).arg(STEPS).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let ids: String = prompt.iter().map(|id| format!("{id} ")).collect();
    child.stdin.take().unwrap().write_all(ids.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).unwrap()
}
