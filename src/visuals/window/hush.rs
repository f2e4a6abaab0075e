//! While the windows are open, a panic of the main thread or of bevy's is kept for the fault that will tell it, and not
//! printed over the performer's terminal. Other threads' panics go where they went.

use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::{Arc, Mutex};

use super::lock;

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// What the first panic said.
static FIRST: Mutex<Option<String>> = Mutex::new(None);

/// Until it is dropped.
pub struct Hush(Arc<Mutex<Option<Hook>>>);

impl Hush {
    pub fn begin() -> Hush {
        lock(&FIRST).take();
        let before = Arc::new(Mutex::new(Some(take_hook())));
        let hook = before.clone();
        set_hook(Box::new(move |info| {
            let thread = std::thread::current();
            // Bevy's render thread has no name, and every one of ours has.
            if thread.name().is_none_or(|name| name == "main" || name.contains("Task Pool")) {
                let text = info.payload_as_str().unwrap_or("it ended without a reason");
                lock(&FIRST).get_or_insert_with(|| one_line(text));
            } else if let Some(before) = &*lock(&hook) {
                before(info);
            }
        }));
        Hush(before)
    }
}

/// The first panic's words.
pub fn said() -> Option<String> {
    lock(&FIRST).clone()
}

impl Drop for Hush {
    fn drop(&mut self) {
        // A hook cannot be changed by a thread that panics; it may stay then.
        if !std::thread::panicking() {
            drop(take_hook());
            if let Some(before) = lock(&self.0).take() {
                set_hook(before);
            }
        }
    }
}

/// The lines of a driver's message in one, not too long.
pub fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(", ").chars().take(300).collect()
}
