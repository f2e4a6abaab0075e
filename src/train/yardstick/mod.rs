//! Yardsticks: how well the same held-out text is foreseen without a network, by counting and by compressing.
//!
//! Each learns the training text of one script and is asked for the held-out text of that script. A model that is no
//! better has learnt nothing that lies deeper. Runs on the thread that calls it and on a few more; takes minutes and up
//! to a gigabyte on a corpus of 15 MB a script.

mod compressors;
mod ngram;

use std::f64::consts::LN_2;

use serde::{Deserialize, Serialize};

use super::{Piece, Script, TrainError, encode};
use crate::model::{Model, Source, Tally, Tokenizer, foresee_all};
use compressors::Compressor;
use ngram::{MOST_TOKENS, Ngram};

/// How well one of them foresees the held-out text of one script.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Yardstick {
    pub name: String,
    pub script: Script,
    /// Over the characters of the pieces, as in [`HeldOut`](super::HeldOut).
    pub bits_per_character: f64,
    pub bits_per_byte: f64,
}

/// A way to foresee.
enum Way {
    Ngram,
    Compressor(Compressor),
}

const WAYS: [(&str, Way); 3] = [
    ("5-gram, modified Kneser-Ney, the same tokens", Way::Ngram),
    ("xz -9e, primed with the training text", Way::Compressor(Compressor::Xz)),
    ("PPMd (7-Zip, order 8), primed with the training text", Way::Compressor(Compressor::Ppmd)),
];

/// Measures all yardsticks for each script that is held out. `tokenizer` is the model's: the 5-gram model counts its
/// tokens, and foretells the end of each piece as the model does. The compressors read text, pieces parted by blank
/// lines: `8 * (compressed(training + held out) - compressed(training))` bits.
///
/// # Errors
/// More tokens than can be counted, or a compressor's own.
pub fn yardsticks(
    training: &[Piece],
    held_out: &[Piece],
    tokenizer: &Tokenizer,
    threads: usize,
) -> Result<Vec<Yardstick>, TrainError> {
    if tokenizer.vocabulary() > MOST_TOKENS {
        let tokens = tokenizer.vocabulary();
        let problem = format!("a 5-gram model of {tokens} tokens cannot be made, of {MOST_TOKENS} at most");
        return Err(TrainError::Input(problem));
    }
    let mut measured = Vec::new();
    for script in Script::ALL {
        let of = |pieces: &[Piece]| pieces.iter().filter(|piece| piece.script == script).cloned().collect::<Vec<_>>();
        let (training, held_out) = (of(training), of(held_out));
        if held_out.is_empty() {
            continue;
        }
        let characters = held_out.iter().map(|piece| piece.text.chars().count()).sum::<usize>() as f64;
        let bytes = held_out.iter().map(|piece| piece.text.len()).sum::<usize>() as f64;
        for (name, way) in WAYS {
            let bits = match way {
                Way::Ngram => by_counting(&training, &held_out, tokenizer, threads),
                Way::Compressor(compressor) => by_compressing(compressor, &training, &held_out)?,
            };
            measured.push(Yardstick {
                name: name.to_string(),
                script,
                bits_per_character: bits / characters,
                bits_per_byte: bits / bytes,
            });
        }
    }
    Ok(measured)
}

/// How well another model foresees the same pieces. It may have read some of them; that is for the reader to know.
///
/// # Errors
/// The model cannot be read, or its own errors.
pub fn beside(source: &Source, name: &str, held_out: &[Piece], threads: usize) -> Result<Vec<Yardstick>, TrainError> {
    let model = Model::load(source)?;
    let mut models: Vec<Model> = (0..threads.max(1)).map(|_| model.fresh()).collect();
    let mut measured = Vec::new();
    for script in Script::ALL {
        let of_it = held_out.iter().filter(|piece| piece.script == script);
        let texts: Vec<&str> = of_it.map(|piece| piece.text.as_str()).collect();
        if texts.is_empty() {
            continue;
        }
        let mut sum = Tally::default();
        foresee_all(&mut models, &texts)?.iter().for_each(|seen| sum += seen.tally());
        measured.push(Yardstick {
            name: name.to_string(),
            script,
            bits_per_character: sum.bits_per_character(),
            bits_per_byte: sum.bits_per_byte(),
        });
    }
    Ok(measured)
}

fn by_counting(training: &[Piece], held_out: &[Piece], tokenizer: &Tokenizer, threads: usize) -> f64 {
    let ngram = {
        let ids = encode(tokenizer, training, threads);
        Ngram::learn(&ids.iter().map(Vec::as_slice).collect::<Vec<_>>(), tokenizer.vocabulary())
    };
    let ids = encode(tokenizer, held_out, threads);
    ids.iter().flat_map(|ids| ngram.foresee(ids)).sum::<f64>() / LN_2
}

fn by_compressing(compressor: Compressor, training: &[Piece], held_out: &[Piece]) -> Result<f64, TrainError> {
    let text = |pieces: &[Piece]| {
        let mut text = String::new();
        for piece in pieces {
            text.push_str(&piece.text);
            text.push_str("\n\n");
        }
        text
    };
    let bits = compressor.bits(&text(training), &text(held_out));
    bits.map(|bits| bits as f64).map_err(|e| TrainError::Input(format!("{compressor:?} failed: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Source;

    #[test]
    fn each_script_is_measured_by_its_own() {
        let piece = |text: String| Piece { script: Script::of(&text), text, source: 0 };
        let english = |n: u32| piece(format!("The moon of the {n}th night is up\nand the {}th sea is still", n * 7));
        let chinese = |n: u32| piece(format!("春江{}里明月夜", char::from_u32(0x4e00 + n).unwrap()));
        let training: Vec<_> = (0..200).map(english).chain((0..200).map(chinese)).collect();
        let tokenizer = Tokenizer::read(&Source::Embedded).unwrap();
        let held_out: Vec<_> = (300..310).map(english).chain((300..310).map(chinese)).collect();
        let both = yardsticks(&training, &held_out, &tokenizer, 2).unwrap();
        assert_eq!(both.iter().map(|y| y.script as usize).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 1]);
        for y in &both {
            assert!(y.bits_per_character > 0.0 && y.bits_per_character < 4.0, "{y:?}");
            let bytes = if y.script == Script::Chinese { 3.0 } else { 1.0 };
            assert!((y.bits_per_character / y.bits_per_byte - bytes).abs() < 1e-9, "{y:?}");
        }
        // What was learnt of the other script plays no part.
        let english = yardsticks(&training[..200], &held_out, &tokenizer, 1).unwrap();
        assert_eq!(english[3..], both[3..]);
        assert!(english[0].bits_per_character > 10.0, "nothing is known of Chinese: {english:?}");
        assert_eq!(yardsticks(&training, &[], &tokenizer, 1).unwrap(), []);
    }
}
