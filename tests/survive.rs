//! Every mapping survives: learnt by its key and over real MIDI, it plays after the patch was edited, spoilt, mended and
//! saved, after the show was killed and begun anew, and whatever has happened to its device meanwhile.
//!
//! The show is the whole program, with its stage in a terminal of the test's. Skipped, with a line that says so, where
//! jackd is missing or does not start.
#![cfg(all(target_os = "linux", feature = "midi-jack"))]

#[path = "common/server.rs"]
mod server;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::FromRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use midir::os::unix::{VirtualInput, VirtualOutput};
use midir::{MidiInput, MidiInputConnection, MidiOutput, MidiOutputConnection};
use xiao::journal;
use xiao::patch;
use xiao::score::{Event, Hand, ParamId};

/// A controller and what of it is lit, as JACK clients.
const KNOBS: &str = "xiao-survive";
const LAMPS: &str = "xiao-survive-lamps";

const MINE: &str = "# mine, as I wrote it\ntitle  = 'mine'   # odd   spacing\ncontrollers = false\n[prompts]\nmoon = \"The moon\"\
                    \n\n[midi.\"xiao-survive:*\"] # left hand\ncc61   = \"sampler.top_p\"   # the big one\n# between\n\
                    cc62 = { to = \"sampler.min_p\", takeover = \"pickup\" }\n\n[params]\n\"generator.pace\" = 4 # slow\n";

#[test]
fn every_mapping_survives() {
    server::apart("every_mapping_survives", play);
}

fn play(name: &str) {
    let Some(_server) = server::Server::start(name) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut bound = of_a_fresh_patch(folder.path());
    begun_anew(folder.path(), &mut bound);
    of_a_file_with_comments(folder.path());
}

/// What is bound: a control change of the first controller, and what it plays.
type Bound = Vec<(u8, ParamId)>;

/// A patch from inside xiao, whose file is made by what is learnt. Leaves a show that was killed.
fn of_a_fresh_patch(folder: &Path) -> Bound {
    // The device is absent when the show begins.
    let mut show = Show::begin(folder, "first", "one");
    let file = folder.join("patches/first.toml");
    let mut knobs = plug_in();
    show.until("the controller", || (), |events| is_here(events, "xiao-survive:knobs"));
    let mut bound = vec![(50, show.learn(&mut knobs, 50, "patches/first.toml"))];
    let table = format!("\n[midi.\"xiao-survive:knobs\"]\ncc50 = \"{}\"\n", bound[0].1.name());
    let text = read(&file);
    assert_eq!(text.replacen(&table, "", 1), patch::builtin("first").unwrap(), "all else is as it was: {text}");
    show.all_play(&mut knobs, &bound);

    // Edited by hand, with a comment; then another is learnt into what the hand wrote.
    let by_hand =
        "# by hand\ncc52   = \"stage.hue\"  # mine\nnote42 = \"settings.store.2\"\nnote43 = \"settings.save\"\n";
    show.edit(&file, &read(&file).replacen(&table, &format!("{table}{by_hand}"), 1));
    bound.push((52, ParamId::Hue));
    show.all_play(&mut knobs, &bound);
    show.keys("\x1b[B");
    let other = show.learn(&mut knobs, 51, "patches/first.toml");
    assert_ne!(other, bound[0].1);
    bound.push((51, other));
    show.all_play(&mut knobs, &bound);

    // Settings are saved into the same file; then it is only touched.
    show.mark();
    show.until("stored", || knobs.send(&[0x90, 42, 100]).unwrap(), |events| says(events, "settings stored in place 2"));
    show.until("saved", || knobs.send(&[0x90, 43, 100]).unwrap(), |events| says(events, "settings 2 written into"));
    let text = read(&file);
    assert!(text.contains(by_hand) && text.contains("settings.2"), "{text}");
    std::fs::write(&file, &text).unwrap();
    show.all_play(&mut knobs, &bound);

    // Spoilt by hand, it plays on as it was.
    show.mark();
    std::fs::write(&file, format!("{text}[")).unwrap();
    let is_fault = |event: &Event| matches!(event, Event::Fault { .. });
    show.until("the fault", || (), |events| events.iter().any(is_fault));
    show.all_play(&mut knobs, &bound);
    show.edit(&file, &format!("{text}# mended\n"));
    show.all_play(&mut knobs, &bound);
    let knobs = devices(&mut show, knobs, &bound);
    feedback(&mut show, knobs, &file, &bound);
    show.kill();
    bound
}

/// The controller comes back under another number of JACK's, and beside another of its name.
fn devices(show: &mut Show, knobs: MidiOutputConnection, bound: &Bound) -> MidiOutputConnection {
    show.mark();
    drop(knobs);
    show.until("its leave", || (), |events| says(events, "xiao-survive:knobs is gone"));
    // JACK's numbers are for whoever comes second.
    let (first, _) = jack::Client::new(KNOBS, jack::ClientOptions::NO_START_SERVER).unwrap();
    let mut knobs = plug_in();
    show.until("another number", || (), |events| is_here(events, "xiao-survive:knobs"));
    show.all_play(&mut knobs, bound);
    drop(first);

    show.mark();
    let mut second = plug_in();
    show.until("the first's own name", || (), |events| is_here(events, "xiao-survive:knobs #2"));
    drop((knobs, second));
    show.until("their leave", || (), |events| says(events, "knobs #2 is gone") && says(events, "knobs is gone"));
    show.mark();
    let mut knobs = plug_in();
    show.until("the first", || (), |events| is_here(events, "xiao-survive:knobs"));
    second = plug_in();
    show.until("the second", || (), |events| is_here(events, "xiao-survive-01:knobs"));
    // The second is bound to something else with the same control.
    show.keys("\x1b[B");
    let id = show.learn(&mut second, 50, "xiao-survive-01:knobs");
    assert!(bound.iter().all(|(_, other)| *other != id), "{id:?}");
    show.all_play(&mut second, &vec![(50, id)]);
    show.all_play(&mut knobs, bound);
    let of = |wanted: ParamId| move |event: &Event| matches!(event, Event::Param { id, by: Hand::Midi, .. } if *id == wanted);
    let events = show.events();
    let since = events.iter().position(of(bound[0].1)).unwrap();
    assert!(!events[since..].iter().any(of(id)), "the first controller plays its own");
    knobs
}

/// What is lit is told again when the device is back, under another number too.
fn feedback(show: &mut Show, mut knobs: MidiOutputConnection, file: &Path, bound: &Bound) {
    let heard = Heard::default();
    let table = "[midi.\"xiao-survive:knobs\"]\n";
    let told = format!("{table}feedback = \"{LAMPS}:lamps\"\n");
    show.edit(file, &read(file).replacen(table, &told, 1));
    let lamps = lit(&heard);
    let all = |heard: &Heard| {
        let heard = heard.lock().unwrap();
        bound.iter().all(|(cc, _)| heard.iter().any(|bytes| bytes[..2] == [0xb0, *cc]))
    };
    show.until("what is lit", || (), |_| all(&heard));
    drop(lamps);
    show.mark();
    show.until("its leave", || (), |events| says(events, "xiao-survive-lamps:lamps is gone"));
    heard.lock().unwrap().clear();
    // Moved meanwhile.
    show.all_play(&mut knobs, bound);
    let (_first, _) = jack::Client::new(LAMPS, jack::ClientOptions::NO_START_SERVER).unwrap();
    let _lamps = lit(&heard);
    let last = |heard: &Heard, (cc, id): &(u8, ParamId)| {
        let at = |told: u8| id.spec().at(f32::from(told) / 127.0);
        let told = heard.lock().unwrap().iter().rev().find(|bytes| bytes[..2] == [0xb0, *cc]).map(|bytes| at(bytes[2]));
        told.is_some_and(|told| show.value(*id).is_some_and(|value| (told - value).abs() < 1e-3))
    };
    show.until("what is lit, again", || (), |_| bound.iter().all(|of| last(&heard, of)));
}

/// The same from its file, in a show of its own.
fn begun_anew(folder: &Path, bound: &mut Bound) {
    let mut show = Show::begin(folder, "first", "two");
    let mut knobs = plug_in();
    show.until("the controller", || (), |events| is_here(events, "xiao-survive:knobs"));
    show.all_play(&mut knobs, bound);
    let other = plug_in();
    show.until("the second", || (), |events| is_here(events, "xiao-survive-01:knobs"));
    let mut second = other;
    let text = read(&folder.join("patches/first.toml"));
    let (_, table) = text.split_once("[midi.\"xiao-survive-01:knobs\"]\ncc50 = \"").unwrap();
    let id = ParamId::from_name(table.split('"').next().unwrap()).unwrap();
    show.all_play(&mut second, &vec![(50, id)]);
    show.end();
}

/// A performer's own file, with the device there from the beginning.
fn of_a_file_with_comments(folder: &Path) {
    let file = folder.join("mine.toml");
    std::fs::write(&file, MINE).unwrap();
    let mut knobs = plug_in();
    let mut show = Show::begin(folder, "mine.toml", "three");
    show.until("the controller", || (), |events| is_here(events, "xiao-survive:knobs"));
    let id = show.learn(&mut knobs, 60, "mine.toml");
    let line = format!("cc60 = \"{}\"\n", id.name());
    let text = read(&file);
    assert!(text.contains(&format!("takeover = \"pickup\" }}\n{line}")), "{text}");
    assert_eq!(text.replacen(&line, "", 1), MINE, "all else byte for byte");
    let bound = vec![(60, id), (61, ParamId::TopP)];
    show.all_play(&mut knobs, &bound);
    show.kill();
    let mut show = Show::begin(folder, "mine.toml", "four");
    show.until("the controller", || (), |events| is_here(events, "xiao-survive:knobs"));
    show.all_play(&mut knobs, &bound);
    show.end();
    assert_eq!(read(&file), text);
}

/// The program at work, in a terminal.
struct Show {
    child: Child,
    keys: File,
    recording: PathBuf,
    /// How many events there were before those that are looked at.
    from: usize,
    /// How often all controls were moved.
    times: u8,
}

impl Show {
    /// Begins and waits until the hands are there.
    fn begin(folder: &Path, patch: &str, recording: &str) -> Show {
        let (keys, terminal) = terminal();
        let child = Command::new(env!("CARGO_BIN_EXE_xiao"))
            .args(["play", patch, "--stage", "terminal", "--sound", "none", "--record", recording, "--seed", "1"])
            .current_dir(folder)
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env("TERM", "xterm-256color")
            .stdin(terminal.try_clone().unwrap())
            .stdout(terminal)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let show = Show { child, keys, recording: folder.join(recording), from: 0, times: 0 };
        let hands = |event: &Event| matches!(event, Event::Select { .. });
        show.until("the hands", || (), |events| events.iter().any(hands));
        show
    }

    /// Events from the last mark on; a recording is brought up to date four times a second.
    fn events(&self) -> Vec<Event> {
        let all = journal::read(&self.recording).map_or_else(|_| Vec::new(), |r| r.events);
        all.into_iter().skip(self.from).map(|stamped| stamped.event).collect()
    }

    /// What has happened so far is not looked at any more.
    fn mark(&mut self) {
        self.from += self.events().len();
    }

    fn until(&self, what: &str, mut each: impl FnMut(), done: impl Fn(&[Event]) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(40);
        while !done(&self.events()) {
            assert!(Instant::now() < deadline, "{what}: {:?}", self.events().iter().rev().take(20).collect::<Vec<_>>());
            each();
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Learns a control for the parameter that is chosen, which is returned.
    fn learn(&mut self, knobs: &mut MidiOutputConnection, cc: u8, into: &str) -> ParamId {
        self.mark();
        self.keys("L");
        self.until("learning", || (), |events| says(events, ": move a control"));
        let mut at = 20;
        let fader = || {
            at = (at + 1) % 100;
            knobs.send(&[0xb0, cc, at]).unwrap();
        };
        let wanted = format!("cc{cc} of ");
        let is_written = |text: &str| text.starts_with(&wanted) && text.contains(into) && text.contains("written into");
        self.until("what is learnt", fader, |events| notices(events).any(is_written));
        let events = self.events();
        let text = notices(&events).find(|text| is_written(text)).unwrap();
        let name = text.split(" plays ").nth(1).unwrap().split(',').next().unwrap();
        ParamId::from_name(name).unwrap()
    }

    /// Writes the file as an editor does, and waits until it is taken up.
    fn edit(&mut self, file: &Path, text: &str) {
        self.mark();
        let new = file.with_extension("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(&new, file).unwrap();
        self.until("the edit", || (), |events| says(events, "the patch was taken up anew"));
    }

    /// Moves each control up and down until its parameter has followed both ways.
    fn all_play(&mut self, knobs: &mut MidiOutputConnection, bound: &Bound) {
        self.mark();
        // Other values each time: what was moved before the mark may be recorded behind it.
        self.times += 1;
        let ways = [self.times, 127 - self.times];
        let mut round = 0;
        let send = || {
            round += 1;
            bound.iter().for_each(|(cc, _)| knobs.send(&[0xb0, *cc, ways[round % 2]]).unwrap());
        };
        let stood = |events: &[Event], id: ParamId, at: u8| {
            let wanted = id.spec().at(f32::from(at) / 127.0);
            events.iter().any(|event| match event {
                Event::Param { id: moved, value, by: Hand::Midi } => *moved == id && (value - wanted).abs() < 1e-3,
                _ => false,
            })
        };
        let followed = |events: &[Event]| bound.iter().all(|(_, id)| ways.iter().all(|at| stood(events, *id, *at)));
        self.until(&format!("{bound:?}"), send, followed);
    }

    /// Where a parameter stands.
    fn value(&self, wanted: ParamId) -> Option<f32> {
        self.events().iter().rev().find_map(|event| match event {
            Event::Param { id, value, .. } if *id == wanted => Some(*value),
            _ => None,
        })
    }

    /// Ends it in order.
    fn end(mut self) {
        self.keys("q");
        let deadline = Instant::now() + Duration::from_secs(40);
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(self.child.wait().unwrap().success());
    }

    /// Ends it without a warning.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Show {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A terminal of a show: keys go in at the first; what it shows is thrown away.
fn terminal() -> (File, File) {
    let size = libc::winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
    let (mut ours, mut its) = (0, 0);
    // SAFETY: both descriptors are written before they are read, and belong to nobody else.
    let (ours, its) = unsafe {
        assert_eq!(libc::openpty(&mut ours, &mut its, std::ptr::null_mut(), std::ptr::null(), &size), 0);
        (File::from_raw_fd(ours), File::from_raw_fd(its))
    };
    let mut shown = ours.try_clone().unwrap();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while shown.read(&mut bytes).is_ok_and(|read| read > 0) {}
    });
    (ours, its)
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

fn notices(events: &[Event]) -> impl Iterator<Item = &str> {
    events.iter().filter_map(|event| match event {
        Event::Notice { text } => Some(text.as_str()),
        _ => None,
    })
}

fn says(events: &[Event], words: &str) -> bool {
    notices(events).any(|text| text.contains(words))
}

fn is_here(events: &[Event], port: &str) -> bool {
    notices(events).any(|text| {
        text.strip_prefix("MIDI: ")
            .and_then(|text| text.strip_prefix(port))
            .is_some_and(|text| text.starts_with(" is here"))
    })
}

fn plug_in() -> MidiOutputConnection {
    MidiOutput::new(KNOBS).unwrap().create_virtual("knobs").unwrap()
}

type Heard = Arc<Mutex<Vec<Vec<u8>>>>;

fn lit(heard: &Heard) -> MidiInputConnection<()> {
    let heard = heard.clone();
    let hear = move |_: u64, bytes: &[u8], _: &mut ()| heard.lock().unwrap().push(bytes.to_vec());
    MidiInput::new(LAMPS).unwrap().create_virtual("lamps", hear, ()).unwrap()
}
