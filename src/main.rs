//! The `xiao` program: reads the command line, plays, and says in one line what went wrong.

fn main() -> std::process::ExitCode {
    xiao::cli::run()
}
