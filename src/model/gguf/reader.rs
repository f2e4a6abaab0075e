//! Takes values out of a GGUF header's bytes, trusting none of them.
//!
//! What a hostile file can make us allocate is bounded by the limits below: 4 bytes for each text (at least 8 in the
//! file), 8 for each number, about 300 for each key or tensor; 25 MB in all, whatever the counts say.

use super::super::ModelError;
use super::super::source::Bytes;
use super::texts::{Texts, lossy};
use super::{Kind, TensorEntry, Value};

// More than any model has; a larger number is a sign of damage. The largest models have about 60 keys, 2000 tensors,
// 260,000 tokens and 515,000 merges.
pub(super) const MAX_KEYS: u64 = 1 << 12;
pub(super) const MAX_TENSORS: u64 = 1 << 15;
pub(super) const MAX_TEXTS: u64 = 1 << 20;
pub(super) const MAX_NUMBERS: u64 = 1 << 20;
/// Bytes in the name of a key and of a tensor, in a text (a chat template has some 10,000) and in a text of a list.
pub(super) const MAX_NAME: u64 = 256;
pub(super) const MAX_TENSOR_NAME: u64 = 128;
pub(super) const MAX_TEXT: u64 = 1 << 20;
pub(super) const MAX_LISTED: u64 = 1 << 14;

/// A place in one file. Errors say how far it is.
pub(super) struct Reader<'a> {
    file: &'a str,
    bytes: &'a Bytes,
    pub at: usize,
    /// Elements that lists may still have.
    texts_left: u64,
    numbers_left: u64,
}

impl<'a> Reader<'a> {
    pub fn new(file: &'a str, bytes: &'a Bytes) -> Reader<'a> {
        Reader { file, bytes, at: 0, texts_left: MAX_TEXTS, numbers_left: MAX_NUMBERS }
    }

    pub fn damaged(&self, offset: u64, what: String) -> ModelError {
        ModelError::Damaged { file: self.file.to_string(), offset, what }
    }

    /// The next bytes, if the file has so many more.
    fn take(&mut self, bytes: u64, what: &str) -> Result<&[u8], ModelError> {
        let has = self.bytes.len() as u64;
        match (self.at as u64).checked_add(bytes) {
            Some(end) if end <= has => {
                let start = std::mem::replace(&mut self.at, end as usize);
                Ok(&self.bytes[start..end as usize])
            }
            Some(needed) => Err(ModelError::Truncated {
                file: self.file.to_string(),
                what: what.to_string(),
                offset: self.at as u64,
                needed,
                has,
            }),
            None => Err(self.damaged(self.at as u64, format!("{what} has an absurd length"))),
        }
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], ModelError> {
        let mut array = [0u8; N];
        array.copy_from_slice(self.take(N as u64, what)?);
        Ok(array)
    }

    pub fn u32(&mut self, what: &str) -> Result<u32, ModelError> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    fn u64(&mut self, what: &str) -> Result<u64, ModelError> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    pub fn count(&mut self, what: &str, most: u64) -> Result<u64, ModelError> {
        let at = self.at as u64;
        let n = self.u64(what)?;
        if n > most {
            return Err(self.damaged(at, format!("{what} is {n}, more than any model has")));
        }
        Ok(n)
    }

    /// The bytes of a text of at most `most`.
    fn text(&mut self, what: &str, most: u64) -> Result<&[u8], ModelError> {
        let at = self.at as u64;
        let n = self.u64(what)?;
        // Whether the file is cut short is the better answer where both are so.
        if n > most && (n as u128) <= (self.bytes.len() - self.at) as u128 {
            return Err(self.damaged(at, format!("{what} is a text of {n} bytes, more than any model has")));
        }
        self.take(n, what)
    }

    pub fn name(&mut self, what: &str, most: u64) -> Result<String, ModelError> {
        self.text(what, most).map(|bytes| lossy(bytes).into_owned())
    }

    pub fn value(&mut self, kind: u32, what: &str) -> Result<Value, ModelError> {
        Ok(match kind {
            0 => Value::Unsigned(self.array::<1>(what)?[0].into()),
            1 => Value::Signed(i8::from_le_bytes(self.array(what)?).into()),
            2 => Value::Unsigned(u16::from_le_bytes(self.array(what)?).into()),
            3 => Value::Signed(i16::from_le_bytes(self.array(what)?).into()),
            4 => Value::Unsigned(self.u32(what)?.into()),
            5 => Value::Signed(i32::from_le_bytes(self.array(what)?).into()),
            6 => Value::Float(f32::from_le_bytes(self.array(what)?).into()),
            7 => Value::Bool(self.array::<1>(what)?[0] != 0),
            8 => Value::Text(lossy(self.text(what, MAX_TEXT)?).into_owned()),
            9 => self.list(what)?,
            10 => Value::Unsigned(self.u64(what)?),
            11 => Value::Signed(i64::from_le_bytes(self.array(what)?)),
            12 => Value::Float(f64::from_le_bytes(self.array(what)?)),
            _ => return Err(self.damaged(self.at as u64, format!("{what} has the unknown type {kind}"))),
        })
    }

    fn list(&mut self, what: &str) -> Result<Value, ModelError> {
        let at = self.at as u64;
        let kind = self.u32(what)?;
        let width = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10..=12 => 8,
            _ => return Err(self.damaged(at, format!("{what} is a list of the unsupported type {kind}"))),
        };
        let left = if kind == 8 { self.texts_left } else { self.numbers_left };
        let count = self.count(&format!("the length of {what}"), left)?;
        if kind == 8 {
            self.texts_left -= count;
            return self.texts(count, what);
        }
        self.numbers_left -= count;
        let elements = self.take(count * width, what)?.chunks_exact(width as usize);
        // Chunks have the width that is asked for here, so none is left out.
        macro_rules! as_type {
            ($type:ty) => {
                elements.filter_map(|chunk| Some(<$type>::from_le_bytes(chunk.try_into().ok()?)))
            };
        }
        let capped = |n| i64::try_from(n).unwrap_or(i64::MAX);
        Ok(match kind {
            0 => Value::Integers(as_type!(u8).map(i64::from).collect()),
            1 => Value::Integers(as_type!(i8).map(i64::from).collect()),
            2 => Value::Integers(as_type!(u16).map(i64::from).collect()),
            3 => Value::Integers(as_type!(i16).map(i64::from).collect()),
            4 => Value::Integers(as_type!(u32).map(i64::from).collect()),
            5 => Value::Integers(as_type!(i32).map(i64::from).collect()),
            6 => Value::Floats(as_type!(f32).collect()),
            7 => Value::Bools(as_type!(u8).map(|byte| byte != 0).collect()),
            10 => Value::Integers(as_type!(u64).map(capped).collect()),
            11 => Value::Integers(as_type!(i64).collect()),
            _ => Value::Floats(as_type!(f64).map(|x| x as f32).collect()),
        })
    }

    /// Keeps where each text begins; the texts stay where they are.
    fn texts(&mut self, count: u64, what: &str) -> Result<Value, ModelError> {
        let first = self.at;
        // Each has at least its length in the file, so that what follows allocates no more than half of that.
        let shortest = count * 8;
        if shortest > (self.bytes.len() - first) as u64 {
            self.take(shortest, what)?;
        }
        let mut starts = Vec::with_capacity(count as usize);
        for i in 0..count {
            let start = (self.at - first + 8) as u64;
            if self.text(what, MAX_LISTED).is_err() {
                // Only now, since making the words for each text would take longer than reading it.
                self.at = first + start as usize - 8;
                return Err(self
                    .text(&format!("text {i} of {what}"), MAX_LISTED)
                    .err()
                    .unwrap_or_else(|| self.damaged(first as u64, format!("{what} is no list of texts"))));
            }
            // 2^20 texts of 2^14 bytes would not fit into 32 bits.
            match u32::try_from(start) {
                Ok(start) => starts.push(start),
                Err(_) => return Err(self.damaged(first as u64, format!("{what} is longer than 4 GB"))),
            }
        }
        let bytes = self.bytes.slice(first..self.at);
        Ok(Value::Texts(Texts::new(bytes.unwrap_or_else(|| Bytes::copied(&[])), starts)))
    }

    pub fn tensor(&mut self, i: u64, part: usize) -> Result<TensorEntry, ModelError> {
        let start = self.at as u64;
        let name = shown(&self.name(&format!("the name of tensor {i}"), MAX_TENSOR_NAME)?);
        let what = format!("the table entry of tensor {name}");
        let rank = self.u32(&what)?;
        if !(1..=4).contains(&rank) {
            return Err(self.damaged(start, format!("tensor {name} has {rank} dimensions, 1 to 4 are possible")));
        }
        let (mut shape, mut elements) = (Vec::with_capacity(rank as usize), 1u64);
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
        Ok(TensorEntry { name, shape, kind, offset, part })
    }

    /// Makes the offsets count from the file's beginning, and sees to it that all the tensors are inside the file and
    /// beside each other.
    pub fn place(&self, tensors: &mut [TensorEntry], data_start: u64, alignment: u64) -> Result<(), ModelError> {
        let table = self.at as u64;
        for t in tensors.iter_mut() {
            if t.offset % alignment != 0 {
                let what = format!("tensor {} begins at {}, which is no multiple of {alignment}", t.name, t.offset);
                return Err(self.damaged(table, what));
            }
            // Fewer than 2^48 elements of at most 8 bytes: only the offset can be too much.
            t.offset = match data_start.checked_add(t.offset).filter(|begins| *begins < 1 << 60) {
                Some(begins) => begins,
                None => return Err(self.damaged(table, format!("tensor {} begins beyond any file", t.name))),
            };
        }
        let mut order: Vec<&TensorEntry> = tensors.iter().collect();
        order.sort_unstable_by_key(|t| (t.offset, t.bytes()));
        if let Some(last) = order.iter().max_by_key(|t| t.offset + t.bytes())
            && last.offset + last.bytes() > self.bytes.len() as u64
        {
            let (file, offset) = (self.file.to_string(), last.offset);
            let what = format!("tensor {} (the last of {})", last.name, tensors.len());
            let (needed, has) = (offset + last.bytes(), self.bytes.len() as u64);
            return Err(ModelError::Truncated { file, what, offset, needed, has });
        }
        for pair in order.windows(2) {
            if pair[0].offset + pair[0].bytes() > pair[1].offset {
                let what = format!("tensors {} and {} overlap", pair[0].name, pair[1].name);
                return Err(self.damaged(pair[1].offset, what));
            }
        }
        Ok(())
    }
}

/// A name from a file that may be damaged, without control characters.
pub(super) fn shown(name: &str) -> String {
    name.chars().flat_map(char::escape_debug).collect()
}
