//! Reads the headers of a model's files and puts them together: what belongs to which file, and whether all of it does.

use std::collections::HashMap;
use std::path::Path;

use super::super::source::Bytes;
use super::super::{ModelError, Source};
use super::reader::{MAX_KEYS, MAX_NAME, MAX_TENSORS, Reader, shown};
use super::split::{self, MAX_PARTS};
use super::{Gguf, Part, TensorEntry, Value};

/// What one file says.
struct Header {
    version: u32,
    keys: Vec<(String, Value)>,
    places: HashMap<String, u64>,
    keys_end: u64,
    tensors: Vec<TensorEntry>,
    data_start: u64,
}

pub(super) fn read(source: &Source) -> Result<Gguf, ModelError> {
    let (file, bytes) = (source.name(), source.map()?);
    let Header { version, keys, places, keys_end, tensors, data_start } = header(&file, &bytes, 0, 0)?;
    let file_bytes = bytes.len() as u64;
    let parts = vec![Part { file: file.clone(), bytes }];
    let rows = HashMap::new();
    let mut gguf = Gguf { file, version, keys, tensors, data_start, file_bytes, parts, places, keys_end, rows };
    let (part, count) = place(&gguf)?;
    if part > 0 {
        let what = match source {
            Source::File(path) => {
                split::sibling(path, 1, count).and_then(|p| Some(p.file_name()?.display().to_string()))
            }
            _ => None,
        };
        let what = format!("it is part {} of {count}{}", part + 1, what.map_or(String::new(), |w| format!(" of {w}")));
        return Err(ModelError::Part { file: gguf.file, what });
    }
    for part in 1..count {
        read_part(&mut gguf, source, part, count)?;
    }
    if let Some(total) = gguf.integer("split.tensors.count").filter(|_| count > 1)
        && total != gguf.tensors.len() as u64
    {
        let problem = format!("{total} tensors are announced, the parts have {}; copy them again", gguf.tensors.len());
        return Err(gguf.bad_key("split.tensors.count", problem));
    }
    for (row, tensor) in gguf.tensors.iter().enumerate() {
        if gguf.rows.insert(tensor.name.clone(), row).is_some() {
            let what = format!("tensor {} appears twice", tensor.name);
            return Err(ModelError::Damaged { file: gguf.file_of(tensor), offset: tensor.offset, what });
        }
    }
    Ok(gguf)
}

/// Which part of how many the file says it is, counted from 0.
fn place(gguf: &Gguf) -> Result<(u64, u64), ModelError> {
    let number = |key: &str, usual| match gguf.get(key) {
        None => Ok(usual),
        Some(_) => gguf.integer(key).ok_or_else(|| gguf.missing(key)),
    };
    let (part, count) = (number("split.no", 0)?, number("split.count", 1)?.max(1));
    if count > MAX_PARTS {
        return Err(gguf.bad_key("split.count", format!("{count} parts are not possible; copy the files again")));
    }
    if part >= count {
        return Err(gguf.bad_key("split.no", format!("{part} is not below the {count} parts; copy the files again")));
    }
    Ok((part, count))
}

/// Adds the tensors of a later part.
fn read_part(gguf: &mut Gguf, source: &Source, part: u64, count: u64) -> Result<(), ModelError> {
    let path = match source {
        Source::File(path) => split::sibling(path, part + 1, count),
        _ => None,
    };
    let Some(path) = path else {
        let ending = format!("-00001-of-{count:05}.gguf");
        let problem =
            format!("it is the first of {count} parts, whose name must end in {ending}; give it its old name");
        return Err(gguf.bad_key("split.count", problem));
    };
    if !path.is_file() {
        let name = path.file_name().map(Path::new).unwrap_or(&path).display().to_string();
        let what = format!("part {} of {count}, {name}, is missing", part + 1);
        return Err(ModelError::Part { file: gguf.file.clone(), what });
    }
    let source = Source::File(path);
    let (file, bytes) = (source.name(), source.map()?);
    let header = header(&file, &bytes, part as usize, gguf.tensors.len() as u64)?;
    let listed = |key: &str| {
        let value = header.keys.iter().find(|(name, _)| name == key).map(|(_, value)| value);
        match value {
            Some(Value::Unsigned(n)) => Some(*n),
            Some(Value::Signed(n)) => u64::try_from(*n).ok(),
            _ => None,
        }
    };
    for (key, expected) in [("split.no", part), ("split.count", count)] {
        let found = listed(key);
        if found != Some(expected) {
            let found = found.map_or("nothing".to_string(), |n| n.to_string());
            let problem =
                format!("it says {found} where {expected} was expected; copy the parts of one model together");
            let offset = header.places.get(key).copied().unwrap_or(header.keys_end);
            return Err(ModelError::BadKey { file, key: key.to_string(), offset, problem });
        }
    }
    gguf.file_bytes += bytes.len() as u64;
    gguf.tensors.extend(header.tensors);
    gguf.parts.push(Part { file, bytes });
    Ok(())
}

/// Reads one file, the model's `part`th; the model has `tensors` tensors already.
fn header(file: &str, bytes: &Bytes, part: usize, tensors: u64) -> Result<Header, ModelError> {
    let mut r = Reader::new(file, bytes);
    let had = &bytes[..bytes.len().min(4)];
    if had != b"GGUF" {
        let found = if had.is_empty() { "nothing".to_string() } else { format!("{:?}", String::from_utf8_lossy(had)) };
        return Err(ModelError::NotGguf { file: file.to_string(), found });
    }
    r.at = 4;
    let version = r.u32("the version")?;
    if (1..=3).contains(&version.swap_bytes()) {
        return Err(ModelError::BigEndian { file: file.to_string() });
    }
    if !(2..=3).contains(&version) {
        return Err(ModelError::Version { file: file.to_string(), version });
    }
    let tensor_count = r.count("the number of tensors", MAX_TENSORS - tensors)?;
    let key_count = r.count("the number of keys", MAX_KEYS)?;

    let (mut keys, mut places) = (Vec::new(), HashMap::new());
    for i in 0..key_count {
        let start = r.at as u64;
        let key = r.name(&format!("key {i}"), MAX_NAME)?;
        let what = format!("the value of key {}", shown(&key));
        let kind = r.u32(&what)?;
        let value = r.value(kind, &what)?;
        if places.insert(key.clone(), start).is_some() {
            return Err(r.damaged(start, format!("key {} appears twice", shown(&key))));
        }
        keys.push((key, value));
    }
    let keys_end = r.at as u64;
    let mut tensors = Vec::new();
    for i in 0..tensor_count {
        tensors.push(r.tensor(i, part)?);
    }
    let table_end = r.at as u64;
    let alignment = match keys.iter().find(|(key, _)| key == "general.alignment") {
        None => 32,
        Some((_, Value::Unsigned(n))) if n.is_power_of_two() && *n <= 1 << 20 => *n,
        Some((key, _)) => {
            let (file, offset) = (file.to_string(), places.get(key).copied().unwrap_or(keys_end));
            let problem = "it is no power of two up to 1048576; convert the model again".to_string();
            return Err(ModelError::BadKey { file, key: key.clone(), offset, problem });
        }
    };
    let data_start = table_end.next_multiple_of(alignment);
    r.place(&mut tensors, data_start, alignment)?;
    Ok(Header { version, keys, places, keys_end, tensors, data_start })
}
