//! The hands' part in settings: they recall them, store the parameters as they stand, and write what was stored into the
//! patch's file when they are asked to.

#[cfg(test)]
mod tests;

use super::State;
use super::crossing::Crossing;
use super::undo::Undo;
use crate::patch::Patch;
use crate::patch::settings::{PLACES, Setting, place, write};
use crate::score::{Action, Event, Hand, ParamId, SettingsAsk, When};

/// What the hands remember of settings.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// What was stored while playing and is not in the patch yet, by its place.
    stored: [Option<Setting>; PLACES],
    /// The name of the settings that were recalled or stored last, if no scene has begun since.
    last: Option<String>,
    pub undo: Undo,
    pub crossing: Crossing,
}

impl State {
    pub(super) fn settings(&mut self, ask: SettingsAsk, by: Hand) {
        match ask {
            SettingsAsk::Store(at) if usize::from(at) < PLACES => self.store(usize::from(at)),
            SettingsAsk::Store(_) => self.say("settings are stored in one of the places 1 to 8"),
            SettingsAsk::RecallNth(at) => self.recall(&(at + 1).to_string()),
            SettingsAsk::Recall(name) => self.recall(&name),
            SettingsAsk::Save => self.save_settings(),
            SettingsAsk::Undo => self.undo(by),
        }
    }

    /// The settings of this name. What was stored while playing goes before what the patch has in the same place.
    pub(super) fn setting(&self, name: &str) -> Result<Setting, String> {
        match place(name).and_then(|at| self.kept.stored[at].clone()) {
            Some(stored) => Ok(stored),
            None => self.hands.patch.settings.find(name).cloned(),
        }
    }

    fn recall(&mut self, name: &str) {
        let setting = match self.setting(name) {
            Ok(setting) => setting,
            Err(why) => return self.say(&why),
        };
        let over_s = setting.over_s.unwrap_or_else(|| self.hands.params.get(ParamId::SettingsOver));
        self.lead_to(&setting, over_s);
        if let Some(second) = setting.blend {
            self.act(Action::BlendNth(Some(second)), Hand::Settings);
        }
        if let Some(at) = setting.prompt {
            self.play(at, When::Now);
        }
    }

    /// Leads the parameters to where settings have them.
    fn lead_to(&mut self, setting: &Setting, over_s: f32) {
        let before = self.before(&setting.params);
        self.kept.undo.note(format!("settings {}", setting.name), before);
        self.kept.last = Some(setting.name.clone());
        self.hands.bus.emit(Event::Settings { name: setting.name.clone(), over_s });
        let (now_ns, params) = (self.hands.bus.clock().now_ns(), setting.params.iter().copied());
        self.course.glides.lead(params, (over_s, Hand::Settings), now_ns, &self.hands.params, &mut self.asks);
        self.answer();
    }

    /// Brings the last settings back at once, their parameters alone: the text goes on.
    pub(super) fn recall_last(&mut self) {
        if let Some(Ok(setting)) = self.kept.last.clone().map(|name| self.setting(&name)) {
            self.lead_to(&setting, 0.0);
        }
    }

    /// A scene begins: it is where the piece is now.
    pub(super) fn scene_begins(&mut self, name: &str) {
        if let Some(at) = self.hands.patch.plan.place(name) {
            let scene = &self.hands.patch.plan.scenes[at];
            let before = self.with_crossed(self.before(&scene.params));
            self.kept.last = scene.settings.clone();
            self.kept.undo.note(format!("scene {name}"), before);
        }
    }

    fn store(&mut self, at: usize) {
        let held = ParamId::ALL.iter().filter(|id| self.hands.patch.settings.holds(**id));
        let params = held.map(|id| (*id, self.hands.params.get(*id)));
        let name = (at + 1).to_string();
        // What stands in that place and is not stored, as its prompt and how long a recall takes, stays.
        let there =
            self.kept.stored[at].as_ref().or_else(|| self.hands.patch.settings.named.iter().find(|s| s.name == name));
        let mut setting = Setting { name: name.clone(), ..there.cloned().unwrap_or_default() };
        for (id, value) in params {
            setting.params.retain(|(other, _)| *other != id);
            setting.params.push((id, value));
        }
        self.say(&format!("settings stored in place {name}"));
        self.kept.last = Some(name);
        self.kept.stored[at] = Some(setting);
    }

    fn save_settings(&mut self) {
        let stored: Vec<Setting> = self.kept.stored.iter().flatten().cloned().collect();
        if stored.is_empty() {
            return self.say("no settings were stored that the patch has not");
        }
        match self.rewrite(|text| write(text, &stored)) {
            Ok(file) => {
                self.kept.stored = Default::default();
                let places: Vec<&str> = stored.iter().map(|setting| setting.name.as_str()).collect();
                self.say(&format!("settings {} written into {file}", places.join(", ")));
            }
            Err(what) => {
                let remedy = "nothing was written, and what was stored is there until the end; mend the file".into();
                self.hands.bus.emit(Event::Fault { place: "settings".into(), what, remedy });
            }
        }
    }

    /// A changed patch is about to set what it changed. It goes before what was stored in the places that it changed.
    pub(super) fn take_settings(&mut self, old: &Patch) {
        let before = self.before(self.hands.patch.params.iter().filter(|param| !old.params.contains(param)));
        self.kept.undo.note("what the patch changed".into(), before);
        let new = &self.hands.patch.settings;
        for (at, stored) in self.kept.stored.iter_mut().enumerate() {
            let name = (at + 1).to_string();
            if new.get(&name) != old.settings.get(&name) {
                *stored = None;
            }
        }
    }
}
