//! One step of generation at a time, on whichever thread calls it: the worker's, or the main one for `say`.
//!
//! A step has two halves. [`Generator::advance`] computes what may come next; [`Generator::draw`] takes one road with
//! the parameters of that very moment. So a control that moves while a token is withheld still acts on that token.
//! Emits nothing: whoever calls performs what comes back.

mod blend;
mod inside;
mod interrupt;
mod layer;
mod piece;
mod roads;
mod step;
#[cfg(test)]
mod tests;
mod text;
mod trail;

pub use interrupt::Interrupted;
pub use layer::Layered;
pub use roads::{Branched, Restored, Rewound};
pub use step::{Forgot, Progress, Reading, Step};

use std::time::Instant;

use super::chat::{Conversation, Role, Turn};
use super::flaws::Drawn;
use super::sampler::{Dice, Mirostat, Sampler, SamplerPlan};
use super::{Distribution, Model, ModelError, TextStream, prompt};
use crate::patch::{self, SamplerSpec};
use crate::score::{Candidate, ParamId, ParamValues, Token};

use blend::blended;
use piece::Piece;
use text::{Cut, Opening, Text};
use trail::{Kept, Mark};

/// Roads that a token event shows.
const TOP: usize = 8;
/// Turns of a conversation that are told again.
const MOST_TURNS: usize = 64;
/// Snapshots that can be kept.
pub const SLOTS: usize = 8;

/// Generates from a model, one token at a time.
pub struct Generator {
    model: Model,
    seed: u64,
    /// Tokens drawn since the performance began; with the seed it fixes every draw.
    draws: u64,
    sampler: Sampler,
    plan: SamplerPlan,
    /// The performer's words, as they were given.
    prompt: String,
    /// How a model that was taught to converse is spoken to.
    manner: patch::Chat,
    /// The conversation up to the present prompt.
    turns: Vec<Turn>,
    text: Text,
    /// The text of a second prompt; it goes on with the same tokens.
    other: Option<Text>,
    /// How far the last token came from it.
    blend: f32,
    /// The piece so far, and how to go back in it.
    piece: Piece,
    kept: [Option<Box<Kept>>; SLOTS],
    /// A token that is taken whatever the sampler would do: the road that was chosen by hand.
    forced: Option<u32>,
    /// The tokens of a loop that is being escaped from, and for how many draws they stay barred.
    barred: (Vec<u32>, u32),
    /// The loop that is held: so many tokens.
    held: Option<u32>,
}

impl Generator {
    pub fn new(model: Model, seed: u64) -> Generator {
        Generator::resume(model, seed, 0)
    }

    /// Goes on after `draws` draws, as if the tokens so far had been drawn here.
    pub fn resume(model: Model, seed: u64, draws: u64) -> Generator {
        Generator {
            text: Text::new(model.engine.fresh()),
            piece: Piece::new(TextStream::new(model.tokenizer().clone()), Mirostat::default()),
            plan: model.plan(&SamplerSpec::default()).0,
            model,
            seed,
            draws,
            sampler: Sampler::default(),
            prompt: String::new(),
            manner: patch::Chat::default(),
            turns: Vec::new(),
            other: None,
            blend: 0.0,
            kept: Default::default(),
            forced: None,
            barred: (Vec::new(), 0),
            held: None,
        }
    }

    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Samples as a patch wants it from the next token on.
    pub fn set_plan(&mut self, plan: SamplerPlan) {
        self.plan = plan;
    }

    /// Tokens drawn since the performance began.
    pub fn draws(&self) -> u64 {
        self.draws
    }

    /// How a model that was taught to converse is spoken to, from the next prompt on.
    pub fn set_manner(&mut self, manner: patch::Chat) {
        self.manner = manner;
    }

    /// Leaves the text so far behind and takes up a prompt. A model that was taught to converse is asked in its own
    /// form, and where it is to remember, the conversation goes on. A quarter of the context is kept free for what
    /// follows; of a prompt that is longer, the head and the tail stay.
    ///
    /// # Errors
    /// The model's template cannot write the conversation down.
    pub fn prompt(&mut self, text: &str) -> Result<Reading, ModelError> {
        if !self.manner.memory {
            self.turns.clear();
        } else if !self.turns.is_empty() {
            let said = std::mem::take(&mut self.piece.written);
            self.turns.push(Turn { role: Role::Assistant, text: said });
            // Questions with their answers: what an installation said weeks ago has long left the context.
            let surplus = self.turns.len().saturating_sub(MOST_TURNS).next_multiple_of(2);
            self.turns.drain(..surplus);
        }
        self.ask(text)
    }

    /// Asks this in the place of the present prompt, as if that had not been answered.
    ///
    /// # Errors
    /// As [`Generator::prompt`].
    pub fn ask_again(&mut self, text: &str) -> Result<Reading, ModelError> {
        self.turns.pop();
        self.ask(text)
    }

    fn ask(&mut self, text: &str) -> Result<Reading, ModelError> {
        self.prompt = text.to_string();
        self.turns.push(Turn { role: Role::User, text: text.to_string() });
        let opening = self.opening(&self.turns)?;
        let tokens = opening.ids.len() as u32;
        let cut = self.text.begin(opening);
        if let Some(other) = &mut self.other {
            other.again();
        }
        self.begin_piece();
        Ok(Reading { tokens, forgot: cut.map(|cut| self.forgot(cut)) })
    }

    /// Takes up a second prompt, to whose words `generator.blend` leads; `None` leaves it. Returns its tokens.
    ///
    /// # Errors
    /// As [`Generator::prompt`].
    pub fn blend_with(&mut self, text: Option<&str>) -> Result<u32, ModelError> {
        let Some(text) = text else {
            self.other = None;
            return Ok(0);
        };
        let opening = self.opening(&[Turn { role: Role::User, text: text.to_string() }])?;
        let tokens = opening.ids.len() as u32;
        let mut other = self.other.take().unwrap_or_else(|| Text::new(self.model.engine.fresh()));
        other.begin(opening);
        // It takes up the piece where it stands: what of it is still in the context.
        let ids = self.text.ids();
        let piece = self.text.reach().min(self.piece.index as usize);
        ids[ids.len() - piece..].iter().for_each(|id| other.push(*id));
        self.other = Some(other);
        Ok(tokens)
    }

    /// Whether the model is spoken to in its own form.
    fn converses(&self) -> bool {
        self.model.chat().is_some() && !self.manner.raw
    }

    /// The form in which the model reads a conversation: its own, or the last turn's plain text.
    fn opening(&self, turns: &[Turn]) -> Result<Opening, ModelError> {
        let tokenizer = self.model.tokenizer();
        if let Some(chat) = self.model.chat().filter(|_| self.converses()) {
            let conversation = chat.tokens(tokenizer, self.manner.system.as_deref(), turns)?;
            let Conversation { ids, head, turns: starts } = conversation;
            // Cut before a question, never between it and its answer.
            let asks = starts.into_iter().zip(turns).filter(|(_, turn)| turn.role == Role::User);
            return Ok(Opening { ids, head, turns: asks.map(|(start, _)| start).collect() });
        }
        let ids = prompt::tokens(tokenizer, turns.last().map_or("", |turn| &turn.text));
        Ok(Opening { head: ids.len(), ids, turns: Vec::new() })
    }

    /// Begins the present prompt again. The draws go on counting, so the piece becomes another one.
    pub fn again(&mut self) {
        self.text.again();
        if let Some(other) = &mut self.other {
            other.again();
        }
        self.begin_piece();
    }

    fn begin_piece(&mut self) {
        self.sampler.reset();
        // An answer begins without the space that SentencePiece puts before its first word.
        let stream = if self.converses() { TextStream::of_turn } else { TextStream::new };
        self.piece = Piece::new(stream(self.model.tokenizer().clone()), self.sampler.mirostat());
        self.forced = None;
        self.barred.1 = 0;
        self.held = None;
    }

    /// Reads the next part of the prompt. Once `done` is `total`, the first token can be drawn.
    ///
    /// # Errors
    /// There is no prompt, or the model's own errors.
    pub fn prefill_chunk(&mut self) -> Result<Progress, ModelError> {
        let (done, total) = self.text.read()?;
        Ok(Progress { done: done as u32, total: total as u32 })
    }

    /// Computes what may come next, unless that is known already. A full context first forgets the older half of
    /// what follows the prompt's head.
    ///
    /// # Errors
    /// As [`Generator::prefill_chunk`].
    pub fn advance(&mut self) -> Result<Option<Forgot>, ModelError> {
        if self.piece.ended {
            self.again();
        }
        let cut = if self.blend < 1.0 || self.other.is_none() { self.text.catch_up()? } else { None };
        if self.blend > 0.0
            && let Some(other) = &mut self.other
        {
            // What this one forgets is the other's opening as much as the piece: it is not told.
            other.catch_up()?;
        }
        Ok(cut.map(|cut| self.forgot(cut)))
    }

    fn forgot(&self, cut: Cut) -> Forgot {
        let bytes: Vec<u8> = cut.ids.iter().flat_map(|id| self.model.tokenizer().bytes(*id)).copied().collect();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Forgot { tokens: cut.ids.len() as u32, kept: cut.kept as u32, text }
    }

    /// What may come next, as far as it has been computed.
    pub fn distribution(&self) -> Option<&Distribution> {
        self.text.next()
    }

    /// Whether the model has ended its piece.
    pub fn ended(&self) -> bool {
        self.piece.ended
    }

    /// The loop that is held, in tokens.
    pub fn held(&self) -> Option<u32> {
        self.held
    }

    /// Draws the next token with these parameters. Computes first if [`Generator::advance`] was not called.
    ///
    /// # Errors
    /// As [`Generator::advance`]; or the model computes no numbers.
    pub fn draw(&mut self, params: &ParamValues) -> Result<Step, ModelError> {
        self.blend = if self.other.is_some() { params.get(ParamId::Blend) } else { 0.0 };
        self.text.engine_mut().set_lens(params.get(ParamId::Lens) as usize);
        if let Some(forgot) = self.advance()? {
            return Ok(Step::Forget(forgot));
        }
        let begun = Instant::now();
        let mixed = match (self.text.next(), self.other.as_ref().and_then(Text::next)) {
            (_, Some(other)) if self.blend >= 1.0 => Some(other.clone()),
            (Some(first), Some(other)) if self.blend > 0.0 => Some(blended(first, other, self.blend)),
            _ => None,
        };
        let Some(next) = mixed.as_ref().or(self.text.next()) else {
            return Err(ModelError::Input("there is no prompt to read".to_string()));
        };
        if !next.is_sound() {
            return Err(self.model.unsound());
        }
        // What the sampler remembers of the piece, before it takes this token in.
        self.piece.mirostat = self.sampler.mirostat();
        let id = match self.forced.take().or_else(|| Piece::repeated(&mut self.held, &self.piece, &self.text, params)) {
            Some(id) => Some(id),
            None => {
                let mut logits = std::borrow::Cow::Borrowed(&next.logits);
                if self.barred.1 > 0 {
                    self.barred.1 -= 1;
                    for id in &self.barred.0 {
                        logits.to_mut()[*id as usize] = f32::NEG_INFINITY;
                    }
                }
                let dice = Dice::roll(self.seed, self.draws, params);
                let ids = self.text.ids();
                // In a very small vocabulary everything may be barred: then nothing is.
                let drawn = self.sampler.draw(&logits, ids, &self.plan, params, dice);
                drawn.or_else(|| self.sampler.draw(&next.logits, ids, &self.plan, params, dice))
            }
        };
        let Some(id) = id else { return Err(self.model.unsound()) };
        self.draws += 1;
        let p = next.probability(id);
        let tokenizer = self.model.tokenizer();
        if tokenizer.is_end(id) {
            self.piece.ended = true;
            return Ok(Step::PieceEnd { tokens: self.piece.index, flaw: self.piece.flaws.end(p) });
        }
        let top = next.top(TOP);
        let mut mark = Mark::before(&self.piece, id, top.iter().map(|r| r.id).collect());
        let text = self.piece.stream.push(id);
        let (surprise_bits, entropy_bits) = (next.surprise_bits(id), next.entropy_bits());
        let flaws = self.piece.flaws.push(Drawn {
            id,
            text: &text,
            surprise_bits,
            entropy_bits,
            broken: self.piece.stream.broken(),
            control: tokenizer.is_control(id),
        });
        mark.saw(&flaws);
        self.piece.trail.push(mark);
        let candidate = |r: super::Ranked| Candidate { id: r.id, text: tokenizer.shown(r.id), p: r.p };
        let top = top.into_iter().map(candidate).collect();
        let fill = (self.text.ids().len() + 1) as f32 / self.model.context() as f32;
        let compute = match &self.other {
            Some(other) if self.blend >= 1.0 => other.compute(),
            Some(other) if self.blend > 0.0 => self.text.compute() + other.compute(),
            _ => self.text.compute(),
        };
        let mut inside = self.inside();
        let sampling = begun.elapsed();
        inside.spent.sampling_ms = sampling.as_secs_f32() * 1000.0;
        let token = Token {
            id,
            text,
            index: self.piece.index,
            latency_ms: (compute + sampling).as_secs_f32() * 1000.0,
            p,
            surprise_bits,
            entropy_bits,
            context_fill: fill.min(1.0),
            top,
            inside,
        };
        self.text.push(id);
        if let Some(other) = &mut self.other {
            other.push(id);
        }
        self.piece.written.push_str(&token.text);
        self.piece.index += 1;
        Ok(Step::Token { token, flaws })
    }

    /// Computes one token for nothing, so that the first one that counts finds threads and memory awake.
    ///
    /// # Errors
    /// The model's own errors.
    pub fn warm_up(&self) -> Result<(), ModelError> {
        self.model.engine.fresh().forward(&[0], true).map(drop)
    }

    /// Both halves at once.
    ///
    /// # Errors
    /// As [`Generator::draw`].
    pub fn step(&mut self, params: &ParamValues) -> Result<Step, ModelError> {
        self.draw(params)
    }

    /// What is left of a character that never became whole, when no more tokens are wanted.
    pub fn finish(&mut self) -> String {
        self.piece.stream.finish()
    }
}
