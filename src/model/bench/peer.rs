//! llama-bench, run for one figure at a time. Whatever it prints that is no figure is an error in words.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::child::{self, Ran};
use super::{Options, PATIENCE};

pub struct Peer {
    program: PathBuf,
    model: PathBuf,
    threads: usize,
    options: Vec<String>,
}

/// A test of llama-bench's, as it prints it with `-o json`.
#[derive(Deserialize)]
struct Test {
    n_prompt: usize,
    n_gen: usize,
    n_depth: usize,
    avg_ts: f64,
}

impl Peer {
    pub fn new(program: &Path, model: &Path, options: &Options) -> Peer {
        let (threads, options) = (options.threads, options.peer_options.clone());
        Peer { program: program.into(), model: model.into(), threads, options }
    }

    /// Load and first token, for the time and memory of the whole process.
    pub fn load(&self) -> Result<Ran, String> {
        let (_, ran) = self.run([1, 0, 0], &["--no-warmup"])?;
        Ok(ran)
    }

    /// Tokens a second of a prompt.
    pub fn prefill(&self, context: usize) -> Result<(f64, Ran), String> {
        self.run([context, 0, 0], &[])
    }

    /// Tokens a second of writing behind a prompt.
    pub fn decode(&self, context: usize, tokens: usize) -> Result<(f64, Ran), String> {
        self.run([0, tokens, context], &[])
    }

    /// `test`: prompt, generated, depth.
    fn run(&self, test: [usize; 3], more: &[&str]) -> Result<(f64, Ran), String> {
        let mut command = Command::new(&self.program);
        command.arg("-m").arg(&self.model);
        for (option, n) in ["-p", "-n", "-d"].into_iter().zip(test) {
            command.args([option, &n.to_string()]);
        }
        command
            .args(["-t", &self.threads.to_string(), "-r", "1", "-ngl", "0", "-o", "json"])
            .args(more)
            .args(&self.options);
        let ran = child::run(&mut command, PATIENCE)?;
        let speed = parse(&ran.stdout, test).map_err(|e| format!("{}: {e}", self.program.display()))?;
        Ok((speed, ran))
    }
}

/// The speed of one test in what llama-bench printed; lines before and behind the list do not matter.
fn parse(text: &str, test: [usize; 3]) -> Result<f64, String> {
    let list = text.find('[').map(|at| &text[at..]).ok_or("it printed no JSON; is this llama-bench?")?;
    let mut lists = serde_json::Deserializer::from_str(list).into_iter::<Vec<Test>>();
    let tests = match lists.next() {
        Some(Ok(tests)) => tests,
        _ => return Err("its JSON is not a list of tests; is this llama-bench?".to_string()),
    };
    let is_it = |t: &&Test| [t.n_prompt, t.n_gen, t.n_depth] == test;
    match tests.iter().find(is_it).map(|t| t.avg_ts) {
        Some(speed) if speed.is_finite() && speed > 0.0 => Ok(speed),
        Some(speed) => Err(format!("it gave {speed} tokens a second")),
        None => Err("the test that was asked for is not in its JSON".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From a run of llama-bench, shortened.
    const PRINTED: &str = r#"warning: something
[
  { "build_commit": "x", "model_type": "llama 1B Q4_K - Medium", "n_threads": 2, "n_prompt": 64, "n_gen": 0,
    "n_depth": 0, "avg_ns": 456789, "stddev_ns": 0, "avg_ts": 140.106, "stddev_ts": 0.0, "samples_ts": [ 140.106 ] },
  { "n_prompt": 0, "n_gen": 32, "n_depth": 64, "avg_ts": 14.5 }
]
done
"#;

    #[test]
    fn figures_are_found_by_their_test() {
        assert_eq!(parse(PRINTED, [64, 0, 0]), Ok(140.106));
        assert_eq!(parse(PRINTED, [0, 32, 64]), Ok(14.5));
        assert!(parse(PRINTED, [0, 32, 1024]).unwrap_err().contains("not in its JSON"));
    }

    #[test]
    fn garbage_is_an_error_in_words() {
        for garbage in ["", "春眠", "[", "[1, 2", "[{\"n_prompt\": 64}]", "[[[[[["] {
            assert!(parse(garbage, [64, 0, 0]).unwrap_err().contains("is this llama-bench?"), "{garbage}");
        }
        let stopped = r#"[{"n_prompt": 1, "n_gen": 0, "n_depth": 0, "avg_ts": 0.0}]"#;
        assert!(parse(stopped, [1, 0, 0]).unwrap_err().contains("0 tokens"));
    }
}
