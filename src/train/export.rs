//! The model's file: one GGUF that xiao and llama.cpp play alike, with the tokenizer and the whole lineage inside.

use super::pass::{EPS, ROPE_BASE};
use super::weights::Places;
use super::{Record, TrainError, Vocabulary};
use crate::model::GgufWriter;

/// The key that holds the training's [`Record`] as JSON.
pub const RECORD: &str = "xiao.record";
/// The key that holds the model's card in a few lines, for the stage.
pub const CARD: &str = "xiao.card";

/// The types a model may be written in, with the number that `general.file_type` gives them.
pub const TYPES: [(&str, u32); 3] = [("Q8_0", 7), ("F16", 1), ("F32", 0)];

/// The file's bytes. Matrices are stored as `kind` (`"Q8_0"`, `"F16"` or `"F32"`), norms in F32.
///
/// # Errors
/// Another type, or weights that are not of the record's shape.
pub fn gguf(
    record: &Record,
    vocabulary: &Vocabulary,
    weights: &[f32],
    kind: &str,
    card: Option<&str>,
) -> Result<Vec<u8>, TrainError> {
    let Some((_, number)) = TYPES.iter().find(|row| row.0 == kind) else {
        return Err(unknown(kind));
    };
    let shape = record.shape;
    let places = Places::new(shape);
    if weights.len() != places.len || vocabulary.tokens.len() != shape.vocabulary {
        return Err(TrainError::Input("the weights are not of the shape that the record tells".to_string()));
    }
    let mut file = GgufWriter::new();
    file.key("general.architecture", "llama");
    file.key("general.name", record.name.as_str());
    file.key("general.license", record.licence.as_str());
    if let Some(author) = &record.author {
        file.key("general.author", author.as_str());
    }
    if let Some((name, _)) = &record.base {
        file.key("general.base_model.count", 1u32);
        file.key("general.base_model.0.name", name.as_str());
    }
    let names: Vec<String> = record.corpus.sources.iter().map(|source| source.name.clone()).collect();
    if !names.is_empty() {
        file.key("general.datasets", &names[..]);
    }
    let scripts: Vec<String> = record.corpus.training.iter().map(|(script, _)| script.to_string()).collect();
    if !scripts.is_empty() {
        file.key("general.languages", &scripts[..]);
    }
    file.key("general.file_type", *number);
    file.key("general.quantization_version", 2u32);
    for (key, value) in [
        ("vocab_size", shape.vocabulary),
        ("context_length", shape.context),
        ("embedding_length", shape.width),
        ("block_count", shape.layers),
        ("feed_forward_length", shape.ffn),
        ("attention.head_count", shape.heads),
        ("attention.head_count_kv", shape.kv_heads),
        ("rope.dimension_count", shape.head_dim()),
    ] {
        file.key(&format!("llama.{key}"), value as u32);
    }
    file.key("llama.rope.freq_base", ROPE_BASE as f32);
    file.key("llama.attention.layer_norm_rms_epsilon", EPS);
    vocabulary.put(&mut file);
    provenance(record, &mut file);
    if let Some(card) = card {
        file.key(CARD, card);
    }
    for tensor in places.tensors() {
        let values = &weights[tensor.range.clone()];
        if tensor.is_norm() {
            file.tensor(&tensor.name, &[tensor.columns], "F32", values)?;
        } else {
            file.tensor(&tensor.name, &[tensor.rows, tensor.columns], kind, values)?;
        }
    }
    Ok(file.finish())
}

/// The error for a type that is not one of [`TYPES`].
pub fn unknown(kind: &str) -> TrainError {
    TrainError::Input(format!("models are not written in {kind}; choose Q8_0, F16 or F32"))
}

/// What is told of the training, readable by anybody who opens the file, and the record as a whole.
fn provenance(record: &Record, file: &mut GgufWriter) {
    file.key("xiao.train.corpus_sha256", record.corpus.sha256.as_str());
    file.key("xiao.train.tokens", record.tokens);
    file.key("xiao.train.minutes", record.seconds / 60.0);
    file.key("xiao.train.recipe", record.recipe.to_string());
    for held_out in &record.held_out {
        let script = held_out.script;
        file.key(&format!("xiao.held_out.{script}.bits_per_char"), held_out.bits_per_character());
        file.key(&format!("xiao.held_out.{script}.bits_per_byte"), held_out.bits_per_byte());
    }
    if let Ok(json) = serde_json::to_string(record) {
        file.key(RECORD, json);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Model, Source};
    use crate::train::checkpoint::tests::record;
    use crate::train::pass::{Batch, Pass};
    use crate::train::{Corpus, Piece, Script, Shape};

    #[test]
    fn the_file_plays_with_the_logits_of_the_pass() {
        let text = "the wind of the water and the wind of the moon\nand the moon of the wind";
        let piece = Piece { text: text.to_string(), script: Script::English, source: 0 };
        let corpus = Corpus { training: vec![piece.clone(), piece], ..Corpus::default() };
        let vocabulary = Vocabulary::train(&corpus, 270).unwrap();
        let shape = Shape {
            vocabulary: vocabulary.tokens.len(),
            width: 64,
            layers: 2,
            heads: 4,
            kv_heads: 2,
            ffn: 96,
            context: 64,
        };
        let weights = Places::new(shape).start(3);
        let record = record(shape);
        let file = gguf(&record, &vocabulary, &weights, "F32", Some("a card")).unwrap();
        let mut model = Model::load(&Source::Memory(file.into())).unwrap();
        assert!(model.warnings().is_empty(), "{:?}", model.warnings());
        let ids = model.tokenizer().encode_special("<|en|>the wind and the moon");
        assert_eq!(ids[0], 2);
        let logits = model.peek(&ids[..ids.len() - 1]).unwrap().logits;
        let sum: f64 = logits.iter().map(|x| f64::from(*x).exp()).sum();
        let played = sum.ln() - f64::from(logits[ids[ids.len() - 1] as usize]);
        // The surprise at the last token alone.
        let mut pass = Pass::new(Places::new(shape));
        let mut until = |n: usize| {
            let mut batch = Batch::default();
            batch.push(&ids[..n]);
            pass.run(&weights, &batch, None)
        };
        let trained = until(ids.len()) - until(ids.len() - 1);
        assert!((played - trained).abs() < 1e-4, "{played} {trained}");
    }

    #[test]
    fn weights_of_another_shape_are_refused() {
        let record = record(Shape::NANO);
        let vocabulary = Vocabulary { tokens: Vec::new(), merges: Vec::new() };
        let wrong = |kind| gguf(&record, &vocabulary, &[0.0], kind, None).unwrap_err().to_string();
        assert!(wrong("Q8_0").contains("not of the shape"));
        assert!(wrong("Q2_K").contains("choose Q8_0"));
    }
}
