//! One step of generation at a time, on whichever thread calls it: the worker's, or the main one for `say`.
//!
//! A step has two halves. [`Generator::advance`] computes what may come next; [`Generator::draw`] takes one road with
//! the parameters of that very moment. So a control that moves while a token is withheld still acts on that token.
//! Emits nothing: whoever calls performs what comes back.

use std::time::Instant;

use super::decoder::CHUNK;
use super::flaws::Flaws;
use super::sampler::{Dice, Sampler, SamplerPlan};
use super::{Distribution, Model, ModelError, TextStream, prompt};
use crate::patch::SamplerSpec;
use crate::score::{Candidate, Flaw, ParamValues, Token};

/// Roads that a token event shows.
const TOP: usize = 8;

/// Generates from a model, one token at a time.
pub struct Generator {
    model: Model,
    seed: u64,
    /// Tokens drawn since the performance began; with the seed it fixes every draw.
    draws: u64,
    sampler: Sampler,
    plan: SamplerPlan,
    /// The prompt as it is read (what did not fit left out).
    prompt: Vec<u32>,
    /// Every token of the context; those from the cache's length on are still to be read.
    history: Vec<u32>,
    /// Tokens at the head that are never forgotten.
    kept: usize,
    next: Option<Distribution>,
    compute_ms: f32,
    stream: TextStream,
    flaws: Flaws,
    /// Tokens drawn in this piece.
    index: u32,
    ended: bool,
}

/// What a prompt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Tokens of the whole prompt.
    pub tokens: u32,
    /// Set where the prompt is longer than the context has room for.
    pub forgot: Option<Forgot>,
}

/// Tokens that left the context, after the first `kept`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forgot {
    pub tokens: u32,
    pub kept: u32,
}

/// How much of the prompt has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub done: u32,
    pub total: u32,
}

/// What a step brought.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Token {
        token: Token,
        flaws: Vec<Flaw>,
    },
    /// The context was full; the next step brings the token.
    Forget(Forgot),
    /// The model ended its piece after so many tokens. The next step begins the same prompt again.
    PieceEnd {
        tokens: u32,
    },
}

impl Generator {
    pub fn new(model: Model, seed: u64) -> Generator {
        Generator::resume(model, seed, 0)
    }

    /// Goes on after `draws` draws, as if the tokens so far had been drawn here.
    pub fn resume(model: Model, seed: u64, draws: u64) -> Generator {
        Generator {
            stream: TextStream::new(model.tokenizer().clone()),
            plan: model.plan(&SamplerSpec::default()).0,
            model,
            seed,
            draws,
            sampler: Sampler::default(),
            prompt: Vec::new(),
            history: Vec::new(),
            kept: 0,
            next: None,
            compute_ms: 0.0,
            flaws: Flaws::default(),
            index: 0,
            ended: false,
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

    /// Leaves the text so far behind and takes up a prompt. A quarter of the context is kept free for what follows;
    /// of a prompt that is longer, the head and the tail stay.
    pub fn prompt(&mut self, text: &str) -> Reading {
        let mut ids = prompt::tokens(self.model.tokenizer(), text);
        let (tokens, context) = (ids.len(), self.model.context());
        let room = context - context / 4;
        let forgot = (tokens > room).then(|| {
            let kept = context / 4;
            ids.drain(kept..kept + tokens - room);
            Forgot { tokens: (tokens - room) as u32, kept: kept as u32 }
        });
        self.kept = if forgot.is_some() { context / 4 } else { ids.len().min(context / 2) };
        self.prompt = ids;
        self.again();
        Reading { tokens: tokens as u32, forgot }
    }

    /// Begins the present prompt again. The draws go on counting, so the piece becomes another one.
    pub fn again(&mut self) {
        self.model.decoder.truncate(0);
        self.history.clone_from(&self.prompt);
        self.next = None;
        self.stream = TextStream::new(self.model.tokenizer().clone());
        self.flaws = Flaws::default();
        self.sampler.reset();
        self.index = 0;
        self.ended = false;
    }

    /// Reads the next part of the prompt, at most 32 tokens. Once `done` is `total`, the first token can be drawn.
    ///
    /// # Errors
    /// There is no prompt, or candle's own errors.
    pub fn prefill_chunk(&mut self) -> Result<Progress, ModelError> {
        if self.prompt.is_empty() {
            return Err(ModelError::Input("there is no prompt to read".to_string()));
        }
        let (total, at) = (self.history.len(), self.model.decoder.len());
        let to = total.min(at + CHUNK);
        if to > at {
            let begun = Instant::now();
            let logits = self.model.decoder.forward(&self.history[at..to], to == total)?;
            self.next = logits.map(Distribution::new);
            self.compute_ms = ms_since(begun);
        }
        Ok(Progress { done: to as u32, total: total as u32 })
    }

    /// Computes what may come next, unless that is known already. A full context first forgets the older half of
    /// what follows the prompt's head.
    ///
    /// # Errors
    /// As [`Generator::prefill_chunk`].
    pub fn advance(&mut self) -> Result<Option<Forgot>, ModelError> {
        if self.ended {
            self.again();
        }
        let mut forgot = None;
        if self.next.is_none() && self.history.len() > self.model.context() {
            // All but the token drawn last are in the cache, and the cache is full.
            let cached = self.model.decoder.len();
            let n = (cached - self.kept).div_ceil(2);
            self.model.decoder.forget(self.kept, n);
            self.history.drain(self.kept..self.kept + n);
            forgot = Some(Forgot { tokens: n as u32, kept: self.kept as u32 });
        }
        while self.next.is_none() {
            self.prefill_chunk()?;
        }
        Ok(forgot)
    }

    /// What may come next, as far as it has been computed.
    pub fn distribution(&self) -> Option<&Distribution> {
        self.next.as_ref()
    }

    /// Draws the next token with these parameters. Computes first if [`Generator::advance`] was not called.
    ///
    /// # Errors
    /// As [`Generator::advance`]; or the model computes no numbers.
    pub fn draw(&mut self, params: &ParamValues) -> Result<Step, ModelError> {
        if let Some(forgot) = self.advance()? {
            return Ok(Step::Forget(forgot));
        }
        let begun = Instant::now();
        let Some(next) = self.next.take() else {
            return Err(ModelError::Input("there is no prompt to read".to_string()));
        };
        let dice = Dice::roll(self.seed, self.draws, params);
        let id = Some(&next).filter(|next| next.is_sound());
        let id = id.and_then(|next| self.sampler.draw(&next.logits, &self.history, &self.plan, params, dice));
        let Some(id) = id else { return Err(ModelError::Compute("its logits are not numbers".to_string())) };
        self.draws += 1;
        if self.model.tokenizer().is_end(id) {
            self.ended = true;
            return Ok(Step::PieceEnd { tokens: self.index });
        }
        self.history.push(id);
        let text = self.stream.push(id);
        let p = next.probability(id);
        let candidate = |r: super::Ranked| Candidate { id: r.id, text: self.model.tokenizer().piece(r.id), p: r.p };
        let top = next.top(TOP).into_iter().map(candidate).collect();
        let flaws = self.flaws.push(id, &text, p, self.stream.broken());
        let token = Token {
            id,
            text,
            index: self.index,
            latency_ms: self.compute_ms + ms_since(begun),
            p,
            surprise_bits: next.surprise_bits(id),
            entropy_bits: next.entropy_bits(),
            context_fill: (self.history.len() as f32 / self.model.context() as f32).min(1.0),
            top,
        };
        self.index += 1;
        Ok(Step::Token { token, flaws })
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
        self.stream.finish()
    }
}

fn ms_since(begun: Instant) -> f32 {
    begun.elapsed().as_secs_f32() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;
    use crate::score::ParamId;

    fn generator(seed: u64) -> Generator {
        Generator::new(Model::load(&Source::Embedded).unwrap(), seed)
    }

    fn take(generator: &mut Generator, params: &ParamValues, n: usize) -> Vec<Step> {
        (0..n).map(|_| generator.step(params).unwrap()).collect()
    }

    fn ids(steps: &[Step]) -> Vec<Option<u32>> {
        let id = |step: &Step| if let Step::Token { token, .. } = step { Some(token.id) } else { None };
        steps.iter().map(id).collect()
    }

    #[test]
    fn the_same_seed_is_the_same_piece_and_again_another() {
        let params = ParamValues::default();
        let (mut a, mut b, mut c) = (generator(7), generator(7), generator(8));
        for g in [&mut a, &mut b, &mut c] {
            g.prompt("The moon");
        }
        let first = ids(&take(&mut a, &params, 40));
        assert_eq!(first, ids(&take(&mut b, &params, 40)));
        assert_ne!(first, ids(&take(&mut c, &params, 40)));
        a.again();
        assert_ne!(first, ids(&take(&mut a, &params, 40)));
        let mut d = Generator::resume(Model::load(&Source::Embedded).unwrap(), 7, b.draws());
        d.prompt("The moon");
        b.again();
        assert_eq!(ids(&take(&mut b, &params, 10)), ids(&take(&mut d, &params, 10)));
    }

    #[test]
    fn a_control_acts_on_the_very_next_token() {
        let (mut warm, mut cold) = (ParamValues::default(), ParamValues::default());
        warm.set(ParamId::Temperature, 2.0);
        for id in [ParamId::TopK, ParamId::MinP] {
            warm.set(id, 0.0);
        }
        warm.set(ParamId::TopP, 1.0);
        warm.set(ParamId::RepeatPenalty, 1.0);
        cold.set(ParamId::RepeatPenalty, 1.0);
        cold.set(ParamId::Temperature, 0.0);
        // The same road with the same draw, once with each temperature at the token after the fourth.
        let mut other = 0;
        for seed in 0..12 {
            let drawn = [warm, cold].map(|last| {
                let mut g = generator(seed);
                g.prompt("春");
                take(&mut g, &warm, 4);
                g.advance().unwrap();
                let likeliest = g.distribution().unwrap().top(1)[0].id;
                (ids(&[g.draw(&last).unwrap()])[0], likeliest)
            });
            assert_eq!(drawn[0].1, drawn[1].1, "the model's own distribution is untouched");
            assert!(drawn[1].0.is_none() || drawn[1].0 == Some(drawn[1].1), "at 0 the likeliest is taken at once");
            other += usize::from(drawn[0].0 != drawn[1].0);
        }
        assert!(other > 6, "{other}");
    }

    #[test]
    fn a_full_context_forgets_and_goes_on() {
        let mut params = ParamValues::default();
        params.set(ParamId::Temperature, 1.2);
        let model = Model::load_with_context(&Source::Embedded, Some(64)).unwrap();
        let mut g = Generator::new(model, 3);
        let head = g.prompt("The moon and I").tokens;
        let (mut forgets, mut tokens) = (0, 0);
        for step in take(&mut g, &params, 400) {
            match step {
                Step::Forget(f) => {
                    assert_eq!(f.kept, head);
                    assert_eq!(f.tokens, (64 - head).div_ceil(2));
                    forgets += 1;
                }
                Step::Token { token, .. } => {
                    assert!(token.context_fill <= 1.0 && token.p > 0.0 && token.top.len() == 8);
                    tokens += 1;
                }
                Step::PieceEnd { .. } => {}
            }
        }
        assert!(forgets >= 3 && tokens > 300, "{forgets} {tokens}");
    }

    #[test]
    fn a_prompt_longer_than_the_context_keeps_head_and_tail() {
        let model = Model::load_with_context(&Source::Embedded, Some(64)).unwrap();
        let all = prompt::tokens(model.tokenizer(), &"The moon rose. ".repeat(40));
        let mut g = Generator::new(model, 0);
        let reading = g.prompt(&"The moon rose. ".repeat(40));
        assert_eq!(reading.tokens as usize, all.len());
        assert_eq!(reading.forgot, Some(Forgot { tokens: reading.tokens - 48, kept: 16 }));
        assert_eq!(g.history[..16], all[..16]);
        assert_eq!(g.history[16..], all[all.len() - 32..]);
        assert_eq!(g.prefill_chunk().unwrap(), Progress { done: 32, total: 48 });
        assert!(g.distribution().is_none());
        assert_eq!(g.prefill_chunk().unwrap(), Progress { done: 48, total: 48 });
        assert!(g.distribution().is_some());
    }

    #[test]
    fn an_empty_prompt_plays_and_none_is_an_error() {
        let mut g = generator(1);
        assert!(g.step(&ParamValues::default()).is_err());
        assert_eq!(g.prompt("").tokens, 1);
        assert!(matches!(g.step(&ParamValues::default()).unwrap(), Step::Token { .. }));
    }

    #[test]
    fn the_texts_join_to_the_bytes_of_the_tokens() {
        let mut params = ParamValues::default();
        params.set(ParamId::Temperature, 2.0);
        let mut g = generator(5);
        g.prompt("春");
        let (mut text, mut bytes) = (String::new(), Vec::new());
        for _ in 0..120 {
            match g.step(&params).unwrap() {
                Step::Token { token, .. } => {
                    text.push_str(&token.text);
                    bytes.extend_from_slice(g.model().tokenizer().bytes(token.id));
                }
                Step::PieceEnd { .. } => break,
                Step::Forget(_) => {}
            }
        }
        text.push_str(&g.finish());
        assert_eq!(text, String::from_utf8_lossy(&bytes));
    }
}
