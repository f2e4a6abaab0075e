//! The command line. One file for each family of commands; the main thread runs them all.
//!
//! Every error is one line that says what, where and what to do, with exit code 2.

mod bench;
mod card;
mod controllers;
mod data;
mod devices;
mod inspect;
mod models;
mod perform;
mod render;
mod say;
mod score;
mod train;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::terminal::clean;

/// xiao (小, 箫): a live-performance instrument for small language models.
#[derive(Parser)]
#[command(version, about, propagate_version = true, disable_help_subcommand = true)]
#[command(after_help = "Begin with:  xiao play\nThen:        xiao say \"The moon\"   or   xiao play --help")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Play(perform::Play),
    Replay(perform::Replay),
    Render(render::Render),
    Say(say::Say),
    Peek(inspect::Peek),
    Tokenize(inspect::Tokenize),
    Inspect(inspect::Inspect),
    Card(card::Card),
    Score(score::Score),
    Models(models::Models),
    Bench(bench::Bench),
    Train(train::Train),
    Devices(devices::Devices),
    Controllers(controllers::Controllers),
    Check(data::Check),
    Params(data::Params),
    Uniforms(data::Uniforms),
    Signals(data::Signals),
}

/// Runs the program with its arguments.
pub fn run() -> ExitCode {
    quiet_mesa();
    let done = match Cli::parse().command {
        Command::Play(args) => args.run(),
        Command::Replay(args) => args.run(),
        Command::Render(args) => args.run(),
        Command::Say(args) => args.run(),
        Command::Peek(args) => args.run(),
        Command::Tokenize(args) => args.run(),
        Command::Inspect(args) => args.run(),
        Command::Card(args) => args.run(),
        Command::Score(args) => args.run(),
        Command::Models(args) => args.run(),
        Command::Bench(args) => args.run(),
        Command::Train(args) => args.run(),
        Command::Devices(args) => args.run(),
        Command::Controllers(args) => args.run(),
        Command::Check(args) => args.run(),
        Command::Params(args) => args.run(),
        Command::Uniforms(args) => args.run(),
        Command::Signals(args) => args.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has read enough, as in `xiao say … | head`.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            crate::session::remark(&one_line(&error));
            ExitCode::from(2)
        }
    }
}

/// An error with its causes, each said once: some messages hold their cause already.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if line.is_empty() {
            line = cause;
        } else if !line.contains(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    line
}

/// Mesa complains on stderr, behind the stage's back, where `XDG_RUNTIME_DIR` is not set; this keeps it from looking.
fn quiet_mesa() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: called first of all, before any other thread runs.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
}

/// Keeps the model's compute threads from the core that the sound needs. To be called before anything starts a thread.
fn limit_threads(source: &crate::model::Source) {
    // SAFETY: every command calls this before it starts anything, so no other thread runs.
    unsafe { crate::model::limit_threads(source) };
}

/// Fixes the number of the model's compute threads. To be called as [`limit_threads`] is.
fn set_threads(threads: usize) {
    // SAFETY: called before anything is started, so no other thread runs.
    unsafe { std::env::set_var(crate::model::THREADS, threads.to_string()) };
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Prints text to stdout without control characters, which a model's file may hold; a closed pipe is an error for the caller to pass on, not a panic.
fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    Ok(writeln!(std::io::stdout().lock(), "{}", clean::text(text))?)
}

/// The longest text that is read from a file.
const LONGEST_TEXT: u64 = 64 << 20;

/// Reads a text file; the error names it.
fn read_text(file: &std::path::Path) -> anyhow::Result<String> {
    use anyhow::Context;
    let name = file.display().to_string();
    let file = std::fs::File::open(file).with_context(|| format!("{name} cannot be read as text"))?;
    text_of(&name, file)
}

/// Reads a text to its end; the error names it.
fn text_of(name: &str, from: impl std::io::Read) -> anyhow::Result<String> {
    use anyhow::Context;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut from.take(LONGEST_TEXT + 1), &mut bytes)
        .with_context(|| format!("{name} cannot be read as text"))?;
    anyhow::ensure!(bytes.len() as u64 <= LONGEST_TEXT, "{name} is longer than 64 MiB; give a part of it");
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes()[at];
        anyhow::anyhow!("{name} cannot be read as text: byte {at} (0x{byte:02X}) is not UTF-8; save it as UTF-8")
    })
}

/// Prints a value as JSON.
fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    print(&serde_json::to_string_pretty(value)?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_teaches_with_an_example() {
        let cli = Cli::command();
        cli.clone().debug_assert();
        for command in cli.get_subcommands() {
            let example = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(example.contains(&format!("xiao {}", command.get_name())), "{} has no example", command.get_name());
        }
    }
}
