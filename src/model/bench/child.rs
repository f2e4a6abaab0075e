//! A program that is run to its end while its memory is watched.

use std::fs;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;

/// How often the child's memory is looked at; a look costs it some microseconds.
const EVERY: Duration = Duration::from_millis(20);
/// More than any of these programs prints.
const LONGEST: u64 = 16 << 20;

/// Memory that a process took at its peak; `None` where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// All of it, mapped files included.
    pub peak_bytes: Option<u64>,
    /// Without pages of files, which are shared and may be dropped.
    pub private_bytes: Option<u64>,
}

impl Memory {
    /// The larger of each.
    pub fn max(self, other: Memory) -> Memory {
        let (peak_bytes, private_bytes) =
            (self.peak_bytes.max(other.peak_bytes), self.private_bytes.max(other.private_bytes));
        Memory { peak_bytes, private_bytes }
    }

    fn of(process: u32) -> Memory {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
        };
        Memory { peak_bytes: bytes("VmHWM:"), private_bytes: bytes("RssAnon:") }
    }
}

/// What a program that ended well left behind.
#[derive(Debug)]
pub struct Ran {
    pub stdout: String,
    /// From the start to the end of its output.
    pub wall_s: f64,
    pub memory: Memory,
}

/// Runs a program. The error says which, and what was wrong, in one line.
pub fn run(command: &mut Command, patience: Duration) -> Result<Ran, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let begun = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| format!("{program} cannot be started: {e}"))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        let out = scope.spawn(move || (drained(out), begun.elapsed()));
        let err = scope.spawn(move || drained(err));
        let (status, memory) = watch(&mut child, begun, patience).map_err(|e| format!("{program}: {e}"))?;
        let (stdout, wall) = out.join().map_err(|_| format!("{program}: its output could not be read"))?;
        let stderr = err.join().unwrap_or_default();
        if !status.success() {
            let last = stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").trim();
            return Err(format!("{program}: {status}: {last}"));
        }
        Ok(Ran { stdout, wall_s: wall.as_secs_f64(), memory })
    })
}

fn watch(
    child: &mut Child,
    begun: Instant,
    patience: Duration,
) -> Result<(std::process::ExitStatus, Memory), std::io::Error> {
    let mut memory = Memory::default();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((status, memory));
        }
        memory = memory.max(Memory::of(child.id()));
        if begun.elapsed() > patience {
            child.kill()?;
            child.wait()?;
            return Err(std::io::Error::other(format!("no answer in {} s; it was ended", patience.as_secs())));
        }
        std::thread::sleep(EVERY);
    }
}

/// All that comes out of a pipe, of which the beginning is kept.
fn drained(pipe: Option<impl Read>) -> String {
    let (mut kept, Some(mut pipe)) = (Vec::new(), pipe) else { return String::new() };
    let _ = pipe.by_ref().take(LONGEST).read_to_end(&mut kept);
    let _ = std::io::copy(&mut pipe, &mut std::io::sink());
    String::from_utf8_lossy(&kept).into_owned()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, patience: Duration) -> Result<Ran, String> {
        run(Command::new("sh").args(["-c", script]), patience)
    }

    #[test]
    fn output_time_and_memory_come_back() {
        let ran = shell("echo said; sleep 0.1", PATIENCE).unwrap();
        assert_eq!(ran.stdout, "said\n");
        assert!(ran.wall_s >= 0.1);
        assert_eq!(ran.memory.peak_bytes.is_some(), cfg!(target_os = "linux"));
    }

    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn failures_are_one_line() {
        let error = shell("echo first >&2; echo out of luck >&2; echo >&2; exit 3", PATIENCE).unwrap_err();
        assert!(error.starts_with("sh: ") && error.ends_with("out of luck") && error.contains('3'), "{error}");
        assert!(run(&mut Command::new("/nowhere/at/all"), PATIENCE).unwrap_err().contains("cannot be started"));
        let error = shell("exec sleep 60", Duration::from_millis(50)).unwrap_err();
        assert!(error.contains("no answer"), "{error}");
    }
}
