//! A JACK server for one test, at no special priority. libjack reads the server's name from its environment, so the test
//! plays in a process of its own.
//!
//! Where real time counts, `jackd.rs` has another.

use std::process::{Child, Command, Stdio};

/// Set in the process that plays.
const SERVER: &str = "JACK_DEFAULT_SERVER";
const INNER: &str = "XIAO_TEST_INNER";

/// A JACK server that ends with the test.
pub struct Server(Child);

impl Server {
    pub fn start(name: &str) -> Option<Server> {
        let child = Command::new("jackd")
            .args(["-n", name, "-d", "dummy", "-r", "48000", "-p", "256"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        Some(Server(child))
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
