//! Recitation: how much of what the model writes stands word for word in the texts it was made from.
//!
//! Lines are compared by their words alone: no spaces, marks or case. Only hashes of the corpus are kept, 8 bytes a
//! line; two lines out of millions share one by chance about once in a million cards.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::metre::verses;
use super::pieces::{self, Asked, Piece};
use crate::model::{Model, ModelError};
use crate::train::corpus::is_han;
use crate::train::{Corpus, Piece as Text, Script};

/// The temperature at which recitation is measured.
pub const TEMPERATURE: f32 = 0.8;
/// A line shorter than this is no one's: characters of Chinese, words of English.
pub const LEAST_CHARACTERS: usize = 5;
pub const LEAST_WORDS: usize = 4;
/// Pieces that are played between two counts, at most.
const BATCH: u64 = 64;
/// The seeds of the samples are not used again.
const FIRST_SEED: u64 = 1001;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A line as it is written; in Chinese it often holds a couplet.
    Line,
    /// What stands between two marks, in Chinese.
    Verse,
}

/// The lines of a corpus.
#[derive(Default)]
pub struct Known {
    training: HashSet<u64>,
    held_out: HashSet<u64>,
    own: Vec<(Script, Unit, [u64; 2])>,
    sha256: String,
}

/// What was recited.
#[derive(Clone, Debug, PartialEq)]
pub struct Recitation {
    pub recited: Vec<Recited>,
    /// For each script and unit: how many lines the held-out part has, and how many of them stand in the training part.
    pub own: Vec<(Script, Unit, [u64; 2])>,
    /// Of the texts in which the lines were looked up.
    pub corpus_sha256: String,
}

/// How much was recited in one script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recited {
    pub script: Script,
    pub unit: Unit,
    /// Lines that were compared.
    pub lines: u64,
    /// Lines that were too short to be.
    pub short: u64,
    /// Of those compared: they stand in the training part.
    pub training: u64,
    /// They stand in the held-out part and not in the training part.
    pub held_out: u64,
}

/// The units in which a script is compared.
fn units(script: Script) -> &'static [Unit] {
    match script {
        Script::Chinese => &[Unit::Verse, Unit::Line],
        Script::English => &[Unit::Line],
    }
}

impl Known {
    /// The lines of a corpus as it is trained from.
    pub fn of(corpus: &Corpus) -> Known {
        fn texts(pieces: &[Text]) -> impl Iterator<Item = &str> {
            pieces.iter().map(|piece| piece.text.as_str())
        }
        Known::new(texts(&corpus.training), texts(&corpus.held_out), &corpus.report.sha256)
    }

    /// Takes in the texts of both parts, which have this hash.
    pub fn new<'a>(
        training: impl IntoIterator<Item = &'a str>,
        held_out: impl IntoIterator<Item = &'a str>,
        sha256: &str,
    ) -> Known {
        let mut known = Known { sha256: sha256.to_string(), ..Known::default() };
        for text in training {
            for unit in units(Script::of(text)) {
                known.training.extend(lines(text, *unit).filter_map(|line| key(&line)));
            }
        }
        for text in held_out {
            let script = Script::of(text);
            for unit in units(script) {
                for key in lines(text, *unit).filter_map(|line| key(&line)) {
                    let there = u64::from(known.training.contains(&key));
                    known.held_out.insert(key);
                    let at = known.own.iter().position(|(s, u, _)| (*s, *u) == (script, *unit));
                    let at = at.unwrap_or_else(|| {
                        known.own.push((script, *unit, [0, 0]));
                        known.own.len() - 1
                    });
                    known.own[at].2[0] += 1;
                    known.own[at].2[1] += there;
                }
            }
        }
        known
    }

    /// Counts the lines of a piece with its opening that the model had a part in, as long as fewer than `most` have
    /// been compared. A line that was broken off is left out.
    fn count(&self, piece: &Piece, into: &mut Recited, most: u64) {
        let whole = piece.whole();
        let mut found: Vec<String> = lines(&whole, into.unit).collect();
        let ended = piece.ended || whole.ends_with('\n');
        if !ended {
            found.pop();
        }
        let opening = lines(piece.asked.opening, into.unit).next();
        // A verse that the opening filled by itself is ours.
        let ours = usize::from(found.first() == opening.as_ref());
        for line in found.into_iter().skip(ours) {
            if into.lines >= most {
                return;
            }
            let Some(key) = key(&line) else {
                into.short += 1;
                continue;
            };
            into.lines += 1;
            if self.training.contains(&key) {
                into.training += 1;
            } else if self.held_out.contains(&key) {
                into.held_out += 1;
            }
        }
    }
}

/// Has the model write `lines` lines in each script and looks them up. Verses and written lines of one script come from
/// the same pieces.
///
/// # Errors
/// The model's own.
pub fn measure(
    model: &Model,
    known: &Known,
    scripts: &[Script],
    lines: u64,
    at_once: usize,
    told: &mut dyn FnMut(usize),
) -> Result<Recitation, ModelError> {
    let mut all: Vec<Recited> = Vec::new();
    let (mut done, batch) = (0, lines.clamp(1, BATCH));
    for script in scripts {
        let empty =
            |unit: &Unit| Recited { script: *script, unit: *unit, lines: 0, short: 0, training: 0, held_out: 0 };
        let mut recited: Vec<Recited> = units(*script).iter().map(empty).collect();
        let mut seed = FIRST_SEED;
        // A model that writes nothing but short lines is let go after as many pieces as lines were wanted.
        while recited.iter().any(|r| r.lines < lines) && seed < FIRST_SEED + lines {
            let asked: Vec<Asked> = (seed..seed + batch).map(|seed| Asked::new(*script, seed, TEMPERATURE)).collect();
            for piece in pieces::play(model, &asked, at_once, &mut |_| {})? {
                recited.iter_mut().for_each(|r| known.count(&piece, r, lines));
            }
            seed += batch;
            let least = recited.iter().map(|r| r.lines).min().unwrap_or(0) as usize;
            told(done + least);
        }
        done += lines as usize;
        all.extend(recited);
    }
    Ok(Recitation { recited: all, own: known.own.clone(), corpus_sha256: known.sha256.clone() })
}

fn lines(text: &str, unit: Unit) -> impl Iterator<Item = String> {
    let written = (unit == Unit::Line).then(|| text.lines().map(str::trim).filter(|line| !line.is_empty()));
    let spoken = (unit == Unit::Verse).then(|| verses(text));
    written.into_iter().flatten().map(String::from).chain(spoken.into_iter().flatten())
}

/// What of a line is compared; none if it is too short.
fn key(line: &str) -> Option<u64> {
    let han = line.chars().filter(|c| is_han(*c)).count();
    let words = line.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count();
    if han < LEAST_CHARACTERS && (han > 0 || words < LEAST_WORDS) {
        return None;
    }
    let mut hash = DefaultHasher::new();
    line.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).for_each(|c| c.hash(&mut hash));
    Some(hash.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Source;

    fn known() -> Known {
        Known::new(
            ["小灯明一室，夜雨到三更。\n机上无人语，窗前有叶声。", "A small lamp stood upon the sill,\nAnd I."],
            ["小灯明一室，门外少人行。", "The door was shut upon the hill\na small lamp stood — upon the SILL"],
            "",
        )
    }

    fn counted(script: Script, unit: Unit, text: &str, ended: bool) -> Recited {
        let mut recited = Recited { script, unit, lines: 0, short: 0, training: 0, held_out: 0 };
        // Seed 1 opens with 春江 and The moon.
        let piece = Piece { asked: Asked::new(script, 1, 0.8), text: text.into(), tokens: 1, ended, flaws: vec![] };
        known().count(&piece, &mut recited, 100);
        recited
    }

    #[test]
    fn lines_are_compared_by_their_words() {
        assert_eq!(key("A small lamp stood upon the sill,"), key("a  small-lamp Stood upon; the sill"));
        assert_ne!(key("A small lamp stood upon the sill"), key("A small lamp stood upon the hill"));
        assert_eq!((key("and then he"), key("小灯明一"), key("— ,")), (None, None, None));
        assert!(key("and then he came").is_some() && key("小灯明一室").is_some());
    }

    #[test]
    fn verses_and_lines_of_both_parts_are_told_apart() {
        let text = "流不尽，夜雨到三更。\n小灯明一室，夜雨到三更。\n门外少人行，门外";
        let verses = counted(Script::Chinese, Unit::Verse, text, false);
        assert_eq!((verses.lines, verses.short, verses.training, verses.held_out), (5, 0, 3, 1));
        let lines = counted(Script::Chinese, Unit::Line, text, true);
        assert_eq!((lines.lines, lines.training, lines.held_out), (3, 1, 0));
        let english = counted(Script::English, Unit::Line, "\nTHE DOOR was shut upon the hill\nand I\n", true);
        assert_eq!((english.lines, english.short, english.training, english.held_out), (1, 1, 0, 1));
    }

    #[test]
    fn the_held_out_part_says_how_much_chance_and_tradition_recite() {
        let own = known().own;
        assert!(own.contains(&(Script::Chinese, Unit::Verse, [2, 1])), "{own:?}");
        assert!(own.contains(&(Script::Chinese, Unit::Line, [1, 0])));
        assert!(own.contains(&(Script::English, Unit::Line, [2, 1])));
    }

    #[test]
    fn what_the_model_writes_is_found_in_what_it_wrote() {
        let model = Model::load(&Source::Embedded).unwrap();
        let asked: Vec<Asked> =
            (FIRST_SEED..FIRST_SEED + 4).map(|s| Asked::new(Script::Chinese, s, TEMPERATURE)).collect();
        let wrote: Vec<String> =
            pieces::play(&model, &asked, 2, &mut |_| {}).unwrap().iter().map(Piece::whole).collect();
        let known = Known::new(wrote.iter().map(String::as_str), [], "");
        let found = measure(&model, &known, &[Script::Chinese], 8, 2, &mut |_| {}).unwrap().recited;
        assert_eq!(found[0].unit, Unit::Verse);
        assert_eq!((found[0].lines, found[1].lines), (8, 8));
        assert!(found[0].training >= 6, "{found:?}");
        let none = measure(&model, &Known::default(), &[Script::English], 3, 1, &mut |_| {}).unwrap().recited;
        assert_eq!((none.len(), none[0].lines, none[0].training), (1, 3, 0));
    }
}
