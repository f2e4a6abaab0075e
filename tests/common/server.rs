//! A JACK server for one test, at no special priority. libjack reads the server's name from its environment, so the test
//! plays in a process of its own.
//!
//! Where real time counts, `jackd.rs` has another.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use xiao::control::Midi;

/// Set in the process that plays.
const SERVER: &str = "JACK_DEFAULT_SERVER";
const INNER: &str = "XIAO_TEST_INNER";

/// A JACK server that ends with the test.
pub struct Server(Child);

impl Server {
    /// Starts one and waits until it answers. Where there is none, says so.
    pub fn start(name: &str) -> Option<Server> {
        let mut command = Command::new("jackd");
        command.args(["-n", name, "-d", "dummy", "-r", "48000", "-p", "256"]);
        let Ok(child) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            println!("skipped: jackd is not installed");
            return None;
        };
        let server = Server(child);
        let answers = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(100));
            Midi::open().is_ok()
        });
        if !answers {
            println!("skipped: jackd does not start here");
        }
        answers.then_some(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGTERM: after a SIGKILL the server's name and memory stay behind in /dev/shm.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// Runs `play` with a server's name, in a process of its own that runs this `test` alone.
pub fn apart(test: &str, play: fn(&str)) {
    if std::env::var_os(INNER).is_some() {
        return play(&std::env::var(SERVER).unwrap());
    }
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INNER, "1")
        .env(SERVER, format!("xiao-test-{}", std::process::id()))
        .status()
        .unwrap();
    assert!(status.success());
}
