//! What a patch says about sampling, made ready for a model: the order of the stages, and words as tokens.
//!
//! Built when a patch is taken up, on whichever thread plays the model; immutable from then on.

use super::super::Tokenizer;
use super::phrase::{LONGEST, Lexicon, Phrase};
use crate::patch::SamplerSpec;
use crate::patch::sampler::{Stage, Word};

/// Where DRY stops looking for repetitions, if the patch says nothing: llama.cpp's.
const BREAKERS: [&str; 4] = ["\n", ":", "\"", "*"];
/// Phrases cost time for each token; a patch with more is asked to take some out.
const MOST_PHRASES: usize = 128;

/// The plan that the sampler follows. The default has the usual order and no words.
#[derive(Clone, Debug)]
pub struct SamplerPlan {
    pub(super) order: Vec<Stage>,
    /// Tokens that are not drawn, in ascending order.
    pub(super) banned: Vec<u32>,
    pub(super) banned_phrases: Vec<Phrase>,
    /// Tokens in ascending order, and what is added to their logits.
    pub(super) biased: (Vec<u32>, Vec<f32>),
    pub(super) biased_phrases: Vec<(Phrase, f32)>,
    /// Breakers that may be spread over several tokens.
    pub(super) breakers: Vec<Phrase>,
    /// Tokens with a whole breaker in them, in ascending order.
    pub(super) breaking: Vec<u32>,
}

impl Default for SamplerPlan {
    fn default() -> Self {
        SamplerPlan {
            order: Stage::WORDS.map(|(_, stage)| stage).to_vec(),
            banned: Vec::new(),
            banned_phrases: Vec::new(),
            biased: Default::default(),
            biased_phrases: Vec::new(),
            breakers: Vec::new(),
            breaking: Vec::new(),
        }
    }
}

impl SamplerPlan {
    /// Makes the plan, and says of each word that the vocabulary does not have that it does nothing.
    pub fn new(spec: &SamplerSpec, tokenizer: &Tokenizer) -> (SamplerPlan, Vec<String>) {
        let lexicon = Lexicon::new(tokenizer);
        let (mut plan, mut warnings) = (SamplerPlan::default(), Vec::new());
        if let Some(order) = &spec.order {
            plan.order.clone_from(order);
        }
        let vocabulary = tokenizer.vocabulary();
        let mut phrases = 0;
        // Tokens, or a phrase of several, or a warning.
        let mut found = |key: &str, word: &Word| -> Option<Result<Vec<u32>, Phrase>> {
            let text = match word {
                Word::Id(id) if (*id as usize) < vocabulary => return Some(Ok(vec![*id])),
                Word::Id(id) => {
                    warnings.push(format!("[sampler] {key}: the model has {vocabulary} tokens, none with number {id}"));
                    return None;
                }
                Word::Text(text) => text,
            };
            let ids = lexicon.exact(text);
            if !ids.is_empty() {
                return Some(Ok(ids));
            }
            let problem = if text.len() > LONGEST {
                format!("is longer than {LONGEST} bytes")
            } else if phrases == MOST_PHRASES {
                format!("is one too many of several tokens: {MOST_PHRASES} at most")
            } else {
                let phrase = lexicon.phrase(text);
                if !phrase.is_empty() {
                    phrases += 1;
                    return Some(Err(phrase));
                }
                "cannot be spelled with this model's tokens".to_string()
            };
            warnings.push(format!("[sampler] {key}: {text:?} {problem}; it does nothing"));
            None
        };
        for word in &spec.ban {
            match found("ban", word) {
                Some(Ok(ids)) => plan.banned.extend(ids),
                Some(Err(phrase)) => plan.banned_phrases.push(phrase),
                None => {}
            }
        }
        let mut biased = Vec::new();
        for (word, by) in &spec.bias {
            match found("bias", word) {
                Some(Ok(ids)) => biased.extend(ids.into_iter().map(|id| (id, *by))),
                Some(Err(phrase)) => plan.biased_phrases.push((phrase, *by)),
                None => {}
            }
        }
        plan.banned.sort_unstable();
        plan.banned.dedup();
        plan.biased = summed(biased);
        match &spec.dry_breakers {
            Some(texts) => plan.break_at(&lexicon, texts.iter().map(String::as_str), &mut warnings),
            None => plan.break_at(&lexicon, BREAKERS.into_iter(), &mut Vec::new()),
        }
        (plan, warnings)
    }

    /// Lets the stages act in this order.
    pub fn set_order(&mut self, order: &[Stage]) {
        self.order = order.to_vec();
    }

    fn break_at<'t>(&mut self, lexicon: &Lexicon, texts: impl Iterator<Item = &'t str>, warnings: &mut Vec<String>) {
        for text in texts {
            let phrase = lexicon.phrase(text);
            if phrase.is_empty() || self.breakers.len() == MOST_PHRASES {
                warnings.push(format!("[sampler] dry_breakers: {text:?} cannot be used with this model; take it out"));
                continue;
            }
            self.add_breaker(phrase);
        }
    }

    pub(super) fn add_breaker(&mut self, phrase: Phrase) {
        self.breaking.extend(&phrase.whole);
        self.breaking.sort_unstable();
        self.breaking.dedup();
        if !phrase.is_one_token() {
            self.breakers.push(phrase);
        }
    }

    /// How many tokens there are after the last breaker.
    pub(super) fn since_breaker(&self, window: &[u32]) -> usize {
        for at in (0..window.len()).rev() {
            let spread = self.breakers.iter().filter_map(|breaker| breaker.reaches(window, at)).max();
            if let Some(reached) = spread.or(self.is_breaker(window[at]).then_some(0)) {
                return window.len() - 1 - at - reached;
            }
        }
        window.len()
    }

    /// Whether a token breaks sequences all by itself.
    pub(super) fn is_breaker(&self, id: u32) -> bool {
        self.breaking.binary_search(&id).is_ok()
    }
}

/// Tokens in ascending order, each with the sum of what is added to it.
pub(super) fn summed(mut biased: Vec<(u32, f32)>) -> (Vec<u32>, Vec<f32>) {
    biased.sort_by_key(|(id, _)| *id);
    biased.chunk_by(|a, b| a.0 == b.0).map(|run| (run[0].0, run.iter().map(|(_, by)| by).sum::<f32>())).unzip()
}

#[cfg(test)]
mod tests {
    use super::super::super::Source;
    use super::*;

    #[test]
    fn words_become_tokens_and_what_does_nothing_is_said() {
        let tokenizer = Tokenizer::read(&Source::Embedded).unwrap();
        let one = |text: &str| Lexicon::new(&tokenizer).exact(text)[0];
        let text = |text: &str| Word::Text(text.to_string());
        let spec = SamplerSpec {
            order: Some(vec![Stage::Temperature]),
            ban: vec![text("月"), Word::Id(9), text(" moonlit river"), Word::Id(60_000), text(&"a".repeat(300))],
            bias: vec![(text("月"), 1.5), (Word::Id(one("月")), 0.5), (text("<0xFE>"), 3.0)],
            dry_breakers: Some(vec!["\n".to_string(), "。".to_string()]),
        };
        let (plan, warnings) = SamplerPlan::new(&spec, &tokenizer);
        let mut banned = vec![one("月"), 9];
        banned.sort_unstable();
        assert_eq!((plan.order, plan.banned), (vec![Stage::Temperature], banned));
        assert_eq!(plan.banned_phrases.len(), 1);
        let at = plan.biased.0.binary_search(&one("月")).unwrap();
        assert_eq!(plan.biased.1[at], 2.0);
        assert!(plan.breaking.contains(&one("\n")) && plan.breaking.contains(&one("。")));
        let said = [
            "[sampler] ban: the model has 6144 tokens, none with number 60000".to_string(),
            format!("[sampler] ban: {:?} is longer than 80 bytes; it does nothing", "a".repeat(300)),
        ];
        assert_eq!(warnings[..2], said);
        // Without a patch: the usual order and breakers, and nothing to say.
        let (plan, warnings) = SamplerPlan::new(&SamplerSpec::default(), &tokenizer);
        assert_eq!((plan.order.len(), warnings.len()), (8, 0));
        let window = [one("月"), one("\n"), one("月"), one("月")];
        assert_eq!((plan.since_breaker(&window), plan.since_breaker(&window[2..])), (2, 2));
        assert_eq!(plan.since_breaker(&window[..2]), 0);
    }
}
