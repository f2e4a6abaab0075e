//! A whole training: texts in, one file out, and a checkpoint beside it all the way.
//!
//! Runs on the caller's thread, which it tells what happens; the steps are shared out among threads of their own. It
//! can be killed at any time: the same plan goes on from the last checkpoint.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::batches::{Batches, Encoded, parted, spread};
use super::checkpoint::{self, Checkpoint, Head, write_whole};
use super::export;
use super::memory;
use super::output;
use super::plan::{News, Plan, Progress, Trained};
use super::preview::{Opening, preview};
use super::trainer::Trainer;
use super::{Corpus, HeldOut, Mark, Piece, Recipe, Record, Script, TrainError, card, encode, resume, start};
use crate::model::{Model, Source, Tally, foresee_all};

/// Marks on the learning curve, evenly along the way; at each tenth the held-out part is looked at.
const MARKS: f64 = 200.0;
/// Samples are shown so often.
const SAMPLES: f64 = 10.0;
/// Held-out tokens of each script that are looked at on the way, about; in the end all count.
const GLANCE: usize = 12_000;
/// Before another attempt to write what could not be written.
const RETRY: Duration = Duration::from_secs(10);

/// Trains. `watch` may stop it with [`ControlFlow::Break`]; it then leaves a checkpoint.
///
/// # Errors
/// The texts, the base or the shape cannot be used, or a file cannot be read or written.
pub fn train(plan: &Plan, watch: &mut dyn FnMut(News) -> ControlFlow<()>) -> Result<Trained, TrainError> {
    if !export::TYPES.iter().any(|row| row.0 == plan.kind) {
        return Err(export::unknown(&plan.kind));
    }
    if plan.recipe.minutes.is_none() && plan.recipe.tokens.is_none() {
        return Err(TrainError::Input("how long is missing: give minutes or tokens".to_string()));
    }
    let checkpoint_path = Checkpoint::path(&plan.output);
    let _taken = output::Taken::take(&plan.output)?;
    let saved = Checkpoint::load(&checkpoint_path)?;
    let finished = saved.as_ref().map(|saved| &saved.head.record).filter(|record| record.progress() >= 1.0);
    output::check(plan, finished)?;
    let corpus = Corpus::read(&plan.texts, &plan.weights)?;
    let dropout = plan.dropout.unwrap_or_else(|| start::dropout_for(&corpus));
    let plan = &Plan { recipe: Recipe { dropout, ..plan.recipe.clone() }, ..plan.clone() };
    let _ = watch(News::Told(describe(&corpus)));
    let state = match saved {
        Some(mut saved) => {
            resume::same_training(plan, &corpus, &saved.head, &checkpoint_path)?;
            memory::check(&saved.head.record.shape, plan.threads, plan.recipe.batch_tokens, &corpus)?;
            let record = &mut saved.head.record;
            (record.name, record.licence) = (plan.name.clone(), plan.licence.clone());
            (record.author, record.threads, record.kind) = (plan.author.clone(), plan.threads, plan.kind.clone());
            let share = saved.head.record.progress() * 100.0;
            let _ = watch(News::Told(format!("going on from {}: {share:.0} % is done", checkpoint_path.display())));
            saved
        }
        None => {
            let state = start::begin(plan, &corpus)?;
            let record = &state.head.record;
            if let (Some((name, _)), Some(licence)) = (&record.base, &record.base_licence) {
                let _ = watch(News::Told(format!("going on from {name}, licence {licence}")));
            }
            state
        }
    };
    Run::new(plan, &corpus, state)?.go(watch)
}

fn describe(corpus: &Corpus) -> String {
    let part = |name: &str, counts: &[(Script, super::Counts)]| {
        let each = counts.iter().map(|(script, c)| format!("{} {script} ({} characters)", c.pieces, c.characters));
        format!("{name} {}", each.collect::<Vec<_>>().join(", "))
    };
    let report = &corpus.report;
    format!("pieces: {}; {}", part("to learn", &report.training), part("held out", &report.held_out))
}

/// What was left out of the texts, for an error.
fn left_out(report: &super::CorpusReport) -> String {
    let each = report.dropped.iter().map(|(reason, n)| format!("{n} {reason}"));
    match each.collect::<Vec<_>>().join(", ") {
        said if said.is_empty() => said,
        said => format!(" (pieces are parted by blank lines; left out: {said})"),
    }
}

/// A training under way.
struct Run<'a> {
    plan: &'a Plan,
    head: Head,
    trainer: Trainer,
    best: Option<Vec<f32>>,
    held_out: &'a [Piece],
    /// The same in tokens, none longer than the context, and what of it is looked at on the way.
    all: Vec<Encoded>,
    glance: Vec<Encoded>,
    openings: Vec<Opening>,
    /// When it began here, and what was spent before.
    started: Instant,
    spent: f64,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan, corpus: &'a Corpus, state: Checkpoint) -> Result<Run<'a>, TrainError> {
        let Checkpoint { mut head, weights, first, second, average, best } = state;
        let tokenizer = head.vocabulary.tokenizer()?;
        let (context, line_end) = (head.record.shape.context, head.vocabulary.line_end());
        let weight = |source: usize| corpus.report.sources.get(source).map_or(1.0, |source| source.weight);
        let ids = encode(&tokenizer, &corpus.training, plan.threads);
        let pieces: Vec<Encoded> = ids
            .into_iter()
            .zip(&corpus.training)
            .map(|(ids, piece)| Encoded { ids, weight: weight(piece.source) })
            .collect();
        let tokens: usize = pieces.iter().map(|piece| piece.ids.len()).sum();
        if tokens < 2 * context {
            let problem = format!(
                "the texts are {tokens} tokens long, and the context alone is {context}; give more text or a smaller \
                 --context{}",
                left_out(&corpus.report)
            );
            return Err(TrainError::Input(problem));
        }
        let (mut all, mut glance) = (Vec::new(), Vec::new());
        for script in Script::ALL {
            let pieces: Vec<Piece> = corpus.held_out.iter().filter(|piece| piece.script == script).cloned().collect();
            let pieces = encode(&tokenizer, &pieces, plan.threads);
            let pieces: Vec<Encoded> = pieces.into_iter().map(|ids| Encoded { ids, weight: 1.0 }).collect();
            glance.extend(spread(&pieces, GLANCE).cloned());
            all.extend(pieces);
        }
        let (all, glance) = (parted(all, context, line_end), parted(glance, context, line_end));
        let batches = Batches::new(parted(pieces, context, line_end), plan.recipe.seed, head.place);
        head.record.corpus_tokens = batches.tokens();
        let mut trainer = Trainer::new(head.record.shape, plan.recipe.clone(), plan.threads, batches, weights);
        trainer.optimizer.resume(first, second, head.steps);
        (trainer.average, trainer.averaged) = (average, head.averaged);
        let openings = Opening::of(&corpus.held_out);
        let spent = head.record.seconds;
        Ok(Run {
            plan,
            head,
            trainer,
            best,
            held_out: &corpus.held_out,
            all,
            glance,
            openings,
            started: Instant::now(),
            spent,
        })
    }

    fn go(mut self, watch: &mut dyn FnMut(News) -> ControlFlow<()>) -> Result<Trained, TrainError> {
        let tokens = self.glance.iter().map(|piece| piece.ids.len() as u64 - 1).sum::<u64>().max(1);
        if self.glance.is_empty() {
            let told = "nothing could be held out: the pieces are too short or too few, and no score can be told";
            let _ = watch(News::Told(told.to_string()));
        } else if self.head.record.untrained.is_none() {
            let glance = std::mem::take(&mut self.glance);
            self.head.record.untrained = Some(self.trainer.surprise(&glance, None) / tokens as f64);
            self.glance = glance;
        }
        // Before the work and not after it: whether the checkpoint can be written at all.
        self.save()?;
        let mut saved = Instant::now();
        let mut recent = Recent::default();
        while self.head.record.progress() < 1.0 {
            let before = self.head.record.progress();
            let step = self.trainer.step(before);
            if !step.loss.is_finite() || !step.gradient.is_finite() {
                return Err(self.burst());
            }
            self.head.record.tokens += step.tokens as u64;
            self.head.record.seconds = self.spent + self.started.elapsed().as_secs_f64();
            recent.add(step.tokens, step.loss);
            let share = self.head.record.progress();
            let crosses = |many: f64| (share * many).floor() > (before * many).floor() || share >= 1.0;
            if crosses(MARKS) {
                let looks = crosses(MARKS / 10.0);
                let held_out = looks.then(|| self.look(tokens)).flatten();
                let Record { tokens, seconds, .. } = self.head.record;
                self.head.record.curve.push(Mark { tokens, seconds, loss: recent.take(), held_out });
            }
            let mut flow = watch(News::Step(self.progress(&recent)));
            if crosses(SAMPLES) && share < 1.0 && flow.is_continue() {
                flow = self.show_samples(watch)?;
            }
            if saved.elapsed() >= self.plan.checkpoint_every || flow.is_break() {
                match self.save() {
                    Err(e) if flow.is_break() => return Err(e),
                    Err(e) => flow = watch(News::Told(format!("{e}; the training goes on, and it is tried again"))),
                    Ok(()) => {}
                }
                saved = Instant::now();
            }
            if flow.is_break() {
                return Ok(Trained { record: self.head.record, finished: false });
            }
        }
        self.finish(watch)
    }

    /// The error for a loss that is no number.
    fn burst(&self) -> TrainError {
        let (step, rate) = (self.trainer.optimizer.steps, self.plan.recipe.learning_rate);
        TrainError::Input(format!(
            "the loss is not a number after {step} steps: the learning rate of {rate} is too high for these texts; begin \
             again with a lower --learning-rate and another -o"
        ))
    }

    /// Looks at the held-out part; the best weights so far are kept.
    fn look(&mut self, tokens: u64) -> Option<f64> {
        if self.glance.is_empty() {
            return None;
        }
        let nats = self.trainer.surprise(&self.glance, None) / tokens as f64;
        if nats.is_finite() && self.head.best.is_none_or(|best| nats < best) {
            self.head.best = Some(nats);
            self.best = Some(self.trainer.weights.clone());
        }
        Some(nats)
    }

    fn progress(&self, recent: &Recent) -> Progress {
        let record = &self.head.record;
        let share = record.progress();
        let left = if share > 0.0 { record.seconds * (1.0 - share) / share } else { 0.0 };
        let held_out = record.curve.iter().rev().find_map(|mark| mark.held_out);
        Progress {
            share,
            loss: recent.loss().or(record.curve.last().map(|mark| mark.loss)).unwrap_or(f64::NAN),
            held_out,
            tokens: record.tokens,
            tokens_per_second: record.tokens as f64 / record.seconds.max(1e-3),
            left: Duration::from_secs_f64(left.clamp(0.0, 1e9)),
        }
    }

    fn show_samples(&self, watch: &mut dyn FnMut(News) -> ControlFlow<()>) -> Result<ControlFlow<()>, TrainError> {
        let file = self.file(&self.trainer.weights, None)?;
        for (script, opening, text) in preview(file, &self.openings, self.head.steps)? {
            if watch(News::Sample { script, opening, text }).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn file(&self, weights: &[f32], card: Option<&str>) -> Result<Vec<u8>, TrainError> {
        export::gguf(&self.head.record, &self.head.vocabulary, weights, &self.plan.kind, card)
    }

    /// How well a file foresees the held-out part, as it is written and by the rules of play.
    fn measure(&self, file: Vec<u8>) -> Result<Vec<HeldOut>, TrainError> {
        let model = Model::load(&Source::Memory(file.into()))?;
        let mut models: Vec<Model> = (0..self.plan.threads).map(|_| model.fresh()).collect();
        let mut held_out = Vec::new();
        for script in Script::ALL {
            let pieces = self.held_out.iter().filter(|piece| piece.script == script);
            let texts: Vec<&str> = pieces.map(|piece| piece.text.as_str()).collect();
            if texts.is_empty() {
                continue;
            }
            let mut sum = Tally::default();
            foresee_all(&mut models, &texts)?.iter().for_each(|seen| sum += seen.tally());
            let Tally { pieces, tokens, characters, bytes, nats } = sum;
            held_out.push(HeldOut { script, pieces, tokens, characters, bytes, nats });
        }
        Ok(held_out)
    }

    fn save(&mut self) -> Result<(), TrainError> {
        if !self.trainer.weights.iter().all(|w| w.is_finite()) {
            return Err(self.burst());
        }
        self.head.averaged = self.trainer.averaged;
        self.head.place = self.trainer.batches.place();
        self.head.steps = self.trainer.optimizer.steps;
        self.head.has_average = self.trainer.average.is_some();
        self.head.has_best = self.best.is_some();
        let (trainer, optimizer) = (&self.trainer, &self.trainer.optimizer);
        let mut runs: Vec<&[f32]> = vec![&trainer.weights, &optimizer.first, &optimizer.second];
        runs.extend(trainer.average.as_deref());
        runs.extend(self.best.as_deref());
        checkpoint::save(&Checkpoint::path(&self.plan.output), &self.head, &runs)
    }

    /// Of the last weights, their mean and the best on the way those that foresee the whole held-out part best, what they
    /// are, and their nats a token. Without a held-out part the last ones.
    fn choose(&mut self) -> (Vec<f32>, &'static str, Option<f64>) {
        let last = (self.trainer.weights.clone(), "the last weights");
        if self.all.is_empty() {
            return (last.0, last.1, None);
        }
        let average = self.trainer.average.take().map(|weights| (weights, "the mean of the last weights"));
        let earlier = "the weights of an earlier mark, since the held-out part grew worse afterwards";
        let best = self.best.take().map(|weights| (weights, earlier));
        let tokens: usize = self.all.iter().map(|piece| piece.ids.len() - 1).sum();
        let mut measure = |weights: &[f32]| self.trainer.surprise(&self.all, Some(weights)) / tokens as f64;
        let mut chosen = (measure(&last.0), last);
        for other in average.into_iter().chain(best) {
            let nats = measure(&other.0);
            // Of equals the earlier in this order: the best on the way is often the last.
            if nats < chosen.0 {
                chosen = (nats, other);
            }
        }
        let (nats, (weights, which)) = chosen;
        (weights, which, Some(nats))
    }

    /// Chooses the weights, writes the file and measures it as it is written.
    fn finish(mut self, watch: &mut dyn FnMut(News) -> ControlFlow<()>) -> Result<Trained, TrainError> {
        let saved = self.save();
        let (weights, which, nats) = self.choose();
        let score = nats.map(|nats| format!(" (held out {nats:.3} nats a token)")).unwrap_or_default();
        let _ = watch(News::Told(format!("taken: {which}{score}")));
        self.head.record.taken = which.to_string();
        self.head.record.held_out = self.measure(self.file(&weights, None)?)?;
        let file = self.file(&weights, Some(&card::plate(&self.head.record)))?;
        // Hours of work must not be lost to a full disk.
        while let Err(e) = write_whole(&self.plan.output, |out| out.write_all(&file)) {
            if let Err(older) = &saved {
                let _ = watch(News::Told(older.to_string()));
            }
            if !e.is_full() {
                let told = "the checkpoint holds the whole training: the same command writes the model".to_string();
                let _ = watch(News::Told(told));
                return Err(e);
            }
            let seconds = RETRY.as_secs();
            let told = format!("{e}; make room there: it is tried again each {seconds} s, and Ctrl-C gives up");
            if watch(News::Told(told)).is_break() {
                return Err(e);
            }
            std::thread::sleep(RETRY);
        }
        let _ = std::fs::remove_file(Checkpoint::path(&self.plan.output));
        Ok(Trained { record: self.head.record, finished: true })
    }
}

/// The loss since the last mark.
#[derive(Default)]
struct Recent {
    tokens: f64,
    nats: f64,
    last: Option<f64>,
}

impl Recent {
    fn add(&mut self, tokens: usize, loss: f64) {
        self.tokens += tokens as f64;
        self.nats += loss * tokens as f64;
        self.last = Some(self.last.map_or(loss, |last| last + (loss - last) * 0.1));
    }

    fn loss(&self) -> Option<f64> {
        self.last
    }

    fn take(&mut self) -> f64 {
        let loss = self.nats / self.tokens;
        (self.tokens, self.nats) = (0.0, 0.0);
        loss
    }
}

impl Record {
    /// How much of the training lies behind, 0 to 1.
    pub fn progress(&self) -> f64 {
        let minutes = self.recipe.minutes.map_or(0.0, |minutes| self.seconds / (minutes * 60.0));
        let tokens = self.recipe.tokens.map_or(0.0, |tokens| self.tokens as f64 / tokens as f64);
        minutes.max(tokens).min(1.0)
    }
}
