//! A model's anatomy and provenance, from its header alone.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::decoder::Config;
use super::gguf::{Gguf, Value};
use super::{ModelError, Source, Tokenizer, opaque, plate};

/// What `inspect` shows. No weight is read for it.
#[derive(Clone, Debug, Serialize)]
pub struct Info {
    pub file: String,
    pub file_bytes: u64,
    pub gguf_version: u32,
    pub name: String,
    pub architecture: String,
    /// It plays through a module of candle's: no quick way back, and no signals from inside.
    pub opaque: bool,
    pub parameters: u64,
    pub layers: usize,
    /// Of the embedding.
    pub width: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_dim: usize,
    pub ffn: usize,
    pub vocabulary: usize,
    /// Positions the model was made for.
    pub context: usize,
    /// Positions xiao gives it unless asked for more.
    pub context_used: usize,
    pub rope_base: f64,
    /// Whether the embedding table also makes the logits.
    pub tied_output: bool,
    pub tokenizer: String,
    pub bos: Option<u32>,
    pub eos: Option<u32>,
    pub add_bos: bool,
    /// `general.*` of the file in its order, or "unknown" where it says nothing.
    pub lineage: Lineage,
    /// The model's card, as `xiao train` wrote it into the file: at most [`plate::LINES`] of [`plate::COLUMNS`].
    pub card: Option<String>,
    /// Texts and numbers of other keys that begin with `xiao.`.
    pub notes: BTreeMap<String, String>,
    /// The record of its training, JSON.
    #[serde(skip)]
    pub record: Option<String>,
    pub types: Vec<TypeSum>,
    pub tensors: Vec<TensorInfo>,
    pub weight_bytes: u64,
    /// Keys and values at `context_used` and at `context`.
    pub cache_bytes: u64,
    pub cache_bytes_full: u64,
    /// Weights and the cache at `context_used`.
    pub memory_bytes: u64,
}

/// The sizes of a model, whoever computes it; the fields are those of [`Info`].
pub(super) struct Shape {
    pub opaque: bool,
    pub layers: usize,
    pub width: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_dim: usize,
    pub ffn: usize,
    pub vocabulary: usize,
    pub context: usize,
    pub context_used: usize,
    pub rope_base: f64,
    pub cache_bytes: u64,
    pub cache_bytes_full: u64,
}

impl Shape {
    /// Reads and checks the sizes.
    ///
    /// # Errors
    /// The architecture is not supported, or a key is missing or makes no sense.
    pub fn read(gguf: &Gguf, context: Option<usize>) -> Result<Shape, ModelError> {
        opaque::shape(gguf, context).unwrap_or_else(|| Config::read(gguf, context).map(|config| Shape::of(&config)))
    }

    pub fn of(config: &Config) -> Shape {
        Shape {
            opaque: false,
            layers: config.layers,
            width: config.width,
            heads: config.heads,
            kv_heads: config.kv_heads,
            head_dim: config.head_dim,
            ffn: config.ffn,
            vocabulary: config.vocabulary,
            context: config.file_context,
            context_used: config.context,
            rope_base: f64::from(config.rope.base),
            cache_bytes: config.cache_bytes(config.context),
            cache_bytes_full: config.cache_bytes(config.file_context),
        }
    }
}

/// Where a model comes from, in its file's own words.
#[derive(Clone, Debug, Serialize)]
pub struct Lineage {
    pub author: String,
    pub organization: String,
    pub licence: String,
    pub source: String,
    pub base_model: String,
    pub datasets: String,
    pub languages: String,
    pub description: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct TypeSum {
    #[serde(rename = "type")]
    pub kind: String,
    pub tensors: usize,
    pub parameters: u64,
    pub bytes: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct TensorInfo {
    pub name: String,
    pub shape: Vec<usize>,
    #[serde(rename = "type")]
    pub kind: String,
    pub bytes: u64,
}

impl Info {
    /// Reads the header.
    ///
    /// # Errors
    /// The file cannot be read, does not hold together, or is of an architecture that is not supported.
    pub fn read(source: &Source) -> Result<Info, ModelError> {
        let gguf = Gguf::read(source)?;
        let shape = Shape::read(&gguf, None)?;
        let tokenizer = Tokenizer::new(&gguf)?;
        Ok(Info::of(&gguf, &shape, &tokenizer))
    }

    pub(super) fn of(gguf: &Gguf, shape: &Shape, tokenizer: &Tokenizer) -> Info {
        let mut sums: BTreeMap<_, TypeSum> = BTreeMap::new();
        for t in &gguf.tensors {
            let empty = || TypeSum { kind: t.kind.name(), tensors: 0, parameters: 0, bytes: 0 };
            let sum = sums.entry(t.kind).or_insert_with(empty);
            sum.tensors += 1;
            sum.parameters = sum.parameters.saturating_add(t.elements());
            sum.bytes = sum.bytes.saturating_add(t.bytes());
        }
        let mut types: Vec<TypeSum> = sums.into_values().collect();
        types.sort_by_key(|sum| std::cmp::Reverse(sum.bytes));
        let weight_bytes: u64 = gguf.tensors.iter().map(|t| t.bytes()).sum();
        Info {
            file: gguf.file.clone(),
            file_bytes: gguf.file_bytes,
            gguf_version: gguf.version,
            name: first(gguf, &["general.name", "general.basename"]),
            architecture: first(gguf, &["general.architecture"]),
            parameters: types.iter().map(|sum| sum.parameters).sum(),
            opaque: shape.opaque,
            layers: shape.layers,
            width: shape.width,
            heads: shape.heads,
            kv_heads: shape.kv_heads,
            head_dim: shape.head_dim,
            ffn: shape.ffn,
            vocabulary: shape.vocabulary,
            context: shape.context,
            context_used: shape.context_used,
            rope_base: shape.rope_base,
            tied_output: gguf.tensor("output.weight").is_none(),
            tokenizer: tokenizer.about().to_string(),
            bos: tokenizer.bos(),
            eos: tokenizer.eos(),
            add_bos: tokenizer.add_bos(),
            lineage: Lineage {
                author: first(gguf, &["general.author"]),
                organization: first(gguf, &["general.organization"]),
                licence: first(gguf, &["general.license", "general.license.name", "general.license.link"]),
                source: first(
                    gguf,
                    &["general.source.url", "general.url", "general.repo_url", "general.source.repo_url"],
                ),
                base_model: first(gguf, &["general.base_model.0.name", "general.base_model.0.repo_url"]),
                datasets: first(gguf, &["general.datasets", "general.dataset.0.name"]),
                languages: first(gguf, &["general.languages"]),
                description: first(gguf, &["general.description"]),
            },
            card: plate::card(gguf),
            notes: plate::notes(gguf),
            record: plate::record(gguf),
            types,
            tensors: gguf
                .tensors
                .iter()
                .map(|t| TensorInfo {
                    name: t.name.clone(),
                    shape: t.shape.clone(),
                    kind: t.kind.name(),
                    bytes: t.bytes(),
                })
                .collect(),
            weight_bytes,
            cache_bytes: shape.cache_bytes,
            cache_bytes_full: shape.cache_bytes_full,
            memory_bytes: weight_bytes.saturating_add(shape.cache_bytes),
        }
    }
}

/// The first of the keys that says something.
fn first(gguf: &Gguf, keys: &[&str]) -> String {
    let said = |key: &&str| match gguf.get(key)? {
        Value::Text(text) if !text.trim().is_empty() => Some(text.trim().to_string()),
        Value::Texts(list) if !list.is_empty() => Some(list.iter().collect::<Vec<_>>().join(", ")),
        _ => None,
    };
    keys.iter().find_map(said).unwrap_or_else(|| "unknown".to_string())
}

impl fmt::Display for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / (1 << 20) as f64);
        let id = |id: Option<u32>| id.map_or("none".to_string(), |id| id.to_string());
        let lineage = &self.lineage;
        let mut row = |name: &str, value: String| writeln!(f, "{name:<14} {value}");
        row("model", format!("{} ({}, GGUF {}, {})", self.name, self.file, self.gguf_version, mib(self.file_bytes)))?;
        row(
            "architecture",
            format!(
                "{}, {:.2} M parameters{}",
                self.architecture,
                self.parameters as f64 / 1e6,
                if self.opaque { "; opaque: through a module of candle's, no signals from inside" } else { "" }
            ),
        )?;
        row(
            "shape",
            format!(
                "{} layers, {} wide, {} heads and {} for keys of {}, feed-forward {}{}",
                self.layers,
                self.width,
                self.heads,
                self.kv_heads,
                self.head_dim,
                self.ffn,
                if self.tied_output { ", tied output" } else { "" }
            ),
        )?;
        row("context", format!("{} tokens, {} used; rope base {}", self.context, self.context_used, self.rope_base))?;
        let bos = if self.add_bos { "put before a prompt" } else { "not put before a prompt" };
        let (begins, ends) = (id(self.bos), id(self.eos));
        row("vocabulary", format!("{} tokens, {}; BOS {begins}, {bos}; EOS {ends}", self.vocabulary, self.tokenizer))?;
        for sum in &self.types {
            row(
                "quantization",
                format!("{} in {} tensors, {:.2} M parameters", sum.kind, sum.tensors, sum.parameters as f64 / 1e6),
            )?;
        }
        row("licence", lineage.licence.clone())?;
        row("author", format!("{}; organization {}", lineage.author, lineage.organization))?;
        row(
            "lineage",
            format!("base model {}; data sets {}; source {}", lineage.base_model, lineage.datasets, lineage.source),
        )?;
        row("languages", lineage.languages.clone())?;
        row(
            "memory",
            format!("{} (weights {}, cache {})", mib(self.memory_bytes), mib(self.weight_bytes), mib(self.cache_bytes)),
        )?;
        for (i, line) in self.card.iter().flat_map(|card| card.lines()).enumerate() {
            row(if i == 0 { "card" } else { "" }, line.to_string())?;
        }
        for (key, value) in &self.notes {
            row(key, value.clone())?;
        }
        for tensor in &self.tensors {
            row("tensor", format!("{:<28} {:?} {} {} B", tensor.name, tensor.shape, tensor.kind, tensor.bytes))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_model_is_described() {
        let info = Info::read(&Source::Embedded).unwrap();
        assert_eq!((info.architecture.as_str(), info.layers, info.vocabulary), ("llama", 4, 6144));
        assert_eq!(info.parameters, 4_524_288);
        assert_eq!(info.types.iter().map(|t| t.tensors).sum::<usize>(), info.tensors.len());
        assert!(info.weight_bytes < info.file_bytes && info.memory_bytes > info.weight_bytes);
        let json = serde_json::to_value(&info).unwrap();
        assert_eq!(json["tensors"][0]["type"].as_str().map(str::len), Some(4));
        assert_eq!(json["lineage"]["base_model"], "unknown");
    }

    #[test]
    fn card_and_notes_are_shown_and_the_record_is_not() {
        let mut gguf = Gguf::read(&Source::Embedded).unwrap();
        gguf.keys.retain(|(key, _)| !key.starts_with("xiao."));
        let mut put = |key: &str, value| gguf.keys.push((key.to_string(), value));
        put("xiao.card", Value::Text("A voice\n3 M parameters".into()));
        put("xiao.record", Value::Text("{\"name\": 1}".into()));
        put("xiao.tokens", Value::Unsigned(12));
        let tokenizer = Tokenizer::new(&gguf).unwrap();
        let info = Info::of(&gguf, &Shape::read(&gguf, None).unwrap(), &tokenizer);
        let text = info.to_string();
        assert!(text.contains("card           A voice\n               3 M parameters\nxiao.tokens    12\n"), "{text}");
        assert!(!text.contains("xiao.record"));
        let json = serde_json::to_value(&info).unwrap();
        assert_eq!((&json["card"], &json["notes"]["xiao.tokens"]), (&"A voice\n3 M parameters".into(), &"12".into()));
        assert!(json.get("record").is_none() && info.record.is_some());
    }
}
