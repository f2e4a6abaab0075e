//! What each command makes the worker do, at once and on its own thread.

use super::{Command, Event, Layered, Phase, Player, Restored, Second, Template};

impl Player {
    pub(super) fn carry_out(&mut self, command: Command) {
        match command {
            Command::Prompt { name, text, when } => self.choose((name, text), when),
            Command::Unqueue => self.unqueue(),
            Command::Hold { name, text } => self.hold(name, text),
            Command::LetGo(name) => self.let_go(&name),
            Command::Layer { name, text } => self.layer(name, &text),
            Command::Again => {
                if self.prompt.is_some() {
                    // A prompt that is still to be asked is asked for the first time.
                    self.again |= self.phase != Phase::Begin;
                    self.begin_soon();
                }
            }
            // A model that is gone has nothing to go back in; nor has a prompt that is still to be read.
            _ if matches!(self.phase, Phase::Fault(_) | Phase::Idle | Phase::Begin | Phase::Read)
                && !matches!(
                    command,
                    Command::Matrix(_)
                        | Command::Sampler(_)
                        | Command::Chat(_)
                        | Command::Crash
                        | Command::Blend { .. }
                ) =>
            {
                self.notice("there is no piece to go back in just now");
            }
            Command::Rewind(n) => match self.generator.rewind(n) {
                Some(rewound) => self.rewound(rewound),
                None => self.notice("there is nothing to take back"),
            },
            Command::Branch => {
                let branched = self.generator.branch();
                self.branched(branched, "there is no other road to take");
            }
            Command::BranchAtLeap => {
                let branched = self.generator.branch_at_leap();
                self.branched(branched, "the piece has not leapt");
            }
            Command::Escape => match self.generator.escape() {
                Some(period) => self.notice(&format!("out of the loop of {period} tokens")),
                None => self.notice("the piece is in no loop"),
            },
            Command::Snapshot(slot) => {
                if self.generator.snapshot(slot) {
                    self.kept[usize::from(slot)] = (self.prompt.clone(), self.blend.clone());
                    self.bus.emit(Event::Snapshot { slot });
                }
            }
            Command::Restore(slot) => match self.generator.restore(slot) {
                Some(restored) => {
                    self.raise_waiting();
                    self.drop_holds();
                    let (prompt, blend) = self.kept[usize::from(slot)].clone();
                    self.prompt = prompt;
                    self.came_back(slot, restored, blend);
                }
                None => self.notice(&format!("nothing was kept as {}", slot + 1)),
            },
            Command::Blend { name, text } => {
                let text = self.fill(&text);
                match self.generator.blend_with(Some(text.as_str()).filter(|text| !text.is_empty())) {
                    Ok(tokens) => {
                        self.blend = (!text.is_empty()).then(|| ((name.clone(), text.clone()), tokens));
                        self.bus.emit(Event::Blend { name, text, tokens });
                    }
                    Err(problem) => self.notice(&problem.to_string()),
                }
            }
            Command::Matrix(matrix) => self.modulation.take(matrix),
            Command::Chat(chat) => {
                self.generator.set_manner(chat.clone());
                self.chat = chat;
            }
            Command::Sampler(spec) => {
                self.sampler = spec;
                self.take_plan(true);
            }
            Command::Crash => panic!("the performer broke the generator"),
        }
    }

    /// Puts words into the piece, and has them read.
    fn layer(&mut self, name: Option<String>, text: &Template) {
        match self.phase {
            Phase::Idle => return self.notice("there is no piece yet to put words into"),
            Phase::Fault(_) => return self.notice("the model is gone just now: there is no piece to put words into"),
            Phase::Begin | Phase::Read => return self.notice("words are put in once the prompt has been read"),
            Phase::Compute | Phase::Ready | Phase::Rest(_) => {}
        }
        let words = self.fill(text);
        let Some(Layered { index, tokens, text, left_out, forgot }) = self.generator.layer(&words) else { return };
        self.bus.emit(Event::Layer { name, text, tokens, index });
        if left_out > 0 {
            self.notice(&format!("too much for the context: the first {left_out} tokens were left out"));
        }
        if let Some(forgot) = forgot {
            self.forgot(forgot);
        }
        self.go_on();
        self.phase = Phase::Read;
    }

    /// Tells that the piece is again what it was, and goes on with it.
    pub(super) fn came_back(&mut self, slot: u8, restored: Restored, blend: Option<Second>) {
        let Restored { prompt, text, given, index } = restored;
        let name = self.prompt.as_ref().and_then(|(name, _)| name.clone());
        let ended = self.generator.ended();
        self.bus.emit(Event::Restore { slot, name, prompt, text, index, ended, given });
        if blend != self.blend {
            self.blend = blend;
            let ((name, text), tokens) = self.blend.clone().unwrap_or_default();
            self.bus.emit(Event::Blend { name, text, tokens });
        }
        self.go_on();
        if ended {
            self.rest();
        }
    }
}
