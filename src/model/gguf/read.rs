//! Reads the bytes of a GGUF header, trusting none of them.

use std::collections::HashSet;
use std::io::{BufReader, Read};

use super::super::source::Stream;
use super::super::{ModelError, Source};
use super::{Gguf, Kind, TensorEntry, Value};

/// More than any model has; a larger number is a sign of damage. Bounds what a bad file can make us allocate.
const MAX_ELEMENTS: u64 = 1 << 24;
const MAX_ENTRIES: u64 = 1 << 20;

struct Reader<'a> {
    source: &'a Source,
    bytes: BufReader<Box<dyn Stream>>,
    at: u64,
    length: u64,
}

pub(super) fn read(source: &Source, bytes: Box<dyn Stream>, length: u64) -> Result<Gguf, ModelError> {
    let mut r = Reader { source, bytes: BufReader::with_capacity(1 << 16, bytes), at: 0, length };
    let file = source.name();
    let mut magic = [0u8; 4];
    let had = length.min(4) as usize;
    r.bytes.read_exact(&mut magic[..had]).map_err(|e| source.unreadable(e))?;
    if &magic != b"GGUF" {
        let found =
            if had == 0 { "nothing".to_string() } else { format!("{:?}", String::from_utf8_lossy(&magic[..had])) };
        return Err(ModelError::NotGguf { file, found });
    }
    r.at = 4;
    let version = r.u32("the version")?;
    if !(2..=3).contains(&version) {
        return Err(ModelError::Version { file, version });
    }
    let tensor_count = r.count("the number of tensors", MAX_ENTRIES)?;
    let key_count = r.count("the number of keys", MAX_ENTRIES)?;

    let mut gguf = Gguf {
        file,
        version,
        keys: Vec::new(),
        tensors: Vec::new(),
        data_start: 0,
        file_bytes: length,
        map: source.map()?,
    };
    let mut seen = HashSet::new();
    for i in 0..key_count {
        let start = r.at;
        let key = r.text(&format!("key {i}"))?;
        let what = format!("the value of key {}", shown(&key));
        let kind = r.u32(&what)?;
        let value = r.value(kind, &what)?;
        if !seen.insert(key.clone()) {
            return Err(r.damaged(start, format!("key {} appears twice", shown(&key))));
        }
        gguf.keys.push((key, value));
    }

    seen.clear();
    for i in 0..tensor_count {
        let start = r.at;
        let entry = r.tensor(i)?;
        if !seen.insert(entry.name.clone()) {
            return Err(r.damaged(start, format!("tensor {} appears twice", shown(&entry.name))));
        }
        gguf.tensors.push(entry);
    }

    let alignment = match gguf.get("general.alignment") {
        None => 32,
        Some(_) => gguf.integer("general.alignment").unwrap_or(0),
    };
    if !alignment.is_power_of_two() || alignment > 1 << 20 {
        return Err(gguf.bad_key("general.alignment", "not a power of two; convert the model again"));
    }
    gguf.data_start = r.at.next_multiple_of(alignment);
    let (mut needed, mut last) = (gguf.data_start, None);
    for (i, t) in gguf.tensors.iter_mut().enumerate() {
        if t.offset % alignment != 0 {
            let what = format!("tensor {} begins at {}, which is no multiple of {alignment}", t.name, t.offset);
            return Err(r.damaged(r.at, what));
        }
        let begins = gguf.data_start.checked_add(t.offset);
        let Some((begins, ends)) = begins.and_then(|b| Some((b, b.checked_add(t.bytes())?))) else {
            return Err(r.damaged(r.at, format!("tensor {} begins beyond any file", t.name)));
        };
        t.offset = begins;
        if ends > needed {
            (needed, last) = (ends, Some(i));
        }
    }
    if let Some(last) = last.map(|i| &gguf.tensors[i])
        && needed > length
    {
        let what = format!("tensor {} (the last of {})", last.name, gguf.tensors.len());
        let (file, offset) = (gguf.file.clone(), last.offset);
        return Err(ModelError::Truncated { file, what, offset, needed, has: length });
    }
    Ok(gguf)
}

impl Reader<'_> {
    fn damaged(&self, offset: u64, what: String) -> ModelError {
        ModelError::Damaged { file: self.source.name(), offset, what }
    }

    /// Makes sure that `bytes` more bytes exist before any of them is allocated or read.
    fn need(&self, bytes: u64, what: &str) -> Result<(), ModelError> {
        match self.at.checked_add(bytes) {
            Some(end) if end <= self.length => Ok(()),
            Some(needed) => Err(ModelError::Truncated {
                file: self.source.name(),
                what: what.to_string(),
                offset: self.at,
                needed,
                has: self.length,
            }),
            None => Err(self.damaged(self.at, format!("{what} has an absurd length"))),
        }
    }

    fn bytes<const N: usize>(&mut self, what: &str) -> Result<[u8; N], ModelError> {
        self.need(N as u64, what)?;
        let mut bytes = [0u8; N];
        self.bytes.read_exact(&mut bytes).map_err(|e| self.source.unreadable(e))?;
        self.at += N as u64;
        Ok(bytes)
    }

    fn u32(&mut self, what: &str) -> Result<u32, ModelError> {
        Ok(u32::from_le_bytes(self.bytes(what)?))
    }

    fn u64(&mut self, what: &str) -> Result<u64, ModelError> {
        Ok(u64::from_le_bytes(self.bytes(what)?))
    }

    fn count(&mut self, what: &str, most: u64) -> Result<u64, ModelError> {
        let at = self.at;
        let n = self.u64(what)?;
        if n > most {
            return Err(self.damaged(at, format!("{what} is {n}, more than any model has")));
        }
        Ok(n)
    }

    fn text(&mut self, what: &str) -> Result<String, ModelError> {
        let n = self.u64(what)?;
        self.need(n, what)?;
        let mut bytes = vec![0u8; n as usize];
        self.bytes.read_exact(&mut bytes).map_err(|e| self.source.unreadable(e))?;
        self.at += n;
        Ok(String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
    }

    fn value(&mut self, kind: u32, what: &str) -> Result<Value, ModelError> {
        Ok(match kind {
            0 => Value::Unsigned(self.bytes::<1>(what)?[0].into()),
            1 => Value::Signed(i8::from_le_bytes(self.bytes(what)?).into()),
            2 => Value::Unsigned(u16::from_le_bytes(self.bytes(what)?).into()),
            3 => Value::Signed(i16::from_le_bytes(self.bytes(what)?).into()),
            4 => Value::Unsigned(self.u32(what)?.into()),
            5 => Value::Signed(i32::from_le_bytes(self.bytes(what)?).into()),
            6 => Value::Float(f32::from_le_bytes(self.bytes(what)?).into()),
            7 => Value::Bool(self.bytes::<1>(what)?[0] != 0),
            8 => Value::Text(self.text(what)?),
            9 => self.array(what)?,
            10 => Value::Unsigned(self.u64(what)?),
            11 => Value::Signed(i64::from_le_bytes(self.bytes(what)?)),
            12 => Value::Float(f64::from_le_bytes(self.bytes(what)?)),
            _ => return Err(self.damaged(self.at, format!("{what} has the unknown type {kind}"))),
        })
    }

    fn array(&mut self, what: &str) -> Result<Value, ModelError> {
        let kind = self.u32(what)?;
        let at = self.at;
        let count = self.count(what, MAX_ELEMENTS)?;
        let width = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10..=12 => 8,
            _ => return Err(self.damaged(at, format!("{what} is a list of the unsupported type {kind}"))),
        };
        self.need(count * width, what)?;
        let mut list = match kind {
            6 | 12 => Value::Floats(Vec::with_capacity(count as usize)),
            7 => Value::Bools(Vec::with_capacity(count as usize)),
            8 => Value::Texts(Vec::with_capacity(count as usize)),
            _ => Value::Integers(Vec::with_capacity(count as usize)),
        };
        for _ in 0..count {
            match (&mut list, self.value(kind, what)?) {
                (Value::Floats(list), Value::Float(x)) => list.push(x as f32),
                (Value::Bools(list), Value::Bool(x)) => list.push(x),
                (Value::Texts(list), Value::Text(x)) => list.push(x),
                (Value::Integers(list), Value::Signed(x)) => list.push(x),
                (Value::Integers(list), Value::Unsigned(x)) => list.push(i64::try_from(x).unwrap_or(i64::MAX)),
                _ => return Err(self.damaged(at, format!("{what} mixes types"))),
            }
        }
        Ok(list)
    }

    fn tensor(&mut self, i: u64) -> Result<TensorEntry, ModelError> {
        let start = self.at;
        let name = self.text(&format!("the name of tensor {i}"))?;
        let what = format!("the table entry of tensor {name}");
        let rank = self.u32(&what)?;
        if !(1..=4).contains(&rank) {
            return Err(self.damaged(start, format!("tensor {name} has {rank} dimensions, 1 to 4 are possible")));
        }
        let (mut shape, mut elements) = (Vec::new(), 1u64);
        for _ in 0..rank {
            let n = self.u64(&what)?;
            elements = match elements.checked_mul(n).filter(|e| *e > 0 && *e < 1 << 48) {
                Some(elements) => elements,
                None => return Err(self.damaged(start, format!("tensor {name} has an impossible shape"))),
            };
            shape.insert(0, n as usize);
        }
        let kind = Kind(self.u32(&what)?);
        let offset = self.u64(&what)?;
        if let Some((block, _)) = kind.block()
            && shape[shape.len() - 1] % block != 0
        {
            let what = format!("tensor {name} has rows of {} elements in blocks of {block}", shape[shape.len() - 1]);
            return Err(self.damaged(start, what));
        }
        Ok(TensorEntry { name, shape, kind, offset })
    }
}

/// A name from a file that may be damaged: no control characters, and no longer than a name is.
fn shown(name: &str) -> String {
    name.chars().take(80).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::super::{Config, Info, Shape, Tokenizer};
    use super::*;

    fn starter() -> Vec<u8> {
        let mut bytes = Vec::new();
        Source::Embedded.open().unwrap().0.read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Gguf, ModelError> {
        read(&Source::Embedded, Box::new(Cursor::new(bytes.to_vec())), bytes.len() as u64)
    }

    #[test]
    fn every_cut_of_the_header_is_refused_in_words() {
        let bytes = starter();
        let start = parse(&bytes).unwrap().data_start as usize;
        // Each cut copies its prefix, so the long token lists are taken in larger steps.
        for cut in (0..400).chain((400..start).step_by(997)) {
            let error = parse(&bytes[..cut]).unwrap_err().to_string();
            assert!(error.contains("byte"), "{cut}: {error}");
            assert!(!error.contains('\n'), "{cut}: {error}");
        }
    }

    #[test]
    fn half_a_file_says_what_is_missing() {
        let bytes = starter();
        let error = parse(&bytes[..bytes.len() / 2]).unwrap_err().to_string();
        assert!(error.contains(&format!("it has {}", bytes.len() / 2)), "{error}");
        assert!(error.contains("cut short") && error.contains("byte offset"), "{error}");
    }

    #[test]
    fn flipped_bytes_never_panic() {
        let bytes = starter();
        let start = parse(&bytes).unwrap().data_start as usize;
        let mut state = 7u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize
        };
        let (mut refused, head) = (0, &bytes[..start]);
        for round in 0..400 {
            let mut damaged = head.to_vec();
            for _ in 0..1 + round % 4 {
                // Most flips go where lengths and types are dense: the first keys and the tensor table.
                let at = match next() % 3 {
                    0 => next() % 512,
                    1 => start - 1 - next() % 2048,
                    _ => next() % start,
                };
                damaged[at] ^= 1 << (next() % 8);
            }
            // As if the weights were there: the length is the whole file's.
            let source = Source::Embedded;
            match read(&source, Box::new(Cursor::new(damaged)), bytes.len() as u64) {
                Err(_) => refused += 1,
                Ok(gguf) => {
                    // What follows must not trip over it either.
                    let config = Config::read(&gguf, None).map(|config| Shape::of(&config));
                    let tokenizer = if round % 8 == 0 { Tokenizer::new(&gguf).ok() } else { None };
                    if let (Ok(config), Some(tokenizer)) = (config, tokenizer) {
                        Info::of(&gguf, &config, &tokenizer);
                        tokenizer.encode("The moon, 春");
                    }
                }
            }
        }
        assert!(refused > 50, "{refused}");
    }

    #[test]
    fn absurd_lengths_are_refused_before_anything_is_allocated() {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(3u32.to_le_bytes());
        bytes.extend(0u64.to_le_bytes());
        bytes.extend(1u64.to_le_bytes());
        let with = |tail: &[u8]| [&bytes[..], tail].concat();
        let endless_key = with(&u64::MAX.to_le_bytes());
        assert!(parse(&endless_key).unwrap_err().to_string().contains("absurd"));
        let mut list = with(&1u64.to_le_bytes());
        list.push(b'k');
        list.extend(9u32.to_le_bytes());
        list.extend(0u32.to_le_bytes());
        list.extend((1u64 << 60).to_le_bytes());
        assert!(parse(&list).unwrap_err().to_string().contains("more than any model has"));
    }

    #[test]
    fn text_and_old_versions_are_refused() {
        let error = parse(b"The moon, and I").unwrap_err().to_string();
        assert!(error.contains("not a GGUF file") && error.contains("The "), "{error}");
        assert!(parse(b"").unwrap_err().to_string().contains("nothing"));
        let mut old = starter();
        old[4] = 1;
        assert!(parse(&old).unwrap_err().to_string().contains("version 1"));
    }
}
