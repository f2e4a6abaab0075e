//! A JACK server of a test's own, with the dummy driver and real-time priority, and watchers of the machine beside it.
//!
//! With the feature `midi-jack` only, which brings libjack. Whoever starts a server makes it the default of this process
//! and its children.

#![allow(dead_code)]

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Frames of a block and of a second.
pub const BLOCK: u32 = 128;
pub const RATE_HZ: u32 = 48_000;

/// A server that ends with the test.
pub struct Server {
    child: Child,
    name: String,
}

impl Server {
    /// Starts it and waits until it takes clients; `None` where jackd is missing or cannot start.
    ///
    /// # Safety
    /// Sets variables of the environment: to be called while no other thread reads it.
    pub unsafe fn start(name: &str) -> Option<Server> {
        // SAFETY: the caller guarantees that no other thread reads the environment.
        unsafe {
            std::env::set_var("JACK_DEFAULT_SERVER", name);
            std::env::set_var("JACK_NO_START_SERVER", "1");
        }
        Server::again(name)
    }

    /// The same when the environment names it already.
    pub fn again(name: &str) -> Option<Server> {
        let (block, rate) = (BLOCK.to_string(), RATE_HZ.to_string());
        let child = Command::new("jackd")
            .args(["-n", name, "-R", "-d", "dummy", "-r", &rate, "-p", &block])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut server = Server { child: child.ok()?, name: name.into() };
        for _ in 0..1000 {
            std::thread::sleep(Duration::from_millis(10));
            if server.child.try_wait().ok()?.is_some() {
                return None;
            }
            if jack::Client::new("xiao-probe", jack::ClientOptions::NO_START_SERVER).is_ok() {
                return Some(server);
            }
        }
        None
    }

    /// `kill -9`: no good-bye to its clients.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGTERM: after a SIGKILL the server's name stays in /dev/shm, and after eight of them no server starts.
        if let Ok(None) = self.child.try_wait() {
            let _ = Command::new("kill").arg(self.child.id().to_string()).status();
            let _ = self.child.wait();
        }
        // Semaphores of clients that the server did not see go.
        for file in std::fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
            if file.file_name().to_string_lossy().contains(&format!("_{}_", self.name)) {
                let _ = std::fs::remove_file(file.path());
            }
        }
    }
}

/// libjack talks on stderr of what is no error here.
pub fn hush_libjack() {
    jack::set_logger(jack::LoggerType::None);
}

/// One watcher on each core, above all sound in priority: a time in which it did not run although it was due, the
/// machine itself stood still (another guest of the host, the kernel), and no program could have played.
pub struct Watch {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Option<Vec<Stall>>>>,
}

/// When a core came back, and how long it had stood still.
pub type Stall = (Instant, Duration);

/// What a watcher calls standing still; half a block of the server's is 1.3 ms.
const STALL: Duration = Duration::from_millis(1);

impl Watch {
    pub fn begin() -> Watch {
        let stop = Arc::<AtomicBool>::default();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = (0..cores).map(|core| {
            let stop = stop.clone();
            std::thread::spawn(move || {
                let (realtime, mut stalls) = (goes_first_on(core), Vec::new());
                while !stop.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    std::thread::sleep(Duration::from_millis(1));
                    let late = began.elapsed().saturating_sub(Duration::from_millis(1));
                    if late > STALL {
                        stalls.push((Instant::now(), late));
                    }
                }
                realtime.then_some(stalls)
            })
        });
        Watch { threads: threads.collect(), stop }
    }

    /// Every time that a core stood still for longer than a millisecond; `None` where the system gives no real-time
    /// priority.
    pub fn end(self) -> Option<Vec<Stall>> {
        self.stop.store(true, Ordering::Relaxed);
        let each: Option<Vec<Vec<Stall>>> = self.threads.into_iter().map(|t| t.join().ok()?).collect();
        Some(each?.concat())
    }
}

/// A client that only hears of the server's xruns.
pub struct Xruns {
    _client: jack::AsyncClient<Told, ()>,
    at: Arc<Mutex<Vec<Instant>>>,
}

/// Where they are told, in a thread of libjack's that no sound waits for.
pub struct Told(Arc<Mutex<Vec<Instant>>>);

impl jack::NotificationHandler for Told {
    fn xrun(&mut self, _: &jack::Client) -> jack::Control {
        self.0.lock().unwrap().push(Instant::now());
        jack::Control::Continue
    }
}

impl Xruns {
    pub fn begin() -> Option<Xruns> {
        let at = Arc::<Mutex<Vec<Instant>>>::default();
        let (client, _) = jack::Client::new("xiao-xruns", jack::ClientOptions::NO_START_SERVER).ok()?;
        let _client = client.activate_async(Told(at.clone()), ()).ok()?;
        Some(Xruns { _client, at })
    }

    /// When they were told so far.
    pub fn told(&self) -> Vec<Instant> {
        self.at.lock().unwrap().clone()
    }
}

/// Binds the calling thread to a core, with a priority above JACK's; elsewhere than on Linux nobody watches.
#[cfg(not(target_os = "linux"))]
fn goes_first_on(_: usize) -> bool {
    false
}

#[cfg(target_os = "linux")]
fn goes_first_on(core: usize) -> bool {
    // SAFETY: plain calls about the calling thread, with structures that live on its stack.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set);
        let mut param: libc::sched_param = std::mem::zeroed();
        param.sched_priority = 60;
        libc::sched_setscheduler(0, libc::SCHED_FIFO, &param) == 0
    }
}
