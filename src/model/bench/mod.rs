//! How fast a model reads and writes here, how long it takes to load, and what memory it takes; beside a peer if wanted.
//!
//! Every figure of ours comes from a child process that does one thing and ends, so that threads and memory are its own;
//! the peer's programs run in turn with them, since a machine is seldom as quiet in one minute as in the next. Runs on the
//! thread that calls it. Judges nothing: it prints figures and their spread.

mod bandwidth;
mod child;
mod one;
mod peer;
mod report;

pub use child::Memory;
pub use one::{Depth, One, Task, measure};
pub use report::{Report, Row, Series};

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::{Info, ModelError, Source};
use peer::Peer;
use report::{Kind, Side};

/// Nothing that is measured takes this long; a program that does hangs.
const PATIENCE: Duration = Duration::from_secs(1800);

/// What is to be measured.
pub struct Options {
    pub source: Source,
    /// The program that measures when it is called with `bench MODEL --one`: xiao itself.
    pub program: PathBuf,
    /// llama-bench.
    pub peer: Option<PathBuf>,
    /// What llama-bench is given besides.
    pub peer_options: Vec<String>,
    pub threads: usize,
    pub rounds: usize,
    /// Tokens that are read before, in one go.
    pub contexts: Vec<usize>,
    /// Tokens that are written at each of them.
    pub tokens: usize,
}

/// Measures; says what it is at to `progress`.
///
/// # Errors
/// The model cannot be read, or our own measurement fails. A peer that fails is left out and named in the report.
pub fn run(options: &Options, progress: &dyn Fn(&str)) -> Result<Report, ModelError> {
    let info = Info::read(&options.source)?;
    let contexts = within(&options.contexts, info.context, options.tokens);
    progress("reading memory");
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    let mut report = Report::new(&info, options, bandwidth::measure(cores));
    let mut peer = match (&options.peer, &options.source) {
        (Some(program), Source::File(model)) => Some(Peer::new(program, model, options)),
        (Some(_), Source::Embedded | Source::Memory(_)) => {
            report.notes.push("this model is no file that a peer could read; it runs alone".to_string());
            None
        }
        (None, _) => None,
    };
    for round in 0..options.rounds {
        let at = |what: &str| progress(&format!("round {} of {}: {what}", round + 1, options.rounds));
        at("loading");
        let (one, ran) = ours(options, &[])?;
        report.load(one.load_s, one.first_s);
        report.push(Kind::FirstToken, 0, Side::Ours, ran.wall_s);
        report.memory(Side::Ours, ran.memory);
        with_peer(&mut peer, &mut report, |peer, report| {
            let ran = peer.load()?;
            report.push(Kind::FirstToken, 0, Side::Peer, ran.wall_s);
            report.memory(Side::Peer, ran.memory);
            Ok(())
        });
        for context in &contexts {
            at(&format!("{context} tokens"));
            let (one, ran) = ours(options, &[*context])?;
            for depth in &one.depths {
                report.push(Kind::Prefill, *context, Side::Ours, depth.prefill_tokens_s);
                report.push(Kind::Decode, *context, Side::Ours, depth.decode_tokens_s);
            }
            report.memory(Side::Ours, ran.memory);
            with_peer(&mut peer, &mut report, |peer, report| {
                let (prefill, ran) = peer.prefill(*context)?;
                report.push(Kind::Prefill, *context, Side::Peer, prefill);
                report.memory(Side::Peer, ran.memory);
                let (decode, ran) = peer.decode(*context, options.tokens)?;
                report.push(Kind::Decode, *context, Side::Peer, decode);
                report.memory(Side::Peer, ran.memory);
                Ok(())
            });
        }
    }
    Ok(report)
}

/// Runs the peer; once it has failed it is left out, and the report says so.
fn with_peer(peer: &mut Option<Peer>, report: &mut Report, run: impl FnOnce(&Peer, &mut Report) -> Result<(), String>) {
    if let Some(running) = peer
        && let Err(problem) = run(running, report)
    {
        report.notes.push(format!("the peer failed and is left out from there on: {problem}"));
        *peer = None;
    }
}

/// Contexts that the model has room for with the tokens written behind them.
fn within(contexts: &[usize], most: usize, tokens: usize) -> Vec<usize> {
    let mut within: Vec<usize> = contexts.iter().map(|c| (*c).min(most.saturating_sub(tokens)).max(1)).collect();
    within.sort_unstable();
    within.dedup();
    within
}

/// One measurement of ours in a process of its own; no contexts: loading alone.
fn ours(options: &Options, contexts: &[usize]) -> Result<(One, child::Ran), ModelError> {
    let list = contexts.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let mut command = Command::new(&options.program);
    command.arg("bench").arg(options.source.name()).arg("--one");
    command.args(["--contexts", if list.is_empty() { "0" } else { &list }]);
    command.args(["--tokens", &options.tokens.to_string(), "--threads", &options.threads.to_string()]);
    let failed = |problem: String| ModelError::Input(format!("measuring failed: {problem}"));
    let ran = child::run(&mut command, PATIENCE).map_err(failed)?;
    let one = serde_json::from_str(&ran.stdout).map_err(|e| failed(e.to_string()))?;
    Ok((one, ran))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_stay_within_the_model() {
        assert_eq!(within(&[64, 1024, 4096], 131_072, 32), [64, 1024, 4096]);
        assert_eq!(within(&[64, 1024, 4096], 256, 32), [64, 224]);
        assert_eq!(within(&[4096, 4096], 4096, 32), [4064]);
        assert_eq!(within(&[64], 8, 32), [1]);
    }

    #[test]
    fn a_peer_that_fails_is_named_and_left_out() {
        let info = Info::read(&Source::Embedded).unwrap();
        let options = Options {
            source: Source::Embedded,
            program: "none".into(),
            peer: None,
            peer_options: vec![],
            threads: 1,
            rounds: 1,
            contexts: vec![],
            tokens: 1,
        };
        let mut report = Report::new(&info, &options, 1e9);
        let mut peer = Some(Peer::new("/none/llama-bench".as_ref(), "x.gguf".as_ref(), &options));
        with_peer(&mut peer, &mut report, |peer, _| peer.load().map(|_| ()));
        assert!(peer.is_none() && report.notes[0].contains("llama-bench"), "{:?}", report.notes);
        assert!(run(&options, &|_| {}).unwrap_err().to_string().contains("measuring failed"));
    }
}
