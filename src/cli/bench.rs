//! `bench`: how fast a model is here, alone or beside a peer.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;

use super::{print, print_json};
use crate::model::bench::{self, Task};

/// Measure a model: tokens a second, load time, memory; beside llama.cpp's llama-bench if wanted
#[derive(Args)]
#[command(
    after_help = "Example:  xiao bench embedded\n          xiao bench llama.gguf --vs ~/llama.cpp/build/bin/llama-bench --rounds 5\n          xiao bench llama.gguf --contexts 64,1024 --threads 4 --json"
)]
pub struct Bench {
    /// A GGUF file, a name of `xiao models`, or `embedded`
    model: String,
    /// llama-bench, to be run in turn with xiao on the same file
    #[arg(long, value_name = "PATH_TO_LLAMA_BENCH")]
    vs: Option<PathBuf>,
    /// More options for llama-bench, e.g. "--repack 0"
    #[arg(long, value_name = "OPTIONS", requires = "vs", allow_hyphen_values = true)]
    vs_options: Option<String>,
    /// Cores that compute; without it, as many as when it plays
    #[arg(long, value_name = "N", value_parser = number(1, 1024))]
    threads: Option<usize>,
    /// How many times everything is measured
    #[arg(long, value_name = "N", default_value = "3", value_parser = number(1, 1000))]
    rounds: usize,
    /// Lengths of the prompts; what the model has no room for is cut
    #[arg(long, value_name = "64,1024,4096", default_value = "64,1024,4096", value_delimiter = ',', value_parser = number(0, 1 << 24))]
    contexts: Vec<usize>,
    /// Tokens written behind each prompt
    #[arg(long, value_name = "N", default_value = "32", value_parser = number(1, 65_536))]
    tokens: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Measure in this process, once, and print JSON: what the command calls itself for
    #[arg(long, hide = true)]
    one: bool,
}

impl Bench {
    pub fn run(self) -> anyhow::Result<()> {
        let source = super::inspect::source(&self.model)?;
        let contexts: Vec<usize> = self.contexts.into_iter().filter(|c| *c > 0).collect();
        if let Some(threads) = self.threads {
            super::set_threads(threads);
        }
        if self.one {
            super::limit_threads(&source);
            return print_json(&bench::measure(&source, &Task { contexts, tokens: self.tokens })?);
        }
        let options = bench::Options {
            threads: self.threads.unwrap_or_else(|| crate::model::threads(&source)),
            source,
            program: std::env::current_exe()?,
            peer: self.vs,
            peer_options: self.vs_options.iter().flat_map(|o| o.split_whitespace()).map(String::from).collect(),
            rounds: self.rounds,
            contexts,
            tokens: self.tokens,
        };
        let watched = std::io::stderr().is_terminal();
        let report = bench::run(&options, &|what| {
            if watched {
                crate::session::remark(what);
            }
        })?;
        if self.json { print_json(&report) } else { print(report.to_string().trim_end()) }
    }
}

fn number(least: usize, most: usize) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |text| {
        let within = |n: &usize| (least..=most).contains(n);
        text.trim().parse().ok().filter(within).ok_or_else(|| format!("a number from {least} to {most} is wanted"))
    }
}
