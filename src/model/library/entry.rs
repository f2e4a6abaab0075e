//! What a model file's header tells about it: family, size, quantization, what it needs, and whether xiao plays it.

use std::path::PathBuf;

use serde::Serialize;

use super::super::fit::{Need, Plays};
use super::super::gguf::{Gguf, Value};
use super::super::{ModelError, Source};
use super::places::Found;

/// A model of the list.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// What `--model` and a patch's `model` take.
    pub name: String,
    pub also: Vec<String>,
    pub place: &'static str,
    /// The file, or the first part of a split one.
    pub file: PathBuf,
    pub parts: usize,
    /// Of all parts.
    pub bytes: u64,
    /// `general.architecture`, or "unknown" where the header cannot be read.
    pub family: String,
    pub parameters: u64,
    pub quantization: String,
    /// Memory at the context that it is played with; `None` for what is not played.
    pub needed_bytes: Option<u64>,
    /// `None` where it is not played or this system does not tell what is available.
    pub fits: Option<bool>,
    pub plays: Plays,
    /// Why it is not played.
    pub why: Option<String>,
}

/// A GGUF file that is not a model to play by itself.
#[derive(Clone, Debug, Serialize)]
pub struct LeftOut {
    pub name: String,
    pub file: PathBuf,
    pub what: &'static str,
}

/// Reads the headers of a model's files.
pub fn read(found: Found, available: Option<u64>) -> Result<Entry, LeftOut> {
    let bytes = found.parts.iter().filter_map(|part| Some(std::fs::metadata(part).ok()?.len())).sum();
    let mut entry = Entry {
        file: found.parts[0].clone(),
        parts: found.of,
        name: found.name,
        also: found.also,
        place: found.place,
        bytes,
        family: "unknown".to_string(),
        parameters: 0,
        quantization: "unknown".to_string(),
        needed_bytes: None,
        fits: None,
        plays: Plays::Not,
        why: None,
    };
    let missing = found.of - found.parts.len();
    if missing > 0 {
        entry.why = Some(format!("{missing} of its {} parts are missing", found.of));
        return Ok(entry);
    }
    let gguf = match Gguf::read(&Source::File(entry.file.clone())) {
        Ok(gguf) => gguf,
        Err(error) => {
            entry.why = Some(reason(&error));
            return Ok(entry);
        }
    };
    if let Some(what) = no_model(&gguf, &entry) {
        return Err(LeftOut { name: entry.name, file: entry.file, what });
    }
    entry.family = gguf.text("general.architecture").unwrap_or("unknown").to_string();
    entry.parameters = gguf.tensors.iter().map(|t| t.elements()).fold(0, u64::saturating_add);
    entry.quantization = quantization(&gguf);
    match Need::of(&gguf, None) {
        Ok((plays, need)) => {
            entry.plays = plays;
            entry.needed_bytes = Some(need.total());
            entry.fits = available.map(|available| need.total() <= available);
        }
        Err(error) => entry.why = Some(reason(&error)),
    }
    Ok(entry)
}

/// An error without the file's name, which stands beside it.
fn reason(error: &ModelError) -> String {
    let text = error.to_string();
    match text.split_once(".gguf: ").or_else(|| text.split_once(": ")) {
        Some((_, rest)) => rest.to_string(),
        None => text,
    }
}

fn no_model(gguf: &Gguf, entry: &Entry) -> Option<&'static str> {
    let kind = gguf.text("general.type").unwrap_or("model");
    let family = gguf.text("general.architecture").unwrap_or_default();
    if kind == "mmproj" || family == "clip" || entry.name.to_lowercase().starts_with("mmproj") {
        return Some("projector for pictures or sound");
    }
    match kind {
        "adapter" | "controlvector" => return Some("adapter"),
        "imatrix" => return Some("matrix of importance"),
        _ if family == "controlvector" => return Some("adapter"),
        _ => {}
    }
    gguf.tensors.is_empty().then_some("vocabulary alone")
}

/// `general.file_type` in words: number, name.
const FILE_TYPES: &[(u64, &str)] = &[
    (0, "F32"),
    (1, "F16"),
    (2, "Q4_0"),
    (3, "Q4_1"),
    (7, "Q8_0"),
    (8, "Q5_0"),
    (9, "Q5_1"),
    (10, "Q2_K"),
    (11, "Q3_K_S"),
    (12, "Q3_K_M"),
    (13, "Q3_K_L"),
    (14, "Q4_K_S"),
    (15, "Q4_K_M"),
    (16, "Q5_K_S"),
    (17, "Q5_K_M"),
    (18, "Q6_K"),
    (19, "IQ2_XXS"),
    (20, "IQ2_XS"),
    (21, "Q2_K_S"),
    (22, "IQ3_XS"),
    (23, "IQ3_XXS"),
    (24, "IQ1_S"),
    (25, "IQ4_NL"),
    (26, "IQ3_S"),
    (27, "IQ3_M"),
    (28, "IQ2_S"),
    (29, "IQ2_M"),
    (30, "IQ4_XS"),
    (31, "IQ1_M"),
    (32, "BF16"),
    (36, "TQ1_0"),
    (37, "TQ2_0"),
    (38, "MXFP4"),
];

/// What the file says of its quantization where its tensors bear that out, else the type that holds the most.
fn quantization(gguf: &Gguf) -> String {
    let mut sums: Vec<(String, u64)> = Vec::new();
    for tensor in &gguf.tensors {
        let (name, bytes) = (tensor.kind.name(), tensor.bytes());
        match sums.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum = sum.saturating_add(bytes),
            None => sums.push((name, bytes)),
        }
    }
    sums.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let said = match gguf.get("general.file_type") {
        Some(Value::Unsigned(number)) => FILE_TYPES.iter().find(|(known, _)| known == number),
        _ => None,
    };
    // The mixed kinds are called by the type of most of their matrices, with a letter for the mixture.
    match (said, sums.into_iter().next()) {
        (Some((_, said)), Some((most, _))) if said.starts_with(most.as_str()) => (*said).to_string(),
        (_, Some((most, _))) => most,
        (_, None) => "unknown".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::gguf::{Kind, TensorEntry};
    use super::*;

    fn embedded() -> Gguf {
        Gguf::read(&Source::Embedded).unwrap()
    }

    fn with(mut gguf: Gguf, key: &str, value: Value) -> Gguf {
        gguf.keys.retain(|(known, _)| known != key);
        gguf.keys.push((key.to_string(), value));
        gguf
    }

    fn entry(name: &str) -> Entry {
        let found = Found { name: name.into(), also: vec![], place: "here", parts: vec!["x.gguf".into()], of: 1 };
        read(found, None).unwrap()
    }

    #[test]
    fn what_is_not_a_model_is_left_out() {
        assert_eq!(no_model(&embedded(), &entry("starter")), None);
        let text = |text: &str| Value::Text(text.to_string());
        for (gguf, name, what) in [
            (with(embedded(), "general.type", text("adapter")), "a", "adapter"),
            (with(embedded(), "general.type", text("mmproj")), "a", "projector"),
            (with(embedded(), "general.architecture", text("clip")), "a", "projector"),
            (embedded(), "mmproj-model-f16", "projector"),
            (Gguf { tensors: vec![], ..embedded() }, "a", "vocabulary"),
        ] {
            let said = no_model(&gguf, &entry(name)).unwrap_or_default();
            assert!(said.contains(what), "{what}: {said}");
        }
    }

    #[test]
    fn the_way_of_playing_is_told_with_its_reason() {
        let (plays, need) = Need::of(&embedded(), None).unwrap();
        assert_eq!(plays, Plays::Own);
        assert!(need.total() > need.weights && need.weights > 2 << 20);
        let mut other = embedded();
        other.tensors[3].kind = Kind(23);
        let error = Need::of(&other, None).unwrap_err();
        assert!(reason(&error).starts_with("tensor ") && error.to_string().contains("IQ4_XS"), "{error}");
        let other = with(embedded(), "general.architecture", Value::Text("mamba".into()));
        let error = Need::of(&other, None).unwrap_err().to_string();
        assert!(error.contains("mamba") && error.contains("llama"), "{error}");
    }

    #[test]
    fn quantization_is_what_the_tensors_bear_out() {
        assert_eq!(quantization(&embedded()), "Q8_0");
        let tensor = |kind: u32, rows: usize| TensorEntry {
            name: format!("t{kind}"),
            shape: vec![rows, 256],
            kind: Kind(kind),
            offset: 0,
            part: 0,
        };
        let mixed = Gguf { tensors: vec![tensor(12, 9), tensor(14, 2), tensor(0, 1)], ..embedded() };
        assert_eq!(quantization(&with(mixed.clone(), "general.file_type", Value::Unsigned(15))), "Q4_K_M");
        assert_eq!(quantization(&with(mixed.clone(), "general.file_type", Value::Unsigned(7))), "Q4_K");
        assert_eq!(quantization(&with(mixed, "general.file_type", Value::Unsigned(9999))), "Q4_K");
        assert_eq!(quantization(&Gguf { tensors: vec![], ..embedded() }), "unknown");
    }

    #[test]
    fn a_reason_does_not_name_the_file_again() {
        let unreadable = entry("x");
        assert_eq!((unreadable.plays, unreadable.family.as_str()), (Plays::Not, "unknown"));
        assert!(unreadable.why.unwrap().starts_with("cannot be read"));
    }
}
