//! Learning at work: a target waits for a control, what is heard is told, and what was learnt goes into the patch's file.
//!
//! While it listens no MIDI plays. Writing is the only thing here that touches a file: a patch of the performer's is
//! written anew whole or not at all, one from inside xiao is first put beside the others under its own name.

#[cfg(test)]
mod tests;

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::State;
use crate::control;
use crate::control::decoder::Said;
use crate::control::learn::{Learn, Learnt};
use crate::control::mapping::{KEYS, matches};
use crate::patch::hands::Encoder;
use crate::patch::{self, Binding, Kind, Patch, write};
use crate::score::{Action, Event, Hand, Key};

/// So many times the travel of what it is learnt for a stick moves in a second.
const STICK_SPEED: f64 = 0.5;

/// A target that waits for a control.
pub(super) struct Learning {
    learn: Learn,
    forced: bool,
    /// A prompt of the bank; none is the parameter that the arrow keys move.
    prompt: Option<String>,
}

/// A patch's text as it was found, for one that has no file yet.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// What the patch was asked for by.
    pub name: String,
    pub text: String,
}

impl State {
    /// Begins to listen; asked again, to the reserved controls as well; once more, no longer.
    pub(super) fn learn(&mut self) {
        let Some(forced) = self.learning.as_ref().map(|learning| learning.forced) else {
            return self.listen(false, None);
        };
        let prompt = self.learning.take().and_then(|learning| learning.prompt);
        match forced {
            false => self.listen(true, prompt),
            true => self.say("nothing was learnt"),
        }
    }

    fn listen(&mut self, forced: bool, prompt: Option<String>) {
        // What is pressed now would be let go unheard.
        self.let_go(None);
        self.learning = Some(Learning { learn: Learn::new(forced), forced, prompt });
        let target = self.target();
        let how = match forced {
            false => "move a control; a digit: that prompt; L: reserved ones too; Esc: leave",
            true => "move a control, a reserved one as well; L or Esc: leave",
        };
        let here = self.pads > 0 || !self.ports.is_empty();
        let absent = if here { "" } else { "; no MIDI input is here yet: plug one in, or press F1 to F12, but F11" };
        self.say(&format!("learn {target}: {how}{absent}"));
    }

    /// True if the key was for the learning.
    pub(super) fn learning_key(&mut self, key: Key) -> bool {
        let Some(learning) = &mut self.learning else { return false };
        match key {
            Key::Escape => {
                self.learning = None;
                self.say("nothing was learnt");
            }
            Key::Char(c @ '1'..='9') => {
                let at = c as usize - '1' as usize;
                let Some(prompt) = self.hands.patch.prompts.get(at) else {
                    self.say(&format!("the patch has no prompt {c}"));
                    return true;
                };
                learning.prompt = Some(prompt.name.clone());
                let target = self.target();
                self.say(&format!("learn {target}: move a control"));
            }
            // What the other keys do is known, and these do nothing by themselves.
            Key::Function(n) if n != 11 => {
                let now_ns = self.hands.bus.clock().now_ns();
                learning.learn.hear(Kind::Keyboard, "the keyboard", Said::pressed(patch::Source::Function(n)), now_ns);
            }
            _ => return false,
        }
        true
    }

    /// The arrow keys chose another parameter.
    pub(super) fn learn_selected(&mut self) {
        if let Some(learning) = &mut self.learning {
            learning.prompt = None;
            let target = self.target();
            self.say(&format!("learn {target}: move a control"));
        }
    }

    /// What is learnt, in the words of a patch.
    fn target(&self) -> String {
        match self.learning.as_ref().and_then(|learning| learning.prompt.as_ref()) {
            Some(prompt) => format!("prompt.{prompt}"),
            None => self.selected.name().to_string(),
        }
    }

    /// Hears a message; true while it listens, and then nothing else is to be made of the message.
    pub(super) fn learn_from(&mut self, message: &control::Message) -> bool {
        let Some(learning) = &mut self.learning else { return false };
        let now_ns = self.hands.bus.clock().now_ns();
        let params = self.hands.params.clone();
        let mut heard = |said| learning.learn.hear(Kind::Midi, &message.port, said, now_ns);
        // The mapping hears it too, so that its pickups know where the control stands.
        let mut actions = Vec::new();
        self.mapping.message(&message.port, message.bytes(), &|id| params.get(id), &mut actions, &mut heard);
        if actions.contains(&Action::Panic) {
            self.act(Action::Panic, Hand::Midi);
        }
        true
    }

    /// The same for what a gamepad said.
    #[cfg(feature = "gamepad")]
    pub(super) fn learn_from_pad(&mut self, name: &str, said: Said) -> bool {
        let Some(learning) = &mut self.learning else { return false };
        learning.learn.hear(Kind::Gamepad, name, said, self.hands.bus.clock().now_ns());
        let params = self.hands.params.clone();
        let mut actions = Vec::new();
        self.mapping.said(Kind::Gamepad, name, said, &|id| params.get(id), &mut actions);
        if actions.contains(&Action::Panic) {
            self.act(Action::Panic, Hand::Gamepad);
        }
        true
    }

    /// Takes what was learnt, to be called at each tick.
    pub(super) fn tend_learning(&mut self) {
        let now_ns = self.hands.bus.clock().now_ns();
        let Some(learning) = &mut self.learning else { return };
        if let Some(learnt) = learning.learn.learnt(now_ns) {
            self.learnt(learnt);
        } else if let Some((source, why)) = learning.learn.refused(now_ns) {
            self.say(&format!("{source} is {why}, and would move by itself: take another, or L for this one"));
        }
    }

    fn learnt(&mut self, learnt: Learnt) {
        let target = self.target();
        self.learning = None;
        // A prompt is pressed, and of many programs it is one.
        let source = learnt.press.filter(|_| target.starts_with("prompt.")).unwrap_or(learnt.source);
        let learnt = Learnt { source, ..learnt };
        let port = if learnt.kind == Kind::Keyboard { KEYS.to_string() } else { learnt.port.clone() };
        let before = self.mapping.all_played_by(learnt.kind, &port, source, learnt.channel).into_iter().next();
        let pattern = table_of(&self.hands.patch, learnt.kind, &learnt.port);
        let control = match learnt.channel {
            None | Some(0) => learnt.source.to_string(),
            Some(channel) => format!("ch{}-{}", channel + 1, learnt.source),
        };
        let word = |coding: Encoder| Encoder::WORDS.iter().find(|(_, known)| *known == coding).map(|(word, _)| *word);
        let option = match learnt.source {
            // A prompt is pressed, whatever presses it.
            _ if target.starts_with("prompt.") => None,
            // A stick comes back by itself.
            source @ patch::Source::Axis(_) if source.rests_in_the_middle() => Some(("speed", STICK_SPEED.into())),
            _ => learnt.encoder.and_then(word).map(|coding| ("encoder", coding.into())),
        };
        let written = self.rewrite(|text| write::bind(text, learnt.kind, &pattern, &control, &target, option.clone()));
        let file = match written {
            Ok(file) => file,
            Err(why) => return self.fail(why),
        };
        let mut text = format!("{control} of {} plays {target}, written into {file}", learnt.port);
        // One on any channel beside it plays on.
        let now = self.mapping.all_played_by(learnt.kind, &port, source, learnt.channel);
        if let Some(was) = before.filter(|was| *was != target && !now.contains(was)) {
            text += &format!("; before, it played {was}");
        }
        let same_control = |b: &Binding| b.source == learnt.source && b.channel != learnt.channel.filter(|c| *c > 0);
        for other in others(&self.hands.patch, learnt.kind, &pattern, same_control) {
            text += &format!("; so it does {}", other.target);
        }
        let (table, this) = (pattern.clone(), control.clone());
        let same_target = |b: &Binding| b.target.to_string() == target && word_of(b) != this;
        let also: Vec<String> =
            others(&self.hands.patch, learnt.kind, &table, same_target).map(|b| word_of(&b)).collect();
        if !also.is_empty() {
            text += &format!("; {} there plays it as well", also.join(", "));
        }
        self.say(&text);
    }

    /// Takes every control from the chosen parameter, or from the prompt that waits for one.
    pub(super) fn unlearn(&mut self) {
        let target = self.target();
        self.learning = None;
        if !self.hands.patch.controllers.iter().any(|c| c.bindings.iter().any(|b| b.target.to_string() == target)) {
            return self.say(&format!("no control of the patch plays {target}{}", self.plays_still(&target)));
        }
        let mut gone = Vec::new();
        let written = self.rewrite(|text| {
            let (text, controls) = write::unbind(text, &target)?;
            gone = controls;
            Ok(text)
        });
        match written {
            Ok(file) => {
                let plays = if gone.len() == 1 { "plays" } else { "play" };
                let still = self.plays_still(&target);
                self.say(&format!("{} no longer {plays} {target}, taken out of {file}{still}", gone.join(", ")));
            }
            Err(why) => self.fail(why),
        }
    }

    /// What plays a target by a map that xiao has, of the controllers that have spoken.
    fn plays_still(&self, target: &str) -> String {
        let still = self.mapping.that_play(target);
        let named: Vec<String> = still.iter().map(|(source, port)| format!("{source} of {port}")).collect();
        if named.is_empty() { String::new() } else { format!("; by its map {} does", named.join(", ")) }
    }

    /// Changes the text of the patch's file and plays the patch that it makes; says which file that is.
    pub(super) fn rewrite(&mut self, edit: impl FnOnce(&str) -> Result<String, String>) -> Result<String, String> {
        let path = self.hands.patch_file.as_ref().map(|watch| watch.path().to_path_buf());
        let named = |path: &Path, e: io::Error| format!("{}: {e}", path.display());
        let old = match &path {
            Some(path) => std::fs::read_to_string(path).map_err(|e| named(path, e))?,
            None => self.hands.source.text.clone(),
        };
        let text = edit(&old)?;
        let file = path.clone().unwrap_or_else(|| new_path(&self.hands.source.name));
        let patch = patch::parse(&file.display().to_string(), &text).map_err(|e| e.to_string())?;
        let file = match path {
            Some(path) => replace(&path, &text).map(|()| path).map_err(|e| named(&file, e))?,
            None => create(file, &text)?,
        };
        self.hands.patch_file = Some(patch::Watch::new(&file, &text));
        let name = file.display().to_string();
        self.take_patch(patch, name.clone(), text);
        Ok(name)
    }

    fn fail(&self, what: String) {
        let remedy = "nothing was written; mend the file and learn again".into();
        self.hands.bus.emit(Event::Fault { place: "learn".into(), what, remedy });
    }
}

/// The table that a port's controls belong to: of those that are about it the one that says most of its name, else one of
/// its own.
fn table_of(patch: &Patch, kind: Kind, port: &str) -> String {
    if kind == Kind::Keyboard {
        return "*".into();
    }
    let says = |pattern: &str| pattern.chars().filter(|c| *c != '*').count();
    let about = patch.controllers.iter().filter(|c| c.kind == kind && !c.gives_way && matches(&c.pattern, port));
    let best = about.map(|c| c.pattern.as_str()).filter(|pattern| says(pattern) > 0).max_by_key(|p| says(p));
    best.unwrap_or(port).to_string()
}

/// The bindings of a table that are so.
fn others<'a>(
    patch: &'a Patch,
    kind: Kind,
    pattern: &'a str,
    wanted: impl Fn(&Binding) -> bool + 'a,
) -> impl Iterator<Item = Binding> + 'a {
    let table = patch.controllers.iter().filter(move |c| c.kind == kind && c.pattern == pattern);
    table.flat_map(|c| c.bindings.iter()).filter(move |b| wanted(b)).cloned()
}

/// A control in the words of a patch.
fn word_of(binding: &Binding) -> String {
    match binding.channel {
        Some(channel) => format!("ch{}-{}", channel + 1, binding.source),
        None => binding.source.to_string(),
    }
}

/// Where a patch from inside xiao is put.
fn new_path(name: &str) -> PathBuf {
    Path::new("patches").join(name).with_extension("toml")
}

/// Puts a file where none is.
fn create(path: PathBuf, text: &str) -> Result<PathBuf, String> {
    let failed = |e: io::Error| match e.kind() {
        ErrorKind::AlreadyExists => {
            format!("{} has come since the show began; play that one, or move it away", path.display())
        }
        _ => format!("{}: {e}", path.display()),
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = std::fs::File::create_new(&path).map_err(failed)?;
    if let Err(why) = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()) {
        // Half a patch would go before the whole one.
        let _ = std::fs::remove_file(&path);
        return Err(failed(why));
    }
    Ok(path)
}

/// Puts another text in the place of a file's: whole, or not at all. A link stays one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = std::fs::canonicalize(path)?;
    let permissions = std::fs::metadata(&path)?.permissions();
    if permissions.readonly() {
        return Err(io::Error::new(ErrorKind::PermissionDenied, "it is kept from being written"));
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = (|| {
        let mut file = std::fs::File::create_new(&part)?;
        file.set_permissions(permissions)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&part, &path)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    written
}
