//! The hands' part in the patch's file: they look whether it was saved, and take up what is good.

use super::State;
use crate::control::known;
use crate::model::Command;
use crate::patch::{self, Patch, Template};
use crate::score::{Event, Hand, MorphSide};
use crate::session::tuning;

impl State {
    pub(super) fn look_at_files(&mut self) {
        let fault = |place: String, what: String| Event::Fault {
            place,
            what,
            remedy: "the last good one plays on; mend the file and save it".into(),
        };
        if let Some(watch) = &mut self.hands.patch_file
            && let Some(read) = watch.changed()
        {
            let file = watch.path().display().to_string();
            let taken = read
                .map_err(|e| format!("{file}: {e}"))
                .and_then(|text| patch::parse(&file, &text).map(|patch| (patch, text)).map_err(|e| e.to_string()));
            match taken {
                Ok((patch, text)) => self.take_patch(patch, file, text),
                Err(what) => drop(self.hands.bus.emit(fault("patch".into(), what))),
            }
        }
        self.look_at_shader();
    }

    /// Takes up a changed patch. Only what the file changed is set, so that no knob jumps back.
    pub(super) fn take_patch(&mut self, mut patch: Patch, file: String, text: String) {
        patch.chat.take(self.hands.raw, self.hands.system.as_deref());
        let old = std::mem::replace(&mut self.hands.patch, patch);
        let seq = self.hands.bus.emit(Event::Patch { name: file, text });
        self.take_settings(&old);
        for param in self.hands.patch.params.clone() {
            if !old.params.contains(&param) {
                self.set(param.0, param.1, Hand::Patch);
            }
        }
        let patch = &self.hands.patch;
        self.command(Command::Matrix(patch.matrix.clone()));
        if patch.chat != old.chat {
            self.command(Command::Chat(patch.chat.clone()));
        }
        let second =
            |patch: &Patch| patch.blend.map(|at| (patch.prompts[at].name.clone(), patch.prompts[at].template.clone()));
        if second(patch) != second(&old) {
            let (name, text) = second(patch).map_or((None, Template::default()), |(name, text)| (Some(name), text));
            self.command(Command::Blend { name, text });
        }
        if patch.sampler != old.sampler {
            self.command(Command::Sampler(patch.sampler.clone()));
        }
        if let Some(sound) = &mut self.hands.sound
            && !sound.take_matrix(seq, patch.matrix.clone())
        {
            let text = "the sound does not answer: it plays on with the matrix that it had".into();
            self.hands.bus.emit(Event::Notice { text });
        }
        for (event, changed) in morph(patch).into_iter().zip([0, 1].map(|i| patch.morph[i] != old.morph[i])) {
            if changed {
                self.hands.bus.emit(event);
            }
        }
        // Its files may have been mended meanwhile, so they are read again.
        let path = self.hands.patch_file.as_ref().map(patch::Watch::path);
        match tuning::read(patch, path) {
            Ok(tuning) if tuning == self.hands.tuning => {}
            Ok(tuning) => {
                self.hands.tuning = tuning.clone();
                self.hands.bus.emit(tuning);
            }
            Err(what) => drop(self.hands.bus.emit(tuning::fault(what))),
        }
        self.hands.network.take(patch);
        let patch = &self.hands.patch;
        // What is not changed stays as the hands left it: pickups that have met, the prompt being played.
        let [now, before] = [patch, &old].map(|p| (&p.controllers, &p.prompts, p.known_controllers));
        if now != before {
            // What is pressed under the old bindings would not be let go under the new.
            self.let_go(None);
            self.mapping.take(&known::behind(&self.hands.patch));
        }
        let patch = &self.hands.patch;
        let now_at = |was: usize| patch.prompts.iter().position(|p| p.name == old.prompts[was].name).unwrap_or(0);
        (self.prompt, self.playing) = (now_at(self.prompt), now_at(self.playing));
        let other_samples = patch.samples != old.samples || self.samples.failed();
        let other_shader = (patch.shader != old.shader).then(|| patch.shader.clone());
        let (same_model, plan) = (patch.model == old.model, patch.plan.clone());
        self.tell_listeners();
        self.take_tempo();
        if other_samples {
            self.want_samples();
        }
        if let Some(name) = other_shader {
            self.shade(&name);
        }
        if plan != old.plan {
            self.take_plan(plan);
        }
        let text = match same_model {
            true => "the patch was taken up anew".into(),
            false => "the patch was taken up anew; its other model comes with the next performance".into(),
        };
        self.hands.bus.emit(Event::Notice { text });
    }
}

/// The ends of the morph that a patch brings.
pub(in crate::session) fn morph(patch: &Patch) -> [Event; 2] {
    let [first, second] = &patch.morph;
    [(MorphSide::First, first), (MorphSide::Second, second)]
        .map(|(side, values)| Event::Morph { side, values: values.clone() })
}
